"""Sets that are built to be looked at once: what is asked of them is asked of what they are made of.

- `any(P(m) for m in {m for m in ms if C(m)})` is `any(P(m) for m in ms if C(m))`, and so for `all` and sets of sets' members;
- `x in {m for m in ms if C(m)}` is `x in ms and C(x)`;
- `len({m for m in ms if C(m)})` counts.

All of it only where nothing can fail, so that nobody can tell how often conditions are asked, or in which order. A set whose members are
parts of others, such as `{m.value for m in ms}`, is not counted like that: two members may be one.
"""

from __future__ import annotations

from dataclasses import replace

from quorate.language.types import NetworkType, SetType
from quorate.model import nodes as ir
from quorate.model.facts import BOOL
from quorate.model.integers import IntType
from quorate.model.nodes import Op
from quorate.model.passes.terms import Names, both, changed, is_path, with_bodies, with_values
from quorate.model.totality import is_total

ONE = ir.Expr(Op.CONST, IntType(1, 1), (), 1)
YES = ir.Expr(Op.CONST, BOOL, (), True)
EVERY = ir.Where(YES)


def not_gathered(model: ir.Model) -> ir.Model:
    """The model without sets that are built to be looked at once."""
    run = _Run(model)
    return with_bodies(model, lambda body: changed(body, run.change))


class _Run:
    def __init__(self, model: ir.Model) -> None:
        self.model, self.names = model, Names("s")

    def change(self, node: ir.Expr) -> ir.Expr:
        """What an expression becomes whose parts are changed already."""
        match node:
            case ir.Expr(op=Op.IN, args=(one, whole)) if _is_filter(whole) and self._may_be_asked(one, whole):
                return self._asked(one, whole)
            case ir.Expr(op=Op.LEN, args=(whole,)) if _is_filter(whole) and is_total(whole, self.model):
                return ir.Expr(Op.SUM, node.type, (ONE,), whole.data, node.location)
            case ir.Expr(op=Op.LT, args=(ir.Expr(op=Op.CONST, data=0), number)) if self._is_count(number):
                return _any(number)
            case ir.Expr(op=Op.LE, args=(ir.Expr(op=Op.CONST, data=1), number)) if self._is_count(number):
                return _any(number)
            case ir.Expr(op=Op.EQ, args=(number, ir.Expr(op=Op.CONST, data=0))) if self._is_count(number):
                return ir.Expr(Op.NOT, BOOL, (_any(number),), None, node.location)
            case ir.Expr(op=Op.ANY | Op.ALL | Op.SET_OF | Op.SUM) if is_total(node, self.model):
                return self._spliced(node)
        return node

    def _may_be_asked(self, one: ir.Expr, whole: ir.Expr) -> bool:
        same = one.type == whole.args[0].type
        return same and is_path(one) and is_total(one, self.model) and is_total(whole, self.model)

    def _asked(self, one: ir.Expr, whole: ir.Expr) -> ir.Expr:
        """`one in whole`, where `whole` has those of a collection for which conditions are true."""
        over = whole.clauses[0]
        assert isinstance(over, ir.For)
        member = one if one.type == over.type else ir.Expr(Op.COERCE, over.type, (one,), None, one.location)
        conditions = [
            with_values(self.names.apart(clause.condition), {over.name: member}, self.model)
            for clause in whole.clauses
            if isinstance(clause, ir.Where)
        ]
        return both(ir.Expr(Op.IN, BOOL, (member, over.source), None, one.location), *conditions)

    def _is_count(self, number: ir.Expr) -> bool:
        """Whether a number says how many rounds a comprehension has, or is zero if they are none."""
        whole = number.args[0] if number.args else number
        counts = (whole.op is Op.SET_OF) if number.op is Op.LEN else (number.op is Op.SUM and whole == ONE)
        return counts and is_total(number, self.model)

    def _spliced(self, node: ir.Expr) -> ir.Expr:
        """A comprehension whose sources are no comprehensions."""
        for position, clause in enumerate(node.clauses):
            if not isinstance(clause, ir.For) or clause.source.op is not Op.SET_OF:
                continue
            inner = self.names.apart(clause.source)
            if not is_path(inner.args[0]) or (node.op is Op.SUM and not _is_filter(inner)):
                continue
            given = {clause.name: inner.args[0]}
            rest = with_values(replace(node, data=(EVERY, *node.clauses[position + 1 :])), given, self.model)
            return self._spliced(replace(rest, data=(*node.clauses[:position], *inner.clauses, *rest.clauses[1:])))
        return node


def _any(number: ir.Expr) -> ir.Expr:
    """Whether what is counted has any."""
    clauses = number.args[0].data if number.op is Op.LEN else number.data
    return ir.Expr(Op.ANY, BOOL, (YES,), clauses, number.location)


def _is_filter(whole: ir.Expr) -> bool:
    """Whether a set has those members of another collection, each once, for which conditions are true."""
    if whole.op is not Op.SET_OF or any(isinstance(clause, ir.For) for clause in whole.clauses[1:]):
        return False
    over, value = whole.clauses[0], whole.args[0]
    assert isinstance(over, ir.For)
    value = value.args[0] if value.op is Op.NARROW else value
    is_member = value.op is Op.LOCAL and value.data == over.name
    return is_member and isinstance(over.source.type, SetType | NetworkType)
