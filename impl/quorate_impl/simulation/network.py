"""A network that loses, repeats, delays and reorders messages, and that can be cut in one direction or both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

DELAY_US = (200, 2_000)
"""The shortest and the longest delay in good weather, in microseconds. Messages overtake each other within it."""
STRAGGLER = 0.01
"""How often a message takes up to ten times as long."""


class Network:
    """What is sent is delivered after a random delay, once, in good weather."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._cut: Counter[tuple[str, str]] = Counter()
        self.loss = 0.0
        self.duplication = 0.0
        self.delay_us = 0

    def cut(self, sources: Iterable[str], targets: Iterable[str], by: int) -> None:
        """Put a cut (`by` is 1) between these nodes, in this direction, or take it away (-1)."""
        for source in sources:
            for target in targets:
                self._cut[source, target] += by

    def delays(self, source: str, target: str) -> list[int]:
        """After how many microseconds a message arrives: several times, once, or never."""
        if self._cut[source, target] > 0:
            return []
        random = self._random.random
        if self.loss and random() < self.loss:
            return []
        if self.duplication and random() < self.duplication:
            return [self._delay(), self._delay()]
        return [self._delay()]

    def _delay(self) -> int:
        shortest, longest = DELAY_US
        draw = self._random.random()
        delay = shortest + int((longest - shortest) * draw)
        if self._random.random() < STRAGGLER:
            delay *= 1 + int(10 * draw)
        return delay + (int(self._random.random() * self.delay_us) if self.delay_us else 0)
