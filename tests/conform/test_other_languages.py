"""The example in Go is driven, and its log is judged; each planted mistake is caught. Skipped where Go is not installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from quorate.conform import Conforms, Differs, drive, load_adapter, validate
from quorate.conform.mapping import load_map
from quorate.outcome import Exit
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

from tests.conform.test_edges import FILES
from tests.docs.pages import DOCS, blocks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed: the example in Go is not run"),
]
GO = {
    block.note.partition(": ")[2]: block.text
    for block in blocks(DOCS / "conformance.md")
    if block.note.startswith("go: ")
}

MISTAKES = {
    "commits when it has a majority": (
        "len(s.votes) < len(participants)",
        "2*len(s.votes) < len(participants)",
        "commit",
    ),
    "gives up after it has voted": (
        'if s.state[name] == "working" {\n\t\ts.become(name, "aborted"',
        'if s.state[name] != "" {\n\t\ts.become(name, "aborted"',
        "choose_to_abort",
    ),
    "commits what is aborted": ('"abort": "aborted"}', '"abort": "committed"}', "obey_abort"),
    "votes without preparing": (
        's.become(name, "prepared", "prepare")',
        's.become(name, "working", "prepare")',
        "prepare",
    ),
    "votes again after its decision": (
        'if s.state[name] == "working" {\n\t\ts.network',
        'if s.state[name] != "" {\n\t\ts.network',
        "prepare",
    ),
    "decides twice": ('if s.decision != "init" || verdict', "if verdict", "abort"),
    "counts votes after its decision": ('if s.decision != "init" {', 'if s.decision == "" {', "receive_prepared"),
}


def build(folder: Path, old: str = "", new: str = "") -> None:
    source = GO["server.go"]
    assert not old or source.count(old) == 1
    (folder / "server.go").write_text(source.replace(old, new) if old else source, encoding="utf-8")
    (folder / "server_adapter.py").write_text(GO["server_adapter.py"], encoding="utf-8")
    subprocess.run(["go", "build", "-o", "server", "server.go"], cwd=folder, check=True)


def test_a_program_in_go_is_driven_and_its_log_is_judged(tmp_path: Path) -> None:
    build(tmp_path)
    adapter = load_adapter(tmp_path / "server_adapter.py")()
    try:
        driven = drive(adapter, TwoPhaseCommit, "two_phase_commit", {})
    finally:
        adapter.close()
    assert driven.exit_code is Exit.SUCCESS and driven.covered == driven.total == 1145
    (tmp_path / "commit_map.py").write_text(FILES["commit_map.py"], encoding="utf-8")
    mapping = load_map(tmp_path / "commit_map.py")
    for seed in range(10):
        assert isinstance(validate([log(tmp_path, seed)], TwoPhaseCommit, mapping, "two_phase_commit"), Conforms)


def log(folder: Path, seed: int) -> str:
    done = subprocess.run([folder / "server", str(seed)], capture_output=True, check=True)
    (folder / "log.jsonl").write_bytes(done.stdout)
    return str(folder / "log.jsonl")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_planted_mistake_in_go_is_caught(mistake: str, tmp_path: Path) -> None:
    """By a log, at the named event; which run meets it is chance."""
    old, new, event = MISTAKES[mistake]
    build(tmp_path, old, new)
    (tmp_path / "commit_map.py").write_text(FILES["commit_map.py"], encoding="utf-8")
    mapping = load_map(tmp_path / "commit_map.py")
    for seed in range(300):
        verdict = validate([log(tmp_path, seed)], TwoPhaseCommit, mapping, "two_phase_commit")
        if isinstance(verdict, Differs):
            assert verdict.event.name == event
            return
    pytest.fail("no run meets it")
