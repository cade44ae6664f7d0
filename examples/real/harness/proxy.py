"""A network that delays and loses, between two ends on loopback.

Loopback delivers within microseconds what a server has written before it was killed, so that asynchronous replication
seems to lose nothing. Between machines it takes its time, and what is on its way when the sender dies may not arrive: the
sender's kernel, which would have sent it again, is gone as well.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress

CHUNK_BYTES = 1 << 16


class Proxy:
    """Listens on `port` and passes on to `target`, each direction late by so many seconds, which may change at any time."""

    def __init__(self, target: int, there_s: float = 0.0, back_s: float = 0.0) -> None:
        self.target, self.there_s, self.back_s = target, there_s, back_s
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """The link is down: what is on its way is lost, connections end, new ones are refused."""
        with self._lock:
            self._is_cut = True
            ends, self._open = self._open, set()
        for end in ends:
            close(end)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        """Cut the link for good."""
        close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._is_cut:
                    raise ConnectionRefusedError
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            with self._lock:  # So that a link that is cut now has all its ends closed, these too.
                if self._is_cut:
                    near.close()
                    far.close()
                    continue
                self._open |= {near, far}
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, is_there in ((near, far, True), (far, near, False)):
                underway = Underway()
                threading.Thread(target=self._take, args=(source, underway, is_there), daemon=True).start()
                threading.Thread(target=self._bring, args=(underway, sink), daemon=True).start()

    def _take(self, source: socket.socket, underway: Underway, is_there: bool) -> None:
        data = b"."
        while data:
            try:
                data = source.recv(CHUNK_BYTES)
            except OSError:
                data = b""
            underway.put(time.monotonic() + (self.there_s if is_there else self.back_s), data)

    def _bring(self, underway: Underway, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := underway.take():
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class Underway:
    """What is on its way, each piece with the time when it arrives. The last is empty."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._some = threading.Semaphore(0)

    def put(self, due: float, data: bytes) -> None:
        self._pieces.append((due, data))
        self._some.release()

    def take(self) -> bytes:
        """All that has arrived, as soon as there is something; empty at the end."""
        self._some.acquire()
        due, data = self._pieces.popleft()
        time.sleep(max(0.0, due - time.monotonic()))
        arrived = [data]
        while arrived[-1] and self._pieces and self._pieces[0][0] <= time.monotonic() and self._pieces[0][1]:
            self._some.acquire()
            arrived.append(self._pieces.popleft()[1])
        return b"".join(arrived)


def close(end: socket.socket) -> None:
    """Close a socket, so that whoever waits for it in another thread is told."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
