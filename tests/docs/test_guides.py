"""The guides can be followed: their files are saved, their commands end and print as they say, and their specifications are typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.following import follow
from tests.docs.pages import DOCS, ROOT, blocks

GUIDES = {"from-tla.md": 3, "from-stateright.md": 1, "time.md": 4}
"""Each page, and how many commands it has."""


@pytest.mark.slow
@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_can_be_followed(page: str, tmp_path: Path) -> None:
    assert len(follow(DOCS / page, tmp_path)) == GUIDES[page]


@pytest.mark.slow
def test_the_files_of_the_guides_pass_mypy_strict(tmp_path: Path) -> None:
    for page in ("tutorial.md", *GUIDES):
        for block in blocks(DOCS / page):
            kind, _, name = block.note.partition(": ")
            if kind == "file" and name.endswith(".py"):
                (tmp_path / name).write_text(block.text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", "."]
    environment = {"MYPYPATH": f"{ROOT / 'checker'}:{ROOT / 'checker' / 'stubs'}"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
