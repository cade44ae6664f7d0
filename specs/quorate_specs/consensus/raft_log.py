"""Raft's log, with elections in one step: what replication and commitment need of an election, and no more.

The log of `raft` is here as it is there, message by message. An election is one step: a server enters a term that is
later than those of a majority, itself among them, and each of them finds its log up to date. What it leaves out is the
time between a vote and the victory. Nothing of a candidate changes in that time, and `raft` and `raft_election`
explore it; here it would hide, under millions of states, the runs of several terms in which logs go wrong. The other
members of the family (`raft_reads`, `raft_snapshots`) build on this class.

*Promise*: that of `raft`, for the log: an entry once committed keeps its place for ever.

Left out besides: the restart of a server with what is on its disk. It makes a leader a follower, as the next election
does. The lemmas are those of `raft`.

The run of figure 8 has 8 steps here, from the very beginning (`CommitsOldTerms`). In `raft`, where each vote is a
message, it has 18, and the search for it visits 2.3 million states; that is why the variant there begins half-way.

As others met it: etcd-io/etcd 1763, a late message of the leader must never cut off entries that match
(`TruncatesAlways`).

Source: Ongaro & Ousterhout 2014 (sections 5.3 and 5.4, figure 8); Ongaro 2014, "Consensus: Bridging Theory and
Practice" (sections 3.5 and 3.6).
"""

from typing import ClassVar

from quorate import action, invariant, is_majority, reachable, require, violates

from quorate_specs.consensus.raft import AppendEntries, AppendReply, Entry, Index, Raft, RequestVote, Role, Server, Term


class RaftLog(Raft):
    """Raft with an election in one step."""

    bounds: ClassVar[dict[str, int]] = {"Term": 3, "Index": 2}
    omits: ClassVar[tuple[str, ...]] = (
        *("time_out", "handle_request", "win", "restart"),
        *("votes_bind", "one_vote_per_term", "candidates_run", "elected_by_majority", "leaders_are_elected"),
        *("sent_entries_have_leaders", "entries_have_leaders", "leader_has_what_was_sent", "sent_entries_match"),
        *("leader_has_what_others_have", "logs_match_what_was_sent", "logs_match"),
    )

    @action(mark="timeout")
    def elect(self, s: Server, t: Term, voters: set[Server]) -> None:
        """A server is elected in a term later than its voters', as often as it may have tried before."""
        require(s in voters and self.is_enough(s, voters) and all(self.term[v] < t for v in voters))
        asks = RequestVote(t, s, Index(len(self.log[s])), self.last_term(s))
        require(all(self.is_up_to_date(asks, v) for v in voters))
        for v in voters:
            self.term[v] = t
            self.voted_for[v] = s
            self.role[v] = Role.FOLLOWER
        self.role[s] = Role.LEADER
        self.elected[t].add(s)
        for i in range(1, len(self.log[s]) + 1):
            self.send_entry(s, Index(i))

    @invariant
    def committed_entries_are_on_a_majority(self) -> bool:
        """What was committed is on a majority of the servers, for good."""
        return all(
            is_majority({s for s in Server if self.has_entry(s, c.index, c.entry)}, Server) for c in self.committed
        )

    def has_entry(self, s: Server, i: Index, entry: Entry) -> bool:
        """Whether the log has the entry at `i`."""
        return 0 < i <= len(self.log[s]) and self.log[s][i - 1] == entry

    @reachable
    def third_leader_repairs(self, s: Server) -> bool:
        """The leader of a third term can commit what it found in its log."""
        return self.role[s] == Role.LEADER and self.term[s] == 3 and self.commit_index[s] == 2


class CommitsOldTerms(RaftLog):
    """A leader commits an entry of an earlier term as soon as it counts it on a majority: figure 8 of the paper.

    Such an entry can still lose: a server with an entry of a later term, though nobody else has it, has the more
    up-to-date log, wins an election, and overwrites the committed one.
    """

    expect = violates("leader_completeness")
    bounds: ClassVar[dict[str, int]] = {"Term": 4, "Index": 1}

    def may_commit(self, s: Server, i: Index) -> bool:
        return True


class TruncatesAlways(RaftLog):
    """A follower cuts its log after the entry that it was sent, without looking for a conflict.

    A message that was under way for long erases entries that the follower has confirmed since, and that the leader has
    committed on the strength of it.
    """

    expect = violates("committed_entries_are_on_a_majority")
    bounds: ClassVar[dict[str, int]] = {"Term": 1, "Index": 2}

    def append(self, s: Server, m: AppendEntries) -> None:
        if self.fits(s, m):
            self.log[s] = self.log[s][: m.prev_index]
            if m.entry is not None:
                self.log[s].append(m.entry)
            match = Index(len(self.log[s]))
            self.network.send(AppendReply(m.term, s, m.leader, match))
            self.advance(s, min(m.commit, match))
