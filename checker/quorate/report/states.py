"""The states of a run as a table: a row for each variable, a column for each lane that has values of its own.

A trace has its first state and what each step changed, which is all that is needed: no specification is run. Networks are left
out; what is on them is in the picture.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from quorate.errors import TraceError
from quorate.report.causality import causes, place_of
from quorate.report.values import show
from quorate.trace import Change, Json, Trace, form

VALUE_MAX = 160
"""Characters of a value that a cell shows."""
WHOLE = -1
"""The column of a value that belongs to no lane."""


@dataclass(frozen=True)
class Cell:
    """What stands in one place of the table: `column` is the number of a lane, or `WHOLE`. `full` is the whole value where `text`
    is less; `stressed`, whether the verdict rests on what the step set here."""

    row: int
    column: int
    text: str
    full: str = ""
    stressed: bool = False

    def to_json(self) -> Json:
        """As an array, short: there are many of them in a page."""
        return [
            self.row,
            self.column,
            self.text,
            *([self.full, int(self.stressed)] if self.full or self.stressed else []),
        ]


@dataclass(frozen=True)
class States:
    """The table over a whole run: `frames[0]` has every cell of the initial state, `frames[k]` those that step k set."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    frames: tuple[tuple[Cell, ...], ...]

    def to_json(self) -> Json:
        """For pages that move through it."""
        return {
            "columns": list(self.columns),
            "rows": list(self.rows),
            "frames": [[cell.to_json() for cell in frame] for frame in self.frames],
        }


def states(trace: Trace, hide: Collection[str] = (), wires: Collection[str] | None = None) -> States:
    """The states of a trace, as far as it tells of them: expressions that were asked for are variables, too. `wires` are the
    networks, where the caller knows them; a trace alone does not tell a set from a network on which nothing happens."""
    on_wires = _wires(trace) if wires is None else wires
    values: dict[str, Json] = {name: value for name, value in trace.initial.items() if name not in on_wires}
    values |= {change.variable: change.new for change in trace.given if change.variable not in trace.initial}
    values = {name: value for name, value in values.items() if name not in hide}
    names = tuple(values)
    columns = tuple(lane for lane in trace.lanes if any(lane in _keys(value) for value in values.values()))
    split = frozenset(name for name, value in values.items() if _keys(value) and set(_keys(value)) <= set(columns))
    stressed = causes(trace).stressed

    def cells(row: int, name: str, keys: Collection[Json], marked: bool) -> Iterator[Cell]:
        value = values[name]
        for key, part in _pairs(value) if name in split else [(None, value)]:
            if name not in split or key in keys:
                yield _cell(row, columns.index(key) if name in split else WHOLE, part, marked)

    frames = [tuple(cell for row, name in enumerate(names) for cell in cells(row, name, columns, False))]
    for step in trace.steps:
        found: list[Cell] = []
        for row, name in enumerate(names):
            changes = [change for change in step.changes if change.variable == name]
            for change in changes:
                values[name] = applied(values[name], change.key, change.new)
            lanes = columns if name in split else ()
            touched = dict.fromkeys(
                next((lane for lane in lanes if change.key[:1] == (lane,)), None) for change in changes
            )
            for key in touched:
                about = [change for change in changes if key is None or change.key[:1] == (key,)]
                marked = any((step.index, place_of(change)) in stressed for change in about)
                found += cells(row, name, columns if key is None else (key,), marked)
        frames.append(tuple(found))
    return States(columns, names, tuple(frames))


def _cell(row: int, column: int, value: Json, stressed: bool) -> Cell:
    text = show(value, VALUE_MAX)
    whole = show(value)
    return Cell(row, column, text, "" if text == whole else whole, stressed)


def applied(value: Json, key: Sequence[Json], new: Json) -> Json:
    """A value with another one at a place inside its maps. Raises TraceError if there is none."""
    if not key:
        return new
    if form(value) != "map":
        raise TraceError(
            f"The trace is damaged: a step changes what is at {show(key[0])} in {show(value)}, which is no map."
        )
    return {"map": [[at, applied(part, key[1:], new) if at == key[0] else part] for at, part in value["map"]]}


def _pairs(value: Json) -> list[tuple[Json, Json]]:
    return [(key, part) for key, part in value["map"]] if isinstance(value, dict) and "map" in value else []


def _keys(value: Json) -> list[Json]:
    return [key for key, _ in _pairs(value) if isinstance(key, str)]


def _wires(trace: Trace) -> frozenset[str]:
    """The variables that are networks: bags and queues are nothing else; a set is one if it holds what the steps send, and no step
    says that it changed."""
    changed = {change.variable for change in _changes(trace)}
    return frozenset(
        name
        for name, value in trace.initial.items()
        if isinstance(value, dict)
        and ("bag" in value or "channels" in value or ("set" in value and name not in changed and _posts(trace)))
    )


def _posts(trace: Trace) -> bool:
    return any(step.sent or step.received or step.lost for step in trace.steps)


def _changes(trace: Trace) -> Iterator[Change]:
    for step in trace.steps:
        yield from step.changes
