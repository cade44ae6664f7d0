"""`python -m bench.store`: the Raft store under load, beside the machine's own rate of syncs, and beside etcd.

Three nodes on loopback with their disks in DIR; eight clients, each with so many requests open at once. In the same
run, before it: how many small appends a second the disk makes durable, one after another. etcd (Debian's `etcd-server`)
gets the same load over its HTTP gateway, if it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from quorate_impl.raft.messages import Put
from quorate_impl.runtime.cluster import LocalCluster, found_cluster, free_ports
from quorate_impl.runtime.load import Load, Write, busiest, load, store_clients, sync_rate, syncs

CLIENTS_NUMBER = 8
VALUE = "x" * 100


async def measure_store(cluster: LocalCluster, depths: list[int], seconds: float) -> dict[int, tuple[Load, float]]:
    """For each depth the load, and the operations for each sync of the leader's log, which syncs most."""
    found = {}
    async with store_clients(cluster.config, CLIENTS_NUMBER, lambda key: Put(key, VALUE)) as clients:
        await clients[0]("warm")
        for depth in depths:
            before = syncs(cluster.config)
            result = await load(clients, depth, seconds)
            found[depth] = result, result.operations / max(busiest(before, syncs(cluster.config)), 1)
    return found


# etcd


@contextmanager
def etcd(directory: Path) -> Iterator[list[int]]:
    """Three nodes; the ports where clients ask."""
    ports = free_ports(6)
    peers = ",".join(f"e{i}=http://127.0.0.1:{ports[i]}" for i in range(3))
    with contextlib.ExitStack() as stack:
        for i in range(3):
            client, peer = f"http://127.0.0.1:{ports[3 + i]}", f"http://127.0.0.1:{ports[i]}"
            command = ["etcd", "--name", f"e{i}", "--data-dir", str(directory / f"e{i}"), "--initial-cluster", peers]
            command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--log-level", "error"]
            command += ["--listen-client-urls", client, "--advertise-client-urls", client]
            process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            stack.callback(process.terminate)
        time.sleep(5)
        yield ports[3:]


@asynccontextmanager
async def etcd_clients(port: int, depth: int) -> AsyncIterator[list[Write]]:
    """Clients of the gateway: a connection for each request that is open at once, since HTTP/1.1 takes one at a time."""
    async with AsyncExitStack() as stack:

        async def client() -> Write:
            connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
            for _ in range(depth):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                stack.callback(writer.close)
                connections.put_nowait((reader, writer))

            async def write(key: str) -> None:
                reader, writer = await connections.get()
                body = json.dumps({"key": base64.b64encode(key.encode()).decode(), "value": ENCODED}).encode()
                writer.write(b"POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(head.decode())
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.split(b":")[1]))
                connections.put_nowait((reader, writer))

            return write

        yield [await client() for _ in range(CLIENTS_NUMBER)]


ENCODED = base64.b64encode(VALUE.encode()).decode()


async def measure_etcd(port: int, depths: list[int], seconds: float) -> dict[int, Load]:
    found = {}
    for depth in depths:
        async with etcd_clients(port, depth) as clients:
            await clients[0]("warm")
            found[depth] = await load(clients, depth, seconds)
    return found


def table(rate: float, store: Mapping[int, tuple[Load, float]], peer: Mapping[int, Load]) -> str:
    """The figures, in Markdown."""
    lines = [
        f"The disk makes {rate:,.0f} small appends a second durable, one after another.",
        "",
        "| open requests | | ops/s | p50 ms | p95 ms | p99 ms | ops per sync | of the disk's rate | against etcd |",
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for depth, (mine, per_sync) in store.items():
        other = peer.get(depth)
        ratio = f"{mine.rate / other.rate:.2f}" if other else "not run"
        lines.append(_row(depth, "store", mine) + f" {per_sync:.1f} | {mine.rate / rate:.1f} | {ratio} |")
        if other:
            lines.append(_row(depth, "etcd", other) + f" | {other.rate / rate:.1f} | |")
    return "\n".join(lines)


def _row(depth: int, name: str, found: Load) -> str:
    percentiles = " | ".join(f"{found.percentile(p):.1f}" for p in (50, 95, 99))
    return f"| {CLIENTS_NUMBER * depth} | {name} | {found.rate:,.0f} | {percentiles} |"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--depths", type=int, nargs="*", default=[1, 8, 64])
    parser.add_argument("--dir", type=Path, default=None, help="where the disks are; a temporary directory otherwise")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as name:
        directory = Path(name)
        rate = sync_rate(directory)
        with LocalCluster(directory, found_cluster(directory, "raft", 3, 0, with_tls=False)) as cluster:
            store = asyncio.run(measure_store(cluster, given.depths, given.seconds))
        peer = {}
        if shutil.which("etcd") is not None:
            with etcd(directory) as ports:
                peer = asyncio.run(measure_etcd(ports[0], given.depths, given.seconds))
        print(table(rate, store, peer))


if __name__ == "__main__":
    main()
