"""The specification's resource managers: they vote once, in ballot 0 of their own instance, and obey the verdict.

What a participant keeps for good is the last transaction of each client. A later one is voted on when the earlier one is over
here, and an earlier one is never voted on again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from quorate_impl.core import Message, Record, Timers
from quorate_impl.paxos_commit.messages import (
    OWN,
    Acknowledged,
    Concluded,
    Inquire,
    Phase2a,
    Prepare,
    Probe,
    Stood,
    Transaction,
    Verdict,
    Vote,
    Voted,
)
from quorate_impl.paxos_commit.options import Options
from quorate_impl.shop.manager import ResourceManager
from quorate_impl.shop.messages import Place
from quorate_impl.shop.resources import Resource


class RM(Enum):
    """Where the participant stands in a transaction; in one that it does not know of, it is working."""

    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(frozen=True)
class Part:
    """The last transaction of a client: its number, what was voted, if anything, and what has become of it."""

    number: int
    vote: Vote | None
    state: RM


NONE = Part(0, None, RM.ABORTED)
"""Before a client's first transaction, whose number is 1."""


class Participant(ResourceManager[Transaction]):
    """A resource manager. `rm` has its part in the last transaction of each client, `prepared` the purchases it has promised, and
    `doubts` for how many ticks it has waited for their verdicts.
    """

    def __init__(self, name: str, records: Sequence[Record], resource: Resource, options: Options) -> None:
        super().__init__(name, resource, options.checkpoint_after)
        self.options = options
        self.rm: dict[str, Part] = {}
        self.doubts: dict[Transaction, int] = {}
        self._timers = Timers()
        for record in records:
            self._recover(record)

    def _recover(self, record: Record) -> None:
        """What was voted, and what was obeyed, is on the disk."""
        match record:
            case Voted(place, vote):
                self._stand(place, vote)
            case Concluded(transaction, commit):
                self._conclude(transaction, commit)
            case Stood((client, number), vote, commit):
                self.rm[client] = Part(number, vote, RM.COMMITTED if commit else RM.ABORTED)
            case _:
                self.resource.restore(record)

    def started(self) -> None:
        self._timers.set("repeat", self.options.repeat_ticks)

    def received(self, source: str, message: Message) -> None:
        match message:
            case Prepare(place):
                self._prepare(source, place)
            case Verdict(transaction, commit):
                self._obey(source, transaction, commit)
            case Probe(transaction) if transaction in self.prepared:
                self.send(source, Inquire(self.prepared[transaction]))
            case Probe(transaction):
                self._acknowledge_over(source, transaction)

    def _prepare(self, source: str, place: Place) -> None:
        """`prepare` or `choose_to_abort`. Asked again, it votes the same again, or is silent: a leader's ballot ends it then."""
        part = self.rm.get(place.client, NONE)
        if part.number > place.number:
            return
        if part.number == place.number:
            if part.vote is not None:
                self._vote(source, place, part.vote)
        elif part.state is RM.PREPARED:
            self.send(source, Inquire(self.prepared[place.client, part.number]))
        else:
            vote = Vote.PREPARED if self.covers(place) else Vote.ABORTED
            self._stand(place, vote)
            self.log(Voted(place, vote))
            self._vote(source, place, vote)

    def _stand(self, place: Place, vote: Vote) -> None:
        if vote is Vote.PREPARED:
            self.rm[place.client] = Part(place.number, vote, RM.PREPARED)
            self.prepared[place.key] = place
            self.doubts[place.key] = 0
        else:
            self.rm[place.client] = Part(place.number, vote, RM.ABORTED)

    def _vote(self, leader: str, place: Place, vote: Vote) -> None:
        """The vote waits until it is on the disk."""
        for acceptor in self.options.acceptors:
            self.send(acceptor, Phase2a(place, self.name, OWN, vote, leader))

    def _obey(self, source: str, transaction: Transaction, commit: bool) -> None:
        """`obey_commit` or `obey_abort`. Who hears of an abort before it has voted writes that down, and does not vote later."""
        client, number = transaction
        part = self.rm.get(client, NONE)
        is_new = part.number < number and part.state is not RM.PREPARED and not commit
        if transaction in self.prepared or is_new:
            self._conclude(transaction, commit)
            self.log(Concluded(transaction, commit))
        self._acknowledge_over(source, transaction)

    def _acknowledge_over(self, source: str, transaction: Transaction) -> None:
        """If it is over here, and will never be voted on."""
        client, number = transaction
        if transaction not in self.prepared and number <= self.rm.get(client, NONE).number:
            self._acknowledge(source, transaction)

    def _conclude(self, transaction: Transaction, commit: bool) -> None:
        client, number = transaction
        place = self.prepared.pop(transaction, None)
        self.doubts.pop(transaction, None)
        vote = None if place is None else Vote.PREPARED
        self.rm[client] = Part(number, vote, RM.COMMITTED if commit else RM.ABORTED)
        if commit and place is not None:
            self.resource.execute(place)

    def _acknowledge(self, leader: str, transaction: Transaction) -> None:
        """The acceptors forget the transaction then, so what was done has to be on the disk."""
        self.send(leader, Acknowledged(transaction))

    def tick(self, now: int) -> None:
        """Who is in doubt for long asks one leader after another."""
        if not self._timers.tick():
            return
        self._timers.set("repeat", self.options.repeat_ticks)
        leaders, repeat = self.options.leaders, self.options.repeat_ticks
        for transaction, waited in self.doubts.items():
            self.doubts[transaction] = waited + repeat
            if waited >= self.options.doubt_ticks:
                self.send(leaders[waited // repeat % len(leaders)], Inquire(self.prepared[transaction]))

    def state(self) -> Iterator[Record]:
        for client, part in self.rm.items():
            if part.state is RM.PREPARED:
                yield Voted(self.prepared[client, part.number], Vote.PREPARED)
            else:
                yield Stood((client, part.number), part.vote, part.state is RM.COMMITTED)
