"""Purchases under faults: all or nothing, what is acknowledged is kept, nobody is blocked, every mistake is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from quorate_impl.paxos_commit import Options
from quorate_impl.simulation import Blackout, Crash, Plan

from tests.impl.paxos_commit.mistakes import MISTAKES
from tests.impl.paxos_commit.plans import bad_weather, leaders_come_and_go, power_cuts, quarrels
from tests.impl.paxos_commit.running import IMPATIENT, OPTIONS, SHORT, run
from tests.impl.repeated import digests


def drawn(seed: int) -> Plan | None:
    """From all faults."""
    return None


def test_purchases_under_faults_are_all_or_nothing() -> None:
    """And of the purchases some are confirmed, some rejected, some cancelled."""
    orders = Counter[str]()
    for seed in range(4):
        outcome = run(seed)
        assert outcome.failure is None
        orders.update(event["value"][1] for event in outcome.history if event["type"] == "ok")
    assert orders["confirmed"] > 200 and orders["rejected"] > 200 and orders["cancelled"] > 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "options"),
    [
        (drawn, OPTIONS),
        (power_cuts, OPTIONS),
        (bad_weather, OPTIONS),
        (leaders_come_and_go, OPTIONS),
        (quarrels, IMPATIENT),
    ],
    ids=["drawn", "power", "weather", "leaders", "quarrels"],
)
def test_many_purchases_under_faults_are_all_or_nothing(plan: Callable[[int], Plan | None], options: Options) -> None:
    for seed in range(1_000, 1_025):
        assert run(seed, plan(seed), options=options).failure is None


@pytest.mark.slow
def test_the_death_of_a_leader_and_of_an_acceptor_blocks_nobody() -> None:
    """Nobody is in doubt for more than 120 ticks, where two-phase commit waits for its coordinator; and purchases go on."""
    for seed, victims in enumerate((("l1", "a1"), ("l1", "a2"), ("l2", "a3"))):
        plan = tuple(Crash(500, 2_000, victim) for victim in victims)
        until_then, after = (
            run(seed, plan, conditions=replace(SHORT, busy_ms=busy_ms, rest=0), doubt_max=120)
            for busy_ms in (500, 2_500)
        )
        assert until_then.failure is None and after.failure is None
        assert after.operations > until_then.operations + 100


def test_a_vote_that_nobody_has_heard_may_be_another_one_after_a_crash() -> None:
    """`west` votes to abort, loses that before it is on its disk, and is prepared when it is asked again."""
    crashes = Plan((Blackout(at=78, lasts=8), Crash(at=176, lasts=596, node="west")))
    assert run(503796, crashes).failure is None


def test_a_run_repeats_itself() -> None:
    """In processes, too, that order sets in another way."""
    assert digests("paxos_commit", 8) == [run(8).digest] * 2


@pytest.mark.parametrize(
    ("mistake", "plan", "options", "seeds"),
    [
        ("voted before it is logged", power_cuts, OPTIONS, 10),
        pytest.param("refusals are not kept", power_cuts, OPTIONS, 30, marks=pytest.mark.slow),
        ("the prepared abort", power_cuts, OPTIONS, 5),
        ("acknowledged before it is logged", drawn, OPTIONS, 5),
        ("a late request is voted on again", bad_weather, OPTIONS, 5),
        ("accepted below the promise", power_cuts, IMPATIENT, 5),
        ("the last transaction is forgotten", leaders_come_and_go, IMPATIENT, 5),
        ("committed by a majority", power_cuts, OPTIONS, 5),
        ("one acceptor is enough", power_cuts, OPTIONS, 10),
        ("a leader's ballot is free", power_cuts, OPTIONS, 5),
        ("a leader aborts alone", power_cuts, OPTIONS, 5),
        ("promises to others are not counted", power_cuts, OPTIONS, 5),
    ],
)
def test_a_mistake_is_found_within_so_many_seeds(
    mistake: str, plan: Callable[[int], Plan | None], options: Options, seeds: int
) -> None:
    """And the program without it is right in the run that shows it."""
    program = MISTAKES[mistake]
    seed = next(seed for seed in range(seeds) if run(seed, plan(seed), program, options=options).failure is not None)
    assert run(seed, plan(seed), options=options).failure is None
