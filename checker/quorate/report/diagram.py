"""Space-time diagrams: a trace as lanes of processes with time running downwards (Lamport 1978).

`spacetime` is a pure function from a trace to Graphviz source; `render` draws it. What it shows, and where each part is
made:

- words beside the lanes: `table`; lanes and rows: `layout`; messages: `wires`, with labels placed by `labels`;
- which steps are dark (the causal past of the violation) and which values red (what it rests on): `causality`;
- marks, lifelines, partitions, loops, the panel with the verdict and the legend: here and in `panel`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from quorate.report import labels
from quorate.report.labels import WHOLE, Placed
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
from quorate.report.measure import clip, width
from quorate.report.palette import BAD, FADED, FADED_LINE, INK, LIFELINE, ROLES, SOFT, WIRE, ZEBRA
from quorate.report.panel import Sample, add_legend, add_panel
from quorate.report.scene import Box, Curve, Mark, Point, Rect, Scene, Text, polyline
from quorate.report.story import Story, read, repetition
from quorate.report.table import SMALL, Item, listed_message, place
from quorate.report.values import show
from quorate.report.wires import EVENT_RADIUS, Wire, partition_bars, route
from quorate.trace import Step, Trace


def spacetime(trace: Trace) -> str:
    """The Graphviz source of a trace's diagram; the same trace gives the same source. Draw it with `render`."""
    return scene(trace).source()


def scene(trace: Trace) -> Scene:
    """The diagram as positioned marks, curves and texts."""
    story = read(trace)
    layout, wires, placed = _settle(story)
    page = Scene(0.0, 0.0, _title(story), [], [], [], [])
    _add_head(page, story, layout)
    _add_rows(page, layout)
    roles = _add_lifelines(page, story, layout)
    _add_partitions(page, story, layout)
    _add_events(page, story, layout)
    _add_wires(page, story, wires)
    page.texts += placed.texts
    _add_loop(page, story, layout)
    heading = page.texts[0]
    right = max(layout.right, heading.box.right, 620.0)
    bottom = add_panel(page, story, layout.bottom + 12, right)
    bottom = add_legend(page, _samples(story, wires, roles), bottom + 14, right)
    page.width, page.height = right + MARGIN, bottom + MARGIN
    return page


def _title(story: Story) -> str:
    variant = f" {story.trace.variant}" if story.trace.variant else ""
    return f"{story.trace.spec}{variant}, {story.headline.title} {story.headline.text}"


def _settle(story: Story) -> tuple[Layout, list[Wire], Placed]:
    """Lay out, route, and label, until every payload that its wire has no room for is listed beside the step.

    The listed ones only become more, so this ends; only if a label finds no room at all, rows are stretched.
    """
    listed: dict[tuple[str, ...], int] = {}
    for stretch in (1.0, 1.35, 1.8, 2.4):
        while True:
            layout = lay_out(story, _listings(story, listed), stretch)
            wires = route(story, layout)
            least = [listed.get(_key(wire), WHOLE) for wire in wires]
            placed = labels.place(story, layout, wires, _obstacles(story, layout, wires), least)
            short = {
                _key(wire): labels.TITLE
                for wire, form in zip(wires, placed.forms, strict=True)
                if form == labels.NOTHING or labels.wording(wire, form) != labels.wording(wire, WHOLE)
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
    """What labels keep clear of: events, losses, names of lanes, words in the field."""
    events = [
        labels.event_rect((layout.lane_x[lane], layout.y(step.index)))
        for step in story.trace.steps
        if (lane := story.lane_of(step)) is not None
    ]
    losses = [Rect.around(wire.points[-1], 14, 12) for wire in wires if wire.flight.fate == "lost"]
    names = [text.box for row in layout.rows if row.kind == "names" for text in _names(layout, row)]
    partitions = [text.box for text in _partition_texts(story, layout)]
    return [*events, *losses, *names, *partitions]


def _add_head(page: Scene, story: Story, layout: Layout) -> None:
    trace = story.trace
    page.texts.append(Text(MARGIN + 6, TITLE_Y, trace.spec, 13.5, bold=True))
    after = page.texts[-1].box.right + 8
    bounds = ", ".join(f"{name}={size}" for name, size in trace.bounds.items())
    rest = ", ".join(part for part in (f"variant {trace.variant}" if trace.variant else "", bounds) if part)
    if rest:
        page.texts.append(Text(after, TITLE_Y + 1, rest, 10.5, SOFT))
        page.texts.insert(0, page.texts.pop())
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


def event_name(step: Step) -> str:
    """The name of a step's node."""
    return f"step {step.index} {step.action}"


def _add_events(page: Scene, story: Story, layout: Layout) -> None:
    for step in story.trace.steps:
        lane = story.lane_of(step)
        if lane is None:
            continue
        centre = (layout.lane_x[lane], layout.y(step.index))
        decisive = step.index in story.causes.decisive
        colour = BAD if decisive else INK if story.dark(step.index) else FADED
        name = event_name(step)
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


def _add_wires(page: Scene, story: Story, wires: list[Wire]) -> None:
    for wire in wires:
        flight = wire.flight
        dark = story.dark_flight(flight)
        colour = BAD if flight.fate == "lost" else WIRE if dark else FADED_LINE
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
                page.marks.append(Mark(head, end, "circle", 2.6, "#FFFFFF", colour, 1.2))
        page.curves.append(Curve(wire.points, colour, pen, style, flight.fate == "received", (tail, head)))


def _cross(name: str, centre: Point) -> Mark:
    return Mark(name, centre, "none", 9.0, "", "", sign="\N{MULTIPLICATION SIGN}", sign_colour=BAD)


def _step_name(story: Story, index: int) -> str:
    return event_name(story.trace.steps[index - 1])


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
    found += [Sample("circle", INK, "step")] if any(step.mark is None for step in steps) else []
    found += [Sample("diamond", INK, "timeout")] if "timeout" in marks else []
    found += [Sample("square", INK, "crash")] if "crash" in marks else []
    found += [Sample("ring", INK, "restart")] if "restart" in marks else []
    found += [Sample("arrow", WIRE, "message")] if "received" in fates else []
    found += [Sample("dashed", WIRE, "delivered again")] if any(wire.flight.again for wire in wires) else []
    found += [Sample("cross", BAD, "lost")] if "lost" in fates else []
    found += [Sample("stub", WIRE, "not received")] if "under way" in fates else []
    found += [Sample("wall", BAD, "partition")] if any(step.mark == "partition" for step in story.trace.steps) else []
    found += [Sample("circle", BAD, "sets what the property reads")] if story.causes.decisive else []
    found += [Sample("pale", FADED, "outside the causal past of the violation")] if split else []
    return found
