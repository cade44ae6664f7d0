"""Values as Python source that makes them, for a reader who wants to try them at a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields
from enum import Enum
from typing import Any

from quorate.language.sorts import AnySort, Identity
from quorate.language.types import is_record


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


def prelude(sorts: Sequence[tuple[AnySort, int]]) -> list[str]:
    """Lines that give sorts these sizes, where it matters, and their identities names: `n1, n2 = Node`."""
    lines = []
    for sort, size in sorts:
        if issubclass(sort, Identity):
            lines += [] if size == sort.default else [f"{sort.__name__}.bound = {size}"]
            lines.append(
                f"{', '.join(repr(sort.at(index)) for index in range(size))}{',' * (size == 1)} = {sort.__name__}"
            )
        elif size > sort.default:
            lines.append(f"{sort.__name__}.bound = {size}")
    return lines
