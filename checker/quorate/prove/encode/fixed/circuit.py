"""Boolean circuits with sharing: what formulas at fixed bounds are made of, before a solver sees them.

A condition is a number: 0 is false, 1 is true, an even number above is a node and the odd one after it its negation.
Equal conjunctions are the same node, and constants disappear while a circuit is built, so that symbolic execution of
a concrete state computes a concrete successor without any solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

FALSE, TRUE = 0, 1


def negation(part: int) -> int:
    """The negation of a condition."""
    return part ^ 1


class Circuit:
    """Makes conditions. Variables are numbered from 0 in order of creation."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, ...] | None] = [None]
        self._known: dict[tuple[int, ...], int] = {}
        self._variables: dict[int, int] = {}

    @property
    def variables(self) -> int:
        """How many variables there are."""
        return len(self._variables)

    def variable(self) -> int:
        """A new unknown condition."""
        self._nodes.append(None)
        condition = 2 * (len(self._nodes) - 1)
        self._variables[condition >> 1] = len(self._variables)
        return condition

    def both(self, parts: Iterable[int]) -> int:
        """The conjunction."""
        kept: set[int] = set()
        for part in parts:
            if part == FALSE or part ^ 1 in kept:
                return FALSE
            if part != TRUE:
                kept.add(part)
        if not kept:
            return TRUE
        if len(kept) == 1:
            return kept.pop()
        key = tuple(sorted(kept))
        known = self._known.get(key)
        if known is None:
            self._nodes.append(key)
            known = self._known[key] = 2 * (len(self._nodes) - 1)
        return known

    def either(self, parts: Iterable[int]) -> int:
        """The disjunction."""
        return self.both([part ^ 1 for part in parts]) ^ 1

    def choice(self, condition: int, first: int, second: int) -> int:
        """`first` where the condition is true, else `second`."""
        if first == second:
            return first
        if condition < 2:
            return first if condition else second
        if first < 2:
            return self.either((condition, second)) if first else self.both((condition ^ 1, second))
        if second < 2:
            return self.either((condition ^ 1, first)) if second else self.both((condition, first))
        return self.either((self.both((condition, first)), self.both((condition ^ 1, second))))

    # Reading a circuit; a node is half of its condition

    def parts(self, node: int) -> tuple[int, ...] | None:
        """The conditions whose conjunction a node is, or None for a variable."""
        return self._nodes[node]

    def number(self, node: int) -> int:
        """The number of a variable."""
        return self._variables[node]

    def branches(self, node: int) -> tuple[int, int, int] | None:
        """The condition, the one case and the other of a node that is the *negation* of a choice; else None."""
        parts = self._nodes[node]
        if parts is None or len(parts) != 2 or not parts[0] & parts[1] & 1:
            return None
        first, second = self._nodes[parts[0] >> 1], self._nodes[parts[1] >> 1]
        if first is None or second is None or len(first) != 2 or len(second) != 2:
            return None
        for condition, value in (first, first[::-1]):
            if condition ^ 1 in second:
                return condition, value, second[1] if second[0] == condition ^ 1 else second[0]
        return None

    def evaluated(self, wanted: int, value: Callable[[int], bool], memory: dict[int, bool]) -> bool:
        """Whether a condition is true where `value` says which variables are; `memory` keeps what nodes are."""
        stack = [wanted >> 1]
        memory[0] = False
        while stack:
            node = stack[-1]
            if node in memory:
                stack.pop()
                continue
            parts = self._nodes[node]
            if parts is None:
                memory[node] = value(self._variables[node])
                continue
            missing = [part >> 1 for part in parts if part >> 1 not in memory]
            if missing:
                stack.extend(missing)
            else:
                memory[node] = all(memory[part >> 1] != bool(part & 1) for part in parts)
        return memory[wanted >> 1] != bool(wanted & 1)
