"""A page of positioned marks, lines and texts, and its Graphviz source.

The pictures compute their own layout; Graphviz, or a page, only draws: `Scene.source` is for the one, `Scene.to_json` for the other.
The source says `layout=nop2`: every node and every curve
carries its position, so any front end of Graphviz draws the same picture, at once, however large. Events and messages
are real nodes and edges of that source; pieces of text and other scaffolding have names that begin with a dot (see
`render`).

Coordinates are points (1/72 inch), x to the right, y down.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from quorate.report import measure
from quorate.trace import Json

Point = tuple[float, float]
LINE_HEIGHT = 1.3
"""Of the font size."""


class Rect(NamedTuple):
    """A rectangle; y grows downwards, so `top < bottom`."""

    left: float
    top: float
    right: float
    bottom: float

    @staticmethod
    def around(centre: Point, width: float, height: float) -> Rect:
        """The rectangle of that size about a centre."""
        return Rect(centre[0] - width / 2, centre[1] - height / 2, centre[0] + width / 2, centre[1] + height / 2)

    @property
    def centre(self) -> Point:
        """The middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def overlaps(self, other: Rect, gap: float = 0.0) -> bool:
        """Whether the two come nearer than `gap`, in both directions."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )

    def inside(self, other: Rect) -> bool:
        """Whether this one lies wholly in the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )

    def contains(self, point: Point) -> bool:
        """Whether a point lies in it."""
        return self.left <= point[0] <= self.right and self.top <= point[1] <= self.bottom


@dataclass(frozen=True)
class Text:
    """One line in one style; `x` is the edge that `anchor` names, `y` the middle of the line. `full` is shown on
    hovering."""

    x: float
    y: float
    text: str
    size: float = 11
    colour: str = "#1F2933"
    bold: bool = False
    italic: bool = False
    anchor: Literal["left", "middle", "right"] = "left"
    background: str | None = None
    full: str = ""

    @property
    def box(self) -> Rect:
        """The room it takes, whatever the face."""
        wide = measure.width(self.text, self.size, self.bold)
        left = self.x - {"left": 0.0, "middle": wide / 2, "right": wide}[self.anchor]
        return Rect(left, self.y - self.size * LINE_HEIGHT / 2, left + wide, self.y + self.size * LINE_HEIGHT / 2)


@dataclass(frozen=True)
class Mark:
    """A small figure at a point: an event, a loss, the end of a stub. `name` is its node's name, and is shown on
    hovering."""

    name: str
    centre: Point
    shape: Literal["circle", "square", "diamond", "none"]
    radius: float
    fill: str
    stroke: str
    pen: float = 1.0
    sign: str = ""
    sign_colour: str = "#FFFFFF"

    @property
    def box(self) -> Rect:
        """The room it takes."""
        return Rect.around(self.centre, 2 * self.radius + self.pen, 2 * self.radius + self.pen)


@dataclass(frozen=True)
class Box:
    """A filled rectangle under everything but curves."""

    rect: Rect
    fill: str
    stroke: str
    pen: float = 1.0
    rounded: bool = True


@dataclass(frozen=True)
class Curve:
    """A cubic Bezier curve: 1 + 3k points. With `arrow` a head stands on the last point. `ends` names the marks that it
    joins."""

    points: tuple[Point, ...]
    colour: str
    pen: float = 1.0
    style: Literal["solid", "dashed", "dotted"] = "solid"
    arrow: bool = False
    ends: tuple[str, str] | None = None


@dataclass(frozen=True)
class Band:
    """The row of a step, across the page: what a reader points at who means this step. 0 is the initial state."""

    index: int
    top: float
    bottom: float


def polyline(*corners: Point) -> tuple[Point, ...]:
    """The Bezier points of a line through corners."""
    points = [corners[0]]
    for (x, y), (u, v) in pairwise(corners):
        points += [(x + (u - x) / 3, y + (v - y) / 3), (u - (u - x) / 3, v - (v - y) / 3), (u, v)]
    return tuple(points)


def clean(text: str) -> str:
    """The text on one line, without characters that no XML document may hold."""
    return "".join(
        " "
        if character.isspace()
        else "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in ("Cc", "Cs", "Cn")
        else character
        for character in text
    )


@dataclass
class Scene:
    """A page: its size and what is on it, later things above earlier ones; all curves lie below all marks and texts."""

    width: float
    height: float
    title: str
    boxes: list[Box] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    description: str = ""
    """What a reader who does not see the picture is told; it becomes the `<desc>` of an SVG."""
    bands: list[Band] = field(default_factory=list)
    """The rows of steps, for pages in which a reader moves through them; Graphviz draws none."""
    lanes: dict[str, float] = field(default_factory=dict)
    """Where each lane stands."""
    top: float = 0.0
    """Where what is drawn begins."""
    foot: float = 0.0
    """Where the rows end, and the verdict begins."""

    def to_json(self) -> Json:
        """The page as JSON, for what draws it itself: the fields of marks, curves, boxes and texts by their names, those left out
        that have their default."""
        return {
            "width": round(self.width, 1),
            "height": round(self.height, 1),
            "title": clean(self.title),
            "description": clean(self.description),
            "boxes": [_fields(box) for box in self.boxes],
            "curves": [_fields(curve) for curve in self.curves],
            "marks": [_fields(mark) for mark in self.marks],
            "texts": [_fields(text) | ({"box": _rounded(text.box)} if text.background else {}) for text in self.texts],
            "bands": [_fields(band) for band in self.bands],
            "top": round(self.top, 1),
            "foot": round(self.foot, 1),
            "lanes": {lane: round(x, 1) for lane, x in self.lanes.items()},
        }

    def source(self) -> str:
        """The page as Graphviz source."""
        import graphviz

        page = graphviz.Digraph(
            _name(self.title),
            graph_attr={
                "layout": "nop2",
                "outputorder": "edgesfirst",
                "notranslate": "true",
                "bgcolor": "white",
                "pad": "0.1",
                **({"comment": _label(self.description)} if self.description else {}),
            },
            node_attr={"fixedsize": "true", "margin": "0", "label": "", "fontname": "Helvetica", "shape": "box"},
            edge_attr={"arrowsize": "0.8"},
        )
        whole = Rect(0, 0, self.width, self.height)
        page.node(PAGE, **_place(whole), style="invis")
        for curve in self.curves:
            if curve.ends is None:
                _add_curve(page, curve)
        for box in self.boxes:
            style = "filled,rounded" if box.rounded else "filled"
            page.node(
                f".box{len(page.body)}",
                **_place(box.rect),
                style=style,
                fillcolor=box.fill,
                color=box.stroke,
                penwidth=_number(box.pen),
            )
        for mark in self.marks:
            _add_mark(page, mark)
        for curve in self.curves:
            if curve.ends is not None:
                _add_curve(page, curve)
        for text in self.texts:
            _add_text(page, text)
        return str(page.source)


def _fields(part: Any) -> dict[str, Json]:
    """What a part of the page says of itself, but for defaults."""
    named = ((each.name, getattr(part, each.name), each.default) for each in fields(part))
    return {name: _rounded(value) for name, value, default in named if value != default}


def _rounded(value: Any) -> Json:
    """JSON with numbers of one decimal, which is a tenth of a point, and texts that any page may hold."""
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, str):
        return clean(value)
    return [_rounded(part) for part in value] if isinstance(value, tuple) else value


PAGE = ".page"


def _number(value: float) -> str:
    """At most two decimals and no more digits than needed: short, and the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if round(value, 2) else "0"


def _pair(point: Point) -> str:
    return f"{_number(point[0])},{_number(-point[1])}"


def _place(rect: Rect) -> dict[str, str]:
    inches = {"width": rect.right - rect.left, "height": rect.bottom - rect.top}
    return {"pos": _pair(rect.centre)} | {side: f"{size / 72:.4f}" for side, size in inches.items()}


def _name(text: str) -> str:
    name = clean(text).replace("\\", "\N{SET MINUS}").replace(":", " -")
    return "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}" + name[1:] if name.startswith("<") else name


def _label(text: str, ending: str = "") -> str:
    """Text that Graphviz prints as it stands: no escapes, no entities, no markup. `ending` aligns its line."""
    import graphviz

    plain: str = graphviz.nohtml(graphviz.escape(clean(text).replace("&", "&amp;")) + ending)
    return plain


def _add_mark(page: Any, mark: Mark) -> None:
    shape = {"circle": "circle", "square": "box", "diamond": "diamond", "none": "box"}[mark.shape]
    style = (
        {"style": "filled", "fillcolor": mark.fill, "color": mark.stroke} if mark.shape != "none" else {"penwidth": "0"}
    )
    page.node(
        _name(mark.name),
        **_place(Rect.around(mark.centre, 2 * mark.radius, 2 * mark.radius)),
        shape=shape,
        **({"penwidth": _number(mark.pen)} | style),
        **(
            {
                "label": _label(mark.sign),
                "fontcolor": mark.sign_colour,
                "fontname": "Helvetica-Bold",
                "fontsize": _number(1.5 * mark.radius),
            }
            if mark.sign
            else {}
        ),
    )


def _add_curve(page: Any, curve: Curve) -> None:
    tail, head = curve.ends or (PAGE, PAGE)
    points = list(curve.points)
    prefix = ""
    if curve.arrow:
        prefix = f"e,{_pair(points[-1])} "
        points = _shortened(points)
    page.edge(
        _name(tail),
        _name(head),
        pos=prefix + " ".join(map(_pair, points)),
        color=curve.colour,
        penwidth=_number(curve.pen),
        **({} if curve.style == "solid" else {"style": curve.style}),
        **({} if curve.arrow else {"dir": "none"}),
    )


ARROW = 8.0
"""The length of an arrow head."""


def _shortened(points: Sequence[Point]) -> list[Point]:
    """The curve up to where its arrow head begins: Graphviz draws the head from there to the end point."""
    *rest, control, (x, y) = points
    dx, dy = x - control[0], y - control[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    return [*rest, control, (x - dx / length * ARROW, y - dy / length * ARROW)]


def _node_rect(text: Text) -> Rect:
    """A node with room to spare, so that even in an unusually wide face the text starts where it should."""
    left, top, right, bottom = text.box
    spare = 4 + (right - left) * 0.1
    if text.background:
        return Rect(left - 2, top, right + 2, bottom)
    return Rect(
        left - (0 if text.anchor == "left" else spare),
        top - 3,
        right + (0 if text.anchor == "right" else spare),
        bottom + 3,
    )


def _add_text(page: Any, text: Text) -> None:
    if not text.text:  # Graphviz may end the process over a line without a text.
        return
    face = (
        "Helvetica"
        + ("-Bold" if text.bold else "")
        + ("Oblique" if text.bold and text.italic else "-Oblique" if text.italic else "")
    )
    ending = {"left": "\\l", "middle": "", "right": "\\r"}[text.anchor]
    ground = {"style": "filled", "fillcolor": text.background} if text.background else {}
    page.node(
        f".text{len(page.body)}",
        label=_label(text.text, ending),
        **_place(_node_rect(text)),
        fontname=face,
        fontsize=_number(text.size),
        fontcolor=text.colour,
        penwidth="0",
        **ground,
        **({"tooltip": _label(text.full)} if text.full else {}),
    )
