"""A primary/backup store, as a core: synchronous, semi-synchronous or asynchronous for each transaction.

Read it beside the specification `primary_backup`: each handler names the action that it is. `Payments` is the mix of
schemes, `ReadAnyReplica` what reads without a token are. The parts are classes, each an heir of the one before it: `Replica`,
`Replication`, `Reads`; `Arbiter` is the failover manager. What a program adds to the specification:

- *Messages carry what is missing*, where those of the specification carry the whole log.
- *What is said waits for the disk*: that something is stored, that an epoch is obeyed (`Core.send`).
- *Reads wait for a majority*, which the specification asks in one step.

Sources: Alsberg & Day 1976; Budhiraja, Marzullo, Schneider & Toueg 1993; Liskov & Cowling 2012; Terry et al. 1994.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Message, Record, Timers
from quorate_impl.primary_backup.messages import (
    Command,
    Consistency,
    Execute,
    Facts,
    FailOver,
    Fence,
    Fenced,
    Get,
    NotPrimary,
    Office,
    Open,
    Piece,
    PieceStored,
    Promote,
    Query,
    Refused,
    Replicate,
    Report,
    Session,
    Status,
    Stored,
    Unfit,
)
from quorate_impl.primary_backup.options import ARBITER, Options
from quorate_impl.primary_backup.reads import Reads


class PrimaryBackup(Reads):
    """One node: its events, each given to the part that it belongs to."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._timers = Timers()

    def started(self) -> None:
        if self.in_office():
            self._begin()
        self._timers.set("heartbeat", self.options.heartbeat_ticks)

    def tick(self, now: int) -> None:
        if self._timers.tick():
            self._timers.set("heartbeat", self.options.heartbeat_ticks)
            self.send(ARBITER, Report(self.epoch, self.office))
            if self.in_office() and self._has_begun():
                self._heartbeat()

    def received(self, source: str, message: Message) -> None:
        match message:
            case Replicate():
                self._handle_replicate(source, message)
            case Stored():
                self._handle_stored(source, message)
            case Unfit():
                self._handle_unfit(source, message)
            case Piece():
                self._handle_piece(source, message)
            case PieceStored():
                self._handle_piece_stored(source, message)
            case Fence(epoch):
                self._handle_fence(source, epoch)
            case Promote(epoch):
                self._handle_promote(epoch)

    def _handle_fence(self, source: str, epoch: int) -> None:
        """`fence`: obey no older primary, and say how complete the own log is."""
        if epoch >= self.epoch:
            self._obey(epoch, None)
            if not self.in_office():
                self.send(source, Fenced(epoch, self.log.last))

    def _handle_promote(self, epoch: int) -> None:
        """`promote`: be the primary of the epoch to which the node has promised itself."""
        if epoch == self.epoch and not self.in_office():
            self.office = Office.PRIMARY
            self._save_state()
            self.note("takes office", epoch=epoch)
            self._begin()

    def requested(self, client: str, request: Message) -> None:
        match request:
            case Status(id):
                self._answer(client, id, Facts(self.status()))
            case Query(get=get) if get.consistency is not Consistency.LATEST:
                self._read_here(client, request)
            case Open(id) | Execute(id) | Query(id) if not self.in_office() or self._is_deposed(request):
                self._answer(client, id, NotPrimary(None if self.in_office() else self.primary))
            case Open(id):
                self._submit(client, id, Session())
            case Execute(id, session, number, answered, token, update):
                has_lost = not self.log.has(*token)
                self._submit(client, id, Command(session, number, answered, update), has_lost)
            case Query():
                self._read_latest(client, request)
            case FailOver(id):
                self._answer(client, id, Refused("a failover is the arbiter's affair"))

    def _is_deposed(self, request: Message) -> bool:
        """Whether the client has seen a later epoch: then there is a later primary."""
        match request:
            case Execute(token=token) | Query(get=Get(token=token)):
                return token[0] > self.epoch
        return False

    def persisted(self) -> None:
        super().persisted()
        if self.in_office():
            self._count()

    def settled(self) -> None:
        """Write and send what was gathered."""
        if self.in_office():
            self._save_entries()
            for name in self._progress:
                self._replicate(name)
            self._begin_read_round()
            self._end_read_round()
            self._acknowledge()  # An update that was executed before may be durable enough already.
        if self.log.last_index - self._snapshot_index >= self.options.snapshot_after:
            self._snapshot_when_idle()

    def _snapshot_when_idle(self) -> None:
        if self._checkpointing <= self.durable:
            self._take_snapshot()

    def status(self) -> dict[str, str | int | float | bool | None]:
        facts: dict[str, str | int | float | bool | None] = {
            "name": self.name,
            "role": self.office.value,
            "epoch": self.epoch,
            "primary": self.primary,
            "last_index": self.log.last_index,
            "durable_index": self.stored,
            "safe_index": self.safe,
            "everywhere_index": self.everywhere,
            "snapshot_index": self._snapshot_index,
            "stale_reads": self.stale_reads,
            "refused_reads": self.refused_reads,
        }
        for name, backup in self._progress.items():
            facts[f"lag_{name}"] = self.log.last_index - backup.match
        return facts
