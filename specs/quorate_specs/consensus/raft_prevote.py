"""Pre-votes in Raft: who cannot win does not disturb the one who leads.

A server that hears no leader runs for election in a new term, and a new term deposes whoever led the one before. That
is as it should be when the leader is gone. But it may be the server that is gone: it was removed from the cluster and
gets no heartbeats any more, or it was cut off for a while and comes back. It cannot win, and with each attempt it
deposes a leader that all others hear.

So a server first asks whether it would get the votes (`PreVote`), and enters the new term only when a majority says
yes. A server that has heard a leader within the shortest election timeout says no, and ignores requests for real votes
too. To compare logs alone would not do: between a change of the configuration and its arrival on the others, the
server that was removed has a log as good as theirs (section 4.2.3).

*Promise*: election safety, as in `raft_election`; while a majority hears a leader, nobody enters a later term to run,
and no earlier candidate deposes it; and from the moment that timing is kind, there is such a leader in the end.

Elections are those of `raft_election`, without logs. `members` are the servers of the configuration; the others were
removed, do not know it, and get no heartbeats. `hears` holds those that have heard the leader of their term within the
shortest timeout, itself among them. Pre-votes are counted where the voters are: they promise nothing, and a late one
is as good as a new one.

As others met it:

- adsharma/raft 10, canonical/raft 137 and willemt/raft 58: a server that was removed, or demoted, asks for votes and
  deposes the leader (`ListensToAll`).
- eBay/Gringofts 115: a server that was cut off comes back with a later term, and an election follows (`NoPreVote`).
- canonical/raft 196: the leader is not forgotten when its heartbeats cease (`RemembersLeader`).
- canonical/raft 279: a server with an old term is refused for it, does not learn of the newer one, and the others
  cannot win without it (`KeepsOldTerm`).

Source: Ongaro 2014, "Consensus: Bridging Theory and Practice" (sections 4.2.3 and 9.6).
"""

from typing import ClassVar, Self

from quorate import action, init, reachable, require, step, violates

from quorate_specs.consensus.raft_election import RaftElection, RequestVote, Role, Server, Term, Vote


def is_majority_of(servers: set[Server], members: set[Server]) -> bool:
    """Whether more than half of the members are among the servers."""
    return 2 * len(servers & members) > len(members)


class RaftPrevote(RaftElection):
    """Elections with pre-votes, and heartbeats of a leader."""

    bounds: ClassVar[dict[str, int]] = {"Term": 2}
    omits: ClassVar[tuple[str, ...]] = ("elected_by_majority", "candidates_have_asked", "split_vote")

    members: set[Server]
    hears: set[Server]

    @init
    def remove(self, members: set[Server]) -> None:
        """All servers are members, or one was removed and does not know it."""
        require(len(members) >= len(Server) - 1)
        self.members = members

    def configuration(self, s: Server) -> set[Server]:
        """The configuration that a server knows: that of before, if it was removed."""
        return self.members if s in self.members else set(Server)

    def may_win(self, s: Server) -> bool:
        votes = {v for v in Server if v == s or Vote(self.term[s], v, s) in self.network}
        return self.role[s] == Role.CANDIDATE and is_majority_of(votes, self.configuration(s))

    # Who hears a leader

    @action(fair="weak")
    def heartbeat(self, leader: Server, s: Server) -> None:
        """A server of the leader's configuration hears it, if it knows of no later term."""
        require(self.role[leader] == Role.LEADER and s != leader and s in self.configuration(leader))
        require(self.term[s] < self.term[leader] or (self.term[s] == self.term[leader] and s not in self.hears))
        if self.term[s] < self.term[leader]:
            self.term[s] = self.term[leader]
            self.voted_for[s] = None
        self.role[s] = Role.FOLLOWER
        self.hears.add(s)

    @action(fair="weak", mark="timeout")
    def miss(self, s: Server) -> None:
        """No heartbeat comes for as long as the shortest timeout; when timing is kind, because nobody leads."""
        require(s in self.hears and (self.steady is None or not self.has_leader(s)))
        self.hears.remove(s)

    def has_leader(self, s: Server) -> bool:
        """Whether there is a leader of the server's term that it can hear."""
        return any(
            self.role[a] == Role.LEADER and self.term[a] == self.term[s] and s in self.configuration(a) for a in Server
        )

    def is_heard(self, a: Server) -> bool:
        """Whether a majority hears this leader, itself included."""
        hearers = {v for v in Server if v == a or (v in self.hears and self.term[v] == self.term[a])}
        return self.role[a] == Role.LEADER and is_majority_of(hearers, self.configuration(a))

    def is_content(self, v: Server) -> bool:
        """Whether a server wants no election: it hears a leader, or leads and is heard."""
        return v in self.hears or self.is_heard(v)

    @action(mark="loss")
    def lose(self, m: RequestVote | Vote) -> None:
        """Before timing is kind, a message may be lost for good."""
        require(m in self.network and self.steady is None)
        self.network.drop(m)

    # Elections

    def may_time_out(self, s: Server) -> bool:
        """A server that hears no leader runs, if a majority says that it would vote for it.

        When timing is kind, the others wait until the steady server's election is over.
        """
        if s in self.hears or not self.would_win(s):
            return False
        return super().may_time_out(s) or (self.steady is not None and s not in self.members and self.is_led())

    def would_win(self, s: Server) -> bool:
        """Pre-vote: a majority would vote for the server in its next term (section 9.6)."""
        return is_majority_of({v for v in Server if v == s or self.would_vote(v, s)}, self.configuration(s))

    def would_vote(self, v: Server, s: Server) -> bool:
        """The voter hears no leader, and the next term of `s` is news to it."""
        return not self.is_content(v) and self.term[s] + 1 > self.term[v]

    @action(fair="weak")
    def learn_term(self, s: Server, v: Server) -> None:
        """A server whose pre-vote is refused enters the later term that the refusal tells."""
        require(self.role[s] != Role.LEADER and s not in self.hears and self.may_learn(s, v))
        self.term[s] = self.term[v]
        self.voted_for[s] = None
        self.role[s] = Role.FOLLOWER

    def may_learn(self, s: Server, v: Server) -> bool:
        """Whether the voter knows of a later term."""
        return self.term[s] < self.term[v]

    def handle_request(self, s: Server, m: RequestVote) -> None:
        """Whoever is content with its leader ignores the request, and its term (section 4.2.3)."""
        require(self.listens(s))
        super().handle_request(s, m)

    def listens(self, s: Server) -> bool:
        """Whether a server pays heed to candidates."""
        return not self.is_content(s)

    def settle(self, s: Server) -> None:
        require(s in self.members)
        super().settle(s)

    # The promise

    def is_led(self) -> bool:
        """Whether some leader is heard."""
        return any(self.is_heard(a) for a in Server)

    @step
    def leader_stays(self, old: Self, a: Server) -> bool:
        """A member that leads, and that a majority hears, is not deposed by a candidate of a later term."""
        return a not in self.members or not old.is_heard(a) or self.term[a] == old.term[a]

    @step
    def nobody_runs_in_vain(self, old: Self, s: Server) -> bool:
        """Nobody enters a later term as a candidate while a majority hears a member that leads."""
        led = any(old.is_heard(a) for a in self.members)
        return not led or self.role[s] != Role.CANDIDATE or self.term[s] == old.term[s]

    def leader_elected(self) -> tuple[bool, bool]:
        """Once timing is kind, some leader is heard.

        It is asked of states in which one more term is left within the bound: the election that follows may need it."""
        return self.steady is not None and all(self.term[s] < Term.bound for s in Server), self.is_led()

    @reachable
    def removed_server_in_vain(self, s: Server, a: Server) -> bool:
        """A server that was removed can want to run, while all others hear their leader."""
        waits = s not in self.members and s not in self.hears and self.role[s] == Role.FOLLOWER
        return waits and self.is_heard(a) and a in self.members and self.term[s] == self.term[a]


class ListensToAll(RaftPrevote):
    """A server enters the later term of any candidate that asks for its vote, though it hears a leader.

    The server that was removed had its pre-votes before there was a leader. It cannot win, and deposes the one that the
    members hear.
    """

    expect = violates("leader_stays")

    def remove(self, members: set[Server]) -> None:
        require(len(members) < len(Server))
        super().remove(members)

    def listens(self, s: Server) -> bool:
        return True


class NoPreVote(RaftPrevote):
    """A server runs as soon as it hears no leader.

    If it was removed, or its heartbeats were late, its term goes up and up, and a leader whose heartbeat it refuses for
    an old term has to step down.
    """

    expect = violates("nobody_runs_in_vain")

    def would_win(self, s: Server) -> bool:
        return True


class PreVoteByLogs(RaftPrevote):
    """A pre-vote looks at terms and logs only, not at whether the voter hears a leader.

    The server that was removed has all entries but the one that removes it, and one whose heartbeat is late has them
    all: both are told to run, against a leader that others hear.
    """

    expect = violates("nobody_runs_in_vain")

    def would_vote(self, v: Server, s: Server) -> bool:
        return self.term[s] + 1 > self.term[v]


class KeepsOldTerm(RaftPrevote):
    """A refusal does not tell the voter's term, or the candidate does not enter it.

    The server whose timeout is the shortest goes on to ask for an old term, and everybody goes on to refuse.
    """

    expect = violates("leader_elected")

    def may_learn(self, s: Server, v: Server) -> bool:
        return False


class RemembersLeader(RaftPrevote):
    """A voter says no if it knows a leader of its term, not only if it has heard it lately.

    After the leader's crash nobody gets a pre-vote any more.
    """

    expect = violates("leader_elected")

    def has_leader(self, s: Server) -> bool:
        return True
