"""A state graph as data: JSON lines, GraphML, and projections onto some of the variables.

JSON lines (`quorate-graph-1`): the first line is about the graph (`format`, `name`, `orbits`: the sorts whose members are
interchanged freely, `projected`: the variables it was projected onto, or null); then one line for each state (`state`: its number,
`initial`, `violates`, `cuts`, `variables`), then one for each edge (`edge`: from and to, `action`, `arguments`, `fair`,
`renamed`). Values are in the form of traces (see `quorate.trace`).

GraphML has the same as attributes of nodes and edges, values as texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from quorate.errors import UsageError, unknown
from quorate.report.scene import clean
from quorate.report.values import show
from quorate.trace import Json

if TYPE_CHECKING:
    import networkx

FORMAT = "quorate-graph-1"


def project(graph: networkx.MultiDiGraph[Any], variables: Sequence[str]) -> networkx.MultiDiGraph[int]:
    """The graph of what these variables can be: states that agree in them are one, edges of the same action with the same arguments are
    one, and edges that change none of them and stay in their state are left out.

    A path in it need not be a run: it may leave a state that stands for several by an edge of another one. Raises UsageError for
    a variable that there is not, and where none is named.
    """
    import networkx

    variables = tuple(dict.fromkeys(variables))
    if not variables:
        raise UsageError("--project takes the names of variables, as in `--project role,term`; it names none.")
    result: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(**graph.graph, projected=variables)
    numbers: dict[str, int] = {}
    place: dict[Any, int] = {}
    for node, data in graph.nodes(data=True):
        for name in variables:
            if name not in data["label"]:
                raise unknown("variable", name, data["label"])
        label = {name: data["label"][name] for name in variables}
        number = place[node] = numbers.setdefault(json.dumps(label, sort_keys=True), len(numbers))
        if number not in result:
            result.add_node(number, label=label, initial=False, violates=None, cuts=0)
        known = result.nodes[number]
        known["initial"] |= bool(data.get("initial"))
        known["violates"] = known["violates"] or data.get("violates")
        known["cuts"] += data.get("cuts", 0)
    seen: set[str] = set()
    for tail, head, data in graph.edges(data=True):
        key = json.dumps([place[tail], place[head], data.get("action"), data.get("label")], sort_keys=True)
        if place[tail] != place[head] and key not in seen:
            seen.add(key)
            result.add_edge(place[tail], place[head], **data)
    return result


def json_lines(graph: networkx.MultiDiGraph[Any]) -> Iterator[str]:
    """The lines of the JSON form, without their ends."""
    about = {"format": FORMAT, "name": graph.graph.get("name", ""), "orbits": list(graph.graph.get("orbits", ()))}
    projected = graph.graph.get("projected")
    yield _line(about | {"projected": None if projected is None else list(projected)})
    numbers = {node: number for number, node in enumerate(graph)}
    for node, data in graph.nodes(data=True):
        yield _line(
            {
                "state": numbers[node],
                "initial": bool(data.get("initial")),
                "violates": data.get("violates"),
                "cuts": data.get("cuts", 0),
                "variables": data["label"],
            }
        )
    for tail, head, data in graph.edges(data=True):
        yield _line(
            {
                "edge": [numbers[tail], numbers[head]],
                "action": data.get("action", ""),
                "arguments": data.get("label", {}),
                "fair": data.get("fair"),
                "renamed": data.get("renamed", {}),
            }
        )


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def graphml(graph: networkx.MultiDiGraph[Any]) -> bytes:
    """The graph as GraphML, for Gephi, yEd and others."""
    import networkx

    plain: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(name=clean(str(graph.graph.get("name", ""))))
    numbers = {node: number for number, node in enumerate(graph)}
    for node, data in graph.nodes(data=True):
        values = {name: clean(show(value)) for name, value in data["label"].items()}
        about = {
            "initial": bool(data.get("initial")),
            "violates": data.get("violates") or "",
            "cuts": data.get("cuts", 0),
        }
        plain.add_node(numbers[node], **{f"variable {name}": value for name, value in values.items()}, **about)
    for tail, head, data in graph.edges(data=True):
        arguments = ", ".join(f"{name}={show(value)}" for name, value in data.get("label", {}).items())
        renamed = ", ".join(f"{old}={new}" for old, new in data.get("renamed", {}).items())
        about = {"action": data.get("action", ""), "fair": data.get("fair") or ""}
        plain.add_edge(numbers[tail], numbers[head], arguments=clean(arguments), renamed=renamed, **about)
    written = BytesIO()
    networkx.write_graphml(plain, written)
    return written.getvalue()
