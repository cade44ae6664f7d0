"""Calls: of functions by name, and of the pure methods of containers and records."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any

from quorate.language.known import shown
from quorate.language.sorts import Identity, Int
from quorate.language.types import (
    ChannelsType,
    ListType,
    MapType,
    OrderedType,
    PartialMapType,
    RecordType,
    SetType,
    Type,
    is_record,
)
from quorate.model import expressions, lowering, operators, partial, records
from quorate.model import nodes as ir
from quorate.model.builtin_calls import BUILTINS, TYPED, check_arguments
from quorate.model.context import Context, Rule
from quorate.model.conversion import join, without_none
from quorate.model.lowering import BOOL
from quorate.model.own_calls import arguments, called, own_method, own_self, user_call
from quorate.model.source import MISSING


def call(ctx: Context, node: ast.Call, expected: Type | None) -> ir.Expr:
    """A call as an expression."""
    method = own_method(ctx, node.func)
    if method is not None:
        function, owner, self_op = method
        return user_call(ctx, node, function, owner, self_op)
    target = ctx.static(node.func)
    if target is not MISSING:
        return _static_call(ctx, node, target, expected)
    if isinstance(node.func, ast.Attribute):
        return _method_call(ctx, node, node.func)
    raise ctx.source.outside(node, "This call is outside the compiled subset.", "Call functions and methods by name.")


def _static_call(ctx: Context, node: ast.Call, target: Any, expected: Type | None) -> ir.Expr:
    if any(isinstance(part, ast.Starred) for part in node.args) or any(
        keyword.arg is None for keyword in node.keywords
    ):
        raise ctx.source.outside(
            node, "Starred arguments are outside the compiled subset.", "Write the arguments one by one."
        )
    rule = BUILTINS.get(target) if type(target) in CALLED else None
    if rule is not None:
        check_arguments(ctx, node, target)
        return rule(ctx, node, expected) if target in TYPED else rule(ctx, node)
    if isinstance(target, type) and issubclass(target, Int):
        if len(node.args) > 1 or node.keywords:
            raise ctx.source.error(node, f"{target.__name__}(n) takes one number.")
        lowering.sort_type(ctx, node, target)
        return lowering.number(ctx, node.args[0]) if node.args else lowering.constant(ctx, node, 0)
    if isinstance(target, type) and issubclass(target, Identity):
        raise ctx.source.outside(
            node, f"{target.__name__}(...) names a single member.", "Use a parameter or a quantifier."
        )
    if is_record(target):
        return records.made(ctx, node, target)
    if inspect.isfunction(target):
        return user_call(ctx, node, target, None, None)
    name = target.__name__ if type(target) in CALLED else shown(target)
    raise ctx.source.outside(
        node,
        f"Calls of {name} are outside the compiled subset.",
        "Use the language's functions, the spec's own methods, records and typed module-level functions.",
    )


CALLED = (type, FunctionType, BuiltinFunctionType)
"""What may be a function of the language: nothing else equals one only because it says so."""


def _method_call(ctx: Context, node: ast.Call, func: ast.Attribute) -> ir.Expr:
    base = without_none(lowering.lower(ctx, func.value))
    if isinstance(base.type, RecordType):
        function = vars(base.type.sort).get(func.attr)
        if inspect.isfunction(function) and base.type.field(func.attr) is None:
            first = own_self(ctx, node, function)
            values = [(first, base), *arguments(ctx, node, function, None, 1)]
            return called(ctx, node, function, None, None, values)
    if isinstance(base.type, OrderedType) and func.attr in NEIGHBOURS and not node.args and not node.keywords:
        return _neighbour(ctx, node, base, NEIGHBOURS[func.attr])
    if isinstance(base.type, SetType) and func.attr in SET_METHODS and len(node.args) == 1 and not node.keywords:
        return SET_METHODS[func.attr](ctx, node, base, without_none(lowering.lower(ctx, node.args[0], base.type)))
    if isinstance(base.type, SetType | ListType) and func.attr == "copy" and not (node.args or node.keywords):
        return base
    if isinstance(base.type, ChannelsType) and func.attr == "queue" and len(node.args) == 2 and not node.keywords:
        return _queue(ctx, node, base, base.type)
    if isinstance(base.type, PartialMapType) and func.attr == "get" and len(node.args) in (1, 2) and not node.keywords:
        return _get(ctx, node, base, base.type)
    advice = "Methods that change a container are statements of their own."
    if isinstance(base.type, MapType):
        advice = "Range over it where it is used, `for k, v in m.items()`; Python's view of a map changes with the map."
    raise ctx.source.outside(node, f"The method .{func.attr}() of {base.type} cannot be used in an expression.", advice)


def _get(ctx: Context, node: ast.Call, whole: ir.Expr, kind: PartialMapType) -> ir.Expr:
    """`m.get(k)` and `m.get(k, default)`."""
    location = ctx.location(node)
    key = partial.key(ctx, node.args[0], kind)
    found = partial.looked_up(whole, key, location)
    if len(node.args) == 1:
        return found
    default = lowering.lower(ctx, node.args[1], kind.held)
    chosen = operators.conditional(ctx, node, partial.is_there(found, location), partial.present(found), default)
    return lowering.after(ctx, node, (whole, key, default), chosen)


NEIGHBOURS = {"next": 1, "previous": -1}
"""Methods of the members of an Ordered sort: how far away in the ring their result is."""


def _neighbour(ctx: Context, node: ast.Call, member: ir.Expr, distance: int) -> ir.Expr:
    location, count = ctx.location(node), member.type.cardinality
    at = expressions.position(member, location)
    moved = operators.combine(ctx, node, ast.Add(), at, lowering.constant(ctx, node, distance))
    around = operators.combine(ctx, node, ast.Mod(), moved, lowering.constant(ctx, node, count))
    return ir.Expr(ir.Op.MEMBER, member.type, (around,), None, location)


def _queue(ctx: Context, node: ast.Call, whole: ir.Expr, kind: ChannelsType) -> ir.Expr:
    ends = []
    for given, want in zip(node.args, (kind.source, kind.target), strict=True):
        end = ctx.adapt(lowering.lower(ctx, given, want), want, given)
        if end.op is ir.Op.FIT:
            raise ctx.source.outside(
                given, f"A queue is between two values of {want}; this is computed.", "Use a parameter."
            )
        ends.append(end)
    return ir.Expr(ir.Op.QUEUE, ListType(kind.message, kind.capacity, ""), (whole, *ends), None, ctx.location(node))


def _operator(op: ast.operator) -> Callable[..., ir.Expr]:
    return lambda ctx, node, left, right: operators.combine(ctx, node, op, left, right)


def _subset(ctx: Context, node: ast.Call, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    kind = join(left.type, right.type)
    if kind is None:
        raise ctx.source.error(node, f"These sets have different elements: {left.type} and {right.type}.")
    return ir.Expr(
        ir.Op.SUBSET, BOOL, (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node)), None, ctx.location(node)
    )


SET_METHODS: dict[str, Callable[..., ir.Expr]] = {
    "union": _operator(ast.BitOr()),
    "intersection": _operator(ast.BitAnd()),
    "difference": _operator(ast.Sub()),
    "issubset": _subset,
    "issuperset": lambda ctx, node, left, right: lowering.in_order(
        ctx, node, (left, right), _subset(ctx, node, right, left)
    ),
}

RULES: dict[type[ast.expr], Rule] = {ast.Call: call}
