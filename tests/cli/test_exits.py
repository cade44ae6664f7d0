"""How the command line ends when something goes wrong that is no verdict: never with 0, never as if a property were violated."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from quorate import cli
from quorate.cli import COMMANDS, Lazy, main
from quorate.commands._options import Explicit
from quorate.explore.limits import Watch
from quorate.outcome import Exit

from tests.cli.samples import MUTEX

CODE = "from quorate.cli import main; main()"


LOUD = """
from quorate import Nat, Spec, action, invariant

print("at import")


class Count(Nat, max=2):
    pass


class Loud(Spec):
    count: Count

    @action
    def grow(self) -> None:
        print(self.count)
        self.count += 1

    @invariant
    def fine(self) -> bool:
        return True
"""


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


RAY = """
import os, signal, time


def is_initialized():
    return False


def init(**_):
    print("begun", flush=True)
    {ends}
"""
ENDINGS = {
    "os._exit(1)": "exit code 1",
    "os._exit(0)": "exit code 0",
    "os.kill(os.getpid(), signal.SIGKILL)": "killed by SIGKILL",
}


def with_ray(folder: Path, ends: str) -> subprocess.Popen[str]:
    """A check on a cluster whose Ray ends so."""
    (folder / "ray").mkdir()
    (folder / "ray" / "__init__.py").write_text(RAY.format(ends=ends))
    (folder / "mutex.py").write_text(MUTEX)
    command = [sys.executable, "-c", CODE, "check", "mutex.py", "--cluster"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ends", ENDINGS)
def test_a_cluster_that_ends_the_process_is_no_verdict(tmp_path: Path, ends: str) -> None:
    """Ray's core does so, with the exit code of a violation, where it cannot start."""
    _, err = (process := with_ray(tmp_path, ends)).communicate(timeout=60)
    assert process.returncode == 3 and ENDINGS[ends] in err and "nothing was judged" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("graph mutex.py", "Missing option '-o' / '--output'. Where to: .svg"),
        ("graph mutex.py", "Usage: `"),
        ("diff mutex.py", "Missing argument 'SECOND'. Usage: `"),
        ("check mutex.py --keep-c nowhere/mutex.c", "Cannot write nowhere/mutex.c"),
        ("map", "is not `specs` of Quorate's repository"),
    ],
)
def test_what_is_missing_is_said_with_what_to_write(tmp_path: Path, arguments: str, said: str) -> None:
    code, err = run(tmp_path, *arguments.split())
    assert code == 2 and said in err, err


@pytest.mark.parametrize(
    "arguments",
    [
        "check loud.py",
        "check loud.py --keep-going",
        "check loud.py --bound Count=1..2",
        "verify loud.py --no-skip",
        "simulate loud.py --seed 1",
        "diff loud.py loud.py",
        "list loud.py",
        "history history.jsonl --level all",
    ],
)
def test_what_a_specification_prints_is_not_in_what_programs_read(tmp_path: Path, arguments: str) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    (tmp_path / "history.jsonl").write_text(
        '{"process": 0, "type": "invoke", "f": "write", "value": 1}\n{"process": 0, "type": "ok", "f": "write"}\n'
    )
    command = [sys.executable, "-c", CODE, *arguments.split(), "--format", "json"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    json.loads(ended.stdout)
    assert ("at import" in ended.stderr) == ("loud" in arguments)


def test_a_table_that_is_interrupted_after_a_check_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The interruption comes when the last state of one check was looked at."""
    (tmp_path / "mutex.py").write_text(MUTEX)
    monkeypatch.setattr(Watch, "is_interrupted", property(lambda self: True))
    monkeypatch.setattr("sys.argv", ["quorate", "check", str(tmp_path / "mutex.py"), "--bound", "Process=1..2"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == Exit.OPEN and len(capsys.readouterr().out.splitlines()) == 2


def test_what_a_command_says_itself_is_its_exit_code_and_signals_reach_it(tmp_path: Path) -> None:
    _, err = (process := with_ray(tmp_path, "raise ConnectionError('nobody')")).communicate(timeout=60)
    assert process.returncode == 2 and err.count("Ray could not be started") == 1
    (tmp_path / "second").mkdir()
    waiting = with_ray(tmp_path / "second", "[time.sleep(0.1) for _ in range(600)]; raise ConnectionError('nobody')")
    assert waiting.stdout is not None and waiting.stdout.readline() == "begun\n"
    for _ in range(2):
        waiting.send_signal(signal.SIGINT)
        time.sleep(0.3)
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 3 and "Interrupted." in err


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
