"""What a mutant breaks: it is checked as any specification is, and its verdict compared with that of the original.

Lemmas are left out: they say why a protocol is right, and a mutant that breaks one need not be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import partial
from typing import Any

from quorate.errors import QuorateError, SpecError
from quorate.explore.checking import Naming, check, check_system
from quorate.explore.limits import Watch
from quorate.kinds import DEADLOCK, GOALS, LIVENESS
from quorate.language.spec import Spec, without
from quorate.language.system import System
from quorate.model import build
from quorate.model.nodes import Model
from quorate.model.verify import IllegalModel, verify
from quorate.mutate.content import content
from quorate.mutate.mutants import Mutant
from quorate.outcome import Failed, Holds, HoldsWithinBounds, NotJudged, Outcome, Unfinished, Violated
from quorate.trace import Json, Trace


class Verdict(Enum):
    """What a mutant does to a specification. The first seven are what the line protects from; the two that follow are to be looked at,
    and the last two were not explored."""

    VIOLATED = "violated"
    """A property of states or steps is violated."""
    ERROR = "error"
    """A step raises: it makes no sense without this."""
    DEADLOCK = "deadlock"
    """Nothing is possible any more where the protocol may not stop."""
    LIVENESS = "liveness"
    """A property of runs is violated."""
    UNREACHABLE = "unreachable"
    """A goal is not reached any more."""
    COSTS = "costs"
    """Every property holds, of more states or transitions."""
    DELIVERY = "delivery"
    """A delivery is not marked, which only pictures show."""
    NOTHING = "nothing"
    """Every property holds, of no more states and transitions: the line is redundant, or the properties miss something."""
    UNDECIDED = "undecided"
    """Not decided within the limits."""
    ILLEGAL = "illegal"
    """No legal specification."""
    SAME = "same"
    """The model is that of the original, or of a mutant before it."""


@dataclass(frozen=True)
class Finding:
    """What was found: the verdict, the property that is violated (or the goals that are lost), the steps of the shortest run that shows
    it, what was explored, and a sentence: that of the property, or the reason of what is undecided or illegal. `where` says so if it
    was found at other bounds; `later` are the properties that are violated, too, each with the steps of its shortest run; None if
    nobody has looked."""

    verdict: Verdict
    properties: tuple[str, ...] = ()
    steps: int | None = None
    states: int = 0
    transitions: int = 0
    depth: int = 0
    sentence: str = ""
    where: str = ""
    later: tuple[tuple[str, int], ...] | None = None
    trace: Trace | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Json]:
        """Plain data, to be kept."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        trace = None if self.trace is None else self.trace.to_json()
        return plain | {"verdict": self.verdict.value, "properties": list(self.properties), "trace": trace}

    @staticmethod
    def from_json(data: Any) -> Finding:
        """The inverse. Raises ValueError, LookupError or TypeError for anything else."""
        trace = None if data["trace"] is None else Trace.from_json(data["trace"])
        properties, later = tuple(data["properties"]), data["later"]
        later = None if later is None else tuple((name, steps) for name, steps in later)
        verdict = Verdict(data["verdict"])
        return Finding(**data | {"verdict": verdict, "properties": properties, "later": later, "trace": trace})


@dataclass(frozen=True)
class Trial:
    """A mutant and what was found of it. `same_as` is the mutant before it that has its model, if there is one; `variants` are those of
    the specification that do what it does."""

    mutant: Mutant
    finding: Finding
    same_as: Mutant | None = None
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A mutant that can be explored: its model, and the digest of that."""

    model: Model
    content: str


def bare(spec: type[Spec]) -> type[Spec]:
    """A specification without its lemmas."""
    return without(spec, [method.name for method in System(spec).of("lemma")])


class Original:
    """The specification that mutants are compared with, and its outcome. Raises SpecError where it has no typed model."""

    def __init__(self, spec: type[Spec], outcome: Outcome, naming: Naming) -> None:
        self.spec, self.outcome, self.naming = spec, outcome, naming
        self.kinds = {one.property: one.kind for one in outcome.judgements}
        self.decided = {one.property for one in outcome.judgements if one.status in ("holds", "holds-within-bounds")}
        self.model = build(spec)
        self.content = content(self.model)
        self._whole: Outcome | None = None

    @staticmethod
    def of(spec: type[Spec], naming: Naming, watch: Watch | None = None, engine: str = "auto") -> Original:
        """Check a specification."""
        return Original(spec, check(spec, engine=engine, watch=watch, naming=naming), naming)

    @staticmethod
    def made(mutant: Mutant) -> Made | Finding:
        """A mutant, or why it is no legal specification."""
        try:
            model = build(mutant.make())
            with model.system:
                verify(model)
        except (QuorateError, IllegalModel, SyntaxError, TypeError, NameError) as reason:
            said = reason.message if isinstance(reason, SpecError) else str(reason)
            return Finding(Verdict.ILLEGAL, sentence=said.splitlines()[0])
        return Made(model, content(model))

    def broken(self, outcome: Outcome) -> Finding | None:
        """What an outcome says that breaks, or leaves open; None if it is to be compared with that of the original."""
        if isinstance(outcome, Failed):
            message = outcome.message.splitlines()[-1]  # The place before it is one of the mutant's own file.
            shown = None if outcome.trace is None else outcome.trace.but(sentence=message)
            return _found(Verdict.ERROR, outcome, sentence=message, trace=shown)
        if isinstance(outcome, Unfinished):
            return _found(Verdict.UNDECIDED, outcome, sentence=outcome.reason)
        if isinstance(outcome, Violated) and outcome.trace is not None:
            kind = self.kinds.get(outcome.property, "")
            verdict = (
                Verdict.DEADLOCK
                if outcome.property == DEADLOCK
                else Verdict.LIVENESS
                if kind in LIVENESS
                else Verdict.VIOLATED
            )
            return _found(verdict, outcome, outcome.property, sentence=outcome.trace.sentence, trace=outcome.trace)
        return None

    def judged(self, mutant: Mutant, model: Model, outcome: Outcome, whole: Callable[[Model], Outcome]) -> Finding:
        """What the outcome of a mutant's check says of it. `whole` checks a model without symmetry: so states are counted where the mutant
        has another one than the original."""
        broken = self.broken(outcome)
        if broken is not None:
            return broken
        lost = [
            one.property
            for one in outcome.judgements
            if one.property in self.decided and one.status in ("violated", "not-reached", "not-judged")
        ]
        goals = [name for name in lost if self.kinds[name] in GOALS]
        if goals:
            return _found(Verdict.UNREACHABLE, outcome, *goals)
        if lost or not isinstance(outcome, Holds | HoldsWithinBounds | NotJudged):
            return _found(Verdict.UNDECIDED, outcome, *lost, sentence="it can be judged only beyond the bounds")
        before = self.outcome
        if outcome.symmetry != before.symmetry:
            self._whole = before = self._whole or whole(self.model)
            outcome = whole(model)
            reason = next((one.reason for one in (before, outcome) if isinstance(one, Unfinished)), None)
            if reason is not None:
                said = f"every property holds, and without symmetry, of which it has another, states were not counted: {reason}"
                return _found(Verdict.UNDECIDED, outcome, sentence=said)
        old, new = before.statistics, outcome.statistics
        if mutant.kind == "receive" and (new.states, new.transitions) == (old.states, old.transitions):
            return _found(Verdict.DELIVERY, outcome)
        more = new.states > old.states or new.transitions > old.transitions
        return _found(Verdict.COSTS if more else Verdict.NOTHING, outcome)


def _found(
    verdict: Verdict, outcome: Outcome, *properties: str, sentence: str = "", trace: Trace | None = None
) -> Finding:
    """A finding, with what was explored."""
    explored = outcome.statistics
    return Finding(
        verdict,
        properties,
        None if trace is None else len(trace),
        explored.states,
        explored.transitions,
        explored.depth,
        sentence,
        trace=trace,
    )


def trial(original: Original, mutant: Mutant, watch: Watch | None = None, engine: str = "auto") -> Trial:
    """Make a mutant, explore it, judge it."""
    made = original.made(mutant)
    if isinstance(made, Finding):
        return Trial(mutant, made)
    if made.content == original.content:
        return Trial(mutant, Finding(Verdict.SAME))
    explore = partial(explored, naming=original.naming, watch=watch or Watch(), engine=engine)
    return Trial(mutant, original.judged(mutant, made.model, explore(made.model), partial(explore, symmetry=False)))


def explored(model: Model, naming: Naming, watch: Watch, engine: str, symmetry: bool = True) -> Outcome:
    """Check a specification that has this model."""
    return check_system(model.system, engine=engine, symmetry=symmetry, watch=watch, workers=1, naming=naming)
