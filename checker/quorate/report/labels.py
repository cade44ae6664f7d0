"""Where the labels of messages stand: on their wires, between 15 and 85 percent of the way, and never on each other.

Wires are served from the shortest, which has the fewest places, to the longest. A label that finds no place is tried
shorter: the whole payload, the payload's name, the message's id. What was left out is for the caller to list elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot, inf

from quorate.report.layout import Layout
from quorate.report.measure import width
from quorate.report.palette import BAD, FADED, WIRE, accent
from quorate.report.scene import Point, Rect, Text
from quorate.report.story import Story, message_title
from quorate.report.values import show
from quorate.report.wires import EVENT_RADIUS, STUB, Wire

SIZE = 10.0
WHOLE, TITLE, NAME, NOTHING = range(4)
"""How much of a message its label says."""


@dataclass(frozen=True)
class Placed:
    """The labels that found room, and how much each wire's label says, in the order of the wires."""

    texts: tuple[Text, ...]
    forms: tuple[int, ...]


def names(wire: Wire) -> str:
    """`m4`, or `m4, m5` for messages that share a wire."""
    return ", ".join(flight.name for flight in wire.flights)


def payloads(wire: Wire) -> str:
    """What its messages say, once if all say the same."""
    return "; ".join(dict.fromkeys(show(flight.label) for flight in wire.flights))


def _addressees(wire: Wire) -> str:
    """Whom messages were for that nobody received: there the arrow does not show it."""
    if wire.flight.fate == "received":
        return ""
    targets = dict.fromkeys(flight.target for flight in wire.flights if flight.target is not None)
    return f" → {', '.join(targets)}" if targets else ""


def wording(wire: Wire, form: int) -> str:
    """The label in one of its forms."""
    if form == NAME:
        return names(wire)
    titles = payloads(wire) if form == WHOLE else ", ".join(dict.fromkeys(message_title(f.label) for f in wire.flights))
    return f"{names(wire)} {titles}{_addressees(wire)}"


def place(
    story: Story, layout: Layout, wires: Sequence[Wire], obstacles: Iterable[Rect], least: Sequence[int]
) -> Placed:
    """Find a place for each wire's label, saying at most what `least` allows (WHOLE everything)."""
    taken = list(obstacles)
    samples = sorted((y, x, number) for number, wire in enumerate(wires) for x, y in map(wire.at, _TWELFTHS))
    found: dict[int, tuple[Text, int]] = {}
    for number in sorted(range(len(wires)), key=lambda number: (_length(wires[number]), number)):
        wire = wires[number]
        for form in range(least[number], NOTHING):
            text = wording(wire, form)
            wide = width(text, SIZE, True) + 4
            if form == WHOLE and wide > 1.15 * layout.gap:
                continue
            centre = _best(layout, wire, number, wide, taken, samples)
            if centre is not None:
                label = _text(story, wire, text, centre)
                found[number] = label, form
                taken.append(Rect.around(centre, wide, label.box.bottom - label.box.top))
                break
    texts = tuple(found[number][0] for number in sorted(found))
    return Placed(texts, tuple(found[number][1] if number in found else NOTHING for number in range(len(wires))))


def _text(story: Story, wire: Wire, text: str, centre: Point) -> Text:
    flight = wire.flight
    dark = story.dark_flight(flight)
    counts = story.counts(flight)
    strong = accent(story.headline.tone) if counts else WIRE if dark else FADED
    colour = BAD if flight.fate == "lost" else strong
    bold = counts or (dark and flight.fate == "received")
    return Text(
        centre[0],
        centre[1],
        text,
        SIZE,
        colour,
        bold,
        anchor="middle",
        background="#FFFFFF",
        full=payloads(wire) if payloads(wire) not in text else "",
    )


def _length(wire: Wire) -> float:
    (x, y), (u, v) = wire.points[0], wire.points[-1]
    return hypot(u - x, v - y)


_TWELFTHS = tuple(step / 12 for step in range(13))
"""Where a wire is sampled, to see how many others a label would cover."""

Sample = tuple[float, float, int]
"""A point of a wire: its height, its distance from the left, and the wire's number."""


def _best(
    layout: Layout, wire: Wire, number: int, wide: float, taken: list[Rect], samples: list[Sample]
) -> Point | None:
    """The best free place for a label, None if there is none. `samples` are in order, so that those at its height are found fast."""
    high = SIZE * 1.3
    best: tuple[float, Point] | None = None
    candidates = _candidates(wire, wide)
    around = _around([centre for _, centre in candidates], wide, high)
    taken = [rect for rect in taken if rect.overlaps(around, 2.0)]
    level = samples[bisect_left(samples, (around.top,)) : bisect_right(samples, (around.bottom, inf))]
    others = [(y, x) for y, x, other in level if other != number and around.left <= x <= around.right]
    for cost, centre in candidates:
        rect = Rect.around(centre, wide, high)
        if not rect.inside(layout.field) or any(rect.overlaps(other, 1.5) for other in taken):
            continue
        cost += 4 * sum(1 for x in layout.lane_x.values() if rect.left - 3 < x < rect.right + 3)
        beside = others[bisect_left(others, (rect.top,)) : bisect_right(others, (rect.bottom, inf))]
        cost += sum(1 for _, x in beside if rect.left <= x <= rect.right)
        if best is None or cost < best[0]:
            best = cost, centre
    return best[1] if best else None


def _around(centres: list[Point], wide: float, high: float) -> Rect:
    """The smallest rectangle that holds all labels with these centres."""
    xs, ys = zip(*centres, strict=True)
    return Rect(min(xs) - wide / 2, min(ys) - high / 2, max(xs) + wide / 2, max(ys) + high / 2)


def _candidates(wire: Wire, wide: float) -> list[tuple[float, Point]]:
    """Places in question, with what speaks against each."""
    (x, y), (u, v) = wire.points[0], wire.points[-1]
    if wire.flight.fate == "under way" or wire.flight.sent is None:
        direction = 1 if u > x else -1
        far = (u, v) if wire.flight.sent is not None else (x, y)
        outwards = direction if wire.flight.sent is not None else -direction
        return [
            (abs(rise) / 4 + beside, (far[0] + outwards * (wide / 2 + 4 - beside * STUB / 2), far[1] + rise))
            for beside in (0, 1)
            for rise in (0, 6, -6, 12, -12, 18, 24)
        ]
    if abs(x - u) < 4:
        return [
            (abs(step / 20 - 0.5) * 4, (wire.at(step / 20)[0] + wide / 2 - 8, wire.at(step / 20)[1]))
            for step in range(3, 18)
        ]
    places = [(abs(step / 40 - 0.5) * 3, wire.at(step / 40)) for step in range(6, 35)]
    return places + [(cost + 3, (at[0], at[1] + rise)) for cost, at in places for rise in (8.0, -8.0)]


def event_rect(centre: Point, radius: float = EVENT_RADIUS) -> Rect:
    """The room that an event's mark keeps free of labels."""
    return Rect.around(centre, 2 * radius + 4, 2 * radius + 4)
