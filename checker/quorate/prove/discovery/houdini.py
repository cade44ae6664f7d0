"""Which candidates are inductive together, at fixed bounds (Flanagan & Leino 2001, "Houdini, an Annotation Assistant").

All candidates are assumed before every action. A solution of "some candidate is false after it" is a step that refutes
those that are false there; without them the question is asked again. What is left when no action refutes any is the
largest inductive set among the candidates: it does not depend on the order.

All questions go to one solver: each candidate has a literal that assumes it before the step and one that denies it
after the step, and each action a literal that takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from time import monotonic

from quorate.kinds import INVARIANTS, STEPS
from quorate.language.system import State
from quorate.model.nodes import Model
from quorate.prove.any_size.obligations import NO_ERROR
from quorate.prove.solvers.sat import Dialogue, Undecided
from quorate.prove.transition.relation import Relation
from quorate.prove.transition.unrolling import Unrolled

Progress = Callable[[str], None]


class Houdini:
    """The questions about one model, whose lemmas and invariants are the candidates. Use it inside `with model.system`.

    `deadline` is a time of `time.monotonic`; Undecided is raised when it has passed.
    """

    def __init__(
        self,
        model: Model,
        deadline: float,
        progress: Progress = lambda _: None,
        names: Sequence[str] | None = None,
    ) -> None:
        """`names` are the candidates (default: all lemmas and invariants of the model); `add` adds others."""
        self.model, self.deadline, self.progress = model, deadline, progress
        self.relation = Relation(model, deadline=deadline)
        self._run = Unrolled(self.relation)
        clauses = self._run.clauses
        taken = self._run.lengthen(0)
        self._taken = {fired.action.name: literal for fired, literal in zip(self.relation.fired, taken, strict=True)}
        self._always, self._assumed, self._denied = dict[str, int](), dict[str, int](), dict[str, int]()
        self._reads: dict[str, frozenset[str]] = {}
        for prop in model.of(*STEPS):
            self._denied[prop.name] = clauses.literal(self.relation.bad(self.relation.judge(prop)), 0)
        self._raised = {
            fired.action.name: clauses.literal(condition, 0)
            for fired in self.relation.fired
            if (condition := self.relation.raising(fired))
        }
        self._dialogue = Dialogue(max(deadline - monotonic(), 0.001))
        for prop in model.of(*INVARIANTS):
            if names is None or prop.name in names:
                progress(f"writing {prop.name}")
                self.add(prop.name, self.relation.always(prop, self.relation.before), prop.reads)
        self.names = tuple(self._always)
        self._dialogue.add(clauses.text())

    def add(self, name: str, always: int, reads: frozenset[str]) -> None:
        """One more candidate: `always` is its truth in the state before, `reads` what it depends on."""
        self._in_time()
        clauses, self._always[name], self._reads[name] = self._run.clauses, always, reads
        self._assumed[name], self._denied[name] = clauses.fresh(), clauses.fresh()
        clauses.require(always, 0, [-self._assumed[name]])
        clauses.require(always ^ 1, 1, [-self._denied[name]])

    def _in_time(self) -> None:
        if monotonic() > self.deadline:
            raise Undecided("the time for lemmas is over")

    @cached_property
    def _start(self) -> tuple[Unrolled, Dialogue]:
        """An initial state, and a solver that is asked about it."""
        run = Unrolled(self.relation)
        run.start()
        return run, Dialogue(max(self.deadline - monotonic(), 0.001))

    def initially(self, names: Iterable[str]) -> list[str]:
        """Those that are true in all initial states."""
        (run, dialogue), left = self._start, list(names)
        denied = {name: run.clauses.literal(self._always[name] ^ 1, 0) for name in left}
        while left:
            false = self._some_false(dialogue, run, [denied[name] for name in left], (), 0, left)
            if not false:
                break
            left = [name for name in left if name not in false]
        return left

    def initial_without(self, name: str) -> State | None:
        """An initial state in which a candidate is false."""
        run, dialogue = self._start
        denied = run.clauses.literal(self._always[name] ^ 1, 0)
        dialogue.add(run.clauses.text())
        return self._state(dialogue, run, 0) if self._possible(dialogue, denied) else None

    def state_before(self) -> State:
        """The state before the step that the last `core` found where it returned None."""
        return self._state(self._dialogue, self._run, 0)

    def state_after(self) -> State:
        """The state after that step."""
        return self._state(self._dialogue, self._run, 1)

    def false_after(self, names: Iterable[str]) -> list[str]:
        """Which candidates are false after that step."""
        return self._false(names, 1)

    def false_before(self, names: Iterable[str]) -> list[str]:
        """Which candidates are false before that step."""
        return self._false(names, 0)

    def _false(self, names: Iterable[str], state: int) -> list[str]:
        reader = self.relation.reader(self._run.clauses.cells, self._dialogue.valuation(), state)
        return [name for name in names if not reader(self._always[name])]

    def _state(self, dialogue: Dialogue, run: Unrolled, number: int) -> State:
        reader = self.relation.reader(run.clauses.cells, dialogue.valuation(), number)
        return self.relation.read(self.relation.before, reader)

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
        reader = self.relation.reader(run.clauses.cells, dialogue.valuation(), state)
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
        self._dialogue.add(self._run.clauses.text())
        if self._possible(self._dialogue, wrong, *taken, *(self._assumed[other] for other in assumed)):
            return None
        literals = self._dialogue.needed()
        return frozenset(other for other in assumed if self._assumed[other] in literals)

    def _touches(self, action: str, name: str) -> bool:
        fired = next(fired.action for fired in self.relation.fired if fired.action.name == action)
        return name not in self._reads or bool(fired.writes & self._reads[name])
