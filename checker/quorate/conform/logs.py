"""The events of a program, as its logs tell them.

A line is a JSON object:

    {"event": "handle_append", "node": "n2", "args": {"m": {"term": 1, ...}}, "vars": {"term": {"n2": 1}},
     "clock": 17, "sent": ["a4"], "received": ["a3"]}

`event` is all that there must be. `node` is who did it: the argument of the first parameter of its sort, unless `args`
gives that one. `args` are the arguments that the log tells, `vars` the values after the event that it tells: of a map, only
the keys that it names.

One file is in order. Of several files, events come in the order of their `clock` if all have a number there, a Lamport clock or a
time (in either order if it is the same); otherwise each is in order for itself, and an event comes after those that sent what it
`received`, or that its vector `clock` ({"n1": 4, "n2": 17}: the number of events of each node that it knows of) counts.
"""

from __future__ import annotations

import gzip
import io
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from quorate.conform.mapping import Line, Map
from quorate.consistency.formats.jsonl import decode_as_written
from quorate.errors import UsageError
from quorate.explore.limits import Watch
from quorate.trace import Json

FIELDS = {"event", "node", "args", "vars", "clock", "sent", "received"}
POLL_S = 0.05
"""How often a followed log is looked at."""


@dataclass(frozen=True)
class Event:
    """One event of a log: `file` and `line` say where it stands."""

    file: str
    line: int
    name: str
    node: Json = None
    arguments: dict[str, Json] | None = None
    told: dict[str, Json] | None = None
    clock: Json = None
    sent: Sequence[Json] = ()
    received: Sequence[Json] = ()

    @property
    def place(self) -> str:
        """`log.jsonl:12`."""
        return f"{self.file}:{self.line}"


class LogError(UsageError):
    """A line of a log that is no event; the message begins with its place."""


@dataclass
class Count:
    """How many lines were read, and how many of them a map passed over."""

    lines: int = 0
    passed_over: int = 0


@dataclass(frozen=True)
class Following:
    """A log that is still being written: reading it ends after `idle_s` seconds without a new line, or never."""

    idle_s: float | None = None


def events(file: str, mapping: Map, count: Count, following: Following | None, watch: Watch) -> Iterator[Event]:
    """The events of a log, which is read as it is needed. `-` is the standard input; a name that ends in .gz is unpacked. Raises
    LogError for a line that is none, UsageError if the file cannot be read."""
    try:
        with _opened(file) as stream:
            lines = stream if following is None or file == "-" else _followed(stream, following, watch)
            for number, text in enumerate(lines, 1):
                if text.strip():
                    count.lines += 1
                    yield from _events(file, number, text, mapping, count)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{file} is compressed by gzip, and damaged: {error}.") from None
    except OSError as error:
        raise UsageError(f"Cannot read the log {file}: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not a text in UTF-8: {error.reason}.") from None


def _opened(file: str) -> io.TextIOBase:
    if file == "-":
        return cast(io.TextIOBase, open(sys.stdin.fileno(), encoding="utf-8", closefd=False))
    if file.endswith(".gz"):
        return cast(io.TextIOBase, gzip.open(file, "rt", encoding="utf-8"))
    return Path(file).open(encoding="utf-8")


def _followed(stream: io.TextIOBase, following: Following, watch: Watch) -> Iterator[str]:
    """The lines of a file that grows, each when it is whole."""
    begun, quiet_since = "", time.monotonic()
    while not watch.is_interrupted:
        text = stream.readline()
        if text:
            begun, quiet_since = begun + text, time.monotonic()
            if begun.endswith("\n"):
                yield begun
                begun = ""
            continue
        if following.idle_s is not None and time.monotonic() - quiet_since >= following.idle_s:
            if begun:
                yield begun
            return
        time.sleep(POLL_S)


def _events(file: str, number: int, text: str, mapping: Map, count: Count) -> Iterator[Event]:
    try:
        line = decode_as_written(text)
    except (ValueError, RecursionError) as error:
        raise LogError(f"{file}:{number}: this is not JSON, or nothing that an event can tell: {error}.") from None
    if not isinstance(line, dict):
        raise LogError(f'{file}:{number}: a line is a JSON object such as {{"event": ...}}, not {text.strip()[:60]}.')
    told = _translated(file, number, line, mapping.read)
    kept = [each for each in told if mapping.events.get(_name(each), "") is not None]
    count.passed_over += not kept
    for each in kept:
        yield _event(file, number, each)


def _translated(file: str, number: int, line: Line, read: Callable[[Line], Any]) -> list[Line]:
    """What the map makes of a line: one event, several or none."""
    try:
        found = read(line)
        told = [found] if isinstance(found, dict) else list(found or ())
    except Exception as error:
        raise LogError(f"{file}:{number}: the map's `read` raises {type(error).__name__}: {error}.") from None
    if not all(isinstance(each, dict) for each in told):
        raise LogError(f"{file}:{number}: the map's `read` returns an event, a list of them, or None, not {found!r}.")
    return told


def _name(line: Line) -> str:
    return str(line.get("event"))


def _event(file: str, number: int, line: Line) -> Event:
    def refuse(what: str) -> LogError:
        return LogError(f"{file}:{number}: {what}")

    if not isinstance(line.get("event"), str):
        raise refuse('an event has its name in the field "event"; `read` in the map can put it there.')
    strange = line.keys() - FIELDS
    if strange:
        raise refuse(
            f"an event has no field {min(strange)!r}: it has {', '.join(sorted(FIELDS))}. `read` in the map leaves out or renames."
        )
    for name, kind in (("args", dict), ("vars", dict), ("sent", list), ("received", list)):
        if not isinstance(line.get(name, kind()), kind):
            raise refuse(f"{name!r} is {'an object' if kind is dict else 'a list'}, not {line[name]!r}.")
    clock = line.get("clock")
    if not (clock is None or _is_number(clock) or (isinstance(clock, dict) and all(map(_is_count, clock.values())))):
        raise refuse(f"'clock' is a number, or an object with a number of events for each node, not {clock!r}.")
    return Event(
        file,
        number,
        line["event"],
        line.get("node"),
        line.get("args", {}),
        line.get("vars", {}),
        line.get("clock"),
        line.get("sent", ()),
        line.get("received", ()),
    )


def ordered(streams: Sequence[Iterator[Event]]) -> tuple[list[Iterator[Event]], bool]:
    """The same events, without logs that have none, and whether numbers as clocks say what comes before what: that is so if there are
    several logs, and all have a number as their clock, which is seen by their first events."""
    firsts = [next(stream, None) for stream in streams]
    begun = [_chained(first, stream) for first, stream in zip(firsts, streams, strict=True) if first is not None]
    if len(begun) > 1 and all(_is_number(first.clock) for first in firsts if first is not None):
        return [_clocked(stream) for stream in begun], True
    return begun, False


def _chained(first: Event, rest: Iterator[Event]) -> Iterator[Event]:
    yield first
    yield from rest


def _clocked(stream: Iterator[Event]) -> Iterator[Event]:
    before: Any = None
    for event in stream:
        if not _is_number(event.clock):
            raise LogError(f'{event.place}: the first events have a number as "clock", and this one has not.')
        if before is not None and event.clock < before:
            raise LogError(f"{event.place}: the clock {event.clock} goes back: the event before it has {before}.")
        before = event.clock
        yield event


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(clock: Json) -> bool:
    return isinstance(clock, int | float) and not isinstance(clock, bool)
