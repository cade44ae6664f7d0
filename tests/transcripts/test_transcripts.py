"""The command line as a reader sees it: files of commands and what they print.

A transcript has files (`file NAME`, its text, `====`) and commands (`$ quorate ...`, `----`, what it prints on stdout, then
on stderr behind `err: `, then the exit code, `====`). What changes from run to run (seconds, memory) is written `_`. After
a change that is meant, `REWRITE=1 pytest tests/transcripts` writes what is printed now; the difference is then reviewed.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from quorate.cli import main

HERE = Path(__file__).parent
FILE = re.compile(r"^file (\S+)\n(.*?)^====\n", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ quorate ([^\n]*)\n----\n(.*?)^====\n", re.MULTILINE | re.DOTALL)
CHANGING = (
    (re.compile(r"\d+\.\d\d s, [\d,]+ MiB(, \d+ bytes a state)?"), "_ s, _ MiB"),
    (re.compile(r" +\d+\.\d +(reference|native|z3)"), r"  _  \1"),
    (re.compile(r"  s +engine"), "  s  engine"),
    (re.compile(r'("seconds": |time=")[\d.e-]+'), r"\1_"),
)


def printed(arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints, and its exit code."""
    monkeypatch.setattr(sys, "argv", ["quorate", *shlex.split(arguments)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    lines = [line.rstrip() for line in out.splitlines()] + [f"err: {line}".rstrip() for line in err.splitlines()]
    text = "\n".join([*lines, f"exit {end.value.code}"])
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return text.replace(f"{Path.cwd()}/", "") + "\n"


def pieces(text: str) -> Iterator[re.Match[str]]:
    """The files and commands of a transcript, in order."""
    return iter(sorted([*FILE.finditer(text), *COMMAND.finditer(text)], key=lambda found: found.start()))


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_the_commands_print_what_the_transcript_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    text, now, end = path.read_text(encoding="utf-8"), "", 0
    for found in pieces(text):
        now += text[end : found.start()]
        end = found.end()
        if found.re is FILE:
            (tmp_path / found[1]).write_text(found[2], encoding="utf-8")
            now += found[0]
        else:
            now += f"$ quorate {found[1]}\n----\n{printed(found[1], monkeypatch, capsys)}====\n"
    now += text[end:]
    if os.environ.get("REWRITE"):
        path.write_text(now, encoding="utf-8")
    assert now == text, "REWRITE=1 writes what is printed now"
