"""What a transition or a property touches: the parts of the state that it may read and change.

A footprint is found by running a body once on abstract values: a parameter may be one value, a record of which some fields
are known, or any value of its type. Both branches of every `if` are taken, and reads count even after a guard that is
false: a footprint is never too small. It is as fine as the keys of maps and the members of sets and networks:
`self.log[s]` with a known `s` is that entry alone, and `Vote(t, v, s) in self.network` concerns the messages
that may equal it.

A variable that is a set or network with a capacity counts as one that has room: `additions` says how much room that is.

Two footprints are independent if neither changes what the other reads or changes, except that both may add to the
same set: then each transition means the same before and after the other, and both orders end in the same state.
The native engine saves lookups by this, and checks after a transition only what it can have changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache, reduce
from operator import or_
from typing import Any, TypeVar

from quorate.language.types import (
    ChannelsType,
    ListType,
    MapType,
    NetworkType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.language.types.base import Bounded
from quorate.model.nodes import (
    Assert,
    Assign,
    Change,
    Expr,
    For,
    If,
    Loop,
    Model,
    Mutate,
    Op,
    Place,
    Require,
    Return,
    Scope,
    Stmt,
    conjuncts,
    statements,
)

UNROLL_MAX = 32
"""A loop over at most this many values of a type is run once for each; over more, once for any."""


class HashedOnce:
    """A frozen dataclass whose hash is computed once: types are deep, and what overlaps what is asked often.

    Each class says `__hash__ = HashedOnce.__hash__`, or `dataclass` would write its own."""

    def __hash__(self) -> int:
        found = self.__dict__.get("_hash")
        if found is None:
            found = self.__dict__["_hash"] = hash(tuple(self.__dict__.values()))
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}  # It is of this process alone.


@dataclass(frozen=True)
class Some(HashedOnce):
    """Any value of a type."""

    kind: Type
    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True)
class Exactly(HashedOnce):
    """One value."""

    value: Any
    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True)
class Built(HashedOnce):
    """A record or tuple of which the parts are known as far as these say."""

    kind: RecordType | TupleType
    parts: tuple[Abstract, ...]
    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True)
class Holding(HashedOnce):
    """A set or list computed on the way, with elements of which this is known."""

    kind: Type
    element: Abstract
    __hash__ = HashedOnce.__hash__


Abstract = Some | Exactly | Built | Holding


@cache
def may_equal(a: Abstract, b: Abstract) -> bool:
    """Whether two abstract values have a value in common; true in doubt."""
    match a, b:
        case Holding(kind=kind), _:
            return may_equal(Some(kind), b)
        case Exactly(value=x), Exactly(value=y):
            return bool(x == y)
        case Built(), Built():
            return _same_class(a.kind, b.kind) and all(map(may_equal, a.parts, b.parts))
        case Exactly(value=x), Built(kind=kind, parts=parts):
            return kind.accepts(x) and all(map(may_equal, map(Exactly, _parts(kind, x)), parts))
        case Exactly(value=x), Some(kind=kind):
            return kind.accepts(x)
        case Built(kind=mine), Some(kind=kind):
            return _may_share(mine, kind)
        case Some(kind=mine), Some(kind=kind):
            return _may_share(mine, kind)
    return may_equal(b, a)


def _parts(kind: RecordType | TupleType, value: Any) -> Iterable[Any]:
    return value if isinstance(kind, TupleType) else [getattr(value, name) for name in kind.names]


def _same_class(a: Type, b: Type) -> bool:
    if isinstance(a, RecordType) and isinstance(b, RecordType):
        return a.sort is b.sort
    return isinstance(a, TupleType) and isinstance(b, TupleType) and len(a.kinds) == len(b.kinds)


def _may_share(a: Type, b: Type) -> bool:
    """Whether a value may belong to both types: records, enums, identities are of one class only."""
    if isinstance(a, UnionType):
        return any(_may_share(kind, b) for kind in a.kinds)
    if isinstance(b, UnionType):
        return _may_share(b, a)
    mine, other = getattr(a, "sort", None), getattr(b, "sort", None)
    return mine is None or other is None or mine is other or issubclass(mine, int) or issubclass(other, int)


class Way(Enum):
    """What is done with a place."""

    READ = auto()
    ADD = auto()  # an element is put into a set or network, whether it was there or not
    WRITE = auto()  # anything else that may change it


@dataclass(frozen=True)
class Access(HashedOnce):
    """A place in the state and what is done with it.

    `keys` lead into nested maps; `element` are the members of the set or network there that are concerned, or None for
    all that is there.
    """

    way: Way
    variable: str
    keys: tuple[Abstract, ...] = ()
    element: Abstract | None = None
    __hash__ = HashedOnce.__hash__

    def overlaps(self, other: Access) -> bool:
        """Whether both may concern the same part of the state."""
        if self.variable != other.variable or not all(map(may_equal, self.keys, other.keys)):
            return False
        if self.element is None or other.element is None or len(self.keys) != len(other.keys):
            return True
        return may_equal(self.element, other.element)

    def conflicts(self, other: Access) -> bool:
        """Whether the order of the two may make a difference."""
        return (self.way is not other.way or self.way is Way.WRITE) and self.overlaps(other)

    def spoils(self, other: Access) -> bool:
        """Whether this may change what the other concerns."""
        return self.way is not Way.READ and self.overlaps(other)


Footprint = frozenset[Access]
"""All that a body may do with the state."""


def independent(footprints: Sequence[Footprint]) -> list[int]:
    """For each footprint, the positions of those that it is independent of, as bits."""
    return [(1 << len(footprints)) - 1 & ~row for row in _related(footprints, footprints, Access.conflicts)]


def changed(by: Sequence[Footprint], readers: Sequence[Footprint]) -> list[int]:
    """For each of the first footprints, the positions of readers that may read what it may change, as bits."""
    return _related(by, readers, Access.spoils)


def _related(
    rows: Sequence[Footprint], columns: Sequence[Footprint], test: Callable[[Access, Access], bool]
) -> list[int]:
    """For each row, the columns that have an access to which one of the row's accesses is related.

    Footprints share most of their accesses, so accesses are compared once, and footprints by bits.
    """
    holders: dict[Access, int] = {}
    for position, footprint in enumerate(columns):
        for access in footprint:
            holders[access] = holders.get(access, 0) | 1 << position
    by_variable: dict[str, list[tuple[Access, int]]] = {}
    for access, mask in holders.items():
        by_variable.setdefault(access.variable, []).append((access, mask))

    @cache
    def related(access: Access) -> int:
        return reduce(or_, (mask for other, mask in by_variable.get(access.variable, ()) if test(access, other)), 0)

    return [reduce(or_, map(related, footprint), 0) for footprint in rows]


Branch = TypeVar("Branch")
InState = tuple[str, tuple[Abstract, ...]]
"""A place in the state: a variable and keys of nested maps."""


def footprint(model: Model, body: tuple[Stmt, ...], arguments: Mapping[str, Abstract]) -> Footprint:
    """What a body touches when it is run with these arguments."""
    run = _Run(model, dict(arguments), set())
    run.block(body)
    return frozenset(run.accesses)


def _joined(a: Abstract | None, b: Abstract | None, kind: Type) -> Abstract:
    return a if a is not None and a == b else Some(kind)


class _Run:
    """An abstract execution: what locals hold, and all accesses so far."""

    def __init__(self, model: Model, local: dict[str, Abstract], accesses: set[Access]) -> None:
        self.model, self.local, self.accesses = model, local, accesses
        self.results: list[Abstract] = []

    def note(self, way: Way, place: InState, element: Abstract | None = None) -> None:
        """An access to a place."""
        self.accesses.add(Access(way, *place, element))

    # Expressions

    def value(self, node: Expr) -> Abstract:
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
                return inner if not isinstance(inner, Some) and may_equal(inner, Some(node.type)) else Some(node.type)
            case Op.IN:
                self._membership(node)
            case Op.IF:
                outcomes = [self.value(branch) for branch in self._branches(*node.args)]
                return _joined(outcomes[0], outcomes[-1], node.type)
            case Op.CALL:
                return self._call(node)
            case Op.LINEARIZABLE:
                self._any_call(node)
            case _ if node.clauses:
                return self._comprehension(node)
            case _:
                for part in node.args:
                    self.value(part)
        return Some(node.type)

    def _branches(self, condition: Expr, then: Branch, otherwise: Branch) -> tuple[Branch, ...]:
        """The branches that may be taken: one if the condition asks for the class of something whose class is known."""
        subject = self.value(condition.args[0]) if condition.op is Op.IS else self.value(condition)
        if condition.op is not Op.IS or isinstance(subject, Some | Holding):
            return then, otherwise
        return (then,) if any(may_equal(subject, Some(kind)) for kind in condition.data) else (otherwise,)

    def place(self, node: Expr) -> InState | None:
        """The place in the state that an expression names, if it is a path there; the keys are evaluated."""
        if node.op is Op.STATE:
            return node.data, ()
        if node.op is Op.LOOKUP and _is_path(node):
            found = self.place(node.args[0])
            assert found is not None
            return found[0], (*found[1], self.value(node.args[1]))
        return None

    def _part(self, node: Expr) -> Abstract:
        match self.value(node.args[0]):
            case Built(kind=RecordType() as kind, parts=parts):
                return parts[kind.names.index(node.data)]
            case Built(parts=parts):
                return parts[int(node.data)]
            case Exactly(value=value):
                return Exactly(getattr(value, node.data) if node.op is Op.FIELD else value[node.data])
        return Some(node.type)

    def _membership(self, node: Expr) -> None:
        element, whole = node.args
        sought, place = self.value(element), self.place(whole)
        if place is None:
            self.value(whole)
        else:
            self.note(Way.READ, place, sought if isinstance(whole.type, SetType | NetworkType) else None)

    def _call(self, node: Expr) -> Abstract:
        function = self.model.functions[node.data]
        names = [name for name, _ in function.parameters]
        inner = _Run(self.model, dict(zip(names, map(self.value, node.args), strict=True)), self.accesses)
        inner.block(function.body)
        results = set(inner.results)
        return results.pop() if len(results) == 1 else Some(node.type)

    def _any_call(self, node: Expr) -> None:
        """A sequential object is asked about events of the history, in some order."""
        for part in node.args:
            self.value(part)
        _Run(self.model, {}, self.accesses).block(self.model.functions[node.data].body)

    def _comprehension(self, node: Expr) -> Abstract:
        saved = dict(self.local)
        for position, clause in enumerate(node.clauses):
            if not isinstance(clause, For):
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

    def _element(self, over: For | Loop) -> Abstract:
        """Any element of a collection, which is evaluated."""
        whole = self.value(over.source)
        return whole.element if isinstance(whole, Holding) else Some(over.type)

    def _sought(self, clause: For, node: Expr, position: int) -> Abstract:
        """The elements that matter to a comprehension: those that its first conditions do not rule out.

        Of any other element only these conditions are evaluated, in order up to the first that is false.
        """
        following = node.clauses[position + 1 :]
        filters = [part for found in following if not isinstance(found, For) for part in conjuncts(found.condition)]
        if any(isinstance(found, For) for found in following):
            filters = []
        elif node.op is Op.ANY:
            filters += conjuncts(node.args[0])
        element: Abstract = Some(clause.type)
        for condition in filters:
            narrower = self._narrower(clause.name, element, condition)
            if narrower is None:
                break
            element = narrower
        return element

    def _narrower(self, name: str, element: Abstract, condition: Expr) -> Abstract | None:
        """An element of which a condition holds; None if the condition is of no simple kind."""
        match condition:
            case Expr(op=Op.IS, args=(Expr(op=Op.LOCAL, data=subject),), data=kinds) if subject == name:
                if len(kinds) == 1 and isinstance(kinds[0], RecordType) and isinstance(element, Some):
                    return Built(kinds[0], tuple(map(Some, kinds[0].kinds)))
            case Expr(op=Op.EQ, args=(left, right)) if isinstance(element, Built):
                for side, other in ((left, right), (right, left)):
                    field = _field_of(_resolved(side, name, element), name, element)
                    if field is not None and not _mentions(other, name) and isinstance(element.parts[field], Some):
                        parts = list(element.parts)
                        parts[field] = self.value(other)
                        return Built(element.kind, tuple(parts))
        return None

    # Statements

    def block(self, body: tuple[Stmt, ...]) -> None:
        """Statements in order."""
        for statement in body:
            self._statement(statement)

    def _statement(self, statement: Stmt) -> None:
        match statement:
            case Assign(target=target, value=value):
                self._assign(target, self.value(value))
            case Mutate():
                self._mutate(statement)
            case Require(condition=condition) | Assert(condition=condition):
                self.value(condition)
            case If(condition=condition, then=then, otherwise=otherwise):
                before, after = self.local, []
                for branch in self._branches(condition, then, otherwise):
                    self.local = dict(before)
                    self.block(branch)
                    after.append(self.local)
                self.local = dict(after[0].items() & after[-1].items())
            case Loop():
                self._loop(statement)
            case Scope(body=body):
                self.block(body)
                self._forget(body)
            case Return(value=value) if value is not None:
                self.results.append(self.value(value))

    def _forget(self, body: tuple[Stmt, ...]) -> None:
        """What a body assigns to locals is not known where it may have been left early or run again."""
        for statement in statements(body):
            match statement:
                case Assign(target=Place(root=name, state=False)) | Mutate(target=Place(root=name, state=False)):
                    self.local.pop(name, None)
                case Loop(name=name):
                    self.local.pop(name, None)

    def _loop(self, loop: Loop) -> None:
        element = self._element(loop)
        self._forget((loop,))
        listed = loop.source.op is Op.DOMAIN and loop.type.cardinality <= UNROLL_MAX
        for value in map(Exactly, loop.type.values()) if listed else [element]:
            self.local[loop.name] = value
            self.block(loop.body)
            self._forget((loop,))

    def _assign(self, target: Place, value: Abstract) -> None:
        place, whole = self._target(target)
        if place is not None:
            self.note(Way.WRITE, place)
        elif whole:
            self.local[target.root] = value
        else:
            self.local.pop(target.root, None)

    def _target(self, target: Place) -> tuple[InState | None, bool]:
        """The place in the state that is changed (all of a list, if something in it is), and whether no selector leads to it."""
        keys: list[Abstract] = []
        inside = True
        for selector, kind in zip(target.selectors, target.types, strict=False):
            key = self.value(selector)
            inside = inside and isinstance(kind, MapType)
            if inside:
                keys.append(key)
        return ((target.root, tuple(keys)) if target.state else None), not target.selectors

    def _mutate(self, statement: Mutate) -> None:
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
        else:
            self.note(Way.WRITE, place, values[0])


def may_overflow(kind: Type) -> bool:
    """Whether adding to a set or network of this type may be cut."""
    bounded = isinstance(kind, SetType | NetworkType) and kind.capacity is not None
    return bounded and kind.capacity < kind.children()[0].cardinality  # type: ignore[attr-defined]


def additions(body: tuple[Stmt, ...]) -> Counter[str]:
    """How many elements a body may add to each variable that is a set or network with a capacity."""
    found: Counter[str] = Counter()
    for statement in body:
        match statement:
            case Mutate(change=Change.ADD | Change.SEND, target=Place(root=name, state=True, selectors=()) as target):
                if may_overflow(target.type):
                    found[name] += 1
            case If(then=then, otherwise=otherwise):
                found += additions(then) | additions(otherwise)
            case Loop(source=source, body=inner):
                rounds = _length_max(source.type)
                found += Counter({name: rounds * count for name, count in additions(inner).items()})
            case Scope(body=inner):
                found += additions(inner)
    return found


def _length_max(kind: Type) -> int:
    if isinstance(kind, ChannelsType):
        return kind.capacity * len(kind.pairs)
    assert isinstance(kind, Bounded)
    return kind.children()[0].cardinality if kind.capacity is None else kind.capacity


def _is_path(node: Expr) -> bool:
    return node.op is Op.STATE or (
        node.op is Op.LOOKUP and isinstance(node.args[0].type, MapType) and _is_path(node.args[0])
    )


def _field_of(node: Expr, name: str, element: Built) -> int | None:
    """Which field of the element `name` an expression is."""
    if node.op is not Op.FIELD or not isinstance(element.kind, RecordType):
        return None
    subject = node.args[0]
    if subject.op is Op.NARROW:
        subject = subject.args[0]
    named = subject.op is Op.LOCAL and subject.data == name
    return element.kind.names.index(node.data) if named and node.data in element.kind.names else None


def _resolved(node: Expr, name: str, element: Built) -> Expr:
    """The branch of a conditional expression that is taken for this element `name`, if it asks for its class."""
    while node.op is Op.IF and node.args[0].op is Op.IS:
        subject = node.args[0].args[0]
        if subject.op is not Op.LOCAL or subject.data != name:
            break
        node = node.args[1 if any(may_equal(element, Some(kind)) for kind in node.args[0].data) else 2]
    return node


def _mentions(node: Expr, name: str) -> bool:
    return any(part.op is Op.LOCAL and part.data == name for part in node.walk())
