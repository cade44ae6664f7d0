"""Group commit: what is asked for while the disk is busy is written together, with one sync."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from quorate_impl.core import Checkpoint, Persist, Record

RECORDS_MAX = 4096
"""How many records one frame holds at most, but for those of the last `Persist` in it."""


@dataclass(frozen=True)
class Job:
    """One thing for the disk to do: a frame or a checkpoint. When it is done, all writes up to `number` are durable."""

    number: int
    records: Sequence[Record]
    is_checkpoint: bool


class GroupCommit:
    """The writes that a node waits for, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Persist | Checkpoint] = deque()

    def add(self, write: Persist | Checkpoint) -> None:
        """A core wants this written."""
        self._waiting.append(write)

    def take(self) -> Job | None:
        """What the disk should do next: as many writes as may go together, or None if there is nothing to do."""
        if not self._waiting:
            return None
        first = self._waiting.popleft()
        if isinstance(first, Checkpoint):
            return Job(first.number, first.records, True)
        number, records = first.number, list(first.records)
        while self._waiting and isinstance(self._waiting[0], Persist) and len(records) < RECORDS_MAX:
            following = self._waiting.popleft()
            number = following.number
            records.extend(following.records)
        return Job(number, records, False)
