"""Mistakes that implementations of two-phase commit have made, each as small as it is."""

from __future__ import annotations

from collections.abc import Collection

from quorate_impl.core import Record
from quorate_impl.shop.messages import Answer, Order, Place
from quorate_impl.shop.resources import Inventory, participants
from quorate_impl.two_phase_commit import Coordinator, Participant
from quorate_impl.two_phase_commit.coordinator import Voting
from quorate_impl.two_phase_commit.messages import (
    Acknowledged,
    Conclude,
    Concluded,
    Ended,
    Prepared,
    Told,
    Transaction,
)

from tests.impl.two_phase_commit.running import Program


class LogsTheAnswerOnly(Coordinator):
    """The decision is not logged, only what the client was told."""

    def _force_log(self, transaction: Transaction, place: Place) -> None:
        self._log(Told(place.client, place.number, Order.CONFIRMED))

    def _recover(self, record: Record) -> None:
        if not isinstance(record, Ended):
            super()._recover(record)


class AnnouncesBeforeLogging(Coordinator):
    """Participants hear a decision that is not on the disk yet."""

    def _announce(self, transaction: Transaction) -> None:
        for participant in sorted(self._missing[transaction]):
            self.send_at_once(participant, Conclude(transaction, True))


class RepliesBeforeLogging(Coordinator):
    """The client hears a decision that is not on the disk yet."""

    def _reply(self, client: str, answer: Answer) -> None:
        self.reply_at_once(client, answer)


class CommitsByMajority(Coordinator):
    """Most votes are enough."""

    def _may_commit(self, voting: Voting) -> bool:
        return 2 * len(voting.prepared) > len(participants(voting.place))


class PresumesCommit(Coordinator):
    """A transaction that is not in the log was committed, and forgotten since."""

    def _presumed(self) -> bool:
        return True


class VotesBefore(Participant):
    def _vote(self, source: str, transaction: Transaction) -> None:
        self.send_at_once(source, Prepared(transaction))


class Forgets(Participant):
    def started(self) -> None:
        super().started()
        self.prepared.clear()


class Impatient(Participant):
    def tick(self, now: int) -> None:
        super().tick(now)
        if self._timers.runs("patience"):
            return
        self._timers.set("patience", 30)
        for transaction in list(self.prepared):
            self._conclude(transaction, False)
            self.log(Concluded(transaction, False))


class Acknowledges(Participant):
    def _acknowledge(self, source: str, transaction: Transaction) -> None:
        self.send_at_once(source, Acknowledged(transaction))


class PreparesAgain(Participant):
    def _prepare(self, source: str, transaction: Transaction, place: Place) -> None:
        self.concluded.clear()
        super()._prepare(source, transaction, place)


class LooksAtTheShelf(Inventory):
    """What others were promised counts as there."""

    def covers(self, place: Place, promised: Collection[Place]) -> bool:
        return self.available >= place.lines[self.name]


MISTAKES = {
    "the decision is not logged": Program(LogsTheAnswerOnly),
    "announced before it is logged": Program(AnnouncesBeforeLogging),
    "answered before it is logged": Program(RepliesBeforeLogging),
    "committed by a majority": Program(CommitsByMajority),
    "commit is presumed": Program(PresumesCommit),
    "voted before it is logged": Program(Coordinator, VotesBefore),
    "promises are forgotten at a restart": Program(Coordinator, Forgets),
    "the prepared abort": Program(Coordinator, Impatient),
    "acknowledged before it is logged": Program(Coordinator, Acknowledges),
    "a late request prepares again": Program(Coordinator, PreparesAgain),
    "promises to others are not counted": Program(inventory=LooksAtTheShelf),
}
"""What is wrong, and the program that has it wrong."""
