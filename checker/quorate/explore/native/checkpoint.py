"""The file of a checkpoint: nothing but an own checkpoint is ever replaced or removed, and one search at a time uses it.

The engine writes a checkpoint beside the file and renames it (`stream.h`). While a search uses FILE it holds a lock on FILE.lock,
which the system gives back however the search ends; the lock file is removed at the end. FILE.graph is what a check of liveness after the
search has (`graphfile.h`): the rules are the same.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from quorate.errors import UsageError
from quorate.explore.limits import Checkpoint

MAGIC = b"QUORATE1"
"""How a checkpoint begins; `checkpoint.h` writes it."""
GRAPH_MAGIC = b"QUORATEG"
"""How a graph begins; `graphfile.h` writes it."""
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
        for path in (checkpoint.path, graph_beside(checkpoint.path)):
            _remove_partial(path)
        if checkpoint.overwrite:
            _remove(graph_beside(checkpoint.path), GRAPH_MAGIC)
        yield checkpoint


def graph_beside(path: Path) -> Path:
    """Where a check of liveness keeps its graph."""
    return path.with_name(f"{path.name}.graph")


def remove(path: Path) -> None:
    """Remove a checkpoint that is not needed any more, and its graph; nothing else."""
    _remove(graph_beside(path), GRAPH_MAGIC)
    _remove(path, MAGIC)


def _remove(path: Path, magic: bytes) -> None:
    with suppress(OSError):
        if _begins(path, magic):
            path.unlink()


def is_checkpoint(path: Path) -> bool:
    """Whether a file begins as checkpoints do. Raises OSError."""
    return _begins(path, MAGIC)


def _begins(path: Path, magic: bytes) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


ABOUT_BYTES = 4096
"""Of a checkpoint, for what its search was asked (`checkpoint.h`)."""
OF_ANOTHER = "it belongs to another spec, other bounds or another version"
"""What the engine says of a checkpoint of another search (`stream.h`)."""


def differing(asked: dict[str, str], said: bytes) -> str:
    """In which of the things that are asked of a search one that is `asked` now differs from that of a checkpoint, which `said` what it was
    asked; what the engine says where that is not known, or it is in none of them."""
    try:
        before = json.loads(said)
        other = [
            f"{name} {before[name] or 'none'} (now {one or 'none'})"
            for name, one in asked.items()
            if before[name] != one
        ]
    except (ValueError, TypeError, KeyError):
        return OF_ANOTHER
    return (
        f"it is of a search with other {'; other '.join(other)}"
        if other
        else f"{OF_ANOTHER}: its text has changed, or Quorate"
    )


def age(path: Path) -> str | None:
    """How long ago a file was written, for whoever may go on from it. None if it is not there."""
    try:
        seconds = time.time() - path.stat().st_mtime
    except OSError:
        return None
    return f"{seconds:.0f} s before the end" if seconds >= 1 else "at the end"


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"--checkpoint {path} is a directory: give the name of a file.")
    if not path.parent.is_dir():
        raise UsageError(f"--checkpoint {path}: there is no directory {path.parent}.")


def _check(checkpoint: Checkpoint) -> None:
    path, graph = checkpoint.path, graph_beside(checkpoint.path)
    there, left = _is_own(path, MAGIC), _is_own(graph, GRAPH_MAGIC)
    if checkpoint.resume:
        if not there:
            raise UsageError(f"The search cannot go on from {path}: No such file.")
        return
    if checkpoint.overwrite:
        return
    if there:
        raise UsageError(
            f"{path} is the checkpoint of an earlier search. Go on from it with --resume, or write over it with --overwrite."
        )
    if left:
        raise UsageError(
            f"{graph} is of an earlier search, whose checkpoint {path} is not there any more. Write over it with --overwrite."
        )


def _is_own(path: Path, magic: bytes) -> bool:
    """Whether a file is there. Raises UsageError if it does not begin as it should."""
    if not os.path.lexists(path):
        return False
    try:
        own = _begins(path, magic)
    except OSError as error:
        raise UsageError(f"--checkpoint {path} cannot be read: {error.strerror}.") from None
    if not own:
        raise UsageError(
            f"{path} is there and is not a checkpoint. It is left as it is: give another name to --checkpoint."
        )
    return True


def _remove_partial(path: Path) -> None:
    """What a search that was killed while it wrote has left beside the file."""
    for left in path.parent.glob(f"{_escaped(path.name)}.partial-??????"):
        for magic in (MAGIC, GRAPH_MAGIC):
            _remove(left, magic)


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
