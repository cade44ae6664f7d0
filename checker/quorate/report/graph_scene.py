"""A state graph as a scene: where its states stand is Graphviz' choice, what they look like is decided here, as for the diagrams."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from quorate.errors import UsageError
from quorate.report.graph import state_rows
from quorate.report.measure import clip, fold, width
from quorate.report.palette import BAD, BAD_GROUND, FADED, INK, SOFT, WIRE
from quorate.report.scene import Box, Curve, Point, Rect, Scene, Text, clean, polyline
from quorate.report.values import show
from quorate.trace import Json

if TYPE_CHECKING:
    import networkx

NODES_MAX = 120
"""More states than this cannot be read, and take long to lay out."""
CYCLES = "cycles"
"""Clusters of states from each of which a run may return to it."""
SIZE, LINE, PADDING, ROOM, LINES_MAX, WORDS_MAX = 11.0, 15.0, 8.0, 260.0, 4, 120
"""Of the words: their size and the height of a line; the room around them; the greatest width of a line, and the
most lines and characters of a value."""
MARGIN, INCH, ACTIONS_MAX = 16.0, 72.0, 3
WHITE = "#FFFFFF"


@dataclass(frozen=True)
class Place:
    """A state of the picture: its node in the graph, where it stands, what is written in it, and at which steps the run is there."""

    node: Any
    rect: Rect
    name: str
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Picture:
    """The scene, and the states in it."""

    scene: Scene
    places: tuple[Place, ...]

    def to_json(self) -> Json:
        """The picture as JSON."""
        states = [
            {
                "node": place.node,
                "rect": [round(end, 1) for end in place.rect],
                "name": place.name,
                "steps": list(place.steps),
            }
            for place in self.places
        ]
        return {"scene": self.scene.to_json(), "states": states}


def clusters_of(graph: networkx.MultiDiGraph[Any], by: str) -> dict[Any, str]:
    """The cluster of each node that is in one, by a variable's value or by `CYCLES`; none for an empty name. Raises UsageError."""
    import networkx

    if by == CYCLES:
        parts = [sorted(part) for part in networkx.strongly_connected_components(graph) if len(part) > 1]
        return {node: f"cycle {number}" for number, part in enumerate(sorted(parts), 1) for node in part}
    if not by:
        return {}
    found = {}
    for node, data in graph.nodes(data=True):
        if by not in data["label"]:
            raise UsageError(f"{by} is not among the variables that are looked at: {', '.join(data['label'])}.")
        found[node] = f"{by} {clip(show(data['label'][by], 200), ROOM, SIZE)}"
    return found


def graph_picture(
    graph: networkx.MultiDiGraph[Any], run: Sequence[Any] = (), cluster: str = "", title: str = "states"
) -> Picture:
    """The picture of a graph (`quorate.explore.graph.state_graph`, or its projection), with a run through some of its nodes marked. Raises
    UsageError for more than `NODES_MAX` states, and QuorateError without Graphviz."""
    if len(graph) > NODES_MAX:
        raise UsageError(
            f"The picture would have {len(graph):,} states; more than {NODES_MAX} cannot be read. Look at fewer variables."
        )
    initial = next((data for _, data in graph.nodes(data=True) if data.get("initial")), None)
    lines = {node: _lines(data, initial) for node, data in graph.nodes(data=True)}
    names = {node: f"n{number}" for number, node in enumerate(graph)}
    steps = _steps(graph)
    clusters = clusters_of(graph, cluster)
    laid = _laid_out(_source(lines, names, steps, clusters))
    return _Drawing(graph, lines, names, list(run), laid, title).picture(steps)


def _lines(data: Mapping[str, Any], initial: Mapping[str, Any] | None) -> list[str]:
    """What is written in a state: an initial one in full, in others what differs from the first of these."""
    rows = state_rows(data["label"], None if data.get("initial") or initial is None else initial["label"], WORDS_MAX)
    told = [f"violates {data['violates']}"] if data.get("violates") else []
    for place, value in rows:
        folded = fold(clean(place if value is None else f"{place} {value}"), ROOM, SIZE, True)
        told += folded if len(folded) <= LINES_MAX else [*folded[: LINES_MAX - 1], "…"]
    return told


def _steps(graph: networkx.MultiDiGraph[Any]) -> dict[tuple[Any, Any], list[str]]:
    """The actions that lead from one state to another."""
    found: dict[tuple[Any, Any], dict[str, None]] = {}
    for tail, head, data in graph.edges(data=True):
        found.setdefault((tail, head), {})[str(data.get("action", ""))] = None
    return {ends: list(actions) for ends, actions in found.items()}


def _label(actions: Sequence[str]) -> str:
    shown = (
        actions
        if len(actions) <= ACTIONS_MAX
        else [*actions[: ACTIONS_MAX - 1], f"and {len(actions) - ACTIONS_MAX + 1} more"]
    )
    return ", ".join(shown)


def _size(lines: Sequence[str]) -> tuple[float, float]:
    return max(width(line, SIZE, True) for line in lines) + 2 * PADDING, LINE * len(lines) + 2 * PADDING


def _source(
    lines: Mapping[Any, Sequence[str]],
    names: Mapping[Any, str],
    steps: Mapping[tuple[Any, Any], Sequence[str]],
    clusters: Mapping[Any, str],
) -> str:
    """The Graphviz source that asks where everything stands."""
    import graphviz

    source = graphviz.Digraph(
        "states",
        graph_attr={"nodesep": "0.3", "ranksep": "0.45"},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"fontname": "Helvetica", "fontsize": "10", "arrowhead": "none"},
    )
    for number, title in enumerate(dict.fromkeys(clusters.values())):
        with source.subgraph(name=f"cluster_{number}") as part:
            part.attr(label=graphviz.nohtml(graphviz.escape(title)), fontsize="10", margin="10")
            for node in (node for node, of in clusters.items() if of == title):
                part.node(names[node])
    for node, own in lines.items():
        wide, high = _size(own)
        source.node(names[node], width=f"{wide / INCH:.3f}", height=f"{high / INCH:.3f}")
    for (tail, head), actions in steps.items():
        source.edge(names[tail], names[head], label=graphviz.nohtml(graphviz.escape(_label(actions))))
    return str(source.source)


def _laid_out(source: str) -> Any:
    from quorate.report.render import positions

    return json.loads(positions(source))


class _Drawing:
    """From positions to a scene. Graphviz counts heights from the foot."""

    def __init__(
        self,
        graph: Any,
        lines: Mapping[Any, Sequence[str]],
        names: Mapping[Any, str],
        run: list[Any],
        laid: Any,
        title: str,
    ) -> None:
        self.graph, self.lines, self.run, self.title = graph, lines, run, title
        self._nodes = {name: node for node, name in names.items()}
        _, _, self._wide, self._high = map(float, laid["bb"].split(","))
        self._objects, self._edges = laid.get("objects", []), laid.get("edges", [])

    def picture(self, steps: Mapping[tuple[Any, Any], Sequence[str]]) -> Picture:
        """Everything drawn."""
        scene = Scene(self._wide + 2 * MARGIN, self._high + 2 * MARGIN, f"The state graph of {self.title}")
        scene.foot = scene.height
        scene.description = (
            f"{len(self.graph)} states and {len(steps)} arrows; the run goes through {len(set(self.run))} of them."
        )
        for part in self._objects:
            if part["name"].startswith("cluster"):
                self._cluster(scene, part)
        rects = {
            self._nodes[part["name"]]: Rect.around(
                self._point(part["pos"]), float(part["width"]) * INCH, float(part["height"]) * INCH
            )
            for part in self._objects
            if part["name"] in self._nodes
        }
        taken = Counter(pairwise(self.run))
        of_edges = [self._nodes.get(part["name"]) for part in self._objects]
        for edge in self._edges:
            ends = of_edges[edge["tail"]], of_edges[edge["head"]]
            self._edge(scene, edge, _label(steps[ends]), ends in taken)
        return Picture(scene, tuple(self._state(scene, node, rects[node]) for node in self.graph))

    def _point(self, text: str) -> Point:
        x, y = map(float, text.split(","))
        return (x + MARGIN, self._high - y + MARGIN)

    def _cluster(self, scene: Scene, part: Any) -> None:
        left, foot, right, top = map(float, part["bb"].split(","))
        rect = Rect(left + MARGIN, self._high - top + MARGIN, right + MARGIN, self._high - foot + MARGIN)
        corners = ((rect.left, rect.top), (rect.right, rect.top), (rect.right, rect.bottom), (rect.left, rect.bottom))
        scene.curves.append(Curve(polyline(*corners, corners[0]), FADED, 1.2, "dashed"))
        x, y = self._point(part["lp"])
        scene.texts.append(Text(x, y, part["label"], 10, SOFT, anchor="middle"))

    def _edge(self, scene: Scene, edge: Any, label: str, is_taken: bool) -> None:
        points = tuple(self._point(pair) for pair in edge["pos"].split(" ") if not pair.startswith(("e,", "s,")))
        colour, pen = (WIRE, 2.6) if is_taken else (SOFT, 1.0)
        scene.curves.append(Curve(points, colour, pen, arrow=True))
        x, y = self._point(edge["lp"])
        scene.texts.append(
            Text(x, y, label, 10, WIRE if is_taken else SOFT, is_taken, anchor="middle", background=WHITE)
        )

    def _state(self, scene: Scene, node: Any, rect: Rect) -> Place:
        data, lines = self.graph.nodes[node], self.lines[node]
        at = tuple(step for step, there in enumerate(self.run) if there == node)
        stroke = BAD if data.get("violates") else WIRE if at else INK if data.get("initial") else SOFT
        pen = 3.2 if at and at[-1] == len(self.run) - 1 else 2.2 if at or data.get("initial") else 1.0
        scene.boxes.append(Box(rect, BAD_GROUND if data.get("violates") else WHITE, stroke, pen))
        for number, line in enumerate(lines):
            y = rect.top + PADDING + LINE * (number + 0.5)
            wrong = bool(data.get("violates")) and number == 0
            scene.texts.append(
                Text(rect.left + PADDING, y, line, SIZE, BAD if wrong else INK, wrong or bool(data.get("initial")))
            )
        return Place(node, rect, "; ".join(_told(data, at)), at)


def _told(data: Mapping[str, Any], at: Sequence[int]) -> Iterator[str]:
    """A state in words."""
    if data.get("initial"):
        yield "initial"
    if data.get("violates"):
        yield f"violates {data['violates']}"
    if at:
        yield f"the run is here after step {', '.join(map(str, at))}"
    for name, value in data["label"].items():
        yield f"{name} {clean(show(value, 400))}"
