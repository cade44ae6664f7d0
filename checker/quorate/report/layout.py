"""Where the lanes and rows of a space-time diagram stand: time runs downwards, a row for each step, a column for each
lane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from quorate.report.measure import clip, width
from quorate.report.scene import Rect
from quorate.report.story import Flight, Story, repetition, shows_its_beginning
from quorate.report.table import ROOM_MAX, Cell, Item, action_cell, initial_cell, item_width, step_cell

MARGIN = 18.0
TITLE_Y = 24.0
HEAD_Y, HEAD_HEIGHT, HEAD_SIZE = 60.0, 26.0, 12.0
FIRST_ROW = 84.0
NUMBER_X, ACTION_X = 42.0, 52.0
LOOP_GUTTER = 44.0
PAGE_WIDTH = 1085.0
"""As wide as a picture may be for its smallest words, of 10 points, to be of 7 when it is printed across A4 (842 points less
margins of 28): narrower lanes come first, then narrower changes. Only very many lanes make it wider."""
ROOM_MIN, ROOM_LEAST, GAP_MIN = 250.0, 190.0, 78.0
REPEAT_EVERY = 20
"""A long diagram names its lanes again after so many steps."""


@dataclass(frozen=True)
class Row:
    """A band of the page. `index` is the step (0: the initial state); a `names` row repeats the lanes' names."""

    kind: Literal["step", "initial", "names", "end"]
    index: int
    top: float
    bottom: float
    cell: Cell | None = None

    @property
    def middle(self) -> float:
        """The height at which its event stands."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Layout:
    """All positions of one diagram that do not depend on where labels find room."""

    names: dict[str, str]
    lane_x: dict[str, float]
    rows: tuple[Row, ...]
    action_width: float
    gap: float
    loop_x: float
    changes_x: float
    items_x: float
    room: float

    @property
    def right(self) -> float:
        """The right edge of the table."""
        return self.items_x + self.room + 10

    @property
    def bottom(self) -> float:
        """The end of the last row."""
        return self.rows[-1].bottom if self.rows else FIRST_ROW

    @cached_property
    def field(self) -> Rect:
        """The part of the page where wires and their labels may be."""
        first = min(self.lane_x.values(), default=0.0)
        return Rect(
            min(first - 20, max(self.loop_x + 12, ACTION_X + self.action_width + 6)),
            FIRST_ROW - 8,
            self.changes_x - 6,
            self.bottom + 4,
        )

    def y(self, index: int) -> float:
        """The height of a step; 0 is the initial state, above the first row; past the last step, the end of the
        lanes."""
        if index in self._bands:
            return self._bands[index].middle
        return FIRST_ROW - 6 if index == 0 else self.bottom

    def row(self, index: int) -> Row:
        """The row of a step."""
        return self._bands[index]

    @cached_property
    def _bands(self) -> dict[int, Row]:
        """The row of each step."""
        return {row.index: row for row in self.rows if row.kind in ("step", "initial")}


def lay_out(story: Story, messages: dict[int, list[Item]], stretch: float, changes: bool = True) -> Layout:
    """Place lanes and rows. `messages` are extra lines of words per step; `stretch` makes rows higher. Without `changes` there are
    no words at the right."""
    if not changes:
        return _narrow(story, stretch)
    lanes = story.lanes
    wanted, action_width, owner_width = _columns(story, messages)
    names, widest = _names(lanes)
    gap = max({0: 170.0, 1: 170.0, 2: 180.0, 3: 170.0, 4: 155.0, 5: 140.0}.get(len(lanes), 125.0), widest + 14)
    loops = story.trace.loop is not None and story.trace.loop < len(story.trace.steps)
    left = ACTION_X + action_width + 14
    loop_x = left + 16
    left += (LOOP_GUTTER if loops else 0.0) + max(widest / 2, 34)
    over = max(widest / 2 + 20, _overhang(story))
    gaps = max(len(lanes) - 1, 0)
    free = PAGE_WIDTH - MARGIN - 22 - left - over - owner_width
    room = min(wanted, max(ROOM_MIN, free - gap * gaps))
    narrowest = max(widest + 6, GAP_MIN)
    room = min(room, max(ROOM_LEAST, free - narrowest * gaps))
    gap = min(gap, max((free - room) / max(gaps, 1), narrowest))
    changes_x = left + gap * gaps + over
    cells = {step.index: step_cell(story, step, room, messages.get(step.index, [])) for step in story.trace.steps}
    first = initial_cell(story, room) if shows_its_beginning(story.trace) else None
    return Layout(
        names,
        {lane: left + gap * number for number, lane in enumerate(lanes)},
        _rows(story, cells, first, stretch),
        action_width,
        gap,
        loop_x,
        changes_x,
        changes_x + owner_width + 12,
        room,
    )


def _names(lanes: tuple[str, ...]) -> tuple[dict[str, str], float]:
    """What the heads of the lanes say, and the room that the widest needs."""
    names = {lane: clip(lane, 150 if len(lanes) <= 5 else 90, HEAD_SIZE, True) for lane in lanes}
    return names, max([width(name, HEAD_SIZE, True) for name in names.values()], default=0.0) + 24


def _narrow(story: Story, stretch: float) -> Layout:
    """Lanes with the actions at the left, and nothing at the right."""
    names, widest = _names(story.lanes)
    cells = {step.index: action_cell(story, step) for step in story.trace.steps}
    first = replace(initial_cell(story, ROOM_MAX), lines=())
    action_width = max([run.width for cell in (first, *cells.values()) for run in cell.action])
    gap = max({2: 190.0, 3: 155.0, 4: 118.0, 5: 100.0}.get(len(story.lanes), 88.0), widest + 14)
    left = ACTION_X + action_width + 14 + max(widest / 2, 34)
    right = left + gap * max(len(story.lanes) - 1, 0) + max(widest / 2 + 20, _overhang(story))
    lanes = {lane: left + gap * number for number, lane in enumerate(story.lanes)}
    return Layout(names, lanes, _rows(story, cells, first, stretch), action_width, gap, left, right, right, 0.0)


def _columns(story: Story, messages: dict[int, list[Item]]) -> tuple[float, float, float]:
    """What the words would like: the width of the changes on one line, within limits; of the actions; of the owners."""
    cells = [step_cell(story, step, ROOM_MAX, messages.get(step.index, [])) for step in story.trace.steps]
    if shows_its_beginning(story.trace):
        cells.append(initial_cell(story, ROOM_MAX))
    lines = [sum(item_width(item) + 14 for item in line) for cell in cells for line in cell.lines]
    wanted = max([200.0, *lines]) if story.trace.steps else ROOM_MAX
    actions = max([80.0, *(run.width for cell in cells for run in cell.action)])
    owners = max([24.0, *(cell.owner.width for cell in cells)])
    return min(wanted, ROOM_MAX), actions, min(owners, 150.0)


def _overhang(story: Story) -> float:
    """The room right of the last lane for messages that a lane sends to itself and for stubs."""
    if not story.lanes:
        return 40.0
    last, alone = story.lanes[-1], len(story.lanes) == 1
    outward = any(
        (flight.source == last and (flight.target == last or (flight.fate == "under way" and alone)))
        or (flight.fate == "lost" and alone)
        for flight in story.flights
    )
    return 120.0 if outward else 62.0


def _rows(story: Story, cells: dict[int, Cell], first: Cell | None, stretch: float) -> tuple[Row, ...]:
    rows: list[Row] = []
    y = FIRST_ROW
    base = 42.0 if len(cells) <= 24 else 34.0

    def add(
        kind: Literal["step", "initial", "names", "end"], index: int, height: float, cell: Cell | None = None
    ) -> None:
        nonlocal y
        rows.append(Row(kind, index, y, y + height, cell))
        y += height

    if first:
        add("initial", 0, max(base * 0.8, first.height), first)
    for index, cell in cells.items():
        if index > 1 and (index - 1) % REPEAT_EVERY == 0:
            add("names", index, 24.0)
        add("step", index, max(base * stretch, cell.height), cell)
    if repetition(story.trace):
        add("end", len(cells) + 1, 26.0)
    return tuple(rows)


def side(story: Story, layout: Layout, flight: Flight) -> int:
    """Which way a message leaves its lane: 1 to the right, -1 to the left. Without a known addressee, towards the
    middle."""
    start, end = layout.lane_x.get(flight.source or ""), layout.lane_x.get(flight.target or "")
    if start is None:
        return 1
    if end is not None and end != start:
        return 1 if end > start else -1
    if end == start:
        return 1
    return 1 if story.lanes.index(flight.source or "") < max(len(story.lanes) - 1, 1) else -1
