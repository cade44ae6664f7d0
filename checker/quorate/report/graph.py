"""A small state graph as a drawing: the initial states in full, every other state by what differs from the first of
them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from quorate.errors import UsageError
from quorate.report.palette import BAD, BAD_GROUND, FADED, INK, SOFT
from quorate.report.scene import clean
from quorate.report.values import differences, show
from quorate.trace import Json

if TYPE_CHECKING:
    import networkx

NODES_MAX = 200
"""More states than this cannot be read in a picture, and take long to lay out."""

WIDTH, WIDTH_MAX = 32, 2048
"""Characters of a value: at first, and at most, where states would look alike."""


def state_graph(graph: networkx.DiGraph[Any], title: str = "states", nodes_max: int = NODES_MAX) -> str:
    """The Graphviz source of a state graph; `render` draws it with the layout `dot`.

    Nodes carry `label` (the state's variables as JSON values), `initial`, and `violates` (a property's name or None);
    edges `action` and `fair`. Nodes and edges are drawn in the order of the graph. Raises `UsageError` above
    `nodes_max` states.
    """
    import graphviz

    if len(graph) > nodes_max:
        raise UsageError(
            f"The state graph has {len(graph):,} states; a drawing of more than {nodes_max:,} cannot be read. "
            "Lower the bounds, such as `--bound Server=2`, so that the spec has fewer states, look at some variables only "
            "(`--project NAME,NAME`), or raise the limit (`--max-states`)."
        )
    source = graphviz.Digraph(
        clean(title).replace(":", " -").replace("\\", "/"),
        graph_attr={
            "bgcolor": "white",
            "pad": "0.2",
            "nodesep": "0.35",
            "ranksep": "0.5",
            "fontname": "Helvetica",
            "fontsize": "10",
            "fontcolor": SOFT,
            "labeljust": "l",
            "comment": f"The state graph of {clean(title)}: {len(graph)} states, {graph.number_of_edges()} steps.".replace(
                "\\", "/"
            ),
        },
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "fillcolor": "white",
            "color": SOFT,
            "fontname": "Helvetica",
            "fontsize": "10",
            "margin": "0.08,0.04",
        },
        edge_attr={"fontname": "Helvetica", "fontsize": "10", "color": SOFT, "fontcolor": INK, "arrowsize": "0.7"},
    )
    fair = {bool(data.get("fair", True)) for _, _, data in graph.edges(data=True)}
    legend = "".join(f"{graphviz.escape(line)}\\l" for line in _legend(graph, fair))
    source.attr(label=graphviz.nohtml(legend))
    names = {node: f"s{number}" for number, node in enumerate(graph)}
    initial = next((data["label"] for _, data in graph.nodes(data=True) if data.get("initial")), None)
    width = _width(graph, initial)
    for node, data in graph.nodes(data=True):
        _add_node(source, names[node], data, initial, width)
    for (tail, head), actions in _edges(graph).items():
        label = "\\n".join(graphviz.escape(clean(action).replace("&", "&amp;")) for action in _few(list(actions)))
        style = {} if any(actions.values()) or len(fair) == 1 else {"style": "dashed", "color": FADED}
        source.edge(names[tail], names[head], label=graphviz.nohtml(f" {label}"), **style)
    return str(source.source)


def _legend(graph: networkx.DiGraph[Any], fair: set[bool]) -> Iterator[str]:
    """What a reader must know of the marks that occur."""
    yield "Bold frame: an initial state, in full. Other states: what differs from the first of them."
    if any(data.get("violates") for _, data in graph.nodes(data=True)):
        yield "Red: a property is violated there."
    if fair == {True, False}:
        yield "A dashed step may be put off for ever; a solid one is fair."
    elif fair == {False}:
        yield "No step is fair: each may be put off for ever."
    orbits = graph.graph.get("orbits")
    if orbits:
        yield f"A state stands for all that differ from it by the names of {', '.join(orbits)} only."
    if any(data.get("renamed") for _, _, data in graph.edges(data=True)):
        yield "p1→p2 in brackets: who was p1 before the step is called p2 in the state after it."
    if graph.graph.get("projected") is not None:
        yield f"Only {', '.join(graph.graph['projected'])} are looked at: a path need not be a run."


ACTIONS_MAX = 6
"""Labels of one arrow that are written out."""


def _few(actions: list[str]) -> list[str]:
    if len(actions) <= ACTIONS_MAX:
        return actions
    return [*actions[: ACTIONS_MAX - 1], f"and {len(actions) - ACTIONS_MAX + 1} more"]


def _edges(graph: networkx.DiGraph[Any]) -> dict[tuple[Hashable, Hashable], dict[str, bool]]:
    """The steps that lead from one state to another, and whether each is fair; several share one arrow."""
    found: dict[tuple[Hashable, Hashable], dict[str, bool]] = {}
    for tail, head, data in graph.edges(data=True):
        arguments = ", ".join(show(value, WIDTH) for value in data.get("label", {}).values())
        renamed = ", ".join(f"{old}→{new}" for old, new in data.get("renamed", {}).items())
        step = (
            str(data.get("action", "")) + (f"({arguments})" if arguments else "") + (f" [{renamed}]" if renamed else "")
        )
        found.setdefault((tail, head), {})[step] = bool(data.get("fair", True))
    return found


def _width(graph: networkx.DiGraph[Any], initial: dict[str, Json] | None) -> int:
    """How long values may be so that different states look different."""
    width = WIDTH
    labels = [(data["label"], data.get("initial")) for _, data in graph.nodes(data=True)]
    different = len({show_state(label) for label, _ in labels})
    while width < WIDTH_MAX:
        if len({str(state_rows(label, None if first else initial, width)) for label, first in labels}) >= different:
            break
        width *= 2
    return width


def show_state(label: dict[str, Json]) -> str:
    """All values of a state in one line."""
    return "; ".join(f"{name} {show(value)}" for name, value in label.items())


def _add_node(source: Any, name: str, data: dict[str, Any], initial: dict[str, Json] | None, width: int) -> None:
    violated = data.get("violates")
    rows = state_rows(data["label"], None if data.get("initial") else initial, width)
    style: dict[str, str] = {"penwidth": "2.2", "color": INK} if data.get("initial") else {}
    if violated:
        rows = [(f"violates {violated}", None), *rows]
        style |= {"color": BAD, "fillcolor": BAD_GROUND, "penwidth": "2.2"}
    source.node(name, label=_table(rows), tooltip=name, **style)


def state_rows(state: dict[str, Json], initial: dict[str, Json] | None, width: int) -> list[tuple[str, str | None]]:
    """The lines of a state, where there is an `initial` one those in which it differs: (place, value); a place without a value is a
    remark."""
    if initial is None:
        return [(variable, show(value, width)) for variable, value in state.items()] or [("(no variables)", None)]
    rows: list[tuple[str, str | None]] = []
    for variable, value in state.items():
        if variable not in initial:
            rows.append((variable, show(value, width)))
            continue
        for change in differences(initial[variable], value, width):
            sign = (
                "" if change.old is not None and change.new is not None else "+ " if change.old is None else "without "
            )
            rows.append((variable + change.path, sign + (change.new if change.new is not None else change.old or "")))
    return rows or [("as at the start", None)]


def _table(rows: list[tuple[str, str | None]]) -> str:
    cells = "".join(
        f'<TR><TD ALIGN="LEFT" COLSPAN="2"><B>{_html(place)}</B></TD></TR>'
        if value is None
        else f'<TR><TD ALIGN="LEFT">{_html(place)}</TD><TD ALIGN="LEFT"><B>{_html(value)}</B></TD></TR>'
        for place, value in rows
    )
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{cells}</TABLE>>'


def _html(text: str) -> str:
    return escape(clean(text), quote=False) or " "
