"""Fast Paxos: clients send their values straight to the acceptors, and a value is chosen one message earlier.

A *fast* ballot begins as any other, with promises. If they leave the choice open, the proposer sends, in place of a
value, the message "any": each acceptor may now vote for whatever a client asks of it, for the first such value only.
Acceptors may hear different clients first. Then perhaps no value has enough votes (a collision), and a later ballot
has to find out which value may have been chosen, from votes for several values in one ballot. So a fast quorum is
larger: any two fast quorums and any quorum of promises have an acceptor in common. Then at most one of the reported
values can still have been chosen, and the proposer takes that one (the rule O4).

*Promise*: that of `paxos`; at most one value is ever chosen, by votes of whichever kind of ballot.

After a collision the proposer of the next ballot may take the votes of the fast ballot as promises, and go to phase 2
at once (coordinated recovery, section 3.2): an acceptor votes once in a ballot, and there is no ballot between.

Phase 1 and classic ballots are those of `paxos`. Which ballots are fast is fixed from the beginning, at will. With
four acceptors both kinds of quorum have three; with five they have three and four. Left out: uncoordinated recovery, in
which acceptors work out the next ballot's value themselves. Agreement is proven for any number of acceptors, ballots
and values, and for fast quorums of any size of which two and a majority have an acceptor in common.

As others met it:

- efficient/epaxos 10 and openacid/celeritasdb 24: a command is committed on the fast path with a bare majority, and
  the recovery cannot tell which of two was (`FastQuorumOfMajority`).
- efficient/epaxos 28: a replica answers on the fast path before its vote is on disk, and votes again after a restart
  (`VotesTwice`).

Sources: Lamport 2006, "Fast Paxos" (Distributed Computing 19; the sections named below); Zhao 2015, "Fast Paxos Made
Easy", for the rule by counting.
"""

from typing import ClassVar

from quorate import Network, action, init, is_quorum, lemma, reachable, record, require, violates

from quorate_specs.consensus.paxos import Accept, Accepted, Acceptor, Ballot, Paxos, Prepare, Promise, Value, Vote


@record
class AcceptAny:
    """Phase 2a of a fast ballot: the acceptors may vote for any value that a client asks for."""

    ballot: Ballot


class FastPaxos(Paxos):
    """Fast and classic ballots, with coordinated recovery."""

    bounds: ClassVar[dict[str, int]] = {"Acceptor": 4, "Ballot": 2, "Learner": 1}
    omits: ClassVar[tuple[str, ...]] = ("ask",)

    because: ClassVar[dict[str, tuple[str, ...]]] = {
        "one_value_chosen": (
            *("votes_once", "votes_follow_proposals", "one_proposal_per_ballot"),
            *("proposals_are_safe", "open_ballots_are_safe"),
        ),
        "proposals_are_safe": (
            *(
                "open_ballots_are_safe",
                "open_ballots_are_fast",
                "promises_are_kept",
                "no_vote_after_report",
                "votes_once",
            ),
            *("votes_follow_proposals", "one_proposal_per_ballot", "last_vote_was_sent", "last_vote_is_highest"),
        ),
        "open_ballots_are_safe": (
            *("proposals_are_safe", "open_ballots_are_fast", "promises_are_kept", "no_vote_after_report", "votes_once"),
            *("votes_follow_proposals", "one_proposal_per_ballot", "last_vote_was_sent", "last_vote_is_highest"),
        ),
    }

    fast_size: ClassVar[int] = 3

    fast: set[Ballot]
    invitations: Network[AcceptAny]

    @init
    def plan(self, values: set[Value], fast: set[Ballot]) -> None:
        """Clients ask for some values, and some ballots are fast."""
        self.requested = values
        self.fast = fast

    def is_fast_quorum(self, acceptors: set[Acceptor]) -> bool:
        """Whether votes from these choose a value in a fast ballot (section 2.2)."""
        return is_quorum(acceptors, self.fast_size, Acceptor)

    def chosen(self, b: Ballot, v: Value) -> bool:
        return self.is_fast_quorum(self.voters(b, v)) if b in self.fast else super().chosen(b, v)

    # Fast ballots

    @action
    def open_ballot(self, b: Ballot, q: set[Acceptor]) -> None:
        """Phase 2a: with promises that leave the choice open, the proposer of a fast ballot lets the acceptors choose."""
        require(b in self.fast and self.phase_one(q) and self.may_propose(b))
        promises = {m for m in self.network if isinstance(m, Promise) and m.ballot == b and m.acceptor in q}
        require(all(any(m.acceptor == a for m in promises) for a in q))
        require(self.is_open(promises))
        for m in promises:
            self.network.receive(m)
        self.invitations.send(AcceptAny(b))

    def is_open(self, promises: set[Promise]) -> bool:
        """Whether any value is safe."""
        return len(self.forced(promises)) == 0

    def may_propose(self, b: Ballot) -> bool:
        return super().may_propose(b) and AcceptAny(b) not in self.invitations

    @action
    def accept_any(self, a: Acceptor, m: AcceptAny, v: Value) -> None:
        """Phase 2b of a fast ballot: an acceptor votes for the first value that it hears of."""
        require(m in self.invitations and v in self.requested and self.may_vote(a, m.ballot))
        self.invitations.receive(m)
        self.promised[a] = m.ballot
        self.accepted[a] = Vote(m.ballot, v)
        self.network.send(Accepted(a, m.ballot, v))

    def may_vote(self, a: Acceptor, b: Ballot) -> bool:
        """The acceptor has promised no higher ballot, and has not voted in this one."""
        highest, last = self.promised[a], self.accepted[a]
        return (highest is None or b >= highest) and (last is None or last.ballot < b)

    # Which values are safe (section 2.2, figure 1)

    def is_safe(self, v: Value, promises: set[Promise]) -> bool:
        forced = self.forced(promises)
        return len(forced) == 0 or v in forced

    def forced(self, promises: set[Promise]) -> set[Value]:
        """The values of which one may have been chosen, and has to be proposed; if there is none, any is safe."""
        votes = {m.accepted for m in promises if m.accepted is not None}
        last = {x for x in votes if x.ballot == max(y.ballot for y in votes)}
        return {x.value for x in last if all(y == x for y in last) or self.may_have_won(x, promises)}

    def may_have_won(self, x: Vote, promises: set[Promise]) -> bool:
        """The rule O4: with all that were not heard, those that gave this vote are a fast quorum."""
        return self.is_fast_quorum({a for a in Acceptor if all(m.acceptor != a or m.accepted == x for m in promises)})

    # Coordinated recovery (section 3.2)

    @action
    def recover(self, c: Ballot, b: Ballot, q: set[Acceptor], v: Value) -> None:
        """After a collision in `b`, the proposer of the next ballot takes the votes of a quorum for promises."""
        require(v in self.requested and b in self.fast and self.is_next(b, c) and self.phase_one(q))
        require(self.may_propose(c))
        votes = {m for m in self.network if isinstance(m, Accepted) and m.ballot == b and m.acceptor in q}
        require(all(any(m.acceptor == a for m in votes) for a in q))
        require(self.is_safe(v, {Promise(m.acceptor, c, Vote(b, m.value)) for m in votes}))
        for m in votes:
            self.network.receive(m)
        self.network.send(Accept(c, v))

    def is_next(self, b: Ballot, c: Ballot) -> bool:
        """Whether there is no ballot between."""
        return b < c and not any(b < d < c for d in Ballot)

    # Why it is so: the lemmas of `paxos`, and what is different

    @lemma
    def votes_follow_proposals(self, a: Acceptor, b: Ballot, v: Value) -> bool:
        """An acceptor votes only for what a client has asked for, and its ballot's proposer too, unless that has left it open."""
        if Accepted(a, b, v) not in self.network:
            return True
        return v in self.requested and (Accept(b, v) in self.network or AcceptAny(b) in self.invitations)

    @lemma
    def one_proposal_per_ballot(self, b: Ballot, v: Value, w: Value) -> bool:
        """A ballot's proposer asks for one value, which a client has asked for, or for any."""
        if Accept(b, v) not in self.network:
            return True
        asked_once = v == w or Accept(b, w) not in self.network
        return v in self.requested and AcceptAny(b) not in self.invitations and asked_once

    @lemma
    def open_ballots_are_fast(self, b: Ballot) -> bool:
        """Only fast ballots are left open."""
        return AcceptAny(b) not in self.invitations or b in self.fast

    @lemma
    def votes_once(self, a: Acceptor, b: Ballot, v: Value, w: Value) -> bool:
        """An acceptor votes for one value in a ballot."""
        return v == w or Accepted(a, b, v) not in self.network or Accepted(a, b, w) not in self.network

    @lemma
    def proposals_are_safe(self, b: Ballot, v: Value, c: Ballot, w: Value) -> bool:
        """When a value is proposed, no other one can be chosen below."""
        return Accept(b, v) not in self.network or c >= b or v == w or not self.may_be_chosen(c, w)

    @lemma
    def open_ballots_are_safe(self, b: Ballot, c: Ballot, w: Value) -> bool:
        """When a ballot is left open, no value can be chosen below."""
        return AcceptAny(b) not in self.invitations or c >= b or not self.may_be_chosen(c, w)

    def may_be_chosen(self, b: Ballot, v: Value) -> bool:
        """Whether enough acceptors have voted for a value in a ballot or still may."""
        supporters = {a for a in Acceptor if Accepted(a, b, v) in self.network or self.may_vote(a, b)}
        return self.is_fast_quorum(supporters) if b in self.fast else self.phase_two(supporters)

    @reachable
    def chosen_fast(self, b: Ballot, v: Value) -> bool:
        """A value can be chosen with no proposal at all."""
        return self.chosen(b, v) and AcceptAny(b) in self.invitations

    @reachable
    def recovers_from_collision(self, b: Ballot, c: Ballot, v: Value, w: Value) -> bool:
        """After a collision a value of the fast ballot can be chosen in the next, without promises."""
        collided = v != w and len(self.voters(b, v)) > 0 and len(self.voters(b, w)) > 0
        return collided and b < c and self.chosen(c, v) and Prepare(c) not in self.network


class FastQuorumOfMajority(FastPaxos):
    """In a fast ballot, too, the votes of a majority choose.

    Of three acceptors one is silent; of the other two each reports another value, and with the vote of the third either
    may have been chosen.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Acceptor": 3, "Ballot": 2, "Learner": 1}

    fast_size: ClassVar[int] = 2


class AnyReportedValue(FastPaxos):
    """After a collision the proposer takes any of the values that were voted for, as in a classic ballot there is only one.

    It asks for votes for a value that cannot have been chosen, and another one has been.
    """

    expect = violates("one_value_chosen")

    def may_have_won(self, x: Vote, promises: set[Promise]) -> bool:
        return True


class VotesTwice(FastPaxos):
    """An acceptor that has voted in a fast ballot votes again, for the next client's value.

    It may have answered before its vote was on disk, and restarted. Two values each get a fast quorum.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Acceptor": 4, "Ballot": 1, "Learner": 1}

    def may_vote(self, a: Acceptor, b: Ballot) -> bool:
        highest = self.promised[a]
        return highest is None or b >= highest


class OpensRegardless(FastPaxos):
    """A proposer begins every fast ballot with "any", whatever the promises report.

    A value that an earlier ballot has chosen is given up for one that a client asks for now.
    """

    expect = violates("one_value_chosen")

    def is_open(self, promises: set[Promise]) -> bool:
        return True


class SkipsBallots(FastPaxos):
    """Coordinated recovery goes to any later ballot, not only to the next one.

    The votes of the fast ballot promise nothing about the ballots between, and one of them may have chosen another value.
    """

    expect = violates("one_value_chosen")
    bounds: ClassVar[dict[str, int]] = {"Acceptor": 3, "Ballot": 3, "Learner": 1}

    def is_next(self, b: Ballot, c: Ballot) -> bool:
        return b < c
