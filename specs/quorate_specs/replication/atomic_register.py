"""An atomic register, and the register of quorums as one: each operation takes effect at one moment between call and return.

`AtomicRegister` is one variable, with the calls and returns of its clients. A write takes effect at some moment before it
returns; a read may return any value that the variable has had since the read was called. It is no protocol: a step looks at the
variable directly.

`QuorumIsAtomic` is the register of Attiya, Bar-Noy & Dolev held to it. The variable is what a write quorum has stored: a write
takes effect when the replica that makes the quorum stores it, which no client sees. That this is enough is the whole proof: a
read begun later meets that quorum, and a read that found something newer stores it at a quorum before it returns.

*Promise*, to the clients: reads and writes behave like those of one variable. *Not promised*: that an operation returns.

Sources: Lamport 1986, "On Interprocess Communication" (part II: atomic registers); Attiya, Bar-Noy & Dolev 1995, "Sharing
Memory Robustly in Message-Passing Systems"; Herlihy & Wing 1990, "Linearizability" (section 4: abstraction functions).
"""

from enum import Enum
from typing import ClassVar

from quorate import Spec, action, invariant, is_quorum, mapping, reachable, require, violates

from quorate_specs.replication.quorum_register import Phase, QuorumRegister, Reader, Replica, Version


class Call(Enum):
    """Where a client's read stands."""

    NONE = "none"
    CALLED = "called"
    RETURNED = "returned"


class AtomicRegister(Spec):
    """One variable, one writer, and readers that read once."""

    lanes = ("writer", Reader)
    coloured_by = "call"

    value: Version
    writing: Version
    written: Version
    call: dict[Reader, Call]
    since: dict[Reader, set[Version]]
    result: dict[Reader, Version]

    @action(lane="writer")
    def call_write(self) -> None:
        require(self.writing == self.written)
        self.writing += 1

    @action(lane="writer")
    def take_effect(self) -> None:
        """The write happens."""
        require(self.value < self.writing)
        self.value = self.writing
        for r in Reader:
            if self.call[r] == Call.CALLED:
                self.since[r].add(self.writing)

    @action(lane="writer")
    def return_write(self) -> None:
        require(self.written < self.writing and self.may_return_write())
        self.written = self.writing

    def may_return_write(self) -> bool:
        """Whether the write has happened."""
        return self.value == self.writing

    @action
    def call_read(self, r: Reader) -> None:
        require(self.call[r] == Call.NONE)
        self.call[r] = Call.CALLED
        self.since[r] = {self.value}

    @action
    def return_read(self, r: Reader, v: Version) -> None:
        """A read returns what the variable was at some moment since the call."""
        require(self.call[r] == Call.CALLED and v in self.since[r])
        self.call[r] = Call.RETURNED
        self.since[r] = set()
        self.result[r] = v

    @invariant
    def only_written_values(self, r: Reader) -> bool:
        """Nobody reads what was not written."""
        return self.result[r] <= self.value <= self.writing

    @invariant
    def completed_writes_count(self, r: Reader) -> bool:
        """A write that has returned has happened."""
        return self.written <= self.value

    @reachable
    def reads_overlap_a_write(self, r: Reader, q: Reader) -> bool:
        """Of two reads during a write, one can return the new value and one the old."""
        done = self.call[r] == Call.RETURNED and self.call[q] == Call.RETURNED
        return done and self.written < self.writing and self.result[r] < self.result[q]


class ReturnsBeforeItHappens(AtomicRegister):
    """A write returns before it has happened, as if it were enough to have sent it."""

    expect = violates("completed_writes_count")

    def may_return_write(self) -> bool:
        return True


class QuorumIsAtomic(QuorumRegister):
    """The register of quorums, held to one variable: what a write quorum has stored is what it holds."""

    refines = AtomicRegister
    bounds: ClassVar[dict[str, int]] = {"Reader": 2}

    begun: dict[Reader, Version]

    @action
    def read(self, r: Reader) -> None:
        super().read(r)
        self.begun[r] = self.held()

    def held(self) -> Version:
        """The newest version that a write quorum has stored, it or a newer one."""
        return max(
            v for v in Version if is_quorum({s for s in Replica if self.stored[s] >= v}, self.write_quorum, Replica)
        )

    @mapping
    def refines_register(self, abstract: AtomicRegister) -> None:
        """The replica whose copy makes a quorum makes the write happen; what a pending read may return is what was held since its call."""
        abstract.value = self.held()
        abstract.writing = self.writing
        abstract.written = self.written
        abstract.call = {
            r: Call.NONE
            if self.phase[r] == Phase.IDLE
            else Call.RETURNED
            if self.phase[r] == Phase.DONE
            else Call.CALLED
            for r in Reader
        }
        abstract.since = {
            r: {v for v in Version if self.is_reading(r) and self.begun[r] <= v <= self.held()} for r in Reader
        }
        abstract.result = {r: self.found[r] if self.phase[r] == Phase.DONE else Version(0) for r in Reader}

    def is_reading(self, r: Reader) -> bool:
        """Whether a read has been called and has not returned."""
        return self.phase[r] == Phase.ASKING or self.phase[r] == Phase.WRITING_BACK


class ReadsTooEarly(QuorumIsAtomic):
    """A reader returns what it found without writing it back: it reads what has not happened yet.

    Only some replicas have the version, no quorum, so that the next reader may miss it. The single read looks innocent; that it is none
    of one variable shows at once, and not only when a second reader contradicts it.
    """

    expect = violates("refines_register")
    omits: ClassVar[tuple[str, ...]] = ("complete_write_back", "atomic", "no_new_old_inversion")

    def conclude(self, r: Reader) -> None:
        self.reply(r)
