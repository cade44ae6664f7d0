"""Statements that write auxiliary variables: checked, and left out of the model, which knows no such variables.

They change nothing that matters only if nothing that matters reads them, and if they never fail. So an auxiliary variable is read
in what is written to auxiliary variables and nowhere else, and what is written has a value, and a place, in every state.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from quorate.language.types import WholeType
from quorate.model import nodes as ir
from quorate.model.context import Context
from quorate.model.nodes import Change, Op
from quorate.model.totality import is_total

UNFAILING = (Change.ADD, Change.APPEND, Change.DISCARD, Change.CLEAR)
"""Changes that always succeed in a container without a bound."""
INSTEAD = "Write what has a value in every state: sums, displays, `add`, `append`, a conditional expression."


def written(ctx: Context, node: ast.stmt) -> str | None:
    """The auxiliary variable that a statement writes."""
    match node:
        case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
            place: ast.expr = target
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=whole))):
            place = whole
        case _:
            return None
    while isinstance(place, ast.Subscript):
        place = place.value
    match place:
        case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in ctx.self_names and name not in ctx.bindings:
            return attr if attr in ctx.system_of(name).auxiliary else None
    return None


def check(ctx: Context, node: ast.stmt, lower: Callable[[], list[ir.Stmt]]) -> None:
    """Check a statement that writes an auxiliary variable. Raises SpecError or OutsideSubset."""
    outside, ctx.writes_auxiliary = ctx.writes_auxiliary, True
    made = lower()
    ctx.writes_auxiliary = outside
    ctx.auxiliary_writes += 1
    for statement in made:
        match statement:
            case ir.Assign(target=target, value=value):
                fine = _is_total(ctx, value, target.read())
            case ir.Mutate(change=change, target=target, args=args):
                fine = change in UNFAILING and _is_total(ctx, *args, target.read())
            case _:
                fine = False
        if not fine:
            raise ctx.source.outside(
                node, "What is written to an auxiliary variable may fail here, or pass a bound.", INSTEAD
            )


def _is_total(ctx: Context, *values: ir.Expr) -> bool:
    return all(is_total(_fitting(value), ctx.builder) for value in values)


def _fitting(node: ir.Expr) -> ir.Expr:
    """An expression in which whole numbers have no bound."""
    clauses = tuple(
        replace(clause, source=_fitting(clause.source))
        if isinstance(clause, ir.For)
        else ir.Where(_fitting(clause.condition))
        for clause in node.clauses
    )
    whole = node.op is Op.FIT and isinstance(node.type, WholeType)
    return replace(
        node, op=Op.COERCE if whole else node.op, args=tuple(map(_fitting, node.args)), data=clauses or node.data
    )
