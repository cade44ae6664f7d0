"""A specification without bounds of its own: what a running program is held to.

Bounds are configuration of an exploration, not semantics: a log has as many terms, entries and clients as it has. So a
`Wide` system is the class itself, run by CPython as every `System` is, with types that know no largest number and no
capacity. What has to be finite in it follows what the log brings:

- A number is as large as it is. Where a method ranges over a whole sort (`for i in Index`), it ranges up to the largest
  number met so far: beyond it none is in use.
- The members of an *open* sort (commands, clients) are those that were met. A *closed* sort (the servers, of which there
  must be a majority) has the size that it was given.
- A total map over such keys holds the entries that differ from the zero of their type.
- Capacities of lists, sets and networks, and constraints, are gone.

States stay immutable, and cheap to make: drafts copy a container when it is asked for and no sooner, and a network
shares what it holds with the one that it came from (`Layered`). So what a step costs depends on what it touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import combinations, islice, product
from typing import Any, Self, cast

from quorate.conform.narrowing import narrowed
from quorate.errors import UsageError, unknown
from quorate.language.containers import DraftList, DraftMap, DraftSet, FrozenList, FrozenMap, FrozenSet, Log, Network
from quorate.language.declarations import SpecBase
from quorate.language.methods import Method, Parameter, Variable
from quorate.language.sorts import Int, Nat, lower
from quorate.language.system import Arguments, System
from quorate.language.types import (
    BagType,
    ChannelsType,
    IdentityType,
    Leaf,
    ListType,
    MapType,
    NatType,
    NetworkType,
    OrderedType,
    RecordType,
    ScalarsetType,
    SetType,
    TupleType,
    Type,
    UnionType,
)

ENDLESS = 2**62
"""A capacity that nothing reaches."""
UNCOUNTED = 2**4096
"""Stands for the number of values of a container without a capacity, in the codes by which records are put in order."""
LAYER_MAX = 256
"""How many elements the small layers of a `Layered` set hold before they are merged into the large one."""


class Wide(System):
    """A specification without bounds. `closed` gives the sizes of sorts that have one; all other sorts are open. Use it as a
    context manager, as every system.

    Raises UsageError for a sort that the specification does not have."""

    def __init__(self, spec: type[SpecBase], closed: Mapping[str, int]) -> None:
        super().__init__(narrowed(spec))
        known = {sort.__name__: sort for sort in self._sizes}
        for name in closed:
            if name not in known:
                raise unknown("sort", name, known)
        self.closed = frozenset(known[name] for name in closed)
        for sort in self._sizes:
            if sort in self.closed:
                self._sizes[sort] = closed[sort.__name__]
            elif issubclass(sort, Int):
                self._sizes[sort] = max(1, self._sizes[sort] or 0)
            else:
                self._sizes[sort] = 1
        with self:
            self.configuration.records.update(
                {cls: self._record(kind) for cls, kind in list(self.configuration.records.items())}
            )
            self.variables = tuple(Variable(each.name, self.wide(each.type), each.default) for each in self.variables)
            self._by_kind = {kind: [self._method_of(one) for one in found] for kind, found in self._by_kind.items()}

    def _like(self, spec: type[SpecBase]) -> Self:
        """A specification that this one refines: nothing here asks for it, and it keeps its bounds."""
        return cast(Self, System(spec))

    @property
    def constraints(self) -> tuple[Method, ...]:
        """None: they bound what is explored."""
        return ()

    def choices(self, parameters: tuple[Parameter, ...]) -> Iterator[Arguments]:
        """All arguments made of the members and numbers that were met."""
        yield from product(*(tuple(inhabitants(each.type)) for each in parameters))

    def __exit__(self, *details: object) -> None:
        for sort in self._sizes:  # What was met is known the next time, too.
            self._sizes[sort] = sort.bound
        super().__exit__(*details)

    def _method_of(self, method: Method) -> Method:
        return replace(
            method, parameters=tuple(Parameter(each.name, self.wide(each.type)) for each in method.parameters)
        )

    def _record(self, kind: RecordType) -> RecordType:
        return RecordType(kind.sort, tuple((name, self.wide(part)) for name, part in kind.fields))

    def wide(self, kind: Type) -> Type:
        """The same type without bounds."""
        match kind:
            case NatType():
                if kind.sort in self.closed:
                    return NatType(kind.sort, kind.sort.bound, kind.minimum)
                return Number(kind.sort, ENDLESS, 0 if issubclass(kind.sort, Nat) else -ENDLESS)
            case IdentityType():
                if kind.sort in self.closed:
                    return type(kind)(kind.sort, kind.sort.bound)
                return (OpenScalarset if isinstance(kind, ScalarsetType) else OpenOrdered)(kind.sort, ENDLESS)
            case RecordType():
                return self._record(kind)
            case TupleType():
                return TupleType(tuple(map(self.wide, kind.kinds)))
            case UnionType():
                return UnionType(tuple(map(self.wide, kind.kinds)))
            case MapType():
                return SparseMapType(self.wide(kind.key), self.wide(kind.value))
            case ListType():
                return WideListType(self.wide(kind.element), ENDLESS, kind.bound)
            case SetType():
                return WideSetType(self.wide(kind.element), ENDLESS, kind.bound)
            case NetworkType():
                return WideNetworkType(self.wide(kind.message), ENDLESS, kind.bound, kind.lossy, kind.variable)
            case BagType():
                return BagType(self.wide(kind.message), ENDLESS, kind.bound, kind.lossy, kind.variable)
            case ChannelsType():
                return ChannelsType(
                    self.wide(kind.message),
                    ENDLESS,
                    kind.bound,
                    kind.lossy,
                    kind.variable,
                    self.wide(kind.source),
                    self.wide(kind.target),
                )
        return kind


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


class _Open(IdentityType):
    """Identities of which more are met."""

    def values(self) -> Iterator[Any]:
        return iter(self.sort.members())

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.sort):
            raise self._wrong(value)
        if value.index >= self.sort.bound:
            self.sort.bound = value.index + 1
        return value


class OpenScalarset(_Open, ScalarsetType):
    """A `Scalarset` of which more members are met."""


class OpenOrdered(_Open, OrderedType):
    """An `Ordered` sort of which more members are met."""


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
        keys = tuple(kind.keys)
        for values in product(tuple(inhabitants(kind.value)), repeat=len(keys)):
            yield kind.check(dict(zip(keys, values, strict=True)))
    elif isinstance(kind, Leaf):
        yield from kind.values()
    else:
        raise UsageError(f"not all values of {kind} are tried: there is no end of them")


def is_plain(kind: Type) -> bool:
    """Whether values of a type are their own drafts."""
    return isinstance(kind, Leaf | RecordType | UnionType | TupleType)


# Maps


class SparseMap(FrozenMap):
    """A total map that holds the entries which are not zero."""

    __slots__ = ("_type",)
    _type: SparseMapType

    def __missing__(self, key: Any) -> Any:
        return self._type.default(key)

    def __contains__(self, key: object) -> bool:
        return self._type.is_key(key)

    def __iter__(self) -> Iterator[Any]:
        return self._type.key.values()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> Any:
        return list(self)

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def stored(self) -> Any:
        """The entries that are not zero."""
        return dict.items(self)

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(frozenset(self.stored()))
            return self._hash

    def __eq__(self, other: object) -> bool:
        return dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not dict.__eq__(self, other)


class SparseDraft(DraftMap):
    """A sparse map that an action is changing: it holds what was asked for, thawed, or assigned."""

    __slots__ = ()
    _type: SparseMapType
    _source: SparseMap

    def __missing__(self, key: Any) -> Any:
        kind = self._type
        frozen = dict.get(self._source, key, self)
        if frozen is self:
            frozen = kind.default(key)
        if kind._plain:
            return frozen
        thawed = kind.value.thaw(frozen, self._log)
        dict.__setitem__(self, key, thawed)
        return thawed

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if self._type.is_key(key) else default

    def __contains__(self, key: object) -> bool:
        return self._type.is_key(key)

    def __iter__(self) -> Iterator[Any]:
        return self._type.key.values()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> Any:
        return list(self)

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def __eq__(self, other: object) -> bool:
        return bool(self._type.check(self) == (self._type.check(other) if isinstance(other, SparseDraft) else other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def stored(self) -> Any:
        """What was asked for or assigned."""
        return dict.items(self)


class SparseMapType(MapType):
    """`dict[K, V]` over keys of which more are met."""

    @cached_property
    def cardinality(self) -> int:
        return UNCOUNTED

    @property
    def keys(self) -> tuple[Any, ...]:
        """The keys that were met."""
        return tuple(self.key.values())

    @cached_property
    def _zero(self) -> Any:
        return self.value.zero()

    @cached_property
    def _single(self) -> bool:
        return not isinstance(self.key, TupleType | UnionType)

    def is_key(self, key: object) -> bool:
        """Whether a value is a key of the map, met or not."""
        if self._single:
            return self.key.accepts(key)
        try:
            return bool(self.key.check(key) == key)
        except Exception:
            return False

    def default(self, key: Any) -> Any:
        """The value of a key without an entry. Raises KeyError if it is none."""
        if not self.is_key(key):
            raise KeyError(key)
        return self._zero

    def _of(self, entries: Iterable[tuple[Any, Any]]) -> SparseMap:
        zero = self._has_zero
        made = SparseMap((key, value) for key, value in entries if not zero or value != self._zero)
        made._type = self
        return made

    @cached_property
    def _has_zero(self) -> bool:
        try:
            self.value.zero()
        except Exception:
            return False
        return True

    def zero(self) -> Any:
        self.value.zero()
        return self._of(())

    def check(self, value: Any) -> Any:
        if isinstance(value, SparseDraft):
            return self.freeze(value)
        if isinstance(value, SparseMap):
            return self._of((key, self.value.check(part)) for key, part in value.stored())
        dense = super().check(value)
        return self._of(dense.items())

    def thaw(self, frozen: Any, log: Log) -> Any:
        return SparseDraft(self, frozen, (), log)

    def freeze(self, draft: Any) -> Any:
        source = draft._source
        value = self.value
        changed = {}
        for key, part in draft.stored():
            after = part if self._plain else value.freeze(part)
            if after is not source[key]:
                changed[key] = after
        if not changed:
            return source
        return self._of((dict(source.stored()) | changed).items())

    def from_json(self, data: Any) -> Any:
        match data:
            case {"map": list(pairs)} if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
                return self._of((self.key.from_json(key), self.value.from_json(part)) for key, part in pairs)
        raise ValueError(f"{data!r} is not a {self}")


# Lists and sets


class WideDraftList(DraftList):
    """A list that an action is changing, or only reads: then it is frozen as what it was."""

    __slots__ = ("_source",)
    _type: WideListType
    _source: FrozenList | None

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if isinstance(index, slice) and self._type.plain:
            return self._type.draft(found, self._log)
        return found

    def append(self, value: Any) -> None:
        self._source = None
        super().append(value)

    def extend(self, values: Iterable[Any]) -> None:
        self._source = None
        super().extend(values)

    def insert(self, index: Any, value: Any) -> None:
        self._source = None
        super().insert(index, value)

    def pop(self, index: Any = -1) -> Any:
        self._source = None
        return super().pop(index)

    def clear(self) -> None:
        self._source = None
        super().clear()

    def remove(self, value: Any) -> None:
        self._source = None
        super().remove(value)

    def reverse(self) -> None:
        self._source = None
        super().reverse()

    def sort(self, **options: Any) -> None:
        self._source = None
        super().sort(**options)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._source = None
        super().__setitem__(index, value)

    def __delitem__(self, index: Any) -> None:
        self._source = None
        super().__delitem__(index)


class WideListType(ListType):
    """`list[T]` without a capacity."""

    @cached_property
    def cardinality(self) -> int:
        return UNCOUNTED

    @cached_property
    def plain(self) -> bool:
        """Whether its elements are their own drafts."""
        return is_plain(self.element)

    def draft(self, parts: Iterable[Any], log: Log, source: FrozenList | None = None) -> WideDraftList:
        """A draft with these elements, which are drafts of the element type."""
        made = WideDraftList(self, parts, log)
        made._source = source
        return made

    def check(self, value: Any) -> Any:
        if self.plain and isinstance(value, WideDraftList) and value._type is self:
            return FrozenList(value)
        return super().check(value)

    def thaw(self, frozen: Any, log: Log) -> Any:
        if self.plain:
            return self.draft(frozen, log, frozen)
        return self.draft([self.element.thaw(part, log) for part in frozen], log)

    def freeze(self, draft: Any) -> Any:
        if not self.plain:
            return super().freeze(draft)
        return FrozenList(draft) if draft._source is None else draft._source


class WideDraftSet(DraftSet):
    """A set that an action is changing, or only reads: then it is frozen as what it was."""

    __slots__ = ("_source",)
    _source: FrozenSet | None

    def __init__(self, kind: WideSetType, source: FrozenSet) -> None:
        self._type, self._source = kind, source
        set.__init__(self, source)  # From a set, without asking its elements for their hashes.

    def add(self, value: Any) -> None:
        self._source = None
        super().add(value)

    def discard(self, value: Any) -> None:
        self._source = None
        super().discard(value)

    def remove(self, value: Any) -> None:
        self._source = None
        super().remove(value)

    def update(self, *others: Iterable[Any]) -> None:
        self._source = None
        super().update(*others)

    def clear(self) -> None:
        self._source = None
        super().clear()


class WideSetType(SetType):
    """`set[T]` without a capacity."""

    @cached_property
    def cardinality(self) -> int:
        return UNCOUNTED

    def thaw(self, frozen: Any, log: Log) -> Any:
        return WideDraftSet(self, frozen)

    def freeze(self, draft: Any) -> Any:
        return self._frozen(draft) if draft._source is None else draft._source

    def _frozen(self, elements: Iterable[Any]) -> FrozenSet:
        frozen = frozenset.__new__(FrozenSet, elements)
        frozen._type = self
        return frozen


# Networks


class Layered:
    """An immutable set that shares with those it was made from: a large layer, which is copied rarely, what came to it, and
    what left it."""

    __slots__ = ("_hash", "_left", "_new", "_old")

    def __init__(self, old: frozenset[Any], new: frozenset[Any], left: frozenset[Any], hashed: int) -> None:
        if len(new) + len(left) > LAYER_MAX:
            old, new, left = (old | new) - left, frozenset(), frozenset()
        self._old, self._new, self._left, self._hash = old, new, left, hashed

    @staticmethod
    def of(elements: Iterable[Any]) -> Layered:
        """The set of these elements."""
        whole = frozenset(elements)
        hashed = 0
        for element in whole:
            hashed ^= hash(element)
        return Layered(whole, frozenset(), frozenset(), hashed)

    def __contains__(self, element: object) -> bool:
        return element in self._new or (element in self._old and element not in self._left)

    def __iter__(self) -> Iterator[Any]:
        yield from self._new
        for element in self._old:
            if element not in self._left:
                yield element

    def __len__(self) -> int:
        return len(self._old) + len(self._new) - len(self._left)

    def __or__(self, others: Iterable[Any]) -> Layered:
        made = self
        for element in others:
            if element in made:
                continue
            hashed = made._hash ^ hash(element)
            if element in made._left:
                made = Layered(made._old, made._new, made._left - {element}, hashed)
            else:
                made = Layered(made._old, made._new | {element}, made._left, hashed)
        return made

    def __sub__(self, others: Iterable[Any]) -> Layered:
        made = self
        for element in others:
            if element not in made:
                continue
            hashed = made._hash ^ hash(element)
            if element in made._new:
                made = Layered(made._old, made._new - {element}, made._left, hashed)
            else:
                made = Layered(made._old, made._new, made._left | {element}, hashed)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layered):
            return NotImplemented
        if self._hash != other._hash or len(self) != len(other):
            return False
        return all(element in other for element in self)

    def __hash__(self) -> int:
        return hash(self._hash)


class WideNetworkType(NetworkType):
    """`Network[M]` without a capacity."""

    def _of_layers(self, layers: Layered) -> Any:
        network: Any = self._bound(Network())
        network.messages = layers
        return network

    def zero(self) -> Any:
        return self._of_layers(Layered.of(()))

    def freeze(self, draft: Any) -> Any:
        if draft._source is not None and draft.messages is draft._source.messages:
            return draft._source
        messages = draft.messages
        return self._of_layers(messages if isinstance(messages, Layered) else Layered.of(messages))

    def from_json(self, data: Any) -> Any:
        match data:
            case {"set": list(parts)}:
                return self._of_layers(Layered.of(self.message.from_json(part) for part in parts))
        raise ValueError(f"{data!r} is not a {self}")
