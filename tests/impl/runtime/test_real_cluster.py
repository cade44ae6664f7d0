"""Three processes under load are killed, paused and cut off, again and again; what their clients saw is linearizable.

`python -m tests.impl.runtime.test_real_cluster 30 DIR` does 30 rounds, and leaves the history and the logs in DIR.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from typing import Protocol as Interface

import pytest
from quorate.consistency import Satisfied, find_model, judge, read_history
from quorate_impl.core import Core
from quorate_impl.raft import Client
from quorate_impl.runtime.client import RemoteClient
from quorate_impl.runtime.cluster import ClusterConfig, LocalCluster, found_cluster
from quorate_impl.runtime.frames import Sever
from quorate_impl.runtime.protocols import CLIENTS, PROTOCOLS
from quorate_impl.simulation import Workload

from tests.impl.raft.running import Registers

GIVE_UP_TICKS = 300


class Maker(Interface):
    """Makes the core of a client."""

    def __call__(self, name: str, servers: Mapping[str, str], *, give_up_ticks: int) -> Core: ...


class Recorder:
    """Clients that put, get and compare; every call and return becomes a line."""

    def __init__(self, config: ClusterConfig, path: Path, client: Maker, workload: Workload) -> None:
        self._config = config
        self._file = path.open("w", encoding="utf-8")
        self._client = client
        self._workload = workload
        self._processes = 0
        self.is_over = False
        self.counts: Counter[str] = Counter()

    def _line(self, process: int, kind: str, fields: dict[str, Any]) -> None:
        self.counts[kind] += 1
        self._file.write(json.dumps({"process": process, "type": kind, **fields}) + "\n")

    async def client(self, number: int) -> None:
        """One client, until all is over; it is a new process of the history after an answer that is in doubt."""
        random = Random(number)
        core = self._client(f"client{number}", self._config.members, give_up_ticks=GIVE_UP_TICKS)
        protocol = PROTOCOLS[self._config.protocol](self._config.members)
        async with RemoteClient(core, protocol, self._config.cluster) as remote:
            while not self.is_over:
                self._processes += 1
                process, kind = self._processes, "ok"
                while kind != "info" and not self.is_over:
                    request = self._workload.ask(f"c{number}", random)
                    self._line(process, "invoke", self._workload.invoked(request) or {})
                    kind, fields = self._workload.returned(request, await remote.call(request))
                    self._line(process, kind, fields)
                    await asyncio.sleep(0.01)

    def close(self) -> None:
        self._file.close()


async def sever(config: ClusterConfig, node: str, others: tuple[str, ...], seconds: float) -> None:
    """Have a node drop its connections to others, and refuse theirs."""
    core = CLIENTS[config.protocol]("nemesis", {node: config.members[node]})
    async with RemoteClient(core, PROTOCOLS[config.protocol](config.members), config.cluster) as remote:
        await remote.tell(node, Sever(others, seconds))


async def kill(cluster: LocalCluster, victim: str, random: Random) -> None:
    """Kill a node, and start it again."""
    cluster.signal(victim, signal.SIGKILL)
    cluster.processes[victim].wait()
    await asyncio.sleep(random.uniform(0.2, 1))
    cluster.start(victim)


async def pause(cluster: LocalCluster, victim: str, random: Random) -> None:
    """Stop a node, and let it go on."""
    cluster.signal(victim, signal.SIGSTOP)
    await asyncio.sleep(random.uniform(0.2, 1.2))
    cluster.signal(victim, signal.SIGCONT)


async def cut(cluster: LocalCluster, victim: str, random: Random) -> None:
    """Cut a node off for a second."""
    others = tuple(name for name in cluster.config.members if name != victim)
    await sever(cluster.config, victim, others, 1.0)
    await asyncio.sleep(1.0)


Trouble = Callable[[LocalCluster, str, Random], Coroutine[Any, Any, None]]
TROUBLES: tuple[Trouble, ...] = (kill, pause, cut)


async def disturb(cluster: LocalCluster, rounds: int, random: Random, troubles: Sequence[Trouble]) -> None:
    """Make trouble for one node after the other, while the others go on; every third time a leader may be hit."""
    names = list(cluster.config.members)
    for number in range(rounds):
        await troubles[number % len(troubles)](cluster, random.choice(names), random)
        await asyncio.sleep(random.uniform(0.5, 1))


async def record(
    cluster: LocalCluster,
    rounds: int,
    path: Path,
    seed: int,
    client: Maker = Client,
    workload: Workload | None = None,
    troubles: Sequence[Trouble] = TROUBLES,
) -> Counter[str]:
    """A history of so many rounds with eight clients, and a quiet second at the end."""
    recorder = Recorder(cluster.config, path, client, workload or Registers(("x", "y", "z")))
    clients = [asyncio.create_task(recorder.client(number)) for number in range(8)]
    await asyncio.sleep(1)
    try:
        await disturb(cluster, rounds, Random(seed), troubles)
        await asyncio.sleep(2)
        recorder.is_over = True
        await asyncio.gather(*clients)
    finally:
        recorder.close()
    return recorder.counts


@pytest.mark.slow
def test_a_cluster_that_is_killed_paused_and_cut_is_linearizable(tmp_path: Path) -> None:
    config = found_cluster(tmp_path / "data", "raft", 3, 0, with_tls=False)
    with LocalCluster(tmp_path / "data", config) as cluster:
        counts = asyncio.run(record(cluster, 6, tmp_path / "history.jsonl", seed=os.getpid()))
    assert counts["ok"] > 100
    verdict = judge(read_history(tmp_path / "history.jsonl"), "linearizable", find_model("cas-register").starting(None))
    assert isinstance(verdict, Satisfied)


if __name__ == "__main__":
    rounds, folder = int(sys.argv[1]), Path(sys.argv[2])
    begin = time.monotonic()
    with suppress(FileExistsError):
        folder.mkdir()
    started = found_cluster(folder / "data", "raft", 3, 0, with_tls=False)
    with LocalCluster(folder / "data", started) as running:
        seen = asyncio.run(record(running, rounds, folder / "history.jsonl", seed=rounds))
    print(dict(seen), f"{time.monotonic() - begin:.0f} s; judge it with:")
    print(f"quorate history {folder}/history.jsonl --model cas-register --initial null --level linearizable")
