"""A counterexample to induction is a step from a hypothetical state, and is shown, stored and replayed as one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from quorate.commands.draw import command as draw
from quorate.commands.prove import command as prove
from quorate.commands.replay import command as replay
from quorate.kinds import HYPOTHETICAL, INDUCTION

LESSON = Path(__file__).parents[2] / "docs" / "proofs" / "lesson.py"


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """What a proof that fails prints, and the trace that it stores."""
    folder = tmp_path_factory.mktemp("proof")
    arguments = [f"{LESSON}:OneLemma", "--bound", "ResourceManager=2", "--depth", "6", "--out", str(folder)]
    return CliRunner().invoke(prove, arguments), folder / "trace.json"


def test_the_text_says_that_it_is_no_run(failed: tuple[Result, Path]) -> None:
    result, _ = failed
    assert result.exit_code == 3 and f"no run, but a step from {HYPOTHETICAL}" in result.output


def test_what_rests_on_an_unproven_property_is_not_called_proven(failed: tuple[Result, Path]) -> None:
    result, _ = failed
    assert "kept        committed_on_verdict" in result.output and "where these hold: atomicity" in result.output
    assert not any(line.startswith("proven") for line in result.output.splitlines())


def test_the_stored_trace_has_a_kind_of_its_own(failed: tuple[Result, Path]) -> None:
    _, trace = failed
    assert json.loads(trace.read_text())["kind"] == INDUCTION


def test_replay_says_so_and_does_not_report_a_violation(failed: tuple[Result, Path]) -> None:
    _, trace = failed
    result = CliRunner().invoke(replay, [str(trace), "--spec", f"{LESSON}:OneLemma"])
    assert result.exit_code == 3, result.output
    assert HYPOTHETICAL in result.output and "violated" not in result.output
    assert "hypothetical state" in result.output and "network {COMMIT}" in result.output


def test_the_stored_trace_names_the_specification_as_it_was_asked_about(failed: tuple[Result, Path]) -> None:
    _, trace = failed
    assert json.loads(trace.read_text())["spec"] == f"{LESSON}:OneLemma"


def test_replay_notices_that_the_step_breaks_nothing_any_more(failed: tuple[Result, Path], tmp_path: Path) -> None:
    _, trace = failed
    stored = json.loads(trace.read_text())
    stored["initial"]["network"] = []
    changed = tmp_path / "trace.json"
    changed.write_text(json.dumps(stored))
    result = CliRunner().invoke(replay, [str(changed), "--spec", f"{LESSON}:OneLemma"])
    assert result.exit_code != 1 and HYPOTHETICAL not in result.output.splitlines()[-1]


def test_the_picture_says_so(failed: tuple[Result, Path], tmp_path: Path) -> None:
    _, trace = failed
    picture = tmp_path / "diagram.svg"
    assert CliRunner().invoke(draw, [str(trace), "-o", str(picture)]).exit_code == 0
    assert "hypothetical" in picture.read_text()
