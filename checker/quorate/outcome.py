"""What a check or a proof found. Every engine returns these; every report reads them.

The types are honest: `Holds` only when the whole reachable space was explored and no bound cut anything;
`Unfinished` whenever an engine stopped early or a solver answered "unknown".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from quorate.trace import Trace


@dataclass(frozen=True)
class Statistics:
    """What an engine covered.

    `states` counts distinct states (orbits under symmetry); `transitions` the enabled action instances of all of them
    plus the initial states, as TLC counts; `depth` the length in steps of the longest shortest path; `cuts` the
    transitions that each named bound suppressed; `actions` the transitions by action; `memory_bytes` the peak of the process;
    `stored_bytes` what it took to keep the states, 0 if the engine does not know. `store` says how they were kept; with
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


@dataclass(frozen=True)
class Outcome:
    """Base of all results. `bounds` are those in force; `symmetry` names the sorts that were reduced over;
    `notes` are things a reader must know (an action that never fired, a reduction switched off and why)."""

    verdict: ClassVar[str]
    exit_code: ClassVar[int]

    spec: str
    variant: str | None
    bounds: dict[str, int]
    engine: str
    symmetry: tuple[str, ...] = ()
    statistics: Statistics = Statistics()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holds(Outcome):
    """The whole reachable space was explored, nothing was cut, every property is satisfied."""

    verdict = "holds"
    exit_code = 0


@dataclass(frozen=True)
class HoldsWithinBounds(Outcome):
    """Every property is satisfied in the part that the bounds leave; `statistics.cuts` says what they removed."""

    verdict = "holds-within-bounds"
    exit_code = 0


@dataclass(frozen=True)
class Proven(Outcome):
    """The properties were proven: for any size if `any_size`, else for the named bounds (and depth, if `depth` is
    set).
    """

    verdict = "proven"
    exit_code = 0
    properties: tuple[str, ...] = ()
    any_size: bool = False


@dataclass(frozen=True)
class Violated(Outcome):
    """A property is false. `trace` shows it (None for a `@reachable` that no state satisfies, and for a law of a pure
    function: there the `values` of its arguments, as Python source, show it)."""

    verdict = "violated"
    exit_code = 1
    property: str = ""
    trace: Trace | None = None
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Unfinished(Outcome):
    """The engine stopped before it knew: a limit, an interruption, an unknown of the solver."""

    verdict = "unfinished"
    exit_code = 3
    reason: str = ""


@dataclass(frozen=True)
class Failed(Outcome):
    """The spec itself is wrong: an action or a property raised an exception in a reachable state. `trace` leads
    there.
    """

    verdict = "error"
    exit_code = 2
    message: str = ""
    trace: Trace | None = None
