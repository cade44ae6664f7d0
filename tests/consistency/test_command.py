"""`quorate history` as a user meets it: exit codes, text, JSON, pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from quorate.cli import cli
from quorate.errors import QuorateError

STALE = [
    {"process": 0, "type": "invoke", "f": "write", "value": 1},
    {"process": 0, "type": "ok", "f": "write"},
    {"process": 1, "type": "invoke", "f": "read"},
    {"process": 1, "type": "ok", "f": "read", "value": None},
]
SKEW = """{:process 0 :type :invoke :f :txn :value [[:r x nil] [:append y 1]]}
{:process 1 :type :invoke :f :txn :value [[:r y nil] [:append x 1]]}
{:process 0 :type :ok :f :txn :value [[:r x nil] [:append y 1]]}
{:process 1 :type :ok :f :txn :value [[:r y nil] [:append x 1]]}
"""


@pytest.fixture
def stale(tmp_path: Path) -> Path:
    file = tmp_path / "stale.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in STALE))
    return file


@pytest.fixture
def skew(tmp_path: Path) -> Path:
    file = tmp_path / "skew.edn"
    file.write_text(SKEW)
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["history", *map(str, arguments)])


def test_a_violation_exits_with_1_and_shows_the_operations(stale: Path) -> None:
    result = run(stale)
    assert result.exit_code == 1
    assert "violated: linearizable, register, 2 operations" in result.output
    assert "process 1: read() = nil" in result.output


def test_a_satisfied_level_exits_with_0(stale: Path) -> None:
    result = run(stale, "--level", "sequential", "--engine", "python")
    assert (result.exit_code, result.output.split(":")[0]) == (0, "satisfied")


def test_json_has_the_evidence(skew: Path) -> None:
    result = run(skew, "--level", "serializable", "--format", "json")
    found = json.loads(result.output)
    assert (result.exit_code, found["verdict"], found["model"]) == (1, "violated", "list-append")
    assert found["evidence"]["anomaly"] == "G2-item: write skew" and len(found["evidence"]["edges"]) == 2


def test_a_limit_that_was_hit_is_unknown_and_exits_with_3(tmp_path: Path) -> None:
    file = tmp_path / "hard.jsonl"
    events = [{"process": p, "type": kind, "f": "add", "value": p} for kind in ("invoke", "ok") for p in range(30)]
    events += [{"process": 99, "type": kind, "f": "read", "value": [77]} for kind in ("invoke", "ok")]
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    result = run(file, "--model", "set", "--max-steps", 10_000)
    assert result.exit_code == 3 and result.output.startswith("unknown")


def test_pictures_and_the_verdict_are_written(stale: Path, skew: Path, tmp_path: Path) -> None:
    run(stale, "--out", tmp_path / "a")
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"timeline.svg", "verdict.json"}
    assert "not linearizable" in (tmp_path / "a" / "timeline.svg").read_text()
    run(skew, "--level", "serializable", "--out", tmp_path / "b")
    picture = (tmp_path / "b" / "cycle.svg").read_text()
    assert "write skew" in picture and "append y 1" in picture
    assert json.loads((tmp_path / "b" / "verdict.json").read_text())["verdict"] == "violated"


def test_causal_violations_are_drawn_both_ways(tmp_path: Path) -> None:
    file = tmp_path / "causal.jsonl"
    steps = [
        (0, "write", "x", 1),
        (1, "read", "x", 1),
        (1, "write", "y", 1),
        (2, "read", "y", 1),
        (2, "read", "x", None),
    ]
    events = [{"process": p, "type": t, "f": f, "key": k, "value": v} for p, f, k, v in steps for t in ("invoke", "ok")]
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    result = run(file, "--level", "causal", "--out", tmp_path / "c")
    assert result.exit_code == 1 and "WriteCOInitRead" in result.output
    assert {p.name for p in (tmp_path / "c").iterdir()} == {"cycle.svg", "timeline.svg", "verdict.json"}


def test_without_a_compiler_it_answers_and_says_so(stale: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quorate import cc
    from quorate.consistency import native

    def none(*_: object) -> None:
        raise cc.NoCompiler("There is no C compiler.")

    monkeypatch.setattr(native, "library", none)
    result = run(stale, "--model", "cas-register")
    assert result.exit_code == 1 and "note: There is no C compiler; the search runs in Python" in result.output


def test_levels_are_listed(stale: Path) -> None:
    result = run(stale, "--level", "help")
    assert result.exit_code == 0 and "strict-serializable" in result.output and "Herlihy & Wing 1990" in result.output


@pytest.mark.parametrize("arguments", [["--model", "registre"], ["--level", "strong"], ["--input", "yaml"]])
def test_a_wrong_name_is_an_error_that_lists_the_right_ones(stale: Path, arguments: list[str]) -> None:
    result = run(stale, *arguments)
    assert isinstance(result.exception, QuorateError) and "Known: " in str(result.exception)


def test_all_levels_in_one_run_name_the_strongest(tmp_path: Path) -> None:
    steps = [["append", "x", 1]], [["r", "x", None]]
    answers = [["append", "x", 1]], [["r", "x", []]]  # The session does not see its own append.
    events = [
        {"process": 0, "type": kind, "f": "txn", "value": value}
        for asked, answered in zip(steps, answers, strict=True)
        for kind, value in (("invoke", asked), ("ok", answered))
    ]
    file = tmp_path / "forgetful.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    result = run(file, "--level", "all")
    assert result.exit_code == 1
    assert "The strongest that hold: serializable.\n" in result.output, result.output
