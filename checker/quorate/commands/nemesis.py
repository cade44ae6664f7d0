"""`quorate nemesis`: trouble for a running cluster, to see what it does."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import click

from quorate.commands._cluster import cluster_in, data_option, need_implementations
from quorate.commands._options import Amount, Explicit
from quorate.errors import UsageError
from quorate.outcome import Exit

if TYPE_CHECKING:
    from quorate_impl.runtime.cluster import ClusterConfig

TROUBLES = ("kill", "pause", "cut")


@click.command("nemesis", cls=Explicit)
@data_option
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True, help="How often.")
@click.option("--every", type=Amount(0.1), default=3.0, show_default=True, metavar="S", help="Between two.")
@click.option("--lasts", type=Amount(0.1), default=2.0, show_default=True, metavar="S", help="Of each.")
@click.option("--only", type=click.Choice(TROUBLES), multiple=True, help="Not the others; may be repeated.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choices.")
def command(data: Path, rounds: int, every: float, lasts: float, only: tuple[str, ...], seed: int) -> Exit:
    """Kill, pause and cut off nodes of the cluster that `quorate run` runs in DIR.

    kill ends a process with SIGKILL, and `run` starts it again; pause stops it with SIGSTOP for a while; cut has a node
    drop its connections to all others, and refuse theirs, for a while.
    """
    need_implementations()
    random = Random(seed)
    for number in range(1, rounds + 1):
        config = cluster_in(data)
        if not config.pids:
            raise UsageError("The cluster does not run. Start it with `quorate run`.")
        node, trouble = random.choice(sorted(config.addresses)), random.choice(only or TROUBLES)
        click.echo(f"{number}: {trouble} {node}")
        _trouble(config, trouble, node, lasts)
        time.sleep(every)
    return Exit.SUCCESS


def _trouble(config: ClusterConfig, trouble: str, node: str, lasts: float) -> None:
    from quorate_impl.runtime.cluster import is_node

    pid = config.pids.get(node)
    if pid is None or not is_node(pid, node):
        click.echo(f"   {node} is down")
    elif trouble == "kill":
        os.kill(pid, signal.SIGKILL)
    elif trouble == "pause":
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(lasts)
        finally:
            os.kill(pid, signal.SIGCONT)
    else:
        asyncio.run(_cut(config, node, lasts))


async def _cut(config: ClusterConfig, node: str, lasts: float) -> None:
    from quorate_impl.runtime.client import RemoteClient
    from quorate_impl.runtime.frames import Sever
    from quorate_impl.runtime.protocols import CLIENTS, PROTOCOLS

    core = CLIENTS[config.protocol]("client", {node: config.addresses[node]})
    protocol = PROTOCOLS[config.protocol](config.members)
    async with RemoteClient(core, protocol, config.cluster, config.tls.get("client")) as client:
        await client.tell(node, Sever(tuple(name for name in config.addresses if name != node), lasts))
