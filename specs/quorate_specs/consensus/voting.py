"""Consensus, voting, Paxos: the same promise on three levels, each a refinement of the one before.

`Consensus` is the problem: a value is chosen, once. `Voting` is the idea behind Paxos without its messages: acceptors vote in
numbered ballots, at most once in each, and a value with the votes of a quorum in one ballot is chosen. An acceptor votes for
a value only if a quorum shows that it is *safe*: no other value has been chosen in a lower ballot, nor ever will be. Each acceptor
looks at the others as if there were no network. `PaxosVotes` is Paxos: its messages carry what an acceptor has to know of the
others, and every vote that it casts is a vote of `Voting`.

So the question why Paxos is right falls into two: why voting chooses one value (it refines consensus), and why messages show an
acceptor what it may vote for (Paxos refines voting). A broken variant of each shows on which level it goes wrong.

*Promise*: at most one value is chosen. *Not promised*: that one is.

Sources: Lamport 2001, "Paxos Made Simple" (section 2.2); the TLA+ specifications Consensus, Voting and Paxos of Lamport's "The
Paxos Algorithm - or How to Win a Turing Award" (2019); Abadi & Lamport 1991, "The Existence of Refinement Mappings".
"""

from typing import ClassVar

from quorate import Spec, action, invariant, is_majority, lemma, mapping, reachable, require, violates

from quorate_specs.consensus.paxos import Accepted, Acceptor, Ballot, Paxos, Promise, Value, Vote


class Consensus(Spec):
    """The problem: a value is chosen, and that is that."""

    chosen: set[Value]

    @action
    def choose(self, v: Value) -> None:
        require(len(self.chosen) == 0)
        self.chosen.add(v)

    @invariant
    def one_value(self, v: Value, w: Value) -> bool:
        """At most one value is chosen."""
        return v == w or v not in self.chosen or w not in self.chosen


class Voting(Spec):
    """Votes in numbered ballots, as in the TLA+ specification Voting."""

    refines = Consensus

    votes: dict[Acceptor, set[Vote]]
    promised: dict[Acceptor, Ballot | None]

    @action
    def promise(self, a: Acceptor, b: Ballot) -> None:
        """An acceptor will vote in no lower ballot."""
        require(not self.has_promised(a, b))
        self.promised[a] = b

    def has_promised(self, a: Acceptor, b: Ballot) -> bool:
        """Whether an acceptor has promised a ballot, or a higher one."""
        highest = self.promised[a]
        return highest is not None and b <= highest

    @action
    def vote(self, a: Acceptor, b: Ballot, v: Value, q: set[Acceptor]) -> None:
        """An acceptor votes, where nobody votes for another value in this ballot, and the quorum `q` shows that the value is safe."""
        highest = self.promised[a]
        require(highest is None or highest <= b)
        require(all(m.ballot != b for m in self.votes[a]))
        require(all(m.ballot != b or m.value == v for c in Acceptor for m in self.votes[c]))
        require(is_majority(q, Acceptor) and self.shows_safe(q, b, v))
        self.votes[a].add(Vote(b, v))
        self.promised[a] = b

    def shows_safe(self, q: set[Acceptor], b: Ballot, v: Value) -> bool:
        """Whether no member of a quorum will vote below `b` any more, and the highest of their votes there, if there is one, is for `v`."""
        if not all(self.has_promised(c, b) for c in q):
            return False
        below = {m for c in q for m in self.votes[c] if m.ballot < b}
        return len(below) == 0 or any(m.value == v and all(n.ballot <= m.ballot for n in below) for m in below)

    def is_chosen(self, v: Value) -> bool:
        """Whether a value has the votes of a quorum in one ballot."""
        return any(is_majority({a for a in Acceptor if Vote(b, v) in self.votes[a]}, Acceptor) for b in Ballot)

    @mapping
    def refines_consensus(self, abstract: Consensus) -> None:
        """The vote that completes a quorum chooses its value; other votes and promises change nothing there."""
        abstract.chosen = {v for v in Value if self.is_chosen(v)}

    @lemma
    def one_value_in_a_ballot(self, a: Acceptor, c: Acceptor, b: Ballot, v: Value, w: Value) -> bool:
        """In one ballot all votes are for one value."""
        return v == w or Vote(b, v) not in self.votes[a] or Vote(b, w) not in self.votes[c]

    @lemma
    def promises_cover_votes(self, a: Acceptor, b: Ballot, v: Value) -> bool:
        """Whoever has voted in a ballot has promised it."""
        return Vote(b, v) not in self.votes[a] or self.has_promised(a, b)

    @lemma
    def votes_are_safe(self, a: Acceptor, b: Ballot, v: Value, c: Ballot, w: Value) -> bool:
        """Where somebody has voted, no other value can be chosen below: a quorum will never vote for it there."""
        return v == w or c >= b or Vote(b, v) not in self.votes[a] or is_majority(self.lost_for(c, w), Acceptor)

    def lost_for(self, c: Ballot, w: Value) -> set[Acceptor]:
        """The acceptors that have not voted for `w` in `c` and, having promised more, never will."""
        return {a for a in Acceptor if self.has_promised_above(a, c) and Vote(c, w) not in self.votes[a]}

    def has_promised_above(self, a: Acceptor, c: Ballot) -> bool:
        """Whether an acceptor will ignore a ballot from now on."""
        highest = self.promised[a]
        return highest is not None and highest > c

    @reachable
    def chosen_twice(self, v: Value) -> bool:
        """A later ballot can choose the value again."""
        return all(is_majority({a for a in Acceptor if Vote(b, v) in self.votes[a]}, Acceptor) for b in Ballot)


class VotesUnasked(Voting):
    """An acceptor votes without asking whether another value may have been chosen in a lower ballot.

    Then two ballots choose two values: no step of consensus adds a second one.
    """

    expect = violates("refines_consensus")
    bounds: ClassVar[dict[str, int]] = {"Ballot": 2}

    def shows_safe(self, q: set[Acceptor], b: Ballot, v: Value) -> bool:
        return True


class PaxosVotes(Paxos):
    """Paxos, held to voting: a vote that an acceptor sends is one that it may cast."""

    refines = Voting
    bounds: ClassVar[dict[str, int]] = {"Ballot": 2, "Learner": 1}

    @mapping
    def refines_voting(self, abstract: Voting) -> None:
        """An acceptor's answers are its promises and votes; whatever else happens is seen by nobody there."""
        abstract.promised = self.promised
        abstract.votes = {
            a: {Vote(b, v) for b in Ballot for v in Value if Accepted(a, b, v) in self.network} for a in Acceptor
        }


class VotesForAnything(PaxosVotes):
    """A proposer proposes what it likes, whatever votes the promises report, and acceptors take its word for it.

    The step that goes wrong is an acceptor's: it votes for a value that no quorum shows to be safe, long before two values are chosen.
    """

    expect = violates("refines_voting")
    omits = ("one_value_chosen", "learners_agree")

    def is_safe(self, v: Value, promises: set[Promise]) -> bool:
        return True
