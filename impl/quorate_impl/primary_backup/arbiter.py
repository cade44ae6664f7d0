"""The failover manager: it begins epochs, fences nodes, and appoints primaries. It sees no transaction.

There is one. While it is down the store goes on, and no failover happens. What it decides is on its disk before anybody hears
of it: an arbiter that forgot its epoch would appoint two primaries in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Core, Message, Record, Timers
from quorate_impl.primary_backup.messages import (
    Done,
    Execute,
    Facts,
    FailOver,
    Fence,
    Fenced,
    NotPrimary,
    Office,
    Open,
    Position,
    Promote,
    Query,
    Reign,
    Report,
    Response,
    Result,
    Status,
)
from quorate_impl.primary_backup.options import ARBITER, Options


class Arbiter(Core):
    """`latest` is the epoch that it has begun last, `primary` whom it has appointed in it; `fenced` where the logs of those
    end that obey nobody older.
    """

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.members = dict(members)
        self.nodes = tuple(each for each in members if each != ARBITER)
        self.latest = 0
        self.primary: str | None = None
        self.fenced: dict[str, Position] = {}
        self._serves = False
        self._forced = False
        self._asking: dict[tuple[str, int], None] = {}
        self._timers = Timers()
        self._since_checkpoint = 0
        for record in records:
            self._recover(record)

    def _recover(self, record: Record) -> None:
        if isinstance(record, Reign):
            self.latest, self.primary = record.epoch, record.primary

    def started(self) -> None:
        self._timers.set("repeat", self.options.heartbeat_ticks)
        self._timers.set("suspect", self.options.suspect_ticks)
        if self.latest == 0:
            self._suspect()

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    @property
    def elected(self) -> bool:
        """Whether the latest epoch has its primary."""
        return self.primary is not None

    def tick(self, now: int) -> None:
        for timer in self._timers.tick():
            match timer:
                case "repeat":
                    self._timers.set("repeat", self.options.heartbeat_ticks)
                    self._repeat()
                case "suspect" if self.elected:
                    self.note("suspects", primary=self.primary, epoch=self.latest)
                    self._suspect()
                case "grace":
                    self._promote()

    def _repeat(self) -> None:
        """Say again what may have been lost."""
        if self.primary is None:
            for name in self.nodes:
                if name not in self.fenced:
                    self._fence(name)
        elif not self._serves:
            self.send(self.primary, Promote(self.latest))

    def _suspect(self) -> None:
        """`suspect`: begin a new epoch."""
        self.latest += 1
        self.primary, self.fenced = None, {}
        self._serves = self._forced = False
        self._timers.cancel("grace")
        self._save()
        for name in self.nodes:
            self._fence(name)

    def _fence(self, name: str) -> None:
        """Ask for the promise. The epoch is on the disk before anybody hears of it (`send`)."""
        self.send(name, Fence(self.latest))

    def received(self, source: str, message: Message) -> None:
        match message:
            case Fenced(epoch, last) if epoch == self.latest and not self.elected and source in self.nodes:
                self._handle_fenced(source, last)
            case Report(epoch, office):
                self._handle_report(source, epoch, office)

    def _handle_fenced(self, source: str, last: Position) -> None:
        """When a majority is fenced, the others get a little time: one of them may have more of the asynchronous updates."""
        self.fenced[source] = last
        if len(self.fenced) == len(self.nodes):
            self._promote()
        elif self._is_enough() and not self._timers.runs("grace"):
            self._timers.set("grace", self.options.grace_ticks)

    def _is_enough(self) -> bool:
        return self._forced or 2 * len(self.fenced) > len(self.nodes)

    def _promote(self) -> None:
        """`promote`: appoint the node with the most complete log among those that are fenced."""
        if not self.elected and self.fenced and self._is_enough():
            self.primary = self._most_complete()
            self._save()
            self.note("appoints", primary=self.primary, epoch=self.latest, fenced=len(self.fenced))
            self._timers.cancel("grace")
            self._timers.set("suspect", self.options.suspect_ticks)
            self.send(self.primary, Promote(self.latest))

    def _most_complete(self) -> str:
        return max(self.nodes, key=lambda name: self.fenced.get(name, (-1, -1)))

    def _handle_report(self, source: str, epoch: int, office: Office) -> None:
        """The primary is in office, or another node has not heard of the latest epoch."""
        if epoch == self.latest and source == self.primary and office is Office.PRIMARY:
            self._timers.set("suspect", self.options.suspect_ticks)
            self._serves = True
            self._answer_failovers()
        elif epoch < self.latest and self.elected:
            self._fence(source)

    def requested(self, client: str, request: Message) -> None:
        match request:
            case Status(id):
                self._answer(client, id, Facts(self.status()))
            case FailOver(id, force):
                self._fail_over(client, id, force)
            case Open(id) | Execute(id) | Query(id):
                self._answer(client, id, NotPrimary(self.primary))

    def _fail_over(self, client: str, id: int, force: bool) -> None:
        """An operator suspects the primary, or has no majority left. Asked again, it is the same failover."""
        if (client, id) not in self._asking:
            self._asking[client, id] = None
            self.note("fails over", epoch=self.latest + 1, force=force)
            self._suspect()
            self._forced = force

    def _answer_failovers(self) -> None:
        asking, self._asking = self._asking, {}
        for client, id in asking:
            self._answer(client, id, Done())

    def _answer(self, client: str, id: int, result: Result) -> None:
        self.reply(client, Response(id, result))

    def _save(self) -> None:
        """Each record stands for all before it."""
        self._since_checkpoint += 1
        if self._since_checkpoint >= 100:
            self._since_checkpoint = 0
            self.checkpoint(Reign(self.latest, self.primary))
        else:
            self.persist(Reign(self.latest, self.primary))

    def status(self) -> dict[str, str | int | float | bool | None]:
        return {"name": self.name, "role": "arbiter", "epoch": self.latest, "primary": self.primary}
