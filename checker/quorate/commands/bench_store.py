"""`quorate bench-store`: an implementation under load."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._cluster import cluster_in, need_protocol
from quorate.commands._options import Amount, Explicit
from quorate.errors import UsageError, unknown
from quorate.outcome import Exit

if TYPE_CHECKING:
    from quorate_impl.core import Message
    from quorate_impl.runtime.cluster import ClusterConfig
    from quorate_impl.runtime.load import Load

WARM_SECONDS = 30.0


@click.command("bench-store", cls=Explicit)
@click.argument("name")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The cluster that runs there, or is started there; without it, a new one in a temporary directory.",
)
@click.option("--nodes", type=click.IntRange(1, 99), help="Of a new cluster. [default: 3; of pbft: 4]")
@click.option("--clients", type=click.IntRange(1, 1000), default=8, show_default=True, help="How many ask at once.")
@click.option(
    "--open",
    "depths",
    type=click.IntRange(1, 1000),
    multiple=True,
    default=(1, 8, 64),
    show_default=True,
    metavar="N",
    help="How many requests each client has open; may be repeated.",
)
@click.option("--seconds", type=Amount(0.1), default=3.0, show_default=True, metavar="S", help="For each line.")
@click.option("--bytes", "size", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Of a value.")
@click.option("--only", multiple=True, metavar="KIND", help="Of the kinds of writes only this; may be repeated.")
def command(
    name: str,
    data: Path | None,
    nodes: int | None,
    clients: int,
    depths: tuple[int, ...],
    seconds: float,
    size: int,
    only: tuple[str, ...],
) -> Exit:
    """Load the implementation NAME with puts or purchases, and print throughput, latency percentiles, and operations per sync.

    The kinds of writes are the classes of primary_backup, the levels of dynamo, and purchases of one or two lines of two_phase_commit
    and paxos_commit, which need as many inventories. Operations per sync are counted at the node
    that syncs most. How often the disk syncs is measured first: it bounds what a store does that syncs for each operation.
    """
    need_protocol(name)
    from quorate_impl.runtime.load import sync_rate
    from quorate_impl.runtime.protocols import loads

    kinds = loads(name)
    for kind in only:
        if kind not in kinds:
            raise unknown("kind of writes", kind, sorted(kinds))
    with _cluster(name, data, nodes) as (config, directory):
        click.echo(f"The disk makes {sync_rate(directory, min(seconds, 2)):,.0f} small appends a second durable.")
        click.echo(_line("writes", "open", "ops/s", "p50 ms", "p95 ms", "p99 ms", "ops/sync"))
        for kind in only or kinds:
            asyncio.run(_measure(config, kind, _asking(kinds[kind], "x" * size), clients, depths, seconds))
    return Exit.SUCCESS


def _asking(kind: Callable[[str, str], Message], value: str) -> Callable[[str], Message]:
    return lambda key: kind(key, value)


@contextmanager
def _cluster(name: str, data: Path | None, nodes: int | None) -> Iterator[tuple[ClusterConfig, Path]]:
    """The cluster in the directory, started if it does not run."""
    from quorate_impl.runtime.cluster import FILE, LocalCluster, found_cluster
    from quorate_impl.runtime.protocols import load_settings

    with tempfile.TemporaryDirectory() as temporary:
        directory = data or Path(temporary)
        is_there = (directory / FILE).exists()
        try:
            config = (
                cluster_in(directory, name)
                if is_there
                else found_cluster(directory, name, nodes, 0, False, load_settings(name))
            )
        except ValueError as error:
            raise UsageError(str(error)) from None
        if config.protocol != name:
            raise UsageError(f"The cluster in {directory} runs {config.protocol}, not {name}.")
        try:
            with LocalCluster(directory, config):
                yield config, directory
        except BlockingIOError:
            yield config, directory


async def _measure(
    config: ClusterConfig,
    kind: str,
    request: Callable[[str], Message],
    clients: int,
    depths: tuple[int, ...],
    seconds: float,
) -> None:
    from quorate_impl.runtime.load import NotDone, busiest, load, store_clients, syncs

    try:
        async with store_clients(config, clients, request) as writes:
            async with asyncio.timeout(WARM_SECONDS):
                await writes[0]("warm")
            for depth in depths:
                before = syncs(config)
                async with asyncio.timeout(seconds + WARM_SECONDS):
                    found = await load(writes, depth, seconds)
                per_sync = found.operations / max(busiest(before, syncs(config)), 1)
                click.echo(_row(kind, clients * depth, found, per_sync))
    except TimeoutError:
        raise UsageError(f"The cluster has not answered within {WARM_SECONDS:g} seconds.") from None
    except NotDone as error:
        raise UsageError(f"A write was not done: {error}") from None


def _row(kind: str, count: int, found: Load, per_sync: float) -> str:
    latencies = [f"{found.percentile(each):.1f}" for each in (50, 95, 99)]
    return _line(kind, str(count), f"{found.rate:,.0f}", *latencies, f"{per_sync:.1f}")


def _line(kind: str, *cells: str) -> str:
    return f"{kind:10}" + "".join(f"{cell:>10}" for cell in cells)
