"""Loops that begin at a least number mean what they meant."""

from __future__ import annotations

import pytest
from quorate import Nat, Spec, action, require
from quorate.conform.narrowing import narrowed
from quorate.explore import check
from quorate_specs.consensus.raft import Raft

LEAST = 2


class Index(Nat, max=3):
    """A position."""


class Loops(Spec):
    """Loops of which some can begin later, and some cannot."""

    seen: set[Index]
    top: Index

    def later(self, i: Index) -> bool:
        return any(j in self.seen for j in Index if j >= i)

    def after(self, i: Index) -> int:
        return sum(j for j in Index if j > i and j in self.seen)

    def from_constant(self) -> bool:
        return all(j in self.seen for j in Index if j >= 2)

    def from_itself(self) -> bool:
        return any(j in self.seen for j in Index if j >= j)

    def with_upper_end(self, i: Index) -> bool:
        return any(j in self.seen for j in Index if j <= i)

    def of_expression(self) -> bool:
        return any(j in self.seen for j in Index if j >= self.top + 1)

    def second_condition(self, i: Index) -> bool:
        return any(j in self.seen for j in Index if j in self.seen and j >= i)

    def statement(self, i: Index) -> None:
        for j in Index:
            if j >= i:
                self.seen.add(j)

    def moves_its_end(self, i: Index) -> None:
        for j in Index:
            if j >= i:
                i = j
                self.seen.add(j)

    @action
    def look(self, i: Index) -> None:
        require(not self.later(i))
        self.statement(i)
        self.top = Index(min(self.after(i), 3))


def test_only_loops_that_mean_the_same_are_narrowed() -> None:
    changed = {name for name in vars(narrowed(Loops)) if name in vars(Loops)} - {
        "__doc__",
        "__module__",
        "__qualname__",
    }
    assert changed - {"__quorate_namespace__"} == {"later", "after", "from_constant", "statement"}


@pytest.mark.slow
def test_narrowed_specifications_have_the_same_states() -> None:
    for spec, bounds in ((Loops, {}), (Raft, {"Term": 1, "Index": 1})):
        plain = check(spec.bounded(**bounds), engine="reference")
        fast = check(narrowed(spec).bounded(**bounds), engine="reference")
        assert fast.verdict == plain.verdict
        assert (fast.statistics.states, fast.statistics.transitions, fast.statistics.actions) == (
            plain.statistics.states,
            plain.statistics.transitions,
            plain.statistics.actions,
        )
