"""Multi-master: runs by hand, numbers of states, and shortest counterexamples."""

import pytest
from quorate import Disabled, Spec
from quorate_specs.replication.multi_master import (
    ArrivalOrder,
    CollidingKeys,
    CollidingKeysMerged,
    Entry,
    Key,
    MultiMaster,
    NoConflictResolution,
    Order,
    Site,
    Status,
    StopsAtDuplicates,
    UpsertsInArrivalOrder,
)

from tests.specs.claims import agreed, explored, shortest

HERE, THERE = Site
ONE, TWO = Order


def shipped(run: MultiMaster, source: Site, number: int) -> Entry:
    """An entry of a site's log."""
    (entry,) = (m for m in run.broker if (m.source, m.number) == (source, number))
    return entry


def status(run: MultiMaster, s: Site, k: int) -> Status | None:
    """What a site shows of an order."""
    row = run.rows[s][Key(k)]
    return None if row is None else row.status


def test_sites_count_keys_from_offsets_of_their_own() -> None:
    run = MultiMaster()
    run.place(HERE, ONE)
    run.place(THERE, TWO)
    assert run.placed == {ONE: (HERE, 1), TWO: (THERE, 2)}
    run = MultiMaster()
    run.place(HERE, ONE)
    run.place(HERE, TWO)
    assert run.placed[TWO] == (HERE, 3)


def test_of_concurrent_changes_the_same_one_wins_everywhere() -> None:
    run = MultiMaster()
    run.place(HERE, ONE)
    run.apply(THERE, shipped(run, HERE, 1))
    run.change(HERE, Key(1), Status.PAID)
    run.change(THERE, Key(1), Status.CANCELLED)
    run.apply(THERE, shipped(run, HERE, 2))
    run.apply(HERE, shipped(run, THERE, 1))
    assert status(run, HERE, 1) == status(run, THERE, 1) == Status.CANCELLED


def test_a_change_waits_for_its_row_or_is_passed_over() -> None:
    for spec in (MultiMaster, ArrivalOrder):
        run = spec()
        run.place(HERE, ONE)
        run.change(HERE, Key(1), Status.PAID)
        if spec is MultiMaster:
            with pytest.raises(Disabled):
                run.apply(THERE, shipped(run, HERE, 2))
        else:
            run.apply(THERE, shipped(run, HERE, 2))
            run.apply(THERE, shipped(run, HERE, 1))
            assert status(run, THERE, 1) == Status.PLACED


def test_with_one_order_both_engines_find_the_same() -> None:
    assert agreed(MultiMaster.bounded(Order=1)) == ("holds", 57, 77, 6)


@pytest.mark.library
@pytest.mark.slow
def test_at_the_default_bounds_there_are_so_many_states() -> None:
    assert explored(MultiMaster, "native") == ("holds", 17_583, 28_705, 12)


@pytest.mark.slow
def test_three_sites_with_one_order_hold_too() -> None:
    assert explored(MultiMaster.bounded(Site=3, Order=1), "native") == ("holds", 2_347, 6_652, 12)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "property_broken", "steps"),
    [
        (NoConflictResolution, "convergence", 6),
        (CollidingKeys, "no_two_rows_with_one_key", 2),
        (CollidingKeysMerged, "no_acknowledged_order_is_lost", 3),
        (StopsAtDuplicates, "sites_converge", 2),
        (UpsertsInArrivalOrder, "no_effect_before_its_cause", 3),
        (ArrivalOrder, "convergence", 4),
    ],
)
def test_each_mistake_shows_after_so_many_steps(spec: type[Spec], property_broken: str, steps: int) -> None:
    assert shortest(spec) == (property_broken, steps)
