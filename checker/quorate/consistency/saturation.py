"""Sequential consistency of registers whose reads name their writers: what must come first, and then a guess.

A read and its source leave no room for another write to the same key: it comes before the source or after the read. So a
write that is before the read in every order is before the source, and one that is after the source is after the read. These
rules are applied until nothing new follows. A cycle then refutes the level; it need not be found, since the question is
NP-hard (Gibbons & Korach 1997). If there is none, writes that are still not ordered are taken in the order in which they
were invoked as far as may be: for the history of a store that has one order of writes, this is nearly always an order. If it
is none, `None` is returned, and the search decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import pairwise

from quorate.consistency.history import History, Operation, Value
from quorate.consistency.registers import WRITES, ReadsFrom, written
from quorate.consistency.visibility import Guarantees

Causes = dict[int, dict[int, str]]


class Saturated(ReadsFrom):
    """Raises `BadPattern` from `sequence` when a cycle is found."""

    def __init__(self, history: History, sources: Mapping[int, int | None]) -> None:
        super().__init__(history, Guarantees(), sources)

    def sequence(self) -> tuple[Operation, ...] | None:
        """A legal order of all operations that keeps sessions; None if none was found."""
        causes = self.causes()
        grown = True
        while grown:
            text = "One order of all operations would have to put each of these before the next."
            order = self._sorted(causes, "CyclicSC", text)
            grown = self._follow_from(order, causes)
        return self._guess(causes)

    def _follow_from(self, order: list[Operation], causes: Causes) -> bool:
        """One application of both rules; whether anything followed."""
        past: dict[int, int] = {}
        for o in order:
            mask = 0
            for cause in causes[o.index]:
                mask |= past[cause] | 1 << cause
            past[o.index] = mask
        later = {o.index: 0 for o in order}
        for o in reversed(order):
            mask = later[o.index] | 1 << o.index
            for cause in causes[o.index]:
                later[cause] |= mask
        news = False
        for read, source in self._sources.items():
            writes = self._writes.get(self._of[read].key, 0)
            if source is None:
                after = writes
            else:
                for rival in self._latest(past[read] & writes & ~(1 << source)):
                    if not past[source] >> rival & 1:
                        causes[source].setdefault(rival, "cf")
                        news = True
                after = later[source] & writes
            for rival in self._earliest(after):
                if not past[rival] >> read & 1:
                    causes[rival].setdefault(read, "rw")
                    news = True
        return news

    def _guess(self, causes: Causes) -> tuple[Operation, ...] | None:
        order = self._in_time(causes)
        assert order is not None
        readers: dict[tuple[Value, int | None], list[int]] = {}
        for read, source in self._sources.items():
            readers.setdefault((self._of[read].key, source), []).append(read)
        chains: dict[Value, list[int]] = {}
        for o in order:
            if o.function in WRITES:
                chains.setdefault(o.key, []).append(o.index)
        for key, chain in chains.items():
            for read in readers.get((key, None), ()):
                causes[chain[0]].setdefault(read, "rw")
            for earlier, later in pairwise(chain):
                causes[later].setdefault(earlier, "cf")
                for read in readers.get((key, earlier), ()):
                    causes[later].setdefault(read, "rw")
        found = self._in_time(causes)
        return None if found is None else tuple(found)

    def _in_time(self, causes: Causes) -> list[Operation] | None:
        """A topological order, earliest invocation first; None if there is a cycle."""
        waiting = {number: len(before) for number, before in causes.items()}
        effects: dict[int, list[int]] = {number: [] for number in causes}
        for number, before in causes.items():
            for cause in before:
                effects[cause].append(number)
        ready = [number for number, count in waiting.items() if not count]
        heapify(ready)
        order: list[Operation] = []
        while ready:
            number = heappop(ready)
            order.append(self._of[number])
            for effect in effects[number]:
                waiting[effect] -= 1
                if not waiting[effect]:
                    heappush(ready, effect)
        return order if len(order) == len(causes) else None


def without_idle(history: History, initial: Value) -> History:
    """The history without the writes in doubt that nobody read: they may never have taken effect."""
    read = {(o.key, o.result) for o in history if o.function not in WRITES and not o.pending}
    kept = tuple(o for o in history if not o.pending or (o.function in WRITES and (o.key, written(o, initial)) in read))
    return replace(history, operations=kept)
