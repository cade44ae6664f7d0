"""A cluster of processes of the Raft store, under load, paused, cut off and killed: its log, told in the words of the specification
`raft`.

`python -m tests.conform.raft_processes ROUNDS DIR` leaves the log in `DIR/log.jsonl`. What each node does it writes down with the time of a
clock that all processes of a machine share; a message is sent after its line is written, so that the lines of all nodes in the order
of that clock are in the order in which things happened.

`... ROUNDS DIR kills` kills nodes, too (`kill -9`). A node tells what it does before its disk has it, and whoever is killed between
comes back without it. So one that starts tells what it finds on its disk, and the end of what it had told is taken back, as far
as the disk does not have it: nobody has heard of it, for all but a leader's entries goes out when the disk has it. A leader's entries
may be with others, and then it comes back without them; that is the step `crash`, which `raft` has not and `Crashing` has.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from quorate import action, is_majority, require
from quorate_impl.raft import Options, protocol
from quorate_impl.runtime import __main__ as runtime
from quorate_impl.runtime.cluster import LocalCluster, found_cluster
from quorate_impl.runtime.protocols import PROTOCOLS
from quorate_specs.consensus.raft import Commitment, Index, Raft, Role, Server

from tests.conform.raft_core import Book, Found, Line, Told, line
from tests.impl.runtime.test_real_cluster import Trouble, cut, kill, pause, record

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

    def recovers(self, node: str, now: Line) -> None:
        """A node starts, and has this on its disk."""
        self._write("recovers", node, now)


class ToldNode(Told):
    """A server that tells what it begins with, too."""

    pen: Pen

    def started(self) -> None:
        super().started()
        self.pen.recovers(self.name, self._now())
        self._term_told = 0  # What it told before it was killed it does not know.


class Crashing(Raft):
    """Servers come back without what was in their memory alone. A leader sends entries before its own disk has them (Ongaro 2014, section
    10.2.1), and may come back without those of its own terms, but for what is committed because it has it."""

    omits: ClassVar[tuple[str, ...]] = ("committed_stays",)

    @action(mark="crash")
    def crash(self, s: Server, kept: Index) -> None:
        require(kept <= len(self.log[s]))
        require(all(s in self.elected[self.log[s][i].term] for i in range(kept, len(self.log[s]))))
        require(all(c.index <= kept or self.is_held_without(s, c) for c in self.committed))
        self.log[s] = self.log[s][:kept]
        self.role[s] = Role.FOLLOWER
        self.commit_index[s] = Index(0)

    def is_held_without(self, s: Server, c: Commitment) -> bool:
        """Whether a majority has what is committed without this server."""
        return is_majority(
            {r for r in Server if r != s and c.index <= len(self.log[r]) and self.log[r][c.index - 1] == c.entry},
            Server,
        )


Written = list[Any]
"""A time, what was told, and its facts."""
BEGINNING: Line = {"term": 0, "voted_for": None, "log_length": 0, "last_entry": None}


def lines_of(directory: Path) -> list[Line]:
    """The log of a cluster, from what its nodes wrote down. The last line of one that was killed may be half a line."""
    book = Book()
    files = sorted(directory.glob(f"*/{STEPS}"))
    for _, what, facts in heapq.merge(*map(_survived, files), key=lambda each: each[0]):
        getattr(book, what)(*facts)
    return book.lines


def _written(path: Path) -> Iterator[Written]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)


def _survived(path: Path) -> list[Written]:
    """What a node wrote down, without what it had not on its disk when it was killed."""
    kept: list[Written] = []
    for written in _written(path):
        time_ns, what, facts = written
        if what == "recovers":
            if kept:
                node, now = facts
                kept = _without_lost_end(kept, node, now, time_ns)
        elif not (_is_learnt_alone(written) and facts[0]["args"]["m"]["term"] <= _known(kept)["term"]):
            kept.append(written)
    return kept


def _without_lost_end(told: list[Written], node: str, now: Line, time_ns: int) -> list[Written]:
    """What a node has told as far as it has survived, and that it has crashed: the longest beginning that its disk has, with all that
    it did as a leader."""
    least = max((number for number, each in enumerate(told, 1) if _is_of_leader(each)), default=0)
    found = [end for end in range(len(told), least - 1, -1) if _is_on_disk(now, _known(told[:end]))]
    end = found[0] if found else least
    known = _known(told[:end])
    shown = now if found and now["term"] == known["term"] else {name: now[name] for name in NOT_OF_TERM}
    return [*told[:end], [time_ns, "tell", [line("crash", node, {"kept": now["log_length"]}, shown)]]]


NOT_OF_TERM = ("leads", "commit_index", "log_length", "last_entry")


def _is_of_leader(written: Written) -> bool:
    _, what, facts = written
    return what in ("sends", "commits") or (what == "tell" and facts[0]["event"] in ("win", "request", "commit"))


def _is_learnt_alone(written: Written) -> bool:
    """Whether this says that a node had learnt of a term, which it says before it runs for the next one."""
    return bool(written[1] == "tell" and written[2][0]["event"] == "handle_request" and not written[2][0]["vars"])


def _known(told: list[Written]) -> Line:
    """What a node has told of itself last."""
    for _, what, facts in reversed(told):
        if what == "handles":
            return dict(facts[6])
        if what == "tell" and "log_length" in facts[0]["vars"]:
            return {name: value[facts[0]["node"]] for name, value in facts[0]["vars"].items()}
    return BEGINNING


def _is_on_disk(now: Line, told: Line) -> bool:
    """Whether a disk has this, or this and a later term of which the node has only heard."""
    if (now["log_length"], now["last_entry"]) != (told["log_length"], told["last_entry"]):
        return False
    is_same = (now["term"], now["voted_for"]) == (told["term"], told["voted_for"])
    return is_same or (now["term"] > told["term"] and now["voted_for"] is None)


class ToldCluster(LocalCluster):
    """Nodes that write down what they do."""

    program = ("-m", "tests.conform.raft_processes")

    def starts(self, name: str) -> int:
        """How often a node has told what is on its disk."""
        path = self._directory / name / STEPS
        return sum('"recovers"' in text for text in path.read_text().splitlines()) if path.exists() else 0


async def kill_and_wait(cluster: LocalCluster, victim: str, random: Random) -> None:
    """Kill a node that runs, start it again, and give it the time that it takes: on a busy machine the next one is hit before."""
    assert isinstance(cluster, ToldCluster)
    while not (before := cluster.starts(victim)):
        await asyncio.sleep(0.1)
    await kill(cluster, victim, random)
    while cluster.starts(victim) == before:
        await asyncio.sleep(0.1)


def run_node() -> int:
    """One node, as `quorate_impl.runtime` runs it."""
    pen = Pen(Path(sys.argv[1]).parent / STEPS)

    def made(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Any:
        return protocol(members, OPTIONS, type("ThisNode", (ToldNode,), {"book": pen, "pen": pen}))

    PROTOCOLS["raft"] = made
    return runtime.main()


def told_cluster(
    directory: Path, rounds: int, seed: int, troubles: Sequence[Trouble] = (pause, cut)
) -> tuple[list[Line], Counter[str]]:
    """The log of a cluster of processes in trouble, and what its clients met."""
    config = found_cluster(directory / "data", "raft", 3, 0, with_tls=False)
    with ToldCluster(directory / "data", config) as cluster:
        counts = asyncio.run(record(cluster, rounds, directory / "history.jsonl", seed, troubles=troubles))
    return lines_of(directory / "data"), counts


if __name__ == "__main__":
    if sys.argv[1].endswith("config.json"):
        sys.exit(run_node())
    found, _ = told_cluster(
        Path(sys.argv[2]),
        int(sys.argv[1]),
        Random().randrange(10**6),
        (pause, cut, kill_and_wait) if "kills" in sys.argv else (pause, cut),
    )
    with (Path(sys.argv[2]) / "log.jsonl").open("w", encoding="utf-8") as log:
        log.writelines(json.dumps(each) + "\n" for each in found)
    print(len(found), "events", Counter(each["event"] for each in found))
