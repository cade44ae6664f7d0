"""Expressions: from Python's syntax tree to typed nodes. One function per kind of syntax, in a table at the end."""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from quorate.language.resolve import resolve
from quorate.language.sorts import Identity, Nat, SortMeta
from quorate.language.types import (
    BoolType,
    EnumType,
    ListType,
    MapType,
    NoneType,
    OrderedType,
    RecordType,
    ScalarsetType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model import aliases, calls, comprehensions
from quorate.model.context import Context
from quorate.model.conversion import (
    WireLike,
    alternatives,
    clamped,
    compatible,
    is_number,
    join,
    limits,
    same_class,
    without_none,
)
from quorate.model.nodes import Clause, Expr, For, IntType, Op
from quorate.model.source import MISSING

BOOL = BoolType()


def lower(ctx: Context, node: ast.expr, expected: Type | None = None) -> Expr:
    """The typed node of an expression. `expected` gives displays such as `set()` their type."""
    value = sort_or_value(ctx, node, expected)
    if value.op is Op.DOMAIN and isinstance(node, ast.Name | ast.Attribute):
        kind = element_type(value.type)
        raise ctx.source.outside(
            node, f"{kind} is a sort, not a set of values.", f"Write `set({kind})`, or range over it with `for`."
        )
    return value


def sort_or_value(ctx: Context, node: ast.expr, expected: Type | None = None) -> Expr:
    """As `lower`, where a sort may stand for its members: in `for`, `in`, `len` and the quorum functions."""
    rule = RULES.get(type(node))
    if rule is None:
        what, instead = INSTEAD.get(type(node), ("This expression", ALLOWED))
        raise ctx.source.outside(node, f"{what} is outside the compiled subset.", instead)
    return rule(ctx, node, expected)


def condition(ctx: Context, node: ast.expr) -> Expr:
    """A truth value."""
    value = lower(ctx, node, BOOL)
    if value.type != BOOL:
        raise ctx.source.error(
            node, f"A condition is a bool; this is a {value.type}. Write `len(x) > 0`, `x is not None` or `n != 0`."
        )
    return value


def number(ctx: Context, node: ast.expr) -> Expr:
    """A number."""
    value = without_none(lower(ctx, node))
    if not is_number(value.type):
        raise ctx.source.error(node, f"A number is expected here; this is a {value.type}.")
    return value


def as_number(ctx: Context, node: ast.AST, truth: Expr) -> Expr:
    """1 for True and 0 for False."""
    location = ctx.location(node)
    kind = IntType(0, 1)
    one, zero = Expr(Op.CONST, kind, (), 1, location), Expr(Op.CONST, kind, (), 0, location)
    return Expr(Op.IF, kind, (truth, one, zero), None, location)


ALLOWED = (
    "Use attributes, subscripts, calls, comprehensions, comparisons, `and`/`or`/`not`, arithmetic, conditional expressions and "
    "displays of tuples, sets and lists."
)
INSTEAD: dict[type[ast.expr], tuple[str, str]] = {
    ast.Lambda: ("`lambda`", "Write a comprehension, or a module-level function."),
    ast.JoinedStr: ("An f-string", "Specs have no text; use an Enum."),
    ast.NamedExpr: ("`:=`", "Assign on a line of its own."),
    ast.Dict: ("A dict display", "Write `{k: value for k in Key}` over the whole key type: maps are total."),
    ast.Starred: ("`*`", "Write the elements one by one, or use `|` and `+`."),
    ast.GeneratorExp: (
        "A generator on its own",
        "Write a set or list comprehension, or put it inside `all`, `any`, `sum`, `the`...",
    ),
    ast.Yield: ("`yield`", "A method returns one value, or changes the state."),
}


def constant(ctx: Context, node: ast.AST, value: Any) -> Expr:
    """A Python object as a constant of the language."""
    location = ctx.location(node)
    if isinstance(value, bool):
        return Expr(Op.CONST, BOOL, (), value, location)
    if isinstance(value, int) and not isinstance(value, enum.Enum):
        return Expr(Op.CONST, IntType(value, value), (), value, location)
    if value is None:
        return Expr(Op.CONST, NoneType(), (), None, location)
    if isinstance(value, enum.Enum):
        return Expr(Op.CONST, EnumType(type(value)), (), value, location)
    if isinstance(value, tuple):
        parts = tuple(constant(ctx, node, part) for part in value)
        return Expr(Op.TUPLE, TupleType(tuple(part.type for part in parts)), parts, None, location)
    if isinstance(value, Identity):
        raise ctx.source.outside(
            node,
            f"{value!r} names a single {type(value).__name__}.",
            "Use a parameter or a quantifier: the members are interchangeable.",
        )
    if isinstance(value, SortMeta) or (isinstance(value, type) and issubclass(value, enum.Enum)):
        kind = resolve(value, str(getattr(value, "__name__", value)), ctx.builder.system.configuration)
        return domain(kind, location)
    if value is bool:
        raise ctx.source.outside(node, "bool cannot be ranged over, as in Python.", "Write `[False, True]`.")
    if isinstance(value, str):
        raise ctx.source.outside(node, "Text is outside the compiled subset.", "Use an Enum.")
    if isinstance(value, float):
        raise ctx.source.outside(node, "Fractions are outside the compiled subset.", "Use whole numbers.")
    raise ctx.source.outside(
        node, f"{value!r} is not a value of the language.", "Use numbers, bools, None, enum members and sorts."
    )


def domain(kind: Type, location: Any = None) -> Expr:
    """All values of a type, as a set."""
    return Expr(Op.DOMAIN, SetType(kind, None, ""), (), None, location)


def _constant(ctx: Context, node: ast.Constant, expected: Type | None) -> Expr:
    return constant(ctx, node, node.value)


def _name(ctx: Context, node: ast.Name, expected: Type | None) -> Expr:
    bound = ctx.bindings.get(node.id)
    if bound is not None:
        for part in bound.walk():
            if part.op is Op.LOCAL and part.data not in ctx.defined:
                raise ctx.source.error(
                    node,
                    f"{node.id} may have no value here: it is assigned on some paths only. "
                    f"Give it a value before the `if` or the loop.",
                )
        aliases.check_read(ctx, node, bound)
        return replace(bound, location=ctx.location(node))
    if node.id in ctx.self_names:
        raise ctx.source.outside(
            node,
            f"{node.id} as a value is outside the compiled subset.",
            f"Use its variables, `{node.id}.x`, and its methods.",
        )
    if node.id in ctx.source.stored:
        raise ctx.source.error(
            node, f"{node.id} may have no value here. Give it one before this line, and before the loop if one sets it."
        )
    value = ctx.source.resolve(node.id)
    if value is MISSING:
        raise ctx.source.error(node, f"The name {node.id} is not defined.")
    return constant(ctx, node, value)


def _attribute(ctx: Context, node: ast.Attribute, expected: Type | None) -> Expr:
    location = ctx.location(node)
    if isinstance(node.value, ast.Name) and node.value.id in ctx.self_names and node.value.id not in ctx.bindings:
        system = ctx.builder.system
        if node.attr in system.index:
            return Expr(ctx.self_names[node.value.id], system.variable(node.attr).type, (), node.attr, location)
        if node.attr in system.constants:
            return constant(ctx, node, system.constants[node.attr])
        known = ", ".join([*system.index, *system.constants])
        raise ctx.source.error(node, f"{system.name} has no variable {node.attr!r}; it has {known}.")
    sort = ctx.static(node.value)
    if node.attr == "bound" and isinstance(sort, SortMeta) and issubclass(sort, Nat):
        # The greatest number is one less than the numbers there are: said so, a proof for any size sees what it rests on.
        members = constant(ctx, node, sort)
        count = Expr(Op.LEN, IntType(sort.bound + 1, sort.bound + 1), (members,), None, location)
        return combine(ctx, node, ast.Sub(), count, constant(ctx, node, 1))
    value = ctx.static(node)
    if value is not MISSING:
        return constant(ctx, node, value)
    return field(ctx, lower(ctx, node.value), node)


def field(ctx: Context, base: Expr, node: ast.Attribute) -> Expr:
    """A field of a record; of a union, where every alternative that has the field has it with one type."""
    having = [(kind, kind.field(node.attr)) for kind in alternatives(base.type) if isinstance(kind, RecordType)]
    found = [(kind, part) for kind, part in having if part is not None]
    location = ctx.location(node)
    if not found:
        raise ctx.source.error(node, f"A {base.type} has no field {node.attr!r}.")
    result: Expr | None = None
    for kind, part in reversed(found):
        whole = base if kind == base.type else Expr(Op.NARROW, kind, (base,), None, location)
        value = Expr(Op.FIELD, part, (whole,), node.attr, location)
        if result is None:
            result = value
        else:
            test = Expr(Op.IS, BOOL, (base,), (kind,), location)
            result = conditional(ctx, node, test, value, result)
    assert result is not None
    return result


def conditional(ctx: Context, node: ast.expr, test: Expr, then: Expr, otherwise: Expr) -> Expr:
    """`then if test else otherwise`, of their common type."""
    kind = join(then.type, otherwise.type)
    if kind is None:
        raise ctx.source.error(node, f"The two cases have different types, {then.type} and {otherwise.type}.")
    args = (test, ctx.adapt(then, kind, node), ctx.adapt(otherwise, kind, node))
    return Expr(Op.IF, kind, args, None, ctx.location(node))


def _subscript(ctx: Context, node: ast.Subscript, expected: Type | None) -> Expr:
    base = without_none(lower(ctx, node.value))
    location = ctx.location(node)
    if isinstance(node.slice, ast.Slice):
        return _slice(ctx, base, node.slice, node)
    if isinstance(base.type, MapType):
        return Expr(Op.LOOKUP, base.type.value, (base, key(ctx, node.slice, base.type)), None, location)
    if isinstance(base.type, ListType):
        return Expr(Op.INDEX, base.type.element, (base, number(ctx, node.slice)), None, location)
    if isinstance(base.type, TupleType):
        position = ctx.static(node.slice) if not isinstance(node.slice, ast.Constant) else node.slice.value
        if not isinstance(position, int) or not -len(base.type.kinds) <= position < len(base.type.kinds):
            raise ctx.source.error(node, f"A {base.type} is indexed by a number from 0 to {len(base.type.kinds) - 1}.")
        position %= len(base.type.kinds)
        return Expr(Op.COMPONENT, base.type.kinds[position], (base,), position, location)
    raise ctx.source.error(node, f"A {base.type} cannot be indexed.")


def key(ctx: Context, node: ast.expr, kind: MapType) -> Expr:
    """A key of a map. A computed number stays one: out of range it is an error, not a cut."""
    value = lower(ctx, node, kind.key)
    return value if compatible(value.type, kind.key) else ctx.adapt(value, kind.key, node)


def _slice(ctx: Context, base: Expr, part: ast.Slice, node: ast.Subscript) -> Expr:
    if not isinstance(base.type, ListType):
        raise ctx.source.error(node, f"Only lists have slices; this is a {base.type}.")
    if part.step is not None:
        raise ctx.source.outside(node, "A slice with a step is outside the compiled subset.", "Write `log[i:j]`.")
    location = ctx.location(node)
    low = number(ctx, part.lower) if part.lower is not None else constant(ctx, node, 0)
    length = Expr(Op.LEN, IntType(0, base.type.capacity), (base,), None, location)
    high = number(ctx, part.upper) if part.upper is not None else length
    kind = ListType(base.type.element, base.type.capacity, "")
    return Expr(Op.SLICE, kind, (base, low, high), None, location)


def _tuple(ctx: Context, node: ast.Tuple, expected: Type | None) -> Expr:
    wanted: tuple[Type | None, ...] = (None,) * len(node.elts)
    if isinstance(expected, TupleType) and len(expected.kinds) == len(node.elts):
        wanted = expected.kinds
    parts = tuple(lower(ctx, part, want) for part, want in zip(node.elts, wanted, strict=True))
    return Expr(Op.TUPLE, TupleType(tuple(part.type for part in parts)), parts, None, ctx.location(node))


def _display(ctx: Context, node: ast.Set | ast.List, expected: Type | None) -> Expr:
    wanted = expected.element if isinstance(expected, SetType | ListType) else None
    parts = [lower(ctx, part, wanted) for part in node.elts]
    element = wanted
    for part in parts:
        joined = part.type if element is None else join(element, part.type)
        if joined is None:
            raise ctx.source.error(node, f"The elements have different types, {element} and {part.type}.")
        element = joined
    if element is None:
        raise ctx.source.error(
            node, "The type of this empty list is not known here. Annotate the name: `xs: list[Entry] = []`."
        )
    args = tuple(ctx.adapt(part, element, node) for part in parts)
    if isinstance(node, ast.Set):
        for given, part in zip(node.elts, parts, strict=True):
            check_hashable(ctx, given, given, part)
        return Expr(Op.SET, SetType(element, None, ""), args, None, ctx.location(node))
    return Expr(Op.LIST, ListType(element, len(args), ""), args, None, ctx.location(node))


def check_hashable(
    ctx: Context, node: ast.AST, written: ast.expr, value: Expr, clauses: tuple[Clause, ...] = ()
) -> None:
    """Reject an element of a set that Python cannot hash: a container, unless it comes out of a set, a record or `frozenset(...)`."""
    frozen = value.op is Op.FIELD or (isinstance(written, ast.Call) and ctx.static(written.func) is frozenset)
    from_set = {
        clause.name for clause in clauses if isinstance(clause, For) and isinstance(clause.source.type, SetType)
    }
    if aliases.mutable(value.type) and not frozen and not (value.op is Op.LOCAL and value.data in from_set):
        raise ctx.source.outside(
            node, f"A {value.type} cannot be an element of a set: Python has no hash for it.", "Write `frozenset(...)`."
        )


def _boolean(ctx: Context, node: ast.BoolOp, expected: Type | None) -> Expr:
    op = Op.AND if isinstance(node.op, ast.And) else Op.OR
    return Expr(op, BOOL, tuple(condition(ctx, part) for part in node.values), None, ctx.location(node))


def _unary(ctx: Context, node: ast.UnaryOp, expected: Type | None) -> Expr:
    if isinstance(node.op, ast.Not):
        return Expr(Op.NOT, BOOL, (condition(ctx, node.operand),), None, ctx.location(node))
    if isinstance(node.op, ast.USub):
        value = number(ctx, node.operand)
        low, high = limits(value.type)
        if value.op is Op.CONST:
            return constant(ctx, node, -value.data)
        return Expr(Op.NEG, clamped(-high, -low), (value,), None, ctx.location(node))
    raise ctx.source.outside(node, "This operator is outside the compiled subset.", "Use `not` and `-`.")


def _binary(ctx: Context, node: ast.BinOp, expected: Type | None) -> Expr:
    left = without_none(lower(ctx, node.left, expected))
    right = without_none(lower(ctx, node.right, expected))
    return combine(ctx, node, node.op, left, right)


def combine(ctx: Context, node: ast.AST, op: ast.operator, left: Expr, right: Expr) -> Expr:
    """`left op right` on numbers, sets or lists."""
    location = ctx.location(node)
    if is_number(left.type) and is_number(right.type) and type(op) in ARITHMETIC:
        name, span = ARITHMETIC[type(op)]
        low, high = span(*limits(left.type), *limits(right.type))
        return Expr(name, clamped(low, high), (left, right), None, location)
    if isinstance(left.type, SetType) and isinstance(right.type, SetType) and type(op) in SET_OPERATORS:
        kind = join(left.type, right.type)
        if kind is None:
            raise ctx.source.error(node, f"These sets have different elements: {left.type} and {right.type}.")
        kind = SetType(kind.element, None, "") if isinstance(kind, SetType) else kind
        args = (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node))
        return Expr(SET_OPERATORS[type(op)], kind, args, None, location)
    if isinstance(left.type, ListType) and isinstance(right.type, ListType) and isinstance(op, ast.Add):
        element = join(left.type.element, right.type.element)
        if element is None:
            raise ctx.source.error(node, f"These lists have different elements: {left.type} and {right.type}.")
        args = (
            ctx.adapt(left, ListType(element, left.type.capacity, ""), node),
            ctx.adapt(right, ListType(element, right.type.capacity, ""), node),
        )
        return Expr(Op.CONCAT, ListType(element, left.type.capacity + right.type.capacity, ""), args, None, location)
    raise ctx.source.outside(
        node,
        f"This operator does not combine {left.type} and {right.type}.",
        "Numbers have + - * // %, sets have | & -, lists have +.",
    )


def _products(low: int, high: int, other_low: int, other_high: int) -> tuple[int, int]:
    corners = [a * b for a in (low, high) for b in (other_low, other_high)]
    return min(corners), max(corners)


def _quotients(low: int, high: int, other_low: int, other_high: int) -> tuple[int, int]:
    divisors = [d for d in (other_low, -1, 1, other_high) if other_low <= d <= other_high and d != 0]
    corners = [a // d for a in (low, high) for d in divisors] or [0]
    return min(corners), max(corners)


def _remainders(low: int, high: int, other_low: int, other_high: int) -> tuple[int, int]:
    return min(0, other_low + 1), max(0, other_high - 1)


Span = Callable[[int, int, int, int], tuple[int, int]]
ARITHMETIC: dict[type[ast.operator], tuple[Op, Span]] = {
    ast.Add: (Op.ADD, lambda a, b, c, d: (a + c, b + d)),
    ast.Sub: (Op.SUB, lambda a, b, c, d: (a - d, b - c)),
    ast.Mult: (Op.MUL, _products),
    ast.FloorDiv: (Op.DIV, _quotients),
    ast.Mod: (Op.MOD, _remainders),
}
SET_OPERATORS: dict[type[ast.operator], Op] = {ast.BitOr: Op.UNION, ast.BitAnd: Op.INTERSECT, ast.Sub: Op.DIFFERENCE}


def _if(ctx: Context, node: ast.IfExp, expected: Type | None) -> Expr:
    return conditional(
        ctx, node, condition(ctx, node.test), lower(ctx, node.body, expected), lower(ctx, node.orelse, expected)
    )


def _compare(ctx: Context, node: ast.Compare, expected: Type | None) -> Expr:
    operands = [node.left, *node.comparators]
    values: list[Expr | None] = [None] * len(operands)

    def value(position: int, hint: Type | None, rule: Callable[[Context, ast.expr, Type | None], Expr] = lower) -> Expr:
        found = values[position]
        if found is None:
            found = values[position] = rule(ctx, operands[position], hint)
        return found

    parts = []
    for position, op in enumerate(node.ops):
        left = value(position, None)
        right = value(position + 1, left.type, sort_or_value if isinstance(op, ast.In | ast.NotIn) else lower)
        parts.append(comparison(ctx, node, op, left, right))
    return parts[0] if len(parts) == 1 else Expr(Op.AND, BOOL, tuple(parts), None, ctx.location(node))


def comparison(ctx: Context, node: ast.Compare, op: ast.cmpop, left: Expr, right: Expr) -> Expr:
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
        return Expr(Op.NOT, BOOL, (equal(ctx, node, left, right),), None, location)
    if isinstance(op, ast.In):
        return member(ctx, node, left, right)
    if isinstance(op, ast.NotIn):
        return Expr(Op.NOT, BOOL, (member(ctx, node, left, right),), None, location)
    return _ordered(ctx, node, op, without_none(left), without_none(right))


def _singletons(kind: Type) -> bool:
    """Whether equal values of a type are one object in Python."""
    return all(
        isinstance(part, NoneType | BoolType | EnumType | ScalarsetType | OrderedType) for part in alternatives(kind)
    )


def _ordered(ctx: Context, node: ast.Compare, op: ast.cmpop, left: Expr, right: Expr) -> Expr:
    location = ctx.location(node)
    if isinstance(op, ast.Gt | ast.GtE):
        left, right = right, left
    strict = isinstance(op, ast.Lt | ast.Gt)
    if isinstance(left.type, SetType) and isinstance(right.type, SetType):
        kind = join(left.type, right.type)
        if kind is None:
            raise ctx.source.error(node, f"These sets have different elements: {left.type} and {right.type}.")
        args = (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node))
        subset = Expr(Op.SUBSET, BOOL, args, None, location)
        if not strict:
            return subset
        differs = Expr(Op.NOT, BOOL, (Expr(Op.EQ, BOOL, args, None, location),), None, location)
        return Expr(Op.AND, BOOL, (subset, differs), None, location)
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
    return Expr(Op.LT if strict else Op.LE, BOOL, (left, right), None, location)


def _scalarsets(left: Expr, right: Expr) -> str:
    return ", ".join(sorted(sort.__name__ for sort in left.type.scalarsets | right.type.scalarsets))


def comparable(kind: Type) -> bool:
    """Whether `<` means something for a type."""
    if isinstance(kind, TupleType):
        return all(comparable(part) for part in kind.kinds)
    return is_number(kind) or isinstance(kind, OrderedType)


def equal(ctx: Context, node: ast.AST, left: Expr, right: Expr) -> Expr:
    """`left == right`; a value is also compared with a union that may hold it."""
    location = ctx.location(node)
    for whole, none in ((left, right), (right, left)):
        if isinstance(none.type, NoneType) and isinstance(whole.type, UnionType):
            return Expr(Op.IS, BOOL, (whole,), (NoneType(),), location)
    if isinstance(left.type, WireLike) or isinstance(right.type, WireLike):
        raise ctx.source.outside(
            node, "Networks are not compared with `==`.", "Compare what you need of their contents."
        )
    if compatible(left.type, right.type):
        return Expr(Op.EQ, BOOL, (left, right), None, location)
    kind = join(left.type, right.type)
    if kind is None or (
        isinstance(kind, UnionType) and not isinstance(left.type, UnionType) and not isinstance(right.type, UnionType)
    ):
        raise ctx.source.error(node, f"A {left.type} never equals a {right.type}.")
    return Expr(Op.EQ, BOOL, (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node)), None, location)


def member(ctx: Context, node: ast.AST, element: Expr, whole: Expr) -> Expr:
    """`element in whole`."""
    location = ctx.location(node)
    if whole.op is Op.TUPLE:
        return Expr(Op.OR, BOOL, tuple(equal(ctx, node, element, part) for part in whole.args), None, location)
    if isinstance(whole.type, MapType):
        whole = domain(whole.type.key, location)
    kind = element_type(whole.type)
    if kind is None:
        raise ctx.source.error(node, f"`in` needs a set, list, network or sort; this is a {whole.type}.")
    if compatible(element.type, kind):
        return Expr(Op.IN, BOOL, (element, whole), None, location)
    if isinstance(kind, UnionType):
        if not any(same_class(part, other) for part in alternatives(element.type) for other in kind.kinds):
            raise ctx.source.error(node, f"A {element.type} is never in a collection of {kind}.")
        return Expr(Op.IN, BOOL, (ctx.adapt(element, kind, node), whole), None, location)
    if isinstance(element.type, UnionType):
        for part in element.type.kinds:
            if same_class(part, kind):
                narrow = Expr(Op.NARROW, part, (element,), None, location)
                inside = Expr(Op.IN, BOOL, (narrow, whole), None, location)
                return Expr(Op.AND, BOOL, (Expr(Op.IS, BOOL, (element,), (part,), location), inside), None, location)
    raise ctx.source.error(node, f"A {element.type} is never in a collection of {kind}.")


def element_type(kind: Type) -> Type | None:
    """What a collection holds."""
    if isinstance(kind, SetType | ListType):
        return kind.element
    return kind.message if isinstance(kind, WireLike) else None


Rule = Callable[[Context, Any, Type | None], Expr]
RULES: dict[type[ast.expr], Rule] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Tuple: _tuple,
    ast.Set: _display,
    ast.List: _display,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.IfExp: _if,
    ast.Compare: _compare,
    # These modules lower their parts through this table, so they are looked up when they are needed.
    ast.Call: lambda ctx, node, expected: calls.call(ctx, node, expected),
    ast.SetComp: lambda ctx, node, expected: comprehensions.set_of(ctx, node, expected),
    ast.ListComp: lambda ctx, node, expected: comprehensions.list_of(ctx, node, expected),
    ast.DictComp: lambda ctx, node, expected: comprehensions.map_of(ctx, node, expected),
}
