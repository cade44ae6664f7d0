"""Exploring specifications: `check(MySpec)` runs an engine and judges what it found.

    from quorate.explore import check
    outcome = check(MySpec.bounded(Server=3))
    assert outcome.exit_code == 0, outcome

The heavy parts are imported when they are needed.
"""

from __future__ import annotations

from quorate.explore.checking import Naming, check
from quorate.explore.every import as_expected, check_all, check_expected, only, witness
from quorate.explore.limits import Checkpoint, Limits, Progress, Watch

__all__ = [
    "Checkpoint",
    "Limits",
    "Naming",
    "Progress",
    "Watch",
    "as_expected",
    "check",
    "check_all",
    "check_expected",
    "only",
    "witness",
]
