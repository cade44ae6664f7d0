"""Reads without a write, as in `raft_reads` (ReadIndex): a leader answers when a majority has confirmed it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.raft.messages import Get, NotLeader
from quorate_impl.raft.progress import Read, ReadRound
from quorate_impl.raft.server import Options
from quorate_impl.raft.snapshots import Snapshots


class Reads(Snapshots):
    """How clients read. `_reads` wait for the next round, those of `_read_round` for its confirmations."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._reads: list[Read] = []
        self._read_round: ReadRound | None = None

    def _begin_read_round(self) -> None:
        """`read`: note the commit index, and ask the others whether this server still leads.

        Reads that come while a round is under way wait for the next one: they must be confirmed after they began.
        """
        if self._read_round is None and self._reads and self._knows_commits():
            self._round += 1
            self._read_round = ReadRound(self._round, self.commit_index, self._reads)
            self._reads = []
            self._heartbeat()
            self._end_read_round()

    def _knows_commits(self) -> bool:
        """`knows_commits`: the leader has committed an entry of its own term."""
        return self.log.term_at(self.commit_index) == self.term

    def _end_read_round(self) -> None:
        """`answer`: a majority has confirmed that this server led after the reads began."""
        if self._read_round is not None and self._may_answer(self._read_round):
            for read in self._read_round.reads:
                self._answer(read.client, read.id, self.store.read(Get(read.key)))
            self._read_round = None

    def _may_answer(self, reads: ReadRound) -> bool:
        confirmed = [name for name, each in self._progress.items() if each.round >= reads.number]
        return self._is_enough([self.name, *confirmed])

    def _has_confirmed(self) -> None:
        self._end_read_round()

    def _stop_leading(self) -> None:
        super()._stop_leading()
        reads = [*self._reads, *(self._read_round.reads if self._read_round is not None else ())]
        self._reads, self._read_round = [], None
        for read in reads:
            self._answer(read.client, read.id, NotLeader(None, self.log.members))
