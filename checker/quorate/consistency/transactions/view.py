"""Consistent view (Adya's PL-2+): is there an order of versions without a cycle of ww, wr and exactly one rw?

No order of transactions says so by itself: cycles with two rw are allowed. What is looked for is an order of commits that
gives an order of versions, so that whoever reads a version before v's is not led to from v by wr and ww. Such a path passes
only transactions that commit between v and the reader, so that few are looked at.

An order is tried, and each *conflict* in it, a reader that v leads to, names the pairs of writers that it came from and whose
order is not known. None: the level is violated. One: the pair is the other way round. More: one of them is, and both ways of
the first are tried. Of lists that were read the order is known, and the first try decides.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from quorate.consistency.history import Value, show
from quorate.consistency.transactions.graph import Graph, Reason, as_cycle, reason
from quorate.consistency.transactions.reading import INITIAL, Versions
from quorate.consistency.transactions.solver import Pair, Undecided
from quorate.consistency.verdict import Cycle, Edge

TRANSACTIONS_TRIED_MAX = 1_000_000  # In all tries together.
CONFLICTS_MAX = 1_000  # That are collected in one try.
ANOMALY = "G-single: read skew"

Step = tuple[int, int, str, Value]  # From one transaction to another, by wr or ww of a key.


@dataclass(frozen=True)
class _Conflict:
    """A cycle with one rw under a tried order; `open` are the pairs whose order it needs and that is not known."""

    edges: tuple[Edge, ...]
    open: tuple[Pair, ...]


def consistent_view(
    graph: Graph, seen: Versions, priority: array[int], label: Callable[[int], str], attempts: int
) -> list[int] | Cycle:
    """An order of the points of `graph`, one for each transaction, with ww and wr, that is one for PL-2+; or a cycle.

    Raises `Undecided`."""
    attempts = min(attempts, max(TRANSACTIONS_TRIED_MAX // max(len(graph.owner), 1), 10))
    search = _Search(seen, priority, label, attempts)
    order = search.run(graph.copy(), frozenset())
    if order is not None:
        return order
    assert search.contradiction is not None
    return search.contradiction


class _Search:
    def __init__(self, seen: Versions, priority: array[int], label: Callable[[int], str], attempts: int) -> None:
        self._seen, self._priority, self._label, self._left = seen, priority, label, attempts
        self.contradiction: Cycle | None = None
        self._read_by: dict[int, list[tuple[int, Value]]] = {}
        for reader, key, writer in seen.reads:
            self._read_by.setdefault(writer, []).append((reader, key))
        self._chained = {(key, writer) for key, chain in seen.chains.items() for writer in chain}

    def run(self, graph: Graph, known: frozenset[Pair]) -> list[int] | None:
        """An order of `graph`, which is changed, that has no conflict; None if there is none."""
        point = {index: p for p, index in enumerate(graph.owner) if index is not None}
        while True:
            self._left -= 1
            if self._left < 0:
                raise Undecided
            order = graph.order(self._priority)
            if order is None:
                name = ANOMALY if known else None  # In every order of versions, and not of ww and wr alone.
                self.contradiction = self.contradiction or as_cycle(graph.cycle(), self._label, name)
                return None
            conflicts = self._conflicts([index for p in order if (index := graph.owner[p]) is not None], known)
            if not conflicts:
                return order
            certain = next((c for c in conflicts if not c.open), None)
            if certain is not None:
                self.contradiction = self.contradiction or as_cycle(certain.edges, self._label)
                return None
            forced = {c.open[0]: c for c in conflicts if len(c.open) == 1}
            if not forced:
                break
            for (key, first, second), conflict in forced.items():
                graph.add(point[second], point[first], ("ww", _else(conflict, key)))
            known |= {(key, second, first) for key, first, second in forced}
        key, first, second = min((c.open for c in conflicts), key=len)[0]
        for a, b in ((second, first), (first, second)):
            further = graph.copy()
            further.add(point[a], point[b], ("ww", key))
            found = self.run(further, known | {(key, a, b)})
            if found is not None:
                return found
        return None

    def _conflicts(self, order: list[int], known: frozenset[Pair]) -> list[_Conflict]:
        place = {index: number for number, index in enumerate(order)}
        versions = {
            key: sorted({*self._seen.chains.get(key, ()), *self._seen.loose.get(key, ())}, key=place.__getitem__)
            for key in {**self._seen.chains, **self._seen.loose}
        }
        after: dict[int, list[tuple[int, Value]]] = {}
        first_of: dict[Value, int] = {}
        next_of: dict[tuple[Value, int], int] = {}
        for key, writers in versions.items():
            if writers:
                first_of[key] = writers[0]
            for a, b in pairwise(writers):
                next_of[key, a] = b
                after.setdefault(a, []).append((b, key))
        found: list[_Conflict] = []
        for reader, key, writer in self._seen.reads:
            missed = first_of.get(key) if writer == INITIAL else next_of.get((key, writer))
            if missed is None or missed == reader or place[missed] > place[reader]:
                continue
            path = self._path(missed, reader, place, after)
            if path is not None:
                found.append(self._conflict(reader, key, writer, missed, path, known))
                if len(found) == CONFLICTS_MAX:
                    break
        return found

    def _path(
        self, source: int, goal: int, place: dict[int, int], after: dict[int, list[tuple[int, Value]]]
    ) -> list[Step] | None:
        """The shortest way from one transaction to a later one by wr and ww."""
        came: dict[int, tuple[int, str, Value]] = {}
        queue = deque([source])
        while queue:
            at = queue.popleft()
            if at == goal:
                path = []
                while at != source:
                    before, kind, key = came[at]
                    path.append((before, at, kind, key))
                    at = before
                return _merged(path[::-1])
            steps = [(to, "wr", key) for to, key in self._read_by.get(at, ())]
            for to, kind, key in [*steps, *((to, "ww", key) for to, key in after.get(at, ()))]:
                if to != source and to not in came and place[to] <= place[goal]:
                    came[to] = (at, kind, key)
                    queue.append(to)
        return None

    def _conflict(
        self,
        reader: int,
        key: Value,
        writer: int,
        missed: int,
        path: list[Step],
        known: frozenset[Pair],
    ) -> _Conflict:
        needed = [(k, a, b) for a, b, kind, k in path if kind == "ww"]
        if writer != INITIAL:
            needed.append((key, writer, missed))
        edges = [Edge(a, b, kind, reason((kind, k), a, b)) for a, b, kind, k in path]
        edges.append(Edge(reader, missed, "rw", reason(("rw", key), reader, missed)))
        return _Conflict(tuple(edges), tuple(pair for pair in needed if not (pair in known or self._is_known(*pair))))

    def _is_known(self, key: Value, first: int, second: int) -> bool:
        """Whether the reads show the order of two versions, which is right in every tried order."""
        return (key, first) in self._chained


def _else(conflict: _Conflict, key: Value) -> Reason:
    """Why a pair of writers is not in the order of a conflict."""
    rw = conflict.edges[-1]
    return Reason(
        f"both write {show(key)}; the other way round T{rw.source} sees T{rw.target} and misses a write of it"
    )


def _merged(path: list[Step]) -> list[Step]:
    """The path with versions of one key that follow each other taken together."""
    merged: list[Step] = []
    for step in path:
        if merged and step[2] == merged[-1][2] == "ww" and step[3] == merged[-1][3]:
            merged[-1] = (merged[-1][0], step[1], "ww", step[3])
        else:
            merged.append(step)
    return merged
