"""Places: where assignments and changes go, and what local names hold."""

from __future__ import annotations

import ast

from quorate.language.types import ListType, MapType, PartialMapType, SetType, TupleType, Type
from quorate.model import aliases, expressions, lowering, partial
from quorate.model import nodes as ir
from quorate.model.context import Context


def place(ctx: Context, node: ast.expr) -> ir.Place:
    """Where an assignment or a change goes: `self.x`, a local name, and keys or indices behind them."""
    if isinstance(node, ast.Subscript):
        base = place(ctx, node.value)
        if isinstance(node.slice, ast.Slice):
            raise ctx.source.outside(
                node, "Assigning to a slice is outside the compiled subset.", "Write `self.log = self.log[:i] + [...]`."
            )
        if isinstance(base.type, PartialMapType) and not base.state:
            raise ctx.source.outside(
                node,
                f"{base.root} is a local name, and a partial map in one does not change in the compiled subset.",
                "Change it through `self`, or write a dict comprehension with a condition.",
            )
        if isinstance(base.type, MapType):
            selector, kind = expressions.key(ctx, node.slice, base.type), base.type.value
        elif isinstance(base.type, ListType):
            selector, kind = lowering.number(ctx, node.slice), base.type.element
        else:
            raise ctx.source.error(
                node,
                f"A {base.type} has no places to assign to. Records, tuples and what unions hold are immutable: "
                f"assign a whole new value.",
            )
        return ir.Place(base.root, base.state, (*base.selectors, selector), (*base.types, kind))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ctx.self_names:
        return _variable(ctx, node, node.value.id)
    if isinstance(node, ast.Name):
        bound = ctx.bindings.get(node.id)
        if bound is None or bound.op is not ir.Op.LOCAL or bound.data not in ctx.findings.types:
            raise ctx.source.error(
                node, f"{node.id} cannot be changed here: it is not a local name that holds a container of its own."
            )
        lowering.lower(ctx, node)
        aliases.check_own(ctx, node, bound.data)
        return ir.Place(bound.data, False, (), (bound.type,))
    raise ctx.source.error(
        node, "This cannot be assigned to. Records are immutable: use `replace(record, field=value)`."
    )


def _variable(ctx: Context, node: ast.Attribute, owner: str) -> ir.Place:
    system = ctx.system_of(owner)
    if node.attr in system.auxiliary:
        return ir.Place(node.attr, True, (), (expressions.auxiliary_variable(ctx, node).type,))
    if node.attr not in system.index:
        raise ctx.source.error(node, f"{system.name} has no variable {node.attr!r}; it has {', '.join(system.index)}.")
    if ctx.self_names[owner] is ir.Op.OLD:
        what = "state that is mapped" if ctx.systems else "state before the step"
        raise ctx.source.error(node, f"{owner} is the {what}; it does not change.")
    if ctx.pure:
        raise ctx.source.error(node, "A property or pure function cannot change the state.")
    return ir.Place(node.attr, True, (), (system.variable(node.attr).type,))


def assign(ctx: Context, target: ast.expr, value: ir.Expr, node: ast.stmt) -> list[ir.Stmt]:
    """`target = value`."""
    if isinstance(target, ast.Tuple):
        return _unpack(ctx, target, value, node)
    if isinstance(target, ast.Name):
        return [local(ctx, target, value, node)]
    where = roomy_for(ctx, place(ctx, target), value, node)
    ctx.forget(where.root)
    before, value = _evaluated(ctx, where, value, node)
    stored = ctx.adapt(value, partial.stored(where), node)
    made = ir.Assign(where, ctx.adapt(stored, where.type, node), ctx.location(node))
    if where.selectors:
        aliases.touch(ctx, where)
    return [*before, made]


def _evaluated(ctx: Context, where: ir.Place, value: ir.Expr, node: ast.stmt) -> tuple[list[ir.Stmt], ir.Expr]:
    """Python evaluates the value, then the way to the place, and only then holds the value against the place's type. Where this
    can be told, statements that do the first two, and a name for the value."""
    way = where.read(ctx.location(node))
    if isinstance(way.args[0].type if way.args else None, ListType):  # a list converts before it looks at the index
        way = ir.Expr(ir.Op.TUPLE, TupleType(tuple(part.type for part in way.args)), way.args, None, ctx.location(node))
    converted = ctx.adapt(value, partial.stored(where), node)
    if not where.selectors or lowering.always(ctx, way) or lowering.always(ctx, converted):
        return [], value
    held = ctx.temporary("value", value.type, node)
    seen = ctx.temporary("way", way.type, node)
    aliases.name(ctx, held.data, aliases.roots(ctx, value))
    return [
        ir.Assign(ir.Place(name.data, False, (), (name.type,)), part, ctx.location(node))
        for name, part in ((held, value), (seen, way))
    ], held


def roomy_for(ctx: Context, where: ir.Place, value: ir.Expr, node: ast.stmt) -> ir.Place:
    """The place, where a local container has grown to hold the value too: only what is stored in the state has bounds."""
    if where.state:
        return where
    if aliases.roots(ctx, value):
        raise ctx.source.outside(node, f"{where.root} would hold a container that has another name too.", aliases.COPY)
    need = value.type
    for holder in reversed(where.types[:-1]):
        need = MapType(holder.key, need) if isinstance(holder, MapType) else _holding(holder, need)
    grown = ctx.findings.grown(ctx.findings.types[where.root], need, ctx.complain(node))
    ctx.findings.types[where.root] = grown
    types = [grown]
    for _ in where.selectors:
        last = types[-1]
        types.append(last.value if isinstance(last, MapType) else last.children()[0])
    return ir.Place(where.root, False, where.selectors, tuple(types))


def _holding(holder: Type, element: Type) -> Type:
    return ListType(element, holder.capacity, "") if isinstance(holder, ListType) else SetType(element, None, "")


def _unpack(ctx: Context, target: ast.Tuple, value: ir.Expr, node: ast.stmt) -> list[ir.Stmt]:
    if not isinstance(value.type, TupleType) or len(value.type.kinds) != len(target.elts):
        raise ctx.source.error(node, f"A {value.type} cannot be taken apart into {len(target.elts)} names.")
    held = ast.copy_location(ast.Name("0parts", ast.Store()), target)
    found: list[ir.Stmt] = [local(ctx, held, value, node)]
    whole = ctx.bindings.pop(held.id)
    for position, part in enumerate(target.elts):
        aliases.check_read(ctx, target, whole)
        component = ir.Expr(ir.Op.COMPONENT, value.type.kinds[position], (whole,), position, ctx.location(part))
        found.extend(assign(ctx, part, component, node))
    return found


def local(ctx: Context, target: ast.Name, value: ir.Expr, node: ast.stmt, annotated: Type | None = None) -> ir.Assign:
    bound = ctx.bindings.get(target.id)
    if bound is not None and (bound.op is not ir.Op.LOCAL or bound.data not in ctx.findings.types):
        raise ctx.source.outside(
            node, f"{target.id} is a parameter or a loop variable and keeps its value.", "Use another name."
        )
    if target.id in ctx.self_names:
        raise ctx.source.error(node, f"{target.id} cannot be assigned to.")
    partial.check_order(ctx, node, value)
    unique = ctx.fresh(target.id) if bound is None else str(bound.data)
    known = ctx.findings.types.get(unique)
    kind = ctx.findings.grown(known, annotated or value.type, ctx.complain(node))
    ctx.findings.types[unique] = kind
    ctx.bindings[target.id] = ir.Expr(ir.Op.LOCAL, kind, (), unique, ctx.location(target))
    ctx.defined.add(unique)
    aliases.name(ctx, unique, aliases.roots(ctx, value))
    ctx.forget(unique)
    return ir.Assign(ir.Place(unique, False, (), (kind,)), ctx.adapt(value, kind, node), ctx.location(node))


def expected(ctx: Context, target: ast.expr) -> Type | None:
    """The type of a place, to give displays such as `set()` theirs."""
    if isinstance(target, ast.Name):
        bound = ctx.bindings.get(target.id)
        return bound.type if bound is not None else None
    return None if isinstance(target, ast.Tuple) else partial.stored(place(ctx, target))
