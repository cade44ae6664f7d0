"""What a reader may ask to see of a trace, and not to see."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from quorate.cli import cli
from quorate.errors import UsageError
from quorate.trace import Trace

SPEC = """
from quorate import Nat, Scalarset, Spec, action, invariant, reachable, require

class P(Scalarset, size=2):
    ...

class N(Nat, max=5):
    ...

class Count(Spec):
    n: dict[P, N]
    noise: N

    def total(self) -> int:
        return sum(self.n[p] for p in P)

    @action
    def up(self, p: P) -> None:
        self.n[p] += 1
        self.noise += 1

    @invariant
    def few(self) -> bool:
        return self.total() < 3

    @reachable
    def two(self) -> bool:
        return self.total() == 2
"""


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "count.py").write_text(SPEC)
    assert run("check", "count.py", "--out", "found").exit_code == 1
    return tmp_path / "found" / "trace.json"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_an_expression_is_told_along_the_run(trace: Path) -> None:
    shown = run("replay", str(trace), "--show", "self.total()", "--show", "[n[p] for p in P]", "--show", "n[p1] + 1")
    assert "self.total() 0 → 1" in shown.output and "self.total() 2 → 3" in shown.output
    assert "[n[p] for p in P]" in shown.output and "n[p1] + 1" in shown.output


def test_a_variable_is_not_told_and_the_rest_is(trace: Path) -> None:
    assert "noise" in run("replay", str(trace)).output
    hidden = run("replay", str(trace), "--hide", "noise").output
    assert ("noise" not in hidden and "n[" in hidden) or "n " in hidden


def test_pictures_show_and_hide_likewise(trace: Path) -> None:
    assert run("draw", str(trace), "-o", "x.svg", "--show", "self.total()", "--hide", "noise").exit_code == 0
    drawn = Path("x.svg").read_text(encoding="utf-8").replace("&#45;", "-")
    assert "self.total()" in drawn and ">noise<" not in drawn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hide", "nois"), "no variable 'nois'"),
        (("--show", "1 +"), "is no expression of Python"),
        (("--show", "n[3]"), "fails in the initial state"),
    ],
)
def test_what_cannot_be_shown_or_hidden_is_an_error_in_words(
    trace: Path, arguments: tuple[str, ...], said: str
) -> None:
    for result in (run("replay", str(trace), *arguments), run("draw", str(trace), "-o", "y.svg", *arguments)):
        assert isinstance(result.exception, UsageError) and said in str(result.exception)


def test_a_witness_is_stored_and_drawn_as_a_counterexample_is(trace: Path) -> None:
    assert run("check", "count.py", "--witness", "two", "--out", "seen").exit_code == 0
    stored = Trace.load(Path("seen/trace.json"))
    assert (stored.kind, len(stored)) == ("reachable", 2) and stored.steps[0].reads is not None
    assert "reached after step 2" in Path("seen/diagram.svg").read_text(encoding="utf-8").replace("\xa0", " ")
