"""Mistakes in Paxos Commit, each as small as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from quorate_impl.core import Record
from quorate_impl.paxos_commit import Acceptor, Leader, Participant
from quorate_impl.paxos_commit.acceptor import Instance as Kept
from quorate_impl.paxos_commit.leader import Instance, Running
from quorate_impl.paxos_commit.messages import (
    OWN,
    Acknowledged,
    Ballot,
    Concluded,
    Phase1b,
    Phase2a,
    Phase2b,
    Transaction,
    Vote,
    Voted,
)
from quorate_impl.shop.messages import Place
from quorate_impl.shop.resources import Inventory

from tests.impl.paxos_commit.running import Program


class VotesBeforeLogging(Participant):
    """The vote can be taken back by a crash."""

    def _vote(self, leader: str, place: Place, vote: Vote) -> None:
        for acceptor in self.options.acceptors:
            self.send_at_once(acceptor, Phase2a(place, self.name, OWN, vote, leader))


class ForgetsRefusals(Participant):
    """Only promises are kept: after a crash, the vote may be another one."""

    def _recover(self, record: Record) -> None:
        if not (isinstance(record, Voted) and record.vote is Vote.ABORTED):
            super()._recover(record)


class ThePreparedAbort(Participant):
    """Who has waited for long goes home."""

    def tick(self, now: int) -> None:
        super().tick(now)
        for transaction in [each for each, waited in self.doubts.items() if waited >= 30]:
            self._conclude(transaction, False)
            self.log(Concluded(transaction, False))


class AcknowledgesBeforeLogging(Participant):
    """The acceptors may forget a commit that a crash takes back."""

    def _acknowledge(self, leader: str, transaction: Transaction) -> None:
        self.send_at_once(leader, Acknowledged(transaction))


class VotesAgain(Participant):
    """Asked again about what is over here, it votes by what it has now."""

    def _prepare(self, source: str, place: Place) -> None:
        if place.key not in self.prepared:
            self.rm.pop(place.client, None)
        super()._prepare(source, place)


class ConfirmsBeforeLogging(Acceptor):
    """A crash takes back what was accepted."""

    def _confirm(self, leader: str, accepted: Phase2b) -> None:
        self.send_at_once(leader, accepted)


class PromisesBeforeLogging(Acceptor):
    """A crash takes back what was promised."""

    def _report(self, leader: str, promise: Phase1b) -> None:
        self.send_at_once(leader, promise)


class AcceptsBelow(Acceptor):
    """Promises bind nobody."""

    def _may_accept(self, instance: Kept, ballot: Ballot) -> bool:
        return True


class ForgetsTheLast(Acceptor):
    """What participants have acknowledged is forgotten, although the client may ask again."""

    def _end(self, transaction: Transaction) -> None:
        self.entries.pop(transaction, None)


class CommitsByMajority(Leader):
    """Most participants are enough."""

    def _may_commit(self, running: Running) -> bool:
        prepared = sum(instance.chosen is Vote.PREPARED for instance in running.instances.values())
        return 2 * prepared > len(running.instances)


class AnyAcceptorIsEnough(Leader):
    """One acceptor's word is taken for a choice."""

    def _suffices(self, acceptors: Mapping[str, object] | set[str]) -> bool:
        return len(acceptors) > 0


class AlwaysFree(Leader):
    """A leader's ballot aborts, whatever was accepted."""

    def _found(self, instance: Instance) -> Vote:
        return Vote.ABORTED


class BallotsAgain(Leader):
    """A leader that starts again begins the same ballots."""

    def started(self) -> None:
        super().started()
        self.start = 0


class DecidesAlone(Leader):
    """A leader that has waited for long aborts, and tells everybody, as a coordinator of two-phase commit would."""

    def _begin_ballots(self, running: Running) -> None:
        running.verdict, running.missing = False, set(running.instances)
        self._repeat(running)


class LooksAtTheShelf(Inventory):
    """What others were promised counts as there."""

    def covers(self, place: Place, promised: Collection[Place]) -> bool:
        return self.available >= place.lines[self.name]


MISTAKES = {
    "voted before it is logged": Program(participant=VotesBeforeLogging),
    "refusals are not kept": Program(participant=ForgetsRefusals),
    "the prepared abort": Program(participant=ThePreparedAbort),
    "acknowledged before it is logged": Program(participant=AcknowledgesBeforeLogging),
    "a late request is voted on again": Program(participant=VotesAgain),
    "accepted before it is logged": Program(acceptor=ConfirmsBeforeLogging),
    "promised before it is logged": Program(acceptor=PromisesBeforeLogging),
    "accepted below the promise": Program(acceptor=AcceptsBelow),
    "the last transaction is forgotten": Program(acceptor=ForgetsTheLast),
    "committed by a majority": Program(leader=CommitsByMajority),
    "one acceptor is enough": Program(leader=AnyAcceptorIsEnough),
    "a leader's ballot is free": Program(leader=AlwaysFree),
    "ballots begin again": Program(leader=BallotsAgain),
    "a leader aborts alone": Program(leader=DecidesAlone),
    "promises to others are not counted": Program(inventory=LooksAtTheShelf),
}
"""What is wrong, and the program that has it wrong."""
