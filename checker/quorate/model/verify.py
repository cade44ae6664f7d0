"""Which models are legal, as data, and a verifier that holds a model against it.

Engines may rely on every line of `LEGAL`: the number of arguments of an operator, their types, and how the result's
type follows. The tests run the verifier on every model they build; an error here is a bug of ours, never of a spec's
author.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from quorate.language.types import (
    BoolType,
    ChannelsType,
    IdentityType,
    ListType,
    MapType,
    OrderedType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model import nodes as ir
from quorate.model.conversion import WireLike, comparable, compatible, element_type
from quorate.model.nodes import Change, Op
from quorate.model.ranges import is_number

Check = Callable[[ir.Expr], bool]


class IllegalModel(AssertionError):
    """A model breaks a rule: a bug in the lowering."""


@dataclass(frozen=True)
class Rule:
    """What an operator requires. `arity` is the number of arguments, None for any."""

    arity: int | tuple[int, ...] | None
    legal: Check


def _args(node: ir.Expr) -> tuple[Type, ...]:
    return tuple(part.type for part in node.args)


def _boolean(node: ir.Expr) -> bool:
    return isinstance(node.type, BoolType)


def _conditions(node: ir.Expr) -> bool:
    return _boolean(node) and all(isinstance(kind, BoolType) for kind in _args(node))


def _numbers(node: ir.Expr) -> bool:
    return is_number(node.type) and all(map(is_number, _args(node)))


def _same(node: ir.Expr) -> bool:
    return all(kind == node.type for kind in _args(node))


def _sets(node: ir.Expr) -> bool:
    return isinstance(node.type, SetType) and all(
        isinstance(kind, SetType) and kind.element == node.type.element for kind in _args(node)
    )


def _collection(kind: Type) -> bool:
    return isinstance(kind, SetType | ListType | WireLike)


def _member(node: ir.Expr) -> bool:
    element, whole = _args(node)
    held = element_type(whole)
    return _boolean(node) and held is not None and compatible(element, held)


def _lookup(node: ir.Expr) -> bool:
    whole, key = _args(node)
    return isinstance(whole, MapType) and node.type == whole.value and compatible(key, whole.key)


def _index(node: ir.Expr) -> bool:
    whole, position = _args(node)
    return isinstance(whole, ListType) and node.type == whole.element and is_number(position)


def _queue(node: ir.Expr) -> bool:
    whole, source, target = _args(node)
    return (
        isinstance(whole, ChannelsType)
        and (source, target) == (whole.source, whole.target)
        and node.type == ListType(whole.message, whole.capacity, "")
    )


def _slice(node: ir.Expr) -> bool:
    whole, low, high = _args(node)
    return (
        isinstance(whole, ListType)
        and isinstance(node.type, ListType)
        and node.type.element == whole.element
        and is_number(low)
        and is_number(high)
    )


def _field(node: ir.Expr) -> bool:
    kind = node.args[0].type
    return isinstance(kind, RecordType) and kind.field(node.data) == node.type


def _component(node: ir.Expr) -> bool:
    kind = node.args[0].type
    return isinstance(kind, TupleType) and 0 <= node.data < len(kind.kinds) and kind.kinds[node.data] == node.type


def _record(node: ir.Expr) -> bool:
    return isinstance(node.type, RecordType) and _args(node) == node.type.kinds


def _tuple(node: ir.Expr) -> bool:
    return isinstance(node.type, TupleType) and _args(node) == node.type.kinds


def _display(node: ir.Expr) -> bool:
    kind = node.type
    return isinstance(kind, SetType | ListType) and all(part == kind.element for part in _args(node))


def _choice(node: ir.Expr) -> bool:
    test, then, otherwise = _args(node)
    return isinstance(test, BoolType) and then == node.type == otherwise


def _comparison(node: ir.Expr) -> bool:
    left, right = _args(node)
    return _boolean(node) and compatible(left, right) and comparable(left)


def _equality(node: ir.Expr) -> bool:
    left, right = _args(node)
    return _boolean(node) and compatible(left, right)


def _narrow(node: ir.Expr) -> bool:
    kind = node.args[0].type
    wanted = node.type.kinds if isinstance(node.type, UnionType) else (node.type,)
    return isinstance(kind, UnionType) and all(part in kind.kinds for part in wanted)


def _is(node: ir.Expr) -> bool:
    kind = node.args[0].type
    return _boolean(node) and isinstance(kind, UnionType) and all(part in kind.kinds for part in node.data)


def _concat(node: ir.Expr) -> bool:
    kinds = (*_args(node), node.type)
    return all(isinstance(kind, ListType) for kind in kinds) and len({kind.children() for kind in kinds}) == 1


def _sorted(node: ir.Expr) -> bool:
    whole = node.args[0].type
    return (
        isinstance(whole, SetType | ListType)
        and isinstance(node.type, ListType)
        and node.type.element == whole.element
        and comparable(whole.element)
    )


def _quorum(node: ir.Expr) -> bool:
    members = node.args[0].type
    return (
        _boolean(node)
        and isinstance(members, SetType)
        and members.element == node.data
        and isinstance(node.data, IdentityType)
        and all(map(is_number, _args(node)[1:]))
    )


def _clauses(node: ir.Expr) -> bool:
    return (
        bool(node.clauses)
        and isinstance(node.clauses[0], ir.For)
        and all(
            element_type(part.source.type) == part.type
            if isinstance(part, ir.For)
            else isinstance(part.condition.type, BoolType)
            for part in node.clauses
        )
    )


def _over(legal: Check) -> Check:
    return lambda node: _clauses(node) and legal(node)


def _any(node: ir.Expr) -> bool:
    return True


LEGAL: dict[Op, Rule] = {
    Op.CONST: Rule(0, _any),
    Op.STATE: Rule(0, lambda node: isinstance(node.data, str)),
    Op.OLD: Rule(0, lambda node: isinstance(node.data, str)),
    Op.LOCAL: Rule(0, lambda node: isinstance(node.data, str)),
    Op.DOMAIN: Rule(0, lambda node: isinstance(node.type, SetType) and node.type.capacity is None),
    Op.RANGE: Rule(2, lambda node: isinstance(node.type, ListType) and all(map(is_number, _args(node)))),
    Op.FIELD: Rule(1, _field),
    Op.COMPONENT: Rule(1, _component),
    Op.LOOKUP: Rule(2, _lookup),
    Op.INDEX: Rule(2, _index),
    Op.QUEUE: Rule(3, _queue),
    Op.SLICE: Rule(3, _slice),
    Op.RECORD: Rule(None, _record),
    Op.TUPLE: Rule(None, _tuple),
    Op.SET: Rule(None, _display),
    Op.LIST: Rule(None, _display),
    Op.ADD: Rule(2, _numbers),
    Op.SUB: Rule(2, _numbers),
    Op.MUL: Rule(2, _numbers),
    Op.DIV: Rule(2, _numbers),
    Op.MOD: Rule(2, _numbers),
    Op.NEG: Rule(1, _numbers),
    Op.ABS: Rule(1, _numbers),
    Op.POSITION: Rule(1, lambda node: is_number(node.type) and isinstance(node.args[0].type, OrderedType)),
    Op.MEMBER: Rule(1, lambda node: isinstance(node.type, OrderedType) and is_number(node.args[0].type)),
    Op.MIN: Rule(2, lambda node: _same(node) and comparable(node.type)),
    Op.MAX: Rule(2, lambda node: _same(node) and comparable(node.type)),
    Op.EQ: Rule(2, _equality),
    Op.LT: Rule(2, _comparison),
    Op.LE: Rule(2, _comparison),
    Op.AND: Rule(None, _conditions),
    Op.OR: Rule(None, _conditions),
    Op.NOT: Rule(1, _conditions),
    Op.IF: Rule(3, _choice),
    Op.IN: Rule(2, _member),
    Op.SUBSET: Rule(2, lambda node: _boolean(node) and len({kind.children() for kind in _args(node)}) == 1),
    Op.UNION: Rule(2, _sets),
    Op.INTERSECT: Rule(2, _sets),
    Op.DIFFERENCE: Rule(2, _sets),
    Op.LEN: Rule(1, lambda node: is_number(node.type) and _collection(node.args[0].type)),
    Op.CONCAT: Rule(2, _concat),
    Op.SORTED: Rule(1, _sorted),
    Op.COERCE: Rule(1, _any),
    Op.FIT: Rule(1, _any),
    Op.NARROW: Rule(1, _narrow),
    Op.IS: Rule(1, _is),
    Op.ALL: Rule(1, _over(_conditions)),
    Op.ANY: Rule(1, _over(_conditions)),
    Op.SUM: Rule(1, _over(_numbers)),
    Op.MIN_OF: Rule((1, 2), _over(_same)),
    Op.MAX_OF: Rule((1, 2), _over(_same)),
    Op.THE: Rule((1, 2), _over(_same)),
    Op.SET_OF: Rule(1, _over(lambda node: isinstance(node.type, SetType) and node.type.element == node.args[0].type)),
    Op.LIST_OF: Rule(1, _over(lambda node: isinstance(node.type, ListType) and node.type.element == node.args[0].type)),
    Op.MAP_OF: Rule(1, _over(lambda node: isinstance(node.type, MapType) and node.type.value == node.args[0].type)),
    Op.MAJORITY: Rule(1, _quorum),
    Op.QUORUM: Rule(2, _quorum),
    Op.CALL: Rule(None, lambda node: isinstance(node.data, str)),
    Op.TAKES: Rule(None, lambda node: _boolean(node) and isinstance(node.data, str)),
    Op.POSSIBLE: Rule(None, lambda node: _boolean(node) and isinstance(node.data, str)),
    Op.LINEARIZABLE: Rule(2, lambda node: _boolean(node) and isinstance(node.args[0].type, ListType)),
}

CHANGED: dict[Change, type | tuple[type, ...]] = {
    Change.ADD: SetType,
    Change.DISCARD: SetType,
    Change.REMOVE: SetType,
    Change.CLEAR: (SetType, ListType),
    Change.APPEND: ListType,
    Change.POP: ListType,
    Change.SEND: WireLike.__args__,
    Change.RECEIVE: WireLike.__args__,
    Change.DROP: WireLike.__args__,
}


def verify(model: ir.Model) -> None:
    """Raise IllegalModel at the first node that breaks a rule."""
    for action in (*model.actions, *((model.init,) if model.init else ())):
        _Verifier(model, action).body(action.body)
    for prop in (*model.properties, *model.constraints, *model.beginnings, *model.endings):
        _Verifier(model, prop).body(prop.body)
    for function in model.functions.values():
        _Verifier(model, function).body(function.body)


class _Verifier:
    def __init__(self, model: ir.Model, owner: ir.Action | ir.Property | ir.Function) -> None:
        self.model, self.owner = model, owner
        self.variables = {variable.name: variable.type for variable in model.variables}
        self.locals: dict[str, Type] = dict(owner.parameters)

    def fail(self, what: str, node: object) -> IllegalModel:
        name = getattr(self.owner, "name", None) or getattr(self.owner, "key", "")
        return IllegalModel(f"{self.model.name}.{name}: {what}: {node}")

    def expression(self, node: ir.Expr) -> None:
        """One expression and everything inside it."""
        if node.op in ir.COMPREHENSIONS:
            for clause in node.clauses:
                self.expression(clause.source if isinstance(clause, ir.For) else clause.condition)
                if isinstance(clause, ir.For):
                    self.locals[clause.name] = clause.type
        for part in node.args:
            self.expression(part)
        rule = LEGAL[node.op]
        arity = (rule.arity,) if isinstance(rule.arity, int) else rule.arity
        if arity is not None and len(node.args) not in arity:
            raise self.fail(f"{node.op} has {len(node.args)} arguments", node)
        if not rule.legal(node):
            raise self.fail(f"{node.op} is not legal here", node)
        self._names(node)

    def _names(self, node: ir.Expr) -> None:
        if node.op in (Op.STATE, Op.OLD) and self.variables.get(node.data) != node.type:
            raise self.fail("a variable has another type", node)
        if node.op is Op.LOCAL and self.locals.get(node.data) != node.type:
            raise self.fail("a local is unknown or has another type", node)
        if node.op in ir.CALLS and node.data not in self.model.functions:
            raise self.fail("a function is missing", node)
        if node.op is Op.CALL or node.op in ir.ATTEMPTS:
            function = self.model.functions[node.data]
            if _args(node) != tuple(kind for _, kind in function.parameters) or node.type != function.result:
                raise self.fail("a call does not fit its function", node)
            if function.partial is not (node.op in ir.ATTEMPTS):
                raise self.fail("what may have no value is asked for as if it had one, or the other way round", node)

    def place(self, target: ir.Place) -> None:
        """A place: every selector fits the type before it."""
        root = self.variables if target.state else self.locals
        if root.get(target.root) != target.types[0] or len(target.types) != len(target.selectors) + 1:
            raise self.fail("a place has the wrong root", target)
        for selector, before, after in zip(target.selectors, target.types, target.types[1:], strict=False):
            self.expression(selector)
            if not (
                (isinstance(before, MapType) and after == before.value)
                or (isinstance(before, ListType) and after == before.element)
            ):
                raise self.fail("a place has a wrong selector", target)

    def body(self, body: tuple[ir.Stmt, ...]) -> None:
        """Statements in order; a local is known from its first assignment."""
        for statement in body:
            self.statement(statement)

    def statement(self, statement: ir.Stmt) -> None:
        """One statement."""
        match statement:
            case ir.Assign(target=target, value=value):
                self.expression(value)
                if not target.state and not target.selectors:
                    self.locals.setdefault(target.root, target.type)
                self.place(target)
                if value.type != target.type:
                    raise self.fail("an assignment of another type", statement)
            case ir.Mutate(change=change, target=target, args=args):
                self.place(target)
                if not isinstance(target.type, CHANGED[change]):
                    raise self.fail("a change of the wrong container", statement)
                for part in args:
                    self.expression(part)
                    if part.type != element_type(target.type):
                        raise self.fail("an element of another type", statement)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                self.expression(condition)
                self.body(then)
                self.body(otherwise)
            case ir.Loop(name=name, type=kind, source=source, body=inner):
                self.expression(source)
                if element_type(source.type) != kind:
                    raise self.fail("a loop variable of another type", statement)
                self.locals[name] = kind
                self.body(inner)
            case ir.Scope(body=inner):
                self.body(inner)
            case ir.Return(value=value):
                if value is not None:
                    self.expression(value)
            case ir.Continue() | ir.Break():
                pass
            case ir.Require(condition=condition):
                if not isinstance(self.owner, ir.Action) and not getattr(self.owner, "partial", False):
                    raise self.fail("require outside an action", statement)
                self.expression(condition)
            case ir.Within(condition=condition):
                if self.owner not in self.model.actions:
                    raise self.fail("a constraint outside an action", statement)
                self.expression(condition)
            case ir.Assert(condition=condition):
                self.expression(condition)
            case _:
                assert_never(statement)
