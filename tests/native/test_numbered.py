"""A network as a bit set over messages that are numbered as they occur changes no answer, also where the numbers run out (`numbers.h`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from quorate import Nat, Network, Scalarset, Spec, action, invariant, leads_to, record, require
from quorate.explore.engine import Covered, Disagreement
from quorate.explore.limits import Limits, Watch
from quorate.explore.native import explore as native
from quorate.explore.native import library, search
from quorate.explore.native.render import reading
from quorate.explore.native.search import Crowded, compiled, rendering, run
from quorate.explore.reference import explore as reference
from quorate.language.system import System

from tests.native.agreement import QUICK_FLAGS, agree_on, numbering_all, reductions, remembering_everything, summary


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every network with a capacity is a bit set, and everything is remembered."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    with remembering_everything(), numbering_all():
        yield


class Node(Scalarset, size=3):
    """A node."""


class Level(Nat, max=2):
    """How much a node has heard."""


@record
class Call:
    """A node tells its level."""

    node: Node
    level: Level


@record
class Answer:
    """Another has heard it."""

    node: Node
    caller: Node


class Calls(Spec):
    """Messages are sent, read one by one and by their class, taken together, counted and lost."""

    level: dict[Node, Level]
    network: Network[Call | Answer] = Network(capacity=3, lossy=True)

    @action
    def call(self, n: Node) -> None:
        """A call, which may be there."""
        self.network.send(Call(n, self.level[n]))

    @action
    def answer(self, n: Node, m: Call) -> None:
        """Two messages, of which the second may be cut."""
        require(m in self.network and m.node != n and m.level == self.level[n])
        self.network.receive(m)
        self.network.send(Answer(n, m.node))
        self.network.send(Answer(m.node, n))

    @action
    def rise(self, n: Node) -> None:
        """A node with two answers rises, and knows that the network has them."""
        answers = {m.node for m in self.network if isinstance(m, Answer) and m.caller == n}
        require(len(answers) == 2 and len(self.network) <= 3)
        for m in self.network:
            if isinstance(m, Call):
                self.network.send(Call(n, m.level))
        self.level[n] += 1

    @action
    def forget(self, n: Node) -> None:
        """The level of a node that is the only one to call."""
        require(self.level[n] > 0 and all(isinstance(m, Call) and m.node == n for m in self.network))
        self.level[n] = Level(0)

    @invariant
    def answers_are_to_others(self, n: Node) -> bool:
        """True, and read of one class."""
        return all(m.caller != n for m in self.network if isinstance(m, Answer) and m.node == n)

    @invariant
    def nobody_rises(self, n: Node) -> bool:
        """False in the end."""
        return self.level[n] < 1 or all(m.node != n for m in self.network)


class Names(Spec):
    """A network that has a name is used as a value of its own."""

    turn: Level
    network: Network[Call] = Network(capacity=2)

    @action
    def call(self, n: Node) -> None:
        """Something is sent."""
        self.network.send(Call(n, self.turn))
        self.turn += 1

    @invariant
    def is_never_full(self) -> bool:
        """False in the end."""
        sent = self.network
        return len(sent) < 2 or any(m.level == self.turn for m in sent)


class Promises(Calls):
    """Liveness is judged on states, which know nothing of numbers."""

    @leads_to
    def rises(self, n: Node) -> tuple[bool, bool]:
        """Not always."""
        return self.level[n] == 0, self.level[n] == 1


class Told(Spec):
    """One node only says something, whichever it is: of messages that renaming makes of each other a search meets one."""

    first: Node | None
    level: Level
    network: Network[Call] = Network(capacity=3)

    @action
    def begin(self, n: Node) -> None:
        """Any node."""
        require(self.first is None)
        self.first = n

    @action
    def tell(self) -> None:
        """Of each level once."""
        require(self.first is not None)
        self.level += 1
        self.network.send(Call(self.first, self.level))

    @invariant
    def one_says_all(self) -> bool:
        """True."""
        return all(m.node == self.first for m in self.network)


def is_numbered(system: System, sorts: Any = (), counted: bool = False, without: Any = ()) -> bool:
    """Whether the network is a bit set."""
    states = [state for _, state in system.initial()]
    return "#define MODEL_NUMBERS" in rendering(system, states, sorts, without, counted).source


def numbers_after(system: System, sorts: Any) -> int:
    """How many messages have numbers in the library that has searched a system last."""
    return int(compiled(system, sorts)[1].c.quorate_numbered())


def test_searches_agree_with_a_bit_set_and_without() -> None:
    system = System(Calls)
    with system:
        for sorts in reductions(system):
            assert is_numbered(system, sorts)
            expected = summary(reference(system, sorts, Watch(), 1), not sorts)
            for workers, again in ((1, 0), (2, 1), (4, 2)):
                assert summary(native(system, sorts, Watch(again=again), workers), not sorts) == expected
            assert 0 < numbers_after(system, sorts) <= 15
            assert summary(native(system, sorts, Watch(without=["bits"]), 1), not sorts) == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_a_search_begins_anew_where_numbers_run_out(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many as still save something, which here are no more, and then with a sequence. The next search knows it before it begins."""
    searches: list[bool] = []

    def counting(system: System, found: library.Library, *rest: Any) -> Covered:
        searches.append("#define MODEL_NUMBERS" in found.rendered.source)
        return run(system, found, *rest)

    monkeypatch.setattr(search, "run", counting)
    system = System(Calls)
    with system, numbering_all(3 + workers):
        for sorts in reductions(system):
            initial, found = compiled(system, sorts)
            assert found.rendered.state_words == 1 and not found.crowded()
            with pytest.raises(Crowded):
                run(system, found, initial, Watch(), workers)
            with pytest.raises(Crowded):
                run(system, found, initial, Watch(Limits(states=1)), workers)
            expected = summary(reference(system, sorts, Watch(), 1), not sorts)
            assert summary(native(system, sorts, Watch(), workers), not sorts) == expected
    assert searches == [True, True, False] * 2


def test_a_search_that_had_numbers_enough_counts_though_an_audit_has_not() -> None:
    """What it asks is about other nodes: it cannot know whether the search has met that, and the next search begins anew."""
    system = System(Told)
    with system:
        _, sorts = reductions(system)
        expected = summary(reference(system, sorts, Watch(), 1), False)
        with numbering_all(2):
            assert summary(native(system, sorts, Watch(), 1), False) == expected
            assert compiled(system, sorts)[1].crowded()
            assert summary(native(system, sorts, Watch(), 1), False) == expected


@pytest.mark.slow
def test_what_needs_sequences_has_them() -> None:
    with (system := System(Calls)):
        assert (
            is_numbered(system) and not is_numbered(system, counted=True) and not is_numbered(system, without=["bits"])
        )
        assert summary(native(system, (), Watch(profile=True), 1), True) == summary(
            native(system, (), Watch(), 1), True
        )
    for spec in (Names, Promises):
        with (system := System(spec)):
            assert not is_numbered(system)
            expected = summary(reference(system, (), Watch(), 1), True)
            assert summary(native(system, (), Watch(), 1), True) == expected


def test_a_class_that_a_footprint_overlooks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_rows", lambda kind, sought: set())
    with (system := System(Calls)), pytest.raises(Disagreement, match="does something else"):
        native(system, (), Watch(again=1), 1)


@pytest.mark.slow
def test_drawn_networks_agree() -> None:
    tally = agree_on(range(60), messages=1_000)
    assert tally["numbered"] > 60 and tally["ran out of numbers"] == 0
    assert min(tally["with symmetry"], tally["with cuts"], tally["violated"], tally["held"]) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("messages", [2, 5])
def test_drawn_networks_agree_or_run_out_of_numbers(messages: int) -> None:
    """Of a search that runs out nothing is said; one that does not is right."""
    tally = agree_on(range(60, 95), messages=messages)
    assert tally["ran out of numbers"] >= 3 and tally["compared"] >= 20
