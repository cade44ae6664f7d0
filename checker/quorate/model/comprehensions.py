"""Comprehensions, generators and what a `for` ranges over."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from quorate.language.types import BoolType, ListType, MapType, NoneType, PartialMapType, SetType, TupleType, Type
from quorate.model import expressions, lowering, narrowing, partial
from quorate.model import nodes as ir
from quorate.model.context import Context, Rule
from quorate.model.conversion import (
    WireLike,
    alternatives,
    comparable,
    element_type,
    extent,
    join,
    without_none,
)
from quorate.model.ranges import is_number, spanning, summed

BOOL = BoolType()


@dataclass(frozen=True)
class Range:
    """What a loop variable ranges over."""

    name: str
    type: Type
    source: ir.Expr
    ordered: bool
    walked: ir.Expr | None = None
    """The map or list that is looked at in every round, where `source` are only its keys or indices."""
    only: ir.Expr | None = None
    """Which rounds there are, where not all."""

    @property
    def clauses(self) -> tuple[ir.Clause, ...]:
        """What a comprehension ranges over."""
        each = ir.For(self.name, self.type, self.source, self.ordered)
        return (each,) if self.only is None else (each, ir.Where(self.only))


Held = Callable[[ir.Expr], ir.Expr]


def ranged(ctx: Context, target: ast.expr, source: ast.expr, held: Held = lambda whole: whole) -> Range:
    """Bind the target of `for target in source` and say what it ranges over. A body may change a map of which keys may be absent: it
    ranges over what is `held` of it before."""
    special = _special(ctx, target, source, held)
    if special is not None:
        return special
    whole = without_none(lowering.sort_or_value(ctx, source))
    if isinstance(whole.type, PartialMapType):
        return _present(ctx, held(whole), whole.type, bind(ctx, target, whole.type.key), source)
    if isinstance(whole.type, MapType):
        keys = lowering.domain(whole.type.key, ctx.location(source))
        name = bind(ctx, target, whole.type.key)
        kind = whole.type.key
        return Range(name, kind, lowering.after(ctx, source, (whole,), keys), not kind.scalarsets)
    element = element_type(whole.type)
    if element is None:
        raise ctx.source.error(
            source, f"A loop ranges over a sort, range(...), set, list, network or map; this is a {whole.type}."
        )
    ordered = isinstance(whole.type, ListType) or (whole.op is ir.Op.DOMAIN and not element.scalarsets)
    name = bind(ctx, target, element)
    return Range(name, element, whole, ordered)


def each(ctx: Context, node: ast.expr) -> tuple[Range, ir.Expr]:
    """What a collection ranges over where nobody has named its elements, and the element."""
    target = ast.copy_location(ast.Name("0element", ast.Store()), node)
    with ctx.scope():
        over = ranged(ctx, target, node)
        return over, ctx.bindings[target.id]


def _present(ctx: Context, whole: ir.Expr, kind: PartialMapType, name: str, source: ast.expr) -> Range:
    """The keys that a map has."""
    location = ctx.location(source)
    only = partial.there(whole, ir.Expr(ir.Op.LOCAL, kind.key, (), name, location), None)
    keys = lowering.after(ctx, source, (whole,), lowering.domain(kind.key, location))
    return Range(name, kind.key, keys, not kind.key.scalarsets, None, only)


def _special(ctx: Context, target: ast.expr, source: ast.expr, held: Held) -> Range | None:
    """`m.items()`, `m.values()`, `m.keys()` and `enumerate(list)`."""
    if not isinstance(source, ast.Call):
        return None
    if ctx.static(source.func) is enumerate:
        return _enumerate(ctx, target, source)
    views = isinstance(source.func, ast.Attribute) and source.func.attr in ("items", "values", "keys")
    if not isinstance(source.func, ast.Attribute) or not views or source.args or source.keywords:
        return None
    whole = without_none(lowering.lower(ctx, source.func.value))
    if not isinstance(whole.type, MapType):
        raise ctx.source.error(source, f".{source.func.attr}() needs a map; this is a {whole.type}.")
    keys = whole.type.key
    location = ctx.location(source)
    kind: MapType = whole.type
    if isinstance(kind, PartialMapType):
        whole = held(whole)
    if source.func.attr == "keys":
        name = bind(ctx, target, keys)
    else:
        pairs = source.func.attr == "items"
        parts = target.elts if pairs and isinstance(target, ast.Tuple) else [None, target]
        if len(parts) != 2:
            raise ctx.source.error(target, "`.items()` gives pairs: write `for k, v in m.items()`.")
        first, second = parts
        name = bind(ctx, first, keys) if first is not None else ctx.temporary("key", keys, target).data
        at = ir.Expr(ir.Op.LOCAL, keys, (), name, location)
        value = ir.Expr(ir.Op.LOOKUP, kind.value, (whole, at), None, location)
        if isinstance(kind, PartialMapType):
            value = partial.value(whole, at, location)
        if pairs and first is None:
            value = ir.Expr(ir.Op.TUPLE, TupleType((keys, value.type)), (at, value), None, location)
        _bind_to(ctx, second, value)
    if isinstance(kind, PartialMapType):
        return _present(ctx, whole, kind, name, source)
    source_keys = lowering.after(ctx, source, (whole,), lowering.domain(keys, location))
    return Range(name, keys, source_keys, not keys.scalarsets, whole)


def _enumerate(ctx: Context, target: ast.expr, source: ast.Call) -> Range:
    if len(source.args) != 1 or source.keywords:
        raise ctx.source.outside(
            source, "enumerate takes one argument here.", "Write `for i, x in enumerate(log)`, and `i + 1`."
        )
    whole = without_none(lowering.lower(ctx, source.args[0]))
    if not isinstance(whole.type, ListType) or not isinstance(target, ast.Tuple) or len(target.elts) != 2:
        raise ctx.source.error(source, "enumerate takes a list: `for i, x in enumerate(log)`.")
    location = ctx.location(source)
    kind = spanning(0, max(whole.type.capacity - 1, 0))
    name = bind(ctx, target.elts[0], kind)
    at = ir.Expr(ir.Op.LOCAL, kind, (), name, location)
    _bind_to(ctx, target.elts[1], ir.Expr(ir.Op.INDEX, whole.type.element, (whole, at), None, location))
    zero = lowering.constant(ctx, source, 0)
    length = ir.Expr(ir.Op.LEN, spanning(0, whole.type.capacity), (whole,), None, location)
    return Range(
        name,
        kind,
        ir.Expr(ir.Op.RANGE, ListType(kind, whole.type.capacity, ""), (zero, length), None, location),
        True,
        whole,
    )


def bind(ctx: Context, target: ast.expr | None, kind: Type) -> str:
    """Bind a loop target to elements of a type; the parts of a tuple target are its components."""
    if isinstance(target, ast.Name):
        return str(ctx.local(target.id, kind, target).data)
    if isinstance(target, ast.Tuple):
        whole = ctx.temporary("pair", kind, target)
        _bind_to(ctx, target, whole)
        return str(whole.data)
    assert target is not None
    raise ctx.source.outside(
        target, "This loop target is outside the compiled subset.", "Use a name or a tuple of names."
    )


def _bind_to(ctx: Context, target: ast.expr | None, value: ir.Expr) -> None:
    """Let the names of a target stand for parts of a value."""
    if isinstance(target, ast.Name):
        ctx.bindings[target.id] = value
        return
    assert target is not None
    if (
        not isinstance(target, ast.Tuple)
        or not isinstance(value.type, TupleType)
        or len(target.elts) != len(value.type.kinds)
    ):
        raise ctx.source.error(target, f"A {value.type} cannot be taken apart into this target.")
    for position, (part, kind) in enumerate(zip(target.elts, value.type.kinds, strict=True)):
        _bind_to(ctx, part, ir.Expr(ir.Op.COMPONENT, kind, (value,), position, ctx.location(target)))


def clauses(ctx: Context, generators: list[ast.comprehension]) -> tuple[ir.Clause, ...]:
    """The clauses of a comprehension, left to right."""
    found: list[ir.Clause] = []
    for position, generator in enumerate(generators):
        _check_target(ctx, generator.target, generators[:position])
        over = ranged(ctx, generator.target, generator.iter)
        if position == 0:  # All that is outside of the function that a comprehension is to Python is looked at by now.
            ctx.hide({name for later in generators[1:] for name in names_of(later.target)} - names_of(generator.target))
        found += over.clauses
        if over.only is not None:
            narrowing.learn(ctx, over.only)
        for test in generator.ifs:
            condition = lowering.condition(ctx, test)
            narrowing.learn(ctx, condition)
            found.append(ir.Where(condition))
    return tuple(found)


def _check_target(ctx: Context, target: ast.expr, earlier: list[ast.comprehension]) -> None:
    """A name that a later clause replaces has the last value that it got there when an earlier clause goes on."""
    for name in sorted(names_of(target) & {name for one in earlier for name in names_of(one.target)}):
        raise ctx.source.outside(
            target, f"{name} has a value already, which this clause would replace.", "Use another name."
        )


def names_of(target: ast.expr) -> set[str]:
    """The names that a target gives values to."""
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def rounds(parts: tuple[ir.Clause, ...]) -> int:
    """The greatest number of times that a comprehension's body is evaluated."""
    product = 1
    for part in parts:
        if isinstance(part, ir.For):
            product *= extent(part.source)
    return product


def ordered(parts: tuple[ir.Clause, ...]) -> bool:
    """Whether the order in which a comprehension yields its values is fixed."""
    return all(part.ordered for part in parts if isinstance(part, ir.For))


def set_of(ctx: Context, node: ast.SetComp, expected: Type | None) -> ir.Expr:
    """A set comprehension."""
    with ctx.scope():
        parts = clauses(ctx, node.generators)
        wanted = expected.element if isinstance(expected, SetType) else None
        body = narrowing.wanted(ctx, node.elt, lowering.lower(ctx, node.elt, wanted), wanted)
        expressions.check_hashable(ctx, node.elt, node.elt, body, parts)
    return ir.Expr(ir.Op.SET_OF, SetType(body.type, None, ""), (body,), parts, ctx.location(node))


def list_of(ctx: Context, node: ast.ListComp, expected: Type | None) -> ir.Expr:
    """A list comprehension, over something whose order is fixed."""
    with ctx.scope():
        parts = clauses(ctx, node.generators)
        wanted = expected.element if isinstance(expected, ListType) else None
        body = narrowing.wanted(ctx, node.elt, lowering.lower(ctx, node.elt, wanted), wanted)
    if not ordered(parts):
        raise ctx.source.outside(
            node,
            "The order of this list would depend on the order of a set or of interchangeable identities.",
            "Write a set comprehension, or range over a list, `sorted(...)`, numbers or an Ordered sort.",
        )
    return ir.Expr(ir.Op.LIST_OF, ListType(body.type, rounds(parts), ""), (body,), parts, ctx.location(node))


Fold = tuple[tuple[ir.Clause, ...], ir.Expr]


def fold(ctx: Context, node: ast.expr) -> Fold:
    """The clauses and the body of a generator, or of a collection whose elements are meant."""
    with ctx.scope():
        if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp):
            parts = clauses(ctx, node.generators)
            return parts, lowering.lower(ctx, node.elt)
        over, element = each(ctx, node)
        return over.clauses, element


def quantifier(op: ir.Op) -> Any:
    """`all` and `any`."""

    def lower(ctx: Context, node: ast.Call) -> ir.Expr:
        parts, body = fold(ctx, node.args[0])
        if body.type != BOOL:
            raise ctx.source.error(node, f"{op} takes conditions; these are of type {body.type}.")
        result = ir.Expr(op, BOOL, (body,), parts, ctx.location(node))
        if isinstance(node.args[0], ast.GeneratorExp) or lowering.always(ctx, result):
            return result
        # A list is finished before its first element is looked at, so that every condition in it is evaluated.
        whole = ir.Expr(ir.Op.SET_OF, SetType(BOOL, None, ""), (body,), parts, ctx.location(node))
        one = ctx.temporary("condition", BOOL, node)
        return ir.Expr(op, BOOL, (one,), (ir.For(one.data, BOOL, whole, False),), ctx.location(node))

    return lower


def total(ctx: Context, node: ast.Call) -> ir.Expr:
    """`sum`; conditions count as 0 and 1."""
    parts, body = fold(ctx, node.args[0])
    if isinstance(node.args[0], ast.SetComp):
        raise ctx.source.outside(
            node, "The sum of a set comprehension adds equal values once.", "Write a generator, `sum(... for ...)`."
        )
    if body.type == BOOL:
        body = lowering.as_number(ctx, node, body)
    if not is_number(body.type):
        raise ctx.source.error(node, f"sum takes numbers; these are of type {body.type}.")
    kind = summed(body.type, rounds(parts))
    return ir.Expr(ir.Op.SUM, kind, (body,), parts, ctx.location(node))


def extreme(op: ir.Op, pair: ir.Op) -> Any:
    """`min` and `max`, of a generator or of several values."""

    def lower(ctx: Context, node: ast.Call) -> ir.Expr:
        location = ctx.location(node)
        default = next((keyword.value for keyword in node.keywords if keyword.arg == "default"), None)
        if len(node.args) == 1:
            parts, body = fold(ctx, node.args[0])
            _check_order(ctx, node, body)
            if default is None:
                return ir.Expr(op, body.type, (body,), parts, location)
            other = lowering.lower(ctx, default, body.type)
            kind = join(body.type, other.type)
            if kind is None:
                raise ctx.source.error(node, f"The default is a {other.type}, the values are {body.type}.")
            args = (ctx.adapt(body, kind, node), ctx.adapt(other, kind, node))
            return _with_default(ctx, node, parts, ir.Expr(op, kind, args, parts, location))
        written = [lowering.lower(ctx, part) for part in node.args]
        values = [without_none(value) for value in written]
        for value in values:
            _check_order(ctx, node, value)
        result = values[0]
        for value in values[1:]:
            kind = join(result.type, value.type)
            if kind is None:
                raise ctx.source.error(node, f"A {result.type} and a {value.type} cannot be compared.")
            result = ir.Expr(pair, kind, (ctx.adapt(result, kind, node), ctx.adapt(value, kind, node)), None, location)
        return lowering.narrowed(ctx, node, written, result)

    return lower


def _check_order(ctx: Context, node: ast.Call, value: ir.Expr) -> None:
    if not comparable(value.type):
        raise ctx.source.outside(
            node,
            f"Values of type {value.type} have no order.",
            "Numbers, Ordered identities and tuples of those have one; pick a value with `the(x for x in xs if ...)`.",
        )


def the(ctx: Context, node: ast.Call) -> ir.Expr:
    """`the(generator, default)`."""
    parts, body = fold(ctx, node.args[0])
    whole = ir.Expr(ir.Op.THE, body.type, (body,), parts, ctx.location(node))
    if isinstance(node.args[0], ast.ListComp | ast.SetComp) and any(
        not lowering.always(ctx, part) for part in whole.children()
    ):
        raise ctx.source.outside(
            node, "Python evaluates all of this collection before it looks for its one value.", "Write a generator."
        )
    given = node.args[1:] + [keyword.value for keyword in node.keywords]
    if not given:
        return ir.Expr(ir.Op.THE, body.type, (body,), parts, ctx.location(node))
    other = lowering.lower(ctx, given[0], body.type)
    kind = join(body.type, other.type)
    if kind is None:
        raise ctx.source.error(node, f"The default is a {other.type}, the values are {body.type}.")
    args = (ctx.adapt(body, kind, node), ctx.adapt(other, kind, node))
    return _with_default(ctx, node, parts, ir.Expr(ir.Op.THE, kind, args, parts, ctx.location(node)))


def _with_default(ctx: Context, node: ast.Call, parts: tuple[ir.Clause, ...], result: ir.Expr) -> ir.Expr:
    """Python evaluates a default before it takes the first value of a generator, and after all of a list."""
    first, default = parts[0], result.args[1]
    if lowering.always(ctx, default):
        return result
    if isinstance(node.args[0], ast.GeneratorExp):
        assert isinstance(first, ir.For)
        return lowering.after(ctx, node, (first.source, default), result)
    if not isinstance(node.args[0], ast.ListComp | ast.SetComp) and _may_be_none(first):
        return lowering.after(ctx, node, (first.source.args[0], default), result)
    kind = TupleType((result.type, default.type))
    both = ir.Expr(ir.Op.TUPLE, kind, (result, default), None, ctx.location(node))
    return ir.Expr(ir.Op.COMPONENT, result.type, (both,), 0, ctx.location(node))


def _may_be_none(first: ir.Clause) -> TypeGuard[ir.For]:
    """Whether what is ranged over is a list unless it is None, which Python finds when it has evaluated all arguments."""
    return (
        isinstance(first, ir.For)
        and first.source.op is ir.Op.NARROW
        and NoneType() in alternatives(first.source.args[0].type)
    )


def as_set(ctx: Context, node: ast.Call) -> ir.Expr:
    """`set()`, `set(collection)`, `set(generator)`."""
    parts, body = fold(ctx, node.args[0])
    element = (
        node.args[0].elt if isinstance(node.args[0], ast.GeneratorExp | ast.ListComp | ast.SetComp) else node.args[0]
    )
    expressions.check_hashable(ctx, node, element, body, parts)
    return ir.Expr(ir.Op.SET_OF, SetType(body.type, None, ""), (body,), parts, ctx.location(node))


def as_list(ctx: Context, node: ast.Call) -> ir.Expr:
    """`list(collection)` where its order is fixed."""
    parts, body = fold(ctx, node.args[0])
    if not ordered(parts) or isinstance(node.args[0], ast.SetComp):
        raise ctx.source.outside(
            node,
            "The order of this list would depend on the order of a set or of interchangeable identities.",
            "Write `sorted(...)` of numbers or Ordered identities, or `set(...)`.",
        )
    return ir.Expr(ir.Op.LIST_OF, ListType(body.type, rounds(parts), ""), (body,), parts, ctx.location(node))


def as_sorted(ctx: Context, node: ast.Call) -> ir.Expr:
    """`sorted(collection)`."""
    parts, body = fold(ctx, node.args[0])
    _check_order(ctx, node, body)
    descending = False
    for keyword in node.keywords:
        if (
            keyword.arg != "reverse"
            or not isinstance(keyword.value, ast.Constant)
            or not isinstance(keyword.value.value, bool)
        ):
            raise ctx.source.outside(
                node,
                f"sorted({keyword.arg}=...) is outside the compiled subset, but for reverse=True.",
                "Sort tuples, `sorted((x.term, x.index) for x in xs)`.",
            )
        descending = keyword.value.value
    if _repeats(ctx, node.args[0], parts):
        kind = ListType(body.type, rounds(parts), "")
        return ir.Expr(
            ir.Op.SORTED,
            kind,
            (ir.Expr(ir.Op.LIST_OF, kind, (body,), parts, ctx.location(node)),),
            descending,
            ctx.location(node),
        )
    whole = ir.Expr(ir.Op.SET_OF, SetType(body.type, None, ""), (body,), parts, ctx.location(node))
    length = min(rounds(parts), body.type.cardinality)
    return ir.Expr(ir.Op.SORTED, ListType(body.type, length, ""), (whole,), descending, ctx.location(node))


def _repeats(ctx: Context, node: ast.expr, parts: tuple[ir.Clause, ...]) -> bool:
    """Whether a collection can yield an element more than once."""
    if isinstance(node, ast.ListComp | ast.GeneratorExp) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("values", "items")
    ):
        return True
    return (
        isinstance(node, ast.expr)
        and not isinstance(node, ast.SetComp)
        and isinstance(parts[0], ir.For)
        and isinstance(parts[0].source.type, ListType)
    )


def collection(value: ir.Expr) -> bool:
    """Whether an expression has a length."""
    return isinstance(value.type, SetType | ListType | MapType | WireLike)


RULES: dict[type[ast.expr], Rule] = {
    ast.SetComp: set_of,
    ast.ListComp: list_of,
}
