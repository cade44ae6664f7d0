"""Which sorts' names decide how a loop over them ends: its rounds may end it in two different ways, and the first one counts.

A round may raise an error in the spec, be cut by a bound, or end the loop early: the round that decides `any` or `all`, a `return`.
If two of these are possible, a renaming of identities may put the one before the other. A state and its renamings do not go on alike
then, and what the representative of an orbit does says nothing of the others. Everything else about the rounds commutes (`order`).

Whether a round may fail is read from its text with what the conditions before it say: in `x is not None and x.term > 0` nothing can
fail, nor in `self.log[s][i - 1]` after `0 < i <= len(self.log[s])`. What is not understood may fail: a sort is given up too often
rather than too seldom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from typing import assert_never

from quorate.errors import Location
from quorate.language.types import BoolType, ListType, MapType, Type
from quorate.model import nodes as ir
from quorate.model.conversion import alternatives, same_class
from quorate.model.fitting import ERROR, NONE, End, fitting, room
from quorate.model.nodes import Change, Op
from quorate.model.ranges import ends, is_number
from quorate.model.totality import TOTAL, is_total

EARLY: End = frozenset({"an end"})
"""A round may end before its last line by an error or a cut, of which one by another name is another end; and it may be the last."""

BOOL = BoolType()
Facts = frozenset[ir.Expr]
"""Conditions that are true."""


def deciding_sorts(model: ir.Model) -> Mapping[type, Location | None]:
    """The scalarsets whose names may decide how a loop ends, each with the first such loop. @init may be left out: it is run for every
    choice of its arguments, never for representatives alone."""
    run = _Run(model)
    for action in model.actions:
        run.body(action.body, frozenset())
    run.in_property = True
    for found in model.properties:
        run.body(found.body, frozenset())
    return run.found


@dataclass(frozen=True)
class _Call:
    """How a call may end, and of which classes its result may be."""

    end: End
    results: frozenset[Type]


@dataclass
class _Run:
    """One look through a model."""

    model: ir.Model
    found: dict[type, Location | None] = field(default_factory=dict)
    in_property: bool = False
    """A cut is an error there."""
    _calls: dict[tuple[str, bool, Facts], _Call] = field(default_factory=dict)
    _results: set[Type] = field(default_factory=set)
    """Of which classes the results of the function are that is looked at."""

    # Expressions

    def value(self, node: ir.Expr, facts: Facts) -> End:
        """How the evaluation of an expression may end."""
        if is_total(node, self.model):
            return NONE
        match node.op:
            case Op.AND | Op.OR:
                found = NONE
                for part in node.args:
                    found |= self.value(part, facts)
                    facts |= _known(part, node.op is Op.AND)
                return found
            case Op.IF:
                condition, then, otherwise = node.args
                found = self.value(condition, facts)
                found |= self.value(then, facts | _known(condition, True))
                return found | self.value(otherwise, facts | _known(condition, False))
            case op if op in ir.COMPREHENSIONS:
                return self._comprehension(node, facts)
        found = NONE
        for part in node.args:
            found |= self.value(part, facts)
        return found | self._own(node, facts)

    def _own(self, node: ir.Expr, facts: Facts) -> End:
        """How an operator may end whose operands have values."""
        match node.op:
            case Op.FIT:
                return self._cut(fitting(node.args[0].type, node.type))
            case Op.NARROW:
                wanted = alternatives(node.type)
                found = self._classes(node.args[0], facts)
                return NONE if all(any(same_class(kind, want) for want in wanted) for kind in found) else ERROR
            case Op.INDEX:
                whole, at = node.args
                return NONE if _is_index(whole, at, facts) else ERROR
            case Op.LOOKUP:
                whole, key = node.args
                assert isinstance(whole.type, MapType)
                return ERROR if fitting(key.type, whole.type.key) else NONE
            case Op.DIV | Op.MOD:
                low, high = ends(node.args[1].type)
                return ERROR if low <= 0 <= high else NONE
            case Op.CALL:
                return self._called(node, facts).end
            case Op.LINEARIZABLE:  # It takes the events in the order of the history.
                self._called(ir.Expr(Op.CALL, node.type, (), node.data), frozenset())
                return ERROR
        return NONE if node.op in TOTAL else ERROR

    def _cut(self, end: End) -> End:
        return frozenset("an error" if self.in_property else one for one in end)

    def _called(self, call: ir.Expr, facts: Facts) -> _Call:
        """How a call may end, and of which classes its result may be. What is known of the caller's locals is known under other names."""
        function = self.model.functions[call.data]
        given = {
            _name(name, kind, _renamed(value))
            for (name, kind), value in zip(function.parameters, call.args, strict=False)
        }
        known = frozenset(map(_renamed, facts)) | given
        key = call.data, self.in_property, known
        if key not in self._calls:
            outside, self._results = self._results, set()
            end = self.body(function.body, known) - EARLY
            self._calls[key] = _Call(end, frozenset(self._results))
            self._results = outside
        return self._calls[key]

    def _classes(self, node: ir.Expr, facts: Facts) -> frozenset[Type]:
        """Of which alternatives of a union a value may be."""
        if node.op is Op.IF:
            condition, then, otherwise = node.args
            first = self._classes(then, facts | _known(condition, True))
            return first | self._classes(otherwise, facts | _known(condition, False))
        if node.op is Op.COERCE:
            return self._classes(node.args[0], facts)
        if node.op is Op.CALL:
            return self._called(node, facts).results
        found = frozenset(alternatives(node.type))
        subject = _resolved(node, facts)
        for fact in _all_resolved(facts):
            match fact:
                case ir.Expr(op=Op.IS, args=(asked,), data=kinds) if asked == subject:
                    found = _of(found, kinds)
                case ir.Expr(op=Op.NOT, args=(ir.Expr(op=Op.IS, args=(asked,), data=kinds),)) if asked == subject:
                    found -= _of(found, kinds)
                case ir.Expr(op=Op.EQ, args=(one, other)) if subject in (one, other):
                    found = _of(found, alternatives(_bare(other if one == subject else one).type))
        return found

    def _comprehension(self, node: ir.Expr, facts: Facts) -> End:
        before = NONE
        for part in node.args[1:]:
            before |= self.value(part, facts)
        rounds: list[tuple[ir.For, End]] = []
        for clause in node.clauses:
            if isinstance(clause, ir.Where):
                end = self.value(clause.condition, facts)
                facts |= _known(clause.condition, True)
            else:
                end = self.value(clause.source, facts)
            rounds = [(over, ends | end) for over, ends in rounds]
            if isinstance(clause, ir.For):
                before |= end
                facts |= _element(clause.name, clause.type, clause.source, facts)
                rounds.append((clause, NONE))
        own = {Op.ALL: EARLY, Op.ANY: EARLY, Op.THE: ERROR}.get(node.op, NONE)
        body = self.value(node.args[0], facts) | own
        for over, end in rounds:
            self._decide(over.type, over.ordered, end | body, node.location)
        empty = node.op in (Op.MIN_OF, Op.MAX_OF, Op.THE) and len(node.args) == 1
        inside = NONE
        for _, end in rounds:
            inside |= end | body
        return before | (inside - EARLY) | (ERROR if empty else NONE)

    def _decide(self, kind: Type, ordered: bool, end: End, location: Location | None) -> None:
        if len(end) > 1 and not ordered:
            for sort in kind.scalarsets:
                self.found.setdefault(sort, location)

    # Statements

    def body(self, body: tuple[ir.Stmt, ...], facts: Facts) -> End:
        """How statements may end; `EARLY` says that they may leave a loop around them."""
        found = NONE
        for statement in body:
            end, facts = self._statement(statement, facts)
            found |= end
        return found

    def _statement(self, statement: ir.Stmt, facts: Facts) -> tuple[End, Facts]:
        match statement:
            case ir.Assign(target=target, value=value):
                end = self._all([*target.selectors, value], facts) | self._path(target)
                facts = _without(facts, {target.root})
                if not target.selectors:
                    facts |= _assigned(target, value)
                return end, facts
            case ir.Mutate(target=target, args=args):
                end = self._all([*target.selectors, *args], facts) | self._path(target) | self._change(statement, facts)
                return end, _without(facts, {target.root})
            case ir.Require(condition=condition):
                return self.value(condition, facts), facts | _known(condition, True)
            case ir.Within(condition=condition):
                return self.value(condition, facts) | {statement.constraint}, facts | _known(condition, True)
            case ir.Assert(condition=condition):
                return self.value(condition, facts) | ERROR, facts | _known(condition, True)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                end = self.value(condition, facts)
                for branch, true in ((then, True), (otherwise, False)):
                    end |= self.body(branch, facts | _known(condition, true))
                after = facts
                for branch, true in ((then, False), (otherwise, True)):
                    if branch and isinstance(branch[-1], ir.Return | ir.Continue | ir.Break):
                        after |= _known(condition, true)
                return end, _without(after, _changed((statement,)))
            case ir.Loop(source=source, body=body):
                end = self.value(source, facts)
                element = _element(statement.name, statement.type, source, facts)
                rounds = self.body(body, _without(facts | element, _changed(body)))
                self._decide(statement.type, statement.ordered, rounds, statement.location)
                return end | rounds, _without(facts, _changed(body))
            case ir.Scope(body=body):
                return self.body(body, facts) - EARLY, _without(facts, _changed(body))
            case ir.Return(value=value):
                if value is None:
                    return EARLY, facts
                self._results |= self._classes(value, facts)
                return EARLY | self.value(value, facts), facts
            case ir.Continue() | ir.Break():
                return NONE, facts
            case _:
                assert_never(statement)

    def _all(self, nodes: Iterable[ir.Expr], facts: Facts) -> End:
        found = NONE
        for node in nodes:
            found |= self.value(node, facts)
        return found

    def _path(self, target: ir.Place) -> End:
        found = NONE
        for selector, kind in zip(target.selectors, target.types, strict=False):
            if not isinstance(kind, MapType) or fitting(selector.type, kind.key):
                found |= ERROR
        return found

    def _change(self, statement: ir.Mutate, facts: Facts) -> End:
        match statement.change:
            case Change.ADD | Change.APPEND | Change.SEND:
                return room(statement.target.type)
            case Change.DISCARD | Change.CLEAR:
                return NONE
            case Change.REMOVE | Change.RECEIVE | Change.DROP:
                asked = ir.Expr(Op.IN, BOOL, (statement.args[0], statement.target.read()))
                return NONE if _resolved(asked, facts) in _all_resolved(facts) else ERROR
            case _:
                return ERROR


def _assigned(target: ir.Place, value: ir.Expr) -> Facts:
    """What is known after an assignment, unless the value reads what it replaces."""
    if _says(value, {target.root}):
        return frozenset()
    return frozenset() if target.state else frozenset({_name(target.root, target.type, value)})


def _known(condition: ir.Expr, true: bool) -> Facts:
    """What is true if a condition is, or is not."""
    if condition.op is Op.NOT:
        return _known(condition.args[0], not true)
    if condition.op is (Op.AND if true else Op.OR):
        return frozenset().union(*(_known(part, true) for part in condition.args))
    return frozenset({condition if true else ir.Expr(Op.NOT, condition.type, (condition,))})


def _without(facts: Facts, roots: set[str]) -> Facts:
    """The facts that say nothing of these variables and locals."""
    return frozenset(
        fact for fact in facts if not _says(fact, roots) and not any(part.op is Op.CALL for part in fact.walk())
    )


def _says(node: ir.Expr, roots: set[str]) -> bool:
    """Whether an expression has one of these variables and locals."""
    return any(part.op in (Op.STATE, Op.LOCAL) and part.data in roots for part in node.walk())


def _changed(body: tuple[ir.Stmt, ...]) -> set[str]:
    return {part.target.root for part in ir.changes(body)}


def _bare(value: ir.Expr) -> ir.Expr:
    """A value without conversions: what it is if they succeed."""
    while value.op in (Op.COERCE, Op.FIT):
        value = value.args[0]
    return value


def _of(found: frozenset[Type], kinds: Iterable[Type]) -> frozenset[Type]:
    """Those that are of the class of one of some others."""
    return frozenset(kind for kind in found if any(same_class(kind, other) for other in kinds))


STANDS_FOR = "stands for"
"""What an equation says beside its operands if its left side is a local name that was given the value of the right one."""


def _name(name: str, kind: Type, value: ir.Expr) -> ir.Expr:
    """The fact that a local name stands for a value."""
    return ir.Expr(Op.EQ, BOOL, (ir.Expr(Op.LOCAL, kind, (), name), _bare(value)), STANDS_FOR)


def _resolved(node: ir.Expr, facts: Facts) -> ir.Expr:
    """An expression with the values of its local names, where they are known, in their place."""
    return _with_values(node, _values(facts))


@lru_cache(maxsize=4096)
def _values(facts: Facts) -> Mapping[str, ir.Expr]:
    return {fact.args[0].data: fact.args[1] for fact in facts if fact.data == STANDS_FOR}


@lru_cache(maxsize=4096)
def _all_resolved(facts: Facts) -> Facts:
    return frozenset(_resolved(fact, facts) for fact in facts if fact.data != STANDS_FOR)


def _with_values(node: ir.Expr, values: Mapping[str, ir.Expr]) -> ir.Expr:
    def local(one: ir.Expr) -> ir.Expr:
        return _with_values(values[one.data], values) if one.data in values else one

    return _mapped(node, local) if values else node


def _renamed(node: ir.Expr, names: Mapping[str, str] | None = None) -> ir.Expr:
    """An expression with its locals renamed; without `names`, all of them, to what no local is called."""

    def other(name: str) -> str:
        return f"^{name}" if names is None else names.get(name, name)

    return _mapped(node, lambda local: replace(local, data=other(local.data)), other)


def _mapped(
    node: ir.Expr, local: Callable[[ir.Expr], ir.Expr], named: Callable[[str], str] = lambda name: name
) -> ir.Expr:
    """An expression with other ones in the place of its locals. `named` gives the variables of its comprehensions their names."""
    if node.op is Op.LOCAL:
        return local(node)
    if not (node.args or node.clauses):
        return node
    clauses = tuple(
        replace(clause, name=named(clause.name), source=_mapped(clause.source, local, named))
        if isinstance(clause, ir.For)
        else ir.Where(_mapped(clause.condition, local, named))
        for clause in node.clauses
    )
    return replace(node, args=tuple(_mapped(part, local, named) for part in node.args), data=clauses or node.data)


def _element(name: str, kind: Type, source: ir.Expr, facts: Facts) -> Facts:
    """What is known of a loop's variable: it is in the source; if this is a comprehension, some round of it gave it, in which its
    conditions were true."""
    one = ir.Expr(Op.LOCAL, kind, (), name)
    whole = _resolved(source, facts)
    found = {ir.Expr(Op.IN, BOOL, (one, source))}
    if whole.op is Op.RANGE:
        low, high = whole.args
        found |= {ir.Expr(Op.LE, BOOL, (low, one)), ir.Expr(Op.LT, BOOL, (one, high))}
    if whole.op in (Op.SET_OF, Op.LIST_OF):
        names = {clause.name: f"{name}~{clause.name}" for clause in whole.clauses if isinstance(clause, ir.For)}
        found.add(_name(name, kind, _renamed(whole.args[0], names)))
        for clause in whole.clauses:
            if isinstance(clause, ir.Where):
                found |= {_renamed(fact, names) for fact in _known(clause.condition, True)}
            else:
                inner = _element(clause.name, clause.type, clause.source, facts)
                found |= {_renamed(fact, names) for fact in inner}
    return frozenset(found)


# Indices: facts are bounds of differences, `a - b <= c`, and the shortest way from one number to another adds them up.

ZERO = ir.Expr(Op.CONST, ir.IntType(0, 0), (), 0)
Bounds = dict[tuple[ir.Expr, ir.Expr], float]


def _is_index(whole: ir.Expr, index: ir.Expr, facts: Facts) -> bool:
    """Whether a number is certainly an index of a list."""
    assert isinstance(whole.type, ListType)
    length = ir.Expr(Op.LEN, ir.IntType(0, whole.type.capacity), (_resolved(whole, facts),))
    bounds: Bounds = {}
    at, more = _sum(_resolved(index, facts))
    for fact in _all_resolved(facts):
        _bound(bounds, fact)
    for number in {at, length, *(one for pair in bounds for one in pair)}:
        _range(bounds, number)
    below = _difference(bounds, at, length) + more <= -1
    if at == ZERO and more < 0:
        return _difference(bounds, ZERO, length) <= more
    return below and _difference(bounds, ZERO, at) <= more


def _sum(value: ir.Expr) -> tuple[ir.Expr, int]:
    """A number as another one and a constant."""
    value = _bare(value)
    if value.op is Op.CONST:
        return ZERO, int(value.data)
    if value.op in (Op.ADD, Op.SUB) and _bare(value.args[1]).op is Op.CONST:
        inner, more = _sum(value.args[0])
        constant = int(_bare(value.args[1]).data)
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
