"""A protocol is stuck where nothing is possible, and not where what is possible is beyond what a page tries or explains."""

from __future__ import annotations

from pathlib import Path

import pytest
from quorate.explore import check
from quorate.explorer.session import Session
from quorate.loading import load
from quorate.outcome import Violated

SPEC = """
from quorate import Nat, Spec, action, invariant, require, terminal


class N(Nat, max={largest}):
    '''A number.'''


class Top(Nat, max=1):
    '''It ends soon.'''


class Late(Spec):
    '''Only the last number is taken.'''

    top: Top

    @action
    def take(self, n: N, m: N) -> None:
        require(n == N.bound and m == N.bound)
        {what}

    @terminal
    def over(self) -> bool:
        return False

    @invariant
    def low(self) -> bool:
        return self.top <= 1
"""


@pytest.mark.parametrize(
    ("largest", "what", "stuck"),
    [
        (8, "self.top += 1", False),  # One of 81 instances: the bound stops it in the end, and that is not explained.
        (79, "self.top += 1", False),  # One of 6,400: not even tried.
        (8, "require(self.top == 0); self.top += 1", True),
        (79, "require(self.top == 0); self.top += 1", True),
    ],
)
def test_what_is_not_tried_or_explained_is_no_deadlock(
    largest: int, what: str, stuck: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("late.py").write_text(SPEC.format(largest=largest, what=what))
    session = Session(load("late.py"), {}, 1)
    step = ["take", {"n": largest, "m": largest}]
    for taken in ([], [step]):
        run = {"initial": {}, "steps": taken}
        (judged,) = (
            one for one in session.answer("look", {"run": run})["now"]["properties"] if one["name"] == "deadlock"
        )
        assert judged["holds"] is not (stuck and bool(taken))
    assert isinstance(check(session.protocol.main, engine="reference"), Violated) is stuck
