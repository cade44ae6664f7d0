"""The store under faults: each class keeps what its scheme promises, and loses what it does not; every mistake is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from quorate_impl.primary_backup.messages import Consistency
from quorate_impl.primary_backup.options import ARBITER
from quorate_impl.simulation import Conditions, Crash, Cut, Damage, Drift, Plan

from tests.impl.primary_backup import mistakes, plans
from tests.impl.primary_backup.running import (
    BUSY,
    OPTIONS,
    Forced,
    Mix,
    Program,
    Sessions,
    broken,
    of_class,
    run,
    satisfies,
)
from tests.impl.repeated import digests

ORDERS = partial(Mix, [f"o{i}" for i in range(20)])
"""So many keys that a reader seldom meets one that is being written."""
VIEWS = partial(Mix, ["v1", "v2"])
LOADED = Conditions(busy_ms=2_000, think_ms=5)
AIMED = [
    plans.cut_off,
    plans.out_of_the_arbiters_sight,
    plans.power_cuts,
    plans.brownouts,
    plans.restarts,
    plans.between_two,
    plans.bad_weather,
    plans.alone_with_the_arbiter,
]


def test_payments_and_orders_are_linearizable_under_faults(tmp_path: Path) -> None:
    """And after the faults clients are answered within 1,000 ticks (`Conditions.answer_ticks`)."""
    for seed in range(5):
        assert broken(run(seed), tmp_path) is None


@pytest.mark.slow
@pytest.mark.parametrize("plan", [lambda seed: None, *AIMED], ids=["drawn", *(plan.__name__ for plan in AIMED)])
def test_many_payments_and_orders_are_linearizable_under_faults(
    plan: Callable[[int], Plan | None], tmp_path: Path
) -> None:
    for seed in range(1_000, 1_040):
        assert broken(run(seed, plan(seed)), tmp_path) is None


def test_a_node_that_is_gone_stops_payments_and_no_orders(tmp_path: Path) -> None:
    """Its disk is damaged, so that it does not come back: "all nodes" are fewer available than one (`Synchronous`)."""
    plan = Damage(1_000, 0, "n1"), Crash(1_100, 100, "n1")
    orders = run(1, plan, workload=ORDERS)
    assert broken(orders, tmp_path, "o") is None and list(orders.stopped) == ["n1"]
    payments = run(1, plan, workload=partial(Mix, ["p1", "p2"]))
    assert payments.failure is not None and "there was no answer yet" in payments.failure


def test_a_failover_without_a_majority_loses_orders_and_no_payments(tmp_path: Path) -> None:
    """What a majority has stored is lost only if the operator goes on with less."""
    lost = 0
    for seed in range(6):
        outcome = run(seed, plans.alone_with_the_arbiter(seed), workload=Forced)
        assert broken(outcome, tmp_path, "p") is None
        lost += not satisfies(of_class(outcome.history, "o"), "linearizable", tmp_path)
    assert lost > 0


def test_page_views_are_lost_by_a_primary_that_is_cut_off(tmp_path: Path) -> None:
    histories = [run(seed, plans.cut_off(seed), workload=VIEWS).history for seed in range(4)]
    assert not all(satisfies(history, "linearizable", tmp_path, "register") for history in histories)


GUARANTEES = "read-your-writes", "monotonic-reads"


def test_reads_at_any_node_are_stale_and_those_with_a_token_keep_the_sessions_guarantees(tmp_path: Path) -> None:
    """Whatever the class. A session whose past is lost is told so, and ends."""
    stale = again = 0
    for seed in range(8):
        plan = plans.cut_off(seed)
        anywhere = run(seed, plan, workload=partial(Sessions, Consistency.ANY)).history
        stale += not satisfies(anywhere, "linearizable", tmp_path, "register")
        again += not all(satisfies(anywhere, level, tmp_path, "register") for level in GUARANTEES)
        history = run(seed, plan, workload=partial(Sessions, Consistency.SESSION)).history
        assert all(satisfies(history, level, tmp_path, "register") for level in GUARANTEES)
    assert stale > 4 and again > 0


def test_a_deposed_primary_whose_snapshot_has_what_was_replaced_is_given_another() -> None:
    """It was cut off one way, so all that came after was on its way to it when it said so."""
    plan = Plan(
        (
            Cut(at=709, lasts=451, sources=("n1",), targets=("n2", "n3", ARBITER), both_ways=False),
            Drift(at=914, lasts=268, node="n3", percent=200),
        )
    )
    assert run(501289, plan, workload=Forced).failure is None


def test_a_run_repeats_itself_in_processes_that_order_sets_in_another_way() -> None:
    assert digests("primary_backup", 5) == [run(5).digest] * 2


@pytest.mark.parametrize(
    ("core", "plan", "conditions", "seeds"),
    [
        (mistakes.NoFencing, plans.out_of_the_arbiters_sight, BUSY, 10),
        pytest.param(mistakes.ConfirmsBeforeSync, plans.power_cuts, LOADED, 40, marks=pytest.mark.slow),
        (mistakes.ShipsBeforeSync, plans.brownouts, LOADED, 10),
        (mistakes.PaymentSentAsync, plans.cut_off, BUSY, 5),
        (mistakes.KeepsItsTail, plans.cut_off, BUSY, 5),
        (mistakes.ExecutesTwice, plans.bad_weather, BUSY, 10),
    ],
)
def test_a_mistake_of_a_node_is_found_within_so_many_seeds(
    core: type, plan: Callable[[int], Plan], conditions: Conditions, seeds: int, tmp_path: Path
) -> None:
    """And the program without it is right in the run that shows it."""
    found = (
        seed
        for seed in range(seeds)
        if broken(run(seed, plan(seed), Program(core), conditions=conditions), tmp_path) is not None
    )
    seed = next(found)
    assert broken(run(seed, plan(seed), conditions=conditions), tmp_path) is None


@pytest.mark.parametrize(
    ("arbiter", "plan", "seeds"),
    [
        (mistakes.ForgetsItsEpoch, plans.restarts, 5),
        (mistakes.PromotesWhoIsBehind, plans.out_of_the_arbiters_sight, 5),
        (mistakes.PromotesTheFirst, plans.alone_with_the_arbiter, 5),
    ],
)
def test_a_mistake_of_the_arbiter_is_found_within_so_many_seeds(
    arbiter: type, plan: Callable[[int], Plan], seeds: int, tmp_path: Path
) -> None:
    found = (seed for seed in range(seeds) if broken(run(seed, plan(seed), Program(arbiter=arbiter)), tmp_path))
    seed = next(found)
    assert broken(run(seed, plan(seed)), tmp_path) is None


def test_a_state_that_is_not_undone_is_found_within_ten_seeds() -> None:
    views, plan = partial(Mix, [f"v{i}" for i in range(20)]), plans.cut_off
    seed = next(s for s in range(10) if run(s, plan(s), Program(mistakes.KeepsItsState), workload=views).failure)
    assert run(seed, plan(seed), workload=views).failure is None


def test_a_majority_is_not_all(tmp_path: Path) -> None:
    """Payments that wait for a majority only are lost by a failover without one."""
    program, plan = Program(mistakes.SynchronousByMajority), plans.alone_with_the_arbiter(0)
    assert broken(run(0, plan, program, workload=Forced), tmp_path, "p") is not None


@pytest.mark.slow
def test_a_primary_that_reads_alone_is_found_within_twenty_seeds(tmp_path: Path) -> None:
    program, plan = Program(mistakes.ReadsAtDeposedPrimary), plans.cut_off
    seed = next(seed for seed in range(20) if broken(run(seed, plan(seed), program, workload=ORDERS), tmp_path, "o"))
    assert broken(run(seed, plan(seed), workload=ORDERS), tmp_path, "o") is None


@pytest.mark.slow
def test_a_promise_that_is_forgotten_is_found_within_twenty_seeds(tmp_path: Path) -> None:
    """The arbiter takes its time, so that an old primary can find a majority in between."""
    program, plan = Program(mistakes.ForgetsItsPromise), plans.between_two
    options = replace(OPTIONS, grace_ticks=15)
    seed = next(seed for seed in range(20) if broken(run(seed, plan(seed), program, options=options), tmp_path))
    assert broken(run(seed, plan(seed), options=options), tmp_path) is None


def test_a_node_that_ignores_tokens_is_found_within_ten_seeds(tmp_path: Path) -> None:
    program, workload = Program(mistakes.IgnoresTokens), partial(Sessions, Consistency.SESSION)
    histories = (run(seed, plans.cut_off(seed), program, workload=workload).history for seed in range(10))
    assert any(not satisfies(each, level, tmp_path, "register") for each in histories for level in GUARANTEES)
