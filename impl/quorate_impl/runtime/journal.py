"""The structured log of a node: one JSON object a line."""

from __future__ import annotations

import time
from typing import IO

import msgspec

Fact = str | int | float | bool | None


class Journal:
    """Writes lines with the time, the node, what happened, and the facts."""

    def __init__(self, node: str, stream: IO[str]) -> None:
        self._node = node
        self.stream = stream

    def note(self, event: str, **facts: Fact) -> None:
        """One line."""
        line = {"time": round(time.time(), 3), "node": self._node, "event": event, **facts}
        self.stream.write(msgspec.json.encode(line).decode() + "\n")
        self.stream.flush()
