"""What a transition or a property touches: the parts of the state that it may read and change.

A footprint is found by running a body once on abstract values: a parameter may be one value, a record of which some fields
are known, or any value of its type (`abstract`). Of a branch that may be taken everything counts, and of two branches both, unless
it is certain which one is taken; reads count even after a guard that is false: a footprint is never too small. It is as fine as the
keys of maps and the members of sets and networks: `self.log[s]` with a known `s` is that entry alone, and `Vote(t, v, s) in
self.network` concerns the messages that may equal it. An operator or a statement that this module does not know reads and changes
everything.

A variable that is a set or network with a capacity counts as one that has room: `capacity.additions` says how much room that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, assert_never

from quorate.language.types import ListType, MapType, NetworkType, RecordType, SetType, TupleType, Type
from quorate.model import nodes as ir
from quorate.model.abstract import Abstract, Built, Exactly, Holding, Some, any_of, belongs
from quorate.model.accesses import Access, Footprint, Way
from quorate.model.capacity import may_overflow
from quorate.model.nodes import Change, Op
from quorate.model.totality import is_total

UNROLL_MAX = 32
"""A loop over at most this many values of a type is run once for each; over more, once for any."""

OF_THEIR_ARGUMENTS = frozenset(
    {Op.DOMAIN, Op.RANGE, Op.LOOKUP, Op.INDEX, Op.SLICE, Op.SET, Op.LIST, Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MOD}
    | {
        Op.NEG,
        Op.ABS,
        Op.POSITION,
        Op.MEMBER,
        Op.MIN,
        Op.MAX,
        Op.EQ,
        Op.LT,
        Op.LE,
        Op.AND,
        Op.OR,
        Op.NOT,
        Op.SUBSET,
        Op.UNION,
        Op.INTERSECT,
    }
    | {Op.DIFFERENCE, Op.LEN, Op.CONCAT, Op.SORTED, Op.IS, Op.MAJORITY, Op.QUORUM, Op.QUEUE}
)
"""The operators that read what their arguments read, and of whose value only the type is known here."""
UNDERSTOOD = (
    OF_THEIR_ARGUMENTS
    | ir.COMPREHENSIONS
    | {Op.CONST, Op.STATE, Op.OLD, Op.LOCAL, Op.FIELD, Op.COMPONENT, Op.RECORD, Op.TUPLE, Op.IN, Op.IF, Op.COERCE}
    | {Op.FIT, Op.NARROW, Op.CALL, Op.TAKES, Op.POSSIBLE, Op.LINEARIZABLE}
)
"""All operators that are understood: a test asks whether every one was thought of."""

Branch = TypeVar("Branch")
InState = tuple[str, tuple[Abstract, ...]]
"""A place in the state: a variable and keys of nested maps."""


def footprint(model: ir.Model, body: tuple[ir.Stmt, ...], arguments: Mapping[str, Abstract]) -> Footprint:
    """What a body touches when it is run with these arguments."""
    run = _Run(model, dict(arguments), set())
    run.block(body)
    return frozenset(run.accesses)


def _joined(a: Abstract | None, b: Abstract | None, kind: Type) -> Abstract:
    return a if a is not None and a == b else Some(kind)


class _Run:
    """An abstract execution: what locals hold, and all accesses so far."""

    def __init__(self, model: ir.Model, local: dict[str, Abstract], accesses: set[Access]) -> None:
        self.model, self.local, self.accesses = model, local, accesses
        self.results: list[Abstract] = []

    def note(self, way: Way, place: InState, element: Abstract | None = None) -> None:
        """An access to a place."""
        self.accesses.add(Access(way, *place, element))

    # Expressions

    def value(self, node: ir.Expr) -> Abstract:
        """What an expression may be; its reads are noted."""
        place = self.place(node)
        if place is not None:
            self.note(Way.READ, place)
            return Some(node.type)
        match node.op:
            case Op.CONST:
                return Exactly(node.data)
            case Op.LOCAL:
                return self.local.get(node.data, Some(node.type))
            case Op.OLD:
                self.note(Way.READ, (node.data, ()))
            case Op.RECORD | Op.TUPLE:
                assert isinstance(node.type, RecordType | TupleType)
                return Built(node.type, tuple(map(self.value, node.args)))
            case Op.FIELD | Op.COMPONENT:
                return self._part(node)
            case Op.COERCE:
                return self.value(node.args[0])
            case Op.FIT | Op.NARROW:
                inner = self.value(node.args[0])
                known = not isinstance(inner, Some) and belongs(inner, node.type).possible
                return inner if known else Some(node.type)
            case Op.IN:
                self._membership(node)
            case Op.IF:
                outcomes = [self.value(branch) for branch in self._branches(*node.args)]
                return _joined(outcomes[0], outcomes[-1], node.type)
            case Op.CALL | Op.TAKES | Op.POSSIBLE:
                return self._call(node)
            case Op.LINEARIZABLE:
                self._any_call(node)
            case op if op in ir.COMPREHENSIONS:
                return self._comprehension(node)
            case op:
                for part in node.args:
                    self.value(part)
                if op not in OF_THEIR_ARGUMENTS and op is not Op.STATE:
                    self.everything()
        return Some(node.type)

    def everything(self) -> None:
        """What is not understood may read and change all of the state."""
        for variable in self.model.variables:
            self.note(Way.READ, (variable.name, ()))
            self.note(Way.WRITE, (variable.name, ()))

    def _branches(self, condition: ir.Expr, then: Branch, otherwise: Branch) -> tuple[Branch, ...]:
        """The branches that may be taken: one only if it is certain of what class the value that the condition asks about is."""
        if condition.op is not Op.IS:
            self.value(condition)
            return then, otherwise
        answer = any_of(belongs(self.value(condition.args[0]), kind) for kind in condition.data)
        if answer.certain:
            return (then,)
        return (then, otherwise) if answer.possible else (otherwise,)

    def place(self, node: ir.Expr) -> InState | None:
        """The place in the state that an expression names, if it is a path there; the keys are evaluated."""
        if node.op is Op.STATE:
            return node.data, ()
        if node.op is Op.LOOKUP and _is_path(node):
            found = self.place(node.args[0])
            assert found is not None
            return found[0], (*found[1], self.value(node.args[1]))
        return None

    def _part(self, node: ir.Expr) -> Abstract:
        match self.value(node.args[0]):
            case Built(kind=RecordType() as kind, parts=parts):
                return parts[kind.names.index(node.data)]
            case Built(parts=parts):
                return parts[int(node.data)]
            case Exactly(value=value):
                return Exactly(getattr(value, node.data) if node.op is Op.FIELD else value[node.data])
        return Some(node.type)

    def _membership(self, node: ir.Expr) -> None:
        element, whole = node.args
        sought, place = self.value(element), self.place(whole)
        if place is None:
            self.value(whole)
        else:
            self.note(Way.READ, place, sought if isinstance(whole.type, SetType | NetworkType) else None)

    def _call(self, node: ir.Expr) -> Abstract:
        function = self.model.functions[node.data]
        names = [name for name, _ in function.parameters]
        inner = _Run(self.model, dict(zip(names, map(self.value, node.args), strict=True)), self.accesses)
        inner.block(function.body)
        results = set(inner.results)
        return results.pop() if len(results) == 1 else Some(node.type)

    def _any_call(self, node: ir.Expr) -> None:
        """A sequential object is asked about events of the history, in some order."""
        for part in node.args:
            self.value(part)
        _Run(self.model, {}, self.accesses).block(self.model.functions[node.data].body)

    def _comprehension(self, node: ir.Expr) -> Abstract:
        saved = dict(self.local)
        for position, clause in enumerate(node.clauses):
            if isinstance(clause, ir.Where):
                self.value(clause.condition)
                continue
            place = self.place(clause.source)
            if place is not None and isinstance(clause.source.type, SetType | NetworkType):
                self.local[clause.name] = element = self._sought(clause, node, position)
                self.note(Way.READ, place, element)
            else:
                self.local[clause.name] = self._element(clause)
        values = [self.value(part) for part in node.args]
        self.local = saved
        return Holding(node.type, values[0]) if node.op in (Op.SET_OF, Op.LIST_OF) else Some(node.type)

    def _element(self, over: ir.For | ir.Loop) -> Abstract:
        """Any element of a collection, which is evaluated."""
        whole = self.value(over.source)
        return whole.element if isinstance(whole, Holding) else Some(over.type)

    def _sought(self, clause: ir.For, node: ir.Expr, position: int) -> Abstract:
        """The elements that matter to a comprehension: those that its first conditions do not rule out.

        Of any other element only these conditions are evaluated, in order up to the first that is false: so nothing that they
        compare with may fail, or it would matter whether there is any element.
        """
        filters: list[ir.Expr] = []
        for following in node.clauses[position + 1 :]:
            if isinstance(following, ir.For):
                break
            filters += ir.conjuncts(following.condition)
        else:
            filters += ir.conjuncts(node.args[0]) if node.op is Op.ANY else ()
        element: Abstract = Some(clause.type)
        for condition in filters:
            narrower = self._narrower(clause.name, element, condition)
            if narrower is None:
                break
            element = narrower
        return element

    def _narrower(self, name: str, element: Abstract, condition: ir.Expr) -> Abstract | None:
        """An element of which a condition holds; None if the condition is of no simple kind."""
        match condition:
            case ir.Expr(op=Op.IS, args=(ir.Expr(op=Op.LOCAL, data=subject),), data=kinds) if subject == name:
                if len(kinds) == 1 and isinstance(kinds[0], RecordType) and isinstance(element, Some):
                    return Built(kinds[0], tuple(map(Some, kinds[0].kinds)))
            case ir.Expr(op=Op.EQ, args=(left, right)) if isinstance(element, Built):
                for side, other in ((left, right), (right, left)):
                    field = _field_of(_resolved(side, name, element), name, element)
                    if field is None or not isinstance(element.parts[field], Some):
                        continue
                    if not _mentions(other, name) and is_total(other, self.model):
                        parts = list(element.parts)
                        parts[field] = self.value(other)
                        return Built(element.kind, tuple(parts))
        return None

    # Statements

    def block(self, body: tuple[ir.Stmt, ...]) -> None:
        """Statements in order."""
        for statement in body:
            self._statement(statement)

    def _statement(self, statement: ir.Stmt) -> None:
        match statement:
            case ir.Assign(target=target, value=value):
                self._assign(target, self.value(value))
            case ir.Mutate():
                self._mutate(statement)
            case ir.Require(condition=condition) | ir.Within(condition=condition) | ir.Assert(condition=condition):
                self.value(condition)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                before, after = self.local, []
                for branch in self._branches(condition, then, otherwise):
                    self.local = dict(before)
                    self.block(branch)
                    after.append(self.local)
                self.local = dict(after[0].items() & after[-1].items())
            case ir.Loop():
                self._loop(statement)
            case ir.Scope(body=body):
                self.block(body)
                self._forget(body)
            case ir.Return(value=value):
                if value is not None:
                    self.results.append(self.value(value))
            case ir.Break() | ir.Continue():
                pass  # What follows counts anyway.
            case _:
                assert_never(statement)

    def _forget(self, body: tuple[ir.Stmt, ...]) -> None:
        """What a body assigns to locals is not known where it may have been left early or run again."""
        for statement in ir.statements(body):
            match statement:
                case (
                    ir.Assign(target=ir.Place(root=name, state=False))
                    | ir.Mutate(target=ir.Place(root=name, state=False))
                ):
                    self.local.pop(name, None)
                case ir.Loop(name=name):
                    self.local.pop(name, None)

    def _loop(self, loop: ir.Loop) -> None:
        element = self._element(loop)
        self._forget((loop,))
        listed = loop.source.op is Op.DOMAIN and loop.type.cardinality <= UNROLL_MAX
        for value in map(Exactly, loop.type.values()) if listed else [element]:
            self.local[loop.name] = value
            self.block(loop.body)
            self._forget((loop,))

    def _assign(self, target: ir.Place, value: Abstract) -> None:
        place, whole = self._target(target)
        if place is not None:
            self.note(Way.WRITE, place)
        elif whole:
            self.local[target.root] = value
        else:
            self.local.pop(target.root, None)

    def _target(self, target: ir.Place) -> tuple[InState | None, bool]:
        """The place in the state that is changed (all of a list, if something in it is), and whether no selector leads to it."""
        keys: list[Abstract] = []
        inside = True
        for selector, kind in zip(target.selectors, target.types, strict=False):
            key = self.value(selector)
            inside = inside and isinstance(kind, MapType)
            if inside:
                keys.append(key)
        return ((target.root, tuple(keys)) if target.state else None), not target.selectors

    def _mutate(self, statement: ir.Mutate) -> None:
        values = [self.value(part) for part in statement.args]
        place, _ = self._target(statement.target)
        if place is None:
            self.local.pop(statement.target.root, None)
            return
        kind, in_list = statement.target.type, any(isinstance(part, ListType) for part in statement.target.types[:-1])
        if not isinstance(kind, SetType | NetworkType) or in_list or not values:
            self.note(Way.WRITE, place)
        elif statement.change in (Change.ADD, Change.SEND):
            self.note(Way.ADD, place, values[0])
            if may_overflow(kind) and place[1]:
                self.note(Way.READ, place)
        elif statement.change is Change.RECEIVE:
            self.note(Way.READ, place, values[0])
        elif statement.change in (Change.DISCARD, Change.REMOVE, Change.DROP):
            self.note(Way.WRITE, place, values[0])
        else:
            self.note(Way.READ, place)
            self.note(Way.WRITE, place)


def _is_path(node: ir.Expr) -> bool:
    return node.op is Op.STATE or (
        node.op is Op.LOOKUP and isinstance(node.args[0].type, MapType) and _is_path(node.args[0])
    )


def _field_of(node: ir.Expr, name: str, element: Built) -> int | None:
    """Which field of the element `name` an expression is."""
    if node.op is not Op.FIELD or not isinstance(element.kind, RecordType):
        return None
    subject = node.args[0]
    if subject.op is Op.NARROW:
        subject = subject.args[0]
    named = subject.op is Op.LOCAL and subject.data == name
    return element.kind.names.index(node.data) if named and node.data in element.kind.names else None


def _resolved(node: ir.Expr, name: str, element: Built) -> ir.Expr:
    """The branch of a conditional expression that is certainly taken for this element `name`; the expression itself in doubt."""
    while node.op is Op.IF and node.args[0].op is Op.IS:
        subject = node.args[0].args[0]
        if subject.op is not Op.LOCAL or subject.data != name:
            break
        answer = any_of(belongs(element, kind) for kind in node.args[0].data)
        if answer.possible and not answer.certain:
            break
        node = node.args[1 if answer.certain else 2]
    return node


def _mentions(node: ir.Expr, name: str) -> bool:
    return any(part.op is Op.LOCAL and part.data == name for part in node.walk())
