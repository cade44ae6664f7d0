"""What `mypy --strict` narrows, the model narrows. Where one of them takes a body and the other does not, it is listed with the rule."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.system import System
from quorate.model import build

from tests.generated import load
from tests.model.bodies import AGREED, BODIES, HEADER, HELD_WHEN_RUN, REFUSED


def written(body: str, number: int) -> str:
    """A specification of its own with the body as its action."""
    return f"""

class Body{number}(Base):
    @action
    def act(self, s: Server, i: Index) -> None:
{textwrap.indent(body, " " * 8)}
"""


@cache
def of_mypy(folder: Path) -> dict[int, str]:
    """What mypy says of each body that it rejects; all are in one file, and checked at once."""
    lines: list[int] = [-1] * HEADER.count("\n")
    text = HEADER
    for number, body in enumerate(BODIES):
        block = written(body, number)
        lines += [number] * block.count("\n")
        text += block
    path = folder / "bodies.py"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[int, str] = {}
    for line, said in re.findall(r"bodies\.py:(\d+): error: (.*)", run.stdout):
        assert lines[int(line) - 1] >= 0, f"the header is wrong: {said}"
        found.setdefault(lines[int(line) - 1], said)
    assert found, run.stdout + run.stderr
    return found


@cache
def of_model(number: int) -> str | None:
    """Why the model rejects a body; None if it does not."""
    source = HEADER + written(BODIES[number], number)
    try:
        build(System(load(source, f"Body{number}")))
    except SpecError as error:
        return str(error)
    return None


@pytest.mark.slow
def test_mypy_and_the_model_agree_but_where_a_rule_says_so(tmp_path: Path) -> None:
    rejected = of_mypy(tmp_path)
    different: dict[str, str] = {}
    for number, body in enumerate(BODIES):
        said, why = rejected.get(number), of_model(number)
        if (said is None) is not (why is None):
            different[body] = f"mypy: {said}" if why is None else f"the model: {why}"
    assert different.keys() == {*HELD_WHEN_RUN, *REFUSED}, different.keys() ^ {*HELD_WHEN_RUN, *REFUSED}
    for body, why in different.items():
        assert why.startswith("the model" if body in REFUSED else "mypy"), body
    assert len(set(BODIES)) == len(BODIES) >= 200 and len(AGREED) >= 190


@pytest.mark.slow
def test_what_only_mypy_rejects_is_held_against_its_type_when_it_runs() -> None:
    """A value that lacks the alternative that is used is an error in the spec, and never taken for another."""
    for body in ("self.index = self.note.index", "self.seen.add(self.leader)", "self.index = self.some.index"):
        spec = load(HEADER + written(body, 0), "Body0")
        for engine in ("reference", "native"):
            outcome = check(spec, engine=engine)
            assert outcome.verdict == "error", (engine, body, outcome)
