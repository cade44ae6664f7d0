"""Leaders, acceptors and participants, message by message: whose word waits for the disk, and what a ballot finds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from quorate_impl.core import (
    Checkpoint,
    Core,
    Effect,
    Persisted,
    Received,
    Record,
    Reply,
    Requested,
    Send,
    Started,
    Tick,
)
from quorate_impl.paxos_commit import Acceptor, Leader, Options, Participant
from quorate_impl.paxos_commit.messages import (
    OWN,
    Accepted,
    Acknowledged,
    Inquire,
    Over,
    Phase1a,
    Phase1b,
    Phase2a,
    Phase2b,
    Preempted,
    Prepare,
    Probe,
    Verdict,
    Vote,
)
from quorate_impl.shop.messages import Answer, Order, Place
from quorate_impl.shop.resources import Inventory

PLACE = Place("c1", 1, {"east": 2})
KEY = PLACE.key
OPTIONS = Options(repeat_ticks=10, vote_ticks=40, ballot_ticks=20, doubt_ticks=60)
FIRST = (1, 1, "l2")
"""The first ballot of l2."""


def sent(effects: list[Effect]) -> list[tuple[str, object]]:
    return [(each.target, each.message) for each in effects if isinstance(each, Send)]


def sync(core: Core) -> list[tuple[str, object]]:
    """What goes out when all is on the disk."""
    return sent(core.step(Persisted(core.written)))


def leader(name: str = "l2", *records: Record) -> Leader:
    core = Leader(name, records, ["east"], OPTIONS)
    core.step(Started())
    sync(core)
    return core


def inventory(stock: int = 3, options: Options = OPTIONS) -> Participant:
    core = Participant("east", (), Inventory("east", stock), options)
    core.step(Started())
    return core


def promises(*accepted: Accepted | None) -> list[Received]:
    """Of the first acceptors, in the instance of the order service."""
    return [Received(f"a{i + 1}", Phase1b(KEY, "orders", FIRST, each)) for i, each in enumerate(accepted)]


def accepts(
    core: Leader, instance: str, vote: Vote, *acceptors: str, ballot: tuple[int, int, str] = OWN
) -> list[Effect]:
    return [effect for each in acceptors for effect in core.step(Received(each, Phase2b(KEY, instance, ballot, vote)))]


def test_a_purchase_is_confirmed_when_a_quorum_has_accepted_every_vote() -> None:
    """And the leader has written nothing for it."""
    core = leader("l1")
    written = core.written
    asked = [("orders", Prepare(PLACE)), ("east", Prepare(PLACE))]
    assert sent(core.step(Requested("7", PLACE))) == asked
    assert not accepts(core, "orders", Vote.PREPARED, "a1", "a2") and not accepts(core, "east", Vote.PREPARED, "a3")
    effects = accepts(core, "east", Vote.PREPARED, "a2")
    assert Reply("7", Answer("c1", 1, Order.CONFIRMED)) in effects
    assert sent(effects) == [("orders", Verdict(KEY, True)), ("east", Verdict(KEY, True))]
    assert core.written == written


@pytest.mark.parametrize(
    ("make", "message", "target"),
    [
        (inventory, Prepare(PLACE), "a1"),
        (lambda: inventory(1), Prepare(PLACE), "a1"),
        (inventory, Verdict(KEY, False), "l1"),
        (lambda: Acceptor("a1", (), OPTIONS), Phase1a(PLACE, "east", FIRST), "l1"),
        (lambda: Acceptor("a1", (), OPTIONS), Phase2a(PLACE, "east", OWN, Vote.PREPARED, "l1"), "l1"),
    ],
    ids=["a vote", "a refusal", "an acknowledgement", "a promise", "what was accepted"],
)
def test_nobody_hears_what_is_not_on_the_disk(make: Callable[[], Core], message: object, target: str) -> None:
    core = make()
    assert not sent(core.step(Received("l1", message)))  # type: ignore[arg-type]
    assert sync(core)[0][0] == target


def test_no_ballot_is_begun_before_the_number_of_the_start_is_on_the_disk_nor_begun_again() -> None:
    core = Leader("l2", (), ["east"], OPTIONS)
    (written,) = [each.records for each in core.step(Started()) if isinstance(each, Checkpoint)]
    assert not sent(core.step(Received("east", Inquire(PLACE))))
    first = {message.ballot for _, message in sync(core) if isinstance(message, Phase1a)}
    again = leader("l2", *written)
    second = {
        each.ballot for _, each in sent(again.step(Received("east", Inquire(PLACE)))) if isinstance(each, Phase1a)
    }
    assert first == {FIRST} and second == {(1, 2, "l2")}


@pytest.mark.parametrize(
    ("found", "proposed"),
    [
        ((None, None), Vote.ABORTED),
        ((None, Accepted(OWN, Vote.PREPARED)), Vote.PREPARED),
        ((Accepted((0, 3, "l1"), Vote.ABORTED), Accepted(OWN, Vote.PREPARED)), Vote.ABORTED),
    ],
    ids=["nothing", "a vote", "two votes"],
)
def test_a_ballot_proposes_the_vote_of_the_highest_one_before_and_is_free_where_there_is_none(
    found: tuple[Accepted | None, ...], proposed: Vote
) -> None:
    core = leader()
    core.step(Received("east", Inquire(PLACE)))
    assert not sent(core.step(*promises(found[0])))
    assert sent(core.step(*promises(*found))) == [
        (each, Phase2a(PLACE, "orders", FIRST, proposed, "l2")) for each in OPTIONS.acceptors
    ]
    assert not sent(core.step(*promises(*found))), "once"


def test_an_acceptor_keeps_its_promise_and_says_so() -> None:
    core = Acceptor("a1", (), OPTIONS)
    core.step(Received("l2", Phase1a(PLACE, "east", FIRST)))
    assert sync(core) == [("l2", Phase1b(KEY, "east", FIRST, None))]
    late = core.step(Received("east", Phase2a(PLACE, "east", OWN, Vote.PREPARED, "l1")))
    assert sent(late) == [("l1", Preempted(FIRST))]


def test_a_participant_votes_once_and_asks_one_leader_after_another_when_it_is_in_doubt() -> None:
    """`Blocking`, which two-phase commit has here, is over as soon as one of them answers."""
    core = inventory()
    core.step(Received("l1", Prepare(PLACE)))
    vote = Phase2a(PLACE, "east", OWN, Vote.PREPARED, "l1")
    assert sync(core) == [(each, vote) for each in OPTIONS.acceptors]
    asked = [each for now in range(100) for each in sent(core.step(Tick(now)))]
    assert asked[:2] == [("l1", Inquire(PLACE)), ("l2", Inquire(PLACE))]
    core.step(Received("l2", Verdict(KEY, False)))
    assert sync(core) == [("l2", Acknowledged(KEY))]
    again = core.step(Received("l1", Prepare(PLACE)))
    assert [message for _, message in sent(again)] == [vote] * 3, "what it has voted stays"
    assert core.status()["reserved"] == 0


def test_who_hears_of_an_abort_before_it_has_voted_is_silent_then() -> None:
    core = inventory()
    core.step(Received("l2", Verdict(KEY, False)))
    assert sync(core) == [("l2", Acknowledged(KEY))]
    assert not core.step(Received("l1", Prepare(PLACE)))


def test_acceptors_forget_a_purchase_when_all_have_acknowledged_and_its_client_has_gone_on() -> None:
    core = Acceptor("a1", (), Options(checkpoint_after=3))
    core.step(Received("east", Phase2a(PLACE, "east", OWN, Vote.PREPARED, "l1")))
    core.step(Received("l1", Over((KEY,))))
    assert KEY in core.entries, "the client may ask again"
    later = Place("c1", 2, {"east": 1})
    effects = core.step(Received("east", Phase2a(later, "east", OWN, Vote.ABORTED, "l1")))
    assert list(core.entries) == [later.key]
    (checkpoint,) = [each for each in effects if isinstance(each, Checkpoint)]
    assert Acceptor("a1", checkpoint.records, OPTIONS).entries == core.entries


def test_a_checkpoint_of_a_participant_holds_all_that_the_log_held() -> None:
    core = inventory(9, Options(checkpoint_after=4))
    effects: list[Effect] = []
    for client in ("c1", "c2", "c3"):
        effects += core.step(Received("l1", Prepare(Place(client, 1, {"east": 2 if client == "c2" else 5}))))
    effects += core.step(Received("l1", Verdict(("c2", 1), True)))
    (checkpoint,) = [each for each in effects if isinstance(each, Checkpoint)]
    again = Participant("east", checkpoint.records, Inventory("east", 9), OPTIONS)
    assert (again.status(), again.rm, again.prepared) == (core.status(), core.rm, core.prepared)
    assert [part.state.value for part in again.rm.values()] == ["prepared", "committed", "aborted"]


def test_what_an_acceptor_keeps_and_participants_have_ended_is_over_without_a_ballot() -> None:
    """As when the acceptor was down when it was called over; but a ballot follows if one of them is in doubt."""
    core = leader()
    probes = [("orders", Probe(KEY)), ("east", Probe(KEY))]
    assert sent(core.step(Received("a3", Inquire(PLACE)))) == probes
    east = inventory()
    east.step(Received("l1", Verdict(KEY, False)))
    sync(east)
    assert sent(east.step(Received("l2", Probe(KEY)))) == [("l2", Acknowledged(KEY))]
    core.step(Received("east", Acknowledged(KEY)), Received("orders", Acknowledged(KEY)))
    assert not core.running
    assert ("a3", Over((KEY,))) in [each for now in range(10) for each in sent(core.step(Tick(now)))]

    core.step(Received("a3", Inquire(PLACE)))
    doubtful = inventory()
    doubtful.step(Received("l1", Prepare(PLACE)))
    sync(doubtful)
    assert sent(doubtful.step(Received("l2", Probe(KEY)))) == [("l2", Inquire(PLACE))]
    assert {type(each) for _, each in sent(core.step(Received("east", Inquire(PLACE))))} == {Phase1a}
