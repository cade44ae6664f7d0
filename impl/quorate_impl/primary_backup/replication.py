"""How the log gets from the primary to its backups, and when a client is told "done".

The primary ships what its own disk has, as PostgreSQL does: so no backup is ever ahead of it, and it may go on in its epoch
when it restarts. Messages are batches. While a backup agrees, they follow each other without waiting; a refusal shows that
one was lost, or that the logs differ, and the primary goes back. Each epoch begins with an entry of its own, and what a
majority has stored counts from there on (as in Raft, section 5.4.2, where an entry of an earlier term is not committed by
counting): a backup whose log ends in a later epoch is more complete, whatever its length.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import msgspec

from quorate_impl.core import Record
from quorate_impl.primary_backup.messages import (
    Append,
    Begin,
    Command,
    Done,
    Entry,
    Mismatch,
    NotPrimary,
    Office,
    Piece,
    PieceStored,
    Replicate,
    Result,
    Scheme,
    Session,
    Snapshot,
    Stored,
    Unfit,
)
from quorate_impl.primary_backup.options import Options
from quorate_impl.primary_backup.progress import Progress, Transfer, Waiting
from quorate_impl.primary_backup.replica import Replica


class Replication(Replica):
    """`_waiting` has, for each scheme, the clients whose entry is not durable enough yet, by index."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._progress: dict[str, Progress] = {}
        self._waiting: dict[Scheme, list[tuple[int, int, Waiting]]] = {scheme: [] for scheme in Scheme}
        self._waited = 0
        self._round = 0
        self._state_number = 0
        self._incoming: tuple[int, int, bytearray] | None = None

    def _save_state(self) -> None:
        super()._save_state()
        self._state_number = self.written

    # The primary

    def _begin(self) -> None:
        """Take office: with an entry of the new epoch, unless it is in the log already."""
        self.primary = self.name
        self._progress = {name: Progress(self.log.last_index + 1) for name in self.nodes if name != self.name}
        self._round = 0
        if self.log.epoch_at(self.log.last_index) != self.epoch:
            self._append(Begin())

    def _has_begun(self) -> bool:
        """Whether the epoch is on the own disk: nobody hears of it before."""
        return self.log.epoch_at(self.stored) == self.epoch

    def _submit(self, client: str, id: int, payload: Session | Command, has_lost: bool = False) -> None:
        """`submit`, unless it is in the log already. The client is told if the log does not have what it had seen before."""
        scheme = payload.update.scheme if isinstance(payload, Command) else Scheme.SEMI_SYNCHRONOUS
        known = self.store.answer(payload.session, payload.number) if isinstance(payload, Command) else None
        result: Result
        if known is not None:
            index, result = known.position[1], known
        else:
            index, result = self._append(payload)
        if has_lost and isinstance(result, Done | Mismatch):
            result = msgspec.structs.replace(result, lost=True)
        self._wait(Waiting(index, client, id, result, scheme))

    def _wait(self, waiting: Waiting) -> None:
        self._waited += 1
        heapq.heappush(self._waiting[waiting.scheme], (waiting.index, self._waited, waiting))

    def _replicate(self, name: str) -> None:
        """Ship what the backup lacks, without waiting for answers while it agrees."""
        backup, options = self._progress[name], self.options
        while (
            backup.transfer is None
            and not backup.is_waiting
            and backup.next <= self.stored
            and backup.next - backup.match <= options.window
        ):
            if backup.needs_snapshot or backup.next <= self.log.base:
                self._begin_transfer(name, backup)
                return
            end = min(self.stored, backup.next - 1 + options.entries_max)
            entries = self.log.batch(backup.next - 1, end, options.characters_max)
            self._ship(name, backup.next - 1, entries)
            if backup.is_probing:
                backup.is_waiting = True
            else:
                backup.next += len(entries)

    def _ship(self, name: str, prev_index: int, entries: tuple[Entry, ...]) -> None:
        prev_epoch = self.log.epoch_at(prev_index)
        self.send_at_once(
            name, Replicate(self.epoch, prev_index, prev_epoch, entries, self.safe, self.everywhere, self._round)
        )

    def _heartbeat(self) -> None:
        """A message without entries. That it is refused shows that entries were lost."""
        for name, backup in self._progress.items():
            is_apart = backup.transfer is not None or backup.needs_snapshot
            self._ship(name, 0 if is_apart else min(backup.next - 1, self.stored), ())
            if backup.transfer is not None:
                backup.transfer.quiet += 1
                if backup.transfer.quiet > 1:
                    self._send_piece(name, backup.transfer)

    def _handle_stored(self, source: str, m: Stored) -> None:
        backup = self._hear(source, m.epoch, m.round)
        if backup is not None:
            backup.acknowledge(m.length)
            self._count()

    def _handle_unfit(self, source: str, m: Unfit) -> None:
        backup = self._hear(source, m.epoch, m.round)
        if backup is not None:
            backup.refuse(m.prev_index, m.hint)

    def _hear(self, source: str, epoch: int, round: int) -> Progress | None:
        """A backup has answered: it confirms that it obeys nobody later."""
        if not self.in_office() or epoch != self.epoch or source not in self._progress:
            return None
        backup = self._progress[source]
        backup.round = max(backup.round, round)
        return backup

    def in_office(self) -> bool:
        """`in_office`: whether the node believes to be the primary."""
        return self.office is Office.PRIMARY

    def _count(self) -> None:
        """How far a majority has the log, and how far all have it."""
        stored = sorted([self.stored, *(backup.match for backup in self._progress.values())])
        by_majority = stored[(len(stored) - 1) // 2]
        if self.log.epoch_at(by_majority) == self.epoch:
            self.safe = max(self.safe, by_majority)
        self.everywhere = max(self.everywhere, stored[0])
        self._acknowledge()

    def _acknowledge(self) -> None:
        """`acknowledge`: tell the clients whose entry is durable enough."""
        for scheme, waiting in self._waiting.items():
            while waiting and self.is_safe(waiting[0][0], scheme):
                each = heapq.heappop(waiting)[2]
                self._answer(each.client, each.id, each.result)

    def is_safe(self, index: int, scheme: Scheme) -> bool:
        """`is_safe`: whether enough nodes have stored the entry for the primary to say "done"."""
        match scheme:
            case Scheme.SYNCHRONOUS:
                return index <= self.everywhere
            case Scheme.SEMI_SYNCHRONOUS:
                return index <= self.safe
            case Scheme.ASYNCHRONOUS:
                return index <= self.stored

    def _step_aside(self) -> None:
        """Whoever waits is told that it is open how its request ends."""
        self._save_entries()
        self.note("is no primary any more", epoch=self.epoch)
        self._progress = {}
        for waiting in self._waiting.values():
            for _, _, each in waiting:
                self._answer(each.client, each.id, NotPrimary(None))
            waiting.clear()

    # A backup

    def accepts(self, epoch: int) -> bool:
        """`accepts`: whether the node obeys a primary of this epoch; not if it has promised itself to a later one."""
        return epoch >= self.epoch

    def _handle_replicate(self, source: str, m: Replicate) -> None:
        """`store`."""
        if not self.accepts(m.epoch):
            return
        self._obey(m.epoch, source)
        if not self._fits(m.prev_epoch, m.prev_index):
            self.send(source, Unfit(self.epoch, m.prev_index, self._hint(m.prev_index), m.round))
        elif not self._take(m.prev_index, m.entries):
            self.send(source, Unfit(self.epoch, m.prev_index, None, m.round))
        else:
            length = m.prev_index + len(m.entries)
            self.safe = max(self.safe, min(m.safe, length))
            self.everywhere = max(self.everywhere, min(m.everywhere, length))
            self._confirm(source, Stored(m.epoch, length, m.round))

    def _fits(self, prev_epoch: int, prev_index: int) -> bool:
        return prev_index == 0 or self.log.has(prev_epoch, prev_index)

    def _hint(self, prev_index: int) -> int:
        """Where the primary might try next: before the entries of the epoch that does not fit."""
        if prev_index > self.log.last_index:
            return self.log.last_index
        epoch = self.log.epoch_at(prev_index)
        first = next(index for each, index in self.log.epochs if each == epoch)
        return max(first - 1, self.everywhere)

    def _take(self, prev_index: int, entries: tuple[Entry, ...]) -> bool:
        """Have these entries in the log; one that conflicts gives way, with all after it. False if the snapshot has it."""
        for i, entry in enumerate(entries):
            index = prev_index + 1 + i
            if not self.log.has(entry.epoch, index):
                if index <= self._snapshot_index:
                    return False
                if index <= self.log.last_index:
                    self._cut(index)
                self.log.replace(index, entries[i:])
                for each in range(index, self.log.last_index + 1):
                    self._execute(each)
                self._write(self.persist(Append(index, entries[i:])))
                return True
        return True

    def _confirm(self, source: str, reply: Stored) -> None:
        """Answer when the disk has what the answer says; at once, if it has: it may be busy with a snapshot for long."""
        if reply.length <= self.stored and self._state_number <= self.durable:
            self.send_at_once(source, reply)
        else:
            self.send(source, reply)

    # Snapshots for those that are too far behind, in pieces

    def _begin_transfer(self, name: str, backup: Progress) -> None:
        is_old = backup.needs_snapshot and self._snapshot_index <= backup.match
        if self._snapshot is None or self._snapshot_index < self.log.base or is_old:
            self._take_snapshot()
        if self._snapshot is not None and self._checkpointing <= self.durable:
            backup.transfer = Transfer(self._snapshot, msgspec.msgpack.encode(self._snapshot))
            self._send_piece(name, backup.transfer)
        else:
            backup.is_waiting = True  # Until the next heartbeat is answered.

    def _send_piece(self, name: str, transfer: Transfer) -> None:
        transfer.quiet = 0
        end = transfer.offset + self.options.piece_bytes
        piece, is_last = transfer.data[transfer.offset : end], end >= len(transfer.data)
        last_index = transfer.snapshot.last_index
        self.send_at_once(name, Piece(self.epoch, last_index, transfer.offset, piece, is_last))

    def _handle_piece(self, source: str, m: Piece) -> None:
        if not self.accepts(m.epoch):
            return
        self._obey(m.epoch, source)
        key = (m.epoch, m.last_index)
        if m.offset == 0:
            self._incoming = (*key, bytearray())
        if self._incoming is None or self._incoming[:2] != key:
            self.send(source, PieceStored(m.epoch, m.last_index, 0))
            return
        data = self._incoming[2]
        if m.offset == len(data):
            data += m.data
            if m.is_last:
                self._incoming = None
                self._install(msgspec.msgpack.decode(data, type=Snapshot))
                self._confirm(source, Stored(m.epoch, m.last_index, 0))
                return
        self.send(source, PieceStored(m.epoch, m.last_index, len(data)))

    def _install(self, snapshot: Snapshot) -> None:
        """Have the primary's log up to the snapshot's end, unless that is so already."""
        last_epoch, _ = snapshot.epochs[-1]
        if not self.log.has(last_epoch, snapshot.last_index):
            self.log.reset(snapshot.last_index, snapshot.epochs)
            self._fit(0)
            self.safe = 0
            self._save_snapshot(snapshot)
            self._compute()

    def _handle_piece_stored(self, source: str, m: PieceStored) -> None:
        backup = self._hear(source, m.epoch, 0)
        if backup is None or backup.transfer is None or backup.transfer.snapshot.last_index != m.last_index:
            return
        if m.offset != backup.transfer.offset:
            backup.transfer.offset = m.offset
            self._send_piece(source, backup.transfer)
