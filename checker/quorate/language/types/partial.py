"""Maps of which keys may be absent.

A value is a dict without the absent keys, wherever it is held. To every engine it stands for the total map that has None for them: it has
its order, numbering, symmetry and JSON, and `parts` are its values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn, Self

from quorate.errors import SpecError
from quorate.language.containers import Log, _immutable, all_checked
from quorate.language.types.base import Type
from quorate.language.types.leaves import NoneType
from quorate.language.types.structured import MapType, UnionType


class FrozenPartial(dict[Any, Any]):
    """Such a map inside a state, its keys in canonical order."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(tuple(self.items()))
            return self._hash

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _immutable
    __ior__ = _immutable


class DraftPartial(dict[Any, Any]):
    """Such a map that an action is changing. Whoever ranges over it ranges over what it has then, in canonical order."""

    def __init__(self, kind: PartialMapType, source: FrozenPartial) -> None:
        self._type, self._source, self._changed = kind, source, False
        super().__init__(source)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self._type.is_key(key):
            raise SpecError(f"{key!r} is no key of this map, whose keys are all of {self._type.key}.")
        super().__setitem__(key, self._type.held.check(value))
        self._changed = True

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self._changed = True

    def pop(self, key: Any, *default: Any) -> Any:
        """The value of a key, which is absent then."""
        self._changed = True
        return super().pop(key, *default)

    def clear(self) -> None:
        super().clear()
        self._changed = True

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in dict(*others, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc]
        self.update(other)
        return self

    def _unordered(self, *_: Any) -> NoReturn:
        raise SpecError("Which key comes last is nobody's to know here. Take it out by its name, `del self.m[k]`.")

    def _two(self, *_: Any) -> NoReturn:
        raise SpecError("Say it in two lines: `if k not in self.m:` and `self.m[k] = v`.")

    popitem, setdefault = _unordered, _two

    def _now(self) -> dict[Any, Any]:
        return {key: dict.__getitem__(self, key) for key in self._type.in_order(dict.keys(self))}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._now())

    def keys(self) -> Any:
        return self._now().keys()

    def values(self) -> Any:
        return self._now().values()

    def items(self) -> Any:
        return self._now().items()


@dataclass(frozen=True)
class PartialMapType(MapType):
    """`Annotated[dict[K, V], partial]`. Its `value` is `V | None`."""

    value: UnionType

    def __str__(self) -> str:
        return f"partial dict[{self.key}, {self.held}]"

    @property
    def held(self) -> Type:
        """The type of what a key has that is there."""
        kinds = tuple(kind for kind in self.value.kinds if not isinstance(kind, NoneType))
        return kinds[0] if len(kinds) == 1 else type(self.value)(kinds)

    @cached_property
    def _all_keys(self) -> frozenset[Any]:
        return frozenset(self.keys)

    def is_key(self, key: object) -> bool:
        """Whether something can be a key."""
        return key in self._all_keys

    def in_order(self, some: Collection[Any]) -> list[Any]:
        """Those of the keys that are there, in canonical order."""
        return [key for key in self.keys if key in some]

    def at(self, value: Any, key: Any) -> Any:
        if not self.is_key(key):
            raise KeyError(key)
        return value.get(key)

    def parts(self, value: Any) -> list[Any]:
        return [value.get(key) for key in self.keys]

    def of(self, parts: Iterable[Any]) -> Any:
        return FrozenPartial((key, part) for key, part in zip(self.keys, parts, strict=True) if part is not None)

    def check(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self._wrong(value)
        if not all(map(self.is_key, value)):
            raise SpecError(f"The keys of a {self} are all of {self.key}; this one has {sorted(map(repr, value))}.")
        keys = self.in_order(value)
        return FrozenPartial(zip(keys, all_checked(self.held, [value[key] for key in keys]), strict=True))

    def zero(self) -> Any:
        return FrozenPartial()

    def thaw(self, frozen: Any, log: Log) -> Any:
        return DraftPartial(self, frozen)

    def freeze(self, draft: Any) -> Any:
        return FrozenPartial(draft._now()) if draft._changed else draft._source
