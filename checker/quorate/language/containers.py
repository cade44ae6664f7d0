"""The containers a state is made of, in two forms.

*Frozen* containers are what states hold: immutable, hashable, equal to the plain Python container with the same
contents. *Drafts* are what an action sees through `self`: mutable, and every value put into them is held against its
declared type at once, so that an error or a cut names the statement that caused it. Both iterate in the canonical
order of their element type, never in hash order: two runs always do the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import index
from typing import Any, NoReturn, Protocol, Self, SupportsIndex, TypeVar

from quorate.errors import SpecError
from quorate.language.control import Cut

M = TypeVar("M")

Event = tuple[str, str, Any]
"""What happened to a network: ("sent" | "received" | "lost", variable, message)."""


class Kind(Protocol):
    """What a container asks of the type of what it holds."""

    def check(self, value: Any) -> Any:
        """The frozen form of a value, held against the type."""

    def thaw(self, frozen: Any, log: Log) -> Any:
        """A draft of a frozen value."""

    def encode(self, value: Any) -> int:
        """The place of a frozen value in the canonical order."""


def all_checked(kind: Kind, values: Iterable[Any]) -> list[Any]:
    """Values of a container without an order, held against the type of each. An error in one comes before what cuts another, and of
    several bounds the first by name counts: nobody can tell in which order they were looked at."""
    checked, bounds = [], set()
    for value in values:
        try:
            checked.append(kind.check(value))
        except Cut as cut:
            bounds.add(cut.bound)
    if bounds:
        raise Cut(min(bounds))
    return checked


class MapKind(Protocol):
    """What a map asks of its type."""

    @property
    def key(self) -> Kind: ...
    @property
    def value(self) -> Kind: ...


class ElementsKind(Protocol):
    """What a list or a set asks of its type."""

    @property
    def element(self) -> Kind: ...
    def fits(self, length: int) -> None:
        """Raise `Cut` if this many elements are too many."""


def _immutable(*_: Any, **__: Any) -> NoReturn:
    raise SpecError(
        "A state is immutable: only an action may change it, through `self`. In a property or a pure "
        "function, build a new value instead (`a | {x}`, `log[:i]`, `replace(record, field=...)`)."
    )


class FrozenMap(dict[Any, Any]):
    """A total map inside a state. Its keys stand in canonical order."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(tuple(self.values()))
            return self._hash

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _immutable
    __ior__ = _immutable


class FrozenList(list[Any]):
    """A list inside a state."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    __setitem__ = __delitem__ = append = clear = extend = insert = pop = remove = reverse = sort = _immutable
    __iadd__ = __imul__ = _immutable


def frozen(value: Any) -> Any:
    """The hashable form of a plain value, equal to it: lists, sets and maps in it are frozen, at any depth."""
    if isinstance(value, list):
        return FrozenList(map(frozen, value))
    if isinstance(value, tuple):
        return tuple(map(frozen, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(frozen, value))
    if isinstance(value, dict):
        return FrozenMap((key, frozen(part)) for key, part in value.items())
    return value


def _contains(holds: Callable[[Any], bool], value: Any) -> bool:
    """Whether a set of frozen values has one that equals `value`, which need not be frozen itself."""
    try:
        return holds(value)
    except TypeError:
        return holds(frozen(value))


class FrozenSet(frozenset[Any]):
    """A set inside a state."""

    _type: ElementsKind

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=self._type.element.encode))

    def __contains__(self, value: object) -> bool:
        return _contains(super().__contains__, value)

    def plain(self) -> Iterator[Any]:
        """The elements in no particular order."""
        return super().__iter__()

    add = discard = remove = clear = update = pop = _immutable


class DraftMap(dict[Any, Any]):
    """A map that an action is changing."""

    __slots__ = ("_changed", "_log", "_source", "_type")

    def __init__(self, kind: MapKind, source: FrozenMap, items: Iterable[tuple[Any, Any]], log: Log) -> None:
        self._type, self._source, self._log = kind, source, log
        self._changed = False
        super().__init__(items)

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self:
            raise SpecError(f"{key!r} is not a key of this map, whose keys are all of {self._type.key}.")
        kind = self._type.value
        super().__setitem__(key, kind.thaw(kind.check(value), self._log))
        self._changed = True

    def _total(self, *_: Any, **__: Any) -> NoReturn:
        raise SpecError(
            "A map is total: it has exactly one value for every key of its key type. Assign `self.m[k] = v`."
        )

    __delitem__ = clear = pop = popitem = setdefault = update = _total
    __ior__ = _total


class DraftList(list[Any]):
    """A list that an action is changing."""

    __slots__ = ("_log", "_type")

    def __init__(self, kind: ElementsKind, items: Iterable[Any], log: Log) -> None:
        self._type, self._log = kind, log
        super().__init__(items)

    def _thawed(self, value: Any) -> Any:
        kind = self._type.element
        return kind.thaw(kind.check(value), self._log)

    def append(self, value: Any) -> None:
        thawed = self._thawed(value)
        self._type.fits(len(self) + 1)
        super().append(thawed)

    def extend(self, values: Iterable[Any]) -> None:
        thawed = [self._thawed(value) for value in values]
        self._type.fits(len(self) + len(thawed))
        super().extend(thawed)

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> Self:
        more = list(self) * (index(times) - 1)
        if index(times) < 1:
            self.clear()
        self.extend(more)
        return self

    def insert(self, position: SupportsIndex, value: Any) -> None:
        position, thawed = index(position), self._thawed(value)
        self._type.fits(len(self) + 1)
        super().insert(position, thawed)

    def __setitem__(self, position: Any, value: Any) -> None:
        if isinstance(position, slice):
            raise SpecError(
                "Assigning to a slice is not part of the language: write `self.log = self.log[:i] + [...]`."
            )
        super().__setitem__(position, self._thawed(value))


class DraftSet(set[Any]):
    """A set that an action is changing."""

    __slots__ = ("_type",)

    def __init__(self, kind: ElementsKind, items: Iterable[Any]) -> None:
        self._type = kind
        super().__init__(items)

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=self._type.element.encode))

    def plain(self) -> Iterator[Any]:
        """The elements in no particular order."""
        return super().__iter__()

    def __contains__(self, value: object) -> bool:
        return _contains(super().__contains__, value)

    def add(self, value: Any) -> None:
        checked = self._type.element.check(value)
        if checked not in self:
            self._type.fits(len(self) + 1)
            super().add(checked)

    def discard(self, value: Any) -> None:
        super().discard(frozen(value))

    def remove(self, value: Any) -> None:
        super().remove(frozen(value))

    def update(self, *others: Iterable[Any]) -> None:
        added = set(all_checked(self._type.element, (value for other in others for value in other)))
        self._type.fits(len(added.union(super().__iter__())))
        super().update(added)

    def pop(self) -> Any:
        """The first element in canonical order, where Python takes one in the order of hashes."""
        for value in self:
            super().remove(value)
            return value
        raise KeyError("pop from an empty set")

    def symmetric_difference_update(self, other: Iterable[Any]) -> None:
        others = set(all_checked(self._type.element, other))
        self._type.fits(len(others.symmetric_difference(super().__iter__())))
        super().symmetric_difference_update(others)

    def __ior__(self, other: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.update(other)
        return self

    def __ixor__(self, other: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.symmetric_difference_update(other)
        return self


class Log:
    """What an action did to the networks, in order."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: list[Event] = []
