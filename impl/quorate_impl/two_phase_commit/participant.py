"""What all participants do, whatever data they have: the specification's resource managers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quorate_impl.core import Message, Record, Timers
from quorate_impl.shop.manager import ResourceManager
from quorate_impl.shop.messages import Place
from quorate_impl.shop.resources import Resource
from quorate_impl.two_phase_commit.messages import (
    Acknowledged,
    Conclude,
    Concluded,
    Inquire,
    Kept,
    Prepare,
    Prepared,
    Promised,
    Refused,
    Transaction,
)
from quorate_impl.two_phase_commit.options import COORDINATOR, Options


class Participant(ResourceManager[Transaction]):
    """A resource manager. `prepared` are its promises. `concluded` says of the transactions that are over here whether they were
    committed, as long as requests of them can come; all before `over` are over everywhere.
    """

    def __init__(self, name: str, records: Sequence[Record], resource: Resource, options: Options) -> None:
        super().__init__(name, resource, options.checkpoint_after)
        self.options = options
        self.concluded: dict[Transaction, bool] = {}
        self.over: Transaction = (0, 0)
        self._timers = Timers()
        for record in records:
            self._recover(record)

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
                self.resource.restore(record)

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
        elif self._is_over(transaction) or self.resource.is_locked(place, self.prepared.values()):
            return
        elif self.covers(place):
            self.prepared[transaction] = place
            self.log(Promised(transaction, place))
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
            self.log(Concluded(transaction, commit))
        elif not commit and not self._is_over(transaction):
            self.concluded[transaction] = False
        if commit and self._is_over(transaction):
            self._acknowledge(source, transaction)

    def _conclude(self, transaction: Transaction, commit: bool) -> None:
        place = self.prepared.pop(transaction)
        self.concluded[transaction] = commit
        if commit:
            self.resource.execute(place)

    def _acknowledge(self, source: str, transaction: Transaction) -> None:
        """The coordinator forgets the decision then, so the commit has to be on the disk."""
        self.send(source, Acknowledged(transaction))

    def tick(self, now: int) -> None:
        if self._timers.tick():
            self._timers.set("inquire", self.options.repeat_ticks)
            for transaction in self.prepared:
                self.send(COORDINATOR, Inquire(transaction))

    def state(self) -> Iterator[Record]:
        yield Kept(self.over, tuple(self.concluded.items()))
        for transaction, place in self.prepared.items():
            yield Promised(transaction, place)
