"""Kafka's replication: in-sync replicas, leader epochs, eligible leader replicas, and what each rule is there for."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.replication import isr_log
from quorate_specs.replication.isr_log import (
    AcksOne,
    AdvancesBelowMinimum,
    AsksForEndOnly,
    Broker,
    Diverging,
    Epoch,
    IgnoresJoining,
    IsrLog,
    JoinsAfterRestart,
    JoinsAtHighWatermark,
    LastReplicaStanding,
    Offset,
    Record,
    Records,
    Role,
    TruncatesToHighWatermark,
    UncleanElection,
)

from tests.specs.claims import agreed, explored, shortest


def replicated(spec: IsrLog, leader: Broker, follower: Broker) -> None:
    """The follower has the first record, and the leader knows it."""
    spec.fetch(leader, follower)
    spec.append(Records(follower, Epoch(1), Offset(0)))
    spec.fetch(leader, follower)


def test_a_record_is_acknowledged_when_all_in_sync_replicas_have_it() -> None:
    with System(IsrLog):
        spec, (a, b, c) = IsrLog(), Broker
        spec.start(a)
        spec.produce(a)
        replicated(spec, a, b)
        assert spec.acknowledged == set()
        replicated(spec, a, c)
        assert spec.acknowledged == {Record(Epoch(1), Offset(0))} and spec.high_watermark[a] == 1
        spec.append(Records(c, None, Offset(1)))
        assert spec.high_watermark[c] == 1 and spec.high_watermark[b] == 0


def test_nothing_is_acknowledged_while_too_few_are_in_sync_and_who_has_left_may_lead() -> None:
    with System(IsrLog):
        spec, (a, b, c) = IsrLog(), Broker
        spec.start(a)
        spec.produce(a)
        spec.shrink(b)
        assert spec.elr == set()
        spec.shrink(c)
        spec.learn(a)
        with pytest.raises(Disabled):
            spec.produce(a)
        assert (spec.isr, spec.elr, spec.acknowledged) == ({a}, {c}, set())
        spec.shrink(a)
        with pytest.raises(Disabled):
            spec.elect(b)
        spec.elect(c)
        assert (spec.leader, spec.isr, spec.elr) == (c, {c}, {a})


def test_a_deposed_leader_cuts_off_what_it_has_alone() -> None:
    with System(IsrLog):
        spec, (a, b, _) = IsrLog(), Broker
        spec.start(a)
        spec.elect(b)
        spec.learn(b)
        spec.produce(a)
        spec.produce(b)
        spec.learn(a)
        spec.fetch(b, a)
        spec.truncate(Diverging(a, Epoch(0), Offset(0)))
        assert spec.log[a] == []
        spec.fetch(b, a)
        spec.append(Records(a, Epoch(2), Offset(0)))
        assert spec.log[a] == spec.log[b] == [2]


def test_a_follower_comes_back_once_it_has_what_an_earlier_leader_may_have_committed() -> None:
    with System(IsrLog):
        spec, (a, b, c) = IsrLog(), Broker
        spec.start(a)
        spec.produce(a)
        spec.shrink(c)
        replicated(spec, a, b)
        spec.learn(a)
        assert spec.acknowledged == {Record(Epoch(1), Offset(0))}
        spec.elect(b)
        spec.learn(b)
        spec.learn(c)
        spec.fetch(b, c)
        assert spec.high_watermark[b] == 0 and spec.joining[b] is None
        spec.append(Records(c, Epoch(1), Offset(0)))
        spec.fetch(b, c)
        assert spec.joining[b] == c
        spec.expand(b, c)
        assert spec.isr == set(Broker)


def test_a_broker_that_has_crashed_is_no_longer_eligible() -> None:
    with System(IsrLog):
        spec, (a, b, _) = IsrLog(), Broker
        spec.start(a)
        spec.produce(a)
        spec.crash(a, Offset(0))
        spec.restart(a)
        assert spec.leader is None and a not in spec.isr and spec.role[a] == Role.FOLLOWER
        with pytest.raises(Disabled):
            spec.elect(a)
        spec.elect(b)


@pytest.mark.slow
def test_the_promise_holds_in_all_runs_of_two_epochs() -> None:
    assert explored(IsrLog) == ("holds-within-bounds", 329_535, 2_453_506, 37)


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(IsrLog.bounded(Broker=2)) == ("holds-within-bounds", 6_689, 32_059, 25)


SHORTEST = [
    (AcksOne, "acknowledged_survives", 3),
    (AdvancesBelowMinimum, "acknowledged_survives", 7),
    (AsksForEndOnly, "replicas_agree", 10),
    (IgnoresJoining, "acknowledged_survives", 10),
    (UncleanElection, "acknowledged_survives", 10),
    (LastReplicaStanding, "acknowledged_survives", 11),
    (TruncatesToHighWatermark, "acknowledged_survives", 11),
    (JoinsAfterRestart, "acknowledged_survives", 13),
    (JoinsAtHighWatermark, "acknowledged_survives", 13),
]


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(("variant", "broken", "steps"), SHORTEST)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "steps"), [(TruncatesToHighWatermark, 10), (AsksForEndOnly, 9)])
def test_two_brokers_are_enough_where_one_in_sync_suffices(variant: type[Spec], steps: int) -> None:
    assert shortest(variant.bounded(Broker=2, min_insync_replicas=1))[1] == steps


def test_the_table_tells_the_lengths() -> None:
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in (isr_log.__doc__ or "").splitlines()]
    told = {row[0]: int(row[2]) for row in rows if len(row) == 3 and row[2].isdigit()}
    assert told == {variant.__name__: steps for variant, _, steps in SHORTEST}
