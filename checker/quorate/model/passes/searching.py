"""Searches for a message that the conditions say: the message is looked up.

`any(isinstance(m, P2b) and m.ballot == b and m.acceptor == a for m in self.messages)` looks at every message. What it asks is whether
one of `P2b(b, a, v)` is there, and there are few values v.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from quorate.language.types import NetworkType, RecordType, SetType, Type
from quorate.model import nodes as ir
from quorate.model.conversion import alternatives
from quorate.model.facts import BOOL
from quorate.model.lowering import domain
from quorate.model.nodes import Op
from quorate.model.passes.terms import Names, both, changed, mentions, with_bodies, with_values
from quorate.model.totality import is_total

LOOKUPS_MAX = 8
"""As often something is looked up at most: a loop over a collection is as fast as more."""


def looked_up(model: ir.Model) -> ir.Model:
    """The model that looks up what it searched for."""
    run = _Run(model)
    return with_bodies(model, lambda body: changed(body, run.change))


@dataclass(frozen=True)
class _Search:
    """A search among the records of one class: the values of those `fields` that conditions determine, and the `other` conditions."""

    over: ir.For
    kind: RecordType
    fields: dict[str, ir.Expr]
    other: tuple[ir.Expr, ...]

    @property
    def free(self) -> list[tuple[str, Type]]:
        """The fields that may have any value."""
        return [(name, kind) for name, kind in self.kind.fields if name not in self.fields]

    @property
    def lookups(self) -> int:
        """How many records there are like this."""
        return prod(kind.cardinality for _, kind in self.free)


class _Run:
    def __init__(self, model: ir.Model) -> None:
        self.model, self.names = model, Names("l")

    def change(self, node: ir.Expr) -> ir.Expr:
        """What an expression becomes."""
        if node.op is not Op.ANY or not is_total(node, self.model):
            return node
        found = self._search(node)
        return node if found is None or not found.fields or found.lookups > LOOKUPS_MAX else self._lookup(found)

    def _search(self, node: ir.Expr) -> _Search | None:
        over, *rest = node.clauses
        assert isinstance(over, ir.For)
        if not isinstance(over.source.type, SetType | NetworkType) or over.source.op is Op.DOMAIN:
            return None
        conditions: list[ir.Expr] = []
        for clause in rest:
            if isinstance(clause, ir.For):
                return None
            conditions += ir.conjuncts(clause.condition)
        conditions += ir.conjuncts(node.args[0])
        kinds = set(alternatives(over.type))
        other: list[ir.Expr] = []
        fields: dict[str, ir.Expr] = {}
        for condition in conditions:
            match condition:
                case ir.Expr(op=Op.IS, args=(ir.Expr(op=Op.LOCAL, data=name),), data=asked) if name == over.name:
                    kinds &= set(asked)
                    continue
                case ir.Expr(op=Op.EQ, args=(one, two)):
                    for part, value in (one, two), (two, one):
                        if self._determines(over, part, value) and part.data not in fields:
                            fields[part.data] = value
                            break
                    else:
                        other.append(condition)
                    continue
            other.append(condition)
        kind = kinds.pop() if len(kinds) == 1 else None
        return _Search(over, kind, fields, tuple(other)) if isinstance(kind, RecordType) else None

    def _determines(self, over: ir.For, part: ir.Expr, value: ir.Expr) -> bool:
        """Whether the equation of these two says what a field of a message is."""
        if part.op is not Op.FIELD or part.type != value.type:
            return False
        whole = part.args[0].args[0] if part.args[0].op is Op.NARROW else part.args[0]
        is_message = whole.op is Op.LOCAL and whole.data == over.name
        return is_message and not mentions(value, over.name) and is_total(value, self.model)

    def _lookup(self, found: _Search) -> ir.Expr:
        values, clauses = dict(found.fields), list[ir.Clause]()
        for name, kind in found.free:
            values[name] = ir.Expr(Op.LOCAL, kind, (), self.names.new(name))
            clauses.append(ir.For(values[name].data, kind, domain(kind), not kind.scalarsets))
        record = ir.Expr(Op.RECORD, found.kind, tuple(values[name] for name, _ in found.kind.fields))
        wide = found.over.type
        message = record if wide == found.kind else ir.Expr(Op.COERCE, wide, (record,))
        is_there = ir.Expr(Op.IN, BOOL, (message, found.over.source))
        test = both(*(with_values(one, {found.over.name: message}, self.model) for one in found.other), is_there)
        return ir.Expr(Op.ANY, BOOL, (test,), tuple(clauses)) if clauses else test
