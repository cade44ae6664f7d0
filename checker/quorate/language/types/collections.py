"""Lists and sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.language.containers import DraftList, DraftSet, FrozenList, FrozenSet, Log, all_checked
from quorate.language.types.base import (
    Bounded,
    Renaming,
    Type,
    choices_cardinality,
    choices_decode,
    choices_encode,
    sequence_cardinality,
    sequence_decode,
    sequence_encode,
)
from quorate.trace import Json


@dataclass(frozen=True)
class ListType(Bounded):
    """`list[T]` with at most `capacity` elements."""

    element: Type
    capacity: int
    bound: str

    def __str__(self) -> str:
        return f"list[{self.element}]"

    @cached_property
    def cardinality(self) -> int:
        return sequence_cardinality(self.element.cardinality, self.capacity)

    def zero(self) -> Any:
        return FrozenList()

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list)

    def check(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise self._wrong(value)
        checked = FrozenList([self.element.check(part) for part in value])
        self.fits(len(checked))
        return checked

    def thaw(self, frozen: Any, log: Log) -> Any:
        return DraftList(self, [self.element.thaw(part, log) for part in frozen], log)

    def freeze(self, draft: Any) -> Any:
        return FrozenList([self.element.freeze(part) for part in draft])

    def encode(self, value: Any) -> int:
        return sequence_encode(map(self.element.encode, value), self.element.cardinality)

    def decode(self, code: int) -> Any:
        return FrozenList(map(self.element.decode, sequence_decode(code, self.element.cardinality)))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return FrozenList([self.element.permute(part, renaming) for part in value])

    def to_json(self, value: Any) -> Json:
        return [self.element.to_json(part) for part in value]

    def from_json(self, data: Json) -> Any:
        if not isinstance(data, list) or len(data) > self.capacity:
            raise ValueError(f"{data!r} is not a {self} of at most {self.capacity}")
        return FrozenList([self.element.from_json(part) for part in data])

    def children(self) -> tuple[Type, ...]:
        return (self.element,)


SUBSETS_MAX = 2**16
"""Of more possible elements the subsets are not counted further, which are too many for any memory: nothing numbers them."""


def elements_cardinality(element: Type, capacity: int | None) -> int:
    if capacity is None:
        return int(2 ** min(element.cardinality, SUBSETS_MAX))
    return choices_cardinality(element.cardinality, capacity)


def elements_encode(codes: list[int], element: Type, capacity: int | None) -> int:
    if capacity is None:
        return sum(1 << code for code in codes)
    return choices_encode(sorted(codes), element.cardinality)


def elements_decode(code: int, element: Type, capacity: int | None) -> list[Any]:
    if capacity is None:
        return [element.decode(bit) for bit in range(code.bit_length()) if code >> bit & 1]
    return [element.decode(digit) for digit in choices_decode(code, element.cardinality)]


@dataclass(frozen=True)
class SetType(Bounded):
    """`set[T]`; `capacity` is None where every subset is allowed."""

    element: Type
    capacity: int | None
    bound: str

    def __str__(self) -> str:
        return f"set[{self.element}]"

    @cached_property
    def cardinality(self) -> int:
        return elements_cardinality(self.element, self.capacity)

    def _frozen(self, elements: Iterable[Any]) -> FrozenSet:
        frozen = FrozenSet(elements)
        frozen._type = self
        return frozen

    def zero(self) -> Any:
        return self._frozen(())

    def accepts(self, value: Any) -> bool:
        return isinstance(value, set | frozenset)

    def check(self, value: Any) -> Any:
        if not self.accepts(value):
            raise self._wrong(value)
        checked = self._frozen(all_checked(self.element, value))
        self.fits(len(checked))
        return checked

    def thaw(self, frozen: Any, log: Log) -> Any:
        return DraftSet(self, frozen.plain())

    def freeze(self, draft: Any) -> Any:
        return self._frozen(draft.plain())

    def encode(self, value: Any) -> int:
        return elements_encode([self.element.encode(part) for part in value.plain()], self.element, self.capacity)

    def decode(self, code: int) -> Any:
        return self._frozen(elements_decode(code, self.element, self.capacity))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self._frozen([self.element.permute(part, renaming) for part in value.plain()])

    def to_json(self, value: Any) -> Json:
        return {"set": [self.element.to_json(part) for part in value]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"set": list(parts)} if self.capacity is None or len(parts) <= self.capacity:
                return self._frozen([self.element.from_json(part) for part in parts])
        raise ValueError(f"{data!r} is not a {self}")

    def children(self) -> tuple[Type, ...]:
        return (self.element,)
