"""A cluster of processes of the Raft store, under load, paused and cut off: its log, told in the words of the specification `raft`.

`python -m tests.conform.raft_processes ROUNDS DIR` leaves the log in `DIR/log.jsonl`. What each node does it writes down with the time of a
clock that all processes of a machine share; a message is sent after its line is written, so that the lines of all nodes in the order
of that clock are in the order in which things happened.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from quorate_impl.raft import Options, protocol
from quorate_impl.runtime import __main__ as runtime
from quorate_impl.runtime.cluster import LocalCluster, found_cluster
from quorate_impl.runtime.protocols import PROTOCOLS

from tests.conform.raft_core import Book, Found, Line, Told
from tests.impl.runtime.test_real_cluster import cut, pause, record

STEPS = "steps.jsonl"
OPTIONS = Options(snapshot_after=10**9)
"""No snapshots: a log is what it is in the specification."""


class Pen:
    """Writes down what a node tells, for a book that is made of the lines of all nodes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def _write(self, what: str, *facts: Any) -> None:
        self._file.write(json.dumps([time.monotonic_ns(), what, facts]) + "\n")

    def tell(self, line: Line) -> None:
        self._write("tell", line)

    def sends(self, *facts: int) -> None:
        self._write("sends", *facts)

    def commits(self, *facts: int) -> None:
        self._write("commits", *facts)

    def handles(
        self, node: str, leader: str, term: int, entries: list[Found], commit: int, known: Found, now: Line
    ) -> None:
        self._write("handles", node, leader, term, entries, commit, known, now)


def lines_of(directory: Path) -> list[Line]:
    """The log of a cluster, from what its nodes wrote down. The last line of one that was killed may be half a line."""
    book = Book()
    files = sorted(directory.glob(f"*/{STEPS}"))
    for _, what, facts in heapq.merge(*map(_written, files), key=lambda each: each[0]):
        getattr(book, what)(*facts)
    return book.lines


def _written(path: Path) -> Iterator[list[Any]]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)


class ToldCluster(LocalCluster):
    """Nodes that write down what they do."""

    program = ("-m", "tests.conform.raft_processes")


def run_node() -> int:
    """One node, as `quorate_impl.runtime` runs it."""
    pen = Pen(Path(sys.argv[1]).parent / STEPS)

    def made(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Any:
        return protocol(members, OPTIONS, type("ToldNode", (Told,), {"book": pen}))

    PROTOCOLS["raft"] = made
    return runtime.main()


def told_cluster(directory: Path, rounds: int, seed: int) -> tuple[list[Line], Counter[str]]:
    """The log of a cluster of processes that are paused and cut off, and what its clients met."""
    config = found_cluster(directory / "data", "raft", 3, 0, with_tls=False)
    with ToldCluster(directory / "data", config) as cluster:
        counts = asyncio.run(record(cluster, rounds, directory / "history.jsonl", seed, troubles=(pause, cut)))
    return lines_of(directory / "data"), counts


if __name__ == "__main__":
    if sys.argv[1].endswith("config.json"):
        sys.exit(run_node())
    found, _ = told_cluster(Path(sys.argv[2]), int(sys.argv[1]), Random().randrange(10**6))
    with (Path(sys.argv[2]) / "log.jsonl").open("w", encoding="utf-8") as log:
        log.writelines(json.dumps(each) + "\n" for each in found)
    print(len(found), "events", Counter(each["event"] for each in found))
