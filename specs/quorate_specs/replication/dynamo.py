"""A store in the manner of Dynamo: always writable, with siblings where clients wrote without knowing of each other.

The nodes stand on a ring. The *preference list* of a key is the first `replicas` nodes from its partition on; these
are its homes. A client sends a write to one of them, the *coordinator*, with the context that it got from its last
read: what it has seen and is replacing. The coordinator keeps whatever the context does not cover beside the new
value (*siblings*), sends all of it to the other homes, and tells the client "done" when `write_quorum` nodes have
confirmed. If a home is out of reach, the next node on the ring stands in: it keeps the data with a hint whose they
are, counts for the quorum (*sloppy quorum*), and hands them over later. Reads repair replicas that are behind, and
anti-entropy compares them in the background.

*Promise*, to clients: no acknowledged write is lost; it is there until a client that has seen it writes again.
Siblings are concurrent, so that a client is asked to reconcile only what really conflicts. To operators: when writes
stop, all homes of a key end with the same siblings, and hints are handed over. *Not promised*: that a read finds an
acknowledged write, even where read and write quorums overlap: a stand-in may have it.

How does a replica know what is covered? Each write gets a *dot*, the coordinator and the number of its writes there; a
replica has the dots of its siblings, and one version vector of all dots it has ever seen: *dotted version vectors*.

Messages are delayed, reordered and repeated; one that is never handled is lost. A node that is down, or cut off, is one
that does nothing for a while; what is stored is on disk. A read of several replicas is several steps, each of which adds
to what the client has been shown. A client waits for the answer to a write before it writes again; one that gives up is
from then on another client. `past` and `shown` say which writes a write's client had seen; they are there for the
properties.

Sources: DeCandia et al. 2007, "Dynamo: Amazon's Highly Available Key-value Store" (4.2 partitioning, 4.4 versioning, 4.5
and 4.6 sloppy quorum and hinted handoff, 4.7 anti-entropy); Preguiça et al. 2010, "Dotted Version Vectors"; Almeida et
al. 2014, "Scalable and Accurate Causality Tracking for Eventually Consistent Stores" (one vector for a set of dots).

Shipped: basho/riak_kv pull request 746, siblings that every client had replaced pile up, because one vector stood for
all of them (`OneVector`). basho/riak_kv issue 679, a node that has lost its data counts its writes from one again, under
its old name, and new writes are taken for old ones (`ForgetsItsDots`). basho/riak_kv issue 1046, a write that was
forwarded during a handoff is given a second dot, and becomes its own sibling (not modelled).
"""

from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    eventually_always,
    init,
    invariant,
    is_quorum,
    merge,
    reachable,
    record,
    require,
    violates,
)


class Node(Scalarset, size=3, prefix="n"):
    """A server."""


class Position(Nat, max=2):
    """A place on the ring; there is one for each node."""


class Key(Nat, max=1):
    """A key, and the place on the ring where its partition begins."""


class Client(Scalarset, size=2, prefix="c"):
    """A client, with the context of what it has seen."""


class Update(Scalarset, size=2, prefix="u"):
    """A write, and the value that it writes."""


class Count(Nat, max=3):
    """How many writes of a key a node has coordinated."""


Vector = dict[Node, Count]
"""A version vector: for each node, how many of the writes that it coordinated were seen."""


@record
class Version:
    """A value with its dot: the node that coordinated the write, and the number of the write there."""

    update: Update
    node: Node
    number: Count


@record
class Siblings:
    """What a replica has of a key: versions, and a vector that covers all dots it has seen.

    A dot that is covered and has no version was replaced.
    """

    versions: set[Version]
    covers: Vector


@record
class Replicate:
    """A coordinator's replica of a key after a write."""

    source: Node
    key: Key
    update: Update
    siblings: Siblings


@record
class Put:
    """Who sent a write, for which key, to which coordinator."""

    client: Client
    key: Key
    node: Node


def covered(v: Version, by: Vector) -> bool:
    """Whether a vector has the dot of a version."""
    return v.number <= by[v.node]


def is_well_formed(a: Siblings) -> bool:
    """Whether the dots of all siblings are covered."""
    return all(v.number >= 1 and covered(v, a.covers) for v in a.versions)


def not_newer(a: Siblings, b: Siblings) -> bool:
    """Whether b has seen all that a has seen, and has none of the versions that a knows to be replaced."""
    return all(a.covers[n] <= b.covers[n] for n in Node) and all(
        v in a.versions or not covered(v, a.covers) for v in b.versions
    )


@merge(order=not_newer, valid=is_well_formed)
def reconciled(a: Siblings, b: Siblings) -> Siblings:
    """What both have, and what one has that the other has not seen. The rest was replaced."""
    kept = {v for v in a.versions if v in b.versions or not covered(v, b.covers)}
    return Siblings(
        kept | {v for v in b.versions if not covered(v, a.covers)},
        {n: max(a.covers[n], b.covers[n]) for n in Node},
    )


def reconciled_by_one_vector(a: Siblings, b: Siblings) -> Siblings:
    """With one vector for all siblings and no dots: the larger vector wins, and if neither is, all are kept."""
    if all(a.covers[n] <= b.covers[n] for n in Node):
        return b
    if all(b.covers[n] <= a.covers[n] for n in Node):
        return a
    return Siblings(a.versions | b.versions, {n: max(a.covers[n], b.covers[n]) for n in Node})


class Dynamo(Spec):
    """Dynamo with dotted version vectors.

    Promise: no acknowledged write is lost, siblings are concurrent, and replicas converge when writes stop.
    """

    replicas: ClassVar[int] = 2
    write_quorum: ClassVar[int] = 2
    lanes = (Client, Node)

    ring: dict[Position, Node]
    stored: dict[Node, dict[Key, Siblings]]
    owes: dict[Node, dict[Key, set[Node]]]
    network: Network[Replicate] = Network(capacity=4)
    put: dict[Update, Put | None]
    confirmed: dict[Update, set[Node]]
    acknowledged: set[Update]
    context: dict[Client, dict[Key, Vector]]
    shown: dict[Client, dict[Key, set[Update]]]
    past: dict[Update, set[Update]]

    @init
    def stand_on_the_ring(self, ring: dict[Position, Node]) -> None:
        require(all(any(ring[p] == n for p in Position) for n in Node))
        self.ring = ring

    def is_home(self, n: Node, k: Key) -> bool:
        """Whether a node is in the preference list of a key: one of the first from its partition on, round the ring."""
        size = Position.bound + 1
        return any(self.ring[p] == n and (p + size - k) % size < self.replicas for p in Position)

    # Clients

    @action
    def get(self, c: Client, n: Node, k: Key) -> None:
        require(self.is_home(n, k) or len(self.owes[n][k]) > 0)
        self.show(c, n, k)

    def show(self, c: Client, n: Node, k: Key) -> None:
        """A client gets the siblings that a node has, and their context."""
        found = self.stored[n][k]
        values = {v.update for v in found.versions}
        replaced = {u for u in Update if any(u in self.past[v] for v in values)}
        self.shown[c][k] |= values | replaced
        self.context[c][k] = {m: max(self.context[c][k][m], found.covers[m]) for m in Node}

    @action
    def write(self, c: Client, u: Update, n: Node, k: Key) -> None:
        require(self.put[u] is None and self.is_home(n, k) and not self.waits(c))
        own, context = self.stored[n][k], self.context[c][k]
        number = own.covers[n] + 1
        covers = {m: number if m == n else max(own.covers[m], context[m]) for m in Node}
        self.stored[n][k] = Siblings(self.kept(own, context, n) | {Version(u, n, number)}, covers)
        self.put[u] = Put(c, k, n)
        self.past[u] = self.shown[c][k]
        self.confirmed[u] = {n}
        self.network.send(Replicate(n, k, u, self.stored[n][k]))

    def kept(self, own: Siblings, context: Vector, n: Node) -> set[Version]:
        """Which siblings stay beside a new value: those that the client has not seen."""
        return {v for v in own.versions if not covered(v, context)}

    def waits(self, c: Client) -> bool:
        """Whether a client waits for the answer to a write."""
        return any(self.is_of(u, c) and u not in self.acknowledged for u in Update)

    def is_of(self, u: Update, c: Client) -> bool:
        """Whether a client has sent a write."""
        put = self.put[u]
        return put is not None and put.client == c

    @action
    def acknowledge(self, u: Update) -> None:
        require(u not in self.acknowledged and is_quorum(self.confirmed[u], self.write_quorum, Node))
        self.acknowledged.add(u)
        put = self.put[u]
        if put is not None:
            self.show(put.client, put.node, put.key)

    # Replicas

    def merge(self, own: Siblings, received: Siblings) -> Siblings:
        """What a replica makes of its siblings and those of another one."""
        return reconciled(own, received)

    @action
    def store(self, n: Node, m: Replicate) -> None:
        require(m in self.network)
        require(n != m.source and self.is_home(n, m.key))
        self.network.receive(m)
        self.stored[n][m.key] = self.merge(self.stored[n][m.key], m.siblings)
        self.confirmed[m.update].add(n)

    @action
    def stand_in(self, n: Node, target: Node, m: Replicate) -> None:
        require(m in self.network)
        require(not self.is_home(n, m.key) and self.is_home(target, m.key) and target != m.source)
        require(n not in self.confirmed[m.update])  # Else one message, repeated for ever, would be a hint for ever.
        self.network.receive(m)
        self.stored[n][m.key] = self.merge(self.stored[n][m.key], m.siblings)
        self.owes[n][m.key].add(target)
        self.confirmed[m.update].add(n)

    @action(fair="weak")
    def hand_over(self, n: Node, target: Node, k: Key) -> None:
        require(target in self.owes[n][k])
        self.stored[target][k] = self.merge(self.stored[target][k], self.stored[n][k])
        self.owes[n][k].discard(target)
        if len(self.owes[n][k]) == 0:
            self.stored[n][k] = Siblings(set(), {m: Count(0) for m in Node})

    @action
    def repair_after_read(self, n: Node, behind: Node, k: Key) -> None:
        require(n != behind and self.is_home(behind, k) and (self.is_home(n, k) or len(self.owes[n][k]) > 0))
        self.stored[behind][k] = self.merge(self.stored[behind][k], self.stored[n][k])

    @action(fair="weak")
    def anti_entropy(self, n: Node, other: Node, k: Key) -> None:
        require(n != other and self.is_home(n, k) and self.is_home(other, k))
        self.stored[n][k] = self.merge(self.stored[n][k], self.stored[other][k])

    # What is promised

    @invariant
    def no_acknowledged_update_is_lost(self, u: Update) -> bool:
        """An acknowledged write is at some node, or a later one whose client had seen it."""
        return u not in self.acknowledged or any(
            any(v.update == u or u in self.past[v.update] for v in self.stored[n][k].versions)
            for n in Node
            for k in Key
        )

    @invariant
    def siblings_are_concurrent(self, n: Node, k: Key) -> bool:
        """No sibling was written by a client that had seen another one."""
        versions = self.stored[n][k].versions
        return all(a.update not in self.past[b.update] for a in versions for b in versions)

    @invariant
    def one_sibling_per_client(self, n: Node, k: Key, c: Client) -> bool:
        """There are no more siblings than clients: each has replaced its own."""
        own = {v.update for v in self.stored[n][k].versions if self.is_of(v.update, c)}
        return len(own) <= 1

    @eventually_always
    def replicas_converge(self) -> bool:
        """When writes have stopped, all homes of a key end with the same siblings, and no hint is left."""
        return all(
            len(self.owes[a][k]) == 0
            and (not self.is_home(a, k) or not self.is_home(b, k) or self.stored[a][k] == self.stored[b][k])
            for k in Key
            for a in Node
            for b in Node
        )

    @reachable
    def two_siblings(self, n: Node, k: Key) -> bool:
        """Clients that write without knowing of each other leave siblings."""
        return len(self.stored[n][k].versions) > 1

    @reachable
    def a_value_is_replaced(self, n: Node, k: Key, u: Update) -> bool:
        """What a client has seen, its next write replaces."""
        return len(self.past[u]) > 0 and {v.update for v in self.stored[n][k].versions} == {u}

    @reachable
    def read_misses_an_acknowledged_write(self, n: Node, k: Key, u: Update) -> bool:
        """A write can be acknowledged while one of the key's homes has nothing: a stand-in has confirmed it."""
        return u in self.acknowledged and self.is_home(n, k) and len(self.stored[n][k].versions) == 0


class StrictQuorum(Dynamo):
    """Three writes without stand-ins and repairs, so that a client can reconcile two siblings by a third value."""

    bounds: ClassVar[dict[str, int]] = {"Update": 3}
    omits: ClassVar[tuple[str, ...]] = (
        "stand_in",
        "hand_over",
        "repair_after_read",
        "anti_entropy",
        "replicas_converge",
        "read_misses_an_acknowledged_write",
    )

    @reachable
    def siblings_are_reconciled(self, n: Node, k: Key, u: Update) -> bool:
        """A client that has seen several siblings can replace them by one."""
        return len(self.past[u]) > 1 and {v.update for v in self.stored[n][k].versions} == {u}


class PerServerVectors(Dynamo):
    """Version vectors with an entry for each server and without dots: a new value's vector is the client's context with
    the coordinator's entry raised.

    Two clients write through one server, neither knowing of the other. The vector of the second write counts the
    first one as well, just because it has the next number, and so the first, which is acknowledged, is dropped as
    outdated.
    """

    expect = violates("no_acknowledged_update_is_lost")
    omits: ClassVar[tuple[str, ...]] = ("two_siblings",)

    def kept(self, own: Siblings, context: Vector, n: Node) -> set[Version]:
        raised = {m: own.covers[n] if m == n else context[m] for m in Node}
        return {v for v in own.versions if not covered(v, raised)}


class OneVector(StrictQuorum):
    """One version vector stands for all siblings of a key; a client's context covers all of them, or none.

    Two clients take turns. Each has replaced its own value, but not seen the other's latest, so its context is not
    up to date, and nothing is dropped. Each write adds a sibling, though never more than two values are in
    conflict, until the object is too large to be read: the sibling explosion.
    """

    expect = violates("one_sibling_per_client")
    omits = (*StrictQuorum.omits, "siblings_are_concurrent")

    def kept(self, own: Siblings, context: Vector, n: Node) -> set[Version]:
        up_to_date = all(own.covers[m] <= context[m] for m in Node)
        return {v for v in own.versions if not up_to_date}

    def merge(self, own: Siblings, received: Siblings) -> Siblings:
        return reconciled_by_one_vector(own, received)


class LastWriteWins(Dynamo):
    """A coordinator keeps the last value that it gets, whatever its client had seen.

    It needs no siblings, no contexts, and no application that reconciles. Of two clients that write at a time, both are
    told "done", and one has written nothing.
    """

    expect = violates("no_acknowledged_update_is_lost")
    omits: ClassVar[tuple[str, ...]] = ("two_siblings",)

    def kept(self, own: Siblings, context: Vector, n: Node) -> set[Version]:
        nothing: set[Version] = set()
        return nothing


class ForgetsItsDots(Dynamo):
    """A node loses its disk, comes back empty, and goes on under its old name.

    The other home has all the data, so nothing is lost yet. But the node counts its writes from one again, and the dot
    of the next one is taken: the other replica has seen it, knows that it was replaced, and drops the new value. A node
    that comes back without its data has to take a new name.
    """

    expect = violates("no_acknowledged_update_is_lost")
    omits: ClassVar[tuple[str, ...]] = ("siblings_are_concurrent", "one_sibling_per_client", "replicas_converge")

    @action
    def lose_disk(self, n: Node, other: Node) -> None:
        require(n != other and all(not_newer(self.stored[n][k], self.stored[other][k]) for k in Key))
        require(len(self.stored[n][Key(0)].versions) > 0)
        for k in Key:
            self.stored[n][k] = Siblings(set(), {m: Count(0) for m in Node})
            self.owes[n][k] = set()


class NoAntiEntropy(Dynamo):
    """Replicas are repaired when they are read, and not otherwise.

    A replica misses a write because a message is lost. If nobody reads that key, it stays behind for ever, and the
    write has one copy fewer than it should.
    """

    expect = violates("replicas_converge")
    omits: ClassVar[tuple[str, ...]] = ("anti_entropy",)
