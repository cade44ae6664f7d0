"""What the native engine remembers changes no answer, and what is remembered wrongly is noticed (`memo.h`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from quorate import Bag, Nat, Network, Ordered, Spec, action, invariant, record, require
from quorate.explore.engine import Disagreement
from quorate.explore.limits import Watch
from quorate.explore.native import explore as native
from quorate.explore.native import library
from quorate.explore.native.render import properties, recall
from quorate.explore.native.search import rendering
from quorate.explore.reference import explore as reference
from quorate.language.system import System
from quorate.model.abstract import Abstract
from quorate.model.accesses import Footprint
from quorate.model.footprints import footprint
from quorate.model.nodes import Model, Stmt

from tests.native.agreement import QUICK_FLAGS, remembering_everything, summary


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is remembered, however little it costs."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    with remembering_everything():
        yield


class Node(Ordered, size=2):
    """A node."""


class Level(Nat, max=2):
    """How far a node is."""


@record
class Note:
    """A node tells its level."""

    node: Node
    level: Level


class Fills(Spec):
    """Messages are sent into a network that is nearly full, and lost: of two that are sent at once the second may be cut, an error may
    come after a message that is cut, and a message that is there already needs no room."""

    level: dict[Node, Level]
    network: Network[Note] = Network(capacity=2, lossy=True)
    bag: Bag[Note] = Bag(capacity=1)

    @action
    def rise(self, n: Node) -> None:
        """One message, then a bound."""
        self.network.send(Note(n, self.level[n]))
        self.level[n] += 1

    @action
    def repeat(self, n: Node) -> None:
        """Two messages, which may be there, be one, or be cut."""
        require(self.level[n] > 0)
        self.network.send(Note(n, self.level[n]))
        self.network.send(Note(n, Level(self.level[n] - 1)))

    @action
    def hear(self, n: Node, m: Note) -> None:
        """A message that is answered in a bag."""
        require(m in self.network and m.node != n)
        self.network.receive(m)
        self.bag.send(Note(n, m.level))

    @action
    def fall(self, m: Note) -> None:
        """And what an answer does."""
        require(m in self.bag)
        self.bag.receive(m)
        self.level[m.node] = Level(0)

    @invariant
    def levels_differ_by_three(self, a: Node, b: Node) -> bool:
        """True, and read of all levels."""
        return self.level[a] <= self.level[b] + 3


class Far(Nat, max=60_000):
    """So wide that few messages fit into a key."""


@record
class Call:
    """One class of messages."""

    node: Node
    far: Far


@record
class Answer:
    """Another."""

    node: Node
    level: Level


class Classes(Spec):
    """Invariants that read messages of one class, of which there may be more than a key has room for, and one that reads all."""

    next: Far
    network: Network[Call | Answer] = Network(capacity=9)

    @action
    def call(self) -> None:
        """Up to eight calls, each with another number."""
        require(self.next < 8)
        self.network.send(Call(min(n for n in Node), self.next))
        self.next += 1

    @action
    def answer(self, n: Node, m: Call) -> None:
        """And an answer, of which there are few."""
        require(m in self.network and m.far == self.next - 1)
        self.network.send(Answer(n, Level(min(m.far, 2))))

    @invariant
    def calls_are_few(self) -> bool:
        """False in the end: of calls alone."""
        return not any(m.far >= 7 for m in self.network if isinstance(m, Call))

    @invariant
    def answers_are_low(self, n: Node) -> bool:
        """Of answers alone."""
        return all(m.level <= 2 for m in self.network if isinstance(m, Answer) and m.node == n)

    @invariant
    def answers_have_calls(self) -> bool:
        """Of both."""
        return all(any(isinstance(c, Call) and c.node == m.node for c in self.network) for m in self.network)


class Number(Nat, max=6_000):
    """Large enough for a table to be judged."""


class Counts(Spec):
    """No state is met again, so that nothing remembered is of use."""

    n: Number
    m: Number

    @action
    def count(self) -> None:
        """One more."""
        self.n += 1
        self.m = Number(self.n // 2)

    @invariant
    def half(self) -> bool:
        """Of both."""
        return self.m * 2 <= self.n


def found(spec: type[Spec], again: int, workers: int = 1) -> tuple[object, ...]:
    """What the native engine says."""
    system = System(spec)
    with system:
        return summary(native(system, (), Watch(again=again), workers), True)


@pytest.mark.parametrize("spec", [Fills, Classes, Counts])
@pytest.mark.parametrize(("again", "workers"), [(0, 1), (1, 2)])
def test_what_is_remembered_changes_no_number(spec: type[Spec], again: int, workers: int) -> None:
    system = System(spec)
    with system:
        assert len(rendering(system, [state for _, state in system.initial()], ()).sites) >= 2
        expected = summary(reference(system, (), Watch(), 1), True)
    assert found(spec, again, workers) == expected


def blind(variable: str) -> Any:
    """Footprints that overlook a variable."""

    def overlooks(model: Model, body: tuple[Stmt, ...], arguments: Mapping[str, Abstract]) -> Footprint:
        return frozenset(access for access in footprint(model, body, arguments) if access.variable != variable)

    return overlooks


class Reads(Spec):
    """What an action does, and whether an invariant holds, depends on a variable that a blind footprint overlooks."""

    on: bool
    level: dict[Node, Level]

    @action
    def switch(self) -> None:
        """The variable."""
        self.on = not self.on

    @action
    def rise(self, n: Node) -> None:
        """It is read."""
        self.level[n] = Level(1) if self.on else Level(0)

    @invariant
    def is_low(self, n: Node) -> bool:
        """It is read here, too, and false in the end."""
        return self.level[n] == 0 or self.on or n == self.first()

    def first(self) -> Node:
        """One of them."""
        return min(n for n in Node)


@pytest.mark.parametrize(
    ("module", "named"),
    [(recall, "@action rise does something else"), (properties, "@invariant is_low does something else")],
)
def test_what_is_remembered_wrongly_ends_the_run(module: Any, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A footprint that is too small makes a wrong answer, which a look into what was remembered finds."""
    monkeypatch.setattr(module, "footprint", blind("on"))
    with pytest.raises(Disagreement, match=named):
        found(Reads, again=1)
