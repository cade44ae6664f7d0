"""Lists that share what they have in common with those that they came from.

A log of thousands of entries to which an action appends one is not copied for it: the frozen lists before and after it, and the
draft between them, are a beginning of the same *buffer*, which only ever grows, and the draft has what it appends beside it. A list that
is cut shares what is left. Only where two lists go on differently from a place, or one is changed in its midst, one is copied.

They are lists to Python, so that a specification does with them what it does with any list; each method of `list` is one of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Any, Self, SupportsIndex

from quorate.conform.wide.sorts import UNCOUNTED, is_plain
from quorate.errors import SpecError
from quorate.language.containers import DraftList, FrozenList, Log
from quorate.language.types import ListType


class Sharing(list[Any]):
    """The first `_kept` elements of a buffer, and then those of `_tail`. What CPython keeps in a list is empty."""

    __slots__ = ()
    _buffer: list[Any]
    _kept: int
    _tail: list[Any]
    _type: Any

    def plain(self) -> list[Any]:
        """A copy."""
        return self._buffer[: self._kept] + self._tail

    def __len__(self) -> int:
        return self._kept + len(self._tail)

    def __getitem__(self, index: Any) -> Any:
        if type(index) is int:
            if 0 <= index < self._kept:
                return self._buffer[index]
            if index < 0:
                index += len(self)
                if index < 0:
                    raise IndexError("list index out of range")
            return self._tail[index - self._kept] if index >= self._kept else self._buffer[index]
        if isinstance(index, slice):
            begin, end, stride = index.indices(len(self))
            if begin == 0 and stride == 1:
                return self._first(end)
            return self._of(self.plain()[index])
        return self.plain()[index]

    def _first(self, count: int) -> Any:
        """A list of the first elements."""
        raise NotImplementedError

    def _of(self, elements: list[Any]) -> Any:
        """A list of others."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        """As that of a list it sees what is changed meanwhile."""
        index = 0
        while index < len(self):
            yield self[index]
            index += 1

    def __reversed__(self) -> Iterator[Any]:
        return iter(self.plain()[::-1])

    def __contains__(self, element: object) -> bool:
        return element in self.plain()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list):
            return NotImplemented
        if len(self) != len(other):
            return False
        if isinstance(other, Sharing):
            is_same = self._buffer is other._buffer and self._kept == other._kept and self._tail == other._tail
            return is_same or self.plain() == other.plain()
        return self.plain() == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: list[Any]) -> bool:
        return self.plain() < list(other)

    def __le__(self, other: list[Any]) -> bool:
        return self.plain() <= list(other)

    def __gt__(self, other: list[Any]) -> bool:
        return self.plain() > list(other)

    def __ge__(self, other: list[Any]) -> bool:
        return self.plain() >= list(other)

    def __add__(self, other: Any) -> Any:
        return self.plain() + list(other) if isinstance(other, list) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return list(other) + self.plain() if isinstance(other, list) else NotImplemented

    def __mul__(self, times: Any) -> Any:
        return self.plain() * times

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return repr(self.plain())

    def count(self, element: Any) -> int:
        return self.plain().count(element)

    def index(self, *arguments: Any) -> int:
        return self.plain().index(*arguments)

    def copy(self) -> list[Any]:
        return self.plain()


class SharedList(Sharing, FrozenList):
    """A list inside a state. Its tail is empty."""

    __slots__ = ("_buffer", "_kept", "_tail", "_type")

    def __init__(self, kind: WideListType, buffer: list[Any], length: int) -> None:
        self._type, self._buffer, self._kept, self._tail = kind, buffer, length, NOTHING

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __iter__(self) -> Iterator[Any]:
        return islice(self._buffer, self._kept)

    def _first(self, count: int) -> SharedList:
        return SharedList(self._type, self._buffer, count)

    def _of(self, elements: list[Any]) -> list[Any]:
        return elements


NOTHING: list[Any] = []
"""The tail of all lists inside states."""


class WideDraftList(Sharing, DraftList):
    """A list that an action is changing, or only reads: then it is frozen as what it was."""

    __slots__ = ("_buffer", "_kept", "_source", "_tail")
    _source: SharedList | None
    """What it was in the state, until it is something else."""
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, kind: WideListType, log: Log, buffer: list[Any], kept: int, tail: list[Any], source: SharedList | None
    ) -> None:
        self._type, self._log, self._source = kind, log, source
        self._buffer, self._kept, self._tail = buffer, kept, tail

    def _first(self, count: int) -> WideDraftList:
        tail = self._tail[: max(count - self._kept, 0)]
        return WideDraftList(self._type, self._log, self._buffer, min(count, self._kept), tail, None)

    def _of(self, elements: list[Any]) -> WideDraftList:
        return WideDraftList(self._type, self._log, NOTHING, 0, elements, None)

    def append(self, value: Any) -> None:
        self._tail.append(self._type.element.check(value))
        self._source = None

    def extend(self, values: Iterable[Any]) -> None:
        self._tail.extend([self._type.element.check(value) for value in values])
        self._source = None

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> Self:  # type: ignore[misc]
        self._changed(list.__imul__, times)
        return self

    def insert(self, position: Any, value: Any) -> None:
        self._changed(list.insert, position, self._type.element.check(value))

    def __setitem__(self, position: Any, value: Any) -> None:
        if isinstance(position, slice):
            raise SpecError(
                "Assigning to a slice is not part of the language: write `self.log = self.log[:i] + [...]`."
            )
        self._changed(list.__setitem__, position, self._type.element.check(value))

    def __delitem__(self, position: Any) -> None:
        self._changed(list.__delitem__, position)

    def pop(self, position: SupportsIndex = -1) -> Any:
        return self._changed(list.pop, position)

    def remove(self, value: Any) -> None:
        self._changed(list.remove, value)

    def reverse(self) -> None:
        self._changed(list.reverse)

    def sort(self, **options: Any) -> None:
        self._changed(list.sort, **options)

    def clear(self) -> None:
        self._changed(list.clear)

    def _changed(self, change: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What a change of a copy gives, which is its own from now on."""
        own = self.plain()
        result = change(own, *arguments, **options)
        self._buffer, self._kept, self._tail, self._source = NOTHING, 0, own, None
        return result


class WideListType(ListType):
    """`list[T]` without a capacity."""

    @cached_property
    def cardinality(self) -> int:
        return UNCOUNTED

    @cached_property
    def plain(self) -> bool:
        """Whether its elements are their own drafts. Lists of others are copied, with a draft of each element."""
        return is_plain(self.element)

    def shared(self, elements: Iterable[Any]) -> SharedList:
        """The list of these elements inside a state."""
        buffer = list(elements)
        return SharedList(self, buffer, len(buffer))

    def zero(self) -> Any:
        return self.shared(()) if self.plain else super().zero()

    def check(self, value: Any) -> Any:
        if self.plain:
            if isinstance(value, WideDraftList) and value._type is self:
                return self.freeze(value)
            if isinstance(value, list):
                return self.shared([self.element.check(part) for part in value])
        return super().check(value)

    def own(self, value: Any, log: Log) -> Any:
        """A draft of a value that is put somewhere, held against the type."""
        if self.plain and isinstance(value, WideDraftList) and value._type is self:
            return WideDraftList(self, log, value._buffer, value._kept, list(value._tail), value._source)
        return self.thaw(self.check(value), log)

    def thaw(self, frozen: Any, log: Log) -> Any:
        if not self.plain:
            return DraftList(self, [self.element.thaw(part, log) for part in frozen], log)
        if not isinstance(frozen, SharedList):
            frozen = self.shared(frozen)
        return WideDraftList(self, log, frozen._buffer, frozen._kept, [], frozen)

    def freeze(self, draft: Any) -> Any:
        if not self.plain:
            return super().freeze(draft)
        if draft._source is not None:
            return draft._source
        buffer, kept, tail = draft._buffer, draft._kept, draft._tail
        if kept and kept == len(buffer):
            buffer.extend(tail)
        elif tail:
            return self.shared(draft)
        return SharedList(self, buffer, kept + len(tail))
