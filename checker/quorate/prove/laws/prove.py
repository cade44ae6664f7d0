"""Proofs of laws for all values, and the values that break them.

A law is a formula without a run: the arguments are unknown values of unbounded size, and "unsat" for its negation
proves it for every number of nodes, every time stamp and every contents. A law that is not proven is tried on all
values within growing bounds, where solvers always answer; what they find is run in CPython before it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from time import monotonic, perf_counter
from typing import Any, Literal

import z3

from quorate.errors import QuorateError, UsageError
from quorate.explore.engine import Disagreement
from quorate.language.declarations import Expectation
from quorate.language.laws import Marked
from quorate.language.sorts import IDENTITIES_MAX, NUMBER_MAX, AnySort, Int
from quorate.language.system import System
from quorate.model.nodes import Op, expressions
from quorate.prove.any_size.obligations import same_constants
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.sizes import told
from quorate.prove.laws.algebra import EMPTY, TOTAL, Law
from quorate.prove.laws.formulas import sentence_of, unbounded
from quorate.prove.laws.subject import Lowered, Subject
from quorate.prove.laws.values import Counterexample, Reading, Search, confirmed
from quorate.prove.solvers.query import query
from quorate.prove.solvers.smt import Answer, Effort, ask

LADDER = ((1, 1), (2, 1), (2, 3), (3, 3), (3, 7), (4, 15))
"""Bounds at which values that break a law are looked for: members of each sort of identities, and largest number."""
MODEL_SECONDS = 5.0
"""For reading values from the solver's own model, where they are too large for the ladder."""

AUDIT_SECONDS, SEED = 0.02, 20110301
"""What is proven is held against drawn values for so long."""
SAME = 0.3
"""How often a value is one of those before it: laws speak of equal ones, too."""


@dataclass(frozen=True)
class Judged:
    """What became of one law. `open` means that it is not known, and `reason` why."""

    law: str
    sentence: str
    status: Literal["proven", "violated", "open"]
    seconds: float
    counterexample: Counterexample | None = None
    reason: str = ""


@dataclass(frozen=True)
class Laws:
    """What became of the laws of one function."""

    name: str
    expect: Expectation
    judged: tuple[Judged, ...]
    rests_on: tuple[str, ...] = ()
    """What the proofs take for granted: class variables that the function reads."""

    @property
    def violated(self) -> tuple[Judged, ...]:
        """The laws that were refuted, in order."""
        return tuple(one for one in self.judged if one.status == "violated")

    @property
    def open(self) -> tuple[Judged, ...]:
        """The laws of which nothing is known, in order."""
        return tuple(one for one in self.judged if one.status == "open")

    @property
    def as_expected(self) -> bool:
        """Whether the function does what its mark says: every law is proven, or all those named are refuted."""
        if self.expect.violated is None:
            return all(one.status == "proven" for one in self.judged)
        return set(self.expect.names) <= {one.law for one in self.violated}


@dataclass(frozen=True)
class Task:
    """Which function, how hard the solvers try to prove a law, and the seconds to look for values that break it."""

    marked: Marked
    effort: Effort = field(default_factory=Effort)
    seconds: float = 60.0
    progress: Callable[[str], None] = lambda _: None


def prove_laws(task: Task) -> Laws:
    """Judge all laws of a function. Raises SpecError where it is no function of the language, UsageError if it is
    expected to violate a law that it has not.

    The laws of a function that raises an error for some values end there.
    """
    subject = Subject(task.marked)
    expected, names = task.marked.claim.expect.violated, [law.name for law in subject.laws]
    if expected is not None and expected not in names:
        raise UsageError(
            f"{task.marked.name} is expected to violate {expected!r}, which is no law of it: it has {', '.join(names)}."
        )
    judging = _Judging(task, subject)
    judged: list[Judged] = []
    for law in subject.laws:
        task.progress(f"{task.marked.name}: {law.name}")
        judged.append(judging.judged(law))
        if law is TOTAL and judged[-1].status == "violated":
            break
    if worthless := judging.worthless():
        judged = [replace(one, status="open", reason=worthless) if one.status == "proven" else one for one in judged]
    return Laws(task.marked.name, task.marked.claim.expect, tuple(judged), tuple(told(judging.constants)))


class _Judging:
    """One function and what is written of it."""

    def __init__(self, task: Task, subject: Subject) -> None:
        self.task, self.subject = task, subject
        self.default = subject.lowered()
        self.no_meaning = self._configured()

    def _configured(self) -> NoAnySize | None:
        """Why the function has no any-size meaning, if it computes with the configured bounds."""
        bounds = self.default.system.bounds
        others = {
            name: bounds[name] + (1 if bounds[name] < _most(sort) else -1) for name, sort in self.subject.sorts.items()
        }
        try:
            same_constants(_bodies(self.default), _bodies(self.subject.lowered(**others)))
        except NoAnySize as error:
            return error
        return None

    @property
    def constants(self) -> dict[str, object]:
        """The class variables that the function reads as numbers, as they are configured."""
        model = self.default.model
        places = {part.location for body in _bodies(self.default) for part in body.walk() if part.op is Op.CONST}
        read = {name for place, name in model.configured.items() if place in places}
        return {name: model.system.bounds[name] for name in sorted(read)}

    def judged(self, law: Law) -> Judged:
        """What becomes of one law."""
        started, sentence = perf_counter(), self.subject.sentence(law)
        try:
            answer = self._asked(law)
            if answer.status == "unsat":
                self._audit(law)
                return Judged(law.name, sentence, "proven", perf_counter() - started)
            reason = answer.reason or "the solver says that some values break it, which were not found"
        except NoAnySize as error:
            answer, reason = None, error.message
        found, tried = self._within_bounds(law)
        if found is None and answer is not None and answer.status == "sat":
            found = self._from_model(law)
        seconds = perf_counter() - started
        if found is not None:
            return Judged(law.name, sentence, "violated", seconds, found)
        return Judged(law.name, sentence, "open", seconds, None, f"{reason} (no values {tried} break it)")

    def worthless(self) -> str:
        """Why laws say nothing that nothing breaks, or the empty text: no value may be valid."""
        if self.task.marked.claim.valid is None:
            return ""
        found, tried = self._within_bounds(EMPTY)
        with suppress(NoAnySize):
            found = found or self._from_model(EMPTY)
        return "" if found is not None else f"nothing is known to be valid (no values {tried} are)"

    def _asked(self, law: Law) -> Answer:
        """What the solvers say to values of any size that break a law. Raises NoAnySize."""
        if self.no_meaning is not None:
            raise self.no_meaning
        with self.default.system:
            _, _, formulas = unbounded(self.default, law)
        asked = query((self.task.marked.name, law.name), [("", formula) for formula in formulas])
        return ask(asked, self.task.effort)

    def _audit(self, law: Law) -> None:
        """Hold a law that was proven against values that are drawn at the configured bounds, in CPython. Raises Disagreement."""
        chance, until = Random(SEED), monotonic() + AUDIT_SECONDS
        kinds = [kind for _, kind in sentence_of(self.default, law).parameters]
        with self.default.system as system:
            while monotonic() < until:
                values: list[Any] = []
                for kind in kinds:
                    alike = [value for value, other in zip(values, kinds, strict=False) if other == kind]
                    again = alike and chance.random() < SAME
                    values.append(chance.choice(alike) if again else kind.decode(chance.randrange(kind.cardinality)))
                found = confirmed(self.subject, system, law, tuple(values))
                if found is not None:
                    shown = ", ".join(f"{name} = {value!r}" for name, value in found.arguments)
                    raise Disagreement(
                        f"{self.task.marked.name}: {law.name} is proven, and in CPython it is not so of {shown}"
                    )

    def _within_bounds(self, law: Law) -> tuple[Counterexample | None, str]:
        """Values that break a law, at the first bounds where there are some, and how far was looked in vain."""
        deadline, tried = monotonic() + self.task.seconds, "were tried that"
        for lowered in self._growing():
            with lowered.system:
                outcome = Search(self.subject, lowered, law, deadline).found()
            if outcome == "unknown":
                break
            if outcome is not None:
                return outcome, tried
            tried = "at " + ", ".join(f"{name}={lowered.system.bounds[name]}" for name in self.subject.sorts)
        return None, tried

    def _growing(self) -> Iterator[Lowered]:
        """The laws at growing bounds, as far as the types can be built."""
        last = None
        for members, number in LADDER:
            bounds = {name: number if issubclass(sort, Int) else members for name, sort in self.subject.sorts.items()}
            if bounds != last:
                try:
                    lowered = self.subject.lowered(**bounds)
                except QuorateError:
                    return
                yield lowered
            last = bounds

    def _from_model(self, law: Law) -> Counterexample | None:
        """Values of records, numbers and the like that the solver found by itself, however large."""
        with self.default.system:
            machine, values, formulas = unbounded(self.default, law)
            solver = z3.Solver()
            solver.set("timeout", int(MODEL_SECONDS * 1000))
            solver.add(*formulas)
            if solver.check() != z3.sat:
                return None
            kinds = [kind for _, kind in sentence_of(self.default, law).parameters]
            try:
                reading = Reading(machine, solver.model(), values, kinds)
            except NoAnySize:
                return None
        bounds = {name: reading.size(sort) for name, sort in self.subject.sorts.items()}
        if any(bounds[name] > _most(sort) for name, sort in self.subject.sorts.items()):
            return None
        with System(self.subject.carrier.bounded(**bounds)) as system:
            return confirmed(self.subject, system, law, reading.read())


def _most(sort: AnySort) -> int:
    """The largest bound that a sort can have."""
    return NUMBER_MAX if issubclass(sort, Int) else IDENTITIES_MAX


def _bodies(lowered: Lowered) -> Iterator[Any]:
    for function in lowered.model.functions.values():
        yield from expressions(function.body)
