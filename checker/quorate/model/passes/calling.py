"""Calls of functions that do nothing but return a value: the value stands where the call was.

What is asked in a guard is then seen by the other passes, and asked as soon as its parameters are known: `len(q) == 3` of a method
`is_answered(b, q)` before anything is counted. Arguments are local names and parts of them, which have a value whenever they are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from quorate.model import nodes as ir
from quorate.model.facts import BOOL
from quorate.model.nodes import Op
from quorate.model.passes.terms import Names, both, changed, is_path, with_bodies, with_values
from quorate.model.totality import is_total

SIZE_MAX = 60
"""The value of a function with more nodes stays where it is: what is called often would be compiled as often."""
PLAIN_MAX = 12
"""So does one with more of these that no other pass has a use for."""
USEFUL = frozenset({Op.AND, Op.OR, Op.NOT, Op.ALL, Op.ANY, Op.SET_OF})


def inlined(model: ir.Model) -> ir.Model:
    """The model with the values of small functions in place of their calls."""
    run = _Run(model)
    return _without_unused(with_bodies(model, lambda body: changed(body, run.change)))


class _Run:
    def __init__(self, model: ir.Model) -> None:
        self.model, self.names = model, Names("c")
        self._asked_at_ends = {
            one.condition.data
            for action in model.actions
            for one in ir.statements(action.body)
            if isinstance(one, ir.Within)
        }
        self._values: dict[str, ir.Expr | None] = {}

    def change(self, node: ir.Expr) -> ir.Expr:
        """What a call becomes."""
        if node.op is not Op.CALL or node.data in self._asked_at_ends:  # What would cut is an error in a constraint.
            return node
        if not all(is_path(part) and is_total(part, self.model) for part in node.args):
            return node
        value = self._value(node.data)
        if value is None:
            return node
        parameters = self.model.functions[node.data].parameters
        given = dict(zip((name for name, _ in parameters), node.args, strict=True))
        return with_values(self.names.apart(value), given, self.model)

    def _value(self, key: str) -> ir.Expr | None:
        """What a function returns, if that is all it does and it is small."""
        if key not in self._values:
            function = self.model.functions[key]
            found = None if function.partial else _returned(function.body)
            made = None if found is None else changed(found, self.change)
            self._values[key] = made if made is not None and _is_small(made) else None
        return self._values[key]


def _returned(body: tuple[ir.Stmt, ...], after: ir.Expr | None = None) -> ir.Expr | None:
    """What a body returns that has returns and conditions only; `after` is what is returned where it comes to its end. None also of more
    than would be put in place of a call: conditions that go on to the same rest double it each time."""
    match body:
        case ():
            return after
        case (ir.Return(value=ir.Expr() as value), *_):
            return value
        case (ir.If(condition=condition, then=then, otherwise=otherwise), *rest):
            last = _returned(tuple(rest), after)
            first, second = _returned(then, last), _returned(otherwise, last)
            found = None if first is None or second is None else _chosen(condition, first, second)
            return found if found is not None and _has_at_most(SIZE_MAX, found) else None
    return None


def _chosen(condition: ir.Expr, first: ir.Expr, second: ir.Expr) -> ir.Expr:
    """`first if condition else second`; conditions of which one is a constant are joined."""
    match first, second:
        case ir.Expr(op=Op.CONST, data=False), _:
            return both(ir.Expr(Op.NOT, BOOL, (condition,), None, condition.location), second)
        case _, ir.Expr(op=Op.CONST, data=False):
            return both(condition, first)
        case ir.Expr(op=Op.CONST, data=True), _:
            return ir.Expr(Op.OR, BOOL, (condition, second), None, condition.location)
    return ir.Expr(Op.IF, first.type, (condition, first, second), None, condition.location)


def _is_small(node: ir.Expr) -> bool:
    return _has_at_most(SIZE_MAX if node.op in USEFUL else PLAIN_MAX, node)


def _has_at_most(most: int, node: ir.Expr) -> bool:
    """Whether an expression has so few nodes. No more of them are looked at."""
    return next(islice(node.walk(), most, None), None) is None


def _without_unused(model: ir.Model) -> ir.Model:
    """The model without the functions that nothing calls any more."""
    bodies = [one.body for one in model.actions]
    bodies += [one.body for one in (*model.properties, *model.constraints, *model.beginnings, *model.endings)]
    bodies += [one.fair_if.body for one in model.actions if one.fair_if is not None]
    bodies += [model.init.body] if model.init is not None else []
    used: set[str] = set()
    waiting = [name for body in bodies for name in _called(body)]
    waiting += [name for one in model.actions for source in one.ranges if source for name in _called_in(source)]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += _called(model.functions[name].body)
    return replace(model, functions={key: one for key, one in model.functions.items() if key in used})


def _called(body: tuple[ir.Stmt, ...]) -> Iterator[str]:
    for expression in ir.expressions(body):
        yield from _called_in(expression)


def _called_in(expression: ir.Expr) -> Iterator[str]:
    return (node.data for node in expression.walk() if node.op in ir.CALLS)
