"""A hybrid logical clock: stamps that respect causality and tell the time."""

from __future__ import annotations

from quorate_impl.dynamo.messages import Stamp
from quorate_impl.dynamo.siblings import ZERO


class Clock:
    """A node's clock. Its stamps are later than all that the node has stored or was told of, whatever its wall clock shows.

    Read it beside the specification `hybrid_clock`. Its `wait_out` after a restart is not needed here, since no stamp is
    told before it is on the disk, and all that are there are observed at the start. There is no limit to how far a stamp may
    be ahead: a node whose wall clock runs ahead takes the others with it (the specification's `TrustsAnyClock`).
    """

    def __init__(self) -> None:
        self.wall = 0
        self._last = ZERO

    def observe(self, stamp: Stamp) -> None:
        """The first half of `after_message`: what comes next is later than this."""
        self._last = max(self._last, stamp)

    def next(self) -> Stamp:
        """`after_local`: the stamp of a write now."""
        last = self._last
        self._last = Stamp(self.wall, 0) if self.wall > last.time else Stamp(last.time, last.count + 1)
        return self._last
