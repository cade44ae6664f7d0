"""Consistency, availability, partitions: all small policies for one replicated register, and none that keeps both.

Three nodes have a copy of a register; one of them is called the primary. A client sends its request to any node, which asks
the others and at some time has reached some of them, itself among them. Then it answers, or waits for more, or gives up. What
it does is its *policy*: in the sight of which groups of nodes it answers a write, of which a read, and whether it answers at
once or first waits for all that it can reach. There are four kinds of groups, so there are 2^4 * 2^4 * 2 * 2 = 1,024 policies.
The policy is a constant that is chosen in the initial state, so one exploration tries all of them, in all runs.

The network loses any message. That is what a partition is to those inside: nothing comes from the other side.

    policies               1,024
    available                  4    every request is answered, whatever the network loses
    consistent               176    every run is linearizable
    both                       0
    neither                  844

`quorate graph cap --project writes,reads,patient,refused,inconsistent --max-states 400000 -o policies.jsonl` writes the table
from which these are counted, in some minutes: a policy is available if no state that has refused is of it. Of the two
configurations of the article, one is among the consistent ones (`AsPublished`: write to a majority through the primary, read from
the primary), and one is among the available ones (`AsPublishedOne`: one node is enough for everything). Why there is no third is
in three properties. Who never refuses, answers in the sight of every group. Who is consistent, answers only in the sight of
groups of which any two meet. And the two sides of a partition do not meet. `GilbertLynch` is the proof of the paper: a
partition, a write on one side, a read on the other; it goes through all policies, and each of them gives something up.

*Promise*, to whoever reads marketing: there is no policy with both. *Not said*: what to give up while nothing is
partitioned (`WithoutLosses`: then both are to be had), how long a refusal lasts, and anything about levels below
linearizability (`Eventually`: available policies can converge). Requests come one after another here, and a node tells those that
it has reached what any of them knows. That is generous to the policies: no consistency is lost by races.

As it happened. `AsPublished`: jembi/openhim-core-js #467 and Automattic/mongoose #1689 (no reads while there is no primary).
`AsPublishedOne`: Metaswitch/crest #372 and riptano/cassandra-dtest-deprecated #214 (a write that succeeded is not read).
`MajorityWritesAnyReads`: near/read-rpc #126, and etcd-io/etcd #741. `DeposedPrimaryReads`: rethinkdb/rethinkdb #4587 and
hashicorp/consul #54 (a primary that a majority has left goes on to answer reads).

Sources: Gilbert & Lynch 2002, "Brewer's Conjecture and the Feasibility of Consistent, Available, Partition-Tolerant Web
Services" (theorem 1, and its section 3.2 on networks that lose nothing); Brewer 2000.
"""

from enum import Enum
from typing import Annotated, ClassVar

from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    eventually,
    eventually_always,
    holds,
    init,
    invariant,
    linearizable,
    reachable,
    record,
    require,
    up_to,
    violates,
)


class Node(Scalarset, size=3, prefix="n"):
    """A server with a copy of the register."""


class Version(Nat, max=1):
    """What the register holds: 0 at first, 1 when it was written."""


class Request(Nat, max=3):
    """The number of a request; requests come one after another."""


class Kind(Enum):
    """What a client asks for."""

    WRITE = "write"
    READ = "read"


class Group(Enum):
    """What a node knows of the nodes that it has reached, itself among them."""

    PRIMARY_ALONE = "the primary alone"
    ONE_OTHER = "one other alone"
    OTHERS = "the two others"
    MAJORITY = "the primary, and others"


@record
class Operation:
    """A call or a return in the history."""

    client: Request
    returned: bool
    kind: Kind
    version: Version


def register(value: Version, operation: Operation) -> tuple[bool, Version]:
    """The sequential register: a write sets it, a read returns what it holds."""
    if operation.kind == Kind.WRITE:
        return True, operation.version
    return operation.version == value, value


def can_miss(a: Group, b: Group) -> bool:
    """Whether two such groups may have no node in common."""
    if a == Group.ONE_OTHER or b == Group.ONE_OTHER:
        return Group.OTHERS not in (a, b)
    return {a, b} == {Group.PRIMARY_ALONE, Group.OTHERS}


class Cap(Spec):
    """All policies, in a network that loses messages.

    Promise: whoever always answers is not linearizable, and whoever is linearizable does not always answer.
    """

    lanes = (Node,)

    primary: Node
    writes: set[Group]
    reads: set[Group]
    patient: set[Kind]
    current: dict[Node, Version]
    asked: Request
    open: Kind | None
    reached: set[Node]
    refused: bool
    inconsistent: bool
    history: Annotated[list[Operation], up_to(6)]

    @init
    def begin(self, primary: Node, writes: set[Group], reads: set[Group], patient: set[Kind]) -> None:
        self.primary = primary
        self.writes = set(writes)
        self.reads = set(reads)
        self.patient = set(patient)
        require(self.is_tried())

    def is_tried(self) -> bool:
        """Whether the search goes through this policy."""
        return True

    # Requests

    @action
    def write(self, n: Node) -> None:
        """A client asks a node to write. It stores the value, and tells the others."""
        require(all(e.kind != Kind.WRITE for e in self.history))
        self.ask(n, Kind.WRITE)
        self.current[n] = Version(1)

    @action
    def read(self, n: Node) -> None:
        """A client asks a node to read."""
        self.ask(n, Kind.READ)

    def ask(self, n: Node, kind: Kind) -> None:
        require(self.open is None)
        self.open = kind
        self.reached = {n}
        self.asked += 1
        self.history.append(Operation(self.asked, False, kind, Version(1 if kind == Kind.WRITE else 0)))

    @action
    def reach(self, n: Node) -> None:
        """Messages go to a node and back: what one of those that were reached knows, now all of them know."""
        require(self.open is not None and n not in self.reached and self.gets_through(n))
        self.reached.add(n)
        newest = max(self.current[m] for m in self.reached)
        for m in self.reached:
            self.current[m] = newest

    def gets_through(self, n: Node) -> bool:
        """Whether messages between the node and those that were reached can arrive."""
        return True

    @action
    def answer(self, sight: set[Node]) -> None:
        """The policy of a hasty node allows an answer."""
        require(sight == self.reached)
        require(self.open is not None and self.open not in self.patient and self.is_enough())
        self.reply()

    @action(mark="timeout")
    def stop_waiting(self, sight: set[Node]) -> None:
        """Nothing more comes: the rest of the nodes is on the other side of a partition, or all were reached."""
        require(sight == self.reached)
        require(self.open is not None and self.nothing_comes())
        if self.is_enough():
            require(self.open in self.patient)
            self.reply()
        else:
            self.refused = True
            self.open = None
            self.reached = set()

    def nothing_comes(self) -> bool:
        """Whether it can be that no message will come."""
        return True

    def is_enough(self) -> bool:
        """Whether the policy allows an answer in the sight of this group."""
        return self.group() in (self.writes if self.open == Kind.WRITE else self.reads)

    def group(self) -> Group:
        """What kind of group was reached."""
        if self.primary in self.reached:
            return Group.PRIMARY_ALONE if len(self.reached) == 1 else Group.MAJORITY
        return Group.ONE_OTHER if len(self.reached) == 1 else Group.OTHERS

    def reply(self) -> None:
        """The client gets its answer: of a read, the newest version of those that were reached."""
        newest = max(self.current[m] for m in self.reached)
        kind = Kind.READ if self.open is None else self.open
        self.history.append(Operation(self.asked, True, kind, newest))
        self.inconsistent = not linearizable(self.history, register, Version(0))
        self.open = None
        self.reached = set()

    # What is promised

    def is_available(self) -> bool:
        """Whether the policy answers in the sight of every group."""
        return all(g in self.writes and g in self.reads for g in Group)

    def is_consistent(self) -> bool:
        """Whether each group that is enough for a read meets each that is enough for anything."""
        return all(not can_miss(a, b) for a in self.reads for b in self.reads | self.writes)

    @invariant
    def no_policy_is_both(self) -> bool:
        """No policy answers in the sight of every group, and only in the sight of groups that meet."""
        return not (self.is_available() and self.is_consistent())

    @invariant
    def who_answers_always_never_refuses(self) -> bool:
        """With an available policy, every request is answered, whatever the network loses."""
        return not self.is_available() or not self.refused

    @invariant
    def whose_groups_meet_is_linearizable(self) -> bool:
        """With a consistent policy, every run is linearizable."""
        return not self.is_consistent() or not self.inconsistent

    @reachable
    def a_consistent_policy_refuses(self) -> bool:
        """A consistent policy can refuse a read after it has answered a write."""
        return self.is_consistent() and self.refused and len(self.history) > 2

    @reachable
    def an_available_policy_lies(self) -> bool:
        """An available policy can give an answer that no single register could give."""
        return self.is_available() and self.inconsistent

    @reachable
    def everything_goes_well(self) -> bool:
        """Although messages may be lost, three requests can be answered as by one register."""
        return not self.refused and not self.inconsistent and len(self.history) == 6


class GilbertLynch(Cap):
    """The proof of theorem 1, for all policies: a write on one side of a partition, and after it a read on the other.

    Whichever the policy is, and wherever the partition runs, one of the requests is refused, or the read misses the write.
    """

    expect = holds()
    omits: ClassVar[tuple[str, ...]] = ("a_consistent_policy_refuses", "everything_goes_well")

    @action(fair="weak")
    def write(self, n: Node) -> None:
        super().write(n)

    @action(fair="weak")
    def read(self, n: Node) -> None:
        """The client of the other side asks when the write has ended."""
        require(self.asked == 1 and self.current[n] == 0)
        super().read(n)

    def gets_through(self, n: Node) -> bool:
        """The write stays on one side, and the read where it has not come."""
        if self.open == Kind.WRITE:
            return len(self.reached) + 1 < len(Node)
        return self.current[n] == 0

    @action(fair="weak")
    def answer(self, sight: set[Node]) -> None:
        super().answer(sight)

    @action(mark="timeout", fair="weak")
    def stop_waiting(self, sight: set[Node]) -> None:
        super().stop_waiting(sight)

    @eventually
    def something_is_given_up(self) -> bool:
        """At last a request was refused, or an answer is one that no single register could give."""
        return self.refused or self.inconsistent


class AsPublished(Cap):
    """The article's first configuration: a write goes to a majority through the primary, a read to the primary.

    It gives up availability: who does not reach the primary, and a primary that reaches nobody, cannot write.
    """

    expect = violates("every_request_is_answered")
    omits: ClassVar[tuple[str, ...]] = (
        "a_consistent_policy_refuses",
        "an_available_policy_lies",
        "everything_goes_well",
    )

    def is_tried(self) -> bool:
        return self.writes == self.enough_for_writes() and self.reads == self.enough_for_reads()

    def enough_for_writes(self) -> set[Group]:
        """The groups in the sight of which a write is answered."""
        return {Group.MAJORITY}

    def enough_for_reads(self) -> set[Group]:
        """The groups in the sight of which a read is answered."""
        return {Group.PRIMARY_ALONE, Group.MAJORITY}

    @invariant
    def every_request_is_answered(self) -> bool:
        """No node has refused a request: this is availability."""
        return not self.refused

    @invariant
    def every_run_is_linearizable(self) -> bool:
        """All answers are those of a single register: this is consistency."""
        return not self.inconsistent


class AsPublishedOne(AsPublished):
    """The article's second configuration: one node is enough, for writes and for reads.

    It gives up consistency. The nodes that have the write and those that are read need have nothing in common.
    """

    expect = violates("every_run_is_linearizable")

    def enough_for_writes(self) -> set[Group]:
        return set(Group)

    def enough_for_reads(self) -> set[Group]:
        return set(Group)


class StaysConsistent(AsPublished):
    """What the first configuration keeps: every run of it is linearizable."""

    expect = holds()
    omits = (*AsPublished.omits, "every_request_is_answered")


class Eventually(AsPublishedOne):
    """What the second configuration keeps: every request is answered, and copies agree at last if nodes tell each other.

    Less than linearizability is to be had in a partition. This is eventual consistency, and what is in between is the
    subject of `consistency_ladder`.
    """

    expect = holds()
    omits = (*AsPublished.omits, "every_run_is_linearizable")

    @action(fair="weak")
    def exchange(self, a: Node, b: Node) -> None:
        """Two nodes compare what they have, again and again, until messages get through."""
        newest = max(self.current[a], self.current[b])
        self.current[a] = newest
        self.current[b] = newest

    @eventually_always
    def copies_agree(self, a: Node, b: Node) -> bool:
        """At last all copies are equal."""
        return self.current[a] == self.current[b]


class WithoutLosses(AsPublished):
    """The first configuration, in a network that loses nothing: who waits for all is answered by all.

    Both promises are kept. The theorem is about partitions; it does not say that anything is to be given up before.
    """

    expect = holds()

    def nothing_comes(self) -> bool:
        return len(self.reached) == len(Node)


class MajorityWritesAnyReads(AsPublished):
    """Writes go to a majority, lest they are lost, and reads to any one node, since that is fast.

    A read misses every write that its node has not heard of. Writes are refused all the same: the policy gives up both.
    """

    expect = violates("every_run_is_linearizable")
    omits = StaysConsistent.omits

    def enough_for_writes(self) -> set[Group]:
        return {Group.OTHERS, Group.MAJORITY}

    def enough_for_reads(self) -> set[Group]:
        return set(Group)


class DeposedPrimaryReads(AsPublished):
    """The first configuration with failover: any majority takes writes, and whoever takes itself for the primary answers reads.

    The majority that has left the primary takes a write, and the primary, alone, has not noticed and answers a read. One read
    in the sight of a majority is needed to find out that one still leads, which is what ReadIndex of Raft is.
    """

    expect = violates("every_run_is_linearizable")
    omits = StaysConsistent.omits

    def enough_for_writes(self) -> set[Group]:
        return {Group.OTHERS, Group.MAJORITY}
