"""How far behind is a replica, and who is told: heartbeats in the log, a counter of stale reads, and two alerts.

The primary writes its time into the log again and again. Replicas apply the log in order, so a replica that has applied
the heartbeat of ten o'clock has applied everything that was written before ten. A monitor scrapes that heartbeat from
each replica and subtracts it from its own time. What it shows is never less than the true lag, the age of the oldest
write that the replica has not applied: not when replication has stopped, not when scraping fails, not when somebody's
clock is wrong by what clocks may be wrong. For that the replica exports a *time*, which grows old by itself, and the monitor
adds the skew that it allows for.

A client sends with each read the position of its last write. A replica that has not applied it serves the read all the same,
and counts it: the client does not read its own write. The monitor tells whoever is on call when a counter has risen.

*Promise*, to whoever is on call: the lag that is shown is at least the true one, so a replica that is behind by more than
the limit has an alert that fires; each stale read is counted, and what was scraped of it was told; nobody is told of
what has not happened, and a replica that lacks nothing exports the newest heartbeat. *Not promised*: that lag is not
overstated, by the interval of heartbeats, the skew, and for as long as scraping fails; nor that a count that was lost in a
crash before it was scraped is ever told. *Assumed*: the primary's clock is ahead of the monitor's by at most the skew
(one that is behind overstates).

The stream of the log may stop and go on; what a replica has received and not applied is lost in a restart, and so is its
counter, which begins again at zero. A scrape reaches some of the replicas.

As it happened. `AsPublished`: the article's first alert, and percona/percona-monitoring-plugins #27 and
perforce/p4prometheus #64, where the alert on lag did not fire for days while replication was broken. `AsPublishedRate`: the
article's second alert. `BornAtOne`: JiRaska/open-bank-oss #4396 (a counter that is registered by its first increment has not
increased, says the alert). `LastReceived`: Percona-Lab/mongodb_consistent_backup #53 (lag by the last heartbeat).
`AllReceivedIsApplied`: prometheus-community/postgres_exporter #545 and cloudnative-pg/cloudnative-pg #2744 (zero where all
that was received is replayed). `LastTransaction`: bucardo/check_postgres #121, prometheus-community/postgres_exporter #385,
cloudnative-pg/cloudnative-pg #2003 (18 hours of lag in an idle cluster). `NullIsZero`: DataDog/dd-agent #425 and
PmaControl/PmaControl #113. `ExportsDifference`: sysown/proxysql #3726 and prometheus-community/postgres_exporter #907.
`TrustsClocks`: zendesk/maxwell #1029 and openark/orchestrator #1072 (negative lag). `ComparesReceived`: the question under
atlassian-labs/db-replica #62, which position of a replica shows what its reads see.

Sources: Terry et al. 1994, "Session Guarantees for Weakly Consistent Replicated Data" (read your writes); the manual of
pt-heartbeat (lag from a heartbeat that is replicated); the manual of Prometheus (staleness, `increase`).
"""

from enum import Enum
from typing import Annotated, ClassVar, Self

from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    lemma,
    reachable,
    record,
    require,
    step,
    up_to,
    violates,
)


class Replica(Scalarset, size=1, prefix="r"):
    """A server that applies the primary's log and serves reads. Replicas do not meet: one stands for all."""


class Time(Nat, max=3):
    """The monitor's time."""


class Skew(Nat, max=1):
    """By how much the primary's clock is ahead of the monitor's."""


class Stamp(Nat, max=lambda: Time.bound + Skew.bound):
    """A time on the primary's clock."""


class Length(Nat, max=5):
    """A position in the log: how many entries are before it."""


class Count(Nat, max=3):
    """A number of stale reads."""


class Kind(Enum):
    """What an entry of the log is."""

    WRITE = "write"
    HEARTBEAT = "heartbeat"


@record
class Entry:
    """An entry of the primary's log, and when it was written."""

    kind: Kind
    at: Time


class ReplicationLag(Spec):
    """Heartbeats in the log, exported as times, and a counter whose every rise is told.

    Promise: the lag that is shown is at least the true one, and no stale read that was scraped stays unknown.
    """

    limit: ClassVar[int] = 2
    tolerated: ClassVar[int] = 0
    lanes = ("primary", Replica, "monitor")

    now: Time
    ahead: Skew
    log: Annotated[list[Entry], up_to(Length)]
    received: dict[Replica, Length]
    applied: dict[Replica, Length]
    stopped: set[Replica]
    counter: dict[Replica, Count]
    stale: dict[Replica, Count]
    shown: dict[Replica, Stamp]
    seen: dict[Replica, Count]
    told: set[Replica]

    @init
    def begin(self, ahead: Skew) -> None:
        self.ahead = ahead
        for r in Replica:
            self.shown[r] = Stamp(ahead)

    # The primary

    @action(lane="primary")
    def write(self) -> None:
        self.log.append(Entry(Kind.WRITE, self.now))

    # The replicas

    @action
    def receive(self, r: Replica) -> None:
        """The stream brings the next entry."""
        require(self.received[r] < len(self.log))
        self.received[r] += 1

    @action
    def apply(self, r: Replica) -> None:
        require(r not in self.stopped and self.applied[r] < self.received[r])
        self.applied[r] += 1

    @action(mark="crash")
    def stop(self, r: Replica) -> None:
        """Applying stops: an entry cannot be applied, or somebody has stopped it. The server goes on and serves reads."""
        require(r not in self.stopped)
        self.stopped.add(r)

    @action(mark="restart")
    def restart(self, r: Replica) -> None:
        """The server begins anew: with what it has applied, and with a counter at zero."""
        require(r in self.stopped)
        self.stopped.remove(r)
        self.received[r] = self.applied[r]
        self.counter[r] = Count(0)

    def exported(self, r: Replica) -> Stamp:
        """What the replica exports of its progress: the newest heartbeat that it has applied."""
        return self.newest(self.applied[r])

    def newest(self, length: Length) -> Stamp:
        """The newest heartbeat in the beginning of the log."""
        return max((self.stamped(e) for e in self.log[:length] if e.kind == Kind.HEARTBEAT), default=Stamp(self.ahead))

    def stamped(self, entry: Entry) -> Stamp:
        """When the entry was written, by the primary's clock."""
        return Stamp(entry.at + self.ahead)

    def primary_time(self) -> Stamp:
        """What the primary's clock shows."""
        return Stamp(self.now + self.ahead)

    # Reads

    @action
    def read_too_early(self, r: Replica) -> None:
        """A client reads, and the replica has not applied its last write."""
        require(self.lacks_a_write(self.applied[r]))
        self.stale[r] += 1
        if self.notices(r):
            self.counter[r] += 1

    def lacks_a_write(self, length: Length) -> bool:
        """Whether there is a write after this position."""
        return any(e.kind == Kind.WRITE for e in self.log[length:])

    def notices(self, r: Replica) -> bool:
        """Whether the replica finds, by the client's position, that the read is stale."""
        return self.lacks_a_write(self.applied[r])

    # The monitor

    @action(lane="monitor")
    def tick(self, reached: set[Replica]) -> None:
        """Time passes: the primary writes a heartbeat, and the monitor scrapes those replicas that it reaches."""
        self.now += 1
        self.log.append(Entry(Kind.HEARTBEAT, self.now))
        for r in Replica:
            if r in reached:
                if self.is_told(self.seen[r], self.counter[r]):
                    self.told.add(r)
                self.shown[r] = self.exported(r)
                self.seen[r] = self.counter[r]

    def is_told(self, before: Count, after: Count) -> bool:
        """Whether a counter that was scraped twice has risen; if it is lower, it has begun again at zero."""
        return after > 0 and before != after

    def lag(self, r: Replica) -> int:
        """The lag that the monitor shows: it allows for a clock of the primary that is ahead."""
        return self.now + Skew.bound - self.shown[r]

    def fires(self, r: Replica) -> bool:
        """Whether the alert on lag fires."""
        return self.lag(r) > self.limit

    # What is promised

    def true_lag(self, r: Replica) -> int:
        """For how long the replica has lacked a write."""
        return self.now - min((e.at for e in self.log[self.applied[r] :] if e.kind == Kind.WRITE), default=self.now)

    @invariant
    def lag_is_never_understated(self, r: Replica) -> bool:
        """The lag that is shown is at least the true one."""
        return self.lag(r) >= self.true_lag(r)

    @invariant
    def lag_is_alerted(self, r: Replica) -> bool:
        """A replica that is behind by more than the limit has an alert that fires."""
        return self.true_lag(r) <= self.limit or self.fires(r)

    @invariant
    def idleness_is_no_lag(self, r: Replica) -> bool:
        """A replica that lacks nothing exports the newest heartbeat, however long nobody has written."""
        return self.applied[r] < len(self.log) or self.exported(r) == self.primary_time()

    @step
    def stale_reads_are_counted(self, old: Self, r: Replica) -> bool:
        """The counter rises when a stale read happens."""
        return self.stale[r] == old.stale[r] or self.counter[r] > old.counter[r]

    @invariant
    def stale_reads_are_told(self, r: Replica) -> bool:
        """Once more stale reads were scraped than are tolerated, somebody was told."""
        return self.seen[r] <= self.tolerated or r in self.told

    @invariant
    def nobody_is_told_without_cause(self, r: Replica) -> bool:
        """Whoever was told of stale reads was told the truth."""
        return r not in self.told or self.stale[r] > 0

    # Why it is so

    @lemma
    def positions_are_in_order(self, r: Replica) -> bool:
        """A replica has applied no more than it has received, and received no more than there is."""
        return self.applied[r] <= self.received[r] <= len(self.log)

    @lemma
    def shown_was_exported(self, r: Replica) -> bool:
        """The monitor shows no newer heartbeat than the replica has applied."""
        return self.shown[r] <= self.newest(self.applied[r])

    @lemma
    def counted_has_happened(self, r: Replica) -> bool:
        """No counter is above what has happened, nor was it when it was scraped."""
        return self.counter[r] <= self.stale[r] and self.seen[r] <= self.stale[r]

    @reachable
    def a_replica_is_alerted_that_has_caught_up(self, r: Replica) -> bool:
        """What the monitor knows is old: the alert can outlast the lag."""
        return self.fires(r) and self.true_lag(r) == 0

    @reachable
    def a_replica_keeps_up(self, r: Replica) -> bool:
        """All the time may pass, with writes, and no alert fires."""
        return self.now == Time.bound and self.applied[r] > Time.bound and not self.fires(r)

    @reachable
    def a_stale_read_is_told_although_its_count_is_lost(self, r: Replica) -> bool:
        """A restart after the scrape takes nothing back."""
        return r in self.told and self.counter[r] == 0

    @reachable
    def catches_up_after_stale_reads(self, r: Replica) -> bool:
        """A replica can have served stale reads and lack nothing any more."""
        return self.stale[r] > 0 and self.applied[r] == len(self.log)


class AsPublished(ReplicationLag):
    """The article's first alert: lag above the limit, where the exporter computes lag from a replication that runs.

    When replication has stopped there is nothing to compute, the series is absent, and an absent series fires nothing:
    the alert is silent in the case that it is for. It needs a second one, on the absence.
    """

    expect = violates("lag_is_alerted")

    def fires(self, r: Replica) -> bool:
        return r not in self.stopped and super().fires(r)


class AsPublishedRate(ReplicationLag):
    """The article's second alert: the rate of stale reads is above a threshold, here one between two scrapes.

    One stale read between any two scrapes never reaches it, however long this goes on. Those who lose their own writes each
    minute of the day are nobody's incident.
    """

    expect = violates("stale_reads_are_told")
    tolerated = 2

    def is_told(self, before: Count, after: Count) -> bool:
        return after > before + 1


class BornAtOne(ReplicationLag):
    """The counter exists from its first increment on, as libraries of metrics make them, and the alert asks for an increase.

    The series begins at one, and has not increased since. The first stale read after each start is not told.
    """

    expect = violates("stale_reads_are_told")

    def is_told(self, before: Count, after: Count) -> bool:
        return before > 0 and super().is_told(before, after)


class ComparesReceived(ReplicationLag):
    """The replica compares the client's position with what it has received, which is what it reports to the primary.

    The write has arrived and waits to be applied: the read does not see it, and nothing is counted.
    """

    expect = violates("stale_reads_are_counted")

    def notices(self, r: Replica) -> bool:
        return self.lacks_a_write(self.received[r])


class LastReceived(ReplicationLag):
    """Lag is measured from the last heartbeat that was received.

    It shows the delay of the network, and the heartbeat has overtaken whatever waits to be applied. When applying has
    stopped, heartbeats go on to arrive, and the lag shown is nothing for ever.
    """

    expect = violates("lag_is_never_understated")
    omits: ClassVar[tuple[str, ...]] = ("shown_was_exported",)

    def exported(self, r: Replica) -> Stamp:
        return self.newest(self.received[r])


class AllReceivedIsApplied(ReplicationLag):
    """Lag is zero where all that was received is applied, lest an idle primary looks like lag.

    A replica that is cut off from the primary receives nothing, has applied all of it, and is as good as new.
    """

    expect = violates("lag_is_never_understated")
    omits: ClassVar[tuple[str, ...]] = ("shown_was_exported",)

    def exported(self, r: Replica) -> Stamp:
        return self.primary_time() if self.received[r] == self.applied[r] else super().exported(r)


class LastTransaction(ReplicationLag):
    """There are no heartbeats: lag is the age of the last write that was applied.

    It never understates, and it grows all night while nobody writes. Whoever was woken by it for nothing raises the limit,
    or takes one of the two ways above.
    """

    expect = violates("idleness_is_no_lag")

    def newest(self, length: Length) -> Stamp:
        return max((self.stamped(e) for e in self.log[:length] if e.kind == Kind.WRITE), default=Stamp(self.ahead))


class NullIsZero(ReplicationLag):
    """The database says that the lag is unknown, since replication has stopped; the exporter makes a zero of it."""

    expect = violates("lag_is_never_understated")

    def lag(self, r: Replica) -> int:
        return 0 if r in self.stopped else super().lag(r)


class ExportsDifference(ReplicationLag):
    """The exporter subtracts, and exports the lag itself; the monitor shows the last number that it got.

    A number does not grow old. While scrapes fail, often for the reason for which replication does, it stays as it was.
    """

    expect = violates("lag_is_never_understated")

    gauge: dict[Replica, Stamp]

    def tick(self, reached: set[Replica]) -> None:
        super().tick(reached)
        for r in Replica:
            if r in reached:
                self.gauge[r] = Stamp(self.now + Skew.bound - self.exported(r))

    def lag(self, r: Replica) -> int:
        return self.gauge[r]


class TrustsClocks(ReplicationLag):
    """The monitor subtracts times of two clocks, and allows for no difference between them; what is below zero, it calls zero.

    The primary's clock is ahead, its heartbeats are of the future, and as long as they are, the lag is nothing.
    """

    expect = violates("lag_is_never_understated")

    def lag(self, r: Replica) -> int:
        return max(0, self.now - self.shown[r])
