"""What a log is found to be: a behaviour of its specification, none, or not decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from quorate.conform.logs import Event
from quorate.conform.told import Misfit
from quorate.outcome import Exit
from quorate.trace import Json, Trace


@dataclass(frozen=True)
class Coverage:
    """What was compared. `events` fitted; of `lines` the map passed over some. `actions` and `values`: how often each action
    happened, silent ones included, and each variable or view was compared. `states_max` is the most states that fitted at one time."""

    events: int = 0
    lines: int = 0
    passed_over: int = 0
    actions: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    never: tuple[str, ...] = ()
    """Actions that never happened."""
    untold: tuple[str, ...] = ()
    """Variables of which the log tells nothing."""
    states_max: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Base of the three. `log` names what was judged, `spec` by what; `names` say what the log calls the members of sorts."""

    word: ClassVar[str]
    exit_code: ClassVar[Exit]

    log: str
    spec: str
    coverage: Coverage
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Conforms(Verdict):
    """The log is a behaviour of the specification."""

    word = "conforms"
    exit_code = Exit.SUCCESS


@dataclass(frozen=True)
class Differs(Verdict):
    """No behaviour of the specification has this log: `event` is the one that fits after none of them. `misfits` say why, the
    nearest first; `others` are other actions that would fit; `waiting` are events of other logs that could not come either.
    `trace` is the run up to there, with the step that the specification takes if there is one."""

    word = "differs"
    exit_code = Exit.VIOLATED
    event: Event = field(default_factory=lambda: Event("", 0, ""))
    misfits: tuple[Misfit, ...] = ()
    others: tuple[tuple[str, Mapping[str, Json]], ...] = ()
    waiting: tuple[Event, ...] = ()
    trace: Trace | None = None


@dataclass(frozen=True)
class NotDecided(Verdict):
    """It is not known: too many states fitted, or the log says too little to be judged."""

    word = "not-decided"
    exit_code = Exit.OPEN
    reason: str = ""
