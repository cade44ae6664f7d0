"""A core between a disk and a clock; heirs add the way to others, sockets or Maelstrom's lines.

One task gives the core its events, all that are at hand together, and carries out the effects. The disk works in a
thread of its own, one job at a time; what is asked for meanwhile goes into the next one (group commit). When the disk
fails the driver stops at once: nothing is acknowledged that may be lost.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import time
from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quorate_impl.core import (
    Checkpoint,
    Draw,
    Drawn,
    Effect,
    Event,
    Message,
    Note,
    Persist,
    Persisted,
    Reply,
    Send,
    Started,
    Tick,
)
from quorate_impl.protocol import Protocol
from quorate_impl.runtime.journal import Journal
from quorate_impl.runtime.metrics import Metrics
from quorate_impl.storage import OperatingSystemFiles, StorageError, WriteAheadLog
from quorate_impl.storage.group import GroupCommit, Job

TICK_SECONDS = 0.01
TICKS_MAX = 5
"""How many ticks are made up for after a pause: a node that stood still must not take it for a silence of the others."""

EVENTS_MAX = 256
"""How many events a core gets at once: what it sends for them must not wait for all that has piled up."""


def _lock(directory: Path) -> int:
    """Keep other processes out, as long as the descriptor is open. Raises `BlockingIOError` if one is in already."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BlockingIOError(f"another process uses {directory}") from None
    return descriptor


class Driver(ABC):
    """Runs a node of a protocol on the log in a directory."""

    def __init__(self, name: str, protocol: Protocol, data: Path, journal: Journal) -> None:
        self.journal = journal
        files = OperatingSystemFiles(data)
        self._lock = _lock(data)
        self._log = WriteAheadLog(files, protocol.record)
        self._core = protocol.boot(name, self._log.records)
        journal.note("recovered", records=len(self._log.records), cut_bytes=self._log.cut)
        self._log.records.clear()
        self.metrics = Metrics(name)
        self.metrics.observe(self._core.status(), time.time())
        self._events: deque[Event] = deque()
        self._has_events = asyncio.Event()
        self._group = GroupCommit()
        self._has_writes = asyncio.Event()
        self._tasks: asyncio.TaskGroup
        self._stop = asyncio.Event()

    async def drive(self) -> None:
        """Run until `stop`. Raises `StorageError` when the disk fails, and whatever goes wrong in the core."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                running = [self._tasks.create_task(each) for each in (self._work(), self._write(), self._tick())]
                await self._stop.wait()
                for task in (*running, *self.tasks()):
                    task.cancel()
        except* StorageError as group:
            raise group.exceptions[0] from None
        finally:
            self._log.close()
            os.close(self._lock)

    def stop(self) -> None:
        """Let `drive` end."""
        self._stop.set()

    def tasks(self) -> list[asyncio.Task[None]]:
        """What an heir has running, to be cancelled at the end."""
        return []

    @abstractmethod
    def send(self, target: str, message: Message) -> None:
        """Send a message to another node, if that is possible."""

    @abstractmethod
    def reply(self, client: str, response: Message) -> None:
        """Answer a client, if it is still there."""

    def happen(self, event: Event) -> None:
        """Give the core an event, with the next ones that it gets."""
        self._events.append(event)
        self._has_events.set()

    async def _work(self) -> None:
        self.happen(Started())
        while True:
            await self._has_events.wait()
            events = [self._events.popleft() for _ in range(min(len(self._events), EVENTS_MAX))]
            if not self._events:
                self._has_events.clear()
            for effect in self._core.step(*events):
                self._do(effect)
            await asyncio.sleep(0)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Send(target, message):
                self.send(target, message)
            case Reply(client, response):
                self.reply(client, response)
            case Persist() | Checkpoint():
                self._group.add(effect)
                self._has_writes.set()
            case Draw(purpose, low, high):
                self.happen(Drawn(purpose, random.randint(low, high)))
            case Note(event, facts):
                self.journal.note(event, **facts)

    async def _tick(self) -> None:
        due = time.monotonic()
        while True:
            await asyncio.sleep(max(due + TICK_SECONDS - time.monotonic(), 0))
            # Scrapes come in a thread of their own, and do not look at the core. The time is taken first.
            now = time.time()
            self.metrics.observe(self._core.status(), now)
            passed = int((time.monotonic() - due) / TICK_SECONDS)
            due += passed * TICK_SECONDS
            for _ in range(min(passed, TICKS_MAX)):
                self.happen(Tick(time.time_ns() // 1_000_000))

    # The disk

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "disk") as disk:
            while True:
                await self._has_writes.wait()
                self._has_writes.clear()
                while (job := self._group.take()) is not None:
                    begin = time.perf_counter()
                    await loop.run_in_executor(disk, self._finish, job)
                    self.metrics.fsync.observe(time.perf_counter() - begin)
                    self.metrics.syncs.inc()
                    self.metrics.records.inc(len(job.records))
                    self.happen(Persisted(job.number))

    def _finish(self, job: Job) -> None:
        if job.is_checkpoint:
            self._log.checkpoint(job.records)
        else:
            self._log.append(job.records)
            self._log.sync()
