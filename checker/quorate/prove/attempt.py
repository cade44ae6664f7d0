"""What every proof has in common: its goals, the verdict on its claims, and the search for a real violation.

`Proven` is said only if every property asked for, and every lemma that one of them needs, is true initially and kept
by every action, no action raises an error, there is an initial state, and every action can happen in a state that
satisfies what was assumed. A property that is not kept is `Violated` only with a run from an initial state; else the
verdict is `Unfinished`, with the smallest counterexample to induction that was found, because the property may be
true and need a lemma.

A variant that is expected to break borrows the lemmas of its bases. They need not be true of it, and are no goals of the
proof; but the steps that fail although all of them are assumed are the ones at which the argument breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic, perf_counter
from typing import Any, cast

from quorate.errors import SpecError, UsageError, unknown
from quorate.explore.audit import AUDIT_SHARE, Said, audit
from quorate.explore.properties import Properties
from quorate.explore.traces.replay import replay
from quorate.explore.traces.tracing import trace
from quorate.explore.verdicts import methods_of
from quorate.kinds import INVARIANTS, SAFETY
from quorate.language.declarations import declarations, original
from quorate.language.places import class_location
from quorate.language.spec import Spec
from quorate.language.system import Arguments, State, System
from quorate.model.build import Builder
from quorate.model.nodes import Model
from quorate.outcome import Failed, Outcome, Proven, Statistics, Unfinished, Violated
from quorate.prove.any_size.obligations import INIT, NO_ERROR
from quorate.prove.bounded.bmc import Search
from quorate.prove.fixed_bounds import Bounded, Induction, Undecided
from quorate.prove.reachability import FirstStates, first_initial
from quorate.prove.results import Claim, Counterexample, Proof, Task
from quorate.prove.solvers.evidence import Evidence
from quorate.prove.solvers.smt import version_of
from quorate.prove.transition.relation import Relation

AUDIT_SECONDS = 0.05
"""What is proven is audited for so long, and a share of the time that it took."""
DEPTH, DEPTH_IF_BROKEN = 12, 20
"""So many steps of a run are looked at for a real violation when a proof fails; more if one is expected."""


class Attempt:
    """What both kinds of proof share."""

    def __init__(self, task: Task, model: Model) -> None:
        self.task, self.model, self.runs = task, model, model
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
        self._began = perf_counter()

    def broken_at(self, claims: Sequence[Claim]) -> None:
        """Take down where the argument of a broken variant breaks: claims that fail with everything assumed."""
        if self.broken:
            self.breaks = tuple((claim.action, claim.property) for claim in claims if claim.status == "failed")
            steps = ", ".join(f"{action} breaks {prop}" for action, prop in self.breaks)
            self.notes.append(f"where the argument breaks: {steps or 'not found'}")

    def require_total(self, system: System, evidence: Evidence | None = None) -> None:
        """Raises Failure, as exploring does, where @init of a system raises an error or passes a bound, at the configured bounds."""
        with system:
            builder = Builder(system)
            init = builder.beginning()
            if init is not None:
                begins = Model(system.name, system, system.variables, init, (), (), builder.functions, ())
                search = Search(begins, self.task.seconds, evidence=evidence)
                search.require_total(Relation(begins, deadline=monotonic() + self.task.seconds), init)

    def audit(self) -> None:
        """Hold what was proven against runs of CPython at the configured bounds (`explore.audit`). Raises Disagreement."""
        system, seconds = self.runs.system, AUDIT_SECONDS + AUDIT_SHARE * (perf_counter() - self._began)
        with system:
            self.audit_from(system, first_initial(system, self.task.seconds), seconds)

    def audit_from(self, system: System, initial: Sequence[tuple[Arguments, State]], seconds: float) -> None:
        """Hold what was proven against runs of a system from these initial states, inside its configuration. Raises Disagreement."""
        try:
            properties = Properties(system, self.goals)
        except SpecError:  # One has too many arguments to list: a proof lists none.
            properties = Properties(system, ())
        audit(system, initial, Said(properties), seconds)

    def make(self, kind: type[Outcome], **fields: Any) -> Outcome:
        """An outcome of this run."""
        bounds = self.model.system.bounds
        return kind(
            spec=self.task.name,
            variant=self.task.variant,
            bounds=bounds,
            engine="z3",
            statistics=Statistics(),
            notes=tuple(dict.fromkeys(self.notes)),
            location=class_location(original(self.task.spec)),
            methods=methods_of(self.model.system, "action", *SAFETY),
            **fields,
        )

    def counterexample(self, found: Induction, bounds: dict[str, int], first: FirstStates) -> Counterexample:
        """A counterexample to induction at some bounds, with a trace that names the specification as it was asked about."""
        if found.trace is not None:
            found = replace(found, trace=found.trace.but(spec=self.task.name, variant=self.task.variant))
        return Counterexample(found, bounds, first)

    def searched(self, names: Sequence[str], depth: int) -> Outcome | None:
        """A violation of the named properties that a run from an initial state shows, or None. The runs are those of the specification
        without history variables."""
        stated = [prop.name for prop in self.runs.of(*SAFETY) if prop.name in names]
        with self.runs.system:
            bounded = Bounded(self.runs, self.task.seconds, self.task.progress, evidence=self.task.evidence)
            finding = bounded.search(depth, stated) if stated else None
            if finding is None:
                return None
            shown = trace(self.runs.system, finding, self.task.name, self.task.variant)
        if finding.kind == "error":
            if not replay(shown, cast(type[Spec], self.runs.system.spec)).reproduced:
                raise Undecided(
                    "what is looked at in every order here, a history or many elements, raises an error in one that CPython does not take"
                )
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
            self.notes.append(f"the search for a real violation did not end ({undecided})")
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
        needed = closure(self.goals, claims)
        relevant = [claim for claim in claims if claim.property in needed or claim.property == NO_ERROR]
        unused = tuple(
            prop.name
            for prop in self.model.of("lemma")
            if prop.name not in needed - set(self.task.invariants or ())
            and not any(prop.name in (claim.needs or ()) for claim in claims if claim.property != prop.name)
        )
        if any(claim.status != "proven" for claim in relevant):
            outcome = self.refuted_or_open(relevant, self.task.depth or self.search_depth)
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
    def search_depth(self) -> int:
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


def closure(goals: Sequence[str], claims: Sequence[Claim]) -> set[str]:
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
