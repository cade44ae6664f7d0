"""Dict comprehensions and displays: maps."""

from __future__ import annotations

import ast
from dataclasses import replace

from quorate.language.types import MapType, NoneType, PartialMapType, SetType, Type, UnionType
from quorate.model import comprehensions, lowering, narrowing, operators, partial
from quorate.model import nodes as ir
from quorate.model.context import Context, Rule
from quorate.model.conversion import alternatives, compatible, converts

BOOL = lowering.BOOL


def map_of(ctx: Context, node: ast.DictComp, expected: Type | None) -> ir.Expr:
    """`{k: value for k in Key}`."""
    if isinstance(expected, PartialMapType):
        return _some_of(ctx, node, expected)
    with ctx.scope():
        before, parts = _keys_apart(comprehensions.clauses(ctx, node.generators))
        total = len(parts) == 1 and isinstance(parts[0], ir.For) and parts[0].source.op is ir.Op.DOMAIN
        key = lowering.lower(ctx, node.key)
        if not total or key.op is not ir.Op.LOCAL or not isinstance(parts[0], ir.For) or key.data != parts[0].name:
            raise ctx.source.outside(
                node,
                "This dict comprehension may not have a value for every key.",
                "Maps are total: write `{k: value for k in Key}` over the whole key type.",
            )
        wanted = expected.value if isinstance(expected, MapType) else None
        body = narrowing.wanted(ctx, node.value, lowering.lower(ctx, node.value, wanted), wanted)
    made = ir.Expr(ir.Op.MAP_OF, MapType(parts[0].type, body.type), (body,), parts, ctx.location(node))
    return lowering.after(ctx, node, before, made)


def _keys_apart(parts: tuple[ir.Clause, ...]) -> tuple[tuple[ir.Expr, ...], tuple[ir.Clause, ...]]:
    """What is evaluated before all keys are ranged over, as where `m.held` may be an error, and the clauses without it."""
    first = parts[0]
    assert isinstance(first, ir.For)
    before, source = lowering.apart(first.source)
    return (before, (replace(first, source=source), *parts[1:])) if source.op is ir.Op.DOMAIN else ((), parts)


def updated(ctx: Context, node: ast.Dict, expected: Type | None) -> ir.Expr:
    """`{**f, k: v}`: the map f with other values at some keys. It is lowered as `{j: v if j == k else f[j] for j in f}`, once f, k and v
    have been evaluated in this order."""
    if isinstance(expected, PartialMapType):
        return _display(ctx, node, expected)
    first, *keys = node.keys or [node]
    if first is not None or None in keys:
        raise ctx.source.outside(
            node,
            "A dict display is outside the compiled subset.",
            "Maps are total: write `{k: v for k in Key}` or `{**f, k: v}`.",
        )
    old, *values = node.values
    whole = lowering.lower(ctx, old, expected)
    if not isinstance(whole.type, MapType):
        raise ctx.source.error(old, f"A map is expected after `**`; this is a {whole.type}.")
    written = [whole]
    each = ast.copy_location(ast.Name("0key", ast.Load()), node)
    body: ast.expr = ast.Subscript(old, each, ast.Load())
    for key, value in zip(keys, values, strict=True):
        assert key is not None
        found = lowering.lower(ctx, key, whole.type.key)
        adapted = ctx.adapt(found, whole.type.key, key)
        if not converts(found, whole.type.key):
            raise ctx.source.outside(
                key, f"This may be no {whole.type.key}, and maps are total.", "Use a key of the map's key type."
            )
        found = found if compatible(found.type, whole.type.key) else adapted
        asked = ir.Expr(ir.Op.LOOKUP, whole.type.value, (whole, found), None, ctx.location(key))
        written += [asked, lowering.lower(ctx, value, whole.type.value)]  # At other bounds it may be none.
        body = ast.IfExp(ast.Compare(each, [ast.Eq()], [key]), value, body)
    target = ast.Name(each.id, ast.Store())
    made = ast.DictComp(each, body, [ast.comprehension(target, old, [], 0)])
    for part in ast.walk(made):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    return lowering.after(ctx, node, written, map_of(ctx, made, expected))


def _some_of(ctx: Context, node: ast.DictComp, expected: PartialMapType) -> ir.Expr:
    """`{k: value for k in Key if condition}`: a map without some keys."""
    with ctx.scope():
        before, parts = _keys_apart(comprehensions.clauses(ctx, node.generators))
        key, first = lowering.lower(ctx, node.key), parts[0]
        conditions = tuple(part.condition for part in parts[1:] if isinstance(part, ir.Where))
        of_set = isinstance(first, ir.For) and first.source.op is not ir.Op.DOMAIN and first.type == expected.key
        if of_set and isinstance(first, ir.For) and isinstance(first.source.type, SetType):
            one = ir.Expr(ir.Op.LOCAL, first.type, (), first.name, first.source.location)
            conditions = (ir.Expr(ir.Op.IN, BOOL, (one, first.source)), *conditions)
            first = replace(first, source=lowering.domain(first.type, first.source.location), ordered=False)
        if (
            not isinstance(first, ir.For)
            or first.source.op is not ir.Op.DOMAIN
            or any(isinstance(part, ir.For) for part in parts[1:])
            or key.op is not ir.Op.LOCAL
            or key.data != first.name
        ):
            raise ctx.source.outside(
                node,
                "The keys of this dict comprehension are not those that it ranges over.",
                "Write `{k: value for k in Key if condition}`, over a sort, a set of keys, or the keys of a map.",
            )
        body = _held(ctx, node.value, expected)
        if of_set and not all(lowering.always(ctx, part) for part in (*conditions[1:], body)):
            raise ctx.source.outside(
                node,
                "A round of this dict comprehension may fail, and a set has no order that says which comes first.",
                "Range over the whole sort, `{k: value for k in Key if k in keys}`.",
            )
        nothing = lowering.constant(ctx, node, None)
        if conditions:
            test = (
                conditions[0]
                if len(conditions) == 1
                else ir.Expr(ir.Op.AND, BOOL, conditions, None, ctx.location(node))
            )
            body = operators.conditional(ctx, node, test, body, nothing)
        else:
            body = ctx.adapt(body, partial.optional(body.type), node)
    return lowering.after(ctx, node, before, _made(ctx, node, first, body))


def _display(ctx: Context, node: ast.Dict, expected: PartialMapType) -> ir.Expr:
    """`{}`, `{k: v}` and `{**f, k: v}`, where keys may be absent."""
    written: list[ir.Expr] = []
    one = ctx.temporary(partial.WRITTEN if len(node.keys) > 1 else "key", expected.key, node)
    each = ir.For(str(one.data), expected.key, lowering.domain(expected.key), not expected.key.scalarsets)
    body = lowering.constant(ctx, node, None)
    nowhere = _made(ctx, node, each, ctx.adapt(body, expected.value, node))
    for position, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
        if key is None:
            whole = lowering.lower(ctx, value, expected)
            if position > 0 or not isinstance(whole.type, PartialMapType) or whole.type.key != expected.key:
                raise ctx.source.outside(
                    value, f"This is no {expected}, or not the first.", "Write `{**f, k: v}`, f such a map."
                )
            written, body = [whole], ir.Expr(ir.Op.LOOKUP, whole.type.value, (whole, one), None, ctx.location(node))
            continue
        found = partial.key(ctx, key, expected)
        held = _held(ctx, value, expected)
        written += [partial.asked(ctx, key, found, nowhere), held]
        body = operators.conditional(ctx, node, operators.equal(ctx, key, one, found), held, body)
    if not isinstance(body.type, UnionType):  # No key has anything.
        body = ctx.adapt(body, expected.value, node)
    return lowering.after(ctx, node, written, _made(ctx, node, each, body))


def _held(ctx: Context, node: ast.expr, expected: PartialMapType) -> ir.Expr:
    """What a key has, which is not None."""
    value = narrowing.wanted(ctx, node, lowering.lower(ctx, node, expected.held), expected.held)
    if NoneType() in alternatives(value.type):
        raise ctx.source.outside(
            node, "This may be None, which is no value of a partial map.", "Ask first whether it `is not None`."
        )
    return value


def _made(ctx: Context, node: ast.expr, each: ir.For, body: ir.Expr) -> ir.Expr:
    assert isinstance(body.type, UnionType)
    return ir.Expr(ir.Op.MAP_OF, PartialMapType(each.type, body.type), (body,), (each,), ctx.location(node))


RULES: dict[type[ast.expr], Rule] = {ast.DictComp: map_of, ast.Dict: updated}
