"""What a node is: epoch, office, log, state; how it comes back from its disk, and how its log changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from quorate_impl.core import Core, Record
from quorate_impl.primary_backup.log import Log
from quorate_impl.primary_backup.messages import (
    Answer,
    Append,
    Begin,
    Command,
    Done,
    Entry,
    HardState,
    Office,
    Opened,
    Position,
    Response,
    Result,
    Session,
    Snapshot,
)
from quorate_impl.primary_backup.options import ARBITER, Options
from quorate_impl.primary_backup.store import Store


class Replica(Core):
    """The state that all parts of a node share.

    All up to `safe` is on the disks of a majority, all up to `everywhere` on every disk, as far as this node knows; all up
    to `stored` is on its own. `_writing` has the writes of entries that are not durable yet, by number and last index.
    """

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.members = dict(members)
        self.nodes = tuple(each for each in members if each != ARBITER)
        self.epoch = 0
        self.office = Office.BACKUP
        self.log = Log()
        self.store = Store()
        self.safe = 0
        self.everywhere = 0
        self.primary: str | None = None
        self._snapshot: Snapshot | None = None
        self._checkpointing = 0
        self._recover(records)
        self.stored = self._saved = self.log.last_index
        self._writing: deque[tuple[int, int]] = deque()

    def _recover(self, records: Sequence[Record]) -> None:
        """`restart`: come back in the office and with the log that are on the disk."""
        for record in records:
            match record:
                case HardState(epoch, office):
                    self.epoch, self.office = epoch, office
                case Append(index, entries):
                    self.log.replace(index, entries)
                case Snapshot(last_index, epochs):
                    self.log.reset(last_index, epochs)
                    self._snapshot = record
        self._compute()

    def _compute(self) -> None:
        """The state that the log leads to, from the last snapshot on."""
        self.store = Store()
        if self._snapshot is not None:
            self.store.restore(self._snapshot.state)
        for index in range(self._snapshot_index + 1, self.log.last_index + 1):
            self._execute(index)

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    @property
    def _snapshot_index(self) -> int:
        return self._snapshot.last_index if self._snapshot is not None else 0

    def _execute(self, index: int) -> Answer | Opened:
        position = self.log.position(index)
        match self.log.entry(index).payload:
            case Command() as command:
                return self.store.execute(command, position)
            case Session():
                self.store.open(position)
                return Opened(position)
            case Begin():
                return Done(position)

    def _save_state(self) -> None:
        """Write epoch and office. No message that depends on them goes out before they are durable."""
        self.persist(HardState(self.epoch, self.office))

    # The log

    def _append(self, payload: Begin | Session | Command) -> tuple[int, Answer | Opened]:
        """Append to the own log and execute it; `settled` writes it. Returns its index and its result."""
        index = self.log.last_index + 1
        self.log.replace(index, [Entry(self.epoch, payload)])
        return index, self._execute(index)

    def _save_entries(self) -> None:
        entries = self.log.after(self._saved)
        if entries:
            self._write(self.persist(Append(self._saved + 1, entries)))

    def _write(self, number: int) -> None:
        """The write of this number makes the log durable up to its end."""
        self._saved = self.log.last_index
        self._writing.append((number, self._saved))

    def _cut(self, index: int) -> None:
        """The entries from `index` on give way to those of a later primary, and what they led to is undone."""
        if index <= self.everywhere:
            raise AssertionError(f"a primary replaces entry {index}, which every node has stored")
        self.note("truncates", first=index, last=self.log.last_index)
        self.log.replace(index, ())
        self._fit(index - 1)
        self._compute()

    def _fit(self, last: int) -> None:
        """The log has been cut to `last`, and what was known of entries after it is void."""
        self.stored, self._saved = min(self.stored, last), min(self._saved, last)
        self.safe = min(self.safe, last)
        self._writing = deque((number, min(end, last)) for number, end in self._writing)

    def persisted(self) -> None:
        while self._writing and self._writing[0][0] <= self.durable:
            self.stored = max(self.stored, self._writing.popleft()[1])

    # Snapshots

    def _take_snapshot(self) -> None:
        """The state in the place of the log. A few entries are kept in memory, for stragglers."""
        self.store.bury(self.everywhere)
        last = self.log.last_index
        self._save_snapshot(Snapshot(last, tuple(self.log.epochs), self.store.snapshot()))
        self.log.compact(last - self.options.entries_kept)

    def _save_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._checkpointing = self.checkpoint(snapshot, HardState(self.epoch, self.office))
        self._write(self._checkpointing)
        self.note("snapshot", last_index=snapshot.last_index, bytes=len(snapshot.state))

    # Answers

    def _answer(self, client: str, id: int, result: Result) -> None:
        """What is answered depends on the own disk only where the caller has waited for it."""
        self.reply_at_once(client, Response(id, result))

    def _answer_when_durable(self, client: str, id: int, result: Result) -> None:
        self.reply(client, Response(id, result))

    def _has_lost(self, position: Position) -> bool:
        """Whether the log will never have the position: a majority goes on with an epoch that began without it."""
        supplanted = self.log.supplanted_at(position)
        return supplanted is not None and supplanted <= self.safe

    def _step_aside(self) -> None:
        """The node is about to be a backup of another."""

    def _obey(self, epoch: int, primary: str | None) -> None:
        """Promise not to obey a primary older than this epoch, and be a backup in it."""
        if epoch > self.epoch:
            if self.office is Office.PRIMARY:
                self._step_aside()
            self.epoch, self.office = epoch, Office.BACKUP
            self._save_state()
            self.primary = None
        if primary is not None and primary != self.primary:
            self.note("follows", epoch=epoch, primary=primary)
            self.primary = primary
