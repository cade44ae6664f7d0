"""Processes of the Raft store, paused and cut off under load, do what the specification `raft` says; edits of their log are named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from quorate.conform import Conforms, Differs, validate
from quorate_specs.consensus.raft import Raft as Specification

from tests.conform.raft_core import MAP, Line
from tests.conform.raft_processes import told_cluster
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


@pytest.mark.slow
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
