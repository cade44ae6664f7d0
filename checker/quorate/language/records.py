"""Records: immutable values with named fields, such as messages and log entries."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from dataclasses import replace as _replace
from typing import Any, TypeVar, dataclass_transform

from quorate.errors import SpecError
from quorate.language.resolve import record_type
from quorate.language.types import is_record

R = TypeVar("R")
T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Declare a record: `@record class Vote: term: Term; source: Server`.

    Every field is held against its type when a record is built: a number above its bound cuts the transition. Records
    compare by content, and are hashable, so they can be sent, stored in sets and used as keys.
    """
    cls.__quorate_namespace__ = dict(sys._getframe(1).f_locals)  # type: ignore[attr-defined]
    cls.__post_init__ = _check_fields  # type: ignore[attr-defined]
    built = dataclass(frozen=True, repr=False)(cls)
    names = [field.name for field in fields(built)]  # type: ignore[arg-type]
    if not names:
        raise SpecError(f"The record {cls.__name__} has no fields: declare at least one, such as `source: Server`.")
    plain_hash = built.__hash__

    def cached_hash(self: Any) -> int:
        found = self.__dict__.get("_hash")
        if found is None:
            found = self.__dict__["_hash"] = plain_hash(self)
        return int(found)

    def show(self: Any) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    built.__hash__ = cached_hash  # type: ignore[method-assign]
    built.__repr__ = show  # type: ignore[method-assign]
    built.__quorate_record__ = True  # type: ignore[attr-defined]
    return built


def _check_fields(self: Any) -> None:
    """Hold every field against its type, and freeze containers: what `@record` adds to construction."""
    contents = self.__dict__
    name = ""
    try:
        for name, check in record_type(type(self)).checks:
            contents[name] = check(contents[name])
    except SpecError as error:
        raise SpecError(f"{type(self).__name__}.{name}: {error}") from None


def replace(value: R, /, **changes: Any) -> R:
    """A copy of a record with other values in some fields."""
    if not is_record(type(value)):
        raise SpecError(f"replace() takes a record; {value!r} is not one.")
    known = [field.name for field in fields(value)]  # type: ignore[arg-type]
    for name in changes:
        if name not in known:
            raise SpecError(f"{type(value).__name__} has no field {name!r}; it has {', '.join(known)}.")
    return _replace(value, **changes)  # type: ignore[type-var]
