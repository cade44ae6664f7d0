"""Processes of the Raft store, paused, cut off and killed, do what the specification `raft` says; edits of their log are named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from quorate.conform import Conforms, Differs, validate
from quorate.explore import check
from quorate_specs.consensus.raft import Raft as Specification

from tests.conform.raft_core import MAP, Line, line
from tests.conform.raft_processes import STEPS, Crashing, kill_and_wait, lines_of, told_cluster
from tests.conform.runs import write

Edit = tuple[str, str, Callable[[Line], Any]]


def shown(name: str, change: Callable[[Any], Any]) -> Callable[[Line], Any]:
    """An edit of what a server knows."""
    return lambda line: line["vars"].update({name: {line["node"]: change(line["vars"][name][line["node"]])}})


def told(name: str, change: Callable[[Any], Any]) -> Callable[[Line], Any]:
    """An edit of a field of the message."""
    return lambda line: line["args"]["m"].update({name: change(line["args"]["m"][name])})


EDITS: tuple[Edit, ...] = (
    ("handle_append", "another term", shown("term", lambda term: term + 1)),
    ("handle_append", "a commit index too far", shown("commit_index", lambda index: index + 1)),
    ("request", "a shorter log", shown("log_length", lambda length: length - 1)),
    ("request", "no last entry", shown("last_entry", lambda _: None)),
    ("handle_append", "it leads", shown("leads", lambda leads: not leads)),
    ("handle_append", "another vote", shown("voted_for", lambda voted: "n2" if voted != "n2" else "n3")),
    ("commit", "another entry", lambda line: line["args"].update(i=line["args"]["i"] + 1_000)),
    ("handle_append", "after another entry", told("prev_index", lambda index: index + 1)),
    ("handle_append", "a message of another term", told("term", lambda term: term + 1)),
    ("request", "another event", lambda line: line.update(event="restart", args={})),
)
"""Ten edits of one field: of which event, what is edited, and how."""


def edited(lines: list[Line], after: int, edit: Edit) -> tuple[int, list[Line]]:
    """The first event after a position of which all is told, with an edit; and the log up to some events later."""
    event, _, change = edit
    number = next(i for i, line in enumerate(lines) if i >= after and line["event"] == event and line["vars"])
    line = copy.deepcopy(lines[number])
    change(line)
    return number, [*lines[:number], line, *lines[number + 1 : number + 50]]


@pytest.mark.deep
def test_processes_that_are_paused_and_cut_off_do_what_the_specification_says(tmp_path: Path) -> None:
    lines, counts = told_cluster(tmp_path, 4, seed=1)
    assert counts["ok"] > 20
    verdict = validate([write(tmp_path / "log.jsonl", lines)], Specification, MAP, "raft")
    assert isinstance(verdict, Conforms)
    assert verdict.coverage.events == len(lines) > 200
    for position, edit in enumerate(EDITS):
        number, mutant = edited(lines, len(lines) // 20 * position, edit)
        verdict = validate([write(tmp_path / "edited.jsonl", mutant)], Specification, MAP, "raft")
        assert isinstance(verdict, Differs), edit[1]
        assert (verdict.event.line, verdict.coverage.events) == (number + 1, number), edit[1]


def wrote(path: Path, *written: list[Any]) -> None:
    path.mkdir()
    (path / STEPS).write_text("".join(json.dumps(each) + "\n" for each in written) + '[9, "te')


def knows(term: int, voted_for: str | None, log_length: int, leads: bool = False) -> Line:
    last = {"term": 1, "command": f"c{log_length}"} if log_length else None
    return {
        "term": term,
        "voted_for": voted_for,
        "leads": leads,
        "commit_index": 0,
        "log_length": log_length,
        "last_entry": last,
    }


def test_what_a_node_had_not_on_its_disk_is_taken_back(tmp_path: Path) -> None:
    votes = [line("handle_request", "n1", {"m": {"term": term}}, knows(term, "n2", 0)) for term in (1, 2)]
    wrote(
        tmp_path / "n1",
        [1, "tell", [votes[0]]],
        [3, "tell", [votes[1]]],
        [4, "recovers", ["n1", knows(1, "n2", 0)]],
        [5, "tell", [line("handle_request", "n1", {"m": {"term": 1}}, {})]],
    )
    wrote(tmp_path / "n2", [2, "tell", [line("time_out", "n2", {}, knows(1, "n2", 0))]])
    assert [(each["event"], each["node"]) for each in lines_of(tmp_path)] == [
        ("handle_request", "n1"),
        ("time_out", "n2"),
        ("crash", "n1"),
    ]


def test_what_a_leader_has_sent_is_not_taken_back(tmp_path: Path) -> None:
    wrote(
        tmp_path / "n1",
        [1, "tell", [line("win", "n1", {}, knows(1, "n1", 0, True))]],
        [2, "tell", [line("request", "n1", {"c": "c1"}, knows(1, "n1", 1, True))]],
        [3, "tell", [line("request", "n1", {"c": "c2"}, knows(1, "n1", 2, True))]],
        [4, "recovers", ["n1", knows(2, None, 1)]],
    )
    *led, crash = lines_of(tmp_path)
    assert [each["event"] for each in led] == ["win", "request", "request"]
    assert crash["event"] == "crash" and crash["args"] == {"kept": 1}
    assert crash["vars"].keys() == {"leads", "commit_index", "log_length", "last_entry"}


@pytest.mark.slow
def test_a_leader_may_lose_what_its_disk_does_not_have() -> None:
    """Servers that crash so keep what the specification promises."""
    outcome = check(Crashing.bounded(Term=2, Index=1))
    assert outcome.statistics.actions["crash"] > 0
    assert {one.property for one in outcome.judgements if one.status not in ("holds", "holds-within-bounds")} == {
        "commits_for_predecessor"  # Which takes two entries.
    }


@pytest.mark.slow
def test_processes_that_are_killed_do_what_the_specification_says(tmp_path: Path) -> None:
    lines, counts = told_cluster(tmp_path, 3, seed=1, troubles=(kill_and_wait,))
    assert counts["ok"] > 20 and sum(each["event"] == "crash" for each in lines) > 1
    verdict = validate([write(tmp_path / "log.jsonl", lines)], Crashing, MAP, "raft with crashes")
    assert isinstance(verdict, Conforms) and verdict.coverage.events == len(lines)
