"""Three processes that are killed, paused and cut off: what reads of one node show, and what quorums do not lose.

`python -m tests.impl.dynamo.test_real_cluster 30 DIR` does 30 rounds, and leaves the history and the logs in DIR.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from quorate.consistency import Satisfied, Violated, find_model, judge, read_history
from quorate_impl.dynamo import Client
from quorate_impl.dynamo.client import Get, Put
from quorate_impl.dynamo.messages import Done, Level, Status, Values
from quorate_impl.runtime.client import RemoteClient
from quorate_impl.runtime.cluster import ClusterConfig, LocalCluster, found_cluster
from quorate_impl.runtime.protocols import PROTOCOLS

from tests.impl.dynamo.running import KEYS, SLOPPY, STRICT, Clients, lost_or_back
from tests.impl.histories import written
from tests.impl.runtime.test_real_cluster import record, sever

SECONDS = 20
QUORUM: tuple[Level, ...] = ("quorum",)


@asynccontextmanager
async def asking(config: ClusterConfig, *nodes: str) -> AsyncIterator[RemoteClient]:
    """A client of these nodes, or of all."""
    core = Client("asker", {name: config.members[name] for name in nodes or config.members})
    async with RemoteClient(core, PROTOCOLS[config.protocol](config.members), config.cluster) as client:
        yield client


async def read_beside_a_cut(cluster: LocalCluster, level: Level, seconds: float) -> list[dict[str, Any]]:
    """A node is cut off for so long; a client of the others writes, and one of that node reads, both at this level."""
    config, workload = cluster.config, Clients(STRICT, (level,), KEYS, is_one_writer_per_key=True)
    history: list[dict[str, Any]] = []

    async def ask(process: int, client: RemoteClient, request: Get | Put) -> None:
        history.append({"process": process, "type": "invoke", **workload.invoked(request)})
        answer = await client.call(request)
        assert isinstance(answer, Done | Values)
        value = answer.values[0] if isinstance(answer, Values) and answer.values else getattr(request, "value", None)
        history.append({"process": process, "type": "ok", **workload.invoked(request), "value": value})

    key = str(level)
    async with asyncio.timeout(SECONDS), asking(config, "n1", "n2") as writer, asking(config, "n3") as reader:
        for node in config.members:
            async with asking(config, node) as client:
                await client.call(Status(0))  # It listens.
        await ask(0, writer, Put(key, "old", "all"))
        await ask(1, reader, Get(key, level))
        await sever(config, "n3", ("n1", "n2"), seconds)
        await asyncio.sleep(0.5)  # The node has read that.
        await ask(0, writer, Put(key, "new", level))
        await ask(1, reader, Get(key, level))
    return history


@pytest.mark.slow
def test_one_and_one_reads_what_is_stale_beside_a_cut_and_quorums_wait(tmp_path: Path) -> None:
    found: dict[Level, type[Any]] = {}
    with LocalCluster(tmp_path, found_cluster(tmp_path, "dynamo", 3, 0, with_tls=False)) as cluster:
        for level, seconds in ("quorum", 2.0), ("one", SECONDS):  # The quorum waits for the end of the cut.
            path = written(asyncio.run(read_beside_a_cut(cluster, level, seconds)), tmp_path)
            found[level] = type(judge(read_history(path), "regular", find_model("register").starting(None)))
    assert found == {"one": Violated, "quorum": Satisfied}


async def _settled(config: ClusterConfig, clients: Clients) -> list[str]:
    """What is wrong when all replicas are asked."""
    async with asyncio.timeout(SECONDS), asking(config) as client:
        answers = {key: await client.call(Get(key, "all")) for key in clients.keys}
    found = {key: answer.values for key, answer in answers.items() if isinstance(answer, Values)}
    wrong = [lost_or_back(clients, key, values) for key, values in found.items()]
    return [each for each in (*wrong, clients.failure) if each is not None]


def endure(folder: Path, rounds: int, seed: int, nodes: int = 3) -> tuple[Counter[str], list[str]]:
    """Eight clients at quorums, and rounds of kills, pauses and cuts; what happened, and what is wrong.

    Of three nodes all are homes of all keys, and each key has one client that writes it; of more, some stand in for others, and
    all clients write.
    """
    with suppress(FileExistsError):
        folder.mkdir()
    clients = Clients(STRICT if nodes == 3 else SLOPPY, QUORUM, KEYS, is_one_writer_per_key=nodes == 3)
    config = found_cluster(folder / "data", "dynamo", nodes, 0, with_tls=False)
    with LocalCluster(folder / "data", config) as cluster:
        counts = asyncio.run(record(cluster, rounds, folder / "history.jsonl", seed, Client, clients))
        return counts, asyncio.run(_settled(config, clients))


def check(folder: Path, rounds: int) -> None:
    counts, wrong = endure(folder, rounds, seed=os.getpid())
    assert counts["ok"] > 100 and not wrong
    history = read_history(folder / "history.jsonl")
    assert isinstance(judge(history, "regular", find_model("register").starting(None)), Satisfied)


@pytest.mark.slow
def test_quorums_of_a_cluster_that_is_killed_paused_and_cut_lose_nothing_and_are_regular(tmp_path: Path) -> None:
    check(tmp_path, 3)


@pytest.mark.deep
def test_the_same_for_longer(tmp_path: Path) -> None:
    check(tmp_path, 15)


@pytest.mark.deep
def test_five_nodes_that_stand_in_for_each_other_lose_nothing(tmp_path: Path) -> None:
    counts, wrong = endure(tmp_path, 9, seed=os.getpid(), nodes=5)
    assert counts["ok"] > 100 and not wrong


if __name__ == "__main__":
    seen, mistakes = endure(Path(sys.argv[2]), int(sys.argv[1]), seed=int(sys.argv[1]))
    print(dict(seen), *(mistakes or ["nothing acknowledged was lost"]), "judge it with:", sep="\n")
    print(f"quorate history {sys.argv[2]}/history.jsonl --model register --initial null --level regular")
