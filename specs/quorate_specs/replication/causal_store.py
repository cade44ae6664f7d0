"""A causally consistent store in several regions, with explicit dependencies: what a client can see never lacks its cause.

Every region has a copy of all keys and answers its clients alone, without asking another one. A write is applied in
the client's region at once, and sent to the others with its *dependencies*: writes that the client had read or made
before. A region applies a write when it has applied all of them; until then the write waits. The client keeps what its
next write will depend on in its *context*. Only the nearest are needed: after a write the context is that write, which
depends on all the rest. Of concurrent writes of one key the larger version wins, in every region alike.

A client stays in its region. If it moves, its context moves with it, and the new region serves it as soon as it has
applied all that is in there.

*Promise*, to clients: causal consistency, which is the four session guarantees together. A client reads its own
writes; it never reads an older version than before; and what it reads does not come before what its writer had
written, or had read. Regions converge (together: *causal+*). No region ever waits for another one, except for a client
that has moved. *Not promised*: the latest version; and of two concurrent writes of a key one is lost.

The properties take their words from `quorate.consistency` (`docs/consistency.md`). A read of a register shows one
version, so that monotonic writes and writes-follow-reads, taken alone, are about what regions have applied, as they
were defined; the others are about answers.

The nodes of one region are taken as one: the store of a region is linearizable, and it survives crashes of its nodes
(COPS, section 3.2). Messages between regions are delayed, reordered and repeated; a region that is cut off is one that
hears nothing for a while. What belongs to a value and never changes, its key and version, is noted once, in `written`
and `version`; `author`, `past`, `shown` and `answer` are there for the properties.

Sources: Lloyd et al. 2011, "Don't Settle for Eventual: Scalable Causal Consistency for Wide-Area Storage with COPS" (3.3
versions and dependencies, 4.2 contexts and the nearest dependencies, 4.3 `put_after` and `dep_check`); Terry et al.
1994, "Session Guarantees for Weakly Consistent Replicated Data"; Ahamad et al. 1995, "Causal Memory"; Bouajjani et al.
2017, "On Verifying Causal Consistency" (causal convergence).

Shipped: rocq-community/chapar issue 3, a repeated message puts an old value back, in a store that was proven for
networks that repeat nothing (`LastMessageWins`). temporalio/temporal issue 3381, shards replicate without knowing of each
other, and a failover shows the effect without the cause (`NoDependencyCheck`). elem-azar-unis/CRDT-Redis issue 2, a
replica is stuck, because messages that it needs were not handled when they came (`DropsWhatIsEarly`). microsoft/CCF
issue 881, a write is forwarded to the primary, and the next read of the same session is answered by a node that does
not have it; and Azure/azure-sdk-for-rust issue 4625, the token of a session is not sent with the read after its own
write (`MovesWithoutContext`). MicrosoftDocs/azure-docs issue 116666, a client that has not written has no token, and
its reads go back in time (`OnlyWritesCount`).
"""

from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    eventually_always,
    init,
    invariant,
    leads_to,
    merge,
    reachable,
    record,
    require,
    violates,
)


class Region(Ordered, size=2, prefix="r"):
    """A data centre with a copy of everything. Regions are ordered, to break ties."""


class Key(Scalarset, size=2, prefix="k"):
    """A key of the store."""


class Client(Scalarset, size=2, prefix="c"):
    """A client, with the context of what its next write depends on."""


class Update(Scalarset, size=2, prefix="u"):
    """A write, and the value that it writes."""


class Number(Nat, max=lambda: Update.size):
    """How many versions of its key a version comes after, and itself."""


@record
class Version:
    """The place of a write among those of its key: one more than the one it replaces, and the region that gave it."""

    number: Number
    region: Region


@record
class Replicate:
    """A write on its way to the other regions (`put_after`), with its nearest dependencies."""

    source: Region
    key: Key
    update: Update
    version: Version
    needs: set[Update]


@record
class Answer:
    """What a client was told: the value of a key, or that there is none."""

    key: Key
    update: Update | None


def not_later(a: Version, b: Version) -> bool:
    """The total order of versions of a key."""
    return (a.number, a.region) <= (b.number, b.region)


@merge(order=not_later)
def later(a: Version, b: Version) -> Version:
    """The version that wins: convergent handling of conflicts by a maximum."""
    return a if not_later(b, a) else b


class CausalStore(Spec):
    """COPS, with clients that can move.

    Promise: causal consistency, and convergence.
    """

    lanes = (Client, Region)

    stored: dict[Region, dict[Key, Update | None]]
    written: dict[Update, Key | None]
    version: dict[Update, Version | None]
    network: Network[Replicate] = Network(capacity=3)
    at: dict[Client, Region]
    context: dict[Client, set[Update]]
    applied: dict[Region, set[Update]]

    author: dict[Update, Client | None]
    past: dict[Update, set[Update]]
    shown: dict[Client, set[Update]]
    answer: dict[Client, Answer | None]

    @init
    def clients_live_somewhere(self, at: dict[Client, Region]) -> None:
        self.at = at

    # Clients

    def is_served(self, c: Client) -> bool:
        """Whether the client's region has all that is in its context. Without a move, it always has."""
        return all(self.has(self.at[c], u) for u in self.context[c])

    def has(self, r: Region, u: Update) -> bool:
        """Whether a region has what a client or a write depends on. This is what `dep_check` asks."""
        return u in self.applied[r]

    @action
    def get(self, c: Client, k: Key) -> None:
        require(self.is_served(c))
        found = self.stored[self.at[c]][k]
        self.answer[c] = Answer(k, found)
        if found is not None:
            self.shown[c].add(found)
            self.note_read(c, found)

    def note_read(self, c: Client, found: Update) -> None:
        """What was read, later writes depend on."""
        self.context[c].add(found)

    @action
    def put(self, c: Client, k: Key, u: Update) -> None:
        require(self.written[u] is None and self.is_served(c))
        r = self.at[c]
        version = Version(self.number(self.stored[r][k]) + 1, r)
        self.network.send(Replicate(r, k, u, version, self.dependencies(c)))
        self.stored[r][k] = u
        self.written[u] = k
        self.version[u] = version
        self.applied[r].add(u)
        self.context[c] = {u}
        self.past[u] = self.known(c)
        self.author[u] = c
        self.answer[c] = None

    def number(self, u: Update | None) -> Number:
        """The number of a value's version, 0 if there is no value."""
        version = None if u is None else self.version[u]
        return Number(0) if version is None else version.number

    def dependencies(self, c: Client) -> set[Update]:
        """What a region must have before it applies the client's next write."""
        return self.context[c]

    @action
    def move(self, c: Client, r: Region) -> None:
        require(self.at[c] != r)
        self.at[c] = r
        self.context[c] = self.taken_along(c)
        self.answer[c] = None

    def taken_along(self, c: Client) -> set[Update]:
        """The context that a client brings to another region."""
        return self.context[c]

    # Regions

    @action(fair="weak")
    def apply(self, r: Region, m: Replicate) -> None:
        require(m in self.network)
        require(r != m.source and self.may_apply(r, m))
        self.network.receive(m)
        self.applied[r].add(m.update)
        self.stored[r][m.key] = self.kept(self.stored[r][m.key], m.update)

    def may_apply(self, r: Region, m: Replicate) -> bool:
        """Whether a region has all that a write depends on."""
        return all(self.has(r, u) for u in m.needs)

    def kept(self, own: Update | None, received: Update) -> Update:
        """Which of two values of a key a region keeps."""
        return own if own is not None and self.wins(own, received) else received

    def wins(self, u: Update, other: Update) -> bool:
        """Whether the version of a value is that of another one, or later."""
        a, b = self.version[u], self.version[other]
        return a is not None and b is not None and later(a, b) == a

    # What is promised

    def known(self, c: Client) -> set[Update]:
        """The causal past of a client: what it was shown and what it wrote, and what came before those."""
        direct = self.shown[c] | {u for u in Update if self.author[u] == c}
        return {u for u in Update if u in direct or any(u in self.past[v] for v in direct)}

    def missed(self, c: Client, u: Update) -> bool:
        """Whether the last answer to a client comes before a write of the same key: it had seen that write."""
        answer = self.answer[c]
        if answer is None or answer.key != self.written[u]:
            return False
        return answer.update is None or answer.update in self.past[u]

    @invariant
    def read_your_writes(self, c: Client, u: Update) -> bool:
        """No answer misses an earlier write of its own client."""
        return self.author[u] != c or not self.missed(c, u)

    @invariant
    def monotonic_reads(self, c: Client, u: Update) -> bool:
        """No answer misses a write that its client was shown before."""
        return u not in self.shown[c] or not self.missed(c, u)

    @invariant
    def monotonic_writes(self, r: Region, u: Update, earlier: Update) -> bool:
        """A region that has a write has the earlier ones of its client."""
        return not self.lacks(r, u, earlier) or self.author[earlier] != self.author[u]

    @invariant
    def writes_follow_reads(self, r: Region, u: Update, earlier: Update) -> bool:
        """A region that has a write has what its client had been shown before."""
        return not self.lacks(r, u, earlier) or self.author[earlier] == self.author[u]

    def lacks(self, r: Region, u: Update, earlier: Update) -> bool:
        """Whether a region has a write, and not one in its causal past."""
        return u in self.applied[r] and earlier in self.past[u] and earlier not in self.applied[r]

    @invariant
    def causal(self, c: Client, u: Update) -> bool:
        """No answer misses a write in the causal past of its client."""
        return u not in self.known(c) or not self.missed(c, u)

    @invariant
    def causal_convergence(self, c: Client, u: Update) -> bool:
        """No answer is an older version than one in the causal past of its client: one order of all writes fits."""
        answer = self.answer[c]
        if answer is None or answer.update is None or answer.key != self.written[u] or u not in self.known(c):
            return True
        return self.wins(answer.update, u)

    @eventually_always
    def regions_converge(self) -> bool:
        """When writes have stopped, all regions end with the same versions."""
        return all(self.stored[a] == self.stored[b] for a in Region for b in Region)

    @leads_to
    def who_moves_is_served(self, c: Client) -> tuple[bool, bool]:
        """A region that does not yet have what a client has seen elsewhere will serve it."""
        return not self.is_served(c), self.is_served(c)

    @reachable
    def concurrent_writes_conflict(self, a: Region, b: Region, k: Key) -> bool:
        """Two regions can take a write of one key at a time, and one of them will be lost."""
        one, other = self.stored[a][k], self.stored[b][k]
        return one is not None and other is not None and one not in self.applied[b] and other not in self.applied[a]

    @reachable
    def a_write_waits(self, r: Region) -> bool:
        """A write can arrive before what it depends on."""
        return any(not self.may_apply(r, m) for m in self.network)

    @reachable
    def who_moves_has_to_wait(self, c: Client) -> bool:
        """A client can be ahead of the region that it comes to."""
        return not self.is_served(c)


class ClientsStay(CausalStore):
    """Three writes, by clients that stay where they are: COPS as it was published, which never waits for a region."""

    bounds: ClassVar[dict[str, int]] = {"Update": 3}
    omits: ClassVar[tuple[str, ...]] = ("move", "who_moves_is_served", "who_moves_has_to_wait")

    @invariant
    def nobody_waits(self, c: Client) -> bool:
        """A client is served at once: its region has all that it has seen and written."""
        return self.is_served(c)


class NoDependencyCheck(ClientsStay):
    """Regions apply each write as it arrives. Versions still decide conflicts, so regions converge.

    A client removes somebody from the readers of an album, and then adds a photograph. Another region hears of the
    photograph first, and a client there reads it, and then the old list of readers.
    """

    expect = violates("causal")
    bounds: ClassVar[dict[str, int]] = {"Update": 2}
    omits = (*ClientsStay.omits, "monotonic_writes", "writes_follow_reads", "a_write_waits")

    def may_apply(self, r: Region, m: Replicate) -> bool:
        return True


class NewerWillDo(CausalStore):
    """A dependency counts as met when the region has a newer version of its key, and need not remember what it applied.

    The newer version may be a concurrent one, which does not depend on what the older depends on. With the nearest
    dependencies only, nobody else asks for that. A client writes twice and moves: the new region has a newer version of
    what it wrote last, and nothing of what it wrote first.
    """

    expect = violates("read_your_writes")
    bounds: ClassVar[dict[str, int]] = {"Update": 3}
    omits: ClassVar[tuple[str, ...]] = ("monotonic_writes", "writes_follow_reads")

    def has(self, r: Region, u: Update) -> bool:
        key = self.written[u]
        held = None if key is None else self.stored[r][key]
        return held is not None and self.wins(held, u)


class ConfirmsOnReceipt(CausalStore):
    """A region confirms a dependency when it has received it, although it may itself be waiting for another one.

    That would do if a write named all that came before it. It names the nearest only, and relies on these being
    applied: a third write is shown because the second has arrived, which waits for the first.
    """

    expect = violates("monotonic_writes")
    bounds: ClassVar[dict[str, int]] = {"Update": 3}

    received: dict[Region, set[Update]]

    @action
    def keep_waiting(self, r: Region, m: Replicate) -> None:
        require(m in self.network)
        require(not self.may_apply(r, m))
        self.network.receive(m)
        self.received[r].add(m.update)

    def may_apply(self, r: Region, m: Replicate) -> bool:
        return all(self.has(r, u) or u in self.received[r] for u in m.needs)


class DropsWhatIsEarly(CausalStore):
    """A region takes each message once. One that comes before what it depends on is reported, and dropped.

    Nobody sees an effect without its cause. But the write is missing in this region for ever.
    """

    expect = violates("regions_converge")
    omits: ClassVar[tuple[str, ...]] = ("who_moves_is_served",)

    dropped: dict[Region, set[Update]]

    @action
    def drop(self, r: Region, m: Replicate) -> None:
        require(m in self.network)
        require(not super().may_apply(r, m))
        self.network.receive(m)
        self.dropped[r].add(m.update)

    def may_apply(self, r: Region, m: Replicate) -> bool:
        return super().may_apply(r, m) and m.update not in self.dropped[r]


class DependsOnOwnWrites(CausalStore):
    """A write depends on what its client has written, and not on what it has read.

    A client reads a question and answers it. Where the answer arrives first, it is shown without the question.
    """

    expect = violates("writes_follow_reads")

    def dependencies(self, c: Client) -> set[Update]:
        return {u for u in self.context[c] if self.author[u] == c}


class LastMessageWins(CausalStore):
    """A region keeps what arrives last. It checks dependencies, and so, it seems, needs no versions.

    That is right as long as no message is repeated. A repeated one has all its dependencies, and puts an old value back.
    """

    expect = violates("read_your_writes")
    omits: ClassVar[tuple[str, ...]] = ("causal_convergence", "regions_converge")

    def kept(self, own: Update | None, received: Update) -> Update:
        return received


class MovesWithoutContext(CausalStore):
    """A client comes to another region as a new one: its context was kept in a session of the old region.

    The new region has nothing to wait for, and answers with what it has. The client has written, was told "done", and
    reads the value before its own.
    """

    expect = violates("read_your_writes")
    omits: ClassVar[tuple[str, ...]] = ("who_moves_has_to_wait",)

    def taken_along(self, c: Client) -> set[Update]:
        nothing: set[Update] = set()
        return nothing


class OnlyWritesCount(CausalStore):
    """A client gets a token when it writes, and none when it reads.

    One that only reads has no context at all. It reads a new version in one region, and the old one in the next.
    """

    expect = violates("monotonic_reads")
    omits: ClassVar[tuple[str, ...]] = ("writes_follow_reads",)

    def note_read(self, c: Client, found: Update) -> None:
        pass
