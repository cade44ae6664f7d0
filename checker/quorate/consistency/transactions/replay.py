"""Checks of a schedule by running it: what the levels mean, without graphs.

The snapshot levels and the serializable ones are checked by executing the transactions on a store, the others by their
axiom."""

from __future__ import annotations

import itertools

from quorate.consistency.history import Value
from quorate.consistency.transactions.reading import INITIAL, Transaction, Versions
from quorate.consistency.verdict import Schedule

Store = dict[Value, Value]


def snapshots(schedule: Schedule, seen: Versions, exclusive: bool) -> bool:
    """Whether every read is right when each transaction reads the store as it was at its start, with its own writes,
    and writes at its commit; `exclusive`: and no two transactions that write one key overlap."""
    points = schedule.points or tuple(p for index in schedule.commits for p in ((index, "start"), (index, "commit")))
    if sorted(points) != sorted((index, kind) for index in seen.transactions for kind in ("start", "commit")):
        return False
    store: Store = {}
    versions: dict[Value, int] = {}
    snapshot: dict[int, tuple[Store, dict[Value, int]]] = {}
    for index, kind in points:
        transaction = seen.transactions[index]
        if kind == "start":
            keys = {step.key for step in transaction.steps}
            snapshot[index] = ({k: store[k] for k in keys if k in store}, {k: versions.get(k, 0) for k in keys})
            continue
        view, then = snapshot.pop(index) if index in snapshot else ({}, {})
        written = {step.key for step in transaction.steps if step.function != "r"}
        if not _reads_right(transaction, view, seen):
            return False
        if exclusive and any(versions.get(key, 0) != then[key] for key in written):
            return False
        _write(transaction, store)
        for key in written:
            versions[key] = versions.get(key, 0) + 1
    return True


def _reads_right(transaction: Transaction, view: Store, seen: Versions) -> bool:
    for step in transaction.steps:
        if step.function == "r":
            told = () if seen.lists and step.value is None else step.value
            if told != view.get(step.key, seen.initial):
                return False
        else:
            _write_step(step.function, step.key, step.value, view)
    return True


def _write(transaction: Transaction, store: Store) -> None:
    for step in transaction.steps:
        if step.function != "r":
            _write_step(step.function, step.key, step.value, store)


def _write_step(function: str, key: Value, value: Value, store: Store) -> None:
    before = store.get(key)
    store[key] = (*(before if isinstance(before, tuple) else ()), value) if function == "append" else value


def commit_order(schedule: Schedule, seen: Versions, sees: str) -> bool:
    """Whether the commit order keeps wr and the known orders of versions, and no reader misses what it sees: with t1
    the writer that t3 reads a key from, every other writer of the key among those that t3 `sees` ("wr", "causal" or
    none) commits before t1."""
    place = {index: number for number, index in enumerate(schedule.commits)} | {INITIAL: -1}
    if len(schedule.commits) != len(seen.transactions) or set(schedule.commits) != set(seen.transactions):
        return False
    if any(place[writer] >= place[reader] for reader, _, writer in seen.reads):
        return False
    if any(place[a] >= place[b] for chain in seen.chains.values() for a, b in itertools.pairwise(chain)):
        return False
    past = _past(schedule, seen, sees)
    for reader, key, writer in seen.reads:
        for other in (*seen.chains.get(key, ()), *seen.loose.get(key, ())):
            if other not in (writer, reader) and past[reader] >> other & 1 and place[other] > place[writer]:
                return False
    return True


def _past(schedule: Schedule, seen: Versions, sees: str) -> dict[int, int]:
    direct: dict[int, set[int]] = {index: set() for index in seen.transactions}
    for reader, _, writer in seen.reads:
        if sees and writer != INITIAL:
            direct[reader].add(writer)
    last: dict[Value, int] = {}
    for t in seen.transactions.values():
        if sees == "causal" and t.operation.process in last:
            direct[t.index].add(last[t.operation.process])
        last[t.operation.process] = t.index
    past: dict[int, int] = {}
    for index in schedule.commits:
        past[index] = 0
        for source in direct[index]:
            past[index] |= 1 << source | (past[source] if sees == "causal" else 0)
    return past


def keeps_sessions(schedule: Schedule, seen: Versions) -> bool:
    """Whether each transaction comes (starts, at the snapshot levels) after the one before it in its session (has
    committed)."""
    starts, commits = _places(schedule)
    last: dict[Value, int] = {}
    for t in seen.transactions.values():
        process = t.operation.process
        if process in last and commits[last[process]] > starts[t.index]:
            return False
        last[process] = t.index
    return True


def keeps_real_time(schedule: Schedule, seen: Versions) -> bool:
    """Whether no transaction comes after (commits after the start of, at the snapshot levels) one that was invoked only when
    it had returned."""
    points = schedule.points or tuple(p for index in schedule.commits for p in ((index, "start"), (index, "commit")))
    latest = -1
    for index, kind in points:
        operation = seen.transactions[index].operation
        if kind == "start":
            latest = max(latest, operation.invoked)
        elif operation.returned is not None and operation.returned < latest:
            return False
    return True


def _places(schedule: Schedule) -> tuple[dict[int, int], dict[int, int]]:
    if schedule.points is None:
        places = {index: number for number, index in enumerate(schedule.commits)}
        return places, places
    starts = {index: number for number, (index, kind) in enumerate(schedule.points) if kind == "start"}
    return starts, {index: number for number, (index, kind) in enumerate(schedule.points) if kind == "commit"}
