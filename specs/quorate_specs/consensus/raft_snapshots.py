"""Snapshots in Raft: a server replaces the committed prefix of its log by the state that it leads to.

A log cannot grow for ever. Each server takes snapshots on its own; a snapshot keeps index and term of the last entry
that it stands for, since the consistency check and the comparison of logs in elections ask for them. A leader that has
no longer what a follower needs sends its snapshot. A follower whose log has the snapshot's last entry keeps what comes
after it: the snapshot describes a prefix of its log, and it may have confirmed the rest. Otherwise the snapshot
replaces its log.

*Promise*: that of `raft`: what was committed stays committed, and logs agree, although no server has the whole log.

The log and its elections are those of `raft_log`. `log` stays whole, so that the properties can speak of what a
snapshot stands for; a server reads no entry at or before the index of its `snapshot` (but for the term of the last
one, which a snapshot has).

As others met it:

- etcd-io/etcd 1763: a late snapshot must not cut off entries that match (`InstallsOverLongerLog`).
- JDRaftKeeper/RaftKeeper 4 and deventlab/d-engine 418: the term of the last entry is not kept, or a wrong one
  (`ForgetsLastTerm`).

Source: Ongaro 2014, "Consensus: Bridging Theory and Practice" (chapter 5, figure 5.3); Ongaro & Ousterhout 2014
(section 7, figure 13).
"""

from typing import Annotated, ClassVar

from quorate import Network, action, invariant, reachable, record, require, up_to, violates

from quorate_specs.consensus.raft import AppendEntries, AppendReply, Entry, Index, Role, Server, Term
from quorate_specs.consensus.raft_log import RaftLog


@record
class InstallSnapshot:
    """The leader's snapshot: all entries up to `last_index`, of which the last one is of `last_term`.

    The state that they lead to stands here as the entries themselves.
    """

    term: Term
    leader: Server
    last_index: Index
    last_term: Term
    state: Annotated[list[Entry], up_to(Index)]


class RaftSnapshots(RaftLog):
    """Raft with snapshots (figure 13 of the paper), without the parts of a large one."""

    bounds: ClassVar[dict[str, int]] = {"Term": 2, "Index": 2}
    omits: ClassVar[tuple[str, ...]] = (*RaftLog.omits, "third_leader_repairs")

    snapshot: dict[Server, Index]
    snapshots: Network[InstallSnapshot] = Network(capacity=8)

    @action
    def take_snapshot(self, s: Server, i: Index) -> None:
        """A server compacts its log up to a committed entry."""
        require(self.snapshot[s] < i <= self.commit_index[s])
        self.snapshot[s] = i

    def term_at(self, s: Server, i: Index) -> Term:
        return self.last_snapshot_term(s) if i == self.snapshot[s] else super().term_at(s, i)

    def last_snapshot_term(self, s: Server) -> Term:
        """The term of the last entry that the snapshot stands for, which is kept with it."""
        i = self.snapshot[s]
        return self.log[s][i - 1].term if i > 0 else Term(0)

    def send_entry(self, s: Server, i: Index) -> None:
        """Send the entry at `i`, or the snapshot in its place."""
        if i > self.snapshot[s]:
            super().send_entry(s, i)
        else:
            self.send_snapshot(s)

    @action
    def offer_snapshot(self, s: Server) -> None:
        """A leader finds that a follower needs what it has compacted."""
        require(self.role[s] == Role.LEADER and self.snapshot[s] > 0)
        require(all(m.leader != s or m.term != self.term[s] for m in self.snapshots))
        self.send_snapshot(s)

    def send_snapshot(self, s: Server) -> None:
        """Send the snapshot as it is now."""
        i = self.snapshot[s]
        self.snapshots.send(InstallSnapshot(self.term[s], s, i, self.last_snapshot_term(s), self.log[s][:i]))

    def append(self, s: Server, m: AppendEntries) -> None:
        """As in `raft`; what the snapshot stands for is committed, so the leader's log agrees with it."""
        if m.prev_index >= self.snapshot[s]:
            super().append(s, m)
        else:
            self.network.send(AppendReply(m.term, s, m.leader, m.prev_index if m.entry is None else m.prev_index + 1))

    @action
    def install(self, s: Server, m: InstallSnapshot) -> None:
        """A follower takes over the leader's snapshot, unless its own stands for more."""
        require(m in self.snapshots and m.leader != s and m.term >= self.term[s])
        self.snapshots.receive(m)
        self.observe(s, m.term)
        self.role[s] = Role.FOLLOWER
        if m.last_index > self.snapshot[s]:
            if not self.has_last_entry(s, m):
                self.log[s] = m.state
            self.snapshot[s] = m.last_index
            self.advance(s, m.last_index)
            self.network.send(AppendReply(m.term, s, m.leader, m.last_index))

    def has_last_entry(self, s: Server, m: InstallSnapshot) -> bool:
        """Whether the snapshot describes a prefix of the log: what comes after it is kept (rule 6 of figure 13)."""
        return m.last_index <= len(self.log[s]) and self.term_at(s, m.last_index) == m.last_term

    @invariant
    def snapshots_are_committed(self, s: Server) -> bool:
        """A snapshot stands for committed entries only."""
        return self.snapshot[s] <= self.commit_index[s] <= len(self.log[s])

    @reachable
    def snapshot_catches_up(self, s: Server) -> bool:
        """A follower can get the first entry from a snapshot, and the second as an entry."""
        return self.role[s] == Role.FOLLOWER and self.snapshot[s] == 1 and self.commit_index[s] == 2

    @reachable
    def snapshot_replaces_conflict(self, s: Server, m: InstallSnapshot) -> bool:
        """A snapshot can meet a log that is in conflict with it."""
        return m in self.snapshots and 0 < self.term_at(s, Index(1)) < m.last_term and self.term[s] <= m.term


class InstallsOverLongerLog(RaftSnapshots):
    """A follower replaces its whole log by the snapshot, also where that describes a prefix of it.

    Entries after the snapshot are gone, that it had confirmed and the leader has committed on the strength of it.
    """

    expect = violates("committed_entries_are_on_a_majority")
    bounds: ClassVar[dict[str, int]] = {"Term": 1, "Index": 2}

    def has_last_entry(self, s: Server, m: InstallSnapshot) -> bool:
        return False


class ForgetsLastTerm(RaftSnapshots):
    """A snapshot does not keep the term of its last entry; after it, the term counts as 0.

    A server whose log is all in its snapshot seems to have an old log. It votes for a candidate that lacks what is
    committed.
    """

    expect = violates("leader_completeness")
    bounds: ClassVar[dict[str, int]] = {"Term": 3, "Index": 1}

    def last_snapshot_term(self, s: Server) -> Term:
        return Term(0)
