"""Boolean circuits with sharing: what formulas at fixed bounds are made of, before Z3 sees them.

A condition is a number: 0 is false, 1 is true, an even number above is a node and the odd one after it its negation.
Equal conjunctions are the same node, and constants disappear while a circuit is built, so that symbolic execution of
a concrete state computes a concrete successor without any solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

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

    def translated(self, conditions: Iterable[int], names: Callable[[int], Any], memory: dict[int, Any]) -> list[Any]:
        """Conditions as Z3 formulas; `names` gives the formula of a variable, `memory` keeps those of nodes between
        calls."""
        import z3

        wanted = list(conditions)
        stack = [condition >> 1 for condition in wanted if condition > TRUE]
        while stack:
            node = stack[-1]
            if node in memory:
                stack.pop()
                continue
            parts = self._nodes[node]
            if parts is None:
                memory[node] = names(self._variables[node])
                continue
            missing = [part >> 1 for part in parts if part >> 1 not in memory]
            if missing:
                stack.extend(missing)
                continue
            memory[node] = z3.And([z3.Not(memory[part >> 1]) if part & 1 else memory[part >> 1] for part in parts])
            stack.pop()
        constants = (z3.BoolVal(False), z3.BoolVal(True))
        return [
            constants[one] if one <= TRUE else z3.Not(memory[one >> 1]) if one & 1 else memory[one >> 1]
            for one in wanted
        ]
