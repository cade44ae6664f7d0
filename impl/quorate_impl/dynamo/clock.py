"""A hybrid logical clock: stamps that respect causality and tell the time."""

from __future__ import annotations

from quorate_impl.dynamo.messages import Stamp
from quorate_impl.dynamo.siblings import ZERO


class Clock:
    """A node's clock. Its stamps are later than all that it has believed, whatever its wall clock shows.

    Read it beside the specification `hybrid_clock`. Its `wait_out` after a restart is not needed here: the stamps of a key are on
    the disk with it, and a write is stamped later than these. With a `skew_ms`, a stamp that is further ahead than that is not
    believed, so that a node whose wall clock runs ahead does not take the others with it (`TrustsAnyClock`).
    """

    def __init__(self, skew_ms: int | None = None) -> None:
        self.wall = 0
        self._skew_ms = skew_ms
        self._last = ZERO

    def believes(self, stamp: Stamp) -> bool:
        """Whether it is not too far ahead."""
        return self._skew_ms is None or stamp.time <= self.wall + self._skew_ms

    def observe(self, stamp: Stamp) -> None:
        """The first half of `after_message`: what comes next is later than this, if it is believed."""
        if self.believes(stamp):
            self._last = max(self._last, stamp)

    def next(self) -> Stamp:
        """`after_local`: the stamp of a write now."""
        last = self._last
        self._last = Stamp(self.wall, 0) if self.wall > last.time else Stamp(last.time, last.count + 1)
        return self._last
