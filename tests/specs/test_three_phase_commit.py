"""Three-phase commit, by hand: what a participant does when the coordinator is gone."""

import pytest
from quorate import Disabled
from quorate.explore import check
from quorate_specs.transactions.three_phase_commit import (
    AbortsOnMissingAck,
    Ack,
    ObeysTheDeparted,
    Order,
    PartitionLooksLikeCrash,
    ResourceManager,
    State,
    ThreePhaseCommit,
    TimeoutsDecide,
    WaitsForEveryAck,
)

from tests.specs.claims import agreed
from tests.specs.figures import broken, explored

A, B, C, D = ResourceManager
PRECOMMIT = Order(None, State.PRECOMMITTED)


def with_a_dead_coordinator(*precommitted: ResourceManager) -> ThreePhaseCommit:
    """All have voted to commit, these have heard of the second phase, and the coordinator has died."""
    run = ThreePhaseCommit()
    for r in ResourceManager:
        run.vote(r)
    run.order_to_precommit()
    for r in precommitted:
        run.follow(r, PRECOMMIT)
    run.crash_coordinator()
    return run


def test_the_coordinator_waits_for_the_acknowledgements_of_the_living_and_of_no_others() -> None:
    run = ThreePhaseCommit()
    for r in ResourceManager:
        run.vote(r)
    run.order_to_precommit()
    for r in (A, B, C):
        run.follow(r, PRECOMMIT)
    with pytest.raises(Disabled):
        run.order_to_commit()
    run.crash(D)
    run.order_to_commit()
    assert run.tm is State.COMMITTED


def test_the_coordinator_does_not_abort_once_it_has_ordered_to_precommit() -> None:
    run = ThreePhaseCommit()
    for r in ResourceManager:
        run.vote(r)
    run.order_to_precommit()
    with pytest.raises(Disabled):
        run.give_up_waiting()


def test_a_backup_that_is_precommitted_brings_the_others_there_and_commits() -> None:
    run = with_a_dead_coordinator(A)
    run.take_over(A)
    with pytest.raises(Disabled):
        run.conclude(A)
    for r in (B, C, D):
        run.follow(r, Order(A, State.PRECOMMITTED))
    run.conclude(A)
    for r in (B, C, D):
        run.follow(r, Order(A, State.COMMITTED))
    assert all(run.rm[r] is State.COMMITTED for r in ResourceManager)


def test_a_backup_that_only_waits_takes_the_others_back_before_it_aborts() -> None:
    run = with_a_dead_coordinator(A)
    run.take_over(B)
    for r in (A, C, D):
        run.follow(r, Order(B, State.WAITING))
    assert run.rm[A] is State.WAITING and Ack(A, B) in run.network
    run.conclude(B)
    run.crash(B)
    run.take_over(A)
    for r in (C, D):
        run.follow(r, Order(A, State.WAITING))
    run.conclude(A)
    assert run.rm[A] is run.rm[B] is State.ABORTED


def test_there_is_one_backup_at_a_time_and_the_dead_are_not_heard() -> None:
    run = with_a_dead_coordinator(A)
    with pytest.raises(Disabled):
        run.follow(B, PRECOMMIT)
    run.take_over(B)
    with pytest.raises(Disabled):
        run.take_over(A)


def test_the_default_bounds_keep_their_numbers() -> None:
    assert explored(ThreePhaseCommit) == (23182, 62303, 26)


def test_it_does_not_block_although_every_site_may_die() -> None:
    outcome = check(ThreePhaseCommit.bounded(ResourceManager=3, Crashes=4), engine="native")
    assert outcome.verdict == "holds"


@pytest.mark.library
def test_both_engines_explore_the_same_states() -> None:
    assert agreed(ThreePhaseCommit.bounded(ResourceManager=2, Crashes=2)) == ("holds", 411, 763, 13)


@pytest.mark.parametrize(
    ("variant", "broken_property", "steps"),
    [
        (PartitionLooksLikeCrash, "atomicity", 9),
        (TimeoutsDecide, "atomicity", 7),
        (AbortsOnMissingAck, "atomicity", 10),
        (ObeysTheDeparted, "atomicity", 11),
        (WaitsForEveryAck, "the_living_decide", 5),
    ],
)
def test_every_shortest_counterexample_keeps_its_length(
    variant: type[ThreePhaseCommit], broken_property: str, steps: int
) -> None:
    assert broken(variant) == (broken_property, steps)
