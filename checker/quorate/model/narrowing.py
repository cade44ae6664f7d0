"""What the conditions around an expression say of which alternative of a union it is, as mypy narrows names and attributes.

Where a value is asked for as one of its alternatives, the model takes it out by `NARROW`, which is an error in the spec if it is
another one: no analysis of the flow is needed for that. A collection has no such place, since the type of its elements is that of
what is put into it. So a name or an attribute that is an element, or the record that `replace` copies, is narrowed by what is known: the
conditions of the comprehension's own clauses, of the `if`s around, of an `assert` before, and that an earlier `if` was left.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from quorate.errors import SpecError
from quorate.language.types import Type, UnionType
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import adapt, converts, join, same_class
from quorate.model.facts import bare, known
from quorate.model.nodes import Op


def learn(ctx: Context, condition: ir.Expr, true: bool = True) -> None:
    """From here on a condition is true, or is not."""
    ctx.known |= known(condition, true)


def forget_changed(ctx: Context, nodes: list[ast.stmt]) -> None:
    """What a body changes is not known in it, where it may run once more."""
    for part in (part for node in nodes for part in ast.walk(node)):
        match part:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in ctx.self_names:
                _forget_all(ctx)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call()))):
                _forget_all(ctx)
            case ast.Call(func=ast.Attribute(value=whole)):
                _forget_root(ctx, whole)
            case ast.Name() | ast.Attribute() | ast.Subscript() if not isinstance(part.ctx, ast.Load):
                _forget_root(ctx, part)


def _forget_all(ctx: Context) -> None:
    for name in ctx.builder.system.index:
        ctx.forget(name)


def _forget_root(ctx: Context, node: ast.expr) -> None:
    while isinstance(node, ast.Subscript | ast.Attribute):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ctx.self_names:
            ctx.forget(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and (bound := ctx.bindings.get(node.id)) is not None and bound.op is Op.LOCAL:
        ctx.forget(bound.data)


def wanted(ctx: Context, written: ast.expr, value: ir.Expr, kind: Type | None) -> ir.Expr:
    """An element of a collection whose elements are of a type, narrowed if it is of another one."""
    return value if kind is None or value.type == kind else narrowed(ctx, written, value)


def taken_as(ctx: Context, written: object, value: ir.Expr, kind: Type) -> ir.Expr:
    """A value as one of a type that an annotation promises, if it is one in every state; otherwise as it is: Python does not look at the
    annotations of parameters and results."""
    if not converts(value, kind) and isinstance(written, ast.expr):
        value = narrowed(ctx, written, value)
    return adapt(value, kind, SpecError, value.location) if converts(value, kind) else value


def narrowed(ctx: Context, written: ast.expr, value: ir.Expr) -> ir.Expr:
    """A value without the alternatives that are ruled out."""
    if isinstance(written, ast.IfExp) and value.op is Op.IF and isinstance(value.type, UnionType):
        return _narrowed_cases(ctx, written, value)
    if not isinstance(value.type, UnionType) or not isinstance(written, ast.Name | ast.Attribute):
        return value
    left = list(value.type.kinds)
    for fact in ctx.known:
        match fact:
            case ir.Expr(op=Op.IS, args=(asked,), data=kinds) if asked == value:
                left = [kind for kind in left if any(same_class(kind, other) for other in kinds)]
            case ir.Expr(op=Op.NOT, args=(ir.Expr(op=Op.IS, args=(asked,), data=kinds),)) if asked == value:
                left = [kind for kind in left if not any(same_class(kind, other) for other in kinds)]
    if not left or len(left) == len(value.type.kinds):
        return value
    kind = left[0] if len(left) == 1 else UnionType(tuple(left))
    return ir.Expr(Op.NARROW, kind, (value,), None, ctx.location(written))


def _narrowed_cases(ctx: Context, written: ast.IfExp, value: ir.Expr) -> ir.Expr:
    """The cases of a conditional expression, each by what its condition says."""
    test, *cases = value.args
    found = []
    for part, case, true in zip((written.body, written.orelse), cases, (True, False), strict=True):
        with ctx.scope():
            learn(ctx, test, true)
            found.append(narrowed(ctx, part, bare(case)))
    kind = join(*(case.type for case in found))
    if kind is None or kind == value.type:
        return value
    return replace(value, type=kind, args=(test, *(ctx.adapt(case, kind, written) for case in found)))
