"""The playground's Python: a text is opened, checked and stepped through, its errors have a place, and it needs no other package."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from quorate.explorer.playing import Playground

ROOT = Path(__file__).parents[2]
COUNTS = '''"""It counts."""

from quorate import Nat, Spec, action, invariant


class Count(Nat, max=9):
    """How far."""


class Counts(Spec):
    """It counts too far."""

    count: Count

    @action
    def up(self) -> None:
        self.count += 1

    @invariant
    def small(self) -> bool:
        """It stays small."""
        return self.count < 3
'''


@pytest.fixture
def playground() -> Playground:
    return Playground()


def told(answer: str) -> Any:
    return json.loads(answer)


def test_a_text_is_opened_checked_and_stepped_through(playground: Playground) -> None:
    about = told(playground.open(COUNTS))
    assert about["main"] == "Counts" and about["begin"]["run"] is None
    found = told(playground.check(""))
    assert found["verdict"] == "violated" and "small" in found["words"] and len(found["run"]["steps"]) == 3
    asked = json.dumps({"variant": None, "run": found["run"]})
    assert told(playground.ask("look", asked))["judged"][-1]["false"] == ["small"]
    assert "test_the_run_happens_again" in told(playground.file("pytest", asked))["text"]


def test_a_changed_text_is_another_specification(playground: Playground) -> None:
    playground.open(COUNTS)
    playground.open(COUNTS.replace("< 3", "< 5"))
    assert len(told(playground.check(""))["run"]["steps"]) == 5


def test_an_error_has_its_place_in_the_text(playground: Playground) -> None:
    wrong = told(playground.open(COUNTS.replace("self.count += 1", "self.count +=")))
    assert "not valid Python" in wrong["error"] and wrong["place"][0] == 17
    untyped = told(playground.open(COUNTS.replace("count: Count\n", "count: Nothing\n")))
    assert "Nothing" in untyped["error"]
    assert "no specification" in told(playground.open("x = 1\n"))["error"]


def test_the_library_is_there_to_begin_with(playground: Playground) -> None:
    assert "raft" in told(playground.protocols())
    text = told(playground.source("two_phase_commit"))
    assert told(playground.open(text))["main"] == "TwoPhaseCommit"


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("click", "graphviz", "markdown_it", "pygraphviz", "rich", "z3"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
from quorate.explorer.playing import Playground
playground = Playground()
assert "error" not in playground.open(sys.stdin.read())
print(playground.check(""))
"""


def test_it_needs_networkx_and_no_other_package() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], input=COUNTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["verdict"] == "violated", done.stderr
