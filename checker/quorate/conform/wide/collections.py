"""Sets without a capacity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from quorate.conform.wide.sorts import UNCOUNTED
from quorate.language.containers import DraftSet, FrozenSet, Log
from quorate.language.types import (
    SetType,
)

SPARES_MAX = 16
"""So many drafts are kept for the actions that follow."""


class Spare:
    """Drafts of actions that are over, to be used for the next one: most look at a large set, or add to it, and a copy of it would be
    made each time. Only what is left after a commit is kept: before, an action may have a draft in its hands."""

    def __init__(self) -> None:
        self.is_open = False
        self._kept: dict[int, tuple[Any, Any]] = {}

    def of(self, kind: Any, frozen: Any) -> Any:
        """A draft of a type with the contents of a frozen set, which nobody else has; None if there is none."""
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


CHANGES = (
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
)
"""All that changes a set of Python in place."""

for _name in CHANGES:
    setattr(WideDraftSet, _name, _changing(getattr(WideDraftSet, _name)))


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
