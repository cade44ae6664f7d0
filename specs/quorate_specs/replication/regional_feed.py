"""A social feed in several regions: writes go to the user's home region, reads to the nearest one.

Each user has a *home region*, which takes all that the user writes, replies at once, and sends it to the other regions
in the background (*fan-out*). What it owes to whom is in its *outbox*, on disk; it sends again until the other region
has confirmed. A region shows a post when it has the post that this one answers, and confirms what it shows; until then
it leaves the message, which will come again. Reads are answered by the nearest region, which may be behind. So a
session is *sticky*: it reads at home until the nearest region has confirmed all that its user has written. A post
stands for whatever a user writes: an answer, a like, or the place in a film where the user has stopped watching.

*Promise*, to users: they see their own posts; no post appears before the one that it answers. To operators: with
fair replication every post appears in every region. *Not promised*: that a user who travels, or whose session has just
gone back to the nearest region, still sees all that was there before (monotonic reads): `causal_store` has contexts
for that.

Messages are lost, delayed, reordered and repeated. Fair replication means that the outbox goes on sending, and that a
message that is sent again and again arrives at some time. A region that is down is one that does nothing for a while;
outbox and posts are on disk. `feed` is what a user was shown last.

Sources: Terry et al. 1994, "Session Guarantees for Weakly Consistent Replicated Data" (read your writes); Lloyd et al.
2011, "Don't Settle for Eventual" (1: comments and what they answer); Kleppmann 2017, "Designing Data-Intensive
Applications" (5: problems with replication lag).

Shipped: mattermost/mattermost pull request 16801, a reply is read from a node that does not have the new post yet; and
firezone/firezone pull request 13450, pages read at a distant replica what they have just written (`AsPublished`).
payloadcms/payload pull request 16083, reads go to the primary for two seconds after a write, whatever the lag is
(`PinnedForSeconds`). superseriousbusiness/gotosocial issue 2460, a reply is shown as a post of its own
(`ShowsOrphans`). mastodon/mastodon pull request 27653, a reply that comes before its parent is never put into home
timelines (`DropsOrphans`).
"""

from typing import ClassVar

from quorate import (
    Network,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    leads_to,
    reachable,
    record,
    require,
    violates,
)


class Region(Scalarset, size=2, prefix="r"):
    """A data centre that shows the feed."""


class User(Scalarset, size=2, prefix="u"):
    """Somebody who reads and writes, one thing at a time."""


class Post(Scalarset, size=2, prefix="p"):
    """What a user has written."""


@record
class FanOut:
    """A post on its way from its home to another region."""

    source: Region
    target: Region
    post: Post


@record
class Confirm:
    """The source shows the post."""

    source: Region
    target: Region
    post: Post


@record
class Feed:
    """What a user was shown, and by which region."""

    source: Region
    posts: set[Post]


class RegionalFeed(Spec):
    """Home regions with outboxes, sticky sessions, and answers that wait for what they answer.

    Promise: read your writes; no answer without what it answers; every post appears everywhere.
    """

    lanes = (User, Region)

    home: dict[User, Region]
    nearest: dict[User, Region]
    author: dict[Post, User | None]
    answers: dict[Post, Post | None]
    shown: dict[Region, set[Post]]
    outbox: dict[Post, set[Region]]
    network: Network[FanOut | Confirm] = Network(lossy=True, capacity=8)
    feed: dict[User, Feed | None]

    @init
    def users_live_somewhere(self, home: dict[User, Region], nearest: dict[User, Region]) -> None:
        self.home = home
        self.nearest = nearest

    # Users

    @action
    def read(self, u: User) -> None:
        source = self.region_for(u)
        self.feed[u] = Feed(source, self.shown[source])

    def region_for(self, u: User) -> Region:
        """Who answers a user's reads: the nearest region, once it has confirmed all that the user has written."""
        return self.home[u] if self.is_behind(u) else self.nearest[u]

    def is_behind(self, u: User) -> bool:
        """Whether the region nearest to a user has not yet confirmed one of the user's own posts."""
        return any(self.author[p] == u and self.nearest[u] in self.outbox[p] for p in Post)

    @action
    def write(self, u: User, p: Post) -> None:
        require(self.author[p] is None)
        self.publish(u, p)

    @action
    def answer(self, u: User, p: Post, question: Post) -> None:
        require(self.author[p] is None and question in self.shown[self.home[u]])
        feed = self.feed[u]
        require(feed is not None and question in feed.posts)
        self.answers[p] = question
        self.publish(u, p)

    def publish(self, u: User, p: Post) -> None:
        """The home region shows a post, notes to whom it owes it, and replies."""
        home = self.home[u]
        self.author[p] = u
        self.shown[home].add(p)
        self.outbox[p] = {r for r in Region if r != home}
        self.feed[u] = None

    @action
    def travel(self, u: User, r: Region) -> None:
        require(self.nearest[u] != r)
        self.nearest[u] = r

    # Regions

    @action(fair="weak")
    def fan_out(self, h: Region, r: Region, p: Post) -> None:
        require(r in self.outbox[p] and self.is_home(h, p))
        self.network.send(FanOut(h, r, p))

    def is_home(self, r: Region, p: Post) -> bool:
        """Whether a region is the home of a post's author."""
        author = self.author[p]
        return author is not None and self.home[author] == r

    @action(fair="strong")
    def show(self, r: Region, m: FanOut) -> None:
        require(m in self.network)
        require(m.target == r and self.may_show(r, m.post))
        self.network.receive(m)
        self.shown[r].add(m.post)
        self.network.send(Confirm(r, m.source, m.post))

    def may_show(self, r: Region, p: Post) -> bool:
        """Whether a region has the post that this one answers."""
        question = self.answers[p]
        return question is None or question in self.shown[r]

    @action(fair="strong")
    def note_confirmation(self, r: Region, m: Confirm) -> None:
        require(m in self.network)
        require(m.target == r)
        self.network.receive(m)
        self.outbox[m.post].discard(m.source)

    # What is promised

    @invariant
    def read_your_writes(self, u: User, p: Post) -> bool:
        """Users are shown their own posts."""
        feed = self.feed[u]
        return feed is None or self.author[p] != u or p in feed.posts

    @invariant
    def no_answer_before_its_question(self, u: User, p: Post) -> bool:
        """Who is shown a post is shown the one that it answers."""
        feed, question = self.feed[u], self.answers[p]
        return feed is None or question is None or p not in feed.posts or question in feed.posts

    @leads_to
    def posts_appear_everywhere(self, p: Post) -> tuple[bool, bool]:
        """With fair replication, what was written is shown in every region at some time."""
        return self.author[p] is not None, all(p in self.shown[r] for r in Region)

    @leads_to
    def sessions_come_back(self, u: User) -> tuple[bool, bool]:
        """A session that reads at home is served by some nearest region again."""
        return self.is_behind(u), not self.is_behind(u)

    @reachable
    def a_session_sticks(self, u: User) -> bool:
        """A user reads at home, because the nearest region is behind."""
        return self.region_for(u) != self.nearest[u]

    @reachable
    def an_answer_waits(self, r: Region) -> bool:
        """An answer can arrive before the post that it answers."""
        return any(isinstance(m, FanOut) and m.target == r and not self.may_show(r, m.post) for m in self.network)

    @reachable
    def a_traveller_is_shown_less(self, u: User) -> bool:
        """What a user was shown, the region that would answer now need not have."""
        feed = self.feed[u]
        return feed is not None and not feed.posts <= self.shown[self.region_for(u)]

    @reachable
    def all_is_done(self) -> bool:
        """Everything can be written, be shown everywhere, and be confirmed."""
        return all(self.author[p] is not None and len(self.outbox[p]) == 0 for p in Post)


class AsPublished(RegionalFeed):
    """The article's feed: write to the home region, reply at once, read at the nearest region.

    Nobody looks at whether the one has heard from the other. Authors reload the page and do not see what they have
    just written.
    """

    expect = violates("read_your_writes")
    omits: ClassVar[tuple[str, ...]] = ("a_session_sticks",)

    def region_for(self, u: User) -> Region:
        return self.nearest[u]


class PinnedForSeconds(RegionalFeed):
    """After a write, a session reads at home for some seconds: longer than replication takes, most of the time.

    On a day when the outbox is long, the time is over first.
    """

    expect = violates("read_your_writes")

    pinned: set[User]

    def region_for(self, u: User) -> Region:
        return self.home[u] if u in self.pinned else self.nearest[u]

    def publish(self, u: User, p: Post) -> None:
        super().publish(u, p)
        self.pinned.add(u)

    @action(mark="timeout")
    def time_is_over(self, u: User) -> None:
        require(u in self.pinned)
        self.pinned.discard(u)


class ShowsOrphans(RegionalFeed):
    """A region shows each post as it arrives. If it lacks the post that this one answers, it shows the answer alone."""

    expect = violates("no_answer_before_its_question")
    omits: ClassVar[tuple[str, ...]] = ("an_answer_waits",)

    def may_show(self, r: Region, p: Post) -> bool:
        return True


class DropsOrphans(RegionalFeed):
    """An answer that comes before its question is confirmed, since it has arrived, and not shown, since it is an orphan.

    Nobody sends it again, and in this region it never appears: nor to its author, who is told that the region has it.
    """

    expect = violates("posts_appear_everywhere")
    omits: ClassVar[tuple[str, ...]] = ("read_your_writes",)

    @action
    def drop(self, r: Region, m: FanOut) -> None:
        require(m in self.network)
        require(m.target == r and not self.may_show(r, m.post))
        self.network.receive(m)
        self.network.send(Confirm(r, m.source, m.post))


class SendsOnce(RegionalFeed):
    """The home region publishes each post to the others once and keeps no outbox, as with a channel of a message broker
    that delivers to whoever listens.

    A message is lost, and the post never appears in one region. Its author, who lives there, reads at home for ever.
    """

    expect = violates("posts_appear_everywhere")
    omits: ClassVar[tuple[str, ...]] = ("fan_out", "sessions_come_back")

    def publish(self, u: User, p: Post) -> None:
        super().publish(u, p)
        for r in Region:
            if r != self.home[u]:
                self.network.send(FanOut(self.home[u], r, p))


class OutboxInMemory(RegionalFeed):
    """The post is on disk, and the list of regions that have to hear of it is not: two stores, and no transaction.

    A home region restarts between replying to its user and sending. Nobody knows any more that the other regions lack
    the post, and so its author is sent to one of them as well.
    """

    expect = violates("posts_appear_everywhere")
    omits: ClassVar[tuple[str, ...]] = ("read_your_writes",)

    @action(mark="restart")
    def restart(self, r: Region) -> None:
        for p in Post:
            if self.is_home(r, p):
                self.outbox[p] = set()
