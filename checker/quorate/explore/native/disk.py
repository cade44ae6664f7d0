"""The directory of a search on the disk (`disk.h`): it holds one search and nothing else, and one search at a time uses it.

`checkpoint` says what the files `states-N` mean. They are of no use without it, so a search that leaves none leaves no files at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from quorate.errors import UsageError
from quorate.explore.limits import Checkpoint
from quorate.explore.native.checkpoint import claimed, is_checkpoint

MAGIC = b"QUORATES"
"""How a file of states begins; `files.h` writes it."""
NAME = "checkpoint"
OWN = re.compile(r"checkpoint(\.lock|\.partial-.{6})?|states-\d+")


@contextmanager
def used(directory: Path | None, interval_s: float) -> Iterator[Checkpoint | None]:
    """Hold a directory for one search, which may have begun earlier. Raises UsageError, before anything is touched, if it has anything
    else in it."""
    if directory is None:
        yield None
        return
    _check(directory)
    file = directory / NAME
    with claimed(Checkpoint(file, interval_s, resume=file.exists())) as checkpoint:
        if not file.exists():
            _clear(directory)  # Of a search that was killed before it had written a checkpoint.
        try:
            yield checkpoint
        finally:
            if not file.exists():
                _clear(directory)


def _check(directory: Path) -> None:
    try:
        directory.mkdir(exist_ok=True)
        names = sorted(entry.name for entry in directory.iterdir())
        others = [name for name in names if not OWN.fullmatch(name)]
        wrong = [name for name in names if _is_foreign(directory / name)]
    except OSError as error:
        raise UsageError(f"--disk {directory} cannot be used: {error.strerror}.") from None
    if others or wrong:
        raise UsageError(
            f"--disk {directory}: {[*others, *wrong][0]} is there and is not of a search. "
            f"Everything is left as it is: give a directory that is empty or holds a search."
        )


def _is_foreign(file: Path) -> bool:
    """Whether a file that is named as those of a search is something else. Raises OSError."""
    if file.name == NAME:
        return not is_checkpoint(file)
    return file.name.startswith("states-") and not _has_states(file)


def _has_states(file: Path) -> bool:
    """Whether a file begins as files of states do, or as much of it as a full disk had room for. Raises OSError."""
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        begins = opened.read(len(MAGIC))
    return MAGIC.startswith(begins)


def _clear(directory: Path) -> None:
    """Remove files of states; nothing else."""
    for file in directory.glob("states-*"):
        with suppress(OSError):
            if OWN.fullmatch(file.name) and _has_states(file):
                file.unlink()
