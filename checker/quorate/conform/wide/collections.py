"""Lists and sets without a capacity."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from quorate.conform.wide.sorts import UNCOUNTED, is_plain
from quorate.language.containers import DraftList, DraftSet, FrozenList, FrozenSet, Log
from quorate.language.types import (
    ListType,
    SetType,
)


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
