"""The graph of a history under a rule: which transaction, or which of its points, must come before which."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import combinations

from quorate.consistency.history import Value, show
from quorate.consistency.transactions.graph import INSIDE, ByPredicate, Graph, Label, Reason, as_cycle
from quorate.consistency.transactions.reading import INITIAL, Versions
from quorate.consistency.transactions.rules import Rule, Sees
from quorate.consistency.transactions.solver import Pair, Way
from quorate.consistency.verdict import Cycle, Edge, Schedule

AT_ONCE = -1  # The priority of a commit: as soon after its start as can be, so that few transactions overlap.


class Points:
    """The graph of a history under a rule. Of the levels that are about what is seen, `add_seen` adds what the known order
    of versions says of it, and `way` what an order of two writers adds to that."""

    def __init__(self, seen: Versions, rule: Rule) -> None:
        self._seen, self._rule = seen, rule
        self.graph = Graph()
        self._start: dict[int, int] = {}
        self._commit: dict[int, int] = {}
        self.priority = array("q")
        """Which point comes first where the graph leaves it open: the one that was invoked first."""
        self._labels: dict[Label, Label] = {}
        self._readers: dict[Value, dict[int, list[int]]] = {}
        self._reads_of: dict[int, list[tuple[Value, int]]] = {}
        self._wrote = _wrote(seen) if rule.sees in (Sees.OF_ITS_CURSORS, Sees.ITS_SOURCES, Sees.ITS_CONFLICTS) else {}
        for t in seen.transactions.values():
            self._start[t.index] = self._commit[t.index] = self._point(t.index, t.operation.invoked)
            if rule.snapshot:
                self._commit[t.index] = self._point(t.index, AT_ONCE)
                self.graph.add(self._start[t.index], self._commit[t.index], INSIDE)
        if not rule.dirty:
            self._add_reads()
        self._add_chains()
        if rule.session:
            self._add_sessions()
        if rule.real_time:
            self._add_real_time()

    def _point(self, owner: int | None, priority: int) -> int:
        self.priority.append(priority)
        return self.graph.point(owner)

    def start_in_order(self, serial: Points) -> None:
        """Let transactions start in about the order in which they would be serialized, so that writers of a key rarely
        overlap."""
        for number, p in enumerate(serial.graph.rough_order(serial.priority)):
            index = serial.graph.owner[p]
            if index is not None:
                self.priority[self._start[index]] = number

    def label(self, index: int) -> str:
        return f"T{index}: {self._seen.transactions[index]}"

    def _ww(self, key: Value, first: int, second: int) -> tuple[int, int, Label]:
        source, target = self._commit[first], self._commit[second]
        if self._rule.exclusive:
            target = self._start[second]
        return source, target, self._about("ww", key)

    def _rw(self, key: Value, reader: int, writer: int) -> tuple[int, int, Label]:
        if (reader, key) in self._seen.phantoms:
            why = ByPredicate(f"T{reader} finds no {show(key)} by predicate, and T{writer} writes it")
            return self._start[reader], self._commit[writer], ("rw", why)
        return self._start[reader], self._commit[writer], self._about("rw", key)

    def _about(self, kind: str, what: Value) -> Label:
        """One label for all edges of a kind that are about one thing."""
        return self._labels.setdefault((kind, what), (kind, what))

    def _add_reads(self) -> None:
        for reader, key, writer in self._seen.reads:
            if self._is_before_the_next(reader, key, writer):
                self._readers.setdefault(key, {}).setdefault(writer, []).append(reader)
            if self._rule.sees is Sees.ITS_CONFLICTS:
                self._reads_of.setdefault(reader, []).append((key, writer))
            if writer != INITIAL:
                self.graph.add(self._commit[writer], self._start[reader], self._about("wr", key))

    def _is_before_the_next(self, reader: int, key: Value, writer: int) -> bool:
        """Whether the rule asks that the reader of a version come before the next writer of the key."""
        if self._rule.sees is Sees.OF_ITS_CURSORS:
            return key in self._wrote.get(reader, ()) and not self._seen.is_phantom(reader, key, writer)
        if self._rule.sees is not Sees.AT_A_POINT:
            return False
        return not (self._rule.phantoms and self._seen.is_phantom(reader, key, writer))

    def _add_chains(self) -> None:
        """The known order of versions: each writer before the next, and its readers too; the loose writers after the
        chain."""
        for key in {**self._seen.chains, **self._seen.loose}:
            chain = [INITIAL, *self._seen.chains.get(key, ())]
            loose = self._seen.loose.get(key, [])
            readers = self._readers.get(key, {})
            for number, writer in enumerate(chain):
                followers = chain[number + 1 : number + 2] or loose
                for follower in followers:
                    if writer != INITIAL:
                        self.graph.add(*self._ww(key, writer, follower))
                    for reader in readers.get(writer, ()):
                        if reader != follower:
                            self.graph.add(*self._rw(key, reader, follower))

    def pairs(self) -> Iterator[Pair]:
        """The pairs of writers of a key whose order is not known and matters."""
        for key, loose in self._seen.loose.items():
            for a, b in combinations(loose, 2):
                if self._rule.exclusive or len(self.ends(key, a, b)) > 1 or len(self.ends(key, b, a)) > 1:
                    yield key, a, b

    def way(self, key: Value, first: int, second: int) -> Way:
        readers = [r for r in self._readers.get(key, {}).get(first, ()) if r != second]
        return (
            self._ww(key, first, second),
            *(self._rw(key, reader, second) for reader in readers),
            *self._seen_by_the_later(first, second),
        )

    def ends(self, key: Value, first: int, second: int) -> list[tuple[int, int]]:
        """The edges of `way` without their labels."""
        target = self._commit[second]
        ends = [(self._commit[first], self._start[second] if self._rule.exclusive else target)]
        ends += [(self._start[r], target) for r in self._readers.get(key, {}).get(first, ()) if r != second]
        ends += [(source, before) for source, before, _ in self._seen_by_the_later(first, second)]
        return ends

    def _seen_by_the_later(self, first: int, second: int) -> Iterator[tuple[int, int, Label]]:
        """Of two writers of a key the later sees the earlier (update atomic): what it reads of other keys is not older."""
        for key, writer in self._reads_of.get(second, ()):
            if first != writer and key in self._wrote[first]:
                if writer == INITIAL:
                    yield self._rw(key, second, first)
                else:
                    why = Reason(f"T{second} sees T{first}, and reads {show(key)} from T{writer}")
                    yield self._commit[first], self._commit[writer], ("ww", why)

    def _add_sessions(self) -> None:
        for earlier, later in self._sessions():
            label = self._about("so", self._seen.transactions[later].operation.process)
            self.graph.add(self._commit[earlier], self._start[later], label)

    def _sessions(self) -> Iterator[tuple[int, int]]:
        """Each transaction with the next one of its session."""
        last: dict[Value, int] = {}
        for t in self._seen.transactions.values():
            process = t.operation.process
            if process in last:
                yield last[process], t.index
            last[process] = t.index

    def _add_real_time(self) -> None:
        """A chain of points, each for the answers between two invocations."""
        answers: list[tuple[int, int]] = []
        for index, t in self._seen.transactions.items():
            if t.operation.returned is not None:
                answers.append((t.operation.returned, index))
        answers.sort(reverse=True)
        label = self._about("rt", None)
        now: int | None = None
        for index, t in self._seen.transactions.items():
            invoked = t.operation.invoked
            if answers and answers[-1][0] < invoked:
                before, now = now, self._point(None, answers[-1][0])
                if before is not None:
                    self.graph.add(before, now, label)
                while answers and answers[-1][0] < invoked:
                    self.graph.add(self._commit[answers.pop()[1]], now, label)
            if now is not None:
                self.graph.add(now, self._start[index], label)

    def add_seen(self) -> Cycle | None:
        """The writers of a key that a reader is known to see come before the one it reads from. None, or the cycle that shows
        a reader that sees a write and reads an older version."""
        order = self.graph.order(self.priority)
        if order is None:
            return None
        ranks = _Ranks(self._seen)
        for reader, key, writer, rival, kind in self._rivals(order, ranks):
            if ranks.known(key, rival, writer):
                continue
            why = f"T{reader} sees T{rival}, and reads {show(key)} from T{writer}"
            if ranks.known(key, writer, rival):
                missed = f"it reads {show(key)} without T{rival}'s write"
                edges = (Edge(rival, reader, *kind), Edge(reader, rival, "rw", missed))
                lost = self._rule.sees is Sees.ITS_CONFLICTS and key in self._wrote.get(reader, ())
                plain = "fractured read" if self._rule.sees is Sees.ITS_CONFLICTS else self.anomaly
                return as_cycle(edges, self.label, "lost update" if lost else plain)
            self.graph.add(self._commit[rival], self._commit[writer], ("ww", Reason(why)))
        return None

    @property
    def anomaly(self) -> str:
        """What it is called when a transaction sees a write and reads an older version."""
        return {
            Sees.OF_ITS_CURSORS: "G-cursor: lost update",
            Sees.ITS_CONFLICTS: "lost update or fractured read",
            Sees.ITS_CAUSES: "causality violation",
        }.get(self._rule.sees, "fractured read")

    def _rivals(self, order: list[int], ranks: _Ranks) -> Iterator[tuple[int, Value, int, int, tuple[str, str]]]:
        """Each (reader, key, writer it reads from, other writer of the key that it is known to see, the kind of edge and
        the reason)."""
        if self._rule.sees is Sees.ITS_CAUSES:
            yield from self._rivals_by_cause(order)
            return
        sources: dict[int, dict[int, Value]] = {}
        for reader, key, writer in self._seen.reads:
            if writer != INITIAL:
                sources.setdefault(reader, {})[writer] = key
        both = _writers_of_two(self._wrote) if self._rule.sees is Sees.ITS_CONFLICTS else {}
        for reader, key, writer in self._seen.reads:
            for rival in sorted(sources.get(reader, ())):
                if rival not in (writer, reader) and key in self._wrote.get(rival, ()):
                    about = sources[reader][rival]
                    yield reader, key, writer, rival, ("wr", f"T{reader} reads {show(about)} from T{rival}")
            for other in self._wrote.get(reader, ()) if self._rule.sees is Sees.ITS_CONFLICTS else ():
                among = ranks.next_after(key, writer) if other == key else both.get((key, other), ())
                for rival in among:
                    if rival not in (writer, reader) and ranks.known(other, rival, reader):
                        yield reader, key, writer, rival, ("ww", f"both write {show(other)}, in this order")

    def _rivals_by_cause(self, order: list[int]) -> Iterator[tuple[int, Value, int, int, tuple[str, str]]]:
        """Of each session that wrote the key, the last writer that leads to the reader: the others come before it."""
        clocks = Clocks(self._seen, [index for point in order if (index := self.graph.owner[point]) is not None])
        writers: dict[Value, dict[int, list[int]]] = {}
        for of_key in (self._seen.chains, self._seen.loose):
            for key, own in of_key.items():
                for writer in own:
                    writers.setdefault(key, {}).setdefault(clocks.session[writer], []).append(writer)
        for sessions in writers.values():
            for session_writers in sessions.values():
                session_writers.sort(key=clocks.number.__getitem__)
        for reader, key, writer in self._seen.reads:
            for session, own in writers.get(key, {}).items():
                seen = bisect_right(own, clocks.past[reader][session], key=clocks.number.__getitem__)
                if seen and own[seen - 1] != writer:
                    rival = own[seen - 1]
                    yield reader, key, writer, rival, ("vis", f"T{reader} sees T{rival}")

    def schedule(self, order: list[int]) -> Schedule:
        owners = [(self.graph.owner[p], p) for p in order]
        commits = tuple(index for index, p in owners if index is not None and p == self._commit[index])
        if not self._rule.snapshot:
            return Schedule(commits)
        points = tuple(
            (index, "commit" if p == self._commit[index] else "start") for index, p in owners if index is not None
        )
        return Schedule(commits, points)


def _wrote(seen: Versions) -> dict[int, dict[Value, None]]:
    """The keys that each transaction wrote."""
    found: dict[int, dict[Value, None]] = {}
    for writers in (seen.chains, seen.loose):
        for key, own in writers.items():
            for writer in own:
                found.setdefault(writer, {})[key] = None
    return found


def _writers_of_two(wrote: dict[int, dict[Value, None]]) -> dict[tuple[Value, Value], list[int]]:
    """The transactions that wrote two keys, by the keys."""
    found: dict[tuple[Value, Value], list[int]] = {}
    for writer, keys in wrote.items():
        for one in keys:
            for other in keys:
                if one != other:
                    found.setdefault((one, other), []).append(writer)
    return found


class _Ranks:
    """What is known of the order of each key's writers: the chain, and the loose ones after it."""

    def __init__(self, seen: Versions) -> None:
        self._chains = seen.chains
        self._rank = {key: {w: n for n, w in enumerate(chain)} for key, chain in seen.chains.items()}

    def _of(self, key: Value, writer: int) -> int:
        if writer == INITIAL:
            return -1
        return self._rank.get(key, {}).get(writer, len(self._chains.get(key, ())))

    def known(self, key: Value, first: int, second: int) -> bool:
        """Whether `first` is known to be before `second`."""
        return self._of(key, first) < self._of(key, second)

    def next_after(self, key: Value, writer: int) -> list[int]:
        """The next writer of the key, if it is known."""
        after = self._of(key, writer) + 1
        return self._chains.get(key, [])[after : after + 1]


class Clocks:
    """What leads to each transaction by wr and session order, as vector clocks: of each session, how many of its first
    transactions. `session` and `number` say where a transaction is; its own place is not in its past."""

    def __init__(self, seen: Versions, order: list[int]) -> None:
        names: dict[Value, int] = {}
        counts: list[int] = []
        self.session: dict[int, int] = {}
        self.number: dict[int, int] = {}
        for index, t in seen.transactions.items():
            session = self.session[index] = names.setdefault(t.operation.process, len(names))
            if session == len(counts):
                counts.append(0)
            counts[session] += 1
            self.number[index] = counts[session]
        sources: dict[int, set[int]] = {}
        for reader, _, writer in seen.reads:
            if writer not in (INITIAL, reader):
                sources.setdefault(reader, set()).add(writer)
        self.past: dict[int, array[int]] = {}
        latest = [array("i", bytes(4 * len(counts))) for _ in counts]
        for index in order:
            session = self.session[index]
            past = latest[session][:]
            for source in sources.get(index, ()):
                known = self.past[source]
                past = array("i", map(max, past, known))
                past[self.session[source]] = max(past[self.session[source]], self.number[source])
            self.past[index] = past
            latest[session] = past[:]
            latest[session][session] = self.number[index]

    @staticmethod
    def bytes_of(seen: Versions) -> int:
        """The memory that they take."""
        sessions = len({t.operation.process for t in seen.transactions.values()})
        return len(seen.transactions) * (4 * sessions + 160)
