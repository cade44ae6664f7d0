"""A replica set of a document store, as MongoDB's: a primary, its oplog, and how much a client asks to be sure of.

Clients write to the *primary*, which appends to its *oplog*. *Secondaries* pull the entries that come after their own last
one from any member that has more, and report how far they are, and in which *term*. An entry of the primary's own term
that a majority has reported is majority-committed, with all before it; the last one is the *commit point*. A secondary
that hears of no primary asks for votes, and leads in a new term if a majority has no later oplog than its own. A
member with entries that a later oplog has never had *rolls back* to where both agree.

How sure a client is depends on what it asks for. *Write concern*: `w` is how many members have the write before it is
acknowledged; `j`, whether they have it in their journals, which a restart does not take away. *Read concern*: `local` is
what the member has; `majority`, what it knows to be committed; `linearizable`, what the primary has, returned once a no-op
that it has written after looking is majority-committed, so that it was still the primary when it looked. *Read
preference*: whom a client asks.

*Promise*, to clients: with `w: majority, j: true` an acknowledged write survives every failover, and with read concern
`linearizable` reads and writes behave like those of one variable. With `majority`, no write that was read is rolled back.
*Not promised*: that a primary is one. Who has been deposed and has not heard so goes on answering, and read preference
`primary` asks those who believe to be it: with `local`, and with `majority` as well, an answer may be old.

An election is one step, as in `raft_log`. Members pull late; reports are late, lost or repeated; who restarts has its
journal and its term. Left out: the time between death and restart, in which a member does nothing; arbiters; initial sync;
retried writes and causal sessions; the no-op of a new primary, for which a client's next operation stands. Each client
writes its own name into the document, or reads it, once. Explored at bounds, and not proven for any size: the argument
is that of `raft`, and its lemmas are there. With `Term` 3 it held as well, in 1,714,841 orbits.

As it happened. `WriteConcernOne`: sboesebeck/morphium #345 (a server with MongoDB's protocol and default `w: 1` loses
acknowledged writes in a rolling restart). `AsPublished`: SERVER-17975 (stale reads with `w: majority` and read preference
`primary`, found by Jepsen; `linearizable` is the answer), pharo-nosql/voyage #152 ("this race" cannot be won by the client).
`ReadsLocal`: cuvva/cuvva-public-go #404 (a library that enforces majority writes reads `local`). `ReadsMajority`:
jepsen-io/mongodb #12 (what is promised of it, as a test). `NotJournaled`: senssei/mongo-cluster-docker #16 (since 4.0, no
replica set starts without a journal). `ReadsNearest`: clowder-framework/clowder #218.

Sources: Zhou & Mu 2021, "Fault-Tolerant Replication with Pull-Based Consensus in MongoDB" (pulling, and why a report
carries the member's term); Schultz, Avitabile & Cabral 2019, "Tunable Consistency in MongoDB" (write and read concerns);
MongoDB's manual (write concern, read concern, rollbacks during failover).
"""

from enum import Enum
from typing import Annotated, ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    holds,
    init,
    invariant,
    is_majority,
    linearizable,
    reachable,
    record,
    require,
    up_to,
    violates,
)


class Member(Scalarset, size=3, prefix="n"):
    """A server of the replica set, with a vote."""


class Client(Scalarset, size=2, prefix="c"):
    """Who writes once, or reads once. What it writes is its name."""


class Term(Nat, max=2):
    """A primary's reign."""


class Index(Nat, max=2):
    """A place in the oplog, from 1; 0 is before the first."""


class Role(Enum):
    """What a member believes to be."""

    SECONDARY = "secondary"
    PRIMARY = "primary"


class Kind(Enum):
    """What a client does."""

    NOTHING = "nothing"
    WRITE = "write"
    READ = "read"


class W(Enum):
    """How many members have a write before it is acknowledged."""

    MAJORITY = "majority"
    ONE = "1"


class ReadConcern(Enum):
    """What a read may return."""

    LINEARIZABLE = "linearizable"
    MAJORITY = "majority"
    LOCAL = "local"


class ReadPreference(Enum):
    """Whom a client asks."""

    PRIMARY = "primary"
    NEAREST = "nearest"


@record
class Entry:
    """An entry of the oplog: the write of a client, or the no-op of its read, in a primary's term."""

    term: Term
    client: Client


@record
class OpTime:
    """Where an oplog ends: the term of the last entry, and its place. Later terms are later, then later places."""

    term: Term
    index: Index


@record
class Position:
    """The member, in this term, has everything up to an entry."""

    member: Member
    term: Term
    optime: OpTime


@record
class Operation:
    """A call or a return in the history: a write of the client's name, or a read of somebody's or of nothing."""

    client: Client
    returned: bool
    write: bool
    value: Client | None


def document(value: Client | None, operation: Operation) -> tuple[bool, Client | None]:
    """The document as one variable: a write sets it, a read returns what it holds."""
    if operation.write:
        return True, operation.value
    return operation.value == value, value


class ReplicaSet(Spec):
    """Three members; `w: majority, j: true`, read concern `linearizable`, read preference `primary`."""

    w: ClassVar[W] = W.MAJORITY
    j: ClassVar[bool] = True
    read_concern: ClassVar[ReadConcern] = ReadConcern.LINEARIZABLE
    read_preference: ClassVar[ReadPreference] = ReadPreference.PRIMARY
    lanes = (Client, Member)
    coloured_by = "role"

    # Members. Terms, and oplogs up to the journaled entry, are on disk.
    role: dict[Member, Role]
    term: dict[Member, Term]
    oplog: dict[Member, Annotated[list[Entry], up_to(Index)]]
    journaled: dict[Member, Index]
    commit_point: dict[Member, Index]
    network: Network[Position]

    # Clients
    kind: dict[Client, Kind]
    found: dict[Client, Client | None]
    history: Annotated[list[Operation], up_to(4)]

    @init
    def start(self, p: Member) -> None:
        """There is a primary, and everybody knows it."""
        self.term = {m: Term(1) for m in Member}
        self.role[p] = Role.PRIMARY

    # Writes

    @action
    def write(self, c: Client, p: Member) -> None:
        require(self.kind[c] == Kind.NOTHING and self.role[p] == Role.PRIMARY)
        self.kind[c] = Kind.WRITE
        self.oplog[p].append(Entry(self.term[p], c))
        self.history.append(Operation(c, False, True, c))

    @action
    def acknowledge(self, c: Client, p: Member) -> None:
        """The primary that has taken the write has what the client asks for."""
        require(self.kind[c] == Kind.WRITE and Operation(c, True, True, c) not in self.history)
        require(self.role[p] == Role.PRIMARY and self.is_safe(p, Entry(self.term[p], c)))
        self.history.append(Operation(c, True, True, c))

    def is_safe(self, p: Member, entry: Entry) -> bool:
        """Whether the write concern is met."""
        if self.w == W.ONE:
            return entry in self.oplog[p][: self.reported(p)]
        return entry in self.oplog[p][: self.commit_point[p]]

    def reported(self, m: Member) -> Index:
        """How much a member says that it has: with `j`, what is in its journal."""
        return self.journaled[m] if self.j else Index(len(self.oplog[m]))

    # Reads

    @action
    def read(self, m: Member, c: Client) -> None:
        require(self.kind[c] == Kind.NOTHING and self.may_answer(m))
        self.kind[c] = Kind.READ
        self.history.append(Operation(c, False, False, None))
        visible = self.commit_point[m] if self.read_concern == ReadConcern.MAJORITY else Index(len(self.oplog[m]))
        writes = [entry.client for entry in self.oplog[m][:visible] if self.kind[entry.client] == Kind.WRITE]
        self.found[c] = writes[-1] if len(writes) > 0 else None
        if self.read_concern == ReadConcern.LINEARIZABLE:
            self.oplog[m].append(Entry(self.term[m], c))
        else:
            self.history.append(Operation(c, True, False, self.found[c]))

    def may_answer(self, m: Member) -> bool:
        """Whether the client asks this member: one that believes to be primary, or any."""
        return self.role[m] == Role.PRIMARY or self.read_preference == ReadPreference.NEAREST

    @action
    def confirm(self, c: Client, p: Member) -> None:
        """The no-op is majority-committed: the primary was still one when it looked."""
        require(self.kind[c] == Kind.READ and Operation(c, True, False, self.found[c]) not in self.history)
        require(self.role[p] == Role.PRIMARY)
        require(Entry(self.term[p], c) in self.oplog[p][: self.commit_point[p]])
        self.history.append(Operation(c, True, False, self.found[c]))

    # Replication

    @action
    def pull(self, s: Member, source: Member) -> None:
        """A secondary takes the next entry from a member whose oplog goes on where its own ends."""
        require(self.role[s] == Role.SECONDARY and len(self.oplog[source]) > len(self.oplog[s]))
        require(self.oplog[source][: len(self.oplog[s])] == self.oplog[s])
        self.oplog[s].append(self.oplog[source][len(self.oplog[s])])
        self.hear_of_commits(s, source)

    def hear_of_commits(self, s: Member, source: Member) -> None:
        """With the entries comes the commit point of the source."""
        self.commit_point[s] = max(self.commit_point[s], min(self.commit_point[source], Index(len(self.oplog[s]))))

    @action
    def roll_back(self, s: Member, source: Member) -> None:
        """A secondary drops its last entry if a member with a later oplog does not have it there."""
        require(self.role[s] == Role.SECONDARY and self.last(s).term < self.last(source).term)
        require(self.oplog[source][: len(self.oplog[s])] != self.oplog[s])
        self.oplog[s] = self.oplog[s][: len(self.oplog[s]) - 1]
        self.journaled[s] = min(self.journaled[s], Index(len(self.oplog[s])))

    def last(self, m: Member) -> OpTime:
        """The last entry of a member's oplog."""
        return self.optime(m, Index(len(self.oplog[m])))

    def optime(self, m: Member, i: Index) -> OpTime:
        """The entry at a place of a member's oplog."""
        return OpTime(self.oplog[m][i - 1].term, i) if i > 0 else OpTime(Term(0), Index(0))

    @action
    def journal(self, m: Member) -> None:
        require(self.journaled[m] < len(self.oplog[m]))
        self.journaled[m] = Index(len(self.oplog[m]))

    @action
    def report(self, s: Member) -> None:
        """A secondary tells the primary how far it is. Left out: what no primary of its term waits for."""
        optime = self.optime(s, self.reported(s))
        position = Position(s, self.reported_term(s, optime), optime)
        require(self.role[s] == Role.SECONDARY and optime.term == position.term and position not in self.network)
        self.network.send(position)

    def reported_term(self, s: Member, optime: OpTime) -> Term:
        """The term that the member is in: it may have voted against the primary from which its last entry is."""
        return self.term[s]

    @action
    def advance(self, p: Member, i: Index) -> None:
        """The commit point moves to an entry of the primary's own term that a majority has."""
        require(self.role[p] == Role.PRIMARY and self.commit_point[p] < i <= len(self.oplog[p]))
        require(self.oplog[p][i - 1].term == self.term[p])
        require(is_majority({m for m in Member if self.has_reported(m, p, i)}, Member))
        for position in self.network:
            if position.term == self.term[p] and position.optime.index >= i:
                self.network.receive(position)
        self.commit_point[p] = i

    def has_reported(self, m: Member, p: Member, i: Index) -> bool:
        """Whether the primary knows of a member that it has everything up to here."""
        if m == p:
            return self.reported(p) >= i
        return any(j >= i and Position(m, self.term[p], OpTime(self.term[p], j)) in self.network for j in Index)

    # Failover

    @action
    def hear(self, m: Member, other: Member) -> None:
        """A heartbeat tells of a later term. A primary steps down."""
        require(self.term[m] < self.term[other])
        self.term[m] = self.term[other]
        self.role[m] = Role.SECONDARY

    @action(mark="timeout")
    def elect(self, c: Member, voters: set[Member]) -> None:
        """A member that hears of no primary is elected by a majority whose oplogs are not later than its own."""
        require(self.role[c] == Role.SECONDARY and c in voters and is_majority(voters, Member))
        require(all(self.term[v] <= self.term[c] and not self.is_later(v, c) for v in voters))
        term = self.term[c] + 1
        for v in voters:
            self.term[v] = term
            self.role[v] = Role.SECONDARY
        self.role[c] = Role.PRIMARY

    def is_later(self, a: Member, b: Member) -> bool:
        """Whether the oplog of a member ends later than another's."""
        a_last, b_last = self.last(a), self.last(b)
        return (a_last.term, a_last.index) > (b_last.term, b_last.index)

    @action(mark="restart")
    def restart(self, m: Member) -> None:
        """A member dies and comes back with what is on its disk."""
        require(self.role[m] == Role.PRIMARY or self.journaled[m] < len(self.oplog[m]))
        self.oplog[m] = self.oplog[m][: self.journaled[m]]
        self.commit_point[m] = min(self.commit_point[m], self.journaled[m])
        self.role[m] = Role.SECONDARY

    # What is promised

    @invariant
    def acknowledged_survives(self, c: Client, p: Member) -> bool:
        """Every acknowledged write is in the oplog of the latest primary."""
        acknowledged = Operation(c, True, True, c) in self.history
        return not acknowledged or not self.is_latest(p) or self.has(p, c)

    def is_latest(self, p: Member) -> bool:
        """Whether a member is the primary of the latest term."""
        return self.role[p] == Role.PRIMARY and all(self.term[m] <= self.term[p] for m in Member)

    def has(self, m: Member, c: Client) -> bool:
        """Whether a member has the operation of a client."""
        return any(entry.client == c for entry in self.oplog[m])

    @invariant
    def atomic(self) -> bool:
        """Reads and writes are linearizable: each takes effect at one moment between its call and its return."""
        return linearizable(self.history, document, None)

    @invariant
    def read_survives(self, c: Client, p: Member) -> bool:
        """Every write that a read has returned is in the oplog of the latest primary."""
        returned = any(e.client == c and e.returned and not e.write for e in self.history)
        return not returned or not self.is_latest(p) or self.found[c] is None or self.has_found(p, c)

    def has_found(self, p: Member, c: Client) -> bool:
        """Whether a member has the write that the client has read."""
        return any(entry.client == self.found[c] for entry in self.oplog[p])

    @invariant
    def one_primary_per_term(self, a: Member, b: Member) -> bool:
        """No two members are primary in one term."""
        both = self.role[a] == Role.PRIMARY and self.role[b] == Role.PRIMARY
        return a == b or not both or self.term[a] != self.term[b]

    @invariant
    def committed_is_the_same(self, a: Member, b: Member) -> bool:
        """Oplogs agree up to the commit points that their members know."""
        end = min(self.commit_point[a], self.commit_point[b])
        return self.oplog[a][:end] == self.oplog[b][:end]

    @reachable
    def survives_a_failover(self, c: Client, p: Member) -> bool:
        """A write acknowledged by one primary can be read from the next."""
        acknowledged = Operation(c, True, True, c) in self.history
        read = any(other.value == c and other.returned and not other.write for other in self.history)
        return acknowledged and read and self.is_latest(p) and Entry(Term(1), c) in self.oplog[p] and self.term[p] > 1

    @reachable
    def two_believe(self, a: Member, b: Member) -> bool:
        """A deposed primary can go on believing that it is primary."""
        return a != b and self.role[a] == Role.PRIMARY and self.role[b] == Role.PRIMARY

    @reachable
    def will_be_rolled_back(self, s: Member, p: Member) -> bool:
        """A member can have a write that the latest primary has never had."""
        differs = len(self.oplog[s]) > 0 and self.oplog[p][: len(self.oplog[s])] != self.oplog[s]
        return self.is_latest(p) and differs and self.last(s).term < self.last(p).term

    @reachable
    def works_without_one(self, c: Client, m: Member) -> bool:
        """A write can be acknowledged that a member has not heard of."""
        return Operation(c, True, True, c) in self.history and not self.has(m, c)


class AsPublished(ReplicaSet):
    """The article's "CP" configuration: `w: majority, j: true`, read preference `primary`, and the default read concern.

    A deposed primary that has not heard of its successor still answers, from an oplog that misses what the successor has
    acknowledged. The read preference does not ask who is primary, but who believes to be.
    """

    expect = violates("atomic")
    read_concern = ReadConcern.LOCAL
    omits: ClassVar[tuple[str, ...]] = ("confirm", "read_survives")


class ReadsLocal(AsPublished):
    """The same configuration: a read returns a write that nobody but this primary has, and that is rolled back."""

    expect = violates("read_survives")
    omits = ("confirm", "atomic")


class ReadsMajority(ReplicaSet):
    """Read concern `majority`: what is read lasts. But it may be old."""

    expect = holds()
    read_concern = ReadConcern.MAJORITY
    omits: ClassVar[tuple[str, ...]] = ("confirm", "atomic")


class MajorityIsOld(ReadsMajority):
    """Read concern `majority` is not linearizable, whatever the read preference.

    A new primary has all that was committed, but does not know yet that it was: it returns what it knows. So does a deposed
    one, which will never know more. Both ask nobody.
    """

    expect = violates("atomic")
    omits = ("confirm",)


class ReadsNearest(ReadsMajority):
    """Read preference `nearest`: a secondary is behind although nobody has been deposed."""

    expect = violates("atomic")
    omits = ("confirm",)
    read_preference = ReadPreference.NEAREST


class WriteConcernOne(ReplicaSet):
    """`w: 1`: the primary acknowledges what it has. The next one has never had it, and the write is rolled back."""

    expect = violates("acknowledged_survives")
    w = W.ONE


class NotJournaled(ReplicaSet):
    """`j: false`, with `writeConcernMajorityJournalDefault: false`: members report what they have in memory.

    A majority has the write until one of it restarts. Then another majority can elect a primary without it.
    """

    expect = violates("acknowledged_survives")
    j = False


class ReportsWithoutTerm(ReplicaSet):
    """A member reports its last entry and not its own term; the primary takes the entry's term for the member's.

    A secondary may pull from the old primary after it has voted for a new one. If the old one counts it, it commits what
    the new one does not have: a vote no longer says that nobody will help the old primary.
    """

    expect = violates("acknowledged_survives")

    def reported_term(self, s: Member, optime: OpTime) -> Term:
        return optime.term
