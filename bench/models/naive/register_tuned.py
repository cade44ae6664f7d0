"""A register kept by a majority, one writer, as somebody writes it who knows what is fast: messages are looked up, and a question is
asked as soon as its answer is known."""

from quorate import Nat, Network, Scalarset, Spec, action, invariant, record, require


class Replica(Scalarset, size=3):
    """Keeps a value with its time."""


class Reader(Scalarset, size=2):
    """Reads once."""


class Time(Nat, max=2):
    """The number of a write, which is its value, too."""


@record
class Write:
    time: Time


@record
class Written:
    time: Time
    source: Replica


@record
class Answer:
    reader: Reader
    source: Replica
    time: Time


class Register(Spec):
    network: Network[Write | Written | Answer]
    held: dict[Replica, Time]
    begun: Time
    done: Time
    known: dict[Reader, Time]
    read: dict[Reader, Time | None]

    @action
    def write(self) -> None:
        require(self.begun == self.done and self.begun < Time.bound)
        self.begun += 1
        self.network.send(Write(self.begun))

    @action
    def store(self, r: Replica, m: Write) -> None:
        require(m in self.network)
        require(Written(m.time, r) not in self.network)
        self.held[r] = max(m.time, self.held[r])
        self.network.send(Written(m.time, r))

    @action
    def finish(self, q: set[Replica]) -> None:
        require(len(q) == 2 and self.begun > self.done)
        require(all(Written(self.begun, r) in self.network for r in q))
        self.done = self.begun

    @action
    def answer(self, r: Replica, c: Reader) -> None:
        require(self.read[c] is None)
        require(not any(Answer(c, r, t) in self.network for t in Time))
        if all(Answer(c, s, t) not in self.network for s in Replica for t in Time):
            self.known[c] = self.done
        self.network.send(Answer(c, r, self.held[r]))

    @action
    def end(self, c: Reader, q: set[Replica], t: Time) -> None:
        require(len(q) == 2 and self.read[c] is None)
        require(all(any(Answer(c, r, u) in self.network for u in Time if u <= t) for r in q))
        require(any(Answer(c, r, t) in self.network for r in q))
        self.read[c] = t

    @invariant
    def reads_are_recent(self, c: Reader) -> bool:
        """A reader finds what was written before its first answer."""
        return self.read[c] is None or self.read[c] >= self.known[c]
