"""Snapshots, as in `raft_snapshots`: the state in the place of the entries that led to it.

On the disk a snapshot is a checkpoint, which holds the vote and the entries after it, too. In memory a few of the
entries before it are kept for followers that are a little behind. The others get the snapshot in pieces, each when the
one before it has arrived; a piece that was lost is sent again with a heartbeat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.raft.messages import Append, AppendReply, HardState, InstallSnapshot, Snapshot, SnapshotReply
from quorate_impl.raft.progress import Progress, Transfer
from quorate_impl.raft.replication import Replication
from quorate_impl.raft.server import Options


class Snapshots(Replication):
    """How logs are kept short. `_incoming` is the snapshot that arrives: its term, its last index, and what is here."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._checkpointing = 0
        self._incoming: tuple[int, int, bytearray] | None = None

    def _take_snapshot(self) -> None:
        """`take_snapshot`: the state in the place of the committed entries. A few are kept in memory, for stragglers."""
        if self._checkpointing > self.durable:
            return
        index = self.commit_index
        self._save_snapshot(Snapshot(index, self.log.term_at(index), self.log.members_at(index), self.store.snapshot()))
        self.log.compact(index - self.options.entries_kept)

    def _save_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        entries = self.log.after(snapshot.last_index)
        self._checkpointing = self.checkpoint(
            snapshot, HardState(self.term, self.voted_for), Append(snapshot.last_index + 1, entries)
        )
        self._saved_index = self.log.last_index
        self._writing.append((self._checkpointing, self.log.last_index))
        self.note("snapshot", last_index=snapshot.last_index, bytes=len(snapshot.state))

    def _begin_transfer(self, name: str, follower: Progress) -> None:
        """`offer_snapshot`: the follower needs what is compacted."""
        assert self._snapshot is not None, "what is compacted is in the snapshot"
        follower.transfer = Transfer(self._snapshot)
        self._send_piece(name, follower.transfer)

    def _send_piece(self, name: str, transfer: Transfer) -> None:
        """`send_snapshot`, piece by piece; each is sent when the one before it has arrived."""
        transfer.quiet = 0
        snapshot, end = transfer.snapshot, transfer.offset + self.options.piece_bytes
        piece = snapshot.state[transfer.offset : end]
        is_last = end >= len(snapshot.state)
        self.send_at_once(
            name,
            InstallSnapshot(
                self.term,
                snapshot.last_index,
                snapshot.last_term,
                snapshot.members,
                transfer.offset,
                piece,
                is_last,
            ),
        )

    def _handle_snapshot(self, source: str, m: InstallSnapshot) -> None:
        if not self._hear_leader(source, m.term):
            self.send(source, SnapshotReply(self.term, m.last_index, 0))
            return
        if m.last_index <= self.commit_index:
            self.send(source, AppendReply(self.term, m.last_index, 0))
            return
        if m.offset == 0:
            self._incoming = (m.term, m.last_index, bytearray())
        if self._incoming is None or self._incoming[:2] != (m.term, m.last_index):
            self.send(source, SnapshotReply(self.term, m.last_index, 0))
            return
        data = self._incoming[2]
        if m.offset == len(data):
            data += m.data
            if m.is_last:
                self._incoming = None
                self._install(source, Snapshot(m.last_index, m.last_term, m.members, bytes(data)))
                return
        self.send(source, SnapshotReply(self.term, m.last_index, len(data)))

    def _install(self, source: str, snapshot: Snapshot) -> None:
        """`install`: take over the leader's snapshot. What comes after it in the log is kept, if it fits."""
        if self._has_last_entry(snapshot):
            self.log.compact(snapshot.last_index)
        else:
            self.log.reset(snapshot.last_index, snapshot.last_term, snapshot.members)
            self._durable_index = 0
            self._writing = deque((number, 0) for number, _ in self._writing)
        self.store.restore(snapshot.state)
        self.commit_index = snapshot.last_index
        self._save_snapshot(snapshot)
        self.send(source, AppendReply(self.term, snapshot.last_index, 0))

    def _has_last_entry(self, snapshot: Snapshot) -> bool:
        """`has_last_entry`: the snapshot describes a prefix of the log."""
        return self.log.has(snapshot.last_index, snapshot.last_term)

    def _handle_snapshot_reply(self, source: str, m: SnapshotReply) -> None:
        follower = self._hear(source, m.term, 0)
        if follower is None or follower.transfer is None or follower.transfer.snapshot.last_index != m.last_index:
            return
        if m.offset != follower.transfer.offset:
            follower.transfer.offset = m.offset
            self._send_piece(source, follower.transfer)

    def _heartbeat(self) -> None:
        super()._heartbeat()
        for name in self._peers():
            transfer = self._follower(name).transfer
            if transfer is not None:
                transfer.quiet += 1
                if transfer.quiet > 1:
                    self._send_piece(name, transfer)
