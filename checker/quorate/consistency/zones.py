"""Linearizability of registers whose reads name their writers, in time proportional to the history (Gibbons & Korach
1997, section 4).

**The method.** A write with all reads of its value is a *cluster*; the initial value has one without a write. A cluster
holds the register for one stretch of time, so that of two clusters one is wholly before the other. Let `first` be the
earliest return in a cluster and `last` the latest invocation. Cluster A must begin before cluster B if some operation of A
returned before some operation of B was invoked: `A.first < B.last`. If this holds both ways no order exists; if it never
does, and no read returned before its write was invoked, one does. Sorting finds a pair: clusters with `first < last` span a
stretch in which they certainly hold the register, and no two such stretches may meet; the others only need one moment
between `last` and `first`, which must not lie inside such a stretch.

A write in doubt has no return; one that nobody read is left out, since it may never have taken effect.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from quorate.consistency.history import Operation, Value, show
from quorate.consistency.models import NEVER
from quorate.consistency.registers import READS, WRITES, written
from quorate.consistency.verdict import Unorderable

BEGIN = -1  # Before every event: when the initial value was there.


@dataclass(slots=True)
class Cluster:
    """One value of a register: its write (None for the initial value) and its reads. `first` is the earliest return,
    `last` the latest invocation; `early` and `late` are the operations with these."""

    value: Value
    write: Operation | None
    reads: list[Operation] = field(default_factory=list)
    first: int = NEVER
    last: int = BEGIN
    early: Operation | None = None
    late: Operation | None = None

    def take(self, o: Operation) -> None:
        if o.returned is not None and o.returned < self.first:
            self.first, self.early = o.returned, o
        if o.invoked > self.last:
            self.last, self.late = o.invoked, o

    def before(self, other: Cluster) -> bool:
        return self.first < other.last


@dataclass(frozen=True)
class Clash:
    """Why there is no order: a read of what nobody had begun to write, or two clusters each before the other."""

    read: Operation | None
    clusters: tuple[Cluster, ...] = ()


def applies(operations: Sequence[Operation], initial: Value) -> bool:
    """Whether every read of one register names its writer: each value that was read was written once, the initial value
    never."""
    times: dict[Value, int] = {initial: 1}
    for o in operations:
        if o.function in WRITES:
            value = written(o, initial)
            times[value] = times.get(value, 0) + 1
    return all(times.get(o.result, 0) < 2 for o in operations if o.function in READS and not o.pending)


def clusters(operations: Sequence[Operation], initial: Value, until: int = NEVER) -> list[Cluster] | Clash:
    """The clusters of what was known when the answer at position `until` was observed; or a read without a write."""
    found: dict[Value, Cluster] = {}
    alone: list[Cluster] = []
    for o in operations:
        if o.function in WRITES and o.invoked < until:
            value = written(o, initial)
            if value in found:  # Written twice: nobody reads it.
                alone.append(Cluster(value, o))
            else:
                found[value] = Cluster(value, o)
    if initial not in found:
        found[initial] = Cluster(initial, None, first=BEGIN)
    for o in operations:
        if o.function in READS and o.returned is not None and o.returned <= until:
            cluster = found.get(o.result)
            if cluster is None or (cluster.write is not None and o.returned < cluster.write.invoked):
                return Clash(o)
            cluster.reads.append(o)
            cluster.take(o)
    kept = []
    for cluster in (*found.values(), *alone):
        w = cluster.write
        if w is not None and w.returned is not None and w.returned <= until:
            cluster.take(w)
        elif w is not None and not cluster.reads:
            continue
        elif w is not None and w.invoked > cluster.last:  # In doubt and read: it took effect after it was invoked.
            cluster.last, cluster.late = w.invoked, w
        kept.append(cluster)
    return kept


def clash(found: Sequence[Cluster]) -> Clash | None:
    """Two clusters that are each before the other."""
    held = sorted((c for c in found if c.first < c.last), key=lambda c: c.first)
    for one, other in pairwise(held):
        if other.first < one.last:
            return Clash(None, (one, other))
    starts = [c.first for c in held]
    for c in found:
        if c.first >= c.last:
            number = bisect_right(starts, c.last) - 1
            if number >= 0 and c.first < held[number].last:
                return Clash(None, (held[number], c))
    return None


def linearization(found: Sequence[Cluster]) -> tuple[Operation, ...]:
    """An order of clusters that do not clash."""
    held = sorted((c for c in found if c.first < c.last), key=lambda c: c.first)
    starts = [c.first for c in held]

    def moment(c: Cluster) -> tuple[int, bool]:
        if c.first < c.last:
            return c.first, False
        number = bisect_right(starts, c.last) - 1
        inside = number >= 0 and c.last < held[number].last
        return (held[number].last, True) if inside else (c.last, True)

    order: list[Operation] = []
    for c in sorted(found, key=moment):
        if c.write is not None:
            order.append(c.write)
        order.extend(sorted(c.reads, key=lambda o: o.invoked))
    return tuple(order)


def linearize(operations: Sequence[Operation], initial: Value) -> tuple[Operation, ...] | Clash:
    """An order of one register's operations, or why there is none."""
    found = clusters(operations, initial)
    if isinstance(found, Clash):
        return found
    return clash(found) or linearization(found)


def explain(operations: Sequence[Operation], initial: Value, key: Value) -> Unorderable:
    """The evidence for a register that has no order: the shortest beginning that has none, found by bisection, and the at
    most four operations of its clash."""
    ends = sorted(o.returned for o in operations if o.returned is not None)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if _clash_until(operations, initial, ends[middle]) is None:
            low = middle + 1
        else:
            high = middle
    end = ends[low]
    found = _clash_until(operations, initial, end)
    assert found is not None
    before = linearize(_until(operations, end - 1), initial)
    prefix = _until(operations, end)
    core, sentence = _reason(found, end, initial)
    return Unorderable(
        prefix=prefix,
        key=key,
        after=prefix,
        core=core,
        states=(initial,),
        minimal=True,
        partial=() if isinstance(before, Clash) else before,
        stuck=tuple(o for o in prefix if o.returned == end),
        explanation=sentence,
    )


def _clash_until(operations: Sequence[Operation], initial: Value, end: int) -> Clash | None:
    found = clusters(operations, initial, end)
    return found if isinstance(found, Clash) else clash(found)


def _until(operations: Sequence[Operation], last: int) -> tuple[Operation, ...]:
    kept = []
    for o in operations:
        if o.invoked < last:
            known = o.returned is not None and o.returned <= last
            kept.append(o if known else _in_doubt(o))
    return tuple(kept)


def _in_doubt(o: Operation) -> Operation:
    return Operation(o.index, o.process, o.function, o.argument, None, o.invoked, None, o.key, o.line)


def _reason(found: Clash, end: int, initial: Value) -> tuple[tuple[Operation, ...], str]:
    """The operations of a clash, and the reason in words."""
    if found.read is not None:
        r = found.read
        text = f"{r} of process {r.process} reads {show(r.result)}, which nobody had begun to write when it returned."
        return (r,), text
    one, other = found.clusters
    if any(o.returned == end for o in (other.early, other.late) if o is not None):
        one, other = other, one  # The operation that ends the prefix belongs to `one`.
    told = [o for o in (one.early, one.late, other.early, other.late) if o is not None]
    core = {o.index: o for o in told if o.returned is not None and o.returned <= end}
    for o in sorted(core.values(), key=lambda o: o.function in WRITES):
        rest = [e for e in core.values() if e is not o]
        if _still_clash(rest, one, other, initial):
            del core[o.index]
    ordered = tuple(sorted(core.values(), key=lambda o: o.index))
    return ordered, _words(one, other)


def _still_clash(kept: Sequence[Operation], one: Cluster, other: Cluster, initial: Value) -> bool:
    writes = [c.write for c in (one, other) if c.write is not None]
    doubtful = [_in_doubt(w) for w in writes if all(w.index != o.index for o in kept)]
    return isinstance(linearize([*doubtful, *kept], initial), Clash)


def _words(stale: Cluster, newer: Cluster) -> str:
    """Why `stale` cannot have held the register both before and after `newer`."""
    late, early, after = stale.late, newer.early, newer.late
    assert late is not None and early is not None
    if newer.write is not None:  # Of the operations that will do, the writes are the simplest to follow.
        w = newer.write
        early = w if w.precedes(late) else early
        after = w if stale.first < w.invoked else after
    what = f"{late} of process {late.process}"
    finished = f"{early} of process {early.process} was finished before this {late.function} began"
    if late.function in WRITES:
        what = f"{what} wrote {show(stale.value)} only when it"
        return f"{what} had been read and {show(newer.value)} was there already: {finished}."
    if stale.write is None:
        return f"{what} reads the initial value after {show(newer.value)} had overwritten it, and {finished}."
    assert stale.early is not None and after is not None
    reason = f"{what} reads {show(stale.value)} after {show(newer.value)} had overwritten it, and {finished}"
    return (
        f"{reason} ({stale.early} of process {stale.early.process} had returned before {after} of process "
        f"{after.process} began)."
    )
