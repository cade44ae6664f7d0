"""Induction at fixed bounds: one question for each claim, and small counterexamples.

A claim is that an action keeps a property: that no step of the action leads from a state where all that is assumed is
true to one where the property is false. For k-induction the state before is the last of k in a row. What all claims
have in common is written once, so that a claim costs little more than its own clauses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from quorate.explore.engine import Finding
from quorate.explore.traces.tracing import trace
from quorate.kinds import INDUCTION, INVARIANTS, STEPS
from quorate.language.system import Arguments, Method, State
from quorate.model.nodes import Property
from quorate.prove.encode.fixed.circuit import FALSE
from quorate.prove.encode.fixed.parts import Mask, Table, Tally
from quorate.prove.solvers.sat import Question, Undecided
from quorate.prove.transition.relation import Fired, Judged, Relation
from quorate.prove.transition.unrolling import Unrolled
from quorate.trace import Json, Trace

Made = TypeVar("Made")


@dataclass(frozen=True)
class Induction:
    """A counterexample to induction: `before` satisfies what is assumed (for k-induction, so do the states that lead
    there), and the action leads to `after`, where the property is false for `witnesses`, or raises an error.

    `places` are the variables with their values before and after in JSON; `trace` is the step as a run of its own, for
    pictures.
    """

    property: str
    action: Method
    arguments: Arguments
    before: State
    after: State
    witnesses: Arguments
    places: tuple[tuple[str, Json, Json], ...] = ()
    path: tuple[State, ...] = ()
    trace: Trace | None = None


@dataclass(frozen=True)
class Asked:
    """A question whose "unsat" is a proof, and what a solution of it means."""

    question: Question
    read: Callable[[frozenset[int]], Induction]


@dataclass(frozen=True)
class _Common:
    """Clauses that several questions share: the text, and the literals that imply the properties that are assumed."""

    run: Unrolled
    texts: tuple[str, ...]
    assumed: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()

    def more(self) -> Unrolled:
        """The clauses, to be gone on with."""
        return self.run.fork()

    def asked(self, name: tuple[str, ...], run: Unrolled, wishes: Sequence[int] = ()) -> Question:
        """The question whether all clauses can be true: the common ones and those that were added to a fork."""
        return Question(name, (*self.texts, run.clauses.text()), self.assumed, self.labels, tuple(wishes))


class Inductive:
    """The questions of proofs by induction over one relation. Make and use it inside `with model.system`."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self.inductive = relation.model.of(*INVARIANTS)
        self._always: dict[int, int | Undecided] = {}
        self._judged: dict[int, Judged | Undecided] = {}
        self._commons: dict[tuple[Any, ...], _Common] = {}

    def starts(self) -> Question:
        """Whether there is an initial state: a proof without one is worthless."""
        run = self._initial().more()
        return self._initial().asked(("initial states",), run)

    def start_fails(self) -> Question:
        """Whether @init can raise an error or pass a bound."""
        clauses = self.relation.clauses()
        clauses.require(self.relation.start_fails, 0)
        return Question(("initial states", "no error"), (clauses.text(),))

    def initially(self, prop: Property) -> Question:
        """Whether a property can be false in an initial state."""
        run = self._initial().more()
        run.clauses.require(self.relation.bad(self._judge(prop)), 0)
        return self._initial().asked(("initial states", prop.name), run)

    def fires(self, fired: Fired, assumed: Sequence[str]) -> Question:
        """Whether an action can happen in a state that satisfies the assumed properties: if not, that it keeps something
        is no news."""
        common = self._step(fired, assumed, 1)
        return common.asked((fired.action.name, "can happen"), common.more())

    def keeps(self, fired: Fired, prop: Property, assumed: Sequence[str], depth: int = 1) -> Asked | None:
        """Whether an action can break a property after `depth` states that satisfy the assumed ones; None if it does
        not touch what the property reads."""
        if prop.kind not in STEPS and not fired.action.writes & prop.reads:
            return None
        common = self._step(fired, assumed, depth)
        run, judged = common.more(), self._judge(prop)
        place = depth - 1 if prop.kind in STEPS else depth
        run.clauses.require(self.relation.bad(judged), place)
        question = common.asked((fired.action.name, prop.name), run, list(self._simple(run, depth - 1)))
        cells = run.clauses.cells

        def read(true: frozenset[int]) -> Induction:
            relation = self.relation
            states = [relation.read(relation.before, relation.reader(cells, true, step)) for step in range(depth + 1)]
            here, there = relation.reader(cells, true, depth - 1), relation.reader(cells, true, place)
            arguments = relation.arguments(fired.arguments, fired.action.parameters, here)
            witnesses = relation.arguments(judged.arguments, prop.parameters, there)
            before, after = states[depth - 1 :]
            found = Induction(prop.name, fired.action.method, arguments, before, after, witnesses)
            found = replace(found, places=self._places(before, after), path=tuple(states[: depth - 1]))
            return replace(found, trace=self._drawn(found, prop))

        return Asked(question, read)

    def raises(self, fired: Fired, assumed: Sequence[str]) -> Asked | None:
        """Whether an action can raise an error in a state that satisfies the assumed properties; None if it has none to
        raise."""
        raised = self.relation.raising(fired)
        if not raised:
            return None
        common = self._assuming(assumed, 1)
        run = common.more()
        run.clauses.require(raised, 0)
        question = common.asked((fired.action.name, "no error"), run, list(self._simple(run, 0)))
        cells = run.clauses.cells

        def read(true: frozenset[int]) -> Induction:
            here = self.relation.reader(cells, true)
            before = self.relation.read(self.relation.before, here)
            arguments = self.relation.arguments(fired.arguments, fired.action.parameters, here)
            return Induction(
                "no error", fired.action.method, arguments, before, before, (), self._places(before, before)
            )

        return Asked(question, read)

    # What questions have in common

    def _common(self, key: tuple[Any, ...], make: Callable[[], _Common]) -> _Common:
        """The common clauses under a key; of each kind of key only the last is kept, as questions come in order."""
        for old in [old for old in self._commons if old[0] == key[0] and old != key]:
            del self._commons[old]
        if key not in self._commons:
            self._commons[key] = make()
        return self._commons[key]

    def _initial(self) -> _Common:
        def make() -> _Common:
            run = Unrolled(self.relation)
            run.start()
            return _Common(run, (run.clauses.text(),))

        return self._common(("initial",), make)

    def _assuming(self, assumed: Sequence[str], states: int) -> _Common:
        """So many states in a row, and literals that imply that an assumed property is true in all of them."""

        def make() -> _Common:
            run = Unrolled(self.relation)
            for step in range(states - 1):
                run.clauses.add(*run.lengthen(step))
            literals, names = [], [prop.name for prop in self.inductive if prop.name in set(assumed)]
            for prop in self.inductive:
                if prop.name in names:
                    literals.append(run.clauses.fresh())
                    for state in range(states):
                        run.clauses.require(self._holds(prop), state, [-literals[-1]])
            return _Common(run, (run.clauses.text(),), tuple(literals), tuple(names))

        return self._common(("assumed", tuple(assumed), states), make)

    def _step(self, fired: Fired, assumed: Sequence[str], depth: int) -> _Common:
        """A step of an action after so many states."""

        def make() -> _Common:
            common = self._assuming(assumed, depth)
            run = common.more()
            run.legal(depth)
            run.clauses.require(fired.step, depth - 1)
            return replace(common, run=run, texts=(*common.texts, run.clauses.text()))

        return self._common(("step", fired.action.name, tuple(assumed), depth), make)

    def _holds(self, prop: Property) -> int:
        """That a property is true of the state before, for all arguments."""
        return _once(self._always, prop, lambda: self.relation.always(prop, self.relation.before))

    def _judge(self, prop: Property) -> Judged:
        """A property of the state before, or of the step, for unknown arguments."""
        return _once(self._judged, prop, lambda: self.relation.judge(prop))

    # Counterexamples

    def _simple(self, run: Unrolled, state: int) -> Iterator[int]:
        """Literals that imply, part by part, that a state is as simple as can be: false, empty, or the default."""
        relation = self.relation
        zero = relation.constant(relation.model.system.zero(before_init=True))
        for name, cells in zero.items():
            for part in _parts(relation, relation.before[name], cells):
                if part > 1:
                    yield run.clauses.literal(part, state)

    def _places(self, before: State, after: State) -> tuple[tuple[str, Json, Json], ...]:
        return tuple(
            (variable.name, variable.type.to_json(old), variable.type.to_json(new))
            for variable, old, new in zip(self.relation.model.variables, before, after, strict=True)
        )

    def _drawn(self, found: Induction, prop: Property) -> Trace:
        """A counterexample to induction as a run of one step."""
        finding = Finding(INDUCTION, prop.method, (), ((found.action, found.arguments),), found.witnesses)
        return trace(self.relation.model.system, finding, self.relation.model.name, None, start=found.before)


def _once(known: dict[int, Made | Undecided], prop: Property, make: Callable[[], Made]) -> Made:
    """What is made of a property of the model, from the second time on as it was, even that there was no time for it. A property is known
    by itself: a mapping and what it says of initial states have one name."""
    if id(prop) not in known:
        try:
            known[id(prop)] = make()
        except Undecided as reason:
            known[id(prop)] = reason
    found = known[id(prop)]
    if isinstance(found, Undecided):
        raise found
    return found


def _parts(relation: Relation, value: Any, zero: Any) -> Iterator[int]:
    """The conditions that the parts of a value are those of its default."""
    if isinstance(value, Mask):
        yield from (guard ^ 1 for guard in value.values())
    elif isinstance(value, Tally):
        yield from (times.get(0, FALSE) for times in value.values())
    elif isinstance(value, Table):
        for key, inner in value.items():
            yield from _parts(relation, inner, zero[key])
    else:
        yield relation.machine.equal(value, zero)
