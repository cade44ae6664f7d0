"""Choices between edges: the order of versions, where reads do not show it.

Two writers of a key whose order is unknown make a *choice*: either one is first, and each way adds edges to the graph
(to the later writer, and from those who read the earlier version). The history satisfies the level if and only if some
way of choosing leaves the graph without a cycle, as in polygraphs (Papadimitriou 1979).

First the order in which points would come anyway is tried for all choices at once. If that fails, choices are forced
one by one: an edge against which a path already leads is impossible, and if one way is impossible the other is taken.
What remains is searched with backtracking. Paths are known from bit masks of the points that each point leads to.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Protocol

from quorate.consistency.history import Value
from quorate.consistency.transactions.graph import Graph, Label

PAIRS_TRIED_MAX = 1_000_000  # In all attempts together, so that many pairs are given up after seconds as well.

Way = tuple[tuple[int, int, Label], ...]
Pair = tuple[Value, int, int]  # Two writers of a key.


class Choices(Protocol):
    """The pairs of writers whose order is open, and the edges that follow when the first of a pair is before the second.

    Edges are made when they are asked for: there are as many as pairs, times readers."""

    def pairs(self) -> Iterable[Pair]: ...

    def way(self, key: Value, first: int, second: int) -> Way: ...

    def ends(self, key: Value, first: int, second: int) -> Sequence[tuple[int, int]]: ...


class Undecided(Exception):
    """The search tried as many choices as it was allowed, or its paths need more memory than it may have."""


def solve(
    graph: Graph, choices: Choices | None, priority: array[int], attempts: int, memory_bytes: int
) -> list[int] | Graph:
    """An order of the points that some way of choosing allows; else the graph with the edges of a choice that closes a
    cycle.

    Raises `Undecided`."""
    order = graph.order(priority)
    if order is None:
        return graph
    pairs = [] if choices is None else list(choices.pairs())
    if choices is None or not pairs:
        return order
    search = _Backtracking(choices, priority, attempts, memory_bytes)
    guess = search.guess(graph, pairs, order)
    return guess if guess is not None else search.run(graph, pairs)


class _Backtracking:
    def __init__(self, choices: Choices, priority: array[int], attempts: int, memory_bytes: int) -> None:
        self._choices, self._priority, self._attempts, self._memory = choices, priority, attempts, memory_bytes
        self._left = attempts
        self._contradiction: Graph | None = None

    def guess(self, graph: Graph, pairs: Sequence[Pair], order: list[int]) -> list[int] | None:
        """An order in which all pairs are as they come in `order`, if that leaves no cycle."""
        position = {p: number for number, p in enumerate(order)}
        extended = graph.copy()
        for pair in pairs:
            self._add(extended, self._as_ordered(pair, position))
        return extended.order(self._priority)

    def run(self, graph: Graph, pairs: list[Pair]) -> list[int] | Graph:
        """Raises `Undecided` at once for graphs whose paths do not fit into memory."""
        if len(graph.owner) ** 2 // 8 > self._memory:
            raise Undecided
        self._left = min(self._attempts, max(PAIRS_TRIED_MAX // len(pairs), 10))
        order = self._choose(graph.copy(), pairs)
        if order is not None:
            return order
        assert self._contradiction is not None
        return self._contradiction

    def _choose(self, graph: Graph, pairs: list[Pair]) -> list[int] | None:
        """An order of `graph`, which is changed, with all pairs decided; None if there is none."""
        self._left -= 1
        if self._left < 0:
            raise Undecided
        while True:
            order = graph.order(self._priority)
            if order is None:
                self._contradiction = self._contradiction or graph
                return None
            forced, pairs = self._forced(pairs, _leads_to(graph, order))
            if not forced:
                break
            for pair in forced:
                self._add(graph, pair)
        if not pairs:
            return order
        guess = self.guess(graph, pairs, order)
        if guess is not None:
            return guess
        position = {p: number for number, p in enumerate(order)}
        likely = self._as_ordered(pairs[0], position)
        for pair in (likely, (likely[0], likely[2], likely[1])):
            further = graph.copy()
            self._add(further, pair)
            found = self._choose(further, pairs[1:])
            if found is not None:
                return found
        return None

    def _add(self, graph: Graph, pair: Pair) -> None:
        for source, target, label in self._choices.way(*pair):
            graph.add(source, target, label)

    def _as_ordered(self, pair: Pair, position: dict[int, int]) -> Pair:
        key, a, b = pair
        source, target = self._choices.ends(key, a, b)[0]
        return pair if position[source] < position[target] else (key, b, a)

    def _forced(self, pairs: Sequence[Pair], leads: list[int]) -> tuple[list[Pair], list[Pair]]:
        """The pairs whose order is forced, since the other is impossible (if both are, both edges show it), and the pairs
        left open."""

        def possible(key: Value, a: int, b: int) -> bool:
            ends = self._choices.ends(key, a, b)
            return all(source != target and not leads[target] >> source & 1 for source, target in ends)

        forced, rest = [], []
        for pair in pairs:
            key, a, b = pair
            if not possible(key, a, b):
                forced.append((key, b, a))
            elif not possible(key, b, a):
                forced.append(pair)
            else:
                rest.append(pair)
        return forced, rest


def _leads_to(graph: Graph, order: list[int]) -> list[int]:
    leads = [0] * len(order)
    for p in reversed(order):
        for target in graph.after[p]:
            leads[p] |= leads[target] | 1 << target
    return leads
