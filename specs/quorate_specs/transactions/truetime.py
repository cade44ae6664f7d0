"""Transactions over several groups with one order in real time: commit wait on clocks of bounded uncertainty.

Data is divided into groups. Each is a replicated log with a leader; a transaction that writes to several of them is
committed in two phases, by the leader of one of the groups, and gets a timestamp, under which its versions are kept.
Who reads takes a timestamp, too, and is answered by each group with the versions up to it, without any lock.

A clock does not show the time but an interval that has the time in it. The coordinator takes the end of the interval,
or more, for the timestamp, and answers when the beginning of the interval has passed it: *commit wait*. So a
timestamp is a time between the call and the answer, and whoever calls after the answer gets a larger one, in
whatever group and without any message between the two.

*Promise*. External consistency: a transaction that starts after another has been answered has the larger timestamp;
with the readers this is strict serializability. A snapshot is consistent: what was answered under a timestamp is all that
will ever be committed up to it. *Not promised*: that a transaction commits, or a reader is answered, while a
participant is prepared and does not hear the outcome.

There is one object in each group, to which each transaction appends, so that locks of reads are not shown. The log of a
group is taken as agreed (Paxos), and holds prepared transactions and outcomes; what its leader has promised to
readers, it has in memory, and its successor waits until the time has passed it. The network loses (never delivers),
delays, reorders and repeats messages.

Sources: Corbett et al. 2012, "Spanner: Google's Globally-Distributed Database" (sections 3, 4.1.2 to 4.2.2); Gifford
1981 (external consistency).

Shipped. yugabyte/yugabyte-db issue 22541, a reader sees the later of two writes and not the earlier, since clocks differ and
nobody waits (`CausalReverse`); cockroachdb/cockroach issue 57687, the wait was added for timestamps in the future (as
`NoCommitWait`); cockroachdb/docs issue 6241 and pull request 6329, what is lost when a clock is off by more than the
maximum is real time, and not serializability (`OneClockIsSlow`, `SerializableWithSlowClock`); tikv/tikv issue 8589,
timestamps from what the participants have served alone (`NoClockAtCommit`); cockroachdb/cockroach pull request 62570, a
write below what a group had promised to readers, after its lease had moved (`SuccessorForgetsPromise`), and issue
36431, a reader whose time is not behind the uncertainty of all clocks (as `ReadsTooEarly`).
"""

from enum import Enum
from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    holds,
    init,
    invariant,
    lemma,
    reachable,
    record,
    require,
    violates,
)


class Tx(Scalarset, size=2, prefix="t"):
    """A transaction that writes, and the version that it leaves in each group in which it takes part."""


class Reader(Scalarset, size=1, prefix="r"):
    """A transaction that only reads, all groups."""


class Group(Scalarset, size=2, prefix="g"):
    """A replicated group, for which its leader speaks."""


class Time(Nat, max=4):
    """A time, and what a clock shows. A clock differs from the time by at most the uncertainty."""


class Phase(Enum):
    """How far a transaction is."""

    IDLE = "idle"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    ABORTED = "aborted"


@record
class Lock:
    """A group is locked by a transaction, which will not commit before this time."""

    tx: Tx
    time: Time


@record
class Prepare:
    """The client asks a participant to prepare."""

    tx: Tx
    group: Group


@record
class Prepared:
    """The participant has prepared. The transaction is not to commit before this time."""

    tx: Tx
    group: Group
    time: Time


@record
class Outcome:
    """The transaction has committed at a time, or aborted."""

    tx: Tx
    time: Time | None


class Truetime(Spec):
    """Corbett et al. 2012: the coordinator's clock, the participants' times, and a wait.

    `promised` is the time up to which a group has promised not to commit anything more: what was committed there, and what
    readers were told. `before` and `read_before` are what was answered before a transaction started; they are there
    for the properties.
    """

    uncertainty: ClassVar[int] = 1
    lanes = (Reader, Group)

    now: Time
    phase: dict[Tx, Phase]
    participants: dict[Tx, set[Group]]
    coordinator: dict[Tx, Group | None]
    stamp: dict[Tx, Time]
    before: dict[Tx, set[Tx]]
    read_before: dict[Tx, set[Reader]]
    lock: dict[Group, Lock | None]
    applied: dict[Group, set[Tx]]
    promised: dict[Group, Time]
    read_at: dict[Reader, Time | None]
    answered: dict[Reader, set[Group]]
    found: dict[Reader, dict[Group, set[Tx]]]
    read_after: dict[Reader, set[Tx]]
    network: Network[Prepare | Prepared | Outcome]

    # Time

    @action
    def tick(self) -> None:
        self.now += 1

    def may_show(self, g: Group, c: Time) -> bool:
        """Whether the clock of a group's leader can show this now."""
        return self.now <= c + self.uncertainty and c <= self.now + self.uncertainty

    def latest(self, c: Time) -> Time:
        """The end of the interval of a clock: it is not later than this."""
        return Time(c + self.uncertainty)

    def has_passed(self, t: Time, c: Time) -> bool:
        """Whether a time is before the interval of a clock."""
        return t + self.uncertainty < c

    # Transactions that write

    @action
    def begin(self, t: Tx, among: set[Group], g: Group) -> None:
        require(self.phase[t] == Phase.IDLE and g in among)
        self.phase[t] = Phase.RUNNING
        self.participants[t] = among
        self.coordinator[t] = g
        self.before[t] = {u for u in Tx if self.phase[u] == Phase.DONE}
        self.read_before[t] = {r for r in Reader if self.is_answered(r)}
        for h in among:
            if h != g:
                self.network.send(Prepare(t, h))

    @action
    def prepare(self, g: Group, m: Prepare) -> None:
        require(m in self.network)
        require(m.group == g and self.lock[g] is None and m.tx not in self.applied[g])
        self.network.receive(m)
        self.lock[g] = Lock(m.tx, self.prepare_time(g))
        self.network.send(Prepared(m.tx, g, self.prepare_time(g)))

    def prepare_time(self, g: Group) -> Time:
        """The time of a participant: later than all that it has promised."""
        return Time(self.promised[g] + 1)

    @action
    def commit(self, t: Tx, g: Group, c: Time) -> None:
        require(self.phase[t] == Phase.RUNNING and self.coordinator[t] == g)
        require(self.lock[g] is None and self.may_show(g, c))
        require(all(h == g or self.has_prepared(t, h) for h in self.participants[t]))
        self.phase[t] = Phase.WAITING
        self.stamp[t] = max(self.first_time(t, g, c), self.last_prepared(t))
        self.lock[g] = Lock(t, self.stamp[t])

    def has_prepared(self, t: Tx, g: Group) -> bool:
        """Whether the coordinator can know that a participant has prepared."""
        return any(Prepared(t, g, p) in self.network for p in Time)

    def first_time(self, t: Tx, g: Group, c: Time) -> Time:
        """What the coordinator itself can commit at: the end of its clock's interval, and later than all that it has promised."""
        return max(self.latest(c), self.prepare_time(g))

    def last_prepared(self, t: Tx) -> Time:
        """The last of the participants' times."""
        return max((p for p in Time if any(Prepared(t, h, p) in self.network for h in Group)), default=Time(0))

    @action
    def answer(self, t: Tx, g: Group, c: Time) -> None:
        require(self.phase[t] == Phase.WAITING and self.coordinator[t] == g and self.may_show(g, c))
        require(self.has_waited(t, c))
        self.phase[t] = Phase.DONE
        self.apply(t, g)
        self.network.send(Outcome(t, self.stamp[t]))

    def has_waited(self, t: Tx, c: Time) -> bool:
        """Commit wait: the timestamp has passed on every clock."""
        return self.has_passed(self.stamp[t], c)

    def apply(self, t: Tx, g: Group) -> None:
        """The version is there, and the lock is free."""
        self.applied[g].add(t)
        self.lock[g] = None
        self.promised[g] = max(self.promised[g], self.stamp[t])

    @action
    def abort(self, t: Tx) -> None:
        require(self.phase[t] == Phase.RUNNING)
        self.phase[t] = Phase.ABORTED
        self.network.send(Outcome(t, None))

    @action
    def learn(self, g: Group, m: Outcome) -> None:
        require(m in self.network)
        require(g in self.participants[m.tx] and m.tx not in self.applied[g])
        self.network.receive(m)
        if m.time is not None:
            self.apply(m.tx, g)
        else:
            self.applied[g].add(m.tx)
            if self.is_locked_by(g, m.tx):
                self.lock[g] = None

    def is_locked_by(self, g: Group, t: Tx) -> bool:
        """Whether a transaction has locked a group."""
        lock = self.lock[g]
        return lock is not None and lock.tx == t

    # A new leader

    @action(mark="timeout")
    def change_leader(self, g: Group, c: Time) -> None:
        require(self.may_show(g, c) and self.may_succeed(g, c))
        self.promised[g] = self.first_promise(g, c)

    def may_succeed(self, g: Group, c: Time) -> bool:
        """Whether the lease of the last leader, and with it all that it may have promised, has passed."""
        return self.has_passed(self.promised[g], c)

    def first_promise(self, g: Group, c: Time) -> Time:
        """What a new leader begins with: nothing will be committed before it came."""
        return self.latest(c)

    # Readers

    @action
    def start(self, r: Reader, c: Time, g: Group) -> None:
        """A reader asks some leader for the time."""
        require(self.read_at[r] is None and self.may_show(g, c))
        self.read_at[r] = self.read_time(c)
        self.read_after[r] = {t for t in Tx if self.phase[t] == Phase.DONE}

    def read_time(self, c: Time) -> Time:
        """The time of a snapshot: the end of the interval, which is not before anything that has been answered."""
        return self.latest(c)

    @action
    def read(self, r: Reader, g: Group, s: Time) -> None:
        require(self.read_at[r] == s and g not in self.answered[r] and self.is_safe(g, s))
        self.answered[r].add(g)
        self.found[r][g] = {t for t in self.versions(g) if self.stamp[t] <= s}
        self.promised[g] = max(self.promised[g], s)

    def is_safe(self, g: Group, s: Time) -> bool:
        """Whether nothing prepared can still commit up to this time."""
        lock = self.lock[g]
        return lock is None or lock.time > s

    def versions(self, g: Group) -> set[Tx]:
        """What has been committed in a group, and heard of there."""
        return {t for t in self.applied[g] if self.phase[t] == Phase.DONE}

    # What is promised

    def is_committed(self, t: Tx) -> bool:
        """Whether a transaction has a timestamp."""
        return self.phase[t] == Phase.WAITING or self.phase[t] == Phase.DONE

    def is_answered(self, r: Reader) -> bool:
        """Whether a reader has been answered by all groups."""
        return all(g in self.answered[r] for g in Group)

    @invariant
    def external_consistency(self, a: Tx, b: Tx) -> bool:
        """A transaction that starts after another was answered has the larger timestamp."""
        return a not in self.before[b] or not self.is_committed(b) or self.stamp[a] < self.stamp[b]

    @invariant
    def snapshots_are_complete(self, r: Reader, g: Group, t: Tx) -> bool:
        """A reader has found all that is ever committed up to its time, and nothing later."""
        s = self.read_at[r]
        return (
            s is None
            or g not in self.answered[r]
            or g not in self.participants[t]
            or not self.is_committed(t)
            or (t in self.found[r][g]) == (self.stamp[t] <= s)
        )

    @invariant
    def snapshots_are_recent(self, r: Reader, t: Tx) -> bool:
        """The time of a reader is not before the timestamp of what was answered when it started."""
        s = self.read_at[r]
        return s is None or t not in self.read_after[r] or self.stamp[t] <= s

    @invariant
    def no_effect_without_its_cause(self, r: Reader, a: Tx, b: Tx, g: Group, h: Group) -> bool:
        """Who finds a transaction finds what was answered before it started."""
        return (
            b not in self.found[r][g]
            or a not in self.before[b]
            or h not in self.answered[r]
            or h not in self.participants[a]
            or a in self.found[r][h]
        )

    # Why it is so

    @lemma
    def answers_are_in_the_past(self, t: Tx) -> bool:
        """The timestamp of what was answered has passed: this is what the wait is for."""
        return self.phase[t] != Phase.DONE or self.stamp[t] < self.now

    @lemma
    def only_what_was_answered_is_before(self, t: Tx, u: Tx, r: Reader) -> bool:
        """What counts as earlier was answered."""
        return (u not in self.before[t] or self.phase[u] == Phase.DONE) and (
            u not in self.read_after[r] or self.phase[u] == Phase.DONE
        )

    @lemma
    def promises_are_kept_in_mind(self, r: Reader, g: Group) -> bool:
        """A group has promised what its readers rely on, and no lock is for a time up to it."""
        s, lock = self.read_at[r], self.lock[g]
        return s is None or g not in self.answered[r] or (s <= self.promised[g] and (lock is None or s < lock.time))

    @lemma
    def nothing_is_found_unasked(self, r: Reader, g: Group) -> bool:
        """A reader that has not started has no answers."""
        return self.read_at[r] is not None or g not in self.answered[r]

    @lemma
    def who_has_prepared_is_locked(self, t: Tx, g: Group, p: Time) -> bool:
        """A participant stays locked from the time that it has told, until it knows the outcome."""
        return Prepared(t, g, p) not in self.network or t in self.applied[g] or self.lock[g] == Lock(t, p)

    @lemma
    def who_has_committed_is_locked(self, t: Tx, g: Group) -> bool:
        """A participant of what has committed is locked up to its timestamp at most, until it knows the outcome."""
        lock = self.lock[g]
        return (
            not self.is_committed(t)
            or g not in self.participants[t]
            or t in self.applied[g]
            or (lock is not None and lock.tx == t and lock.time <= self.stamp[t])
        )

    @lemma
    def outcomes_are_true(self, t: Tx, p: Time) -> bool:
        """What participants hear is what the coordinator has decided and answered."""
        return (Outcome(t, p) not in self.network or (self.phase[t] == Phase.DONE and self.stamp[t] == p)) and (
            Outcome(t, None) not in self.network or self.phase[t] == Phase.ABORTED
        )

    @lemma
    def outcomes_are_known_when_there_are_any(self, t: Tx, g: Group) -> bool:
        """Nobody applies what is still open."""
        return t not in self.applied[g] or self.phase[t] == Phase.DONE or self.phase[t] == Phase.ABORTED

    @lemma
    def only_what_was_answered_is_found(self, r: Reader, g: Group, t: Tx) -> bool:
        """A reader finds what was answered, with a timestamp up to its time."""
        s = self.read_at[r]
        return t not in self.found[r][g] or (self.phase[t] == Phase.DONE and s is not None and self.stamp[t] <= s)

    @lemma
    def coordinators_take_part(self, t: Tx, g: Group) -> bool:
        """The coordinator is one of the participants, and waits with its own group locked."""
        return self.coordinator[t] != g or (
            g in self.participants[t]
            and self.phase[t] != Phase.IDLE
            and (self.phase[t] != Phase.WAITING or t not in self.applied[g])
        )

    # That it works

    @reachable
    def reads_a_part_before_the_other_is_there(self, r: Reader, g: Group, h: Group, t: Tx) -> bool:
        """A reader can find a transaction in one group while another group has not heard of it yet."""
        return t in self.found[r][g] and h in self.participants[t] and t not in self.applied[h]

    @reachable
    def one_after_another(self, a: Tx, b: Tx, r: Reader) -> bool:
        """Two transactions can follow each other, in different groups, and a reader between them."""
        return (
            self.is_committed(b)
            and a in self.before[b]
            and all(g not in self.participants[a] or g not in self.participants[b] for g in Group)
        )

    @reachable
    def a_reader_is_ahead_of_the_time(self, r: Reader) -> bool:
        """A group can answer with a time that has not come."""
        return self.is_answered(r) and any(self.read_at[r] == s and s > self.now for s in Time)


class StrictSerializability(Truetime):
    """The same, judged by what clients saw: whether some order of all transactions and readers gives the same answers.

    Each set of them has one that comes after none of the others. For timestamps alone this is so since the first
    one does; with real time in it, a reader may be ahead of the time, and come before what has a smaller timestamp.
    An order of any number of them is no matter of pairs, so that this is explored, and what it rests on is proven
    for any size.
    """

    expect = holds()

    @invariant
    def serializable(self, cycle: set[Tx], readers: set[Reader]) -> bool:
        """No cycle of versions and of what was read: some order of all gives the same answers."""
        return (
            len(cycle) == 0
            or any(
                not any(self.depends(a, b) for a in cycle) and not any(self.is_missed(r, b) for r in readers)
                for b in cycle
            )
            or any(not any(self.is_found(r, a) for a in cycle) for r in readers)
        )

    @invariant
    def strict_serializable(self, cycle: set[Tx], readers: set[Reader]) -> bool:
        """No cycle, even with real time in it: some order keeps it."""
        return (
            len(cycle) == 0
            or any(
                not any(self.depends(a, b) or self.is_before(a, b) for a in cycle)
                and not any(self.is_missed(r, b) or self.is_read_before(r, b) for r in readers)
                for b in cycle
            )
            or any(not any(self.is_found(r, a) or a in self.read_after[r] for a in cycle) for r in readers)
        )

    def depends(self, a: Tx, b: Tx) -> bool:
        """Whether b has a later version than a in some group."""
        return (
            self.is_committed(a)
            and self.is_committed(b)
            and self.stamp[a] < self.stamp[b]
            and any(g in self.participants[a] and g in self.participants[b] for g in Group)
        )

    def is_before(self, a: Tx, b: Tx) -> bool:
        """Whether a was answered before b started, which has committed."""
        return self.is_committed(b) and a in self.before[b]

    def is_found(self, r: Reader, t: Tx) -> bool:
        """Whether a reader has found a transaction in some group."""
        return any(t in self.found[r][g] for g in Group)

    def is_missed(self, r: Reader, t: Tx) -> bool:
        """Whether a reader has missed a transaction in some group."""
        return self.is_committed(t) and any(
            g in self.answered[r] and g in self.participants[t] and t not in self.found[r][g] for g in Group
        )

    def is_read_before(self, r: Reader, t: Tx) -> bool:
        """Whether a reader was answered before a transaction started, which has committed."""
        return self.is_committed(t) and r in self.read_before[t]


class NoCommitWait(Truetime):
    """The coordinator answers as soon as it has a timestamp.

    The timestamp may still be to come. Whoever starts now, in another group with a clock that is behind, gets a
    smaller one, and a reader between the two finds the effect and not the cause.
    """

    expect = violates("external_consistency")
    omits: ClassVar[tuple[str, ...]] = ("snapshots_are_recent",)

    def has_waited(self, t: Tx, c: Time) -> bool:
        return True


class CausalReverse(NoCommitWait):
    """What a reader sees then: the second of two writes, and not the first, which had been answered before the second began.

    Each snapshot is complete, and all fits an order, which is not the one in which things were done.
    """

    expect = violates("no_effect_without_its_cause")
    omits = ("external_consistency", "snapshots_are_recent")


class OneClockIsSlow(Truetime):
    """The clock of one leader is behind by more than its interval says."""

    expect = violates("external_consistency")
    bounds: ClassVar[dict[str, int]] = {"Time": 3}

    slow: Group | None

    @init
    def one_is_slow(self, g: Group) -> None:
        self.slow = g

    def may_show(self, g: Group, c: Time) -> bool:
        return super().may_show(g, c) or (g == self.slow and c <= self.now)


class SerializableWithSlowClock(OneClockIsSlow, StrictSerializability):
    """What is left when a clock is slow: all answers still fit one order, which is not that of real time.

    Versions and promises keep the order of timestamps, whatever the clocks show.
    """

    expect = holds()
    omits: ClassVar[tuple[str, ...]] = (
        "external_consistency",
        "snapshots_are_recent",
        "no_effect_without_its_cause",
        "strict_serializable",
        "answers_are_in_the_past",
    )


class NoClockAtCommit(Truetime):
    """The timestamp is the least that no participant objects to, and nobody looks at a clock: it saves asking for the time.

    A group in which little has happened gives out old times, and a transaction in it comes before what was answered
    long ago elsewhere.
    """

    expect = violates("external_consistency")

    def first_time(self, t: Tx, g: Group, c: Time) -> Time:
        return self.prepare_time(g)


class ParticipantBelowLast(Truetime):
    """A participant prepares with a time after its last version, and not after what it has told readers.

    The transaction can then commit at a time at which a reader has already looked, and found nothing.
    """

    expect = violates("snapshots_are_complete")

    def prepare_time(self, g: Group) -> Time:
        return Time(max((self.stamp[t] for t in self.versions(g)), default=Time(0)) + 1)


class SuccessorForgetsPromise(Truetime):
    """A new leader takes over at once, and goes on from the last version in the log.

    What the last leader has promised to readers was in its memory only. So leases do not overlap, and a new leader
    waits until the old one's is over.
    """

    expect = violates("snapshots_are_complete")

    def may_succeed(self, g: Group, c: Time) -> bool:
        return True

    def first_promise(self, g: Group, c: Time) -> Time:
        return max((self.stamp[t] for t in self.versions(g)), default=Time(0))


class IgnoresPrepared(Truetime):
    """A group answers a reader with what has been committed, though it has prepared something earlier.

    Its outcome is known elsewhere, and its time may be before the reader's.
    """

    expect = violates("snapshots_are_complete")

    def is_safe(self, g: Group, s: Time) -> bool:
        return True


class ReadsTooEarly(Truetime):
    """A reader takes for its time the beginning of the interval: what is certainly past has no locks in its way.

    Nor has it what was answered a moment ago.
    """

    expect = violates("snapshots_are_recent")

    def read_time(self, c: Time) -> Time:
        return Time(max(c - self.uncertainty, 0))
