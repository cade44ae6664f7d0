"""The file of a checkpoint: nothing but an own checkpoint is ever replaced or removed, and one search at a time uses it.

The engine writes a checkpoint beside the file and renames it (`checkpoint.h`). While a search uses FILE it holds a lock on FILE.lock,
which the system gives back however the search ends; the lock file is removed at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from quorate.errors import UsageError
from quorate.explore.limits import Checkpoint

MAGIC = b"QUORATE1"
"""How a checkpoint begins; `checkpoint.h` writes it."""
LOCK_TEXT = b"A search uses the checkpoint beside this file.\n"


@contextmanager
def claimed(checkpoint: Checkpoint | None) -> Iterator[Checkpoint | None]:
    """Hold the file of a checkpoint for one search. Raises UsageError, before anything is touched, if it is not to be had."""
    if checkpoint is None:
        yield None
        return
    _check_place(checkpoint.path)
    with _locked(checkpoint.path):
        _check(checkpoint)
        _remove_partial(checkpoint.path)
        yield checkpoint


def remove(path: Path) -> None:
    """Remove a checkpoint that is not needed any more; nothing else."""
    with suppress(OSError):
        if is_checkpoint(path):
            path.unlink()


def is_checkpoint(path: Path) -> bool:
    """Whether a file begins as checkpoints do. Raises OSError."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"--checkpoint {path} is a directory: give the name of a file.")
    if not path.parent.is_dir():
        raise UsageError(f"--checkpoint {path}: there is no directory {path.parent}.")


def _check(checkpoint: Checkpoint) -> None:
    path = checkpoint.path
    if not os.path.lexists(path):
        if checkpoint.resume:
            raise UsageError(f"The search cannot go on from {path}: No such file.")
        return
    try:
        own = is_checkpoint(path)
    except OSError as error:
        raise UsageError(f"--checkpoint {path} cannot be read: {error.strerror}.") from None
    if not own:
        raise UsageError(
            f"{path} is there and is not a checkpoint. It is left as it is: give another name to --checkpoint."
        )
    if not (checkpoint.resume or checkpoint.overwrite):
        raise UsageError(
            f"{path} is the checkpoint of an earlier search. Go on from it with --resume, or write over it with --overwrite."
        )


def _remove_partial(path: Path) -> None:
    """What a search that was killed while it wrote has left beside the file."""
    for left in path.parent.glob(f"{_escaped(path.name)}.partial-??????"):
        remove(left)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in name)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    name = path.with_name(f"{path.name}.lock")
    held = _open_lock(name)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"Another search uses the checkpoint {path}: wait for it, or give another name.") from None
        if not _is_named(held, name):  # Whoever held it has ended in this moment, and has removed it.
            raise UsageError(f"Another search has just used the checkpoint {path}: try again.")
        try:
            yield
        finally:
            with suppress(OSError):
                name.unlink()
    finally:
        os.close(held)


def _open_lock(name: Path) -> int:
    try:
        held = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UsageError(f"The checkpoint cannot be locked, with {name}: {error.strerror}.") from None
    said = os.pread(held, len(LOCK_TEXT) + 1, 0)
    if said not in (b"", LOCK_TEXT):
        os.close(held)
        raise UsageError(f"{name} is there and is no lock of a checkpoint: give another name to --checkpoint.")
    if not said:
        os.pwrite(held, LOCK_TEXT, 0)
    return held


def _is_named(held: int, name: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held), os.stat(name))
    except OSError:
        return False
