"""Nodes of every protocol are open to the world: frames damaged in any of their messages, arbitrary requests, wrong certificates."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from quorate_impl.core import Requested, Send
from quorate_impl.runtime.client import RemoteClient
from quorate_impl.runtime.cluster import ClusterConfig, found_cluster
from quorate_impl.runtime.config import NodeConfig, Tls
from quorate_impl.runtime.frames import Hello, encode, frame
from quorate_impl.runtime.journal import Journal
from quorate_impl.runtime.node import Node
from quorate_impl.runtime.protocols import CLIENTS, PROTOCOLS, actions, show
from quorate_impl.runtime.tls import context, make_certificates

from tests.impl.runtime.samples import classes, sample
from tests.impl.runtime.test_connections import damaged

BATCHES = 140
"""Of 25 frames each, so that all protocols together are sent 21,000."""


@asynccontextmanager
async def running(
    folder: Path, protocol: str, tls: dict[str, Tls] | None = None
) -> AsyncIterator[tuple[ClusterConfig, list[Node]]]:
    """A whole cluster, in this process."""
    cluster = found_cluster(folder / "cluster", protocol, None, 0, with_tls=False)
    certificates = tls or {}
    nodes = [
        Node(
            NodeConfig(
                cluster.cluster,
                protocol,
                name,
                address,
                cluster.members,
                str(folder / name),
                tls=certificates.get(name),
                settings=cluster.settings,
            ),
            PROTOCOLS[protocol](cluster.members, cluster.settings),
            Journal(name, io.StringIO()),
        )
        for name, address in cluster.members.items()
    ]
    tasks = [asyncio.create_task(node.run()) for node in nodes]
    try:
        while not all(node.port for node in nodes):
            await asyncio.sleep(0.01)
        yield cluster, nodes
    finally:
        for node in nodes:
            node.stop()
        await asyncio.gather(*tasks)


async def answers(cluster: ClusterConfig, name: str) -> bool:
    """Whether a node tells its status."""
    protocol = cluster.protocol
    core = CLIENTS[protocol]("client", {name: cluster.members[name]})
    remote = RemoteClient(core, PROTOCOLS[protocol](cluster.members, cluster.settings), cluster.cluster)
    async with remote, asyncio.timeout(20):
        return name in show(protocol, await remote.call(actions(protocol)["status"].make())).text


def malformed(kinds: list[type[msgspec.Struct]], decoder: msgspec.msgpack.Decoder[Any], random: Random) -> bytes:
    """A damaged message that is no message any more."""
    while True:
        payload = damaged(encode(sample(random.choice(kinds), random)), random)
        try:
            decoder.decode(payload)
        except msgspec.MsgspecError:
            return payload


async def tell(node: Node, hello: bytes, *payloads: bytes) -> None:
    """On a connection of their own."""
    _, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(b"".join([hello, *map(frame, payloads)]))
    writer.close()
    await asyncio.sleep(0)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_damaged_messages_of_every_kind_and_arbitrary_requests_neither_stop_nor_fill_a_node(
    name: str, tmp_path: Path
) -> None:
    """From clients whatever can be asked, and that damaged; from other nodes whatever is damaged so that it is no message."""
    protocol = PROTOCOLS[name]({}, {})
    decoder = msgspec.msgpack.Decoder(protocol.message)
    of_nodes, of_clients = list(classes(protocol.message)), list(classes(protocol.request))
    random = Random(name)

    async def attack() -> float:
        async with running(tmp_path, name) as (cluster, nodes):
            peer = frame(encode(Hello(cluster.cluster, name, "n2", "127.0.0.1:1")))
            client = frame(encode(Hello(cluster.cluster, name, "client", None)))
            for batch in range(BATCHES):
                node = nodes[batch % len(nodes)]
                for _ in range(5):
                    await tell(node, peer, malformed(of_nodes, decoder, random))
                asked = [encode(sample(random.choice(of_clients), random)) for _ in range(20)]
                await tell(node, client, *(damaged(each, random) if random.random() < 0.05 else each for each in asked))
            for node in nodes:
                assert await answers(cluster, node.config.name)
            for _ in range(500):
                if all(len(node.connections) < len(nodes) for node in nodes):
                    break
                await asyncio.sleep(0.01)
            assert all(len(node.connections) < len(nodes) for node in nodes), "only those of the others are left"
            return sum(
                node.metrics.registry.get_sample_value("quorate_rejected_frames_total", {"node": node.config.name}) or 0
                for node in nodes
            )

    assert asyncio.run(attack()) >= 5 * BATCHES


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_only_certificates_of_the_cluster_are_told_anything(name: str, tmp_path: Path) -> None:
    """Nobody without one, with one of another authority, or with one of another name."""

    async def asks(node: Node, tls: ssl.SSLContext | None, source: str = "client") -> bool:
        core = CLIENTS[name]("client", {node.config.name: node.config.listen})
        (request,) = [
            each.message for each in core.step(Requested("", actions(name)["status"].make())) if isinstance(each, Send)
        ]
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection("127.0.0.1", node.port, ssl=tls)
                writer.write(frame(encode(Hello(node.config.cluster, name, source, None))) + frame(encode(request)))
                return await reader.read(1) != b""
        except OSError:
            return False

    async def scene() -> None:
        names = [*found_cluster(tmp_path / "cluster", name, None, 0, with_tls=False).members, "client"]
        ours = make_certificates(tmp_path / "ours", names)
        theirs = make_certificates(tmp_path / "theirs", ["client"])["client"]
        foreign = Tls(theirs.certificate, theirs.key, ours["client"].authority)
        anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anonymous.check_hostname, anonymous.verify_mode = False, ssl.CERT_NONE
        async with running(tmp_path, name, ours) as (_, nodes):
            for node in nodes:
                assert await asks(node, context(ours["client"], is_server=False))
                for tls in (None, anonymous, context(foreign, is_server=False)):
                    assert not await asks(node, tls)
                assert not await asks(node, context(ours["client"], is_server=False), "n1")

    asyncio.run(scene())
