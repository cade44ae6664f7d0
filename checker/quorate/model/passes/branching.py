"""Of which class a value is, where the conditions before have said so: what is asked again is known.

`isinstance(m, P2b) and m.ballot == b` reads the ballot of whatever `m` is, with a question for each class that has one; after the first
condition one branch is left.
"""

from __future__ import annotations

from dataclasses import replace

from quorate.model import nodes as ir
from quorate.model.branches import NOTHING, Classes, learned, possible
from quorate.model.facts import BOOL
from quorate.model.nodes import Op
from quorate.model.passes.terms import outermost, with_bodies


def decided(model: ir.Model) -> ir.Model:
    """The model without questions whose answers are known."""
    return with_bodies(model, lambda body: outermost(body, lambda node: _settled(node, NOTHING)))


def _settled(node: ir.Expr, known: Classes) -> ir.Expr:
    if node.op is Op.IS and any(one == node.args[0] for one, _, _ in known):  # So it had a value there.
        found, asked = possible(node.args[0], known), set(node.data)
        if found <= asked or not found & asked:
            return ir.Expr(Op.CONST, BOOL, (), found <= asked, node.location)
    if node.op in (Op.AND, Op.OR):
        return _joined(node, known)
    if node.op is Op.IF:
        condition, then, otherwise = node.args
        asked_first = _settled(condition, known)
        if asked_first.op is Op.CONST:
            return _settled(then if asked_first.data else otherwise, known)
        first = _settled(then, learned(condition, True, known))
        second = _settled(otherwise, learned(condition, False, known))
        return replace(node, args=(asked_first, first, second))
    inside: Classes = known
    clauses: list[ir.Clause] = []
    for clause in node.clauses:
        if isinstance(clause, ir.For):
            clauses.append(replace(clause, source=_settled(clause.source, inside)))
        else:
            clauses.append(ir.Where(_settled(clause.condition, inside)))
            inside = learned(clause.condition, True, inside)
    args = tuple(_settled(part, known if position else inside) for position, part in enumerate(node.args))
    return replace(node, args=args, data=tuple(clauses) or node.data)


def _joined(node: ir.Expr, known: Classes) -> ir.Expr:
    """An `and` without what is true, or an `or` without what is false."""
    parts: list[ir.Expr] = []
    for part in node.args:
        one = _settled(part, known)
        if one.op is not Op.CONST or one.data is not (node.op is Op.AND):
            parts.append(one)
        known = learned(part, node.op is Op.AND, known)
    if len(parts) < 2:
        return parts[0] if parts else ir.Expr(Op.CONST, BOOL, (), node.op is Op.AND, node.location)
    return replace(node, args=tuple(parts))
