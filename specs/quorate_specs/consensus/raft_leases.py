"""Reads under a lease in Raft, and leadership transfer: a promise about time saves the messages of a read.

With every heartbeat that it confirms, a server promises to vote for nobody for the length of one lease of its own
clock, counted from the moment when it hears the heartbeat. So nobody else can be elected by a majority before one
lease has passed since the leader *sent* it, and until then the leader may answer reads alone. This rests on clocks that
run equally fast: real systems make the lease shorter than the promise, by a bound on the drift.

A leader can hand over to a server that has all its entries, which then runs for the next term at once; the promises do
not hold against it. So a leader that hands over gives up its lease first.

*Promise*, to the clients: writes and reads are linearizable, while clocks run equally fast.

An election is one step here, and so is a write (the entry reaches a majority, is committed and acknowledged): how they
come about is `raft`'s topic, and `raft_reads` has the reads that need no clock. A heartbeat is heard at any time after
it was sent, and its confirmation, which only the leader reads, is counted where it is.

As others met it:

- tikv/tikv 964: a leader trusts its lease while its clock, or its thread, stands still (`SlowClock`).
- sofastack/sofa-jraft 34: the leader checks its lease only now and then, and reads when it is over (`SlowClock`).
- `CountsFromReply` is the reason why the lease begins when the heartbeat is sent (thesis, figure 6.3).

Source: Ongaro 2014, "Consensus: Bridging Theory and Practice" (sections 3.10 and 6.4.1).
"""

from enum import Enum
from typing import Annotated, ClassVar

from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    invariant,
    is_majority,
    linearizable,
    reachable,
    record,
    require,
    up_to,
    violates,
)


class Server(Scalarset, size=3):
    """A member of the cluster."""


class Reader(Scalarset, size=1, prefix="r"):
    """A client that reads once."""


class Term(Nat, max=2):
    """Numbers the reigns of leaders; 0 is before the first election."""


class Role(Enum):
    """What a server takes itself for."""

    FOLLOWER = "follower"
    LEADER = "leader"


class Length(Nat, max=3):
    """How many writes a log has, and so its value."""


class Time(Nat, max=1):
    """How much longer a promise or a lease lasts, in ticks of the clock of the server that has it."""


class Event(Nat, max=8):
    """A position in the history."""


@record
class Operation:
    """A call or a return of the write with this number, or of a read that finds it."""

    client: Length | Reader
    returned: bool
    value: Length


def register(value: Length, operation: Operation) -> tuple[bool, Length]:
    """The sequential register: a write sets it, a read returns what it holds."""
    if isinstance(operation.client, Reader):
        return operation.value == value, value
    return True, operation.value


class RaftLeases(Spec):
    """Leases (section 6.4.1) and leadership transfer (section 3.10). All clocks run equally fast.

    `left` is what is left of the lease of a leader, from the moment when it sent the heartbeat that its `supporters` have
    confirmed; `promised` is for how much longer a server votes for nobody. `invited` holds the term in which a server
    was asked to take over.
    """

    lease: ClassVar[int] = 1

    term: dict[Server, Term]
    role: dict[Server, Role]
    length: dict[Server, Length]
    left: dict[Server, Time]
    supporters: dict[Server, set[Server]]
    promised: dict[Server, Time]
    invited: dict[Server, Term]
    handed_over: dict[Server, bool]
    has_read: dict[Reader, bool]
    history: Annotated[list[Operation], up_to(Event)]

    @action
    def tick(self) -> None:
        """Time passes, for all servers."""
        for s in Server:
            self.left[s] = Time(max(self.left[s] - 1, 0))
            self.promised[s] = Time(max(self.promised[s] - 1, 0))

    @action(mark="timeout")
    def elect(self, s: Server, voters: set[Server]) -> None:
        """A server is elected, if its log is up to date and the voters' promises have run out, or it was invited."""
        require(s in voters and is_majority(voters, Server) and self.term[s] == max(self.term[v] for v in voters))
        require(all(self.length[v] <= self.length[s] for v in voters))
        require(self.is_invited(s) or all(self.promised[v] == 0 for v in voters))
        term = self.term[s] + 1
        for v in voters:
            self.enter(v, Term(term))
        self.role[s] = Role.LEADER

    def is_invited(self, s: Server) -> bool:
        """The voters disregard their promises for a server that its leader has asked to run."""
        return self.term[s] > 0 and self.invited[s] == self.term[s]

    def enter(self, s: Server, t: Term) -> None:
        """A server that hears of a later term enters it as a follower."""
        if self.term[s] < t:
            self.term[s] = t
            self.role[s] = Role.FOLLOWER
            self.handed_over[s] = False
            self.supporters[s] = set()
            self.left[s] = Time(0)

    @action
    def send_heartbeat(self, s: Server) -> None:
        """A leader asks for a lease, which will begin now."""
        require(self.role[s] == Role.LEADER and not self.handed_over[s])
        self.left[s] = Time(self.lease)
        self.supporters[s] = {s}

    @action
    def confirm(self, v: Server, s: Server) -> None:
        """A server hears a heartbeat, confirms it, and promises to vote for nobody for a while."""
        require(self.role[s] == Role.LEADER and s in self.supporters[s] and v not in self.supporters[s])
        require(self.term[v] <= self.term[s])
        self.enter(v, self.term[s])
        self.promised[v] = Time(self.lease)
        self.count_confirmation(s, v)

    def count_confirmation(self, s: Server, v: Server) -> None:
        """The leader counts it for the heartbeat that it sent last."""
        self.supporters[s].add(v)

    @action
    def write(self, s: Server, q: set[Server]) -> None:
        """A leader's entry reaches a majority that has entered no later term."""
        require(self.role[s] == Role.LEADER and not self.handed_over[s] and s in q and is_majority(q, Server))
        require(all(self.term[v] <= self.term[s] for v in q))
        length = self.length[s] + 1
        term = self.term[s]
        for v in q:
            self.enter(v, term)
            self.length[v] = Length(length)
        self.history.append(Operation(Length(length), False, Length(length)))
        self.history.append(Operation(Length(length), True, Length(length)))

    @action
    def read(self, s: Server, r: Reader) -> None:
        """A leader answers alone, under its lease."""
        require(self.role[s] == Role.LEADER and not self.has_read[r] and self.has_lease(s))
        self.has_read[r] = True
        self.history.append(Operation(r, False, Length(0)))
        self.history.append(Operation(r, True, self.length[s]))

    def has_lease(self, s: Server) -> bool:
        """A majority has confirmed a heartbeat that was sent less than a lease ago."""
        return is_majority(self.supporters[s], Server) and self.left[s] > 0

    @action
    def hand_over(self, s: Server, target: Server) -> None:
        """A leader asks a server with all its entries to run for the next term at once."""
        require(self.role[s] == Role.LEADER and not self.handed_over[s] and target != s)
        require(self.term[target] == self.term[s] and self.length[target] == self.length[s])
        self.handed_over[s] = True
        self.invited[target] = self.term[s]
        self.give_up_lease(s)

    def give_up_lease(self, s: Server) -> None:
        """What was promised to the leader does not bind against the server that it has invited."""
        self.supporters[s] = set()

    @invariant
    def linearizable_reads(self) -> bool:
        """Writes and reads are linearizable: each takes effect at one moment between its call and its return."""
        return linearizable(self.history, register, Length(0))

    @invariant
    def one_leader_per_term(self, a: Server, b: Server) -> bool:
        """No two servers lead one term."""
        return a == b or not (self.role[a] == self.role[b] == Role.LEADER) or self.term[a] != self.term[b]

    @invariant
    def one_lease(self, a: Server, b: Server) -> bool:
        """While a leader has a lease, nobody leads a later term."""
        return not (self.role[a] == self.role[b] == Role.LEADER and self.has_lease(a)) or self.term[b] <= self.term[a]

    @reachable
    def invited_server_leads(self, s: Server) -> bool:
        """A server can take over while the promises that were made to its predecessor last."""
        return self.role[s] == Role.LEADER and self.term[s] == 2 and any(self.promised[v] > 0 for v in Server if v != s)

    @reachable
    def second_leader_reads(self, s: Server, r: Reader) -> bool:
        """A second leader can get a lease, and read what it and its predecessor wrote."""
        return self.role[s] == Role.LEADER and self.term[s] == 2 and self.has_read[r] and self.history[-1].value == 2


class SlowClock(RaftLeases):
    """A leader's clock may fall behind, or its process pauses between the look at the clock and the answer.

    The others' promises run out, they elect a leader that acknowledges a write, and the old one still trusts its lease.
    """

    expect = violates("linearizable_reads")
    omits = ("tick", "one_lease")

    @action
    def tick_alone(self, s: Server) -> None:
        """Each clock runs as it likes."""
        self.left[s] = Time(max(self.left[s] - 1, 0))
        self.promised[s] = Time(max(self.promised[s] - 1, 0))


class CountsFromReply(RaftLeases):
    """A leader's lease begins when it counts the confirmation, not when it sent the heartbeat.

    The confirmation may have been under way for longer than the promise in it lasts.
    """

    expect = violates("linearizable_reads")
    omits = ("one_lease",)

    on_the_way: dict[Server, set[Server]]

    def count_confirmation(self, s: Server, v: Server) -> None:
        self.on_the_way[s].add(v)

    @action
    def receive_confirmation(self, s: Server, v: Server) -> None:
        """A confirmation of the leader's heartbeat arrives."""
        require(self.role[s] == Role.LEADER and v in self.on_the_way[s] and not self.handed_over[s])
        self.on_the_way[s].remove(v)
        self.supporters[s].add(v)
        self.left[s] = Time(self.lease)


class KeepsLeaseInTransfer(RaftLeases):
    """A leader hands over, and goes on to answer reads under the lease that it has.

    The server that it invited waits for nobody's promise, and leads and acknowledges a write while the lease lasts.
    """

    expect = violates("linearizable_reads")
    omits = ("one_lease",)

    def give_up_lease(self, s: Server) -> None:
        pass
