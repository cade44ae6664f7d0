"""How the command line ends when something goes wrong that is no verdict: never with 0, never as if a property were violated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from quorate import cli
from quorate.cli import COMMANDS, Lazy, main
from quorate.commands._options import Explicit
from quorate.outcome import Exit

from tests.cli.samples import MUTEX

CODE = "from quorate.cli import main; main()"


def run(folder: Path, *arguments: str, out: object = subprocess.PIPE) -> tuple[int, str]:
    """A process of its own: exit code and stderr."""
    (folder / "mutex.py").write_text(MUTEX)
    command = [sys.executable, "-c", CODE, *arguments]
    ended = subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.PIPE, text=True, timeout=60)  # type: ignore[call-overload]
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_to_say_its_exit_code(name: str) -> None:
    group = Lazy()
    if name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        for each in command.commands.values() if isinstance(command, click.Group) else [command]:
            assert isinstance(each, Explicit), each


def test_a_full_disk_is_no_success(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        code, err = run(tmp_path, "check", "mutex.py", "--engine", "reference", out=full)
    assert code == 3 and "No space left" in err and "Traceback" not in err


def test_a_reader_that_is_gone_is_no_success_and_no_violation(tmp_path: Path) -> None:
    (tmp_path / "mutex.py").write_text(MUTEX)
    command = [sys.executable, "-c", CODE, "check", "mutex.py", "--engine", "reference"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 3 and b"Traceback" not in err


@pytest.mark.parametrize("ending", ["sys.exit(0)", "raise SystemExit(0)", "raise GeneratorExit"])
def test_a_file_that_ends_the_program_is_an_error_of_the_specification(tmp_path: Path, ending: str) -> None:
    (tmp_path / "ends.py").write_text(f"import sys\n{ending}\n")
    code, err = run(tmp_path, "check", "ends.py")
    assert code == 2 and "ends.py:2" in err and "Traceback" not in err


def test_our_own_mistake_asks_for_a_report_and_shows_the_traceback_on_request_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> Exit:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(cli, "_run", broken)
    for arguments, shown in (["quorate", "list"], False), (["quorate", "list", "--debug"], True):
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as end:
            main()
        err = capsys.readouterr().err
        assert end.value.code == 4 and "Please report it" in err and ("Traceback" in err) is shown


def test_a_command_without_an_exit_code_is_a_mistake_and_no_success() -> None:
    command = Explicit("silent", callback=lambda: None)
    with pytest.raises(AssertionError, match="instead of an exit code"):
        command.main([], standalone_mode=False)
