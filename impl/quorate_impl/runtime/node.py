"""One node, with sockets.

Whoever connects is a stranger until its first frame; strangers have little time and little space. A client with many
requests open is not read from until some are answered, and one that does not read its answers is cut off.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec

from quorate_impl.core import Message, Received, Requested
from quorate_impl.protocol import Protocol
from quorate_impl.runtime.config import NodeConfig, host_and_port
from quorate_impl.runtime.driver import Driver
from quorate_impl.runtime.frames import (
    FRAME_BYTES,
    HELLO_BYTES,
    REQUEST_BYTES,
    Hello,
    Rejected,
    Sever,
    decode,
    encode,
    frame,
    read_frame,
)
from quorate_impl.runtime.journal import Journal
from quorate_impl.runtime.links import Link
from quorate_impl.runtime.tls import context, has_name

HELLO_SECONDS = 5.0
CONNECTIONS_MAX = 1024
REQUESTS_MAX = 1024
"""How many requests of one connection may be open."""
ANSWERS_BYTES_MAX = 8 * 2**20
"""What a client that does not read its answers may leave lying here."""


class Connection:
    """An incoming connection of a client, by a number that is the way back for replies."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.open = 0
        self.has_room = asyncio.Event()
        self.has_room.set()


class Node(Driver):
    """A node as its config says. `run` returns when it is told to stop, or raises what ends it."""

    def __init__(self, config: NodeConfig, protocol: Protocol, journal: Journal) -> None:
        super().__init__(config.name, protocol, Path(config.data), journal)
        self.config = config
        self._protocol = protocol
        self._links: dict[str, Link] = {}
        self._callers: dict[str, str] = {}
        self._clients: dict[str, Connection] = {}
        self.connections: set[asyncio.StreamWriter] = set()
        self._numbers = 0
        self._severed: dict[str, float] = {}
        self.port = 0
        self._tls_out = context(config.tls, is_server=False) if config.tls is not None else None

    async def run(self) -> None:
        """Serve until `stop`. Raises `StorageError` when the disk fails, and whatever goes wrong in the core."""
        tls = context(self.config.tls, is_server=True) if self.config.tls is not None else None
        host, port = host_and_port(self.config.listen)
        server = await asyncio.start_server(self._accept, host, port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        if self.config.metrics_port is not None:
            self.metrics.serve(host, self.config.metrics_port)
        self.journal.note("listens", port=self.port)
        try:
            await self.drive()
        finally:
            server.close()
            for writer in list(self.connections):
                writer.transport.abort()

    def tasks(self) -> list[asyncio.Task[None]]:
        return [link.task for link in self._links.values()]

    # Other nodes

    def send(self, target: str, message: Message) -> None:
        if not self._link(target, encode(message)):
            self.metrics.dropped.inc()

    def _link(self, target: str, message: bytes) -> bool:
        if target not in self._links:
            address = self._core.addresses().get(target, self._callers.get(target))
            if address is None:
                return False
            hello = Hello(self.config.cluster, self._protocol.name, self.config.name, self.config.listen)
            self._links[target] = Link(
                target, address, hello, self._tls_out, lambda: self._is_severed(target), self._tasks
            )
        return self._links[target].push(message)

    def _is_severed(self, name: str) -> bool:
        return self._severed.get(name, 0) > time.monotonic()

    def _sever(self, m: Sever) -> None:
        self.journal.note("severed", names=" ".join(m.names), seconds=m.seconds)
        for name in m.names:
            self._severed[name] = time.monotonic() + m.seconds
            if name in self._links:
                self._links[name].drop()

    # Incoming connections

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        try:
            if len(self.connections) > CONNECTIONS_MAX:
                raise Rejected("too many connections")
            hello = await self._meet(reader, writer)
            if hello.address is None:
                await self._serve_client(reader, writer)
            else:
                self._callers[hello.source] = hello.address
                await self._hear_peer(hello.source, reader)
        except Rejected as error:
            self.metrics.rejected.inc()
            self.journal.note("rejected", reason=str(error)[:200])
        except (OSError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
        finally:
            self.connections.discard(writer)
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Hello:
        """The first frame, in time, from someone of this cluster who is who it says."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                payload = await read_frame(reader, HELLO_BYTES)
        except TimeoutError:
            raise Rejected("no first frame in time") from None
        hello: Hello = decode(HELLO, payload)
        if (hello.cluster, hello.protocol) != (self.config.cluster, self._protocol.name):
            raise Rejected(f"{hello.source} is of cluster {hello.cluster}, protocol {hello.protocol}")
        if self._tls_out is not None and not has_name(writer.get_extra_info("peercert"), hello.source):
            raise Rejected(f"the certificate is not of {hello.source}")
        return hello

    async def _hear_peer(self, source: str, reader: asyncio.StreamReader) -> None:
        decoder = msgspec.msgpack.Decoder(self._protocol.message)
        while True:
            payload = await read_frame(reader, FRAME_BYTES)
            if not self._is_severed(source):
                self.happen(Received(source, decode(decoder, payload)))

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = msgspec.msgpack.Decoder(
            self._protocol.request | Sever if self.config.severs else self._protocol.request
        )
        connection = Connection(writer)
        self._numbers += 1
        name = str(self._numbers)
        self._clients[name] = connection
        try:
            while True:
                await connection.has_room.wait()
                request = decode(decoder, await read_frame(reader, REQUEST_BYTES))
                if isinstance(request, Sever):
                    self._sever(request)
                    continue
                connection.open += 1
                if connection.open >= REQUESTS_MAX:
                    connection.has_room.clear()
                self.metrics.requests.inc()
                self.happen(Requested(name, request))
        finally:
            del self._clients[name]

    def reply(self, client: str, response: Message) -> None:
        connection = self._clients.get(client)
        if connection is None:
            return
        self.metrics.replies.inc()
        connection.open -= 1
        connection.has_room.set()
        connection.writer.write(frame(encode(response)))
        if connection.writer.transport.get_write_buffer_size() > ANSWERS_BYTES_MAX:
            connection.writer.transport.abort()


HELLO: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Hello)
