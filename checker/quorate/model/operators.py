"""Operators and comparisons."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from quorate.language.types import (
    BoolType,
    EnumType,
    ListType,
    MapType,
    NoneType,
    OrderedType,
    PartialMapType,
    ScalarsetType,
    SetType,
    Type,
    UnionType,
)
from quorate.model import aliases, lowering, narrowing, partial
from quorate.model import nodes as ir
from quorate.model.context import Context, Rule
from quorate.model.conversion import (
    WireLike,
    alternatives,
    comparable,
    compatible,
    converts,
    element_type,
    join,
    mixed,
    roomy,
    same_class,
    without_none,
)
from quorate.model.ranges import computed, is_number, spanning

BOOL = BoolType()


def combine(ctx: Context, node: ast.AST, op: ast.operator, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    """`left op right` on numbers, sets or lists."""
    location = ctx.location(node)
    if is_number(left.type) and is_number(right.type) and type(op) in ARITHMETIC:
        name = ARITHMETIC[type(op)]
        return ir.Expr(name, computed(name, left.type, right.type), (left, right), None, location)
    if isinstance(left.type, SetType) and isinstance(right.type, SetType) and type(op) in SET_OPERATORS:
        kind = join(left.type, right.type)
        if kind is None:
            raise ctx.source.error(node, f"These sets have different elements: {left.type} and {right.type}.")
        kind = SetType(kind.element, None, "") if isinstance(kind, SetType) else kind
        args = (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node))
        return ir.Expr(SET_OPERATORS[type(op)], kind, args, None, location)
    if isinstance(left.type, ListType) and isinstance(right.type, ListType) and isinstance(op, ast.Add):
        element = join(left.type.element, right.type.element)
        if element is None:
            raise ctx.source.error(node, f"These lists have different elements: {left.type} and {right.type}.")
        args = (
            ctx.adapt(left, ListType(element, left.type.capacity, ""), node),
            ctx.adapt(right, ListType(element, right.type.capacity, ""), node),
        )
        return ir.Expr(
            ir.Op.CONCAT, ListType(element, left.type.capacity + right.type.capacity, ""), args, None, location
        )
    raise ctx.source.outside(
        node,
        f"This operator does not combine {left.type} and {right.type}.",
        "Numbers have + - * // %, sets have | & -, lists have +.",
    )


ARITHMETIC: dict[type[ast.operator], ir.Op] = {
    ast.Add: ir.Op.ADD,
    ast.Sub: ir.Op.SUB,
    ast.Mult: ir.Op.MUL,
    ast.FloorDiv: ir.Op.DIV,
    ast.Mod: ir.Op.MOD,
}
SET_OPERATORS: dict[type[ast.operator], ir.Op] = {
    ast.BitOr: ir.Op.UNION,
    ast.BitAnd: ir.Op.INTERSECT,
    ast.Sub: ir.Op.DIFFERENCE,
}


def conditional(ctx: Context, node: ast.expr, test: ir.Expr, then: ir.Expr, otherwise: ir.Expr) -> ir.Expr:
    """`then if test else otherwise`, of their common type."""
    kind = join(then.type, otherwise.type)
    if kind is None:
        raise ctx.source.error(node, f"The two cases have different types, {then.type} and {otherwise.type}.")
    args = (test, ctx.adapt(then, kind, node), ctx.adapt(otherwise, kind, node))
    return ir.Expr(ir.Op.IF, kind, args, None, ctx.location(node))


def comparison(ctx: Context, node: ast.Compare, op: ast.cmpop, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    """One comparison."""
    location = ctx.location(node)
    if isinstance(op, ast.Is | ast.IsNot) and not any(map(_singletons, (left.type, right.type))):
        raise ctx.source.outside(
            node,
            f"`is` asks whether two {left.type} are one object, which the language does not know.",
            "Write `==` or `!=`.",
        )
    if isinstance(op, ast.Eq | ast.Is):
        return equal(ctx, node, left, right)
    if isinstance(op, ast.NotEq | ast.IsNot):
        return ir.Expr(ir.Op.NOT, BOOL, (equal(ctx, node, left, right),), None, location)
    if isinstance(op, ast.In):
        return _asked_for(ctx, node, left, right)
    if isinstance(op, ast.NotIn):
        return ir.Expr(ir.Op.NOT, BOOL, (_asked_for(ctx, node, left, right),), None, location)
    found = _ordered(ctx, node, op, without_none(left), without_none(right))
    return lowering.narrowed(ctx, node, (left, right), found)


def _singletons(kind: Type) -> bool:
    """Whether equal values of a type are one object in Python."""
    return all(
        isinstance(part, NoneType | BoolType | EnumType | ScalarsetType | OrderedType) for part in alternatives(kind)
    )


def _ordered(ctx: Context, node: ast.Compare, op: ast.cmpop, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    location = ctx.location(node)
    if isinstance(op, ast.Gt | ast.GtE):
        swapped = ast.Lt() if isinstance(op, ast.Gt) else ast.LtE()
        return lowering.in_order(ctx, node, (left, right), _ordered(ctx, node, swapped, right, left))
    strict = isinstance(op, ast.Lt | ast.Gt)
    if isinstance(left.type, SetType) and isinstance(right.type, SetType):
        kind = join(left.type, right.type)
        if kind is None:
            raise ctx.source.error(node, f"These sets have different elements: {left.type} and {right.type}.")
        args = (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node))
        subset = ir.Expr(ir.Op.SUBSET, BOOL, args, None, location)
        if not strict:
            return subset
        differs = ir.Expr(ir.Op.NOT, BOOL, (ir.Expr(ir.Op.EQ, BOOL, args, None, location),), None, location)
        return ir.Expr(ir.Op.AND, BOOL, (subset, differs), None, location)
    if not comparable(left.type) or not comparable(right.type) or not compatible(left.type, right.type):
        if left.type.scalarsets or right.type.scalarsets:
            raise ctx.source.outside(
                node,
                f"Members of {_scalarsets(left, right)} have no order: they are interchangeable.",
                "Declare the sort as `Ordered` if the protocol breaks ties by identity; the symmetry reduction over it is then given up.",
            )
        raise ctx.source.outside(
            node,
            f"A {left.type} and a {right.type} cannot be ordered.",
            "Numbers, Ordered identities and tuples of those have an order.",
        )
    return ir.Expr(ir.Op.LT if strict else ir.Op.LE, BOOL, (left, right), None, location)


def _scalarsets(left: ir.Expr, right: ir.Expr) -> str:
    return ", ".join(sorted(sort.__name__ for sort in left.type.scalarsets | right.type.scalarsets))


def equal(ctx: Context, node: ast.AST, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    """`left == right`; a value is also compared with a union that may hold it."""
    location = ctx.location(node)
    for whole, none in ((left, right), (right, left)):
        if isinstance(none.type, NoneType) and isinstance(whole.type, UnionType):
            found = ir.Expr(ir.Op.IS, BOOL, (whole,), (NoneType(),), location)
            return found if lowering.always(ctx, none) else lowering.after(ctx, node, (left, right), found)
    if isinstance(left.type, WireLike) or isinstance(right.type, WireLike):
        raise ctx.source.outside(
            node, "Networks are not compared with `==`.", "Compare what you need of their contents."
        )
    if compatible(left.type, right.type):
        return ir.Expr(ir.Op.EQ, BOOL, (left, right), None, location)
    kind = _common(left.type, right.type)
    if kind is None:
        raise ctx.source.error(node, _unequal(left.type, right.type, f"A {left.type} never equals a {right.type}."))
    return ir.Expr(ir.Op.EQ, BOOL, (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node)), None, location)


def _common(first: Type, second: Type) -> Type | None:
    """The type in which values of two types may be equal; None if they never are."""
    kind = join(first, second)
    either = isinstance(kind, UnionType) and not isinstance(first, UnionType) and not isinstance(second, UnionType)
    return None if either else kind


def _unequal(first: Type, second: Type, never: str) -> str:
    """Why values of two types are not compared."""
    if not mixed(first, second):
        return never
    return (
        f"A {first} and a {second} are not compared: in Python True == 1, and members of an enum that is a number or a text equal "
        "plain ones. Compare values of one type."
    )


def _asked_for(ctx: Context, node: ast.AST, element: ir.Expr, whole: ir.Expr) -> ir.Expr:
    """`element in whole`, as it is written. An enum says of members only whether it has them: of others Python 3.11 raises an error."""
    if whole.op is ir.Op.DOMAIN and isinstance(kind := element_type(whole.type), EnumType) and element.type != kind:
        raise ctx.source.error(node, f"Only a {kind} can be asked for in it; this is a {element.type}.")
    return member(ctx, node, element, whole)


def member(ctx: Context, node: ast.AST, element: ir.Expr, whole: ir.Expr) -> ir.Expr:
    """`element in whole`."""
    location, whole = ctx.location(node), without_none(whole)
    if whole.op is ir.Op.TUPLE:
        found = ir.Expr(ir.Op.OR, BOOL, tuple(equal(ctx, node, element, part) for part in whole.args), None, location)
        return lowering.after(ctx, node, (element, *whole.args), found)
    if isinstance(whole.type, PartialMapType):
        return _is_key(ctx, node, element, whole, whole.type.key)
    if isinstance(whole.type, MapType):
        if element.type == whole.type.key:
            value = whole.type.value
            wanted = value if NoneType() in alternatives(value) else f"{value} | None"
            raise ctx.source.outside(
                node,
                f"Every {element.type} is a key of this map: maps are total, so this is always true.",
                f"What may be absent is None: `dict[{whole.type.key}, {wanted}]`; ask whether `m[k] is None`.",
            )
        among = member(ctx, node, element, lowering.domain(whole.type.key, location))
        return lowering.after(ctx, node, (element, whole), among) if not lowering.always(ctx, whole) else among
    _check_hashed(ctx, node, element, whole)
    kind = element_type(whole.type)
    if kind is None:
        raise ctx.source.error(node, f"`in` needs a set, list, network or sort; this is a {whole.type}.")
    if compatible(element.type, kind):
        return ir.Expr(ir.Op.IN, BOOL, (element, whole), None, location)
    common = _common(element.type, kind)
    shared = any(same_class(part, other) for part in alternatives(element.type) for other in alternatives(kind))
    if common is None or (isinstance(common, UnionType) and not shared):
        never = f"A {element.type} is never in a collection of {kind}."
        raise ctx.source.error(node, _unequal(element.type, kind, never))
    if converts(element, kind):
        return ir.Expr(ir.Op.IN, BOOL, (ctx.adapt(element, kind, node), whole), None, location)
    if isinstance(element.type, UnionType) and not isinstance(kind, UnionType):
        part = next(part for part in element.type.kinds if same_class(part, kind))
        if compatible(part, kind):
            one = ir.Expr(ir.Op.NARROW, part, (element,), None, location)
            inside = ir.Expr(ir.Op.IN, BOOL, (one, whole), None, location)
            there = ir.Expr(ir.Op.IS, BOOL, (element,), (part,), location)
            found = ir.Expr(ir.Op.AND, BOOL, (there, inside), None, location)
            return lowering.after(ctx, node, (element, whole), found)
    return lowering.after(ctx, node, (element,), _searched(ctx, node, element, whole, kind))


def _is_key(ctx: Context, node: ast.AST, element: ir.Expr, whole: ir.Expr, kind: Type) -> ir.Expr:
    """Whether a map has a key, which need not be of the keys' type."""
    location = ctx.location(node)
    if converts(element, kind):
        found = partial.there(whole, ctx.adapt(element, kind, node), location)
        return lowering.in_order(ctx, node, (element, whole), found)
    if not any(same_class(part, kind) for part in alternatives(element.type)):
        raise ctx.source.error(node, f"A {element.type} is never a key of a {whole.type}.")
    one = ctx.temporary("key", kind, node)
    clause = ir.For(str(one.data), kind, lowering.domain(kind, location), False)
    both = ir.Expr(
        ir.Op.AND, BOOL, (equal(ctx, node, one, element), partial.there(whole, one, location)), None, location
    )
    return lowering.after(ctx, node, (element, whole), ir.Expr(ir.Op.ANY, BOOL, (both,), (clause,), location))


def _check_hashed(ctx: Context, node: ast.AST, element: ir.Expr, whole: ir.Expr) -> None:
    """Reject the search for a container in a set of Python's own, which hashes what it is asked for, but another set. Sets in a state
    freeze it."""
    own = {whole.data} if whole.op is ir.Op.LOCAL else set()
    if not isinstance(whole.type, SetType) or isinstance(element.type, SetType) or _has_hash(element):
        return
    if not aliases.roots(ctx, whole) - own:
        raise ctx.source.outside(
            node,
            f"A {element.type} cannot be looked for in a set that is made here: Python has no hash for it.",
            "Compare it with each element: `any(each == x for each in s)`.",
        )


def _has_hash(value: ir.Expr) -> bool:
    """Whether a value is none that is changed in place: what is in a record is not."""
    if value.op is ir.Op.TUPLE:
        return all(map(_has_hash, value.args))
    return value.op is ir.Op.FIELD or not aliases.mutable(value.type)


def _searched(ctx: Context, node: ast.AST, element: ir.Expr, whole: ir.Expr, kind: Type) -> ir.Expr:
    """Whether an element of a collection equals a value that need not be of the elements' type."""
    one = ctx.temporary("element", kind, node)
    clause = ir.For(str(one.data), kind, whole, False)
    return ir.Expr(ir.Op.ANY, BOOL, (equal(ctx, node, one, element),), (clause,), ctx.location(node))


def _boolean(ctx: Context, node: ast.BoolOp, expected: Type | None) -> ir.Expr:
    both, found = isinstance(node.op, ast.And), list[ir.Expr]()
    with ctx.scope():
        for part in node.values:  # What comes later is evaluated only if those before are true, or false.
            found.append(lowering.condition(ctx, part))
            narrowing.learn(ctx, found[-1], both)
    return ir.Expr(ir.Op.AND if both else ir.Op.OR, BOOL, tuple(found), None, ctx.location(node))


def _unary(ctx: Context, node: ast.UnaryOp, expected: Type | None) -> ir.Expr:
    if isinstance(node.op, ast.Not):
        return ir.Expr(ir.Op.NOT, BOOL, (lowering.condition(ctx, node.operand),), None, ctx.location(node))
    if isinstance(node.op, ast.USub):
        value = lowering.number(ctx, node.operand)
        if value.op is ir.Op.CONST:
            return replace(value, type=spanning(-value.data, -value.data), data=-value.data)
        return ir.Expr(ir.Op.NEG, computed(ir.Op.NEG, value.type), (value,), None, ctx.location(node))
    raise ctx.source.outside(node, "This operator is outside the compiled subset.", "Use `not` and `-`.")


def _binary(ctx: Context, node: ast.BinOp, expected: Type | None) -> ir.Expr:
    written = (lowering.lower(ctx, node.left, expected), lowering.lower(ctx, node.right, expected))
    left, right = map(without_none, written)
    return lowering.narrowed(ctx, node, written, combine(ctx, node, node.op, left, right))


def _if(ctx: Context, node: ast.IfExp, expected: Type | None) -> ir.Expr:
    test = lowering.condition(ctx, node.test)
    with ctx.scope():
        narrowing.learn(ctx, test)
        then = lowering.lower(ctx, node.body, expected)
    with ctx.scope():
        narrowing.learn(ctx, test, False)
        otherwise = lowering.lower(ctx, node.orelse, expected)
    if isinstance(expected, UnionType) and join(then.type, otherwise.type) is None:
        then, otherwise = _case(ctx, node.body, then, expected), _case(ctx, node.orelse, otherwise, expected)
    return conditional(ctx, node, test, then, otherwise)


def _case(ctx: Context, written: ast.expr, value: ir.Expr, expected: UnionType) -> ir.Expr:
    """One of two cases that have no type in common but for what is expected."""
    kind = roomy(expected, value.type)
    value = narrowing.taken_as(ctx, written, value, kind)
    return value if isinstance(value.type, UnionType) else ctx.adapt(value, kind, written)


def _compare(ctx: Context, node: ast.Compare, expected: Type | None) -> ir.Expr:
    operands = [node.left, *node.comparators]
    values: list[ir.Expr | None] = [None] * len(operands)

    def value(
        position: int, hint: Type | None, rule: Callable[[Context, ast.expr, Type | None], ir.Expr] = lowering.lower
    ) -> ir.Expr:
        found = values[position]
        if found is None:
            found = values[position] = rule(ctx, operands[position], hint)
        return found

    parts = []
    for position, op in enumerate(node.ops):
        left = value(position, None)
        if isinstance(op, ast.In | ast.NotIn):
            last = position + 1 == len(node.ops)  # In a chain, what is looked in is compared, too.
            rule = lowering.sort_or_value if last else lowering.lower
            right = value(position + 1, SetType(left.type, None, ""), rule)
        else:
            right = value(position + 1, left.type)
        parts.append(comparison(ctx, node, op, left, right))
    return parts[0] if len(parts) == 1 else ir.Expr(ir.Op.AND, BOOL, tuple(parts), None, ctx.location(node))


RULES: dict[type[ast.expr], Rule] = {
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.IfExp: _if,
    ast.Compare: _compare,
}
