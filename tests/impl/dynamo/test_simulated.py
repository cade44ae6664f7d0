"""The quorum store under faults: no acknowledged write is lost, none comes back, replicas converge, every mistake is found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from quorate.consistency import Satisfied, Violated, find_model, judge, read_history
from quorate_impl.dynamo import Dynamo, Options
from quorate_impl.simulation import Conditions, Cut, Outcome, Plan, Weather

from tests.impl.dynamo import mistakes, plans
from tests.impl.dynamo.running import (
    HURRIED,
    LAST_WRITE_WINS,
    LIMITED,
    MANY_KEYS,
    SLOPPY,
    STRICT,
    STRICT_LAST_WRITE_WINS,
    run,
)
from tests.impl.histories import written
from tests.impl.repeated import digests

QUORUM = ("quorum",)
ALL = {
    "sloppy": SLOPPY,
    "strict": STRICT,
    "last write wins": LAST_WRITE_WINS,
    "strict, last write wins": STRICT_LAST_WRITE_WINS,
}
LOADED = {"conditions": HURRIED, "clients": 12}
CROWDED = {"conditions": replace(HURRIED, busy_ms=700), "clients": 30, "levels": ("one",)}
"""At any moment a write is under way to some disk."""
DYING = {"levels": QUORUM, "give_up_ticks": 60, "keys": MANY_KEYS, "clients": 8}
REPLACED = DYING | {"give_up_ticks": 8, "clients": 12}
"""Nobody asks again for what a disk has taken with it."""


def drawn(seed: int) -> Plan | None:
    """Faults of all kinds."""
    return None


@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
def test_no_acknowledged_write_is_lost_under_faults(options: Options) -> None:
    """Under strict quorums, no read misses what was acknowledged before it either."""
    for seed in range(3):
        assert run(seed, options=options, levels=("one", 2, "all") if options.is_sloppy else QUORUM).failure is None


@pytest.mark.slow
@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
@pytest.mark.parametrize("plan", [drawn, plans.power_cuts, plans.divided, plans.bad_weather, plans.clocks_are_set])
def test_no_acknowledged_write_is_lost_in_many_runs(options: Options, plan: Callable[[int], Plan]) -> None:
    levels = ("one", "quorum", 2, "all") if options.is_sloppy else QUORUM
    for seed in range(1_000, 1_006):
        assert run(seed, plan(seed), options=options, levels=levels).failure is None


def test_what_a_quorum_has_outlives_a_disk() -> None:
    for seed in range(3):
        outcome = run(seed, plans.a_disk_dies(seed), **DYING)  # type: ignore[arg-type]
        assert outcome.failure is None and len(outcome.stopped) == 1


@pytest.mark.slow
def test_a_node_may_come_back_with_an_empty_disk() -> None:
    for seed in range(10):
        assert run(seed, plans.disks_are_replaced(seed), **REPLACED).failure is None  # type: ignore[arg-type]


def test_a_limit_to_skew_has_writes_refused_rather_than_lost() -> None:
    outcomes = [run(seed, plans.clocks_are_set(seed), options=LIMITED) for seed in range(4)]
    assert all(outcome.failure is None for outcome in outcomes)
    assert any(event["type"] == "fail" for outcome in outcomes for event in outcome.history)


def test_a_run_repeats_itself() -> None:
    """In processes, too, that order sets in another way."""
    assert digests("dynamo", 5) == [run(5).digest] * 2


@pytest.mark.parametrize(
    ("mistake", "plan", "given", "seeds"),
    [
        (mistakes.DropsHints, plans.a_disk_dies, DYING, 10),
        (mistakes.HandsOverBlindly, plans.a_disk_dies, DYING, 10),
        (mistakes.MergesByLastWrite, drawn, {}, 5),
        (mistakes.OneVector, drawn, {}, 5),
        (mistakes.PerServerVectors, drawn, {}, 5),
        pytest.param(mistakes.RepliesBeforeSync, plans.power_cuts, CROWDED, 20, marks=pytest.mark.slow),
        pytest.param(mistakes.TellsBeforeSync, plans.power_cuts, CROWDED, 20, marks=pytest.mark.slow),
        pytest.param(
            mistakes.ConfirmsBeforeSync,
            plans.the_power_fails_and_a_disk_dies,
            DYING | {"conditions": replace(HURRIED, busy_ms=200), "clients": 40},
            60,
            marks=pytest.mark.slow,
        ),
        (mistakes.RepairOverwrites, plans.divided, LOADED, 5),
        (mistakes.LeafForgetsDots, plans.bad_weather, {"options": STRICT, "keys": MANY_KEYS, "clients": 12}, 10),
        (mistakes.WallClock, plans.clocks_are_set, {"options": LAST_WRITE_WINS}, 10),
        (mistakes.ExecutesTwice, plans.bad_weather, {}, 5),
        pytest.param(mistakes.CountsTwice, plans.restarts, LOADED, 20, marks=pytest.mark.slow),
        (mistakes.ReadsOne, drawn, {"options": STRICT, "levels": QUORUM}, 10),
        pytest.param(
            mistakes.ReadsOne,
            drawn,
            {"options": STRICT_LAST_WRITE_WINS, "levels": QUORUM},
            10,
            marks=pytest.mark.slow,
        ),
        pytest.param(mistakes.ForgetsItsDots, plans.disks_are_replaced, REPLACED, 5, marks=pytest.mark.slow),
    ],
)
def test_a_mistake_is_found_within_so_many_seeds(
    mistake: type[Dynamo], plan: Callable[[int], Plan], given: dict[str, Any], seeds: int
) -> None:
    """And the program without it is right in the run that shows it."""
    seed = next(seed for seed in range(seeds) if run(seed, plan(seed), mistake, **given).failure is not None)
    assert run(seed, plan(seed), **given).failure is None


def judged(outcome: Outcome, level: str, folder: Path) -> bool:
    """Whether the history is at this level, each key a register."""
    assert outcome.failure is None
    verdict = judge(read_history(written(outcome.history, folder)), level, find_model("register").starting(None))
    assert isinstance(verdict, Satisfied | Violated)
    return isinstance(verdict, Satisfied)


AWAY = (Cut(200, 1_500, ("n1",), ("n2", "n3"), True), Weather(0, 2_000, 1, 1, 5))
"""One of three nodes hears nobody but the clients."""


@pytest.mark.parametrize("options", [SLOPPY, LAST_WRITE_WINS], ids=["siblings", "last write wins"])
def test_one_and_one_shows_stale_reads_and_quorums_are_regular(options: Options, tmp_path: Path) -> None:
    """Each key has one client that writes it. Reads of quorums may still be in another order than their writes (not linearizable)."""
    three = {"options": options, "nodes": ("n1", "n2", "n3"), "is_one_writer_per_key": True}
    loose = [run(seed, AWAY, levels=("one",), **three) for seed in range(3)]  # type: ignore[arg-type]
    assert not any(judged(outcome, "regular", tmp_path) for outcome in loose)
    strict = [run(seed, AWAY, levels=QUORUM, **three) for seed in range(3)]  # type: ignore[arg-type]
    assert all(judged(outcome, "regular", tmp_path) for outcome in strict)


@pytest.mark.slow
def test_a_hundred_thousand_operations_are_simulated_in_a_minute() -> None:
    start = time.process_time()
    outcome = run(1, (Weather(0, 10_000, 1, 1, 1),), conditions=Conditions(busy_ms=5_000))
    assert outcome.failure is None and outcome.operations / (time.process_time() - start) * 60 > 100_000
