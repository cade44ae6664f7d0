"""Raft's leader election on its own: at most one leader in a term, and a leader in the end if timing is kind.

A follower that misses its leader becomes a candidate of the next term and asks all for their votes. A server gives one
vote in a term, so two candidates cannot both have a majority. The votes can be split so that nobody has one; then a
candidate times out and tries again in a later term. Raft makes it unlikely that this goes on for ever by drawing
timeouts at random. What that achieves is taken as the assumption here: sooner or later (`settle`) one server's timeout
is the shortest, and long enough for messages to go to and fro (section 5.6: broadcast time << election timeout).

*Promise*: election safety always; and from the moment that timing is kind, a leader is elected that nobody has outbid.

The network is the set of all messages ever sent. Logs are left out: see `raft` for them.

Source: Ongaro & Ousterhout 2014, "In Search of an Understandable Consensus Algorithm" (sections 5.2 and 5.6).
"""

from enum import Enum
from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    invariant,
    is_majority,
    leads_to,
    lemma,
    reachable,
    record,
    require,
    violates,
)


class Server(Scalarset, size=3):
    """A member of the cluster."""


class Term(Nat, max=3):
    """Numbers the reigns of leaders; 0 is before the first election."""


class Role(Enum):
    """What a server takes itself for."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


@record
class RequestVote:
    """`candidate` asks all servers for their votes of `term`."""

    term: Term
    candidate: Server


@record
class Vote:
    """`voter` gives `candidate` its vote of `term`."""

    term: Term
    voter: Server
    candidate: Server


class RaftElection(Spec):
    """Leader election without logs: any server may win.

    Not in the paper: `elected` remembers who has won, and `steady` is the server with the shortest timeout, once there
    is one; no server reads them.
    """

    term: dict[Server, Term]
    voted_for: dict[Server, Server | None]
    role: dict[Server, Role]
    network: Network[RequestVote | Vote]

    elected: dict[Term, set[Server]]
    steady: Server | None

    @action(fair="weak", mark="timeout")
    def time_out(self, s: Server) -> None:
        """A server hears of no leader for too long, and becomes a candidate of the next term."""
        require(self.role[s] != Role.LEADER and self.may_time_out(s))
        self.term[s] += 1
        self.role[s] = Role.CANDIDATE
        self.voted_for[s] = s
        self.network.send(RequestVote(self.term[s], s))

    def may_time_out(self, s: Server) -> bool:
        """At any time; when timing is kind, only the steady server may, after its messages have been to and fro."""
        if self.steady is None:
            return True
        return self.steady == s and not self.is_under_way() and not self.may_win(s)

    def is_under_way(self) -> bool:
        """Whether a request for a vote has still to reach a server that it has news for."""
        return any(self.is_news(v, RequestVote(t, c)) for t in Term for c in Server for v in Server if v != c)

    def is_news(self, v: Server, m: RequestVote) -> bool:
        """Whether a message on the wire is of a later term than the server, or can have its vote."""
        if m not in self.network:
            return False
        return m.term > self.term[v] or (m.term == self.term[v] and self.voted_for[v] is None)

    @action(fair="weak")
    def handle_request(self, s: Server, m: RequestVote) -> None:
        """A server votes for the first candidate of a term that asks; a later term makes it a follower."""
        require(m in self.network and m.candidate != s and self.is_news(s, m))
        self.network.receive(m)
        self.term[s] = m.term
        self.role[s] = Role.FOLLOWER
        self.voted_for[s] = m.candidate
        self.network.send(Vote(m.term, s, m.candidate))

    @action(fair="weak")
    def win(self, s: Server) -> None:
        """A candidate with the votes of a majority, its own included, is the leader."""
        require(self.may_win(s))
        for v in Server:
            if Vote(self.term[s], v, s) in self.network:
                self.network.receive(Vote(self.term[s], v, s))
        self.role[s] = Role.LEADER
        self.elected[self.term[s]].add(s)

    def may_win(self, s: Server) -> bool:
        """Whether it is a candidate, and enough votes for it in its term are on the wire."""
        votes = {v for v in Server if v == s or Vote(self.term[s], v, s) in self.network}
        return self.role[s] == Role.CANDIDATE and is_majority(votes, Server)

    @action(mark="restart")
    def restart(self, s: Server) -> None:
        """A leader crashes, and comes back as a follower with its term and its vote, which are on disk.

        The crash of a follower changes nothing, and a candidate may as well never win.
        """
        require(self.role[s] == Role.LEADER and self.steady is None)
        self.role[s] = Role.FOLLOWER

    @action(mark="heal")
    def settle(self, s: Server) -> None:
        """From now on timing is kind, and this server's timeout is the shortest."""
        require(self.steady is None)
        self.steady = s

    @invariant
    def election_safety(self, t: Term, a: Server, b: Server) -> bool:
        """At most one leader is elected in a term."""
        return a == b or not (a in self.elected[t] and b in self.elected[t])

    # Why it is so

    @lemma
    def requests_bind(self, t: Term, s: Server) -> bool:
        """Whoever has asked for votes in a term has entered it, and votes for itself there."""
        if RequestVote(t, s) not in self.network:
            return True
        return self.term[s] >= t and (self.term[s] > t or self.voted_for[s] == s)

    @lemma
    def votes_bind(self, t: Term, v: Server, c: Server) -> bool:
        """Whoever has voted in a term has entered it, votes for nobody else there, and does not run itself."""
        if Vote(t, v, c) not in self.network:
            return True
        bound = self.term[v] >= t and (self.term[v] > t or self.voted_for[v] == c)
        return bound and v != c and RequestVote(t, v) not in self.network

    @lemma
    def one_vote_per_term(self, t: Term, v: Server, a: Server, b: Server) -> bool:
        """A server votes for one candidate in a term."""
        return a == b or Vote(t, v, a) not in self.network or Vote(t, v, b) not in self.network

    @lemma
    def candidates_have_asked(self, s: Server) -> bool:
        """A candidate has asked for votes in its term."""
        return self.role[s] != Role.CANDIDATE or RequestVote(self.term[s], s) in self.network

    @lemma
    def elected_by_majority(self, t: Term, s: Server) -> bool:
        """Whoever was elected has asked for votes, and has those of a majority, its own among them."""
        if s not in self.elected[t]:
            return True
        votes = {v for v in Server if v == s or Vote(t, v, s) in self.network}
        return RequestVote(t, s) in self.network and is_majority(votes, Server)

    @leads_to
    def leader_elected(self) -> tuple[bool, bool]:
        """Once timing is kind, there is a leader whose term nobody has passed.

        It is asked of states in which one more term is left within the bound: the election that follows may need it."""
        kind = self.steady is not None and all(self.term[s] < Term.bound for s in Server)
        return kind, any(
            self.role[a] == Role.LEADER and all(self.term[b] <= self.term[a] for b in Server) for a in Server
        )

    @reachable
    def split_vote(self, t: Term) -> bool:
        """All servers can vote for themselves in one term."""
        return all(self.role[s] == Role.CANDIDATE and self.term[s] == t > 0 for s in Server)

    @reachable
    def two_leaders(self, a: Server, b: Server) -> bool:
        """A deposed leader that does not know it yet and its successor can lead at one time, in different terms."""
        return self.role[a] == self.role[b] == Role.LEADER and self.term[a] < self.term[b]


class ForgetsVote(RaftElection):
    """A server keeps its vote in memory only. After a restart it votes again in the same term.

    Two candidates get its vote, and with it each a majority: two leaders in one term.
    """

    expect = violates("election_safety")
    bounds: ClassVar[dict[str, int]] = {"Term": 1}
    omits = ("two_leaders",)

    def restart(self, s: Server) -> None:
        self.role[s] = Role.FOLLOWER
        self.voted_for[s] = None


class CandidateWaits(RaftElection):
    """Only followers time out: a candidate waits for the outcome of its election.

    When the votes are split there is no outcome, and nobody starts another election: no leader, for ever.
    """

    expect = violates("leader_elected")
    bounds: ClassVar[dict[str, int]] = {"Term": 2}

    def time_out(self, s: Server) -> None:
        require(self.role[s] == Role.FOLLOWER)
        super().time_out(s)
