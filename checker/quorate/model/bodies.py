"""Statements: the bodies of actions, properties, procedures and pure functions."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quorate.language.control import require
from quorate.language.types import ListType, MapType, SetType, TupleType, Type, UnionType
from quorate.model import aliases, calls, comprehensions, expressions
from quorate.model.conversion import WireLike, extent, is_number, join, roomy, without_none
from quorate.model.nodes import (
    Assert,
    Assign,
    Break,
    Change,
    Continue,
    Expr,
    If,
    IntType,
    Loop,
    Mutate,
    Op,
    Place,
    Require,
    Return,
    Scope,
    Stmt,
    statements,
)
from quorate.model.order import check_unordered
from quorate.model.source import Source

if TYPE_CHECKING:
    from quorate.model.context import Context

ALLOWED = "Use assignments, `if`, `for`, `require`, `return`, and calls that change a container or are procedures of the spec."
INSTEAD: dict[type[ast.stmt], tuple[str, str]] = {
    ast.While: ("`while`", "Loop over a bounded range, `for i in range(len(xs))`."),
    ast.Try: ("`try`", "Guard with `require` or `if`."),
    ast.With: ("`with`", "Write the statements directly."),
    ast.Delete: ("`del`", "Assign a new value, `self.log = self.log[:i]`; sets have `.discard(x)`."),
    ast.Match: ("`match`", "Write `if isinstance(m, Vote): ... elif ...`."),
    ast.Raise: ("`raise`", "Use `require` to disable an action, `assert` for what must be true."),
    ast.FunctionDef: ("A function inside a method", "Write it as a method, or at the top of the file."),
    ast.Global: ("`global`", "What a spec remembers is a variable of the spec."),
}


def block(ctx: Context, nodes: list[ast.stmt]) -> tuple[Stmt, ...]:
    """A sequence of statements."""
    found: list[Stmt] = []
    for node in nodes:
        rule = RULES.get(type(node))
        if rule is None:
            what, instead = INSTEAD.get(type(node), ("This statement", ALLOWED))
            raise ctx.source.outside(node, f"{what} is outside the compiled subset.", instead)
        found.extend(rule(ctx, node))
        if found and terminates(found[-1]):
            break
    return tuple(found)


def terminates(statement: Stmt) -> bool:
    """Whether nothing after a statement in its block is reached."""
    match statement:
        case Return() | Continue() | Break():
            return True
        case Require(condition=Expr(op=Op.CONST, data=False)):
            return True
        case If(then=then, otherwise=otherwise):
            return bool(then and otherwise) and terminates(then[-1]) and terminates(otherwise[-1])
    return False


# Places


def place(ctx: Context, node: ast.expr) -> Place:
    """Where an assignment or a change goes: `self.x`, a local name, and keys or indices behind them."""
    if isinstance(node, ast.Subscript):
        base = place(ctx, node.value)
        if isinstance(node.slice, ast.Slice):
            raise ctx.source.outside(
                node, "Assigning to a slice is outside the compiled subset.", "Write `self.log = self.log[:i] + [...]`."
            )
        if isinstance(base.type, MapType):
            selector, kind = expressions.key(ctx, node.slice, base.type), base.type.value
        elif isinstance(base.type, ListType):
            selector, kind = expressions.number(ctx, node.slice), base.type.element
        else:
            raise ctx.source.error(
                node,
                f"A {base.type} has no places to assign to. Records, tuples and what unions hold are immutable: "
                f"assign a whole new value.",
            )
        return Place(base.root, base.state, (*base.selectors, selector), (*base.types, kind))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ctx.self_names:
        return _variable(ctx, node, node.value.id)
    if isinstance(node, ast.Name):
        bound = ctx.bindings.get(node.id)
        if bound is None or bound.op is not Op.LOCAL or bound.data not in ctx.findings.types:
            raise ctx.source.error(
                node, f"{node.id} cannot be changed here: it is not a local name that holds a container of its own."
            )
        expressions.lower(ctx, node)
        aliases.check_own(ctx, node, bound.data)
        return Place(bound.data, False, (), (bound.type,))
    raise ctx.source.error(
        node, "This cannot be assigned to. Records are immutable: use `replace(record, field=value)`."
    )


def _variable(ctx: Context, node: ast.Attribute, owner: str) -> Place:
    system = ctx.builder.system
    if node.attr not in system.index:
        raise ctx.source.error(node, f"{system.name} has no variable {node.attr!r}; it has {', '.join(system.index)}.")
    if ctx.self_names[owner] is Op.OLD:
        raise ctx.source.error(node, f"{owner} is the state before the step; it does not change.")
    if ctx.pure:
        raise ctx.source.error(node, "A property or pure function cannot change the state.")
    return Place(node.attr, True, (), (system.variable(node.attr).type,))


def read(ctx: Context, target: Place, node: ast.AST) -> Expr:
    """The value that a place holds."""
    location = ctx.location(node)
    value = Expr(Op.STATE if target.state else Op.LOCAL, target.types[0], (), target.root, location)
    for selector, kind in zip(target.selectors, target.types[1:], strict=True):
        op = Op.LOOKUP if isinstance(value.type, MapType) else Op.INDEX
        value = Expr(op, kind, (value, selector), None, location)
    return value


def assign(ctx: Context, target: ast.expr, value: Expr, node: ast.stmt) -> list[Stmt]:
    """`target = value`."""
    if isinstance(target, ast.Tuple):
        return _unpack(ctx, target, value, node)
    if isinstance(target, ast.Name):
        return [_local(ctx, target, value, node)]
    where = _roomy(ctx, place(ctx, target), value, node)
    made = Assign(where, ctx.adapt(value, where.type, node), ctx.location(node))
    if where.selectors:
        aliases.touch(ctx, where)
    return [made]


def _roomy(ctx: Context, where: Place, value: Expr, node: ast.stmt) -> Place:
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
    return Place(where.root, False, where.selectors, tuple(types))


def _holding(holder: Type, element: Type) -> Type:
    return ListType(element, holder.capacity, "") if isinstance(holder, ListType) else SetType(element, None, "")


def _unpack(ctx: Context, target: ast.Tuple, value: Expr, node: ast.stmt) -> list[Stmt]:
    if not isinstance(value.type, TupleType) or len(value.type.kinds) != len(target.elts):
        raise ctx.source.error(node, f"A {value.type} cannot be taken apart into {len(target.elts)} names.")
    held = ast.copy_location(ast.Name("parts", ast.Store()), target)
    ctx.bindings.pop("parts", None)
    found: list[Stmt] = [_local(ctx, held, value, node)]
    whole = ctx.bindings.pop("parts")
    for position, part in enumerate(target.elts):
        aliases.check_read(ctx, target, whole)
        component = Expr(Op.COMPONENT, value.type.kinds[position], (whole,), position, ctx.location(part))
        found.extend(assign(ctx, part, component, node))
    return found


def _local(ctx: Context, target: ast.Name, value: Expr, node: ast.stmt, annotated: Type | None = None) -> Assign:
    bound = ctx.bindings.get(target.id)
    if bound is not None and (bound.op is not Op.LOCAL or bound.data not in ctx.findings.types):
        raise ctx.source.outside(
            node, f"{target.id} is a parameter or a loop variable and keeps its value.", "Use another name."
        )
    if target.id in ctx.self_names:
        raise ctx.source.error(node, f"{target.id} cannot be assigned to.")
    unique = ctx.fresh(target.id) if bound is None else str(bound.data)
    known = ctx.findings.types.get(unique)
    kind = ctx.findings.grown(known, annotated or value.type, ctx.complain(node))
    ctx.findings.types[unique] = kind
    ctx.bindings[target.id] = Expr(Op.LOCAL, kind, (), unique, ctx.location(target))
    ctx.defined.add(unique)
    aliases.name(ctx, unique, aliases.roots(ctx, value))
    return Assign(Place(unique, False, (), (kind,)), ctx.adapt(value, kind, node), ctx.location(node))


# Rules


def _assign(ctx: Context, node: ast.Assign) -> list[Stmt]:
    if len(node.targets) > 1:
        raise ctx.source.outside(node, "Chained assignment is outside the compiled subset.", "Assign one name a line.")
    return assign(ctx, node.targets[0], expressions.lower(ctx, node.value, _expected(ctx, node.targets[0])), node)


def _expected(ctx: Context, target: ast.expr) -> Type | None:
    """The type of a place, to give displays such as `set()` theirs."""
    if isinstance(target, ast.Name):
        bound = ctx.bindings.get(target.id)
        return bound.type if bound is not None else None
    return None if isinstance(target, ast.Tuple) else place(ctx, target).type


def _annotated(ctx: Context, node: ast.AnnAssign) -> list[Stmt]:
    if node.value is None:
        return []
    if not isinstance(node.target, ast.Name):
        raise ctx.source.error(node, "Only local names are annotated inside a method.")
    known = ctx.static(node.annotation)
    if known is int:
        return assign(ctx, node.target, expressions.lower(ctx, node.value), node)
    kind = ctx.annotation(node.annotation, node.target.id)
    value = expressions.lower(ctx, node.value, kind)
    if is_number(kind):
        return assign(ctx, node.target, value, node)
    kind = SetType(kind.element, None, "") if isinstance(kind, SetType) else kind
    joined = join(kind, value.type)
    if joined is None:
        raise ctx.source.error(node, f"A value of type {value.type} stands where {kind} is expected.")
    return [_local(ctx, node.target, value, node, joined)]


def _augmented(ctx: Context, node: ast.AugAssign) -> list[Stmt]:
    target = place(ctx, node.target) if not isinstance(node.target, ast.Name) else None
    old = read(ctx, target, node) if target is not None else expressions.lower(ctx, node.target)
    value = expressions.combine(ctx, node, node.op, old, without_none(expressions.lower(ctx, node.value, old.type)))
    if aliases.mutable(old.type):  # Python changes the container in place
        where = place(ctx, node.target)
        made = assign(ctx, node.target, value, node)
        aliases.touch(ctx, where)
        return made
    return assign(ctx, node.target, value, node)


def _if(ctx: Context, node: ast.If) -> list[Stmt]:
    test = expressions.condition(ctx, node.test)
    before, shared = set(ctx.defined), dict(ctx.aliases)
    then = block(ctx, node.body)
    after_then, ctx.defined = ctx.defined, before
    shared_then, ctx.aliases = ctx.aliases, shared
    otherwise = block(ctx, node.orelse)
    if then and terminates(then[-1]):
        pass
    elif otherwise and terminates(otherwise[-1]):
        ctx.defined, ctx.aliases = after_then, shared_then
    else:
        ctx.defined &= after_then
        ctx.aliases = aliases.merged(shared_then, ctx.aliases)
    return [If(test, then, otherwise, ctx.location(node))]


def _for(ctx: Context, node: ast.For) -> list[Stmt]:
    if node.orelse:
        raise ctx.source.outside(
            node, "`else` of a loop is outside the compiled subset.", "Compute a condition and use `if`."
        )
    outer, saved = frozenset(ctx.defined), dict(ctx.bindings)
    shared, versions = dict(ctx.aliases), dict(ctx.versions)
    over = comprehensions.ranged(ctx, node.target, node.iter)
    _check_target(ctx, node, saved)
    aliases.name(ctx, over.name, aliases.roots(ctx, over.source))
    body = (*_held(ctx, node, saved), *block(ctx, node.body))
    changed = frozenset(root for root, version in ctx.versions.items() if versions.get(root, 0) != version)
    aliases.check_rounds(ctx, node, body, shared, changed, outer)
    _check_source(ctx, node, over, body, changed)
    ctx.aliases = aliases.merged(shared, ctx.aliases)
    ctx.defined = set(outer)
    ctx.bindings = {name: value for name, value in ctx.bindings.items() if name in saved} | saved
    loop = Loop(over.name, over.type, over.source, body, over.ordered, ctx.location(node))
    if not over.ordered:
        check_unordered(ctx.source, node, loop, outer, ctx.builder.functions)
    return [loop]


def _check_target(ctx: Context, node: ast.For, saved: dict[str, Expr]) -> None:
    for part in ast.walk(node.target):
        if isinstance(part, ast.Name) and (part.id in saved or part.id in ctx.self_names):
            raise ctx.source.outside(
                part, f"{part.id} has a value already, which this loop would replace.", "Use another name."
            )


def _held(ctx: Context, node: ast.For, saved: dict[str, Expr]) -> list[Stmt]:
    """Give the values of `for k, v in m.items()` a local of their own: the body may change the map."""
    found: list[Stmt] = []
    for name, value in list(ctx.bindings.items()):
        if value is not saved.get(name) and any(part.op in (Op.LOOKUP, Op.INDEX) for part in value.walk()):
            del ctx.bindings[name]
            target = ast.copy_location(ast.Name(name, ast.Store()), node.target)
            found.append(_local(ctx, target, value, node))
    return found


def _check_source(
    ctx: Context, node: ast.For, over: comprehensions.Range, body: tuple[Stmt, ...], changed: frozenset[str]
) -> None:
    """Reject a body that changes what its loop walks along: Python would see the change while it is on its way.

    Sets and networks of the state are the exception, whose iterators walk along a copy.
    """
    walked = over.source if over.walked is None else over.walked
    behind = aliases.roots(ctx, walked) & changed
    live = isinstance(walked.type, ListType) or not all(name.startswith("self.") for name in behind)
    if behind and (live or (over.walked is not None and not isinstance(walked.type, MapType))):
        raise ctx.source.outside(
            node, f"The loop ranges over {min(behind)} and changes it.", "Range over a copy, `list(...)` or `set(...)`."
        )
    if over.walked is None:
        return
    read = {part.data for part in walked.walk() if part.op in (Op.STATE, Op.LOCAL)}
    for statement in statements(body):
        if (
            isinstance(statement, Assign)
            and statement.target.root in read
            and len(statement.target.selectors) < depth(walked) + 1
        ):
            raise ctx.source.outside(
                node,
                f"The loop ranges over {aliases.root(statement.target)} and replaces it.",
                "Give what it ranges over a name before the loop.",
            )


def depth(value: Expr) -> int:
    """How many keys and indices lead to a value."""
    return sum(part.op in (Op.LOOKUP, Op.INDEX) for part in value.walk())


def _return(ctx: Context, node: ast.Return) -> list[Stmt]:
    location = ctx.location(node)
    if node.value is None or (not ctx.pure and isinstance(node.value, ast.Constant) and node.value.value is None):
        if ctx.pure:
            raise ctx.source.error(node, "A property or pure function returns a value.")
        return [Return(None, location)]
    if not ctx.pure:
        raise ctx.source.error(node, "An action or procedure returns nothing.")
    value = expressions.lower(ctx, node.value, ctx.declared_result or ctx.wanted_result)
    if ctx.declared_result is not None:
        return [Return(ctx.adapt(value, ctx.declared_result, node), location)]
    need = value.type if ctx.wanted_result is None else roomy(ctx.wanted_result, value.type)
    kind = ctx.findings.grown(ctx.findings.result, need, ctx.complain(node))
    ctx.findings.result = kind
    return [Return(ctx.adapt(value, kind, node), location)]


def _assert(ctx: Context, node: ast.Assert) -> list[Stmt]:
    return [Assert(expressions.condition(ctx, node.test), ctx.location(node))]


def _jump(ctx: Context, node: ast.Break | ast.Continue) -> list[Stmt]:
    return [Break(ctx.location(node)) if isinstance(node, ast.Break) else Continue(ctx.location(node))]


def _expression(ctx: Context, node: ast.Expr) -> list[Stmt]:
    value = node.value
    if isinstance(value, ast.Constant):
        return []
    if not isinstance(value, ast.Call):
        if type(value) in expressions.INSTEAD:
            expressions.lower(ctx, value)
        raise ctx.source.error(node, "This line does nothing: assign its value to a name, or remove it.")
    if ctx.static(value.func) is require:
        if ctx.pure:
            raise ctx.source.error(node, "`require` guards actions; a property or pure function returns its value.")
        if len(value.args) != 1:
            raise ctx.source.error(node, "require takes one condition.")
        return [Require(expressions.condition(ctx, value.args[0]), ctx.location(node))]
    method = calls.own_method(ctx, value.func)
    if method is not None:
        return _procedure(ctx, node, value, *method)
    if isinstance(value.func, ast.Attribute) and value.func.attr in CHANGES:
        return _change(ctx, node, value, value.func)
    raise ctx.source.outside(node, "This call has no effect that the model knows.", ALLOWED)


def _procedure(ctx: Context, node: ast.Expr, call: ast.Call, function: Any, owner: type, self_op: Op) -> list[Stmt]:
    """Inline a call of an own method that changes the state."""
    if isinstance(function, staticmethod) or self_op is Op.OLD or ctx.pure:
        raise ctx.source.error(
            node, "This line does nothing: the call returns a value, or may not change the state here."
        )
    if function in ctx.inlining:
        raise ctx.source.outside(node, f"{function.__name__} calls itself.", "Recursion has no bound; write a loop.")
    values = calls.arguments(ctx, call, function, owner, 1)
    source = Source.of(function, owner)
    outside = ctx.source, ctx.bindings, ctx.self_names, ctx.inlining
    before: list[Stmt] = []
    bindings: dict[str, Expr] = {}
    for name, value in values:
        if name in source.stored:
            raise source.outside(source.tree, f"{name} is a parameter and keeps its value.", "Use another name.")
        if value.op in (Op.LOCAL, Op.CONST):
            bindings[name] = value
            continue
        ctx.bindings = dict(outside[1])
        ctx.bindings.pop(name, None)
        before.append(_local(ctx, ast.copy_location(ast.Name(name, ast.Store()), node), value, node))
        bindings[name] = ctx.bindings[name]
    first = next(iter(inspect.signature(function).parameters))
    ctx.source, ctx.bindings, ctx.self_names = source, bindings, {first: Op.STATE}
    ctx.inlining = (*ctx.inlining, function)
    body = block(ctx, source.body)
    ctx.source, ctx.bindings, ctx.self_names, ctx.inlining = outside
    return [*before, Scope(function.__name__, body, ctx.location(node))]


def _change(ctx: Context, node: ast.Expr, call: ast.Call, func: ast.Attribute) -> list[Stmt]:
    """A call such as `self.votes[s].add(t)`."""
    target = place(ctx, func.value)
    name = func.attr
    _check_change(ctx, node, call, target, name)
    old = read(ctx, target, node)
    if name in ("update", "extend"):
        op: ast.operator = ast.BitOr() if name == "update" else ast.Add()
        value = expressions.combine(ctx, node, op, old, without_none(expressions.lower(ctx, call.args[0], old.type)))
        return _replaced(ctx, target, value, node)
    element = expressions.element_type(target.type)
    assert element is not None
    if name == "insert":
        return _replaced(ctx, target, _inserted(ctx, old, call, element), node)
    values = [expressions.lower(ctx, part, element) for part in call.args]
    if name == "add" and not target.state:
        expressions.check_hashable(ctx, node, call.args[0], values[0])
        target = _roomy(ctx, target, Expr(Op.SET, SetType(values[0].type, None, ""), ()), node)
        element = target.type.children()[0]
    elif not target.state:  # looked for, never stored: no bound applies
        element = roomy(element, values[0].type) if values else element
    made = Mutate(Change(name), target, tuple(ctx.adapt(value, element, node) for value in values), ctx.location(node))
    aliases.touch(ctx, target)
    return [made]


def _check_change(ctx: Context, node: ast.Expr, call: ast.Call, target: Place, name: str) -> None:
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
    if name in ("append", "insert") and not target.state:
        raise ctx.source.outside(
            node, "A local list that grows is outside the compiled subset.", "Write a list comprehension, or `a + b`."
        )
    if len(call.args) != wanted or call.keywords:
        raise ctx.source.outside(
            node, f".{name}() takes {wanted} argument{'s' * (wanted != 1)} here.", "`xs.pop()` drops the last element."
        )


def _replaced(ctx: Context, target: Place, value: Expr, node: ast.stmt) -> list[Stmt]:
    """A change in place that the model makes by replacing the container."""
    target = _roomy(ctx, target, value, node)
    aliases.touch(ctx, target)
    return [Assign(target, ctx.adapt(value, target.type, node), ctx.location(node))]


def _inserted(ctx: Context, old: Expr, call: ast.Call, element: Type) -> Expr:
    """`old[:i] + [x] + old[i:]`, which is what `.insert(i, x)` leaves."""
    position = expressions.number(ctx, call.args[0])
    value = expressions.lower(ctx, call.args[1], element)
    one = Expr(Op.LIST, ListType(value.type, 1, ""), (value,), None, value.location)
    zero = expressions.constant(ctx, call, 0)
    kind = ListType(expressions.element_type(old.type) or element, extent(old), "")
    length = Expr(Op.LEN, IntType(0, kind.capacity), (old,), None, old.location)
    first, rest = (
        Expr(Op.SLICE, kind, (old, *ends), None, old.location) for ends in ((zero, position), (position, length))
    )
    return expressions.combine(ctx, call, ast.Add(), expressions.combine(ctx, call, ast.Add(), first, one), rest)


CHANGES: dict[str, tuple[Any, int]] = {
    "add": (SetType, 1),
    "discard": (SetType, 1),
    "remove": (SetType, 1),
    "update": (SetType, 1),
    "clear": (SetType | ListType, 0),
    "append": (ListType, 1),
    "pop": (ListType, 0),
    "extend": (ListType, 1),
    "insert": (ListType, 2),
    "sort": ((), 0),
    "reverse": ((), 0),
    "send": (WireLike, 1),
    "receive": (WireLike, 1),
    "drop": (WireLike, 1),
}
"""For each method that changes a container: the types that have it, and how many arguments it takes."""

Rule = Callable[["Context", Any], list[Stmt]]
RULES: dict[type[ast.stmt], Rule] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.Return: _return,
    ast.Assert: _assert,
    ast.Break: _jump,
    ast.Continue: _jump,
    ast.Expr: _expression,
    ast.Pass: lambda ctx, node: [],
}
