"""Values as Python source that makes them, for a reader who wants to try them at a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields
from enum import Enum
from typing import Any

from checker.language.records import is_record
from checker.language.sorts import Identity


def source(value: Any) -> str:
    """An expression that makes a value. Identities are names; `prelude` defines them."""
    match value:
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case _ if is_record(type(value)):
            parts = (f"{field.name}={source(getattr(value, field.name))}" for field in fields(value))
            return f"{type(value).__name__}({', '.join(parts)})"
        case tuple():
            return f"({', '.join(map(source, value))}{',' if len(value) == 1 else ''})"
        case str():
            return repr(value)
        case Mapping():
            return f"{{{', '.join(f'{source(key)}: {source(part)}' for key, part in value.items())}}}"
        case AbstractSet():
            return f"{{{', '.join(sorted(map(source, value)))}}}" if value else "set()"
        case Sequence():
            return f"[{', '.join(map(source, value))}]"
    return repr(value)


def prelude(values: Sequence[Any]) -> list[str]:
    """Lines that define the identities in values: `n1, n2, *_ = Node`, or more than `Node` has by default."""
    most: dict[type[Identity], int] = {}
    for value in values:
        for identity in _identities(value):
            most[type(identity)] = max(most.get(type(identity), 0), identity.index + 1)
    lines = []
    for sort, size in sorted(most.items(), key=lambda item: item[0].__name__):
        made = sort.__name__ if size <= sort.default else f"map({sort.__name__}.at, range({size}))"
        lines.append(f"{', '.join(repr(sort.at(index)) for index in range(size))}, *_ = {made}")
    return lines


def _identities(value: Any) -> Iterator[Identity]:
    if isinstance(value, Identity):
        yield value
    elif is_record(type(value)):
        for field in fields(value):
            yield from _identities(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _identities(pair)
    elif isinstance(value, Sequence | AbstractSet) and not isinstance(value, str):
        for part in value:
            yield from _identities(part)
