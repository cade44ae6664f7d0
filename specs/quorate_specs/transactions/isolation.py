"""Isolation levels over one replicated store: read committed, snapshot isolation, and serializable in two ways.

Transactions read and write keys of a multi-version store. A commit installs the writes of a transaction as new versions
and takes the next number in the log of commits, which replicas apply in its order. What a level says is which
dependencies between committed transactions may form a cycle:

- *ww*: one installed a version, the other a later one of the same key;
- *wr*: one installed a version, and the other read it;
- *rw*, an antidependency: one read a version, the other installed a later one.

*Promise*. `Isolation` (serializable snapshot isolation) and `TwoPhaseLocking`: no cycle, so that some serial order gives
all the same answers; at the primary, one that keeps real time. `SnapshotIsolation`: each transaction reads a prefix of
the log, and writers of a key do not overlap, so that every cycle has two rw in a row. `ReadCommitted`: no cycle of ww
and wr, and nothing is read that was not committed. *Not promised*: that a transaction commits (it can be told to abort
and try again, again and again); that a replica is recent; anything of reads by predicate, since there are only keys.

The log is taken as agreed: the consensus below it is another matter. A replica has applied some prefix of it, and serves
transactions that only read. Under two-phase locking each prefix is as good as any other. Under serializable snapshot
isolation it is not: the primary does not know what was read at a replica, so that a replica uses *safe* prefixes only.

Sources: Berenson et al. 1995, "A Critique of ANSI SQL Isolation Levels" (P1, P4, A5B); Adya 1999 (levels by cycles);
Fekete, O'Neil & O'Neil 2004, "A Read-Only Transaction Anomaly Under Snapshot Isolation"; Cahill, Röhm & Fekete 2008,
"Serializable Isolation for Snapshot Databases" (section 3: the algorithm); Cerone & Gotsman 2016 (snapshot isolation by
cycles); Ports & Grittner 2012, "Serializable Snapshot Isolation in PostgreSQL" (sections 4.2 and 7.2: safe snapshots).

Shipped. berkeleydb/libdb issue 136, a write skew commits since the check for a pivot and the commit are two steps
(`CommitsInTwoSteps`), and pull request 37, conflicts with versions committed before the read were not noted
(`ForgetsNewerVersions`); Dicklesworthstone/frankensqlite issue 189, reads and writes note no conflict at all (as
`NoDangerousStructureCheck`); cockroachdb/cockroach issue 7899, write skews in a run of Jepsen (`WriteSkew`);
yugabyte/yugabyte-db issue 894, read skew, found by Jepsen (`ReadSkew`), and issue 23213, serializable transactions that
only read, run on any snapshot, would be wrong with this algorithm (as `ReplicaReadsAnyPrefix`); tursodatabase/turso issue
5421, concurrent increments are lost (`LostUpdate`); dotnet/efcore issue 11833, a pooled connection keeps the weak level of
the transaction before (`ReadUncommitted`).
"""

from enum import Enum
from typing import ClassVar

from quorate import Nat, Scalarset, Spec, action, holds, invariant, reachable, record, require, the, violates


class Tx(Scalarset, size=3, prefix="t"):
    """A transaction, and the value that it writes: which versions are whose is all that matters."""


class Key(Scalarset, size=2, prefix="k"):
    """A key of the store."""


class Number(Nat, max=lambda: Tx.size):
    """A place in the log of commits, and the length of a prefix of it."""


class Phase(Enum):
    """How far a transaction is."""

    IDLE = "idle"
    ACTIVE = "active"
    COMMITTED = "committed"
    ABORTED = "aborted"


@record
class Read:
    """A key was read, and the version found that this transaction wrote; none: the initial version."""

    key: Key
    writer: Tx | None


class Isolation(Spec):
    """Serializable snapshot isolation: Cahill, Röhm & Fekete 2008, with safe prefixes for replicas.

    A transaction reads from the prefix of the log that it found at its begin. A write takes a lock, and is refused if a
    version later than that prefix is there (first updater wins). In each cycle of such transactions one is a *pivot*: it
    has an rw to it and an rw from it, both with transactions that overlap it. These two are noted, as flags, and a pivot
    does not commit.
    """

    lanes = (Tx,)
    coloured_by = "phase"

    phase: dict[Tx, Phase]
    reads: dict[Tx, set[Read]]
    writes: dict[Tx, set[Key]]
    log: Number
    snapshot: dict[Tx, Number]
    number: dict[Tx, Number]
    at_replica: set[Tx]
    in_conflict: set[Tx]
    out_conflict: set[Tx]

    # Transactions

    @action
    def begin(self, t: Tx) -> None:
        require(self.phase[t] == Phase.IDLE)
        self.phase[t] = Phase.ACTIVE
        self.snapshot[t] = self.log

    @action
    def begin_at_replica(self, t: Tx, n: Number) -> None:
        require(self.phase[t] == Phase.IDLE and n <= self.log and self.is_safe(n))
        self.phase[t] = Phase.ACTIVE
        self.snapshot[t] = n
        self.at_replica.add(t)

    @action
    def read(self, t: Tx, k: Key) -> None:
        require(self.is_running(t) and k not in self.writes[t] and self.may_read(t, k))
        if t not in self.at_replica:
            self.note_read(t, k)
        self.reads[t].add(Read(k, self.found(t, k)))

    @action
    def write(self, t: Tx, k: Key) -> None:
        require(self.is_running(t) and t not in self.at_replica and k not in self.writes[t])
        require(not self.is_locked(t, k) and self.may_write(t, k))
        self.note_write(t, k)
        self.writes[t].add(k)

    @action
    def commit(self, t: Tx) -> None:
        require(self.phase[t] == Phase.ACTIVE and self.may_commit(t))
        require(len(self.reads[t]) > 0 or len(self.writes[t]) > 0)
        self.log += 1
        self.phase[t] = Phase.COMMITTED
        self.number[t] = self.log

    @action
    def abort(self, t: Tx) -> None:
        """A client gives up, or is told that it may not read, write or commit, or that it waits in a circle."""
        require(self.phase[t] == Phase.ACTIVE)
        self.phase[t] = Phase.ABORTED
        self.snapshot[t] = Number(0)
        self.reads[t].clear()
        self.writes[t].clear()
        self.at_replica.discard(t)
        self.in_conflict.discard(t)
        self.out_conflict.discard(t)

    def is_running(self, t: Tx) -> bool:
        """Whether a transaction can still read and write."""
        return self.phase[t] == Phase.ACTIVE

    # Versions

    def installed(self, t: Tx, k: Key) -> bool:
        """Whether a transaction has installed a version of a key."""
        return self.phase[t] == Phase.COMMITTED and k in self.writes[t]

    def latest(self, k: Key, n: int) -> Tx | None:
        """Who wrote the last version of a key in a prefix of the log."""
        writers = {w for w in Tx if self.installed(w, k) and self.number[w] <= n}
        return the((w for w in writers if all(self.number[v] <= self.number[w] for v in writers)), None)

    def found(self, t: Tx, k: Key) -> Tx | None:
        """Which version a read finds: the last one in its snapshot."""
        return self.latest(k, self.snapshot[t])

    def is_locked(self, t: Tx, k: Key) -> bool:
        """Whether another transaction that has not ended writes this key."""
        return any(u != t and self.phase[u] == Phase.ACTIVE and k in self.writes[u] for u in Tx)

    def is_newest(self, t: Tx, k: Key) -> bool:
        """First updater wins: whether nobody has installed a version since the transaction began."""
        return all(not self.installed(w, k) or self.number[w] <= self.snapshot[t] for w in Tx)

    # Antidependencies between transactions that overlap

    def has_read(self, t: Tx, k: Key) -> bool:
        """Whether a transaction has read a key, at the primary: its SIREAD lock, which stays after its commit."""
        return t not in self.at_replica and any(r.key == k for r in self.reads[t])

    def overlaps(self, u: Tx, t: Tx) -> bool:
        """Whether a transaction is running, or has committed since another one began."""
        return self.phase[u] == Phase.ACTIVE or (self.phase[u] == Phase.COMMITTED and self.number[u] > self.snapshot[t])

    def readers(self, t: Tx, k: Key) -> set[Tx]:
        """From whom there is an rw to a transaction that writes a key."""
        return {u for u in Tx if u != t and self.has_read(u, k) and self.overlaps(u, t)}

    def writers(self, t: Tx, k: Key) -> set[Tx]:
        """To whom there is an rw from a transaction that reads a key: who has locked it or has installed a later version."""
        return {u for u in Tx if u != t and k in self.writes[u] and self.overlaps(u, t)}

    def may_read(self, t: Tx, k: Key) -> bool:
        """Whether a read makes no pivot of a transaction that cannot be refused any more."""
        return t in self.at_replica or all(
            u not in self.out_conflict or self.phase[u] != Phase.COMMITTED for u in self.writers(t, k)
        )

    def may_write(self, t: Tx, k: Key) -> bool:
        """Whether a write is the first since the snapshot, and makes no pivot of a committed transaction."""
        return self.is_newest(t, k) and all(
            u not in self.in_conflict or self.phase[u] != Phase.COMMITTED for u in self.readers(t, k)
        )

    def may_commit(self, t: Tx) -> bool:
        """Whether a transaction is no pivot."""
        return not (t in self.in_conflict and t in self.out_conflict)

    def note_read(self, t: Tx, k: Key) -> None:
        """Note an rw from the reader to each of these."""
        found = self.writers(t, k)
        if len(found) > 0:
            self.out_conflict.add(t)
        self.in_conflict |= found

    def note_write(self, t: Tx, k: Key) -> None:
        """Note an rw from each of these to the writer."""
        found = self.readers(t, k)
        if len(found) > 0:
            self.in_conflict.add(t)
        self.out_conflict |= found

    def is_safe(self, n: Number) -> bool:
        """Whether a prefix of the log ends where no transaction was under way, or only such that have aborted since."""
        return all(
            self.phase[t] == Phase.IDLE
            or self.phase[t] == Phase.ABORTED
            or t in self.at_replica
            or self.snapshot[t] >= n
            or 0 < self.number[t] <= n
            for t in Tx
        )

    # Dependencies between committed transactions

    def both_committed(self, a: Tx, b: Tx) -> bool:
        """Whether two different transactions have both committed."""
        return a != b and self.phase[a] == Phase.COMMITTED and self.phase[b] == Phase.COMMITTED

    def ww(self, a: Tx, b: Tx) -> bool:
        """Whether b installed a later version of what a wrote."""
        return (
            self.both_committed(a, b) and self.number[a] < self.number[b] and len(self.writes[a] & self.writes[b]) > 0
        )

    def wr(self, a: Tx, b: Tx) -> bool:
        """Whether b read a version of a."""
        return self.both_committed(a, b) and any(r.writer == a for r in self.reads[b])

    def rw(self, a: Tx, b: Tx) -> bool:
        """Whether b installed a later version than one that a read."""
        return self.both_committed(a, b) and any(
            r.key in self.writes[b] and self.place(r.writer) < self.number[b] for r in self.reads[a]
        )

    def place(self, writer: Tx | None) -> int:
        """The place of a version in the log, and before all of it, of the initial one."""
        return 0 if writer is None else self.number[writer]

    def follows(self, a: Tx, b: Tx) -> bool:
        """Whether b has to come after a for what it wrote on or read: a ww or wr."""
        return self.ww(a, b) or self.wr(a, b)

    def follows_then_overwrites(self, a: Tx, b: Tx) -> bool:
        """A ww or wr, and perhaps an rw after it."""
        return self.follows(a, b) or any(self.follows(a, c) and self.rw(c, b) for c in Tx)

    def depends(self, a: Tx, b: Tx) -> bool:
        """Whether b comes after a in each serial order."""
        return self.follows(a, b) or self.rw(a, b)

    def precedes(self, a: Tx, b: Tx) -> bool:
        """Whether b began after a had committed, and not at a replica, which may lag behind."""
        return self.both_committed(a, b) and b not in self.at_replica and self.number[a] <= self.snapshot[b]

    # What is promised: there is no cycle. In a set on a cycle each transaction comes after another of the set.

    @invariant
    def read_committed(self, cycle: set[Tx]) -> bool:
        """No cycle of ww and wr."""
        return len(cycle) == 0 or any(all(not self.follows(a, b) for a in cycle) for b in cycle)

    @invariant
    def only_committed_is_read(self, t: Tx) -> bool:
        """What a committed transaction has read was committed."""
        return self.phase[t] != Phase.COMMITTED or all(
            r.writer is None or self.phase[r.writer] == Phase.COMMITTED for r in self.reads[t]
        )

    @invariant
    def snapshot_isolation(self, cycle: set[Tx]) -> bool:
        """No cycle without two rw in a row."""
        return len(cycle) == 0 or any(all(not self.follows_then_overwrites(a, b) for a in cycle) for b in cycle)

    @invariant
    def serializable(self, cycle: set[Tx]) -> bool:
        """No cycle of ww, wr and rw."""
        return len(cycle) == 0 or any(all(not self.depends(a, b) for a in cycle) for b in cycle)

    @invariant
    def strict_serializable(self, cycle: set[Tx]) -> bool:
        """No cycle, even with real time in it: some serial order keeps it, but for what begins at a replica."""
        return len(cycle) == 0 or any(
            all(not (self.depends(a, b) or self.precedes(a, b)) for a in cycle) for b in cycle
        )

    # The anomalies that have names: each is a cycle

    @invariant
    def no_lost_update(self, a: Tx, b: Tx, k: Key) -> bool:
        """Nobody writes over a version that it has not read, where it has read an older one (P4)."""
        known = {r for r in self.reads[b] if r.key == k}
        return not (
            self.both_committed(a, b)
            and k in self.writes[a] & self.writes[b]
            and len(known) > 0
            and all(self.place(r.writer) < self.number[a] < self.number[b] for r in known)
        )

    @invariant
    def no_write_skew(self, a: Tx, b: Tx) -> bool:
        """No two transactions each read what the other one then overwrote (A5B)."""
        return not (self.rw(a, b) and self.rw(b, a))

    @invariant
    def no_read_only_anomaly(self, reader: Tx, a: Tx, b: Tx) -> bool:
        """Nobody who only reads sees b and not a, where a did not see b (Fekete et al. 2004)."""
        return not (
            len(self.writes[reader]) == 0
            and self.wr(b, reader)
            and self.rw(reader, a)
            and self.rw(a, b)
            and not self.depends(b, a)
        )

    # That it works

    @reachable
    def overlapping_transactions_commit(self, a: Tx, b: Tx) -> bool:
        """Two transactions that overlap can both write, one of them what the other one has read."""
        return (
            self.rw(a, b)
            and len(self.writes[a]) > 0
            and self.snapshot[a] < self.number[b]
            and self.snapshot[b] < self.number[a]
        )

    @reachable
    def a_pivot_is_refused(self, t: Tx) -> bool:
        """A transaction can be refused at its commit."""
        return self.phase[t] == Phase.ACTIVE and not self.may_commit(t)

    @reachable
    def a_replica_is_stale(self, a: Tx, b: Tx) -> bool:
        """A replica can answer without what had been committed before it was asked."""
        return b in self.at_replica and self.rw(b, a) and self.number[a] < self.number[b]


class NoDangerousStructureCheck(Isolation):
    """Serializable snapshot isolation that notes conflicts and never looks at them: a write skew commits.

    A library shipped the reverse, with the same effect: pivots were refused, but no read or write ever noted a
    conflict.
    """

    expect = violates("serializable")

    def may_read(self, t: Tx, k: Key) -> bool:
        return True

    def may_write(self, t: Tx, k: Key) -> bool:
        return self.is_newest(t, k)

    def may_commit(self, t: Tx) -> bool:
        return True


class CommitsInTwoSteps(Isolation):
    """A transaction is found to be no pivot, and commits a moment later.

    Whoever writes what it has read in between makes a pivot of it, and sees a transaction that is still running,
    which will be refused in its turn. It has passed the check, and is not. So the check and the commit have to be
    one step for all who note conflicts.
    """

    expect = violates("serializable")
    omits = ("strict_serializable",)

    checked: set[Tx]

    @action
    def check(self, t: Tx) -> None:
        require(self.is_running(t) and super().may_commit(t))
        self.checked.add(t)

    def is_running(self, t: Tx) -> bool:
        return super().is_running(t) and t not in self.checked

    def may_commit(self, t: Tx) -> bool:
        return t in self.checked

    @action
    def abort(self, t: Tx) -> None:
        super().abort(t)
        self.checked.discard(t)


class ForgetsNewerVersions(Isolation):
    """A read looks for write locks, and not for versions that were committed after its snapshot.

    An rw to a transaction that has already committed is then never noted: half of the conflicts are missing, those
    where the writer was faster.
    """

    expect = violates("serializable")

    def writers(self, t: Tx, k: Key) -> set[Tx]:
        return {u for u in Tx if u != t and k in self.writes[u] and self.phase[u] == Phase.ACTIVE}


class ReleasesReadsAtCommit(Isolation):
    """What a transaction has read is forgotten when it commits, as locks are.

    Who writes it later, and had begun before, does not know of the conflict. So what was read is kept until all are
    gone who overlapped (Cahill et al. 2008, section 3.3).
    """

    expect = violates("serializable")

    def has_read(self, t: Tx, k: Key) -> bool:
        return self.phase[t] == Phase.ACTIVE and super().has_read(t, k)


class ReplicaReadsAnyPrefix(Isolation):
    """A replica serves what it has, since reading changes nothing.

    The primary serializes its own transactions, and each prefix of its log is a state that was. A reader of it can
    still tell an order in which they cannot have happened. This is the read-only anomaly, and the primary cannot
    refuse anybody, since it does not know of the reader.
    """

    expect = violates("serializable")

    def is_safe(self, n: Number) -> bool:
        return True


class SnapshotIsolation(Isolation):
    """Snapshot isolation: no conflict but that of two writers counts, and a replica serves any prefix.

    Readers and writers never wait for each other. It excludes lost updates, and was taken for serializable for
    years.
    """

    expect = holds()
    omits: ClassVar[tuple[str, ...]] = (
        "serializable",
        "strict_serializable",
        "no_write_skew",
        "no_read_only_anomaly",
        "a_pivot_is_refused",
    )

    def note_read(self, t: Tx, k: Key) -> None:
        pass

    def note_write(self, t: Tx, k: Key) -> None:
        pass

    def may_read(self, t: Tx, k: Key) -> bool:
        return True

    def may_write(self, t: Tx, k: Key) -> bool:
        return self.is_newest(t, k)

    def is_safe(self, n: Number) -> bool:
        return True


class WriteSkew(SnapshotIsolation):
    """Two doctors on call each see that the other one is, and both go home.

    Each of them writes what the other has read, and nobody writes what the other writes: there is nothing that
    snapshot isolation looks at.
    """

    expect = violates("no_write_skew")
    omits = ("serializable", "strict_serializable", "no_read_only_anomaly", "a_pivot_is_refused")


class ReadOnlyAnomaly(SnapshotIsolation):
    """A statement shows the deposit and not the withdrawal, which had not seen the deposit and charged a fee.

    The two updates have a serial order, the withdrawal first. The reader, who changes nothing, has seen the other
    one.
    """

    expect = violates("no_read_only_anomaly")
    omits = ("serializable", "strict_serializable", "no_write_skew", "a_pivot_is_refused")


class ReadSkew(SnapshotIsolation):
    """Two writers of a key exclude each other, but reads find the last version, not that of the snapshot.

    A transaction sees a part of what another one has done. Shipped as snapshot isolation, it made a bank of 100
    dollars hold between 95 and 154.
    """

    expect = violates("snapshot_isolation")

    def found(self, t: Tx, k: Key) -> Tx | None:
        return self.latest(k, self.log)


class ReadCommitted(SnapshotIsolation):
    """Read committed: each read finds what was committed last, and a writer only waits for other writers.

    The default of many databases.
    """

    omits = (*SnapshotIsolation.omits, "snapshot_isolation", "no_lost_update")

    def found(self, t: Tx, k: Key) -> Tx | None:
        return self.latest(k, self.snapshot[t] if t in self.at_replica else self.log)

    def may_write(self, t: Tx, k: Key) -> bool:
        return True


class LostUpdate(ReadCommitted):
    """Two transactions read a counter and write what they read plus one. Both commit, and one is counted.

    The second waits for the first one's lock and then writes what it computed before. To read the counter with a
    lock (`SELECT ... FOR UPDATE`), or to let the database compute (`SET n = n + 1`), is left to the application.
    """

    expect = violates("no_lost_update")
    omits = (*SnapshotIsolation.omits, "snapshot_isolation")


class ReadUncommitted(ReadCommitted):
    """A read finds what another transaction has written, though it has not committed, and perhaps never will."""

    expect = violates("only_committed_is_read")

    def found(self, t: Tx, k: Key) -> Tx | None:
        return the((u for u in Tx if self.phase[u] == Phase.ACTIVE and k in self.writes[u]), super().found(t, k))


class TwoPhaseLocking(SnapshotIsolation):
    """Strict two-phase locking: who reads keeps out writers, who writes keeps out everybody, until the end.

    The serial order is that of the log, so a replica can serve any prefix. Transactions can wait in a circle, and
    one of them is aborted.
    """

    omits: ClassVar[tuple[str, ...]] = ("a_pivot_is_refused",)

    def found(self, t: Tx, k: Key) -> Tx | None:
        return self.latest(k, self.snapshot[t] if t in self.at_replica else self.log)

    def may_read(self, t: Tx, k: Key) -> bool:
        return t in self.at_replica or not self.is_locked(t, k)

    def may_write(self, t: Tx, k: Key) -> bool:
        return all(u == t or self.phase[u] != Phase.ACTIVE or not self.has_read(u, k) for u in Tx)


class ShortReadLocks(TwoPhaseLocking):
    """A reader gives its lock back as soon as it has read: locks, but not in two phases."""

    expect = violates("serializable")
    omits = (*TwoPhaseLocking.omits, "snapshot_isolation", "strict_serializable", "no_lost_update")

    def may_write(self, t: Tx, k: Key) -> bool:
        return True
