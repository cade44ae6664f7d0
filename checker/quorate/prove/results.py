"""What a proof is asked and what it answers: tasks, claims with their counterexamples, proofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from quorate.language.spec import Spec
from quorate.outcome import Outcome
from quorate.prove.any_size.obligations import INIT
from quorate.prove.inductive.claims import Induction
from quorate.prove.reachability import FirstStates
from quorate.prove.solvers.evidence import Evidence
from quorate.prove.solvers.smt import Effort


@dataclass(frozen=True)
class Task:
    """What to prove: `invariants` (empty: all), how, and with how much effort. `depth` is that of bounded checks, and
    k. `evidence` takes down every query with its answer, if it is given."""

    spec: type[Spec]
    name: str
    variant: str | None = None
    invariants: tuple[str, ...] = ()
    method: str = "induction"
    depth: int | None = None
    any_size: bool = False
    effort: Effort = field(default_factory=Effort)
    seconds: float = 60.0
    progress: Callable[[str], None] = lambda _: None
    evidence: Evidence | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Counterexample:
    """A step from a state that satisfies what is assumed, found at `bounds`. It is no run: the state need not be
    reachable."""

    step: Induction
    bounds: dict[str, int]
    first: FirstStates = field(compare=False, repr=False)

    @cached_property
    def hint(self) -> str:
        """Whether the state before can happen, in words; searched for when it is asked for."""
        return self.first.how_reachable(self.step.before)


@dataclass(frozen=True)
class Claim:
    """One claim: that `action` keeps `property`. `needs` are the assumed properties that the proof uses (None: not
    known)."""

    action: str
    property: str
    status: str
    seconds: float
    needs: frozenset[str] | None = None
    counterexample: Counterexample | None = None
    reason: str = ""


@dataclass(frozen=True)
class Proof:
    """The outcome and how it came about. `unused` are lemmas that no proven property needs. `breaks` are the actions
    and properties of a broken variant whose claims fail although all properties, and the lemmas of the bases, are
    assumed."""

    outcome: Outcome
    claims: tuple[Claim, ...] = ()
    unused: tuple[str, ...] = ()
    breaks: tuple[tuple[str, str], ...] = ()

    @property
    def failed(self) -> tuple[Claim, ...]:
        """The claims that were not proven."""
        return tuple(claim for claim in self.claims if claim.status != "proven")

    def unproven_for(self, name: str) -> tuple[str, ...]:
        """The properties that were not proven, of those on which the proof of a property rests, directly or not."""
        lost = {claim.property for claim in self.failed}
        resting, todo = {name}, [name]
        while todo:
            wanted = todo.pop()
            for claim in self.claims:
                if claim.property == wanted and claim.action != INIT:
                    needs = {other.property for other in self.claims} if claim.needs is None else claim.needs
                    todo += needs - resting
                    resting |= needs
        return tuple(sorted(resting & lost - {name}))
