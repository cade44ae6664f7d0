"""What a check or a proof found. Every engine returns these; every report reads them.

The types are honest: `Holds` only when the whole reachable space was explored and no bound cut anything; `NotJudged` when
it was explored and that is not enough to say; `Unfinished` whenever an engine stopped early or a solver answered "unknown".
Only a success has the exit code 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Literal

from quorate.errors import Location, QuorateError, SpecError
from quorate.showing import shown
from quorate.trace import Trace


class Exit(IntEnum):
    """Exit codes of the command line. 0 comes from an explicit success only."""

    SUCCESS = 0
    VIOLATED = 1
    WRONG = 2
    """The usage or the specification is wrong."""
    OPEN = 3
    """Unfinished, unknown or not judged."""
    INTERNAL = 4
    """A mistake of Quorate itself."""


@dataclass(frozen=True)
class Statistics:
    """What an engine covered.

    `states` counts distinct states (orbits under symmetry); `transitions` the enabled action instances of all of them
    plus the initial states, as TLC counts; `depth` the length in steps of the longest shortest path; `cuts` the
    transitions that each named bound suppressed; `actions` the transitions by action; `levels` the states first met at each
    depth, from 0, of which the last is incomplete if the search ended early; `memory_bytes` the peak of the process;
    `stored_bytes` what it took to keep the states, 0 if the engine does not know. `store` says how they were kept, or "disk"; with
    "fingerprint", `collision` is the probability that a state was missed because another one has the same fingerprint.
    """

    states: int = 0
    transitions: int = 0
    depth: int = 0
    cuts: dict[str, int] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    memory_bytes: int = 0
    stored_bytes: int = 0
    store: str = "exact"
    collision: float = 0.0
    levels: tuple[int, ...] = ()


Status = Literal["holds", "holds-within-bounds", "violated", "not-reached", "not-judged"]
OPEN = ("not-reached", "not-judged")
"""What says nothing of whether a property holds."""


@dataclass(frozen=True)
class Judgement:
    """What became of one property. `kind` is a key of `quorate.kinds.KINDS`, or "deadlock".

    `not-reached` is said of a goal that no explored state satisfies while bounds cut transitions; `not-judged` of what a
    search that ended early, or the bounds, left open: `reason` says why. `trace` shows a violation; it is None for an
    unreachable goal.
    """

    property: str
    kind: str
    status: Status
    reason: str = ""
    location: Location | None = None
    trace: Trace | None = None


@dataclass(frozen=True)
class Declared:
    """An action or a property of what was checked. Steps and verdicts call it `name`; `id` tells it from others of that name
    (`raft.Raft.one_leader`). `kind` is "action", a key of `quorate.kinds.KINDS`, or that of a law."""

    id: str
    name: str
    kind: str
    sentence: str
    location: Location | None = None


Finding = Literal["", "never runs", "never asked", "always true", "always false"]


@dataclass(frozen=True)
class Counted:
    """A statement or a condition of the specification, and how often the search came by it: `false` and `true` are of a condition, and
    `runs` is both together. `finding` is what a reader should look at, if anything; with `of_representatives` it is known of the states
    that stand for their orbits only. `acts` says whether an action comes there; otherwise it is a matter of properties alone."""

    location: Location
    kind: Literal["statement", "condition"]
    runs: int
    false: int = 0
    true: int = 0
    acts: bool = True
    finding: Finding = ""
    of_representatives: bool = False


@dataclass(frozen=True)
class Block:
    """A function or method of the source that has counted points: its lines, from line `first` of the file."""

    file: str
    name: str
    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """What ran in the states that were expanded: points in order of their place, and the source around them."""

    points: tuple[Counted, ...]
    blocks: tuple[Block, ...]

    @property
    def findings(self) -> tuple[Counted, ...]:
        """The points that a reader should look at."""
        return tuple(point for point in self.points if point.finding)


@dataclass(frozen=True)
class ActionShare:
    """An action: its transitions, and the states that are met by it first. Of the shortest ways to a state, that counts whose last action
    is declared first."""

    name: str
    transitions: int
    new_states: int


@dataclass(frozen=True)
class VariableShare:
    """A variable: how many values it has in the states that were found; how many states there are if it is disregarded; and the bounds
    that its type depends on."""

    name: str
    type: str
    values: int
    states_without: int
    bounds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """What makes the `states`. `initial` of them are met by no action. With `of_representatives`, variables are those of the states that
    stand for their orbits, of which an engine may choose others."""

    states: int
    initial: int
    actions: tuple[ActionShare, ...]
    variables: tuple[VariableShare, ...]
    of_representatives: bool = False


@dataclass(frozen=True)
class Outcome:
    """Base of all results. `bounds` are those in force; `symmetry` names the sorts that were reduced over;
    `notes` are things a reader must know (an action that never fired, a reduction switched off and why). `subject` is the
    class that was checked, and `location` where it is defined; `judgements` have every property's own verdict, in the order in
    which they are judged (empty for proofs); `methods` are the actions and properties that it is about; `coverage` what ran, and
    `profile` what makes the states, if that was asked for."""

    verdict: ClassVar[str]
    exit_code: ClassVar[Exit]

    spec: str
    variant: str | None
    bounds: dict[str, int]
    engine: str
    symmetry: tuple[str, ...] = ()
    statistics: Statistics = Statistics()
    notes: tuple[str, ...] = ()
    subject: str = ""
    location: Location | None = None
    judgements: tuple[Judgement, ...] = ()
    methods: tuple[Declared, ...] = ()
    coverage: Coverage | None = None
    profile: Profile | None = None

    def _repr_html_(self) -> str | None:
        """The result in words, with its pictures, in a notebook."""
        return shown("html", self)

    @property
    def violated(self) -> tuple[str, ...]:
        """The properties that are known to be violated, the one that is shown first."""
        first = (self.property,) if isinstance(self, Violated) else ()
        return tuple(dict.fromkeys((*first, *(one.property for one in self.judgements if one.status == "violated"))))

    @property
    def place(self) -> Location | None:
        """Where a reader has to look: the property that is violated, what raises, or else the class."""
        if isinstance(self, Failed) and self.error_location is not None:
            return self.error_location
        if isinstance(self, Violated | Reached):
            found = [one.location for one in self.judgements if one.property == self.property]
            if found and found[0] is not None:
                return found[0]
        return self.location


@dataclass(frozen=True)
class Holds(Outcome):
    """The whole reachable space was explored, nothing was cut, every property is satisfied."""

    verdict = "holds"
    exit_code = Exit.SUCCESS


@dataclass(frozen=True)
class HoldsWithinBounds(Outcome):
    """Every property is satisfied in the part that the bounds leave; `statistics.cuts` says what they removed."""

    verdict = "holds-within-bounds"
    exit_code = Exit.SUCCESS


@dataclass(frozen=True)
class Proven(Outcome):
    """The properties were proven: for any size if `any_size`, else for the named bounds (and depth, if `depth` is
    set). `rests_on` says what the proof takes for granted: numbers, conditions on quorums, axioms, solvers.
    """

    verdict = "proven"
    exit_code = Exit.SUCCESS
    properties: tuple[str, ...] = ()
    any_size: bool = False
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violated(Outcome):
    """A property is false. `trace` shows it (None for a `@reachable` that no state satisfies, and for a law of a pure
    function: there the `values` of its arguments, as Python source, show it)."""

    verdict = "violated"
    exit_code = Exit.VIOLATED
    property: str = ""
    trace: Trace | None = None
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reached(Outcome):
    """A run to a state that satisfies a goal was asked for: `trace` is the shortest."""

    verdict = "reached"
    exit_code = Exit.SUCCESS
    property: str = ""
    trace: Trace | None = None


@dataclass(frozen=True)
class NotJudged(Outcome):
    """What the bounds leave was explored, nothing is violated, and of some properties that is not enough to say that they
    hold: `judgements` tell which and why. Also a specification without properties; `reason` sums it up."""

    verdict = "not-judged"
    exit_code = Exit.OPEN
    reason: str = ""


ENDED = "the process that checked it was ended: it may have been killed for its memory"
"""Why what was to be checked by a process of its own is unfinished if that is lost."""


@dataclass(frozen=True)
class Unfinished(Outcome):
    """The engine stopped before it knew: a limit, an interruption, an unknown of the solver."""

    verdict = "unfinished"
    exit_code = Exit.OPEN
    reason: str = ""


@dataclass(frozen=True)
class Failed(Outcome):
    """The spec itself is wrong: it cannot be used, or an action or a property raised an exception in a reachable state.
    `trace` leads there, `error_location` is the line."""

    verdict = "error"
    exit_code = Exit.WRONG
    message: str = ""
    trace: Trace | None = None
    error_location: Location | None = None

    @staticmethod
    def rejected(spec: str, variant: str | None, error: QuorateError) -> Failed:
        """The outcome of a specification that cannot be used at all."""
        place = error.location if isinstance(error, SpecError) else None
        return Failed(spec, variant, {}, "", message=str(error), error_location=place)
