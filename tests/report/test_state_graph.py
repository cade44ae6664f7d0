"""State graphs: every state and step is drawn, states by their difference from the start, and too many are refused."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import networkx
import pytest
from quorate.errors import UsageError
from quorate.report.graph import state_graph
from quorate.report.graph_data import graphml, json_lines, project
from quorate.report.render import svg
from report_traces import mapping, members


def mutex() -> "networkx.DiGraph[Any]":
    graph: networkx.DiGraph[Any] = networkx.DiGraph()
    states = [("out", "out", ()), ("asks", "out", ("p1",)), ("in", "out", ()), ("in", "in", ())]
    for number, (first, second, waiting) in enumerate(states):
        graph.add_node(
            number,
            label={"where": mapping(p1=first, p2=second), "waiting": members(*waiting)},
            initial=number == 0,
            violates="mutual_exclusion" if number == 3 else None,
        )
    for tail, head, action, fair in [
        (0, 1, "ask", False),
        (1, 2, "enter", True),
        (2, 3, "enter", True),
        (2, 0, "leave", True),
        (2, 2, "stay & <wait>", False),
    ]:
        graph.add_edge(tail, head, action=action, fair=fair)
    return graph


def texts(graph: "networkx.DiGraph[Any]") -> list[str]:
    root = ET.fromstring(svg(state_graph(graph, "mutex")))
    return [
        (element.text or "").replace("\xa0", " ").strip() for element in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def test_states_are_shown_by_what_differs_from_the_start() -> None:
    found = texts(mutex())
    assert found.count("{p1: out, p2: out}") == 1
    assert found.count("waiting") == 2  # The initial state and the one that differs in it.
    assert found.count("where[p2]") == 1
    assert "violates mutual_exclusion" in found
    assert {"ask", "enter", "leave", "stay & <wait>"} <= set(found)


def test_the_source_has_all_states_and_steps_and_is_deterministic() -> None:
    source = state_graph(mutex())
    assert source == state_graph(mutex())
    assert source.count(" -> ") == 5 and source.count("<TABLE") == 4
    assert source.count("style=dashed") == 2
    assert "may be put off for ever; a solid one is fair" in source
    for _, _, data in (graph := mutex()).edges(data=True):
        data["fair"] = None
    assert "style=dashed" not in state_graph(graph) and "No step is fair" in state_graph(graph)


def test_parallel_actions_share_an_arrow() -> None:
    graph: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph()
    graph.add_node(0, label={"x": 0}, initial=True, violates=None)
    graph.add_node(1, label={"x": 1}, initial=False, violates=None)
    graph.add_edge(0, 1, action="one", fair=True)
    graph.add_edge(0, 1, action="other", fair=True)
    assert state_graph(graph).count(" -> ") == 1
    assert {"one", "other", "x"} <= set(texts(graph))


def test_too_many_states_are_refused_with_what_to_do() -> None:
    graph: networkx.DiGraph[Any] = networkx.DiGraph()
    graph.add_nodes_from(range(201), label={}, initial=False, violates=None)
    with pytest.raises(UsageError, match=r"201 states.*--bound.*--project.*--max-states"):
        state_graph(graph)
    assert state_graph(graph, nodes_max=201).count("as at the start") == 0


def test_different_states_look_different_however_long_their_values_are() -> None:
    graph: networkx.DiGraph[Any] = networkx.DiGraph()
    for number in range(3):
        log = [f"an entry of some length, number {index}" for index in range(4)] + [number]
        graph.add_node(number, label={"log": log}, initial=True, violates=None)
    found = [text for text in texts(graph) if text.startswith("[")]
    assert len(found) == len(set(found)) == 3


def swapping() -> "networkx.MultiDiGraph[Any]":
    graph: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph(name="S", orbits=("P",))
    graph.add_node(0, label={"x": mapping(p1=0, p2=0), "t": 0}, initial=True, violates=None, cuts=0)
    graph.add_node(1, label={"x": mapping(p1=0, p2=1), "t": 1}, initial=False, violates="few", cuts=2)
    graph.add_node(2, label={"x": mapping(p1=0, p2=1), "t": 2}, initial=False, violates=None, cuts=0)
    graph.add_edge(0, 1, action="up", label={"p": "p1"}, fair=None, renamed={"p1": "p2", "p2": "p1"})
    graph.add_edge(0, 1, action="up", label={"p": "p2"}, fair=None, renamed={})
    graph.add_edge(1, 2, action="tick", label={}, fair=None, renamed={})
    return graph


def test_who_is_called_what_after_a_step_stands_on_its_arrow() -> None:
    found = texts(swapping())
    assert {"up(p1) [p1→p2, p2→p1]", "up(p2)"} <= set(found)
    assert any("names of P only" in text for text in found)


def test_a_graph_is_data_too() -> None:
    about, *lines = [json.loads(line) for line in json_lines(swapping())]
    assert about == {"format": "quorate-graph-1", "name": "S", "orbits": ["P"], "projected": None}
    assert [line["violates"] for line in lines[:3]] == [None, "few", None]
    assert lines[3] == {
        "edge": [0, 1],
        "action": "up",
        "arguments": {"p": "p1"},
        "fair": None,
        "renamed": {"p1": "p2", "p2": "p1"},
    }
    again = networkx.parse_graphml(graphml(swapping()).decode("utf-8"), node_type=int, force_multigraph=True)
    assert (len(again), again.number_of_edges()) == (3, 3)
    assert again.nodes[1]["variable x"] == "{p1: 0, p2: 1}" and again.nodes[1]["violates"] == "few"


def test_a_projection_joins_states_that_agree_and_leaves_out_steps_that_change_nothing() -> None:
    seen = project(swapping(), ["x"])
    assert (len(seen), seen.number_of_edges()) == (2, 2)
    assert (seen.nodes[1]["violates"], seen.nodes[1]["cuts"]) == ("few", 2)
    assert "a path need not be a run" in state_graph(seen)
    with pytest.raises(UsageError, match="no variable 'y'"):
        project(swapping(), ["y"])
    with pytest.raises(UsageError, match="it names none"):
        project(swapping(), [])
    assert project(swapping(), ["x", "x"]).graph["projected"] == ("x",)
