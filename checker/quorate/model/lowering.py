"""Expressions: from Python's syntax tree to typed nodes, by the rule of each kind of syntax; and the values that all rules need."""

from __future__ import annotations

import ast
import enum
from collections.abc import Sequence
from typing import Any

from quorate.errors import SpecError
from quorate.language.known import shown
from quorate.language.places import placed
from quorate.language.resolve import resolve
from quorate.language.sorts import Identity, Ordered, SortMeta
from quorate.language.types import BoolType, ListType, NoneType, SetType, TupleType, Type, UnionType
from quorate.model import nodes as ir
from quorate.model.context import Context, Rule
from quorate.model.conversion import element_type, without_none
from quorate.model.integers import IntType
from quorate.model.ranges import is_number, spanning
from quorate.model.totality import is_total

BOOL = BoolType()


ALLOWED = (
    "Use attributes, subscripts, calls, comprehensions, comparisons, `and`/`or`/`not`, arithmetic, conditional expressions and "
    "displays of tuples, sets and lists."
)


INSTEAD: dict[type[ast.expr], tuple[str, str]] = {
    ast.Lambda: ("`lambda`", "Write a comprehension, or a module-level function."),
    ast.JoinedStr: ("An f-string", "Specs have no text; use an Enum."),
    ast.NamedExpr: ("`:=`", "Assign on a line of its own."),
    ast.Starred: ("`*`", "Write the elements one by one, or use `|` and `+`."),
    ast.GeneratorExp: (
        "A generator on its own",
        "Write a set or list comprehension, or put it inside `all`, `any`, `sum`, `the`...",
    ),
    ast.Yield: ("`yield`", "A method returns one value, or changes the state."),
}


def lower(ctx: Context, node: ast.expr, expected: Type | None = None) -> ir.Expr:
    """The typed node of an expression. `expected` gives displays such as `set()` their type."""
    value = sort_or_value(ctx, node, expected)
    if value.op is ir.Op.DOMAIN and isinstance(node, ast.Name | ast.Attribute):
        kind = element_type(value.type)
        raise ctx.source.outside(
            node, f"{kind} is a sort, not a set of values.", f"Write `set({kind})`, or range over it with `for`."
        )
    if value.op is ir.Op.RANGE:
        raise ctx.source.outside(
            node,
            "A range is no list in Python, and equals none.",
            "Range over it, ask for its `len` or what is `in` it, or write `list(range(a, b))`.",
        )
    return value


def sort_or_value(ctx: Context, node: ast.expr, expected: Type | None = None) -> ir.Expr:
    """As `lower`, where a sort or a range may stand for its members: in `for`, `in`, `len` and the quorum functions."""
    rule = rule_of(ctx, node)
    if isinstance(expected, UnionType) and isinstance(node, ast.List | ast.ListComp):
        expected = next((kind for kind in expected.kinds if isinstance(kind, ListType)), expected)
    return rule(ctx, node, expected)


def rule_of(ctx: Context, node: ast.expr) -> Rule:
    """How this kind of expression is lowered. Raises OutsideSubset if it is not."""
    rule = ctx.builder.rules.get(type(node))
    if rule is None:
        what, instead = INSTEAD.get(type(node), ("This expression", ALLOWED))
        raise ctx.source.outside(node, f"{what} is outside the compiled subset.", instead)
    return rule


def condition(ctx: Context, node: ast.expr) -> ir.Expr:
    """A truth value."""
    value = lower(ctx, node, BOOL)
    if value.type != BOOL:
        raise ctx.source.error(
            node, f"A condition is a bool; this is a {value.type}. Write `len(x) > 0`, `x is not None` or `n != 0`."
        )
    return value


def number(ctx: Context, node: ast.expr) -> ir.Expr:
    """A number."""
    return number_of(ctx, node, lower(ctx, node))


def number_of(ctx: Context, node: ast.expr, value: ir.Expr) -> ir.Expr:
    """A value as a number: an error in the spec where it is None."""
    value = without_none(value)
    if not is_number(value.type):
        raise ctx.source.error(node, f"A number is expected here; this is a {value.type}.")
    return value


def numbers(ctx: Context, nodes: Sequence[ast.expr]) -> list[ir.Expr]:
    """Several numbers, all of which Python evaluates before it finds that one of them is None."""
    written = [lower(ctx, node) for node in nodes]
    values = [number_of(ctx, node, value) for node, value in zip(nodes, written, strict=True)]
    return [narrowed(ctx, nodes[0], written, values[0]), *values[1:]] if values else []


def as_number(ctx: Context, node: ast.AST, truth: ir.Expr) -> ir.Expr:
    """1 for True and 0 for False."""
    location = ctx.location(node)
    kind = IntType(0, 1)
    one, zero = ir.Expr(ir.Op.CONST, kind, (), 1, location), ir.Expr(ir.Op.CONST, kind, (), 0, location)
    return ir.Expr(ir.Op.IF, kind, (truth, one, zero), None, location)


def constant(ctx: Context, node: ast.AST, value: Any) -> ir.Expr:
    """A Python object as a constant of the language."""
    location = ctx.location(node)
    if type(value) is bool:
        return ir.Expr(ir.Op.CONST, BOOL, (), value, location)
    if type(value) is int:
        return ir.Expr(ir.Op.CONST, spanning(value, value), (), value, location)
    if value is None:
        return ir.Expr(ir.Op.CONST, NoneType(), (), None, location)
    if isinstance(type(value), enum.EnumMeta):
        return ir.Expr(ir.Op.CONST, sort_type(ctx, node, type(value)), (), value, location)
    if type(value) is tuple:
        parts = tuple(constant(ctx, node, part) for part in value)
        return ir.Expr(ir.Op.TUPLE, TupleType(tuple(part.type for part in parts)), parts, None, location)
    if isinstance(value, Identity):
        sort = type(value).__name__
        instead = "Use a parameter or a quantifier: the members are interchangeable."
        if isinstance(value, Ordered):
            instead = f"Write `{sort}[{value.index}]`, or use a parameter or a quantifier."
        raise ctx.source.outside(node, f"{value!r} names a single {sort}.", instead)
    if value is bool:
        raise ctx.source.outside(node, "bool cannot be ranged over, as in Python.", "Write `[False, True]`.")
    if isinstance(value, str):
        raise ctx.source.outside(node, "Text is outside the compiled subset.", "Use an Enum.")
    if isinstance(value, float):
        raise ctx.source.outside(node, "Fractions are outside the compiled subset.", "Use whole numbers.")
    raise ctx.source.outside(
        node, f"{shown(value)} is not a value of the language.", "Use numbers, bools, None, enum members and sorts."
    )


def named(ctx: Context, node: ast.AST, value: Any) -> ir.Expr:
    """A Python object that a name or an attribute means: a constant, or a sort, which may stand for its members."""
    if issubclass(type(value), enum.EnumMeta | SortMeta):
        return domain(sort_type(ctx, node, value), ctx.location(node))
    return constant(ctx, node, value)


def sort_type(ctx: Context, node: ast.AST, sort: type) -> Type:
    """The type that a sort or Enum is. Raises SpecError where it says itself what its members mean."""
    try:
        return resolve(sort, sort.__name__, ctx.builder.system.configuration)
    except SpecError as error:
        raise placed(error, ctx.location(node)) from None


def domain(kind: Type, location: Any = None) -> ir.Expr:
    """All values of a type, as a set."""
    return ir.Expr(ir.Op.DOMAIN, SetType(kind, None, ""), (), None, location)


def always(ctx: Context, value: ir.Expr) -> bool:
    """Whether an expression certainly has a value, so that nobody can tell when it is evaluated, or whether."""
    return is_total(value, ctx.builder)


def after(ctx: Context, node: ast.AST, first: Sequence[ir.Expr], result: ir.Expr) -> ir.Expr:
    """`result`, once `first` have been evaluated in this order: an error or a cut in them comes before its own, as in Python."""
    before = tuple(value for value in first if not always(ctx, value))
    if not before:
        return result
    kind = TupleType((*(value.type for value in before), result.type))
    whole = ir.Expr(ir.Op.TUPLE, kind, (*before, result), None, ctx.location(node))
    return ir.Expr(ir.Op.COMPONENT, result.type, (whole,), len(before), ctx.location(node))


def apart(whole: ir.Expr) -> tuple[tuple[ir.Expr, ...], ir.Expr]:
    """What `after` evaluates first, and its result."""
    if whole.op is ir.Op.COMPONENT and whole.args[0].op is ir.Op.TUPLE and whole.data == len(whole.args[0].args) - 1:
        *first, result = whole.args[0].args
        return tuple(first), result
    return (), whole


def in_order(ctx: Context, node: ast.AST, written: Sequence[ir.Expr], result: ir.Expr) -> ir.Expr:
    """`result`, whose operands are evaluated in another order than they are written in."""
    return result if sum(not always(ctx, value) for value in written) < 2 else after(ctx, node, written, result)


def narrowed(ctx: Context, node: ast.AST, written: Sequence[ir.Expr], result: ir.Expr) -> ir.Expr:
    """`result`, whose operands are those that are `written` without their None: Python evaluates all of them before it finds that one
    is None."""
    late = any(isinstance(value.type, UnionType) for value in written[:-1])
    return (
        after(ctx, node, written, result) if late and not all(always(ctx, value) for value in written[1:]) else result
    )


def built(
    ctx: Context, node: ast.AST, written: Sequence[ir.Expr], values: Sequence[ir.Expr], result: ir.Expr
) -> ir.Expr:
    """`result`, made of `values` by conversions that may cut: Python evaluates all that is `written` before the first of them."""
    late = [position for position, value in enumerate(values) if not always(ctx, value)]
    cutting = (
        any(result.args[position] != value for position, value in enumerate(values[: late[-1]])) if late else False
    )
    if cutting or list(written) != list(values):
        return after(ctx, node, written, result)
    return result
