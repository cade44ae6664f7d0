"""A load for a running cluster: so many clients put values, or buy, each with so many requests open at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from quorate_impl.core import Message
from quorate_impl.runtime.client import RemoteClient
from quorate_impl.runtime.cluster import ClusterConfig
from quorate_impl.runtime.protocols import CLIENTS, PROTOCOLS, show
from quorate_impl.runtime.scrape import scrape

Write = Callable[[str], Awaitable[None]]
"""Writes the value of a key, and returns when it is acknowledged."""


@dataclass(frozen=True)
class Load:
    """What came of a load. `latencies` are in seconds, the shortest first; there is one for each operation."""

    seconds: float
    latencies: Sequence[float]

    @property
    def operations(self) -> int:
        """How many were acknowledged."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds

    def percentile(self, percent: float) -> float:
        """Latency in milliseconds; 0 if nothing was acknowledged."""
        if not self.latencies:
            return 0.0
        return 1000 * self.latencies[min(int(self.operations * percent / 100), self.operations - 1)]


async def load(clients: Sequence[Write], depth: int, seconds: float) -> Load:
    """All clients write for so long, each with `depth` requests open. Raises what a write raises."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def one(write: Write, key: str) -> None:
        while time.perf_counter() < end:
            begin = time.perf_counter()
            await write(key)
            latencies.append(time.perf_counter() - begin)

    begin = time.perf_counter()
    await asyncio.gather(*(one(write, f"k{i}.{j}") for i, write in enumerate(clients) for j in range(depth)))
    return Load(time.perf_counter() - begin, sorted(latencies))


class NotDone(Exception):
    """The store did not do what it was asked; the text is what a user would be shown."""


@asynccontextmanager
async def store_clients(
    config: ClusterConfig, number: int, request: Callable[[str], Message]
) -> AsyncIterator[list[Write]]:
    """So many clients of the cluster, which ask for this of a key."""
    name = config.protocol
    protocol = PROTOCOLS[name](config.members, config.settings)
    async with AsyncExitStack() as stack:
        remotes = [
            await stack.enter_async_context(
                RemoteClient(
                    CLIENTS[name]("client", config.members), protocol, config.cluster, config.tls.get("client")
                )
            )
            for _ in range(number)
        ]

        def writing(remote: RemoteClient) -> Write:
            async def write(key: str) -> None:
                shown = show(name, await remote.call(request(key)))
                if shown.exit_code:
                    raise NotDone(shown.text)

            return write

        yield [writing(remote) for remote in remotes]


def syncs(config: ClusterConfig) -> dict[str, float]:
    """How many frames of its log each node that answers has made durable since it started."""
    seen = {node: scrape(port) for node, port in config.metrics.items()}
    return {node: float(facts["log_syncs_total"]) for node, facts in seen.items() if facts is not None}


def busiest(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """How many syncs the node has made that has made the most, of those that ran all the time."""
    return max((after[node] - before[node] for node in before if node in after), default=0)


def sync_rate(directory: Path, seconds: float = 2) -> float:
    """How many appends of 200 bytes a second are made durable there, one after another."""
    path = directory / "probe"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        begin, count = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            os.write(descriptor, b"x" * 200)
            os.fsync(descriptor)
            count += 1
        return count / (time.perf_counter() - begin)
    finally:
        os.close(descriptor)
        path.unlink()
