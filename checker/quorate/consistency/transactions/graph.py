"""Dependency graphs over points in time, their cycles, and the names of those cycles.

A transaction is one point (serializable levels: it happens at once) or two, its start and its commit (snapshot levels).
An edge says that one point is before another, and which dependency of the transactions asks for it: ww, wr, rw (Adya
1999, section 3.1), so (session order) or rt (real time). The edge from a start to its commit carries no dependency.

Real time would take a quadratic number of edges. It is a chain of extra points instead, one for each event at which a
transaction returned: a transaction leads to the point of its return, and the latest point before its invocation leads
to it.
"""

from __future__ import annotations

import itertools
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from quorate.consistency.transactions.sorting import sorted_points
from quorate.consistency.values import Value, show
from quorate.consistency.verdict import Cycle, Edge

Label = tuple[str, Value]  # The kind of dependency, and what its reason is about: a key, a process, or a `Reason`.
INSIDE: Label = ("", None)
STRENGTH = {kind: rank for rank, kind in enumerate(("", "ww", "wr", "rw", "so", "rt"))}
REASONS = {
    "ww": "both write {about}, in this order",
    "wr": "T{target} reads {about} from T{source}",
    "rw": "T{source} reads {about} without T{target}'s write",
    "so": "process {about} did T{source} first",
    "rt": "it had returned before the other was invoked",
}
SOURCES_MAX = 200  # From how many points of a strongly connected component the shortest cycle is looked for.


class Reason(str):
    """A reason in words, where that of `REASONS` does not fit."""


class ByPredicate(Reason):
    """The reason of an anti-dependency by predicate (Adya 1999, section 3.1): a key was not found, and is written."""


def reason(label: Label, source: int, target: int) -> str:
    """Why one transaction is before another. Worked out when it is shown: a graph has millions of edges."""
    kind, about = label
    return about if isinstance(about, Reason) else REASONS[kind].format(about=show(about), source=source, target=target)


class Graph:
    """Points 0..size-1 with labelled edges. `owner[p]` is the transaction of a point, or None for a point of real
    time. Edges are kept as three lists, since long histories have millions; `after` is made for those who look at a few."""

    def __init__(self) -> None:
        self.owner: list[int | None] = []
        self._sources, self._targets, self._labels = array("i"), array("i"), list[Label]()
        self._after: list[dict[int, Label]] | None = None

    def point(self, owner: int | None) -> int:
        self.owner.append(owner)
        return len(self.owner) - 1

    def add(self, source: int, target: int, label: Label) -> None:
        self._sources.append(source)
        self._targets.append(target)
        self._labels.append(label)
        self._after = None

    def copy(self) -> Graph:
        twin = Graph()
        twin.owner = list(self.owner)
        twin._sources, twin._targets, twin._labels = self._sources[:], self._targets[:], self._labels[:]
        return twin

    @property
    def after(self) -> list[dict[int, Label]]:
        """The edges from each point. Of several reasons for one edge it is the strongest: that of the simplest anomaly."""
        if self._after is None:
            self._after = [{} for _ in self.owner]
            for source, target, label in zip(self._sources, self._targets, self._labels, strict=True):
                known = self._after[source].get(target)
                if known is None or STRENGTH[label[0]] < STRENGTH[known[0]]:
                    self._after[source][target] = label
        return self._after

    def order(self, priority: array[int]) -> list[int] | None:
        """A topological order, least priority first among the points that may come next; None if there is a cycle."""
        order = sorted_points(len(self.owner), self._sources, self._targets, priority)
        return order if len(order) == len(self.owner) else None

    def rough_order(self, priority: array[int]) -> list[int]:
        """All points in an order that keeps every edge outside cycles, and most inside."""
        return sorted_points(len(self.owner), self._sources, self._targets, priority, through_cycles=True)

    def cycle(self) -> list[Edge]:
        """A short cycle of the simplest kind there is: first of ww alone, then with wr, then with one rw, then any;
        sessions and real time come in only where no cycle is without them. The graph must have one."""
        for kinds in ({"ww"}, {"ww", "wr"}, {"ww", "wr", "so", "rt"}):
            found = self._shortest(kinds | {""})
            if found:
                return found
        for rest in ({"ww", "wr"}, {"ww", "wr", "so", "rt"}):
            found = self._with_one_rw(rest | {""})
            if found:
                return found
        found = self._shortest({"ww", "wr", "rw", ""}) or self._shortest({"ww", "wr", "rw", "so", "rt", ""})
        assert found is not None
        return found

    def _shortest(self, kinds: Collection[str]) -> list[Edge] | None:
        best: list[int] | None = None
        for component in self._components(kinds):
            inside = set(component)
            for source in component[:SOURCES_MAX]:
                path = self._path(self._next(source, kinds, inside), source, kinds, inside)
                if path and (best is None or self._transactions(path) < self._transactions(best)):
                    best = path
        return self._edges([best[-1], *best]) if best else None

    def _transactions(self, path: Sequence[int]) -> int:
        return len({self.owner[p] for p in path} - {None})

    def _with_one_rw(self, rest: Collection[str]) -> list[Edge] | None:
        best: list[int] | None = None
        tried = 0
        for component in self._components({*rest, "rw"}):
            inside = set(component)
            for source in component:
                for target, label in self.after[source].items():
                    if label[0] != "rw" or target not in inside or tried > 20 * SOURCES_MAX:
                        continue
                    tried += 1
                    path = self._path([target], source, rest, inside)
                    if path and (best is None or self._transactions(path) < self._transactions(best)):
                        best = path
        return self._edges([best[-1], *best]) if best else None

    def _next(self, source: int, kinds: Collection[str], inside: set[int]) -> list[int]:
        return [t for t, label in self.after[source].items() if label[0] in kinds and t in inside]

    def _path(self, starts: Iterable[int], goal: int, kinds: Collection[str], inside: set[int]) -> list[int] | None:
        """The path from one of `starts` to `goal`, both included, that passes the fewest transactions: steps within one and
        along the chain of real time cost nothing."""
        before: dict[int, int | None] = dict.fromkeys(starts)
        cost = dict.fromkeys(before, 0)
        queue = deque(before)
        done: set[int] = set()
        while queue:
            p = queue.popleft()
            if p in done:
                continue
            done.add(p)
            if p == goal:
                path = [p]
                while (previous := before[path[-1]]) is not None:
                    path.append(previous)
                return path[::-1]
            for target in self._next(p, kinds, inside):
                free = self.owner[target] is None or self.owner[target] == self.owner[p]
                length = cost[p] + (not free)
                if length < cost.get(target, length + 1):
                    before[target], cost[target] = p, length
                    (queue.appendleft if free else queue.append)(target)
        return None

    def _edges(self, around: Sequence[int]) -> list[Edge]:
        """The dependencies along a closed walk of points: steps inside a transaction vanish, chains of real time become
        one."""
        steps = [(a, b, self.after[a][b]) for a, b in itertools.pairwise(around)]
        first = next(
            n for n, (a, b, _) in enumerate(steps) if self.owner[a] is not None and self.owner[a] != self.owner[b]
        )
        edges: list[Edge] = []
        source: int | None = None
        for a, b, label in steps[first:] + steps[:first]:
            source = self.owner[a] if self.owner[a] is not None else source
            target = self.owner[b]
            if target is not None and source is not None and target != source:
                edges.append(Edge(source, target, label[0], reason(label, source, target)))
        return edges

    def _components(self, kinds: Collection[str]) -> list[list[int]]:
        """The strongly connected components with more than one point, by edges of `kinds` (Tarjan 1972, without
        recursion)."""
        number: dict[int, int] = {}
        low: dict[int, int] = {}
        open_: list[int] = []
        is_open: set[int] = set()
        components = []
        for root in range(len(self.owner)):
            if root in number:
                continue
            stack = [(root, iter(self.after[root].items()))]
            number[root] = low[root] = len(number)
            open_.append(root)
            is_open.add(root)
            while stack:
                p, rest = stack[-1]
                for target, label in rest:
                    if label[0] not in kinds:
                        continue
                    if target not in number:
                        number[target] = low[target] = len(number)
                        open_.append(target)
                        is_open.add(target)
                        stack.append((target, iter(self.after[target].items())))
                        break
                    if target in is_open:
                        low[p] = min(low[p], number[target])
                else:
                    stack.pop()
                    if stack:
                        low[stack[-1][0]] = min(low[stack[-1][0]], low[p])
                    if low[p] == number[p]:
                        component: list[int] = []
                        while not component or component[-1] != p:
                            component.append(open_.pop())
                            is_open.discard(component[-1])
                        if len(component) > 1:
                            components.append(sorted(component))
        return components


def anomaly(edges: Sequence[Edge]) -> str:
    """The name of a cycle: Adya's G0, G1c, G-single, G2-item and G2, with the orders besides dependencies that it goes along."""
    kinds = [edge.kind for edge in edges]
    dependencies = [kind for kind in kinds if kind in ("ww", "wr", "rw")]
    anti = kinds.count("rw")
    if anti == 0:
        name = "G0: write cycle" if set(dependencies) <= {"ww"} else "G1c: circular information flow"
    elif anti == 1:
        name = "G-single: read skew"
    elif all(not (a == b == "rw") for a, b in zip(kinds, [*kinds[1:], kinds[0]], strict=True)):
        name = "G-nonadjacent: long fork"
    else:
        phantom = any(isinstance(edge.reason, ByPredicate) for edge in edges)
        name = "G2: write skew by predicate" if phantom else "G2-item: write skew"
    besides = [word for kind, word in (("so", "session"), ("rt", "real time")) if kind in kinds]
    return f"{name} ({' and '.join(besides)})" if besides else name


def as_cycle(edges: Sequence[Edge], label: Callable[[int], str], name: str | None = None) -> Cycle:
    """A cycle of dependencies as evidence."""
    text = "; ".join(f"T{e.source} before T{e.target} ({e.kind}: {e.reason})" for e in edges)
    nodes = {n: label(n) for e in edges for n in (e.source, e.target)}
    return Cycle(name or anomaly(edges), text, nodes, tuple(edges))
