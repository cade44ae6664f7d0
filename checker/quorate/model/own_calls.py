"""Calls of an author's own functions and methods: which one is meant, what it is given, and the model's function for it."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from quorate.language.known import parameters, positional
from quorate.language.types import (
    UnionType,
)
from quorate.model import lowering, narrowing, partial
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import roomy


def own_method(ctx: Context, node: ast.expr) -> tuple[Any, type, ir.Op] | None:
    """`self.method`, `old.method` or `super().method`: the function, the class it is found in, and whose state it
    reads.
    """
    if not isinstance(node, ast.Attribute):
        return None
    spec = ctx.builder.system.spec
    base = node.value
    if isinstance(base, ast.Name) and base.id in ctx.self_names and base.id not in ctx.bindings:
        if base.id in ctx.systems and node.attr not in ctx.systems[base.id].index:
            raise ctx.source.outside(
                node,
                f"{base.id} is what the mapping assigns; its methods are not called here.",
                "Assign its variables.",
            )
        if base.id in ctx.systems:
            return None
        order, self_op = spec.__mro__, ctx.self_names[base.id]
    elif isinstance(base, ast.Call) and ctx.static(base.func) is super and not (base.args or base.keywords):
        order, self_op = _above(ctx, base), next(iter(ctx.self_names.values()), ir.Op.STATE)
    else:
        return None
    for cls in order:
        if node.attr in cls.__dict__:
            found = cls.__dict__[node.attr]
            if inspect.isfunction(found) or (isinstance(found, staticmethod) and inspect.isfunction(found.__func__)):
                return found, cls, self_op
            if node.attr in ctx.builder.system.index:
                return None
            raise ctx.source.outside(
                node,
                f"{cls.__name__}.{node.attr} is no plain method: it is a {type(found).__name__}.",
                "Define it with `def`, without a decorator that wraps it.",
            )
    if node.attr in ctx.builder.system.index:
        return None
    raise ctx.source.error(node, f"{spec.__name__} has no method {node.attr!r}.")


def _above(ctx: Context, node: ast.Call) -> tuple[type, ...]:
    """The classes in which `super()` looks: those behind the one that the function was written in, wherever it is found."""
    order, written = ctx.builder.system.spec.__mro__, ctx.source.written_in
    if written not in order:
        raise ctx.source.error(node, f"super() is asked for outside of a class above {order[0].__name__}.")
    if ctx.source.tree.args.args[0].arg not in ctx.self_names:
        raise ctx.source.error(node, "super() has no `self` here: a static method is given none.")
    if node in ctx.source.comprehended:
        raise ctx.source.outside(
            node, "A comprehension has no `self` for super() in Python.", "Name what it returns on a line before."
        )
    return order[order.index(written) + 1 :]


def own_self(ctx: Context, node: ast.AST, function: Any) -> str:
    """The parameter in which a method is given what it is called on. Raises SpecError if it has none."""
    names = positional(function)
    if not names:
        raise ctx.source.error(node, f"{function.__name__} takes nothing by position, not even `self`.")
    return names[0]


def bound_arguments(ctx: Context, node: ast.Call, function: Any, skip: int) -> list[tuple[str, ast.expr | Any]]:
    """The parameters of a call with their argument nodes (or default objects), in order."""
    signature = {parameter.name: parameter for parameter in parameters(function)}
    if any(part.kind in (part.VAR_POSITIONAL, part.VAR_KEYWORD) for part in signature.values()):
        raise ctx.source.outside(
            node, f"{function.__name__} takes any number of arguments.", "Give it a fixed list of parameters."
        )
    names, by_position = list(signature)[skip:], positional(function)[skip:]
    given: dict[str, Any] = dict(zip(by_position, node.args, strict=False))
    if len(node.args) > len(by_position):
        many = f"{len(by_position)} argument{'s' * (len(by_position) != 1)} by position"
        raise ctx.source.error(node, f"{function.__name__} takes {many}, not {len(node.args)}.")
    for keyword in node.keywords:
        if keyword.arg not in names or keyword.arg in given:
            raise ctx.source.error(node, f"{function.__name__} has no free parameter {keyword.arg!r}.")
        given[keyword.arg] = keyword.value
    for name in names:
        default = signature[name].default
        if name not in given:
            if default is inspect.Parameter.empty:
                raise ctx.source.error(node, f"{function.__name__} needs the argument {name!r}.")
            given[name] = default
    return [(name, given[name]) for name in names]


def arguments(ctx: Context, node: ast.Call, function: Any, owner: type | None, skip: int) -> list[tuple[str, ir.Expr]]:
    """The lowered arguments of a call of an author's function, unions taken from the annotations."""
    declared = ctx.parameter_hints(function, owner)
    found = []
    for name, given in bound_arguments(ctx, node, function, skip):
        want = declared.get(name)
        value = lowering.lower(ctx, given, want) if isinstance(given, ast.expr) else lowering.constant(ctx, node, given)
        if isinstance(want, UnionType) or (want is not None and isinstance(value.type, UnionType)):
            value = narrowing.taken_as(ctx, given, value, roomy(want, value.type))
        partial.check_order(ctx, node, value)
        found.append((name, value))
    return found


def user_call(ctx: Context, node: ast.Call, function: Any, owner: type | None, self_op: ir.Op | None) -> ir.Expr:
    """A call of a pure function or method of the author."""
    if isinstance(function, staticmethod):
        function, self_op = function.__func__, None
    if self_op is not None:
        own_self(ctx, node, function)
    return called(
        ctx, node, function, owner, self_op, arguments(ctx, node, function, owner, 0 if self_op is None else 1)
    )


def called(
    ctx: Context,
    node: ast.Call,
    function: Any,
    owner: type | None,
    self_op: ir.Op | None,
    values: list[tuple[str, ir.Expr]],
) -> ir.Expr:
    made = ctx.builder.function(
        ctx, node, function, owner, self_op, tuple((name, value.type) for name, value in values)
    )
    ctx.count(node, 1 + ctx.builder.calls[made.key])
    result = ir.Expr(ir.Op.CALL, made.result, tuple(value for _, value in values), made.key, ctx.location(node))
    return (
        lowering.in_order(ctx, node, [value for _, value in as_written(node, values)], result)
        if node.keywords
        else result
    )


def as_written(node: ast.Call, values: list[tuple[str, ir.Expr]]) -> list[tuple[str, ir.Expr]]:
    """The arguments of a call in the order in which Python evaluates them; defaults, which are constants, are among the first."""
    keywords = [str(keyword.arg) for keyword in node.keywords]
    by_name = dict(values)
    given = [(name, value) for name, value in values if name not in keywords]
    return [*given, *((name, by_name[name]) for name in keywords)]
