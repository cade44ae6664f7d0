"""Checks of a schedule by running it: what the levels mean, without graphs.

The snapshot levels and the serializable ones are checked by executing the transactions on a store, the others by their
axiom."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import deque

from quorate.consistency.history import Value
from quorate.consistency.transactions.reading import INITIAL, READS, Transaction, Versions
from quorate.consistency.transactions.rules import Rule, Sees
from quorate.consistency.verdict import Schedule

Store = dict[Value, Value]


def snapshots(schedule: Schedule, seen: Versions, exclusive: bool, phantoms: bool) -> bool:
    """Whether every read is right when each transaction reads the store as it was at its start, with its own writes,
    and writes at its commit; `exclusive`: and no two transactions that write one key overlap; `phantoms`: where what a read
    by predicate did not find may be there."""
    if schedule.points is None:
        return _serial(schedule, seen, phantoms)
    points = schedule.points
    if sorted(points) != sorted((index, kind) for index in seen.transactions for kind in ("start", "commit")):
        return False
    store: Store = {}
    versions: dict[Value, int] = {}
    snapshot: dict[int, tuple[Store, dict[Value, int]]] = {}
    for index, kind in points:
        transaction = seen.transactions[index]
        if kind == "start":
            keys = {key for _, key, _ in transaction.steps}
            snapshot[index] = ({k: store[k] for k in keys if k in store}, {k: versions.get(k, 0) for k in keys})
            continue
        view, then = snapshot.pop(index) if index in snapshot else ({}, {})
        written = {key for function, key, _ in transaction.steps if function not in READS}
        if not _reads_right(transaction, view, seen, phantoms):
            return False
        if exclusive and any(versions.get(key, 0) != then[key] for key in written):
            return False
        _write(transaction, store)
        for key in written:
            versions[key] = versions.get(key, 0) + 1
    return True


def _serial(schedule: Schedule, seen: Versions, phantoms: bool) -> bool:
    """The same where each transaction starts when the one before it has committed."""
    if len(schedule.commits) != len(seen.transactions) or set(schedule.commits) != set(seen.transactions):
        return False
    store: Store = {}
    return all(_reads_right(seen.transactions[index], store, seen, phantoms) for index in schedule.commits)


def _reads_right(transaction: Transaction, view: Store, seen: Versions, phantoms: bool) -> bool:
    """Whether all reads are right; what is written is in the view then."""
    own = set()
    for function, key, value in transaction.steps:
        if function in READS:
            told = () if value is None and seen.lists else value
            if told != view.get(key, seen.initial) and not (phantoms and function == "absent" and key not in own):
                return False
        else:
            own.add(key)
            _write_step(function, key, value, view)
    return True


def _write(transaction: Transaction, store: Store) -> None:
    for function, key, value in transaction.steps:
        if function not in READS:
            _write_step(function, key, value, store)


def _write_step(function: str, key: Value, value: Value, store: Store) -> None:
    before = store.get(key)
    store[key] = (*(before if isinstance(before, tuple) else ()), value) if function == "append" else value


def commit_order(schedule: Schedule, seen: Versions, rule: Rule) -> bool:
    """Whether the commit order keeps the known orders of versions and wr, and no reader misses what it sees: with t1 the
    writer that t3 reads a key from, every other writer of the key among those that t3 sees commits before t1."""
    place = {index: number for number, index in enumerate(schedule.commits)} | {INITIAL: -1}
    if len(schedule.commits) != len(seen.transactions) or set(schedule.commits) != set(seen.transactions):
        return False
    if any(place[a] >= place[b] for chain in seen.chains.values() for a, b in itertools.pairwise(chain)):
        return False
    if rule.dirty:
        return True
    if any(place[writer] >= place[reader] for reader, _, writer in seen.reads):
        return False
    sight = _Sight(seen, place, rule)
    for reader, key, writer in seen.reads:
        own = sight.places.get(key, [])
        between = own[bisect_right(own, place[writer]) : bisect_left(own, place[reader])]
        if between and sight.of_any(reader, key, writer, [schedule.commits[n] for n in between]):
            return False
    return True


class _Sight:
    """Whom a transaction sees, in a commit order. `places` are those of each key's writers."""

    def __init__(self, seen: Versions, place: dict[int, int], rule: Rule) -> None:
        self._seen, self._place, self._sees = seen, place, rule.sees
        self._written = {
            index: {key for function, key, _ in t.steps if function not in READS}
            for index, t in seen.transactions.items()
        }
        self.places: dict[Value, list[int]] = {}
        for index in sorted(seen.transactions, key=place.__getitem__):
            for key in self._written[index]:
                self.places.setdefault(key, []).append(place[index])
        self._index = {number: index for index, number in place.items()}
        self._sources: dict[int, set[int]] = {}
        for reader, _, writer in seen.reads:
            if writer != INITIAL:
                self._sources.setdefault(reader, set()).add(writer)
        self._previous: dict[int, int] = {}
        last: dict[Value, int] = {}
        for t in seen.transactions.values():
            if t.operation.process in last:
                self._previous[t.index] = last[t.operation.process]
            last[t.operation.process] = t.index

    def of_any(self, reader: int, key: Value, source: int, writers: list[int]) -> bool:
        """Whether a transaction that reads a key from a source sees one of these later writers, which committed before it."""
        if self._sees is Sees.NOBODY:
            return False
        if self._sees is Sees.OF_ITS_CURSORS:
            return key in self._written[reader] and not self._seen.is_phantom(reader, key, source)
        if self._sees is Sees.ITS_SOURCES:
            return not self._sources.get(reader, set()).isdisjoint(writers)
        if self._sees is Sees.ITS_CONFLICTS:
            return any(
                w in self._sources.get(reader, ()) or not self._written[w].isdisjoint(self._written[reader])
                for w in writers
            )
        return not self._past(reader, self._place[writers[0]]).isdisjoint(writers)

    def _past(self, reader: int, since: int) -> set[int]:
        """All that lead to a transaction and committed at a place or later."""
        found: set[int] = set()
        queue = deque([reader])
        while queue:
            for before in self._leading(queue.popleft()):
                if before not in found and self._place[before] >= since:
                    found.add(before)
                    queue.append(before)
        return found

    def _leading(self, index: int) -> set[int]:
        direct = set(self._sources.get(index, ()))
        if self._sees is Sees.ITS_CAUSES:
            return direct | {self._previous[index]} if index in self._previous else direct
        for key in self._written[index]:
            number = bisect_left(self.places[key], self._place[index])
            if number:
                direct.add(self._index[self.places[key][number - 1]])
        return direct


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
