"""Lamport's Paxos.tla (tlaplus/Examples, specifications/Paxos), ported with its invariants."""

from typing import Self

from quorate import Nat, Network, Scalarset, Spec, action, invariant, record, require, step


class Ballot(Nat, max=2):
    """0..2."""


class Acceptor(Scalarset, size=3):
    """An acceptor."""


class Value(Scalarset, size=2):
    """A value."""


@record
class P1a:
    bal: Ballot


@record
class P1b:
    acc: Acceptor
    bal: Ballot
    mbal: Ballot | None
    mval: Value | None


@record
class P2a:
    bal: Ballot
    val: Value


@record
class P2b:
    acc: Acceptor
    bal: Ballot
    val: Value


def at_least(b: Ballot, bound: Ballot | None) -> bool:
    return bound is None or b >= bound


def above(b: Ballot, bound: Ballot | None) -> bool:
    return bound is None or b > bound


class MCPaxos(Spec):
    max_bal: dict[Acceptor, Ballot | None]
    max_vbal: dict[Acceptor, Ballot | None]
    max_val: dict[Acceptor, Value | None]
    msgs: Network[P1a | P1b | P2a | P2b]

    @action
    def phase1a(self, b: Ballot) -> None:
        self.msgs.send(P1a(b))

    @action
    def phase1b(self, a: Acceptor, m: P1a) -> None:
        require(m in self.msgs)
        require(above(m.bal, self.max_bal[a]))
        self.max_bal[a] = m.bal
        self.msgs.send(P1b(a, m.bal, self.max_vbal[a], self.max_val[a]))

    def answers(self, q: set[Acceptor], b: Ballot) -> set[P1b]:
        return {m for m in self.msgs if isinstance(m, P1b) and m.acc in q and m.bal == b}

    def may_propose(self, q: set[Acceptor], b: Ballot) -> bool:
        if len(q) != 2 or any(P2a(b, v) in self.msgs for v in Value):
            return False
        q1b = self.answers(q, b)
        return all(any(m.acc == a for m in q1b) for a in q)

    @action
    def phase2a_free(self, b: Ballot, v: Value, q: set[Acceptor]) -> None:
        require(self.may_propose(q, b))
        require(all(m.mbal is None for m in self.answers(q, b)))
        self.msgs.send(P2a(b, v))

    @action
    def phase2a_bound(self, b: Ballot, v: Value, q: set[Acceptor], m: P1b) -> None:
        require(m in self.msgs)
        require(self.may_propose(q, b))
        q1bv = {n for n in self.answers(q, b) if n.mbal is not None}
        require(m in q1bv and m.mval == v)
        require(all(m.mbal >= n.mbal for n in q1bv))
        self.msgs.send(P2a(b, v))

    @action
    def phase2b(self, a: Acceptor, m: P2a) -> None:
        require(m in self.msgs)
        require(at_least(m.bal, self.max_bal[a]))
        self.max_bal[a] = m.bal
        self.max_vbal[a] = m.bal
        self.max_val[a] = m.val
        self.msgs.send(P2b(a, m.bal, m.val))

    # Module Voting, under votes[a] == {<<m.bal, m.val>> : m a 2b message of a}

    def voted_for(self, a: Acceptor, b: Ballot, v: Value) -> bool:
        return P2b(a, b, v) in self.msgs

    def did_not_vote_at(self, a: Acceptor, b: Ballot) -> bool:
        return not any(self.voted_for(a, b, v) for v in Value)

    def cannot_vote_at(self, a: Acceptor, b: Ballot) -> bool:
        top = self.max_bal[a]
        return top is not None and top > b and self.did_not_vote_at(a, b)

    def none_other_choosable_at(self, b: Ballot, v: Value) -> bool:
        return len({a for a in Acceptor if self.voted_for(a, b, v) or self.cannot_vote_at(a, b)}) >= 2

    def safe_at(self, b: Ballot, v: Value) -> bool:
        return all(self.none_other_choosable_at(c, v) for c in Ballot if c < b)

    def silent_since(self, a: Acceptor, c: Ballot | None, b: Ballot) -> bool:
        return all(self.did_not_vote_at(a, d) for d in Ballot if above(d, c) and d < b)

    def shows_safe_at(self, b: Ballot, v: Value, c: Ballot | None, q: set[Acceptor]) -> bool:
        if len(q) != 2 or not all(self.max_bal[a] is not None and self.max_bal[a] >= b for a in q):
            return False
        if c is not None and (c >= b or not any(self.voted_for(a, c, v) for a in q)):
            return False
        return all(self.silent_since(a, c, b) for a in q)

    def some_quorum_shows_safe(self, b: Ballot, v: Value) -> bool:
        return any(
            a != d
            and (self.shows_safe_at(b, v, None, {a, d}) or any(self.shows_safe_at(b, v, c, {a, d}) for c in Ballot))
            for a in Acceptor
            for d in Acceptor
        )

    @invariant
    def inv2_last_vote(self, a: Acceptor) -> bool:
        if self.max_vbal[a] is None:
            return self.max_val[a] is None
        return self.voted_for(a, self.max_vbal[a], self.max_val[a])

    @invariant
    def inv3_1b(self, m: P1b) -> bool:
        if m not in self.msgs:
            return True
        return (
            self.max_bal[m.acc] is not None
            and self.max_bal[m.acc] >= m.bal
            and (m.mbal is None or self.voted_for(m.acc, m.mbal, m.mval))
        )

    @invariant
    def inv3_2a(self, m: P2a, w: Value) -> bool:
        if m not in self.msgs:
            return True
        return self.some_quorum_shows_safe(m.bal, m.val) and (w == m.val or P2a(m.bal, w) not in self.msgs)

    @invariant
    def votes_safe(self, a: Acceptor, b: Ballot, v: Value) -> bool:
        return not self.voted_for(a, b, v) or self.safe_at(b, v)

    @invariant
    def one_value_per_ballot(self, a: Acceptor, c: Acceptor, b: Ballot, v: Value, w: Value) -> bool:
        return v == w or not (self.voted_for(a, b, v) and self.voted_for(c, b, w))

    # V!Spec: [V!Next]_<<votes, maxBal>>

    def votes(self) -> set[P2b]:
        return {m for m in self.msgs if isinstance(m, P2b)}

    def increase(self, before: dict[Acceptor, Ballot | None], a: Acceptor) -> bool:
        return self.max_bal[a] is not None and above(self.max_bal[a], before[a]) and self.others_keep(before, a)

    def others_keep(self, before: dict[Acceptor, Ballot | None], a: Acceptor) -> bool:
        return all(self.max_bal[c] == before[c] for c in Acceptor if c != a)

    def vote(self, before: dict[Acceptor, Ballot | None], cast: set[P2b], a: Acceptor, b: Ballot, v: Value) -> bool:
        return (
            at_least(b, before[a])
            and not any(x.acc == a and x.bal == b for x in cast)
            and all(x.val == v for x in cast if x.bal == b)
            and self.max_bal[a] == b
            and self.others_keep(before, a)
            and self.votes() == cast | {P2b(a, b, v)}
        )

    @step
    def refines_voting(self, old: Self) -> bool:
        return (
            self.votes() == old.votes()
            and (self.max_bal == old.max_bal or any(self.increase(old.max_bal, a) for a in Acceptor))
        ) or any(
            old.some_quorum_shows_safe(b, v) and self.vote(old.max_bal, old.votes(), a, b, v)
            for a in Acceptor
            for b in Ballot
            for v in Value
        )


class NoProperties(MCPaxos):
    omits = ("inv2_last_vote", "inv3_1b", "inv3_2a", "votes_safe", "one_value_per_ballot", "refines_voting")


class InvOnly(MCPaxos):
    omits = ("refines_voting",)


class StepOnly(MCPaxos):
    omits = ("inv2_last_vote", "inv3_1b", "inv3_2a", "votes_safe", "one_value_per_ballot")
