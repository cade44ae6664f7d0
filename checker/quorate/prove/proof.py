"""One proof from end to end: which claims, asked how, and an honest verdict.

`Proven` is said only if every property asked for, and every lemma that one of them needs, is true initially and kept
by every action, no action raises an error, there is an initial state, and every action can happen in a state that
satisfies what was assumed. A property that is not kept is `Violated` only with a run from an initial state; else the
verdict is `Unfinished`, with the smallest counterexample to induction that was found, because the property may be
true and need a lemma.

A variant that is expected to break borrows the lemmas of its bases. They need not be true of it, and are no goals of the
proof; but the steps that fail although all of them are assumed are the ones at which the argument breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from quorate.errors import UsageError, unknown
from quorate.explore.traces.tracing import trace
from quorate.explore.verdicts import methods_of
from quorate.kinds import INVARIANTS, SAFETY
from quorate.language.declarations import declarations, original
from quorate.language.places import class_location
from quorate.language.sorts import Int
from quorate.language.spec import Spec, with_lemmas
from quorate.model.build import build
from quorate.model.nodes import Model
from quorate.outcome import Failed, Outcome, Proven, Statistics, Unfinished, Violated
from quorate.prove.any_size.obligations import FOLLOWS, INIT, NO_ERROR, Prover, model_of_any_size
from quorate.prove.fixed_bounds import Bounded, Induction, Undecided
from quorate.prove.reachability import FirstStates, vacuous
from quorate.prove.results import Claim, Counterexample, Proof, Task
from quorate.prove.solvers.query import Query
from quorate.prove.solvers.smt import SELECTED, Answer, Effort, ask_all, version_of

METHODS = ("induction", "bmc", "kinduction")
DEPTH, DEPTH_IF_BROKEN = 12, 20
"""So many steps of a run are looked at for a real violation when a proof fails; more if one is expected."""
FIRST_LOOK = Effort((), 0.0, blindly=False)
"""Effort for claims that are expected to fail: what lemmas on demand do not prove, a counterexample shall decide."""


def prove(task: Task) -> Proof:
    """Prove the properties of a specification. Raises SpecError, where it has no model, and UsageError for unknown
    names."""
    if task.method not in METHODS:
        raise unknown("method", task.method, METHODS)
    if task.any_size and task.method != "induction":
        raise UsageError("--any-size proves by induction; bounded checks and k-induction need bounds.")
    started = perf_counter()
    run = _AnySizeRun(task) if task.any_size else _BoundedRun(task)
    with run.model.system:
        proof = run.proof()
    seconds = perf_counter() - started
    return replace(proof, outcome=replace(proof.outcome, statistics=replace(proof.outcome.statistics, seconds=seconds)))


class _Run:
    """What both kinds of proof share."""

    def __init__(self, task: Task, model: Model) -> None:
        self.task, self.model = task, model
        self.provable = [prop.name for prop in model.of(*SAFETY)]
        for name in task.invariants:
            if name not in self.provable:
                raise unknown("invariant, lemma or step property", name, self.provable)
        own = {name for name, _, _ in declarations(task.spec)}
        self.broken = task.spec.expect.violated is not None
        self.goals = list(task.invariants or [name for name in self.provable if name in own])
        if not self.goals:
            raise UsageError(f"{model.name} has no @invariant, @lemma or @step: there is nothing to prove.")
        self.assumable = [prop.name for prop in model.of(*INVARIANTS)]
        self.notes: list[str] = [*model.system.unjudged_runs("a proof says nothing")]
        self.breaks: tuple[tuple[str, str], ...] = ()

    def broken_at(self, claims: Sequence[Claim]) -> None:
        """Take down where the argument of a broken variant breaks: claims that fail with everything assumed."""
        if self.broken:
            self.breaks = tuple((claim.action, claim.property) for claim in claims if claim.status == "failed")
            steps = ", ".join(f"{action} breaks {prop}" for action, prop in self.breaks)
            self.notes.append(f"where the argument breaks: {steps or 'not found'}")

    def make(self, kind: type[Outcome], **fields: Any) -> Outcome:
        """An outcome of this run."""
        bounds = self.model.system.bounds
        return kind(
            spec=self.task.name,
            variant=self.task.variant,
            bounds=bounds,
            engine="z3",
            statistics=Statistics(),
            notes=tuple(self.notes),
            location=class_location(original(self.task.spec)),
            methods=methods_of(self.model.system, "action", *SAFETY),
            **fields,
        )

    def searched(self, names: Sequence[str], depth: int) -> Outcome | None:
        """A violation of the named properties that a run from an initial state shows, or None."""
        bounded = Bounded(self.model, self.task.seconds, self.task.progress, evidence=self.task.evidence)
        finding = bounded.search(depth, names)
        if finding is None:
            return None
        shown = trace(self.model.system, finding, self.task.name, self.task.variant)
        if finding.kind == "error":
            return self.make(Failed, message=finding.message or "", trace=shown)
        assert finding.method is not None
        return self.make(Violated, property=finding.method.name, trace=shown)

    def refuted_or_open(self, claims: Sequence[Claim], depth: int) -> Outcome:
        """The outcome when claims failed: a real violation if there is one, else that the question is open."""
        failed = [claim for claim in claims if claim.status != "proven"]
        names = [name for name in self.provable if any(claim.property in (name, NO_ERROR) for claim in failed)]
        if self.broken:
            names = self.goals  # A lemma that is lost is no violation: what the lemma was for may be one.
        reason = "; ".join(sorted({_said(claim) for claim in failed}))
        try:
            found = self.searched(names, depth)
        except Undecided as undecided:
            self.notes.append(f"the search for a real violation ran out of time ({undecided})")
        else:
            if found is not None:
                return found
            where = _bounds(self.model.system.bounds)
            self.notes.append(
                f"no violation within {depth} steps at {where}: the property may be true and need a lemma"
            )
        return self.make(Unfinished, reason=reason)

    def finished(
        self,
        claims: Sequence[Claim],
        any_size: bool,
        worthless: Callable[[], str | None],
    ) -> Proof:
        """The verdict on claims that were all made."""
        needed = _closure(self.goals, claims)
        relevant = [claim for claim in claims if claim.property in needed or claim.property == NO_ERROR]
        unused = tuple(
            prop.name
            for prop in self.model.of("lemma")
            if prop.name not in needed - set(self.task.invariants or ())
            and not any(prop.name in (claim.needs or ()) for claim in claims if claim.property != prop.name)
        )
        if any(claim.status != "proven" for claim in relevant):
            outcome = self.refuted_or_open(relevant, self.task.depth or self._depth)
        else:
            outcome = self._worthy(worthless, any_size)
        return Proof(outcome, tuple(claims), unused, self.breaks)

    def assumptions(self) -> tuple[str, ...]:
        """What a proof at fixed bounds takes for granted."""
        return (
            f"the bounds {_bounds(self.model.system.bounds) or 'of the types'}",
            *(f"the constraint {one.name}: what it cuts does not happen" for one in self.model.constraints),
            f"answers of {version_of('z3')}",
        )

    @property
    def _depth(self) -> int:
        return DEPTH if self.task.spec.expect.violated is None else DEPTH_IF_BROKEN

    def _worthy(self, worthless: Callable[[], str | None], any_size: bool) -> Outcome:
        """The verdict when every claim is proven: it stands unless there is a reason why it would say nothing."""
        try:
            why = worthless()
        except Undecided as undecided:
            why = f"it is not known whether it says anything ({undecided})"
        if why is not None:
            return self.make(Unfinished, reason=f"every claim is proven, but {why}")
        return self.make(Proven, rests_on=self.assumptions(), properties=tuple(self.goals), any_size=any_size)


class _BoundedRun(_Run):
    """Proofs at the configured bounds."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, build(with_lemmas(task.spec)))
        with self.model.system:
            self.bounded = Bounded(self.model, task.seconds, task.progress, evidence=task.evidence)
        self.first = FirstStates(self.model.system, task.seconds)

    def proof(self) -> Proof:
        """The whole proof."""
        try:
            return self._bmc() if self.task.method == "bmc" else self._induction()
        except Undecided as undecided:
            return Proof(self.make(Unfinished, reason=str(undecided)))

    def _bmc(self) -> Proof:
        depth = 10 if self.task.depth is None else self.task.depth
        found = self.searched(self.goals, depth)
        if found is not None:
            return Proof(found)
        self.notes.append(
            f"no run of up to {depth} steps violates {', '.join(self.goals)}; longer ones were not looked at"
        )
        return Proof(
            self.make(Unfinished, reason=f"checked to depth {depth} only: a bounded check proves nothing beyond it")
        )

    def _induction(self) -> Proof:
        depth = 1 if self.task.method == "induction" else (self.task.depth or 2)
        found = None
        if depth > 1:
            found = self.searched(self.provable, depth)  # All that is assumed must hold in the first states.
            if found is not None and not self.broken:
                return Proof(found)
        claims = list(self._claims(depth))
        self.broken_at(claims)
        if found is not None:  # The claims suppose that the first states are good: none of them is proven.
            return Proof(replace(found, notes=tuple(self.notes)), breaks=self.breaks)
        return self.finished(claims, False, self._worthless)

    def _claims(self, depth: int) -> Iterator[Claim]:
        bounded, names = self.bounded, self.assumable
        if bounded.relation.start_fails:
            yield self._initially(NO_ERROR, lambda: not bounded.start_fails())
        for prop in (*bounded.inductive, *bounded.model.beginnings):
            yield self._initially(prop.name, partial(bounded.initially, prop))
        for fired in bounded.relation.fired:
            for prop in (*bounded.inductive, *bounded.steps):
                self.task.progress(f"{fired.action.name}: {prop.name}")
                yield self._kept(fired.action.name, prop.name, partial(bounded.broken_by, fired, prop, names, depth))
            if bounded.relation.raising(fired):
                yield self._kept(fired.action.name, NO_ERROR, partial(bounded.raises, fired, names))

    def _initially(self, prop: str, ask: Callable[[], bool]) -> Claim:
        """A claim about the initial states."""
        started = perf_counter()
        try:
            status, reason = "proven" if ask() else "failed", ""
        except Undecided as undecided:
            status, reason = "unknown", str(undecided)
        return Claim(INIT, prop, status, perf_counter() - started, reason=reason)

    def _kept(self, action: str, prop: str, ask: Callable[[], Induction | None]) -> Claim:
        """A claim about the steps of an action. What one question does not decide, the others may: a run that violates
        something may still be found."""
        started = perf_counter()
        try:
            found = ask()
        except Undecided as undecided:
            return Claim(action, prop, "unknown", perf_counter() - started, reason=str(undecided))
        seconds = perf_counter() - started
        if found is None:
            return Claim(action, prop, "proven", seconds)
        return Claim(action, prop, "failed", seconds, None, Counterexample(found, self.model.system.bounds, self.first))

    def _worthless(self) -> str | None:
        return vacuous(self.model, lambda: self.bounded, self.assumable, self.task.seconds)


class _AnySizeRun(_Run):
    """Proofs for any number of nodes; counterexamples come from small bounds."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, model_of_any_size(with_lemmas(task.spec)))
        for one in self.model.constraints:
            self.notes.append(f"a proof for any size is one without the constraint {one.name}")
        self._seconds = task.effort.seconds  # What is left for hard questions.
        self._solvers: set[str] = set()
        self._unshown: list[str] = []

    def proof(self) -> Proof:
        """The whole proof. Raises NoAnySize where a property that is asked for has no such meaning, or no property has."""
        prover = Prover(self.model, self.task.invariants)
        for name, error in prover.skipped.items():
            place = f" ({Path(error.location.file).name}, line {error.location.line})" if error.location else ""
            self.notes.append(f"{name} is neither proven nor assumed{place}: {error.found} {error.instead}")
        self.left = [name for name in self.goals if name in prover.skipped]
        self.goals = [name for name in self.goals if name not in prover.skipped]
        if not self.goals:
            raise prover.skipped[self.left[0]]
        refuted = self._refuted(prover) if self.broken else None
        return self._proof(prover) if refuted is None else refuted

    def _refuted(self, prover: Prover) -> Proof | None:
        """Where the argument of a broken variant breaks, with a run that violates one of the goals; None if no such run
        is found."""
        assumed = [prop.name for prop in prover.inductive]
        queries = [*prover.queries([*assumed, *(prop.name for prop in prover.steps)], assumed), *prover.errors(assumed)]
        claims = self._explained(list(self._asked(queries, FIRST_LOOK)))
        self.broken_at(claims)
        outcome = self.refuted_or_open(
            [claim for claim in claims if claim.status != "proven"], self.task.depth or self._depth
        )
        if isinstance(outcome, Unfinished):
            return None
        return Proof(outcome, tuple(claims), (), self.breaks)

    def _proof(self, prover: Prover) -> Proof:
        """The proof of the goals, then of what their proofs need, and so on; a property that is not kept is no longer
        assumed, until what is left holds together."""
        assumed, done = [prop.name for prop in prover.inductive], dict[tuple[str, str], Claim]()
        provable = [name for name in self.provable if name not in prover.skipped]
        while True:
            needed = _closure(self.goals, list(done.values()))
            done |= self._following(prover, needed, assumed, done)
            settled = {name for action, name in done if action == FOLLOWS}
            needed |= _closure(self.goals, list(done.values()))
            wanted = [
                name
                for name in provable
                if name in needed and name not in settled and (name in assumed or name not in self.assumable)
            ]
            premises = [name for name in assumed if name not in settled]  # What follows from others says no more.
            queries = [
                query
                for query in (*prover.queries(wanted, premises), *prover.errors(premises))
                if self._open(done.get((query.name[0], query.name[1])), assumed)
            ]
            done |= {(claim.action, claim.property): claim for claim in self._asked(queries)}
            lost = {claim.property for claim in done.values() if claim.status != "proven"} & set(assumed)
            if not lost and _closure(self.goals, list(done.values())) <= needed:
                break
            assumed = [name for name in assumed if name not in lost]
        claims = self._explained([replace(claim, counterexample=None) for claim in done.values()])
        proof = self.finished(claims, True, lambda: self._worthless(prover, assumed))
        if not isinstance(proof.outcome, Proven):
            return proof
        outcome: Outcome = replace(proof.outcome, rests_on=tuple(self._rests_on(prover)))
        if self.left:
            proven = ", ".join(self.goals)
            outcome = self.make(
                Unfinished,
                reason=f"proven for any size: {proven}; not stated for any size, hence not judged: {', '.join(self.left)}",
            )
        return replace(proof, outcome=outcome)

    def _rests_on(self, prover: Prover) -> Iterator[str]:
        """What the proof takes for granted."""
        numbers = sorted(sort.__name__ for sort in self.model.system.sizes if issubclass(sort, Int))
        if numbers:
            yield f"numbers from 0 up to any greatest one: {', '.join(numbers)}"
        yield from (f"only for sizes of which this is true: {condition}" for condition in sorted(prover.conditions))
        yield from prover.axioms
        if self._unshown:
            yield f"axioms of which neither a model nor a contradiction was found: those for {', '.join(self._unshown)}"
        yield f"answers of {', '.join(map(version_of, sorted(self._solvers)))}"

    def _following(
        self, prover: Prover, needed: set[str], assumed: Sequence[str], done: dict[tuple[str, str], Claim]
    ) -> dict[tuple[str, str], Claim]:
        """The needed invariants that follow from the lemmas that are assumed; those that did before and no longer do are
        forgotten."""
        invariants = [
            prop for prop in prover.inductive if prop.kind == "invariant" and prop.name in needed & set(assumed)
        ]
        for prop in invariants:
            if (FOLLOWS, prop.name) in done and self._open(done[FOLLOWS, prop.name], assumed):
                del done[FOLLOWS, prop.name]
        queries = [
            prover.follows(prop, assumed) for prop in invariants if not any(name == prop.name for _, name in done)
        ]
        quick = replace(self.task.effort, z3_seconds=self.task.effort.z3_seconds[:1], cvc5_seconds=0.0, blindly=False)
        found = [claim for claim in self._asked(queries, quick) if claim.status == "proven"]
        return {(claim.action, claim.property): claim for claim in found}

    @staticmethod
    def _open(claim: Claim | None, assumed: Sequence[str]) -> bool:
        """Whether a claim is still to be shown: it is new, or its proof used what is no longer assumed."""
        return claim is None or (claim.status == "proven" and not (claim.needs or frozenset()) <= set(assumed))

    def _asked(self, queries: Sequence[Query], effort: Effort | None = None) -> Iterator[Claim]:
        def seen(answer: Answer) -> None:
            self.task.progress(f"{answer.name[0]}: {answer.name[1]}")

        effort = replace(effort or self.task.effort, seconds=self._seconds)
        for query, answer in self._answered(queries, effort, seen):
            self._record(query, answer)
            if answer.solver != SELECTED:
                self._seconds = max(0.0, self._seconds - answer.seconds)
            status = {"unsat": "proven", "sat": "failed", "unknown": "unknown"}[answer.status]
            yield Claim(answer.name[0], answer.name[1], status, answer.seconds, answer.core, None, answer.reason)

    @staticmethod
    def _answered(
        queries: Sequence[Query], effort: Effort, seen: Callable[[Answer], None]
    ) -> Iterator[tuple[Query, Answer]]:
        """The answers to queries, in their order; a narrower question that is settled stands for the whole one."""
        narrower = [query.narrower for query in queries if query.narrower is not None]
        quick = replace(effort, z3_seconds=effort.z3_seconds[:1])
        settled = {
            answer.name: (query, answer)
            for query, answer in zip(narrower, ask_all(narrower, quick, seen), strict=True)
            if answer.status == "unsat"
        }
        left = [query for query in queries if query.narrower is None or query.name not in settled]
        answers = iter(zip(left, ask_all(left, effort, seen), strict=True))
        for query in queries:
            yield settled[query.name] if query.narrower is not None and query.name in settled else next(answers)

    def _explained(self, claims: Sequence[Claim]) -> list[Claim]:
        """The claims, those that failed with a counterexample at the smallest bounds that have one."""
        explained = []
        failed = any(claim.status != "proven" for claim in claims)
        deadline = perf_counter() + self.task.seconds
        encodings = [self._encoded(spec) for spec in self._growing()] if failed else []
        for claim in claims:
            if claim.status != "proven" and claim.action != INIT:
                for bounded, first in encodings:
                    if perf_counter() > deadline:
                        break
                    with bounded.model.system:
                        found = self._counterexample(bounded, claim)
                    if found is not None:
                        shown = Counterexample(found, bounded.model.system.bounds, first)
                        claim = replace(claim, status="failed", counterexample=shown)
                        break
            explained.append(claim)
        return explained

    def _encoded(self, spec: type[Spec]) -> tuple[Bounded, FirstStates]:
        """The encoding of a specification at its bounds, and its first states."""
        model = build(spec)
        with model.system:
            return Bounded(model, min(self.task.seconds, 20.0)), FirstStates(model.system, self.task.seconds)

    def _growing(self) -> list[type[Spec]]:
        """The specification at growing bounds, up to those that are configured."""
        spec, bounds = with_lemmas(self.task.spec), self.model.system.bounds
        sorts = {
            part.sort.__name__
            for variable in self.model.variables
            for part in variable.type.walk()
            if hasattr(part, "size")
        }
        small = {name: min(2, bounds[name]) for name in sorts if name in bounds}
        return [spec.bounded(**small), spec] if any(bounds[name] > 2 for name in small) else [spec]

    def _counterexample(self, bounded: Bounded, claim: Claim) -> Induction | None:
        fired = next(fired for fired in bounded.relation.fired if fired.action.name == claim.action)
        others = self.assumable
        try:
            if claim.property == NO_ERROR:
                return bounded.raises(fired, others)
            prop = next(prop for prop in bounded.model.properties if prop.name == claim.property)
            return bounded.broken_by(fired, prop, others)
        except Undecided:
            return None

    def _record(self, query: Query, answer: Answer) -> None:
        if self.task.evidence is not None:
            self.task.evidence.query(query, answer.status, answer.solver)
        if answer.status != "unknown":
            self._solvers.add("cvc5" if answer.solver == "cvc5" else "z3")

    def _worthless(self, prover: Prover, assumed: Sequence[str]) -> str | None:
        start = prover.satisfiable()
        (answer,) = ask_all([start], replace(self.task.effort, workers=1))
        self._record(start, answer)
        if answer.status == "unknown":
            self.notes.append("the solvers do not know whether the axioms and the initial states go together")
        if answer.status == "unsat":
            return "the axioms and the initial states contradict each other"
        fires = [prover.fires(action, assumed) for action in self.model.actions]
        stuck = []
        for query, answer in zip(fires, ask_all(fires, replace(FIRST_LOOK, seconds=0.0)), strict=True):
            self._record(query, answer)
            if answer.status == "unsat":
                stuck.append(answer.name[0])
        if stuck:
            return f"{', '.join(stuck)} can never happen in a state that satisfies the properties and the axioms"
        answers = ask_all(prover.premises, replace(FIRST_LOOK, seconds=0.0))
        for query, answer in zip(prover.premises, answers, strict=True):
            self._record(query, answer)
        contradictory = [f"{answer.name[1]} after {answer.name[0]}" for answer in answers if answer.status == "unsat"]
        if contradictory:
            return f"the definitions in {', '.join(contradictory)} contradict what is assumed there"
        self._unshown = [f"{answer.name[1]} after {answer.name[0]}" for answer in answers if answer.status == "unknown"]
        return vacuous(self.model, lambda: Bounded(self.model, self.task.seconds), assumed, self.task.seconds)


def _closure(goals: Sequence[str], claims: Sequence[Claim]) -> set[str]:
    """The goals and all that their proofs need, directly or not. A proof of unknown needs may need everything."""
    needed, todo = set(goals), list(goals)
    everything = {claim.property for claim in claims if claim.property != NO_ERROR}
    todo.append(NO_ERROR)
    while todo:
        name = todo.pop()
        for claim in claims:
            if claim.property == name and claim.action != INIT:
                fresh = (everything if claim.needs is None else claim.needs) - needed
                needed |= fresh
                todo.extend(fresh)
    return needed


def _said(claim: Claim) -> str:
    if claim.status == "unknown":
        return f"the solvers do not know whether {claim.action} keeps {claim.property}"
    if claim.action == INIT and claim.property == NO_ERROR:
        return "@init raises an error"
    if claim.action == INIT:
        return f"{claim.property} is false in an initial state"
    if claim.property == NO_ERROR:
        return f"{claim.action} raises an error in some state that satisfies the properties"
    return f"{claim.property} is not inductive: {claim.action} breaks it"


def _bounds(bounds: dict[str, int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in bounds.items())


__all__ = ["METHODS", "Claim", "Proof", "Task", "prove"]
