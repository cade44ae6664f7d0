"""A distributed lock with a lease and fencing tokens, and Redlock, which has no tokens.

A lock service lends a lock for a time: a *lease*. A holder that crashes would otherwise keep it for ever. But a lease
ends by a clock that the holder may not look at: it is paused (garbage collection, a virtual machine that is moved, a
full disk), or its message to the resource is late, and when it goes on the lock is another's. So holding a lock is a
belief, and a lock cannot protect anything by itself. The *resource* can: the service numbers its leases, each request
to the resource carries the number, the *fencing token*, and the resource serves none that is older than one it has seen.

*Promise* of `LeaseLock`, to those who share the resource: mutual exclusion there, whatever clocks, pauses and the
network do. No update is lost: each holder reads a counter and writes what it read plus one. To everybody: a lock whose
holder has crashed is free again. *Not promised*: that one client at a time believes to hold the lock; that a holder can
finish before it is fenced off.

`Redlock` asks several independent stores for the same loan and takes a majority for the lock. There is no number that
grows with each holder, so safety rests on time alone: clocks that run at one rate, stores that keep what they have
lent, and a holder that acts in the moment when it looks at its clock. Each of its variants takes one of these away.

Left out: the message that asks for the lock (a lost one is a client that has not asked yet), renewal of a lease (a
longer one), and a network between clients and stores of Redlock that loses (a store that does not answer).

As it happened. `NoFencing`: HBase, as told in Kleppmann 2016, where a long garbage collection was enough; etcd-io/etcd
#11456 and #11457, found by Jepsen (updates under a lock were lost; the manual now says that locks are not locks);
bsm/redislock #93, which asks for tokens since a paused holder spoils the next one's work. `LateCheck`, `ClockJumps` and
`ForgetsLoans`: Kleppmann 2016 against Redlock, with Sanfilippo's answer; the manual of Redis, "Distributed Locks",
asks on crash recovery for restarts that are delayed by the time to live.

Sources: Gray & Cheriton 1989, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache Consistency";
Burrows 2006, "The Chubby Lock Service" (section 2.4: sequencers); Kleppmann 2016, "How to do distributed locking";
Sanfilippo 2016, "Is Redlock safe?".
"""

from enum import Enum
from typing import ClassVar, Self

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    invariant,
    is_majority,
    leads_to,
    lemma,
    reachable,
    record,
    require,
    step,
    violates,
)


class Client(Scalarset, size=4, prefix="c"):
    """A process that wants the lock once. One that wants it again is another."""


class Token(Nat, max=4):
    """The number of a lease, and so a count of leases; 0 is before the first."""


class Phase(Enum):
    """What a client is at."""

    IDLE = "idle"
    WAITING = "waiting"
    HOLDING = "holding"
    READING = "reading"
    READ = "has read"
    DONE = "done"
    CRASHED = "crashed"


@record
class Granted:
    """The lock is yours, under this number."""

    client: Client
    token: Token


@record
class Read:
    """What does the counter show?"""

    client: Client
    token: Token


@record
class Shows:
    """The counter showed this to the holder of the token."""

    client: Client
    token: Token
    value: Token


@record
class Write:
    """Set the counter to this."""

    client: Client
    token: Token
    value: Token


@record
class Release:
    """I have done what I wanted under this number."""

    client: Client
    token: Token


class LeaseLock(Spec):
    """Leases with fencing tokens, which the resource compares with the highest that it has seen.

    Promise: the resource serves holders one after the other, and loses no update, whatever happens to time.
    """

    lanes = ("lock service", Client, "resource")
    coloured_by = "phase"

    waiting: set[Client]
    holder: Client | None
    issued: Token
    phase: dict[Client, Phase]
    token: dict[Client, Token]
    found: dict[Client, Token]
    seen: Token
    last_served: Token
    value: Token
    updates: set[Token]
    network: Network[Granted | Read | Shows | Write | Release]

    # The lock service

    @action(lane="lock service")
    def grant(self, c: Client) -> None:
        require(self.holder is None and c in self.waiting)
        self.waiting.discard(c)
        self.issued += 1
        self.holder = c
        self.network.send(Granted(c, self.issued))

    @action(lane="lock service", mark="timeout", fair="weak")
    def expire(self) -> None:
        require(self.holder is not None)
        self.holder = None

    @action(lane="lock service")
    def take_back(self, m: Release) -> None:
        require(m in self.network)
        require(self.holder == m.client and self.issued == m.token)
        self.network.receive(m)
        self.holder = None

    @action(lane="lock service", mark="restart")
    def restart_service(self) -> None:
        """The service comes back without its leases, which are in memory; it may lend the lock at once."""
        require(self.issued > 0)
        self.holder = None
        self.issued = self.recovered(self.issued)

    def recovered(self, issued: Token) -> Token:
        """What the service finds on its disk: it has forced each number to it before it spoke of it."""
        return issued

    # The clients

    @action
    def ask(self, c: Client) -> None:
        require(self.phase[c] == Phase.IDLE)
        self.phase[c] = Phase.WAITING
        self.waiting.add(c)

    @action
    def obtain(self, m: Granted) -> None:
        require(m in self.network)
        require(self.phase[m.client] == Phase.WAITING and self.token[m.client] == 0)
        self.network.receive(m)
        self.phase[m.client] = Phase.HOLDING
        self.token[m.client] = m.token

    @action
    def read(self, c: Client) -> None:
        require(self.phase[c] == Phase.HOLDING)
        self.phase[c] = Phase.READING
        self.network.send(Read(c, self.token[c]))

    @action
    def learn(self, m: Shows) -> None:
        require(m in self.network)
        require(self.phase[m.client] == Phase.READING and self.token[m.client] == m.token)
        self.network.receive(m)
        self.phase[m.client] = Phase.READ
        self.found[m.client] = m.value

    @action
    def write(self, c: Client) -> None:
        """Any time may have passed since the lock was obtained: the client cannot know."""
        require(self.phase[c] == Phase.READ)
        self.phase[c] = Phase.DONE
        self.network.send(Write(c, self.token[c], Token(self.found[c] + 1)))
        self.network.send(Release(c, self.token[c]))

    @action(mark="crash")
    def crash(self, c: Client) -> None:
        require(self.phase[c] != Phase.DONE and self.phase[c] != Phase.CRASHED)
        self.phase[c] = Phase.CRASHED

    # The resource

    @action(lane="resource")
    def serve_read(self, m: Read) -> None:
        require(m in self.network)
        require(self.is_current(m.token))
        require(Shows(m.client, m.token, self.value) not in self.network)
        self.network.receive(m)
        self.see_at_read(m.token)
        self.last_served = m.token
        self.network.send(Shows(m.client, m.token, self.value))

    @action(lane="resource")
    def serve_write(self, m: Write) -> None:
        require(m in self.network)
        require(self.is_current(m.token))
        self.network.receive(m)
        self.seen = m.token
        self.last_served = m.token
        self.value = m.value
        self.updates.add(m.token)

    def is_current(self, token: Token) -> bool:
        """Whether the resource serves a holder: not if it has seen a later one."""
        return token >= self.seen

    def see_at_read(self, token: Token) -> None:
        """The resource learns of a holder from its first request, be it only a read."""
        self.seen = token

    # What is promised

    @step
    def mutual_exclusion(self, old: Self) -> bool:
        """Once the resource has served a holder, it serves none that held the lock before."""
        return old.last_served <= self.last_served

    @invariant
    def no_update_is_lost(self) -> bool:
        """The counter shows the number of leases under which it was increased."""
        return self.value == len(self.updates)

    @invariant
    def tokens_are_unique(self, a: Client, b: Client) -> bool:
        """No two clients are given the same number."""
        return a == b or self.token[a] != self.token[b] or self.token[a] == 0

    @leads_to
    def crashed_holder_loses_the_lock(self, c: Client) -> tuple[bool, bool]:
        """A lock whose holder has crashed is free at last."""
        return self.holder == c and self.phase[c] == Phase.CRASHED, self.holder != c

    # Why it is so

    @lemma
    def served_is_seen(self) -> bool:
        """Whom the resource has served, it has seen."""
        return self.last_served <= self.seen

    @lemma
    def granted_were_issued(self, m: Granted) -> bool:
        """The service remembers every number that it has given out."""
        return m not in self.network or 0 < m.token <= self.issued

    @lemma
    def granted_to_one(self, m: Granted, n: Granted) -> bool:
        """A number is given to one client."""
        both = m in self.network and n in self.network
        return not both or m.token != n.token or m.client == n.client

    @lemma
    def held_were_granted(self, c: Client) -> bool:
        """A client's number was given to it."""
        return self.token[c] == 0 or Granted(c, self.token[c]) in self.network

    @reachable
    def two_believe_to_hold_the_lock(self, a: Client, b: Client) -> bool:
        """A client that is paused can go on believing that it holds a lock which another has obtained since."""
        return a != b and self.phase[a] == Phase.HOLDING and self.phase[b] == Phase.HOLDING

    @reachable
    def late_write_is_refused(self, m: Write) -> bool:
        """A write can come after a later holder's first request."""
        return m in self.network and m.token < self.seen and m.token not in self.updates

    @reachable
    def lock_changes_hands(self) -> bool:
        """Two holders can increase the counter one after the other."""
        return self.value == 2


class NoFencing(LeaseLock):
    """The resource does not look at tokens: whoever got the lock is trusted to have it still.

    A client is paused after it got the lock, the lease ends, the next holder begins its work, and the first goes on
    with its own. A longer lease makes it rarer; no length makes it impossible.
    """

    expect = violates("mutual_exclusion")
    bounds: ClassVar[dict[str, int]] = {"Client": 2, "Token": 2}

    def is_current(self, token: Token) -> bool:
        return True


class FencesWritesOnly(LeaseLock):
    """Only writes carry the token to the resource; reads are served to anybody, since they change nothing.

    The second holder reads. The resource has not heard of its token, so the late write of the first is still served,
    and the second overwrites it with what it made of its older reading. A token protects what happens after the
    resource has seen it: it belongs on the first request of a holder, whatever that asks.
    """

    expect = violates("no_update_is_lost")
    bounds: ClassVar[dict[str, int]] = {"Client": 2, "Token": 2}
    omits: ClassVar[tuple[str, ...]] = ("mutual_exclusion", "served_is_seen")

    def see_at_read(self, token: Token) -> None:
        pass


class NoLease(LeaseLock):
    """The lock is lent without a time: what is not given back stays lent.

    A holder that crashes keeps the lock, and nobody else will ever get it, unless an operator decides that it is dead:
    which is a lease with a very slow clock.
    """

    expect = violates("crashed_holder_loses_the_lock")
    bounds: ClassVar[dict[str, int]] = {"Client": 2, "Token": 2}
    omits: ClassVar[tuple[str, ...]] = (
        "expire",
        "restart_service",
        "two_believe_to_hold_the_lock",
        "late_write_is_refused",
    )


class TokensInMemory(LeaseLock):
    """The service counts tokens in memory, as a counter in a store without a log does, and begins again at a restart.

    Two clients get the same number. The resource cannot tell one from the other, and serves both.
    """

    expect = violates("tokens_are_unique")
    bounds: ClassVar[dict[str, int]] = {"Client": 2, "Token": 2}
    omits: ClassVar[tuple[str, ...]] = ("granted_were_issued", "granted_to_one")

    def recovered(self, issued: Token) -> Token:
        return Token(0)


class Store(Scalarset, size=3, prefix="s"):
    """An independent store that lends."""


class Time(Nat, max=3):
    """What an exact clock shows."""


class Stage(Enum):
    """What a client of Redlock is at."""

    IDLE = "idle"
    COLLECTING = "collecting"
    HOLDING = "holding"
    READ = "has read"
    DONE = "done"


@record
class Lent:
    """The store has lent to the client, for the attempt that it began at this time."""

    store: Store
    client: Client
    since: Time


class Redlock(Spec):
    """Redlock over independent stores: who has borrowed from a majority has the lock, until the first loan may end.

    Promise, as far as time can give one: mutual exclusion, if all clocks run at one rate and never jump, a store that
    restarts lends nothing for the length of a loan, and a holder's look at its clock and its access to the resource are
    one moment.
    """

    lanes = ("time", Client, Store)
    coloured_by = "stage"
    bounds: ClassVar[dict[str, int]] = {"Client": 2, "Token": 2}
    loan: ClassVar[int] = 2

    now: Time
    stage: dict[Client, Stage]
    since: dict[Client, Time]
    lent_to: dict[Store, Client | None]
    until: dict[Store, Time]
    silent_until: dict[Store, Time]
    replies: Network[Lent]
    found: dict[Client, Token]
    value: Token
    updates: Token

    @action(lane="time")
    def tick(self) -> None:
        """All clocks advance."""
        self.now += 1

    # The clients

    @action
    def begin(self, c: Client) -> None:
        """The client notes the time before it asks, so that it counts a loan as no longer than it is."""
        require(self.stage[c] == Stage.IDLE)
        self.stage[c] = Stage.COLLECTING
        self.since[c] = self.now

    @action
    def enter(self, c: Client) -> None:
        require(self.stage[c] == Stage.COLLECTING and self.is_valid(c))
        lenders = {s for s in Store if Lent(s, c, self.since[c]) in self.replies}
        require(is_majority(lenders, Store))
        for s in Store:
            if Lent(s, c, self.since[c]) in self.replies:
                self.replies.receive(Lent(s, c, self.since[c]))
        self.stage[c] = Stage.HOLDING

    @action
    def give_up(self, c: Client) -> None:
        """Too late, or too few stores: the client gives back what it has, and may try again."""
        require(self.stage[c] == Stage.COLLECTING and not self.is_valid(c))
        self.stage[c] = Stage.IDLE
        self.give_back(c)

    @action
    def read(self, c: Client) -> None:
        require(self.stage[c] == Stage.HOLDING and self.may_act(c))
        self.stage[c] = Stage.READ
        self.found[c] = self.value

    @action
    def write(self, c: Client) -> None:
        require(self.stage[c] == Stage.READ and self.may_act(c))
        self.stage[c] = Stage.DONE
        self.value = Token(self.found[c] + 1)
        self.updates += 1
        self.give_back(c)

    def is_valid(self, c: Client) -> bool:
        """Whether no loan of the client's attempt can have ended, by its own clock."""
        return self.now < self.since[c] + self.loan

    def may_act(self, c: Client) -> bool:
        """Whether a holder goes on: it looks at its clock before each access."""
        return self.is_valid(c)

    def give_back(self, c: Client) -> None:
        """Each store deletes the loan, if it is still this client's."""
        for s in Store:
            if self.lent_to[s] == c:
                self.lent_to[s] = None

    # The stores

    @action
    def lend(self, s: Store, c: Client) -> None:
        require(self.stage[c] == Stage.COLLECTING and self.silent_until[s] <= self.now)
        require(self.lent_to[s] is None or self.until[s] <= self.now)
        self.lent_to[s] = c
        self.until[s] = Time(self.now + self.loan)
        self.replies.send(Lent(s, c, self.since[c]))

    @action(mark="restart")
    def restart(self, s: Store) -> None:
        """Loans are in memory: after a restart the store does not know what it has lent."""
        require(self.lent_to[s] is not None and self.until[s] > self.now)
        self.lent_to[s] = None
        self.silent_until[s] = self.back_at()

    def back_at(self) -> Time:
        """When a store that restarts lends again: after everything that it may have lent has ended."""
        return Time(self.now + self.loan)

    # What is promised

    @invariant
    def mutual_exclusion(self, a: Client, b: Client) -> bool:
        """No two clients hold the lock at the same time."""
        return a == b or not (self.holds(a) and self.holds(b))

    def holds(self, c: Client) -> bool:
        """Whether a client has the lock and is right to go on."""
        return (self.stage[c] == Stage.HOLDING or self.stage[c] == Stage.READ) and self.is_valid(c)

    @invariant
    def no_update_is_lost(self) -> bool:
        """The counter shows how often it was increased."""
        return self.value == self.updates

    @reachable
    def lock_changes_hands(self) -> bool:
        """Both clients can increase the counter."""
        return self.value == 2

    @reachable
    def holds_after_a_restart(self, c: Client, s: Store) -> bool:
        """A client can hold the lock while a store has forgotten its loan and keeps silent."""
        return self.holds(c) and self.silent_until[s] > self.now


class LateCheck(Redlock):
    """The client looks at its clock once, when it has got the lock, and then does its work, as code that uses a lock does.

    A pause between the look and the write, or a message that is late, is a write after the lock has passed to another.
    There is no token by which the resource could tell.
    """

    expect = violates("no_update_is_lost")
    bounds: ClassVar[dict[str, int]] = {**Redlock.bounds, "Time": 4}

    def may_act(self, c: Client) -> bool:
        return True


class ForgetsLoans(Redlock):
    """A store restarts and lends again at once, although its loans were in memory only.

    One store of the majority is enough: it lends the same thing twice, and two majorities meet only in it.
    """

    expect = violates("mutual_exclusion")

    def back_at(self) -> Time:
        return self.now


class ClockJumps(Redlock):
    """A store's wall clock is set forward, by an administrator or by a correction over the network.

    What it has lent has ended, by its own clock, while the holder's clock says otherwise. A monotonic clock does not
    jump; wall clocks do, and Redis used the wall clock for expiry.
    """

    expect = violates("mutual_exclusion")

    @action(mark="timeout")
    def jump(self, s: Store) -> None:
        """The clock passes the end of the loan."""
        require(self.lent_to[s] is not None and self.until[s] > self.now)
        self.until[s] = self.now
