"""The few things that storage asks of a directory. The simulated disk offers the same."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """The files of one directory. Every method may raise `OSError`."""

    def names(self) -> list[str]:
        """What is there, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The whole of a file."""
        ...

    def append(self, name: str, data: bytes) -> None:
        """Write at the end of a file, which is made if it is not there."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut a file after its first `size` bytes."""
        ...

    def rewrite(self, name: str, begin: int, data: bytes) -> None:
        """Write what a file holds from a byte on, once more: so the next sync writes it, whatever the system believes of it."""
        ...

    def sync(self, name: str) -> None:
        """Make the contents of a file durable."""
        ...

    def rename(self, name: str, target: str) -> None:
        """Give a file another name, in one step; what had that name is gone."""
        ...

    def remove(self, name: str) -> None:
        """Take a file out of the directory."""
        ...

    def sync_directory(self) -> None:
        """Make the names of the directory durable: files that were made, renamed or removed."""
        ...

    def close(self) -> None:
        """Let go of whatever is open."""
        ...


class OperatingSystemFiles:
    """The files of a directory of the operating system, which is made if it is not there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, int] = {}
        for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
            missing.mkdir()
            _sync_directory(missing.parent)

    def names(self) -> list[str]:
        return sorted(path.name for path in self._directory.iterdir() if path.is_file())

    def read(self, name: str) -> bytes:
        return (self._directory / name).read_bytes()

    def append(self, name: str, data: bytes) -> None:
        descriptor = self._descriptor(name)
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]

    def truncate(self, name: str, size: int) -> None:
        os.ftruncate(self._descriptor(name), size)

    def rewrite(self, name: str, begin: int, data: bytes) -> None:
        descriptor = os.open(
            self._directory / name, os.O_WRONLY | os.O_CLOEXEC
        )  # Not one that appends, wherever it is told to write.
        try:
            left = memoryview(data)
            while left:
                written = os.pwrite(descriptor, left, begin)
                left, begin = left[written:], begin + written
        finally:
            os.close(descriptor)

    def sync(self, name: str) -> None:
        _sync(self._descriptor(name))

    def rename(self, name: str, target: str) -> None:
        self._close(name)
        self._close(target)
        os.replace(self._directory / name, self._directory / target)

    def remove(self, name: str) -> None:
        self._close(name)
        (self._directory / name).unlink()

    def sync_directory(self) -> None:
        _sync_directory(self._directory)

    def close(self) -> None:
        for name in list(self._open):
            self._close(name)

    def _descriptor(self, name: str) -> int:
        if name not in self._open:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._open[name] = os.open(self._directory / name, flags, 0o600)
        return self._open[name]

    def _close(self, name: str) -> None:
        if name in self._open:
            os.close(self._open.pop(name))


def _sync(descriptor: int) -> None:
    """Make it durable. On macOS `fsync` leaves data in the disk's own memory, and another call does not."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)
