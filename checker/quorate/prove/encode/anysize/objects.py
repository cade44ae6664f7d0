"""Lists, sets and maps inside messages, elements and keys, for any size: objects of the logic.

A network is a predicate over the fields of its messages. A field that is a list is an object of an uninterpreted sort,
with a length and elements as functions of it; so is one that is a set or a map. What an action computes is no object but
a formula. Three things connect the two:

- A computed list is *equal* to an object if their contents are: a quantified formula, without any axiom.
- A computed list is *in* a network if some object with its contents is.
- Where a computed list is sent, an object with its contents *exists*: an axiom that gives it a name. It holds where the
  structure has an object for every list, which is the case that the proof is about.

Two objects may have the same contents. Nothing is lost by this: what holds in all structures holds in those without such
twins. But the axiom must say nothing else, or a proof could rest on a contradiction: it is stated only for contents that
a value of the type can have. For example, a number below zero, which stops an action with an error, is no such content.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import z3

from quorate.kinds import INVARIANTS
from quorate.language.types import (
    IdentityType,
    ListType,
    MapType,
    NatType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.nodes import Expr
from quorate.prove.encode.anysize.containers import (
    Alternatives,
    BagV,
    Container,
    MapV,
    SeqV,
    SetV,
    Value,
    as_list,
    as_map,
    as_number,
    as_term,
)
from quorate.prove.encode.anysize.definitions import Definitions, Symbol
from quorate.prove.encode.anysize.shapes import HELD
from quorate.prove.encode.anysize.sizes import Size
from quorate.prove.encode.anysize.terms import Formula, Term
from quorate.prove.encode.values import ABSENT, Union, alternatives_of, class_key, parts_of


@dataclass(frozen=True)
class Located:
    """A value with an unknown object for each computed container in it; the objects, and that they have the contents."""

    value: Value
    objects: tuple[Term, ...]
    contents: Formula


class Objects(Definitions):
    """Objects for computed lists, sets and maps."""

    def _quorum(self, node: Expr, members: SetV, size: Size) -> Formula:
        """Whether a set is a quorum. Where a property has a set for a parameter, it is to speak of this one as well."""
        properties = self.model.of(*INVARIANTS)
        for kind in dict.fromkeys(kind for prop in properties for _, kind in prop.parameters):
            if (
                isinstance(kind, SetType)
                and isinstance(kind.element, IdentityType)
                and kind.element.sort is node.data.sort
            ):
                self.materialize(members, kind)
        return super()._quorum(node, members, size)

    def member(self, found: Value, kind: Type, whole: SetV | BagV) -> Formula:
        """Whether a set, network or bag has an element of a type."""
        located = self.located(found, kind)
        inside = whole.count(located.value) > 0 if isinstance(whole, BagV) else whole.has(located.value)
        return self.exists(located.objects, located.contents, inside) if located.objects else inside

    def located(self, value: Value, kind: Type) -> Located:
        """A value with objects for its computed containers."""
        match kind:
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                parts = [self.located(part, inner) for part, inner in zip(parts_of(value), kinds, strict=True)]
                return Located(
                    tuple(part.value for part in parts),
                    tuple(name for part in parts for name in part.objects),
                    self.both([part.contents for part in parts]),
                )
            case UnionType(kinds=kinds):
                return self._located_union(alternatives_of(value), kinds)
        if not isinstance(kind, HELD) or _is_object(value, self.symbols.sort(kind)):
            return Located(value, (), self.true)
        name = self.constant_named("object", self.symbols.sort(kind))
        found = self.symbols.held(kind, name)
        return Located(found, (name,), self.equal(value, found))

    def _located_union(self, value: Alternatives, kinds: tuple[Type, ...]) -> Located:
        located: Alternatives = Union()
        names, contents = list[Term](), list[Formula]()
        for kind in kinds:
            if class_key(kind) in value:
                guard, part = value[class_key(kind)]
                found = self.located(part, kind)
                located[class_key(kind)] = (guard, found.value)
                names += found.objects
                contents.append(self.implies(guard, found.contents))
        return Located(located, tuple(names), self.both(contents))

    def materialize(self, value: Value, kind: Type) -> None:
        """State that there are objects with the contents of the containers that are computed in a value."""
        for part, inner in self._computed_parts(value, kind):
            self._materialize_one(part, inner)

    def _computed_parts(self, value: Value, kind: Type) -> Iterator[tuple[Container, Type]]:
        if isinstance(kind, RecordType | TupleType):
            for part, inner in zip(parts_of(value), kind.kinds, strict=True):
                yield from self._computed_parts(part, inner)
        elif isinstance(kind, UnionType):
            there = alternatives_of(value)
            for inner in kind.kinds:
                if class_key(inner) in there:
                    yield from self._computed_parts(there[class_key(inner)][1], inner)
        elif isinstance(value, MapV | SetV | SeqV) and isinstance(kind, HELD) and value.term is None:
            yield value, kind

    def _materialize_one(self, value: Container, kind: Type) -> None:
        sort = self.symbols.sort(kind)
        probe = z3.Const(f"probe of {sort}", sort)
        contents = self.equal(value, self.symbols.held(kind, probe))
        claim = self.implies(self.legal(value, kind), contents)

        def make(name: str, parameters: list[Term]) -> Symbol:
            return z3.Function(name, *[term.sort() for term in parameters], sort)

        known = len(self.families)
        family, actual = self.family(f"object {sort}", [claim], make)
        if len(self.families) > known:
            there = z3.substitute(claim, (probe, as_term(family.symbol(actual))))
            self.definitions.append(z3.ForAll(actual, there) if actual else there)

    def legal(self, value: Value, kind: Type) -> Formula:
        """Whether a value is one that its type can have: no number is below zero, and a union is one alternative."""
        if value is ABSENT:
            return self.false
        match kind:
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                return self.both([self.legal(part, inner) for part, inner in zip(parts_of(value), kinds, strict=True)])
            case UnionType(kinds=kinds):
                there = alternatives_of(value)
                parts = [(there[class_key(inner)], inner) for inner in kinds if class_key(inner) in there]
                return self.either([self.both((guard, self.legal(part, inner))) for (guard, part), inner in parts])
            case NatType():
                return self.symbols.within(kind, as_number(value))
            case MapType(key=key, value=inner):
                whole = as_map(value)
                return self._everywhere(key, lambda found: self.legal(whole.at(found), inner))
            case ListType(element=inner):
                listed, index = as_list(value), self.number_named("i")
                inside = z3.And(index >= 0, index < listed.length)
                legal = self.forall((index,), inside, self.legal(listed.at(index), inner))
                return self.both((listed.length >= 0, legal))
        return self.true


def _is_object(value: Value, sort: z3.SortRef) -> bool:
    """Whether a list, set or map is an object of this sort."""
    assert isinstance(value, MapV | SetV | SeqV)
    return value.term is not None and value.term.sort() == sort
