"""Purchases under faults: all or nothing, what is acknowledged is kept, no shelf is oversold, every mistake is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from quorate_impl.simulation import Plan

from tests.impl.repeated import digests
from tests.impl.two_phase_commit.mistakes import MISTAKES
from tests.impl.two_phase_commit.plans import bad_weather, power_cuts
from tests.impl.two_phase_commit.running import Program, run


def test_purchases_under_faults_are_all_or_nothing() -> None:
    """And of the purchases some are confirmed, some rejected, some cancelled."""
    orders = Counter[str]()
    for seed in range(10):
        outcome = run(seed)
        assert outcome.failure is None
        orders.update(event["value"][1] for event in outcome.history if event["type"] == "ok")
    assert orders["confirmed"] > 200 and orders["rejected"] > 100 and orders["cancelled"] > 3


@pytest.mark.slow
@pytest.mark.parametrize("plan", [lambda seed: None, power_cuts, bad_weather], ids=["drawn", "power", "weather"])
def test_many_purchases_under_faults_are_all_or_nothing(plan: Callable[[int], Plan | None]) -> None:
    for seed in range(1_000, 1_100):
        assert run(seed, plan(seed)).failure is None


def test_a_run_repeats_itself() -> None:
    """In processes, too, that order sets in another way."""
    assert digests("two_phase_commit", 5) == [run(5).digest] * 2


@pytest.mark.parametrize(
    ("mistake", "plan", "seeds"),
    [
        ("the decision is not logged", power_cuts, 5),
        ("announced before it is logged", power_cuts, 20),
        ("answered before it is logged", power_cuts, 20),
        ("committed by a majority", power_cuts, 5),
        ("commit is presumed", power_cuts, 5),
        pytest.param("voted before it is logged", power_cuts, 30, marks=pytest.mark.slow),
        ("promises are forgotten at a restart", power_cuts, 5),
        ("the prepared abort", power_cuts, 5),
        ("acknowledged before it is logged", power_cuts, 10),
        ("a late request prepares again", bad_weather, 10),
        ("promises to others are not counted", power_cuts, 5),
    ],
)
def test_a_mistake_is_found_within_so_many_seeds(mistake: str, plan: Callable[[int], Plan], seeds: int) -> None:
    """And the program without it is right in the run that shows it."""
    program: Program = MISTAKES[mistake]
    seed = next(seed for seed in range(seeds) if run(seed, plan(seed), program).failure is not None)
    assert run(seed, plan(seed)).failure is None
