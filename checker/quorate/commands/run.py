"""`quorate run`: an implementation as a cluster of processes on this machine."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._cluster import data_option, need_protocol
from quorate.commands._options import Amount, Explicit
from quorate.errors import UsageError
from quorate.outcome import Exit

if TYPE_CHECKING:
    from quorate_impl.runtime.cluster import LocalCluster
    from rich.table import Table

SECONDS = 0.5
COLUMNS = {
    "role": "role",
    "term": "term",
    "epoch": "epoch",
    "view": "view",
    "leader": "leader",
    "commit_index": "commit",
    "prepared": "prepared",
    "available": "available",
    "confirmed": "confirmed",
    "voting": "voting",
    "unfinished": "unfinished",
    "keys": "keys",
    "conflicts": "siblings",
    "hints": "hints",
    "stale_reads": "stale",
    "requests_total": "requests",
}
"""What the table shows of a node, as far as its protocol has it, and how it is called there: 80 characters wide."""

LEADERS = ("leader", "primary")
"""The roles of those whose lags are shown."""


@click.command("run", cls=Explicit)
@click.argument("name")
@click.option("--nodes", type=click.IntRange(1, 99), help="How many members it begins with. [default: 3; of pbft: 4]")
@click.option(
    "--spares",
    type=click.IntRange(0, 99),
    default=0,
    help="Nodes that run too, and wait to be added (`client add-server`).",
)
@data_option
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of a new cluster. Of dynamo: policy=siblings (or last-write-wins), replicas=3, sloppy=yes, skew=MS. Of "
    "two_phase_commit and paxos_commit: stock=100, the units of each inventory. Of pbft: keys=DIR, with keys made elsewhere.",
)
@click.option("--maelstrom", is_flag=True, help="Be one node of Maelstrom: JSON lines on stdin and stdout.")
@click.option("--tls", is_flag=True, help="Mutual TLS between all, with certificates made for a new cluster.")
@click.option("--seconds", type=Amount(0), metavar="S", help="Stop after so long; without it, at Ctrl-C.")
def command(
    name: str,
    nodes: int | None,
    spares: int,
    data: Path,
    given: tuple[str, ...],
    maelstrom: bool,
    tls: bool,
    seconds: float | None,
) -> Exit:
    """Run the implementation NAME as a local cluster, one process for each node, on ports of loopback.

    A directory that has a cluster already goes on with it, whatever --nodes and --set say. A node that dies is started again after
    a second. Each node's structured log is in DIR/NODE/log.jsonl. Ctrl-C stops all.
    """
    need_protocol(name)
    if maelstrom:
        return _maelstrom(name, data)
    from quorate_impl.runtime.cluster import LocalCluster, found_cluster
    from quorate_impl.runtime.protocols import actions

    if spares and "add-server" not in actions(name):
        raise UsageError(f"{name} takes in no servers, and so has no --spares.")
    try:
        config = found_cluster(data, name, nodes, spares, tls, _settings(name, given))
    except ValueError as error:
        raise UsageError(str(error)) from None
    if config.protocol != name:
        raise UsageError(
            f"The cluster in {data} runs {config.protocol}, not {name}. Give another directory with --data."
        )
    cluster = LocalCluster(data, config)
    try:
        with cluster, _terminated():
            click.echo(
                f"{name}: {', '.join(f'{node} at {address}' for node, address in config.addresses.items())}\n"
                f"Ask with `quorate client {name} --data {data} status`. Ctrl-C stops."
            )
            _watch(cluster, time.monotonic() + seconds if seconds is not None else None)
    except BlockingIOError:
        raise UsageError(f"The cluster in {data} runs already.") from None
    except KeyboardInterrupt:
        pass
    click.echo("Stopped.")
    return Exit.SUCCESS


def _settings(name: str, given: tuple[str, ...]) -> dict[str, str]:
    from quorate_impl.runtime.protocols import PROTOCOLS

    settings = dict(each.partition("=")[::2] for each in given)
    try:
        PROTOCOLS[name]({}, settings)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return settings


def _maelstrom(name: str, data: Path) -> Exit:
    try:
        driver = import_module(f"quorate_impl.{name}.maelstrom")
    except ModuleNotFoundError:
        raise UsageError(f"{name} has no workload of Maelstrom's; raft has lin-kv.") from None
    asyncio.run(driver.serve(data))
    return Exit.SUCCESS


class _terminated:
    """SIGTERM stops a cluster as Ctrl-C does."""

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGTERM, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)


def _watch(cluster: LocalCluster, end: float | None) -> None:
    """Keep the nodes running, and show them: as a live table on a terminal, else a line for each change."""
    if not sys.stdout.isatty():
        _each(cluster, end, _Lines())
        return
    from rich.live import Live

    with Live(_table(cluster, {}), auto_refresh=False) as live:
        _each(cluster, end, lambda cluster, facts: live.update(_table(cluster, facts), refresh=True))


Facts = Mapping[str, Mapping[str, str] | None]
"""What each node says of itself; None if it does not answer."""


def _each(cluster: LocalCluster, end: float | None, show: Callable[[LocalCluster, Facts], None]) -> None:
    from quorate_impl.runtime.scrape import scrape

    with ThreadPoolExecutor(len(cluster.config.metrics)) as pool:
        while end is None or time.monotonic() < end:
            cluster.supervise()
            facts = dict(zip(cluster.config.metrics, pool.map(scrape, cluster.config.metrics.values()), strict=True))
            show(cluster, facts)
            time.sleep(SECONDS)


class _Lines:
    """Says who leads, and who is down, when that changes."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def __call__(self, cluster: LocalCluster, facts: Facts) -> None:
        for node in cluster.config.addresses:
            found = facts[node]
            if node in cluster.failed:
                said = f"stopped: {cluster.failed[node]}"
            elif found is None:
                said = "does not answer"
            else:
                reigns = [f", {each} {found[each]}" for each in ("term", "epoch", "view") if each in found]
                said = found.get("role", "runs") + "".join(reigns)
            if self._said.get(node) != said:
                self._said[node] = said
                click.echo(f"{node}: {said}")
        sys.stdout.flush()


def _table(cluster: LocalCluster, facts: Facts) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = [name for name in COLUMNS if any(found and name in found for found in facts.values())]
    lag = ["lag"] if "role" in shown else []
    table = Table("node", "state", *(COLUMNS[name] for name in shown), *lag, "restarts", box=SIMPLE_HEAD)
    table.caption = "\n".join(cluster.failed.values()) or None
    lags = {
        name.removeprefix("lag_"): lag
        for found in facts.values()
        if found and found.get("role") in LEADERS
        for name, lag in found.items()
        if name.startswith("lag_")
    }
    for node in cluster.config.addresses:
        found = facts.get(node) or {}
        state = "[red]stopped[/]" if node in cluster.failed else "runs" if found else "[red]down[/]"
        cells = [found.get(name, "") for name in shown]
        style = "bold" if found.get("role") in LEADERS else ""
        table.add_row(node, state, *cells, *(lags.get(node, "") for _ in lag), str(cluster.restarts[node]), style=style)
    return table
