"""Messages that can never matter again are forgotten, and nothing else: no verdict is another one for it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from quorate import Nat, Network, Scalarset, Spec, action, init, record, require
from quorate.conform import Conforms, Differs, NotDecided, forgetting, validate
from quorate.conform.passing import Passing, passing
from quorate.conform.wide.networks import Layered
from quorate.language.system import State
from quorate.loading import load, names
from quorate_specs.consensus.raft import Raft, RequestVote

from tests.conform.raft_program import MAP, Cluster
from tests.conform.runs import Line, write


@dataclass(frozen=True)
class Point:
    """Something with two fields."""

    x: int
    y: int


class Node(Scalarset, size=2):
    """Who tells, and is told."""


class Epoch(Nat, max=3):
    """Numbers what is told."""


@record
class News:
    """What is new in an epoch."""

    epoch: Epoch
    source: Node


class Gossip(Spec):
    """Nodes take news that are not older than what they know."""

    epoch: dict[Node, Epoch]
    heard: dict[Node, Node | None]
    network: Network[News]

    @action
    def tell(self, n: Node) -> None:
        self.epoch[n] += 1
        self.network.send(News(self.epoch[n], n))

    @action
    def hear(self, n: Node, m: News) -> None:
        require(m in self.network and m.source != n and m.epoch >= self.epoch[n])
        self.network.receive(m)
        self.enter(n, m.epoch)
        self.heard[n] = m.source

    def enter(self, n: Node, epoch: Epoch) -> None:
        if epoch > self.epoch[n]:
            self.epoch[n] = epoch

    @action
    def check(self, n: Node) -> None:
        require(self.is_told(n))
        self.heard[n] = None

    def is_told(self, n: Node) -> bool:
        return News(self.epoch[n], n) in self.network


class EntersTheGreater(Gossip):
    """The same in other words."""

    def enter(self, n: Node, epoch: Epoch) -> None:
        self.epoch[n] = max(self.epoch[n], epoch)


class GoesBack(Gossip):
    """A node that checks forgets its epoch."""

    def check(self, n: Node) -> None:
        self.epoch[n] = Epoch(0)


class GoesBackOnHearing(Gossip):
    """A node enters the epoch of what it hears, whatever it was in."""

    def hear(self, n: Node, m: News) -> None:
        require(m in self.network and m.epoch >= self.epoch[m.source])
        self.epoch[n] = m.epoch


class HearsAll(Gossip):
    """A node hears of past epochs."""

    def hear(self, n: Node, m: News) -> None:
        require(m in self.network and (m.epoch >= self.epoch[n] or m.source != n))
        self.heard[n] = m.source


class HearsWhenItHasNothing(Gossip):
    """What a node asks is asked in one case only."""

    def hear(self, n: Node, m: News) -> None:
        require(m in self.network)
        if self.heard[n] is None:
            require(m.epoch >= self.epoch[n])
        self.heard[n] = m.source


class AsksForAnEarlierOne(Gossip):
    """A node asks for what was told one epoch ago."""

    def is_told(self, n: Node) -> bool:
        return self.epoch[n] > 0 and News(self.epoch[n] - 1, n) in self.network


class LooksAtAll(Gossip):
    """A node looks at all that was ever told."""

    def is_told(self, n: Node) -> bool:
        return any(m.source == n for m in self.network)


class Counts(Gossip):
    """A node counts what was told."""

    def is_told(self, n: Node) -> bool:
        return len(self.network) > 2


class Loses(Gossip):
    """What was told may be taken off the wire."""

    network: Network[News] = Network(lossy=True)


class AsksUnderAnotherName(Gossip):
    """The name of a parameter is that of another message inside a comprehension."""

    def hear(self, n: Node, m: News) -> None:
        require(m in self.network and m.epoch >= self.epoch[n])
        require(any(m in self.network for m in {News(Epoch(e), n) for e in Epoch}))
        self.heard[n] = m.source


class Begins(Gossip):
    """Where a run begins is no step: a clock may begin anywhere."""

    @init
    def begin(self, n: Node) -> None:
        self.epoch[n] = Epoch(1)


def test_messages_of_past_terms_pass() -> None:
    found = passing(Raft)
    assert {one.record.__name__ for one in found} == {"RequestVote", "Vote", "AppendEntries", "AppendReply"}
    assert Passing("network", RequestVote, "term", "term") in found
    for spec in (Gossip, EntersTheGreater, Begins):
        assert passing(spec) == (Passing("network", News, "epoch", "epoch"),)


@pytest.mark.parametrize(
    "spec",
    [
        GoesBack,
        GoesBackOnHearing,
        HearsAll,
        HearsWhenItHasNothing,
        AsksForAnEarlierOne,
        LooksAtAll,
        Counts,
        Loses,
        AsksUnderAnotherName,
    ],
)
def test_where_a_message_may_matter_again_nothing_passes(spec: type[Spec]) -> None:
    assert passing(spec) == ()


@pytest.mark.slow
@pytest.mark.library
def test_what_passes_in_the_library() -> None:
    """A change of this list is looked at: each is an argument about a protocol."""
    found = {
        name: sorted({one.record.__name__ for one in passing(load(name).main)})
        for name in names()
        if not load(name).has_only_laws
    }
    assert {name: records for name, records in found.items() if records} == PASSING


PASSING = {
    "raft": ["AppendEntries", "AppendReply", "RequestVote", "Vote"],
    "raft_log": ["RequestVote", "Vote"],
    "raft_membership": ["RequestVote", "Vote"],
    "raft_reads": ["RequestVote", "Vote"],
    "raft_snapshots": ["RequestVote", "Vote"],
    "sharding": ["Copy"],
}


@pytest.fixture(scope="module")
def run() -> list[Line]:
    """A run of a cluster with many terms."""
    return Cluster(seed=3).run(400, elections=0.1)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How large networks were, before and after messages were forgotten, when whatever can be is."""
    monkeypatch.setattr(forgetting, "KEPT_MIN", 0)
    sizes: list[int] = []
    forget = forgetting.Forgetting.without_past

    def noted(self: forgetting.Forgetting, states: list[State]) -> list[State]:
        found = forget(self, states)
        position = self._networks[0][0]
        sizes.extend(len(state[position]) for state in (*states, *found))
        return found

    monkeypatch.setattr(forgetting.Forgetting, "without_past", noted)
    return sizes


def test_the_network_stays_small(run: list[Line], networks: list[int], tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", run)
    assert isinstance(validate([log], Raft, MAP, "raft"), Conforms)
    assert max(networks) < 200 < sum(line["event"] != "restart" for line in run)


@pytest.mark.slow
def test_an_edit_is_rejected_where_it_is_without_forgetting(run: list[Line], tmp_path: Path) -> None:
    random = Random(1)
    rejected = 0
    for number in range(12):
        lines = copy.deepcopy(run)
        line = random.choice([line for line in lines if "m" in line["args"]])
        field = random.choice([name for name, value in line["args"]["m"].items() if type(value) is int])
        line["args"]["m"][field] = max(0, line["args"]["m"][field] + random.choice((-1, 1)))
        log = write(tmp_path / f"log{number}.jsonl", lines)
        plain = validate([log], Raft, MAP, "raft")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(forgetting, "KEPT_MIN", 0)
            light = validate([log], Raft, MAP, "raft")
        assert type(light) is type(plain)
        if isinstance(light, Differs) and isinstance(plain, Differs):
            assert light.event == plain.event
            rejected += 1
    assert rejected >= 6


def test_a_network_that_the_log_tells_is_kept_whole(run: list[Line], networks: list[int], tmp_path: Path) -> None:
    """By a view from the first event on, or late: then it is too late."""

    def on_the_wire(state: Raft) -> int:
        return len(state.network)

    mapping = replace(MAP, views=(*MAP.views, on_the_wire))
    told = [run[0] | {"vars": run[0]["vars"] | {"on_the_wire": 1}}, *run[1:]]
    assert isinstance(validate([write(tmp_path / "told.jsonl", told)], Raft, mapping, "raft"), Conforms)
    assert max(networks) > 200
    late = [*run, {"event": "time_out", "node": "n1", "vars": {"on_the_wire": 1}}]
    verdict = validate([write(tmp_path / "late.jsonl", late)], Raft, mapping, "raft")
    assert isinstance(verdict, NotDecided) and "for the first time" in verdict.reason


def test_layers_are_a_set() -> None:
    random = Random(5)
    layered, plain = Layered.of(()), set[int]()
    for _ in range(3_000):
        element = random.randrange(700)
        if random.random() < 0.6:
            come = {element, *random.sample(range(700), 2 if random.random() < 0.1 else 0)}  # Some are there.
            layered, plain = layered | come, plain | come
        else:
            layered, plain = layered - {element}, plain - {element}
        assert len(layered) == len(plain) and (element in layered) == (element in plain)
    assert set(layered) == plain and len(list(layered)) == len(plain)
    assert layered == Layered.of(plain) and hash(layered) == hash(Layered.of(plain))
    assert layered != Layered.of(plain ^ {1})


def test_records_are_found_by_some_of_their_fields() -> None:
    """Those of `dataclasses` do: layers do not know what a record is otherwise."""
    layered = Layered.of(())
    points = [Point(x, y) for x in range(20) for y in range(20)]
    for point in points:
        layered |= {point}
    layered -= set(points[::7])
    for x in range(20):
        found = list(layered.having(Point, ("x",), (x,)))
        assert sorted(found, key=points.index) == [point for point in points if point.x == x and point in layered]
    assert list(layered.having(Point, ("x", "y"), (3, 4))) == [Point(3, 4)]
    assert list(layered.having(Node, ("x",), (3,))) == []
