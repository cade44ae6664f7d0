"""What an event of a log tells, and why it is not a step: data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from quorate.conform.logs import Event
from quorate.errors import Location
from quorate.language.system import Arguments, Method
from quorate.language.types import Type
from quorate.trace import Json

Instance = tuple[Method, Arguments]
INIT = "init"
"""The name of an event that is the beginning: it tells arguments of @init, and values of the initial state."""


@dataclass(frozen=True, eq=False)
class View:
    """A function of the state, and of keys, whose values a log tells."""

    name: str
    function: Callable[..., Any]
    keys: tuple[Type, ...]
    result: Type | type[int] | type[str]
    """A type of the specification, or a plain `int`, `bool` or `str`."""


@dataclass(frozen=True)
class Told:
    """A value that the log tells: of a variable at a place inside it, or of a view for given keys."""

    of: int | View
    keys: tuple[Any, ...]
    value: Any
    name: str
    """As people write it: `term[n1]`."""


@dataclass(frozen=True)
class Attempt:
    """A step that an event may be. Without an action, nothing happens."""

    action: Method | None
    wanted: tuple[Any, ...]


@dataclass(frozen=True)
class Wanted:
    """What the state after an event must be like, and by which steps it may be reached."""

    event: Event
    attempts: tuple[Attempt, ...]
    told: tuple[Told, ...]
    mentioned: frozenset[tuple[Any, ...]]
    """The places that the log tells, as (variable, key, ...)."""


UNTOLD = Wanted(Event("", 0, ""), (), (), frozenset())
"""What is asked of a step that is not logged."""


@dataclass(frozen=True)
class Difference:
    """A value as the specification has it, and as the log tells it."""

    name: str
    expected: Json
    observed: Json


@dataclass(frozen=True)
class Misfit:
    """Why an event is not this step. `action` is None where nothing happens. `reason` is a sentence; `differences` show the
    values side by side, those of a guard with nothing that was observed."""

    action: str | None
    arguments: Mapping[str, Json]
    reason: str
    differences: tuple[Difference, ...] = ()
    is_effect: bool = False
    """The step is possible, and its effect is another one."""
    instance: Instance | None = None
    location: Location | None = None
