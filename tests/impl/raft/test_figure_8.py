"""Figure 8 of the paper, message by message. Drawn runs hardly ever come by it, since a leader's own entry follows at once."""

from __future__ import annotations

from quorate_impl.core import Draw, Drawn, Event, Message, Persist, Persisted, Received, Requested, Send, Started, Tick
from quorate_impl.raft import Options, Raft
from quorate_impl.raft.core import Role
from quorate_impl.raft.messages import Open

from tests.impl.raft.mistakes import CommitsOldTerms

SILENCE, PATIENCE = 10, 1_000
"""Ticks after which a leader counts as silent, and after which a server runs."""


class Table:
    """Three servers with fast disks, and their messages, which are delivered or lost by hand."""

    def __init__(self, core: type[Raft]) -> None:
        members = {"a": "", "b": "", "c": ""}
        options = Options(election_ticks_min=SILENCE, entries_max=1, window=1)
        self.cores = {name: core(name, (), members, options) for name in members}
        self._sent: list[tuple[str, str, Message]] = []
        for name in members:
            self._happen(name, Started())

    def _happen(self, name: str, event: Event) -> None:
        events = [event]
        while events:
            for effect in self.cores[name].step(events.pop(0)):
                match effect:
                    case Send(target, message):
                        self._sent.append((name, target, message))
                    case Persist(number):
                        events.append(Persisted(number))
                    case Draw(purpose):
                        events.append(Drawn(purpose, PATIENCE))

    def ask(self, name: str) -> None:
        """A client asks a leader for an entry, which gets no further."""
        self._happen(name, Requested("client", Open(1)))
        self._sent.clear()

    def elect(self, name: str, voter: str) -> None:
        """A server runs, and another one, which has heard no leader for some time, votes for it."""
        for _ in range(SILENCE):
            self._happen(voter, Tick(0))
        term = self.cores[name].term
        while self.cores[name].role is not Role.LEADER or self.cores[name].term == term:
            self._happen(name, Tick(0))
            self._deliver({name, voter})
        self._sent.clear()

    def replicate(self, leader: str, followers: str, until: int) -> None:
        """Heartbeats and what comes of them, until these followers have the entry at this index; what is more is lost."""
        while any(self.cores[name].log.last_index < until for name in followers):
            self._happen(leader, Tick(0))
            self._deliver({leader, *followers})
        self._deliver({leader, *followers})
        self._sent.clear()

    def _deliver(self, names: set[str]) -> None:
        """What has been sent between these arrives; the rest is lost."""
        sent, self._sent = self._sent, []
        for source, target, message in sent:
            if {source, target} <= names:
                self._happen(target, Received(source, message))


def stage_c(core: type[Raft]) -> Table:
    """`a` led term 1 and `b` term 2, each with an entry at index 2 that nobody else has. Then `a` leads term 3, and gets its old
    entry to `c`, a majority with itself."""
    table = Table(core)
    table.elect("a", voter="c")
    table.replicate("a", "bc", until=1)
    table.ask("a")
    table.elect("b", voter="c")
    table.elect("a", voter="c")
    table.replicate("a", "c", until=2)
    assert [table.cores[name].log.term_at(2) for name in "abc"] == [1, 2, 1] and table.cores["a"].term == 3
    return table


def stage_d(table: Table) -> None:
    """`b` is elected by `c`, since its last entry is of a later term, and overwrites the old one."""
    table.elect("b", voter="c")
    table.replicate("b", "c", until=3)
    table.replicate("b", "c", until=3)
    assert table.cores["c"].log.term_at(2) == 2


def test_an_entry_of_an_old_term_is_not_committed_by_counting() -> None:
    table = stage_c(Raft)
    assert table.cores["a"].commit_index == 1
    stage_d(table)
    assert table.cores["b"].commit_index == 3


def test_who_commits_it_loses_it() -> None:
    table = stage_c(CommitsOldTerms)
    a, b = table.cores["a"], table.cores["b"]
    assert a.commit_index == 2
    stage_d(table)
    assert b.commit_index == 3 and a.log.entry(2) != b.log.entry(2), "two servers have executed different entries"
