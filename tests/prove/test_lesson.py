"""docs/proofs.md shows what `quorate prove` prints."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from checker.commands.prove import command

LESSON = Path(__file__).parents[2] / "docs" / "proofs" / "lesson.py"


@pytest.mark.parametrize(("name", "wire"), [("Bare", "{}"), ("OneLemma", "{COMMIT}")])
def test_the_counterexamples_of_the_lesson_are_those_that_are_drawn(name: str, wire: str) -> None:
    result = CliRunner().invoke(command, [f"{LESSON}:{name}", "--bound", "ResourceManager=2", "--depth", "6"])
    assert result.exit_code == 3, result.output
    assert "atomicity holds before choose_to_abort(r=rm1) and not after" in result.output
    assert f"network        {wire}" in result.output


def test_the_lesson_ends_with_a_proof() -> None:
    result = CliRunner().invoke(command, ["two_phase_commit", "--any-size"])
    assert result.exit_code == 0 and "proven for any size" in result.output


def test_quorums_are_asked_on_the_command_line() -> None:
    result = CliRunner().invoke(command, ["quorums", "--N", "5", "--R", "2", "--W", "3"])
    assert result.exit_code == 1 and "it needs 2 + 3 > 5" in result.output
