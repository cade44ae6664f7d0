"""Calls: the language's functions, the pure methods of containers and records, and an author's own functions."""

from __future__ import annotations

import ast
import enum
import inspect
import types as pytypes
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from quorate.language import functions as builtin
from quorate.language.records import replace
from quorate.language.resolve import record_type
from quorate.language.sorts import Identity, Int
from quorate.language.types import (
    BoolType,
    EnumType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NoneType,
    OrderedType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
    is_record,
)
from quorate.model import comprehensions, expressions, lowering, operators
from quorate.model import nodes as ir
from quorate.model.context import Context, Rule
from quorate.model.conversion import WireLike, alternatives, extent, join, roomy, without_none
from quorate.model.ranges import computed, ends, limits, spanning
from quorate.model.source import MISSING

BOOL = BoolType()


def call(ctx: Context, node: ast.Call, expected: Type | None) -> ir.Expr:
    """A call as an expression."""
    method = own_method(ctx, node.func)
    if method is not None:
        function, owner, self_op = method
        return user_call(ctx, node, function, owner, self_op)
    target = ctx.static(node.func)
    if target is not MISSING:
        return _static_call(ctx, node, target, expected)
    if isinstance(node.func, ast.Attribute):
        return _method_call(ctx, node, node.func)
    raise ctx.source.outside(node, "This call is outside the compiled subset.", "Call functions and methods by name.")


def _static_call(ctx: Context, node: ast.Call, target: Any, expected: Type | None) -> ir.Expr:
    if any(isinstance(part, ast.Starred) for part in node.args) or any(
        keyword.arg is None for keyword in node.keywords
    ):
        raise ctx.source.outside(
            node, "Starred arguments are outside the compiled subset.", "Write the arguments one by one."
        )
    rule = BUILTINS.get(target) if isinstance(target, Hashable) and callable(target) else None
    if rule is not None:
        _check_arguments(ctx, node, target)
        return rule(ctx, node, expected) if target in TYPED else rule(ctx, node)
    if isinstance(target, type) and issubclass(target, Int):
        if len(node.args) > 1 or node.keywords:
            raise ctx.source.error(node, f"{target.__name__}(n) takes one number.")
        return lowering.number(ctx, node.args[0]) if node.args else lowering.constant(ctx, node, 0)
    if isinstance(target, type) and issubclass(target, Identity):
        raise ctx.source.outside(
            node, f"{target.__name__}(...) names a single member.", "Use a parameter or a quantifier."
        )
    if is_record(target):
        return _record(ctx, node, target)
    if inspect.isfunction(target):
        return user_call(ctx, node, target, None, None)
    name = getattr(target, "__name__", repr(target))
    raise ctx.source.outside(
        node,
        f"Calls of {name} are outside the compiled subset.",
        "Use the language's functions, the spec's own methods, records and typed module-level functions.",
    )


def _check_arguments(ctx: Context, node: ast.Call, target: Any) -> None:
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


def own_method(ctx: Context, node: ast.expr) -> tuple[Any, type, ir.Op] | None:
    """`self.method`, `old.method` or `super().method`: the function, the class it is found in, and whose state it
    reads.
    """
    if not isinstance(node, ast.Attribute):
        return None
    spec = ctx.builder.system.spec
    base = node.value
    if isinstance(base, ast.Name) and base.id in ctx.self_names and base.id not in ctx.bindings:
        order, self_op = spec.__mro__, ctx.self_names[base.id]
    elif isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "super" and not base.args:
        owner = ctx.source.owner or spec
        order, self_op = spec.__mro__[spec.__mro__.index(owner) + 1 :], next(iter(ctx.self_names.values()), ir.Op.STATE)
    else:
        return None
    for cls in order:
        if node.attr in cls.__dict__:
            found = cls.__dict__[node.attr]
            if inspect.isfunction(found) or (isinstance(found, staticmethod) and inspect.isfunction(found.__func__)):
                return found, cls, self_op
            if node.attr in ctx.builder.system.index:
                return None
            raise ctx.source.outside(
                node,
                f"{cls.__name__}.{node.attr} is no plain method: it is a {type(found).__name__}.",
                "Define it with `def`, without a decorator that wraps it.",
            )
    if node.attr in ctx.builder.system.index:
        return None
    raise ctx.source.error(node, f"{spec.__name__} has no method {node.attr!r}.")


def bound_arguments(ctx: Context, node: ast.Call, function: Any, skip: int) -> list[tuple[str, ast.expr | Any]]:
    """The parameters of a call with their argument nodes (or default objects), in order."""
    signature = inspect.signature(function)
    if any(part.kind in (part.VAR_POSITIONAL, part.VAR_KEYWORD) for part in signature.parameters.values()):
        raise ctx.source.outside(
            node, f"{function.__name__} takes any number of arguments.", "Give it a fixed list of parameters."
        )
    names = list(signature.parameters)[skip:]
    given: dict[str, Any] = dict(zip(names, node.args, strict=False))
    if len(node.args) > len(names):
        raise ctx.source.error(node, f"{function.__name__} takes {len(names)} arguments, not {len(node.args)}.")
    for keyword in node.keywords:
        if keyword.arg not in names or keyword.arg in given:
            raise ctx.source.error(node, f"{function.__name__} has no free parameter {keyword.arg!r}.")
        given[keyword.arg] = keyword.value
    for name in names:
        default = signature.parameters[name].default
        if name not in given:
            if default is inspect.Parameter.empty:
                raise ctx.source.error(node, f"{function.__name__} needs the argument {name!r}.")
            given[name] = default
    return [(name, given[name]) for name in names]


def arguments(ctx: Context, node: ast.Call, function: Any, owner: type | None, skip: int) -> list[tuple[str, ir.Expr]]:
    """The lowered arguments of a call of an author's function, unions taken from the annotations."""
    declared = ctx.parameter_hints(function, owner)
    found = []
    for name, given in bound_arguments(ctx, node, function, skip):
        want = declared.get(name)
        value = lowering.lower(ctx, given, want) if isinstance(given, ast.expr) else lowering.constant(ctx, node, given)
        if isinstance(want, UnionType) or (want is not None and isinstance(value.type, UnionType)):
            value = ctx.adapt(value, roomy(want, value.type), node)
        found.append((name, value))
    return found


def user_call(ctx: Context, node: ast.Call, function: Any, owner: type | None, self_op: ir.Op | None) -> ir.Expr:
    """A call of a pure function or method of the author."""
    if isinstance(function, staticmethod):
        function, self_op = function.__func__, None
    return _called(
        ctx, node, function, owner, self_op, arguments(ctx, node, function, owner, 0 if self_op is None else 1)
    )


def _called(
    ctx: Context,
    node: ast.Call,
    function: Any,
    owner: type | None,
    self_op: ir.Op | None,
    values: list[tuple[str, ir.Expr]],
) -> ir.Expr:
    made = ctx.builder.function(
        ctx, node, function, owner, self_op, tuple((name, value.type) for name, value in values)
    )
    result = ir.Expr(ir.Op.CALL, made.result, tuple(value for _, value in values), made.key, ctx.location(node))
    return (
        lowering.in_order(ctx, node, [value for _, value in as_written(node, values)], result)
        if node.keywords
        else result
    )


def as_written(node: ast.Call, values: list[tuple[str, ir.Expr]]) -> list[tuple[str, ir.Expr]]:
    """The arguments of a call in the order in which Python evaluates them; defaults, which are constants, are among the first."""
    keywords = [str(keyword.arg) for keyword in node.keywords]
    by_name = dict(values)
    given = [(name, value) for name, value in values if name not in keywords]
    return [*given, *((name, by_name[name]) for name in keywords)]


def _record(ctx: Context, node: ast.Call, cls: type) -> ir.Expr:
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
    values = []
    for name in names:
        if name not in lowered and name not in vars(cls):
            raise ctx.source.error(node, f"{cls.__name__} needs the field {name!r}.")
        values.append(lowered[name] if name in lowered else lowering.constant(ctx, node, vars(cls)[name]))
    parts = [
        ctx.adapt(value, part, given.get(name, node)) for (name, part), value in zip(kind.fields, values, strict=True)
    ]
    result = ir.Expr(ir.Op.RECORD, kind, tuple(parts), None, ctx.location(node))
    written = [lowered[name] for name in given] + [
        value for name, value in zip(names, values, strict=True) if name not in lowered
    ]
    return lowering.built(ctx, node, written, values, result)


def _replace(ctx: Context, node: ast.Call) -> ir.Expr:
    written = lowering.lower(ctx, node.args[0])
    base = without_none(written)
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


def _method_call(ctx: Context, node: ast.Call, func: ast.Attribute) -> ir.Expr:
    base = without_none(lowering.lower(ctx, func.value))
    if isinstance(base.type, RecordType):
        function = vars(base.type.sort).get(func.attr)
        if inspect.isfunction(function):
            first = next(iter(inspect.signature(function).parameters))
            values = [(first, base), *arguments(ctx, node, function, None, 1)]
            return _called(ctx, node, function, None, None, values)
    if isinstance(base.type, OrderedType) and func.attr in NEIGHBOURS and not node.args and not node.keywords:
        return _neighbour(ctx, node, base, NEIGHBOURS[func.attr])
    if isinstance(base.type, SetType) and func.attr in SET_METHODS and len(node.args) == 1:
        return SET_METHODS[func.attr](ctx, node, base, without_none(lowering.lower(ctx, node.args[0], base.type)))
    if isinstance(base.type, SetType | ListType) and func.attr == "copy" and not node.args:
        return base
    raise ctx.source.outside(
        node,
        f"The method .{func.attr}() of {base.type} cannot be used in an expression.",
        "Methods that change a container are ir.statements of their own.",
    )


NEIGHBOURS = {"next": 1, "previous": -1}
"""Methods of the members of an Ordered sort: how far away in the ring their result is."""


def _neighbour(ctx: Context, node: ast.Call, member: ir.Expr, distance: int) -> ir.Expr:
    location, count = ctx.location(node), member.type.cardinality
    at = expressions.position(member, location)
    moved = operators.combine(ctx, node, ast.Add(), at, lowering.constant(ctx, node, distance))
    around = operators.combine(ctx, node, ast.Mod(), moved, lowering.constant(ctx, node, count))
    return ir.Expr(ir.Op.MEMBER, member.type, (around,), None, location)


def _operator(op: ast.operator) -> Callable[..., ir.Expr]:
    return lambda ctx, node, left, right: operators.combine(ctx, node, op, left, right)


def _subset(ctx: Context, node: ast.Call, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    kind = join(left.type, right.type)
    if kind is None:
        raise ctx.source.error(node, f"These sets have different elements: {left.type} and {right.type}.")
    return ir.Expr(
        ir.Op.SUBSET, BOOL, (ctx.adapt(left, kind, node), ctx.adapt(right, kind, node)), None, ctx.location(node)
    )


SET_METHODS: dict[str, Callable[..., ir.Expr]] = {
    "union": _operator(ast.BitOr()),
    "intersection": _operator(ast.BitAnd()),
    "difference": _operator(ast.Sub()),
    "issubset": _subset,
    "issuperset": lambda ctx, node, left, right: lowering.in_order(
        ctx, node, (left, right), _subset(ctx, node, right, left)
    ),
}


def _len(ctx: Context, node: ast.Call) -> ir.Expr:
    value = without_none(lowering.sort_or_value(ctx, node.args[0]))
    location = ctx.location(node)
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
    values = [lowering.number(ctx, part) for part in node.args]
    low = values[0] if len(values) == 2 else lowering.constant(ctx, node, 0)
    high = values[-1]
    (least, _), (_, most) = ends(low.type), ends(high.type)
    kind = spanning(least, max(most - 1, least))
    length = max(limits(high.type)[1] - limits(low.type)[0], 0)
    return ir.Expr(ir.Op.RANGE, ListType(kind, length, ""), (low, high), None, ctx.location(node))


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


def _isinstance(ctx: Context, node: ast.Call) -> ir.Expr:
    value = lowering.lower(ctx, node.args[0])
    if any(isinstance(kind, SetType | WireLike) for kind in alternatives(value.type)):
        raise ctx.source.outside(
            node,
            f"Whether a {value.type} is a set or a frozenset is not part of its value.",
            "Every value of it is one.",
        )
    wanted = tuple(_classes(ctx, node.args[1]))
    if any(isinstance(cls, type) and issubclass(cls, Int) for cls in wanted):
        raise ctx.source.outside(
            node, "Numbers are plain int when the spec runs, whatever their Nat.", "Write `isinstance(x, int)`."
        )
    found = tuple(kind for kind in alternatives(value.type) if any(_is_of(kind, cls) for cls in wanted))
    location = ctx.location(node)
    if not isinstance(value.type, UnionType) or len(found) == len(alternatives(value.type)):
        return lowering.after(ctx, node, (value,), ir.Expr(ir.Op.CONST, BOOL, (), bool(found), location))
    if not found:
        raise ctx.source.error(node, f"A {value.type} is never of this class.")
    return ir.Expr(ir.Op.IS, BOOL, (value,), found, location)


def _classes(ctx: Context, node: ast.expr) -> Iterator[type]:
    """The classes that the second argument of `isinstance` names: a class, a union or a tuple of those, a name for any of them."""
    if isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from _classes(ctx, part)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from _classes(ctx, node.left)
        yield from _classes(ctx, node.right)
    elif isinstance(node, ast.Constant) and node.value is None:
        yield type(None)
    else:
        yield from _class(ctx, node, ctx.static(node))


def _class(ctx: Context, node: ast.expr, named: Any) -> Iterator[type]:
    if isinstance(named, pytypes.UnionType | tuple):
        for part in named.__args__ if isinstance(named, pytypes.UnionType) else named:
            yield from _class(ctx, node, part)
    elif isinstance(named, type) and type(named).__instancecheck__ in _PLAIN_CHECKS:
        yield named
    else:
        raise ctx.source.outside(
            node, "This names no class that isinstance can be asked for here.", "Write a class, `A | B` or `(A, B)`."
        )


_PLAIN_CHECKS = (type.__instancecheck__, enum.EnumMeta.__instancecheck__)
"""The tests of classes whose instances are those of the class and its subclasses, and no others."""
PYTHON_CLASSES: tuple[tuple[type[Type], type], ...] = (
    (NoneType, type(None)),
    (BoolType, bool),
    (NatType, int),
    (ir.IntType, int),
    (TupleType, tuple),
)
"""The Python class of the values of types that are not named after one."""


def _is_of(kind: Type, cls: type) -> bool:
    """Whether the values of a type are instances of a class, as Python's `isinstance` says."""
    for plain, python in PYTHON_CLASSES:
        if isinstance(kind, plain):
            return issubclass(python, cls)
    if isinstance(kind, RecordType | EnumType | IdentityType):
        return issubclass(kind.sort, cls)
    base = {ListType: list, SetType: None, MapType: dict}.get(type(kind))
    if base is None:
        raise TypeError(f"isinstance of a {kind} is not decided by its type")
    return issubclass(base, cls)


def _sort(ctx: Context, node: ast.expr) -> Type:
    sort = lowering.sort_or_value(ctx, node)
    if sort.op is not ir.Op.DOMAIN or not isinstance(sort.type, SetType):
        raise ctx.source.error(node, "A sort is expected here, such as Server.")
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
    names = list(inspect.signature(function).parameters)[0 if self_op is None else 1 :]
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
    isinstance: _isinstance,
    builtin.the: comprehensions.the,
    builtin.is_majority: _majority,
    builtin.is_quorum: _quorum,
    builtin.linearizable: _linearizable,
    replace: _replace,
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


RULES: dict[type[ast.expr], Rule] = {ast.Call: call}
