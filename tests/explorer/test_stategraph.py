"""The state graph of the explorer: states that agree are one, the run is marked, and whoever is taken to a state is there."""

from __future__ import annotations

from typing import Any

import networkx
import pytest
from quorate.errors import UsageError
from quorate.explore.graph import state_graph
from quorate.explorer.session import Session
from quorate.loading import load
from quorate.report.graph_data import project
from quorate.report.graph_scene import CYCLES, clusters_of, graph_picture

START: Any = {"initial": {}, "steps": []}


def election() -> Session:
    return Session(load("raft_election"), {"Server": 2, "Term": 1}, 1)


def asked(session: Session, question: str, run: Any = START, **more: Any) -> Any:
    return session.answer(question, {"variant": None, "run": run, "at": len(run["steps"]), **more})


def test_states_that_agree_in_what_is_looked_at_are_one() -> None:
    found = asked(election(), "graph", project=["role", "term"])
    whole = state_graph(load("raft_election").main.bounded(Server=2, Term=1))
    labels = {str([data["label"][name] for name in ("term", "role")]) for _, data in whole.nodes(data=True)}
    assert len(found["states"]) == len(labels) == len(found["scene"]["boxes"])
    assert found["project"] == ["term", "role"], "in the order of the specification"
    assert f"{len(whole)} states, drawn as {len(labels)}" in found["words"]


@pytest.mark.slow
def test_without_a_choice_the_picture_can_be_read() -> None:
    whole = asked(election(), "graph")
    assert whole["project"] == whole["variables"] and whole["words"].startswith("All")
    some = asked(Session(load("quorum_register"), {"Reader": 1}, 1), "graph")
    assert 0 < len(some["project"]) < len(some["variables"]) and len(some["states"]) <= 40


def test_the_run_is_marked_and_every_state_can_be_visited() -> None:
    session = election()
    graph = asked(session, "graph", project=["role"])
    for state in graph["states"]:
        visit = asked(session, "visit", project=["role"], node=state["node"])
        there = asked(session, "graph", visit["run"], project=["role"])
        at = next(one for one in there["states"] if len(visit["run"]["steps"]) in one["steps"])
        assert at["name"].rpartition("; ")[2] == state["name"].rpartition("; ")[2] and visit["from"] == "here"
        thick = [curve for curve in there["scene"]["curves"] if curve.get("pen") == 2.6]
        assert len(thick) <= len(visit["run"]["steps"]) and bool(thick) == (at["node"] != graph["states"][0]["node"])


def test_what_cannot_be_reached_from_here_is_reached_from_the_start() -> None:
    session = election()
    run = asked(session, "walk", steps=6, seed=1)["run"]
    first = asked(session, "graph", project=["term"])["states"][0]
    back = asked(session, "visit", run, project=["term"], node=first["node"])
    assert back == {"from": "start", "run": START}


def test_clusters_are_values_or_the_cycles_of_networkx() -> None:
    graph = project(state_graph(load("raft_election").main.bounded(Server=2, Term=1)), ["role"])
    assert len(set(clusters_of(graph, "role").values())) == len(graph)
    cycles = [part for part in networkx.strongly_connected_components(graph) if len(part) > 1]
    assert cycles and set(clusters_of(graph, CYCLES)) == set().union(*cycles)
    drawn = graph_picture(graph, (), CYCLES).scene
    assert sum(curve.style == "dashed" for curve in drawn.curves) == len(cycles)


def test_a_violation_is_red() -> None:
    session = Session(load("two_phase_commit"), {}, 1)
    found = session.answer("graph", {"variant": "CommitByMajority", "run": START, "at": 0, "project": ["rm"]})
    marked = [state for state in found["states"] if "violates " in state["name"]]
    assert marked and sum(text["text"].startswith("violates") for text in found["scene"]["texts"]) == len(marked)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"project": ["nothing"]}, "Choose from the variables"),
        ({"project": []}, "Choose from the variables"),
        ({"project": ["role"], "cluster": 1}, "`cluster` is the name"),
    ],
)
def test_what_cannot_be_drawn_is_refused(more: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked(election(), "graph", **more)


def test_too_many_states_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"more than 3,000 states with Client=4.*--bound"):
        asked(Session(load("lease_lock"), {}, 1), "graph")
    with pytest.raises(UsageError, match="no such state"):
        asked(election(), "visit", project=["role"], node=999)
    whole = state_graph(load("two_phase_commit").main)
    with pytest.raises(UsageError, match="would have 288 states"):
        graph_picture(whole)
