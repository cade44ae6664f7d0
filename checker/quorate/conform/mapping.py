"""What a map file says: how the words of a program's log, and its names, are those of a specification.

A log that already speaks the specification's language needs only `members`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from quorate.errors import UsageError
from quorate.loading import load_module
from quorate.trace import Json

OPEN: Literal["open"] = "open"
"""The members of a sort are those that the log names, however many."""
NOTHING = ""
"""An event that is no action: nothing of the specification changes, and what the event tells is compared."""

Line = dict[str, Json]
"""A line of a log, as `json.loads` gives it."""


@dataclass(frozen=True)
class Map:
    """How a log is to be read.

    `members`: for each sort of identities the names of its members in the log, in order (the servers; their number counts
    for majorities), or `OPEN` (commands, clients), unless it is ordered. `events`: for each event name that is not the name of an action,
    the action it stands for, or several that it may stand for; `NOTHING` where the specification takes no step; None where the
    line is not about the specification, and is passed over. `silent`: actions that happen without being logged, at most
    `silent_max` of them before an event. `complete`: variables (and views) of which the log tells every change, so that what
    it does not mention has not changed. `hidden`: variables that are not compared although the log tells them. `views`:
    functions of the state, and of keys, whose values the log tells under their names: the length of a list, say. `numbers`:
    sorts of numbers of whose end the specification speaks, with their largest number, or `OPEN` if there is none. `read` turns
    a line into what the page describes: one event, a list of them, or None to pass over it."""

    members: Mapping[str, Iterable[Json] | Literal["open"]]
    events: Mapping[str, str | Iterable[str] | None] = field(default_factory=dict)
    silent: Iterable[str] = ()
    silent_max: int = 1
    complete: Iterable[str] = ()
    hidden: Iterable[str] = ()
    views: Iterable[Callable[..., Any]] = ()
    numbers: Mapping[str, int | Literal["open"]] = field(default_factory=dict)
    read: Callable[[Line], Line | Iterable[Line] | None] = lambda line: line


def load_map(path: Path) -> Map:
    """The one `Map` that a Python file defines. Raises UsageError if there is none or several, SpecError if the file cannot be run."""
    found = [value for value in vars(load_module(path)).values() if isinstance(value, Map)]
    if len(found) != 1:
        raise UsageError(
            f"{path} defines {len(found) or 'no'} Map{'s' if len(found) > 1 else ''}: write one, such as "
            '`map = Map(members={"Server": ("n1", "n2", "n3")})`, with `from quorate.conform import Map`.'
        )
    return found[0]
