"""The tutorial works: its files are saved, its commands run, their output is what the page prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from quorate.report.diagram import spacetime
from quorate.report.render import svg
from quorate.trace import Trace

from tests.docs.pages import DOCS, ROOT, blocks

QUORATE = [sys.executable, "-c", "from quorate.cli import main; main()"]


def lines(text: str) -> list[str]:
    """The lines of a text, with every run of spaces as one space."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def words(picture: str) -> list[str]:
    """The texts of an SVG picture."""
    return sorted(re.findall(r"<text[^>]*>([^<]*)</text>", picture))


def run(command: str, folder: Path, code: int) -> list[str]:
    """Run one `quorate` command as a user would, and check its exit code; what it printed."""
    name, *arguments = command.split()
    assert name == "quorate"
    done = subprocess.run(
        [*QUORATE, *arguments], cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return lines(done.stdout)


@pytest.mark.slow
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    printed: list[str] = []
    commands = 0
    for block in blocks(DOCS / "tutorial.md"):
        kind, _, what = block.note.partition(": ")
        if kind == "file":
            (tmp_path / what).write_text(block.text, encoding="utf-8")
        elif kind == "run":
            printed = run(block.text.strip(), tmp_path, int(what.removeprefix("exit ")))
            commands += 1
        elif block.language == "text":
            for line in lines(block.text):
                assert any(found.startswith(line) for found in printed), f"{line!r} is not in {printed}"
    assert commands == 6
    assert (tmp_path / "lock.png").read_bytes().startswith(b"\x89PNG")
    shown = (DOCS / "lock.svg").read_text(encoding="utf-8")
    assert words(shown) == words(svg(spacetime(Trace.load(tmp_path / "out" / "trace.json"))))
