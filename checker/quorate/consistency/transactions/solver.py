"""Choices between edges: the order of versions, where reads do not show it.

Two writers of a key whose order is unknown make a *choice*: either one is first, and each way adds edges to the graph
(to the later writer, and from those who read the earlier version). The history satisfies the level if and only if some
way of choosing leaves the graph without a cycle, as in polygraphs (Papadimitriou 1979).

First the order in which points would come anyway is tried for all choices at once. If that fails, choices are forced
one by one: an edge against which a path already leads is impossible, and if one way is impossible the other is taken.
What remains is searched with backtracking. Paths are known from bit masks of the points that each point leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quorate.consistency.transactions.graph import Graph, Label

PATHS_BYTES_MAX = 1 << 25

Way = tuple[tuple[int, int, Label], ...]


@dataclass(frozen=True)
class Choice:
    """Either all edges of `one` or all of `other`."""

    one: Way
    other: Way


class Undecided(Exception):
    """The search tried as many choices as it was allowed."""


def solve(graph: Graph, choices: Sequence[Choice], priority: Callable[[int], int], attempts: int) -> list[int] | Graph:
    """An order of the points that some way of choosing allows; else the graph with the edges of a choice that closes a
    cycle.

    Raises `Undecided`."""
    order = graph.order(priority)
    if order is None:
        return graph
    if not choices:
        return order
    position = {p: number for number, p in enumerate(order)}
    guess = _extended(graph, [_as_ordered(choice, position) for choice in choices])
    order = guess.order(priority)
    return order if order is not None else _Backtracking(graph, choices, priority, attempts).run()


def _as_ordered(choice: Choice, position: dict[int, int]) -> Way:
    source, target, _ = choice.one[0]
    return choice.one if position[source] < position[target] else choice.other


def _extended(graph: Graph, ways: Sequence[Way]) -> Graph:
    extended = Graph()
    extended.owner = list(graph.owner)
    extended.after = [dict(targets) for targets in graph.after]
    for way in ways:
        for source, target, label in way:
            extended.add(source, target, label)
    return extended


class _Backtracking:
    """Raises `Undecided` at once for graphs whose paths do not fit into `PATHS_BYTES_MAX`."""

    def __init__(self, graph: Graph, choices: Sequence[Choice], priority: Callable[[int], int], attempts: int) -> None:
        self._graph, self._choices, self._priority, self._left = graph, choices, priority, attempts
        self._contradiction: Graph | None = None
        if len(graph.after) ** 2 // 8 > PATHS_BYTES_MAX:
            raise Undecided

    def run(self) -> list[int] | Graph:
        order = self._choose([], list(self._choices))
        if order is not None:
            return order
        assert self._contradiction is not None
        return self._contradiction

    def _choose(self, taken: list[Way], rest: list[Choice]) -> list[int] | None:
        self._left -= 1
        if self._left < 0:
            raise Undecided
        while True:
            graph = _extended(self._graph, taken)
            order = graph.order(self._priority)
            if order is None:
                self._contradiction = self._contradiction or graph
                return None
            forced, rest = _forced(rest, _leads_to(graph, order))
            if not forced:
                break
            taken = taken + forced
        if not rest:
            return order
        position = {p: number for number, p in enumerate(order)}
        first, *others = rest
        likely = _as_ordered(first, position)
        for way in (likely, first.other if likely is first.one else first.one):
            found = self._choose([*taken, way], others)
            if found is not None:
                return found
        return None


def _forced(choices: list[Choice], leads: list[int]) -> tuple[list[Way], list[Choice]]:
    """The ways that are forced, since the other is impossible (if both are, both edges show it), and the choices left
    open."""

    def possible(way: Way) -> bool:
        return all(source != target and not leads[target] >> source & 1 for source, target, _ in way)

    forced, rest = [], []
    for choice in choices:
        if not possible(choice.one):
            forced.append(choice.other)
        elif not possible(choice.other):
            forced.append(choice.one)
        else:
            rest.append(choice)
    return forced, rest


def _leads_to(graph: Graph, order: list[int]) -> list[int]:
    leads = [0] * len(order)
    for p in reversed(order):
        for target in graph.after[p]:
            leads[p] |= leads[target] | 1 << target
    return leads
