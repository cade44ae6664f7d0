"""A log with a leader and in-sync replicas, as Kafka replicates a partition: its brokers, and the controller.

The *controller* appoints a leader for each *leader epoch* and keeps the list of *in-sync replicas* (ISR). Producers write
to the leader. Followers fetch by offset, which tells the leader that they have all that is before it. The *high
watermark* is the offset below which every in-sync replica has the log; what is below it is *committed*: with `acks=all` it
is acknowledged, and consumers read no further. A follower that lags, or is not heard of, leaves the ISR; one that has
caught up comes back. Any member of the ISR can be elected, and its log then is the truth. The others compare their
logs with it when they fetch, by the epochs of the records, and cut off what differs.

Nobody waits for the disk: a broker that loses power comes back with less than it has said that it had. Hence two rules
(KIP-966). The high watermark stands still while the ISR has less than `min_insync_replicas` members. And who leaves the
ISR in that time, with all that is committed, stays an *eligible leader replica* (ELR), until it has crashed.

*Promise*, to producers with `acks=all`: an acknowledged record is in the log of every later leader, if fewer than
`min_insync_replicas` brokers lose what they have not flushed. To consumers: what is below two brokers' high watermarks
is the same. *Not promised*: a leader, when no member of ISR and ELR is alive (`UncleanElection`); that a record without
an acknowledgement is gone; anything at all with `acks=1` (`AcksOne`).

Answers to fetches are late or lost; TCP repeats none. A late fetch is a follower that waits, and what a broker reads
late in the metadata, or skips, is a broker that learns late. The controller is one process here, and several with a
log of their own in Kafka (`raft`). A broker that restarts trusts no high watermark of its own. Left out: the leader's
request to shrink the ISR, which does what the controller may do at any time; idempotent producers and transactions;
deletion of old records. The promise is explored at bounds, not proven for any size: lemmas that would carry it are not
here. With more room it held as well, in 3,033,025 orbits with `Offset` 2, and in 2,191,363 with `Epoch` 3.

How many steps it takes from empty logs, all replicas in sync, to the loss of what was acknowledged (`replicas_agree` in
`AsksForEndOnly`). Three replicas, `min_insync_replicas` 2; each message is a step, and so is each broker that learns of an
epoch. With two replicas, which is what the KIPs tell it with, KIP-101 takes 10 and KIP-279 takes 9.

| variant                    | mistake                                   | steps |
|----------------------------|-------------------------------------------|-------|
| `AcksOne`                  | `acks=1`                                  | 3     |
| `AdvancesBelowMinimum`     | half of KIP-966                           | 7     |
| `AsksForEndOnly`           | KIP-101 without KIP-279: two failovers    | 10    |
| `IgnoresJoining`           | KIP-497, a request under way              | 10    |
| `UncleanElection`          | `unclean.leader.election.enable`          | 10    |
| `LastReplicaStanding`      | before KIP-966                            | 11    |
| `TruncatesToHighWatermark` | before KIP-101                            | 11    |
| `JoinsAfterRestart`        | before KIP-903                            | 13    |
| `JoinsAtHighWatermark`     | KAFKA-7128                                | 13    |

As it happened: apache/kafka #2743 and liftbridge-io/liftbridge #38 (`TruncatesToHighWatermark`), apache/kafka #4882
(`AsksForEndOnly`), #14594 (`AdvancesBelowMinimum`, `LastReplicaStanding`), #9100 (the review that asks for
`IgnoresJoining`'s missing half), #13489 and #14053 (`JoinsAfterRestart`), #9533 (how much an unclean election has lost),
#22233 and redpanda-data/redpanda #3018 (`AcksOne`: also a planned change of the leader loses records).

Sources: Kreps, Narkhede & Rao 2011, "Kafka: a Distributed Messaging System for Log Processing"; KIP-101 (leader epochs
instead of the high watermark), KIP-279 (fast failovers), KIP-320 (followers and leader of one epoch), KIP-497 (the
controller changes the ISR), KIP-595 (divergence found at a fetch), KIP-903 (broker epochs), KIP-966 (eligible leader
replicas); TLA+ by Gustafson (hachikuji/kafka-specification) and Vanlightly (Vanlightly/kafka-tlaplus).
"""

from enum import Enum
from typing import Annotated, ClassVar

from quorate import (
    Bag,
    Nat,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    reachable,
    record,
    require,
    up_to,
    violates,
)


class Broker(Scalarset, size=3, prefix="b"):
    """A server with a replica of the partition."""


class Epoch(Nat, max=2):
    """A leader's reign. A record carries the epoch of the leader that has appended it; 0 is none."""


class Offset(Nat, max=1):
    """A place in the log, and the number of records before it."""


class Role(Enum):
    """What a broker does for the partition, as far as it knows."""

    FOLLOWER = "follower"
    LEADER = "leader"
    OFFLINE = "offline"


@record
class Record:
    """A record by its name: in one epoch, one leader appends one record at an offset."""

    epoch: Epoch
    offset: Offset


@record
class Records:
    """The answer to a fetch: the next record, if there is one, and the leader's high watermark."""

    target: Broker
    entry: Epoch | None
    high_watermark: Offset


@record
class Diverging:
    """The answer to a fetch that does not fit: the leader's last epoch up to the follower's last, and where it ends."""

    target: Broker
    last_epoch: Epoch
    end_offset: Offset


class IsrLog(Spec):
    """Kafka's replication with leader epochs and eligible leader replicas; producers use `acks=all`."""

    min_insync_replicas: ClassVar[int] = 2
    unclean_leader_election: ClassVar[bool] = False
    lanes = ("controller", Broker)
    coloured_by = "role"

    # The controller
    leader: Broker | None
    epoch: Epoch = Epoch(1)
    isr: set[Broker]
    elr: set[Broker]

    # A broker: its log, and what is in its memory. `joining` is whom a leader has asked the controller to let in.
    log: dict[Broker, Annotated[list[Epoch], up_to(Offset)]]
    role: dict[Broker, Role]
    known_epoch: dict[Broker, Epoch]
    known_isr: dict[Broker, set[Broker]]
    joining: dict[Broker, Broker | None]
    fetched: dict[Broker, dict[Broker, Offset]]
    high_watermark: dict[Broker, Offset]
    network: Bag[Records | Diverging] = Bag(capacity=3)

    # What has happened
    have_lost: set[Broker]
    acknowledged: set[Record]

    @init
    def start(self, b: Broker) -> None:
        """The first leader is in office, and everybody knows it."""
        self.leader = b
        self.isr = set(Broker)
        self.known_epoch = {f: Epoch(1) for f in Broker}
        self.role[b] = Role.LEADER
        self.known_isr[b] = set(Broker)

    # The leader

    @action
    def produce(self, b: Broker) -> None:
        require(self.role[b] == Role.LEADER and len(self.known_isr[b]) >= self.min_insync_replicas)
        self.log[b].append(self.known_epoch[b])
        self.answer_producer(b)

    def answer_producer(self, b: Broker) -> None:
        """With `acks=all` the answer waits for the high watermark."""

    @action
    def fetch(self, b: Broker, f: Broker) -> None:
        """A follower that waits for nothing asks for what comes after the end of its log, and the leader answers."""
        require(self.role[b] == Role.LEADER and self.role[f] == Role.FOLLOWER)
        require(self.known_epoch[f] == self.known_epoch[b] and all(m.target != f for m in self.network))
        offset, last = Offset(len(self.log[f])), self.last_epoch(f, self.known_epoch[f])
        if self.diverges(b, last, offset):
            self.network.send(Diverging(f, self.last_epoch(b, last), self.end_offset(b, last)))
        else:
            more, joins = offset < len(self.log[b]), self.may_join(b, f, offset)
            unheard = self.high_watermark[f] < min(self.high_watermark[b], offset)
            require(more or joins or unheard or self.fetched[b][f] != offset)  # Left out: a fetch that changes nothing.
            self.fetched[b][f] = offset
            if joins:
                self.joining[b] = f
            self.advance(b)
            self.network.send(Records(f, self.log[b][offset] if more else None, self.high_watermark[b]))

    def last_epoch(self, b: Broker, limit: Epoch) -> Epoch:
        """The latest epoch in the log, of those up to a limit."""
        return max((e for e in self.log[b] if e <= limit), default=Epoch(0))

    def end_offset(self, b: Broker, e: Epoch) -> Offset:
        """Where the records of an epoch and of those before it end in the log."""
        return Offset(min((i for i, other in enumerate(self.log[b]) if other > e), default=len(self.log[b])))

    def diverges(self, b: Broker, last: Epoch, offset: Offset) -> bool:
        """Whether a log that ends at the offset with a record of this epoch is no prefix of the leader's."""
        return self.last_epoch(b, last) < last or self.end_offset(b, last) < offset

    def may_join(self, b: Broker, f: Broker, offset: Offset) -> bool:
        """Whether the leader asks for a follower: it has all that the leader knows, or may assume, to be committed."""
        asks = f not in self.known_isr[b] and self.joining[b] is None
        return asks and offset >= max(self.high_watermark[b], self.start_offset(b))

    def start_offset(self, b: Broker) -> Offset:
        """Where the leader's own epoch starts: what is before it may have been committed by its predecessor."""
        own = self.known_epoch[b]
        return Offset(min((i for i, e in enumerate(self.log[b]) if e == own), default=len(self.log[b])))

    def advance(self, b: Broker) -> None:
        """The high watermark follows the slowest of the in-sync replicas; what it passes is acknowledged."""
        if self.may_advance(b):
            ends = {Offset(len(self.log[b])) if f == b else self.fetched[b][f] for f in self.counted(b)}
            self.high_watermark[b] = max(self.high_watermark[b], min(ends))
        for i in range(self.high_watermark[b]):
            self.acknowledged.add(Record(self.log[b][i], Offset(i)))

    def may_advance(self, b: Broker) -> bool:
        """The high watermark stands still while too few are in sync."""
        return len(self.known_isr[b]) >= self.min_insync_replicas

    def counted(self, b: Broker) -> set[Broker]:
        """Whom the high watermark waits for: the ISR, and who may be in it before the leader hears so."""
        return self.known_isr[b] | {f for f in Broker if self.joining[b] == f}

    # A follower

    @action
    def append(self, m: Records) -> None:
        require(m in self.network)
        self.network.receive(m)
        if m.entry is not None:
            self.log[m.target].append(m.entry)
        self.high_watermark[m.target] = min(m.high_watermark, Offset(len(self.log[m.target])))

    @action
    def truncate(self, m: Diverging) -> None:
        require(m in self.network)
        self.network.receive(m)
        self.cut(m.target, self.kept(m))

    def kept(self, m: Diverging) -> Offset:
        """How much of its log a follower keeps: to the end of the leader's epoch, in the log that ends it first."""
        return min(self.end_offset(m.target, m.last_epoch), m.end_offset)

    def cut(self, b: Broker, end: Offset) -> None:
        """The log ends here."""
        self.log[b] = self.log[b][:end]
        self.high_watermark[b] = min(self.high_watermark[b], end)

    @action(mark="loss")
    def lose(self, m: Records | Diverging) -> None:
        require(m in self.network)
        self.network.drop(m)

    # The controller

    @action(lane="controller", mark="timeout")
    def shrink(self, b: Broker) -> None:
        """The controller hears nothing of a broker, or the leader finds that it lags."""
        require(b in self.isr)
        self.change(self.isr - {b})
        self.depose(b)

    @action(lane="controller")
    def expand(self, b: Broker, f: Broker) -> None:
        """The controller does what the leader has asked for, if nothing has changed since; the leader hears of it."""
        require(self.joining[b] == f and self.leader == b)
        require(self.known_epoch[b] == self.epoch and self.known_isr[b] == self.isr)
        self.change(self.isr | {f})
        self.known_isr[b] = self.isr
        self.joining[b] = None

    def change(self, isr: set[Broker]) -> None:
        """Who leaves while too few are in sync still has all that is committed: it stays eligible."""
        self.elr = (self.isr | self.elr) - isr if len(isr) < self.min_insync_replicas else set()
        self.isr = isr

    def depose(self, b: Broker) -> None:
        """A leader that is gone leaves the partition without one."""
        if self.leader == b:
            self.leader = None

    @action(lane="controller")
    def elect(self, b: Broker) -> None:
        """The controller appoints another leader, because there is none or to balance the load."""
        require(self.leader != b and self.role[b] != Role.OFFLINE and self.may_lead(b))
        self.epoch += 1
        self.leader = b
        if b not in self.isr:
            self.isr = {b}
            self.elr.discard(b)

    def may_lead(self, b: Broker) -> bool:
        """A member of the ISR, or of the ELR if the ISR is empty; anybody as a last resort, if that is allowed."""
        eligible = self.isr | self.elr
        last_resort = all(self.role[m] == Role.OFFLINE for m in eligible)
        return b in self.isr or (len(self.isr) == 0 and b in eligible) or (self.unclean_leader_election and last_resort)

    @action
    def learn(self, b: Broker) -> None:
        """A broker reads in the metadata what it has missed."""
        leads = self.role[b] == Role.LEADER
        outdated = leads and (self.leader != b or self.known_isr[b] != self.isr)
        require(self.role[b] != Role.OFFLINE and (self.known_epoch[b] < self.epoch or outdated))
        if self.leader != b:
            self.forget(b)
            self.follow(b)
        elif self.known_epoch[b] < self.epoch:
            self.forget(b)
            self.role[b] = Role.LEADER
            self.known_isr[b] = self.isr
        else:
            self.joining[b] = None
            self.known_isr[b] = self.isr
            self.advance(b)
        self.known_epoch[b] = self.epoch

    def follow(self, b: Broker) -> None:
        """The broker follows the leader of an epoch. Its log stays as it is: the first fetch tells whether it fits."""
        self.role[b] = Role.FOLLOWER

    def forget(self, b: Broker) -> None:
        """What a broker knew as a leader, and waited for as a follower, is void."""
        self.known_isr[b] = set()
        self.joining[b] = None
        self.fetched[b] = {f: Offset(0) for f in Broker}
        for m in self.network:
            if m.target == b:
                self.network.drop(m)

    # Crashes

    @action(mark="crash")
    def crash(self, b: Broker, kept: Offset) -> None:
        """A broker dies. If it loses power, it keeps of its log what happens to be flushed."""
        require(self.role[b] != Role.OFFLINE and kept <= len(self.log[b]))
        if kept < len(self.log[b]):
            self.have_lost.add(b)
            require(len(self.have_lost) < self.min_insync_replicas)
        self.forget(b)
        self.cut(b, kept)
        self.high_watermark[b] = Offset(0)
        self.role[b] = Role.OFFLINE

    @action(mark="restart")
    def restart(self, b: Broker) -> None:
        """The broker registers, and the controller finds that it has not been shut down cleanly."""
        require(self.role[b] == Role.OFFLINE)
        self.register(b)
        self.depose(b)
        self.follow(b)
        self.known_epoch[b] = self.epoch

    def register(self, b: Broker) -> None:
        """Nothing that was known of its log is true any more."""
        self.change(self.isr - {b})
        self.elr.discard(b)
        self.refuse(b)

    def refuse(self, b: Broker) -> None:
        """Requests to let it in, made before, carry the number of its last registration and are refused."""
        for a in Broker:
            if self.joining[a] == b:
                self.joining[a] = None

    # What is promised

    @invariant
    def acknowledged_survives(self, b: Broker, r: Record) -> bool:
        """Every acknowledged record is in the log of the leader in office."""
        return r not in self.acknowledged or not self.in_office(b) or self.has(b, r)

    def in_office(self, b: Broker) -> bool:
        """Whether a broker leads the latest epoch."""
        return self.role[b] == Role.LEADER and self.known_epoch[b] == self.epoch

    def has(self, b: Broker, r: Record) -> bool:
        """Whether the log has the record in its place."""
        return r.offset < len(self.log[b]) and self.log[b][r.offset] == r.epoch

    @invariant
    def replicas_agree(self, a: Broker, b: Broker) -> bool:
        """Two brokers have the same records below their high watermarks: consumers read the same from both."""
        end = min(self.high_watermark[a], self.high_watermark[b])
        return self.log[a][:end] == self.log[b][:end]

    @invariant
    def one_leader_per_epoch(self, a: Broker, b: Broker) -> bool:
        """No two brokers lead in the same epoch."""
        both = self.role[a] == Role.LEADER and self.role[b] == Role.LEADER
        return a == b or not both or self.known_epoch[a] != self.known_epoch[b]

    @reachable
    def survives_a_failover(self, b: Broker, r: Record) -> bool:
        """A later leader can be in office when a record of an earlier one is acknowledged."""
        return self.in_office(b) and r in self.acknowledged and r.epoch < self.known_epoch[b]

    @reachable
    def works_without_one(self, b: Broker, r: Record) -> bool:
        """A record can be acknowledged while a broker is down that has never had it."""
        return r in self.acknowledged and self.role[b] == Role.OFFLINE and not self.has(b, r)

    @reachable
    def two_lead(self, a: Broker, b: Broker) -> bool:
        """A deposed leader can go on believing that it leads."""
        return a != b and self.role[a] == Role.LEADER and self.role[b] == Role.LEADER

    @reachable
    def comes_back(self, b: Broker) -> bool:
        """A broker that has lost records can be in sync again."""
        return b in self.have_lost and b in self.isr and self.role[b] == Role.FOLLOWER and len(self.log[b]) > 0

    @reachable
    def eligible_leads(self, b: Broker) -> bool:
        """The ISR can be empty, and a member of the ELR can lead."""
        return len(self.isr) == 0 and b in self.elr and self.role[b] != Role.OFFLINE


class TruncatesToHighWatermark(IsrLog):
    """Who becomes a follower cuts its log at its own high watermark: what is above it, it may have alone (KIP-101).

    But a follower hears of the high watermark one fetch after the leader has moved it. What it cuts off then is
    committed, it is still in sync, and it may be elected before it has fetched it again.
    """

    expect = violates("acknowledged_survives")
    bounds: ClassVar[dict[str, int]] = {"Epoch": 3}

    def follow(self, b: Broker) -> None:
        super().follow(b)
        self.cut(b, self.high_watermark[b])

    def diverges(self, b: Broker, last: Epoch, offset: Offset) -> bool:
        return False


class AsksForEndOnly(IsrLog):
    """A follower asks where its last epoch ends in the leader's log, and cuts off what is beyond: KIP-101 without KIP-279.

    After two fast failovers the leader may have nothing of that epoch. It answers with the begin of the next, and the
    follower keeps what it has before that offset, although it is of an epoch that the leader has never heard of.
    """

    expect = violates("replicas_agree")
    bounds: ClassVar[dict[str, int]] = {"Epoch": 3}

    def diverges(self, b: Broker, last: Epoch, offset: Offset) -> bool:
        return self.end_offset(b, last) < offset

    def kept(self, m: Diverging) -> Offset:
        return m.end_offset


class LastReplicaStanding(IsrLog):
    """Who leaves the ISR may not lead, and the last one stays in it, whatever happens to it: the rule before KIP-966.

    A record is acknowledged. All in-sync replicas but one are shut down, and the last one loses power, with what it has
    not flushed. They all come back: only the one that has lost the record may lead, and the others cut it off.
    """

    expect = violates("acknowledged_survives")
    omits: ClassVar[tuple[str, ...]] = ("eligible_leads",)

    def change(self, isr: set[Broker]) -> None:
        if len(isr) > 0:
            self.isr = isr

    def register(self, b: Broker) -> None:
        self.change(self.isr - {b})
        self.refuse(b)


class AdvancesBelowMinimum(IsrLog):
    """The high watermark moves also while too few are in sync: `min_insync_replicas` is about producers only.

    So it was before KIP-966. With eligible leader replicas it is wrong: they miss what the leader commits alone.
    """

    expect = violates("acknowledged_survives")

    def may_advance(self, b: Broker) -> bool:
        return True


class JoinsAtHighWatermark(IsrLog):
    """A follower joins the ISR as soon as it has caught up with the leader's high watermark.

    A new leader does not know how far its predecessor has come: its high watermark lags behind what is committed. Who
    has caught up with that may miss committed records, and can be elected.
    """

    expect = violates("acknowledged_survives")
    bounds: ClassVar[dict[str, int]] = {"Epoch": 3}

    def start_offset(self, b: Broker) -> Offset:
        return Offset(0)


class IgnoresJoining(IsrLog):
    """The leader waits only for those that it knows to be in the ISR, not for the follower that it has asked for.

    The controller may let it in at any moment. What the leader acknowledges in between is not in the newcomer's log, and
    the newcomer can be elected.
    """

    expect = violates("acknowledged_survives")

    def counted(self, b: Broker) -> set[Broker]:
        return self.known_isr[b]


class JoinsAfterRestart(IsrLog):
    """A request to let a follower in is carried out although the follower has restarted since (before KIP-903).

    The leader asked for it when it had everything. It has lost power and come back with less, faster than the request.
    """

    expect = violates("acknowledged_survives")

    def refuse(self, b: Broker) -> None:
        pass


class UncleanElection(IsrLog):
    """`unclean.leader.election.enable=true`: where no eligible broker is alive, any other will do.

    The partition is available again, and what was acknowledged in the meantime is lost.
    """

    expect = violates("acknowledged_survives")
    unclean_leader_election = True


class AcksOne(IsrLog):
    """`acks=1`: the leader acknowledges what is in its own log. A failover, planned or not, loses it."""

    expect = violates("acknowledged_survives")

    def answer_producer(self, b: Broker) -> None:
        self.acknowledged.add(Record(self.known_epoch[b], Offset(len(self.log[b]) - 1)))
