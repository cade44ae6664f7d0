"""Paxos: a group of processes chooses one value, whatever messages are lost and whoever fails.

A value is chosen when a quorum of acceptors has voted for it in one ballot. A proposer first takes a ballot number and
collects promises from a quorum: no more votes in lower ballots, and here is my last vote (phase 1). Any quorum of votes
in a lower ballot has a member among those that promised, so a value that was chosen there, or still can be, is
reported; the proposer takes over the one with the highest ballot, and asks for votes (phase 2). That is all: agreement
needs no clocks and no leader, only quorums that meet and acceptors that remember.

*Promise*, to the clients: at most one value is ever chosen, it is one that a client asked for, and a learner learns no
other. Not promised: that a value is chosen. Two proposers can outbid each other for ever (section 2.4).

The network is the set of all messages ever sent: any of them may arrive late, repeatedly, or never, and so a process
that has crashed is one that does nothing.

Sources: Lamport 2001, "Paxos Made Simple" (the sections named below); Lamport 1998, "The Part-Time Parliament"; Howard,
Malkhi & Spiegelman 2016, "Flexible Paxos: Quorum Intersection Revisited".
"""

from typing import ClassVar

from quorate import (
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    is_majority,
    is_quorum,
    lemma,
    reachable,
    record,
    require,
    violates,
)


class Ballot(Ordered, size=3):
    """A numbered attempt to get a value chosen.

    Different proposers take their numbers from disjoint sets (section 2.2), and a proposer carries nothing from one
    attempt to the next. So a ballot stands for the proposer that runs it, and has a lane of its own in pictures.
    """


class Acceptor(Scalarset, size=3):
    """Remembers promises and votes. What it remembers survives a crash."""


class Learner(Scalarset, size=2):
    """Wants to know the chosen value."""


class Value(Scalarset, size=2):
    """What a client asks for."""


@record
class Prepare:
    """Phase 1a: the proposer of `ballot` asks for promises."""

    ballot: Ballot


@record
class Vote:
    """An acceptor's vote for `value` in `ballot`."""

    ballot: Ballot
    value: Value


@record
class Promise:
    """Phase 1b: `acceptor` will ignore all ballots below `ballot`; `accepted` is its last vote."""

    acceptor: Acceptor
    ballot: Ballot
    accepted: Vote | None


@record
class Accept:
    """Phase 2a: the proposer of `ballot` asks for votes for `value`."""

    ballot: Ballot
    value: Value


@record
class Accepted:
    """Phase 2b: `acceptor` has voted for `value` in `ballot`."""

    acceptor: Acceptor
    ballot: Ballot
    value: Value


class Paxos(Spec):
    """The single-decree protocol ("the Synod"), with majorities as quorums."""

    lanes = (Ballot, Acceptor, Learner)

    requested: set[Value]
    promised: dict[Acceptor, Ballot | None]
    accepted: dict[Acceptor, Vote | None]
    learned: dict[Learner, Value | None]
    network: Network[Prepare | Promise | Accept | Accepted]

    # What a quorum is

    def phase_one(self, acceptors: set[Acceptor]) -> bool:
        """Whether promises from these are enough."""
        return is_majority(acceptors, Acceptor)

    def phase_two(self, acceptors: set[Acceptor]) -> bool:
        """Whether votes from these choose a value."""
        return is_majority(acceptors, Acceptor)

    # The protocol

    @init
    def ask(self, values: set[Value]) -> None:
        """Clients ask for some values, at the start: a proposer may wait for as long as it likes."""
        self.requested = values

    @action
    def prepare(self, b: Ballot) -> None:
        """Phase 1a: a proposer takes a new number."""
        require(Prepare(b) not in self.network)
        self.network.send(Prepare(b))

    @action
    def promise(self, a: Acceptor, m: Prepare) -> None:
        """Phase 1b: an acceptor answers a number higher than any it has promised."""
        require(m in self.network)
        highest = self.promised[a]
        require(highest is None or m.ballot > highest)
        self.keep_promise(a, m.ballot)
        self.network.send(Promise(a, m.ballot, self.accepted[a]))

    def keep_promise(self, a: Acceptor, b: Ballot) -> None:
        """Write the promise to stable storage."""
        self.promised[a] = b

    @action
    def propose(self, b: Ballot, q: set[Acceptor], v: Value) -> None:
        """Phase 2a: with the promises of the quorum `q`, the proposer asks for votes, once."""
        require(v in self.requested and self.phase_one(q) and self.may_propose(b))
        promises = {m for m in self.network if isinstance(m, Promise) and m.ballot == b and m.acceptor in q}
        require(all(any(m.acceptor == a for m in promises) for a in q))
        require(self.is_safe(v, promises))
        for m in promises:
            self.network.receive(m)
        self.network.send(Accept(b, v))

    def may_propose(self, b: Ballot) -> bool:
        """A ballot has one value: its proposer remembers that it has asked for votes."""
        return not any(Accept(b, v) in self.network for v in Value)

    def is_safe(self, v: Value, promises: set[Promise]) -> bool:
        """Of all votes that the promises report, `v` has the highest ballot's; without votes, any value will do."""
        votes = {m.accepted for m in promises if m.accepted is not None}
        return len(votes) == 0 or any(
            vote.value == v and all(other.ballot <= vote.ballot for other in votes) for vote in votes
        )

    @action
    def accept(self, a: Acceptor, m: Accept) -> None:
        """Phase 2b: an acceptor votes, unless it has promised a higher number."""
        require(m in self.network)
        highest = self.promised[a]
        require(highest is None or m.ballot >= highest)
        require(self.accepted[a] != Vote(m.ballot, m.value))
        self.promised[a] = m.ballot
        self.accepted[a] = Vote(m.ballot, m.value)
        self.network.send(Accepted(a, m.ballot, m.value))

    @action
    def learn(self, k: Learner, b: Ballot, v: Value) -> None:
        """A learner hears of enough votes (section 2.3)."""
        require(self.learned[k] is None)
        require(self.chosen(b, v))
        for a in self.voters(b, v):
            self.network.receive(Accepted(a, b, v))
        self.learned[k] = v

    def voters(self, b: Ballot, v: Value) -> set[Acceptor]:
        """The acceptors that have voted for `v` in `b`."""
        return {a for a in Acceptor if Accepted(a, b, v) in self.network}

    def chosen(self, b: Ballot, v: Value) -> bool:
        """Whether `v` is chosen in `b`."""
        return self.phase_two(self.voters(b, v))

    # The promise

    @invariant
    def one_value_chosen(self, b: Ballot, v: Value, c: Ballot, w: Value) -> bool:
        """At most one value is chosen, whatever the ballots."""
        return v == w or not (self.chosen(b, v) and self.chosen(c, w))

    @invariant
    def learners_agree(self, k: Learner, other: Learner) -> bool:
        """No two learners learn different values."""
        return self.learned[k] is None or self.learned[other] is None or self.learned[k] == self.learned[other]

    @invariant
    def only_requested_values(self, b: Ballot, v: Value) -> bool:
        """A chosen value is one that a client asked for."""
        return not self.chosen(b, v) or v in self.requested

    # Why it is so (section 2.2, and Lamport 1998, section 5)

    @lemma
    def votes_follow_proposals(self, a: Acceptor, b: Ballot, v: Value) -> bool:
        """An acceptor votes only for what its ballot's proposer has asked for."""
        return Accepted(a, b, v) not in self.network or Accept(b, v) in self.network

    @lemma
    def one_proposal_per_ballot(self, b: Ballot, v: Value, w: Value) -> bool:
        """A ballot's proposer asks for one value, which a client has asked for."""
        if Accept(b, v) not in self.network:
            return True
        return v in self.requested and (v == w or Accept(b, w) not in self.network)

    @lemma
    def last_vote_was_sent(self, a: Acceptor) -> bool:
        """What an acceptor remembers as its last vote, it has sent."""
        last = self.accepted[a]
        return last is None or Accepted(a, last.ballot, last.value) in self.network

    @lemma
    def last_vote_is_highest(self, a: Acceptor, b: Ballot, v: Value) -> bool:
        """An acceptor has not voted above its last vote, nor above its promise."""
        if Accepted(a, b, v) not in self.network:
            return True
        last, highest = self.accepted[a], self.promised[a]
        return last is not None and b <= last.ballot and highest is not None and last.ballot <= highest

    @lemma
    def promises_are_kept(self, m: Promise) -> bool:
        """Whoever has promised a ballot has promised no less since, and reported a vote in a lower ballot that it had sent."""
        if m not in self.network:
            return True
        highest, vote = self.promised[m.acceptor], m.accepted
        if highest is None or highest < m.ballot:
            return False
        return vote is None or (
            vote.ballot < m.ballot and Accepted(m.acceptor, vote.ballot, vote.value) in self.network
        )

    @lemma
    def no_vote_after_report(self, m: Promise, c: Ballot, v: Value) -> bool:
        """Between the vote that a promise reports and the ballot that it promises, the acceptor has not voted."""
        if m not in self.network or c >= m.ballot or Accepted(m.acceptor, c, v) not in self.network:
            return True
        return m.accepted is not None and c <= m.accepted.ballot

    @lemma
    def proposals_are_safe(self, b: Ballot, v: Value, c: Ballot, w: Value) -> bool:
        """When a value is proposed, no other one can be chosen below: enough acceptors will never vote for it there."""
        return not (Accept(b, v) in self.network and c < b and v != w) or self.phase_one(self.lost_for(c, w))

    def lost_for(self, c: Ballot, w: Value) -> set[Acceptor]:
        """The acceptors that have not voted for `w` in `c` and, having promised more, never will."""
        return {a for a in Acceptor if self.has_promised_above(a, c) and Accepted(a, c, w) not in self.network}

    def has_promised_above(self, a: Acceptor, c: Ballot) -> bool:
        """Whether an acceptor will ignore ballot `c` from now on."""
        highest = self.promised[a]
        return highest is not None and highest > c

    @lemma
    def learned_is_chosen(self, k: Learner) -> bool:
        """A learner has learned a chosen value."""
        value = self.learned[k]
        return value is None or any(self.chosen(b, value) for b in Ballot)

    @reachable
    def everyone_learns(self) -> bool:
        """All learners can learn a value."""
        return all(self.learned[k] is not None for k in Learner)

    @reachable
    def chosen_twice(self, b: Ballot, c: Ballot, v: Value) -> bool:
        """A later proposer can find the chosen value and have it chosen again."""
        return b < c and self.chosen(b, v) and self.chosen(c, v)

    @reachable
    def outbid(self, b: Ballot, c: Ballot, v: Value, w: Value) -> bool:
        """A proposal can come too late, after a majority has gone on to another value's ballot."""
        return b < c and v != w and Accept(b, v) in self.network and self.chosen(c, w)


class FlexiblePaxos(Paxos):
    """Flexible quorums (Howard, Malkhi & Spiegelman 2016): only a quorum of promises must meet every quorum of votes.

    With four acceptors, three promises and two votes are enough, where majorities are three and three.
    """

    bounds: ClassVar[dict[str, int]] = {"Acceptor": 4, "Ballot": 2, "Learner": 1}

    phase_one_size: ClassVar[int] = 3
    phase_two_size: ClassVar[int] = 2

    def phase_one(self, acceptors: set[Acceptor]) -> bool:
        return is_quorum(acceptors, self.phase_one_size, Acceptor)

    def phase_two(self, acceptors: set[Acceptor]) -> bool:
        return is_quorum(acceptors, self.phase_two_size, Acceptor)


class FlexibleQuorumsMiss(FlexiblePaxos):
    """Two promises and two votes of four acceptors need not have an acceptor in common.

    The second proposer collects its promises where nobody votes, hears nothing of the value that is being chosen, and
    has another one chosen.
    """

    expect = violates("one_value_chosen")

    phase_one_size: ClassVar[int] = 2


class HalfIsEnough(Paxos):
    """Half of the acceptors, not more than half, count as a quorum: two quorums can be disjoint.

    With two acceptors, each proposer wins the vote of its own one, as the two sides of a partition would.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Acceptor": 2, "Ballot": 2, "Learner": 1}

    def phase_one(self, acceptors: set[Acceptor]) -> bool:
        return 2 * len(acceptors) >= len(Acceptor)

    def phase_two(self, acceptors: set[Acceptor]) -> bool:
        return 2 * len(acceptors) >= len(Acceptor)


class ForgetsPromise(Paxos):
    """An acceptor keeps its promise in memory only, and a restart loses it.

    It then votes for an old proposal that the newer proposer, which relied on the promise, could not know of: both get
    chosen.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Ballot": 2, "Learner": 1}

    @action(mark="restart")
    def restart(self, a: Acceptor) -> None:
        """An acceptor crashes and comes back with what was on its disk: its vote, but not its promise."""
        require(self.promised[a] is not None)
        self.promised[a] = None


class IgnoresVotes(Paxos):
    """The proposer proposes the value it likes, whatever votes the promises report.

    An earlier ballot may have chosen another value already; the promises said so.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Ballot": 2, "Learner": 1}

    def is_safe(self, v: Value, promises: set[Promise]) -> bool:
        return True


class AnyReportedVote(Paxos):
    """The proposer takes over some reported value instead of the one with the highest ballot.

    Votes of an abandoned ballot survive beside those of a later one that chose a value: the older value is proposed
    again.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Learner": 1}

    def is_safe(self, v: Value, promises: set[Promise]) -> bool:
        votes = {m.accepted for m in promises if m.accepted is not None}
        return len(votes) == 0 or any(vote.value == v for vote in votes)


class BallotUsedTwice(Paxos):
    """A proposer forgets that it has already asked for votes, and proposes a second value under the same number.

    A number must be used once, whether by two proposers or by one that restarts: both values can get votes in one
    ballot.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Ballot": 1, "Learner": 1}

    def may_propose(self, b: Ballot) -> bool:
        return True
