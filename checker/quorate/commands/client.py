"""`quorate client`: ask a running cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._cluster import cluster_in, data_option, need_protocol
from quorate.commands._options import Amount, Explicit
from quorate.errors import UsageError, unknown
from quorate.outcome import Exit

if TYPE_CHECKING:
    from quorate_impl.core import Message
    from quorate_impl.runtime.cluster import ClusterConfig


@click.command("client", cls=Explicit)
@click.argument("name")
@click.argument("action")
@click.argument("arguments", nargs=-1)
@data_option
@click.option(
    "--consistency",
    "--r",
    "--w",
    metavar="LEVEL",
    help="Of dynamo: how many replicas a read (R) or a write (W) waits for: one, quorum, all, or a number. "
    "Of primary_backup: latest, session or any.",
)
@click.option(
    "--class",
    "class_",
    metavar="CLASS",
    help="Of primary_backup: payment, order (without it) or page-view; or synchronous, semi-synchronous, asynchronous.",
)
@click.option("--token", metavar="TOKEN", help="Of primary_backup: get sees at least what an earlier answer told of.")
@click.option("--beside", is_flag=True, help="Of dynamo: put the value beside what is there, without reading first.")
@click.option("--server", metavar="NODE", help="Ask this node only, as for the `status` of one.")
@click.option("--timeout", type=Amount(0.1), default=10.0, show_default=True, metavar="S", help="Give up.")
def command(
    name: str,
    action: str,
    arguments: tuple[str, ...],
    data: Path,
    consistency: str | None,
    class_: str | None,
    token: str | None,
    beside: bool,
    server: str | None,
    timeout: float,
) -> Exit:
    """Ask the cluster that runs the implementation NAME: `quorate client raft put KEY VALUE`.

    Of raft: put KEY VALUE, get KEY, cas KEY EXPECTED VALUE, delete KEY, status, add-server NAME [ADDRESS],
    remove-server NAME, transfer NAME. Of dynamo: put KEY VALUE and delete KEY, in the place of what is read first; get KEY,
    status. Of primary_backup: put KEY VALUE, get KEY, cas KEY EXPECTED VALUE, delete KEY, status, fail-over, force-fail-over.
    Of two_phase_commit and paxos_commit: buy n1=2,n2=1, status.
    Of pbft: put KEY VALUE, get KEY, cas KEY EXPECTED VALUE, delete KEY, status.
    Exit codes: 0 done, 1 not done, 3 nobody knows (there was no answer in time).
    """
    need_protocol(name)
    from quorate_impl.runtime.protocols import actions, show

    offered = actions(name)
    if action not in offered:
        raise unknown("action", action, sorted(offered))
    options = {"consistency": consistency, "class_": class_, "token": token, "beside": beside or None}
    given = {option: value for option, value in options.items() if value is not None}
    for option in given.keys() - offered[action].options:
        raise UsageError(f"`{action}` of {name} has no --{option.rstrip('_')}.")
    config = cluster_in(data, name)
    if config.protocol != name:
        raise UsageError(f"The cluster in {data} runs {config.protocol}, not {name}.")
    if action == "add-server" and len(arguments) == 1 and arguments[0] in config.addresses:
        arguments = (*arguments, config.addresses[arguments[0]])
    expected = offered[action].arguments
    if len(arguments) != len(expected):
        raise UsageError(f"It is `quorate client {name} {action} {' '.join(expected)}`.".replace(" `.", "`."))
    if server is not None and server not in config.addresses:
        raise unknown("node", server, sorted(config.addresses))
    try:
        request = offered[action].make(*arguments, **given)
    except ValueError as error:
        raise UsageError(str(error)) from None
    try:
        result = asyncio.run(_ask(name, config, request, server, timeout))
    except TimeoutError:
        click.echo(f"no answer within {timeout:g} seconds: unknown whether it was done", err=True)
        return Exit.OPEN
    shown = show(name, result)
    click.echo(shown.text)
    if shown.note:
        click.echo(shown.note, err=True)
    return Exit(shown.exit_code)


async def _ask(name: str, config: ClusterConfig, request: Message, server: str | None, timeout: float) -> Message:
    from quorate_impl.runtime.client import RemoteClient
    from quorate_impl.runtime.protocols import CLIENTS, PROTOCOLS

    servers = config.members | config.spares if server is None else {server: config.addresses[server]}
    core = CLIENTS[name]("client", servers)
    protocol = PROTOCOLS[name](config.members)
    async with RemoteClient(core, protocol, config.cluster, config.tls.get("client")) as client:
        async with asyncio.timeout(timeout):
            return await client.call(request)
