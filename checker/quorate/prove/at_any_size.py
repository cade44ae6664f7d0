"""A proof for any number of nodes, one claim at a time, with lemmas that are dropped when they turn out not to be kept;
counterexamples to induction come from small bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import cast

from quorate.errors import SpecError
from quorate.explore.engine import Disagreement
from quorate.kinds import SAFETY
from quorate.language.declarations import original
from quorate.language.places import function_location
from quorate.language.sorts import Identity, Int
from quorate.language.spec import Spec, with_lemmas
from quorate.language.system import System
from quorate.model.build import build
from quorate.outcome import Judgement, Outcome, Proven, Unfinished
from quorate.prove.any_size.history import history_of, with_history
from quorate.prove.any_size.obligations import FOLLOWS, INIT, NO_ERROR, Prover, model_of_any_size
from quorate.prove.attempt import Attempt, closure
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.sizes import told
from quorate.prove.fixed_bounds import Bounded, Induction, Undecided
from quorate.prove.reachability import FirstStates, first_initial, never_seen, vacuous
from quorate.prove.results import Claim, Proof, Task
from quorate.prove.solvers.query import Query
from quorate.prove.solvers.smt import SELECTED, Answer, Effort, ask_all, selected, version_of

FIRST_LOOK = Effort((), 0.0, blindly=False)
"""Effort for claims that are expected to fail: what lemmas on demand do not prove, a counterexample shall decide."""
OTHER_SIZES, OTHER_SECONDS = (1, 2, 4), 0.02
"""What is proven for any size is audited with so many members of each sort, too, each time so long."""
SEEN_SECONDS = 1.0
"""So long a contradiction is looked for where a run has shown that there is none, so that the translation would be wrong."""


def _place(error: NoAnySize) -> str:
    return f" ({Path(error.location.file).name}, line {error.location.line})" if error.location else ""


class AtAnySize(Attempt):
    """Proofs for any number of nodes; counterexamples come from small bounds."""

    def __init__(self, task: Task) -> None:
        self._spec = with_lemmas(with_history(task.spec))
        super().__init__(task, model_of_any_size(self._spec))
        if history := history_of(task.spec, self._spec):
            self.runs = build(task.spec)
            self.notes.append(
                f"with history variables, which no step reads: {', '.join(history)} ({original(self._spec).__name__})"
            )
        for one in self.model.constraints:
            self.notes.append(f"a proof for any size is one without the constraint {one.name}")
        self._seconds = task.effort.seconds  # What is left for hard questions.
        self._solvers: set[str] = set()
        self._conditions = set[str]()
        self._unshown: list[str] = []
        self._open_beginnings: list[str] = []

    def proof(self) -> Proof:
        """The whole proof. Raises NoAnySize where a property that is asked for by name has no such meaning, or cannot be proven, since an
        action has none."""
        prover = Prover(self.model, self.task.invariants)
        refused = prover.refused()
        if refused is not None:
            action, error = refused
            if self.task.invariants:
                raise error
            what = "@init" if action == INIT else f"the action {action}"
            return self._unstated(dict.fromkeys(self.goals, error), f", since {what} is not")
        if prover.skipped.keys() >= set(self.goals):
            return self._unstated(prover.skipped, "")
        for name, error in prover.skipped.items():
            self.notes.append(f"{name} is neither proven nor assumed{_place(error)}: {error.found} {error.instead}")
        self.left = [name for name in self.goals if name in prover.skipped]
        self.goals = [name for name in self.goals if name not in prover.skipped]
        refuted = self._refuted(prover) if self.broken else None
        return self._proof(prover) if refuted is None else refuted

    def _unstated(self, errors: Mapping[str, NoAnySize], since: str) -> Proof:
        """What is said of each property where none is stated: an action that is not could break each of them, and raise errors."""
        self.notes.append(NoAnySize.HINT)
        judged = []
        for prop in self.model.of(*SAFETY):
            if prop.name in self.goals:
                error = errors[prop.name]
                why = f"not stated for any size{since}{_place(error)}: {error.found} {error.instead}"
                judged.append(
                    Judgement(prop.name, prop.kind, "not-judged", why, function_location(prop.method.function))
                )
        reason = f"no property is stated for any size{since}"
        return Proof(self.make(Unfinished, reason=reason, judgements=tuple(judged)))

    def _refuted(self, prover: Prover) -> Proof | None:
        """Where the argument of a broken variant breaks, with a run that violates one of the goals; None if no such run
        is found."""
        assumed = [prop.name for prop in prover.inductive]
        queries = [*prover.queries([*assumed, *(prop.name for prop in prover.steps)], assumed), *prover.errors(assumed)]
        claims = self._explained(list(self._asked(queries, FIRST_LOOK)))
        self.broken_at(claims)
        outcome = self.refuted_or_open(
            [claim for claim in claims if claim.status != "proven"], self.task.depth or self.search_depth
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
            needed = closure(self.goals, list(done.values()))
            done |= self._following(prover, needed, assumed, done)
            settled = {name for action, name in done if action == FOLLOWS}
            needed |= closure(self.goals, list(done.values()))
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
            if not lost and closure(self.goals, list(done.values())) <= needed:
                break
            assumed = [name for name in assumed if name not in lost]
            if self.task.evidence is not None:
                self.task.evidence.forget(lost)
        claims = self._explained([replace(claim, counterexample=None) for claim in done.values()])
        proof = self.finished(claims, True, lambda: self._worthless(prover, assumed))
        if not isinstance(proof.outcome, Proven):
            return proof
        self._require_beginnings()
        self.audit()  # What the proof rests on is true of the configured bounds.
        if not prover.conditions | self._conditions:
            self._audit_other_sizes()
        rests_on = tuple(self._rests_on(prover))
        outcome: Outcome = replace(proof.outcome, rests_on=rests_on)
        if self.left:
            proven = ", ".join(self.goals)
            outcome = self.make(
                Unfinished,
                reason=f"proven for any size: {proven}; not stated for any size, hence not judged: {', '.join(self.left)}",
            )
            said = (f"what is proven rests on this: {what}" for what in rests_on)
            outcome = replace(outcome, notes=(*outcome.notes, *said))
        return replace(proof, outcome=outcome)

    def _audit_other_sizes(self) -> None:
        """Hold what was proven for all sizes against runs of CPython at a few that are not configured. Raises Disagreement.

        Not if what is refined has bounds beside sizes: a set of all members at one size may pass its capacity at another, where the mapping
        raises an error."""
        system = self.runs.system
        if system.abstract is not None and system.abstract.bounds.keys() - {
            one.__name__ for one in system.abstract.sizes
        }:
            return
        spec = cast(type[Spec], system.spec)
        sorts = [sort.__name__ for sort in system.sizes if issubclass(sort, Identity) and not callable(sort._declared)]
        for size in OTHER_SIZES:
            bounds = dict.fromkeys(sorts, size)
            if bounds.items() <= system.bounds.items():
                continue
            try:
                other = System(spec.bounded(**bounds))
                with other:
                    initial = first_initial(other, OTHER_SECONDS)
                    self.audit_from(other, initial, OTHER_SECONDS)
            except Disagreement as found:
                sizes = ", ".join(f"{name}={size}" for name in sorts)
                raise Disagreement(f"{found}, with {sizes}") from None
            except SpecError:
                continue  # A capacity or constant that is configured excludes this size, or there is no initial state.

    def _require_beginnings(self) -> None:
        """Raises Failure, as exploring does, where an initial state passes a bound. For any size what passes one is a run that is taken
        away, and no initial state may be; whether one is taken away at the configured bounds is asked there."""
        system = self.runs.system
        for one in (system, system.abstract):
            if one is not None:
                try:
                    self.require_total(one)
                except Undecided:
                    self._open_beginnings.append(one.name)

    def _rests_on(self, prover: Prover) -> Iterator[str]:
        """What the proof takes for granted."""
        numbers = sorted(sort.__name__ for sort in self.model.system.sizes if issubclass(sort, Int))
        if numbers:
            yield f"numbers from 0 up to any greatest one: {', '.join(numbers)}"
        yield from told(prover.constants)
        yield from (
            f"only for sizes of which this is true: {condition}"
            for condition in sorted(prover.conditions | self._conditions)
        )
        yield from prover.axioms
        if self._open_beginnings:
            yield f"that no initial state of {' or '.join(self._open_beginnings)} passes a bound, for which there was no time"
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
                        shown = self.counterexample(found, bounded.model.system.bounds, first)
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
        spec, bounds = self._spec, self.model.system.bounds
        sorts = {
            part.sort.__name__
            for variable in self.model.variables
            for part in variable.type.walk()
            if hasattr(part, "size")
        }
        small = {name: min(2, bounds[name]) for name in sorts if name in bounds}
        return [spec.bounded(**small), spec] if any(bounds[name] > 2 for name in small) else [spec]

    def _counterexample(self, bounded: Bounded, claim: Claim) -> Induction | None:
        others = self.assumable
        try:
            fired = next(fired for fired in bounded.relation.fired if fired.action.name == claim.action)
            if claim.property == NO_ERROR:
                return bounded.raises(fired, others)
            prop = next(prop for prop in bounded.model.properties if prop.name == claim.property)
            return bounded.broken_by(fired, prop, others)
        except Undecided:
            return None

    def _record(self, query: Query, answer: Answer) -> None:
        if self.task.evidence is not None:
            self.task.evidence.query(query, answer.status, answer.solver, answer.conditions, answer.core)
        if answer.status == "unsat":
            self._conditions |= answer.conditions
        if answer.status != "unknown":
            self._solvers.add("cvc5" if answer.solver == "cvc5" else "z3")

    def _worthless(self, prover: Prover, assumed: Sequence[str]) -> str | None:
        """Why a proof of all claims would say nothing, or None. An action that happens in a run at the configured bounds happens in a
        state that satisfies what was proven for any: no solver has to find one, and that the axioms contradict each other is all that
        it is asked about."""
        start = prover.satisfiable()
        (answer,) = ask_all([start], replace(self.task.effort, workers=1))
        self._record(start, answer)
        if answer.status == "unknown":
            self.notes.append("the solvers do not know whether the axioms and the initial states go together")
        if answer.status == "unsat":
            return "the axioms and the initial states contradict each other"
        idle = never_seen(self.model.system, self.task.seconds)
        fires = [prover.fires(action, assumed) for action in self.model.actions]
        stuck = [query.name[0] for query, answer in self._looked(fires, idle) if answer.status == "unsat"]
        if stuck:
            return f"{', '.join(stuck)} can never happen in a state that satisfies the properties and the axioms"
        answers = self._looked(prover.premises, idle)
        contradictory = [
            f"{query.name[1]} after {query.name[0]}" for query, answer in answers if answer.status == "unsat"
        ]
        if contradictory:
            return f"the definitions in {', '.join(contradictory)} contradict what is assumed there"
        self._unshown = [
            f"{query.name[1]} after {query.name[0]}" for query, answer in answers if answer.status == "unknown"
        ]
        return vacuous(idle, lambda: Bounded(self.model, self.task.seconds), assumed)

    def _looked(self, queries: Sequence[Query], idle: set[str]) -> list[tuple[Query, Answer]]:
        """What a first look at queries about actions says, a shorter one at those that were seen in runs."""
        longer = max(self.task.effort.z3_seconds, default=SEEN_SECONDS)
        found = []
        for query in queries:
            seconds = longer if query.name[0] in idle else min(longer, SEEN_SECONDS)
            answer = selected(query, seconds=seconds)
            self._record(query, answer)
            found.append((query, answer))
        return found
