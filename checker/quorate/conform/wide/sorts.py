"""Numbers as large as they are, and sorts whose members are those that were met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice, product
from typing import Any

from quorate.errors import UsageError
from quorate.language.sorts import lower
from quorate.language.types import (
    Leaf,
    MapType,
    NatType,
    RecordType,
    ScalarsetType,
    SetType,
    TupleType,
    Type,
    UnionType,
)

UNCOUNTED = 2**4096
"""Stands for the number of values of a container without a capacity, in the codes by which records are put in order."""


class Number(NatType):
    """A `Nat` or `Int` without a largest number. Its sort ranges over what was met."""

    def check(self, value: Any) -> Any:
        if type(value) is not int or value < self.minimum:
            value = super().check(value)
        if value > (self.sort._configured or 0):
            self.sort.bound = value
        return value

    @property
    def cuts_below(self) -> bool:
        return False

    def values(self) -> Iterator[Any]:
        """The numbers that were met, and the next one."""
        yield from range(min(self.sort.members()), self.sort.bound + 2)

    def zero(self) -> Any:
        return max(0, lower(self.sort))

    def from_json(self, data: Any) -> Any:
        return self.check(super().from_json(data))


class OpenScalarset(ScalarsetType):
    """A `Scalarset` of which more members are met."""

    def values(self) -> Iterator[Any]:
        return iter(self.sort.members())

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.sort):
            raise self._wrong(value)
        if value.index >= (self.sort._configured or 0):
            self.sort.bound = value.index + 1
        return value


@dataclass(frozen=True)
class WideUnionType(UnionType):
    """`A | B`. Of a record its class says which alternative it is."""

    @cached_property
    def _records(self) -> dict[type, RecordType]:
        return {kind.sort: kind for kind in self.kinds if isinstance(kind, RecordType)}

    def check(self, value: Any) -> Any:
        kind = self._records.get(type(value))
        return super().check(value) if kind is None else value


SUBSETS_MAX = 16
"""Of a set of more elements not all subsets are tried."""


def inhabitants(kind: Type) -> Iterator[Any]:
    """The values of a type that are made of the members and numbers that were met. Raises UsageError where they are without end."""
    if isinstance(kind, UnionType):
        for part in kind.kinds:
            yield from inhabitants(part)
    elif isinstance(kind, TupleType):
        yield from product(*(tuple(inhabitants(part)) for part in kind.kinds))
    elif isinstance(kind, RecordType):
        for parts in product(*(tuple(inhabitants(part)) for part in kind.kinds)):
            yield kind.sort(*parts)
    elif isinstance(kind, SetType):
        elements = tuple(islice(inhabitants(kind.element), SUBSETS_MAX + 1))
        if len(elements) > SUBSETS_MAX:
            raise UsageError(f"not all values of {kind} are tried: there are too many")
        for size in range(len(elements) + 1):
            yield from map(kind.check, map(set, combinations(elements, size)))
    elif isinstance(kind, MapType):
        for values in product(tuple(inhabitants(kind.value)), repeat=len(kind.keys)):
            yield kind.check(kind.of(values))
    elif isinstance(kind, Leaf):
        yield from kind.values()
    else:
        raise UsageError(f"not all values of {kind} are tried: there is no end of them")


def is_open(kind: Type) -> bool:
    """Whether a type has values that are made of members and numbers which were not met yet."""
    if isinstance(kind, UnionType | TupleType | RecordType):
        return any(map(is_open, kind.kinds))
    if isinstance(kind, MapType):
        return is_open(kind.key) or is_open(kind.value)
    return isinstance(kind, Number | OpenScalarset) or (isinstance(kind, SetType) and is_open(kind.element))


def is_plain(kind: Type) -> bool:
    """Whether values of a type are their own drafts."""
    return isinstance(kind, Leaf | RecordType | UnionType | TupleType)
