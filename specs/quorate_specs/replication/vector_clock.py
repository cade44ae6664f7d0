"""Vector clocks: from two stamps alone, tell which event happened before which.

Every process counts its own events, and keeps for each other process the number of its events that it has heard of,
directly or not. Each message carries its sender's vector; the receiver takes the larger number entry by entry.

*Promise*, to whoever compares two vectors: V(a) < V(b) exactly when a happened before b, that is, when a could have
influenced b. When neither is less and they are not equal, the events are concurrent. Stores use this to tell an
outdated version from a conflicting one (version vectors).

V(a) < V(b) means that no entry of V(a) is larger, *and some entry is smaller*; an entry that is missing counts as
zero. Both are easily lost in an implementation, and two of the variants show what follows.

The spec checks the comparison against the causal past itself: `past` records, for each event, the set of events that
happened before it. No process could afford to send that; the vector is its summary.

Sources: Fidge 1988, "Timestamps in Message-Passing Systems That Preserve the Partial Ordering"; Mattern 1989,
"Virtual Time and Global States of Distributed Systems"; Parker et al. 1983, "Detection of Mutual Inconsistency in
Distributed Systems" (version vectors).
"""

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    invariant,
    law,
    lemma,
    merge,
    reachable,
    record,
    require,
    violates,
)


class Process(Scalarset, size=3, prefix="p"):
    """A process with events of its own."""


class Count(Nat, max=3):
    """How many events of a process."""


Vector = dict[Process, Count | None]
"""A number for each process; None is an entry that is missing."""


@record
class Event:
    """The event of a process with this number, from 1."""

    process: Process
    number: Count


@record
class Message:
    """Any message; what matters is the vector of the event that sent it."""

    source: Process
    clock: Vector


def count(entry: Count | None) -> Count:
    """What an entry says; a missing one says zero."""
    return Count(0) if entry is None else entry


def no_entry_is_larger(a: Vector, b: Vector) -> bool:
    """Whether b has heard of everything that a has heard of."""
    return all(count(a[p]) <= count(b[p]) for p in Process)


def same_counts(a: Vector, b: Vector) -> bool:
    """Whether two vectors say the same; they may differ in entries of zero that are missing."""
    return all(count(a[p]) == count(b[p]) for p in Process)


def less(a: Vector, b: Vector) -> bool:
    """V(a) < V(b): no entry is larger and some entry is smaller. This is a strict partial order."""
    return no_entry_is_larger(a, b) and any(count(a[p]) < count(b[p]) for p in Process)


@merge(order=no_entry_is_larger, equal=same_counts)
def merged(a: Vector, b: Vector) -> Vector:
    """The least vector that is not less than either, up to missing entries."""
    return {p: max(count(a[p]), count(b[p])) for p in Process}


def compact(a: Vector) -> Vector:
    """The form on the wire: entries of zero are left out."""
    return {p: a[p] if count(a[p]) > 0 else None for p in Process}


def concurrent(a: Vector, b: Vector) -> bool:
    """Whether neither vector is less than the other, nor equal to it."""
    return not less(a, b) and not less(b, a) and not same_counts(a, b)


@law
def less_is_a_strict_order(a: Vector, b: Vector, c: Vector) -> bool:
    """Nothing is less than itself, nor two vectors than each other; what is less than something less, is less."""
    return not less(a, a) and not (less(a, b) and less(b, a)) and (less(a, c) or not (less(a, b) and less(b, c)))


@law
def less_is_below_and_not_equal(a: Vector, b: Vector) -> bool:
    """To be less is to be below and not equal."""
    return less(a, b) == (no_entry_is_larger(a, b) and not same_counts(a, b))


@law
def concurrent_is_symmetric(a: Vector, b: Vector) -> bool:
    """If a is concurrent with b, then b is with a."""
    return concurrent(a, b) == concurrent(b, a)


@law
def concurrent_is_neither_below(a: Vector, b: Vector) -> bool:
    """Vectors are concurrent exactly when each has heard of something that the other has not."""
    return concurrent(a, b) == (not no_entry_is_larger(a, b) and not no_entry_is_larger(b, a))


@law(expect=violates("concurrent_is_transitive"))
def concurrent_is_transitive(a: Vector, b: Vector, c: Vector) -> bool:
    """Not so: an event can be concurrent with two of which one happened before the other."""
    return concurrent(a, c) or not (concurrent(a, b) and concurrent(b, c))


@law
def compact_says_the_same(a: Vector) -> bool:
    """What is left out on the wire is known to the receiver."""
    return same_counts(compact(a), a)


@law(expect=violates("published_order_is_asymmetric"))
def published_order_is_asymmetric(a: Vector, b: Vector) -> bool:
    """Not so: "no entry is larger, and not the same object" puts two equal vectors before each other."""
    return not (no_entry_is_larger(a, b) and no_entry_is_larger(b, a))


@law(expect=violates("raw_comparison_is_asymmetric"))
def raw_comparison_is_asymmetric(a: Vector, b: Vector) -> bool:
    """Not so: "no entry is larger, and the maps differ" does so where one has a zero and the other no entry."""
    return not (no_entry_is_larger(a, b) and a != b and no_entry_is_larger(b, a))


class VectorClock(Spec):
    """Vector clocks as in Fidge 1988 and Mattern 1989.

    An internal event is a send whose message nobody receives. Promise: vectors are ordered exactly as the events are
    by causality.
    """

    clock: dict[Process, Vector]
    past: dict[Process, dict[Count, set[Event]]]
    network: Network[Message] = Network(capacity=9)

    def before(self, a: Vector, b: Vector, same: bool) -> bool:
        """Whether the event stamped `a` happened before the one stamped `b`; `same`: they are one object in memory."""
        return less(a, b)

    def combine(self, own: Vector, received: Vector) -> Vector:
        """What a receiver knows after a message."""
        return merged(own, received)

    @action
    def send(self, p: Process) -> None:
        self.happen(p, self.past_of_process(p))
        self.network.send(Message(p, compact(self.clock[p])))

    @action
    def receive(self, p: Process, m: Message) -> None:
        require(m in self.network)
        require(m.source != p)
        self.network.receive(m)
        past = self.past_of_process(p) | self.past_of_message(m)
        own = count(self.clock[p][p])
        self.clock[p] = self.combine(self.clock[p], m.clock)
        self.clock[p][p] = own
        self.happen(p, past)

    def happen(self, p: Process, past: set[Event]) -> None:
        """The next event of a process, with these events before it."""
        number = count(self.clock[p][p]) + 1
        self.clock[p][p] = number
        self.past[p][number] = past | {Event(p, number)}

    def has_acted(self, p: Process) -> bool:
        """Whether a process has had an event."""
        return count(self.clock[p][p]) > 0

    def past_of_process(self, p: Process) -> set[Event]:
        """The latest event of a process and all that happened before it."""
        return self.past[p][count(self.clock[p][p])]

    def past_of_message(self, m: Message) -> set[Event]:
        """The event that sent a message and all that happened before it."""
        return self.past[m.source][count(m.clock[m.source])]

    def concurrent(self, p: Process, q: Process) -> bool:
        """Whether the vectors say that the latest events of two processes did not influence each other."""
        a, b = self.clock[p], self.clock[q]
        equal = no_entry_is_larger(a, b) and no_entry_is_larger(b, a)
        return not equal and not self.before(a, b, p == q) and not self.before(b, a, p == q)

    @invariant
    def processes_are_ordered_by_causality(self, p: Process, q: Process) -> bool:
        """The clock of p is less than that of q exactly when the latest event of p happened before that of q."""
        if not (self.has_acted(p) and self.has_acted(q)):
            return True
        happened = self.past_of_process(p) < self.past_of_process(q)
        return self.before(self.clock[p], self.clock[q], p == q) == happened

    @invariant
    def messages_are_ordered_by_causality(self, p: Process) -> bool:
        """A message's clock is less than that of p exactly when its sending happened before the latest event of p."""
        return not self.has_acted(p) or all(
            self.before(m.clock, self.clock[p], False) == (self.past_of_message(m) < self.past_of_process(p))
            and self.before(self.clock[p], m.clock, False) == (self.past_of_process(p) < self.past_of_message(m))
            for m in self.network
        )

    @invariant
    def concurrency_is_symmetric(self, p: Process, q: Process) -> bool:
        """p is concurrent with q exactly when q is with p."""
        return self.concurrent(p, q) == self.concurrent(q, p)

    @invariant
    def concurrency_is_independence(self, p: Process, q: Process) -> bool:
        """Clocks are concurrent exactly when neither event is in the causal past of the other."""
        a, b = self.past_of_process(p), self.past_of_process(q)
        return self.concurrent(p, q) == (not a <= b and not b <= a)

    @lemma
    def a_clock_counts_the_past(self, p: Process, e: Event) -> bool:
        """An event is in the past of p exactly when the clock of p counts it."""
        return (e in self.past_of_process(p)) == (1 <= e.number <= count(self.clock[p][e.process]))

    @lemma
    def a_message_counts_its_past(self, e: Event) -> bool:
        """An event is in the past of a message exactly when the clock of the message counts it."""
        return all((e in self.past_of_message(m)) == (1 <= e.number <= count(m.clock[e.process])) for m in self.network)

    @lemma
    def a_clock_names_events_of_the_past(self, p: Process, q: Process) -> bool:
        """The last event of q that the clock of p counts is in the past of p."""
        last = count(self.clock[p][q])
        return last == 0 or Event(q, last) in self.past_of_process(p)

    @lemma
    def a_message_names_events_of_its_past(self, q: Process) -> bool:
        """The last event of q that the clock of a message counts is in the past of the message."""
        return all(
            count(m.clock[q]) == 0 or Event(q, count(m.clock[q])) in self.past_of_message(m) for m in self.network
        )

    @lemma
    def a_message_was_sent(self) -> bool:
        """The event that sent a message has a number."""
        return all(count(m.clock[m.source]) >= 1 for m in self.network)

    @lemma
    def no_process_is_overtaken(self, p: Process, q: Process) -> bool:
        """No process counts more events of another than that one itself."""
        return count(self.clock[q][p]) <= count(self.clock[p][p])

    @lemma
    def no_message_overtakes(self, p: Process) -> bool:
        """No message counts more events of a process than the process itself."""
        return all(count(m.clock[p]) <= count(self.clock[p][p]) for m in self.network)

    @reachable
    def hears_indirectly(self, p: Process, q: Process, r: Process) -> bool:
        """A process can learn of an event of another, two messages away."""
        through = count(self.clock[q][p]) > 0 and count(self.clock[r][q]) > 0 and count(self.clock[r][p]) > 0
        return p != q and q != r and p != r and through

    @reachable
    def events_are_concurrent(self, p: Process, q: Process) -> bool:
        """Two events can be concurrent."""
        return self.concurrent(p, q)


class AsPublished(VectorClock):
    """The article's comparison: a is before b if no entry of a is larger, and a and b are not the same object.

    Two vectors with equal entries are then each before the other, as soon as they are two objects: a vector and the
    copy of it in a message, or two replicas that have just synchronized. A store that asks "is mine outdated?" hears
    yes from both.
    """

    expect = violates("messages_are_ordered_by_causality")

    def before(self, a: Vector, b: Vector, same: bool) -> bool:
        return no_entry_is_larger(a, b) and not same


class MissingIsNotZero(VectorClock):
    """The comparison says "no entry is larger, and the maps differ", where a missing entry differs from one of zero.

    The wire form leaves zeros out, and merging brings them back, so that one event has two different maps. Each is
    then before the other, and a vector precedes its own copy.
    """

    expect = violates("messages_are_ordered_by_causality")

    def before(self, a: Vector, b: Vector, same: bool) -> bool:
        return no_entry_is_larger(a, b) and a != b


class ReceiverForgets(VectorClock):
    """A receiver replaces its vector by that of the message, instead of taking the larger number entry by entry.

    It forgets what it had heard from others, so an event in its causal past no longer comes before it: the two look
    concurrent, and a store would keep both versions, or drop the newer one.
    """

    expect = violates("processes_are_ordered_by_causality")

    def combine(self, own: Vector, received: Vector) -> Vector:
        return received
