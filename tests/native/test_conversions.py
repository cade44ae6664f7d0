"""What goes from one type into another of its shape ends in the native engine as in the reference engine, and as in the typed model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from quorate.explore.limits import Limits, Watch
from quorate.explore.native import library
from quorate.explore.native.search import rendering
from quorate.explore.reference import explore as reference
from quorate.language.system import System

from tests.conversions import CHOICES_MAX, write
from tests.generated import load
from tests.native.agreement import QUICK_FLAGS, Case, means_the_same, reductions
from tests.native.large_agreement import compared

STATES_MAX = 1_000


def agree_on(seeds: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Compare drawn specs, and count what was compared. Raises AssertionError."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    tally, cases = Counter[str](), []
    for seed in seeds:
        system = System(load(write(seed)))
        with system:
            if system.variable("one").type.cardinality > CHOICES_MAX:
                continue
            means_the_same(system)
            initial = list(system.initial())
            for sorts in reductions(system):
                expected = reference(system, sorts, Watch(Limits(states=STATES_MAX)), 1)
                if expected.stopped is None:
                    rendered = rendering(system, [state for _, state in initial], sorts)
                    cases.append(Case(seed, system, initial, sorts, expected, rendered))
    for case, said in compared(cases):
        assert said.startswith("same verdict"), (case.seed, said)
        tally[said] += 1
        tally["cut by several bounds"] += len(case.expected.cuts) > 1
    return tally


@pytest.mark.slow
def test_drawn_conversions_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = agree_on(range(40), monkeypatch)
    assert (
        tally["same verdict: error"] >= 5 and tally["same verdict: holds"] >= 5 and tally["cut by several bounds"] >= 3
    )


@pytest.mark.deep
@pytest.mark.parametrize("begin", range(1_000, 1_600, 150))
def test_more_drawn_conversions_agree(begin: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert agree_on(range(begin, begin + 150), monkeypatch).total() > 50
