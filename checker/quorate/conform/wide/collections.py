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


def _changing(method: Any) -> Any:
    """A method of a draft after which it is not what it was."""

    def changed(self: Any, *arguments: Any, **options: Any) -> Any:
        self._source = None
        return method(self, *arguments, **options)

    return changed


CHANGES: dict[type[WideDraftList] | type[WideDraftSet], tuple[str, ...]] = {
    WideDraftList: (
        "__delitem__",
        "__iadd__",
        "__imul__",
        "__setitem__",
        "append",
        "clear",
        "extend",
        "insert",
        "pop",
        "remove",
        "reverse",
        "sort",
    ),
    WideDraftSet: (
        "__iand__",
        "__ior__",
        "__isub__",
        "__ixor__",
        "add",
        "clear",
        "difference_update",
        "discard",
        "intersection_update",
        "pop",
        "remove",
        "symmetric_difference_update",
        "update",
    ),
}
"""All that changes a list or a set of Python in place."""

for _draft, _names in CHANGES.items():
    for _name in _names:
        setattr(_draft, _name, _changing(getattr(_draft, _name)))


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
