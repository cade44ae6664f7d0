"""The coordinator, which the specification calls the transaction manager.

It decides in memory, forces a decision to commit to its log, and only then announces it. A decision to abort is not
logged for the participants: about a transaction that it does not know, a coordinator says "abort" (presumed abort). That
is safe because each start has transaction numbers of its own, so that no later attempt is mistaken for an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quorate_impl.core import Core, Message, Record, Timers
from quorate_impl.shop.messages import Answer, Facts, Order, Place, Status
from quorate_impl.shop.resources import participants
from quorate_impl.two_phase_commit.messages import (
    Acknowledged,
    Began,
    Committed,
    Conclude,
    Ended,
    Inquire,
    Prepare,
    Prepared,
    Refused,
    Told,
    Transaction,
)
from quorate_impl.two_phase_commit.options import Options


@dataclass
class Voting:
    """A transaction in its first phase: who has voted for it, and for how many ticks it is waited for the others."""

    place: Place
    client: str
    ticks: int
    prepared: set[str] = field(default_factory=set)


class Coordinator(Core):
    """One transaction for each purchase, over the order service and the inventories that it names."""

    members: Mapping[str, str] = {}
    """All nodes with their addresses, where there are any."""

    def __init__(self, name: str, records: Sequence[Record], inventories: Sequence[str], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.inventories = frozenset(inventories)
        self.start = 0
        self.count = 0
        self.voting: dict[Transaction, Voting] = {}
        self.committed: dict[Transaction, Place] = {}
        self.told: dict[str, Told] = {}
        self._missing: dict[Transaction, set[str]] = {}
        self._timers = Timers()
        self._since_checkpoint = 0
        for record in records:
            self._recover(record)

    def _recover(self, record: Record) -> None:
        """`restart_coordinator`: decisions to commit are in the log; what was voted on is not, and is aborted."""
        match record:
            case Began(start):
                self.start = start
            case Committed(transaction, place):
                self._take_decision(transaction, place)
            case Ended(transaction):
                del self.committed[transaction], self._missing[transaction]
            case Told(client):
                self.told[client] = record

    def started(self) -> None:
        self.start += 1
        self._log(Began(self.start))
        self._timers.set("repeat", self.options.repeat_ticks)

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    def requested(self, client: str, request: Message) -> None:
        """`ask` and `retry`: a purchase that was made before is told, and not made again."""
        if isinstance(request, Status):
            self.reply_at_once(client, Facts(self.status()))
            return
        assert isinstance(request, Place)
        told = self.told.get(request.client)
        if told is not None and request.number <= told.number:
            if request.number == told.number:
                self.reply(client, Answer(told.client, told.number, told.order))
            return
        for voting in self.voting.values():
            if voting.place.client == request.client:
                voting.client = client
                return
        if request.lines and self.inventories.issuperset(request.lines):
            self._begin(client, request)
        else:
            self._tell(client, request, Order.REJECTED)

    def _begin(self, client: str, place: Place) -> None:
        self.count += 1
        transaction = self.start, self.count
        self.voting[transaction] = Voting(place, client, self.options.vote_ticks)
        self._ask_for_votes(transaction)

    def _ask_for_votes(self, transaction: Transaction) -> None:
        """Ask whoever has not voted. The number of the start is on the disk before anybody hears it (`send`)."""
        voting = self.voting[transaction]
        over = min((*self.voting, *self.committed))
        for participant in participants(voting.place):
            if participant not in voting.prepared:
                self.send(participant, Prepare(transaction, over, voting.place))

    def received(self, source: str, message: Message) -> None:
        match message:
            case Prepared(transaction):
                self._receive_prepared(source, transaction)
            case Refused(transaction):
                if transaction in self.voting:
                    self._abort(transaction, Order.REJECTED)
            case Inquire(transaction):
                self._inform(source, transaction)
            case Acknowledged(transaction):
                self._receive_acknowledged(source, transaction)

    def _receive_prepared(self, source: str, transaction: Transaction) -> None:
        """`receive_prepared`."""
        if transaction not in self.voting:
            self._inform(source, transaction)
            return
        voting = self.voting[transaction]
        voting.prepared.add(source)
        if self._may_commit(voting):
            self._commit(transaction)

    def _may_commit(self, voting: Voting) -> bool:
        """`may_commit`: only all votes allow it."""
        return voting.prepared.issuperset(participants(voting.place))

    def _commit(self, transaction: Transaction) -> None:
        """`decide_to_commit`, `force_log`, `announce`: what is sent and replied waits for the log."""
        voting = self.voting.pop(transaction)
        self._take_decision(transaction, voting.place)
        self._force_log(transaction, voting.place)
        self._reply(voting.client, Answer(voting.place.client, voting.place.number, Order.CONFIRMED))
        self._announce(transaction)

    def _take_decision(self, transaction: Transaction, place: Place) -> None:
        self.committed[transaction] = place
        self._missing[transaction] = set(participants(place))
        self.told[place.client] = Told(place.client, place.number, Order.CONFIRMED)

    def _force_log(self, transaction: Transaction, place: Place) -> None:
        """`force_log`: the decision, and what the client is told, are one record."""
        self._log(Committed(transaction, place))

    def _reply(self, client: str, answer: Answer) -> None:
        self.reply(client, answer)

    def _announce(self, transaction: Transaction) -> None:
        """`announce`, to whoever has not acknowledged."""
        for participant in sorted(self._missing[transaction]):
            self.send(participant, Conclude(transaction, True))

    def _abort(self, transaction: Transaction, order: Order) -> None:
        """`give_up_waiting`, or a participant has refused. Nothing has to be logged before participants hear of it."""
        voting = self.voting.pop(transaction)
        for participant in participants(voting.place):
            self.send(participant, Conclude(transaction, False))
        self._tell(voting.client, voting.place, order)

    def _tell(self, client: str, place: Place, order: Order) -> None:
        """Answer what was not committed. It stays the answer, so it is written first."""
        told = Told(place.client, place.number, order)
        self.told[place.client] = told
        self._log(told)
        self._reply(client, Answer(place.client, place.number, order))

    def _inform(self, source: str, transaction: Transaction) -> None:
        """A participant does not know the decision; as long as there is none, it waits."""
        if transaction in self.committed:
            self.send(source, Conclude(transaction, True))
        elif transaction not in self.voting:
            self.send(source, Conclude(transaction, self._presumed()))

    def _presumed(self) -> bool:
        """Whether a transaction that is not in the log was committed: no."""
        return False

    def _receive_acknowledged(self, source: str, transaction: Transaction) -> None:
        """When all participants have committed, nobody will ask: the decision is forgotten."""
        if transaction in self.committed:
            missing = self._missing[transaction]
            missing.discard(source)
            if not missing:
                del self.committed[transaction], self._missing[transaction]
                self._log(Ended(transaction))

    def tick(self, now: int) -> None:
        for voting in self.voting.values():
            voting.ticks -= 1
        for transaction in [each for each, voting in self.voting.items() if voting.ticks <= 0]:
            self._abort(transaction, Order.CANCELLED)
        if self._timers.tick():
            self._timers.set("repeat", self.options.repeat_ticks)
            for transaction in self.voting:
                self._ask_for_votes(transaction)
            for transaction in self.committed:
                self._announce(transaction)

    def _log(self, record: Record) -> None:
        self.persist(record)
        self._since_checkpoint += 1
        if self._since_checkpoint >= self.options.checkpoint_after:
            self._since_checkpoint = 0
            decided = (Committed(transaction, place) for transaction, place in self.committed.items())
            self.checkpoint(Began(self.start), *decided, *self.told.values())

    def status(self) -> dict[str, str | int | float | bool | None]:
        return {
            "name": self.name,
            "role": "coordinator",
            "voting": len(self.voting),
            "unacknowledged": len(self.committed),
            "clients": len(self.told),
        }
