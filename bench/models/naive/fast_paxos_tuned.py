"""SimplifiedFastPaxos/FastPaxos.tla of tlaplus/Examples."""

from typing import Self

from quorate import Nat, Network, Scalarset, Spec, action, invariant, record, require, step


class Replica(Scalarset, size=4):
    """An acceptor."""


class Value(Scalarset, size=3):
    """A value."""


class Ballot(Nat, max=4):
    """1 and 3 are fast."""


@record
class P2a:
    ballot: Ballot
    value: Value | None


@record
class P2b:
    ballot: Ballot
    acceptor: Replica
    value: Value


def is_fast(b: Ballot) -> bool:
    return b == 1 or b == 3


class FastPaxos(Spec):
    messages: Network[P2a | P2b]
    decision: Value | None
    max_ballot: dict[Replica, Ballot]
    max_vballot: dict[Replica, Ballot]
    max_value: dict[Replica, Value | None]
    c_value: Value | None

    def votes(self, b: Ballot, q: set[Replica]) -> set[P2b]:
        return {m for m in self.messages if isinstance(m, P2b) and m.ballot == b and m.acceptor in q}

    def all_voted(self, b: Ballot, q: set[Replica]) -> bool:
        return all(any(P2b(b, a, v) in self.messages for v in Value) for a in q)

    @action
    def fast_any(self, f: Ballot) -> None:
        require(is_fast(f))
        self.messages.send(P2a(f, None))

    def accept(self, a: Replica, b: Ballot, v: Value) -> None:
        self.max_ballot[a] = b
        self.max_vballot[a] = b
        self.max_value[a] = v
        self.messages.send(P2b(b, a, v))

    @action
    def fast_propose(self, a: Replica, m: P2a, v: Value) -> None:
        require(m in self.messages)
        require(m.value is None and self.max_ballot[a] <= m.ballot and self.max_value[a] in (None, v))
        require(not any(P2b(m.ballot, a, w) in self.messages for w in Value))
        self.accept(a, m.ballot, v)

    @action
    def fast_decide(self, m: P2b, q: set[Replica]) -> None:
        require(m in self.messages)
        require(is_fast(m.ballot) and len(q) == 3 and m.acceptor in q and self.all_voted(m.ballot, q))
        require(all(n.value == m.value for n in self.votes(m.ballot, q)))
        self.decision = m.value

    @action
    def classic_accept(self, b: Ballot, f: Ballot, q: set[Replica], v: Value) -> None:
        require(is_fast(f) and not is_fast(b) and f < b and len(q) == 3)
        require(self.c_value in (None, v))
        require(not any(isinstance(m, P2a) and m.ballot == b for m in self.messages))
        require(self.all_voted(f, q))
        votes = self.votes(f, q)
        values = {m.value for m in votes}
        require(len(values) > 1)
        popular = {w for w in values if len({m for m in votes if m.value == w}) > len(votes) // 2}
        require(v in popular if len(popular) > 0 else v in values)
        self.c_value = v
        self.messages.send(P2a(b, v))

    @action
    def classic_accepted(self, a: Replica, m: P2a) -> None:
        require(m in self.messages)
        require(m.value is not None and self.max_ballot[a] <= m.ballot)
        self.accept(a, m.ballot, m.value)

    @action
    def classic_decide(self, m: P2b, q: set[Replica]) -> None:
        require(m in self.messages)
        require(not is_fast(m.ballot) and len(q) == 3 and m.acceptor in q and self.all_voted(m.ballot, q))
        self.decision = m.value

    @invariant
    def nontriviality(self) -> bool:
        return self.decision is None or any(
            isinstance(m, P2b) and m.value == self.decision and is_fast(m.ballot) for m in self.messages
        )

    @step
    def consistency(self, old: Self) -> bool:
        return self.decision == old.decision or old.decision is None
