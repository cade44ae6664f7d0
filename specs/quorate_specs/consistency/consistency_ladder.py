"""The ladder of consistency: strong, sequential, causal, the session guarantees, eventual, weak; one store for each rung.

The object is a feed. Clients post, and a read shows the posts that a replica has. That is more telling than a register: what a
read shows is all that the replica has performed, so each level can be asked of the answers alone. Each rung is the store
below this text with one condition less, and breaks the level above it, and with it only what is still higher:

    rung                     a replica takes a post when       a client reads where            breaks
    ConsistencyLadder        it has all earlier posts          all posts are                   -
    Sequential               it has all earlier posts          what it knows is                linearizability
    Causal                   it has what the author knew       what it knows is                sequential consistency
    NoReadYourWrites         it has what the author knew       what it was shown is            read your writes
    NoMonotonicReads         it has what the author knew       its own posts are               monotonic reads
    NoMonotonicWrites        it has what the author was shown  what it knows is                monotonic writes
    NoWritesFollowReads      it has the author's earlier posts what it knows is                writes follow reads
    Eventual                 it comes                          it likes                        causal consistency
    Weak                     it comes, if it is not lost       it likes                        convergence

What a client knows is what it has posted and what it was shown.

*Promise*, to clients: the level of the rung, and all below it. *Not promised*: anything above; each arrow of the ladder goes down
only. The four session guarantees do not imply each other, and all four together are causal consistency. The levels are those of
`quorate history`: the tests judge every history that any rung can have, and every small history there is, by both. A client asks
for one thing at a time and is answered at once, so that real time orders all operations here.

As it happened. `Sequential`: etcd-io/etcd #741 and hashicorp/consul #54 (reads of a leader that is none any more).
`NoReadYourWrites`: pgdogdev/pgdog #912 and multigres/multigres #21 (who saves and reloads from a replica finds nothing).
`NoMonotonicReads`: emqx/mria #2, scylladb/scylladb #20458, lancedb/lancedb #3597. `NoMonotonicWrites` and
`NoWritesFollowReads`: mastodon/mastodon #27653 (replies, also to oneself, that come before what they answer) and
bluesky-social/social-app #5048. `Weak`: nannou-org/gantz #353, fabriziosalmi/zion #88 and Willow7737/omnia-protocol #315 (an
update that was missed is missed for ever, since nobody compares).

Sources: Herlihy & Wing 1990 (linearizability); Lamport 1979 (sequential consistency); Terry et al. 1994, "Session Guarantees
for Weakly Consistent Replicated Data"; Ahamad et al. 1995 and Perrin, Mostefaoui & Jard 2016 (causal consistency); Brzezinski,
Sobaniec & Wawrzyniak 2004, "From Session Causality to Causal Consistency" (the four guarantees together).
"""

from enum import Enum
from typing import Annotated, ClassVar

from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    eventually_always,
    invariant,
    lemma,
    linearizable,
    reachable,
    record,
    replace,
    require,
    up_to,
    violates,
)


class Client(Scalarset, size=3, prefix="c"):
    """Somebody who posts and reads."""


class Replica(Scalarset, size=3, prefix="r"):
    """A copy of the feed."""


class Turn(Nat, max=4):
    """The number of an operation, and of the post that it makes."""


class Length(Nat, max=lambda: Turn.bound + 1):
    """A number of operations."""


class Kind(Enum):
    """What a client does."""

    POST = "post"
    READ = "read"


@record
class Operation:
    """An operation, or its call. `client`: its number; `session`: whose it is; `shown`: the posts that a read returned."""

    client: Turn
    returned: bool
    session: Client
    kind: Kind
    shown: set[Turn]


@record
class Feed:
    """The sequential feed: what was posted; and the operations that were done, for those that ask for their order."""

    posts: set[Turn]
    done: set[Turn]


class ConsistencyLadder(Spec):
    """The top of the ladder: posts are replicated in one order, and a read waits until its replica has all of them.

    Promise: linearizability, and so every other level.
    """

    lanes = (Client, Replica)

    history: Annotated[list[Operation], up_to(Length)]
    has: dict[Replica, set[Turn]]

    # Clients

    @action
    def post(self, c: Client) -> None:
        require(len(self.history) <= Turn.bound)
        self.history.append(Operation(Turn(len(self.history)), True, c, Kind.POST, set()))

    @action
    def read(self, c: Client, r: Replica) -> None:
        require(len(self.history) <= Turn.bound)
        require(self.may_read(c, r))
        self.history.append(Operation(Turn(len(self.history)), True, c, Kind.READ, self.has[r]))

    def may_read(self, c: Client, r: Replica) -> bool:
        """Whether the replica answers the client; if not, the client waits, or asks another one."""
        return self.has[r] == self.posts()

    def posts(self) -> set[Turn]:
        """All posts."""
        return {o.client for o in self.history if o.kind == Kind.POST}

    # Replication

    @action(fair="weak")
    def deliver(self, r: Replica, p: Turn) -> None:
        """A post arrives at a replica."""
        require(p in self.posts() and p not in self.has[r])
        require(self.may_deliver(r, p))
        self.has[r].add(p)

    def may_deliver(self, r: Replica, p: Turn) -> bool:
        """Whether the replica takes the post, or lets it wait."""
        return {q for q in self.posts() if q < p} <= self.has[r]

    # What clients know

    def posted(self, c: Client, k: int) -> set[Turn]:
        """What a client had posted before operation k."""
        return {o.client for o in self.history[:k] if o.session == c and o.kind == Kind.POST}

    def was_shown(self, c: Client, k: int) -> set[Turn]:
        """What a client had been shown before operation k."""
        return {p for p in Turn if any(p in o.shown for o in self.history[:k] if o.session == c)}

    # The levels

    @invariant
    def is_linearizable(self) -> bool:
        """Strong: one order of all operations that keeps real time explains all answers."""
        events = [replace(self.history[i // 2], returned=i % 2 == 1) for i in range(2 * len(self.history))]
        return linearizable(events, in_any_order, Feed(set(), set()))

    @invariant
    def is_sequential(self) -> bool:
        """One order of all operations that keeps the order of each client explains all answers."""
        calls = [replace(o, returned=False) for o in self.history]
        return linearizable(calls + self.history, self.in_session_order, Feed(set(), set()))

    def in_session_order(self, feed: Feed, o: Operation) -> tuple[bool, Feed]:
        """The sequential feed, for whoever does one thing after another."""
        earlier = {e.client for e in self.history if e.session == o.session and e.client < o.client}
        right, after = in_any_order(feed, o)
        return right and earlier <= feed.done, Feed(after.posts, feed.done | {o.client})

    @invariant
    def is_causal(self, k: Turn) -> bool:
        """A read shows its causal past: what its client knew, and for each post what its author knew."""
        return not self.is_read(k) or (
            self.knew(k) <= self.history[k].shown
            and all(self.knew(p) <= self.history[k].shown for p in self.history[k].shown)
        )

    def is_read(self, k: Turn) -> bool:
        """Whether operation k is a read."""
        return k < len(self.history) and self.history[k].kind == Kind.READ

    def knew(self, k: Turn) -> set[Turn]:
        """What the client of operation k had posted and had been shown before."""
        c = self.history[k].session
        return self.posted(c, k) | self.was_shown(c, k)

    @invariant
    def reads_its_writes(self, k: Turn) -> bool:
        """A read shows all that its client has posted."""
        return not self.is_read(k) or self.posted(self.history[k].session, k) <= self.history[k].shown

    @invariant
    def reads_are_monotonic(self, k: Turn) -> bool:
        """A read shows all that its client was shown before."""
        return not self.is_read(k) or self.was_shown(self.history[k].session, k) <= self.history[k].shown

    @invariant
    def writes_are_monotonic(self, k: Turn, p: Turn) -> bool:
        """Who is shown a post is shown what its author had posted before."""
        shown = self.is_read(k) and p in self.history[k].shown
        return not shown or self.posted(self.history[p].session, p) <= self.history[k].shown

    @invariant
    def writes_follow_reads(self, k: Turn, p: Turn) -> bool:
        """Who is shown a post is shown what its author had been shown before."""
        shown = self.is_read(k) and p in self.history[k].shown
        return not shown or self.was_shown(self.history[p].session, p) <= self.history[k].shown

    @eventually_always
    def converges(self, r: Replica) -> bool:
        """When nobody posts any more, all replicas have all posts at last: eventual consistency."""
        return self.has[r] == self.posts()

    # Why it is so

    @lemma
    def only_posts_are_shown(self, r: Replica, k: Turn) -> bool:
        """Replicas have, and show, what was posted before."""
        shown = k >= len(self.history) or all(p < k for p in self.history[k].shown)
        return shown and self.has[r] <= self.posts()

    @reachable
    def one_is_shown_what_another_posted(self, a: Client, b: Client) -> bool:
        """A post of one client can be read by another one, who then posts."""
        return len(self.history) > 2 and (
            self.history[0].session == a
            and self.history[1].session == b != a
            and 0 in self.history[1].shown
            and self.history[2].session == b
            and self.history[2].kind == Kind.POST
        )


def in_any_order(feed: Feed, o: Operation) -> tuple[bool, Feed]:
    """The sequential feed: a read shows all posts."""
    if o.kind == Kind.POST:
        return True, Feed(feed.posts | {o.client}, feed.done)
    return o.shown == feed.posts, feed


class Sequential(ConsistencyLadder):
    """A read waits for what its client knows, and not for the rest: any replica that is so far answers.

    It is the order of the posts that all agree on, and each client sees it pass, later than others. Who is told of a post by
    telephone looks, and does not find it.
    """

    expect = violates("is_linearizable")
    bounds: ClassVar[dict[str, int]] = {"Replica": 2, "Turn": 3}

    def may_read(self, c: Client, r: Replica) -> bool:
        return self.known(c) <= self.has[r]

    def known(self, c: Client) -> set[Turn]:
        """What a client has to be shown: what it knows."""
        return self.posted(c, len(self.history)) | self.was_shown(c, len(self.history))


class Causal(Sequential):
    """A replica takes a post when it has what the author knew, and does not wait for posts that have nothing to do with it.

    Nobody is in charge of an order any more, so posts are taken in any part of the world. Two that do not know of each other arrive in
    different orders, and two readers see each one without the other.
    """

    expect = violates("is_sequential")
    omits: ClassVar[tuple[str, ...]] = ("is_linearizable",)

    def may_deliver(self, r: Replica, p: Turn) -> bool:
        return self.needed(p) <= self.has[r]

    def needed(self, p: Turn) -> set[Turn]:
        """What a post depends on: what its author knew."""
        return self.knew(p)


class NoReadYourWrites(Causal):
    """A client remembers what it was shown, and not what it has posted. It posts, reloads, and its post is gone."""

    expect = violates("reads_its_writes")
    omits = (*Causal.omits, "is_sequential", "is_causal")

    def known(self, c: Client) -> set[Turn]:
        return self.was_shown(c, len(self.history))


class NoMonotonicReads(Causal):
    """A client remembers what it has posted, and not what it was shown. The next replica is behind, and time runs backwards."""

    expect = violates("reads_are_monotonic")
    omits = (*Causal.omits, "is_sequential", "is_causal")

    def known(self, c: Client) -> set[Turn]:
        return self.posted(c, len(self.history))


class NoMonotonicWrites(Causal):
    """A post depends on what its author was shown, and not on the author's own. The second part arrives before the first."""

    expect = violates("writes_are_monotonic")
    omits = (*Causal.omits, "is_sequential", "is_causal")

    def needed(self, p: Turn) -> set[Turn]:
        return self.was_shown(self.history[p].session, p)


class NoWritesFollowReads(Causal):
    """A post depends on its author's own posts, and not on what the author was shown. The answer arrives before the question."""

    expect = violates("writes_follow_reads")
    omits = (*Causal.omits, "is_sequential", "is_causal")

    def needed(self, p: Turn) -> set[Turn]:
        return self.posted(self.history[p].session, p)


class Eventual(Causal):
    """A replica takes what comes and answers whoever asks: that all posts arrive at last is all there is."""

    expect = violates("is_causal")
    omits = (
        *Causal.omits,
        "is_sequential",
        "reads_its_writes",
        "reads_are_monotonic",
        "writes_are_monotonic",
        "writes_follow_reads",
    )

    def may_read(self, c: Client, r: Replica) -> bool:
        return True

    def may_deliver(self, r: Replica, p: Turn) -> bool:
        return True


class Weak(Eventual):
    """A post is sent to each replica once, and nobody looks whether it has arrived. There are replicas that never have it."""

    expect = violates("converges")
    omits = (*Eventual.omits, "is_causal")

    lost: dict[Replica, set[Turn]]

    @action(mark="loss")
    def lose(self, r: Replica, p: Turn) -> None:
        """The message with the post is lost on its way to a replica."""
        require(p in self.posts() and p not in self.has[r] | self.lost[r])
        self.lost[r].add(p)

    def may_deliver(self, r: Replica, p: Turn) -> bool:
        return p not in self.lost[r]
