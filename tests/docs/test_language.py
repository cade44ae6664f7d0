"""Every example of docs/language.md does what the page says: it is explored, fits the typed model, or is rejected."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.every import as_expected, judgeable
from quorate.language.system import System
from quorate.loading import Protocol, load
from quorate.model import build
from quorate.outcome import HoldsWithinBounds, NotJudged
from quorate.prove.laws.prove import Task, prove_laws

from tests.docs.pages import DOCS, ROOT, Block, blocks

PAGE = DOCS / "language.md"
BLOCKS = blocks(PAGE)
PRELUDE = next(block for block in BLOCKS if block.note == "prelude")
EXAMPLES = [block for block in BLOCKS if block.language == "python" and block.note not in ("prelude", "rejected")]
REJECTED = [(block, BLOCKS[position + 1]) for position, block in enumerate(BLOCKS) if block.note == "rejected"]


def title(value: object) -> str | None:
    """The class that a block is about."""
    if not isinstance(value, Block):
        return None
    found = re.search(r"class (\w+)\((?:Spec|\w+)\):", value.text)
    return found[1] if found else f"line {value.line}"


def loaded(block: Block, folder: Path) -> Protocol:
    """A block, loaded from a file as a user's would be."""
    file = folder / "example.py"
    file.write_text(PRELUDE.text + "\n\n" + block.text, encoding="utf-8")
    return load(str(file))


@pytest.mark.parametrize("block", EXAMPLES, ids=title)
def test_an_example_is_in_the_language_and_does_what_it_says(block: Block, tmp_path: Path) -> None:
    protocol = loaded(block, tmp_path)
    assert protocol.classes or protocol.marked
    for marked in protocol.marked.values():
        assert prove_laws(Task(marked)).as_expected
    for cls in protocol.classes.values():
        build(System(cls))
        outcome = check(cls, engine="reference")
        if judgeable(cls):
            assert as_expected(cls, outcome), outcome
        else:  # It shows how something is written, and claims nothing.
            assert isinstance(outcome, NotJudged) and not outcome.judgements, outcome
        if block.note.startswith("cuts: "):
            assert isinstance(outcome, HoldsWithinBounds)
            assert list(outcome.statistics.cuts) == block.note.removeprefix("cuts: ").split(", ")


@pytest.mark.parametrize(("block", "message"), REJECTED, ids=title)
def test_a_rejected_example_gives_the_printed_error(block: Block, message: Block, tmp_path: Path) -> None:
    (cls,) = loaded(block, tmp_path).classes.values()
    with pytest.raises(SpecError) as caught:
        build(System(cls))
    assert message.text.strip() in str(caught.value)
    assert caught.value.location is not None


@pytest.mark.slow
def test_the_examples_pass_mypy_strict_without_a_plugin(tmp_path: Path) -> None:
    for number, block in enumerate(EXAMPLES):
        (tmp_path / f"example_{number}.py").write_text(PRELUDE.text + "\n\n" + block.text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--config-file=",
        *sorted(map(str, tmp_path.glob("*.py"))),
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
