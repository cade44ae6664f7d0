"""A disk that loses what was not synced, damages what was, and fills up; the same calls as a directory of the system.

After a sync that failed, the system holds what the disk has not got, and calls that synced from then on, until it is written once more
(Rebello et al. 2020, "Can Applications Recover from fsync Failures?").

After a crash, of the bytes that were appended since the last sync any sectors may be there and others not (then they are
zero), up to any length. Of the changes to the directory since its last sync, some first ones have happened and the
others not, as on file systems with a journal.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from quorate_impl.storage.log import MAGIC

SECTOR = 512


class PowerLoss(Exception):
    """The machine has stopped in the middle of what it was doing."""


@dataclass
class Contents:
    """What a file holds: `data` as programs see it, of which the first `synced` bytes survive a crash.

    `cut` is what a truncation took from the durable part, as long as that is not durable itself. `dropped` is what syncs have failed
    to write, from a byte up to another one; what is `rewritten`, from a byte on, the next sync writes.
    """

    data: bytearray = field(default_factory=bytearray)
    synced: int = 0
    cut: bytes = b""
    dropped: list[tuple[int, int]] = field(default_factory=list)
    rewritten: int | None = None

    def sync(self) -> None:
        self._get_back(len(self.data) if self.rewritten is None else self.rewritten)
        self.synced, self.cut, self.rewritten = len(self.data), b"", None

    def fail(self) -> None:
        """A sync fails: what it should have written is not tried again."""
        self.dropped.append((self.synced, len(self.data)))
        self.rewritten = None

    def truncate(self, size: int) -> None:
        self.cut = bytes(self.data[size : self.synced])
        del self.data[size:]
        self.synced = min(self.synced, size)
        self._get_back(size)

    def _get_back(self, begin: int) -> None:
        """The disk has what there is from a byte on."""
        self.dropped = [(first, min(end, begin)) for first, end in self.dropped if first < begin]

    def crash(self, random: Random) -> None:
        """Keep what is durable, and whatever of the rest happened to be written."""
        durable, rest = self.data[: self.synced], self.data[self.synced :]
        if self.cut and random.random() < 0.5:
            rest, durable = bytearray(), durable + self.cut
        rest = rest[: random.randint(0, len(rest))]
        for begin in range(0, len(rest), SECTOR):
            if random.random() < 0.2:
                end = min(begin + SECTOR, len(rest))
                rest[begin:end] = bytes(end - begin)
        self.data = durable + rest
        for first, end in sorted(self.dropped, reverse=True):
            self.data[first:end] = bytes(end - first) if end < len(self.data) else b""
        self.synced, self.cut, self.dropped, self.rewritten = len(self.data), b"", [], None


class SimulatedDisk:
    """The directory of one node. `operations_left` stops the machine after so many more operations."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._files: dict[str, Contents] = {}
        self._durable: dict[str, Contents] = {}
        self._changes: list[Callable[[dict[str, Contents]], None]] = []
        self.operations_left: int | None = None
        self.is_full = False
        self.fails_sync = False
        self.syncs = 0

    def _operate(self) -> None:
        if self.operations_left is not None:
            if self.operations_left == 0:
                raise PowerLoss
            self.operations_left -= 1

    # What storage asks for

    def names(self) -> list[str]:
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        return bytes(self._files[name].data)

    def append(self, name: str, data: bytes) -> None:
        self._operate()
        if name not in self._files:
            contents = Contents()
            self._change(lambda names: names.__setitem__(name, contents))
        if self.is_full:
            self._files[name].data += data[: self._random.randint(0, len(data) - 1)]
            raise OSError(errno.ENOSPC, "No space left on device")
        self._files[name].data += data

    def truncate(self, name: str, size: int) -> None:
        self._operate()
        self._files[name].truncate(size)

    def rewrite(self, name: str, begin: int, data: bytes) -> None:
        self._operate()
        contents = self._files[name]
        assert contents.data[begin:] == data, "what is there is written, and nothing else"
        contents.rewritten = begin if contents.rewritten is None else min(begin, contents.rewritten)

    def sync(self, name: str) -> None:
        self._operate()
        self.syncs += 1
        if self.fails_sync:
            self.fails_sync = False
            self._files[name].fail()
            raise OSError(errno.EIO, "Input/output error")
        self._files[name].sync()

    def rename(self, name: str, target: str) -> None:
        self._operate()
        self._change(lambda names: names.__setitem__(target, names.pop(name)))

    def remove(self, name: str) -> None:
        self._operate()
        self._change(lambda names: names.__delitem__(name))

    def sync_directory(self) -> None:
        self._operate()
        self._durable, self._changes = dict(self._files), []

    def close(self) -> None:
        pass

    def _change(self, change: Callable[[dict[str, Contents]], None]) -> None:
        change(self._files)
        self._changes.append(change)

    # What happens to it

    def crash(self) -> None:
        """The power is gone: what was not synced is lost in part."""
        happened = self._changes[: self._random.randint(0, len(self._changes))]
        for change in happened:
            change(self._durable)
        self._files, self._changes = dict(self._durable), []
        for name in sorted(self._files):
            self._files[name].crash(self._random)

    def damage(self) -> bool:
        """Flip bits in a sector before the last frame of a file; returns whether there is one."""
        names = [name for name in sorted(self._files) if self._files[name].data.rfind(MAGIC) > 0]
        if not names:
            return False
        data = self._files[self._random.choice(names)].data
        data[self._random.randrange(data.rfind(MAGIC))] ^= self._random.randint(1, 255)
        return True
