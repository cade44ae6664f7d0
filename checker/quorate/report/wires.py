"""The ways of messages across a space-time diagram, as Bezier curves.

A message is a straight line from the step that sent it to the step that received it. It bends where the line would run
through an event of another lane, or along another message: an arrow must never seem to touch a step that it has nothing
to do with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise, product
from math import hypot

from quorate.report.layout import Layout, side
from quorate.report.scene import Point, Rect, polyline
from quorate.report.story import Flight, Story

EVENT_RADIUS = 6.0
STUB = 34.0
ENTRY = 40.0
"""How far from its end a message begins that no lane has sent."""
CROSS_ROOM = 14.0
"""What a lost message's cross keeps clear of the words beside the lanes."""
BENDS = (0.0, 14.0, -14.0, 26.0, -26.0, 38.0, -38.0, 52.0, -52.0)
"""How far beside the straight line a message may run, in order of preference."""


@dataclass(frozen=True)
class Wire:
    """One line of the picture, for one message, or for several that leave together and never arrive."""

    flights: tuple[Flight, ...]
    points: tuple[Point, ...]

    @property
    def flight(self) -> Flight:
        """The first of its messages; all have one origin and fate."""
        return self.flights[0]

    def at(self, t: float) -> Point:
        """The point at a fraction of its (first) curve."""
        (a, b), (c, d), (e, f), (g, h) = self.points[:4]
        u = 1 - t
        p, q, r, s = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
        return p * a + q * c + r * e + s * g, p * b + q * d + r * f + s * h


def route(story: Story, layout: Layout) -> list[Wire]:
    """The wires of all messages, in the order of the story."""
    events = {
        (step.index, lane): (layout.lane_x[lane], layout.y(step.index))
        for step in story.trace.steps
        if (lane := story.lane_of(step)) is not None
    }
    taken: list[tuple[Point, ...]] = []
    crosses: list[Point] = []
    wires: list[Wire] = []
    for flights in _together(story, layout):
        flight = flights[0]
        if flight.fate == "under way":
            points = _stub(layout, flight, side(story, layout, flight))
        elif flight.fate == "lost":
            end = _loss(story, layout, flight, crosses)
            crosses.append(end)
            points = _straight(_origin(layout, flight, end), end)
        else:
            points = _arrow(layout, flight, events.values(), taken)
        wires.append(Wire(flights, points))
    return wires


def _together(story: Story, layout: Layout) -> list[tuple[Flight, ...]]:
    """Messages that share a wire: those that leave one step for one side and never arrive."""
    groups: dict[tuple[object, ...], list[Flight]] = {}
    for number, flight in enumerate(story.flights):
        kind = story.counts(flight), story.looked_at(flight) if flight.fate == "under way" else False
        key = (flight.sent, side(story, layout, flight), *kind) if flight.fate == "under way" else (number, "alone")
        groups.setdefault(key, []).append(flight)
    return [tuple(group) for group in groups.values()]


def _origin(layout: Layout, flight: Flight, end: Point) -> Point:
    """Where a message comes from; one that was under way from the start enters from the side of its sender."""
    if flight.sent is not None and flight.source is not None:
        return layout.lane_x[flight.source], layout.y(flight.sent)
    sender = (
        flight.message.payload.get("fields", {}).get("source") if isinstance(flight.message.payload, dict) else None
    )
    from_left = isinstance(sender, str) and layout.lane_x.get(sender, end[0]) < end[0]
    return end[0] + (-ENTRY if from_left else ENTRY), end[1] - 20.0


def _stub(layout: Layout, flight: Flight, direction: int) -> tuple[Point, ...]:
    x, y = layout.lane_x[flight.source or ""], layout.y(flight.sent or 0)
    return _straight((x, y), (x + direction * STUB, y + 12.0))


def _straight(start: Point, end: Point) -> tuple[Point, ...]:
    return polyline(_towards(start, end, EVENT_RADIUS), end)


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    return start[0] + (end[0] - start[0]) * distance / length, start[1] + (end[1] - start[1]) * distance / length


def _loss(story: Story, layout: Layout, flight: Flight, crosses: list[Point]) -> Point:
    """Where a message is lost: at the wall of a partition that it meets, else on its way, at the height of the loss."""
    assert flight.ended is not None
    y = layout.y(flight.ended)
    if flight.sent == flight.ended:
        row = layout.row(flight.ended)
        y += 0.3 * (row.bottom - row.top)
    direction = side(story, layout, flight)
    start = layout.lane_x.get(flight.source or "", min(layout.lane_x.values(), default=0.0))
    end = layout.lane_x.get(flight.target or "", start)
    far = 0.6 * (end - start) if abs(end - start) > 1 else direction * 0.5 * layout.gap
    room = CROSS_ROOM + (0.0 if flight.sent is not None and flight.source is not None else ENTRY)
    x = min(start + far, layout.field.right - room)
    for bar_x, first, last in partition_bars(story, layout):
        if min(start, end) < bar_x < max(start, end) and first <= flight.ended <= last:
            x = bar_x
            break
    while any(abs(x - other[0]) < 16 and abs(y - other[1]) < 12 for other in crosses):
        x -= direction * 17.0
    return x, y


def partition_bars(story: Story, layout: Layout) -> list[tuple[float, int, int]]:
    """The walls between lanes that a partition separates: (x, first step, last step)."""
    bars: list[tuple[float, int, int]] = []
    lanes = story.lanes
    for step in story.trace.steps:
        if step.mark == "partition" and step.isolated:
            last = next(
                (other.index for other in story.trace.steps[step.index :] if other.mark in ("heal", "partition")),
                len(story.trace.steps) + 1,
            )
            bars += [
                ((layout.lane_x[a] + layout.lane_x[b]) / 2, step.index, last)
                for a, b in pairwise(lanes)
                if (a in step.isolated) != (b in step.isolated)
            ]
    return bars


def _arrow(
    layout: Layout,
    flight: Flight,
    events: Iterable[Point],
    taken: list[tuple[Point, ...]],
) -> tuple[Point, ...]:
    assert flight.ended is not None and flight.target is not None
    end = (layout.lane_x[flight.target], layout.y(flight.ended))
    start = _origin(layout, flight, end)
    if abs(start[0] - end[0]) < 1:
        return _bow(start, end)
    top, bottom = min(start[1], end[1]), max(start[1], end[1])
    reach = max(BENDS) + EVENT_RADIUS
    others = [event for event in events if event not in (start, end) and top - reach < event[1] < bottom + reach]
    beside = [
        point
        for points in taken[-NEIGHBOURS:]
        if points[0][1] < bottom + reach and points[-1][1] > top - reach
        for point in points
    ]

    crowd = _Crowd(beside)

    def cost(bend: float) -> float:
        points = _samples(_bent(start, end, bend))
        near = sum(1 for x, y in others for u, v in points if hypot(u - x, v - y) < EVENT_RADIUS + 4)
        along = sum(1 for point in points if crowd.is_near(point))
        return 10.0 * near + abs(bend) / 10 + 2.0 * max(along - CROSSING, 0)

    bend = 0.0 if cost(0.0) == 0 else min(BENDS, key=cost)
    found = _bent(start, end, bend)
    taken.append(_samples(found)[2:-2])
    return found


NEIGHBOURS, BUNDLE, CROSSING = 40, 7.0, 2
"""A wire keeps clear of so many of the wires before it: of its 19 samples, more than two nearer than `BUNDLE` to another wire mean
that it runs along with it instead of crossing it."""


class _Crowd:
    """Points in squares of the size of `BUNDLE`, so that only those in the squares around are looked at."""

    def __init__(self, points: Iterable[Point]) -> None:
        self._squares: dict[tuple[int, int], list[Point]] = {}
        for x, y in points:
            self._squares.setdefault((int(x // BUNDLE), int(y // BUNDLE)), []).append((x, y))

    def is_near(self, point: Point) -> bool:
        """Whether one of them is nearer than `BUNDLE` in both directions."""
        u, v = point
        column, line = int(u // BUNDLE), int(v // BUNDLE)
        return any(
            abs(u - x) < BUNDLE and abs(v - y) < BUNDLE
            for square in product((column - 1, column, column + 1), (line - 1, line, line + 1))
            for x, y in self._squares.get(square, ())
        )


def _samples(points: tuple[Point, ...]) -> tuple[Point, ...]:
    wire = Wire((), points)
    return tuple(wire.at(step / 20) for step in range(1, 20))


def _bent(start: Point, end: Point, bend: float) -> tuple[Point, ...]:
    """A curve whose middle stands `bend` beside the straight line."""
    length = hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    across = (-(end[1] - start[1]) / length * bend * 4 / 3, (end[0] - start[0]) / length * bend * 4 / 3)
    (x, y), (u, v) = start, end
    first = (x + (u - x) / 3 + across[0], y + (v - y) / 3 + across[1])
    second = (u - (u - x) / 3 + across[0], v - (v - y) / 3 + across[1])
    return _towards(start, first, EVENT_RADIUS), first, second, _towards(end, second, EVENT_RADIUS + 1)


def _bow(start: Point, end: Point) -> tuple[Point, ...]:
    """From a lane to itself, round its right side; a message received in the step that sent it makes a small loop."""
    (x, y), (_, v) = start, end
    reach = 46.0
    if abs(v - y) < 1:
        return (x + 5, y - 4), (x + reach, y - 22), (x + reach, y + 22), (x + 6, y + 4)
    return (x + 5, y + 3), (x + reach, y + (v - y) * 0.2), (x + reach, v - (v - y) * 0.2), (x + 6, v - 3)


def box_of(wire: Wire) -> Rect:
    """The smallest rectangle about a wire's control points."""
    xs, ys = zip(*wire.points, strict=True)
    return Rect(min(xs), min(ys), max(xs), max(ys))
