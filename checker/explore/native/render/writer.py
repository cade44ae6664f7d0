"""Writing C: lines, blocks, fresh names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Writer:
    """Lines of C with indentation. `fresh` names never repeat in one writer."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0
        self._names = 0

    def __call__(self, line: str = "") -> None:
        self.lines.append("    " * self._depth + line if line else "")

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
