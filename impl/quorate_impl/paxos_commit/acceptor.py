"""The acceptors: they remember the votes, and so the decision, while leaders and participants come and go.

A transaction is forgotten when its participants have acknowledged the verdict and its client has gone on to a later one, so
that neither will ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from quorate_impl.core import Core, Message, Record, Timers
from quorate_impl.paxos_commit.messages import (
    OWN,
    Accepted,
    AcceptedVote,
    Ballot,
    Ended,
    Inquire,
    Over,
    Phase1a,
    Phase1b,
    Phase2a,
    Phase2b,
    Preempted,
    PromisedBallot,
    Transaction,
)
from quorate_impl.paxos_commit.options import Options
from quorate_impl.shop.messages import Facts, Place, Status

ASK_MAX = 20
"""About how many transactions an acceptor asks at once."""


@dataclass
class Instance:
    """One participant's vote: the highest ballot that was promised, and what was accepted last."""

    promised: Ballot = OWN
    accepted: Accepted | None = None


@dataclass
class Entry:
    """A transaction: its instances, by the names of their participants; how many ticks ago, and how often, a leader was asked to end
    it; and whether it is over.
    """

    place: Place
    instances: dict[str, Instance] = field(default_factory=dict)
    ticks: int = 0
    asked: int = 0
    is_over: bool = False


class Acceptor(Core):
    """Promises and accepts in all instances of all transactions."""

    members: Mapping[str, str] = {}
    """All nodes with their addresses, where there are any."""

    def __init__(self, name: str, records: Sequence[Record], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.entries: dict[Transaction, Entry] = {}
        self.latest: dict[str, int] = {}
        self._timers = Timers()
        self._since_checkpoint = 0
        for record in records:
            self._recover(record)

    def _recover(self, record: Record) -> None:
        """What was promised and accepted is on the disk."""
        match record:
            case PromisedBallot(place, name, ballot):
                self._instance(place, name).promised = ballot
            case AcceptedVote(place, name, ballot, vote):
                instance = self._instance(place, name)
                instance.promised, instance.accepted = ballot, Accepted(ballot, vote)
            case Ended(transactions):
                for transaction in transactions:
                    self._end(transaction)

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    def started(self) -> None:
        self._timers.set("repeat", self.options.repeat_ticks)

    def requested(self, client: str, request: Message) -> None:
        """An operator asks."""
        if isinstance(request, Status):
            self.reply_at_once(client, Facts(self.status()))

    def received(self, source: str, message: Message) -> None:
        match message:
            case Phase1a():
                self._promise(source, message)
            case Phase2a():
                self._accept(message)
            case Over(transactions):
                known = tuple(each for each in transactions if each in self.entries and not self.entries[each].is_over)
                if known:
                    for each in known:
                        self._end(each)
                    self._log(Ended(known))

    def _promise(self, leader: str, m: Phase1a) -> None:
        """`promise`. A leader that asks again is told the same again, unless it has proposed something since."""
        instance = self._instance(m.place, m.instance)
        if instance.promised > m.ballot:
            self.send(leader, Preempted(instance.promised))
            return
        if instance.promised < m.ballot:
            instance.promised = m.ballot
            self._log(PromisedBallot(m.place, m.instance, m.ballot))
        if instance.accepted is None or instance.accepted.ballot < m.ballot:
            self._report(leader, Phase1b(m.place.key, m.instance, m.ballot, instance.accepted))

    def _report(self, leader: str, promise: Phase1b) -> None:
        """The leader goes by it, so it has to be on the disk."""
        self.send(leader, promise)

    def _accept(self, m: Phase2a) -> None:
        """`accept`."""
        instance = self._instance(m.place, m.instance)
        if not self._may_accept(instance, m.ballot):
            self.send(m.leader, Preempted(instance.promised))
            return
        accepted = Accepted(m.ballot, m.vote)
        if instance.accepted != accepted:
            instance.promised, instance.accepted = m.ballot, accepted
            self._log(AcceptedVote(m.place, m.instance, m.ballot, m.vote))
        self._confirm(m.leader, Phase2b(m.place.key, m.instance, m.ballot, m.vote))

    def _may_accept(self, instance: Instance, ballot: Ballot) -> bool:
        """Nothing below what was promised."""
        return instance.promised <= ballot

    def _confirm(self, leader: str, accepted: Phase2b) -> None:
        """The leader counts it, so it has to be on the disk."""
        self.send(leader, accepted)

    # Keeping and forgetting

    def _instance(self, place: Place, name: str) -> Instance:
        """The one of this participant. A later transaction of the client says that it has heard how the earlier ones ended."""
        entry = self.entries.get(place.key)
        if entry is None:
            entry = self.entries[place.key] = Entry(place)
            latest = self.latest.get(place.client, 0)
            if place.number > latest:
                self.latest[place.client] = place.number
                before = self.entries.get((place.client, latest))
                if before is not None and before.is_over:
                    del self.entries[place.client, latest]
        return entry.instances.setdefault(name, Instance())

    def _end(self, transaction: Transaction) -> None:
        """The participants have acknowledged. The client's last transaction is kept, since it may ask again."""
        client, number = transaction
        if number < self.latest[client]:
            self.entries.pop(transaction, None)
        else:
            self.entries[transaction].is_over = True

    def tick(self, now: int) -> None:
        """What nobody has called over is brought before one leader after another: its leader has crashed, or waits itself, or this
        acceptor was down when it was called so. A few at a time: nobody is waiting.
        """
        if not self._timers.tick():
            return
        self._timers.set("repeat", self.options.repeat_ticks)
        left = ASK_MAX
        for entry in self.entries.values():
            if entry.is_over:
                continue
            entry.ticks += self.options.repeat_ticks
            if entry.ticks >= self.options.finish_ticks and left:
                left -= 1
                entry.ticks, entry.asked = 0, entry.asked + 1
                self.send(self.options.leaders[entry.asked % len(self.options.leaders)], Inquire(entry.place))

    def _log(self, record: Record) -> None:
        self.persist(record)
        self._since_checkpoint += 1
        if self._since_checkpoint >= self.options.checkpoint_after:
            self._since_checkpoint = 0
            self.checkpoint(*self._state())

    def _state(self) -> Iterator[Record]:
        for entry in self.entries.values():
            for name, instance in entry.instances.items():
                if instance.accepted is not None:
                    yield AcceptedVote(entry.place, name, instance.accepted.ballot, instance.accepted.vote)
                if instance.accepted is None or instance.promised > instance.accepted.ballot:
                    yield PromisedBallot(entry.place, name, instance.promised)
        yield Ended(tuple(key for key, entry in self.entries.items() if entry.is_over))

    def status(self) -> dict[str, str | int | float | bool | None]:
        return {
            "name": self.name,
            "role": "acceptor",
            "kept": len(self.entries),
            "unfinished": sum(not entry.is_over for entry in self.entries.values()),
            "clients": len(self.latest),
        }
