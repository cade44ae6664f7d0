"""Records without fields, and bags of several kinds of messages, in every place that a record can have."""

from __future__ import annotations

from typing import ClassVar

import pytest
from quorate import Bag, Nat, Network, Scalarset, Spec, action, invariant, reachable, record, replace, require, violates
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.system import System
from quorate.model import build
from quorate.model.verify import verify
from quorate.outcome import Proven, Violated
from quorate.prove.proof import prove
from quorate.prove.results import Task

from tests.model.test_interpreter import agree


class Number(Nat, max=2):
    """How many."""


class Server(Scalarset, size=2):
    """Anybody."""


@record
class Reset:
    """Says all by being there."""


@record
class Stop:
    pass


@record
class Holder:
    inner: Reset
    number: Number


class Everywhere(Spec):
    """One in each place."""

    bounds: ClassVar[dict[str, int]] = {"many": 2}
    one: Reset
    some: set[Reset]
    many: list[Reset]
    bag: Bag[Reset | Stop] = Bag(capacity=2)
    net: Network[Reset]
    by: dict[Reset, Number]
    pair: tuple[Reset, Number]
    last: Reset | Stop | None
    holder: Holder
    either: dict[Server, Reset | Stop]

    @action
    def put(self, n: Number, r: Reset) -> None:
        self.some.add(r)
        self.pair = (r, n)
        self.by[r] = n

    @action
    def append(self) -> None:
        self.many.append(Reset())
        self.holder = replace(self.holder, number=Number(len(self.many)))

    @action
    def send(self, m: Reset | Stop) -> None:
        self.bag.send(m)
        self.last = m

    @action
    def stop(self, m: Stop, s: Server) -> None:
        require(m in self.bag)
        self.bag.receive(m)
        self.either[s] = m
        self.net.send(Reset())

    @action
    def reset(self, m: Reset) -> None:
        require(m in self.net)
        self.net.receive(m)
        self.last = m

    @invariant
    def numbers_agree(self) -> bool:
        return self.one == Reset() and len(self.some) <= 1 and self.by[Reset()] == self.pair[1]

    @reachable
    def stopped(self, m: Stop) -> bool:
        return self.last == m and Reset() in self.net and len(self.many) == 2 and self.many[1] == Reset()


class StopsAfterReset(Everywhere):
    expect = violates("never_both")

    @invariant
    def never_both(self) -> bool:
        return not (Reset() in self.net and Reset() in self.some and any(self.either[s] == Stop() for s in Server))


def test_the_model_means_what_the_class_means() -> None:
    system = System(StopsAfterReset)
    model = build(system)
    verify(model)
    with system:
        agree(system, model, 30)


@pytest.mark.slow
def test_both_engines_find_the_same() -> None:
    plain, quick = (check(Everywhere, engine=engine, symmetry=False).statistics for engine in ("reference", "native"))
    assert (
        (plain.states, plain.transitions, plain.depth)
        == (quick.states, quick.transitions, quick.depth)
        == (480, 3_189, 10)
    )
    for engine in ("reference", "native"):
        found = check(StopsAfterReset, engine=engine)
        assert found.violated == ("never_both",) and found.trace is not None and len(found.trace.steps) == 3


def test_it_is_proven_and_refuted_at_fixed_bounds() -> None:
    assert isinstance(prove(Task(Everywhere, "everywhere", None)).outcome, Proven)
    wrong = prove(Task(StopsAfterReset, "stops", None, method="bmc", depth=3)).outcome
    assert isinstance(wrong, Violated) and wrong.property == "never_both"


def test_a_field_that_lacks_its_annotation_is_named() -> None:
    with pytest.raises(SpecError, match=r"Ack.number has no annotation, and is no field"):

        @record
        class Ack:
            number = 3
