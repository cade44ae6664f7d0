"""The methods that change a container in place: `self.votes[s].add(t)`."""

from __future__ import annotations

import ast
from typing import Any

from quorate.language.types import BoolType, ListType, PartialMapType, SetType, Type, UnionType
from quorate.model import aliases, expressions, lowering, operators, own_calls, partial, places
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import WireLike, converts, element_type, extent, roomy, without_none
from quorate.model.ranges import ends, spanning


def change(ctx: Context, node: ast.stmt, call: ast.Call, func: ast.Attribute) -> list[ir.Stmt]:
    """A call such as `self.votes[s].add(t)`."""
    target = places.place(ctx, func.value)
    name = func.attr
    if isinstance(target.type, PartialMapType):
        return _of_map(ctx, node, call, target, name)[0]
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
    if name == "pop" and call.args:
        return _replaced(ctx, target, _without(ctx, old, lowering.number(ctx, call.args[0]), node), node)
    values = [lowering.lower(ctx, part, element) for part in call.args]
    if name == "add" and not target.state:
        expressions.check_hashable(ctx, node, call.args[0], values[0])
    if (
        values and not target.state
    ):  # No bound applies to what is put into a local set, nor to what is looked for in it.
        need = values[0].type if name == "add" else roomy(element, values[0].type)
        target = places.roomy_for(ctx, target, ir.Expr(ir.Op.SET, SetType(need, None, ""), ()), node)
        element = target.type.children()[0]
    if name in ("discard", "remove", "receive", "drop") and not converts(values[0], element):
        return _looked_for(ctx, node, ir.Change(name), target, values[0])
    made = ir.Mutate(
        ir.Change(name), target, tuple(ctx.adapt(value, element, node) for value in values), ctx.location(node)
    )
    aliases.touch(ctx, target)
    return [made]


def taken(ctx: Context, node: ast.Assign | ast.AnnAssign) -> tuple[list[ir.Stmt], ir.Expr] | None:
    """What `x = xs.pop(i)` does before it assigns, and a name for the element; None if nothing is popped."""
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "pop":
        return None
    if own_calls.own_method(ctx, call.func) is not None:
        return None
    target = places.place(ctx, call.func.value)
    if isinstance(target.type, PartialMapType):
        made, popped = _of_map(ctx, node, call, target, "pop")
        held = ctx.temporary("taken", popped.type, node)
        return [ir.Assign(ir.Place(held.data, False, (), (popped.type,)), popped, ctx.location(node)), *made], held
    _check_change(ctx, node, call, target, "pop")
    old, location = target.read(ctx.location(node)), ctx.location(node)
    position = lowering.number(ctx, call.args[0]) if call.args else lowering.constant(ctx, call, -1)
    element = element_type(target.type)
    assert element is not None
    if aliases.mutable(element):
        raise ctx.source.outside(
            node, "A popped container is outside the compiled subset.", "Copy it, `x = set(xs[0])`, and pop it then."
        )
    held = ctx.temporary("taken", element, node)
    value = ir.Expr(ir.Op.INDEX, element, (old, position), None, location)
    kept = ir.Assign(ir.Place(held.data, False, (), (element,)), value, location)
    return [kept, *change(ctx, node, call, call.func)], held


def _of_map(ctx: Context, node: ast.stmt, call: ast.Call, target: ir.Place, name: str) -> tuple[list[ir.Stmt], ir.Expr]:
    """What takes keys out of a map of which they may be absent, and the value that was there."""
    kind, none = target.type, lowering.constant(ctx, node, None)
    assert isinstance(kind, PartialMapType)
    many, quiet = (
        len(call.args),
        len(call.args) == 2 and isinstance(call.args[1], ast.Constant) and call.args[1].value is None,
    )
    if (
        not target.state
        or call.keywords
        or not ((name == "clear" and not many) or (name == "pop" and (many == 1 or quiet)))
    ):
        raise ctx.source.outside(
            node,
            f".{name}() of this map is outside the compiled subset.",
            "A partial map of the state has `del self.m[k]`, `self.m.pop(k)`, `self.m.pop(k, None)` and `self.m.clear()`.",
        )
    if name == "clear":
        return partial.emptied(ctx, node, target), none
    key = partial.key(ctx, call.args[0], kind) if quiet else expressions.key(ctx, call.args[0], kind)
    entry = ir.Place(target.root, target.state, (*target.selectors, key), (*target.types, kind.value))
    found = entry.read(ctx.location(node))
    return partial.removed(ctx, node, entry, must=not quiet), found if quiet else partial.present(found)


def _looked_for(ctx: Context, node: ast.stmt, change: ir.Change, target: ir.Place, value: ir.Expr) -> list[ir.Stmt]:
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


def _check_change(ctx: Context, node: ast.stmt, call: ast.Call, target: ir.Place, name: str) -> None:
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
    if name == "pop" and call.args and not target.state:
        raise ctx.source.outside(
            node, "Of a local list only the last element is popped in the compiled subset.", "Write `xs = xs[1:]`."
        )
    if name in ("append", "insert") and not target.state:
        raise ctx.source.outside(
            node, "A local list that grows is outside the compiled subset.", "Write a list comprehension, or `a + b`."
        )
    if len(call.args) not in wanted or call.keywords:
        least, most = min(wanted), max(wanted)
        many = f"{most} argument{'s' * (most != 1)}" if least == most else f"{least} or {most} arguments"
        raise ctx.source.outside(
            node, f".{name}() takes {many} here.", "`xs.pop()` drops the last element, `xs.pop(0)` the first."
        )


def _replaced(ctx: Context, target: ir.Place, value: ir.Expr, node: ast.stmt) -> list[ir.Stmt]:
    """A change in place that the model makes by replacing the container."""
    target = places.roomy_for(ctx, target, value, node)
    aliases.touch(ctx, target)
    return [ir.Assign(target, ctx.adapt(value, target.type, node), ctx.location(node))]


def _inserted(ctx: Context, old: ir.Expr, call: ast.Call, element: Type) -> ir.Expr:
    """`old[:i] + [x] + old[i:]`, which is what `.insert(i, x)` leaves."""
    written = lowering.lower(ctx, call.args[0])
    position = lowering.number_of(ctx, call.args[0], written)
    value = lowering.lower(ctx, call.args[1], element)
    one = ir.Expr(ir.Op.LIST, ListType(value.type, 1, ""), (value,), None, value.location)
    zero = lowering.constant(ctx, call, 0)
    kind = ListType(element_type(old.type) or element, extent(old), "")
    length = ir.Expr(ir.Op.LEN, spanning(0, kind.capacity), (old,), None, old.location)
    first, rest = (
        ir.Expr(ir.Op.SLICE, kind, (old, *ends), None, old.location) for ends in ((zero, position), (position, length))
    )
    made = operators.combine(ctx, call, ast.Add(), operators.combine(ctx, call, ast.Add(), first, one), rest)
    return lowering.narrowed(ctx, call, (written, value), made)


def _without(ctx: Context, old: ir.Expr, position: ir.Expr, node: ast.stmt) -> ir.Expr:
    """`old[:i] + old[i + 1:]`, which is what `.pop(i)` leaves where there is an element `i`."""
    location, one = ctx.location(node), lowering.constant(ctx, node, 1)
    kind = ListType(element_type(old.type) or position.type, extent(old), "")
    length = ir.Expr(ir.Op.LEN, spanning(0, kind.capacity), (old,), None, location)
    low, high = ends(position.type)
    if low < 0 <= high:
        raise ctx.source.outside(
            node,
            "The position of .pop() may be negative or not here.",
            "Count from one end, `xs.pop(0)` or `xs.pop(-1)`.",
        )
    place = operators.combine(ctx, node, ast.Add(), length, position) if high < 0 else position
    behind = operators.combine(ctx, node, ast.Add(), place, one)
    first, rest = (
        ir.Expr(ir.Op.SLICE, kind, (old, *ends_of), None, location)
        for ends_of in ((lowering.constant(ctx, node, 0), place), (behind, length))
    )
    found = ir.Expr(ir.Op.INDEX, kind.element, (old, position), None, location)
    return lowering.after(ctx, node, (found,), operators.combine(ctx, node, ast.Add(), first, rest))


CHANGES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "add": (SetType, (1,)),
    "discard": (SetType, (1,)),
    "remove": (SetType, (1,)),
    "update": (SetType, (1,)),
    "clear": (SetType | ListType, (0,)),
    "append": (ListType, (1,)),
    "pop": (ListType, (0, 1)),
    "extend": (ListType, (1,)),
    "insert": (ListType, (2,)),
    "sort": ((), (0,)),
    "reverse": ((), (0,)),
    "send": (WireLike, (1,)),
    "receive": (WireLike, (1,)),
    "drop": (WireLike, (1,)),
}
"""For each method that changes a container: the types that have it, and how many arguments it may have."""
