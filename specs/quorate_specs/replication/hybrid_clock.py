"""Hybrid logical clocks: stamps that respect causality and tell the time.

A stamp is a time and a count. At an event a node takes the largest time of its last stamp, the stamp that came with a
message, and its own physical clock; the count tells events of one time apart. So a stamp is larger than all that
could have influenced it, as Lamport's are, and its time is at most as far from the physical time as the clocks of
the nodes are from each other. A store can then read a consistent snapshot "as of ten o'clock".

*Promise*, to whoever compares stamps: of two events of which one happened before the other, the later one has the
larger stamp. To operators: no stamp is ahead of the clock of the node that made it by more than the configured skew,
even if another node's clock has gone wrong. *Not promised*: that a larger stamp means later; concurrent events are
ordered somehow.

Physical clocks tick forward, and differ by at most `skew`, but for those of nodes in `broken`, which run ahead. A node
does not believe a message whose time is further ahead of its own clock than `skew`. It loses its last stamp in a crash,
so after a restart it waits until its clock has passed whatever it may have stamped before. The network delays,
repeats and reorders messages. `past` holds the stamps of the events before a node's latest one; it is there for
the properties.

Sources: Kulkarni, Demirbas, Madappa, Avva & Leone 2014, "Logical Physical Clocks" (figure 5, theorems 1 to 4); Lamport
1978, "Time, Clocks, and the Ordering of Events in a Distributed System".

Shipped: cockroachdb/cockroach issue 9733, a server that waits too short a time after a restart begins with a clock
behind the one it ended with (`ForgetsAtRestart`). yugabyte/yugabyte-db issue 10628, a node takes over any hybrid time
that it hears of, however far in the future (`TrustsAnyClock`). cockroachdb/cockroach issue 74909, one node whose clock
ran eight hours ahead (the same).
"""

from typing import ClassVar, Self

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    law,
    lemma,
    reachable,
    record,
    require,
    step,
    violates,
)


class Node(Scalarset, size=2, prefix="n"):
    """A server with a physical clock of its own."""


class Time(Nat, max=3):
    """What a physical clock shows, and the first part of a stamp."""


class Count(Nat, max=2):
    """The second part of a stamp, which tells events of one time apart."""


@record
class Stamp:
    """A hybrid time."""

    time: Time
    count: Count


@record
class Message:
    """Any message. `past`: the stamps of all events that happened before its sending."""

    source: Node
    stamp: Stamp
    past: set[Stamp]


def earlier(a: Stamp, b: Stamp) -> bool:
    """The order of stamps: by time, then by count."""
    return (a.time, a.count) < (b.time, b.count)


def after_local(own: Stamp, now: Time) -> Stamp:
    """The stamp of a local event, or of a sending, when the physical clock shows `now`."""
    if now > own.time:
        return Stamp(now, Count(0))
    return Stamp(own.time, own.count + 1)


def after_message(own: Stamp, received: Stamp, now: Time) -> Stamp:
    """The stamp of a receipt: after the node's last event, and after the sending."""
    newer = received if earlier(own, received) else own
    return after_local(newer, now)


@law
def a_receipt_is_later_than_both(own: Stamp, received: Stamp, now: Time) -> bool:
    """A receipt is stamped later than the event before it and than the sending."""
    result = after_message(own, received, now)
    return earlier(own, result) and earlier(received, result)


@law
def a_stamp_is_of_one_of_the_clocks(own: Stamp, received: Stamp, now: Time) -> bool:
    """The time of a stamp is the largest of the times that went into it: nothing runs ahead by itself."""
    return after_message(own, received, now).time == max(own.time, received.time, now)


@law
def the_count_begins_anew(own: Stamp, now: Time) -> bool:
    """Once the physical clock has passed the last stamp, the count is zero again."""
    return now <= own.time or after_local(own, now) == Stamp(now, Count(0))


@law
def earlier_is_a_strict_total_order(a: Stamp, b: Stamp, c: Stamp) -> bool:
    """Any two stamps that differ are ordered, in one way."""
    total = (a == b) or earlier(a, b) or earlier(b, a)
    return total and not (earlier(a, b) and earlier(b, a)) and (earlier(a, c) or not (earlier(a, b) and earlier(b, c)))


class HybridClock(Spec):
    """Hybrid logical clocks as in Kulkarni et al. 2014, with restarts and a check of what others send.

    Promise: causally later is larger, and stamps are near the physical time.
    """

    skew: ClassVar[int] = 1
    lanes = (Node,)
    coloured_by = "restarting"

    wall: dict[Node, Time]
    broken: set[Node]
    stamp: dict[Node, Stamp]
    past: dict[Node, set[Stamp]]
    restarting: set[Node]
    started: dict[Node, Time]
    network: Network[Message] = Network(capacity=2)

    @init
    def begin(self) -> None:
        for n in Node:
            self.wall[n] = Time(1)

    # Physical clocks

    @action
    def tick(self, n: Node) -> None:
        require(n in self.broken or all(m in self.broken or self.wall[n] < self.wall[m] + self.skew for m in Node))
        self.wall[n] += 1

    @action(mark="timeout")
    def clock_breaks(self, n: Node) -> None:
        require(len(self.broken) == 0)
        self.broken.add(n)

    # Events

    def stamp_event(self, n: Node) -> Stamp:
        """The stamp of a sending."""
        return after_local(self.stamp[n], self.wall[n])

    def stamp_receipt(self, n: Node, m: Message) -> Stamp:
        """The stamp of a receipt."""
        return after_message(self.stamp[n], m.stamp, self.wall[n])

    def believes(self, n: Node, m: Message) -> bool:
        """Whether a node takes a message: its time can be that of a healthy clock."""
        return m.stamp.time <= self.wall[n] + self.skew

    @action
    def send(self, n: Node) -> None:
        require(n not in self.restarting)
        self.past[n].add(self.stamp[n])
        self.stamp[n] = self.stamp_event(n)
        self.network.send(Message(n, self.stamp[n], self.past[n]))

    @action
    def receive(self, n: Node, m: Message) -> None:
        require(m in self.network)
        require(n not in self.restarting and m.source != n and self.believes(n, m))
        self.network.receive(m)
        self.past[n] |= m.past | {m.stamp, self.stamp[n]}
        self.stamp[n] = self.stamp_receipt(n, m)

    # Crashes

    @action(mark="crash")
    def crash(self, n: Node) -> None:
        require(n not in self.restarting)
        self.restarting.add(n)
        self.started[n] = self.wall[n]

    @action(mark="restart")
    def resume(self, n: Node) -> None:
        require(n in self.restarting and self.has_waited(n))
        self.restarting.discard(n)
        self.past[n].add(self.stamp[n])
        self.stamp[n] = Stamp(self.wall[n], Count(0))
        self.started[n] = Time(0)

    def has_waited(self, n: Node) -> bool:
        """Whether the clock has passed all stamps from before the crash: these were ahead by at most the skew."""
        return self.wall[n] > self.started[n] + self.skew

    # What is promised

    @invariant
    def causally_later_is_larger(self, n: Node, s: Stamp) -> bool:
        """The latest event of a node has a larger stamp than every event that happened before it."""
        return s not in self.past[n] or earlier(s, self.stamp[n])

    @invariant
    def causes_are_not_in_the_future(self, n: Node, s: Stamp) -> bool:
        """Nothing that happened before the latest event of a node has a larger stamp."""
        return s not in self.past[n] or not earlier(self.stamp[n], s)

    @invariant
    def messages_are_later_than_their_past(self) -> bool:
        """So has every message."""
        return all(all(earlier(s, m.stamp) for s in m.past) for m in self.network)

    @invariant
    def drift_is_bounded(self, n: Node) -> bool:
        """The stamp of a node is ahead of its physical clock by at most the skew."""
        return self.stamp[n].time <= self.wall[n] + self.skew

    @step
    def stamps_tell_the_time(self, old: Self, n: Node) -> bool:
        """An event is not stamped with an earlier time than the physical clock shows."""
        return self.stamp[n] == old.stamp[n] or self.stamp[n].time >= self.wall[n]

    @invariant
    def healthy_nodes_are_believed(self, n: Node) -> bool:
        """As long as all clocks are healthy, no message is refused."""
        return len(self.broken) > 0 or all(self.believes(n, m) for m in self.network)

    # Why it is so

    @lemma
    def healthy_clocks_agree(self, a: Node, b: Node) -> bool:
        """Healthy clocks differ by at most the skew."""
        return a in self.broken or b in self.broken or self.wall[a] <= self.wall[b] + self.skew

    @lemma
    def stamps_come_from_clocks(self, a: Node, b: Node) -> bool:
        """While all clocks are healthy, no stamp is ahead of any of them by more than the skew."""
        healthy = all(n not in self.broken for n in Node)
        stamps = self.stamp[a].time <= self.wall[b] + self.skew
        return not healthy or (stamps and all(m.stamp.time <= self.wall[b] + self.skew for m in self.network))

    @lemma
    def a_restart_begins_late(self, n: Node) -> bool:
        """The last stamp before a crash is ahead of the clock at the restart by at most the skew."""
        return n not in self.restarting or self.stamp[n].time <= self.started[n] + self.skew

    @reachable
    def runs_ahead_of_the_clock(self, n: Node) -> bool:
        """A stamp can be ahead of the node's own clock."""
        return self.stamp[n].time > self.wall[n]

    @reachable
    def counts_events_of_one_time(self, n: Node) -> bool:
        """The count can be needed."""
        return self.stamp[n].count > 1

    @reachable
    def a_message_is_refused(self, n: Node) -> bool:
        """A message of a node whose clock is broken can be refused."""
        return n not in self.broken and any(not self.believes(n, m) for m in self.network)


class WallClock(HybridClock):
    """Events are stamped with what the physical clock shows, counted if it has not moved.

    Clocks that are kept within a few milliseconds of each other seem good enough, and messages are sometimes faster: a
    node whose clock is behind answers a message "before" it was sent, and a store that keeps the larger stamp drops
    the answer. (That stamps of two nodes can be equal is a smaller matter: the node's number can be a third part.)
    """

    expect = violates("causes_are_not_in_the_future")
    omits: ClassVar[tuple[str, ...]] = ("causally_later_is_larger", "runs_ahead_of_the_clock")

    def stamp_receipt(self, n: Node, m: Message) -> Stamp:
        return self.stamp_event(n)


class LamportClock(HybridClock):
    """Lamport's clock: one number, which counts along the chains of messages.

    Causality is respected, and the number says nothing of the time: a node that has heard little is far behind, so
    that a snapshot "as of ten o'clock" has no meaning.
    """

    expect = violates("stamps_tell_the_time")

    def stamp_event(self, n: Node) -> Stamp:
        return Stamp(self.stamp[n].time, self.stamp[n].count + 1)

    def stamp_receipt(self, n: Node, m: Message) -> Stamp:
        newer = m.stamp if earlier(self.stamp[n], m.stamp) else self.stamp[n]
        return Stamp(newer.time, newer.count + 1)


class ForgetsAtRestart(HybridClock):
    """A node goes on as soon as it is up again, with what its physical clock shows.

    Its last stamp, which was in memory only, may have been ahead of the clock. What it stamps now is then smaller than
    what it has stamped, and sent, before the crash.
    """

    expect = violates("causes_are_not_in_the_future")
    omits: ClassVar[tuple[str, ...]] = ("causally_later_is_larger",)

    def has_waited(self, n: Node) -> bool:
        return True


class TrustsAnyClock(HybridClock):
    """A node takes over whatever time it receives.

    One clock that runs ahead takes all nodes with it, and since stamps never go back, correcting that clock does not
    help: every stamp of the cluster stays in the future, until the future has come.
    """

    expect = violates("drift_is_bounded")

    def believes(self, n: Node, m: Message) -> bool:
        return True
