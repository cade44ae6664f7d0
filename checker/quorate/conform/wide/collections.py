"""Lists and sets without a capacity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
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
        if type(index) is int:
            return list.__getitem__(self, index)
        if isinstance(index, slice) and self._type.plain:
            begin, end, stride = index.indices(len(self))
            if stride == 1:  # In one pass: of a long list each costs as much as the rest of an action.
                return self._type.draft(islice(self, begin, max(begin, end)), self._log)
            return self._type.draft(super().__getitem__(index), self._log)
        return super().__getitem__(index)


SPARES_MAX = 16
"""So many drafts are kept for the actions that follow."""


class Spare:
    """Drafts of actions that are over, to be used for the next one: most look at a long list, or change it at its end, and a copy of it
    would be made each time. Only what is left after a commit is kept: before, an action may have a draft in its hands."""

    def __init__(self) -> None:
        self.is_open = False
        self._kept: dict[int, tuple[Any, Any]] = {}

    def of(self, kind: Any, frozen: Any) -> Any:
        """A draft of a type with the contents of a frozen list or set, which nobody else has; None if there is none."""
        source, draft = self._kept.pop(id(frozen), (None, None))
        return draft if source is frozen and draft._type is kind else None

    def keep(self, draft: Any, frozen: Any) -> Any:
        """Note, after an action, that a draft has these contents; returns them."""
        if self.is_open:
            if len(self._kept) >= SPARES_MAX:
                self._kept.clear()
            draft._source = frozen
            self._kept[id(frozen)] = frozen, draft
        return frozen

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While a state is committed, drafts are kept."""
        self.is_open = True
        try:
            yield
        finally:
            self.is_open = False


SPARE = Spare()


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

    def own(self, value: Any, log: Log) -> Any:
        """A draft of a value that is put somewhere, held against the type."""
        if self.plain and isinstance(value, WideDraftList) and value._type is self:
            return self.draft(value, log)
        return self.thaw(self.check(value), log)

    def thaw(self, frozen: Any, log: Log) -> Any:
        if self.plain:
            spare = SPARE.of(self, frozen)
            if spare is None:
                return self.draft(frozen, log, frozen)
            spare._log = log
            return spare
        return self.draft([self.element.thaw(part, log) for part in frozen], log)

    def freeze(self, draft: Any) -> Any:
        if not self.plain:
            return super().freeze(draft)
        return SPARE.keep(draft, FrozenList(draft) if draft._source is None else draft._source)


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
        spare = SPARE.of(self, frozen)
        return WideDraftSet(self, frozen) if spare is None else spare

    def freeze(self, draft: Any) -> Any:
        return SPARE.keep(draft, self._frozen(draft) if draft._source is None else draft._source)

    def _frozen(self, elements: Iterable[Any]) -> FrozenSet:
        frozen = frozenset.__new__(FrozenSet, elements)
        frozen._type = self
        return frozen
