"""What can be removed or weakened at a node of the syntax tree of a method that a protocol runs.

Each kind of change is a function from a node to what stands there instead, in the table at the end. The result need not be legal:
whether a mutant runs is for the language and the typed model to say.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from quorate.language.system import System
from quorate.language.types import RecordType, Type
from quorate.mutate.protocol import Written
from quorate.mutate.zeros import zero


@dataclass(frozen=True)
class Change:
    """A change of a method: `node` becomes the source `text`. `kind` says what was changed (a key of `KINDS`), `part` is what is meant, a
    part of the node or all of it, and `instead` what it becomes ("": it is gone)."""

    kind: str
    node: ast.expr | ast.stmt
    text: str
    part: ast.expr | ast.stmt
    instead: str = ""


KINDS: dict[str, str] = {
    "guard": "a `require`",
    "conjunct": "a conjunct",
    "condition": "a condition that a method returns",
    "assignment": "an assignment",
    "send": "a send",
    "receive": "a receive",
    "effect": "a change of a container",
    "call": "a call of a method that changes the state",
    "loop": "a loop",
    "branch": "a branch",
    "comparison": "a comparison",
    "quorum": "the size of a quorum",
    "extreme": "a maximum or minimum",
    "field": "a field of a message",
    "memory": "what survives a restart",
    "action": "an action",
}
"""What a mutant removes or weakens."""

Rule = Callable[[ast.AST, "Place"], Iterator[Change]]


@dataclass(frozen=True)
class Place:
    """Where a node stands: the method, and the system that it is of."""

    method: Written
    system: System

    def is_state(self, target: ast.expr) -> bool:
        """Whether an expression is a state variable or a part of one."""
        while isinstance(target, ast.Subscript):
            target = target.value
        return self.variable(target) is not None

    def variable(self, node: ast.expr) -> Type | None:
        """The type of the state variable that an expression names."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.method.own:
            position = self.system.index.get(node.attr)
            return None if position is None else self.system.variables[position].type
        return None


def changes(method: Written, system: System) -> Iterator[Change]:
    """All changes of a method, in the order of its text."""
    place = Place(method, system)
    for statement in method.body:
        for node in ast.walk(statement):
            for rule in RULES.get(type(node), ()):
                yield from rule(node, place)


def _gone(kind: str, node: ast.stmt) -> Change:
    return Change(kind, node, "pass", node)


def _as(kind: str, node: ast.expr, fresh: ast.expr, part: ast.expr | None = None, instead: str | None = None) -> Change:
    text = ast.unparse(fresh)
    return Change(kind, node, f"({text})", part or node, text if instead is None else instead)


# Statements


def _call(node: ast.AST, place: Place) -> Iterator[Change]:
    """`require(...)`, and what changes a container or the state."""
    assert isinstance(node, ast.Expr)
    match node.value:
        case ast.Call(func=ast.Name(id="require")):
            yield _gone("guard", node)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=called)) if name == place.method.own:
            if called not in place.system.index:
                yield _gone("call", node)
        case ast.Call(func=ast.Attribute(value=target, attr=called)) if place.is_state(target):
            yield _gone(called if called in ("send", "receive") else "effect", node)


def _assigned(node: ast.AST, place: Place) -> Iterator[Change]:
    """A state variable, or a part of one, that gets a value."""
    assert isinstance(node, ast.Assign | ast.AugAssign)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if all(map(place.is_state, targets)):
        yield _gone("assignment", node)


def _loop(node: ast.AST, _: Place) -> Iterator[Change]:
    """A loop of several statements; of one, that one is changed."""
    assert isinstance(node, ast.For)
    if len(node.body) > 1:
        yield _gone("loop", node)


def _branch(node: ast.AST, _: Place) -> Iterator[Change]:
    """A condition that is always true, or never; never is the same as without its only statement."""
    assert isinstance(node, ast.If)
    yield Change("branch", node.test, "True", node.test, "True")
    if len(node.body) > 1 or node.orelse:
        yield Change("branch", node.test, "False", node.test, "False")


def _returned(node: ast.AST, place: Place) -> Iterator[Change]:
    """A method that says whether something may be: it always may."""
    assert isinstance(node, ast.Return)
    result = place.method.function.__annotations__.get("return")
    if node.value is not None and result in (bool, "bool") and not isinstance(node.value, ast.Constant):
        yield Change("condition", node.value, "True", node.value, "True")


# Conditions


def _conjuncts(node: ast.AST, _: Place) -> Iterator[Change]:
    """One operand of an `and`."""
    assert isinstance(node, ast.BoolOp)
    if isinstance(node.op, ast.And):
        for number, value in enumerate(node.values):
            left = [other for position, other in enumerate(node.values) if position != number]
            yield _as("conjunct", node, left[0] if len(left) == 1 else ast.BoolOp(node.op, left), value, "")


def _filter(node: ast.AST, _: Place) -> Iterator[Change]:
    """A condition on what a comprehension goes through."""
    assert isinstance(node, ast.GeneratorExp | ast.SetComp | ast.ListComp | ast.DictComp)
    for generator in node.generators:
        for condition in generator.ifs:
            yield Change("conjunct", condition, "True", condition)


STRICT: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}


def _comparison(node: ast.AST, _: Place) -> Iterator[Change]:
    """`<` instead of `<=`, and the other way round."""
    assert isinstance(node, ast.Compare)
    for number, operator in enumerate(node.ops):
        if type(operator) in STRICT:
            ops = [STRICT[type(operator)]() if number == position else other for position, other in enumerate(node.ops)]
            yield _as("comparison", node, ast.Compare(node.left, ops, node.comparators))


def _choice(node: ast.AST, _: Place) -> Iterator[Change]:
    """One side of `a if condition else b`."""
    assert isinstance(node, ast.IfExp)
    for side in (node.body, node.orelse):
        yield _as("branch", node, side)


# Calls


def _quorum(node: ast.AST, _: Place) -> Iterator[Change]:
    """A quorum of one member less; a majority where all were asked."""
    match node:
        case ast.Call(func=ast.Name(id="is_majority"), args=[members, ast.Name(id=sort)]):
            yield _written("quorum", node, f"len({ast.unparse(members)}) >= len({sort}) // 2")
        case ast.Call(func=ast.Name(id="is_quorum") as called, args=[members, size, sort]):
            less = ast.BinOp(size, ast.Sub(), ast.Constant(1))
            yield _as("quorum", node, ast.Call(called, [members, less, sort], []))
        case ast.Call(
            func=ast.Name(id="all"),
            args=[
                ast.GeneratorExp(
                    elt=ast.Compare(left=ast.Name(id=one), ops=[ast.In()], comparators=[members]),
                    generators=[ast.comprehension(target=ast.Name(id=each), iter=ast.Name(id=sort), ifs=[])],
                )
            ],
        ) if one == each:
            yield _written("quorum", node, f"2 * len({ast.unparse(members)}) > len({sort})")


def _written(kind: str, node: ast.expr, text: str) -> Change:
    return Change(kind, node, f"({text})", node, text)


OTHER = {"max": "min", "min": "max"}


def _extreme(node: ast.AST, _: Place) -> Iterator[Change]:
    """One of two values instead of the greater one; the least of many instead of the greatest."""
    match node:
        case ast.Call(func=ast.Name(id=called), args=[ast.GeneratorExp()]) if called in OTHER:
            fresh = copy.copy(node)
            fresh.func = ast.Name(OTHER[called])
            yield _as("extreme", node, fresh)
        case ast.Call(func=ast.Name(id=called), args=[_, _, *_] as values, keywords=[]) if called in OTHER:
            for value in values:
                yield _as("extreme", node, value)


def _field(node: ast.AST, place: Place) -> Iterator[Change]:
    """A field of a message that is sent, without what it says."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="send", value=wire), args=[ast.Call(func=ast.Name(id=record)) as message]
        ):
            kind = place.variable(wire)
            found = (
                None
                if kind is None
                else next((part for part in kind.walk() if _is(part, place.method.names.get(record))), None)
            )
            if not isinstance(found, RecordType):
                return
            given = dict(zip((name for name, _ in found.fields), message.args, strict=False))
            given |= {word.arg: word.value for word in message.keywords if word.arg is not None}
            for name, value in given.items():
                kind_of_field = found.field(name)
                assert kind_of_field is not None
                nothing = zero(kind_of_field, place.method.names)
                if nothing is not None and ast.unparse(value) != nothing:
                    yield Change("field", value, nothing, value, nothing)


def _is(kind: Type, record: Any) -> bool:
    return isinstance(kind, RecordType) and kind.sort is record


RULES: dict[type[ast.AST], tuple[Rule, ...]] = {
    ast.Expr: (_call,),
    ast.Assign: (_assigned,),
    ast.AugAssign: (_assigned,),
    ast.For: (_loop,),
    ast.If: (_branch,),
    ast.Return: (_returned,),
    ast.BoolOp: (_conjuncts,),
    ast.Compare: (_comparison,),
    ast.IfExp: (_choice,),
    ast.GeneratorExp: (_filter,),
    ast.SetComp: (_filter,),
    ast.ListComp: (_filter,),
    ast.DictComp: (_filter,),
    ast.Call: (_quorum, _extreme, _field),
}
"""What can be changed at each kind of node."""
