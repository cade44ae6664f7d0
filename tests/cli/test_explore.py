"""`quorate explore`: it prints its address and serves it, or steps through a protocol as plain text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from quorate.commands.explore import command

ROOT = Path(__file__).parents[2]
FIGURE_8 = ROOT / "counterexamples" / "raft" / "commits_old_terms" / "trace.json"


def stepped(*arguments: str, typed: str) -> str:
    done = CliRunner().invoke(command, [*arguments, "--terminal"], input=typed)
    assert done.exit_code == 0, done.output
    return done.output


def test_without_a_browser_it_prints_its_address_and_serves_it() -> None:
    program = "from quorate.cli import main; main()"
    line = [sys.executable, "-c", program, "explore", "two_phase_commit", "--no-browser"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:")
            with urlopen(address) as page:
                assert b"two_phase_commit" in page.read()
        finally:
            process.terminate()


def test_a_terminal_takes_steps_shows_the_state_and_goes_back() -> None:
    shown = stepped("two_phase_commit", typed="1\ns\nn\np\nu\nredo\n?\nq\n")
    assert "initial state" in shown and "step 1 of 1: abort TM" in shown
    assert "tm        ABORTED" in shown and "abort TM: tm is ABORTED" in shown
    assert "atomicity: true" in shown and "all_commit: not reached" in shown
    assert shown.count("step 1 of 1") == 2 and "to a violation" in shown


def test_a_terminal_begins_with_a_trace_and_says_what_is_false() -> None:
    shown = stepped("raft", "--trace", str(FIGURE_8), typed="\x04")
    assert "step 10 of 10: commit s1" in shown and "leader_completeness is false" in shown


@pytest.mark.slow
def test_a_terminal_searches() -> None:
    shown = stepped("two_phase_commit", typed="t tm == TM.ABORTED\nt tm ==\ng all_commit\nv\nr\n")
    assert "1 step from here, and none with fewer." in shown and "is no expression of Python" in shown
    assert "There is none: all" in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_given_a_script_and_completions(shell: str) -> None:
    def asked(what: str, words: str = "", number: str = "0", last: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            "_QUORATE_COMPLETE": f"{shell}_{what}",
            "COMP_WORDS": words,
            "COMP_CWORD": last if shell == "fish" else number,
        }
        code = "import sys; sys.argv = ['quorate']; from quorate.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )

    script = asked("source")
    assert script.returncode == 0 and "_QUORATE_COMPLETE" in script.stdout
    found = asked("complete", "quorate explore two_ph", "2", "two_ph")
    assert found.returncode == 0 and "two_phase_commit" in found.stdout and "raft" not in found.stdout
    assert asked("nonsense").returncode == 2
