"""What is on the way in channels can be seen, by properties and actions, in every engine alike."""

from __future__ import annotations

import pytest
from quorate import Channels, Nat, Ordered, Scalarset, Spec, action, invariant, record, require, violates
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.system import System
from quorate.model import build
from quorate.model.verify import verify
from quorate.outcome import Failed, Proven, Violated
from quorate.prove.proof import prove
from quorate.prove.results import Task

from tests.model.test_interpreter import agree

ENGINES = ("reference", pytest.param("native", marks=pytest.mark.slow))


class Client(Scalarset, size=2):
    """Who asks."""


class Server(Ordered, size=2):
    """Who is asked."""


class Number(Nat, max=2):
    """What is said."""


@record
class Ask:
    source: Client
    target: Server
    number: Number


@record
class Bye:
    source: Client
    target: Server


class Asking(Spec):
    """Clients ask servers; nobody asks after a farewell."""

    links: Channels[Ask | Bye] = Channels(capacity=2)
    heard: Number

    def may_ask(self, c: Client, s: Server) -> bool:
        return all(isinstance(m, Ask) for m in self.links.queue(c, s))

    @action
    def ask(self, c: Client, s: Server, n: Number) -> None:
        require(self.may_ask(c, s) and len(self.links.queue(c, s)) < 2)
        self.links.send(Ask(c, s, n))

    @action
    def leave(self, c: Client, s: Server) -> None:
        require(len(self.links.queue(c, s)) == 1 and self.may_ask(c, s))
        self.links.send(Bye(c, s))

    @action
    def hear(self, m: Ask | Bye) -> None:
        require(m in self.links)
        self.links.receive(m)
        later = self.links.queue(m.source, m.target)
        if len(later) > 0 and isinstance(later[0], Ask):
            self.heard = later[0].number

    @invariant
    def queues_are_between_their_ends(self, c: Client, s: Server) -> bool:
        return all(m.source == c and m.target == s for m in self.links.queue(c, s))

    @invariant
    def a_farewell_is_the_last(self, c: Client, s: Server) -> bool:
        on_the_way = self.links.queue(c, s)
        return all(i == len(on_the_way) - 1 for i, m in enumerate(on_the_way) if isinstance(m, Bye))

    @invariant
    def heads_can_be_heard(self, c: Client, s: Server) -> bool:
        on_the_way = self.links.queue(c, s)
        return len(on_the_way) == 0 or on_the_way[0] in self.links


class AsksOn(Asking):
    """It asks after its farewell. Of the messages that can be heard now this is true: they are heads."""

    expect = violates("a_farewell_is_the_last")

    def may_ask(self, c: Client, s: Server) -> bool:
        return True

    @action
    def leave(self, c: Client, s: Server) -> None:
        require(len(self.links.queue(c, s)) == 0)
        self.links.send(Bye(c, s))


STATES = 110
SMALL = {"Client": 2, "Server": 1, "Number": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_properties_see_what_is_behind_the_heads(engine: str) -> None:
    holds = check(Asking.bounded(**SMALL), engine=engine)
    assert (holds.verdict, holds.statistics.states) == ("holds", STATES)
    found = check(AsksOn.bounded(**SMALL), engine=engine)
    assert found.violated == ("a_farewell_is_the_last",)
    assert found.trace is not None and len(found.trace.steps) == 2


def test_it_is_proven_at_fixed_bounds() -> None:
    assert isinstance(prove(Task(Asking.bounded(**SMALL), "asking", None)).outcome, Proven)
    wrong = prove(Task(AsksOn.bounded(**SMALL), "asks on", None, method="bmc", depth=2)).outcome
    assert isinstance(wrong, Violated) and wrong.property == "a_farewell_is_the_last"


def test_the_model_means_what_the_class_means() -> None:
    system = System(Asking.bounded(**SMALL))
    model = build(system)
    verify(model)
    with system:
        agree(system, model, 40)


def test_only_the_ends_of_these_channels_have_a_queue() -> None:
    class Wrong(Asking):
        @invariant
        def is_short(self, s: Server) -> bool:
            return len(self.links.queue(s, s)) < 2

    with pytest.raises(SpecError, match="Server"):
        build(System(Wrong))


class Latest(Asking):
    """There is no queue of nobody."""

    latest: Client | None

    @invariant
    def the_latest_is_short(self, s: Server) -> bool:
        return len(self.links.queue(self.latest, s)) < 2


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_has_a_queue(engine: str) -> None:
    found = check(Latest.bounded(**SMALL), engine=engine)
    assert isinstance(found, Failed) and found.trace is not None and found.trace.steps == ()
