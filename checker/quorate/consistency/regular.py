"""Regular and safe registers, in time proportional to the history.

**Regular** (Lamport 1986; for several writers Shao, Pierce & Welch 2011, "MWR weak"): for each read, the writes and
this one read have a linearization. So a read may return the value of a write that was invoked before it returned, unless
another write began after that one was finished and was finished before the read began; and the initial value if no write
was finished before it began. **Safe** asks this only of reads that overlap no write.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from quorate.consistency import registers
from quorate.consistency.history import History, HistoryError, Operation, Value, show
from quorate.consistency.models import NEVER, Model
from quorate.consistency.verdict import Sources, Unorderable


class _Writes:
    """The writes of one register, so that a read can be judged."""

    def __init__(self, operations: Sequence[Operation], initial: Value) -> None:
        self.all = [o for o in operations if o.function in registers.WRITES]
        done = sorted((o.returned, o) for o in self.all if o.returned is not None)
        self._returns = [returned for returned, _ in done]
        self._newest = list(accumulate((o for _, o in done), _begun_last))
        self._invoked = [o.invoked for o in self.all]
        self._latest_return = list(accumulate((NEVER if o.returned is None else o.returned for o in self.all), max))
        self.of: dict[Value, list[Operation]] = {}
        for o in self.all:
            self.of.setdefault(registers.written(o, initial), []).append(o)

    def newest_before(self, read: Operation) -> Operation | None:
        """Of the writes that were finished before the read began, the one that began last."""
        number = bisect_left(self._returns, read.invoked)
        return self._newest[number - 1] if number else None

    def overlap(self, read: Operation) -> bool:
        number = bisect_left(self._invoked, NEVER if read.returned is None else read.returned)
        return number > 0 and self._latest_return[number - 1] > read.invoked


def _begun_last(one: Operation, other: Operation) -> Operation:
    return one if one.invoked > other.invoked else other


def decide(history: History, model: Model, only_alone: bool) -> Sources | Unorderable:
    """Regular; or safe, if `only_alone` leaves out the reads that overlap a write. Raises `HistoryError` for objects that
    are no registers."""
    if not registers.applies(history, model):
        raise HistoryError(
            "Regular and safe are defined for registers (the model register, and map without snapshots and appends), not for "
            f"these operations of {model.name!r}."
        )
    initial = registers.initial_of(model)
    sources: dict[int, int | None] = {}
    for key, own in history.by_key().items():
        writes = _Writes(own, initial)
        for read in own:
            if read.function not in registers.READS or read.pending or (only_alone and writes.overlap(read)):
                continue
            newest = writes.newest_before(read)
            allowed = [
                w
                for w in writes.of.get(read.result, ())
                if not read.precedes(w) and (newest is None or not w.precedes(newest))
            ]
            if allowed:
                sources[read.index] = allowed[0].index
            elif read.result == initial and newest is None:
                sources[read.index] = None
            else:
                return _evidence(read, key, writes, newest, initial)
    return Sources(sources)


def _evidence(read: Operation, key: Value, writes: _Writes, newest: Operation | None, initial: Value) -> Unorderable:
    came_from = [w for w in writes.of.get(read.result, ()) if not read.precedes(w)]
    said = f"{read} of process {read.process}"
    if newest is None or (not came_from and read.result != initial):
        core: tuple[Operation, ...] = (read,)
        text = f"{said} reads {show(read.result)}, which nobody had begun to write when it returned."
    else:
        core = tuple(sorted({o.index: o for o in (*came_from[-1:], newest, read)}.values(), key=lambda o: o.index))
        text = (
            f"{said} reads {show(read.result)} after {show(registers.written(newest, initial))} had overwritten it, and "
            f"{newest} of process {newest.process} was finished before this read began."
        )
    return Unorderable(
        prefix=(*writes.all, read),
        key=key,
        after=(*writes.all, read),
        core=core,
        states=(initial,),
        minimal=True,
        partial=(),
        stuck=(read,),
        explanation=text,
    )


def holds(witness: Sources, history: History, model: Model, only_alone: bool) -> bool:
    """Whether each read that is asked about has its source among the writes that it may return, by the definition."""
    initial = registers.initial_of(model)
    for own in history.by_key().values():
        writes = {o.index: o for o in own if o.function in registers.WRITES}
        done = sorted((w for w in writes.values() if w.returned is not None), key=lambda w: w.returned or 0)
        finished, began = 0, -1  # How many of `done` were finished before the read, and when the last of them began.
        for read in own:
            while finished < len(done) and (done[finished].returned or 0) < read.invoked:
                began = max(began, done[finished].invoked)
                finished += 1
            if read.function not in registers.READS or read.pending:
                continue
            if read.index not in witness.reads:
                if only_alone and any(not read.precedes(w) and not w.precedes(read) for w in writes.values()):
                    continue
                return False
            source = witness.reads[read.index]
            if source is None:
                if read.result != initial or finished:
                    return False
                continue
            w = writes[source]
            right = registers.written(w, initial) == read.result and not read.precedes(w)
            if not right or (w.returned is not None and w.returned < began):
                return False
    return True
