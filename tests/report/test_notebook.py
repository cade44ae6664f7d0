"""What results show of themselves in a notebook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import quorate
from quorate import Nat, Spec, action, invariant
from quorate.outcome import Holds, Violated
from quorate.report import notebook
from quorate.trace import Trace

ROOT = Path(__file__).parents[2]


class Count(Nat, max=9):
    """How far it has come."""


class Counts(Spec):
    """It counts too far."""

    count: Count

    @action
    def up(self) -> None:
        self.count += 1

    @invariant
    def small(self) -> bool:
        """It stays < 3."""
        return self.count < 3


def test_a_run_is_its_picture() -> None:
    trace = Trace.load(ROOT / "counterexamples" / "raft" / "forgets_vote" / "trace.json")
    picture = trace._repr_svg_()
    assert picture is not None and "<svg" in picture and "election_safety" in picture


def test_an_outcome_is_its_words_and_the_picture_of_its_run() -> None:
    outcome = quorate.check(Counts, engine="reference")
    assert isinstance(outcome, Violated)
    shown = outcome._repr_html_()
    assert shown is not None and "violated" in shown and "It stays &lt; 3." in shown and shown.count("<svg") == 1
    small = quorate.check(Counts.bounded(Count=2), engine="reference")
    assert not isinstance(small, Violated) and "<svg" not in (small._repr_html_() or "")
    assert not isinstance(small, Holds), "the bound cuts"


def test_a_run_that_is_too_long_to_be_drawn_is_words() -> None:
    trace = Trace.load(ROOT / "counterexamples" / "raft" / "forgets_vote" / "trace.json")
    long = trace.but(
        steps=tuple(trace.steps[index % 2].__class__(index + 1, "wait", {}, "s1") for index in range(1001))
    )
    assert long._repr_svg_() is None


def test_a_simulation_shows_its_run() -> None:
    found = quorate.simulate(Counts, seed=3, engine="reference")
    assert "seed 3" in (found._repr_html_() or "") and "<svg" in (found._repr_html_() or "")


def test_a_verdict_on_a_history_shows_what_contradicts_it(tmp_path: Path) -> None:
    from quorate.consistency import find_model, read_history

    file = tmp_path / "stale.jsonl"
    lines = [
        '{"process": 0, "type": "invoke", "f": "write", "value": 1, "time": 1}',
        '{"process": 0, "type": "ok", "f": "write", "value": 1, "time": 2}',
        '{"process": 1, "type": "invoke", "f": "read", "value": null, "time": 3}',
        '{"process": 1, "type": "ok", "f": "read", "value": 0, "time": 4}',
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    verdict = quorate.judge(read_history(str(file)), "linearizable", model=find_model("register"))
    shown = verdict._repr_html_() or ""
    assert verdict.verdict == "violated" and "<svg" in shown


def test_what_no_notebook_is_shown_is_refused() -> None:
    with pytest.raises(LookupError):
        notebook.html(7)
    with pytest.raises(AttributeError, match="no attribute 'checks'"):
        quorate.checks  # noqa: B018


def test_the_facade_imports_no_engine_until_one_is_asked_for() -> None:
    heavy = "('quorate.explore', 'quorate.report', 'networkx')"
    code = f"import sys, quorate; assert not {{m for m in sys.modules if m.startswith({heavy})}}; quorate.check"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
