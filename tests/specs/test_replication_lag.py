"""Replication lag by heartbeats, and what alerts do not tell."""

import pytest
from quorate import Spec
from quorate.language.system import System
from quorate_specs.replication.replication_lag import (
    AllReceivedIsApplied,
    AsPublished,
    AsPublishedRate,
    BornAtOne,
    ComparesReceived,
    ExportsDifference,
    LastReceived,
    LastTransaction,
    NullIsZero,
    Replica,
    ReplicationLag,
    Skew,
    TrustsClocks,
)

from tests.specs.claims import agreed, explored, shortest


def lagging(kind: type[ReplicationLag]) -> tuple[ReplicationLag, Replica]:
    """A write at time zero that has not arrived at time three, while all scrapes succeed."""
    spec, (r,) = kind(), Replica
    spec.begin(Skew(1))
    spec.write()
    for _ in range(3):
        spec.tick({r})
    return spec, r


def test_the_lag_that_is_shown_grows_without_any_news_of_the_replica() -> None:
    with System(ReplicationLag):
        spec, r = lagging(ReplicationLag)
        assert spec.true_lag(r) == 3 and spec.lag(r) == 3 and spec.fires(r)
        for _ in range(2):
            spec.receive(r)
            spec.apply(r)
        assert spec.exported(r) == 2 and spec.true_lag(r) == 0


def test_with_a_primary_whose_clock_is_right_the_skew_is_added_in_vain() -> None:
    with System(ReplicationLag):
        spec, (r,) = ReplicationLag(), Replica
        spec.begin(Skew(0))
        assert spec.true_lag(r) == 0 and spec.lag(r) == 1 and not spec.fires(r)


def test_the_first_alert_of_the_article_is_silent_where_replication_has_stopped() -> None:
    with System(AsPublished):
        spec, r = lagging(AsPublished)
        assert spec.fires(r)
        spec.stop(r)
        assert not spec.fires(r) and spec.true_lag(r) == 3


def test_a_trickle_is_told_at_once_or_never() -> None:
    for kind, told in ((ReplicationLag, True), (AsPublishedRate, False)):
        with System(kind):
            spec, (r,) = kind(), Replica
            spec.begin(Skew(0))
            spec.write()
            for _ in range(3):
                spec.read_too_early(r)
                spec.tick({r})
            assert spec.seen[r] == 3 and (r in spec.told) is told


def test_a_counter_that_begins_again_is_no_fall_but_a_rise() -> None:
    with System(ReplicationLag):
        spec, (r,) = ReplicationLag(), Replica
        spec.begin(Skew(0))
        spec.write()
        spec.read_too_early(r)
        spec.read_too_early(r)
        spec.tick(set())
        spec.stop(r)
        spec.restart(r)
        spec.read_too_early(r)
        spec.tick({r})
        assert spec.seen[r] == 1 and spec.stale[r] == 3 and r in spec.told


def test_the_numbers_at_default_bounds() -> None:
    assert explored(ReplicationLag) == ("holds-within-bounds", 130_892, 407_766, 23)


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(ReplicationLag.bounded(Time=2, Length=3)) == ("holds-within-bounds", 8_176, 21_726, 17)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (AsPublished, "lag_is_alerted", 5),
        (AsPublishedRate, "stale_reads_are_told", 7),
        (BornAtOne, "stale_reads_are_told", 3),
        (ComparesReceived, "stale_reads_are_counted", 3),
        (LastReceived, "lag_is_never_understated", 5),
        (AllReceivedIsApplied, "lag_is_never_understated", 2),
        (LastTransaction, "idleness_is_no_lag", 3),
        (NullIsZero, "lag_is_never_understated", 3),
        (ExportsDifference, "lag_is_never_understated", 2),
        (TrustsClocks, "lag_is_never_understated", 2),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
