"""The replicated store under faults: nothing acknowledged is lost, every history is linearizable, every mistake is found."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from quorate_impl.raft import Options, Raft
from quorate_impl.simulation import Conditions, Crash, Damage, Outcome, Plan, Weather

from tests.impl.histories import is_linearizable
from tests.impl.raft import mistakes
from tests.impl.raft.plans import bad_weather, power_cuts, restarts, slow_and_cut_off
from tests.impl.raft.running import MANY, NODES, OPTIONS, run
from tests.impl.repeated import digests

HASTY = Options(
    snapshot_after=60,
    entries_kept=10,
    entries_max=8,
    window=4,
    piece_bytes=200,
    election_ticks_min=10,
    election_ticks_max=13,
    heartbeat_ticks=3,
)
"""Elections are frequent, and often two run at once."""
SHORT = Conditions(busy_ms=2_000, think_ms=5)


def is_wrong(outcome: Outcome, folder: Path) -> bool:
    return outcome.failure is not None or not is_linearizable(outcome.history, folder, "cas-register", None)


def check(outcome: Outcome, folder: Path) -> None:
    assert outcome.failure is None
    assert is_linearizable(outcome.history, folder, "cas-register", None)


def test_histories_under_faults_are_linearizable(tmp_path: Path) -> None:
    for seed in range(3):
        check(run(seed, conditions=SHORT), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [NODES, MANY], ids=["three servers", "servers that come and go"])
def test_many_histories_under_faults_are_linearizable(nodes: tuple[str, ...], tmp_path: Path) -> None:
    operations = 0
    for seed in range(1_000, 1_040):
        outcome = run(seed, nodes=nodes)
        check(outcome, tmp_path)
        operations += outcome.operations
    assert operations > 5_000


def test_a_damaged_disk_takes_its_server_away_and_no_more(tmp_path: Path) -> None:
    outcome = run(1, (Damage(1_000, 0, "n1"), Crash(1_100, 100, "n1")), conditions=SHORT)
    check(outcome, tmp_path)
    assert list(outcome.stopped) == ["n1"] and "damaged" in outcome.stopped["n1"]


def test_a_run_repeats_itself() -> None:
    """In processes, too, that order sets in another way."""
    assert digests("raft", 5) == [run(5).digest] * 2


@pytest.mark.parametrize(
    ("core", "plan", "options", "seeds"),
    [
        (mistakes.TruncatesAlways, power_cuts, HASTY, 5),
        pytest.param(mistakes.VotesForAnyone, power_cuts, HASTY, 20, marks=pytest.mark.slow),
        pytest.param(mistakes.ReadsAtDeposedLeader, slow_and_cut_off, OPTIONS, 10, marks=pytest.mark.slow),
        pytest.param(mistakes.ReadsBeforeOwnCommit, restarts, HASTY, 50, marks=pytest.mark.slow),
        (mistakes.ExecutesTwice, bad_weather, OPTIONS, 20),
        pytest.param(mistakes.RepliesBeforeSync, power_cuts, HASTY, 60, marks=pytest.mark.slow),
        pytest.param(mistakes.ForgetsVote, restarts, HASTY, 120, marks=pytest.mark.slow),
    ],
)
def test_a_mistake_is_found_within_so_many_seeds(
    core: type[Raft], plan: Callable[[int], Plan], options: Options, seeds: int, tmp_path: Path
) -> None:
    """And the program without it is right in the run that shows it."""
    seed = next(
        seed
        for seed in range(seeds)
        if is_wrong(run(seed, plan(seed), core, options=options, conditions=SHORT), tmp_path)
    )
    check(run(seed, plan(seed), options=options, conditions=SHORT), tmp_path)


@pytest.mark.slow
def test_a_hundred_thousand_operations_are_simulated_in_a_minute() -> None:
    start = time.process_time()
    outcome = run(1, (Weather(0, 10_000, 1, 1, 1),), conditions=Conditions(busy_ms=5_000))
    assert outcome.failure is None and outcome.operations / (time.process_time() - start) * 60 > 100_000
