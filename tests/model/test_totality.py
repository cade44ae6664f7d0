"""Which guards may be evaluated early: those that always have a value."""

from __future__ import annotations

from quorate import Nat, Scalarset, Spec, action, invariant, require
from quorate.language.system import System
from quorate.model.build import build
from quorate.model.nodes import Require, conjuncts
from quorate.model.totality import is_total


class Node(Scalarset, size=2):
    """A node."""


class Small(Nat, max=3):
    """A small number."""


class Guarded(Spec):
    """Guards of every kind; the name of a local says whether it is expected to be total."""

    seen: set[Node]
    count: dict[Node, Small]
    log: list[Node]
    k: Small

    @action
    def total(self, x: Node, i: Small) -> None:
        """Guards that always have a value."""
        require(x in self.seen and self.count[x] > 0)
        require(i + 1 < self.k or x not in self.log)
        require(self.anyone() and {y for y in Node if y in self.seen} <= self.seen)
        self.seen.add(x)

    @action
    def partial(self, x: Node, i: Small) -> None:
        """Guards that can be an error in the spec."""
        require(
            self.log[0] == x and i // self.k == 1 and self.first() == x and min(self.count[y] for y in self.seen) > 0
        )
        self.seen.add(x)

    def anyone(self) -> bool:
        """Whether somebody was seen."""
        found = len(self.seen) > 0
        if found:
            return True
        return any(self.count[x] > 1 for x in Node)

    def first(self) -> Node:
        """The head of the log."""
        return self.log[0]

    @invariant
    def fine(self) -> bool:
        """Nothing is asked."""
        return True


def test_what_may_fail_is_not_total() -> None:
    system = System(Guarded)
    with system:
        model = build(system)
        for name in ("total", "partial"):
            body = next(found for found in model.actions if found.name == name).body
            guards = [
                part for statement in body if isinstance(statement, Require) for part in conjuncts(statement.condition)
            ]
            assert len(guards) >= 4
            assert [is_total(guard, model) for guard in guards] == [name == "total"] * len(guards)
