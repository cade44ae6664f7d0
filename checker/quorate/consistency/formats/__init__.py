"""Reading histories from files. The format is recognized by its first lines, or named."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from quorate.consistency.formats import edn, jepsen_log, jsonl
from quorate.consistency.formats.events import Event, Malformed, assemble
from quorate.consistency.history import History, HistoryError, without_collections
from quorate.errors import UsageError, unknown

PEEKED_LINES = 200
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Format:
    """A file format: how its events are read, and whether a pair `[key value]` may stand for the value."""

    name: str
    events: Callable[..., Iterator[Event]]
    keyed: bool


FORMATS = {
    "jsonl": Format("jsonl", jsonl.events, keyed=False),
    "edn": Format("edn", edn.events, keyed=True),
    "jepsen-log": Format("jepsen-log", jepsen_log.events, keyed=True),
}


def read_history(path: str | Path, format: str | None = None, keyed: bool = False) -> History:
    """The history in a file, which may be compressed by gzip; "-" is standard input. `format` is one of `FORMATS`, or None
    to recognize it. `keyed` says that values are `[key value]`.

    The file is read in one pass. Raises `HistoryError` with file and line for what cannot be read, `UsageError` for the
    arguments."""
    try:
        with ExitStack() as stack:
            raw = sys.stdin.buffer if str(path) == "-" else stack.enter_context(open(path, "rb"))
            packed = io.BufferedReader(raw)  # type: ignore[type-var]
            stack.callback(packed.detach)
            plain = gzip.GzipFile(fileobj=packed) if packed.peek(2)[:2] == GZIP else packed
            text = io.TextIOWrapper(plain, encoding="utf-8-sig")
            stack.callback(text.detach)
            return read_lines(text, "standard input" if str(path) == "-" else str(path), format, keyed)
    except UnicodeDecodeError as failure:
        raise HistoryError(f"{path} is not a text file in UTF-8 (byte {failure.start}).") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as failure:
        raise HistoryError(f"{path} is compressed by gzip, and damaged: {failure}.") from None
    except OSError as failure:
        raise UsageError(f"{path} cannot be read: {failure.strerror}.") from None


def read_lines(lines: Iterable[str], name: str, format: str | None = None, keyed: bool = False) -> History:
    """The history in lines of text; `name` stands for the file in messages. Otherwise as `read_history`."""
    rest = iter(lines)
    first = list(islice(rest, PEEKED_LINES))
    if format is not None and format not in FORMATS:
        raise unknown("history format", format, FORMATS)
    chosen = FORMATS[format or _recognized(first, name)]
    if keyed and not chosen.keyed:
        raise UsageError(f"Events in {chosen.name} have a field `key`; keyed values are for Jepsen's formats.")
    try:
        with without_collections():
            history = assemble(chosen.events(chain(first, rest), **({"keyed": True} if keyed else {})))
    except Malformed as failure:
        raise HistoryError(f"{name}:{failure.line}: {failure.message}") from None
    except RecursionError:
        raise HistoryError(f"{name}: a value is nested too deeply.") from None
    if not len(history) and not history.failed:
        raise HistoryError(f"{name} has no operations (read as {chosen.name}).")
    return history


def _recognized(first: list[str], name: str) -> str:
    begin = next((line.strip() for line in first if line.strip() and not line.lstrip().startswith(";")), "")
    if begin.startswith(("{", "[")):
        inside = "".join(first)[: 1 << 16].partition(begin[0])[2].lstrip("[{ \t\r\n")
        return "jsonl" if inside.startswith(('"', "]", "}")) else "edn"
    if any("jepsen.util" in line for line in first):
        return "jepsen-log"
    if begin.startswith(("(", "#")):
        return "edn"
    if not begin:
        raise HistoryError(f"{name} is empty.")
    raise UsageError(f"The format of {name} is not recognized. Name it: {', '.join(FORMATS)}.")
