"""Coordinator and participants, message by message: what the specification calls reachable, and what recovery keeps."""

from __future__ import annotations

from quorate_impl.core import (
    Checkpoint,
    Core,
    Effect,
    Persist,
    Persisted,
    Received,
    Record,
    Reply,
    Requested,
    Send,
    Started,
    Tick,
)
from quorate_impl.shop.messages import Answer, Order, Place
from quorate_impl.shop.resources import Inventory
from quorate_impl.two_phase_commit import Coordinator, Options, Participant
from quorate_impl.two_phase_commit.messages import (
    Acknowledged,
    Conclude,
    Inquire,
    Prepare,
    Prepared,
    Refused,
)

PLACE = Place("c1", 1, {"east": 2})
OPTIONS = Options(repeat_ticks=10, vote_ticks=40)


def sent(effects: list[Effect]) -> list[tuple[str, object]]:
    return [(each.target, each.message) for each in effects if isinstance(each, Send)]


def written(effects: list[Effect]) -> list[Record]:
    return [record for each in effects if isinstance(each, Persist) for record in each.records]


def sync(core: Core) -> list[Effect]:
    return core.step(Persisted(core.written))


def inventory(stock: int, *records: Record, options: Options = OPTIONS) -> Participant:
    return Participant("east", records, Inventory("east", stock), options)


def coordinator(*records: Record) -> Coordinator:
    core = Coordinator("coordinator", records, ["east"], OPTIONS)
    core.step(Started())
    sync(core)
    return core


def test_a_decision_is_announced_and_answered_when_it_is_on_the_disk() -> None:
    core = coordinator()
    assert sent(core.step(Requested("c1", PLACE))) == [
        ("orders", Prepare((1, 1), (1, 1), PLACE)),
        ("east", Prepare((1, 1), (1, 1), PLACE)),
    ]
    core.step(Received("orders", Prepared((1, 1))))
    effects = core.step(Received("east", Prepared((1, 1))))
    assert written(effects) and not sent(effects)
    effects = sync(core)
    assert Reply("c1", Answer("c1", 1, Order.CONFIRMED)) in effects
    assert sent(effects) == [("east", Conclude((1, 1), True)), ("orders", Conclude((1, 1), True))]


def test_a_coordinator_forgets_what_it_had_not_forced_and_keeps_what_it_had() -> None:
    """`coordinator_forgets`, and `all_commit_despite_a_crash`: the disk has the decision, or not."""
    core = coordinator()
    core.step(Requested("c1", PLACE))
    core.step(Received("orders", Prepared((1, 1))))
    (decision,) = written(core.step(Received("east", Prepared((1, 1)))))
    (start,) = written(Coordinator("coordinator", [], ["east"], OPTIONS).step(Started()))
    assert sent(coordinator(start).step(Received("east", Inquire((1, 1))))) == [("east", Conclude((1, 1), False))]
    again = coordinator(start, decision)
    assert sent(again.step(Received("east", Inquire((1, 1))))) == [("east", Conclude((1, 1), True))]
    assert again.step(Requested("c1", PLACE)) == [Reply("c1", Answer("c1", 1, Order.CONFIRMED))]


def test_a_prepared_participant_waits_for_the_decision_however_long_and_after_a_restart() -> None:
    """What `Blocking` says of two-phase commit. The units stay reserved: nobody else is promised them."""
    core = inventory(3)
    core.step(Started())
    promise = written(core.step(Received("coordinator", Prepare((1, 1), (1, 1), PLACE))))
    assert sent(sync(core)) == [("coordinator", Prepared((1, 1)))]
    again = inventory(3, *promise)
    again.step(Started())
    asked = [message for now in range(1_000) for message in sent(again.step(Tick(now)))]
    assert len(asked) >= 99 and set(asked) == {("coordinator", Inquire((1, 1)))}
    other = Prepare((1, 2), (1, 1), Place("c2", 1, {"east": 2}))
    assert sent(again.step(Received("coordinator", other))) == [("coordinator", Refused((1, 2)))]
    again.step(Received("coordinator", Conclude((1, 1), True)))
    assert sent(sync(again)) == [("coordinator", Acknowledged((1, 1)))]
    assert again.status() == {"name": "east", "role": "inventory", "prepared": 0, "available": 1, "reserved": 0}


def test_an_abort_that_overtakes_the_request_to_prepare_leaves_a_mark() -> None:
    core = inventory(3)
    assert core.step(Received("coordinator", Conclude((1, 1), False))) == []
    assert core.step(Received("coordinator", Prepare((1, 1), (1, 1), PLACE))) == []
    assert not core.prepared


def test_a_checkpoint_holds_all_that_the_log_held() -> None:
    core = inventory(9, options=Options(checkpoint_after=4))
    effects: list[Effect] = []
    for number in (1, 2, 3):
        effects += core.step(
            Received("coordinator", Prepare((1, number), (1, 1), Place("c1", number, {"east": number})))
        )
    effects += core.step(Received("coordinator", Conclude((1, 2), True)))
    (checkpoint,) = [each for each in effects if isinstance(each, Checkpoint)]
    again = inventory(9, *checkpoint.records)
    assert (again.status()["available"], again.prepared, again.concluded) == (7, core.prepared, {(1, 2): True})
