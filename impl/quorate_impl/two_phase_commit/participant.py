"""What all participants do, whatever data they have: the specification's resource managers.

A participant that is prepared has given its word: it can commit whatever happens, and it does neither, crash or not,
until it knows the decision. What it has promised stays reserved meanwhile.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from quorate_impl.core import Core, Message, Record, Timers
from quorate_impl.two_phase_commit.messages import (
    Acknowledged,
    Conclude,
    Concluded,
    Facts,
    Inquire,
    Kept,
    Place,
    Prepare,
    Prepared,
    Promised,
    Refused,
    Status,
    Transaction,
)
from quorate_impl.two_phase_commit.options import COORDINATOR, Options


class Participant(Core):
    """A resource manager. An heir has the data: what it can promise, and what a commit changes.

    `prepared` are the promises. `concluded` says of the transactions that are over here whether they were committed, as
    long as requests of them can come; all before `over` are over everywhere.
    """

    members: Mapping[str, str] = {}
    """All nodes with their addresses, where there are any."""

    def __init__(self, name: str, records: Sequence[Record], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.prepared: dict[Transaction, Place] = {}
        self.concluded: dict[Transaction, bool] = {}
        self.over: Transaction = (0, 0)
        self._timers = Timers()
        self._since_checkpoint = 0
        for record in records:
            self._recover(record)

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    def requested(self, client: str, request: Message) -> None:
        """An operator asks; purchases are the coordinator's affair, and are not answered here."""
        if isinstance(request, Status):
            self.reply_at_once(client, Facts(self.status()))

    # The data

    @abstractmethod
    def _is_locked(self, place: Place) -> bool:
        """Whether a promise stands in the way, so that a vote has to wait until it is concluded."""

    @abstractmethod
    def _covers(self, place: Place) -> bool:
        """Whether it can be promised, after all that is promised already."""

    @abstractmethod
    def _execute(self, place: Place) -> None:
        """What a commit changes."""

    @abstractmethod
    def _data(self) -> Record:
        """All data, for a checkpoint."""

    @abstractmethod
    def _restore(self, data: Record) -> None:
        """The data of a checkpoint."""

    # The protocol

    def _recover(self, record: Record) -> None:
        """`restart`: a promise is on disk and is kept, unfinished work is lost."""
        match record:
            case Promised(transaction, place):
                self.prepared[transaction] = place
            case Concluded(transaction, commit):
                self._conclude(transaction, commit)
            case Kept(over, concluded):
                self.over = over
                self.concluded = dict(concluded)
            case _:
                self._restore(record)

    def started(self) -> None:
        self._timers.set("inquire", 1)

    def received(self, source: str, message: Message) -> None:
        match message:
            case Prepare(transaction, over, place):
                self._forget(over)
                self._prepare(source, transaction, place)
            case Conclude(transaction, commit):
                self._obey(source, transaction, commit)

    def _forget(self, over: Transaction) -> None:
        """Whatever was before is not asked for again, unless by a message that was late."""
        if over > self.over:
            self.over = over
            self.concluded = {each: commit for each, commit in self.concluded.items() if each >= over}

    def _prepare(self, source: str, transaction: Transaction, place: Place) -> None:
        """`prepare` or `refuse`."""
        if transaction in self.prepared:
            self._vote(source, transaction)
        elif self._is_over(transaction) or self._is_locked(place):
            return
        elif self._covers(place):
            self.prepared[transaction] = place
            self._log(Promised(transaction, place))
            self._vote(source, transaction)
        else:
            self.send(source, Refused(transaction))

    def _vote(self, source: str, transaction: Transaction) -> None:
        """The vote waits until the promise is on the disk."""
        self.send(source, Prepared(transaction))

    def _is_over(self, transaction: Transaction) -> bool:
        return transaction < self.over or transaction in self.concluded

    def _obey(self, source: str, transaction: Transaction, commit: bool) -> None:
        """`obey`. A decision to abort that overtakes the request to prepare leaves a mark, and nothing is prepared."""
        if transaction in self.prepared:
            self._conclude(transaction, commit)
            self._log(Concluded(transaction, commit))
        elif not commit and not self._is_over(transaction):
            self.concluded[transaction] = False
        if commit and self._is_over(transaction):
            self._acknowledge(source, transaction)

    def _conclude(self, transaction: Transaction, commit: bool) -> None:
        place = self.prepared.pop(transaction)
        self.concluded[transaction] = commit
        if commit:
            self._execute(place)

    def _acknowledge(self, source: str, transaction: Transaction) -> None:
        """The coordinator forgets the decision then, so the commit has to be on the disk."""
        self.send(source, Acknowledged(transaction))

    def tick(self, now: int) -> None:
        if self._timers.tick():
            self._timers.set("inquire", self.options.repeat_ticks)
            for transaction in self.prepared:
                self.send(COORDINATOR, Inquire(transaction))

    def _log(self, record: Record) -> None:
        self.persist(record)
        self._since_checkpoint += 1
        if self._since_checkpoint >= self.options.checkpoint_after:
            self._since_checkpoint = 0
            promises = (Promised(transaction, place) for transaction, place in self.prepared.items())
            self.checkpoint(self._data(), Kept(self.over, tuple(self.concluded.items())), *promises)

    def status(self) -> dict[str, str | int | float | bool | None]:
        return {"name": self.name, "prepared": len(self.prepared)}
