"""`linearizable` in C (`render/history.py`): who called, and what a state of the sequential object may be."""

from __future__ import annotations

import pytest
from quorate import Nat, Spec, action, invariant, linearizable, record, require
from quorate.explore import check
from quorate.explore.native import library

from tests.native.agreement import QUICK_FLAGS, compare


class Half(Nat, max=65_535):
    """So many values that four of them fill a word."""


class Count(Nat, max=2):
    """How often something was counted."""


@record
class Name:
    """A client whose name fills more than a word; the last part tells it from others."""

    first: tuple[Half, Half, Half, Half]
    last: Half


@record
class Event:
    client: Name
    returned: bool


def named(other: bool) -> Name:
    return Name((Half(0), Half(0), Half(0), Half(0)), Half(1 if other else 0))


def counter(state: Count, event: Event) -> tuple[bool, Count]:
    return True, Count(state + 1)


class Calls(Spec):
    history: list[Event]

    @action
    def call(self, other: bool) -> None:
        require(len(self.history) == 0)
        self.history.append(Event(named(other), False))

    @invariant
    def is_right(self) -> bool:
        return linearizable(self.history, counter, Count(0))


class AnotherReturns(Calls):
    @action
    def return_to_another(self) -> None:
        require(len(self.history) == 1)
        self.history.append(Event(named(self.history[0].client.last == 0), True))


class OneCallsTwice(Calls):
    @action
    def call_again(self, same: bool) -> None:
        require(len(self.history) == 1)
        self.history.append(Event(self.history[0].client if same else named(True), False))


class CountsTooFar(Calls):
    """The object counts further than its state may."""

    @action
    def finish(self) -> None:
        require(len(self.history) < 5)
        self.history += [Event(named(False), False), Event(named(False), True)]

    @action
    def call(self, other: bool) -> None:
        require(other and False)
        self.history.clear()


class BeginsTooFar(Calls):
    @invariant
    def is_right(self) -> bool:
        return linearizable(self.history, counter, Count(len(self.history) * 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (AnotherReturns, "a return of"),
        (OneCallsTwice, "two open operations of"),
        (CountsTooFar, "passes the bound Count"),
        (BeginsTooFar, "passes the bound Count"),
    ],
)
def test_an_error_in_a_history_is_found_by_both_engines(
    spec: type[Spec], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    for engine in ("reference", "native"):
        outcome = check(spec.bounded(history=6), engine=engine)
        assert str(outcome.verdict) == "error" and message in str(outcome), engine
    assert compare(spec.bounded(history=6)) == ["plain", "violation"]
