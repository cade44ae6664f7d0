"""Outgoing connections to other nodes: one for each, made again with back-off, with a queue that has an end."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import deque
from collections.abc import Callable

from quorate_impl.runtime.config import host_and_port
from quorate_impl.runtime.frames import Hello, encode, frame
from quorate_impl.runtime.tls import has_name

QUEUE_BYTES = 16 * 2**20
"""What waits for one node at most. What does not fit is dropped: cores send again what matters."""
BACKOFF_SECONDS = (0.02, 1.0)
"""The first and the longest pause between attempts to connect."""


class Link:
    """The way to one node."""

    def __init__(
        self,
        name: str,
        address: str,
        hello: Hello,
        tls: ssl.SSLContext | None,
        is_severed: Callable[[], bool],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._is_severed = is_severed
        self._name = name
        self._address = address
        self._hello = hello
        self._tls = tls
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._has_news = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self.task = tasks.create_task(self._run())

    def push(self, message: bytes) -> bool:
        """Send the message when its turn comes; False if it had to be dropped."""
        if self._bytes + len(message) > QUEUE_BYTES or self._is_severed():
            return False
        self._waiting.append(message)
        self._bytes += len(message)
        self._has_news.set()
        return True

    def drop(self) -> None:
        """Close the connection, and forget what waits."""
        self._waiting.clear()
        self._bytes = 0
        if self._writer is not None:
            self._writer.transport.abort()

    async def _run(self) -> None:
        """Keep connected, until cancelled."""
        pause, longest = BACKOFF_SECONDS
        while True:
            try:
                await self._connect()
                pause = BACKOFF_SECONDS[0]
                await self._write()
            except (OSError, ValueError):  # No connection, or no address at all.
                pass
            finally:
                self._close()
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, longest)

    async def _connect(self) -> None:
        while not self._waiting or self._is_severed():
            self._has_news.clear()
            await (asyncio.sleep(0.1) if self._is_severed() else self._has_news.wait())
        host, port = host_and_port(self._address)
        async with asyncio.timeout(5):
            _, self._writer = await asyncio.open_connection(host, port, ssl=self._tls)
        if self._tls is not None and not has_name(self._writer.get_extra_info("peercert"), self._name):
            raise OSError(f"{self._address} is not {self._name}")
        self._writer.write(frame(encode(self._hello)))

    async def _write(self) -> None:
        """What waits goes out together; `drain` waits while the other side is slow."""
        writer = self._writer
        assert writer is not None
        while not writer.is_closing():
            while not self._waiting:
                self._has_news.clear()
                await self._has_news.wait()
            batch = b"".join(frame(message) for message in self._waiting)
            self._waiting.clear()
            self._bytes = 0
            writer.write(batch)
            await writer.drain()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
