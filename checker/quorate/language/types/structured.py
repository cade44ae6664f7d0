"""Types made of a fixed number of parts: records, tuples, unions, total maps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.errors import SpecError
from quorate.language.containers import DraftMap, FrozenMap, Log, all_checked
from quorate.language.types.base import Leaf, Renaming, Type, mixed_decode, mixed_encode, product
from quorate.language.types.leaves import NoneType
from quorate.trace import Json


def is_record(cls: object) -> bool:
    """Whether a class was declared with `@record`."""
    return isinstance(cls, type) and "__quorate_record__" in cls.__dict__


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
        return product(self.kinds)

    def zero(self) -> Any:
        return self._build([kind.zero() for kind in self.kinds])

    def _build(self, values: Iterable[Any]) -> Any:
        """A record of values that are frozen and of their types: `decode` and `permute` need not check them again."""
        built: Any = object.__new__(self.sort)
        built.__dict__.update(zip(self.names, values, strict=True))
        return built

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The field names."""
        return tuple(name for name, _ in self.fields)

    @cached_property
    def checks(self) -> tuple[Callable[[Any], Any], ...]:
        """For each field, what holds a value against its type."""
        return tuple(kind.check for kind in self.kinds)

    def _parts(self, value: Any) -> list[Any]:
        contents = value.__dict__
        return [contents[name] for name in self.names]

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
            code = self._codes[value] = mixed_encode(self.kinds, self._parts(value))
        return code

    def decode(self, code: int) -> Any:
        return self._build(mixed_decode(self.kinds, code))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        if not self.scalarsets:
            return value
        renamed = renaming.records.get(value)
        if renamed is None:
            renamed = renaming.records[value] = self._build(
                kind.permute(part, renaming) for kind, part in zip(self.kinds, self._parts(value), strict=True)
            )
        return renamed

    def to_json(self, value: Any) -> Json:
        return {"record": str(self), "fields": {name: kind.to_json(getattr(value, name)) for name, kind in self.fields}}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"record": name, "fields": dict(fields)} if (
                name == str(self) and set(fields) == dict(self.fields).keys()
            ):
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
        return product(self.kinds)

    def zero(self) -> Any:
        return tuple(kind.zero() for kind in self.kinds)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def check(self, value: Any) -> Any:
        if not isinstance(value, tuple) or len(value) != len(self.kinds):
            raise self._wrong(value)
        return tuple(kind.check(part) for kind, part in zip(self.kinds, value, strict=True))

    def encode(self, value: Any) -> int:
        return mixed_encode(self.kinds, value)

    def decode(self, code: int) -> Any:
        return tuple(mixed_decode(self.kinds, code))

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
        own = self.alternative(value)[1]
        data = own.to_json(value)
        if isinstance(data, str) and any(_reads(kind, data) for kind in self.kinds if kind is not own):
            return f"{own}.{data}"  # Several alternatives have a member of this name.
        return data

    def from_json(self, data: Json) -> Any:
        for kind in self.kinds:
            short = data.removeprefix(f"{kind}.") if isinstance(data, str) else data
            if _reads(kind, short):
                return kind.from_json(short)
        raise ValueError(f"{data!r} is not a {self}")

    def children(self) -> tuple[Type, ...]:
        return self.kinds


def _reads(kind: Type, data: Json) -> bool:
    try:
        kind.from_json(data)
    except ValueError:
        return False
    return True


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
        return int(self.value.cardinality**self.key.cardinality)

    def zero(self) -> Any:
        zero = self.value.zero()
        return FrozenMap((key, zero) for key in self.keys)

    def at(self, value: Any, key: Any) -> Any:
        """What a key has. Raises KeyError if it is none."""
        return value[key]

    def parts(self, value: Any) -> Collection[Any]:
        """What the keys have, in their order."""
        return value.values()  # type: ignore[no-any-return]

    def of(self, parts: Iterable[Any]) -> Any:
        """The frozen map whose keys have this, in their order."""
        return FrozenMap(zip(self.keys, parts, strict=True))

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self._wrong(value)
        if len(value) != len(self.keys) or any(key not in value for key in self.keys):
            raise SpecError(
                f"A {self} is total: it needs exactly one value for each of its {len(self.keys)} keys; this one "
                f"has the keys {sorted(map(repr, value))}."
            )
        return FrozenMap(zip(self.keys, all_checked(self.value, [value[key] for key in self.keys]), strict=True))

    def thaw(self, frozen: Any, log: Log) -> Any:
        if self._plain:
            return DraftMap(self, frozen, frozen, log)
        return DraftMap(self, frozen, ((key, self.value.thaw(value, log)) for key, value in frozen.items()), log)

    @cached_property
    def _plain(self) -> bool:
        """Whether the values are their own drafts."""
        return isinstance(self.value, Leaf | RecordType | UnionType | TupleType)

    def freeze(self, draft: Any) -> Any:
        """The frozen map; the one that the draft began as, if nothing has changed, so that its hash need not be found anew."""
        source = draft._source
        if self._plain:
            return FrozenMap(draft) if draft._changed else source
        freeze = self.value.freeze
        frozen = FrozenMap((key, freeze(value)) for key, value in draft.items())
        return source if all(map(operator.is_, frozen.values(), source.values())) else frozen

    def encode(self, value: Any) -> int:
        code = 0
        for part in self.parts(value):
            code = code * self.value.cardinality + self.value.encode(part)
        return code

    def decode(self, code: int) -> Any:
        return self.of(mixed_decode((self.value,) * len(self.keys), code))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        parts = zip(self.keys, self.parts(value), strict=True)
        moved = {self.key.permute(key, renaming): self.value.permute(part, renaming) for key, part in parts}
        return self.of(moved[key] for key in self.keys)

    def to_json(self, value: Any) -> Json:
        parts = zip(self.keys, self.parts(value), strict=True)
        return {"map": [[self.key.to_json(key), self.value.to_json(part)] for key, part in parts]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"map": list(pairs)} if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
                found = {self.key.from_json(key): self.value.from_json(part) for key, part in pairs}
                if len(found) == len(self.keys):
                    return self.of(found[key] for key in self.keys)
        raise ValueError(f"{data!r} is not a {self}")

    def children(self) -> tuple[Type, ...]:
        return self.key, self.value
