"""Certificates: cvc5 gives the answers that are written beside the queries."""

from __future__ import annotations

import json
from pathlib import Path

import cvc5
import pytest
from click.testing import CliRunner
from quorate.commands.prove import command


def answer(text: str) -> str:
    """What cvc5 says of a file."""
    solver = cvc5.Solver()
    solver.setOption("tlimit-per", "20000")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "certificate")
    said = ""
    while not (found := parser.nextCommand()).isNull():
        said += str(found.invoke(solver, parser.getSymbolManager()))
    return said.split()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["two_phase_commit", "--bound", "ResourceManager=2"],
        ["two_phase_commit", "--bound", "ResourceManager=2", "--method", "kinduction", "--depth", "2"],
        ["two_phase_commit", "--any-size"],
    ],
    ids=" ".join,
)
def test_cvc5_confirms_every_proven_claim(arguments: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "certificate"
    result = CliRunner().invoke(command, [*arguments, "--certificate", str(folder)])
    assert result.exit_code == 0, result.output
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["outcome"]["verdict"] == "proven"
    proven = [query for query in manifest["queries"] if query["answer"] == "unsat"]
    said = {query["file"]: answer((folder / query["file"]).read_text()) for query in proven}
    assert set(said.values()) == {"unsat"}, [file for file, verdict in said.items() if verdict != "unsat"]


def test_the_verdict_says_what_it_rests_on() -> None:
    result = CliRunner().invoke(command, ["two_phase_commit", "--bound", "ResourceManager=2"])
    assert "rests on: the bounds ResourceManager=2" in result.output and "rests on: answers of z3 " in result.output


def test_a_certificate_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    result = CliRunner().invoke(
        command, ["two_phase_commit", "--bound", "ResourceManager=2", "--certificate", str(tmp_path)]
    )
    assert result.exit_code != 0
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
