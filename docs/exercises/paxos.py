"""Which value may a proposer propose?

Acceptors promise a ballot, and say what they have voted for. With the promises of a majority the proposer asks for votes for a
value; a value that a majority has voted for in one ballot is chosen. Here the proposer takes any value.
Check it, and choose better. (Lamport 2001)
"""

from quorate import Nat, Scalarset, Spec, action, invariant, is_majority, reachable, require


class Acceptor(Scalarset, size=3):
    """Promises and votes."""


class Value(Scalarset, size=2):
    """What may be chosen."""


class Ballot(Nat, max=2):
    """Rounds are 1 and 2; 0 is none."""


class Paxos(Spec):
    """One decision. Messages are left out: what was said is seen by all, and only some hear it."""

    promised: dict[Acceptor, Ballot]
    last_ballot: dict[Acceptor, Ballot]
    last_value: dict[Acceptor, Value | None]
    proposed: dict[Ballot, Value | None]
    voted: dict[Acceptor, dict[Ballot, bool]]

    @action
    def promise(self, a: Acceptor, b: Ballot) -> None:
        require(self.promised[a] < b)
        self.promised[a] = b

    def may_propose(self, v: Value, q: set[Acceptor]) -> bool:
        """Whether a value may be proposed after the promises of a majority `q`."""
        return True

    @action
    def propose(self, b: Ballot, v: Value, q: set[Acceptor]) -> None:
        require(b > 0 and self.proposed[b] is None and is_majority(q, Acceptor))
        require(all(self.promised[a] == b and not self.voted[a][b] for a in q))
        require(self.may_propose(v, q))
        self.proposed[b] = v

    @action
    def vote(self, a: Acceptor, b: Ballot) -> None:
        require(b > 0 and self.promised[a] <= b and self.proposed[b] is not None and not self.voted[a][b])
        self.promised[a] = b
        self.voted[a][b] = True
        self.last_ballot[a] = b
        self.last_value[a] = self.proposed[b]

    @invariant
    def one_value_is_chosen(self, b: Ballot, c: Ballot) -> bool:
        """Two ballots that are chosen have the same value."""
        return (
            not is_majority({a for a in Acceptor if self.voted[a][b]}, Acceptor)
            or not is_majority({a for a in Acceptor if self.voted[a][c]}, Acceptor)
            or self.proposed[b] == self.proposed[c]
        )

    @reachable
    def chosen_in_the_second_ballot(self) -> bool:
        """A later proposer succeeds."""
        return is_majority({a for a in Acceptor if self.voted[a][2]}, Acceptor)

    @reachable
    def proposals_differ(self) -> bool:
        """A later proposer is free where nothing can have been chosen."""
        return self.proposed[1] is not None and self.proposed[2] is not None and self.proposed[1] != self.proposed[2]
