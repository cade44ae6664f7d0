"""Names, attributes, subscripts and displays."""

from __future__ import annotations

import ast
import dataclasses

from quorate.errors import Location
from quorate.language.methods import Variable
from quorate.language.sorts import Int, SortMeta
from quorate.language.types import (
    BoolType,
    ListType,
    MapType,
    OrderedType,
    PartialMapType,
    RecordType,
    SetType,
    TupleType,
    Type,
)
from quorate.model import aliases, classes, lowering, narrowing, operators, partial
from quorate.model import nodes as ir
from quorate.model.context import Context, Rule
from quorate.model.conversion import alternatives, compatible, cuts, join, without_none
from quorate.model.ranges import spanning
from quorate.model.source import MISSING

BOOL = BoolType()


def _constant(ctx: Context, node: ast.Constant, expected: Type | None) -> ir.Expr:
    return lowering.constant(ctx, node, node.value)


def _name(ctx: Context, node: ast.Name, expected: Type | None) -> ir.Expr:
    bound = ctx.bindings.get(node.id)
    if bound is not None:
        for part in bound.walk():
            if part.op is ir.Op.LOCAL and part.data not in ctx.defined:
                raise ctx.source.error(
                    node,
                    f"{node.id} may have no value here: it is assigned on some paths only. "
                    f"Give it a value before the `if` or the loop.",
                )
        aliases.check_read(ctx, node, bound)
        # An argument that is a constant stays where it was read, which says what it is the value of.
        return bound if bound.op is ir.Op.CONST else dataclasses.replace(bound, location=ctx.location(node))
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
    return lowering.named(ctx, node, value)


def auxiliary_variable(ctx: Context, node: ast.Attribute) -> Variable:
    """The auxiliary variable that is meant, where it may be read or written. Raises SpecError elsewhere."""
    assert isinstance(node.value, ast.Name)
    if not ctx.writes_auxiliary or ctx.pure:
        raise ctx.source.error(
            node,
            f"{node.value.id}.{node.attr} is auxiliary, and no part of the state: only what is written to an auxiliary variable may "
            f"read it, in an action, on a line of its own; no guard, no other variable, no property.",
        )
    return ctx.system_of(node.value.id).auxiliary[node.attr]


def _attribute(ctx: Context, node: ast.Attribute, expected: Type | None) -> ir.Expr:
    location = ctx.location(node)
    if isinstance(node.value, ast.Name) and node.value.id in ctx.self_names and node.value.id not in ctx.bindings:
        system = ctx.system_of(node.value.id)
        if node.attr in system.index:
            return ir.Expr(ctx.self_names[node.value.id], system.variable(node.attr).type, (), node.attr, location)
        if node.attr in system.constants:
            value = system.constants[node.attr]
            if type(value) is int:
                ctx.builder.configured[location] = node.attr
            return lowering.named(ctx, node, value)
        if node.attr in system.auxiliary:
            return ir.Expr(ir.Op.STATE, auxiliary_variable(ctx, node).type, (), node.attr, location)
        known = ", ".join([*system.index, *system.constants])
        raise ctx.source.error(node, f"{system.name} has no variable {node.attr!r}; it has {known}.")
    sort = ctx.static(node.value)
    if node.attr in ("bound", "size") and isinstance(sort, SortMeta):
        return _size_of(ctx, node, sort)
    value = ctx.static(node)
    if value is not MISSING:
        return lowering.named(ctx, node, value)
    if node.attr == "index":
        whole = without_none(lowering.lower(ctx, node.value))
        if isinstance(whole.type, OrderedType):
            return position(whole, location)
    return field(ctx, lowering.lower(ctx, node.value), node)


def position(member: ir.Expr, location: Location | None) -> ir.Expr:
    """The number of a member of an Ordered sort."""
    return ir.Expr(ir.Op.POSITION, spanning(0, member.type.cardinality - 1), (member,), None, location)


def _size_of(ctx: Context, node: ast.Attribute, sort: SortMeta) -> ir.Expr:
    """The number of members of a sort, or the largest number of one of numbers: said as the length of the sort, so that a proof for
    any size sees what it rests on."""
    count = len(sort)
    members = lowering.named(ctx, node, sort)
    size = ir.Expr(ir.Op.LEN, spanning(count, count), (members,), None, ctx.location(node))
    if node.attr == "size" or not issubclass(sort, Int):
        return size
    return operators.combine(ctx, node, ast.Sub(), size, lowering.constant(ctx, node, 1 - sort.members()[0]))


def field(ctx: Context, base: ir.Expr, node: ast.Attribute) -> ir.Expr:
    """A field of a record; of a union, where every alternative that has the field has it with one type."""
    having = [(kind, kind.field(node.attr)) for kind in alternatives(base.type) if isinstance(kind, RecordType)]
    found = [(kind, part) for kind, part in having if part is not None]
    location = ctx.location(node)
    if not found:
        raise ctx.source.error(node, f"A {base.type} has no field {node.attr!r}.")
    for kind in alternatives(narrowing.narrowed(ctx, node.value, base).type):
        if kind not in [one for one, _ in found] and classes.has_attribute(kind, node.attr):
            raise ctx.source.outside(
                node,
                f"A {kind} has an attribute {node.attr!r} in Python, which is no field.",
                "Ask first which alternative it is, with `isinstance`, or give the field another name.",
            )
    result: ir.Expr | None = None
    for kind, part in reversed(found):
        whole = base if kind == base.type else ir.Expr(ir.Op.NARROW, kind, (base,), None, location)
        value = ir.Expr(ir.Op.FIELD, part, (whole,), node.attr, location)
        if result is None:
            result = value
        else:
            test = ir.Expr(ir.Op.IS, BOOL, (base,), (kind,), location)
            result = operators.conditional(ctx, node, test, value, result)
    assert result is not None
    return result


def _numbered(ctx: Context, node: ast.Subscript, sort: SortMeta) -> ir.Expr:
    """`Node[i]`, the member of an Ordered sort with a number."""
    kind = lowering.sort_or_value(ctx, node.value).type.children()[0]
    if not isinstance(kind, OrderedType):
        raise ctx.source.error(
            node, f"The members of {sort.__name__} have no numbers: only an Ordered sort is indexed."
        )
    return ir.Expr(ir.Op.MEMBER, kind, (lowering.number(ctx, node.slice),), None, ctx.location(node))


def _subscript(ctx: Context, node: ast.Subscript, expected: Type | None) -> ir.Expr:
    sort = ctx.static(node.value)
    if isinstance(sort, SortMeta):
        return _numbered(ctx, node, sort)
    written = lowering.lower(ctx, node.value)
    base = without_none(written)
    location = ctx.location(node)
    if isinstance(node.slice, ast.Slice):
        return _slice(ctx, written, base, node.slice, node)
    if isinstance(base.type, PartialMapType):
        return partial.value(base, key(ctx, node.slice, base.type), location)
    if isinstance(base.type, MapType):
        return ir.Expr(ir.Op.LOOKUP, base.type.value, (base, key(ctx, node.slice, base.type)), None, location)
    if isinstance(base.type, ListType):
        at = lowering.number(ctx, node.slice)
        found = ir.Expr(ir.Op.INDEX, base.type.element, (base, at), None, location)
        return lowering.narrowed(ctx, node, (written, at), found)
    if isinstance(base.type, TupleType):
        position = ctx.static(node.slice) if not isinstance(node.slice, ast.Constant) else node.slice.value
        if (
            not isinstance(position, int)
            or type(position) not in (int, bool)
            or not -len(base.type.kinds) <= position < len(base.type.kinds)
        ):
            raise ctx.source.error(node, f"A {base.type} is indexed by a number from 0 to {len(base.type.kinds) - 1}.")
        position %= len(base.type.kinds)
        return ir.Expr(ir.Op.COMPONENT, base.type.kinds[position], (base,), position, location)
    raise ctx.source.error(node, f"A {base.type} cannot be indexed.")


def key(ctx: Context, node: ast.expr, kind: MapType) -> ir.Expr:
    """A key of a map. A computed number stays one: out of range it is an error, not a cut."""
    value = lowering.lower(ctx, node, kind.key)
    if compatible(value.type, kind.key):
        return value
    adapted = ctx.adapt(value, kind.key, node)
    if not cuts(adapted, value):
        return adapted
    location = ctx.location(node)
    one = ctx.temporary("key", kind.key, node)
    same = ir.Where(operators.equal(ctx, node, one, value))
    keys = ir.For(str(one.data), kind.key, lowering.domain(kind.key, location), False)
    found = ir.Expr(ir.Op.THE, kind.key, (one,), (keys, same), location)
    return lowering.after(ctx, node, (value,), found)


def _slice(ctx: Context, written: ir.Expr, base: ir.Expr, part: ast.Slice, node: ast.Subscript) -> ir.Expr:
    if not isinstance(base.type, ListType):
        raise ctx.source.error(node, f"Only lists have slices; this is a {base.type}.")
    if part.step is not None:
        raise ctx.source.outside(node, "A slice with a step is outside the compiled subset.", "Write `log[i:j]`.")
    location = ctx.location(node)
    length = ir.Expr(ir.Op.LEN, spanning(0, base.type.capacity), (base,), None, location)
    low = _end(ctx, part.lower, lowering.constant(ctx, node, 0))
    high = _end(ctx, part.upper, length)
    kind = ListType(base.type.element, base.type.capacity, "")
    ends = [end for end, given in ((low, part.lower), (high, part.upper)) if given is not None]
    return lowering.narrowed(ctx, node, (written, *ends), ir.Expr(ir.Op.SLICE, kind, (base, low, high), None, location))


def _end(ctx: Context, written: ast.expr | None, outermost: ir.Expr) -> ir.Expr:
    """An end of a slice; the outermost one where none is written, and where it is None."""
    if written is None:
        return outermost
    value = lowering.lower(ctx, written)
    number = lowering.number_of(ctx, written, value)
    if number is value:
        return number
    return operators.conditional(ctx, written, partial.is_there(value, value.location), number, outermost)


def _tuple(ctx: Context, node: ast.Tuple, expected: Type | None) -> ir.Expr:
    wanted: tuple[Type | None, ...] = (None,) * len(node.elts)
    if isinstance(expected, TupleType) and len(expected.kinds) == len(node.elts):
        wanted = expected.kinds
    parts = tuple(lowering.lower(ctx, part, want) for part, want in zip(node.elts, wanted, strict=True))
    return ir.Expr(ir.Op.TUPLE, TupleType(tuple(part.type for part in parts)), parts, None, ctx.location(node))


def _display(ctx: Context, node: ast.Set | ast.List, expected: Type | None) -> ir.Expr:
    wanted = expected.element if isinstance(expected, SetType | ListType) else None
    parts = [narrowing.wanted(ctx, part, lowering.lower(ctx, part, wanted), wanted) for part in node.elts]
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
        return ir.Expr(ir.Op.SET, SetType(element, None, ""), args, None, ctx.location(node))
    return ir.Expr(ir.Op.LIST, ListType(element, len(args), ""), args, None, ctx.location(node))


def check_hashable(
    ctx: Context, node: ast.AST, written: ast.expr, value: ir.Expr, clauses: tuple[ir.Clause, ...] = ()
) -> None:
    """Reject an element of a set that Python cannot hash: a container, unless it comes out of a set, a record or `frozenset(...)`."""
    frozen = value.op is ir.Op.FIELD or (isinstance(written, ast.Call) and ctx.static(written.func) is frozenset)
    from_set = {
        clause.name for clause in clauses if isinstance(clause, ir.For) and isinstance(clause.source.type, SetType)
    }
    if aliases.mutable(value.type) and not frozen and not (value.op is ir.Op.LOCAL and value.data in from_set):
        raise ctx.source.outside(
            node, f"A {value.type} cannot be an element of a set: Python has no hash for it.", "Write `frozenset(...)`."
        )


RULES: dict[type[ast.expr], Rule] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Tuple: _tuple,
    ast.Set: _display,
    ast.List: _display,
}
