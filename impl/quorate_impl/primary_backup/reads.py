"""Reads: at the primary, when a majority has confirmed it since; at any node, held to what the session has seen.

A linearizable read takes what the primary's state holds when it comes, and is answered when a majority has confirmed since
that it obeys nobody later, and when the entry that it has read is as durable as its own scheme promises. So it returns
nothing that its writer could still lose.

At any other node there is what has arrived. A session's token is the position of the last entry that it wrote or read: a
node that has this entry has all before it, and one that has not says so (`Behind`), or that it never will (`Lost`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.primary_backup.messages import (
    START,
    Behind,
    Consistency,
    Lost,
    NotPrimary,
    Position,
    Query,
    Value,
)
from quorate_impl.primary_backup.options import Options
from quorate_impl.primary_backup.progress import ReadRound, Waiting
from quorate_impl.primary_backup.replication import Replication
from quorate_impl.primary_backup.store import Version


class Reads(Replication):
    """`_reads` wait for the next round, those of `_read_round` for its confirmations.

    `stale_reads` counts the reads that were answered without all that their session had seen, `refused_reads` those that
    would have been.
    """

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._reads: list[Waiting] = []
        self._read_round: ReadRound | None = None
        self.stale_reads = 0
        self.refused_reads = 0

    def _read_latest(self, client: str, m: Query) -> None:
        """`read` at the primary, unless what the session has seen is not in its log."""
        if not self.log.has(*m.get.token):
            self._answer(client, m.id, Lost(m.get.token))
            return
        version = self.store.read(m.get.key)
        value = Value(version.value, self._position(version))
        self._reads.append(Waiting(version.index, client, m.id, value, version.scheme))

    def _position(self, version: Version) -> Position:
        return self.log.position(version.index) if version.index else START

    def _begin_read_round(self) -> None:
        """Ask the backups whether they obey this primary; reads that come meanwhile wait for the next round."""
        if self._read_round is None and self._reads and self._has_begun():
            self._round += 1
            self._read_round = ReadRound(self._round, self._reads)
            self._reads = []
            self._heartbeat()

    def _end_read_round(self) -> None:
        """`may_read`: a majority still follows this primary. Then each read waits for what it has read to be durable."""
        if self._read_round is not None and self.may_read(self._read_round):
            for read in self._read_round.reads:
                self._wait(read)
            self._read_round = None
            self._acknowledge()

    def may_read(self, reads: ReadRound) -> bool:
        """`may_read`: whether a majority has confirmed the primary since the reads came."""
        confirmed = 1 + sum(backup.round >= reads.number for backup in self._progress.values())
        return 2 * confirmed > len(self.nodes)

    def _read_here(self, client: str, m: Query) -> None:
        """`read` at any replica (`ReadAnyReplica`), as far as the session allows."""
        if not self._has_token(m.get.token):
            if m.get.consistency is Consistency.SESSION:
                self.refused_reads += 1
                self._answer(client, m.id, Lost(m.get.token) if self._has_lost(m.get.token) else Behind())
                return
            self.stale_reads += 1
        version = self.store.read(m.get.key)
        self._answer_when_durable(client, m.id, Value(version.value, self._position(version)))

    def _has_token(self, token: Position) -> bool:
        return self.log.has(*token)

    def _step_aside(self) -> None:
        super()._step_aside()
        reads = [*self._reads, *(self._read_round.reads if self._read_round is not None else ())]
        self._reads, self._read_round = [], None
        for read in reads:
            self._answer(read.client, read.id, NotPrimary(None))
