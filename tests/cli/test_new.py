"""`quorate new`: what it writes works at once, and it writes over nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate.cli import cli
from quorate.errors import UsageError


def test_what_it_writes_is_verified_and_its_test_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["new", "my_lock"]).exit_code == 0
    verified = CliRunner().invoke(cli, ["verify", "my_lock.py", "--workers", "1", "--engine", "reference"])
    assert verified.exit_code == 0 and "2 of 2 do what they say" in verified.output
    tested = subprocess.run([sys.executable, "-m", "pytest", "-q", "test_my_lock.py"], capture_output=True, text=True)
    assert tested.returncode == 0 and "2 passed" in tested.stdout, tested.stdout


@pytest.mark.parametrize("name", ["my-lock", "class", "1st", "json", "spec", "_1", "a/b", ""])
def test_names_that_cannot_be_are_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(CliRunner().invoke(cli, ["new", name]).exception, UsageError)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["my_lock.py", "test_my_lock.py"])
def test_nothing_is_written_over(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).write_text("mine")
    assert isinstance(CliRunner().invoke(cli, ["new", "my_lock"]).exception, UsageError)
    assert [path.name for path in tmp_path.iterdir()] == [file] and (tmp_path / file).read_text() == "mine"
