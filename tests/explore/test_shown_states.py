"""What a method that the reference engine alone runs is shown stays as it was, whichever of Python's functions it calls."""

from __future__ import annotations

import heapq
from typing import Any, Self

import pytest
from quorate import Nat, Spec, action, invariant, record, require, step
from quorate.explore import check
from quorate.outcome import Failed, Violated


class Count(Nat, max=2):
    """A number."""


@record
class Box:
    """A list inside of a record, which is not copied where an action looks at it."""

    log: list[Count]


class Logging(Spec):
    """Two numbers in any order; nothing here is covered by the typed model."""

    box: Box = Box([])
    log: list[Count]

    @action
    def write(self, n: Count) -> None:
        require(len(self.log) < 2)
        self.log.append(n)
        self.box = Box(heapq.nsmallest(2, self.log))

    @invariant
    def never_two_twice(self) -> bool:
        return self.log != [2, 2]


def pops(view: Any) -> bool:
    """C, which asks nobody."""
    return not view.log or heapq.heapreplace(view.log, 0) >= 0


def hides(view: Any) -> bool:
    """The next property would look at this."""
    shown = vars(view)
    shown["log"] = []
    return True


class Popping(Logging):
    """A property that changes the state."""

    @invariant
    def never_two_twice(self) -> bool:
        return pops(self) and self.log != [2, 2]


class Hiding(Logging):
    """A property that changes what the next one sees."""

    @invariant
    def first(self) -> bool:
        return hides(self)

    @invariant
    def never_two(self) -> bool:
        return 2 not in self.log


class Old(Logging):
    """A property of steps that changes the state before."""

    @step
    def grows(self, old: Self) -> bool:
        heapq.heappush(old.log, 0)
        return True


class Inside(Logging):
    """An action that changes the state before, in a record."""

    @action
    def sort(self) -> None:
        heapq.heappush(self.box.log, 0)


class Argument(Logging):
    """An action that changes its argument."""

    @action
    def put(self, box: Box) -> None:
        require(box in [self.box])
        heapq.heappush(box.log, 0)


@pytest.mark.parametrize("spec", [Popping, Hiding, Old, Inside, Argument])
def test_nothing_changes_what_it_is_shown(spec: type[Spec]) -> None:
    outcome = check(spec, engine="reference")
    assert isinstance(outcome, Failed)
    assert "only shown to it" in outcome.message


def test_a_copy_may_be_changed() -> None:
    class Copying(Logging):
        @invariant
        def least(self) -> bool:
            copy = list(self.log)
            heapq.heapify(copy)
            return copy[:1] == heapq.nsmallest(1, self.log)

    assert isinstance(check(Copying), Violated)
