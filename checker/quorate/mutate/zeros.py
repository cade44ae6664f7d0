"""What a value is before anything was put there, as source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.language.types import BoolType, EnumType, ListType, NatType, NoneType, SetType, Type, UnionType


def zero(kind: Type, names: Mapping[str, Any]) -> str | None:
    """The zero of a type, in the global names of a method; None where it cannot be written in a word."""
    match kind:
        case BoolType():
            return "False"
        case NatType(sort=sort):
            name = _name(sort, names)
            return None if name is None else f"{name}({kind.zero()})"
        case EnumType(sort=sort):
            name = _name(sort, names)
            return None if name is None else f"{name}.{next(iter(sort)).name}"
        case UnionType(kinds=kinds) if any(isinstance(part, NoneType) for part in kinds):
            return "None"
        case SetType():
            return "set()"
        case ListType():
            return "[]"
    return None


def _name(sort: Any, names: Mapping[str, Any]) -> str | None:
    """What a sort is called there."""
    return next((name for name, value in names.items() if value is sort), None)
