"""One simulated machine: a core, its log on a simulated disk, and its clock."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from quorate_impl.core import Checkpoint, Core, Persist
from quorate_impl.protocol import Protocol
from quorate_impl.simulation.disk import PowerLoss, SimulatedDisk
from quorate_impl.storage import StorageError, WriteAheadLog
from quorate_impl.storage.group import GroupCommit, Job

SEGMENT_BYTES = 4096
"""Segments are short here, so that a run passes from one to the next."""


class Machine:
    """What a node of a protocol runs on.

    `life` counts its starts: what was under way when it crashed belongs to an earlier life. `stopped` says why its disk
    made it stop.
    """

    def __init__(self, protocol: Protocol, name: str, random: Random) -> None:
        self._protocol = protocol
        self._random = random
        self.name = name
        self.disk = SimulatedDisk(random)
        self.core: Core | None = None
        self.life = 0
        self.stopped: str | None = None
        self.cut = 0
        self.down = 0
        self.paused = 0
        self.percent = 100
        self.wall_ms = 0
        self._log: WriteAheadLog | None = None
        self._group = GroupCommit()
        self._job: Job | None = None

    def start(self) -> Core | None:
        """Recover from the disk, and run; None if the disk does not allow it."""
        self.life += 1
        self.stopped = None
        self._group, self._job = GroupCommit(), None
        try:
            self._log = WriteAheadLog(self.disk, self._protocol.record, SEGMENT_BYTES)
        except StorageError as error:
            self.stopped = str(error)
            return None
        self.cut += self._log.cut
        self.core = self._protocol.boot(self.name, self._log.records)
        return self.core

    def kill(self) -> None:
        """The process ends, perhaps in the middle of a write. What it has not synced is up to the system."""
        if self._job is not None and self._log is not None and self.core is not None:
            self.disk.operations_left = self._random.randint(0, 6 if self._job.is_checkpoint else 1)
            with suppress(PowerLoss, StorageError):
                self._finish(self._log, self._job)
            self.disk.operations_left = None
        self.core, self._log, self._job = None, None, None

    def crash(self) -> None:
        """The power is gone, and with it what was not synced."""
        self.kill()
        self.disk.crash()

    def replace_disk(self) -> None:
        """Put an empty disk in the place of the one of a node that is down."""
        self.disk = SimulatedDisk(self._random)

    def stop(self, reason: str) -> None:
        """The process ends by itself."""
        self.stopped = reason
        self.core = None

    # The disk, which does one job at a time

    def write(self, effect: Persist | Checkpoint) -> None:
        """The core wants something written."""
        self._group.add(effect)

    def begin(self) -> bool:
        """Begin the next job, if the disk is idle and there is one. Raises `StorageError`."""
        if self._job is not None or self._log is None:
            return False
        self._job = self._group.take()
        if self._job is None:
            return False
        if not self._job.is_checkpoint:
            self._log.append(self._job.records)
        return True

    def finish(self) -> int:
        """End the job; returns the number up to which all is durable. Raises `StorageError`."""
        job, log = self._job, self._log
        assert job is not None and log is not None
        self._finish(log, job)
        self._job = None
        return job.number

    @staticmethod
    def _finish(log: WriteAheadLog, job: Job) -> None:
        if job.is_checkpoint:
            log.checkpoint(job.records)
        else:
            log.sync()
