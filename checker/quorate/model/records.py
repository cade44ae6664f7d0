"""Records: made from their fields, and with some of them replaced."""

from __future__ import annotations

import ast
import dataclasses

from quorate.language.resolve import record_type
from quorate.language.types import (
    RecordType,
)
from quorate.model import lowering, narrowing
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import without_none


def made(ctx: Context, node: ast.Call, cls: type) -> ir.Expr:
    kind = record_type(cls)
    given: dict[str, ast.expr] = {}
    names = list(kind.names)
    if len(node.args) > len(names):
        raise ctx.source.error(node, f"{cls.__name__} has {len(names)} fields, not {len(node.args)}.")
    given.update(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg not in names:
            raise ctx.source.error(node, f"{cls.__name__} has no field {keyword.arg!r}; it has {', '.join(names)}.")
        if keyword.arg in given:
            raise ctx.source.error(node, f"{cls.__name__} gets the field {keyword.arg!r} twice.")
        given[keyword.arg] = keyword.value
    lowered = {name: lowering.lower(ctx, value, kind.field(name)) for name, value in given.items()}
    defaults = {field.name: field.default for field in dataclasses.fields(cls)}
    values = []
    for name in names:
        if name not in lowered and defaults[name] is dataclasses.MISSING:
            raise ctx.source.error(node, f"{cls.__name__} needs the field {name!r}.")
        values.append(lowered[name] if name in lowered else lowering.constant(ctx, node, defaults[name]))
    parts = [
        ctx.adapt(value, part, given.get(name, node)) for (name, part), value in zip(kind.fields, values, strict=True)
    ]
    result = ir.Expr(ir.Op.RECORD, kind, tuple(parts), None, ctx.location(node))
    written = [lowered[name] for name in given] + [
        value for name, value in zip(names, values, strict=True) if name not in lowered
    ]
    return lowering.built(ctx, node, written, values, result)


def replaced(ctx: Context, node: ast.Call) -> ir.Expr:
    written = lowering.lower(ctx, node.args[0])
    base = without_none(narrowing.narrowed(ctx, node.args[0], written))
    if not isinstance(base.type, RecordType):
        raise ctx.source.error(node, f"replace takes a record; this is a {base.type}.")
    given = {str(keyword.arg): keyword.value for keyword in node.keywords}
    for name in given:
        if base.type.field(name) is None:
            raise ctx.source.error(node, f"{base.type} has no field {name!r}.")
    lowered = {name: lowering.lower(ctx, value, base.type.field(name)) for name, value in given.items()}
    values = [
        lowered.get(name, ir.Expr(ir.Op.FIELD, part, (base,), name, ctx.location(node)))
        for name, part in base.type.fields
    ]
    parts = [
        ctx.adapt(value, part, given.get(name, node))
        for (name, part), value in zip(base.type.fields, values, strict=True)
    ]
    result = ir.Expr(ir.Op.RECORD, base.type, tuple(parts), None, ctx.location(node))
    return lowering.after(ctx, node, (written, *lowered.values(), base), result)
