"""From the values of a log to those of a specification.

A log says things as its language does: a record is an object with its fields, a map an object by its keys, an enum member
its name or its value, a member of a sort its name in the program. The forms of `quorate.trace` are understood as well.
What a log leaves out of a record is not known: then the value is a `Partial`, which several values match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from itertools import islice
from typing import Any

from quorate.conform.mapping import OPEN
from quorate.errors import QuorateError, UsageError
from quorate.language.containers import FrozenList
from quorate.language.sorts import Identity
from quorate.language.types import (
    BagType,
    BoolType,
    EnumType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    NoneType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.trace import Json

ANY: Any = object()
"""Stands for an argument that is not known."""
INHABITANTS_MAX = 100_000
"""More values than this are not tried for an argument that the log does not tell."""


class Unreadable(QuorateError):
    """A value of a log that is none of the type that it should have."""


@dataclass(frozen=True)
class Partial:
    """A record of which some fields are known."""

    type: RecordType
    known: tuple[tuple[str, Any], ...]

    def matches(self, value: Any) -> bool:
        """Whether a value is such a record."""
        return type(value) is self.type.sort and all(
            matches(wanted, getattr(value, name)) for name, wanted in self.known
        )


def matches(wanted: Any, value: Any) -> bool:
    """Whether a value is the one that is wanted, or one of those."""
    if isinstance(wanted, Partial):
        return wanted.matches(value)
    return wanted is ANY or bool(wanted == value)


class Values:
    """Reads the values of a log. Make and use it inside the system's configuration."""

    def __init__(self, members: Mapping[str, Any], sorts: Mapping[str, type[Identity]]) -> None:
        self._known: dict[type[Identity], dict[Json, Identity]] = {}
        self._open: set[type[Identity]] = set()
        for name, sort in sorts.items():
            listed = members[name]
            if listed == OPEN:
                self._open.add(sort)
            self._known[sort] = {} if listed == OPEN else {each: sort.at(i) for i, each in enumerate(listed)}

    def sort_of(self, name: Json) -> type[Identity] | None:
        """The closed sort that has a member of this name; None if there is none, or there are several."""
        try:
            found = [sort for sort, known in self._known.items() if sort not in self._open and name in known]
        except TypeError:
            return None
        return found[0] if len(found) == 1 else None

    @property
    def names(self) -> dict[str, str]:
        """What each member of a closed sort is called in the log, where that is not its name in the specification."""
        return {
            repr(member): str(name)
            for sort, known in self._known.items()
            if sort not in self._open
            for name, member in known.items()
            if repr(member) != name
        }

    def read(self, kind: Type, data: Json) -> Any:
        """The value of a type. Raises Unreadable if `data` is none."""
        match kind:
            case NoneType() | BoolType() | NatType():
                return self._leaf(kind, data)
            case EnumType():
                return self._enum(kind, data)
            case IdentityType():
                return self._identity(kind, data)
            case UnionType():
                return self._union(kind, data)
            case RecordType():
                return self._record(kind, data)
            case TupleType():
                parts = self._parts(kind, data, "tuple")
                if len(parts) != len(kind.kinds):
                    raise _not(kind, data)
                return tuple(self.read(part, each) for part, each in zip(kind.kinds, parts, strict=True))
            case ListType():
                return FrozenList(self.read(kind.element, each) for each in self._parts(kind, data, "list"))
            case SetType():
                return kind.check({self.read(kind.element, each) for each in self._parts(kind, data, "set")})
            case NetworkType():
                wire: Any = kind.zero()
                wire.messages = wire.messages | {
                    self.read(kind.message, each) for each in self._parts(kind, data, "set")
                }
                return wire
            case BagType():
                return self._bag(kind, data)
            case MapType():
                entries = {self.read(kind.key, key): self.read(kind.value, each) for key, each in pairs(kind, data)}
                return kind.check({key: entries[key] if key in entries else kind.value.zero() for key in kind.keys})
        raise Unreadable(f"values of {kind} cannot be told in a log")

    def _leaf(self, kind: Type, data: Json) -> Any:
        if isinstance(kind, NatType) and isinstance(data, str) and data.lstrip("-").isdigit():  # A key of an object.
            data = int(data)
        try:
            return kind.check(data)
        except Exception:
            raise _not(kind, data) from None

    def _enum(self, kind: EnumType, data: Json) -> Any:
        for member in kind.members:
            if data == member.name or (data == member.value and type(data) is type(member.value)):
                return member
        raise Unreadable(f"{data!r} is not a {kind}: {', '.join(member.name for member in kind.members)}")

    def _identity(self, kind: IdentityType, data: Json) -> Any:
        known = self._known[kind.sort]
        try:
            member = known.get(data)
        except TypeError:
            raise _not(kind, data) from None
        if member is None:
            if kind.sort not in self._open:
                raise Unreadable(f"{data!r} is not one of the members of {kind}: {', '.join(map(str, known))}")
            member = known[data] = kind.check(kind.sort.at(len(known)))
        return member

    def _union(self, kind: UnionType, data: Json) -> Any:
        named = data.get("record") if isinstance(data, dict) else None
        found, reasons = [], []
        for part in kind.kinds:
            if named is not None and str(part) != named:
                continue
            try:
                found.append(self.read(part, data))
            except Unreadable as error:
                reasons.append(str(error))
        whole = [value for value in found if not isinstance(value, Partial)]
        if len(whole) == 1 or len(found) == 1:
            return (whole or found)[0]
        if found:
            raise Unreadable(f'{_short(data)} may be several of {kind}: say which, with "record"')
        raise Unreadable(f"{_short(data)} is not a {kind}" if len(reasons) != 1 else reasons[0])

    def _record(self, kind: RecordType, data: Json) -> Any:
        if not isinstance(data, dict):
            raise _not(kind, data)
        told = data.get("fields") if isinstance(data.get("fields"), dict) else data
        assert isinstance(told, dict)
        told = {name: each for name, each in told.items() if name != "record"}
        if data.get("record", str(kind)) != str(kind):
            raise _not(kind, data)
        strange = told.keys() - set(kind.names)
        if strange:
            raise Unreadable(f"{kind} has no field {min(strange)!r}: it has {', '.join(kind.names)}")
        known = {name: self.read(part, told[name]) for name, part in kind.fields if name in told}
        optional = {each.name for each in fields(kind.sort) if each.default is not MISSING}
        if any(name not in known and name not in optional for name in kind.names) or any(
            isinstance(each, Partial) for each in known.values()
        ):
            return Partial(kind, tuple(known.items()))
        return kind.sort(**known)

    def _bag(self, kind: BagType, data: Json) -> Any:
        bag: Any = kind.zero()
        listed = data["bag"] if isinstance(data, dict) and "bag" in data else [(each, 1) for each in data]
        for each, copies in listed:
            message = self.read(kind.message, each)
            bag.counts[message] = bag.counts.get(message, 0) + copies
        return bag

    @staticmethod
    def _parts(kind: Type, data: Json, tag: str) -> list[Json]:
        parts = data.get(tag) if isinstance(data, dict) and len(data) == 1 else data
        if not isinstance(parts, list):
            raise _not(kind, data)
        return parts

    # What a log does not tell

    def inhabitants(self, kind: Type, wanted: Any = ANY) -> Iterator[Any]:
        """The values of a type that may be meant, `wanted` if it is given. Raises UsageError if they are too many to try."""
        tried = list(islice(_inhabitants(kind, wanted), INHABITANTS_MAX + 1))
        if len(tried) > INHABITANTS_MAX:
            raise UsageError(f"there are more than {INHABITANTS_MAX:,} values of {kind} to try: let the log tell it")
        return iter(tried)


def _inhabitants(kind: Type, wanted: Any) -> Iterator[Any]:
    if isinstance(wanted, Partial):
        yield from _records(wanted.type, dict(wanted.known))
    elif wanted is not ANY:
        yield wanted
    elif isinstance(kind, RecordType):
        yield from _records(kind, {})
    elif isinstance(kind, UnionType):
        for part in kind.kinds:
            yield from _inhabitants(part, ANY)
    elif isinstance(kind, TupleType):
        yield from _products(kind.kinds, ())
    elif isinstance(kind, NoneType | BoolType | EnumType | NatType | IdentityType):
        yield from kind.values()
    else:
        raise UsageError(f"an argument of the type {kind} is not tried with all values: let the log tell it")


def _records(kind: RecordType, known: Mapping[str, Any]) -> Iterator[Any]:
    for parts in _products(kind.kinds, (), [known.get(name, ANY) for name in kind.names]):
        yield kind.sort(*parts)


def _products(kinds: tuple[Type, ...], chosen: tuple[Any, ...], known: list[Any] | None = None) -> Iterator[Any]:
    if len(chosen) == len(kinds):
        yield chosen
        return
    for value in _inhabitants(kinds[len(chosen)], known[len(chosen)] if known else ANY):
        yield from _products(kinds, (*chosen, value), known)


def pairs(kind: Type, data: Json) -> list[tuple[Json, Json]]:
    """The keys and values of a map. Raises Unreadable if `data` is none."""
    if isinstance(data, dict):
        listed = data.get("map")
        if len(data) == 1 and isinstance(listed, list):
            return [(key, each) for key, each in listed]
        return list(data.items())
    raise _not(kind, data)


def _not(kind: Type, data: Json) -> Unreadable:
    return Unreadable(f"{_short(data)} is not a {kind}")


def _short(data: Json) -> str:
    text = repr(data)
    return text if len(text) <= 80 else f"{text[:77]}..."
