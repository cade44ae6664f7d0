"""The types of the language, resolved: every size is a number.

A `Type` knows the values of one declared type: its zero, how to hold a value against it, a numbering of its values (which
is also their canonical order), how a renaming of identities acts on them, and their JSON form. Everything that engines
need to know about values is here, so that no engine looks at Python annotations.

The numbering, `encode`, is injective into `range(cardinality)` and `decode` is its inverse. Lists order by length,
then element by element; sets as sorted lists of their elements' codes, unless the set is small enough to be a bit mask.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from checker.errors import SpecError
from checker.language.containers import (
    Bag,
    Channels,
    DraftList,
    DraftMap,
    DraftSet,
    FrozenList,
    FrozenMap,
    FrozenSet,
    Log,
    Network,
    Wire,
)
from checker.language.control import Cut
from checker.language.sorts import Nat, Scalarset
from checker.trace import Json

Renaming = Mapping[type[Scalarset], tuple[Any, ...]]
"""For each scalarset, the new name of its member number i."""

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
        """The JSON form documented in `checker.trace`."""

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
        """All values in canonical order."""
        return map(self.decode, range(self.cardinality))

    def walk(self) -> Iterator[Type]:
        """This type and all types inside it."""
        yield self
        for child in self.children():
            yield from child.walk()

    @cached_property
    def scalarsets(self) -> frozenset[type[Scalarset]]:
        """The scalarsets whose members can occur in a value."""
        return frozenset(part.sort for part in self.walk() if isinstance(part, ScalarsetType))

    def _wrong(self, value: Any) -> SpecError:
        return SpecError(f"{value!r} is not a {self}.")


class _Leaf(Type):
    """A type whose values are few and listed."""

    def zero(self) -> Any:
        return self.decode(0)


@dataclass(frozen=True)
class BoolType(_Leaf):
    """`bool`."""

    def __str__(self) -> str:
        return "bool"

    @cached_property
    def cardinality(self) -> int:
        return 2

    def accepts(self, value: Any) -> bool:
        return isinstance(value, bool)

    def check(self, value: Any) -> Any:
        if not isinstance(value, bool):
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
class NoneType(_Leaf):
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
class EnumType(_Leaf):
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
        return isinstance(value, self.sort)

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.sort):
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
class NatType(_Leaf):
    """A `Nat` subclass: 0..maximum. Passing the maximum cuts, under the sort's name."""

    sort: type[Nat]
    maximum: int

    def __str__(self) -> str:
        return self.sort.__name__

    @property
    def bound(self) -> str:
        """The name of the bound that a larger number passes."""
        return self.sort.__name__

    @cached_property
    def cardinality(self) -> int:
        return self.maximum + 1

    def accepts(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def check(self, value: Any) -> Any:
        if not self.accepts(value):
            raise self._wrong(value)
        if value > self.maximum:
            raise Cut(self.bound)
        if value < 0:
            raise SpecError(f"{value} is below zero, where {self} begins.")
        return value

    def encode(self, value: Any) -> int:
        return int(value)

    def decode(self, code: int) -> Any:
        return code

    def to_json(self, value: Any) -> Json:
        return int(value)

    def from_json(self, data: Json) -> Any:
        if not self.accepts(data) or not 0 <= data <= self.maximum:
            raise ValueError(f"{data!r} is not a {self} from 0 to {self.maximum}")
        return data


@dataclass(frozen=True)
class IdentityType(_Leaf):
    """What `ScalarsetType` and `OrderedType` share."""

    sort: Any
    size: int

    def __str__(self) -> str:
        return str(self.sort.__name__)

    @cached_property
    def cardinality(self) -> int:
        return self.size

    def accepts(self, value: Any) -> bool:
        return isinstance(value, self.sort)

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.sort):
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

    def zero(self) -> Any:
        raise SpecError(f"A {self} has no default: its members are interchangeable, so none of them can come first. "
                        f"Declare `{self} | None`, or choose it in @init with a parameter.")

    def permute(self, value: Any, renaming: Renaming) -> Any:
        names = renaming.get(self.sort)
        return value if names is None else names[value.index]


@dataclass(frozen=True)
class OrderedType(IdentityType):
    """An `Ordered` sort: identities with `<`."""


def _mixed_encode(kinds: Iterable[Type], values: Iterable[Any]) -> int:
    code = 0
    for kind, value in zip(kinds, values, strict=True):
        code = code * kind.cardinality + kind.encode(value)
    return code


def _mixed_decode(kinds: tuple[Type, ...], code: int) -> list[Any]:
    values = []
    for kind in reversed(kinds):
        code, digit = divmod(code, kind.cardinality)
        values.append(kind.decode(digit))
    return values[::-1]


def _product(kinds: Iterable[Type]) -> int:
    product = 1
    for kind in kinds:
        product *= kind.cardinality
    return product


@dataclass(frozen=True)
class RecordType(Type):
    """A `@record` class. Its values are built, and held against its field types, by the class's constructor."""

    sort: type
    fields: tuple[tuple[str, Type], ...]

    def __str__(self) -> str:
        return self.sort.__name__

    @cached_property
    def kinds(self) -> tuple[Type, ...]:
        """The field types."""
        return tuple(kind for _, kind in self.fields)

    def field(self, name: str) -> Type | None:
        """The type of a field, or None."""
        return dict(self.fields).get(name)

    @cached_property
    def cardinality(self) -> int:
        return _product(self.kinds)

    def zero(self) -> Any:
        return self._build([kind.zero() for kind in self.kinds])

    def _build(self, values: Iterable[Any]) -> Any:
        return self.sort(*values)

    def _parts(self, value: Any) -> list[Any]:
        return [getattr(value, name) for name, _ in self.fields]

    def accepts(self, value: Any) -> bool:
        return type(value) is self.sort

    def check(self, value: Any) -> Any:
        if type(value) is not self.sort:
            raise self._wrong(value)
        return value

    @cached_property
    def _codes(self) -> dict[Any, int]:
        return {}

    def encode(self, value: Any) -> int:
        code = self._codes.get(value)
        if code is None:
            code = self._codes[value] = _mixed_encode(self.kinds, self._parts(value))
        return code

    def decode(self, code: int) -> Any:
        return self._build(_mixed_decode(self.kinds, code))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        if not self.scalarsets:
            return value
        return self._build(kind.permute(part, renaming) for kind, part in zip(self.kinds, self._parts(value), strict=True))

    def to_json(self, value: Any) -> Json:
        return {"record": str(self), "fields": {name: kind.to_json(getattr(value, name)) for name, kind in self.fields}}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"record": name, "fields": dict(fields)} if name == str(self) and set(fields) == dict(self.fields).keys():
                return self._build(kind.from_json(fields[name]) for name, kind in self.fields)
        raise ValueError(f"{data!r} is not a {self}")

    def children(self) -> tuple[Type, ...]:
        return self.kinds


@dataclass(frozen=True)
class TupleType(Type):
    """`tuple[A, B]`, of fixed length."""

    kinds: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple[{', '.join(map(str, self.kinds))}]"

    @cached_property
    def cardinality(self) -> int:
        return _product(self.kinds)

    def zero(self) -> Any:
        return tuple(kind.zero() for kind in self.kinds)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def check(self, value: Any) -> Any:
        if not isinstance(value, tuple) or len(value) != len(self.kinds):
            raise self._wrong(value)
        return tuple(kind.check(part) for kind, part in zip(self.kinds, value, strict=True))

    def encode(self, value: Any) -> int:
        return _mixed_encode(self.kinds, value)

    def decode(self, code: int) -> Any:
        return tuple(_mixed_decode(self.kinds, code))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return tuple(kind.permute(part, renaming) for kind, part in zip(self.kinds, value, strict=True))

    def to_json(self, value: Any) -> Json:
        return {"tuple": [kind.to_json(part) for kind, part in zip(self.kinds, value, strict=True)]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"tuple": list(parts)} if len(parts) == len(self.kinds):
                return tuple(kind.from_json(part) for kind, part in zip(self.kinds, parts, strict=True))
        raise ValueError(f"{data!r} is not a {self}")

    def children(self) -> tuple[Type, ...]:
        return self.kinds


@dataclass(frozen=True)
class UnionType(Type):
    """`A | B`; `None` comes first, so that the zero of `T | None` is None."""

    kinds: tuple[Type, ...]

    def __str__(self) -> str:
        return " | ".join(str(kind) for kind in sorted(self.kinds, key=lambda kind: isinstance(kind, NoneType)))

    @cached_property
    def cardinality(self) -> int:
        return sum(kind.cardinality for kind in self.kinds)

    def zero(self) -> Any:
        return self.kinds[0].zero()

    def alternative(self, value: Any) -> tuple[int, Type]:
        """The alternative a value belongs to, and the code of its first value."""
        offset = 0
        for kind in self.kinds:
            if kind.accepts(value):
                return offset, kind
            offset += kind.cardinality
        raise self._wrong(value)

    def accepts(self, value: Any) -> bool:
        return any(kind.accepts(value) for kind in self.kinds)

    def check(self, value: Any) -> Any:
        return self.alternative(value)[1].check(value)

    def encode(self, value: Any) -> int:
        offset, kind = self.alternative(value)
        return offset + kind.encode(value)

    def decode(self, code: int) -> Any:
        for kind in self.kinds:
            if code < kind.cardinality:
                return kind.decode(code)
            code -= kind.cardinality
        raise ValueError(f"no value of {self} has this code")

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self.alternative(value)[1].permute(value, renaming)

    def to_json(self, value: Any) -> Json:
        return self.alternative(value)[1].to_json(value)

    def from_json(self, data: Json) -> Any:
        for kind in self.kinds:
            try:
                return kind.from_json(data)
            except ValueError:
                continue
        raise ValueError(f"{data!r} is not a {self}")

    def children(self) -> tuple[Type, ...]:
        return self.kinds


@dataclass(frozen=True)
class MapType(Type):
    """`dict[K, V]`: a total map, one value for every key."""

    key: Type
    value: Type

    def __str__(self) -> str:
        return f"dict[{self.key}, {self.value}]"

    @cached_property
    def keys(self) -> tuple[Any, ...]:
        """All keys in canonical order."""
        return tuple(self.key.values())

    @cached_property
    def cardinality(self) -> int:
        return int(self.value.cardinality ** self.key.cardinality)

    def zero(self) -> Any:
        zero = self.value.zero()
        return FrozenMap((key, zero) for key in self.keys)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self._wrong(value)
        if len(value) != len(self.keys) or any(key not in value for key in self.keys):
            raise SpecError(f"A {self} is total: it needs exactly one value for each of its {len(self.keys)} keys; this one "
                            f"has the keys {sorted(map(repr, value))}.")
        return FrozenMap((key, self.value.check(value[key])) for key in self.keys)

    def thaw(self, frozen: Any, log: Log) -> Any:
        if isinstance(self.value, _Leaf | RecordType | UnionType | TupleType):
            return DraftMap(self, frozen, log)
        return DraftMap(self, ((key, self.value.thaw(value, log)) for key, value in frozen.items()), log)

    def freeze(self, draft: Any) -> Any:
        return FrozenMap((key, self.value.freeze(value)) for key, value in draft.items())

    def encode(self, value: Any) -> int:
        code = 0
        for part in value.values():
            code = code * self.value.cardinality + self.value.encode(part)
        return code

    def decode(self, code: int) -> Any:
        return FrozenMap(zip(self.keys, _mixed_decode((self.value,) * len(self.keys), code), strict=True))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        moved = {self.key.permute(key, renaming): self.value.permute(part, renaming) for key, part in value.items()}
        return FrozenMap((key, moved[key]) for key in self.keys)

    def to_json(self, value: Any) -> Json:
        return {"map": [[self.key.to_json(key), self.value.to_json(part)] for key, part in value.items()]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"map": list(pairs)} if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
                found = {self.key.from_json(key): self.value.from_json(part) for key, part in pairs}
                if len(found) == len(self.keys):
                    return FrozenMap((key, found[key]) for key in self.keys)
        raise ValueError(f"{data!r} is not a {self}")

    def children(self) -> tuple[Type, ...]:
        return self.key, self.value


class Bounded(Type):
    """A type with a capacity, whose bound has a name."""

    capacity: int | None
    bound: str

    def fits(self, length: int) -> None:
        """Raise `Cut` if `length` elements are more than the capacity."""
        if self.capacity is not None and length > self.capacity:
            raise Cut(self.bound)


def _sequence_cardinality(base: int, capacity: int) -> int:
    return sum(base**length for length in range(capacity + 1))


def _sequence_encode(codes: Iterable[int], base: int) -> int:
    """Shorter sequences first, then by their elements."""
    code, shorter = 0, 0
    for length, digit in enumerate(codes):
        code = code * base + digit
        shorter += base**length
    return shorter + code


def _sequence_decode(code: int, base: int) -> list[int]:
    length = 0
    while code >= base**length:
        code -= base**length
        length += 1
    digits = []
    for _ in range(length):
        code, digit = divmod(code, base)
        digits.append(digit)
    return digits[::-1]


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
        return _sequence_cardinality(self.element.cardinality, self.capacity)

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
        return _sequence_encode(map(self.element.encode, value), self.element.cardinality)

    def decode(self, code: int) -> Any:
        return FrozenList(map(self.element.decode, _sequence_decode(code, self.element.cardinality)))

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


def _elements_cardinality(element: Type, capacity: int | None) -> int:
    if capacity is None:
        return int(2**element.cardinality)
    return _sequence_cardinality(element.cardinality, capacity)


def _elements_encode(codes: list[int], element: Type, capacity: int | None) -> int:
    if capacity is None:
        return sum(1 << code for code in codes)
    return _sequence_encode(sorted(codes), element.cardinality)


def _elements_decode(code: int, element: Type, capacity: int | None) -> list[Any]:
    if capacity is None:
        return [element.decode(bit) for bit in range(code.bit_length()) if code >> bit & 1]
    return [element.decode(digit) for digit in _sequence_decode(code, element.cardinality)]


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
        return _elements_cardinality(self.element, self.capacity)

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
        checked = self._frozen([self.element.check(part) for part in value])
        self.fits(len(checked))
        return checked

    def thaw(self, frozen: Any, log: Log) -> Any:
        return DraftSet(self, frozen.plain())

    def freeze(self, draft: Any) -> Any:
        return self._frozen(draft.plain())

    def encode(self, value: Any) -> int:
        return _elements_encode([self.element.encode(part) for part in value.plain()], self.element, self.capacity)

    def decode(self, code: int) -> Any:
        return self._frozen(_elements_decode(code, self.element, self.capacity))

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


@dataclass(frozen=True)
class WireType(Bounded):
    """What the three networks share. `variable` is the state variable that holds the network."""

    message: Type
    capacity: int | None
    bound: str
    lossy: bool
    variable: str

    def _bound(self, wire: Wire[Any], log: Log | None = None) -> Any:
        return wire._bind(self, log)

    def __str__(self) -> str:
        return f"{type(self).__name__.removesuffix('Type')}[{self.message}]"

    def check(self, value: Any) -> Any:
        if not self.accepts(value):
            raise self._wrong(value)
        frozen = self.freeze(value)
        for message in frozen._contents():
            self.message.check(message if isinstance(self, NetworkType) else message[0])
        return frozen

    def children(self) -> tuple[Type, ...]:
        return (self.message,)


@dataclass(frozen=True)
class NetworkType(WireType):
    """`Network[M]`: a set of messages."""

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Network)

    @cached_property
    def cardinality(self) -> int:
        return _elements_cardinality(self.message, self.capacity)

    def zero(self) -> Any:
        return self._bound(Network())

    def thaw(self, frozen: Any, log: Log) -> Any:
        draft = self._bound(Network(), log)
        draft.messages = set(frozen.messages)
        return draft

    def freeze(self, draft: Any) -> Any:
        return self._bound(Network(draft.messages))

    def encode(self, value: Any) -> int:
        return _elements_encode([self.message.encode(part) for part in value.messages], self.message, self.capacity)

    def decode(self, code: int) -> Any:
        return self._bound(Network(_elements_decode(code, self.message, self.capacity)))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self._bound(Network([self.message.permute(part, renaming) for part in value.messages]))

    def to_json(self, value: Any) -> Json:
        return {"set": [self.message.to_json(part) for part in value]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"set": list(parts)}:
                return self._bound(Network([self.message.from_json(part) for part in parts]))
        raise ValueError(f"{data!r} is not a {self}")


@dataclass(frozen=True)
class BagType(WireType):
    """`Bag[M]`: a multiset of messages, at most `capacity` of them in all."""

    capacity: int

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Bag)

    @cached_property
    def cardinality(self) -> int:
        return _sequence_cardinality(self.message.cardinality, self.capacity)

    def zero(self) -> Any:
        return self._bound(Bag())

    def thaw(self, frozen: Any, log: Log) -> Any:
        return self._bound(Bag(frozen.counts.items()), log)

    def freeze(self, draft: Any) -> Any:
        return self._bound(Bag(draft.counts.items()))

    def encode(self, value: Any) -> int:
        codes = [self.message.encode(part) for part, count in value.counts.items() for _ in range(count)]
        return _sequence_encode(sorted(codes), self.message.cardinality)

    def _of(self, messages: Iterable[Any]) -> Any:
        bag: Bag[Any] = Bag()
        for message in messages:
            bag.counts[message] = bag.counts.get(message, 0) + 1
        return self._bound(bag)

    def decode(self, code: int) -> Any:
        return self._of(map(self.message.decode, _sequence_decode(code, self.message.cardinality)))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self._bound(Bag((self.message.permute(part, renaming), count) for part, count in value.counts.items()))

    def to_json(self, value: Any) -> Json:
        return {"bag": [[self.message.to_json(part), value.counts[part]] for part in value]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"bag": list(pairs)} if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
                return self._of(self.message.from_json(part) for part, count in pairs for _ in range(count))
        raise ValueError(f"{data!r} is not a {self}")


@dataclass(frozen=True)
class ChannelsType(WireType):
    """`Channels[M]`: a queue of at most `capacity` messages for every (source, target)."""

    capacity: int
    source: Type
    target: Type

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Channels)

    @cached_property
    def queue(self) -> ListType:
        """One queue, as a list type."""
        return ListType(self.message, self.capacity, self.bound)

    @cached_property
    def pairs(self) -> tuple[tuple[Any, Any], ...]:
        """All (source, target) in canonical order."""
        return tuple((source, target) for source in self.source.values() for target in self.target.values())

    @cached_property
    def cardinality(self) -> int:
        return int(self.queue.cardinality ** len(self.pairs))

    def zero(self) -> Any:
        return self._bound(Channels())

    def thaw(self, frozen: Any, log: Log) -> Any:
        return self._bound(Channels(frozen.queues.items()), log)

    def freeze(self, draft: Any) -> Any:
        return self._bound(Channels(draft.queues.items()))

    def encode(self, value: Any) -> int:
        code = 0
        for pair in self.pairs:
            code = code * self.queue.cardinality + self.queue.encode(value.queues.get(pair, ()))
        return code

    def decode(self, code: int) -> Any:
        queues = _mixed_decode((self.queue,) * len(self.pairs), code)
        return self._bound(Channels((pair, tuple(queue)) for pair, queue in zip(self.pairs, queues, strict=True) if queue))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self._bound(Channels(
            ((self.source.permute(source, renaming), self.target.permute(target, renaming)),
             tuple(self.message.permute(part, renaming) for part in queue))
            for (source, target), queue in value.queues.items()
        ))

    def to_json(self, value: Any) -> Json:
        return {"channels": [
            [self.source.to_json(pair[0]), self.target.to_json(pair[1]), self.queue.to_json(value.queues[pair])]
            for pair in self.pairs if pair in value.queues
        ]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"channels": list(rows)} if all(isinstance(row, list) and len(row) == 3 for row in rows):
                return self._bound(Channels(
                    ((self.source.from_json(source), self.target.from_json(target)), tuple(self.queue.from_json(queue)))
                    for source, target, queue in rows
                ))
        raise ValueError(f"{data!r} is not a {self}")
