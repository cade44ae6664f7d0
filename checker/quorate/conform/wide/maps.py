"""Maps over keys without end: total ones hold the entries that differ from the zero of their type, others those that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import Any

from quorate.conform.wide.lists import WideListType
from quorate.conform.wide.sorts import UNCOUNTED, inhabitants
from quorate.language.containers import DraftMap, FrozenMap, Log
from quorate.language.types import MapType, PartialMapType, TupleType, Type, UnionType


class _AllKeys(dict[Any, Any]):
    """What a sparse map has, as its readers see it: an entry for each of its keys."""

    __slots__ = ()
    _type: SparseMapType

    def __contains__(self, key: object) -> bool:
        return self._type.is_key(key)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._type.keys)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def dense(self) -> dict[Any, Any]:
        """The same as an ordinary dictionary: what Python's own methods would make of the entries alone is something else."""
        return {key: self[key] for key in self}

    def keys(self) -> Any:
        return self.dense().keys()

    def values(self) -> Any:
        return self.dense().values()

    def items(self) -> Any:
        return self.dense().items()

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if self._type.is_key(key) else default

    def copy(self) -> Any:
        return self.dense()

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(self.dense())

    def __or__(self, other: Any) -> Any:
        return self.dense() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.dense()

    def __repr__(self) -> str:
        return repr(self.dense())


class SparseMap(_AllKeys, FrozenMap):
    """A total map that holds the entries which are not zero."""

    __slots__ = ("_type",)
    _type: SparseMapType

    def __missing__(self, key: Any) -> Any:
        return self._type.default(key)

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
        """As total maps are equal: the entries say it only where both leave out the same."""
        if isinstance(other, SparseDraft):
            other = other._type.freeze(other)
        if isinstance(other, SparseMap) and (other._type is self._type or other._type == self._type):
            return dict.__eq__(self, other)
        return self.dense() == (other.dense() if isinstance(other, SparseMap) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class SparseDraft(_AllKeys, DraftMap):
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

    def __setitem__(self, key: Any, value: Any) -> None:
        kind = self._type.value
        if isinstance(kind, WideListType) and key in self:
            dict.__setitem__(self, key, kind.own(value, self._log))
        else:
            super().__setitem__(key, value)

    def __eq__(self, other: object) -> bool:
        return bool(self._type.freeze(self) == other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def stored(self) -> Any:
        """What was asked for or assigned."""
        return dict.items(self)


def _is_value(kind: Type, value: object) -> bool:
    if not isinstance(kind, TupleType | UnionType):
        return kind.accepts(value)
    try:
        return bool(kind.check(value) == value)
    except Exception:
        return False


class SparseMapType(MapType):
    """`dict[K, V]` over keys of which more are met."""

    @cached_property
    def cardinality(self) -> int:
        return UNCOUNTED

    @property
    def keys(self) -> tuple[Any, ...]:
        """The keys that were met."""
        return tuple(inhabitants(self.key))

    @cached_property
    def _zero(self) -> Any:
        return self.value.zero()

    def is_key(self, key: object) -> bool:
        """Whether a value is a key of the map, met or not."""
        return _is_value(self.key, key)

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


class WidePartialMapType(PartialMapType):
    """`Annotated[dict[K, V], partial]` over keys of which more are met."""

    @cached_property
    def cardinality(self) -> int:
        return UNCOUNTED

    @property
    def keys(self) -> tuple[Any, ...]:
        """The keys that were met."""
        return tuple(inhabitants(self.key))

    def is_key(self, key: object) -> bool:
        return _is_value(self.key, key)

    def in_order(self, some: Collection[Any]) -> list[Any]:
        return sorted((self.key.check(key) for key in some), key=self.key.encode)
