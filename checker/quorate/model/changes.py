"""The methods that change a container in place: `self.votes[s].add(t)`."""

from __future__ import annotations

import ast
from typing import Any

from quorate.language.types import BoolType, ListType, SetType, Type, UnionType
from quorate.model import aliases, expressions, lowering, operators, places
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import WireLike, converts, element_type, extent, roomy, without_none
from quorate.model.ranges import spanning


def change(ctx: Context, node: ast.Expr, call: ast.Call, func: ast.Attribute) -> list[ir.Stmt]:
    """A call such as `self.votes[s].add(t)`."""
    target = places.place(ctx, func.value)
    name = func.attr
    _check_change(ctx, node, call, target, name)
    old = target.read(ctx.location(node))
    if name in ("update", "extend"):
        op: ast.operator = ast.BitOr() if name == "update" else ast.Add()
        value = operators.combine(ctx, node, op, old, without_none(lowering.lower(ctx, call.args[0], old.type)))
        return _replaced(ctx, target, value, node)
    element = element_type(target.type)
    assert element is not None
    if name == "insert":
        return _replaced(ctx, target, _inserted(ctx, old, call, element), node)
    values = [lowering.lower(ctx, part, element) for part in call.args]
    if name in ("discard", "remove", "receive", "drop"):
        held = element if target.state else roomy(element, values[0].type)
        if not converts(values[0], held):
            return _looked_for(ctx, node, ir.Change(name), target, values[0])
    if name == "add" and not target.state:
        expressions.check_hashable(ctx, node, call.args[0], values[0])
        target = places.roomy_for(ctx, target, ir.Expr(ir.Op.SET, SetType(values[0].type, None, ""), ()), node)
        element = target.type.children()[0]
    elif not target.state:  # looked for, never stored: no bound applies
        element = roomy(element, values[0].type) if values else element
    made = ir.Mutate(
        ir.Change(name), target, tuple(ctx.adapt(value, element, node) for value in values), ctx.location(node)
    )
    aliases.touch(ctx, target)
    return [made]


def _looked_for(ctx: Context, node: ast.Expr, change: ir.Change, target: ir.Place, value: ir.Expr) -> list[ir.Stmt]:
    """A change that takes out what it finds: no bound applies to what it looks for, which may be beyond all of them."""
    location = ctx.location(node)
    whole = target.read(ctx.location(node))
    found = lowering.in_order(ctx, node, (whole, value), operators.member(ctx, node, value, whole))
    element = element_type(target.type)
    assert element is not None
    made = ir.Mutate(change, target, (ctx.adapt(value, element, node),), location)
    missing = ir.Assert(ir.Expr(ir.Op.CONST, BoolType(), (), False, location), location)
    aliases.touch(ctx, target)
    return [ir.If(found, (made,), () if change is ir.Change.DISCARD else (missing,), location)]


def _check_change(ctx: Context, node: ast.Expr, call: ast.Call, target: ir.Place, name: str) -> None:
    kinds, wanted = CHANGES[name]
    kind = target.type
    if isinstance(kind, SetType) and name == "pop":
        raise ctx.source.outside(
            node,
            "Which element .pop() takes from a set depends on an order that sets do not have.",
            "Take every element in turn as a parameter of the action, or use `min` or `the`.",
        )
    if isinstance(kind, ListType) and name in ("remove", "sort", "reverse"):
        raise ctx.source.outside(
            node, f".{name}() of a list is outside the compiled subset.", "Assign a new list, `xs[:i] + xs[i + 1:]`."
        )
    if isinstance(kind, UnionType) or not isinstance(kind, kinds):
        raise ctx.source.error(node, f"A {kind} has no method .{name}().")
    if name in ("append", "insert") and not target.state:
        raise ctx.source.outside(
            node, "A local list that grows is outside the compiled subset.", "Write a list comprehension, or `a + b`."
        )
    if len(call.args) != wanted or call.keywords:
        raise ctx.source.outside(
            node, f".{name}() takes {wanted} argument{'s' * (wanted != 1)} here.", "`xs.pop()` drops the last element."
        )


def _replaced(ctx: Context, target: ir.Place, value: ir.Expr, node: ast.stmt) -> list[ir.Stmt]:
    """A change in place that the model makes by replacing the container."""
    target = places.roomy_for(ctx, target, value, node)
    aliases.touch(ctx, target)
    return [ir.Assign(target, ctx.adapt(value, target.type, node), ctx.location(node))]


def _inserted(ctx: Context, old: ir.Expr, call: ast.Call, element: Type) -> ir.Expr:
    """`old[:i] + [x] + old[i:]`, which is what `.insert(i, x)` leaves."""
    position = lowering.number(ctx, call.args[0])
    value = lowering.lower(ctx, call.args[1], element)
    one = ir.Expr(ir.Op.LIST, ListType(value.type, 1, ""), (value,), None, value.location)
    zero = lowering.constant(ctx, call, 0)
    kind = ListType(element_type(old.type) or element, extent(old), "")
    length = ir.Expr(ir.Op.LEN, spanning(0, kind.capacity), (old,), None, old.location)
    first, rest = (
        ir.Expr(ir.Op.SLICE, kind, (old, *ends), None, old.location) for ends in ((zero, position), (position, length))
    )
    return operators.combine(ctx, call, ast.Add(), operators.combine(ctx, call, ast.Add(), first, one), rest)


CHANGES: dict[str, tuple[Any, int]] = {
    "add": (SetType, 1),
    "discard": (SetType, 1),
    "remove": (SetType, 1),
    "update": (SetType, 1),
    "clear": (SetType | ListType, 0),
    "append": (ListType, 1),
    "pop": (ListType, 0),
    "extend": (ListType, 1),
    "insert": (ListType, 2),
    "sort": ((), 0),
    "reverse": ((), 0),
    "send": (WireLike, 1),
    "receive": (WireLike, 1),
    "drop": (WireLike, 1),
}
"""For each method that changes a container: the types that have it, and how many arguments it takes."""
