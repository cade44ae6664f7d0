"""The foot of a diagram: what is violated, by which values, set in which steps; and the legend of the marks that
occur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.report.layout import MARGIN
from quorate.report.measure import fold, width
from quorate.report.palette import BAD, BAD_GROUND, GOOD, GOOD_GROUND, INK, PLAIN_GROUND, SOFT
from quorate.report.scene import Box, Curve, Mark, Point, Rect, Scene, Text, polyline
from quorate.report.story import Story
from quorate.report.values import show
from quorate.trace import Witness

LINE = 18.0
SIZE = 10.5
PADDING = 12.0


def witness_name(witness: Witness) -> str:
    """A bound variable or subexpression, as a reader names it: the state is what all expressions are about."""
    return witness.name.replace("self.", "")


def witness_steps(witness: Witness) -> str:
    """`(steps 2, 9)`, empty if no step set it."""
    if not witness.steps:
        return ""
    return f"(step{'s' if len(witness.steps) > 1 else ''} {', '.join(map(str, witness.steps))})"


def add_panel(page: Scene, story: Story, top: float, right: float) -> float:
    """Draw the panel below `top`; returns its lower edge."""
    tone, title = story.headline.tone, story.headline.title
    if tone == "plain" and not story.trace.sentence:
        return top
    colour = {"bad": BAD, "good": GOOD, "plain": INK}[tone]
    sign = {"bad": "\N{MULTIPLICATION SIGN} ", "good": "✓ ", "plain": ""}[tone]
    left, room = MARGIN + PADDING, right - MARGIN - 2 * PADDING
    y = top + PADDING + 8
    for line in fold(sign + title, room, 13.5, True):
        page.texts.append(Text(left, y, line, 13.5, colour, True))
        y += LINE + 1
    for line in fold(story.headline.text, room, SIZE):
        page.texts.append(Text(left, y, line, SIZE))
        y += LINE
    names = [fold(witness_name(witness), room * 0.4, SIZE) for witness in story.trace.witnesses]
    column = left + max([width(line, SIZE) for lines in names for line in lines], default=0.0) + 18
    for witness, lines in zip(story.trace.witnesses, names, strict=True):
        value = fold(show(witness.value, 240), right - PADDING - column - 10, SIZE, True)
        for number in range(max(len(lines), len(value))):
            if number < len(lines):
                page.texts.append(Text(left, y, lines[number], SIZE))
            if number < len(value):
                page.texts.append(Text(column, y, value[number], SIZE, colour, True))
            y += LINE
        y = _add_steps(page, witness_steps(witness), y - LINE, column, right - PADDING)
    page.boxes.append(
        Box(
            Rect(MARGIN, top, right, y - LINE / 2 + PADDING - 2),
            {"bad": BAD_GROUND, "good": GOOD_GROUND, "plain": PLAIN_GROUND}[tone],
            colour,
            1.2,
        )
    )
    return y - LINE / 2 + PADDING - 2


def _add_steps(page: Scene, words: str, y: float, column: float, right: float) -> float:
    """The steps of a witness after its value, on lines of their own if they find no room there."""
    if not words:
        return y + LINE
    after = page.texts[-1].box.right + 8 if page.texts[-1].y == y else column
    if after + width(words, SIZE) <= right:
        page.texts.append(Text(after, y, words, SIZE, SOFT))
        return y + LINE
    for line in fold(words, right - column, SIZE):
        y += LINE
        page.texts.append(Text(column, y, line, SIZE, SOFT))
    return y + LINE


@dataclass(frozen=True)
class Sample:
    """An entry of the legend."""

    kind: Literal[
        "line",
        "dotted",
        "circle",
        "square",
        "diamond",
        "ring",
        "arrow",
        "dashed",
        "cross",
        "stub",
        "read",
        "counted",
        "wall",
        "pale",
        "decisive",
        "touched",
    ]
    colour: str
    words: str


SAMPLE = 22.0
TOUCHED_RADIUS = 4.0


def stub_end(name: str, centre: Point, kind: str, colour: str) -> Mark:
    """The end of a message on the wire: open, filled if a step reads it there (`read`), a diamond if the property does
    (`counted`)."""
    if kind == "counted":
        return Mark(name, centre, "diamond", 4.8, colour, colour, 1.2)
    return Mark(name, centre, "circle", 2.6, "#FFFFFF" if kind == "stub" else colour, colour, 1.2)


LEGEND_SIZE = 10.0


def add_legend(page: Scene, samples: list[Sample], top: float, right: float) -> float:
    """Draw the legend below `top`, on as many lines as it takes; returns its lower edge."""
    x, y = MARGIN + 6.0, top
    for number, sample in enumerate(samples):
        wide = SAMPLE + 5 + width(sample.words, LEGEND_SIZE) + 18
        if x + wide > right and x > MARGIN + 6:
            x, y = MARGIN + 6.0, y + 17
        _add_sample(page, sample, number, x, y)
        page.texts.append(Text(x + SAMPLE + 5, y, sample.words, LEGEND_SIZE, SOFT))
        x += wide
    return y + 8 if samples else top - 8


def _add_sample(page: Scene, sample: Sample, number: int, x: float, y: float) -> None:
    name, middle = f".legend{number}", (x + SAMPLE / 2, y)
    across = polyline((x, y), (x + SAMPLE, y))
    colour = sample.colour
    if sample.kind == "decisive":
        page.marks.append(Mark(f"{name} ring", middle, "circle", 8.0, "transparent", colour, 1.6))
        page.marks.append(Mark(name, middle, "circle", 5.0, colour, colour))
    elif sample.kind == "touched":
        page.curves.append(Curve(across, colour, 1.2))
        page.marks.append(Mark(name, middle, "circle", TOUCHED_RADIUS, colour, colour))
    elif sample.kind in ("circle", "square", "diamond", "ring", "pale"):
        shape: Literal["circle", "square", "diamond"] = (
            "square" if sample.kind == "square" else "diamond" if sample.kind == "diamond" else "circle"
        )
        fill = "#FFFFFF" if sample.kind == "ring" else colour
        sign = "\N{MULTIPLICATION SIGN}" if sample.kind == "square" else ""
        page.marks.append(Mark(name, middle, shape, 5.0, fill, colour, 2.0 if sample.kind == "ring" else 1.0, sign))
    elif sample.kind == "line":
        page.curves.append(Curve(across, colour, 5.0))
    elif sample.kind == "dotted":
        page.curves.append(Curve(across, colour, 2.0, "dotted"))
    elif sample.kind == "wall":
        page.curves.append(Curve(polyline((middle[0], y - 8), (middle[0], y + 8)), colour, 2.2, "dashed"))
    elif sample.kind == "cross":
        page.curves.append(Curve(polyline((x, y), (x + SAMPLE - 6, y)), colour, 1.2, "dashed"))
        page.marks.append(
            Mark(name, (x + SAMPLE - 5, y), "none", 9.0, "", "", sign="\N{MULTIPLICATION SIGN}", sign_colour=BAD)
        )
    elif sample.kind in ("stub", "read", "counted"):
        page.curves.append(Curve(polyline((x, y), (x + SAMPLE - 6, y)), colour, 1.2))
        page.marks.append(stub_end(name, (x + SAMPLE - 4, y), sample.kind, colour))
    else:
        page.curves.append(Curve(across, colour, 1.6, "dashed" if sample.kind == "dashed" else "solid", True))
