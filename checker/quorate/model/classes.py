"""`isinstance`: which alternatives of a union a class means."""

from __future__ import annotations

import ast
import types as pytypes
from collections.abc import Iterator
from typing import Any

from quorate.language.known import UNKNOWN, is_plain_class, raw
from quorate.language.sorts import Int
from quorate.language.types import (
    BoolType,
    EnumType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NoneType,
    PartialMapType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model import lowering
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import WireLike, alternatives
from quorate.model.integers import IntType
from quorate.model.lowering import BOOL


def is_instance(ctx: Context, node: ast.Call) -> ir.Expr:
    value = lowering.lower(ctx, node.args[0])
    if any(isinstance(kind, SetType | WireLike) for kind in alternatives(value.type)):
        raise ctx.source.outside(
            node,
            f"Whether a {value.type} is a set or a frozenset is not part of its value.",
            "Every value of it is one.",
        )
    wanted = tuple(_classes(ctx, node.args[1]))
    if any(isinstance(cls, type) and issubclass(cls, Int) for cls in wanted):
        raise ctx.source.outside(
            node, "Numbers are plain int when the spec runs, whatever their Nat.", "Write `isinstance(x, int)`."
        )
    found = tuple(kind for kind in alternatives(value.type) if any(_is_of(kind, cls) for cls in wanted))
    location = ctx.location(node)
    if not isinstance(value.type, UnionType) or len(found) == len(alternatives(value.type)):
        return lowering.after(ctx, node, (value,), ir.Expr(ir.Op.CONST, BOOL, (), bool(found), location))
    if not found:
        raise ctx.source.error(node, f"A {value.type} is never of this class.")
    return ir.Expr(ir.Op.IS, BOOL, (value,), found, location)


def _classes(ctx: Context, node: ast.expr) -> Iterator[type]:
    """The classes that the second argument of `isinstance` names: a class, a union or a tuple of those, a name for any of them."""
    if isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from _classes(ctx, part)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from _classes(ctx, node.left)
        yield from _classes(ctx, node.right)
    elif isinstance(node, ast.Constant) and node.value is None:
        yield type(None)
    else:
        yield from _class(ctx, node, ctx.static(node))


def _class(ctx: Context, node: ast.expr, named: Any) -> Iterator[type]:
    if isinstance(named, pytypes.UnionType | tuple):
        for part in named.__args__ if isinstance(named, pytypes.UnionType) else named:
            yield from _class(ctx, node, part)
    elif is_plain_class(named):
        yield named
    else:
        raise ctx.source.outside(
            node, "This names no class that isinstance can be asked for here.", "Write a class, `A | B` or `(A, B)`."
        )


PYTHON_CLASSES: tuple[tuple[type[Type], type], ...] = (
    (NoneType, type(None)),
    (BoolType, bool),
    (NatType, int),
    (IntType, int),
    (TupleType, tuple),
    (ListType, list),
)
"""The Python class of the values of types that are not named after one."""


def has_attribute(kind: Type, name: str) -> bool:
    """Whether Python finds something under a name in the values of a type, beside fields."""
    if isinstance(kind, RecordType | EnumType | IdentityType):
        return raw(kind.sort, name) is not UNKNOWN or (isinstance(kind, IdentityType) and name == "index")
    return any(hasattr(python, name) for plain, python in PYTHON_CLASSES if isinstance(kind, plain))


def _is_of(kind: Type, cls: type) -> bool:
    """Whether the values of a type are instances of a class, as Python's `isinstance` says."""
    for plain, python in PYTHON_CLASSES:
        if isinstance(kind, plain):
            return issubclass(python, cls)
    if isinstance(kind, RecordType | EnumType | IdentityType):
        return issubclass(kind.sort, cls)
    base = {SetType: None, MapType: dict, PartialMapType: dict}.get(type(kind))
    if base is None:
        raise TypeError(f"isinstance of a {kind} is not decided by its type")
    return issubclass(base, cls)
