"""Which sorts' names decide how a loop over them ends: its rounds may end it in two different ways, and the first one counts.

A round may raise an error in the spec, be cut by a bound, or end the loop early: the round that decides `any` or `all`, a `return`. It may
also spare later rounds what they would evaluate, as in `x = x and y`.
If two of these are possible, a renaming of identities may put the one before the other. A state and its renamings do not go on alike
then, and what the representative of an orbit does says nothing of the others. Everything else about the rounds commutes (`order`).

Whether a round may fail is read from its text with what the conditions before it say: in `x is not None and x.term > 0` nothing can
fail, nor in `self.log[s][i - 1]` after `0 < i <= len(self.log[s])`. What is not understood may fail: a sort is given up too often
rather than too seldom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from quorate.errors import Location, OutsideSubset
from quorate.language.types import BoolType, IdentityType, MapType, Type
from quorate.model import nodes as ir
from quorate.model.conversion import alternatives, same_class
from quorate.model.facts import (
    BOOL,
    Facts,
    all_resolved,
    assigned,
    bare,
    bound_in,
    is_index,
    known,
    mapped,
    renamed,
    resolved,
    stands_for,
    without,
)
from quorate.model.fitting import ERROR, NONE, End, fitting, room
from quorate.model.lowering import domain
from quorate.model.nodes import Change, Op
from quorate.model.ranges import ends, is_number
from quorate.model.totality import TOTAL, is_total

EARLY: End = frozenset({"the last round"})
"""A round may end before its last line by an error or a cut, of which one by another name is another end; and it may be the last."""
SPARING: End = frozenset({"what later rounds are spared"})
"""After a round later ones may not evaluate what they would: the second operand of `x = x and y`, once `x` is false."""

_SAID = {
    **dict.fromkeys(ERROR, "raise an error"),
    **dict.fromkeys(EARLY, "end the loop"),
    **dict.fromkeys(SPARING, "spare later ones a condition"),
}


def deciding_sorts(model: ir.Model) -> Mapping[type, Location | None]:
    """The scalarsets whose names may decide how a loop ends, each with the first such loop. @init may be left out: it is run for every
    choice of its arguments, never for representatives alone.

    Raises OutsideSubset where a set that is made on the spot is looped over and more than names decides: Python's order of it is
    nobody's, and of an Enum another one in each process."""
    run = _Run(model)
    for action in model.actions:
        run.body(action.body, _given(action.parameters))
        if action.fair_if is not None:
            run.body(action.fair_if.body, _given(action.fair_if.parameters))
    found = dict(run.found)
    if model.init is not None:
        run.body(model.init.body, _given(model.init.parameters))
    run.found, run.in_property = found, True
    for prop in (*model.properties, *model.beginnings, *model.endings):
        run.body(prop.body, _given(prop.parameters))
    return run.found


def _given(parameters: Iterable[tuple[str, Type]]) -> Facts:
    """What is known of the parameters of an action or property: they are values of their types."""
    domains = ((ir.Expr(Op.LOCAL, kind, (), name), domain(kind)) for name, kind in parameters)
    return frozenset(ir.Expr(Op.IN, BOOL, pair) for pair in domains)


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
                    facts |= self._known(part, node.op is Op.AND, facts)
                return found
            case Op.IF:
                condition, then, otherwise = node.args
                found = self.value(condition, facts)
                found |= self.value(then, facts | self._known(condition, True, facts))
                return found | self.value(otherwise, facts | self._known(condition, False, facts))
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
                return NONE if is_index(whole, at, facts) else ERROR
            case Op.LOOKUP:
                whole, key = node.args
                assert isinstance(whole.type, MapType)
                return ERROR if fitting(key.type, whole.type.key) else NONE
            case Op.DIV | Op.MOD:
                low, high = ends(node.args[1].type)
                return ERROR if low <= 0 <= high else NONE
            case Op.CALL:
                return self._called(node, facts).end
            case Op.TAKES | Op.POSSIBLE:  # A cut is an answer there.
                outside, self.in_property = self.in_property, False
                end = self._called(node, facts).end & ERROR
                self.in_property = outside
                return end
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
            stands_for(name, kind, renamed(value))
            for (name, kind), value in zip(function.parameters, call.args, strict=False)
        }
        known = frozenset(map(renamed, facts)) | given
        key = call.data, self.in_property, known
        if key not in self._calls:
            outside, self._results = self._results, set()
            end = self.body(function.body, known) - EARLY - SPARING
            self._calls[key] = _Call(end, frozenset(self._results))
            self._results = outside
        return self._calls[key]

    def _classes(self, node: ir.Expr, facts: Facts) -> frozenset[Type]:
        """Of which alternatives of a union a value may be."""
        if node.op is Op.IF:
            condition, then, otherwise = node.args
            first = self._classes(then, facts | self._known(condition, True, facts))
            return first | self._classes(otherwise, facts | self._known(condition, False, facts))
        if node.op is Op.COERCE:
            return self._classes(node.args[0], facts)
        if node.op is Op.CALL:
            return self._called(node, facts).results
        found = frozenset(alternatives(node.type))
        subject = resolved(node, facts)
        for fact in all_resolved(facts):
            match fact:
                case ir.Expr(op=Op.IS, args=(asked,), data=kinds) if asked == subject:
                    found = _of(found, kinds)
                case ir.Expr(op=Op.NOT, args=(ir.Expr(op=Op.IS, args=(asked,), data=kinds),)) if asked == subject:
                    found -= _of(found, kinds)
                case ir.Expr(op=Op.EQ, args=(one, other)) if subject in (one, other):
                    found = _of(found, alternatives(bare(other if one == subject else one).type))
        return found

    def _comprehension(self, node: ir.Expr, facts: Facts) -> End:
        before = NONE
        for part in node.args[1:]:
            before |= self.value(part, facts)
        rounds: list[tuple[ir.For, End]] = []
        for clause in node.clauses:
            if isinstance(clause, ir.Where):
                end = self.value(clause.condition, facts)
                facts |= self._known(clause.condition, True, facts)
            else:
                end = self.value(clause.source, facts)
            rounds = [(over, ends | end) for over, ends in rounds]
            if isinstance(clause, ir.For):
                before |= end
                facts |= self._element(clause.name, clause.type, clause.source, facts)
                rounds.append((clause, NONE))
        own = {Op.ALL: EARLY, Op.ANY: EARLY, Op.THE: ERROR}.get(node.op, NONE)
        body = self.value(node.args[0], facts) | own
        for over, end in rounds:
            self._decide(over, end | body, facts, node.location)
        empty = node.op in (Op.MIN_OF, Op.MAX_OF, Op.THE) and len(node.args) == 1
        inside = NONE
        for _, end in rounds:
            inside |= end | body
        return before | (inside - EARLY) | (ERROR if empty else NONE)

    def _known(self, condition: ir.Expr, true: bool, facts: Facts) -> Facts:
        """What is true if a condition is, or is not."""
        found = known(condition, true)
        return found.union(*(self._members(fact, facts) for fact in found if fact.op is Op.IN))

    def _members(self, fact: ir.Expr, facts: Facts) -> Facts:
        """What `y in {x for x in xs if P(x)}` says of `y`: P."""
        one, whole = bare(fact.args[0]), self._made(fact.args[1], facts)
        if whole.op not in (Op.SET_OF, Op.LIST_OF):
            return frozenset()
        value, loops = bare(whole.args[0]), [clause for clause in whole.clauses if isinstance(clause, ir.For)]
        conditions = [clause.condition for clause in whole.clauses if isinstance(clause, ir.Where)]
        if len(loops) > 1 or value.op is not Op.LOCAL or value.data != loops[0].name:
            return frozenset()
        inside = {name: f"{name}~" for condition in conditions for name in bound_in(condition)}
        said = (renamed(each, inside) for condition in conditions for each in known(condition, True))
        return frozenset(mapped(each, lambda local: one if local.data == value.data else local) for each in said)

    def _element(self, name: str, kind: Type, source: ir.Expr, facts: Facts) -> Facts:
        """What is known of a loop's variable: it is in the source; if this is a comprehension, some round of it gave it, in which its
        conditions were true."""
        one = ir.Expr(Op.LOCAL, kind, (), name)
        whole = self._made(source, facts)
        found = {ir.Expr(Op.IN, BOOL, (one, source))}
        if whole.op is Op.RANGE:
            low, high = whole.args
            found |= {ir.Expr(Op.LE, BOOL, (low, one)), ir.Expr(Op.LT, BOOL, (one, high))}
        if whole.op in (Op.SET_OF, Op.LIST_OF):
            names = {clause.name: f"{name}~{clause.name}" for clause in whole.clauses if isinstance(clause, ir.For)}
            found.add(stands_for(name, kind, renamed(whole.args[0], names)))
            for clause in whole.clauses:
                if isinstance(clause, ir.Where):
                    found |= {renamed(fact, names) for fact in self._known(clause.condition, True, facts)}
                else:
                    inner = self._element(clause.name, clause.type, clause.source, facts)
                    found |= {renamed(fact, names) for fact in inner}
        return frozenset(found)

    def _decide(self, over: ir.For | ir.Loop, end: End, facts: Facts, location: Location | None) -> None:
        if len(end) < 2 or over.ordered:
            return
        if not _is_ordered_by_hash(over.type) and not self._is_canonical(over.source, facts):
            first, second, *_ = (_SAID.get(one, f"pass {one}") for one in sorted(end))
            raise OutsideSubset(
                f"One round of this loop may {first}, another may {second}, and Python's order of a set that is made on the spot decides "
                "which comes first.",
                "Range over the whole sort or a variable, with a condition, or rule the one out by a condition.",
                location,
            )
        for sort in over.type.scalarsets:
            self.found.setdefault(sort, location)

    def _is_canonical(self, source: ir.Expr, facts: Facts) -> bool:
        """Whether Python, too, ranges over a collection in canonical order: a domain, or one that the state or a record holds."""
        node = self._made(source, facts)
        if node.op in (Op.COERCE, Op.NARROW, Op.LOOKUP, Op.INDEX):
            return self._is_canonical(node.args[0], facts)
        if node.op is Op.COMPONENT:
            whole = node.args[0]
            return self._is_canonical(whole.args[node.data] if whole.op is Op.TUPLE else whole, facts)
        if node.op is Op.IF:
            return all(self._is_canonical(part, facts) for part in node.args[1:])
        if node.op is Op.LOCAL:
            held = [fact.args[1] for fact in facts if fact.op is Op.IN and fact.args[0] == node]
            return any(self._is_canonical(whole, facts) for whole in held)
        return node.op in (Op.STATE, Op.OLD, Op.FIELD, Op.DOMAIN)

    def _made(self, source: ir.Expr, facts: Facts) -> ir.Expr:
        """A value with those of local names in their place, and what a function returns in place of its call."""
        node = resolved(source, facts)
        if node.op is Op.CALL:
            function = self.model.functions[node.data]
            match function.body:
                case (ir.Return(value=ir.Expr() as value),):
                    own = f"{node.data}:"
                    given = dict(zip((own + name for name, _ in function.parameters), node.args, strict=True))
                    made = mapped(renamed(value, prefix=own), lambda local: given.get(local.data, local))
                    return self._made(made, facts)
        return node

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
                end |= self._spared(target, bare(value), facts)
                facts = without(facts, {target.root})
                if not target.selectors:
                    facts |= assigned(target, value)
                return end, facts
            case ir.Mutate(target=target, args=args):
                end = self._all([*target.selectors, *args], facts) | self._path(target) | self._change(statement, facts)
                return end, without(facts, {target.root})
            case ir.Require(condition=condition):
                return self.value(condition, facts), facts | self._known(condition, True, facts)
            case ir.Within(condition=condition):
                return self.value(condition, facts) | {statement.constraint}, facts | self._known(
                    condition, True, facts
                )
            case ir.Assert(condition=condition):
                return self.value(condition, facts) | ERROR, facts | self._known(condition, True, facts)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                end = self.value(condition, facts)
                for branch, true in ((then, True), (otherwise, False)):
                    end |= self.body(branch, facts | self._known(condition, true, facts))
                after = facts
                for branch, true in ((then, False), (otherwise, True)):
                    if branch and isinstance(branch[-1], ir.Return | ir.Continue | ir.Break):
                        after |= self._known(condition, true, after)
                return end, without(after, _changed((statement,)))
            case ir.Loop(source=source, body=body):
                end = self.value(source, facts)
                element = self._element(statement.name, statement.type, source, facts)
                rounds = self.body(body, without(facts | element, _changed(body)))
                self._decide(statement, rounds, facts, statement.location)
                return end | rounds, without(facts, _changed(body))
            case ir.Scope(body=body):
                return self.body(body, facts) - EARLY, without(facts, _changed(body))
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

    def _spared(self, target: ir.Place, value: ir.Expr, facts: Facts) -> End:
        """Whether an assignment spares later rounds an evaluation that may fail."""
        if value.op not in (Op.AND, Op.OR):
            return NONE
        first, *rest = value.args
        reads = any(part.op in (Op.STATE, Op.LOCAL) and part.data == target.root for part in first.walk())
        facts |= self._known(first, value.op is Op.AND, facts)
        return SPARING if reads and self._all(rest, facts) else NONE

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
                return NONE if resolved(asked, facts) in all_resolved(facts) else ERROR
            case _:
                return ERROR


def _is_ordered_by_hash(kind: Type) -> bool:
    """Whether CPython's sets have canonical order: identities and small numbers are their own hashes, and the smallest table of a set
    has eight places."""
    if is_number(kind):
        low, high = ends(kind)
        return low >= 0 and high < _PLACES
    return isinstance(kind, BoolType | IdentityType) and kind.cardinality <= _PLACES


_PLACES = 8


def _changed(body: tuple[ir.Stmt, ...]) -> set[str]:
    return {part.target.root for part in ir.changes(body)}


def _of(found: frozenset[Type], kinds: Iterable[Type]) -> frozenset[Type]:
    """Those that are of the class of one of some others."""
    return frozenset(kind for kind in found if any(same_class(kind, other) for other in kinds))
