"""Checks of compact witnesses for the causal levels of registers, by the definitions and by nothing else.

What `visibility.py` defines by sets and orders for each answer would take a quadratic number of lines for a long history.
A compact witness gives the source of each read, and where the level asks for one, the arbitration or each session's order;
these checks follow the definitions from there. Sets of writes are bit masks over the position in an order, so that the last
write of a set is its highest bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from quorate.consistency.history import History, Operation, Value
from quorate.consistency.models import Model
from quorate.consistency.registers import READS, WRITES, initial_of, mask_of, written
from quorate.consistency.verdict import Sources
from quorate.consistency.visibility import Guarantees

Rank = Mapping[int, int]  # The place of each write in an order, by its index.


def performs(witness: Sources, history: History, model: Model, asked: Guarantees) -> bool:
    """Whether the reads can have had these sources under the guarantees."""
    order = _causal_order(witness, history)
    if order is None or not _sources_right(witness, history, model):
        return False
    if not asked.causal:
        return _alone(witness, history, asked)
    if asked.session_answers:
        return witness.sessions is not None and _performed(witness.sessions, witness, history, order, initial_of(model))
    writes = [o for o in order if o.function in WRITES]
    if not asked.arbitration:
        return _explained(witness, history, order, {o.index: number for number, o in enumerate(writes)})
    arbitration = witness.arbitration or ()
    rank = {o.index: number for number, o in enumerate(arbitration)}
    return len(rank) == len(writes) and _converges(witness, history, order, rank)


def _causal_order(witness: Sources, history: History) -> list[Operation] | None:
    """All operations, each after those before it in its session and after its source; None if there is a cycle."""
    causes = _causes(witness, history.operations)
    of = {o.index: o for o in history}
    try:
        return [of[number] for number in TopologicalSorter(causes).static_order()]
    except CycleError:
        return None


def _sources_right(witness: Sources, history: History, model: Model) -> bool:
    of = {o.index: o for o in history}
    initial = initial_of(model)
    for o in history:
        if o.function not in READS or o.pending:
            continue
        if o.index not in witness.reads:
            return False
        number = witness.reads[o.index]
        if number is None:
            if o.result != initial:
                return False
        elif of[number].function not in WRITES or of[number].key != o.key or written(of[number], initial) != o.result:
            return False
    return True


def _alone(witness: Sources, history: History, asked: Guarantees) -> bool:
    """One session guarantee: no read of the initial value where a write to its key must be seen. (A register shows one
    write, which can be the last that was performed; that what is seen has no cycle was checked.)"""
    for own in history.processes().values():
        known: set[Value] = set()
        for o in own:
            source = witness.reads.get(o.index, -1)
            if source is None and o.key in known:
                return False
            if (asked.read_your_writes and o.function in WRITES) or (
                asked.monotonic_reads and o.function in READS and source not in (None, -1)
            ):
                known.add(o.key)
    return True


def _causes(witness: Sources, order: Sequence[Operation]) -> dict[int, list[int]]:
    """What is right before each operation: the one before it in its session, and its source."""
    last: dict[Value, int] = {}
    causes: dict[int, list[int]] = {}
    for o in sorted(order, key=lambda o: o.index):
        found = (last.get(o.process), witness.reads.get(o.index))
        causes[o.index] = [number for number in found if number is not None]
        last[o.process] = o.index
    return causes


def _pasts(witness: Sources, order: Sequence[Operation], rank: Rank) -> dict[int, int]:
    """For each operation, the writes in its causal past, by rank."""
    causes = _causes(witness, order)
    past: dict[int, int] = {}
    for o in order:
        mask = 0
        for number in causes[o.index]:
            mask |= past[number] | (1 << rank[number] if number in rank else 0)
        past[o.index] = mask
    return past


def _by_key(history: History, rank: Rank) -> dict[Value, int]:
    keys: dict[Value, list[int]] = {}
    for o in history:
        if o.index in rank:
            keys.setdefault(o.key, []).append(rank[o.index])
    return {key: mask_of(ranks) for key, ranks in keys.items()}


def _converges(witness: Sources, history: History, order: Sequence[Operation], rank: Rank) -> bool:
    """The arbitration keeps causality, and each read returns the last write to its key in its past."""
    keys, past = _by_key(history, rank), _pasts(witness, order, rank)
    for o in order:
        if o.index in rank and past[o.index].bit_length() > rank[o.index]:
            return False
        if o.index in witness.reads:
            source = witness.reads[o.index]
            last = (past[o.index] & keys.get(o.key, 0)).bit_length() - 1
            if last != (-1 if source is None else rank[source]):
                return False
    return True


def _explained(witness: Sources, history: History, order: Sequence[Operation], rank: Rank) -> bool:
    """In the past of each read, no write to its key is causally after its source: then one can perform first what need not
    follow the source, then the source, then the rest."""
    keys, past, causes = _by_key(history, rank), _pasts(witness, order, rank), _causes(witness, order)
    later = {o.index: 0 for o in order}
    for o in reversed(order):
        mask = later[o.index] | (1 << rank[o.index] if o.index in rank else 0)
        for number in causes[o.index]:
            later[number] |= mask
    for o in order:
        if o.index in witness.reads:
            source = witness.reads[o.index]
            seen = past[o.index] & keys.get(o.key, 0)
            if seen if source is None else seen & later[source]:
                return False
    return True


def _performed(
    sessions: Sequence[Sequence[Operation]],
    witness: Sources,
    history: History,
    order: Sequence[Operation],
    initial: Value,
) -> bool:
    """Each session's order has its operations and all writes in their pasts, keeps causality, and gives its answers."""
    rank = {o.index: number for number, o in enumerate(o for o in order if o.function in WRITES)}
    past = _pasts(witness, order, rank)
    wanted = {p: [o for o in own if not o.pending or o.function in WRITES] for p, own in history.processes().items()}
    for performed in sessions:
        process = performed[-1].process
        if [o for o in performed if o.process == process] != wanted.pop(process, None):
            return False
        placed = 0
        state: dict[Value, Value] = {}
        for o in performed:
            if past[o.index] & ~placed:
                return False
            if o.function in WRITES:
                placed |= 1 << rank[o.index]
                state[o.key] = written(o, initial)
            elif o.process != process or state.get(o.key, initial) != o.result:
                return False
    return not any(wanted.values())
