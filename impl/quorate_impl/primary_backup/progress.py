"""What a primary keeps for each of its backups, and for the clients that wait."""

from __future__ import annotations

from dataclasses import dataclass

from quorate_impl.primary_backup.messages import Result, Scheme, Snapshot


@dataclass
class Transfer:
    """A snapshot that is being sent; `offset` bytes of it have arrived. `quiet` counts heartbeats without news."""

    snapshot: Snapshot
    data: bytes
    offset: int = 0
    quiet: int = 0


@dataclass
class Progress:
    """How far a backup is.

    It has the log up to `match` on its disk; what comes next for it begins at `next`. While probing, one message is sent and
    its answer awaited; else they follow each other without waiting. `round` is the last one that it has confirmed.
    """

    next: int
    match: int = 0
    is_probing: bool = True
    is_waiting: bool = False
    round: int = 0
    needs_snapshot: bool = False
    transfer: Transfer | None = None

    def acknowledge(self, length: int) -> None:
        """It has stored the log up to `length`."""
        self.match = max(self.match, length)
        self.next = max(self.next, self.match + 1) if not self.is_probing else self.match + 1
        self.is_probing = self.is_waiting = False
        if self.transfer is not None and self.match >= self.transfer.snapshot.last_index:
            self.transfer, self.needs_snapshot = None, False

    def refuse(self, prev_index: int, hint: int | None) -> None:
        """It lacks what comes before a message: try earlier, or with a snapshot."""
        if hint is None:
            self.needs_snapshot = True
            self.next, self.is_waiting = self.match + 1, False
        elif prev_index > self.match and (not self.is_probing or prev_index == self.next - 1):
            self.next = max(self.match + 1, min(prev_index, hint + 1))
            self.is_probing, self.is_waiting = True, False


@dataclass
class Waiting:
    """A client that is answered when the entry at `index` is as durable as its scheme promises."""

    index: int
    client: str
    id: int
    result: Result
    scheme: Scheme


@dataclass
class ReadRound:
    """Reads that wait until a majority confirms round `number`, and then for what they have read."""

    number: int
    reads: list[Waiting]
