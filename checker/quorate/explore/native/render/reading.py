"""Which bits of a state a computation reads, and whether it is worth remembering what it found (`memo.h`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import assert_never

from quorate.explore.native.render.layout import (
    Numbered,
    bits_of,
    element,
    is_sequence,
    offsets,
    pack,
    payload_width,
    tag_width,
    width,
)
from quorate.language.types import MapType, NetworkType, SetType, Type, UnionType
from quorate.model import nodes as ir
from quorate.model.abstract import Abstract, Built, Exactly, Some, equal
from quorate.model.accesses import Access, Footprint, Way

WORD = (1 << 64) - 1
WORDS_MIN = 2
"""Of states with fewer words nothing is remembered: what is read of one word is computed as fast as it is looked up."""
ROUNDS_MAX = 8
"""A loop is taken to have no more rounds than this: most collections are far from full."""

Places = Mapping[str, tuple[Type, int]]
"""The type of each variable and where it lies."""


@dataclass(frozen=True, order=True)
class Slice:
    """The messages of a sorted network that are not less than `first` and, unless that is 0, less than `end`."""

    variable: str
    first: int
    end: int


@dataclass(frozen=True)
class Reading:
    """The bits that a computation `reads`, so that they are in its key, and those that it `adds`: it may set them, and does nothing else
    with them. `sent` are the variables, sorted networks, to which it does nothing but add elements; `slices` what it reads of sorted
    networks by class, apart from `reads`, and `rows` what it does with the numbered network but add to it (`Numbered.row`)."""

    reads: int
    adds: int
    sent: tuple[str, ...] = ()
    slices: tuple[Slice, ...] = ()
    rows: tuple[int, ...] = ()


def reading(footprint: Footprint, places: Places, sliced: bool = False) -> Reading:
    """What a computation with this footprint does with the bits of a state. If it is `sliced`, of messages of one class in a sorted
    network only these are read."""
    others = {access.variable for access in footprint if access.way is not Way.ADD or access.keys}
    sent = {access.variable for access in footprint} - others
    sent = {name for name in sent if isinstance(places[name][0], NetworkType) and is_sequence(places[name][0])}
    reads, adds, slices, rows = 0, 0, set(), set()
    for access in footprint:
        if access.variable in sent:
            continue
        kind, at = places[access.variable]
        if isinstance(kind, Numbered):
            if access.way is Way.ADD:
                adds |= (1 << kind.numbers) - 1
            else:
                rows |= _rows(kind, access.element)
            continue
        part = _slice(kind, access) if sliced else None
        if part is not None:
            slices.add(part)
            continue
        bits, mask = _bits(kind, at, access)
        if access.way is Way.ADD and mask:
            adds |= bits
        else:
            reads |= bits
    return Reading(reads, adds & ~reads, tuple(sorted(sent)), tuple(sorted(slices)), tuple(sorted(rows)))


def _rows(kind: Numbered, sought: Abstract | None) -> set[int]:
    """Of which classes the messages are that may be sought, or 0 for all."""
    found = {kind.row(one) for one in kind.classes if sought is not None and equal(sought, Some(one)).possible}
    return found if 0 < len(found) < max(len(kind.classes), 2) else {0}


def _slice(kind: Type, access: Access) -> Slice | None:
    """The messages that are read, if they are of one class: these stand together in a sorted network."""
    if not isinstance(kind, NetworkType) or not is_sequence(kind) or access.keys or access.element is None:
        return None
    union = element(kind)
    if access.way is not Way.READ or not isinstance(union, UnionType):
        return None
    classes = [one for one in union.kinds if equal(access.element, Some(one)).possible]
    first, end = bits_of(union, classes[0]) if len(classes) == 1 else (0, 0)
    return Slice(access.variable, first, end) if (first, end) != (0, 0) else None


def _bits(kind: Type, at: int, access: Access) -> tuple[int, bool]:
    """The bits that an access to a variable concerns, and whether they are those of a mask."""
    places = [at]
    for key in access.keys:
        assert isinstance(kind, MapType)
        size, last = width(kind.value), kind.key.cardinality - 1
        codes = [code for code, value in enumerate(kind.key.values()) if equal(Exactly(value), key).possible]
        places = [place + (last - code) * size for place in places for code in codes]
        kind = kind.value
    mask = isinstance(kind, SetType | NetworkType) and not is_sequence(kind)
    bits = _members(element(kind), access.element) if mask and access.element is not None else (1 << width(kind)) - 1
    found = 0
    for place in places:
        found |= bits << place
    return found, mask


def _members(kind: Type, sought: Abstract) -> int:
    """The members of a mask that may be those that are sought."""
    return sum(1 << code for code, value in enumerate(kind.values()) if equal(Exactly(value), sought).possible)


@dataclass(frozen=True, order=True)
class Messages:
    """The messages of a sorted network whose bits under `mask` are `value`."""

    variable: str
    mask: int
    value: int


@dataclass(frozen=True)
class Looked:
    """The bits of the state that a step reads, and the messages in sorted networks."""

    bits: int
    messages: tuple[Messages, ...]


def looked_at(footprint: Footprint, places: Places, arguments: Iterable[Abstract]) -> Looked:
    """What a step with this footprint and these arguments has read. That a message which is an argument was there is no news."""
    bits, messages, known = 0, set(), list(arguments)
    for access in footprint:
        kind, at = places[access.variable]
        if access.way is not Way.READ or (isinstance(kind, NetworkType) and access.element in known):
            continue
        if isinstance(kind, SetType | NetworkType) and is_sequence(kind) and access.element and not access.keys:
            messages.add(Messages(access.variable, *_pattern(element(kind), access.element)))
        else:
            bits |= _bits(kind, at, access)[0]
    return Looked(bits, tuple(sorted(messages)))


def _pattern(kind: Type, sought: Abstract) -> tuple[int, int]:
    """Of what is sought among the elements of a sorted network, the bits that are known, and their value."""
    mask = value = 0
    if isinstance(kind, UnionType):
        possible = [one for one in kind.kinds if equal(sought, Some(one)).possible]
        if len(possible) != 1:
            return 0, 0
        tag, at = kind.kinds.index(possible[0]), payload_width(kind)
        mask, value = (1 << tag_width(kind)) - 1 << at, tag << at
        kind = possible[0]
    if isinstance(sought, Built) and sought.kind == kind:
        for part, known, at in zip(kind.kinds, sought.parts, offsets(kind.kinds), strict=True):
            if isinstance(known, Exactly):
                mask |= (1 << width(part)) - 1 << at
                value |= pack(part, known.value) << at
    return mask, value


@dataclass(frozen=True)
class Words:
    """Words of a state, and for each of several cases which of their bits count: what a key is made of."""

    masks: tuple[int, ...]

    @cached_property
    def touched(self) -> tuple[int, ...]:
        """The words of which some bit counts in some case."""
        whole = 0
        for mask in self.masks:
            whole |= mask
        return tuple(i for i in range((whole.bit_length() + 63) // 64) if whole >> 64 * i & WORD)

    def rows(self, words: Sequence[int]) -> list[list[int]]:
        """For each case the bits of these words that count."""
        return [[mask >> 64 * i & WORD for i in words] for mask in self.masks]

    @property
    def never_all_ones(self) -> bool:
        """Whether in each case some bit of a touched word does not count."""
        return all(any(part != WORD for part in row) for row in self.rows(self.touched))


# What a computation costs


def dear(operations: int, least: int, state_words: int) -> bool:
    """Whether it is worth remembering what takes so many operations on states of so many words."""
    return operations >= least and state_words >= WORDS_MIN


def cost(model: ir.Model, body: Iterable[ir.Stmt]) -> int:
    """About how many operations a body takes."""
    return sum(_of_statement(model, statement) for statement in body)


def cost_of_property(model: ir.Model, prop: ir.Property) -> int:
    """About how many operations all instances of a property take."""
    return prod(kind.cardinality for _, kind in prop.parameters) * cost(model, prop.body)


def _of_statement(model: ir.Model, statement: ir.Stmt) -> int:
    match statement:
        case ir.Assign(target=target, value=value):
            return 2 + _of_all(model, (*target.selectors, value))
        case ir.Mutate(target=target, args=args):
            return 6 + _of_all(model, (*target.selectors, *args))
        case ir.Require(condition=condition) | ir.Within(condition=condition) | ir.Assert(condition=condition):
            return _of(model, condition)
        case ir.If(condition=condition, then=then, otherwise=otherwise):
            return _of(model, condition) + max(cost(model, then), cost(model, otherwise))
        case ir.Loop(source=source, body=body):
            return _of(model, source) + _rounds(source.type) * cost(model, body)
        case ir.Scope(body=body):
            return cost(model, body)
        case ir.Return(value=value):
            return 0 if value is None else _of(model, value)
        case ir.Continue() | ir.Break():
            return 0
        case _:
            assert_never(statement)


def _of_all(model: ir.Model, nodes: Iterable[ir.Expr]) -> int:
    return sum(_of(model, node) for node in nodes)


def _of(model: ir.Model, node: ir.Expr) -> int:
    if node.op in ir.COMPREHENSIONS:
        rounds, total = 1, 0
        for clause in node.clauses:
            if isinstance(clause, ir.For):
                total += rounds * _of(model, clause.source)
                rounds *= _rounds(clause.source.type)
            else:
                total += rounds * _of(model, clause.condition)
        return total + rounds * _of_all(model, node.args)
    inside = _of_all(model, node.args)
    if node.op in (ir.Op.CONST, ir.Op.LOCAL, ir.Op.DOMAIN):
        return inside
    if node.op in ir.CALLS:
        return inside + 4 + cost(model, model.functions[node.data].body)
    return inside + (8 if node.op is ir.Op.IN else 1)


def _rounds(kind: Type) -> int:
    capacity = getattr(kind, "capacity", None)
    most = element(kind).cardinality if capacity is None else capacity
    return max(1, min(most, ROUNDS_MAX))
