"""Shards and routers: a table says which shard owns a key, and a key moves from one shard to another under writes.

A *directory* has the owner of each key and the number of its reign, the *epoch*. Routers keep a copy of the table, which
may be old, and send each write to the owner that they know, with the epoch that they know. To move a key, the directory
raises the epoch and names the new owner. The old one then stops, and what it has goes to the new one in the same
moment; the new one begins when the copy arrives. A shard serves a key only in its own epoch and refuses what carries
another: the router asks the directory and tries again. This comparison is the *fence*.

*Promise*, to those who write: in one epoch, one shard accepts writes of a key; and no write that was acknowledged is
missing at the owner of the present epoch, however late or often messages arrive. *Not promised*: that a key can be
written during its move; nor that a router knows the owner.

How many of 10,000 keys change their shard when one is added (in percent; `tests/specs/test_sharding.py` counts them,
with SHA-256, and 1,024 points of each shard on the ring of consistent hashing):

| shards   | modulo | consistent | rendezvous |
|----------|--------|------------|------------|
| 2 to 3   | 67     | 33         | 34         |
| 4 to 5   | 80     | 21         | 20         |
| 8 to 9   | 89     | 12         | 11         |
| 16 to 17 | 94     | 6          | 6          |

The fewest that can move are one in *n + 1*. Whatever the function, the keys that move have to be moved: the spec is about
that, and the function only about how often.

Left out: crashes of shards, whose data and epochs are durable, so that a restart is a pause; loss of a whole shard,
which replication is for (`primary_backup`), as are read replicas; a router that tries again, which is a new write; a move
that begins before the last one has ended, since the directory waits; deletion at the old owner, which nobody asks.

As it happened. `AsPublished`: the article, whose routers take the hash modulo the number of shards. `SeededHash`:
JBKahn/django-sharding #66 (its modulo strategy takes Python's `hash()`, which differs between processes) and
django/channels_redis #273 (workers with different seeds publish and listen on different servers). `NoFencing`:
apache/couchdb-documentation #192 (copy, change the metadata, delete: all writes in between are lost) and apache/kvrocks
#3147 (the new owner can serve a slot while the old one goes on with it).

Sources: Karger et al. 1997, "Consistent Hashing and Random Trees" (section 4); Thaler & Ravishankar 1998, "Using
Name-Based Mappings to Increase Hit Rates" (rendezvous hashing); Adya et al. 2016, "Slicer: Auto-Sharding for Datacenter
Applications" (one owner at a time, by leases).
"""

from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    reachable,
    record,
    require,
    violates,
)


class Shard(Ordered, size=3, prefix="s"):
    """A server that has some of the keys."""


class Router(Scalarset, size=2, prefix="r"):
    """A process that sends the writes of clients to shards."""


class Key(Ordered, size=1, prefix="k"):
    """What is written. Keys do not meet, so one shows it."""


class Epoch(Nat, max=3):
    """The number of an owner's reign over a key."""


class Number(Nat, max=3):
    """The number of a write of a key, and so what it adds to the key's value."""


@record
class Write:
    """Add this to the key, if you own it in this epoch."""

    shard: Shard
    key: Key
    epoch: Epoch
    number: Number


@record
class Release:
    """Stop serving the key, and send it to its heir: this epoch is the heir's."""

    target: Shard
    heir: Shard
    key: Key
    epoch: Epoch


@record
class Copy:
    """The whole value of the key, to be served from this epoch on."""

    target: Shard
    key: Key
    epoch: Epoch
    value: frozenset[Number]


@record
class Accepted:
    """The shard has acknowledged the write in this epoch."""

    shard: Shard
    key: Key
    epoch: Epoch
    number: Number


class Sharding(Spec):
    """A directory with epochs, routers with old tables, and shards that compare epochs.

    Promise: one owner for each key and epoch, and no acknowledged write is lost over a move.
    """

    lanes = ("directory", Router, Shard)

    owner: dict[Key, Shard]
    epoch: dict[Key, Epoch]
    known_owner: dict[Router, dict[Key, Shard]]
    known_epoch: dict[Router, dict[Key, Epoch]]
    serving: dict[Shard, dict[Key, Epoch | None]]
    value: dict[Shard, dict[Key, set[Number]]]
    written: dict[Key, Number]
    accepted: set[Accepted]
    network: Network[Write | Release | Copy]

    @init
    def first_owners(self) -> None:
        """Each key has an owner, which serves it."""
        self.serving = {s: {k: Epoch(0) if s == self.owner[k] else None for k in Key} for s in Shard}

    # Routers

    @action
    def route(self, r: Router, k: Key) -> None:
        self.written[k] += 1
        self.network.send(Write(self.place(r, k), k, self.known_epoch[r][k], self.written[k]))

    def place(self, r: Router, k: Key) -> Shard:
        """Where the router sends the writes of a key."""
        return self.known_owner[r][k]

    @action
    def refresh(self, r: Router, k: Key) -> None:
        require(self.known_epoch[r][k] < self.epoch[k])
        self.known_owner[r][k] = self.owner[k]
        self.known_epoch[r][k] = self.epoch[k]

    # Shards

    @action
    def serve(self, m: Write) -> None:
        require(m in self.network)
        require(self.may_serve(m))
        self.network.receive(m)
        self.value[m.shard][m.key].add(m.number)
        self.accepted.add(Accepted(m.shard, m.key, m.epoch, m.number))

    def may_serve(self, m: Write) -> bool:
        """The fence: the shard serves the key, in the epoch that the router meant."""
        return self.serving[m.shard][m.key] == m.epoch

    # A move

    @action(lane="directory")
    def begin_move(self, k: Key, s: Shard) -> None:
        """The directory gives the key to another shard, after the last move has ended."""
        require(s != self.owner[k] and self.serving[self.owner[k]][k] == self.epoch[k])
        self.epoch[k] += 1
        self.network.send(Release(self.owner[k], s, k, self.epoch[k]))
        self.owner[k] = s

    @action
    def hand_over(self, m: Release) -> None:
        require(m in self.network)
        served = self.serving[m.target][m.key]
        require(served is not None and served < m.epoch)
        self.network.receive(m)
        self.stop(m.target, m.key)
        self.network.send(Copy(m.heir, m.key, m.epoch, frozenset(self.value[m.target][m.key])))

    def stop(self, s: Shard, k: Key) -> None:
        """The old owner serves the key no more, from the moment of the copy on."""
        self.serving[s][k] = None

    @action
    def take_over(self, m: Copy) -> None:
        """A copy that arrives again is from an epoch that has begun or is over: it is not taken."""
        require(m in self.network)
        require(self.epoch[m.key] == m.epoch and self.serving[m.target][m.key] != m.epoch)
        self.network.receive(m)
        self.serving[m.target][m.key] = m.epoch
        self.value[m.target][m.key] = set(m.value)

    # What is promised

    @invariant
    def one_owner(self, a: Accepted, b: Accepted) -> bool:
        """In one epoch, one shard accepts the writes of a key."""
        both = a in self.accepted and b in self.accepted
        return not both or a.key != b.key or a.epoch != b.epoch or a.shard == b.shard

    @invariant
    def no_write_is_lost(self, s: Shard, a: Accepted) -> bool:
        """The shard that answers for a key has every acknowledged write of it."""
        return a not in self.accepted or not self.answers_for(s, a.key) or a.number in self.value[s][a.key]

    def answers_for(self, s: Shard, k: Key) -> bool:
        """Whether reads of a key in the present epoch are served by this shard."""
        return self.serving[s][k] == self.epoch[k]

    @reachable
    def writes_move(self, s: Shard, t: Shard, a: Accepted) -> bool:
        """A write can be acknowledged by one shard and served by another."""
        return s == a.shard and s != t and a in self.accepted and self.answers_for(t, a.key)

    @reachable
    def old_table_is_refused(self, m: Write) -> bool:
        """A write can come to a shard that owns the key no more."""
        return m in self.network and self.serving[m.shard][m.key] is None

    @reachable
    def key_comes_back(self, s: Shard, k: Key) -> bool:
        """A key can return to a shard that had it before, with a write that was made elsewhere."""
        elsewhere = any(a.shard != s and a.key == k for a in self.accepted)
        before = any(a.shard == s and a.key == k and a.epoch < self.epoch[k] for a in self.accepted)
        return elsewhere and before and self.answers_for(s, k)


MOVES = ("begin_move", "hand_over", "take_over", "writes_move", "old_table_is_refused", "key_comes_back")
"""What a spec without a directory's moves does without."""


class AsPublished(Sharding):
    """The owner of a key is its hash modulo the number of shards, and the number changes.

    All routers learn the new number, and agree: yet most keys now have another owner, which has nothing of them. What was
    written is still there, at a shard that nobody asks. A function that moves fewer keys makes it rarer; only moving
    them mends it.
    """

    expect = violates("no_write_is_lost")
    bounds: ClassVar[dict[str, int]] = {"Epoch": 1, "Router": 1}
    omits: ClassVar[tuple[str, ...]] = MOVES

    def hashed(self, k: Key) -> int:
        """The hash of a key, the same everywhere and always."""
        return 2 * (k.index + 1)

    @init
    def first_owners(self) -> None:
        """All shards but the last are there from the beginning."""
        self.owner = {k: Shard[self.hashed(k) % (Shard.size - 1)] for k in Key}
        self.known_owner = {r: {k: Shard[self.hashed(k) % (Shard.size - 1)] for k in Key} for r in Router}

    @action(lane="directory")
    def add_shard(self) -> None:
        """The number of shards in the configuration goes up."""
        require(all(self.epoch[k] == 0 for k in Key))
        for k in Key:
            self.epoch[k] = Epoch(1)
            self.owner[k] = Shard[self.hashed(k) % Shard.size]

    def may_serve(self, m: Write) -> bool:
        """A shard takes what routers send to it: it does not know which keys are its own."""
        return True

    def answers_for(self, s: Shard, k: Key) -> bool:
        return s == self.owner[k]


class Seed(Nat, max=1):
    """What a process draws when it starts, and mixes into its hashes."""


class SeededHash(Sharding):
    """Routers compute the owner with the hash of their language's dictionaries, which each process seeds anew.

    Python's `hash()` of a text is such a function, against requests made to collide. Within one process, and so in
    every test, it is right. Two processes send a key to two shards, and so does one before and after its restart.
    """

    expect = violates("one_owner")
    bounds: ClassVar[dict[str, int]] = {"Epoch": 0, "Shard": 2}
    omits: ClassVar[tuple[str, ...]] = (*MOVES, "first_owners", "refresh", "no_write_is_lost")
    seed: dict[Router, Seed]

    @init
    def seeds_are_drawn(self, r: Router) -> None:
        """One router has drawn another seed than the rest."""
        self.seed = {q: Seed(1) if q == r else Seed(0) for q in Router}

    def place(self, r: Router, k: Key) -> Shard:
        return Shard[(k.index + self.seed[r]) % Shard.size]

    def may_serve(self, m: Write) -> bool:
        """A shard takes what routers send to it: it does not know which keys are its own."""
        return True


class NoFencing(Sharding):
    """The old owner goes on serving after it has sent the copy; it is the table that moves the key.

    A router with the old table writes to it, and gets an acknowledgement for what the new owner will never see. Waiting
    until all routers have the new table helps as far as one knows all routers, and the messages that are on their way.
    """

    expect = violates("no_write_is_lost")
    bounds: ClassVar[dict[str, int]] = {"Epoch": 1, "Router": 1, "Shard": 2, "Number": 1}
    omits: ClassVar[tuple[str, ...]] = ("old_table_is_refused", "key_comes_back")

    def stop(self, s: Shard, k: Key) -> None:
        pass
