"""Processes that are killed, paused and cut off: what each class loses, and what its clients are told.

`python -m tests.impl.primary_backup.test_real_cluster 30 DIR` does 30 rounds, and leaves the history and the logs in DIR.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from quorate_impl.core import Message
from quorate_impl.primary_backup import Client
from quorate_impl.primary_backup.client import Unknown
from quorate_impl.primary_backup.messages import Consistency, Done, Facts, Get, Put, Scheme, Status, Value
from quorate_impl.runtime.client import RemoteClient
from quorate_impl.runtime.cluster import ClusterConfig, LocalCluster, found_cluster
from quorate_impl.runtime.protocols import PROTOCOLS
from quorate_impl.runtime.scrape import scrape

from tests.impl.primary_backup.running import Mix, of_class, satisfies
from tests.impl.runtime.test_real_cluster import record, sever

SECONDS = 20


@asynccontextmanager
async def asking(config: ClusterConfig, *nodes: str, give_up_ticks: int | None = None) -> AsyncIterator[RemoteClient]:
    """A client of these nodes, or of all."""
    members = {name: config.members[name] for name in nodes or config.members}
    core = Client("asker", members, give_up_ticks=give_up_ticks)
    async with RemoteClient(core, PROTOCOLS["primary_backup"](config.members), config.cluster) as client:
        yield client


async def primary_of(config: ClusterConfig, epoch: int = 1) -> str:
    """Who is the primary, in this epoch or later."""
    async with asyncio.timeout(SECONDS), asking(config, "arbiter") as client:
        while True:
            answer = await client.call(Status(0))
            assert isinstance(answer, Facts)
            if answer.facts["primary"] is not None and int(answer.facts["epoch"] or 0) >= epoch:
                return str(answer.facts["primary"])
            await asyncio.sleep(0.05)


class Notebook:
    """What one client asks and is told, as a history."""

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self._workload = Mix()
        self._process = 0

    async def ask(self, client: RemoteClient, request: Message) -> Message:
        invoked = self._workload.invoked(request)
        assert invoked is not None
        self.history.append({"process": self._process, "type": "invoke", **invoked})
        answer = await client.call(request)
        kind, fields = self._workload.returned(request, answer)
        self.history.append({"process": self._process, "type": kind, **fields})
        self._process += kind == "info"
        return answer


async def lose(cluster: LocalCluster) -> list[dict[str, Any]]:
    """The primary is cut off from its backups, takes updates of both classes, is killed, and comes back."""
    config, notebook = cluster.config, Notebook()
    async with asyncio.timeout(SECONDS):
        first = await primary_of(config)
        backups = tuple(name for name in config.members if name not in (first, "arbiter"))
        async with asking(config, give_up_ticks=100) as client:
            assert isinstance(await notebook.ask(client, Put("p1", "1", Scheme.SYNCHRONOUS)), Done)
            assert isinstance(await notebook.ask(client, Put("v1", "1", Scheme.ASYNCHRONOUS)), Done)
            await asyncio.sleep(0.3)  # The backups hear that every node has stored this.
            await sever(config, first, backups, SECONDS)
            assert isinstance(await notebook.ask(client, Put("v1", "2", Scheme.ASYNCHRONOUS)), Done)
            assert isinstance(await notebook.ask(client, Put("p1", "2", Scheme.SYNCHRONOUS)), Unknown)
        cluster.signal(first, signal.SIGKILL)
        cluster.processes[first].wait()
        assert await primary_of(config, epoch=2) != first
        async with asking(config) as client:
            assert await notebook.ask(client, Get("v1")) == await notebook.ask(client, Get("v1"))
            await notebook.ask(client, Get("p1"))
            cluster.start(first)
            assert isinstance(await notebook.ask(client, Put("p1", "3", Scheme.SYNCHRONOUS)), Done)
        async with asking(config, first) as client:
            found = await client.call(Get("v1", Consistency.ANY))
            assert isinstance(found, Value) and found.value == "1"
    return notebook.history


@pytest.mark.slow
def test_a_killed_primary_loses_page_views_that_it_has_acknowledged_and_no_payment(tmp_path: Path) -> None:
    with LocalCluster(tmp_path, found_cluster(tmp_path, "primary_backup", 3, 0, with_tls=False)) as cluster:
        history = asyncio.run(lose(cluster))
    assert not satisfies(of_class(history, "v"), "linearizable", tmp_path)
    assert satisfies(of_class(history, "p"), "linearizable", tmp_path)


async def read_stale(cluster: LocalCluster) -> None:
    """A backup is cut off; it answers reads without a token, and counts them, and none whose session has seen more."""
    config = cluster.config
    async with asyncio.timeout(SECONDS):
        primary = await primary_of(config)
        backup = next(name for name in config.members if name not in (primary, "arbiter"))
        async with asking(config) as client:
            first = await client.call(Put("o1", "1"))
            assert isinstance(first, Done)
            await sever(config, backup, tuple(name for name in config.members if name != backup), 1.5)
            second = await client.call(Put("o1", "2"))
            assert isinstance(second, Done)
        async with asking(config, backup) as client:
            stale = await client.call(Get("o1", Consistency.ANY, second.position))
            fresh = await client.call(Get("o1", Consistency.SESSION, second.position))
        assert (stale, fresh) == (Value("1", first.position), Value("2", second.position))
        await asyncio.sleep(0.2)
        facts = scrape(config.metrics[backup])
        assert facts is not None and facts["stale_reads"] == "1" and int(facts["refused_reads"]) > 0


@pytest.mark.slow
def test_a_backup_that_is_cut_off_answers_stale_reads_and_counts_them(tmp_path: Path) -> None:
    with LocalCluster(tmp_path, found_cluster(tmp_path, "primary_backup", 3, 0, with_tls=False)) as cluster:
        asyncio.run(read_stale(cluster))


def endure(folder: Path, rounds: int, seed: int) -> Path:
    """Eight clients, and rounds of kills, pauses and cuts, at nodes and arbiter."""
    with suppress(FileExistsError):
        folder.mkdir()
    config = found_cluster(folder / "data", "primary_backup", 3, 0, with_tls=False)
    path = folder / "history.jsonl"
    with LocalCluster(folder / "data", config) as cluster:
        counts = asyncio.run(record(cluster, rounds, path, seed, Client, Mix()))
    assert counts["ok"] > 100
    return path


@pytest.mark.deep
def test_payments_and_orders_of_a_cluster_that_is_killed_paused_and_cut_are_linearizable(tmp_path: Path) -> None:
    lines = endure(tmp_path, 9, seed=os.getpid()).read_text(encoding="utf-8").splitlines()
    history = [json.loads(line) for line in lines]
    for letter in "po":
        assert satisfies(of_class(history, letter), "linearizable", tmp_path)


if __name__ == "__main__":
    whole = endure(Path(sys.argv[2]), int(sys.argv[1]), seed=int(sys.argv[1]))
    print("Judge each class:")
    for letter, name in (("p", "payments"), ("o", "orders"), ("v", "page-views")):
        events = [
            line for line in whole.read_text(encoding="utf-8").splitlines() if json.loads(line)["key"][0] == letter
        ]
        path = whole.with_name(f"{name}.jsonl")
        path.write_text("\n".join(events), encoding="utf-8")
        print(f"quorate history {path} --model cas-register --initial null --level linearizable")
