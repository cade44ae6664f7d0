"""Statements: the bodies of actions, properties, procedures and pure functions."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from typing import Any, assert_never

from quorate.language.control import require
from quorate.language.types import EnumType, ListType, MapType, RecordType, SetType, UnionType
from quorate.model import (
    aliases,
    auxiliary,
    changes,
    comprehensions,
    lowering,
    narrowing,
    operators,
    own_calls,
    partial,
    places,
)
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.conversion import alternatives, join, roomy, without_none
from quorate.model.order import check_unordered
from quorate.model.ranges import is_number

ALLOWED = "Use assignments, `if`, `for`, `require`, `return`, and calls that change a container or are procedures of the spec."


INSTEAD: dict[type[ast.stmt], tuple[str, str]] = {
    ast.While: ("`while`", "Loop over a bounded range, `for i in range(len(xs))`."),
    ast.Try: ("`try`", "Guard with `require` or `if`."),
    ast.With: ("`with`", "Write the statements directly."),
    ast.Match: ("`match`", "Write `if isinstance(m, Vote): ... elif ...`."),
    ast.Raise: ("`raise`", "Use `require` to disable an action, `assert` for what must be true."),
    ast.FunctionDef: ("A function inside a method", "Write it as a method, or at the top of the file."),
    ast.Global: ("`global`", "What a spec remembers is a variable of the spec."),
}


StatementRule = Callable[[Context, Any], list[ir.Stmt]]


def block(ctx: Context, nodes: list[ast.stmt]) -> tuple[ir.Stmt, ...]:
    """A sequence of statements."""
    found: list[ir.Stmt] = []
    for position, node in enumerate(nodes, 1):
        rule = _rule(ctx, node)
        if auxiliary.written(ctx, node) is not None:
            auxiliary.check(ctx, node, functools.partial(rule, ctx, node))
            continue
        found.extend(rule(ctx, node))
        if found and terminates(found[-1]):
            for never in nodes[position:]:
                check_understood(ctx, never)
            break
    return tuple(found)


def _rule(ctx: Context, node: ast.stmt) -> StatementRule:
    rule = RULES.get(type(node))
    if rule is None:
        what, instead = INSTEAD.get(type(node), ("This statement", ALLOWED))
        raise ctx.source.outside(node, f"{what} is outside the compiled subset.", instead)
    return rule


def check_understood(ctx: Context, tree: ast.AST) -> None:
    """Reject syntax that is not understood where nothing is evaluated: a `yield`, an `import`, a `:=` that is never reached says all the
    same what the function is, and which names are its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            _rule(ctx, node)
        elif isinstance(node, ast.expr) and not isinstance(node, ast.GeneratorExp | ast.Slice):
            lowering.rule_of(ctx, node)


def terminates(statement: ir.Stmt) -> bool:
    """Whether nothing after a statement in its block is reached."""
    match statement:
        case ir.Return() | ir.Continue() | ir.Break():
            return True
        case ir.Require(condition=condition):
            return condition.op is ir.Op.CONST and condition.data is False
        case ir.If(then=then, otherwise=otherwise):
            return bool(then and otherwise) and terminates(then[-1]) and terminates(otherwise[-1])
        case ir.Assign() | ir.Mutate() | ir.Within() | ir.Assert() | ir.Loop() | ir.Scope():
            return False
        case _:
            assert_never(statement)


def _assign(ctx: Context, node: ast.Assign) -> list[ir.Stmt]:
    if len(node.targets) > 1:
        raise ctx.source.outside(node, "Chained assignment is outside the compiled subset.", "Assign one name a line.")
    target = node.targets[0]
    before, value = changes.taken(ctx, node) or ([], lowering.lower(ctx, node.value, places.expected(ctx, target)))
    return [*before, *places.assign(ctx, target, value, node)]


def _annotated(ctx: Context, node: ast.AnnAssign) -> list[ir.Stmt]:
    if node.value is None:
        check_understood(ctx, node.annotation)
        return []
    if not isinstance(node.target, ast.Name):
        raise ctx.source.error(node, "Only local names are annotated inside a method.")
    check_understood(ctx, node.annotation)
    known = ctx.static(node.annotation)
    taken = changes.taken(ctx, node)
    if known is int:
        before, value = taken or ([], lowering.lower(ctx, node.value))
        return [*before, *places.assign(ctx, node.target, value, node)]
    kind = ctx.annotation(node.annotation, node.target.id)
    before, value = taken or ([], lowering.lower(ctx, node.value, kind))
    if is_number(kind):
        return [*before, *places.assign(ctx, node.target, value, node)]
    kind = SetType(kind.element, None, "") if isinstance(kind, SetType) else kind
    joined = join(kind, value.type)
    if joined is None:
        raise ctx.source.error(node, f"A value of type {value.type} stands where {kind} is expected.")
    return [*before, places.local(ctx, node.target, value, node, joined)]


def _augmented(ctx: Context, node: ast.AugAssign) -> list[ir.Stmt]:
    target = places.place(ctx, node.target) if not isinstance(node.target, ast.Name) else None
    old = target.read(ctx.location(node)) if target is not None else lowering.lower(ctx, node.target)
    if any(isinstance(kind, ListType) for kind in alternatives(old.type)) and isinstance(old.type, UnionType):
        raise ctx.source.outside(
            node, "What may be None is not changed in place.", "Assign a new list, `self.log = self.log + [x]`."
        )
    if target is not None and partial.is_entry(target):
        old = partial.present(old)
    value = operators.combine(ctx, node, node.op, old, without_none(lowering.lower(ctx, node.value, old.type)))
    if aliases.mutable(old.type):  # Python changes the container in place
        where = places.place(ctx, node.target)
        made = places.assign(ctx, node.target, value, node)
        aliases.touch(ctx, where)
        return made
    return places.assign(ctx, node.target, value, node)


def _if(ctx: Context, node: ast.If) -> list[ir.Stmt]:
    test = lowering.condition(ctx, node.test)
    with ctx.branch() as first:
        narrowing.learn(ctx, test)
        then = block(ctx, node.body)
    with ctx.branch() as second:
        narrowing.learn(ctx, test, False)
        otherwise = block(ctx, node.orelse)
    going_on = [path for path, body in ((first, then), (second, otherwise)) if not (body and terminates(body[-1]))]
    ctx.meet(*going_on)
    return [ir.If(test, then, otherwise, ctx.location(node))]


def _for(ctx: Context, node: ast.For) -> list[ir.Stmt]:
    if node.orelse:
        raise ctx.source.outside(
            node, "`else` of a loop is outside the compiled subset.", "Compute a condition and use `if`."
        )
    writes = ctx.auxiliary_writes
    kept: list[ir.Assign] = []

    def held(whole: ir.Expr) -> ir.Expr:
        one = ctx.temporary("held", whole.type, node)
        kept.append(ir.Assign(ir.Place(one.data, False, (), (one.type,)), whole, ctx.location(node)))
        return one

    with ctx.loop() as before:
        over = comprehensions.ranged(ctx, node.target, node.iter, held)
        _check_target(ctx, node, before.bindings)
        aliases.name(ctx, over.name, aliases.roots(ctx, over.source))
        narrowing.forget_changed(ctx, node.body)
        throughout = ctx.known
        if over.only is not None:
            narrowing.learn(ctx, over.only)
        body = (*_held(ctx, node, before.bindings), *block(ctx, node.body))
        ctx.known = (
            throughout  # What a round finds out is not known behind the loop, which may have none, or leave it before.
        )
        if over.only is not None:
            body = (ir.If(over.only, body, (), ctx.location(node)),)
        changed = before.changed(ctx.versions)
        aliases.check_rounds(ctx, node, body, before.aliases, changed, before.defined)
        _check_source(ctx, node, over, body, changed)
    loop = ir.Loop(over.name, over.type, over.source, body, over.ordered, ctx.location(node))
    if not over.ordered and ctx.auxiliary_writes > writes:
        raise ctx.source.outside(
            node,
            "An auxiliary variable is written in a loop whose order is nobody's.",
            "Range over a list, `sorted(...)`, numbers or an Ordered sort, or write it once, after the loop.",
        )
    if not over.ordered:
        check_unordered(
            ctx.source, node, loop, before.defined | {one.target.root for one in kept}, ctx.builder.functions
        )
    return [*kept, loop]


def _check_target(ctx: Context, node: ast.For, saved: dict[str, ir.Expr]) -> None:
    for part in ast.walk(node.target):
        if isinstance(part, ast.Name) and (part.id in saved or part.id in ctx.self_names):
            raise ctx.source.outside(
                part, f"{part.id} has a value already, which this loop would replace.", "Use another name."
            )


def _held(ctx: Context, node: ast.For, saved: dict[str, ir.Expr]) -> list[ir.Stmt]:
    """Give the values of `for k, v in m.items()` a local of their own: the body may change the map."""
    found: list[ir.Stmt] = []
    for name, value in list(ctx.bindings.items()):
        if value is not saved.get(name) and any(part.op in (ir.Op.LOOKUP, ir.Op.INDEX) for part in value.walk()):
            del ctx.bindings[name]
            target = ast.copy_location(ast.Name(name, ast.Store()), node.target)
            found.append(places.local(ctx, target, value, node))
    return found


def _check_source(
    ctx: Context, node: ast.For, over: comprehensions.Range, body: tuple[ir.Stmt, ...], changed: frozenset[str]
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
    read = {part.data for part in walked.walk() if part.op in (ir.Op.STATE, ir.Op.LOCAL)}
    for statement in ir.statements(body):
        if (
            isinstance(statement, ir.Assign)
            and statement.target.root in read
            and len(statement.target.selectors) < depth(walked) + 1
        ):
            raise ctx.source.outside(
                node,
                f"The loop ranges over {aliases.root(statement.target)} and replaces it.",
                "Give what it ranges over a name before the loop.",
            )


def depth(value: ir.Expr) -> int:
    """How many keys and indices lead to a value."""
    return sum(part.op in (ir.Op.LOOKUP, ir.Op.INDEX) for part in value.walk())


def _return(ctx: Context, node: ast.Return) -> list[ir.Stmt]:
    location = ctx.location(node)
    if node.value is None or (not ctx.pure and isinstance(node.value, ast.Constant) and node.value.value is None):
        if ctx.pure:
            raise ctx.source.error(node, "A property or pure function returns a value.")
        return [ir.Return(None, location)]
    if not ctx.pure:
        raise ctx.source.error(node, "An action or procedure returns nothing.")
    value = lowering.lower(ctx, node.value, ctx.declared_result or ctx.wanted_result)
    partial.check_order(ctx, node, value)
    if ctx.declared_result is not None:
        return [ir.Return(ctx.adapt(value, ctx.declared_result, node), location)]
    if isinstance(ctx.wanted_result, UnionType):
        value = narrowing.taken_as(ctx, node.value, value, roomy(ctx.wanted_result, value.type))
    kind = ctx.findings.grown(ctx.findings.result, value.type, ctx.complain(node))
    ctx.findings.result = kind
    return [ir.Return(ctx.adapt(value, kind, node), location)]


def _assert(ctx: Context, node: ast.Assert) -> list[ir.Stmt]:
    test = lowering.condition(ctx, node.test)
    if node.msg is not None:
        _check_message(ctx, node.msg)
    narrowing.learn(ctx, test)
    return [ir.Assert(test, ctx.location(node))]


def _check_message(ctx: Context, node: ast.expr) -> None:
    """Reject what an `assert` says if it may end otherwise than with that: Python evaluates it, and makes a text of it."""
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            _check_message(ctx, part.value if isinstance(part, ast.FormattedValue) and not part.format_spec else part)
    elif not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        check_understood(ctx, node)
        value = lowering.lower(ctx, node)
        if not lowering.always(ctx, value) or any(
            isinstance(kind, EnumType | RecordType) for kind in value.type.walk()
        ):
            raise ctx.source.outside(
                node, "What this `assert` says may fail itself.", "Write a text, or names of numbers."
            )


def _delete(ctx: Context, node: ast.Delete) -> list[ir.Stmt]:
    found: list[ir.Stmt] = []
    for target in node.targets:
        place = places.place(ctx, target) if isinstance(target, ast.Subscript) else None
        if place is None or not partial.is_entry(place):
            raise ctx.source.outside(
                node,
                "`del` takes a key out of a partial map, and nothing else.",
                "Assign a new value, `self.log = self.log[:i]`; sets have `.discard(x)`.",
            )
        found += partial.removed(ctx, node, place)
    return found


def _jump(ctx: Context, node: ast.Break | ast.Continue) -> list[ir.Stmt]:
    return [ir.Break(ctx.location(node)) if isinstance(node, ast.Break) else ir.Continue(ctx.location(node))]


def _expression(ctx: Context, node: ast.Expr) -> list[ir.Stmt]:
    value = node.value
    if isinstance(value, ast.Constant):
        return []
    if not isinstance(value, ast.Call):
        if type(value) in lowering.INSTEAD:
            lowering.lower(ctx, value)
        raise ctx.source.error(node, "This line does nothing: assign its value to a name, or remove it.")
    if ctx.static(value.func) is require:
        if ctx.pure:
            raise ctx.source.error(node, "`require` guards actions; a property or pure function returns its value.")
        if len(value.args) != 1 or value.keywords:
            raise ctx.source.error(node, "require takes one condition.")
        return [ir.Require(lowering.condition(ctx, value.args[0]), ctx.location(node))]
    method = own_calls.own_method(ctx, value.func)
    if method is not None:
        return _procedure(ctx, node, value, *method)
    if isinstance(value.func, ast.Attribute) and value.func.attr in changes.CHANGES:
        return changes.change(ctx, node, value, value.func)
    raise ctx.source.outside(node, "This call has no effect that the model knows.", ALLOWED)


def _procedure(
    ctx: Context, node: ast.Expr, call: ast.Call, function: Any, owner: type, self_op: ir.Op
) -> list[ir.Stmt]:
    """Inline a call of an own method that changes the state."""
    if isinstance(function, staticmethod) or self_op is ir.Op.OLD or ctx.pure:
        raise ctx.source.error(
            node, "This line does nothing: the call returns a value, or may not change the state here."
        )
    if function in ctx.inlining:
        raise ctx.source.outside(node, f"{function.__name__} calls itself.", "Recursion has no bound; write a loop.")
    ctx.count(node, 1)
    values = own_calls.as_written(call, own_calls.arguments(ctx, call, function, owner, 1))
    source = ctx.source_of(function, owner)
    before: list[ir.Stmt] = []
    bindings: dict[str, ir.Expr] = {}
    for name, value in values:
        if name in source.stored:
            raise source.outside(source.tree, f"{name} is a parameter and keeps its value.", "Use another name.")
        if value.op in (ir.Op.LOCAL, ir.Op.CONST):
            bindings[name] = value
            continue
        with ctx.scope():
            ctx.bindings.pop(name, None)
            before.append(places.local(ctx, ast.copy_location(ast.Name(name, ast.Store()), node), value, node))
            bindings[name] = ctx.bindings[name]
    first = own_calls.own_self(ctx, node, function)
    with ctx.inlined(source, bindings, {first: ir.Op.STATE}, function):
        body = block(ctx, source.body)
    return [*before, ir.Scope(function.__name__, body, ctx.location(node))]


RULES: dict[type[ast.stmt], StatementRule] = {
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
    ast.Delete: _delete,
    ast.Pass: lambda ctx, node: [],
}
