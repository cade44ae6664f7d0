"""What a leader keeps for each of the others, and for the reads that wait."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from quorate_impl.raft.messages import Snapshot


@dataclass
class Transfer:
    """A snapshot that is being sent; `offset` bytes of it have arrived. `quiet` counts heartbeats without news."""

    snapshot: Snapshot
    offset: int = 0
    quiet: int = 0


@dataclass
class Progress:
    """How far another server is.

    It has the log up to `match`. What comes next for it begins at `next`: while probing, one message is sent and its
    answer awaited; else messages follow each other without waiting, up to a window, and `in_flight` has the last index
    of each that is not answered. `silent` counts the ticks since it was heard, `round` is the last one that it has
    confirmed.
    """

    next: int
    match: int = 0
    is_probing: bool = True
    in_flight: deque[int] = field(default_factory=deque)
    transfer: Transfer | None = None
    silent: int = 0
    round: int = 0

    def acknowledge(self, match: int) -> None:
        """It has the log up to `match`, and so the messages fit: go on without waiting."""
        self.match = max(self.match, match)
        if self.is_probing:
            self.is_probing = False
            self.in_flight.clear()
            self.next = self.match + 1
        self.next = max(self.next, self.match + 1)
        while self.in_flight and self.in_flight[0] <= self.match:
            self.in_flight.popleft()
        if self.transfer is not None and self.match >= self.transfer.snapshot.last_index:
            self.transfer = None

    def refuse(self, prev_index: int, hint: int) -> bool:
        """It lacks what comes before the message: try earlier. Returns whether that is news."""
        if prev_index <= self.match or (self.is_probing and prev_index != self.next - 1):
            return False
        self.next = max(self.match + 1, min(prev_index, hint + 1))
        self.is_probing = True
        self.in_flight.clear()
        return True


@dataclass
class Read:
    """A client's read: its way back, the id of the request, and the key."""

    client: str
    id: int
    key: str


@dataclass
class ReadRound:
    """Reads that were asked when the commit index was `index`, and wait until a majority confirms round `number`."""

    number: int
    index: int
    reads: list[Read]
