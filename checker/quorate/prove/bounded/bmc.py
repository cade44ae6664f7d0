"""Bounded checking: a shortest run from an initial state to a violation, by one question for each length.

The question for a length is whether a run of so many steps ends where some property is false or an action raises an
error, or ends with a step that a @step property forbids. The lengths are tried in turn, so the first "yes" is a
shortest violation; only then is it asked, property by property, which is the first that can be violated there. With one
process, all questions go to one solver, which keeps what it has learned; with several, each length is a question of its
own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

from quorate.explore.engine import Finding
from quorate.kinds import SAFETY, STEPS, kind_of
from quorate.model.nodes import Action, Model, Property
from quorate.prove.bounded.capacities import relevant, room
from quorate.prove.solvers.evidence import Evidence
from quorate.prove.solvers.processes import spread
from quorate.prove.solvers.sat import Dialogue, Question, Undecided, answered
from quorate.prove.transition.reductions import ALL, Reductions
from quorate.prove.transition.relation import Fired, Judged, Relation
from quorate.prove.transition.unrolling import Unrolled

Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Suspect:
    """What may be wrong at some length: a literal that implies it."""

    what: Judged | Fired
    literal: int


@dataclass(frozen=True)
class _Length:
    """The clauses that a length adds, what may be wrong there, and a literal that implies that something is."""

    number: int
    text: str
    suspects: tuple[_Suspect, ...]
    some: int


Found = tuple[int, Judged | Fired, frozenset[int]]
"""A length, what is wrong there, and the true variables of a solution."""


class Search:
    """A bounded check of one model, within so many seconds by so many processes. Use it inside `with model.system`."""

    def __init__(
        self,
        model: Model,
        seconds: float,
        progress: Progress = lambda _: None,
        workers: int = 1,
        reductions: Reductions = ALL,
        evidence: Evidence | None = None,
    ) -> None:
        self.model, self.progress, self.workers, self.reductions = model, progress, workers, reductions
        self._deadline, self._evidence = monotonic() + seconds, evidence

    def shortest(self, depth: int, names: Sequence[str]) -> Finding | None:
        """A shortest violation of the named properties, or an error in the spec, by a run of at most `depth` steps.

        Of several at this length: errors before @step properties before the others, and these in the order of the
        specification. Raises Undecided if the time does not suffice.
        """
        wanted = [prop for prop in (*self.model.of(*SAFETY), *self.model.beginnings) if prop.name in set(names)]
        if not self.reductions.capacities:
            return self._within(
                Relation(self.model, reductions=self.reductions, deadline=self._deadline), wanted, 0, depth
            )
        spacious, done = self._spacious(depth), -1
        for last in sorted({spacious, depth}):
            space = room(self.model, last)
            relation = Relation(self.model, space, relevant(self.model, wanted, space), self.reductions, self._deadline)
            found = self._within(relation, wanted, done + 1, last)
            if found is not None:
                return found
            done = last
        return None

    def _spacious(self, depth: int) -> int:
        """So many of the steps cannot fill more containers than the first one can; their encoding is the smallest."""
        most = len(room(self.model, 1))
        low, high = 0, depth
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if len(room(self.model, middle)) == most else (low, middle - 1)
        return low

    def _within(self, relation: Relation, wanted: Sequence[Property], first: int, last: int) -> Finding | None:
        """A shortest violation by a run of `first` to `last` steps, if there is no shorter one."""
        if first == 0:
            self._require_start(relation)
        run = Unrolled(relation)
        run.start()
        lengths = self._lengths(run, [relation.judge(prop) for prop in wanted], last)
        found = self._one_by_one(lengths, first) if self.workers == 1 else self._at_once(lengths, first)
        return None if found is None else self._finding(run, *found)

    def _require_start(self, relation: Relation) -> None:
        """Raises Failure, as exploring does, where @init fails, or where there is no initial state."""
        if self.model.init is None:
            list(self.model.system.initial())
            return
        self.require_total(relation, self.model.init)
        clauses, dialogue = relation.clauses(), Dialogue(self._left())
        starts = clauses.literal(relation.start[0], 0)
        dialogue.add(clauses.text())
        if not dialogue.possible("@init", starts):
            raise self.model.system.no_initial_state()

    def require_total(self, relation: Relation, init: Action) -> None:
        """Raises Failure, as exploring does, where @init raises an error or passes a bound."""
        system = self.model.system
        clauses, dialogue = relation.clauses(), Dialogue(self._left())
        fails = clauses.literal(relation.start_fails, 0)
        text = clauses.text()
        dialogue.add(text)
        failing = dialogue.possible("@init", fails)
        self._record(Question(("@init", "no error"), (text,), (fails,)), failing)
        if failing:
            reader = relation.reader(clauses.cells, dialogue.solution())
            arguments = relation.arguments(relation.start[2], init.parameters, reader)
            state = system.initial_state(system.zero(before_init=True), init.method, arguments)
            if state is not None:
                system.excluded_by(state)
            raise AssertionError(f"{init.name}{arguments} fails in the encoding only")

    def _lengths(self, run: Unrolled, judged: Sequence[Judged], depth: int) -> Iterator[_Length]:
        """What each length adds; that a run goes on is required only once the next length is asked for."""
        relation = run.relation
        beginnings = [one for one in judged if one.prop in relation.model.beginnings]
        steps = [one for one in judged if one.prop.kind in STEPS]
        states = [one for one in judged if one not in beginnings and one not in steps]
        for length in range(depth + 1):
            chosen = run.lengthen(length - 1) if length else []
            found: list[tuple[Judged | Fired, int, int]] = []
            if length:
                found += [(fired, relation.raising(fired), length - 1) for fired in relation.fired]
                found += [(one, relation.bad(one), length - 1) for one in steps]
            found += [(one, relation.bad(one), length) for one in (states if length else [*states, *beginnings])]
            suspects = tuple(
                _Suspect(what, run.clauses.literal(condition, copy)) for what, condition, copy in found if condition
            )
            for suspect in suspects if length else ():
                if isinstance(suspect.what, Judged):
                    run.clauses.add(-suspect.literal, *chosen)
            some = run.clauses.fresh()
            run.clauses.add(-some, *(suspect.literal for suspect in suspects))
            yield _Length(length, run.clauses.text(), suspects, some)
            if length:
                run.clauses.add(*chosen)

    def _one_by_one(self, lengths: Iterator[_Length], first: int) -> Found | None:
        dialogue, texts = Dialogue(self._left()), list[str]()
        for length in lengths:
            dialogue.add(length.text)
            texts.append(length.text)
            if length.number < first:
                continue
            self.progress(f"depth {length.number}")
            possible = dialogue.possible(f"depth {length.number}", length.some)
            self._record(Question((f"depth {length.number}",), tuple(texts), (length.some,)), possible)
            if possible:
                return self._first(dialogue, length)
        return None

    def _record(self, question: Question, possible: bool) -> None:
        if self._evidence is not None:
            self._evidence.clauses(question, "sat" if possible else "unsat")

    def _at_once(self, lengths: Iterator[_Length], first: int) -> Found | None:
        """Several lengths at a time; each question has the clauses of all shorter ones."""
        texts: list[str] = []
        asked: list[_Length] = []

        def questions() -> Iterator[Question]:
            for length in lengths:
                texts.append(length.text)
                if length.number >= first:
                    asked.append(length)
                    yield Question((f"depth {length.number}",), tuple(texts), (length.some,))

        for reply, length in zip(
            spread(partial(answered, seconds=self._left()), questions(), self.workers), asked, strict=False
        ):
            self.progress(reply.name[0])
            if reply.status == "unknown":
                raise Undecided(f"{reply.name[0]}: {reply.reason}")
            so_far = tuple(texts[: length.number + 1])
            self._record(Question(reply.name, so_far, (length.some,)), reply.status == "sat")
            if reply.status == "sat":
                dialogue = Dialogue(self._left())
                for text in texts[: length.number + 1]:
                    dialogue.add(text)
                dialogue.possible(reply.name[0], length.some)
                return self._first(dialogue, length)
        return None

    def _left(self) -> float:
        return max(0.001, self._deadline - monotonic())

    def _first(self, dialogue: Dialogue, length: _Length) -> Found:
        """The first thing that can be wrong at a length where something is, with a solution."""
        true = dialogue.solution()
        for suspect in length.suspects:
            if suspect.literal in true:
                return length.number, suspect.what, true
            if dialogue.possible(f"depth {length.number}", suspect.literal):
                return length.number, suspect.what, dialogue.solution()
        raise AssertionError("a solution shows nothing wrong")

    def _finding(self, run: Unrolled, length: int, found: Judged | Fired, true: frozenset[int]) -> Finding:
        relation, init = run.relation, self.model.init
        started: tuple[object, ...] = ()
        if init is not None:
            started = relation.arguments(relation.start[2], init.parameters, relation.reader(run.clauses.cells, true))
        if isinstance(found, Fired):
            reader = relation.reader(run.clauses.cells, true, length - 1)
            instance = (found.action.method, relation.arguments(found.arguments, found.action.parameters, reader))
            why = next(event.what for condition, event in found.errors if reader(condition))
            steps = (*run.instances(length - 1, true), instance)
            return Finding("error", found.action.method, started, steps, message=why, in_step=True)
        step = found.prop.kind in STEPS
        reader = relation.reader(run.clauses.cells, true, length - step)
        arguments = relation.arguments(found.arguments, found.prop.parameters, reader)
        kind = "error" if reader(found.raises) else kind_of(found.prop.method.declaration.kind).shown_as
        message = f"{found.prop.name} raises an error" if kind == "error" else None
        steps = run.instances(length, true)
        return Finding(kind, found.prop.method, started, steps, arguments, message=message)
