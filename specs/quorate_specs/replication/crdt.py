"""Conflict-free replicated data types: counters and sets that every replica may update without asking anybody.

Two ways. A *state-based* type sends its whole state, and a replica merges what it receives into its own. Merging is a
*join*, commutative, associative and idempotent, so that lost, late, reordered and repeated messages do no harm. An
*operation-based* type sends what was done, and a replica does it as well. Operations commute, but doing one twice is
not doing it once, so somebody has to deliver each exactly once.

*Promise*, to the users of any replica: replicas that have heard of the same updates show the same, whatever the order
(strong eventual consistency); a counter shows the sum of the operations heard of; of an element that one replica adds
while another removes it, the add wins. *Not promised*: that a counter stays above zero, since each replica sees a part.

Each update gets a *dot*: the replica that made it, and its number there. `heard` says which updates a replica has
heard of; it is there for the properties, and no replica could afford to keep it. A replica
that crashes and comes back with its state from disk is a slow one, so crashes are left out; one that comes back without
it has to take a new name (see `dynamo`).

Sources: Shapiro, Preguiça, Baquero & Zawirski 2011, "A Comprehensive Study of Convergent and Commutative Replicated
Data Types" (3.1 counters, 3.3 sets); Bieniusa et al. 2012, "An Optimized Conflict-free Replicated Set" (an OR-set
without tombstones); Burckhardt et al. 2014, "Replicated Data Types: Specification, Verification, Optimality".

Shipped: basho/riak_dt pull request 82, an element that both sides of a merge have stays, although each side has removed
another add of it (`KeptByBoth`). Apache Cassandra before 2.1 logged a counter's increments, not its value, so that
replaying the log could count them again (`DuplicatedDelivery`; Yeschenko 2014, "What's New in Cassandra 2.1: Better
Implementation of Counters"; the new way is CASSANDRA-4775, named in `CounterMutation.java`). sourcenetwork/defradb.rs
issue 847, a retransmitted increment is applied twice by one of two implementations (the same).
"""

from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    invariant,
    leads_to,
    lemma,
    merge,
    reachable,
    record,
    require,
    violates,
)


class Replica(Scalarset, size=2, prefix="r"):
    """A copy of the object, which takes updates."""


class Element(Scalarset, size=1, prefix="e"):
    """What a set has or has not."""


class Count(Nat, max=2):
    """How many updates of one kind a replica makes."""


# Counters


@record
class Tally:
    """A PN-counter: how often each replica has counted up, and down. The value is the difference of both sums."""

    ups: dict[Replica, Count]
    downs: dict[Replica, Count]


@record
class Step:
    """One operation of a counter: the replica, the number among its steps in this direction, and the direction."""

    replica: Replica
    number: Count
    up: bool


@record
class Snapshot:
    """The state of a counter on its way to the others. `heard`: the operations that are in it."""

    source: Replica
    tally: Tally
    heard: set[Step]


def not_ahead(a: Tally, b: Tally) -> bool:
    """Whether b has counted all that a has."""
    return all(a.ups[r] <= b.ups[r] and a.downs[r] <= b.downs[r] for r in Replica)


@merge(order=not_ahead)
def joined(a: Tally, b: Tally) -> Tally:
    """For each replica the larger number: only that replica counts it up, so the larger one is the later one."""
    return Tally(
        {r: max(a.ups[r], b.ups[r]) for r in Replica},
        {r: max(a.downs[r], b.downs[r]) for r in Replica},
    )


@merge(expect=violates("idempotent"))
def added(a: Tally, b: Tally) -> Tally:
    """Adding what was received: a state that arrives twice counts twice."""
    return Tally({r: a.ups[r] + b.ups[r] for r in Replica}, {r: a.downs[r] + b.downs[r] for r in Replica})


class Crdt(Spec):
    """The state-based PN-counter of Shapiro et al. 2011 (specification 7).

    States travel as messages, which are lost, late, and repeated, and sometimes two replicas are in touch. Promise:
    replicas that have heard of the same operations show the same value, the sum of these; each hears of every one.
    """

    lanes = (Replica,)

    tally: dict[Replica, Tally]
    heard: dict[Replica, set[Step]]
    network: Network[Snapshot] = Network(capacity=2)

    def merge(self, own: Tally, received: Tally) -> Tally:
        """What a replica makes of its state and a received one."""
        return joined(own, received)

    @action
    def count_up(self, r: Replica) -> None:
        t = self.tally[r]
        self.tally[r] = Tally({q: t.ups[q] + (1 if q == r else 0) for q in Replica}, t.downs)
        self.heard[r].add(Step(r, self.tally[r].ups[r], True))

    @action
    def count_down(self, r: Replica) -> None:
        t = self.tally[r]
        self.tally[r] = Tally(t.ups, {q: t.downs[q] + (1 if q == r else 0) for q in Replica})
        self.heard[r].add(Step(r, self.tally[r].downs[r], False))

    @action
    def send(self, r: Replica) -> None:
        self.network.send(Snapshot(r, self.tally[r], self.heard[r]))

    @action
    def receive(self, r: Replica, m: Snapshot) -> None:
        require(m in self.network)
        require(m.source != r)
        self.network.receive(m)
        self.tally[r] = self.merge(self.tally[r], m.tally)
        self.heard[r] |= m.heard

    @action(fair="weak")
    def get_in_touch(self, r: Replica, other: Replica) -> None:
        require(r != other)
        self.tally[r] = self.merge(self.tally[r], self.tally[other])
        self.heard[r] |= self.heard[other]

    def value(self, r: Replica) -> int:
        """What a replica shows."""
        return sum(self.tally[r].ups[q] - self.tally[r].downs[q] for q in Replica)

    # What is promised

    @invariant
    def convergence(self, a: Replica, b: Replica) -> bool:
        """Replicas that have heard of the same operations are in the same state."""
        return self.heard[a] != self.heard[b] or self.tally[a] == self.tally[b]

    @invariant
    def counter_is_the_sum(self, r: Replica) -> bool:
        """A replica shows the sum of the operations that it has heard of."""
        return self.value(r) == sum(1 if s.up else -1 for s in self.heard[r])

    @leads_to
    def everybody_hears(self, a: Replica, b: Replica, s: Step) -> tuple[bool, bool]:
        """An operation that one replica has heard of, every other hears of."""
        return s in self.heard[a], s in self.heard[b]

    # Why it is so

    @lemma
    def a_tally_counts_what_was_heard(self, r: Replica, s: Step) -> bool:
        """A replica has heard of exactly those steps whose numbers its tally has reached."""
        counts = self.tally[r].ups if s.up else self.tally[r].downs
        return (s in self.heard[r]) == (1 <= s.number <= counts[s.replica])

    @lemma
    def a_snapshot_counts_what_was_heard(self, s: Step) -> bool:
        """So is it with what is on the wire."""
        return all(
            (s in m.heard) == (1 <= s.number <= (m.tally.ups if s.up else m.tally.downs)[s.replica])
            for m in self.network
        )

    @reachable
    def counts_below_zero(self, r: Replica) -> bool:
        """A replica can show less than nothing, although more was counted up than down: it has not heard of that."""
        return self.value(r) < 0 and all(self.tally[q].ups[q] >= self.tally[q].downs[q] for q in Replica if q != r)

    @reachable
    def hears_old_news(self, r: Replica) -> bool:
        """A message can arrive after the replica has heard of all that is in it, and of more."""
        return any(m.heard < self.heard[r] for m in self.network)


class LastWriteWins(Crdt):
    """The counter is kept as one register with a time stamp, and of two states that meet the later one stays.

    Counting up is reading the register, adding one, and writing it: two replicas that do so at a time each write their
    own sum, and of both sums one is discarded, with the other replica's operation in it. That is what happens to a
    counter in a column of a store whose rule for conflicts is "last write wins".
    """

    expect = violates("counter_is_the_sum")
    omits: ClassVar[tuple[str, ...]] = (
        "counts_below_zero",
        "hears_old_news",
        "get_in_touch",
        "everybody_hears",
        "a_tally_counts_what_was_heard",
        "a_snapshot_counts_what_was_heard",
    )

    def merge(self, own: Tally, received: Tally) -> Tally:
        return received if self.time(received) >= self.time(own) else own

    def time(self, t: Tally) -> int:
        """A logical clock that every operation moves on, and that a merge takes over with the state."""
        return sum(t.ups[r] + t.downs[r] for r in Replica)


class FireAndForget(Crdt):
    """A replica sends its state when it has changed, once, and nobody asks again.

    Merging forgives a late or repeated message, but not a lost one that was the last: the counters stay apart until
    somebody counts again. That the states *can* be merged at any time does not mean that they will be.
    """

    expect = violates("everybody_hears")
    omits: ClassVar[tuple[str, ...]] = ("get_in_touch",)
    bounds: ClassVar[dict[str, int]] = {"Count": 1}


class Value(Nat, max=12):
    """What a counter shows that only counts up."""


class OpCounter(Spec):
    """The operation-based counter of Shapiro et al. 2011 (specification 5), counting up only.

    The network may deliver an operation late and again. A replica does those of another one in their order, and
    remembers how many it has done, so that it does none twice. Promise: as of the state-based counter.
    """

    lanes = (Replica,)

    value: dict[Replica, Value]
    done: dict[Replica, dict[Replica, Count]]
    heard: dict[Replica, set[Step]]
    network: Network[Step] = Network(capacity=9)
    bounds: ClassVar[dict[str, int]] = {"Replica": 3, "Count": 3}

    def is_due(self, r: Replica, m: Step) -> bool:
        """Whether a replica may do an operation now: it is the next one of the replica that made it."""
        return m.number == self.done[r][m.replica] + 1

    @action
    def count_up(self, r: Replica) -> None:
        self.done[r][r] += 1
        self.value[r] += 1
        self.heard[r].add(Step(r, self.done[r][r], True))
        self.network.send(Step(r, self.done[r][r], True))

    @action(fair="weak")
    def receive(self, r: Replica, m: Step) -> None:
        require(m in self.network)
        require(m.replica != r and self.is_due(r, m))
        self.network.receive(m)
        self.done[r][m.replica] = max(m.number, self.done[r][m.replica])
        self.value[r] += 1
        self.heard[r].add(m)

    @invariant
    def convergence(self, a: Replica, b: Replica) -> bool:
        """Replicas that have heard of the same operations show the same value."""
        return self.heard[a] != self.heard[b] or self.value[a] == self.value[b]

    @invariant
    def counter_is_the_sum(self, r: Replica) -> bool:
        """A replica shows the number of the operations that it has heard of."""
        return self.value[r] == len(self.heard[r])

    @leads_to
    def everybody_hears(self, a: Replica, b: Replica, s: Step) -> tuple[bool, bool]:
        """An operation that one replica has heard of, every other hears of, if no message is lost for good."""
        return s in self.heard[a], s in self.heard[b]

    @reachable
    def hears_in_another_order(self, a: Replica, b: Replica, s: Step, t: Step) -> bool:
        """Two replicas can have heard of two operations of which neither knows the other's."""
        return s in self.heard[a] - self.heard[b] and t in self.heard[b] - self.heard[a]


class DuplicatedDelivery(OpCounter):
    """A replica does every operation that arrives, and the sender repeats what was not confirmed.

    A confirmation is lost, or a log is replayed after a restart, and one is counted twice. "At least once" is enough
    for a state that is merged, and for no operation that is not idempotent. Cassandra's counters up to 2.0 counted
    too much in this way.
    """

    expect = violates("counter_is_the_sum")
    omits: ClassVar[tuple[str, ...]] = ("convergence",)
    bounds: ClassVar[dict[str, int]] = {"Replica": 2, "Count": 1}

    def is_due(self, r: Replica, m: Step) -> bool:
        return True


# Sets


@record
class Add:
    """One addition of an element, with its dot: the replica that made it and the number among its additions."""

    element: Element
    replica: Replica
    number: Count


@record
class Contents:
    """An OR-set without tombstones: the additions that are in it, and for each replica how many were ever seen.

    An addition that was seen and is not in it was removed.
    """

    adds: set[Add]
    seen: dict[Replica, Count]


@record
class Copy:
    """The state of a set on its way to the others. `added` and `removed`: the updates that are in it."""

    source: Replica
    contents: Contents
    added: set[Add]
    removed: set[Add]


def has_seen(a: Contents, x: Add) -> bool:
    """Whether an addition is or was in a set."""
    return x.number <= a.seen[x.replica]


def is_well_formed(a: Contents) -> bool:
    """Whether what is in the set was seen."""
    return all(1 <= x.number <= a.seen[x.replica] for x in a.adds)


def knows_less(a: Contents, b: Contents) -> bool:
    """Whether b has seen all that a has seen, and has nothing of it that a saw removed."""
    return all(a.seen[r] <= b.seen[r] for r in Replica) and all(x in a.adds or not has_seen(a, x) for x in b.adds)


@merge(order=knows_less, valid=is_well_formed)
def union(a: Contents, b: Contents) -> Contents:
    """What both have, and what one has that the other has not seen. The rest was removed by one of them."""
    kept = {x for x in a.adds if x in b.adds or not has_seen(b, x)}
    return Contents(
        kept | {x for x in b.adds if not has_seen(a, x)},
        {r: max(a.seen[r], b.seen[r]) for r in Replica},
    )


def union_as_shipped(a: Contents, b: Contents) -> Contents:
    """The same, but an element that both sides have keeps all additions of both, removed or not."""
    both = {x.element for x in a.adds} & {x.element for x in b.adds}
    more = {x for x in a.adds | b.adds if x.element in both}
    merged = union(a, b)
    return Contents(merged.adds | more, merged.seen)


class OrSet(Spec):
    """The observed-remove set without tombstones (Bieniusa et al. 2012).

    Removing an element takes away the additions of it that the replica has seen, and no others. Promise: an element
    is in the set exactly if the replica has heard of an addition of it that no removal it has heard of had seen.
    """

    lanes = (Replica,)

    contents: dict[Replica, Contents]
    added: dict[Replica, set[Add]]
    removed: dict[Replica, set[Add]]
    network: Network[Copy] = Network(capacity=2)

    def merge(self, own: Contents, received: Contents) -> Contents:
        """What a replica makes of its state and a received one."""
        return union(own, received)

    def has(self, r: Replica, e: Element) -> bool:
        """Whether a replica shows an element."""
        return any(x.element == e for x in self.contents[r].adds)

    @action
    def add(self, r: Replica, e: Element) -> None:
        c = self.contents[r]
        x = Add(e, r, c.seen[r] + 1)
        self.contents[r] = Contents(c.adds | {x}, {q: c.seen[q] + (1 if q == r else 0) for q in Replica})
        self.added[r].add(x)

    @action
    def remove(self, r: Replica, e: Element) -> None:
        require(self.has(r, e))
        c = self.contents[r]
        self.contents[r] = Contents({x for x in c.adds if x.element != e}, c.seen)
        self.removed[r] |= {x for x in c.adds if x.element == e}

    @action
    def send(self, r: Replica) -> None:
        self.network.send(Copy(r, self.contents[r], self.added[r], self.removed[r]))

    @action
    def receive(self, r: Replica, m: Copy) -> None:
        require(m in self.network)
        require(m.source != r)
        self.network.receive(m)
        self.contents[r] = self.merge(self.contents[r], m.contents)
        self.added[r] |= m.added
        self.removed[r] |= m.removed

    @action(fair="weak")
    def get_in_touch(self, r: Replica, other: Replica) -> None:
        require(r != other)
        self.contents[r] = self.merge(self.contents[r], self.contents[other])
        self.added[r] |= self.added[other]
        self.removed[r] |= self.removed[other]

    # What is promised

    @invariant
    def convergence(self, a: Replica, b: Replica, e: Element) -> bool:
        """Replicas that have heard of the same additions and removals show the same elements."""
        same = self.added[a] == self.added[b] and self.removed[a] == self.removed[b]
        return not same or self.has(a, e) == self.has(b, e)

    @invariant
    def an_add_wins(self, r: Replica, x: Add) -> bool:
        """An addition that no removal heard of had seen is in the set, whatever removals were made beside it."""
        return x not in self.added[r] or x in self.removed[r] or self.has(r, x.element)

    @invariant
    def what_was_removed_stays_away(self, r: Replica, e: Element) -> bool:
        """An element of which every addition heard of was removed is not in the set."""
        return not self.has(r, e) or any(x.element == e and x not in self.removed[r] for x in self.added[r])

    @leads_to
    def everybody_hears(self, a: Replica, b: Replica, x: Add) -> tuple[bool, bool]:
        """A removal that one replica has heard of, every other hears of."""
        return x in self.removed[a], x in self.removed[b]

    # Why it is so

    @lemma
    def has_what_was_not_removed(self, r: Replica, x: Add) -> bool:
        """The additions in the set are those heard of whose removal was not heard of."""
        return (x in self.contents[r].adds) == (x in self.added[r] and x not in self.removed[r])

    @lemma
    def a_copy_has_what_was_not_removed(self, x: Add) -> bool:
        """So is it with what is on the wire."""
        return all((x in m.contents.adds) == (x in m.added and x not in m.removed) for m in self.network)

    @lemma
    def seen_is_heard(self, r: Replica, x: Add) -> bool:
        """A replica has heard of the additions that another has made, up to the number that it has seen."""
        return (x in self.added[r]) == (x in self.added[x.replica] and has_seen(self.contents[r], x))

    @lemma
    def seen_in_a_copy_is_heard(self, x: Add) -> bool:
        """So is it with what is on the wire."""
        return all((x in m.added) == (x in self.added[x.replica] and has_seen(m.contents, x)) for m in self.network)

    @lemma
    def only_additions_are_removed(self, r: Replica, x: Add) -> bool:
        """What was removed was added."""
        return x not in self.removed[r] or x in self.added[r]

    @lemma
    def only_additions_are_removed_in_a_copy(self, x: Add) -> bool:
        """So is it with what is on the wire."""
        return all(x not in m.removed or x in m.added for m in self.network)

    @lemma
    def nobody_is_ahead(self, r: Replica, q: Replica) -> bool:
        """Nobody has seen more additions of a replica than it has made."""
        return self.contents[q].seen[r] <= self.contents[r].seen[r] and all(
            m.contents.seen[r] <= self.contents[r].seen[r] for m in self.network
        )

    @reachable
    def add_beside_a_remove(self, r: Replica, x: Add, y: Add) -> bool:
        """A replica can have heard of a removal of an element, and of an addition beside it."""
        return x.element == y.element and x in self.removed[r] and y in self.contents[r].adds and x.replica != y.replica

    @reachable
    def hears_old_news(self, r: Replica, x: Add) -> bool:
        """An old copy can arrive that still has what was removed."""
        return x in self.removed[r] and any(x in m.contents.adds for m in self.network)


class TwoPhaseSet(OrSet):
    """The 2P-set: the elements that were added, without those that were removed (Shapiro et al. 2011, 3.3.2).

    Both parts only grow, so merging is easy, and what was removed once can never come back: a customer who takes a
    book out of the cart and puts it in again does not get it, and nobody is told.
    """

    expect = violates("an_add_wins")

    def has(self, r: Replica, e: Element) -> bool:
        added = any(x.element == e for x in self.added[r])
        return added and all(x.element != e for x in self.removed[r])


class UnionOfCarts(OrSet):
    """Merging is the union of what both have, as of the shopping carts in the Dynamo paper (section 4.4).

    No addition is lost, and what was removed comes back with the first replica that has not heard of the removal.
    """

    expect = violates("what_was_removed_stays_away")
    omits: ClassVar[tuple[str, ...]] = ("get_in_touch", "everybody_hears")

    def merge(self, own: Contents, received: Contents) -> Contents:
        return Contents(own.adds | received.adds, union(own, received).seen)


class KeptByBoth(OrSet):
    """What both sides of a merge have stays, as in the first versions of Riak's set (basho/riak_dt pull request 82).

    Each side has the element by another addition, and has removed, or heard of the removal of, the one that the other
    side still has. Nothing of it should be left; the merge keeps both.
    """

    expect = violates("what_was_removed_stays_away")
    omits: ClassVar[tuple[str, ...]] = ("get_in_touch", "everybody_hears")
    bounds: ClassVar[dict[str, int]] = {"Count": 1, "network": 4}

    def merge(self, own: Contents, received: Contents) -> Contents:
        return union_as_shipped(own, received)
