"""What is written is written whole, where it was asked for, and nothing else is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import click
import pytest
from quorate.cli import cli
from quorate.commands._show import Folder
from quorate.errors import UsageError
from quorate.explore import check
from quorate.files import write_whole
from quorate.loading import load
from quorate.outcome import Violated
from quorate.trace import Trace

SPEC = r'''
from enum import Enum
from quorate import *


class Word(Enum):
    """What UTF-8 cannot say, and XML may not."""

    LONE = "\ud800"
    BELL = "\x07"


class Says(Spec):
    """It says something."""

    expect = violates("silent")

    said: Word | None

    @action
    def say(self, word: Word) -> None:
        """It \udfff says."""
        self.said = word

    @invariant
    def silent(self) -> bool:
        """Nothing \ud800 is said, not even \x07."""
        return self.said is None
'''


def test_a_file_is_there_as_it_was_until_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("before")

    def full(self: Path, target: Path) -> None:
        assert self.read_bytes() == b"after" and target.read_text() == "before"
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            write_whole(file, "after")
    assert [one.name for one in tmp_path.iterdir()] == ["file"] and file.read_text() == "before"
    write_whole(file, "after")
    assert [one.name for one in tmp_path.iterdir()] == ["file"] and file.read_text() == "after"


def test_a_link_stays_one_and_modes_are_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    file, link, new = tmp_path / "there" / "file", tmp_path / "link", tmp_path / "new"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole(link, "after")
    assert link.is_symlink() and file.read_text() == "after" and file.stat().st_mode & 0o777 == 0o640
    write_whole(new, b"new")
    (tmp_path / "plain").write_text("")
    assert new.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    link = tmp_path / "null.json"
    link.symlink_to(os.devnull)
    write_whole(link, "gone")
    assert link.is_symlink() and [one.name for one in tmp_path.iterdir()] == ["null.json"]
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path, "nothing")


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize("named", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_link_to_the_output_leads_there(named: str, is_file: bool, tmp_path: Path) -> None:
    link, out = tmp_path / "out.json", tmp_path / "out"
    link.symlink_to(named)
    writes = (
        "import sys, pathlib; from quorate.files import write_whole; print('before', flush=True); "
        "write_whole(pathlib.Path(sys.argv[1]), 'told\\n'); print('after')"
    )
    command = [sys.executable, "-c", writes, str(link)]
    if is_file:
        with out.open("w") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, text=True)
        said = out.read_text()
        out.unlink()
    else:
        done = subprocess.run(command, capture_output=True, text=True)
        said = done.stdout
    assert (done.returncode, said) == (0, "before\ntold\nafter\n"), done.stderr
    assert link.is_symlink() and [one.name for one in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_what_may_not_be_written_is_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    file.chmod(0o444)
    with pytest.raises(PermissionError):
        write_whole(file, "after")


def test_several_who_write_one_file_leave_one_of_their_texts(tmp_path: Path) -> None:
    file = tmp_path / "file"
    texts = [str(number) * 100_000 for number in range(8)]
    threads = [Thread(target=write_whole, args=(file, text)) for text in texts for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        assert file.read_text() in texts
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_no_file_in_utf_8_has_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("says_it.py").write_text(SPEC)
    command = [sys.executable, "-m", "quorate", "verify", "says_it.py", "--workers", "1", "--no-skip"]
    for form in ("json", "sarif", "xml", "html"):
        command += ["-o", f"out.{form}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\ud800" in json.dumps(json.loads(Path("out.json").read_text()), ensure_ascii=False)
    outcome = check(load("says_it.py").main)
    assert isinstance(outcome, Violated) and outcome.trace is not None
    outcome.trace.save(Path("trace.json"))
    assert Trace.load(Path("trace.json")) == outcome.trace


def test_new_writes_over_nothing_a_link_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quorate.commands.new import command

    monkeypatch.chdir(tmp_path)
    Path("turns.py").symlink_to("elsewhere.py")
    with pytest.raises(UsageError, match="already"):
        command.callback(name="turns")  # type: ignore[misc]
    assert not Path("elsewhere.py").exists()


def test_a_directory_whose_name_is_too_long_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        Folder(tmp_path / ("x" * 300))


@pytest.mark.parametrize("number", ["nan", "inf", "1e308", "-1"])
@pytest.mark.parametrize(
    "command",
    [
        ["simulate", "raft", "--max-time"],
        ["client", "raft", "status", "--timeout"],
        ["run", "raft", "--seconds"],
        ["nemesis", "--every"],
        ["nemesis", "--lasts"],
        ["bench-store", "raft", "--seconds"],
    ],
)
def test_times_are_numbers(command: list[str], number: str) -> None:
    with pytest.raises(click.BadParameter, match="not"):
        cli.invoke(cli.make_context("quorate", [*command, number]))
