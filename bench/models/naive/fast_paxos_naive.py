"""Fast Paxos: a port of tlaplus/Examples SimplifiedFastPaxos/FastPaxos.tla (and what it takes from Paxos.tla)."""

from typing import Self

from quorate import Nat, Scalarset, Spec, action, invariant, reachable, record, require, step


class Replica(Scalarset, size=4):
    """An acceptor."""


class Value(Scalarset, size=3):
    """What is proposed."""


class Ballot(Nat, max=4):
    """A round; the odd ones are fast."""


@record
class P2a:
    ballot: Ballot
    value: Value | None  # None is "any"


@record
class P2b:
    ballot: Ballot
    acceptor: Replica
    value: Value


def fast(b: Ballot) -> bool:
    return b % 2 == 1


def is_quorum_(q: set[Replica]) -> bool:
    return len(q) == 3


class FastPaxos(Spec):
    messages: set[P2a | P2b]
    decision: Value | None
    max_ballot: dict[Replica, Ballot]
    max_vballot: dict[Replica, Ballot]
    max_value: dict[Replica, Value | None]
    c_value: Value | None

    @action
    def fast_any(self, f: Ballot) -> None:
        require(fast(f))
        self.messages.add(P2a(f, None))

    @action
    def fast_propose(self, a: Replica, m: P2a, v: Value) -> None:
        require(m in self.messages)
        require(m.value is None and self.max_ballot[a] <= m.ballot and self.max_value[a] in (None, v))
        require(not any(isinstance(n, P2b) and n.ballot == m.ballot and n.acceptor == a for n in self.messages))
        self.accept(a, m.ballot, v)

    def accept(self, a: Replica, b: Ballot, v: Value) -> None:
        self.max_ballot[a] = b
        self.max_vballot[a] = b
        self.max_value[a] = v
        self.messages.add(P2b(b, a, v))

    def votes(self, b: Ballot, q: set[Replica]) -> set[P2b]:
        return {m for m in self.messages if isinstance(m, P2b) and m.ballot == b and m.acceptor in q}

    def answered(self, b: Ballot, q: set[Replica]) -> bool:
        return is_quorum_(q) and all(any(m.acceptor == a for m in self.votes(b, q)) for a in q)

    @action
    def fast_decide(self, b: Ballot, q: set[Replica], m: P2b) -> None:
        require(m in self.messages)
        require(fast(b) and self.answered(b, q) and m in self.votes(b, q))
        require(len({n.value for n in self.votes(b, q)}) == 1)
        self.decision = m.value

    @action
    def classic_accept(self, b: Ballot, f: Ballot, q: set[Replica], v: Value) -> None:
        require(not fast(b) and fast(f) and f < b and self.c_value in (None, v))
        require(not any(isinstance(m, P2a) and m.ballot == b for m in self.messages))
        require(self.answered(f, q))
        votes = self.votes(f, q)
        values = {m.value for m in votes}
        require(len(values) > 1)
        major = {w for w in values if len({m for m in votes if m.value == w}) > len(votes) // 2}
        require(v in (major if len(major) > 0 else values))
        self.c_value = v
        self.messages.add(P2a(b, v))

    @action
    def classic_accepted(self, a: Replica, m: P2a) -> None:
        require(m in self.messages)
        require(self.max_ballot[a] <= m.ballot)
        if m.value is None:
            require(False)
        else:
            self.accept(a, m.ballot, m.value)

    @action
    def classic_decide(self, b: Ballot, q: set[Replica], m: P2b) -> None:
        require(m in self.messages)
        require(not fast(b) and self.answered(b, q) and m in self.votes(b, q))
        self.decision = m.value

    @invariant
    def nontriviality(self) -> bool:
        return self.decision is None or any(
            isinstance(m, P2b) and m.value == self.decision and fast(m.ballot) for m in self.messages
        )

    @step
    def consistency(self, old: Self) -> bool:
        """A decision stays."""
        return old.decision is None or old.decision == self.decision

    @reachable
    def decides(self, v: Value) -> bool:
        return self.decision == v
