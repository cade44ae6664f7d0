"""A client over sockets: its core, the connections that it needs, and a clock."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

import msgspec

from quorate_impl.core import Core, Drawn, Event, Message, Received, Reply, Requested, Send, Tick
from quorate_impl.core import Draw as DrawEffect
from quorate_impl.protocol import Protocol
from quorate_impl.runtime.config import Tls, host_and_port
from quorate_impl.runtime.driver import TICK_SECONDS
from quorate_impl.runtime.frames import FRAME_BYTES, Hello, Rejected, Sever, decode, encode, frame, read_frame
from quorate_impl.runtime.tls import context, has_name

CONNECT_SECONDS = 2.0


class RemoteClient:
    """Calls servers of a cluster; an asynchronous context manager.

    `call` may be called again while others wait. What the answers mean, and when to ask again, is the core's affair.
    """

    def __init__(self, core: Core, protocol: Protocol, cluster: str, tls: Tls | None = None) -> None:
        self._core = core
        self._protocol = protocol
        self._hello = Hello(cluster, protocol.name, core.name, None)
        self._tls = context(tls, is_server=False) if tls is not None else None
        self._connections: dict[str, asyncio.StreamWriter] = {}
        self._connecting: dict[str, list[bytes]] = {}
        self._calls: dict[str, asyncio.Future[Message]] = {}
        self._numbers = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._spawn(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._connections.values():
            writer.transport.abort()

    async def call(self, request: Message) -> Message:
        """The core's answer to the request."""
        self._numbers += 1
        handle = str(self._numbers)
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._calls[handle] = future
        try:
            self._step(Requested(handle, request))
            return await future
        finally:
            self._calls.pop(handle, None)

    async def tell(self, server: str, message: Sever) -> None:
        """Send something that is not answered, for demonstrations."""
        self._send(server, encode(message))
        while server in self._connecting:
            await asyncio.sleep(0.01)

    def _step(self, event: Event) -> None:
        for effect in self._core.step(event):
            match effect:
                case Send(target, message):
                    self._send(target, encode(message))
                case Reply(handle, response):
                    future = self._calls.get(handle)
                    if future is not None and not future.done():
                        future.set_result(response)
                case DrawEffect(purpose, low, high):
                    self._step(Drawn(purpose, secrets.randbelow(high - low + 1) + low))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._step(Tick(time.time_ns() // 1_000_000))

    def _send(self, server: str, payload: bytes) -> None:
        """Write to the server, to which a connection is made first. What cannot be sent is lost: the core asks again."""
        if server in self._connections:
            self._connections[server].write(frame(payload))
        elif server in self._connecting:
            self._connecting[server].append(frame(payload))
        else:
            self._connecting[server] = [frame(payload)]
            self._spawn(self._converse(server))

    async def _converse(self, server: str) -> None:
        """Connect, and read what the server answers until it ends."""
        decoder = msgspec.msgpack.Decoder(self._protocol.response)
        writer = None
        try:
            host, port = host_and_port(self._core.addresses()[server])
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(host, port, ssl=self._tls)
            if self._tls is not None and not has_name(writer.get_extra_info("peercert"), server):
                raise Rejected(f"the certificate is not of {server}")
            writer.write(b"".join([frame(encode(self._hello)), *self._connecting.pop(server)]))
            self._connections[server] = writer
            while True:
                self._step(Received(server, decode(decoder, await read_frame(reader, FRAME_BYTES))))
        except (OSError, asyncio.IncompleteReadError, Rejected):
            pass
        finally:
            self._connections.pop(server, None)
            self._connecting.pop(server, None)
            if writer is not None:
                writer.transport.abort()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
