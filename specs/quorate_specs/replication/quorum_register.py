"""A register replicated by quorums: R replicas are asked, W must have stored, N there are.

One writer gives each value it writes the next version number and sends it to all replicas; the write is complete when
W of them have stored it. A reader asks all replicas, waits for R answers and takes the highest version among them. If
R + W > N any two such groups have a replica in common, so a read meets every completed write. That makes the register
*regular*. It is *atomic* (linearizable) if a reader, before it returns, writes what it found back to W replicas:
otherwise a first reader can return a value that a second reader, later, does not find.

*Promise*, to the clients: reads and writes behave like those of one variable (atomicity), and replicas never go back
to an older version. Any minority of the replicas may be silent. `read_quorum` and `write_quorum` are parameters; of
three replicas, Cassandra's levels are ONE = 1, TWO = QUORUM = 2, ALL = 3.

The network delays, reorders and duplicates requests; one that no replica ever handles is lost. A version stands for
its value. Each reader reads once: linearizability does not ask whether two reads are of one client, so a client that
reads twice is two readers.

Sources: Attiya, Bar-Noy & Dolev 1995, "Sharing Memory Robustly in Message-Passing Systems" (the register and the
write-back of its readers); Gifford 1979, "Weighted Voting for Replicated Data" (R + W > N); Lamport 1986, "On
Interprocess Communication" (regular and atomic); DeCandia et al. 2007, "Dynamo" (sections 4.5 and 4.6: sloppy
quorums, hinted handoff).
"""

from enum import Enum
from typing import Annotated, ClassVar, Self

from quorate import (
    Bag,
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    holds,
    invariant,
    is_quorum,
    lemma,
    linearizable,
    reachable,
    record,
    require,
    step,
    up_to,
    violates,
)


class Replica(Scalarset, size=3, prefix="s"):
    """A server with a copy of the register."""


class Reader(Scalarset, size=2, prefix="r"):
    """A client that reads once."""


class Writer(Enum):
    """The client that writes; there is one."""

    WRITER = "writer"


class Version(Nat, max=1):
    """The number of a write, and so of the value it writes; 0 is the initial value."""


class Phase(Enum):
    """How far a read has come."""

    IDLE = "idle"
    ASKING = "asking"
    WRITING_BACK = "writing back"
    DONE = "done"


@record
class Store:
    """Store this version unless you have a newer one. `by` is the writer, or a reader that writes back."""

    version: Version
    by: Reader | Writer


@record
class Stored:
    """The replica has stored this version or has a newer one."""

    replica: Replica
    version: Version
    by: Reader | Writer


@record
class Query:
    """Which version do you have?"""

    reader: Reader


@record
class Answer:
    """The replica had this version when it was asked."""

    replica: Replica
    reader: Reader
    version: Version


@record
class Operation:
    """A call or a return in the history: of a read by a reader, or of a write by the writer."""

    client: Reader | Writer
    returned: bool
    version: Version


def register(value: Version, operation: Operation) -> tuple[bool, Version]:
    """The sequential register: a write sets it, a read returns what it holds."""
    if operation.client == Writer.WRITER:
        return True, operation.version
    return operation.version == value, value


class QuorumRegister(Spec):
    """The register of Attiya, Bar-Noy & Dolev 1995: majorities write, majorities read, and readers write back.

    Promise: atomicity, as long as read and write quorums meet (R + W > N).
    """

    read_quorum: ClassVar[int] = 2
    write_quorum: ClassVar[int] = 2
    lanes = ("writer", Reader, Replica)

    stored: dict[Replica, Version]
    writing: Version
    written: Version
    phase: dict[Reader, Phase]
    floor: dict[Reader, Version]
    newest: dict[Reader, Version]
    found: dict[Reader, Version]
    requests: Network[Store | Query]
    replies: Bag[Stored | Answer] = Bag(capacity=16)
    history: Annotated[list[Operation], up_to(8)]

    # The writer

    @action(lane="writer")
    def write(self) -> None:
        require(self.writing == self.written)
        self.writing += 1
        self.requests.send(Store(self.writing, Writer.WRITER))
        self.history.append(Operation(Writer.WRITER, False, self.writing))

    @action(lane="writer")
    def complete_write(self) -> None:
        require(self.writing > self.written and self.has_stored(self.writing, Writer.WRITER))
        self.collect_confirmations(self.writing, Writer.WRITER)
        self.written = self.writing
        self.history.append(Operation(Writer.WRITER, True, self.writing))

    def has_stored(self, version: Version, by: Reader | Writer) -> bool:
        """Whether a write quorum has confirmed the version to the writer, or to the reader that writes back."""
        confirmed = {s for s in Replica if Stored(s, version, by) in self.replies}
        return is_quorum(confirmed, self.write_quorum, Replica)

    def collect_confirmations(self, version: Version, by: Reader | Writer) -> None:
        """Take all of them off the wire."""
        for s in Replica:
            if Stored(s, version, by) in self.replies:
                self.replies.receive(Stored(s, version, by))

    # The replicas

    @action
    def store(self, s: Replica, m: Store) -> None:
        require(m in self.requests)
        if self.awaits(m):
            require(Stored(s, m.version, m.by) not in self.replies)
            self.replies.send(Stored(s, m.version, m.by))
        else:
            # Left out: a confirmation that comes too late, which changes nothing.
            require(self.kept(self.stored[s], m.version) != self.stored[s])
        self.requests.receive(m)
        self.stored[s] = self.kept(self.stored[s], m.version)

    def kept(self, own: Version, received: Version) -> Version:
        """Which of two versions a replica keeps: the newer one, since messages arrive in any order."""
        return max(own, received)

    def awaits(self, m: Store) -> bool:
        """Whether the sender still waits for confirmations of this message."""
        if isinstance(m.by, Reader):
            return self.phase[m.by] == Phase.WRITING_BACK
        return self.written < m.version

    @action
    def answer(self, s: Replica, m: Query) -> None:
        require(m in self.requests)
        require(self.phase[m.reader] == Phase.ASKING)  # Left out: so does a late answer.
        require(all(Answer(s, m.reader, v) not in self.replies for v in Version))
        self.requests.receive(m)
        self.replies.send(Answer(s, m.reader, self.stored[s]))

    # The readers

    @action
    def read(self, r: Reader) -> None:
        require(self.phase[r] == Phase.IDLE)
        self.phase[r] = Phase.ASKING
        self.floor[r] = self.written
        self.newest[r] = max((self.found[q] for q in Reader if self.phase[q] == Phase.DONE), default=Version(0))
        self.requests.send(Query(r))
        self.history.append(Operation(r, False, Version(0)))

    @action
    def choose(self, r: Reader) -> None:
        require(self.phase[r] == Phase.ASKING)
        answers = {m for m in self.replies if isinstance(m, Answer) and m.reader == r}
        require(is_quorum({m.replica for m in answers}, self.read_quorum, Replica))
        for m in answers:
            self.replies.receive(m)
        self.found[r] = max(m.version for m in answers)
        self.conclude(r)

    def conclude(self, r: Reader) -> None:
        """What a reader does with the highest version it found: it makes sure that later readers find it too."""
        self.phase[r] = Phase.WRITING_BACK
        self.requests.send(Store(self.found[r], r))

    @action
    def complete_write_back(self, r: Reader) -> None:
        require(self.phase[r] == Phase.WRITING_BACK and self.has_stored(self.found[r], r))
        self.collect_confirmations(self.found[r], r)
        self.reply(r)

    def reply(self, r: Reader) -> None:
        """The read returns."""
        self.phase[r] = Phase.DONE
        self.history.append(Operation(r, True, self.found[r]))

    # What is promised

    @invariant
    def regular(self, r: Reader) -> bool:
        """A read returns the last write completed before it began, or a newer one."""
        return self.phase[r] != Phase.DONE or self.floor[r] <= self.found[r] <= self.writing

    @invariant
    def atomic(self) -> bool:
        """The reads and writes are linearizable: each takes effect at one moment between its call and its return."""
        return linearizable(self.history, register, Version(0))

    @invariant
    def no_new_old_inversion(self, r: Reader) -> bool:
        """A read returns no older version than a read that had returned before it began."""
        return self.phase[r] != Phase.DONE or self.newest[r] <= self.found[r]

    @step
    def versions_never_go_back(self, old: Self, s: Replica) -> bool:
        """A replica never replaces a version by an older one."""
        return self.stored[s] >= old.stored[s]

    # Why it is so

    @lemma
    def writes_are_sequential(self, r: Reader) -> bool:
        """At most one write is under way, and a reader has heard of nothing newer."""
        under_way = self.written <= self.writing <= self.written + 1
        return under_way and self.floor[r] <= self.written and self.found[r] <= self.writing

    @lemma
    def only_written_versions_travel(self, s: Replica, m: Store) -> bool:
        """Replicas are asked to store, and do store, only what is being written or has been."""
        return self.stored[s] <= self.writing and (m not in self.requests or m.version <= self.writing)

    @lemma
    def replies_are_true(self, m: Stored | Answer) -> bool:
        """A replica has at least the version that it confirmed or answered with."""
        return m not in self.replies or m.version <= self.stored[m.replica]

    @lemma
    def completed_writes_are_stored(self) -> bool:
        """A write quorum has the last completed write, or a newer one."""
        return self.is_stored(self.written)

    @lemma
    def returned_reads_are_stored(self, r: Reader) -> bool:
        """A write quorum has what a read has returned, or something newer: that is what writing back is for."""
        return self.phase[r] != Phase.DONE or self.is_stored(self.found[r])

    def is_stored(self, version: Version) -> bool:
        """Whether a write quorum has this version or a newer one."""
        return is_quorum({s for s in Replica if self.stored[s] >= version}, self.write_quorum, Replica)

    @lemma
    def nobody_answers_unasked(self, s: Replica, r: Reader, v: Version) -> bool:
        """Before a read begins there are no answers to it."""
        return self.phase[r] != Phase.IDLE or Answer(s, r, v) not in self.replies

    @lemma
    def completed_write_will_be_met(self, r: Reader) -> bool:
        """While a reader asks, a write quorum has what was written before, and none of it has answered before it had.

        It is the quorum that had the write when the read began. Each read quorum has one of its replicas in it.
        """
        return self.phase[r] != Phase.ASKING or self.will_be_met(r, self.floor[r])

    @lemma
    def returned_read_will_be_met(self, r: Reader) -> bool:
        """While a reader asks, a write quorum has what was read before, and none of it has answered before it had."""
        return self.phase[r] != Phase.ASKING or self.will_be_met(r, self.newest[r])

    def will_be_met(self, r: Reader, version: Version) -> bool:
        """Whether a write quorum has this version or a newer one, and has answered the reader with no older one."""
        recent = {
            s
            for s in Replica
            if self.stored[s] >= version and all(Answer(s, r, v) not in self.replies or v >= version for v in Version)
        }
        return is_quorum(recent, self.write_quorum, Replica)

    @lemma
    def found_no_older_than_writes(self, r: Reader) -> bool:
        """What a reader writes back is no older than the last write completed before it began."""
        return self.phase[r] != Phase.WRITING_BACK or self.floor[r] <= self.found[r]

    @lemma
    def found_no_older_than_reads(self, r: Reader) -> bool:
        """What a reader writes back is no older than what another had returned before it began."""
        return self.phase[r] != Phase.WRITING_BACK or self.newest[r] <= self.found[r]

    @reachable
    def reads_a_write_under_way(self, r: Reader) -> bool:
        """A read can return a write that is not complete yet."""
        return self.phase[r] == Phase.DONE and self.found[r] > self.written

    @reachable
    def reads_differ(self, a: Reader, b: Reader) -> bool:
        """Two readers can return different versions."""
        return self.phase[a] == Phase.DONE and self.phase[b] == Phase.DONE and self.found[a] != self.found[b]

    @reachable
    def works_with_a_silent_replica(self, r: Reader, s: Replica) -> bool:
        """A write and a read of it can complete while one replica never hears of them."""
        return self.phase[r] == Phase.DONE and self.found[r] == self.written > self.stored[s]


class NoWriteBack(QuorumRegister):
    """A reader returns what it found without writing it back.

    While a write is under way only some replicas have it: one reader meets them and returns the new value, and
    another, later, meets the others and returns the old value. Each read is regular, yet no order fits both: this is
    the new/old inversion.
    """

    expect = violates("atomic")
    omits: ClassVar[tuple[str, ...]] = ("complete_write_back",)

    def conclude(self, r: Reader) -> None:
        self.reply(r)


class Regular(NoWriteBack):
    """Without write-back the register is still regular: a completed write is read, and a read costs one round trip."""

    expect = holds()
    omits = (
        *NoWriteBack.omits,
        "atomic",
        "no_new_old_inversion",
        "returned_reads_are_stored",
        "returned_read_will_be_met",
        "found_no_older_than_reads",
    )


class AsPublished(NoWriteBack):
    """A configuration that the article's own checks accept: of five replicas, three store a write, two answer a read.

    The checks compare each quorum with N, and never the sum of both: R + W = 5 = N, so the two that answer can be the
    two that the write has not reached. The read then misses a write that was completed before it began.
    """

    expect = violates("regular")
    bounds: ClassVar[dict[str, int]] = {"Replica": 5, "Reader": 1}
    read_quorum = 2
    write_quorum = 3

    def accepted_by_the_article(self) -> bool:
        """The article's checks: a read quorum is at most a majority, a write quorum is a majority."""
        return self.read_quorum <= len(Replica) // 2 + 1 and self.write_quorum > len(Replica) // 2

    @invariant
    def configuration_is_accepted(self) -> bool:
        """The article accepts this configuration."""
        return self.accepted_by_the_article()


class OneOne(NoWriteBack):
    """Consistency level ONE for reads and writes: the fastest answer wins.

    One replica confirms the write and another one answers the read: 1 + 1 <= 3, so nothing makes them meet. The
    application is told that its write is done, and reads the value before it.
    """

    expect = violates("regular")
    bounds: ClassVar[dict[str, int]] = {"Reader": 1}
    read_quorum = 1
    write_quorum = 1


class ReadOneWriteAll(QuorumRegister):
    """Write to all, read from any one: atomic, and reads are cheap, but one silent replica stops every write.

    R + W = 1 + 3 > 3. Readers must write back to all as well, since a write under way may be at one replica only.
    """

    read_quorum = 1
    write_quorum = 3
    omits = ("works_with_a_silent_replica",)


class LastMessageWins(NoWriteBack):
    """A replica stores whatever arrives last, without comparing versions.

    A delayed message of an old write arrives after that of a new one and brings the old value back. Of the replicas
    that had confirmed the new write one has it no more, so the quorum is gone.
    """

    expect = violates("versions_never_go_back")
    bounds: ClassVar[dict[str, int]] = {"Version": 2, "Reader": 1}

    def kept(self, own: Version, received: Version) -> Version:
        return received


class SloppyQuorum(NoWriteBack):
    """Dynamo's sloppy quorum: a stand-in confirms the write for a replica out of reach, and hands it over later.

    The W confirmations are then not all from the N replicas of the key, so R + W > N no longer makes a read meet the
    write. The replicas can be within reach again, and answer a read, before the stand-ins have handed anything over.
    """

    expect = violates("regular")
    bounds: ClassVar[dict[str, int]] = {"Reader": 1}

    hint: dict[Replica, Version]

    @action(lane="stand-in")
    def keep_hint(self, s: Replica, m: Store) -> None:
        require(m in self.requests)
        require(self.awaits(m) and Stored(s, m.version, m.by) not in self.replies)
        self.requests.receive(m)
        self.hint[s] = max(self.hint[s], m.version)
        self.replies.send(Stored(s, m.version, m.by))

    @action
    def hand_over(self, s: Replica) -> None:
        require(self.hint[s] > self.stored[s])
        self.stored[s] = self.hint[s]
