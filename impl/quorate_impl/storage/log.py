"""The write-ahead log: frames in segments, and checkpoints.

A *frame* holds all records of one group commit. It is written, then synced, and only then is the next one begun. So
what stands before a good frame was durable once: if it is damaged now, the disk has lost what was promised, and the
node must not go on (`Corrupt`). What is damaged at the end, with no good frame after it, is a write that a crash cut
short; nobody was told of it, so it is cut off and reported. The one thing that cannot be told apart by a node alone is a
torn last frame and a last frame that the disk damaged later (Alagappan et al. 2018, "Protocol-Aware Recovery for
Consensus-Based Storage", section 3.3): it counts as torn.

A *checkpoint* holds records that stand for all before it. It is written beside the log, synced, and renamed, which is
the moment when it counts; the segments before it are removed after that.

After a failed write or sync nothing is tried again. The system may have dropped what was not synced and say that all
is well the next time (Rebello et al. 2020, "Can Applications Recover from fsync Failures?"), so the log refuses all that
comes after (`Failed`). Nor is the last frame believed when the log is opened again: it may be one that the system has kept and the
disk has not. So it is written once more before it counts, in its place and with the same bytes, which harms nothing if it was durable.

A frame on the disk, little endian: 4 bytes `QWAL`, the length of the payload (4), the CRC-32 of all that follows (4),
the frame's number (8), the payload. Numbers go up by one from frame to frame, so that a missing segment is noticed, and
a copy of an old frame is not taken for a new one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from types import GenericAlias
from typing import Any

import msgspec

from quorate_impl.core import Record
from quorate_impl.storage.files import Files

MAGIC = b"QWAL"
HEADER = struct.Struct("<4sII")
NUMBER = struct.Struct("<Q")
SEGMENT_BYTES = 16 * 2**20
SEGMENT, CHECKPOINT, UNFINISHED = ".log", ".checkpoint", ".unfinished"


class StorageError(Exception):
    """The disk does not do what the node needs; the node has to stop."""


class Corrupt(StorageError):
    """What was durable is damaged or gone."""


class Failed(StorageError):
    """A write or a sync has failed, now or before."""


class WriteAheadLog:
    """The records of one node. One thread at a time may use it.

    `records` is what the disk held when the log was opened, and `cut` how many bytes of a torn frame were cut off.
    """

    def __init__(self, files: Files, record: Any, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._files = files
        self._segment_bytes = segment_bytes
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(GenericAlias(tuple, (record, ...)))
        self._failure: str | None = None
        self._is_dirty = False
        self._size = self._last = 0
        self.cut = 0
        self.records: list[Record] = []
        try:
            self._next = self._recover()
        except OSError as error:
            raise Failed(f"The log cannot be opened: {error}") from error

    # Recovery

    def _recover(self) -> int:
        """Read all that counts, remove what does not, and return the number of the next frame."""
        names = self._files.names()
        begin = self._read_checkpoint(max((n for n in names if n.endswith(CHECKPOINT)), default=None))
        current = sorted(n for n in names if n.endswith(SEGMENT) and _number(n) >= begin)
        number = begin
        for name in current:
            if _number(name) != number:
                raise Corrupt(
                    f"{name} begins with frame {_number(name)}, but the one before it ends with {number - 1}."
                )
            number = self._read_segment(name, number, is_last=name == current[-1])
        self._segment = current[-1] if current else _name(number, SEGMENT)
        if current:  # A process that was killed, or that stopped since a sync failed, may have left what only the system's memory has.
            self._files.rewrite(self._segment, self._last, self._files.read(self._segment)[self._last :])
            self._files.sync(self._segment)
        kept = {*current, _name(begin, CHECKPOINT)}
        for name in names:
            if name.endswith((SEGMENT, CHECKPOINT, UNFINISHED)) and name not in kept:
                self._files.remove(name)
        self._files.sync_directory()
        return number

    def _read_checkpoint(self, name: str | None) -> int:
        """Read the checkpoint, if there is one; returns the number of the first frame after it."""
        if name is None:
            return 1
        data = self._files.read(name)
        payload, end = _frame_at(data, 0, _number(name))
        if payload is None or end != len(data):
            raise Corrupt(f"The checkpoint {name} is damaged.")
        self.records.extend(self._decode(payload, name))
        return _number(name)

    def _read_segment(self, name: str, number: int, is_last: bool) -> int:
        data = self._files.read(name)
        position = self._last = 0
        while position < len(data):
            payload, end = _frame_at(data, position, number)
            if payload is None:
                if not is_last or _has_frame_after(data, position, number):
                    raise Corrupt(
                        f"{name} is damaged at byte {position}, and what comes after it shows that it was durable. "
                        "Restore this node from the others: remove its directory and add it again as a new server."
                    )
                self.cut = len(data) - position
                self._files.truncate(name, position)
                break
            self.records.extend(self._decode(payload, name))
            self._last, position, number = position, end, number + 1
        self._size = position
        return number

    def _decode(self, payload: bytes, name: str) -> Sequence[Record]:
        try:
            records: tuple[Record, ...] = self._decoder.decode(payload)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"{name} holds what is no record of this protocol: {error}") from error
        return records

    # Writing

    def append(self, records: Sequence[Record]) -> None:
        """Write one frame. It is durable after `sync`, and so it must be before the next one is written."""
        self._attempt(self._append, self._encoder.encode(records))

    def _append(self, payload: bytes) -> None:
        if self._is_dirty:
            raise AssertionError("a frame is begun only when the one before it is durable")
        is_new = self._size == 0
        if self._size >= self._segment_bytes:
            self._segment, is_new, self._size = _name(self._next, SEGMENT), True, 0
        frame = _frame(payload, self._next)
        self._files.append(self._segment, frame)
        if is_new:
            self._files.sync_directory()
        self._size += len(frame)
        self._next += 1
        self._is_dirty = True

    def sync(self) -> None:
        """Make the frame durable."""
        if self._is_dirty:
            self._attempt(self._sync)

    def _sync(self) -> None:
        self._files.sync(self._segment)
        self._is_dirty = False

    def checkpoint(self, records: Sequence[Record]) -> None:
        """Put the records in the place of all before them; durable when it returns."""
        self._attempt(self._checkpoint, self._encoder.encode(records))

    def _checkpoint(self, payload: bytes) -> None:
        old = [name for name in self._files.names() if name.endswith((SEGMENT, CHECKPOINT))]
        target, unfinished = _name(self._next, CHECKPOINT), _name(self._next, UNFINISHED)
        self._files.append(unfinished, _frame(payload, self._next))
        self._files.sync(unfinished)
        self._files.rename(unfinished, target)
        self._files.sync_directory()
        for name in old:
            if name != target:
                self._files.remove(name)
        self._segment, self._size, self._is_dirty = _name(self._next, SEGMENT), 0, False

    def _attempt(self, write: Callable[..., None], *arguments: bytes) -> None:
        if self._failure is not None:
            raise Failed(f"Nothing is written any more after a failure: {self._failure}")
        try:
            write(*arguments)
        except OSError as error:
            self._failure = str(error)
            raise Failed(f"Writing has failed: {error}") from error

    def close(self) -> None:
        """Let go of the files, synced or not."""
        self._files.close()


def _name(number: int, kind: str) -> str:
    return f"{number:020}{kind}"


def _number(name: str) -> int:
    return int(name.partition(".")[0])


def _frame(payload: bytes, number: int) -> bytes:
    body = NUMBER.pack(number) + payload
    return HEADER.pack(MAGIC, len(payload), zlib.crc32(body)) + body


def _frame_at(data: bytes, position: int, number: int | None) -> tuple[bytes | None, int]:
    """The payload of the frame with this number (any, if None) that begins here, and where it ends; None if there is none."""
    begin = position + HEADER.size + NUMBER.size
    if begin > len(data):
        return None, position
    magic, length, checksum = HEADER.unpack_from(data, position)
    end = begin + length
    if magic != MAGIC or end > len(data) or zlib.crc32(data[begin - NUMBER.size : end]) != checksum:
        return None, position
    if number is not None and NUMBER.unpack_from(data, begin - NUMBER.size)[0] != number:
        return None, position
    return data[begin:end], end


def _has_frame_after(data: bytes, position: int, number: int) -> bool:
    """Whether a good frame with a later number stands anywhere after this position."""
    found = data.find(MAGIC, position + 1)
    while found >= 0:
        payload, _ = _frame_at(data, found, None)
        if payload is not None and NUMBER.unpack_from(data, found + HEADER.size)[0] > number:
            return True
        found = data.find(MAGIC, found + 1)
    return False
