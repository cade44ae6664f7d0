"""The examples of the documentation do what it says."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from quorate.cli import cli
from quorate.consistency import find_model

TEXT = (Path(__file__).parents[2] / "docs" / "consistency.md").read_text(encoding="utf-8")


def test_the_first_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    shown = re.findall(r"```\n(\$ cat stale\.jsonl\n.*?)```", TEXT, re.DOTALL)[0]
    cat, *runs = re.split(r"(?m)^\$ ", shown)[1:]
    (tmp_path / "stale.jsonl").write_text(cat.partition("\n")[2].strip() + "\n")
    assert len(runs) == 2
    for run in runs:
        command, _, output = run.partition("\n")
        arguments = command.split()[1:]
        arguments[1] = str(tmp_path / arguments[1])
        assert CliRunner().invoke(cli, arguments).output.strip() == output.strip()


def test_the_model_of_the_page_can_be_used(tmp_path: Path) -> None:
    source = next(block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "class Stack" in block)
    (tmp_path / "stack.py").write_text(source)
    assert find_model(f"{tmp_path / 'stack.py'}:Stack").name == "stack"
