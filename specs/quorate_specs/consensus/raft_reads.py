"""ReadIndex: reading from Raft without writing to its log.

A read must see every write that was acknowledged before it began. A leader's state machine may lack some: another
server may lead a later term, and a new leader does not know yet how far its predecessor had committed. *ReadIndex*
excludes both. The leader first commits an entry of its own term; for a read it notes its commit index, asks all
servers whether it still leads, and answers when a majority has confirmed it after the read began.

*Promise*, to the clients: appends and reads are linearizable. The state machine is the log itself: an append returns
the position of its command, a read the number of commands.

`raft_leases` saves the messages, and needs clocks.

The log and its elections are those of `raft_log`. One client reads, once: linearizability relates a read to appends.

As others met it:

- deventlab/d-engine 381: the leader answers before a majority has confirmed it (`ReadsAtDeposedLeader`).
- etcd-io/etcd 7331 and RedisLabs/redisraft 22: ReadIndex before an entry of the own term is committed
  (`ReadsBeforeOwnCommit`).

Source: Ongaro 2014, "Consensus: Bridging Theory and Practice" (section 6.4).
"""

from typing import Annotated, ClassVar

from quorate import (
    Nat,
    Scalarset,
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

from quorate_specs.consensus.raft import Command, Index, Role, Server, Term
from quorate_specs.consensus.raft_log import RaftLog


class Reader(Scalarset, size=1, prefix="r"):
    """A client that reads once."""


class Event(Nat, max=6):
    """A position in the history."""


@record
class Append:
    """The client whose command a leader put at `index` in `term`."""

    term: Term
    index: Index


@record
class Operation:
    """A call or a return; `result` is the position of an appended command, or how many commands a reader sees."""

    client: Append | Reader
    returned: bool
    result: Index


def log_object(length: Index, operation: Operation) -> tuple[bool, Index]:
    """The sequential object: an append returns the next position, a read the length."""
    if isinstance(operation.client, Append):
        return operation.result == length + 1, operation.result
    return operation.result == length, length


class RaftReads(RaftLog):
    """Reads by ReadIndex (section 6.4).

    `asked` holds where a read waits; `confirmed` who has told that leader, since, that it still leads. A confirmation is
    the reply to a heartbeat sent for the read; one that is late for its term is of no use, and is left out.
    """

    bounds: ClassVar[dict[str, int]] = {"Term": 2, "Index": 2}
    omits: ClassVar[tuple[str, ...]] = (*RaftLog.omits, "third_leader_repairs")

    asked: dict[Reader, Server | None]
    read_term: dict[Reader, Term]
    read_index: dict[Reader, Index]
    confirmed: dict[Reader, set[Server]]
    history: Annotated[list[Operation], up_to(Event)]

    def request(self, s: Server, c: Command) -> None:
        super().request(s, c)
        i = Index(len(self.log[s]))
        self.history.append(Operation(Append(self.term[s], i), False, i))

    def commit(self, s: Server, i: Index) -> None:
        own = [j for j in range(self.commit_index[s] + 1, i + 1) if self.term_at(s, Index(j)) == self.term[s]]
        super().commit(s, i)
        for j in own:
            self.history.append(Operation(Append(self.term[s], Index(j)), True, Index(j)))

    @action
    def read(self, s: Server, r: Reader) -> None:
        """A client asks a leader, which notes its commit index and asks the others whether it still leads."""
        require(self.asked[r] is None and self.role[s] == Role.LEADER and self.knows_commits(s))
        self.asked[r] = s
        self.read_term[r] = self.term[s]
        self.read_index[r] = self.commit_index[s]
        self.confirmed[r] = {s}
        self.history.append(Operation(r, False, Index(0)))

    def knows_commits(self, s: Server) -> bool:
        """Having committed an entry of its own term, a leader knows all that was committed before it."""
        return self.term_at(s, self.commit_index[s]) == self.term[s]

    @action
    def confirm(self, v: Server, r: Reader) -> None:
        """A server that has entered no later term confirms the leader that asks for the read."""
        require(self.asked[r] is not None and v not in self.confirmed[r] and not self.has_returned(r))
        require(self.term[v] <= self.read_term[r])
        self.observe(v, self.read_term[r])
        self.confirmed[r].add(v)

    @action
    def answer(self, s: Server, r: Reader) -> None:
        """The leader answers from its state machine, which has executed what was committed when the read began."""
        require(self.asked[r] == s and not self.has_returned(r))
        require(self.role[s] == Role.LEADER and self.term[s] == self.read_term[r] and self.may_answer(s, r))
        self.history.append(Operation(r, True, self.commit_index[s]))

    def may_answer(self, s: Server, r: Reader) -> bool:
        """A majority has confirmed that it led after the read began."""
        return is_majority(self.confirmed[r], Server)

    def has_returned(self, r: Reader) -> bool:
        """Whether the client has its answer."""
        return any(event.client == r and event.returned for event in self.history)

    @invariant
    def linearizable_reads(self) -> bool:
        """Appends and reads are linearizable: each takes effect at one moment between its call and its return."""
        return linearizable(self.history, log_object, Index(0))

    @reachable
    def reads_at_second_leader(self, r: Reader) -> bool:
        """A read can be answered by the leader of a second term, with the commands of both."""
        return self.has_returned(r) and self.read_term[r] == 2 and self.read_index[r] == 2


class ReadsAtDeposedLeader(RaftReads):
    """A leader answers at once, without asking whether it still leads.

    It may have been deposed without knowing it. Its successor has acknowledged an append that it does not have.
    """

    expect = violates("linearizable_reads")
    bounds: ClassVar[dict[str, int]] = {"Term": 2, "Index": 2}

    def may_answer(self, s: Server, r: Reader) -> bool:
        return True


class ReadsBeforeOwnCommit(RaftReads):
    """A new leader uses its commit index for a read before it has committed an entry of its own term.

    It has all committed entries, but does not know that they are: its predecessor had told the client, not its
    followers.
    """

    expect = violates("linearizable_reads")
    bounds: ClassVar[dict[str, int]] = {"Term": 2, "Index": 1}

    def knows_commits(self, s: Server) -> bool:
        return True
