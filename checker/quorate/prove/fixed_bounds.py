"""Proofs and refutations at fixed bounds, asked one at a time: see `bounded.bmc` for bounded checks, `inductive.claims` for
the claims of inductive proofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from time import monotonic

from quorate.explore.engine import Finding
from quorate.kinds import INVARIANTS, STEPS
from quorate.model.nodes import Model, Property
from quorate.prove.bounded.bmc import Search
from quorate.prove.inductive.claims import Asked, Induction, Inductive
from quorate.prove.solvers.evidence import Evidence
from quorate.prove.solvers.sat import Question, Reply, Undecided, answered
from quorate.prove.transition.relation import Fired, Relation

Progress = Callable[[str], None]


class Bounded:
    """What can be asked of one model. Make and use it inside `with model.system`; raises Undecided where a question
    takes longer than `seconds`."""

    def __init__(
        self,
        model: Model,
        seconds: float = 60.0,
        progress: Progress = lambda _: None,
        workers: int = 1,
        evidence: Evidence | None = None,
    ) -> None:
        self.model, self.seconds, self.progress, self.workers = model, seconds, progress, workers
        self.evidence = evidence
        self.inductive = model.of(*INVARIANTS)
        self.steps = model.of(*STEPS)

    @property
    def relation(self) -> Relation:
        """One step of the model. What is asked of it may take `seconds` from now."""
        return self.claims.relation

    @property
    def claims(self) -> Inductive:
        """The questions of inductive proofs. To write one may take `seconds` from now."""
        self._claims.relation.machine.deadline = monotonic() + self.seconds
        return self._claims

    @cached_property
    def _claims(self) -> Inductive:
        return Inductive(Relation(self.model, deadline=monotonic() + self.seconds))

    def search(self, depth: int, names: Sequence[str]) -> Finding | None:
        """A shortest violation of the named properties (or an error in the spec) by a run of at most `depth` steps."""
        search = Search(self.model, self.seconds, self.progress, self.workers, evidence=self.evidence)
        return search.shortest(depth, names)

    def has_initial_state(self) -> bool:
        """Whether there is an initial state at all."""
        return self._reply(self.claims.starts()).status == "sat"

    def start_fails(self) -> bool:
        """Whether @init can raise an error or pass a bound."""
        return self._reply(self.claims.start_fails()).status == "sat"

    def initially(self, prop: Property) -> bool:
        """Whether a property is true in all initial states."""
        return self._reply(self.claims.initially(prop)).status == "unsat"

    def can_fire(self, fired: Fired, assumed: Sequence[str]) -> bool:
        """Whether an action can happen in a state that satisfies the assumed properties."""
        return self._reply(self.claims.fires(fired, assumed)).status == "sat"

    def broken_by(self, fired: Fired, prop: Property, assumed: Sequence[str], depth: int = 1) -> Induction | None:
        """A counterexample to the claim that an action keeps a property after `depth` states that satisfy the assumed
        ones."""
        return self._counterexample(self.claims.keeps(fired, prop, assumed, depth))

    def raises(self, fired: Fired, assumed: Sequence[str]) -> Induction | None:
        """A state that satisfies the assumed properties and where an action raises an error, or None."""
        return self._counterexample(self.claims.raises(fired, assumed))

    def _reply(self, question: Question) -> Reply:
        reply = self._answered(question)
        if reply.status == "unknown":
            raise Undecided(f"{', '.join(question.name)}: {reply.reason}")
        return reply

    def _answered(self, question: Question) -> Reply:
        reply = answered(question, self.seconds)
        if self.evidence is not None:
            self.evidence.clauses(question, reply.status)
        return reply

    def _counterexample(self, asked: Asked | None) -> Induction | None:
        if asked is None:
            return None
        reply = self._reply(asked.question)
        return asked.read(reply.true) if reply.status == "sat" else None


__all__ = ["Bounded", "Induction", "Undecided"]
