"""Space-time diagrams: a trace as lanes of processes with time running downwards (Lamport 1978).

`spacetime` is a pure function from a trace to Graphviz source; `render` draws it. What it shows, and where each part is
made:

- words beside the lanes: `table`; lanes and rows: `layout`; messages: `wires`, with labels placed by `labels`;
- which steps are dark (the causal past of the violation) and which values red (what it rests on): `causality`;
- marks, lifelines, partitions, loops, the panel with the verdict and the legend: here and in `panel`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from quorate.errors import UsageError
from quorate.report import labels
from quorate.report.labels import Placed
from quorate.report.layout import (
    ACTION_X,
    HEAD_HEIGHT,
    HEAD_SIZE,
    HEAD_Y,
    MARGIN,
    NUMBER_X,
    TITLE_Y,
    Layout,
    Row,
    lay_out,
)
from quorate.report.measure import clip, fold, width
from quorate.report.palette import BAD, FADED, FADED_LINE, FADED_MARK, INK, LIFELINE, ROLES, SOFT, WIRE, ZEBRA, accent
from quorate.report.panel import TOUCHED_RADIUS, Sample, add_legend, add_panel, stub_end
from quorate.report.scene import Band, Box, Curve, Mark, Point, Rect, Scene, Text, polyline
from quorate.report.story import Flight, Story, read, repetition
from quorate.report.table import SMALL, Item, listed_message, place
from quorate.report.values import show
from quorate.report.wires import EVENT_RADIUS, Wire, partition_bars, route
from quorate.trace import Step, Trace


def spacetime(trace: Trace, hide: Collection[str] = ()) -> str:
    """The Graphviz source of a trace's diagram; the same trace gives the same source. Draw it with `render`. Changes of the
    variables in `hide` are not shown."""
    return scene(trace, hide).source()


@dataclass(frozen=True)
class View:
    """How much of a diagram is wanted: the title over it, the verdict and its witnesses under it, the changes beside it, and the
    lanes in which nothing happens. `offset` are the steps of the run before the first that is shown."""

    title: bool = True
    verdict: bool = True
    changes: bool = True
    idle: bool = False
    offset: int = 0


WHOLE = View()
"""The picture that explains itself."""
BARE = View(title=False, verdict=False)
"""What a page draws that has title and verdict in words of its own."""


def scene(trace: Trace, hide: Collection[str] = (), view: View = WHOLE) -> Scene:
    """The diagram as positioned marks, curves and texts."""
    if len(trace) > STEPS_MAX:
        raise UsageError(
            f"The trace has {len(trace):,} steps; a picture of more than {STEPS_MAX:,} cannot be read. `quorate replay` prints it."
        )
    story = replace(read(trace, hide, view.idle), offset=view.offset)
    layout, wires, placed = _settle(story, view)
    page = Scene(0.0, 0.0, _title(story), [], [], [], [])
    heading_right = _add_title(page, story, layout) if view.title else 0.0
    _add_heads(page, layout)
    _add_rows(page, layout)
    roles = _add_lifelines(page, story, layout)
    _add_partitions(page, story, layout)
    _add_events(page, story, layout)
    _add_wires(page, story, wires)
    page.texts += placed.texts
    _add_loop(page, story, layout)
    right = max(layout.right, heading_right, PAGE_LEAST if view.verdict else 0.0)
    bottom = add_panel(page, story, layout.bottom + 12, right) if view.verdict else layout.bottom + 8
    bottom = add_legend(page, _samples(story, wires, roles), bottom + 14, right)
    page.description = _description(story)
    page.bands = [
        Band(row.index + view.offset, row.top, row.bottom) for row in layout.rows if row.kind in ("step", "initial")
    ]
    page.top = 0.0 if view.title else HEAD_Y - HEAD_HEIGHT / 2 - 6
    page.lanes, page.foot = dict(layout.lane_x), layout.bottom
    page.width, page.height = right + MARGIN, bottom + MARGIN
    return page


PAGE_LEAST = 620.0
"""The right edge of the panel with the verdict, however narrow the table is."""
STEPS_MAX = 1000
"""More steps than this cannot be read in a picture, and take long to lay out."""


def _description(story: Story) -> str:
    """The picture in words: the verdict, and every step with its lane."""
    steps = "; ".join(f"{step.index} {step.action} at {story.lane_of(step) or 'no lane'}" for step in story.trace.steps)
    return f"A space-time diagram of the lanes {', '.join(story.lanes) or '(none)'}. {_title(story).rstrip('.')}. Steps: {steps or 'none'}."


def _title(story: Story) -> str:
    variant = f" {story.trace.variant}" if story.trace.variant else ""
    return f"{story.trace.spec}{variant}, {story.headline.title} {story.headline.text}"


def _settle(story: Story, view: View) -> tuple[Layout, list[Wire], Placed]:
    """Lay out, route, and label, until every payload that its wire has no room for is listed beside the step.

    The listed ones only become more, so this ends; only if a label finds no room at all, rows are stretched.
    """
    listed: dict[tuple[str, ...], int] = {}
    for stretch in (1.0, 1.35, 1.8, 2.4):
        while True:
            layout = lay_out(story, _listings(story, listed), stretch, view.changes)
            wires = route(story, layout)
            least = [listed.get(_key(wire), labels.WHOLE) for wire in wires]
            placed = labels.place(story, layout, wires, _obstacles(story, layout, wires), least)
            short = {
                _key(wire): labels.TITLE
                for wire, form in zip(wires, placed.forms, strict=True)
                if form == labels.NOTHING or labels.wording(wire, form) != labels.wording(wire, labels.WHOLE)
            }
            if short.keys() <= listed.keys():
                break
            listed |= short
        if labels.NOTHING not in placed.forms:
            break
    return layout, wires, placed


def _key(wire: Wire) -> tuple[str, ...]:
    return tuple(f"{flight.name} {flight.sent} {flight.ended}" for flight in wire.flights)


def _listings(story: Story, listed: dict[tuple[str, ...], int]) -> dict[int, list[Item]]:
    """For each step, the messages to be spelled out beside it: where they are sent, or received if nobody sent them."""
    said: dict[tuple[int, str, bool], list[str]] = {}
    keys = {key for wire in listed for key in wire}
    for flight in story.flights:
        if f"{flight.name} {flight.sent} {flight.ended}" in keys:
            known = said.setdefault(
                (flight.sent or flight.ended or 0, show(flight.label), story.dark_flight(flight)), []
            )
            if flight.name not in known:
                known.append(flight.name)
    found: dict[int, list[Item]] = {}
    for (index, payload, dark), names in said.items():
        found.setdefault(index, []).append(listed_message(", ".join(names), payload, dark))
    return found


def _obstacles(story: Story, layout: Layout, wires: list[Wire]) -> list[Rect]:
    """What labels keep clear of: events, losses, heads of arrows, names of lanes, words in the field."""
    decisive = story.causes.decisive
    events = [
        labels.event_rect(
            (layout.lane_x[lane], layout.y(step.index)), RING_RADIUS if step.index in decisive else EVENT_RADIUS
        )
        for step in story.trace.steps
        for lane in [story.lane_of(step), *story.touched(step)]
        if lane is not None
    ]
    ends = [Rect.around(wire.points[-1], 14, 12) for wire in wires if wire.flight.fate == "lost"]
    ends += [Rect.around(wire.points[-1], 16, 10) for wire in wires if wire.flight.fate == "received"]
    names = [text.box for row in layout.rows if row.kind == "names" for text in _names(layout, row)]
    partitions = [text.box for text in _partition_texts(story, layout)]
    return [*events, *ends, *names, *partitions]


def _add_title(page: Scene, story: Story, layout: Layout) -> float:
    """Draw the title; returns where its words end at the right."""
    trace = story.trace
    name = Text(MARGIN + 6, TITLE_Y, trace.spec, 13.5, bold=True)
    after = name.box.right + 8
    bounds = ", ".join(f"{name}={size}" for name, size in trace.bounds.items())
    rest = ", ".join(part for part in (f"variant {trace.variant}" if trace.variant else "", bounds) if part)
    if story.idle:
        rest += f"{', ' if rest else ''}{', '.join(story.idle)} take{'s' if len(story.idle) == 1 else ''} no part"
    lines = _in_two_lines(rest, max(layout.right, PAGE_LEAST) - after)
    top = TITLE_Y + 1 - 7 * (len(lines) - 1)
    title = [*(Text(after, top + 14 * number, line, 10.5, SOFT) for number, line in enumerate(lines)), name]
    page.texts += title
    return max(text.box.right for text in title)


def _add_heads(page: Scene, layout: Layout) -> None:
    """Draw the names of the lanes."""
    for lane, x in layout.lane_x.items():
        wide = max(width(layout.names[lane], HEAD_SIZE, True) + 18, 44.0)
        page.boxes.append(Box(Rect.around((x, HEAD_Y), wide, HEAD_HEIGHT), "#FFFFFF", INK, 1.2))
        page.texts.append(
            Text(
                x,
                HEAD_Y,
                layout.names[lane],
                HEAD_SIZE,
                bold=True,
                anchor="middle",
                full=lane if layout.names[lane] != lane else "",
            )
        )


def _in_two_lines(words: str, room: float) -> list[str]:
    """The words in at most two lines, above the lanes: a page grows wider before a word is left out."""
    room = max(room, 200.0)
    while len(lines := fold(words, room, 10.5)) > 2:
        room *= 1.25
    return lines


def _names(layout: Layout, row: Row) -> list[Text]:
    return [
        Text(x, row.middle, layout.names[lane], 10.5, SOFT, True, anchor="middle", background="#FFFFFF")
        for lane, x in layout.lane_x.items()
    ]


def _add_rows(page: Scene, layout: Layout) -> None:
    for row in layout.rows:
        if row.kind == "step" and row.index % 2 == 0:
            page.curves.append(
                Curve(polyline((MARGIN, row.middle), (layout.right, row.middle)), ZEBRA, row.bottom - row.top)
            )
    for row in layout.rows:
        if row.kind == "names":
            page.texts += _names(layout, row)
        if row.cell is None:
            continue
        number = row.cell.number
        page.texts.append(Text(NUMBER_X, row.middle, number.text, number.size, number.colour, anchor="right"))
        page.texts += place(tuple(((run,),) for run in row.cell.action), ACTION_X, row.middle)
        owner = row.cell.owner
        owned = place((((owner,),),), layout.changes_x, row.middle) if owner.text else []
        room = layout.items_x - layout.changes_x - 8
        page.texts += [
            replace(text, text=_clipped(text, room), full=owner.text if text.box.right - text.x > room else "")
            for text in owned
        ]
        page.texts += place(row.cell.lines, layout.items_x, row.middle)


def _clipped(text: Text, room: float) -> str:
    """A text cut to the room it has."""
    return clip(text.text, room, text.size, text.bold)


def _add_lifelines(page: Scene, story: Story, layout: Layout) -> dict[str, str]:
    """Draw the lanes; returns the colour of each role that occurs."""
    spells = sorted(story.spells, key=lambda spell: (spell.first, story.lanes.index(spell.lane)))
    occurring = dict.fromkeys(spell.role for spell in spells if spell.role is not None)
    order = list(dict.fromkeys((*story.trace.roles, *occurring)))
    roles = {role: ROLES[order.index(role) % len(ROLES)] for role in order if role in occurring}
    for spell in spells:
        x = layout.lane_x[spell.lane]
        top = HEAD_Y + HEAD_HEIGHT / 2 if spell.first == 0 else layout.y(spell.first)
        bottom = layout.bottom if spell.last > len(story.trace.steps) else layout.y(spell.last)
        colour = roles[spell.role] if spell.role is not None else LIFELINE
        if spell.up:
            page.curves.append(Curve(polyline((x, top), (x, bottom)), colour, 5.0))
        else:
            page.curves.append(Curve(polyline((x, top), (x, bottom)), FADED, 2.0, "dotted"))
    return roles


def _partition_texts(story: Story, layout: Layout) -> list[Text]:
    marks = [(x, layout.y(first)) for x, first, _ in partition_bars(story, layout)]
    return [Text(x, y - 12, "partition", SMALL, BAD, anchor="middle", background="#FFFFFF") for x, y in marks]


def _add_partitions(page: Scene, story: Story, layout: Layout) -> None:
    for x, first, last in partition_bars(story, layout):
        bottom = layout.bottom if last > len(story.trace.steps) else layout.y(last)
        page.curves.append(Curve(polyline((x, layout.y(first) - 6), (x, bottom)), BAD, 2.2, "dashed"))
    page.texts += _partition_texts(story, layout)
    for step in story.trace.steps:
        if step.mark == "partition" and not step.isolated and layout.lane_x:
            xs, y = layout.lane_x.values(), layout.y(step.index)
            page.curves.append(Curve(polyline((min(xs) - 14, y), (max(xs) + 14, y)), BAD, 2.2, "dashed"))


def event_name(story: Story, step: Step) -> str:
    """The name of a step's node."""
    return f"step {story.number(step)} {step.action}"


def _add_events(page: Scene, story: Story, layout: Layout) -> None:
    for step in story.trace.steps:
        lane = story.lane_of(step)
        decisive = step.index in story.causes.decisive
        colour = accent(story.headline.tone) if decisive else INK if story.dark(step.index) else FADED_MARK
        _add_touched(page, story, layout, step, colour)
        if lane is None:
            continue
        centre = (layout.lane_x[lane], layout.y(step.index))
        name = event_name(story, step)
        if decisive:
            page.marks.append(Mark(f".ring {name}", centre, "circle", RING_RADIUS, "transparent", colour, 1.6))
        if step.mark == "crash":
            page.marks.append(
                Mark(name, centre, "square", EVENT_RADIUS, colour, colour, sign="\N{MULTIPLICATION SIGN}")
            )
        elif step.mark == "restart":
            page.marks.append(Mark(name, centre, "circle", EVENT_RADIUS, "#FFFFFF", colour, 2.2))
        elif step.mark == "timeout":
            page.marks.append(Mark(name, centre, "diamond", EVENT_RADIUS + 1.5, colour, colour))
        else:
            page.marks.append(Mark(name, centre, "circle", EVENT_RADIUS, colour, colour))


RING_RADIUS = EVENT_RADIUS + 3.5
"""Of the ring about a step that sets what the property reads: it is told from others by its shape, too."""


def _add_touched(page: Scene, story: Story, layout: Layout, step: Step, colour: str) -> None:
    """The marks of a step on lanes that are not its own: filled where it changes something."""
    touched = story.touched(step)
    if not touched:
        return
    own, y = story.lane_of(step), layout.y(step.index)
    xs = [layout.lane_x[lane] for lane in (*touched, own) if lane is not None]
    page.curves.append(Curve(polyline((min(xs), y), (max(xs), y)), colour, 1.2))
    for lane, changed in touched.items():
        name, centre = f"{lane} in step {step.index} {step.action}", (layout.lane_x[lane], y)
        if story.trace.abstract is not None and lane == story.trace.abstract.spec and story.strays(step):
            page.marks.append(_cross(name, centre))
            continue
        if step.index in story.causes.decisive and own is None:
            page.marks.append(Mark(f".ring {name}", centre, "circle", RING_RADIUS, "transparent", colour, 1.6))
        page.marks.append(Mark(name, centre, "circle", TOUCHED_RADIUS, colour if changed else "#FFFFFF", colour, 1.6))


def _stub_kind(story: Story, flight: Flight) -> Literal["stub", "read", "counted"]:
    return "counted" if story.counts(flight) else "read" if story.looked_at(flight) else "stub"


def _add_wires(page: Scene, story: Story, wires: list[Wire]) -> None:
    for wire in wires:
        flight = wire.flight
        dark = story.dark_flight(flight)
        strong = accent(story.headline.tone) if story.counts(flight) else WIRE if dark else FADED_LINE
        colour = BAD if flight.fate == "lost" else strong
        pen = 1.7 if dark and flight.fate == "received" else 1.2
        style: Literal["solid", "dashed"] = "dashed" if flight.fate == "lost" or flight.again else "solid"
        start, end = wire.points[0], wire.points[-1]
        tail = (
            _step_name(story, flight.sent)
            if flight.sent
            else f"{labels.names(wire)} from the start to step {flight.ended}"
        )
        if flight.sent is None:
            page.marks.append(Mark(tail, start, "none", 1.0, "", ""))
        if flight.fate == "received" and flight.ended is not None:
            head = _step_name(story, flight.ended)
        else:
            where = f"in step {flight.ended}" if flight.ended else f"since step {flight.sent}"
            head = f"{labels.names(wire)} {flight.fate} {where}"
            if flight.fate == "lost":
                page.marks.append(_cross(head, end))
            else:
                page.marks.append(stub_end(head, end, _stub_kind(story, flight), colour))
        page.curves.append(Curve(wire.points, colour, pen, style, flight.fate == "received", (tail, head)))


def _cross(name: str, centre: Point) -> Mark:
    return Mark(name, centre, "none", 9.0, "", "", sign="\N{MULTIPLICATION SIGN}", sign_colour=BAD)


def _step_name(story: Story, index: int) -> str:
    return event_name(story, story.trace.steps[index - 1])


def _add_loop(page: Scene, story: Story, layout: Layout) -> None:
    """The way back of a lasso: from the last step to the state that follows step `loop`."""
    words = repetition(story.trace)
    if not words:
        return
    end = layout.rows[-1]
    page.texts.append(Text(layout.items_x, end.middle, words, 10.5, SOFT, italic=True))
    loop = story.trace.loop
    if loop is None or loop >= len(story.trace.steps):
        return
    first, last = layout.row(loop + 1), layout.row(len(story.trace.steps))
    x, left, corner = layout.loop_x + 18, layout.loop_x, 9.0
    top, bottom = first.top + 2, last.middle
    points = [*polyline((x, bottom), (left + corner, bottom)), (left, bottom), (left, bottom), (left, bottom - corner)]
    points += [
        *polyline((left, bottom - corner), (left, top + corner))[1:],
        (left, top),
        (left, top),
        (left + corner, top),
    ]
    points += polyline((left + corner, top), (x + 10, top))[1:]
    page.curves.append(Curve(tuple(points), INK, 1.6, "solid", True))


def _samples(story: Story, wires: list[Wire], roles: dict[str, str]) -> list[Sample]:
    """The legend: only what occurs."""
    steps = [step for step in story.trace.steps if story.lane_of(step) is not None]
    marks = {step.mark for step in steps}
    fates = {wire.flight.fate for wire in wires}
    split = story.causes.past is not None and any(not story.dark(step.index) for step in story.trace.steps)
    found = [Sample("line", colour, role) for role, colour in roles.items()]
    found += [Sample("dotted", FADED, "down")] if any(not spell.up for spell in story.spells) else []
    found += (
        [Sample("circle", INK, "step")]
        if any(step.mark is None and step.index not in story.causes.decisive for step in steps)
        else []
    )
    found += [Sample("diamond", INK, "timeout")] if "timeout" in marks else []
    found += [Sample("square", INK, "crash")] if "crash" in marks else []
    found += [Sample("ring", INK, "restart")] if "restart" in marks else []
    found += [Sample("arrow", WIRE, "message")] if "received" in fates else []
    found += [Sample("dashed", WIRE, "delivered again")] if any(wire.flight.again for wire in wires) else []
    found += [Sample("cross", BAD, "lost")] if "lost" in fates else []
    ends = {_stub_kind(story, wire.flight) for wire in wires if wire.flight.fate == "under way"}
    found += [Sample("stub", WIRE, "on the wire")] if "stub" in ends else []
    found += [Sample("read", WIRE, "on the wire, read by a step")] if "read" in ends else []
    found += (
        [Sample("counted", accent(story.headline.tone), "on the wire, read by the property")]
        if "counted" in ends
        else []
    )
    found += [Sample("wall", BAD, "partition")] if any(step.mark == "partition" for step in story.trace.steps) else []
    found += (
        [Sample("decisive", accent(story.headline.tone), "sets what the property reads")]
        if story.causes.decisive and story.lanes
        else []
    )
    found += [Sample("touched", INK, "also touched")] if any(map(story.touched, story.trace.steps)) else []
    found += [Sample("pale", FADED_MARK, "outside the causal past of the violation")] if split else []
    return found
