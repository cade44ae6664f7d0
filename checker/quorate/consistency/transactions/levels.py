"""The levels for transactions, as rules over dependency graphs.

Versions come from `reading.py`; G1a, G1b and internal contradictions are ruled out there for every level.

- **read committed** (Adya's PL-2): no cycle of ww and wr.
- **read atomic** (Bailis et al. 2014; Biswas & Enea 2019): a commit order keeps wr and ww, and a transaction that reads
  from T sees nothing older than T's versions: no fractured reads.
- **causal** (Biswas & Enea 2019, definition 2.4): the same for everything that leads to the reader by wr and session
  order.
- **prefix** (Cerone, Bernardi & Gotsman 2015): each transaction reads a snapshot, which is a prefix of the commit
  order.
- **snapshot isolation** (Adya's PL-SI, in the form of Cerone & Gotsman 2016): prefix, and of two writers of one key the
  later starts after the earlier commits.
- **serializable** (Adya's PL-3): no cycle of ww, wr and rw.
- The **strong session** forms also keep each session's order, and **strict serializable** keeps real time (and with it
  sessions).

So causal is not weaker than prefix, snapshot isolation or serializable, which know no sessions; it is weaker than their
strong session forms. The table of implications in `docs/consistency.md` is established by enumeration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from quorate.consistency.history import History, Value, show, without_collections
from quorate.consistency.models import Model, Register
from quorate.consistency.orders import Limits
from quorate.consistency.transactions import replay
from quorate.consistency.transactions.graph import INSIDE, Graph, Label, Reason, as_cycle
from quorate.consistency.transactions.reading import INITIAL, Anomaly, Versions, versions
from quorate.consistency.transactions.solver import Pair, Undecided, Way, solve
from quorate.consistency.verdict import Cycle, Edge, Satisfied, Schedule, Unknown, Verdict, Violated
from quorate.consistency.visibility import members_of

ATTEMPTS_MAX = 2_000
AT_ONCE = -1  # The priority of a commit: as soon after its start as can be, so that few transactions overlap.


@dataclass(frozen=True)
class Rule:
    """A level. `sees`: "wr" if a reader sees all of the transactions it reads from, "causal" if of its whole causal
    past, "points" if every read is at one point in time. `snapshot`: a transaction starts and commits at two points;
    `exclusive`: writers of a key do not overlap."""

    definition: str
    source: str
    sees: str = ""
    snapshot: bool = False
    exclusive: bool = False
    session: bool = False
    real_time: bool = False


RULES: dict[str, Rule] = {
    "read-committed": Rule("No cycle of ww and wr; no aborted or intermediate reads.", "Adya 1999, PL-2"),
    "read-atomic": Rule("Read committed, without fractured reads.", "Bailis et al. 2014; Biswas & Enea 2019", "wr"),
    "transactional-causal": Rule(
        "Read atomic for the whole causal past (sessions and wr).",
        "Biswas & Enea 2019, definition 2.4",
        "causal",
        session=True,
    ),
    "prefix": Rule(
        "Each transaction reads a prefix of the commit order.",
        "Cerone, Bernardi & Gotsman 2015",
        "points",
        snapshot=True,
    ),
    "snapshot-isolation": Rule(
        "Prefix, and writers of a key do not overlap.", "Adya 1999, PL-SI; Cerone & Gotsman 2016", "points", True, True
    ),
    "strong-session-snapshot-isolation": Rule(
        "Snapshot isolation that keeps each session's order.",
        "Daudjee & Salem 2006",
        "points",
        True,
        True,
        session=True,
    ),
    "strong-snapshot-isolation": Rule(
        "Snapshot isolation that keeps real time: a snapshot has all that had returned.",
        "Daudjee & Salem 2006",
        "points",
        True,
        True,
        real_time=True,
    ),
    "repeatable-read": Rule(
        "No cycle of ww, wr and rw of single keys. Where nothing reads by predicate, this is serializable.",
        "Adya 1999, PL-2.99",
        "points",
    ),
    "serializable": Rule("No cycle of ww, wr and rw.", "Adya 1999, PL-3", "points"),
    "strong-session-serializable": Rule(
        "Serializable in an order that keeps each session's order.", "Daudjee & Salem 2004", "points", session=True
    ),
    "strict-serializable": Rule(
        "Serializable in an order that keeps real time.",
        "Papadimitriou 1979; Herlihy & Wing 1990",
        "points",
        real_time=True,
    ),
}


def decider(name: str) -> Callable[[History, Model, Limits], Verdict]:
    """The decision procedure of a level."""
    rule = RULES[name]

    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        try:
            with without_collections():
                seen = versions(history, model.initial if isinstance(model, Register) else None)
                kind = "list-append" if seen.lists else "read-write-register"
                answer = _judge(seen, rule, limits)
        except Anomaly as anomaly:
            return Violated(name, "transactions", len(history), evidence=anomaly.cycle)
        except Undecided:
            reason = (
                "The order of versions is not known from the reads, and the search for one hit its limit; or what each "
                "transaction has seen needs more memory than is allowed."
            )
            return Unknown(name, kind, len(history), reason=reason)
        if isinstance(answer, Cycle):
            return Violated(name, kind, len(history), evidence=answer)
        if not _checked(seen, rule, answer):
            raise AssertionError(f"The witness for {name} is wrong: {answer}")
        return Satisfied(name, kind, len(history), witness=answer)

    return decide


def _judge(seen: Versions, rule: Rule, limits: Limits) -> Schedule | Cycle:
    """A schedule or a cycle. Raises `Undecided`."""
    attempts = limits.configurations or ATTEMPTS_MAX
    if rule.sees == "points" and seen.loose and not (rule.real_time and not rule.snapshot):
        found = _in_real_time(seen, rule, limits)
        if found is not None:
            return found
    points = _Points(seen, rule)
    if rule.sees != "points":
        if rule.sees == "causal" and len(seen.transactions) ** 2 // 8 > limits.memory_bytes:
            raise Undecided
        fractured = points.add_seen(rule.sees == "causal")
        if fractured is not None:
            return fractured
    elif rule.snapshot and any(len(loose) > 1 for loose in seen.loose.values()):
        points.start_in_order(_Points(seen, replace(rule, snapshot=False, exclusive=False)))
    choices = points if rule.sees == "points" else None
    solved = solve(points.graph, choices, points.priority, attempts, limits.memory_bytes)
    if isinstance(solved, Graph):
        return as_cycle(solved.cycle(), points.label, "fractured read" if points.is_fractured(solved) else None)
    return points.schedule(solved)


def _in_real_time(seen: Versions, rule: Rule, limits: Limits) -> Schedule | None:
    """A strict serialization, if one is found at once. It satisfies the other levels as well, and real time leaves few
    orders of versions open, so that this is the quickest way for the record of a store that is strict."""
    strict = _Points(seen, RULES["strict-serializable"])
    try:
        solved = solve(strict.graph, strict, strict.priority, 1, limits.memory_bytes)
    except Undecided:
        return None
    if isinstance(solved, Graph):
        return None
    schedule = strict.schedule(solved)
    points = tuple((index, kind) for index in schedule.commits for kind in ("start", "commit"))
    return Schedule(schedule.commits, points if rule.snapshot else None)


def _checked(seen: Versions, rule: Rule, schedule: Schedule) -> bool:
    sessions = replay.keeps_sessions(schedule, seen) if rule.session else True
    if rule.sees == "points":
        real_time = replay.keeps_real_time(schedule, seen) if rule.real_time else True
        return sessions and real_time and replay.snapshots(schedule, seen, rule.exclusive)
    return sessions and replay.commit_order(schedule, seen, rule.sees)


class _Points:
    """The graph of a history under a rule."""

    def __init__(self, seen: Versions, rule: Rule) -> None:
        self._seen, self._rule = seen, rule
        self.graph = Graph()
        self._start: dict[int, int] = {}
        self._commit: dict[int, int] = {}
        self._priority: list[int] = []
        self._labels: dict[Label, Label] = {}
        self._readers: dict[tuple[Value, int], list[int]] = {}
        for t in seen.transactions.values():
            self._start[t.index] = self._commit[t.index] = self._point(t.index, t.operation.invoked)
            if rule.snapshot:
                self._commit[t.index] = self._point(t.index, AT_ONCE)
                self.graph.add(self._start[t.index], self._commit[t.index], INSIDE)
        self._add_reads()
        self._add_chains()
        if rule.session:
            self._add_sessions()
        if rule.real_time:
            self._add_real_time()

    def _point(self, owner: int | None, priority: int) -> int:
        self._priority.append(priority)
        return self.graph.point(owner)

    def priority(self, point: int) -> int:
        """Which point comes first where the graph leaves it open: the one that was invoked first."""
        return self._priority[point]

    def start_in_order(self, serial: _Points) -> None:
        """Let transactions start in about the order in which they would be serialized, so that writers of a key rarely
        overlap."""
        for number, p in enumerate(serial.graph.rough_order(serial.priority)):
            index = serial.graph.owner[p]
            if index is not None:
                self._priority[self._start[index]] = number

    def label(self, index: int) -> str:
        return f"T{index}: {self._seen.transactions[index]}"

    def _ww(self, key: Value, first: int, second: int) -> tuple[int, int, Label]:
        source, target = self._commit[first], self._commit[second]
        if self._rule.exclusive:
            target = self._start[second]
        return source, target, self._about("ww", key)

    def _rw(self, key: Value, reader: int, writer: int) -> tuple[int, int, Label]:
        return self._start[reader], self._commit[writer], self._about("rw", key)

    def _about(self, kind: str, what: Value) -> Label:
        """One label for all edges of a kind that are about one thing."""
        return self._labels.setdefault((kind, what), (kind, what))

    def _add_reads(self) -> None:
        for reader, key, writer in self._seen.reads:
            self._readers.setdefault((key, writer), []).append(reader)
            if writer != INITIAL:
                self.graph.add(self._commit[writer], self._start[reader], self._about("wr", key))

    def _add_chains(self) -> None:
        """The known order of versions: each writer before the next, and its readers too; the loose writers after the
        chain."""
        for key in {**self._seen.chains, **self._seen.loose}:
            chain = [INITIAL, *self._seen.chains.get(key, ())]
            loose = self._seen.loose.get(key, [])
            for number, writer in enumerate(chain):
                followers = chain[number + 1 : number + 2] or loose
                for follower in followers:
                    if writer != INITIAL:
                        self._add_known(self._ww(key, writer, follower))
                    if self._rule.sees == "points":
                        for reader in self._readers.get((key, writer), ()):
                            if reader != follower:
                                self._add_known(self._rw(key, reader, follower))

    def _add_known(self, edge: tuple[int, int, Label]) -> None:
        self.graph.add(*edge)

    def pairs(self) -> Iterator[Pair]:
        """The pairs of writers of a key whose order is not known and matters."""
        for key, loose in self._seen.loose.items():
            for a, b in combinations(loose, 2):
                if self._rule.exclusive or len(self.ends(key, a, b)) > 1 or len(self.ends(key, b, a)) > 1:
                    yield key, a, b

    def way(self, key: Value, first: int, second: int) -> Way:
        readers = [r for r in self._readers.get((key, first), ()) if r != second]
        return (self._ww(key, first, second), *(self._rw(key, reader, second) for reader in readers))

    def ends(self, key: Value, first: int, second: int) -> list[tuple[int, int]]:
        """The edges of `way` without their labels."""
        target = self._commit[second]
        ends = [(self._commit[first], self._start[second] if self._rule.exclusive else target)]
        ends += [(self._start[r], target) for r in self._readers.get((key, first), ()) if r != second]
        return ends

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
        returned = {
            t.operation.returned: t for t in self._seen.transactions.values() if t.operation.returned is not None
        }
        invoked = {t.operation.invoked: t for t in self._seen.transactions.values()}
        label = self._about("rt", None)
        now: int | None = None
        for position in sorted([*returned, *invoked]):
            if position in invoked and now is not None:
                self.graph.add(now, self._start[invoked[position].index], label)
            if position in returned:
                before, now = now, self._point(None, position)
                self.graph.add(self._commit[returned[position].index], now, label)
                if before is not None:
                    self.graph.add(before, now, label)

    def add_seen(self, causally: bool) -> Cycle | None:
        """For read atomic and causal: the writers that a reader sees come before the one it reads from. None, or the
        cycle that shows a reader that sees a write and reads the initial version. Nothing to do for read committed."""
        if self._rule.sees == "":
            return None
        order = self.graph.order(self.priority)
        if order is None:
            return None
        past = self._past(order, causally)
        places = {key: _Places(self._seen, key) for key in {**self._seen.chains, **self._seen.loose}}
        for reader, key, writer in self._seen.reads:
            place = places.get(key)
            for rival in members_of(past[reader] & ~(1 << reader) & place.not_before(writer)) if place else ():
                why = f"T{reader} sees T{rival}, and reads {show(key)} from T{writer}"
                if place and place.is_after(rival, writer):
                    missed = f"it reads {show(key)} without T{rival}'s write"
                    edges = (Edge(rival, reader, "vis", f"T{reader} sees T{rival}"), Edge(reader, rival, "rw", missed))
                    return as_cycle(edges, self.label, "causality violation" if causally else "fractured read")
                self.graph.add(self._commit[rival], self._commit[writer], ("ww", Reason(why)))
        return None

    def _past(self, order: list[int], causally: bool) -> dict[int, int]:
        """For each transaction, those that it reads from; `causally`, all that lead to it by wr and session order."""
        sources: dict[int, set[int]] = {index: set() for index in self._seen.transactions}
        for reader, _, writer in self._seen.reads:
            if writer not in (INITIAL, reader):
                sources[reader].add(writer)
        if causally:
            for earlier, later in self._sessions():
                sources[later].add(earlier)
        past: dict[int, int] = {}
        for point in order:
            index = self.graph.owner[point]
            assert index is not None
            past[index] = sum(1 << source for source in sources[index])
            if causally:
                for source in sources[index]:
                    past[index] |= past[source]
        return past

    def is_fractured(self, graph: Graph) -> bool:
        """Whether the graph has no cycle but for the edges that `add_seen` added."""
        plain = _Points(self._seen, self._rule)
        return self._rule.sees in ("wr", "causal") and plain.graph.order(plain.priority) is not None

    def schedule(self, order: list[int]) -> Schedule:
        owners = [(self.graph.owner[p], p) for p in order]
        commits = tuple(index for index, p in owners if index is not None and p == self._commit[index])
        if not self._rule.snapshot:
            return Schedule(commits)
        points = tuple(
            (index, "commit" if p == self._commit[index] else "start") for index, p in owners if index is not None
        )
        return Schedule(commits, points)


class _Places:
    """The writers of one key by what is known of their order, as bit masks."""

    def __init__(self, seen: Versions, key: Value) -> None:
        chain = seen.chains.get(key, [])
        self._rank = {INITIAL: -1} | {writer: number for number, writer in enumerate(chain)}
        self._loose = len(chain)
        self._from = [sum(1 << writer for writer in set(seen.loose.get(key, ())) - set(chain))]
        for writer in reversed(chain):
            self._from.append(self._from[-1] | 1 << writer)
        self._from.reverse()  # Of rank r and later; the last are the loose ones.

    def not_before(self, writer: int) -> int:
        """The other writers that are not known to be before `writer`."""
        rank = self._rank.get(writer, self._loose)
        others = self._from[rank + 1] if rank < self._loose else self._from[self._loose]
        return others if writer == INITIAL else others & ~(1 << writer)

    def is_after(self, one: int, other: int) -> bool:
        """Whether `one` is known to be after `other`."""
        return self._rank.get(one, self._loose) > self._rank.get(other, self._loose)
