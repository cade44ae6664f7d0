"""The guides can be followed: their files are saved, their commands end and print as they say, and their specifications are typed."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from pkgutil import resolve_name
from textwrap import indent

import pytest
from quorate.outcome import Outcome

from tests.docs.following import follow
from tests.docs.pages import DOCS, ROOT, blocks

GUIDES = {
    "from-tla.md": 3,
    "from-stateright.md": 1,
    "time.md": 6,
    "python-api.md": 0,
    "errors.md": 7,
    "conformance.md": 11,
}
"""Each page, and how many commands it has."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.slow] * (page == "conformance.md")) for page in GUIDES]
)
def test_a_guide_can_be_followed(page: str, tmp_path: Path) -> None:
    assert len(follow(DOCS / page, tmp_path)) == GUIDES[page]


@pytest.mark.slow
def test_the_files_of_the_guides_pass_mypy_strict(tmp_path: Path) -> None:
    environment = {"MYPYPATH": f"{ROOT / 'checker'}:{ROOT / 'checker' / 'stubs'}"}
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path / 'cache'}", "--config-file=", "."]
    for page in ("tutorial.md", *(page for page in GUIDES if page != "errors.md")):  # There, they are wrong on purpose.
        folder = tmp_path / page
        folder.mkdir()
        for block in blocks(DOCS / page):
            kind, _, name = block.note.partition(": ")
            if kind == "file" and name.endswith(".py"):
                (folder / name).write_text(block.text, encoding="utf-8")
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{page}: {run.stdout}"


def test_what_is_quoted_from_a_file_stands_there() -> None:
    quoted = [block for block in blocks(DOCS / "time.md") if block.note.startswith("from: ")]
    assert len(quoted) == 4
    for block in quoted:
        source = (ROOT / "specs" / "quorate_specs" / block.note.removeprefix("from: ")).read_text(encoding="utf-8")
        for part in block.text.strip("\n").split("\n\n"):
            assert indent(part, "    ") in source, part


def test_the_python_names_of_the_page_exist() -> None:
    text = (DOCS / "python-api.md").read_text(encoding="utf-8")
    for module, names in re.findall(r"^\| `(quorate[.\w]*)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            assert resolve_name(f"{module}:{name}") is not None
    for name in re.findall(r"`(quorate(?:\.\w+)+)[`(]", text):
        assert resolve_name(name) is not None


def test_the_table_of_outcomes_is_that_of_the_classes() -> None:
    text = (DOCS / "python-api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \| (\d) \| (.*) ?\|$", text, re.MULTILINE)
    shown = {name: (verdict, int(code), set(re.findall(r"`(\w+)`", own))) for name, verdict, code, own in rows}
    common = {field.name for field in fields(Outcome)}
    assert shown == {
        cls.__name__: (cls.verdict, int(cls.exit_code), {field.name for field in fields(cls)} - common)
        for cls in Outcome.__subclasses__()
    }
