"""A proof at the configured bounds: by induction, by k-induction, or a bounded check, which proves nothing beyond its
depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from time import perf_counter

from quorate.language.spec import with_lemmas
from quorate.model.build import build
from quorate.outcome import Proven, Unfinished
from quorate.prove.any_size.obligations import INIT, NO_ERROR
from quorate.prove.attempt import Attempt
from quorate.prove.fixed_bounds import Bounded, Induction, Undecided
from quorate.prove.reachability import FirstStates, never_seen, vacuous
from quorate.prove.results import Claim, Proof, Task


class AtBounds(Attempt):
    """Proofs at the configured bounds."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, build(with_lemmas(task.spec)))
        with self.model.system:
            self.bounded = Bounded(self.model, task.seconds, task.progress, evidence=task.evidence)
        self.first = FirstStates(self.model.system, task.seconds)

    def proof(self) -> Proof:
        """The whole proof."""
        try:
            self._require_abstract_start()
            return self._bmc() if self.task.method == "bmc" else self._induction()
        except Undecided as undecided:
            return Proof(self.make(Unfinished, reason=str(undecided)))

    def _require_abstract_start(self) -> None:
        """Raises Failure, as exploring does, where @init of the specification that is refined raises an error or passes a bound: be it for
        arguments that no initial state here needs."""
        system = self.model.system.abstract
        if system is not None and {prop.name for prop in self.model.beginnings} & set(self.goals):
            self.require_total(system, self.task.evidence)

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
        proof = self.finished(claims, False, self._worthless)
        if isinstance(proof.outcome, Proven):
            self.audit()
        return proof

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
        shown = self.counterexample(found, self.model.system.bounds, self.first)
        return Claim(action, prop, "failed", seconds, None, shown)

    def _worthless(self) -> str | None:
        return vacuous(never_seen(self.model.system, self.task.seconds), lambda: self.bounded, self.assumable)
