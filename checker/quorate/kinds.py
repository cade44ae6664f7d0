"""The kinds of properties, each of them once: what it is a claim about, what must be found to break it, how that is shown.

Everything that treats kinds apart reads this table or one of the selections under it, and looks a kind up with
`kind_of`, which refuses what is not listed. So a kind that some part of the checker does not know is an error there, and
never a property that is skipped and counted as true. A new kind is a decorator in `quorate.language.spec` and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Subject(Enum):
    """What a property is evaluated on."""

    STATE = "state"
    STEP = "step"
    RUN = "run"


class Demand(Enum):
    """What is claimed of the subjects. `ALL`: a single one that is false violates it. `SOME`: one that is true satisfies it,
    and only a complete search can say that there is none. `END`: it says of states without a transition whether they may be."""

    ALL = "all"
    SOME = "some"
    END = "end"


class Begins(Enum):
    """Where the obligation of a property of runs begins."""

    INITIALLY = "in the initial states"
    ANYWHERE = "in every state"


class Breaks(Enum):
    """What a fair run does after an obligation began, to violate it."""

    NEVER_FULFILLED = "it is fulfilled in no state from there on"
    AGAIN_AND_AGAIN_UNFULFILLED = "it is unfulfilled in infinitely many states"
    ONCE_UNFULFILLED = "it is unfulfilled in some state from there on"


@dataclass(frozen=True)
class Acceptance:
    """Which fair runs violate a property of runs.

    An obligation begins where `begins` says; if the property returns a pair `(p, q)`, only where p is true. It is fulfilled
    where the value, or q, is true. `of_ends`: the property says something of the end of runs, so that no finite run can fulfil it.
    """

    begins: Begins
    breaks: Breaks
    of_ends: bool = False


@dataclass(frozen=True)
class PropertyKind:
    """One kind of property. `name` is that of its decorator; `shown_as` the `Trace.kind` of a run that decides it; `meaning`
    finishes the sentence "such a property is true ...". `is_pair`: it returns `(p, q)` instead of a bool. `acceptance` is set
    for properties of runs, and for them only. A `lemma` serves proofs: a variant that is expected to break inherits none."""

    name: str
    subject: Subject
    demand: Demand
    shown_as: str
    meaning: str
    is_pair: bool = False
    acceptance: Acceptance | None = None

    @property
    def is_safety(self) -> bool:
        """Whether a finite run violates it."""
        return self.demand is Demand.ALL and self.subject is not Subject.RUN

    @property
    def is_liveness(self) -> bool:
        """Whether it is a claim about whole runs: mostly one that only an infinite run violates."""
        return self.subject is Subject.RUN


DEADLOCK = "deadlock"
"""The `Trace.kind` of a run to a state where the protocol may not stop, and the name of what it violates."""

_LISTED = (
    PropertyKind("invariant", Subject.STATE, Demand.ALL, "invariant", "in every reachable state"),
    PropertyKind("lemma", Subject.STATE, Demand.ALL, "invariant", "in every reachable state, and helps a proof"),
    PropertyKind("step", Subject.STEP, Demand.ALL, "step", "of every transition"),
    PropertyKind(
        "mapping", Subject.STEP, Demand.ALL, "refinement", "of every step: it is one of the more abstract specification"
    ),
    PropertyKind("reachable", Subject.STATE, Demand.SOME, "reachable", "in some reachable state"),
    PropertyKind(
        "eventually",
        Subject.RUN,
        Demand.ALL,
        "eventually",
        "at some time in every fair run",
        acceptance=Acceptance(Begins.INITIALLY, Breaks.NEVER_FULFILLED),
    ),
    PropertyKind(
        "leads_to",
        Subject.RUN,
        Demand.ALL,
        "leads_to",
        "if in every fair run each p is followed by a q",
        is_pair=True,
        acceptance=Acceptance(Begins.ANYWHERE, Breaks.NEVER_FULFILLED),
    ),
    PropertyKind(
        "infinitely_often",
        Subject.RUN,
        Demand.ALL,
        "infinitely_often",
        "again and again in every fair run",
        acceptance=Acceptance(Begins.ANYWHERE, Breaks.NEVER_FULFILLED, of_ends=True),
    ),
    PropertyKind(
        "eventually_always",
        Subject.RUN,
        Demand.ALL,
        "eventually_always",
        "from some time on for ever in every fair run",
        acceptance=Acceptance(Begins.INITIALLY, Breaks.AGAIN_AND_AGAIN_UNFULFILLED, of_ends=True),
    ),
    PropertyKind(
        "eventually_from",
        Subject.RUN,
        Demand.ALL,
        "eventually_from",
        "if every fair run that begins with a p has a q at some time",
        is_pair=True,
        acceptance=Acceptance(Begins.INITIALLY, Breaks.NEVER_FULFILLED),
    ),
    PropertyKind(
        "always_from",
        Subject.RUN,
        Demand.ALL,
        "always_from",
        "if every run that begins with a p has a q all the time",
        is_pair=True,
        acceptance=Acceptance(Begins.INITIALLY, Breaks.ONCE_UNFULFILLED),
    ),
    PropertyKind("terminal", Subject.STATE, Demand.END, DEADLOCK, "in the states where the protocol may stop"),
)

KINDS: Mapping[str, PropertyKind] = MappingProxyType({kind.name: kind for kind in _LISTED})
"""Every kind of property, by the name of its decorator, in the order in which they are judged."""

INDUCTION = "induction"
"""The `Trace.kind` of a counterexample to induction: a step from a state that need not be reachable, so no run."""

HYPOTHETICAL = "a hypothetical state, not known to be reachable"
"""What is said of such a state wherever it is shown."""

UNJUDGED = "unjudged"
"""The `Trace.kind` of a run that has to leave the bounds before a property of runs is decided: no violation, and no excuse."""

CONFORM = "conform"
"""The `Trace.kind` of a run of a program up to the event that its specification does not have."""

DIFFERENCE = "difference"
"""The `Trace.kind` of a run whose last step another specification does not take."""

PLAIN = ("run", DIFFERENCE)
"""The `Trace.kind`s of runs that decide no property."""

TRACES = (*dict.fromkeys(kind.shown_as for kind in KINDS.values()), "error", INDUCTION, UNJUDGED, CONFORM, *PLAIN)
"""Every `Trace.kind`: what decides a property, an exception in the specification, a step from a hypothetical state, a run that bounds
end too early, a run of a program that leaves its specification, and runs that decide nothing."""

MAPPING = "mapping"
"""The kind that holds steps to those of another specification, and initial states to its initial ones: all others are conditions."""

CONSTRAINT = "constraint"
"""The role of a condition that bounds what is explored: of states, or of steps if it takes the state before."""

ROLES = ("action", "init", CONSTRAINT)
"""What a declared method can be that is no property."""


def names_of(wanted: Callable[[PropertyKind], bool]) -> tuple[str, ...]:
    """The names of the kinds that satisfy a condition, in the order of the table."""
    return tuple(kind.name for kind in KINDS.values() if wanted(kind))


SAFETY = names_of(lambda kind: kind.is_safety)
"""Kinds that a finite run violates: what a proof can be of."""
INVARIANTS = names_of(lambda kind: kind.is_safety and kind.subject is Subject.STATE)
"""Kinds that are true in every state: what induction may assume."""
SAFETY_PROPER = names_of(lambda kind: kind.is_safety and kind.name != "lemma")
"""Kinds of safety that a protocol is there for; a lemma only helps to prove them."""
STEPS = names_of(lambda kind: kind.is_safety and kind.subject is Subject.STEP)
GOALS = names_of(lambda kind: kind.demand is Demand.SOME)
"""Kinds that some state has to satisfy."""
LIVENESS = names_of(lambda kind: kind.is_liveness)
"""Kinds that are claims about whole runs."""
ENDS = names_of(lambda kind: kind.demand is Demand.END)
CLAIMS = names_of(lambda kind: kind.demand is not Demand.END)
"""Kinds that have a verdict under their own name; that of `ENDS` is called "deadlock"."""


def kind_of(name: str) -> PropertyKind:
    """What a kind of property is. Raises LookupError for one that is not listed: that is a mistake of ours."""
    try:
        return KINDS[name]
    except KeyError:
        raise LookupError(f"{name!r} is no kind of property: {', '.join(KINDS)}") from None


def known_kinds(*names: str) -> tuple[str, ...]:
    """The names, if each is a role or a kind. Raises LookupError otherwise: nobody asks for what does not exist."""
    for name in names:
        if name not in ROLES:
            kind_of(name)
    return names
