"""The state graph of a check of liveness in a file beside the checkpoint of its search (`graphfile.h`): what to go on from, and when to
write it."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from quorate.errors import UsageError
from quorate.explore.engine import EngineUnavailable
from quorate.explore.limits import Checkpoint, Watch
from quorate.explore.native.checkpoint import age, graph_beside
from quorate.explore.native.library import LivenessReport


class GraphFile:
    """The file of one check, which `handle` is.

    The engine writes it between two blocks of states when it is asked to, when the graph is whole, and when something has ended the
    building. After that it is written again for what was judged meanwhile."""

    def __init__(self, c: ctypes.CDLL, handle: int, checkpoint: Checkpoint, watch: Watch) -> None:
        self.c, self.handle, self.checkpoint, self.watch = c, handle, checkpoint, watch
        self.path = graph_beside(checkpoint.path)
        self.notes: list[str] = []
        self._written, self._saves, self._whole, self._unsaved = watch.seconds, 0, False, False
        if self.path.exists():
            self._resume()
        if c.quorate_liveness_keep(handle, os.fsencode(self.path)) != 0:
            raise EngineUnavailable("the native engine could not reserve memory for the state graph")

    def _resume(self) -> None:
        wrong = self.c.quorate_liveness_resume(self.handle, os.fsencode(self.path))
        if wrong is not None:
            raise UsageError(f"The check of liveness cannot go on from {self.path}: {wrong.decode()}.")
        report = LivenessReport()
        self.c.quorate_liveness_report(self.handle, ctypes.byref(report))
        self.notes.append(f"liveness went on from {self.path}, which had {report.states:,} states")

    def looked(self, report: LivenessReport) -> None:
        """Meanwhile: as long as the graph is being built, ask for the file if it is time. The next is due some time after this one is on
        the disk, however long that took."""
        if report.saves > self._saves:
            self._saves, self._written = report.saves, self.watch.seconds
        if not self._whole and self._is_due():
            self.c.quorate_liveness_checkpoint(self.handle)
            self._written = self.watch.seconds

    def built(self) -> None:
        """The graph is whole, and in the file."""
        self._whole, self._written = True, self.watch.seconds

    def _is_due(self) -> bool:
        return self.watch.seconds - self._written >= self.checkpoint.interval_s

    def recalled(self, number: int, position: int) -> int | None:
        """The verdict on a property for the arguments at a position, if the file has one: then the engine is as if it had judged it now."""
        verdict: int = self.c.quorate_liveness_recall(self.handle, number, position)
        return None if verdict < 0 else verdict

    def judged(self, number: int, position: int, verdict: int) -> None:
        """What the engine has judged last is believed."""
        self._unsaved |= self.c.quorate_liveness_note(self.handle, number, position, verdict) == 0
        if self._is_due():
            self.save()

    def save(self) -> None:
        """Write what was judged and is not in the file."""
        if self._unsaved:
            self.c.quorate_liveness_save(self.handle)
            self._written, self._unsaved = self.watch.seconds, False

    def told(self, ended: bool) -> tuple[str, ...]:
        """What the user is to know of the file, at the end of a check, or where it `ended` early."""
        failure: Any = self.c.quorate_liveness_failure(self.handle)
        if failure:
            self.notes.append(f"the graph for liveness could not be written to {self.path}: {failure.decode()}")
        if ended:
            again, when = f"--checkpoint {self.checkpoint.path} --resume", age(self.path)
            if when is None:
                self.notes.append(f"`{again}` has the search, which is whole; the graph for liveness is built anew")
            else:
                self.notes.append(f"`{again}` goes on from what was written {when}")
        return tuple(self.notes)
