"""An e-commerce database with several masters: every site takes orders, and ships its log to the others through a broker.

A site commits a row, appends the change to its log, and tells the client "done"; nobody else was asked. The broker
keeps all logs, and each site applies those of the others in the background. Keys are counted up at each site in steps
of the number of sites, from an offset of its own (`auto_increment_increment`, `auto_increment_offset`). A change of a
row that exists carries the whole row with its stamp, the number of changes and the site; of two concurrent ones, the
larger stamp wins at every site. An entry says what its site had applied of all logs (a version vector), and is applied
after that.

*Promise*, to operators: sites that have applied the same entries have the same rows, whatever the order (strong
eventual convergence), and when writes stop, all have applied everything; no two rows have the same key. To clients: an
order that was acknowledged is never lost. *Not promised*: of two concurrent changes of one order, one is lost; and a
site that burns down takes with it what it has not shipped.

Entries are delivered late, in any order, and repeated, as when a broker has partitions and its consumers restart; the
broker loses none. A site that is down, or cut off, does nothing for a while: rows and log are written in one
transaction. `placed` says which order has got which key where; it is there for the properties.

Sources: Shapiro et al. 2011, "Conflict-free Replicated Data Types" (strong eventual consistency); Birman, Schiper &
Stephenson 1991, "Lightweight Causal and Atomic Group Multicast" (delivery in causal order by vectors); MySQL 8.0
Reference Manual (17.1.6.2 `auto_increment_offset`; 17.1.6.3 `replica_exec_mode`).

Shipped: mariadb-corporation/mysql-wsrep issue 18, nodes join or leave, offsets change, and two nodes use one key; and
moiot/gravity issue 77, bidirectional replication between masters that both count from one (`CollidingKeys`).
PowerDNS/pdns issue 10752, replication between two masters stops at a duplicate entry, and stays stopped
(`StopsAtDuplicates`). pingcap/tiflow issue 6383 and aws/pgactive issue 327, a change of a row that is not there is
passed over (`ArrivalOrder`). ravendb/ravendb pull request 22979, a merge that is not commutative lets two masters
differ (`NoConflictResolution`).
"""

from enum import Enum
from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    eventually_always,
    invariant,
    merge,
    reachable,
    record,
    require,
    violates,
)


class Site(Ordered, size=2, prefix="s"):
    """A master. Sites are ordered, for offsets of keys and to break ties."""


class Order(Scalarset, size=2, prefix="o"):
    """What a client has ordered."""


class Key(Nat, max=lambda: Site.size * Order.size):
    """A primary key; 0 is none."""


class Number(Nat, max=lambda: 2 * Order.size):
    """A place in a site's log, from 1 on, or how far it was applied."""


class Changes(Nat, max=2):
    """How often a row was changed."""


class Status(Enum):
    """What has become of an order."""

    PLACED = "placed"
    PAID = "paid"
    CANCELLED = "cancelled"


@record
class Stamp:
    """When a row was changed: after how many other changes, and where."""

    changes: Changes
    site: Site


@record
class Row:
    """A row of the table of orders."""

    order: Order
    status: Status
    stamp: Stamp


@record
class Entry:
    """A change in the log of a site: a row that is new, or one that was changed. `after`: all that the site had applied."""

    source: Site
    number: Number
    new: bool
    key: Key
    row: Row
    after: dict[Site, Number]


def not_later(a: Stamp, b: Stamp) -> bool:
    """The total order of the changes of a row."""
    return (a.changes, a.site) <= (b.changes, b.site)


@merge(order=not_later)
def later(a: Stamp, b: Stamp) -> Stamp:
    """The stamp of the change that wins."""
    return a if not_later(b, a) else b


class MultiMaster(Spec):
    """Masters with keys of their own, stamps, and logs that are applied in causal order.

    Promise: convergence; no two rows with the same key; no acknowledged order is lost.
    """

    lanes = (Site,)

    rows: dict[Site, dict[Key, Row | None]]
    last: dict[Site, Key]
    applied: dict[Site, dict[Site, Number]]
    handled: dict[Site, set[tuple[Site, Number]]]
    broker: Network[Entry] = Network(capacity=6)
    placed: dict[Order, tuple[Site, Key] | None]

    # Clients

    @action
    def place(self, s: Site, o: Order) -> None:
        require(self.placed[o] is None)
        key = self.next_key(s)
        self.last[s] = key
        self.commit(s, key, Row(o, Status.PLACED, Stamp(Changes(0), s)), True)
        self.placed[o] = (s, key)

    def next_key(self, s: Site) -> Key:
        """The next key of a site: all sites count in steps of their number, each from its own offset."""
        return self.last[s] + len(Site) if self.last[s] > 0 else Key(s.index + 1)

    @action
    def change(self, s: Site, k: Key, status: Status) -> None:
        row = self.rows[s][k]
        require(row is not None and row.status == Status.PLACED != status)
        if row is not None:
            self.commit(s, k, Row(row.order, status, Stamp(row.stamp.changes + 1, s)), False)

    def commit(self, s: Site, k: Key, row: Row, new: bool) -> None:
        """One transaction: the row is written, and the change appended to the log."""
        number = self.applied[s][s] + 1
        self.broker.send(Entry(s, number, new, k, row, self.applied[s]))
        self.rows[s][k] = row
        self.applied[s][s] = number
        self.handled[s].add((s, number))

    # The other sites

    @action(fair="weak")
    def apply(self, s: Site, m: Entry) -> None:
        require(m in self.broker)
        require((m.source, m.number) not in self.handled[s] and self.is_next(s, m))
        self.broker.receive(m)
        self.applied[s][m.source] = max(self.applied[s][m.source], m.number)
        self.handled[s].add((m.source, m.number))
        self.rows[s][m.key] = self.kept(self.rows[s][m.key], m)

    def is_next(self, s: Site, m: Entry) -> bool:
        """Whether a site has applied all that an entry comes after."""
        return all(m.after[t] <= self.applied[s][t] for t in Site)

    def kept(self, own: Row | None, m: Entry) -> Row | None:
        """What a site makes of its row and a logged one: the larger stamp wins."""
        return own if own is not None and later(own.stamp, m.row.stamp) == own.stamp else m.row

    # What is promised

    @invariant
    def no_two_rows_with_one_key(self, o: Order, other: Order) -> bool:
        """No two orders have the same key, wherever they were placed."""
        one, two = self.placed[o], self.placed[other]
        return o == other or one is None or two is None or one[1] != two[1]

    @invariant
    def no_acknowledged_order_is_lost(self, o: Order, s: Site) -> bool:
        """An order that was acknowledged is at its site, and wherever its entry was applied."""
        at = self.placed[o]
        return at is None or not self.has_heard(s, o) or any(self.has_order(s, k, o) for k in Key)

    def has_heard(self, s: Site, o: Order) -> bool:
        """Whether a site has applied the entry by which an order was placed."""
        return any(m.new and m.row.order == o and (m.source, m.number) in self.handled[s] for m in self.broker)

    def has_order(self, s: Site, k: Key, o: Order) -> bool:
        """Whether a row is that of an order."""
        row = self.rows[s][k]
        return row is not None and row.order == o

    @invariant
    def convergence(self, a: Site, b: Site, k: Key) -> bool:
        """Sites that have applied the same entries show the same rows."""
        one, two = self.rows[a][k], self.rows[b][k]
        if self.handled[a] != self.handled[b]:
            return True
        if one is None or two is None:
            return one == two
        return one.order == two.order and one.status == two.status

    @invariant
    def no_effect_before_its_cause(self, s: Site, k: Key) -> bool:
        """A site that has applied a change of a row has the row that was changed."""
        row = self.rows[s][k]
        return row is None or self.has_heard(s, row.order)

    @eventually_always
    def sites_converge(self) -> bool:
        """When writes stop, all sites end with the same rows."""
        return all(self.rows[a] == self.rows[b] for a in Site for b in Site)

    @reachable
    def concurrent_changes_conflict(self, k: Key) -> bool:
        """One order can be paid at one site while it is cancelled at another."""
        return any(
            any(m.key == n.key == k and not m.new and not n.new and m.row != n.row for n in self.broker)
            for m in self.broker
        )

    @reachable
    def an_entry_waits(self, s: Site) -> bool:
        """An entry can arrive before one that it comes after."""
        return any((m.source, m.number) not in self.handled[s] and not self.is_next(s, m) for m in self.broker)

    @reachable
    def all_have_all(self) -> bool:
        """Orders placed at different sites come to all of them."""
        return all(
            self.placed[o] is not None and all(any(self.has_order(s, k, o) for k in Key) for s in Site) for o in Order
        )


class NoConflictResolution(MultiMaster):
    """A logged change is applied as it comes; rows have stamps, and nobody compares them.

    Two sites change one order at a time. Each then applies what the other has done: they have swapped their rows.
    """

    expect = violates("convergence")
    bounds: ClassVar[dict[str, int]] = {"Order": 1}

    def kept(self, own: Row | None, m: Entry) -> Row | None:
        return m.row


class CollidingKeys(MultiMaster):
    """Every site counts from 1 in steps of 1, as a single database does.

    Two sites give one key to two orders, and both clients are told "done".
    """

    expect = violates("no_two_rows_with_one_key")

    def next_key(self, s: Site) -> Key:
        return max(k for k in Key if k == 0 or self.rows[s][k] is not None) + 1


class CollidingKeysMerged(CollidingKeys):
    """The same, where the larger stamp wins as with any two versions of a row (`replica_exec_mode=IDEMPOTENT`).

    But they are two orders, and at every site one of them is gone.
    """

    expect = violates("no_acknowledged_order_is_lost")
    omits: ClassVar[tuple[str, ...]] = ("no_two_rows_with_one_key",)


class StopsAtDuplicates(CollidingKeys):
    """The same, where a duplicate key is an error at which replication stops (`replica_exec_mode=STRICT`).

    Each site keeps its own order, and nothing of what the other logs after that is applied any more.
    """

    expect = violates("sites_converge")
    omits: ClassVar[tuple[str, ...]] = ("no_two_rows_with_one_key",)

    def is_next(self, s: Site, m: Entry) -> bool:
        return super().is_next(s, m) and not (m.new and self.rows[s][m.key] is not None)


class UpsertsInArrivalOrder(MultiMaster):
    """Entries are applied as the broker delivers them; a change of a row that is not there inserts it.

    Sites converge, since the larger stamp wins. But one shows that an order was paid before it has heard that it was placed.
    """

    expect = violates("no_effect_before_its_cause")
    omits: ClassVar[tuple[str, ...]] = ("an_entry_waits",)

    def is_next(self, s: Site, m: Entry) -> bool:
        return True


class ArrivalOrder(UpsertsInArrivalOrder):
    """The same, where a change of a row that is not there is passed over, as an error that is known to be harmless.

    The row comes later, without the change. This site shows an order as placed that was paid, and has applied all there
    is.
    """

    expect = violates("convergence")

    def kept(self, own: Row | None, m: Entry) -> Row | None:
        return own if own is None and not m.new else super().kept(own, m)
