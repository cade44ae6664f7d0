"""A register kept by a majority, one writer, as it is told: whose answers are there, who has them all, which is the newest."""

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

    def is_quorum_(self, q: set[Replica]) -> bool:
        return len(q) == 2

    def acknowledged(self, t: Time) -> set[Written]:
        return {m for m in self.network if isinstance(m, Written) and m.time == t}

    def have_written(self, q: set[Replica], t: Time) -> bool:
        return self.is_quorum_(q) and all(any(m.source == r for m in self.acknowledged(t)) for r in q)

    def answers(self, c: Reader) -> set[Answer]:
        return {m for m in self.network if isinstance(m, Answer) and m.reader == c}

    def answers_of(self, c: Reader, q: set[Replica]) -> set[Answer]:
        return {m for m in self.network if isinstance(m, Answer) and m.reader == c and m.source in q}

    def have_answered(self, c: Reader, q: set[Replica]) -> bool:
        return self.is_quorum_(q) and all(any(m.source == r for m in self.answers(c)) for r in q)

    @action
    def write(self) -> None:
        require(self.begun == self.done and self.begun < Time.bound)
        self.begun += 1
        self.network.send(Write(self.begun))

    @action
    def store(self, r: Replica, m: Write) -> None:
        require(m in self.network)
        require(not any(isinstance(n, Written) and n.time == m.time and n.source == r for n in self.network))
        self.held[r] = max(m.time, self.held[r])
        self.network.send(Written(m.time, r))

    @action
    def finish(self, q: set[Replica]) -> None:
        require(self.begun > self.done and self.have_written(q, self.begun))
        self.done = self.begun

    @action
    def answer(self, r: Replica, c: Reader) -> None:
        require(self.read[c] is None and not any(m.source == r for m in self.answers(c)))
        if len(self.answers(c)) == 0:
            self.known[c] = self.done
        self.network.send(Answer(c, r, self.held[r]))

    @action
    def end(self, c: Reader, q: set[Replica], t: Time) -> None:
        require(self.have_answered(c, q) and self.read[c] is None)
        require(all(m.time <= t for m in self.answers_of(c, q)) and any(m.time == t for m in self.answers_of(c, q)))
        self.read[c] = t

    @invariant
    def reads_are_recent(self, c: Reader) -> bool:
        """A reader finds what was written before its first answer."""
        return self.read[c] is None or self.read[c] >= self.known[c]
