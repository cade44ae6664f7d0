"""Which expressions always have a value: no error in the spec can arise in them, and no bound can cut them.

Such a condition may be evaluated earlier than where it stands, or not at all, and nobody can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from quorate.language.types import MapType
from quorate.model import nodes as ir
from quorate.model.branches import NOTHING, Classes, learned, possible
from quorate.model.conversion import alternatives
from quorate.model.integers import IntType
from quorate.model.nodes import Change, Op
from quorate.model.ranges import ends

TOTAL = frozenset(
    {Op.CONST, Op.STATE, Op.OLD, Op.LOCAL, Op.DOMAIN, Op.RANGE, Op.FIELD, Op.COMPONENT, Op.SLICE, Op.RECORD, Op.TUPLE}
    | {Op.QUEUE}
    | {
        Op.SET,
        Op.LIST,
        Op.ADD,
        Op.SUB,
        Op.MUL,
        Op.NEG,
        Op.ABS,
        Op.POSITION,
        Op.MIN,
        Op.MAX,
        Op.EQ,
        Op.LT,
        Op.LE,
        Op.AND,
        Op.OR,
    }
    | {Op.NOT, Op.IF, Op.IN, Op.SUBSET, Op.UNION, Op.INTERSECT, Op.DIFFERENCE, Op.LEN, Op.CONCAT, Op.SORTED, Op.COERCE}
    | {Op.IS, Op.ALL, Op.ANY, Op.SUM, Op.SET_OF, Op.LIST_OF, Op.MAP_OF, Op.MAJORITY, Op.QUORUM}
)
"""What has a value whenever its arguments have. Everything else may fail, unless more is known: an operator that is not listed, too."""
FALLIBLE = frozenset(
    {
        Op.INDEX,
        Op.MEMBER,
        Op.DIV,
        Op.MOD,
        Op.FIT,
        Op.NARROW,
        Op.MIN_OF,
        Op.MAX_OF,
        Op.THE,
        Op.LINEARIZABLE,
        Op.LOOKUP,
        Op.CALL,
        Op.TAKES,
        Op.POSSIBLE,
    }
)
"""What may fail, unless more is known. Said so that a test can ask whether every operator was thought of."""


class Calls(Protocol):
    """What knows the functions that expressions call: a model, or who builds one."""

    @property
    def functions(self) -> Mapping[str, ir.Function]: ...


def is_total(expression: ir.Expr, model: Calls) -> bool:
    """Whether the expression has a value in every state and for all values of its locals; false in doubt."""
    return _Judged(model.functions).holds(expression)


@dataclass
class _Judged:
    """Functions, with those that were found to be total or not: what calls another twice, which does so too, is looked at once."""

    functions: Mapping[str, ir.Function]
    found: dict[str, bool] = field(default_factory=dict)

    def holds(self, expression: ir.Expr) -> bool:
        """Whether an expression is total, of which nothing more is known."""
        return _is_total(expression, self, NOTHING)


def _is_total(node: ir.Expr, model: _Judged, known: Classes) -> bool:
    if node.op in (Op.AND, Op.OR):
        for part in node.args:
            if not _is_total(part, model, known):
                return False
            known = learned(part, node.op is Op.AND, known)
        return True
    if node.op is Op.IF:
        condition, then, otherwise = node.args
        return (
            _is_total(condition, model, known)
            and _is_total(then, model, learned(condition, True, known))
            and _is_total(otherwise, model, learned(condition, False, known))
        )
    for clause in node.clauses:
        if not _is_total(clause.source if isinstance(clause, ir.For) else clause.condition, model, known):
            return False
        known = known if isinstance(clause, ir.For) else learned(clause.condition, True, known)
    return all(_is_total(part, model, known) for part in node.args) and (
        node.op in TOTAL or _is_safe(node, model, known)
    )


def _is_safe(node: ir.Expr, model: _Judged, known: Classes) -> bool:
    match node.op:
        case Op.LOOKUP:
            whole, key = node.args
            return isinstance(whole.type, MapType) and not isinstance(key.type, IntType) and key.type == whole.type.key
        case Op.DIV | Op.MOD:
            low, high = ends(node.args[1].type)
            return not low <= 0 <= high
        case Op.NARROW:
            return possible(node.args[0], known) <= set(alternatives(node.type))
        case Op.CALL:
            if node.data not in model.found:
                function = model.functions[node.data]
                model.found[node.data] = _are_total(function.body, model) and _returns(function.body)
            return model.found[node.data]
        case _:
            return False


def _are_total(body: tuple[ir.Stmt, ...], model: _Judged) -> bool:
    return all(_is_total_statement(statement, model) for statement in body)


def _is_total_statement(statement: ir.Stmt, model: _Judged) -> bool:
    match statement:
        case ir.Assign(target=target, value=value):
            return not target.selectors and model.holds(value)
        case ir.Mutate(change=change, target=target, args=args):
            unbounded = getattr(target.type, "capacity", None) is None
            unfailing = change in (Change.ADD, Change.DISCARD, Change.CLEAR)
            return unfailing and unbounded and not target.selectors and all(model.holds(part) for part in args)
        case ir.If(condition=condition, then=then, otherwise=otherwise):
            return model.holds(condition) and _are_total(then, model) and _are_total(otherwise, model)
        case ir.Loop(source=source, body=body):
            return model.holds(source) and _are_total(body, model)
        case ir.Scope(body=body):
            return _are_total(body, model)
        case ir.Return(value=value):
            return value is not None and model.holds(value)
        case ir.Require() | ir.Within() | ir.Assert() | ir.Continue() | ir.Break():
            return False
        case _:
            assert_never(statement)


def _returns(body: tuple[ir.Stmt, ...]) -> bool:
    """Whether a function certainly returns by its last statement."""
    match body[-1:]:
        case (ir.Return(),):
            return True
        case (ir.If(then=then, otherwise=otherwise),):
            return _returns(then) and _returns(otherwise)
    return False
