"""From the values of a log to those of a specification.

A log says things as its language does: a record is an object with its fields, a map an object by its keys, an enum member
its name or its value, a member of a sort its name in the program. The forms of `quorate.trace` are understood as well.
What a log leaves out of a record is not known: then the value is a `Partial`, or has one in it (`PartialParts`), which several
values match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from itertools import islice, product
from typing import Any

from quorate.conform.mapping import OPEN
from quorate.conform.wide.sorts import Number, inhabitants
from quorate.errors import QuorateError, UsageError
from quorate.explore.traces.witnesses import plain_json
from quorate.language.containers import FrozenList
from quorate.language.networks import Wire
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
    PartialMapType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
    is_record,
)
from quorate.trace import Json

ANY: Any = object()
"""Stands for an argument that is not known."""
DIGITS = re.compile("-?(0|[1-9][0-9]{0,999})")
"""A number as a key of an object has it."""
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


@dataclass(frozen=True)
class PartialParts:
    """A list or a tuple with parts of which not all is known."""

    type: ListType | TupleType
    known: tuple[Any, ...]

    def matches(self, value: Any) -> bool:
        """Whether a value has such parts."""
        is_one = isinstance(value, list if isinstance(self.type, ListType) else tuple)
        return is_one and len(value) == len(self.known) and all(map(matches, self.known, value))


def _is_name(data: Json) -> bool:
    """Whether this can be what a program calls a member of a sort: 1 and true are equal in Python."""
    return isinstance(data, str) or (isinstance(data, int) and not isinstance(data, bool))


def _as_key(data: Json) -> Json:
    """The other form of a name that is a number: keys of objects are texts."""
    return str(data) if isinstance(data, int) else int(data) if DIGITS.fullmatch(data) else data


def matches(wanted: Any, value: Any) -> bool:
    """Whether a value is the one that is wanted, or one of those."""
    if isinstance(wanted, Partial | PartialParts):
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
            known = self._known[sort] = {} if listed == OPEN else {each: sort.at(i) for i, each in enumerate(listed)}
            if listed != OPEN and len(known) < len(listed):
                raise UsageError(f"Of the members of {name} two are called the same: {', '.join(map(str, listed))}.")
        self._called = {member: name for known in self._known.values() for name, member in known.items()}
        self._readers = _ByType(
            (
                (NatType, self._number),
                (NoneType | BoolType, self._leaf),
                (EnumType, self._enum),
                (IdentityType, self._identity),
                (UnionType, self._union),
                (RecordType, self._record),
                (TupleType, self._tuple),
                (ListType, self._list),
                (SetType, self._set),
                (NetworkType, self._network),
                (BagType, self._bag),
                (PartialMapType, self._partial_map),
                (MapType, self._map),
            )
        )

    def sort_of(self, name: Json) -> type[Identity] | None:
        """The closed sort that has a member of this name; None if there is none, or there are several."""
        if not _is_name(name):
            return None
        found = [sort for sort, known in self._known.items() if sort not in self._open and name in known]
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
        return self._readers[type(kind)](kind, data)

    def _number(self, kind: NatType, data: Json) -> Any:
        if isinstance(data, str) and DIGITS.fullmatch(data):  # A key of an object.
            data = int(data)
        if type(kind) is not Number and kind.accepts(data):
            return data  # A number beyond the last one is none that the specification has there.
        return self._leaf(kind, data)

    def _leaf(self, kind: Type, data: Json) -> Any:
        try:
            return kind.check(data)
        except Exception:
            raise _not(kind, data) from None

    def _enum(self, kind: EnumType, data: Json) -> Any:
        meant = [
            member
            for member in kind.members
            if data == member.name or (data == member.value and type(data) is type(member.value))
        ]
        if len(meant) > 1:
            raise Unreadable(f"{data!r} is the name of one {kind} and the value of another")
        if not meant:
            raise Unreadable(f"{data!r} is not a {kind}: {', '.join(member.name for member in kind.members)}")
        return meant[0]

    def _identity(self, kind: IdentityType, data: Json) -> Any:
        known = self._known[kind.sort]
        if not _is_name(data):
            raise _not(kind, data)
        member = known.get(data, known.get(_as_key(data)))
        if member is None:
            if kind.sort not in self._open:
                raise Unreadable(f"{data!r} is not one of the members of {kind}: {', '.join(map(str, known))}")
            member = known[data] = kind.check(kind.sort.at(len(known)))
        return member

    def _union(self, kind: UnionType, data: Json) -> Any:
        named = data.get("record") if isinstance(data, dict) else None
        found, reasons = [], []
        for part in kind.kinds:
            if (named is not None and str(part) != named) or isinstance(part, NoneType) is not (data is None):
                continue
            short = (
                data.removeprefix(f"{part}.") if isinstance(data, str) else data
            )  # As traces tell members of one name apart.
            try:
                found.append(self.read(part, short))
            except Unreadable as error:
                reasons.append(str(error))
        whole = [value for value in found if is_whole(value)]
        if len(whole) == 1 or len(found) == 1:
            return (whole or found)[0]
        if found:
            raise Unreadable(f'{_short(data)} may be several of {kind}: say which, with "record"')
        raise Unreadable(f"{_short(data)} is not a {kind}" if len(reasons) != 1 else reasons[0])

    def _record(self, kind: RecordType, data: Json) -> Any:
        if not isinstance(data, dict):
            raise _not(kind, data)
        named = data.get("fields")
        told = {"record": data.get("record", str(kind))} | named if isinstance(named, dict) else data
        if "record" in told and told["record"] != str(kind):
            raise _not(kind, data)
        for name in told:
            if name not in kind.names and name != "record":
                raise Unreadable(f"{kind} has no field {name!r}: it has {', '.join(kind.names)}")
        known = {name: self.read(part, told[name]) for name, part in kind.fields if name in told}
        if len(known) < len(kind.names) or not all(map(is_whole, known.values())):
            return Partial(kind, tuple(known.items()))
        return kind.sort(**known)

    def _tuple(self, kind: TupleType, data: Json) -> Any:
        parts = self._parts(kind, data, "tuple")
        if len(parts) != len(kind.kinds):
            raise _not(kind, data)
        read = tuple(self.read(part, each) for part, each in zip(kind.kinds, parts, strict=True))
        return read if all(map(is_whole, read)) else PartialParts(kind, read)

    def _list(self, kind: ListType, data: Json) -> Any:
        read = tuple(self.read(kind.element, each) for each in self._parts(kind, data, "list"))
        return FrozenList(read) if all(map(is_whole, read)) else PartialParts(kind, read)

    def _set(self, kind: SetType, data: Json) -> Any:
        return kind.check({self._whole(kind, kind.element, each) for each in self._parts(kind, data, "set")})

    def _network(self, kind: NetworkType, data: Json) -> Any:
        wire: Any = kind.zero()
        told = {self._whole(kind, kind.message, each) for each in self._parts(kind, data, "set")}
        wire.messages = wire.messages | told
        return wire

    def _whole(self, kind: Type, part: Type, data: Json) -> Any:
        """A part of a value whose parts have no order, so that it could not be said which one it is."""
        value = self.read(part, data)
        if not is_whole(value):
            raise Unreadable(f"{_short(data)} leaves out fields, and what is in a {kind} is told with all of them")
        return value

    def _map(self, kind: MapType, data: Json) -> Any:
        entries = {
            self._whole(kind, kind.key, key): self._whole(kind, kind.value, each) for key, each in pairs(kind, data)
        }
        return kind.check(kind.of(entries[key] if key in entries else kind.value.zero() for key in kind.keys))

    def _partial_map(self, kind: PartialMapType, data: Json) -> Any:
        """What is not told, or null, is not there."""
        entries = [(self._whole(kind, kind.key, key), each) for key, each in pairs(kind, data)]
        return kind.check({key: self._whole(kind, kind.held, each) for key, each in entries if each is not None})

    def _bag(self, kind: BagType, data: Json) -> Any:
        bag: Any = kind.zero()
        counted = isinstance(data, dict)
        for part in self._parts(kind, data, "bag"):
            each, copies = _pair(kind, part) if counted else (part, 1)
            if isinstance(copies, bool) or not isinstance(copies, int) or copies < 1:
                raise Unreadable(f"{_short(copies)} is no number of copies in a {kind}")
            message = self._whole(kind, kind.message, each)
            bag.counts[message] = bag.counts.get(message, 0) + copies
        return bag

    @staticmethod
    def _parts(kind: Type, data: Json, tag: str) -> list[Json]:
        parts = data.get(tag) if isinstance(data, dict) and len(data) == 1 else data
        if not isinstance(parts, list):
            raise _not(kind, data)
        return parts

    def write(self, value: Any) -> Json:
        """A value in the words of a program: a record is an object with its name and fields, a map an object by its keys."""
        if isinstance(value, Enum):
            return value.value if isinstance(value.value, str) else value.name
        if isinstance(value, Identity):
            return self._called.get(value, repr(value))
        if is_record(type(value)):
            names = {each.name: self.write(getattr(value, each.name)) for each in fields(value)}
            return {"record": type(value).__name__} | names
        if isinstance(value, dict):
            entries = [[self.write(key), self.write(part)] for key, part in value.items()]
            if all(_is_name(key) for key, _ in entries):
                return {str(key): part for key, part in entries}
            return {"map": entries}  # Keys of objects are texts.
        if isinstance(value, Wire | set | frozenset | list | tuple):
            return [self.write(part) for part in value]
        return value

    # What a log does not tell

    def inhabitants(self, kind: Type, wanted: Any = ANY) -> Iterator[Any]:
        """The values of a type that may be meant, `wanted` if it is given. Raises UsageError if they are too many to try."""
        tried = list(islice(_wanted(kind, wanted), INHABITANTS_MAX + 1))
        if len(tried) > INHABITANTS_MAX:
            raise UsageError(f"there are more than {INHABITANTS_MAX:,} values of {kind} to try: let the log tell it")
        return iter(tried)


def _wanted(kind: Type, wanted: Any) -> Iterator[Any]:
    if isinstance(wanted, Partial):
        known = dict(wanted.known)
        parts = (tuple(_wanted(part, known.get(name, ANY))) for name, part in wanted.type.fields)
        yield from (wanted.type.sort(*chosen) for chosen in product(*parts))
    elif isinstance(wanted, PartialParts):
        kinds = wanted.type.kinds if isinstance(wanted.type, TupleType) else [wanted.type.element] * len(wanted.known)
        chosen = product(*(tuple(_wanted(part, one)) for part, one in zip(kinds, wanted.known, strict=True)))
        yield from (wanted.type.check(parts if isinstance(wanted.type, TupleType) else list(parts)) for parts in chosen)
    elif wanted is not ANY:
        yield wanted
    else:
        yield from inhabitants(kind)


class _ByType(dict[type, Callable[[Any, Json], Any]]):
    """What reads the values of each class of types."""

    def __init__(self, readers: Sequence[tuple[Any, Callable[[Any, Json], Any]]]) -> None:
        super().__init__()
        self._all = readers

    def __missing__(self, kind: type) -> Callable[[Any, Json], Any]:
        for base, reader in self._all:
            if issubclass(kind, base):
                self[kind] = reader
                return reader
        raise Unreadable(f"values of {kind.__name__.removesuffix('Type')} cannot be told in a log")


def pairs(kind: Type, data: Json) -> list[tuple[Json, Json]]:
    """The keys and values of a map. Raises Unreadable if `data` is none."""
    if isinstance(data, dict):
        listed = data.get("map")
        if len(data) == 1 and isinstance(listed, list):
            return [_pair(kind, part) for part in listed]
        return list(data.items())
    raise _not(kind, data)


def _pair(kind: Type, data: Json) -> tuple[Json, Json]:
    if not isinstance(data, list) or len(data) != 2:
        raise _not(kind, data)
    return data[0], data[1]


def _not(kind: Type, data: Json) -> Unreadable:
    return Unreadable(f"{_short(data)} is not a {kind}")


def _short(data: Json) -> str:
    text = repr(data)
    return text if len(text) <= 80 else f"{text[:77]}..."


def is_whole(value: Any) -> bool:
    """Whether all of a value is known, not some fields of a record alone."""
    return not isinstance(value, Partial | PartialParts)


def observed(value: Any) -> Json:
    """A value as a log tells it."""
    if is_whole(value):
        return plain_json(value)
    if isinstance(value, PartialParts):
        parts = [observed(part) for part in value.known]
        return {"tuple": parts} if isinstance(value.type, TupleType) else parts
    return {"record": str(value.type), "fields": {name: observed(part) for name, part in value.known}}
