"""Raft's core by hand, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quorate_impl.core import Drawn, Effect, Persist, Persisted, Received, Reply, Requested, Send, Started, Tick
from quorate_impl.raft import Client, Options, Raft
from quorate_impl.raft.core import Role
from quorate_impl.raft.messages import (
    Append,
    AppendEntries,
    AppendRefusal,
    AppendReply,
    Command,
    Done,
    Entry,
    Execute,
    Get,
    HardState,
    Noop,
    NotLeader,
    Open,
    Opened,
    PreVote,
    PreVoteReply,
    Put,
    Query,
    RemoveServer,
    RequestVote,
    Response,
    Value,
    Vote,
)
from quorate_impl.raft.store import Store

THREE = {"a": "", "b": "", "c": ""}


def server(name: str = "a", records: Sequence[Any] = (), members: dict[str, str] = THREE) -> Raft:
    core = Raft(name, records, members, Options(election_ticks_min=20, election_ticks_max=40))
    core.step(Started())
    core.step(Drawn("election", 20))
    return core


def sent(effects: Sequence[Effect]) -> list[Any]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def answers(effects: Sequence[Effect]) -> list[Any]:
    return [effect.response for effect in effects if isinstance(effect, Reply)]


def leader() -> Raft:
    """`a` leads term 1, with the vote of `b`; its first entry is on its disk."""
    core = server()
    for _ in range(20):
        effects = core.step(Tick(0))
    assert sent(effects) == [PreVote(1, 0, 0)] * 2 and core.term == 0
    effects = core.step(Received("b", PreVoteReply(1, True)))
    assert sent(effects) == [], "who runs has voted for itself, and that is not on its disk yet"
    assert sent(core.step(Persisted(1))) == [RequestVote(1, 0, 0, False)] * 2
    core.step(Received("b", Vote(1, True)))
    assert core.role is Role.LEADER
    core.step(Persisted(2))
    return core


def test_a_vote_is_sent_when_it_is_durable_and_to_one_candidate_only() -> None:
    core = server()
    effects = core.step(Received("b", RequestVote(3, 0, 0, False)))
    assert [e.records for e in effects if isinstance(e, Persist)] == [(HardState(3, None),), (HardState(3, "b"),)]
    assert sent(effects) == []
    assert sent(core.step(Persisted(2))) == [Vote(3, True)]
    assert sent(core.step(Received("c", RequestVote(3, 9, 2, False)))) == [Vote(3, False)]
    again = server(records=[HardState(3, "b")])
    assert sent(again.step(Received("c", RequestVote(3, 9, 2, False)))) == [Vote(3, False)]
    assert sent(again.step(Received("b", RequestVote(3, 0, 0, False)))) == [Vote(3, True)]


def test_who_hears_a_leader_ignores_candidates_but_those_that_the_leader_invited() -> None:
    core = server()
    core.step(Received("b", AppendEntries(1, 0, 0, (), 0, 0)), Persisted(1))
    assert core.step(Received("c", RequestVote(2, 9, 1, False))) == [] and core.term == 1
    assert sent(core.step(Received("c", PreVote(2, 9, 1)))) == [PreVoteReply(1, False)]
    core.step(Received("c", RequestVote(2, 9, 1, True)))
    assert core.term == 2 and core.voted_for == "c"


def test_a_follower_refuses_what_does_not_fit_and_says_where_to_try() -> None:
    core = server(records=[HardState(3, None), Append(1, tuple(Entry(t, Noop()) for t in (1, 1, 2, 2, 2)))])
    assert sent(core.step(Received("b", AppendEntries(3, 9, 3, (), 0, 7)))) == [AppendRefusal(3, 9, 5, 7)]
    assert sent(core.step(Received("b", AppendEntries(3, 5, 3, (), 0, 7)))) == [AppendRefusal(3, 5, 2, 7)]
    assert sent(core.step(Received("b", AppendEntries(2, 0, 0, (), 0, 7)))) == [AppendRefusal(3, 0, 0, 7)]


def test_a_late_message_takes_nothing_away_and_a_conflict_does() -> None:
    core = server(records=[HardState(3, None), Append(1, tuple(Entry(t, Noop()) for t in (1, 1, 2)))])
    effects = core.step(Received("b", AppendEntries(3, 0, 0, (Entry(1, Noop()),), 0, 0)))
    assert sent(effects) == [AppendReply(3, 1, 0)] and core.log.last_index == 3
    effects = core.step(Received("b", AppendEntries(3, 1, 1, (Entry(3, Noop()),), 2, 0)))
    assert [e.records for e in effects if isinstance(e, Persist)] == [(Append(2, (Entry(3, Noop()),)),)]
    assert sent(effects) == [] and core.log.last_index == 2 and core.commit_index == 2
    assert sent(core.step(Persisted(1))) == [AppendReply(3, 2, 0)]


def test_a_heartbeat_is_answered_while_the_disk_is_busy_if_the_answer_tells_nothing_new() -> None:
    core = server(records=[HardState(3, None), Append(1, (Entry(1, Noop()), Entry(1, Noop())))])
    core.step(Received("b", AppendEntries(3, 2, 1, (Entry(3, Noop()),), 0, 0)))
    assert core.written == 1 and core.durable == 0
    assert sent(core.step(Received("b", AppendEntries(3, 2, 1, (), 0, 5)))) == [AppendReply(3, 2, 5)]
    assert sent(core.step(Received("b", AppendEntries(3, 3, 3, (), 0, 6)))) == [], "it has the third in memory only"
    effects = core.step(Received("c", AppendEntries(4, 2, 1, (), 0, 0)))
    assert sent(effects) == [], "the new term is not on the disk yet"


def test_an_update_is_answered_when_a_majority_has_it() -> None:
    core = leader()
    effects = core.step(Requested("client", Open(1)), Requested("client", Open(2)))
    assert [e.records for e in effects if isinstance(e, Persist)] and answers(effects) == []
    assert answers(core.step(Persisted(3))) == []
    assert answers(core.step(Received("b", AppendReply(1, 3, 1)))) == [Response(1, Opened(2)), Response(2, Opened(3))]
    core.step(Requested("client", Execute(3, 2, 1, 0, Put("k", "v"))))
    assert answers(core.step(Received("b", AppendReply(1, 4, 1)))) == []
    assert answers(core.step(Received("c", AppendReply(1, 4, 1)))) == [Response(3, Done())], "two of three, without a"


def test_a_read_waits_until_a_majority_has_confirmed_the_leader_since() -> None:
    core = leader()
    assert answers(core.step(Requested("client", Query(1, Get("k"))))) == [], "nothing of the own term is committed"
    assert answers(core.step(Received("b", AppendReply(1, 1, 0)))) == []
    assert answers(core.step(Received("c", AppendReply(1, 1, 0)))) == [], "sent before the read began"
    assert answers(core.step(Received("c", AppendReply(1, 1, 1)))) == [Response(1, Value(None))]


def test_a_read_waits_for_nobody_who_has_been_removed() -> None:
    core = server(members={"a": "", "b": ""})
    for _ in range(20):
        core.step(Tick(0))
    core.step(Received("b", PreVoteReply(1, True)))
    core.step(Persisted(1), Received("b", Vote(1, True)))
    core.step(Persisted(2), Received("b", AppendReply(1, 1, 0)))
    assert answers(core.step(Requested("client", Query(1, Get("k"))))) == []
    assert answers(core.step(Requested("client", RemoveServer(2, "b")))) == [Response(1, Value(None))]
    assert answers(core.step(Persisted(3))) == [Response(2, Done())]


def test_a_leader_that_hears_no_majority_steps_down_and_tells_its_clients() -> None:
    core = leader()
    core.step(Requested("client", Open(1)))
    effects = [effect for _ in range(100) for effect in core.step(Tick(0))]
    assert core.role is not Role.LEADER and answers(effects) == [Response(1, NotLeader(None, THREE))]


def test_a_follower_names_the_leader() -> None:
    core = server()
    core.step(Received("b", AppendEntries(1, 0, 0, (), 0, 0)), Persisted(1))
    assert answers(core.step(Requested("x", Open(5)))) == [Response(5, NotLeader("b", THREE))]


def test_a_server_that_is_in_no_configuration_does_not_run() -> None:
    core = server("d", members={})
    assert [effect for _ in range(200) for effect in core.step(Tick(0)) if isinstance(effect, Send | Persist)] == []


def test_an_update_is_executed_once_also_after_a_snapshot() -> None:
    store = Store(sessions_max=2)
    store.open(7)
    update = Command(7, 1, 0, Put("k", "1"))
    assert store.execute(update) == Done()
    store.execute(Command(7, 2, 0, Put("k", "2")))
    again = Store(sessions_max=2)
    again.restore(store.snapshot())
    assert again.execute(update) == Done() and again.read(Get("k")) == Value("2")
    assert again.snapshot() == store.snapshot()


def test_what_a_client_asks_again_stays_in_its_session_whatever_else_it_gives_up() -> None:
    """In another session it could be executed a second time."""
    client = Client("c", {"a": ""}, retry_ticks=5, give_up_ticks=8)
    client.step(Requested("first", Put("x", "1")))
    client.step(Received("a", Response(2, Opened(7))))
    client.step(Tick(0), Tick(0), Tick(0), Requested("second", Put("y", "2")))
    effects = client.step(*[Tick(0)] * 7)
    assert [effect.client for effect in effects if isinstance(effect, Reply)] == ["first"]
    assert sent(effects)[-1] == Execute(3, 7, 2, 1, Put("y", "2"))


def test_answers_that_the_client_has_are_forgotten_however_many_it_says() -> None:
    store = Store()
    store.open(1)
    for number, answered in ((1, 0), (2, 0), (3, 1), (4, 2**60)):
        store.execute(Command(1, number, answered, Put("k", str(number))))
    assert type(store.execute(Command(1, 5, 0, Put("k", "5")))).__name__ == "Expired"
    assert store.read(Get("k")) == Value("4")


def test_the_session_that_was_unused_for_longest_is_forgotten() -> None:
    store = Store(sessions_max=2)
    store.open(1)
    store.open(2)
    store.execute(Command(1, 1, 0, Put("k", "1")))
    store.open(3)
    assert type(store.execute(Command(2, 1, 0, Put("k", "2")))).__name__ == "Expired"
    assert store.execute(Command(1, 2, 1, Put("k", "3"))) == Done()
