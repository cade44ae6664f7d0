"""The quorum store by hand, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import Any

import pytest
from quorate_impl.core import (
    Checkpoint,
    Draw,
    Drawn,
    Effect,
    Message,
    Persist,
    Persisted,
    Received,
    Reply,
    Requested,
    Send,
    Started,
    Tick,
)
from quorate_impl.dynamo import Client, Dynamo, Options
from quorate_impl.dynamo.client import Delete, Get, Put, Unknown
from quorate_impl.dynamo.clock import Clock
from quorate_impl.dynamo.messages import (
    Confirmed,
    Done,
    Found,
    HandOver,
    NotHome,
    Query,
    Read,
    Refused,
    Repair,
    Replicate,
    Response,
    Siblings,
    Stamp,
    Values,
    Version,
    Write,
)
from quorate_impl.dynamo.ring import Ring
from quorate_impl.dynamo.siblings import NOTHING, ZERO, KeepsSiblings, LastWriteWins, Policy, values

FIVE = {name: f"{name}:1" for name in ("a", "b", "c", "d", "e")}
OPTIONS = Options(hand_over_ticks=3, anti_entropy_ticks=1_000, patience_ticks=2)
RING = Ring.of(FIVE, 3, 16)
ONE, TWO, THREE, STAND_IN, LAST = RING.walks[RING.range_of("k")]
FIRST = f"{ONE}#0"
"""The actor that the first home is in these tests."""


class Cluster:
    """Nodes whose disks work at once, and a network that does what it is told."""

    def __init__(self, options: Options = OPTIONS) -> None:
        self.nodes = {name: Dynamo(name, (), FIVE, options) for name in FIVE}
        self.records: dict[str, list[Any]] = {name: [] for name in FIVE}
        self.sent: list[tuple[str, str, Message]] = []
        self.replies: list[Any] = []
        self.drawn = 0
        for name in FIVE:
            self.step(name, Started())
            self.step(name, Tick(1_000))

    def step(self, name: str, *events: Any) -> None:
        for effect in self.nodes[name].step(*events):
            match effect:
                case Send(target, message):
                    self.sent.append((name, target, message))
                case Reply(_, response):
                    assert isinstance(response, Response)
                    self.replies.append(response.result)
                case Persist(number, records):
                    self.records[name] += records
                    self.step(name, Persisted(number))
                case Draw(purpose):
                    self.step(name, Drawn(purpose, self.drawn))

    def deliver(self, *away: str) -> None:
        """Deliver all that was sent and is sent for it, but to and from those that are away."""
        while self.sent:
            source, target, message = self.sent.pop(0)
            if source not in away and target not in away:
                self.step(target, Received(source, message))

    def ask(self, name: str, request: Message) -> Any:
        """The answer to a request that needs no more than one message each way."""
        self.step(name, Requested("client", request))
        self.deliver()
        return self.replies.pop()


def put(number: int, value: str | None, context: dict[str, int], level: Any = "quorum", seen: Stamp = ZERO) -> Write:
    return Write(number, 7, number, "k", value, context, seen, level)


def test_values_of_clients_that_do_not_know_of_each_other_are_siblings_until_one_does() -> None:
    cluster = Cluster()
    first = cluster.ask(ONE, put(1, "red", {}))
    assert (first.values, first.context) == (("red",), {FIRST: 1})
    assert cluster.ask(TWO, put(1, "blue", {})).values == (("red", "blue") if ONE < TWO else ("blue", "red"))
    found = cluster.ask(LAST, Query(2, "k", "quorum"))
    assert isinstance(found, Values) and set(found.values) == {"red", "blue"}
    assert cluster.ask(THREE, put(1, "violet", found.context)).values == ("violet",)
    assert cluster.ask(ONE, put(2, None, first.context)).values == ("violet",), "red was replaced already"
    assert cluster.ask(ONE, put(3, None, cluster.ask(LAST, Query(3, "k", "all")).context)).values == ()


def test_a_write_that_is_asked_for_again_has_one_dot_also_after_a_restart() -> None:
    cluster = Cluster()
    assert cluster.ask(ONE, put(1, "red", {})).context == cluster.ask(ONE, put(1, "red", {})).context == {FIRST: 1}
    cluster.nodes[ONE] = Dynamo(ONE, cluster.records[ONE], FIVE, OPTIONS)
    cluster.step(ONE, Started(), Tick(1_000))
    assert cluster.ask(ONE, put(1, "red", {})).context == {FIRST: 1}
    assert cluster.ask(ONE, put(2, "blue", {FIRST: 1})).context == {FIRST: 2}


def test_an_answer_waits_for_the_disk() -> None:
    node = Dynamo(ONE, (), FIVE, OPTIONS)
    node.step(Started(), Drawn("actor", 0), Persisted(1), Tick(1_000))
    (written,) = node.step(Requested("client", put(1, "red", {}, "one")))
    assert isinstance(written, Persist)
    told = node.step(Persisted(2))
    assert {effect.target for effect in told if isinstance(effect, Send)} == {TWO, THREE}
    assert [type(effect) for effect in told].count(Reply) == 1


def test_a_node_that_comes_back_with_an_empty_disk_gives_other_dots() -> None:
    cluster = Cluster()
    seen = cluster.ask(ONE, put(1, "red", {}, "all")).context
    cluster.ask(TWO, put(2, "blue", seen, "all"))
    cluster.nodes[ONE], cluster.drawn = Dynamo(ONE, (), FIVE, OPTIONS), 1
    cluster.step(ONE, Started(), Tick(1_000))
    cluster.step(ONE, Requested("client", put(3, "green", {}, "all")))
    for name in (TWO, THREE):
        cluster.step(ONE, *(Received(name, Confirmed((0, number))) for number in (1, 2)))
    assert not cluster.replies, "what confirms the first write does not confirm this one"
    cluster.deliver()
    assert set(cluster.replies.pop().values) == {"green"}
    assert set(cluster.ask(LAST, Query(4, "k", "all")).values) == {"blue", "green"}


def test_who_is_no_home_names_the_homes_and_a_level_that_cannot_be_met_is_refused() -> None:
    cluster = Cluster()
    assert cluster.ask(LAST, put(1, "red", {})) == NotHome({name: FIVE[name] for name in (ONE, TWO, THREE)})
    for request in (put(1, "red", {}, 4), Query(1, "k", 4)):
        assert cluster.ask(ONE, request) == Refused("4 replicas were asked for, and there are 3")


def test_a_stand_in_counts_and_hands_over() -> None:
    cluster = Cluster()
    cluster.step(ONE, Requested("client", put(1, "red", {})))
    cluster.deliver(TWO, THREE)
    assert not cluster.replies
    cluster.step(ONE, Tick(1_010), Tick(1_020))
    cluster.deliver(TWO, THREE)
    assert isinstance(cluster.replies.pop(), Done)
    assert {name: set(cluster.nodes[name].owes) for name in (STAND_IN, LAST)} == {STAND_IN: {"k"}, LAST: {"k"}}
    cluster.nodes[STAND_IN] = Dynamo(STAND_IN, cluster.records[STAND_IN], FIVE, OPTIONS)
    for name in (STAND_IN, LAST):
        cluster.step(name, Started(), *(Tick(2_000) for _ in range(3)))
    cluster.deliver()
    assert all(values(cluster.nodes[name].siblings("k")) == ("red",) for name in (ONE, TWO, THREE))
    assert not any(node.owes or (node.stored and not node.is_home("k")) for node in cluster.nodes.values())


def test_what_came_while_a_hint_was_handed_over_is_not_forgotten() -> None:
    cluster = Cluster()
    first, second = (Siblings((Version(FIRST, n, str(n), Stamp(n, 0)),), {FIRST: n}) for n in (1, 2))
    cluster.step(STAND_IN, Received(ONE, Replicate((1, 1), "k", first, TWO)), *(Tick(2_000) for _ in range(3)))
    (handed,) = (message for _, target, message in cluster.sent if isinstance(message, HandOver) and target == TWO)
    cluster.step(STAND_IN, Received(ONE, Replicate((1, 2), "k", second, TWO)), Received(TWO, Confirmed(handed.id)))
    assert cluster.nodes[STAND_IN].stored["k"] == second and "k" in cluster.nodes[STAND_IN].owes


def test_a_read_repairs_who_is_behind_and_counts_itself_as_stale() -> None:
    cluster = Cluster()
    cluster.step(ONE, Requested("client", put(1, "red", {})))
    cluster.deliver(THREE)
    cluster.replies.clear()
    cluster.step(THREE, Tick(2_500))
    assert cluster.ask(THREE, Query(2, "k", "one")).values == ()
    assert values(cluster.nodes[THREE].siblings("k")) == ("red",)
    assert cluster.nodes[THREE].status()["stale_reads"] == 1
    cluster.step(ONE, Requested("client", put(2, "blue", {FIRST: 1})))
    cluster.deliver(THREE)
    cluster.replies.clear()
    assert cluster.ask(THREE, Query(3, "k", "one")).values == ("red",)
    assert cluster.nodes[THREE].status()["stale_reads"] == 2
    cluster.step(ONE, Tick(2_500))
    cluster.step(ONE, Requested("client", put(3, "green", {FIRST: 2})))
    cluster.deliver(THREE)
    cluster.replies.clear()
    assert cluster.ask(THREE, Query(4, "k", "one")).values == ("blue",)
    assert cluster.nodes[THREE].status()["stale_reads"] == 2, "it was written just now"


def test_anti_entropy_finds_what_nobody_reads() -> None:
    options = Options(anti_entropy_ticks=1, offer_characters=40)
    cluster = Cluster(options)
    keys = [f"key {number}" for number in range(50)]
    for number, key in enumerate(keys):
        home = cluster.nodes[LAST].homes(key)[0]
        cluster.step(home, Requested("", Write(1, 7, number + 1, key, "v" * 30, {}, ZERO, "one")))
    cluster.sent.clear()
    for _ in range(4):
        for name in FIVE:
            cluster.step(name, Tick(1_000))
        cluster.deliver()
    for key in keys:
        assert all(values(cluster.nodes[name].siblings(key)) == ("v" * 30,) for name in cluster.nodes[ONE].homes(key))
    assert {sum(node.stored.keys().__len__() for node in cluster.nodes.values())} == {3 * len(keys)}


def test_a_late_answer_of_an_earlier_life_is_not_counted() -> None:
    cluster = Cluster()
    cluster.step(ONE, Requested("client", put(1, "red", {}, "all")))
    late = [(target, message) for _, target, message in cluster.sent if isinstance(message, Replicate)]
    cluster.nodes[ONE] = Dynamo(ONE, cluster.records[ONE], FIVE, OPTIONS)
    cluster.step(ONE, Started(), Tick(1_000), Requested("client", put(2, "blue", {}, "all")))
    for target, message in late:
        assert isinstance(message, Replicate)
        cluster.step(ONE, Received(target, Confirmed(message.id)))
    assert not cluster.replies


def test_a_deletion_of_nothing_can_be_hinted_and_compared() -> None:
    """The simulator has found that a stand-in could not hand over nothing."""
    cluster = Cluster()
    cluster.step(STAND_IN, Received(ONE, Replicate((1, 1), "k", NOTHING, TWO)), *(Tick(2_000) for _ in range(3)))
    assert any(isinstance(message, HandOver) for _, _, message in cluster.sent)
    assert cluster.ask(ONE, put(1, None, {})).values == ()
    assert (
        cluster.nodes[ONE].trees.keys(cluster.nodes[ONE].trees.leaf(cluster.nodes[ONE].ring.range_of("k"), "k")) == []
    )


def some_siblings(policy: Policy, random: Random) -> list[Siblings]:
    """What three replicas have after a few writes and merges."""
    found, contexts = dict.fromkeys("abc", NOTHING), [{}, {}]
    for number in range(12):
        node, client = random.choice("abc"), random.randrange(2)
        if random.random() < 0.5:
            value = random.choice((str(number), None))
            found[node] = policy.written(found[node], contexts[client], node, value, Stamp(number, 0))
        elif random.random() < 0.5:
            found[node] = policy.merge(found[node], found[random.choice("abc")])
        else:
            contexts[client] = dict(found[node].covers)
    return list(found.values())


@pytest.mark.parametrize("policy", [KeepsSiblings(), LastWriteWins()])
def test_replicas_merge_to_the_same_in_any_order(policy: Policy) -> None:
    for seed in range(50):
        replicas = some_siblings(policy, Random(seed))
        merged = list[Siblings]()
        for a, b, c in permutations(replicas):
            assert policy.merge(a, a) is a
            merged += [policy.merge(policy.merge(a, b), c), policy.merge(a, policy.merge(b, policy.merge(c, a)))]
        assert all(each == merged[0] for each in merged)


def test_a_stamp_is_later_than_what_was_seen_whatever_the_wall_shows() -> None:
    clock = Clock()
    clock.wall = 5
    assert [clock.next(), clock.next()] == [Stamp(5, 0), Stamp(5, 1)]
    clock.observe(Stamp(9, 3))
    assert clock.next() == Stamp(9, 4)
    clock.wall = 10
    assert clock.next() == Stamp(10, 0)


def test_a_stamp_too_far_ahead_is_not_believed_and_not_replaced_by_one_that_is_behind() -> None:
    cluster = Cluster(Options(policy="last-write-wins", skew_ms=500))
    cluster.step(ONE, Tick(9_000))
    seen = cluster.ask(ONE, put(1, "red", {}, "all")).stamp
    refused = cluster.ask(TWO, put(2, "blue", {}, seen=seen))
    assert refused == Refused("what it replaces has a stamp 8000 ms ahead of this node's clock")
    assert cluster.nodes[TWO].clock.next() == Stamp(1_000, 0), "and it is not dragged along"
    for name in FIVE:
        cluster.step(name, Tick(8_600))
    assert cluster.ask(TWO, put(2, "blue", {}, seen=seen)) == refused, "nothing was done, and nothing will be"
    assert cluster.ask(TWO, put(3, "blue", {}, seen=seen)).stamp == Stamp(9_000, 1)
    assert cluster.ask(LAST, Query(4, "k", "all")).values == ("blue",)


def test_with_the_last_write_winning_a_client_replaces_what_it_has_seen_at_a_node_whose_clock_is_late() -> None:
    cluster = Cluster(Options(policy="last-write-wins"))
    cluster.step(ONE, Tick(9_000))
    seen = cluster.ask(ONE, put(1, "red", {})).stamp
    cluster.nodes[TWO] = Dynamo(TWO, (), FIVE, Options(policy="last-write-wins"))
    cluster.step(TWO, Started(), Tick(1))
    assert cluster.ask(TWO, put(2, "blue", {}, seen=seen)).values == ("blue",)
    assert cluster.ask(LAST, Query(3, "k", "all")).values == ("blue",)
    assert cluster.ask(TWO, put(4, None, {})).values == () == cluster.ask(ONE, Query(5, "k", "all")).values


def test_too_many_siblings_are_refused_until_somebody_reconciles_them() -> None:
    cluster = Cluster(Options(siblings_characters=10))
    for number in range(1, 3):
        result = cluster.ask(ONE, put(number, "a" * 6, {}))
    assert isinstance(result, Refused) and "too many siblings" in result.reason
    assert cluster.ask(ONE, put(3, "b", {FIRST: 1})).values == ("b",)


def test_a_checkpoint_has_all_that_the_log_had_and_restarts_do_not_make_the_log_longer() -> None:
    log, number, longest = list[Any](), 0, 0
    for _ in range(10):
        node = Dynamo(ONE, log, FIVE, Options(checkpoint_after=5))
        events: list[Any] = [Started(), *[Drawn("actor", 0)] * (not log), Tick(1_000)]
        for _ in range(3):
            number += 1
            events.append(Requested("client", put(number, str(number), {}, "one")))
        for effect in node.step(*events):
            match effect:
                case Persist(_, records):
                    log += records
                case Checkpoint(_, records):
                    log = list(records)
        longest = max(longest, len(log))
        again = Dynamo(ONE, log, FIVE, OPTIONS)
        assert (again.stored, again._executed, again.actor) == (node.stored, node._executed, f"{ONE}#0")
        assert again.trees.sum((RING.range_of("k"),)) == node.trees.sum((RING.range_of("k"),)) != 0
    assert len(values(again.siblings("k"))) == number == 30 and longest < 15


# Clients


def client(**given: Any) -> Client:
    return Client("c", {"a": "a:1", "b": "b:1"}, 2, **given)


def sent(effects: Sequence[Effect]) -> list[tuple[str, Any]]:
    return [(effect.target, effect.message) for effect in effects if isinstance(effect, Send)]


def begun(core: Client, request: Message) -> list[tuple[str, Any]]:
    """What a client sends for its first write, for which it draws the number of its session."""
    (draw,) = core.step(Requested("1", request))
    assert isinstance(draw, Draw)
    return sent(core.step(Drawn(draw.purpose, 5)))


def test_a_client_asks_the_homes_that_it_is_told_and_waits_before_it_writes_the_key_again() -> None:
    core = client()
    ((target, first),) = begun(core, Put("k", "red"))
    assert (target, first.session, first.context) == ("a", 5, {})
    assert core.step(Requested("2", Put("k", "blue"))) == []
    ((target, again),) = sent(core.step(Received("a", Response(first.id, NotHome({"x": "x:1", "y": "y:1"})))))
    assert target in ("x", "y") and again == first and core.addresses()[target] == f"{target}:1"
    effects = core.step(Received(target, Response(first.id, Done(("red",), {"x": 1}, Stamp(3, 0)))))
    ((_, second),) = sent(effects)
    assert isinstance(effects[0], Reply) and (second.value, second.context) == ("blue", {"x": 1})
    assert second.seen == Stamp(3, 0) and second.number == first.number + 1


def test_a_read_goes_to_another_node_and_a_write_does_not() -> None:
    core = client(give_up_ticks=5)
    ((_, write),) = begun(core, Put("k", "red"))
    assert [sent(core.step(Tick(0))) for _ in range(4)] == [[], [("a", write)], [], [("a", write)]]
    core.step(Tick(0))
    (given_up,) = core.step(Tick(0))
    assert isinstance(given_up, Reply) and isinstance(given_up.response, Unknown)
    ((first, _),) = sent(core.step(Requested("2", Get("k"))))
    assert first == "b", "the other one has not answered"
    core.step(Tick(0))
    assert sent(core.step(Tick(0)))[0][0] == "a"


def test_a_client_that_has_seen_nothing_reads_first_if_it_is_asked_to() -> None:
    core = client()
    ((_, query),) = begun(core, Delete("k", "all", reads_first=True))
    assert isinstance(query, Query) and query.level == "all"
    ((_, write),) = sent(core.step(Received("a", Response(query.id, Values(("red",), {"a": 3}, ZERO)))))
    assert (write.value, write.context) == (None, {"a": 3})


def test_messages_that_nobody_waits_for_change_nothing() -> None:
    cluster = Cluster()
    for message in (Confirmed((9, 9)), Found((9, 9), NOTHING)):
        cluster.step(ONE, Received(TWO, message))
    for message in (Replicate((1, 1), "k", NOTHING, None), Repair("k", NOTHING), Read((1, 1), "k")):
        cluster.step(LAST, Received(TWO, message))
    assert not cluster.sent and not cluster.replies
    assert client().step(Received("a", Response(9, Values((), {}, ZERO)))) == []
