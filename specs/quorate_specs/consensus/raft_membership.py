"""Membership changes in Raft: the servers of the cluster are themselves an entry of the log.

A *configuration* is the set of servers whose majority elects and commits. It changes by an entry of the log, and a
server uses the latest one in its log as soon as it is there, committed or not: so two servers may use different ones.
All is well as long as every majority of the one meets every majority of the other. There are two ways to achieve that.

- *One server at a time* (`RaftMembership`). Configurations that differ by one server have majorities that meet. But
  that must be so for all configurations in use, not only for each and its successor: from one configuration two
  leaders can go to two, which differ by two servers. So a leader changes the configuration only when the one that it
  has is committed, and when it has committed an entry of its own term; an abandoned change of an earlier leader can
  then win no more. The second condition was found in 2015, after the thesis.
- *Joint consensus* (`JointConsensus`), for changes of any size. First comes an entry with both configurations, under
  which a majority of each is needed; when it is committed, one with the new configuration alone.

*Promise*: that of `raft`, while servers come and go: one leader in a term, and what was committed stays committed. And
a cluster never gets stuck: one of its servers can be elected, if all can be heard but those that know that they have
been removed, and that for good.

The log and its elections are those of `raft_log`. All servers hear a leader, as they would if a message to the members
came to others too; whoever is not in a configuration does not count in it. A server votes without regard to its own
configuration: it is the candidate's that counts, and it may run itself although it is not in it (section 4.2.2). What
a configuration entry says is kept once, by its term and index, which name an entry as long as terms have one leader.

Left out: catching up as a non-voting member before the change (section 4.2.1), which is about availability. Servers
that were removed and disrupt the others are the topic of `raft_prevote`.

As others met it:

- atomix/copycat 23, AxonIQ/axon-server-se 120 and baidu/braft 182: the condition of 2015 was missing, in code or in
  the words of the manual (`ChangesBeforeOwnCommit`).
- cowsql/raft 150, baidu/braft 407 and 432, camunda/camunda 57386: a server that its own configuration leaves out does
  not run, and nobody else can win (`RemovedServerWaits`).
- camunda/camunda 15232: a leader that is being removed counts itself (`LeaderCountsItself`).
- async-raft/async-raft 62: the votes of both halves of a joint configuration are counted together (`CountsUnion`).
- camunda/camunda 60086: a leader leaves a joint configuration that it has found in its log and has not committed
  (`LeavesUncommittedJoint`).

Sources: Ongaro 2014, "Consensus: Bridging Theory and Practice" (chapter 4); Ongaro 2015, "Bug in single-server
membership changes" (raft-dev, 10 July 2015); Ongaro & Ousterhout 2014 (section 6).
"""

from typing import ClassVar

from quorate import action, init, invariant, reachable, require, violates

from quorate_specs.consensus.raft import Command, Entry, Index, Role, Server, Term
from quorate_specs.consensus.raft_log import RaftLog


def is_majority_of(servers: set[Server], members: set[Server]) -> bool:
    """Whether more than half of the members are among the servers."""
    return 2 * len(servers & members) > len(members)


class RaftMembership(RaftLog):
    """Changes of one server at a time (section 4.1 of the thesis), with the condition of 2015."""

    bounds: ClassVar[dict[str, int]] = {"Term": 2, "Index": 2}
    omits: ClassVar[tuple[str, ...]] = (
        *RaftLog.omits,
        *("committed_entries_are_on_a_majority", "third_leader_repairs"),
    )

    configuration: dict[Term, dict[Index, set[Server]]]

    @init
    def found(self, members: set[Server]) -> None:
        """The cluster begins with some of the servers; that stands before the first entry."""
        require(len(members) > 0)
        self.configuration[Term(0)][Index(0)] = members

    # Which configuration a server uses

    def members(self, s: Server) -> set[Server]:
        """The latest configuration in the log, committed or not."""
        return self.members_at(s, Index(len(self.log[s])))

    def members_at(self, s: Server, i: Index) -> set[Server]:
        """The latest configuration in the log up to `i`."""
        j = self.configured_at(s, i)
        return self.configuration[self.term_at(s, j)][j]

    def configured_at(self, s: Server, i: Index) -> Index:
        """Where that configuration is in the log."""
        return max(
            (j for j in Index if j <= i and len(self.configuration[self.term_at(s, j)][j]) > 0), default=Index(0)
        )

    def is_settled(self, s: Server) -> bool:
        """Whether the latest configuration is committed."""
        return self.configured_at(s, Index(len(self.log[s]))) <= self.commit_index[s]

    def is_enough(self, s: Server, servers: set[Server]) -> bool:
        return is_majority_of(servers, self.members(s))

    # Elections

    def may_run(self, s: Server) -> bool:
        """A server may be a candidate although its latest configuration is without it (section 4.2.2)."""
        return self.is_needed(s)

    def is_needed(self, s: Server) -> bool:
        """Whether the server is in a configuration that is committed and the latest, or may yet be so."""
        return any(self.is_member_at(s, Index(i)) for i in range(self.commit_index[s], len(self.log[s]) + 1))

    def is_member_at(self, s: Server, i: Index) -> bool:
        """Whether the server is in the latest configuration of its log up to `i`."""
        return s in self.members_at(s, i)

    def elect(self, s: Server, t: Term, voters: set[Server]) -> None:
        require(self.may_run(s) and voters <= self.electorate(s) | {s})
        super().elect(s, t, voters)

    def electorate(self, s: Server) -> set[Server]:
        """Whom a candidate asks for votes."""
        return self.members(s)

    # Changes

    @action
    def change(self, s: Server, members: set[Server], c: Command) -> None:
        """A leader appends a new configuration, uses it from now on, and sends it to all."""
        require(self.role[s] == Role.LEADER and len(members) > 0 and members != self.members(s))
        require(self.may_change(s) and self.is_allowed(s, members))
        self.log[s].append(Entry(self.term[s], c))
        self.configuration[self.term[s]][Index(len(self.log[s]))] = members
        self.send_entry(s, Index(len(self.log[s])))

    def may_change(self, s: Server) -> bool:
        """The configuration is committed, and so is an entry of the leader's own term."""
        return self.is_settled(s) and self.has_committed_own(s)

    def has_committed_own(self, s: Server) -> bool:
        """Whether the leader has committed an entry of its own term."""
        return self.term_at(s, self.commit_index[s]) == self.term[s]

    def is_allowed(self, s: Server, members: set[Server]) -> bool:
        """One server is added or removed."""
        now = self.members(s)
        return len(now - members) + len(members - now) == 1

    def commit(self, s: Server, i: Index) -> None:
        """A leader that has committed a configuration without itself steps down (section 4.2.2)."""
        super().commit(s, i)
        if self.has_left(s):
            self.role[s] = Role.FOLLOWER

    def has_left(self, s: Server) -> bool:
        """Whether a member knows that a configuration without it is committed: it may be switched off."""
        return not self.is_needed(s) and any(self.is_member_at(s, i) for i in Index if i <= len(self.log[s]))

    # The promise

    @invariant
    def never_stuck(self) -> bool:
        """Some server can be elected, if all can be heard but those that have left."""
        return any(self.may_run(s) and self.is_enough(s, self.supporters(s)) for s in Server)

    def supporters(self, s: Server) -> set[Server]:
        """The servers that are there and would vote for `s`: their logs end no later."""
        last = (self.last_term(s), len(self.log[s]))
        return {v for v in Server if not self.has_left(v) and (self.last_term(v), len(self.log[v])) <= last}

    @reachable
    def added_server_leads(self, s: Server) -> bool:
        """A server that was not there at first can lead."""
        return s not in self.configuration[Term(0)][Index(0)] and s in self.members(s) and self.role[s] == Role.LEADER

    @reachable
    def leader_leaves(self, s: Server) -> bool:
        """A leader can remove itself, and learn that it is done."""
        return s in self.elected[Term(1)] and self.term[s] == 1 and self.has_left(s)


class ChangesBeforeOwnCommit(RaftMembership):
    """A new leader changes the configuration at once: the thesis's rule, before the addition of 2015.

    A leader of term 1 has removed one of four servers, in its own log only. The leader of term 2 knows nothing of it and
    removes another one: with what is left it needs two votes, as the first does with what it has left, and these are
    not the same two.
    """

    expect = violates("election_safety")
    bounds: ClassVar[dict[str, int]] = {"Server": 4, "Term": 3, "Index": 1}

    def may_change(self, s: Server) -> bool:
        return self.is_settled(s)


class ChangesAgainBeforeCommit(RaftMembership):
    """A leader does not wait for the first change to be committed before it makes the second.

    It removes two of three servers one after the other, and commits alone what the two do not know of.
    """

    expect = violates("leader_completeness")
    bounds: ClassVar[dict[str, int]] = {"Index": 3}

    def may_change(self, s: Server) -> bool:
        return self.has_committed_own(s)


class ChangesManyAtOnce(RaftMembership):
    """A leader goes to another configuration of any size in one step.

    Of three servers it removes two, and goes on alone; the two, who have not heard of it, are a majority of three.
    """

    expect = violates("leader_completeness")

    def is_allowed(self, s: Server, members: set[Server]) -> bool:
        return True


class RemovedServerWaits(RaftMembership):
    """A server that its latest configuration leaves out does not run for election.

    The configuration may be uncommitted, and the others' votes go only to the server that has it.
    """

    expect = violates("never_stuck")

    def may_run(self, s: Server) -> bool:
        return s in self.members(s)


class LeaderCountsItself(RaftMembership):
    """A leader counts itself in every majority, also while it commits its own removal.

    It commits it without a majority of those who stay, and leaves. Nobody else has the entry, and nobody can be elected:
    the others still need the vote of the server that has gone, which has the longest log.
    """

    expect = violates("never_stuck")

    def is_enough(self, s: Server, servers: set[Server]) -> bool:
        counted = servers & self.members(s)
        if self.role[s] == Role.LEADER:
            counted |= {s}
        return 2 * len(counted) > len(self.members(s))


class JointConsensus(RaftMembership):
    """Changes of any size, by way of a joint configuration (section 4.3 of the thesis, section 6 of the paper).

    `old` is the half of a joint configuration that is to go, and empty if the configuration is not joint. The condition
    of 2015 is not needed: an abandoned joint configuration cannot win without a majority of the old one.
    """

    omits: ClassVar[tuple[str, ...]] = RaftMembership.omits

    old: dict[Term, dict[Index, set[Server]]]

    def leaving(self, s: Server) -> set[Server]:
        """The old half of the latest configuration."""
        return self.leaving_at(s, Index(len(self.log[s])))

    def leaving_at(self, s: Server, i: Index) -> set[Server]:
        """The old half of the latest configuration in the log up to `i`."""
        j = self.configured_at(s, i)
        return self.old[self.term_at(s, j)][j]

    def is_joint(self, s: Server) -> bool:
        """Whether the latest configuration is a joint one."""
        return len(self.leaving(s)) > 0

    def is_enough(self, s: Server, servers: set[Server]) -> bool:
        """A majority of each half."""
        return super().is_enough(s, servers) and (not self.is_joint(s) or is_majority_of(servers, self.leaving(s)))

    def is_member_at(self, s: Server, i: Index) -> bool:
        return super().is_member_at(s, i) or s in self.leaving_at(s, i)

    def electorate(self, s: Server) -> set[Server]:
        return self.members(s) | self.leaving(s)

    def is_allowed(self, s: Server, members: set[Server]) -> bool:
        return True

    def may_change(self, s: Server) -> bool:
        """The configuration is committed, and not joint."""
        return self.is_settled(s) and not self.is_joint(s)

    def change(self, s: Server, members: set[Server], c: Command) -> None:
        before = set(self.members(s))
        super().change(s, members, c)
        self.old[self.term[s]][Index(len(self.log[s]))] = before

    @action
    def leave_joint(self, s: Server, c: Command) -> None:
        """A leader appends the new configuration alone, when the joint one is committed."""
        require(self.role[s] == Role.LEADER and self.is_joint(s) and self.may_leave_joint(s))
        members = set(self.members(s))
        self.log[s].append(Entry(self.term[s], c))
        self.configuration[self.term[s]][Index(len(self.log[s]))] = members
        self.send_entry(s, Index(len(self.log[s])))

    def may_leave_joint(self, s: Server) -> bool:
        """Both majorities have the joint configuration."""
        return self.is_settled(s)


class LeavesUncommittedJoint(JointConsensus):
    """A leader that finds a joint configuration in its log goes on to the new one at once.

    The new one needs no majority of the old any more, and neither does, from then on, the joint one before it.
    """

    expect = violates("leader_completeness")
    bounds: ClassVar[dict[str, int]] = {"Term": 3, "Index": 2}

    def may_leave_joint(self, s: Server) -> bool:
        return (
            super().may_leave_joint(s) or self.term_at(s, self.configured_at(s, Index(len(self.log[s])))) < self.term[s]
        )


class CountsUnion(JointConsensus):
    """In a joint configuration all votes are counted together.

    A majority of the union may have no majority of the old one in it, which goes on electing leaders by itself.
    """

    expect = violates("election_safety")
    bounds: ClassVar[dict[str, int]] = {"Server": 5, "Term": 2, "Index": 1}

    def is_enough(self, s: Server, servers: set[Server]) -> bool:
        return is_majority_of(servers, self.electorate(s))
