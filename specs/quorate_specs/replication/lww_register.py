"""Multi-master replication where the last writer wins.

Every node takes writes and sends them to the others, without asking anybody. A write carries a stamp: the time of its
node, and the node. When two writes of the same register meet, the one with the larger stamp stays; the other is
discarded, silently. All nodes apply the same rule to the same writes, so they end with the same value, in whatever
order and however often the writes arrive.

*Promise*, to the nodes: strong eventual consistency, that is, nodes that have received the same writes hold the same
value. To the clients: a write made in the knowledge of another replaces it. *Not promised*: of two concurrent writes
one is lost.

It takes two things. The rule must be a *maximum* of a total order: then merging is commutative, associative and
idempotent. And the order must respect causality: a node stamps a write later than everything that it has seen,
whatever its clock says.

Sources: Johnson & Thomas 1975, RFC 677, "The Maintenance of Duplicate Databases" (stamps of time and site); Shapiro
et al. 2011, "Conflict-free Replicated Data Types" (strong eventual consistency; the LWW register); Lamport 1978,
"Time, Clocks, and the Ordering of Events in a Distributed System" (stamps that respect causality).
"""

from typing import ClassVar, Self

from quorate import (
    Nat,
    Network,
    Ordered,
    Spec,
    action,
    invariant,
    leads_to,
    lemma,
    merge,
    reachable,
    record,
    require,
    step,
    violates,
)


class Node(Ordered, size=2, prefix="n"):
    """A master: it takes writes and reads. Nodes are ordered, to break ties."""


class Time(Nat, max=3):
    """What a clock shows."""


class Data(Nat, max=1):
    """The contents of the register."""


@record
class Write:
    """A write: its data and its stamp."""

    time: Time
    node: Node
    data: Data


def not_later(a: Write, b: Write) -> bool:
    """The total order of all writes: by time, then node, then data."""
    return (a.time, a.node, a.data) <= (b.time, b.node, b.data)


@merge(order=not_later)
def later(a: Write, b: Write) -> Write:
    """The write that wins: the later one, then that of the higher node, then that with the larger data.

    It is the maximum of a total order of all writes, so it is commutative, associative and idempotent.
    """
    return a if (a.time, a.node, a.data) >= (b.time, b.node, b.data) else b


@merge(expect=violates("commutative"))
def later_without_tie_break(a: Write, b: Write) -> Write:
    """The write with the later time; of two at one time, the second argument."""
    return a if a.time > b.time else b


@merge(expect=violates("commutative"))
def later_as_published(a: Write, b: Write) -> Write:
    """The later write, of two at one time that of the higher node; of two with one stamp, the second argument."""
    return a if (a.time, a.node) > (b.time, b.node) else b


class LwwRegister(Spec):
    """A last-writer-wins register at several masters.

    Promise: nodes with the same writes hold the same value, and a causally later write wins.
    """

    lanes = (Node,)

    register: dict[Node, Write]
    clock: dict[Node, Time]
    seen: dict[Node, set[Write]]
    network: Network[Write]

    def merge(self, a: Write, b: Write) -> Write:
        """What remains of two writes that meet."""
        return later(a, b)

    def can_show(self, n: Node, now: Time) -> bool:
        """Whether a node's wall clock may show `now`: it has ticked since its last write. Clocks differ."""
        return now > self.clock[n]

    def stamp(self, n: Node, now: Time) -> Time:
        """The time that a node gives a write when its wall clock shows `now`: never before what it has seen."""
        return max(now, self.register[n].time + 1)

    @action
    def write(self, n: Node, data: Data, now: Time) -> None:
        require(self.can_show(n, now))
        self.clock[n] = now
        w = Write(self.stamp(n, now), n, data)
        self.register[n] = self.merge(self.register[n], w)
        self.seen[n].add(w)
        self.network.send(w)

    @action(fair="weak")
    def deliver(self, n: Node, m: Write) -> None:
        require(m in self.network)
        self.network.receive(m)
        self.register[n] = self.merge(self.register[n], m)
        self.seen[n].add(m)

    @invariant
    def convergence(self, a: Node, b: Node) -> bool:
        """Nodes that have seen the same writes hold the same value."""
        return self.seen[a] != self.seen[b] or self.register[a].data == self.register[b].data

    @invariant
    def merge_is_a_maximum(self) -> bool:
        """Merging the writes on the wire is commutative, associative and idempotent."""
        return all(self.merge(a, a) == a for a in self.network) and all(
            self.merge(a, b) == self.merge(b, a)
            and all(self.merge(self.merge(a, b), c) == self.merge(a, self.merge(b, c)) for c in self.network)
            for a in self.network
            for b in self.network
        )

    @step
    def later_write_wins(self, old: Self, n: Node) -> bool:
        """A write made in the knowledge of another replaces it: a client that has just written reads its write back."""
        return all(self.register[n].data == w.data for w in self.seen[n] if w.node == n and w not in old.seen[n])

    # Why it is so

    @lemma
    def writes_have_a_time(self) -> bool:
        """No write is as early as the initial value, and who made it has seen it."""
        return all(m.time > 0 and m in self.seen[m.node] for m in self.network)

    @lemma
    def seen_writes_have_a_time(self, n: Node) -> bool:
        """What a node has seen is later than the initial value."""
        return all(w.time > 0 for w in self.seen[n])

    @lemma
    def latest_is_held(self, n: Node) -> bool:
        """A node holds the last of the writes it has seen, and the initial value before the first."""
        held = self.register[n]
        if len(self.seen[n]) == 0:
            return held.time == 0 and held.data == 0
        return held in self.seen[n] and all(self.merge(w, held) == held for w in self.seen[n])

    @leads_to
    def replicas_agree_again(self) -> tuple[bool, bool]:
        """When writes stop, all nodes come to hold the same value."""
        return True, all(self.register[a].data == self.register[b].data for a in Node for b in Node)

    @reachable
    def concurrent_write_is_lost(self, a: Node, b: Node) -> bool:
        """Of two writes at one time, so concurrent ones, only one remains: this is the price."""
        same_writes = self.seen[a] == self.seen[b] and len(self.seen[a]) == 2
        return a != b and same_writes and all(w.time == self.register[a].time for w in self.seen[a])


class WallClock(LwwRegister):
    """Writes are stamped with what the node's clock shows, and clocks of different nodes are not quite the same.

    A node whose clock is behind overwrites a value that it has read, with an earlier stamp, and the new value loses
    against the old one at every node. The client is told that its write is done, and it has no effect.
    """

    expect = violates("later_write_wins")

    def stamp(self, n: Node, now: Time) -> Time:
        return now


class NoTieBreak(LwwRegister):
    """Only times are compared; of two writes at one time, the one that arrives last stays.

    Each node keeps the other's write: both have seen the same two writes, in different orders, and hold different
    values. Nothing repairs this, since nothing more is sent.
    """

    expect = violates("convergence")
    omits: ClassVar[tuple[str, ...]] = ("merge_is_a_maximum",)

    def merge(self, a: Write, b: Write) -> Write:
        return later_without_tie_break(a, b)


class AsPublished(WallClock):
    """The article's merge: the later time wins, then the higher node, then the second argument.

    A node that writes twice within one tick of its clock makes two writes with one stamp and different data. The
    choice between them depends on the order of the arguments, so on the order of arrival: nodes that got them in
    different orders differ for ever.
    """

    expect = violates("convergence")
    omits: ClassVar[tuple[str, ...]] = ("merge_is_a_maximum", "later_write_wins")

    def can_show(self, n: Node, now: Time) -> bool:
        return now > 0 and now >= self.clock[n]

    def merge(self, a: Write, b: Write) -> Write:
        return later_as_published(a, b)
