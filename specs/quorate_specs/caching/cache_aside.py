"""A cache beside a database: readers fill it, writers empty it, and leases keep old values out.

A reader looks into the cache. If the value is there it takes it; if not it asks the database and puts the answer into
the cache for those after it. A writer writes to the database, and the value in the cache is deleted. Both are simple, and
together they race: a reader that has asked the database before the write can put its answer into the cache after the
deletion. The old value then stays until it expires, for minutes or for ever.

A *lease* closes the race. On a miss the cache gives the reader a number; a value is put in only under the number that is
valid; and a deletion makes it void. What a reader loaded before the deletion then comes too late.

*Promise*, to those who read through the cache: once the cache has handled the deletion for a write, it shows this write
or a later one, never an older value. When writes stop, a cached value is the database's. *Not promised*: to read one's own
write, since the cache may show the old value until the deletion arrives; whoever needs that waits for the deletion.

Deletions come from the log of the database, which has one for each committed write and sends it until it has arrived, so
that a writer may crash. Messages are late, repeated and out of order. The cache may evict the value at any time. Left
out: several keys, which do not meet, and a crash of the cache, which is an eviction that voids the lease too.

As it happened. `AsPublished`: logto-io/logto #9428 (a read that began before an update wrote its result back after the
invalidation: wrong settings for thirty minutes), near/nearcore #14987, and the article, which fills on each miss.
`DeletesFirst`: duomark/epocxy #43 and aelve/guide #134. `UpdatesCache`: Nishtala 2013 (section 3.2.1: stale sets).

Sources: Nishtala et al. 2013, "Scaling Memcache at Facebook" (section 3.2.1: leases; section 4.1: deletions from the log);
Gray & Cheriton 1989, "Leases".
"""

from enum import Enum
from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    eventually_always,
    holds,
    infinitely_often,
    invariant,
    lemma,
    reachable,
    record,
    require,
    violates,
)


class Reader(Scalarset, size=3, prefix="r"):
    """A process that reads through the cache, again and again."""


class Writer(Scalarset, size=2, prefix="w"):
    """A process that writes once."""


class Version(Nat, max=2):
    """The number of a write, in the order of the database, and so the value that it writes; there is one for each writer."""


class Ticket(Nat, max=4):
    """The number of a lease."""


class Phase(Enum):
    """How far a reader has come with a miss."""

    IDLE = "idle"
    MISSED = "missed"
    LOADED = "loaded"


class Stage(Enum):
    """What a writer has done."""

    IDLE = "idle"
    BEGUN = "begun"
    DONE = "done"
    CRASHED = "crashed"


@record
class Fill:
    """Put this version into the cache, under this lease."""

    ticket: Ticket
    version: Version


@record
class Delete:
    """The database has this version now."""

    version: Version


class CacheAside(Spec):
    """A cache with leases, as memcached has them since Facebook.

    Promise: no stale value outlives a deletion, and when writes stop, what is cached is what the database has.
    """

    lanes = (Reader, Writer, "database", "cache")
    coloured_by = "phase"

    database: Version
    cached: Version | None
    lease: Ticket | None
    issued: Ticket
    deleted: Version
    phase: dict[Reader, Phase]
    ticket: dict[Reader, Ticket]
    loaded: dict[Reader, Version]
    stage: dict[Writer, Stage]
    network: Network[Fill | Delete]

    # Readers

    @action
    def miss(self, r: Reader) -> None:
        """Nothing is cached: the reader gets a lease, and others that miss wait for what it brings."""
        require(self.phase[r] == Phase.IDLE and self.cached is None and self.may_lease())
        self.issued += 1
        self.lease = self.issued
        self.phase[r] = Phase.MISSED
        self.ticket[r] = self.issued

    def may_lease(self) -> bool:
        """Whether a reader that misses may go to the database."""
        return self.lease is None

    @action
    def load(self, r: Reader) -> None:
        require(self.phase[r] == Phase.MISSED)
        self.phase[r] = Phase.LOADED
        self.loaded[r] = self.database

    @action
    def fill(self, r: Reader) -> None:
        """Any time may have passed since the reader asked the database."""
        require(self.phase[r] == Phase.LOADED)
        self.phase[r] = Phase.IDLE
        self.network.send(Fill(self.ticket[r], self.loaded[r]))

    # Writers and the database

    @action(lane="database")
    def write(self, w: Writer) -> None:
        """The database commits the write, and its log has the deletion."""
        require(self.stage[w] == Stage.IDLE)
        self.stage[w] = Stage.DONE
        self.commit()
        self.network.send(Delete(self.database))

    def commit(self) -> None:
        """The database has a new version."""
        self.database += 1

    # The cache

    @action(lane="cache")
    def put(self, m: Fill) -> None:
        require(m in self.network)
        require(self.accepts(m))
        self.network.receive(m)
        self.cached = m.version
        self.lease = None

    def accepts(self, m: Fill) -> bool:
        """Whether the cache takes a value: under the lease that is valid."""
        return self.lease == m.ticket

    @action(lane="cache", fair="weak", fair_if="is_news")
    def delete(self, m: Delete) -> None:
        """A deletion that arrives again costs a miss."""
        require(m in self.network)
        self.network.receive(m)
        self.deleted = max(self.deleted, m.version)
        self.cached = self.after(m)
        self.void_lease()

    def is_news(self, m: Delete) -> bool:
        """Whether the log sends it again: until it, or that of a later write, has arrived."""
        return m.version > self.deleted

    def after(self, m: Delete) -> Version | None:
        """What is cached when the cache has heard of a write."""
        return None

    def void_lease(self) -> None:
        """Whoever has loaded before the deletion comes too late."""
        self.lease = None

    @action(lane="cache")
    def evict(self) -> None:
        require(self.cached is not None)
        self.cached = None

    @action(lane="cache", mark="timeout")
    def lease_ends(self) -> None:
        """A reader that has a lease may have crashed: after some seconds another gets one."""
        require(self.lease is not None)
        self.lease = None

    # What is promised

    @invariant
    def no_stale_value_outlives_a_deletion(self) -> bool:
        """What is cached is no older than any write for which the cache has handled the deletion."""
        return self.cached is None or self.cached >= self.deleted

    @eventually_always
    def cache_catches_up(self) -> bool:
        """When writes have stopped, a cached value is the database's at last, and stays so."""
        return self.cached is None or self.cached == self.database

    # Why it is so

    @lemma
    def deletions_are_of_commits(self, m: Delete) -> bool:
        """The cache hears of no write that is not in the database."""
        return self.deleted <= self.database and (m not in self.network or m.version <= self.database)

    @lemma
    def holder_of_lease_is_recent(self, r: Reader) -> bool:
        """Whoever holds the valid lease and has loaded, loaded after the last deletion."""
        valid = self.phase[r] == Phase.LOADED and self.lease == self.ticket[r]
        return not valid or self.loaded[r] >= self.deleted

    @lemma
    def fills_under_the_lease_are_recent(self, m: Fill) -> bool:
        """A fill under the valid lease carries what was loaded after the last deletion."""
        return m not in self.network or self.lease != m.ticket or m.version >= self.deleted

    @lemma
    def leases_are_new(self, r: Reader, m: Fill) -> bool:
        """The cache remembers every number that it has given out."""
        known = self.ticket[r] <= self.issued and (m not in self.network or m.ticket <= self.issued)
        return known and (self.lease is None or self.lease <= self.issued)

    @reachable
    def stale_fill_is_refused(self, m: Fill) -> bool:
        """A value can arrive after a deletion that it does not know of."""
        return m in self.network and m.version < self.deleted

    @reachable
    def last_write_is_cached(self) -> bool:
        """After all writes, the cache can show the last one."""
        return self.cached == Version.bound

    @reachable
    def old_value_before_the_deletion(self) -> bool:
        """The cache can show an old value while the deletion is under way."""
        return self.cached is not None and self.cached < self.database


class AsPublished(CacheAside):
    """The article's cache: whoever misses asks the database and puts the answer into the cache.

    A reader loads, a write commits, its deletion finds nothing to delete, and then the reader puts in what it loaded.
    Everybody who reads afterwards gets the old value, and no deletion will come.
    """

    expect = violates("no_stale_value_outlives_a_deletion")
    bounds: ClassVar[dict[str, int]] = {"Reader": 1, "Writer": 1, "Version": 1, "Ticket": 1}
    omits: ClassVar[tuple[str, ...]] = ("fills_under_the_lease_are_recent", "lease_ends")

    def may_lease(self) -> bool:
        return True

    def accepts(self, m: Fill) -> bool:
        return True


class StaleForEver(AsPublished):
    """The same, where values have no time to live: the old value stays although all writes have long stopped."""

    expect = violates("cache_catches_up")
    omits = (*AsPublished.omits, "no_stale_value_outlives_a_deletion")


class UntilExpiry(AsPublished):
    """What a time to live gives: an old value does not stay for ever.

    It bounds the damage and does not prevent it. The time is a choice between load on the database and minutes of error,
    and a fill that arrives later still brings the old value back, for the same time again.
    """

    expect = holds()
    omits = (*AsPublished.omits, "no_stale_value_outlives_a_deletion", "cache_catches_up")

    @action(lane="cache", mark="timeout", fair="weak")
    def expire(self) -> None:
        """The value has been there for its time to live."""
        require(self.cached is not None)
        self.cached = None

    @infinitely_often
    def stale_values_expire(self) -> bool:
        """Again and again the cache is empty or right."""
        return self.cached is None or self.cached == self.database


class UpdatesCache(CacheAside):
    """Writers put their value into the cache instead of deleting what is there, to spare the next reader a miss.

    Two writes reach the cache in another order than the database, and the older one stays. A deletion does not have an
    order: whichever comes last, nothing is there.
    """

    expect = violates("no_stale_value_outlives_a_deletion")
    bounds: ClassVar[dict[str, int]] = {"Reader": 1, "Ticket": 1}

    def after(self, m: Delete) -> Version | None:
        return m.version


class LeaseSurvivesDeletion(CacheAside):
    """The cache gives leases against a herd of readers, and a deletion leaves them valid: there is nothing to delete.

    The reader that holds the lease has loaded before the write. Its value is taken, as without leases.
    """

    expect = violates("no_stale_value_outlives_a_deletion")
    bounds: ClassVar[dict[str, int]] = {"Reader": 1, "Writer": 1, "Version": 1, "Ticket": 1}
    omits: ClassVar[tuple[str, ...]] = ("holder_of_lease_is_recent", "fills_under_the_lease_are_recent")

    def void_lease(self) -> None:
        pass


class DeletesFirst(CacheAside):
    """The writer deletes what is cached, and then writes to the database, lest somebody reads the old value in between.

    Somebody does: misses, loads the old value under a lease that no later deletion voids, and puts it in.
    """

    expect = violates("cache_catches_up")
    bounds: ClassVar[dict[str, int]] = {"Reader": 1, "Writer": 1, "Version": 1, "Ticket": 1}
    omits: ClassVar[tuple[str, ...]] = ("deletions_are_of_commits", "stale_fill_is_refused")

    def write(self, w: Writer) -> None:
        require(self.stage[w] == Stage.BEGUN)
        self.stage[w] = Stage.DONE
        self.commit()

    @action
    def delete_first(self, w: Writer) -> None:
        """The writer has the answer of the cache before it goes on."""
        require(self.stage[w] == Stage.IDLE)
        self.stage[w] = Stage.BEGUN
        self.cached = None
        self.lease = None


class WriterDeletes(CacheAside):
    """The writer sends the deletion itself, after the database has said that the write is committed.

    A writer that crashes in between leaves the old value in the cache. Two systems are written, and no transaction holds
    them together; the log of the database does.
    """

    expect = violates("cache_catches_up")
    bounds: ClassVar[dict[str, int]] = {"Reader": 1, "Writer": 1, "Version": 1, "Ticket": 1}

    def write(self, w: Writer) -> None:
        require(self.stage[w] == Stage.IDLE)
        self.stage[w] = Stage.BEGUN
        self.commit()

    @action(fair="weak")
    def delete_after(self, w: Writer) -> None:
        require(self.stage[w] == Stage.BEGUN)
        self.stage[w] = Stage.DONE
        self.network.send(Delete(self.database))

    @action(mark="crash")
    def crash(self, w: Writer) -> None:
        require(self.stage[w] == Stage.BEGUN)
        self.stage[w] = Stage.CRASHED
