"""The type of a computed number: its range. What is stored has a type of the language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.language.types import Leaf

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class IntType(Leaf):
    """A computed number from `low` to `high`. An end at `INT_MIN` or `INT_MAX` stands for "no limit" (`ranges.py`)."""

    low: int
    high: int

    def __str__(self) -> str:
        return "int"

    @cached_property
    def cardinality(self) -> int:
        """How many numbers these are; where there is no limit, no fewer than lie on one side of zero in 64 bits."""
        unlimited = self.low == INT_MIN or self.high == INT_MAX
        return max(self.high - self.low + 1, 2**63 if unlimited else 0)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def check(self, value: Any) -> Any:
        if not self.accepts(value):
            raise self._wrong(value)
        return value

    def encode(self, value: Any) -> int:
        return int(value) - self.low

    def decode(self, code: int) -> Any:
        return code + self.low

    def to_json(self, value: Any) -> Any:
        return int(value)

    def from_json(self, data: Any) -> Any:
        return self.check(data)
