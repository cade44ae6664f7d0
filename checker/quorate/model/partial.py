"""Maps of which keys may be absent. In the model they are total, and what is absent is None (`language.types.partial`): a key is there
where its value is something, and to take it out is to assign None.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from quorate.errors import Location
from quorate.language.types import BoolType, NoneType, PartialMapType, RecordType, SetType, Type, UnionType
from quorate.model import aliases, lowering, narrowing
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import alternatives, compatible, converts
from quorate.model.nodes import Op

BOOL = BoolType()


def looked_up(whole: ir.Expr, key: ir.Expr, location: Location | None) -> ir.Expr:
    """What a key has, or None."""
    assert isinstance(whole.type, PartialMapType)
    return ir.Expr(Op.LOOKUP, whole.type.value, (whole, key), None, location)


def key(ctx: Context, node: ast.expr, kind: PartialMapType) -> ir.Expr:
    """A key where one that is absent is no error. What is no key at all is absent, too, to Python: where it may be that, it is refused."""
    found = narrowing.wanted(ctx, node, lowering.lower(ctx, node, kind.key), kind.key)
    if not converts(found, kind.key):
        raise ctx.source.outside(
            node, f"This may be no {kind.key}.", "Use a key of the map's key type, or ask `k in m` first."
        )
    return ctx.adapt(found, kind.key, node)


def asked(ctx: Context, node: ast.expr, key: ir.Expr, whole: ir.Expr) -> ir.Expr:
    """A key that is given, looked up in some map: what is one by its range, or as a constant, may be none at other bounds."""
    assert isinstance(whole.type, PartialMapType)
    given = key
    while given.op is Op.COERCE:
        (given,) = given.args
    if given.op is Op.CONST:
        given = replace(lowering.constant(ctx, node, given.data), location=given.location)
    return looked_up(whole, given if compatible(given.type, whole.type.key) else key, ctx.location(node))


def present(value: ir.Expr) -> ir.Expr:
    """What is not None: an error where it is."""
    kinds = tuple(kind for kind in alternatives(value.type) if not isinstance(kind, NoneType))
    kind = kinds[0] if len(kinds) == 1 else UnionType(kinds)
    return ir.Expr(Op.NARROW, kind, (value,), None, value.location)


def value(whole: ir.Expr, key: ir.Expr, location: Location | None) -> ir.Expr:
    """`m[k]`: an error where the key is absent."""
    return present(looked_up(whole, key, location))


def is_there(value: ir.Expr, location: Location | None) -> ir.Expr:
    """That a value is not None."""
    return ir.Expr(Op.NOT, BOOL, (ir.Expr(Op.IS, BOOL, (value,), (NoneType(),), location),), None, location)


def there(whole: ir.Expr, key: ir.Expr, location: Location | None) -> ir.Expr:
    """`k in m`. Without a location it is no condition of the author's, and not counted among them."""
    return is_there(looked_up(whole, key, location), location)


def keys(ctx: Context, node: ast.AST, whole: ir.Expr) -> ir.Expr:
    """The keys that are there, as a set."""
    assert isinstance(whole.type, PartialMapType)
    kind, location = whole.type.key, ctx.location(node)
    one = ctx.temporary("key", kind, node)
    each = ir.For(str(one.data), kind, lowering.domain(kind, location), not kind.scalarsets)
    clauses = (each, ir.Where(there(whole, one, None)))
    return lowering.after(ctx, node, (whole,), ir.Expr(Op.SET_OF, SetType(kind, None, ""), (one,), clauses, location))


def optional(kind: Type) -> UnionType:
    """A type with None."""
    return UnionType((NoneType(), *alternatives(kind)))


WRITTEN = "written"
"""The name of the key in a map that is made of keys one by one."""


def check_order(ctx: Context, node: ast.AST, value: ir.Expr) -> None:
    """Reject a name for a map of which Python ranges over the keys in another order than the canonical one."""
    if _is_as_written(value):
        raise ctx.source.outside(
            node,
            "Python keeps the keys of this map in the order in which they are written.",
            "Give the map to a variable of the state or a record, which have an order of their own, or range over a sort with a condition.",
        )


def _is_as_written(value: ir.Expr) -> bool:
    """Whether a map in a value is made of keys one by one, or of those of a set, and no variable and no record holds it yet."""
    if not _holds_partial(value.type):
        return False
    if value.op is Op.MAP_OF and isinstance(value.type, PartialMapType):
        (over,) = value.clauses
        return isinstance(over, ir.For) and (
            over.name.startswith(f"0{WRITTEN}") or not (over.ordered or over.type.scalarsets)
        )
    return any(map(_is_as_written, value.args))


def _holds_partial(kind: Type) -> bool:
    """Whether a type is one of such maps, or of containers of them: a record puts them in order."""
    return isinstance(kind, PartialMapType) or (
        not isinstance(kind, RecordType) and any(map(_holds_partial, kind.children()))
    )


def is_entry(place: ir.Place) -> bool:
    """Whether a place is what a key of such a map has."""
    return len(place.types) > 1 and isinstance(place.types[-2], PartialMapType)


def stored(place: ir.Place) -> Type:
    """What can be assigned to a place."""
    return place.types[-2].held if is_entry(place) and isinstance(place.types[-2], PartialMapType) else place.type


def removed(ctx: Context, node: ast.stmt, place: ir.Place, must: bool = True) -> list[ir.Stmt]:
    """`del m[k]`: an error where the key is absent, if it `must` be there."""
    location = ctx.location(node)
    nothing = ctx.adapt(lowering.constant(ctx, node, None), place.type, node)
    aliases.touch(ctx, place)
    last = ir.Assign(place, nothing, location)
    if not must:
        return [last]
    there = present(place.read(location))
    held = ctx.temporary("there", there.type, node)
    return [ir.Assign(ir.Place(held.data, False, (), (held.type,)), there, location), last]


def emptied(ctx: Context, node: ast.stmt, place: ir.Place) -> list[ir.Stmt]:
    """`m.clear()`."""
    assert isinstance(place.type, PartialMapType)
    kind, location = place.type.key, ctx.location(node)
    nothing = ctx.adapt(lowering.constant(ctx, node, None), place.type.value, node)
    each = ir.For(
        str(ctx.temporary("key", kind, node).data), kind, lowering.domain(kind, location), not kind.scalarsets
    )
    aliases.touch(ctx, place)
    return [ir.Assign(place, ir.Expr(Op.MAP_OF, place.type, (nothing,), (each,), location), location)]
