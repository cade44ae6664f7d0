"""What `docs/real-systems.md` says can be done."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
from quorate.consistency import Violated, find_model, judge, read_history

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "real-systems.md"
TEXT = PAGE.read_text(encoding="utf-8")
JUDGED = [line for line in TEXT.splitlines() if line.startswith("quorate history ")]


def test_the_page_has_a_command_for_each_system() -> None:
    adapters = {path.stem for path in (ROOT / "examples" / "real").glob("*.py") if "PARTS = " in path.read_text()}
    packages = {path.parent.name for path in (ROOT / "examples" / "real").glob("*/__main__.py")}
    run = set(re.findall(r"python -m (examples\.real\.\w+)", TEXT))
    assert run == {f"examples.real.{name}" for name in adapters | packages}
    assert all(find_spec(name) for name in run)


def test_what_is_linked_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)", TEXT)
    assert len(linked) > 10
    assert [link for link in linked if not (PAGE.parent / link).exists()] == []


@pytest.mark.parametrize("command", JUDGED)
def test_a_history_that_the_page_judges_violates_what_it_says(command: str) -> None:
    _, _, path, *options = shlex.split(command)
    asked = dict(zip(options[::2], options[1::2], strict=True))
    history = read_history(ROOT / path)
    assert isinstance(judge(history, asked["--level"], find_model(asked.get("--model", "register"))), Violated)
