"""Reads of a register that no order can explain, by themselves.

A write can be read by a read that it does not follow in real time, unless another write was begun when it had returned, and
had returned when the read began. A read that no write of its value can be read by, nor the initial value, is impossible,
however often values were written. Found by looking at each read once: for a search over many operations at a time it may
be too much to find out that nothing goes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from quorate.consistency.history import Operation, Value, show
from quorate.consistency.models import NEVER
from quorate.consistency.registers import READS, written
from quorate.consistency.verdict import Cycle


def impossible_read(operations: Sequence[Operation], initial: Value) -> Cycle | None:
    """The first read, by its answer, that no order of the operations of one register explains; None if there is none, which
    does not mean that there is an order."""
    writes = [o for o in operations if o.function not in READS]
    of_value: dict[Value, tuple[list[int], list[Operation]]] = {}
    for w in writes:  # By invocation; with each the one of those so far that was answered last.
        begun, lasting = of_value.setdefault(written(w, initial), ([], []))
        begun.append(w.invoked)
        lasting.append(max(w, lasting[-1], key=_end) if lasting else w)
    done = sorted((w for w in writes if not w.pending), key=_end)
    ends = [_end(w) for w in done]
    newest: list[Operation] = []  # Of the writes answered so far, the one begun last.
    for w in done:
        newest.append(max(w, newest[-1], key=lambda o: o.invoked) if newest else w)
    for r in sorted((o for o in operations if o.function in READS and not o.pending), key=_end):
        before = bisect_left(ends, r.invoked)
        begun, lasting = of_value.get(r.result, ([], []))
        candidates = bisect_left(begun, _end(r))
        if candidates and (not before or _end(lasting[candidates - 1]) > newest[before - 1].invoked):
            continue
        if r.result == initial and not before:
            continue
        return _told(
            r, lasting[candidates - 1] if candidates else None, newest[before - 1] if before else None, initial
        )
    return None


def _end(o: Operation) -> int:
    return NEVER if o.returned is None else o.returned


def _told(read: Operation, write: Operation | None, newer: Operation | None, initial: Value) -> Cycle:
    what = f"{read} of process {read.process}"
    if newer is None or (write is None and read.result != initial):
        text = f"{what} reads {show(read.result)}, which nobody had begun to write when it returned."
    else:
        older = "the initial value" if write is None else show(read.result)
        text = (
            f"{what} reads {older} after {newer} of process {newer.process} had overwritten it, and that was finished before "
            f"this {read.function} began."
        )
    told = [o for o in (write, newer, read) if o is not None]
    return Cycle("impossible read", text, {o.index: f"process {o.process}: {o}" for o in told}, (), tuple(told))
