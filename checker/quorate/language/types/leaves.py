"""Types without parts: truth, None, enums, numbers, identities."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.errors import SpecError
from quorate.language.control import Cut
from quorate.language.sorts import Int
from quorate.language.types.base import Leaf, Renaming
from quorate.trace import Json


@dataclass(frozen=True)
class BoolType(Leaf):
    """`bool`."""

    def __str__(self) -> str:
        return "bool"

    @cached_property
    def cardinality(self) -> int:
        return 2

    def accepts(self, value: Any) -> bool:
        return type(value) is bool

    def check(self, value: Any) -> Any:
        if type(value) is not bool:
            raise self._wrong(value)
        return value

    def encode(self, value: Any) -> int:
        return int(value)

    def decode(self, code: int) -> Any:
        return code == 1

    def to_json(self, value: Any) -> Json:
        return bool(value)

    def from_json(self, data: Json) -> Any:
        if not isinstance(data, bool):
            raise ValueError(f"{data!r} is not true or false")
        return data


@dataclass(frozen=True)
class NoneType(Leaf):
    """`None`."""

    def __str__(self) -> str:
        return "None"

    @cached_property
    def cardinality(self) -> int:
        return 1

    def accepts(self, value: Any) -> bool:
        return value is None

    def check(self, value: Any) -> Any:
        if value is not None:
            raise self._wrong(value)
        return value

    def encode(self, value: Any) -> int:
        return 0

    def decode(self, code: int) -> Any:
        return None

    def to_json(self, value: Any) -> Json:
        return None

    def from_json(self, data: Json) -> Any:
        if data is not None:
            raise ValueError(f"{data!r} is not null")
        return None


@dataclass(frozen=True)
class EnumType(Leaf):
    """An `enum.Enum`. Its canonical order is that of definition."""

    sort: type[enum.Enum]

    def __str__(self) -> str:
        return self.sort.__name__

    @cached_property
    def members(self) -> tuple[enum.Enum, ...]:
        """The members in order of definition."""
        return tuple(self.sort)

    @cached_property
    def _codes(self) -> dict[enum.Enum, int]:
        return {member: code for code, member in enumerate(self.members)}

    @cached_property
    def cardinality(self) -> int:
        return len(self.members)

    def accepts(self, value: Any) -> bool:
        return type(value) is self.sort

    def check(self, value: Any) -> Any:
        if type(value) is not self.sort:
            raise self._wrong(value)
        return value

    def encode(self, value: Any) -> int:
        return self._codes[value]

    def decode(self, code: int) -> Any:
        return self.members[code]

    def to_json(self, value: Any) -> Json:
        return value.name

    def from_json(self, data: Json) -> Any:
        if not isinstance(data, str) or data not in self.sort.__members__:
            raise ValueError(f"{data!r} is not a {self}")
        return self.sort[data]


@dataclass(frozen=True)
class NatType(Leaf):
    """A `Nat` or `Int` subclass: minimum..maximum. Outside cuts, under the sort's name; below the zero of a `Nat` is an error."""

    sort: type[Int]
    maximum: int
    minimum: int = 0

    def __str__(self) -> str:
        return self.sort.__name__

    @property
    def bound(self) -> str:
        """The name of the bound that a number outside passes."""
        return self.sort.__name__

    @property
    def cuts_below(self) -> bool:
        """Whether a number below the minimum passes a bound of the exploration, instead of being none of the protocol's numbers."""
        return self.sort._lower is not None

    @cached_property
    def cardinality(self) -> int:
        return self.maximum - self.minimum + 1

    def zero(self) -> Any:
        """The number nearest to 0."""
        return min(max(0, self.minimum), self.maximum)

    def accepts(self, value: Any) -> bool:
        return type(value) is int

    def check(self, value: Any) -> Any:
        if not self.accepts(value):
            raise self._wrong(value)
        if value > self.maximum or (value < self.minimum and self.cuts_below):
            raise Cut(self.bound)
        if value < self.minimum:
            raise SpecError(f"{value} is below zero, where {self} begins.")
        return value

    def encode(self, value: Any) -> int:
        return int(value) - self.minimum

    def decode(self, code: int) -> Any:
        return code + self.minimum

    def to_json(self, value: Any) -> Json:
        return int(value)

    def from_json(self, data: Json) -> Any:
        if not self.accepts(data) or not self.minimum <= data <= self.maximum:
            raise ValueError(f"{data!r} is not a {self} from {self.minimum} to {self.maximum}")
        return data


@dataclass(frozen=True)
class WholeType(NatType):
    """An `int`, as auxiliary variables hold it: no bound cuts it."""

    def __str__(self) -> str:
        return "int"

    def check(self, value: Any) -> Any:
        if not self.accepts(value):
            raise self._wrong(value)
        return value


@dataclass(frozen=True)
class IdentityType(Leaf):
    """What `ScalarsetType` and `OrderedType` share."""

    sort: Any
    size: int

    def __str__(self) -> str:
        return str(self.sort.__name__)

    @cached_property
    def cardinality(self) -> int:
        return self.size

    def accepts(self, value: Any) -> bool:
        return type(value) is self.sort

    def check(self, value: Any) -> Any:
        if type(value) is not self.sort:
            raise self._wrong(value)
        if value.index >= self.size:
            raise SpecError(f"{value!r} is not one of the {self.size} members of {self}.")
        return value

    def encode(self, value: Any) -> int:
        return int(value.index)

    def decode(self, code: int) -> Any:
        return self.sort.at(code)

    def to_json(self, value: Any) -> Json:
        return repr(value)

    def from_json(self, data: Json) -> Any:
        for member in self.values():
            if repr(member) == data:
                return member
        raise ValueError(f"{data!r} is not one of the {self.size} members of {self}")


@dataclass(frozen=True)
class ScalarsetType(IdentityType):
    """A `Scalarset`: interchangeable identities."""

    symmetric = True

    def zero(self) -> Any:
        raise SpecError(
            f"A {self} has no default: its members are interchangeable, so none of them can come first. "
            f"Declare `{self} | None`, or choose it in @init with a parameter."
        )

    def permute(self, value: Any, renaming: Renaming) -> Any:
        names = renaming.get(self.sort)
        return value if names is None else names[value.index]


@dataclass(frozen=True)
class OrderedType(IdentityType):
    """An `Ordered` sort: identities with `<`."""
