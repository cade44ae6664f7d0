"""The Raft of `quorate_impl`, in the simulator, telling its steps in the words of the specification `raft`.

What a step of the program is there:

- A batch of entries is the messages that the specification sends for each of them; so is a message without entries for the
  last entry before it. Entries were sent when the leader took or found them, with its commit index of then; a later commit
  index is that of the heartbeats which the specification sends when the leader commits.
- A server that learns of a term, and nothing else, takes no step: its next one says it. Before it runs for the term after that, it has
  heard the request that began the term (the specification's only way).
- A leader that steps down, because it hears of a later term or no majority any more, is a `restart`: a follower with what it has.
- Pre-votes, reads and sessions are none of this specification's business.

Servers do not crash here: a leader's disk may lag behind what it has sent, which this specification does not describe
(`raft_processes` has a step for it).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

from quorate.conform import OPEN, Map
from quorate_impl.core import Effect, Event
from quorate_impl.raft import Options, Raft
from quorate_impl.raft.core import Role
from quorate_impl.raft.messages import AppendEntries, Command, Configuration, Noop, RequestVote, Session
from quorate_impl.raft.messages import Entry as Stored
from quorate_impl.simulation import Conditions, Cut, Drift, Outcome, Pause, Plan, Weather
from quorate_specs.consensus.raft import Entry, Server
from quorate_specs.consensus.raft import Raft as Specification
from quorate_specs.consensus.raft import Role as Stands

from tests.impl.raft.running import NODES, run

Line = dict[str, Any]
OPTIONS = Options(election_ticks_min=20, election_ticks_max=40, snapshot_after=10**9, entries_max=8, window=4)
"""No snapshots: a log is what it is in the specification."""


def leads(state: Specification, s: Server) -> bool:
    """Whether a server leads: who runs, and who only asks whether it should, is the same for the others."""
    return state.role[s] == Stands.LEADER


def log_length(state: Specification, s: Server) -> int:
    """How many entries a server has."""
    return len(state.log[s])


def last_entry(state: Specification, s: Server) -> Entry | None:
    """The last entry of a server."""
    return state.log[s][-1] if state.log[s] else None


MAP = Map(members={"Server": NODES, "Command": OPEN}, views=(leads, log_length, last_entry))


class Book:
    """The log of all servers, in the order in which things happen, and what leaders have sent."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._commit_at: dict[tuple[int, int], int] = {}
        """For a term and an index, the leader's commit index when it sent that entry."""
        self._heartbeat: dict[tuple[int, int], int] = {}
        """For a term and an index, the commit index in the heartbeat that follows that entry."""

    def tell(self, line: Line) -> None:
        """Something has happened."""
        self.lines.append(line)

    def sends(self, term: int, first: int, last: int, commit: int) -> None:
        """The leader of a term sends these entries."""
        for index in range(first, last + 1):
            self._commit_at[term, index] = commit

    def commits(self, term: int, first: int, last: int) -> None:
        """The leader of a term commits these entries at once."""
        for index in range(first, last + 1):
            self._heartbeat[term, index] = last

    def handles(
        self, node: str, leader: str, term: int, entries: list[Found], commit: int, known: Found, now: Line
    ) -> None:
        """A server that had a commit index has taken entries, or found the one before them, and is now known to have committed another."""
        steps: list[tuple[int, int, Line | None, int]] = []
        for index, prev_term, found in entries:
            sent = self._commit_at[term, index]
            commit = max(commit, min(sent, index))
            steps.append((index - 1, prev_term, found, sent))
        last, prev_term, found = known
        if last > commit:
            beat = self._heartbeat.get((term, last))
            if beat is not None:
                steps.append((last, found["term"], None, beat))
            else:
                steps.append((last - 1, prev_term, found, self._commit_at[term, last]))
        for number, (prev_index, prev_term, told, sent) in enumerate(steps, 1):
            before = {"term": term, "leader": leader, "prev_index": prev_index, "prev_term": prev_term}
            shown = now if number == len(steps) else {}
            self.tell(line("handle_append", node, {"m": before | {"entry": told, "commit": sent}}, shown))


class Teller(Protocol):
    """What servers tell of themselves to: a book, or what writes into a file for one."""

    def tell(self, line: Line, /) -> None: ...
    def sends(self, term: int, first: int, last: int, commit: int, /) -> None: ...
    def commits(self, term: int, first: int, last: int, /) -> None: ...
    def handles(
        self, node: str, leader: str, term: int, entries: list[Found], commit: int, known: Found, now: Line, /
    ) -> None: ...


Found = tuple[int, int, Line]
"""An entry in a log: its index, the term of the one before it, and what it is."""


def line(event: str, node: str, arguments: Line, now: Line) -> Line:
    """A line of the log: what a server does, and what it knows then."""
    return {
        "event": event,
        "node": node,
        "args": arguments,
        "vars": {name: {node: value} for name, value in now.items()},
    }


def entry(index: int, stored: Stored) -> Line:
    """An entry in the log: its payload is known by where it was first put."""
    match stored.payload:
        case Command(session, number):
            command = f"update {number} of session {session}"
        case Session():
            command = f"session {stored.term}.{index}"
        case Noop() | Configuration():
            command = f"begin {stored.term}.{index}"
    return {"term": stored.term, "command": command}


class Told(Raft):
    """A server that tells the book what it does."""

    book: Teller
    _term_told = 0
    _is_known_to_lead = False
    _commit_told = 0

    def _now(self) -> Line:
        last = self.log.last_index
        self._term_told, self._commit_told = self.term, self.commit_index
        self._is_known_to_lead = self.role is Role.LEADER
        return {
            "term": self.term,
            "voted_for": self.voted_for,
            "leads": self.role is Role.LEADER,
            "commit_index": self.commit_index,
            "log_length": last,
            "last_entry": entry(last, self.log.entry(last)) if last else None,
        }

    def _tell(self, event: str, is_last: bool = True, **arguments: Any) -> None:
        self.book.tell(line(event, self.name, arguments, self._now() if is_last else {}))

    def _found(self, index: int) -> Found:
        prev_term = self.log.term_at(index - 1) if index > 1 else 0
        return index, prev_term, entry(index, self.log.entry(index)) if index else {}

    def step(self, *events: Event) -> list[Effect]:
        effects = super().step(*events)
        if self._is_known_to_lead and self.role is not Role.LEADER:
            self.book.tell(line("restart", self.name, {}, {"leads": False}))
            self._is_known_to_lead = False
        return effects

    def _time_out(self, is_invited: bool) -> None:
        if self.term > self._term_told:
            self._tell("handle_request", False, m={"record": "RequestVote", "term": self.term})
        super()._time_out(is_invited)
        self._tell("time_out")

    def _handle_request(self, source: str, m: RequestVote) -> None:
        before = self.term, self.voted_for
        super()._handle_request(source, m)
        if (self.term, self.voted_for) != before:
            told = {"term": m.term, "candidate": source, "last_index": m.last_index, "last_term": m.last_term}
            self._tell("handle_request", m=told)

    def _begin_leading(self) -> None:
        self._tell("win")
        self.book.sends(self.term, 1, self.log.last_index, self.commit_index)
        super()._begin_leading()

    def _append(self, payload: Noop | Session | Command | Configuration) -> int:
        index = super()._append(payload)
        self.book.sends(self.term, index, index, self.commit_index)
        self._tell("request", c=entry(index, self.log.entry(index))["command"])
        return index

    def _commit(self) -> None:
        known = self.commit_index
        super()._commit()
        if self.commit_index > known:
            self.book.commits(self.term, known + 1, self.commit_index)
            self._tell("commit", i=self.commit_index)

    def _has(self) -> tuple[int, int, int]:
        return self.log.last_index, self.log.last_term, self.commit_index

    def _handle_append(self, source: str, m: AppendEntries) -> None:
        accepted = m.term >= self.term and self.log.has(m.prev_index, m.prev_term)
        before = self._has()
        super()._handle_append(source, m)
        first = m.prev_index + 1 if m.entries else m.prev_index
        if not accepted or first == 0:
            if self._has() != before:  # It should not have changed anything.
                self._tell("handle_append", m={"term": m.term, "leader": source})
            return
        taken = [self._found(m.prev_index)] if not m.entries else []
        prev_term = m.prev_term
        for index, stored in enumerate(m.entries, m.prev_index + 1):
            taken.append((index, prev_term, entry(index, stored)))
            prev_term = stored.term
        told = self._commit_told
        self.book.handles(self.name, source, m.term, taken, told, self._found(self.commit_index), self._now())


def plan_of(seed: int, busy_ms: int) -> Plan:
    """Partitions, pauses, clocks that run wrong, and a network that loses, repeats and delays."""
    random = Random(seed)
    faults: list[Cut | Drift | Pause | Weather] = [Weather(0, busy_ms, 5, 5, 20)]
    for begin in range(200, busy_ms, 700):
        node = random.choice(NODES)
        others = tuple(name for name in NODES if name != node)
        at, lasts = begin + random.randrange(200), random.randint(300, 900)
        faults.append(
            random.choice(
                (
                    Cut(at, lasts, (node,), others, True),
                    Cut(at, lasts, (node,), others, False),
                    Pause(at, lasts, node),
                    Drift(at, lasts, node, random.choice((25, 400))),
                )
            )
        )
    return tuple(faults)


def told_run(seed: int, core: type[Raft] = Raft, busy_ms: int = 4_000) -> tuple[list[Line], Outcome]:
    """The log of a simulated cluster under faults, and how the run ended."""
    book = Book()
    kind = type(core.__name__, (Told, core), {"book": book})
    conditions = Conditions(busy_ms=busy_ms, think_ms=20)
    outcome = run(seed, plan_of(seed, busy_ms), kind, conditions, OPTIONS)
    return book.lines, outcome


__all__: Sequence[str] = ("MAP", "Told", "told_run")
