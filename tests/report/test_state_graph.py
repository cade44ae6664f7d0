"""State graphs: every state and step is drawn, states by their difference from the start, and too many are refused."""

import xml.etree.ElementTree as ET
from typing import Any

import networkx
import pytest
from quorate.errors import UsageError
from quorate.report.graph import state_graph
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
    with pytest.raises(UsageError, match=r"201 states.*--bound"):
        state_graph(graph)
    assert state_graph(graph, nodes_max=201).count("as at the start") == 0
