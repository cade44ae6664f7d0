"""Hybrid clocks: stamps by hand, numbers of states, and shortest counterexamples."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.replication.hybrid_clock import (
    Count,
    ForgetsAtRestart,
    HybridClock,
    LamportClock,
    Message,
    Node,
    Stamp,
    Time,
    TrustsAnyClock,
    WallClock,
    after_local,
    after_message,
    earlier,
)

from tests.specs.claims import agreed, explored, shortest

times = st.integers(0, 1000).map(Time)
stamps = st.builds(Stamp, times, st.integers(0, 1000).map(Count))


@pytest.fixture(scope="module", autouse=True)
def large_numbers() -> Iterator[None]:
    with System(HybridClock.bounded(Time=5000, Count=5000)):
        yield


@given(stamps, stamps, times)
def test_a_receipt_is_later_than_both_and_no_later_than_the_clocks_say(own: Stamp, received: Stamp, now: Time) -> None:
    result = after_message(own, received, now)
    assert earlier(own, result) and earlier(received, result)
    assert result.time == max(own.time, received.time, now)


@pytest.mark.parametrize(
    ("own", "received", "now", "result"),
    [
        ((10, 0), (10, 0), 10, (10, 1)),
        ((1, 0), (10, 1), 2, (10, 2)),
        ((10, 3), (10, 5), 9, (10, 6)),
        ((10, 5), (10, 3), 9, (10, 6)),
        ((10, 5), (9, 7), 11, (11, 0)),
    ],
)
def test_receipts_are_stamped_as_in_the_paper(
    own: tuple[int, int], received: tuple[int, int], now: int, result: tuple[int, int]
) -> None:
    def stamp(pair: tuple[int, int]) -> Stamp:
        return Stamp(Time(pair[0]), Count(pair[1]))

    assert after_message(stamp(own), stamp(received), Time(now)) == stamp(result)


def test_a_node_counts_until_its_clock_has_caught_up() -> None:
    ahead = Stamp(Time(7), Count(0))
    once = after_local(ahead, Time(6))
    assert once == Stamp(Time(7), Count(1))
    assert after_local(once, Time(7)) == Stamp(Time(7), Count(2))
    assert after_local(once, Time(8)) == Stamp(Time(8), Count(0))


def test_a_message_from_the_far_future_is_refused() -> None:
    clocks = HybridClock()
    clocks.begin()
    wrong, right = Node
    clocks.clock_breaks(wrong)
    clocks.tick(wrong)
    clocks.tick(wrong)
    clocks.send(wrong)
    (message,) = clocks.network
    assert isinstance(message, Message) and message.stamp == Stamp(Time(3), Count(0))
    with pytest.raises(Disabled):
        clocks.receive(right, message)
    clocks.tick(right)
    clocks.receive(right, message)
    assert clocks.stamp[right] == Stamp(Time(3), Count(1))


@pytest.mark.library
def test_both_engines_find_these_numbers() -> None:
    assert agreed(HybridClock.bounded(network=1)) == ("holds-within-bounds", 5_632, 14_003, 18)


@pytest.mark.library
def test_at_the_default_bounds_there_are_so_many_states() -> None:
    assert explored(HybridClock, "native") == ("holds-within-bounds", 86_315, 229_423, 25)


@pytest.mark.library
@pytest.mark.parametrize(
    ("spec", "property_broken", "steps"),
    [
        (WallClock, "causes_are_not_in_the_future", 3),
        (LamportClock, "stamps_tell_the_time", 1),
        (ForgetsAtRestart, "causes_are_not_in_the_future", 4),
        (TrustsAnyClock, "drift_is_bounded", 5),
    ],
)
def test_each_mistake_shows_after_so_many_steps(spec: type[Spec], property_broken: str, steps: int) -> None:
    assert shortest(spec) == (property_broken, steps)
