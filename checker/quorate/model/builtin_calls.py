"""Calls of the language's functions, and of those of Python's that it has."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

from quorate.language import functions as builtin
from quorate.language.known import positional
from quorate.language.records import replace
from quorate.language.types import (
    IdentityType,
    ListType,
    MapType,
    PartialMapType,
    RecordType,
    SetType,
    TupleType,
    Type,
)
from quorate.model import comprehensions, lowering, partial, records
from quorate.model import nodes as ir
from quorate.model.classes import is_instance
from quorate.model.context import Context
from quorate.model.conversion import alternatives, extent, without_none
from quorate.model.lowering import BOOL
from quorate.model.own_calls import own_method, own_self
from quorate.model.ranges import computed, ends, spanning


def check_arguments(ctx: Context, node: ast.Call, target: Any) -> None:
    """Reject arguments that Python would heed and the rules below would not."""
    least, most, keywords = ACCEPTS[target]
    name = target.__name__
    if not least <= len(node.args) <= most:
        many = str(least) if least == most else f"{least} to {most}"
        raise ctx.source.outside(
            node, f"{name} takes {many} argument{'s' * (many != '1')} here, not {len(node.args)}.", ALLOWED
        )
    for keyword in node.keywords:
        if keywords is not None and (keyword.arg not in keywords or (len(node.args) > 1 and keyword.arg == "default")):
            raise ctx.source.outside(node, f"{name}({keyword.arg}=...) is outside the compiled subset.", ALLOWED)


def _len(ctx: Context, node: ast.Call) -> ir.Expr:
    value = without_none(lowering.sort_or_value(ctx, node.args[0]))
    location = ctx.location(node)
    if isinstance(value.type, PartialMapType):
        keys = partial.keys(ctx, node, value)
        return ir.Expr(ir.Op.LEN, spanning(0, extent(keys)), (keys,), None, location)
    if isinstance(value.type, MapType):
        return lowering.after(ctx, node, (value,), lowering.constant(ctx, node, value.type.key.cardinality))
    if value.op is ir.Op.DOMAIN:
        return ir.Expr(ir.Op.LEN, spanning(extent(value), extent(value)), (value,), None, location)
    if isinstance(value.type, TupleType):
        return lowering.after(ctx, node, (value,), lowering.constant(ctx, node, len(value.type.kinds)))
    if not comprehensions.collection(value):
        raise ctx.source.error(node, f"len takes a collection or a sort; this is a {value.type}.")
    return ir.Expr(ir.Op.LEN, spanning(0, extent(value)), (value,), None, location)


def _abs(ctx: Context, node: ast.Call) -> ir.Expr:
    value = lowering.number(ctx, node.args[0])
    return ir.Expr(ir.Op.ABS, computed(ir.Op.ABS, value.type), (value,), None, ctx.location(node))


def _range(ctx: Context, node: ast.Call) -> ir.Expr:
    values = lowering.numbers(ctx, node.args)
    low = values[0] if len(values) == 2 else lowering.constant(ctx, node, 0)
    high = values[-1]
    (least, _), (_, most) = ends(low.type), ends(high.type)
    kind, lengths = spanning(least, max(most - 1, least)), spanning(0, max(most - least, 0))
    return ir.Expr(ir.Op.RANGE, ListType(kind, lengths.high, ""), (low, high), None, ctx.location(node))


def _collection(build: Callable[[Context, ast.Call], ir.Expr], empty: ir.Op) -> Callable[..., ir.Expr]:
    def lower(ctx: Context, node: ast.Call, expected: Type | None) -> ir.Expr:
        if node.args:
            return build(ctx, node)
        wanted = expected.element if isinstance(expected, SetType | ListType) else None
        if wanted is None:
            raise ctx.source.error(
                node,
                "The type of this empty collection is not known here. Annotate the name: `seen: set[Server] = set()`.",
            )
        kind: Type = SetType(wanted, None, "") if empty is ir.Op.SET else ListType(wanted, 0, "")
        return ir.Expr(empty, kind, (), None, ctx.location(node))

    return lower


def _int(ctx: Context, node: ast.Call) -> ir.Expr:
    value = lowering.lower(ctx, node.args[0])
    if value.type == BOOL:
        return lowering.as_number(ctx, node, value)
    return lowering.number(ctx, node.args[0])


def _sort(ctx: Context, node: ast.expr) -> Type:
    sort = lowering.sort_or_value(ctx, node)
    if (
        sort.op is not ir.Op.DOMAIN
        or not isinstance(sort.type, SetType)
        or not isinstance(sort.type.element, IdentityType)
    ):
        raise ctx.source.error(node, "A Scalarset or Ordered sort is expected here, such as Server.")
    return sort.type.element


def _members(ctx: Context, node: ast.expr, sort: Type) -> ir.Expr:
    members = without_none(lowering.lower(ctx, node, SetType(sort, None, "")))
    if not isinstance(members.type, SetType) or members.type.element != sort:
        raise ctx.source.error(node, f"A set of {sort} is expected here; this is a {members.type}.")
    return members


def _majority(ctx: Context, node: ast.Call) -> ir.Expr:
    sort = _sort(ctx, node.args[1])
    return ir.Expr(ir.Op.MAJORITY, BOOL, (_members(ctx, node.args[0], sort),), sort, ctx.location(node))


def _quorum(ctx: Context, node: ast.Call) -> ir.Expr:
    sort = _sort(ctx, node.args[2])
    args = (_members(ctx, node.args[0], sort), lowering.number(ctx, node.args[1]))
    return ir.Expr(ir.Op.QUORUM, BOOL, args, sort, ctx.location(node))


def _linearizable(ctx: Context, node: ast.Call) -> ir.Expr:
    history = lowering.lower(ctx, node.args[0])
    function = ctx.static(node.args[1])
    method = own_method(ctx, node.args[1])
    owner, self_op = None, None
    if method is not None:
        function, owner, self_op = method
        if isinstance(function, staticmethod):
            function, self_op = function.__func__, None
    if not isinstance(history.type, ListType) or not inspect.isfunction(function):
        raise ctx.source.error(
            node, "linearizable(history, model, initial) takes a list of events, a function and a state."
        )
    declared = ctx.parameter_hints(function, owner)
    if self_op is not None:
        own_self(ctx, node, function)
    names = positional(function)[0 if self_op is None else 1 :]
    state = declared.get(names[0]) if len(names) == 2 else None
    if state is None:
        raise ctx.source.error(
            node,
            "The sequential model is `def model(state: S, event: E) -> tuple[bool, S]`, with types of the language.",
        )
    made = ctx.builder.function(
        ctx,
        node,
        function,
        owner,
        self_op,
        ((names[0], state), (names[1], history.type.element)),
        TupleType((BOOL, state)),
    )
    initial = ctx.adapt(lowering.lower(ctx, node.args[2], state), state, node)
    _check_events(ctx, node, history.type.element)
    return ir.Expr(ir.Op.LINEARIZABLE, BOOL, (history, initial), made.key, ctx.location(node))


def _check_events(ctx: Context, node: ast.Call, event: Type) -> None:
    for kind in alternatives(event):
        if not isinstance(kind, RecordType) or kind.field("client") is None or kind.field("returned") != BOOL:
            raise ctx.source.error(
                node, f"Events of a history are records with the fields `client` and `returned: bool`; {kind} is not."
            )
    clients = {kind.field("client") for kind in alternatives(event) if isinstance(kind, RecordType)}
    if len(clients) != 1:
        raise ctx.source.error(node, "The field `client` has different types in the alternatives of the events.")


BUILTINS: dict[Any, Callable[..., ir.Expr]] = {
    len: _len,
    abs: _abs,
    int: _int,
    range: _range,
    all: comprehensions.quantifier(ir.Op.ALL),
    any: comprehensions.quantifier(ir.Op.ANY),
    sum: comprehensions.total,
    min: comprehensions.extreme(ir.Op.MIN_OF, ir.Op.MIN),
    max: comprehensions.extreme(ir.Op.MAX_OF, ir.Op.MAX),
    sorted: comprehensions.as_sorted,
    set: _collection(comprehensions.as_set, ir.Op.SET),
    frozenset: _collection(comprehensions.as_set, ir.Op.SET),
    list: _collection(comprehensions.as_list, ir.Op.LIST),
    isinstance: is_instance,
    builtin.the: comprehensions.the,
    builtin.is_majority: _majority,
    builtin.is_quorum: _quorum,
    builtin.linearizable: _linearizable,
    replace: records.replaced,
}

TYPED = (set, frozenset, list)

ACCEPTS: dict[Any, tuple[int, int, frozenset[str] | None]] = {
    **dict.fromkeys((len, abs, int, all, any, sum), (1, 1, frozenset())),
    **dict.fromkeys((set, frozenset, list), (0, 1, frozenset())),
    **dict.fromkeys((min, max), (1, 99, frozenset({"default"}))),
    range: (1, 2, frozenset()),
    sorted: (1, 1, frozenset({"reverse", "key"})),
    isinstance: (2, 2, frozenset()),
    builtin.the: (1, 2, frozenset({"default"})),
    builtin.is_majority: (2, 2, frozenset()),
    builtin.is_quorum: (3, 3, frozenset()),
    builtin.linearizable: (3, 3, frozenset()),
    replace: (1, 1, None),
}
"""For each function: the fewest and the most arguments, and its keywords (None: any)."""

ALLOWED = "Write `len(x)`, `sum(... for ...)`, `max(..., default=0)`, `range(a, b)`, `sorted(xs, reverse=True)`, `the(..., default)`."
