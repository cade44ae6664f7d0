"""What every type of the language can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import comb
from typing import Any, ClassVar

from quorate.errors import SpecError
from quorate.language.containers import Log
from quorate.language.control import Cut
from quorate.language.sorts import Scalarset
from quorate.trace import Json


class Renaming(dict[type[Scalarset], tuple[Any, ...]]):
    """For each scalarset, the new name of its member number i. Remembers the records that it has renamed."""

    __slots__ = ("records",)

    def __init__(self, names: Mapping[type[Scalarset], tuple[Any, ...]]) -> None:
        super().__init__(names)
        self.records: dict[Any, Any] = {}

    @classmethod
    def swaps(cls, sorts: Iterable[type[Scalarset]]) -> list[Renaming]:
        """The renamings that exchange two neighbours of a sort: all others are made of these."""
        found = []
        for sort in sorts:
            for first in range(len(sort) - 1):
                names = list(sort.members())
                names[first : first + 2] = names[first + 1], names[first]
                found.append(cls({sort: tuple(names)}))
        return found


MASK_MAX = 1024
"""A set over at most this many possible elements needs no capacity: it is a bit mask."""


class Type(ABC):
    """A resolved type. Immutable values are their own draft; containers have drafts (see `containers`)."""

    @abstractmethod
    def __str__(self) -> str:
        """The type as a spec's author writes it."""

    @cached_property
    @abstractmethod
    def cardinality(self) -> int:
        """An upper bound of all codes; the exact number of values except for bounded sets and bags."""

    sort: Any
    """The class behind the type, where there is one."""
    symmetric: ClassVar[bool] = False
    """Whether this is a scalarset itself."""

    @abstractmethod
    def zero(self) -> Any:
        """The default initial value. Raises SpecError where there is none."""

    @abstractmethod
    def check(self, value: Any) -> Any:
        """The frozen form of `value`. Raises `Cut` if a bound is passed, SpecError if it is no value of this type."""

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Whether a value belongs to this alternative of a union, by its Python class."""

    @abstractmethod
    def encode(self, value: Any) -> int:
        """The number of a frozen value."""

    @abstractmethod
    def decode(self, code: int) -> Any:
        """The frozen value with this number."""

    @abstractmethod
    def to_json(self, value: Any) -> Json:
        """The JSON form documented in `quorate.trace`."""

    @abstractmethod
    def from_json(self, data: Json) -> Any:
        """The frozen value. Raises ValueError if `data` is not of this type."""

    def thaw(self, frozen: Any, log: Log) -> Any:
        """A draft of a frozen value."""
        return frozen

    def freeze(self, draft: Any) -> Any:
        """The frozen value of a draft."""
        return draft

    def permute(self, value: Any, renaming: Renaming) -> Any:
        """The frozen value with its identities renamed."""
        return value

    def children(self) -> tuple[Type, ...]:
        """The types this one is built from."""
        return ()

    def values(self) -> Iterator[Any]:
        """All values in canonical order, each once."""
        return map(self.decode, range(self.cardinality))

    def walk(self) -> Iterator[Type]:
        """This type and all types inside it."""
        yield self
        for child in self.children():
            yield from child.walk()

    @cached_property
    def scalarsets(self) -> frozenset[type[Scalarset]]:
        """The scalarsets whose members can occur in a value."""
        return frozenset(part.sort for part in self.walk() if part.symmetric)

    def _wrong(self, value: Any) -> SpecError:
        return SpecError(f"{value!r} is not a {self}.")


class Leaf(Type):
    """A type whose values are few and listed."""

    def zero(self) -> Any:
        return self.decode(0)


class Bounded(Type):
    """A type with a capacity, whose bound has a name."""

    capacity: int | None
    bound: str

    def fits(self, length: int) -> None:
        """Raise `Cut` if `length` elements are more than the capacity."""
        if self.capacity is not None and length > self.capacity:
            raise Cut(self.bound)


def mixed_encode(kinds: Iterable[Type], values: Iterable[Any]) -> int:
    code = 0
    for kind, value in zip(kinds, values, strict=True):
        code = code * kind.cardinality + kind.encode(value)
    return code


def mixed_decode(kinds: tuple[Type, ...], code: int) -> list[Any]:
    values = []
    for kind in reversed(kinds):
        code, digit = divmod(code, kind.cardinality)
        values.append(kind.decode(digit))
    return values[::-1]


def product(kinds: Iterable[Type]) -> int:
    product = 1
    for kind in kinds:
        product *= kind.cardinality
    return product


def sequence_cardinality(base: int, capacity: int) -> int:
    return sum(base**length for length in range(capacity + 1))


def sequence_encode(codes: Iterable[int], base: int) -> int:
    """Shorter sequences first, then by their elements."""
    code, shorter = 0, 0
    for length, digit in enumerate(codes):
        code = code * base + digit
        shorter += base**length
    return shorter + code


def sequence_decode(code: int, base: int) -> list[int]:
    length = 0
    while code >= base**length:
        code -= base**length
        length += 1
    digits = []
    for _ in range(length):
        code, digit = divmod(code, base)
        digits.append(digit)
    return digits[::-1]


def _rank(chosen: Sequence[int], base: int) -> int:
    """The place of an ascending choice of numbers below `base` among all choices of as many, in the order of their first difference."""
    count = len(chosen)
    after = sum(comb(base - 1 - number, count - place) for place, number in enumerate(chosen))
    return comb(base, count) - 1 - after


def _chosen(rank: int, count: int, base: int) -> list[int]:
    """The choice of `count` numbers that has this place."""
    after = comb(base, count) - 1 - rank
    chosen = []
    for left in range(count, 0, -1):
        above = _last_not_beyond(after, left, base)
        after -= comb(above, left)
        chosen.append(base - 1 - above)
    return chosen


def _last_not_beyond(limit: int, count: int, base: int) -> int:
    """The largest number below `base` of which there are no more than `limit` choices of `count`."""
    low, high = 0, base
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if comb(middle, count) <= limit else (low, middle)
    return low


def _pool(base: int, count: int, repeating: bool) -> int:
    """There are as many choices of `count` different numbers below this as choices below `base`, which may be `repeating` numbers: then the
    one in place k is larger by k."""
    return max(base + count - 1, 0) if repeating else base


def choices_cardinality(base: int, capacity: int, repeating: bool = False) -> int:
    """How many sets there are of at most `capacity` numbers below `base`; multisets, if they may be `repeating` them."""
    return sum(comb(_pool(base, count, repeating), count) for count in range(capacity + 1))


def choices_encode(codes: Sequence[int], base: int, repeating: bool = False) -> int:
    """Smaller choices first, then by their elements, which do not descend."""
    count = len(codes)
    different = [code + place * repeating for place, code in enumerate(codes)]
    return choices_cardinality(base, count - 1, repeating) + _rank(different, _pool(base, count, repeating))


def choices_decode(code: int, base: int, repeating: bool = False) -> list[int]:
    count = 0
    while code >= (smaller := comb(_pool(base, count, repeating), count)):
        code -= smaller
        count += 1
    different = _chosen(code, count, _pool(base, count, repeating))
    return [number - place * repeating for place, number in enumerate(different)]
