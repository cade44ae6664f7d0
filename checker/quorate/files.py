"""Files as they are named, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path


def parted(name: str, folder: Path = Path()) -> tuple[str, str]:
    """The path, seen from a folder, or the name of a protocol, and the class in it that is chosen, if one is. A path may have colons of its
    own: what is there as a whole is no choice of a class."""
    path, _, chosen = name.rpartition(":")
    return (path, chosen) if path and not (folder / name).is_file() else (name, "")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that nobody finds half of it, whoever else reads or writes it, and whatever ends this process or fills the disk:
    until the end there is what was there. A link stays one, and what it leads to is written; what this process has open already
    (`/dev/stdout`) is written to as it is, since whoever opened it goes on with it.

    A text is in UTF-8, which has no lone surrogates: they are written as JSON and Python escape them. Raises OSError."""
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    if (opened := _opened(path)) is not None:
        with os.fdopen(os.dup(opened), "wb") as file:
            file.write(data)
        return
    if path.exists() and not path.is_file():  # A device or a pipe, also one that has no name; a directory is an error.
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as beside:
            beside.write(data)
        if target.exists():
            shutil.copymode(target, partial)
        partial.replace(target)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _opened(path: Path) -> int | None:
    """The descriptor of this process that a path is, or leads to by links; None for all other files."""
    while path.exists() and path.is_symlink():
        if os.path.realpath(path.parent) == f"/proc/{os.getpid()}/fd":
            return int(path.name)
        path = path.parent / path.readlink()
    return None
