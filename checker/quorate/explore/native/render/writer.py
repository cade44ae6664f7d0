"""Writing C: lines, blocks, fresh names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quorate.errors import Location
from quorate.explore.native.render.directives import Placed


class Writer:
    """Lines of C with indentation, each with its place in the spec. `fresh` names never repeat in one writer."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0
        self._names = 0
        self._place: Location | None = None

    def __call__(self, line: str = "") -> None:
        self.lines.append(Placed("    " * self._depth + line if line else "", self._place))

    def fresh(self, stem: str = "t") -> str:
        """A new name."""
        self._names += 1
        return f"{stem}{self._names}"

    @contextmanager
    def block(self, head: str, tail: str = "}") -> Iterator[None]:
        """`head {` ... `}`."""
        self(f"{head} {{" if head else "{")
        self._depth += 1
        yield
        self._depth -= 1
        self(tail)

    @contextmanager
    def at(self, place: Location | None) -> Iterator[None]:
        """What is written meanwhile comes from this place, if there is one."""
        kept = self._place
        self._place = place or kept
        yield
        self._place = kept

    @contextmanager
    def aside(self) -> Iterator[list[str]]:
        """Collect lines apart, for the caller to place or to find empty."""
        kept, self.lines = self.lines, []
        try:
            yield self.lines
        finally:
            self.lines = kept

    def text(self) -> str:
        """Everything written."""
        return "\n".join(self.lines) + "\n"
