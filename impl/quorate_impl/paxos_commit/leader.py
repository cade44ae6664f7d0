"""The leaders, each of which can begin a transaction and end any: the coordinator that others replace.

A leader writes nothing but the number of its start, which makes its ballots its own. What was decided is with the acceptors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quorate_impl.core import Core, Message, Record, Timers
from quorate_impl.paxos_commit.messages import (
    OWN,
    Accepted,
    Acknowledged,
    Ballot,
    Began,
    Inquire,
    Over,
    Phase1a,
    Phase1b,
    Phase2a,
    Phase2b,
    Preempted,
    Prepare,
    Probe,
    Transaction,
    Verdict,
    Vote,
)
from quorate_impl.paxos_commit.options import Options
from quorate_impl.shop.messages import Answer, Facts, Order, Place, Status
from quorate_impl.shop.resources import participants


@dataclass
class Instance:
    """One participant's vote, as far as this leader has heard: in which ballot of its own it is, what acceptors have promised and
    it has proposed there, who has accepted what in which ballot, and what was chosen.
    """

    ballot: Ballot = OWN
    promises: dict[str, Accepted | None] = field(default_factory=dict)
    proposed: Vote | None = None
    accepted: dict[tuple[Ballot, Vote], set[str]] = field(default_factory=dict)
    chosen: Vote | None = None


@dataclass
class Running:
    """A transaction that is not over: for how many ticks votes or a ballot are waited for, how often there was a ballot, and, when
    there is a verdict, who has not acknowledged it.
    """

    place: Place
    client: str | None
    ticks: int
    instances: dict[str, Instance]
    attempts: int = 0
    verdict: bool | None = None
    missing: set[str] = field(default_factory=set)


class Leader(Core):
    """Leads the transactions that it is asked for, or asked to end."""

    members: Mapping[str, str] = {}
    """All nodes with their addresses, where there are any."""

    def __init__(self, name: str, records: Sequence[Record], inventories: Sequence[str], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.inventories = frozenset(inventories)
        self.start = 0
        self.round = 0
        self.running: dict[Transaction, Running] = {}
        self.told: dict[str, Answer] = {}
        self._late = options.leaders.index(name) / len(options.leaders)
        self._promised: dict[tuple[Transaction, str], None] = {}
        self._over: list[Transaction] = []
        self._timers = Timers()
        for record in records:
            assert isinstance(record, Began)
            self.start = record.start

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    def started(self) -> None:
        """No ballot of an earlier start is begun again: nobody hears of one before the number is on the disk (`send`)."""
        self.start += 1
        self.checkpoint(Began(self.start))
        self._timers.set("repeat", self.options.repeat_ticks)

    def requested(self, client: str, request: Message) -> None:
        """A purchase is begun, or one that was begun is told or ended: what was decided stays, whoever led."""
        if isinstance(request, Status):
            self.reply_at_once(client, Facts(self.status()))
            return
        assert isinstance(request, Place)
        told = self.told.get(request.client)
        if told is not None and request.number <= told.number:
            if request.number == told.number:
                self.reply(client, told)
        elif request.key in self.running:
            self.running[request.key].client = client
        elif request.lines and self.inventories.issuperset(request.lines):
            running = self.lead(request, client, self._patience(self.options.vote_ticks))
            self._repeat(running)
        else:
            self.reply(client, Answer(request.client, request.number, Order.REJECTED))

    def lead(self, place: Place, client: str | None, ticks: int) -> Running:
        """From now on, until it is over; there is no ballot of its own for so many ticks."""
        running = Running(place, client, ticks, {name: Instance() for name in participants(place)})
        self.running[place.key] = running
        return running

    def _patience(self, ticks: int) -> int:
        """Leaders that wait for the same time would get into each other's way for long."""
        return ticks + int(ticks * self._late)

    def received(self, source: str, message: Message) -> None:
        match message:
            case Phase2b():
                self._count(source, message)
            case Acknowledged(transaction):
                self._receive_acknowledged(source, transaction)
            case Phase1b():
                self._receive_promise(source, message)
            case Preempted(ballot):
                self.round = max(self.round, ballot[0])
            case Inquire(place):
                self._inform(source, place)

    # Ballots

    def _begin_ballots(self, running: Running) -> None:
        """A ballot of each instance that has chosen nothing yet. No round comes twice, although transactions may.

        Patience doubles, up to 16 times: with many transactions to end, answers may be slow because leaders ask so often.
        """
        self.round += 1
        running.ticks = self._patience(self.options.ballot_ticks) << min(running.attempts, 4)
        running.attempts += 1
        for name, instance in running.instances.items():
            if instance.chosen is None:
                self.begin_ballot(running.place, name, self.round)

    def begin_ballot(self, place: Place, name: str, round: int) -> None:
        """`begin_ballot`."""
        instance = self.running[place.key].instances[name]
        instance.ballot, instance.proposed = (round, self.start, self.name), None
        instance.promises.clear()
        for acceptor in self.options.acceptors:
            self.send(acceptor, Phase1a(place, name, instance.ballot))

    def _receive_promise(self, acceptor: str, m: Phase1b) -> None:
        running = self.running.get(m.transaction)
        instance = running.instances.get(m.instance) if running is not None else None
        if instance is not None and instance.ballot == m.ballot and instance.proposed is None:
            instance.promises[acceptor] = m.accepted
            if self._suffices(instance.promises):
                self._promised[m.transaction, m.instance] = None

    def settled(self) -> None:
        """`propose`, by all promises that are at hand."""
        if self._promised:
            for transaction, name in self._promised:
                if transaction in self.running:
                    running = self.running[transaction]
                    instance = running.instances[name]
                    if instance.proposed is None and self._suffices(instance.promises):
                        instance.proposed = self._found(instance)
                        m = Phase2a(running.place, name, instance.ballot, instance.proposed, self.name)
                        for acceptor in self.options.acceptors:
                            self.send(acceptor, m)
            self._promised.clear()

    def _suffices(self, acceptors: Mapping[str, object] | set[str]) -> bool:
        """`suffices`."""
        return len(acceptors) >= self.options.quorum

    def _found(self, instance: Instance) -> Vote:
        """The vote of the highest ballot that anybody has accepted in; if nobody has, it is free, and that is to abort."""
        votes = [accepted for accepted in instance.promises.values() if accepted is not None]
        return max(votes, key=lambda each: each.ballot).vote if votes else Vote.ABORTED

    # Verdicts

    def _count(self, acceptor: str, m: Phase2b) -> None:
        """`chosen`: a quorum has accepted it in one ballot, whoever proposed it."""
        running = self.running.get(m.transaction)
        instance = running.instances.get(m.instance) if running is not None else None
        if running is None or instance is None or running.verdict is not None:
            return
        acceptors = instance.accepted.setdefault((m.ballot, m.vote), set())
        acceptors.add(acceptor)
        if instance.chosen is None and self._suffices(acceptors):
            instance.chosen = m.vote
            if m.vote is Vote.ABORTED:
                self._decide(running, Order.REJECTED if m.ballot == OWN else Order.CANCELLED)
            elif self._may_commit(running):
                self._decide(running, Order.CONFIRMED)

    def _may_commit(self, running: Running) -> bool:
        """Only if every instance has chosen "prepared"."""
        return all(instance.chosen is Vote.PREPARED for instance in running.instances.values())

    def _decide(self, running: Running, order: Order) -> None:
        """`decide_to_commit` or `decide_to_abort`. Nothing has to be written: the acceptors have it."""
        place = running.place
        running.verdict = order is Order.CONFIRMED
        running.missing = set(running.instances)
        answer = Answer(place.client, place.number, order)
        told = self.told.get(place.client)
        if told is None or told.number < place.number:
            self.told[place.client] = answer
        if running.client is not None:
            self.reply(running.client, answer)
        self._repeat(running)

    def _receive_acknowledged(self, participant: str, transaction: Transaction) -> None:
        """When all have obeyed, nobody will ask but the client."""
        running = self.running.get(transaction)
        if running is not None and participant in running.missing:
            running.missing.discard(participant)
            if not running.missing:
                del self.running[transaction]
                self._over.append(transaction)

    def _inform(self, source: str, place: Place) -> None:
        """Somebody has waited for long. What a participant is in doubt about is ended by a ballot at once. What an acceptor keeps is over
        at the participants, most often, so that it is enough to hear them; if they are silent, a ballot follows.
        """
        running = self.running.get(place.key)
        is_kept = source in self.options.acceptors
        if running is None:
            running = self.lead(place, None, self._patience(self.options.ballot_ticks))
            running.missing = set(running.instances)
            if is_kept:
                self._repeat(running)
        if running.verdict is not None:
            if source in running.missing:
                self.send(source, Verdict(place.key, running.verdict))
        elif running.missing and not is_kept and not running.attempts:
            self._begin_ballots(running)

    # Time

    def tick(self, now: int) -> None:
        for running in self.running.values():
            if running.verdict is None:
                running.ticks -= 1
                if running.ticks <= 0:
                    self._begin_ballots(running)
        if self._timers.tick():
            self._timers.set("repeat", self.options.repeat_ticks)
            for running in self.running.values():
                self._repeat(running)
            if self._over:
                over, self._over = tuple(self._over), []
                for acceptor in self.options.acceptors:
                    self.send(acceptor, Over(over))

    def _repeat(self, running: Running) -> None:
        """Say again what was not answered: a verdict, a question for one, a request to vote. After a ballot there is another one."""
        place, verdict = running.place, running.verdict
        if running.missing:
            for name in running.instances:
                if name in running.missing:
                    self.send(name, Probe(place.key) if verdict is None else Verdict(place.key, verdict))
            return
        for name, instance in running.instances.items():
            if instance.chosen is None and instance.ballot == OWN:
                self.send(name, Prepare(place))

    def status(self) -> dict[str, str | int | float | bool | None]:
        undecided = sum(running.verdict is None for running in self.running.values())
        return {
            "name": self.name,
            "role": "coordinator",
            "voting": undecided,
            "unacknowledged": len(self.running) - undecided,
            "start": self.start,
            "clients": len(self.told),
        }
