"""Two of three: any two such sets have a member in common, since 2 + 2 > 3, and either works without the third."""

from typing import ClassVar

from quorate import Nat, Scalarset, Spec, action, invariant, is_quorum, reachable, require


class Replica(Scalarset, size=3):
    """Has a copy of the value."""


class Version(Nat, max=2):
    """Which write a value is from; 0 before the first."""


class Quorums(Spec):
    """One writer, one reader, three replicas."""

    write_quorum: ClassVar[int] = 2
    read_quorum: ClassVar[int] = 2

    stored: dict[Replica, Version]
    writing: Version
    done: Version
    asked: set[Replica]
    best: Version
    owed: Version
    read: bool

    @action(lane="writer")
    def write(self) -> None:
        require(self.writing == self.done)
        self.writing += 1

    @action
    def store(self, r: Replica) -> None:
        require(self.stored[r] < self.writing)
        self.stored[r] = self.writing

    @action(lane="writer")
    def finish(self) -> None:
        require(self.done < self.writing)
        require(is_quorum({r for r in Replica if self.stored[r] == self.writing}, self.write_quorum, Replica))
        self.done = self.writing

    @action(lane="reader")
    def begin(self) -> None:
        require(not self.read)
        self.read = True
        self.owed = self.done
        self.asked = set()
        self.best = Version(0)

    @action
    def answer(self, r: Replica) -> None:
        require(self.read and r not in self.asked)
        self.asked.add(r)
        self.best = max(self.best, self.stored[r])

    @action(lane="reader")
    def end(self) -> None:
        require(self.read and is_quorum(self.asked, self.read_quorum, Replica))
        self.read = False

    @invariant
    def sees_what_was_written(self) -> bool:
        """A read that may end has seen every write that was done when it began."""
        return not self.read or not is_quorum(self.asked, self.read_quorum, Replica) or self.best >= self.owed

    @reachable
    def writes_without(self, r: Replica) -> bool:
        """A write is done while a replica is down."""
        return self.done == 1 and self.stored[r] == 0

    @reachable
    def reads_without(self, r: Replica) -> bool:
        """A read can end while a replica is down."""
        return self.read and r not in self.asked and is_quorum(self.asked, self.read_quorum, Replica)
