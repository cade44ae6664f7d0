"""Which candidates are inductive together, at fixed bounds (Flanagan & Leino 2001, "Houdini, an Annotation Assistant").

All candidates are assumed before every action. A solution of "some candidate is false after it" is a step that refutes
those that are false there; without them the question is asked again. What is left when no action refutes any is the
largest inductive set among the candidates: it does not depend on the order.

All questions go to one solver: each candidate has a literal that assumes it before the step and one that denies it
after the step, and each action a literal that takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from checker.model.nodes import Model
from checker.prove.relation import Relation
from checker.prove.sat import Dialogue, Undecided
from checker.prove.unbounded import NO_ERROR
from checker.prove.unrolled import Unrolled

Progress = Callable[[str], None]


class Houdini:
    """The questions about one model, whose lemmas and invariants are the candidates. Use it inside `with model.system`.

    `deadline` is a time of `time.monotonic`; Undecided is raised when it has passed.
    """

    def __init__(self, model: Model, deadline: float, progress: Progress = lambda _: None) -> None:
        self.model, self.deadline, self.progress = model, deadline, progress
        self.names = tuple(prop.name for prop in model.of("invariant", "lemma"))
        self._relation = Relation(model)
        self._always: dict[str, int] = {}
        for prop in model.of("invariant", "lemma"):
            progress(f"writing {prop.name}")
            self._in_time()
            self._always[prop.name] = self._relation.always(prop, self._relation.before)
        self._run = Unrolled(self._relation)
        clauses = self._run.clauses
        taken = self._run.lengthen(0)
        self._taken = {fired.action.name: literal for fired, literal in zip(self._relation.fired, taken, strict=True)}
        self._assumed, self._denied = dict[str, int](), dict[str, int]()
        for name, condition in self._always.items():
            self._assumed[name], self._denied[name] = clauses.fresh(), clauses.fresh()
            clauses.require(condition, 0, [-self._assumed[name]])
            clauses.require(condition ^ 1, 1, [-self._denied[name]])
        for prop in model.of("step"):
            self._denied[prop.name] = clauses.literal(self._relation.bad(self._relation.judge(prop)), 0)
        self._raised = {
            fired.action.name: clauses.literal(condition, 0)
            for fired in self._relation.fired
            if (condition := self._relation.raising(fired))
        }
        self._dialogue = Dialogue(max(deadline - monotonic(), 0.001))
        self._dialogue.add(clauses.text())

    def _in_time(self) -> None:
        if monotonic() > self.deadline:
            raise Undecided("the time for lemmas is over")

    def initially(self, names: Iterable[str]) -> list[str]:
        """Those that are true in all initial states."""
        run, left = Unrolled(self._relation), list(names)
        run.start()
        denied = {name: run.clauses.literal(self._always[name] ^ 1, 0) for name in left}
        dialogue = Dialogue(max(self.deadline - monotonic(), 0.001))
        while left:
            false = self._some_false(dialogue, run, [denied[name] for name in left], (), 0, left)
            if not false:
                break
            left = [name for name in left if name not in false]
        return left

    def inductive(self, names: Sequence[str]) -> list[str]:
        """The largest set among these that every action keeps."""
        left, quiet, position = list(names), 0, 0
        actions = list(self._taken)
        while left and quiet < len(actions):
            action = actions[position % len(actions)]
            self.progress(f"{len(left)} candidates, {action}")
            given = (self._taken[action], *(self._assumed[name] for name in left))
            refuted = self._some_false(self._dialogue, self._run, [self._denied[name] for name in left], given, 1, left)
            if refuted:
                left, quiet = [name for name in left if name not in refuted], 0
            else:
                position, quiet = position + 1, quiet + 1
        return left

    def _some_false(
        self,
        dialogue: Dialogue,
        run: Unrolled,
        denied: Sequence[int],
        given: Sequence[int],
        state: int,
        names: list[str],
    ) -> set[str]:
        """Of these names, whose `denied` literals these are, those that are false in one state; none if all are true
        whatever the state."""
        some = run.clauses.fresh()
        run.clauses.add(-some, *denied)
        dialogue.add(run.clauses.text())
        if not self._possible(dialogue, some, *given):
            return set()
        reader = self._relation.reader(run.clauses.cells, dialogue.solution(), state)
        return {name for name in names if not reader(self._always[name])}

    def _possible(self, dialogue: Dialogue, *assumed: int) -> bool:
        self._in_time()
        return dialogue.possible("the time for lemmas is over", *assumed)

    # Which proofs use which lemmas: see `needed`

    def claims(self, name: str) -> list[str]:
        """The actions that might break a property, or raise an error."""
        if name == NO_ERROR:
            return list(self._raised)
        return [action for action in self._taken if self._touches(action, name)]

    def core(self, action: str, name: str, assumed: Sequence[str], hard: bool = True) -> frozenset[str] | None:
        """The assumed ones that show that an action keeps a property (raises no error); None if they do not show it."""
        wrong = self._raised[action] if name == NO_ERROR else self._denied[name]
        taken = () if name == NO_ERROR else (self._taken[action],)
        if self._possible(self._dialogue, wrong, *taken, *(self._assumed[other] for other in assumed)):
            return None
        literals = self._dialogue.needed()
        return frozenset(other for other in assumed if self._assumed[other] in literals)

    def _touches(self, action: str, name: str) -> bool:
        prop = next(prop for prop in self.model.properties if prop.name == name)
        fired = next(fired.action for fired in self._relation.fired if fired.action.name == action)
        return prop.kind == "step" or bool(fired.writes & prop.reads)
