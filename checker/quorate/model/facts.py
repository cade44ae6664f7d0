"""What is known where an expression stands: the conditions before it, and what local names stand for.

A fact is a condition that is true. Of numbers, facts are bounds of differences, from which it follows that an index is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from math import inf

from quorate.language.types import BoolType, ListType, Type
from quorate.model import nodes as ir
from quorate.model.integers import IntType
from quorate.model.nodes import Op
from quorate.model.ranges import ends, is_number

BOOL = BoolType()
Facts = frozenset[ir.Expr]
"""Conditions that are true."""


def assigned(target: ir.Place, value: ir.Expr) -> Facts:
    """What is known after an assignment, unless the value reads what it replaces."""
    if _says(value, {target.root}):
        return frozenset()
    return frozenset() if target.state else frozenset({stands_for(target.root, target.type, value)})


def known(condition: ir.Expr, true: bool) -> Facts:
    """What is true if a condition is, or is not."""
    if condition.op is Op.NOT:
        return known(condition.args[0], not true)
    if condition.op is (Op.AND if true else Op.OR):
        return frozenset().union(*(known(part, true) for part in condition.args))
    return frozenset({condition if true else ir.Expr(Op.NOT, condition.type, (condition,))})


def without(facts: Facts, roots: set[str]) -> Facts:
    """The facts that say nothing of these variables and locals."""
    return frozenset(
        fact for fact in facts if not _says(fact, roots) and not any(part.op in ir.CALLS for part in fact.walk())
    )


def _says(node: ir.Expr, roots: set[str]) -> bool:
    """Whether an expression has one of these variables and locals."""
    return any(part.op in (Op.STATE, Op.LOCAL) and part.data in roots for part in node.walk())


def bare(value: ir.Expr) -> ir.Expr:
    """A value without conversions: what it is if they succeed."""
    while value.op in (Op.COERCE, Op.FIT):
        value = value.args[0]
    return value


STANDS_FOR = "stands for"
"""What an equation says beside its operands if its left side is a local name that was given the value of the right one."""


def stands_for(name: str, kind: Type, value: ir.Expr) -> ir.Expr:
    """The fact that a local name stands for a value."""
    return ir.Expr(Op.EQ, BOOL, (ir.Expr(Op.LOCAL, kind, (), name), bare(value)), STANDS_FOR)


def resolved(node: ir.Expr, facts: Facts) -> ir.Expr:
    """An expression with the values of its local names, where they are known, in their place."""
    return _with_values(node, _values(facts))


@lru_cache(maxsize=4096)
def _values(facts: Facts) -> Mapping[str, ir.Expr]:
    return {fact.args[0].data: fact.args[1] for fact in facts if fact.data == STANDS_FOR}


@lru_cache(maxsize=4096)
def all_resolved(facts: Facts) -> Facts:
    return frozenset(resolved(fact, facts) for fact in facts if fact.data != STANDS_FOR)


def _with_values(node: ir.Expr, values: Mapping[str, ir.Expr]) -> ir.Expr:
    def local(one: ir.Expr) -> ir.Expr:
        return _with_values(values[one.data], values) if one.data in values else one

    return mapped(node, local) if values else node


def renamed(node: ir.Expr, names: Mapping[str, str] | None = None, prefix: str = "^") -> ir.Expr:
    """An expression with its locals renamed; without `names`, all of them, to what no local is called."""

    def other(name: str) -> str:
        return prefix + name if names is None else names.get(name, name)

    return mapped(node, lambda local: replace(local, data=other(local.data)), other)


def mapped(
    node: ir.Expr,
    local: Callable[[ir.Expr], ir.Expr],
    named: Callable[[str], str] = lambda name: name,
    bound: frozenset[str] = frozenset(),
) -> ir.Expr:
    """An expression with other ones in the place of its free locals. `named` gives the variables of its comprehensions their names."""
    if node.op is Op.LOCAL:
        return replace(node, data=named(node.data)) if node.data in bound else local(node)
    if not (node.args or node.clauses):
        return node
    clauses: list[ir.Clause] = []
    for clause in node.clauses:
        if isinstance(clause, ir.For):
            source = mapped(clause.source, local, named, bound)
            clauses.append(replace(clause, name=named(clause.name), source=source))
            bound |= {clause.name}
        else:
            clauses.append(ir.Where(mapped(clause.condition, local, named, bound)))
    args = tuple(mapped(part, local, named, bound) for part in node.args)
    if node.op is Op.NARROW and bare(args[0]).type == node.type:  # To a wider type and back.
        return bare(args[0])
    return replace(node, args=args, data=tuple(clauses) or node.data)


def bound_in(node: ir.Expr) -> set[str]:
    """The variables of the comprehensions in an expression."""
    return {clause.name for part in node.walk() for clause in part.clauses if isinstance(clause, ir.For)}


# Indices: facts are bounds of differences, `a - b <= c`, and the shortest way from one number to another adds them up.

ZERO = ir.Expr(Op.CONST, IntType(0, 0), (), 0)
Bounds = dict[tuple[ir.Expr, ir.Expr], float]


def is_index(whole: ir.Expr, index: ir.Expr, facts: Facts) -> bool:
    """Whether a number is certainly an index of a list."""
    assert isinstance(whole.type, ListType)
    length = ir.Expr(Op.LEN, IntType(0, whole.type.capacity), (resolved(whole, facts),))
    bounds: Bounds = {}
    at, more = _sum(resolved(index, facts))
    for fact in all_resolved(facts):
        _bound(bounds, fact)
    for number in {at, length, *(one for pair in bounds for one in pair)}:
        _range(bounds, number)
    below = _difference(bounds, at, length) + more <= -1
    if at == ZERO and more < 0:
        return _difference(bounds, ZERO, length) <= more
    return below and _difference(bounds, ZERO, at) <= more


def _sum(value: ir.Expr) -> tuple[ir.Expr, int]:
    """A number as another one and a constant."""
    value = bare(value)
    if value.op is Op.CONST:
        return ZERO, int(value.data)
    if value.op in (Op.ADD, Op.SUB) and bare(value.args[1]).op is Op.CONST:
        inner, more = _sum(value.args[0])
        constant = int(bare(value.args[1]).data)
        return inner, more + (constant if value.op is Op.ADD else -constant)
    return value, 0


def _bound(bounds: Bounds, fact: ir.Expr) -> None:
    negated = fact.op is Op.NOT
    inner = fact.args[0] if negated else fact
    if inner.op not in (Op.LE, Op.LT, Op.EQ) or not all(is_number(part.type) for part in inner.args):
        return
    (low, less), (high, more) = map(_sum, inner.args)
    if inner.op is Op.EQ:
        if not negated:
            _closer(bounds, low, high, more - less)
            _closer(bounds, high, low, less - more)
        elif high == ZERO and ends(low.type)[0] == more - less:  # it is not the least that it can be
            _closer(bounds, ZERO, low, less - more - 1)
    elif negated:  # not a <= b: b + 1 <= a
        _closer(bounds, high, low, less - more - (inner.op is Op.LE))
    else:
        _closer(bounds, low, high, more - less - (inner.op is Op.LT))


def _closer(bounds: Bounds, low: ir.Expr, high: ir.Expr, distance: float) -> None:
    bounds[low, high] = min(distance, bounds.get((low, high), inf))


def _range(bounds: Bounds, number: ir.Expr) -> None:
    """What the type of a number says, and what the least of several is."""
    low, high = ends(number.type)
    _closer(bounds, ZERO, number, -low)
    _closer(bounds, number, ZERO, high)
    if number.op in (Op.MIN, Op.MAX):
        for part, more in map(_sum, number.args):
            ends_ = (number, part, more) if number.op is Op.MIN else (part, number, -more)
            _closer(bounds, *ends_)


def _difference(bounds: Bounds, low: ir.Expr, high: ir.Expr) -> float:
    """The least known c with `low - high <= c` (Bellman 1958)."""
    away = {low: 0.0}
    for _ in range(len(bounds)):
        before = dict(away)
        for (one, other), distance in bounds.items():
            if one in away and away[one] + distance < away.get(other, inf):
                away[other] = away[one] + distance
        if away == before:
            break
    return away.get(high, inf)
