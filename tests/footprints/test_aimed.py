"""Drawn specs aimed at footprints: keys and branches that come through helpers, locals and records."""

from __future__ import annotations

import pytest
from quorate.explore.native import library

from tests.footprints.aimed import check
from tests.native.agreement import QUICK_FLAGS


@pytest.mark.slow
def test_aimed_specs_touch_what_their_footprints_say_and_engines_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tests/README.md` tells of a deeper run."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    tally, wrong = check(range(60))
    assert wrong == []
    assert tally["explored by both"] > 60 and min(tally["held"], tally["violated"]) > 10
