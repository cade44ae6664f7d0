"""Follows a page as its reader would: saves its files, runs its commands, types what it shows at a prompt.

    <!-- file: lock.py -->     the block is saved under this name
    <!-- run: exit 1 -->       the block is one command, which ends with this code
    <!-- run: exit 0 > log -->  what it prints is saved under this name
    <!-- edit: lock.py -->     the block is a diff of single lines, made in the file that was saved under this name

A block of `text` is what the command before it prints: each of its lines begins a line that was printed, spaces aside. Blocks of `pycon`
are one session at Python's prompt, which is typed when the first of them is reached.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, blocks

PROGRAMS = {
    "python": [sys.executable],
    "quorate": [sys.executable, "-c", "from quorate.cli import main; main()"],
    "pytest": [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
}


def follow(page: Path, folder: Path) -> list[str]:
    """Follow a page in an empty folder; the commands that were run."""
    printed: list[str] = []
    commands: list[str] = []
    page_blocks = blocks(page)
    for block in page_blocks:
        kind, _, what = block.note.partition(": ")
        if kind == "file":
            (folder / what).parent.mkdir(parents=True, exist_ok=True)
            (folder / what).write_text(block.text, encoding="utf-8")
        elif kind == "run":
            commands.append(block.text.strip())
            code, _, output = what.removeprefix("exit ").partition(" > ")
            printed = run(commands[-1], folder, int(code), folder / output if output else None)
        elif kind == "edit":
            edit(folder / what, block.text)
        elif block.language == "text":
            for line in lines(block.text):
                assert any(found.startswith(line) for found in printed), f"{line!r} is not in {printed}"
        elif block.language == "pycon" and not (folder / "session").exists():
            typed = "\n".join(each.text for each in page_blocks if each.language == "pycon")
            (folder / "session").write_text(typed, encoding="utf-8")
            done = _done([sys.executable, "-m", "doctest", "-o", "ELLIPSIS", "session"], folder)
            assert done.returncode == 0, done.stdout + done.stderr
    return commands


def run(command: str, folder: Path, code: int, output: Path | None = None) -> list[str]:
    """Run a command as a user would, and check its exit code; what it printed, which is saved as `output`."""
    name, *arguments = command.split()
    done = _done([*PROGRAMS[name], *arguments], folder)
    assert done.returncode == code, done.stdout + done.stderr
    if output is not None:
        output.write_text(done.stdout, encoding="utf-8")
    return lines(done.stdout + done.stderr)


def edit(file: Path, diff: str) -> None:
    """Replace the line that a diff takes out by the one that it puts in."""
    old, new = (next(line[1:] for line in diff.splitlines() if line.startswith(sign)) for sign in "-+")
    text = file.read_text(encoding="utf-8")
    assert text.count(old + "\n") == 1, old
    file.write_text(text.replace(old + "\n", new + "\n"), encoding="utf-8")


def lines(text: str) -> list[str]:
    """The lines of a text, with every run of spaces as one space."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _done(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
