"""A node that is open to the world: what is malformed, oversized, slow, half-open or of strangers neither stops nor fills it."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate_impl.raft import Client, protocol
from quorate_impl.raft.messages import AddServer, Done, Execute, Get, Open, Put, Query, Value
from quorate_impl.runtime import node as node_module
from quorate_impl.runtime.client import RemoteClient
from quorate_impl.runtime.config import NodeConfig, Tls
from quorate_impl.runtime.frames import (
    FRAME_BYTES,
    HELLO_BYTES,
    LENGTH,
    REQUEST_BYTES,
    Hello,
    Rejected,
    encode,
    frame,
    read_frame,
)
from quorate_impl.runtime.journal import Journal
from quorate_impl.runtime.node import Node
from quorate_impl.runtime.tls import context, make_certificates
from quorate_impl.storage import OperatingSystemFiles, StorageError

HELLO = frame(encode(Hello("c", "raft", "client", None)))
PEER = frame(encode(Hello("c", "raft", "n2", "127.0.0.1:1")))


@asynccontextmanager
async def running(folder: Path, tls: Tls | None = None) -> AsyncIterator[Node]:
    """A cluster of one node, in this process."""
    members = {"n1": "127.0.0.1:0"}
    config = NodeConfig("c", "raft", "n1", "127.0.0.1:0", members, str(folder / "data"), tls=tls)
    node = Node(config, protocol(members), Journal("n1", io.StringIO()))
    task = asyncio.create_task(node.run())
    while not node.port:
        await asyncio.sleep(0.01)
    try:
        yield node
    finally:
        node.stop()
        await task


async def serves(node: Node, tls: Tls | None = None) -> bool:
    """Whether the node does what a client asks."""
    address = {"n1": f"127.0.0.1:{node.port}"}
    async with RemoteClient(Client("client", address), protocol(address), "c", tls) as client, asyncio.timeout(10):
        return await client.call(Put("k", "v")) == Done() and await client.call(Get("k")) == Value("v")


async def connect(node: Node) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", node.port)


async def is_ended(reader: asyncio.StreamReader) -> bool:
    """Whether the node ends the connection, without a word."""
    try:
        async with asyncio.timeout(5):
            return await reader.read() == b""
    except ConnectionError:
        return True


def in_node(folder: Path, act: Callable[[Node], Coroutine[Any, Any, None]], tls: Tls | None = None) -> Node:
    """Run a node, act on it, and see that it serves afterwards and keeps nothing of the others."""

    async def scene() -> Node:
        async with running(folder, tls) as node:
            await act(node)
            assert tls is not None or await serves(node)
            for _ in range(200):
                if not node.connections:
                    break
                await asyncio.sleep(0.01)
            assert not node.connections
            return node

    return asyncio.run(scene())


def rejected(node: Node) -> float:
    return node.metrics.registry.get_sample_value("quorate_rejected_frames_total", {"node": "n1"}) or 0


VALID = [
    encode(each)
    for each in (
        Open(1),
        Query(2, Get("k")),
        Execute(3, 1, 1, 0, Put("key", "value")),
        Execute(4, 9, 1, 0, Put("k", "v")),
    )
]


def damaged(payload: bytes, random: Random) -> bytes:
    """A valid message with some bytes changed, cut or repeated."""
    data = bytearray(payload)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(data) + 1)
        data[at : at + random.randint(0, 2)] = random.randbytes(random.randint(0, 2))
    return bytes(data)


@pytest.mark.slow
def test_twenty_thousand_malformed_frames_neither_stop_nor_fill_a_node(tmp_path: Path) -> None:
    """Random bytes from clients and from other nodes, and damaged requests, each on a connection until it is refused."""
    sent = 0

    async def attack(node: Node) -> None:
        @settings(max_examples=200)
        @given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.integers(0, 2**32))
        def draw(payloads: list[bytes], seed: int) -> None:
            batches.append(([*payloads], seed))

        batches: list[tuple[list[bytes], int]] = []
        draw()
        nonlocal sent
        for payloads, seed in batches:
            random = Random(seed)
            frames = [frame(damaged(random.choice(VALID), random)) for _ in range(100)] + [frame(p) for p in payloads]
            _, writer = await connect(node)
            writer.write(
                random.choice((HELLO, PEER, b"", frame(damaged(encode(Hello("c", "raft", "x", None)), random))))
            )
            writer.write(b"".join(frames))
            sent += len(frames)
            writer.close()
            await asyncio.sleep(0)

    node = in_node(tmp_path, attack)
    assert sent >= 20_000 and rejected(node) >= 50


@pytest.mark.parametrize(
    ("hello", "most"),
    [(b"", HELLO_BYTES), (HELLO, REQUEST_BYTES), (PEER, FRAME_BYTES)],
    ids=["stranger", "client", "node"],
)
def test_an_oversized_frame_is_refused_before_it_is_read(hello: bytes, most: int, tmp_path: Path) -> None:
    async def act(node: Node) -> None:
        reader, writer = await connect(node)
        writer.write(hello + LENGTH.pack(most + 1) + b"x" * 100)
        assert await is_ended(reader)

    assert rejected(in_node(tmp_path, act)) == 1


def test_who_says_nothing_in_time_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "HELLO_SECONDS", 1.0)

    async def act(node: Node) -> None:
        strangers = [await connect(node) for _ in range(20)]
        assert await serves(node), "while twenty strangers keep silent"
        assert all([await is_ended(reader) for reader, _ in strangers])

    assert rejected(in_node(tmp_path, act)) == 20


def test_a_frame_that_does_not_end_is_given_up() -> None:
    async def scene() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(LENGTH.pack(10) + b"half")
        with pytest.raises(Rejected, match="not complete after"):
            await read_frame(reader, 100, seconds=0.05)

    asyncio.run(scene())


def test_a_client_that_does_not_read_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for 40 megabytes, and leaves them in the system's buffers and then in the node's."""
    monkeypatch.setattr(node_module, "ANSWERS_BYTES_MAX", 2**20)

    async def act(node: Node) -> None:
        address = {"n1": f"127.0.0.1:{node.port}"}
        async with RemoteClient(Client("client", address), protocol(address), "c") as client:
            await client.call(Put("large", "x" * 100_000))
        _, writer = await connect(node)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(HELLO + frame(encode(Query(1, Get("large")))) * 400)
        for _ in range(500):
            if not node.connections:
                break
            await asyncio.sleep(0.01)
        assert not node.connections

    in_node(tmp_path, act)


@pytest.mark.parametrize(
    "hello",
    [Hello("other", "raft", "client", None), Hello("c", "paxos", "client", None)],
    ids=["another cluster", "another protocol"],
)
def test_who_belongs_elsewhere_is_refused(hello: Hello, tmp_path: Path) -> None:
    async def act(node: Node) -> None:
        reader, writer = await connect(node)
        writer.write(frame(encode(hello)) + frame(encode(Open(1))))
        assert await is_ended(reader)

    assert rejected(in_node(tmp_path, act)) == 1


def test_only_certificates_of_the_cluster_get_anything(tmp_path: Path) -> None:
    """Nobody without one, with one of another authority, or with one of another name."""
    ours = make_certificates(tmp_path / "ours", ["n1", "client"])
    theirs = make_certificates(tmp_path / "theirs", ["client"])
    foreign = Tls(theirs["client"].certificate, theirs["client"].key, ours["client"].authority)

    async def asks(node: Node, tls: ssl.SSLContext | None, name: str = "client") -> bool:
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", node.port, ssl=tls)
                writer.write(frame(encode(Hello("c", "raft", name, None))) + frame(encode(Open(1))))
                return await reader.read(1) != b""
        except OSError:
            return False

    async def act(node: Node) -> None:
        anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anonymous.check_hostname, anonymous.verify_mode = False, ssl.CERT_NONE
        assert await serves(node, ours["client"])
        assert await asks(node, context(ours["client"], is_server=False))
        assert not await asks(node, None)
        assert not await asks(node, anonymous)
        assert not await asks(node, context(foreign, is_server=False))
        assert not await asks(node, context(ours["client"], is_server=False), "n1")

    in_node(tmp_path, act, ours["n1"])


def test_a_client_does_not_talk_to_a_server_with_another_name(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, ["n1", "client", "impostor"])

    async def act(node: Node) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await serves(node, certificates["client"])

    in_node(tmp_path, act, certificates["impostor"])


def test_a_node_recovers_what_it_acknowledged_and_says_so(tmp_path: Path) -> None:
    async def nothing(node: Node) -> None:
        pass

    in_node(tmp_path, nothing)

    async def reads(node: Node) -> None:
        address = {"n1": f"127.0.0.1:{node.port}"}
        async with RemoteClient(Client("client", address), protocol(address), "c") as client:
            assert await client.call(Get("k")) == Value("v")
        assert 'event":"recovered","records":' in node.journal.stream.getvalue()  # type: ignore[attr-defined]

    in_node(tmp_path, reads)


def test_a_disk_that_fails_stops_the_node_and_nobody_is_told_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    async def scene() -> None:
        async with running(tmp_path) as node:
            assert await serves(node)
            address = {"n1": f"127.0.0.1:{node.port}"}
            async with RemoteClient(Client("client", address), protocol(address), "c") as client:
                await client.call(Put("k", "1"))
                monkeypatch.setattr(OperatingSystemFiles, "sync", fail)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await client.call(Put("k", "2"))

    with pytest.raises(StorageError, match="Input/output error"):
        asyncio.run(scene())


def test_a_data_directory_has_one_process(tmp_path: Path) -> None:
    async def act(node: Node) -> None:
        with pytest.raises(BlockingIOError, match="another process uses"):
            Node(node.config, protocol(node.config.members), node.journal)

    in_node(tmp_path, act)


def test_a_server_with_an_address_that_is_none_does_no_harm(tmp_path: Path) -> None:
    async def act(node: Node) -> None:
        address = {"n1": f"127.0.0.1:{node.port}"}
        async with RemoteClient(Client("client", address), protocol(address), "c") as client:
            assert await client.call(Put("k", "v")) == Done()
            joining = asyncio.create_task(client.call(AddServer(0, "n2", "nowhere")))
            await asyncio.sleep(0.3)
            assert await client.call(Get("k")) == Value("v")
            joining.cancel()

    in_node(tmp_path, act)
