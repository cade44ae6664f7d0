"""What a person sees on a terminal: whole words at 80 columns, no styles with NO_COLOR, and text that is only text."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from quorate.cli import main
from quorate.commands import _show
from quorate.commands._live import line
from quorate.errors import printable
from quorate.explore import Progress, Watch, check
from quorate.outcome import Failed, Violated
from quorate.report.text import outcome_styled, outcome_text
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

from tests.cli.samples import MUTEX


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A terminal with 80 columns, and a folder with a specification."""
    (tmp_path / "mutex.py").write_text(MUTEX)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_show, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    return tmp_path


def shown(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["quorate", *arguments])
    with pytest.raises(SystemExit):
        main()
    return capsys.readouterr().out


def test_a_table_at_80_columns_breaks_between_words(
    narrow: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(["list", "paxos"], monkeypatch, capsys)
    assert max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    assert "one_value_chosen" in words
    assert all(
        part in out.split()
        for part in ["only", "a", "quorum", "of", "promises", "must", "meet", "every", "quorum", "of", "votes."]
    )


def test_a_verdict_at_80_columns_breaks_between_words_and_no_color_has_no_styles(
    narrow: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["check", "mutex.py", "--variant", "Rude", "--engine", "reference"]
    assert "\x1b[" in shown(command, monkeypatch, capsys)
    monkeypatch.setenv("NO_COLOR", "1")
    out = shown(command, monkeypatch, capsys)
    assert "\x1b" not in out and max(map(len, out.splitlines())) <= 80
    assert "mutual_exclusion," in out.split() or "mutual_exclusion" in out.replace(":", "").split()


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "<b>x</b>", "[/]", "{x}", "%s"])
def test_markup_in_names_is_text(name: str) -> None:
    outcome = Violated(name, None, {}, "native", property=name)
    assert outcome_text(outcome).count(name) == outcome_styled(outcome).plain.count(name) == 2


def test_control_characters_and_lone_surrogates_do_not_reach_the_terminal() -> None:
    outcome = Failed("a\x1b[31m\ud800.py", None, {}, "native", message="one\ntwo\x07")
    for text in (outcome_text(outcome), outcome_styled(outcome).plain, printable("\x9b1m\r")):
        assert not set(text) & {"\x1b", "\x07", "\x9b", "\r", "\ud800"}
        text.encode()
    assert "one\ntwo" in outcome_text(outcome)


def test_progress_says_which_engine_runs() -> None:
    looks: list[Progress] = []
    check(TwoPhaseCommit, engine="reference", watch=Watch(report=looks.append))
    assert looks and line(looks[0]).startswith("reference engine  ")
