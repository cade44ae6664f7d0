"""Maps of which keys may be absent.

To every engine such a map is the total one that has None for what is absent: its frozen values are those of `dict[K, V | None]`, with
their order, numbering, symmetry and JSON. Only what an author holds is a dict without these keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, Self

from quorate.errors import SpecError
from quorate.language.containers import FrozenMap, Log, _immutable, all_checked
from quorate.language.types.base import Type
from quorate.language.types.leaves import NoneType
from quorate.language.types.structured import MapType, UnionType


class SeenMap(dict[Any, Any]):
    """Such a map inside a state, as properties see it, its keys in canonical order."""

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _immutable
    __ior__ = _immutable


class DraftPartial(dict[Any, Any]):
    """Such a map that an action is changing. Whoever ranges over it ranges over what it has then, in canonical order."""

    def __init__(self, kind: PartialMapType, source: FrozenMap) -> None:
        self._type, self._source, self._changed = kind, source, False
        super().__init__(present(source))

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self._source:
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
        return {key: dict.__getitem__(self, key) for key in self._source if key in self}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._now())

    def keys(self) -> Any:
        return self._now().keys()

    def values(self) -> Any:
        return self._now().values()

    def items(self) -> Any:
        return self._now().items()


def present(frozen: FrozenMap) -> Iterable[tuple[Any, Any]]:
    """The keys that have a value, each with it."""
    return ((key, value) for key, value in frozen.items() if value is not None)


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
        return kinds[0] if len(kinds) == 1 else UnionType(kinds)

    def check(self, value: Any) -> Any:
        if type(value) is FrozenMap:  # As engines have it.
            return super().check(value)
        if not isinstance(value, dict):
            raise self._wrong(value)
        keys = [key for key in self.keys if key in value]
        if len(keys) < len(value):
            raise SpecError(f"The keys of a {self} are all of {self.key}; this one has {sorted(map(repr, value))}.")
        checked = dict(zip(keys, all_checked(self.held, [value[key] for key in keys]), strict=True))
        return FrozenMap((key, checked.get(key)) for key in self.keys)

    def seen(self, frozen: Any) -> Any:
        return SeenMap(present(frozen))

    def thaw(self, frozen: Any, log: Log) -> Any:
        return DraftPartial(self, frozen)

    def freeze(self, draft: Any) -> Any:
        return FrozenMap((key, draft.get(key)) for key in self.keys) if draft._changed else draft._source


def has_partial(kind: Type) -> bool:
    """Whether a map of which keys may be absent is in a type."""
    return any(isinstance(part, PartialMapType) for part in kind.walk())
