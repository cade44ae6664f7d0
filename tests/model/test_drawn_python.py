"""Hostile Python means in the model what it means in CPython, or is refused at a line."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random

import pytest

from tests.model import drawn_python
from tests.model.tricks import TRICKS, Trick

SPECS = 40
DEEP = 10
FEW = 3
"""States in which each use of a trick alone is looked at."""
SHARE = 0.35
"""Of drawn specifications, how many are accepted at least: what is only refused shows nothing."""


@pytest.mark.slow
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.deep) for part in range(1, DEEP))])
def test_drawn_python_means_the_same_or_is_refused(part: int) -> None:
    seeds = range(part * SPECS, (part + 1) * SPECS)
    judged = {seed: drawn_python.judged(drawn_python.write(seed)) for seed in seeds}
    assert {seed: one.why for seed, one in judged.items() if one.what not in ("accepted", "refused", "no Python")} == {}
    found = Counter(one.what for one in judged.values())
    assert found["accepted"] >= SHARE * (found["accepted"] + found["refused"])


@pytest.mark.parametrize("uses", [1, pytest.param(None, marks=pytest.mark.deep, id="all")])
@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_each_trick_means_the_same_or_is_refused(trick: Trick, uses: int | None) -> None:
    drawn = islice(drawn_python.uses(trick, Random(1)), uses)
    judged = [(one.text, drawn_python.judged(one, FEW)) for one in drawn]
    assert [(text, one.why) for text, one in judged if one.what not in ("accepted", "refused")] == []
    if trick.refused or uses is None:
        assert trick.refused == all(one.what == "refused" for _, one in judged)
