"""Primary/backup replication of a ledger, with failover: synchronous, semi-synchronous, asynchronous, and a mix.

The primary takes all transactions, appends them to its log and ships the log to its backups. When it tells the client
"done" is the one decision that names the scheme: after all nodes have stored the transaction (synchronous), after a
majority has (semi-synchronous), or at once (asynchronous). When the primary is suspected, a failover manager begins a
new *epoch*: it fences the nodes that it can reach, so that they obey no older primary, and promotes the one with the
most complete log.

*Promise* of the semi-synchronous scheme, to clients: no acknowledged transaction is lost by a failover, and reads at
the primary are linearizable. To operators: one primary in each epoch, backups hold a prefix of its log, and one node
of three may be down. *Not promised*: that a deposed primary knows that it is deposed. If the manager cannot reach it,
it goes on taking transactions, but finds no majority to store them.

A message carries the whole log; an implementation ships what is missing. A read is one step: it asks a majority
whether the primary is still in office (or holds a lease from them). Reads are linearizable if each returns every
transaction that was acknowledged before it, and extends what was read before.

Sources: Alsberg & Day 1976, "A Principle for Resilient Sharing of Distributed Resources" (primary and backups);
Budhiraja, Marzullo, Schneider & Toueg 1993, "The Primary-Backup Approach"; Liskov & Cowling 2012, "Viewstamped
Replication Revisited" (epochs; the latest log of a majority); the manual of MySQL 8, "Semisynchronous Replication";
Terry et al. 1994, "Session Guarantees for Weakly Consistent Replicated Data".
"""

from enum import Enum
from typing import Annotated, ClassVar, Self

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    is_majority,
    leads_to,
    lemma,
    reachable,
    record,
    require,
    step,
    up_to,
    violates,
)


class Node(Scalarset, size=3, prefix="n"):
    """A server with a copy of the ledger."""


class Tx(Scalarset, size=2, prefix="t"):
    """A transaction; a client submits it once."""


class Epoch(Nat, max=2):
    """The reign of one primary. The first is 1."""


class Length(Nat, max=3):
    """The length of a log."""


class Role(Enum):
    """What a node believes to be."""

    BACKUP = "backup"
    PRIMARY = "primary"


@record
class Replicate:
    """The log of the primary of this epoch."""

    epoch: Epoch
    log: Annotated[list[Tx], up_to(Length)]


@record
class Stored:
    """The node has stored this much of the log of the primary of this epoch."""

    node: Node
    epoch: Epoch
    length: Length


class PrimaryBackup(Spec):
    """Semi-synchronous replication: a transaction is acknowledged when a majority, with the primary, has stored it.

    Promise: acknowledged transactions survive every failover, and reads at the primary are linearizable.
    """

    lanes = ("manager", Node)
    coloured_by = "office"

    office: dict[Node, Role]
    epoch: dict[Node, Epoch]
    log: dict[Node, Annotated[list[Tx], up_to(Length)]]
    copied: dict[Node, Epoch]
    down: set[Node]
    latest: Epoch
    elected: bool
    submitted: set[Tx]
    acknowledged: set[Tx]
    view: Annotated[list[Tx], up_to(Length)]
    due: set[Tx]
    network: Network[Replicate | Stored]

    @init
    def start(self, p: Node) -> None:
        self.office[p] = Role.PRIMARY
        for n in Node:
            self.epoch[n] = Epoch(1)
            self.copied[n] = Epoch(1)
        self.latest = Epoch(1)
        self.elected = True

    # Replication

    @action
    def submit(self, p: Node, t: Tx) -> None:
        require(self.in_office(p) and t not in self.submitted)
        self.submitted.add(t)
        self.log[p].append(t)
        self.network.send(Replicate(self.epoch[p], self.log[p]))

    @action(fair="strong")
    def store(self, n: Node, m: Replicate) -> None:
        require(m in self.network)
        require(n not in self.down and self.accepts(n, m))
        require(m.epoch > self.copied[n] or len(m.log) > len(self.log[n]))
        self.network.receive(m)
        self.epoch[n] = max(self.epoch[n], m.epoch)
        self.office[n] = Role.BACKUP
        self.log[n] = m.log
        self.copied[n] = m.epoch
        self.network.send(Stored(n, m.epoch, Length(len(m.log))))

    def accepts(self, n: Node, m: Replicate) -> bool:
        """Whether a node obeys the primary that sent this: not if it has promised itself to a later one."""
        return m.epoch >= self.epoch[n]

    @action(fair="weak")
    def acknowledge(self, p: Node, t: Tx) -> None:
        require(self.in_office(p) and t in self.log[p] and t not in self.acknowledged)
        require(self.is_safe(p, t))
        for n in Node:
            for size in Length:
                if Stored(n, self.epoch[p], size) in self.network and t in self.log[p][:size]:
                    self.network.receive(Stored(n, self.epoch[p], size))
        self.acknowledged.add(t)

    def is_safe(self, p: Node, t: Tx) -> bool:
        """Whether enough nodes have stored a transaction for the primary to say "done"."""
        return is_majority(self.holders(p, t), Node)

    def holders(self, p: Node, t: Tx) -> set[Node]:
        """The nodes that have confirmed to the primary that they have stored a transaction, and itself."""
        epoch, log = self.epoch[p], self.log[p]
        return {
            n
            for n in Node
            if n == p or any(Stored(n, epoch, size) in self.network and t in log[:size] for size in Length)
        }

    def in_office(self, p: Node) -> bool:
        """Whether a node is up and believes to be the primary."""
        return p not in self.down and self.office[p] == Role.PRIMARY

    # Reads

    @action
    def read(self, n: Node) -> None:
        require(n not in self.down and self.may_read(n))
        self.view = self.log[n]
        self.due = self.acknowledged

    def may_read(self, n: Node) -> bool:
        """Whether a node answers reads: the primary does, when a majority still follows it and its log is safe."""
        followers = {m for m in Node if self.epoch[m] == self.epoch[n]}
        return self.in_office(n) and is_majority(followers, Node) and all(self.is_safe(n, t) for t in self.log[n])

    # Failures and failover

    @action(mark="crash")
    def crash(self, n: Node) -> None:
        require(n not in self.down and is_majority({m for m in Node if m not in self.down and m != n}, Node))
        self.down.add(n)

    @action(mark="restart")
    def restart(self, n: Node) -> None:
        require(n in self.down)
        self.down.discard(n)

    @action(lane="manager", mark="timeout")
    def suspect(self) -> None:
        require(self.elected)
        self.latest += 1
        self.elected = False

    @action
    def fence(self, n: Node) -> None:
        require(n not in self.down and not self.elected and self.epoch[n] < self.latest)
        self.epoch[n] = self.latest
        self.office[n] = Role.BACKUP

    @action
    def promote(self, n: Node) -> None:
        require(n not in self.down and not self.elected and self.epoch[n] == self.latest)
        fenced = {m for m in Node if self.epoch[m] == self.latest}
        require(is_majority(fenced, Node))
        require(all((self.copied[m], len(self.log[m])) <= (self.copied[n], len(self.log[n])) for m in fenced))
        self.elected = True
        self.office[n] = Role.PRIMARY
        self.copied[n] = self.latest
        self.network.send(Replicate(self.latest, self.log[n]))

    # What is promised

    @invariant
    def acknowledged_survives(self, p: Node, t: Tx) -> bool:
        """Every acknowledged transaction is in the log of the latest primary."""
        latest_primary = self.office[p] == Role.PRIMARY and self.epoch[p] == self.latest
        return not latest_primary or t not in self.acknowledged or t in self.log[p]

    @invariant
    def one_primary_per_epoch(self, a: Node, b: Node) -> bool:
        """No two nodes are primary in the same epoch."""
        both = self.office[a] == Role.PRIMARY and self.office[b] == Role.PRIMARY
        return a == b or not both or self.epoch[a] != self.epoch[b]

    @invariant
    def backups_are_prefixes(self, p: Node, b: Node) -> bool:
        """What a backup has copied from a primary is a prefix of the primary's log."""
        follows = self.office[p] == Role.PRIMARY and self.copied[b] == self.epoch[p]
        return not follows or self.log[b] == self.log[p][: len(self.log[b])]

    @invariant
    def read_your_writes(self, t: Tx) -> bool:
        """A read returns every transaction that was acknowledged before it."""
        return t not in self.due or t in self.view

    @step
    def monotonic_reads(self, old: Self) -> bool:
        """A read returns at least what the read before it returned, in the same order."""
        return self.view[: len(old.view)] == old.view

    # Why there is one primary

    @lemma
    def no_node_is_ahead(self, n: Node) -> bool:
        """The latest epoch is the manager's: no node knows of a later one."""
        return self.epoch[n] <= self.latest

    @lemma
    def no_log_is_ahead(self, m: Replicate) -> bool:
        """No log is shipped in an epoch that the manager has not begun."""
        return m not in self.network or m.epoch <= self.latest

    @lemma
    def vacant_until_promoted(self, p: Node) -> bool:
        """A new epoch has no primary before the manager promotes one."""
        return self.elected or self.office[p] != Role.PRIMARY or self.epoch[p] < self.latest

    @reachable
    def works_with_a_backup_down(self, n: Node, t: Tx) -> bool:
        """A transaction can be acknowledged while a backup is down and has never heard of it."""
        return n in self.down and t in self.acknowledged and t not in self.log[n]

    @reachable
    def two_believe_to_be_primary(self, a: Node, b: Node) -> bool:
        """A deposed primary can go on believing that it is in office."""
        return a != b and self.office[a] == Role.PRIMARY and self.office[b] == Role.PRIMARY

    @reachable
    def survives_a_failover(self, p: Node, t: Tx) -> bool:
        """A later primary can serve a transaction acknowledged by an earlier one."""
        return self.epoch[p] > 1 and self.office[p] == Role.PRIMARY and t in self.acknowledged and t in self.view


class Asynchronous(PrimaryBackup):
    """The primary says "done" as soon as its own log has the transaction, and ships it afterwards.

    A failover in between promotes a backup that has never heard of it: the client was told "done", and the
    transaction is gone. The window is as long as the replication lag.
    """

    expect = violates("acknowledged_survives")

    def is_safe(self, p: Node, t: Tx) -> bool:
        return True


class NoFencing(PrimaryBackup):
    """Backups do not compare epochs: they store whatever any primary ships to them.

    A deposed primary that was only cut off from the manager still finds a majority to store its transactions, and
    acknowledges them. There are two primaries with clients of their own, and what the older one acknowledges is lost.
    """

    expect = violates("acknowledged_survives")

    def accepts(self, n: Node, m: Replicate) -> bool:
        return True


class ReadAnyReplica(PrimaryBackup):
    """Reads go to any replica that is up, to spread the load, as the article does.

    A client whose transaction has been acknowledged asks a backup outside the majority that has stored it, and does
    not find it. Its own write seems lost.
    """

    expect = violates("read_your_writes")
    omits: ClassVar[tuple[str, ...]] = ("monotonic_reads",)

    def may_read(self, n: Node) -> bool:
        return True


class ReadAnyReplicaAgain(ReadAnyReplica):
    """The same, for a client that only reads: the second read goes to another replica than the first.

    The first replica is ahead of the second, so time seems to run backwards: what the client has just seen is gone. A
    session that stays with one replica avoids this, until that replica is down.
    """

    expect = violates("monotonic_reads")
    omits = ()


class Availability(PrimaryBackup):
    """One epoch of the semi-synchronous scheme, where every transaction is acknowledged although a backup is down.

    Any number of crashes happen, but a majority is up at any time; nobody has to restart.
    """

    bounds: ClassVar[dict[str, int]] = {"Epoch": 1}
    omits: ClassVar[tuple[str, ...]] = (
        "suspect",
        "fence",
        "promote",
        "two_believe_to_be_primary",
        "survives_a_failover",
    )

    @leads_to
    def every_transaction_is_acknowledged(self, p: Node, t: Tx) -> tuple[bool, bool]:
        """A transaction in the primary's log is acknowledged at last, unless the primary is down."""
        return self.in_office(p) and t in self.log[p], t in self.acknowledged or p in self.down


class Synchronous(Availability):
    """A transaction is acknowledged when every node has stored it: no failover can lose it, whichever node is
    promoted.

    But one backup that is down stops every transaction, for as long as it is down. Three nodes are then less
    available than one.
    """

    expect = violates("every_transaction_is_acknowledged")
    omits = (*Availability.omits, "works_with_a_backup_down")

    def is_safe(self, p: Node, t: Tx) -> bool:
        return all(n in self.holders(p, t) for n in Node)


class Payments(PrimaryBackup):
    """The mix that payment systems use: payments wait for a majority, other updates are acknowledged at once.

    The account has one coin, and the primary refuses a payment when its log has one already. The other updates are of
    a class that may be repaired later, such as counts of stock. Promise: no acknowledged payment is lost, and the
    coin is spent once. Another update may be lost.
    """

    omits: ClassVar[tuple[str, ...]] = ("read", "read_your_writes", "monotonic_reads", "survives_a_failover")

    payment: set[Tx]

    @action
    def pay(self, p: Node, t: Tx) -> None:
        require(all(x not in self.payment for x in self.log[p]))
        self.submit(p, t)
        self.payment.add(t)

    def is_safe(self, p: Node, t: Tx) -> bool:
        return t not in self.payment or super().is_safe(p, t)

    def acknowledged_survives(self, p: Node, t: Tx) -> bool:
        """Every acknowledged payment is in the log of the latest primary."""
        return t not in self.payment or super().acknowledged_survives(p, t)

    @invariant
    def spent_once(self, a: Tx, b: Tx) -> bool:
        """No two payments are acknowledged: there is one coin."""
        both = a in self.acknowledged and b in self.acknowledged
        return a == b or not both or a not in self.payment or b not in self.payment

    @reachable
    def other_update_is_lost(self, p: Node, t: Tx) -> bool:
        """An update that is no payment can be acknowledged and lost."""
        lost = self.epoch[p] == self.latest and self.office[p] == Role.PRIMARY and t not in self.log[p]
        return lost and t in self.acknowledged

    @reachable
    def payment_survives(self, p: Node, t: Tx) -> bool:
        """A payment can be acknowledged and survive a failover."""
        kept = self.epoch[p] == 2 and self.office[p] == Role.PRIMARY and t in self.log[p]
        return kept and t in self.payment and t in self.acknowledged


class PaymentSentAsync(Payments):
    """A payment takes the path of the other updates: the primary says "paid" although no majority knows of the
    payment.

    The next primary has not heard of it either, finds the coin unspent and accepts a second payment. Both are
    acknowledged: the money is spent twice.
    """

    expect = violates("spent_once")
    omits = (*Payments.omits, "acknowledged_survives")

    def is_safe(self, p: Node, t: Tx) -> bool:
        return True
