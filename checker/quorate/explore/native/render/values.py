"""Values in C: how they are read, written, compared and converted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from quorate.errors import Location, counted
from quorate.explore.native.render.layout import (
    Numbered,
    Unsupported,
    capacity,
    element,
    length_at,
    length_width,
    offsets,
    pack,
    payload_width,
    tag_width,
    width,
    words,
)
from quorate.explore.native.render.numbering import TakenWhole
from quorate.explore.native.render.operands import Spot, ctype, from_bits, integer, is_wide, literal, to_bits
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.writer import Writer
from quorate.language.types import (
    BoolType,
    ChannelsType,
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
from quorate.model.conversion import same_class
from quorate.model.fitting import fitting
from quorate.model.integers import INT_MAX, INT_MIN
from quorate.model.ranges import is_number, limits

DIRECT_WIDTH_MAX = 12
"""The code of a value of at most so many bits is looked up in a table; for wider ones the table of values is searched."""


@dataclass
class _Late:
    """Cuts that wait until all elements of a container without an order have been looked at (`all_checked` in the language)."""

    flags: str
    following: str
    bounds: list[str] = field(default_factory=list)

    def flag(self, bound: str) -> str:
        """The bit of a bound."""
        if bound not in self.bounds:
            self.bounds.append(bound)
        return f"{1 << self.bounds.index(bound)}u"

    def passed(self, bound: str) -> str:
        """Note that an element passes a bound."""
        return f"{self.flags} |= {self.flag(bound)}"


class Values:
    """Writes the C of one function: what concerns values and places. `status` and the label `leave` are in scope."""

    def __init__(self, shared: Shared, writer: Writer) -> None:
        self.shared, self.out = shared, writer
        self._late: _Late | None = None

    # Ends of an action

    def error(self, condition: str) -> None:
        """It is an error in the spec if the condition is true."""
        self.out(f"if (UNLIKELY({condition})) {{ *status = -1; goto leave; }}")

    def cut(self, condition: str, bound: str) -> None:
        """The named bound cuts if the condition is true."""
        if self._late is None:
            self.out(f"if (UNLIKELY({condition})) {{ *status = {self.shared.bound(bound) + 1}; goto leave; }}")
        else:
            self.out(f"if (UNLIKELY({condition})) {{ {self._late.passed(bound)}; goto {self._late.following}; }}")

    def trap(self, condition: str, place: Location | None) -> None:
        """If the condition is true a number has left its 64 bits, and what the engine says from here on is void."""
        number = self.shared.trap(place)
        self.out(f"if (UNLIKELY({condition})) {{ trap(status, {number}); goto leave; }}")

    # Variables

    def declare(self, kind: Type, name: str, operand: str | None = None) -> str:
        """A new C variable, zero unless an operand is given."""
        if is_wide(kind):
            self.out(f"word {name}[{words(width(kind))}] = {{0}};")
            if operand is not None:
                self.assign(kind, name, operand)
        else:
            self.out(f"{ctype(kind)} {name} = {operand if operand is not None else 0};")
        return name

    def assign(self, kind: Type, name: str, operand: str) -> None:
        """Give a C variable a value."""
        if is_wide(kind):
            self.out(f"memcpy({name}, {operand}, {8 * words(width(kind))});")
        else:
            self.out(f"{name} = {operand};")

    def let(self, kind: Type, operand: str) -> str:
        """A name for an operand."""
        if operand.isidentifier() or operand.isdigit():
            return operand
        return self.declare(kind, self.out.fresh(), operand)

    def spot_of(self, kind: Type, operand: str) -> Spot:
        """The place of a value, to look into it."""
        if is_wide(kind):
            return Spot(operand, True, kind)
        if operand.isidentifier():
            return Spot(operand, False, kind)
        return Spot(self.declare(kind, self.out.fresh(), operand), False, kind)

    @staticmethod
    def spot_named(kind: Type, name: str) -> Spot:
        """The place of a C variable."""
        return Spot(name, is_wide(kind), kind)

    # Places

    def bits(self, spot: Spot, bits: int) -> str:
        """Some bits (at most 64) of a place."""
        if bits == 0:
            return "0u"
        spot = spot.in_one_word(bits)
        if not spot.array:
            return f"get1({spot.root}, {spot.offset}, {bits})"
        return f"get_bits({spot.root}, {spot.offset}, {bits})"

    def read(self, spot: Spot) -> str:
        """The value at a place."""
        kind = spot.kind
        if isinstance(kind, Numbered):
            raise TakenWhole
        if not is_wide(kind):
            return from_bits(kind, self.bits(spot, width(kind)))
        name = self.declare(kind, self.out.fresh())
        self.out(f"copy_bits({name}, 0, {spot.root}, {spot.offset}, {width(kind)});")
        return name

    def write_bits(self, spot: Spot, size: int, bits: str) -> None:
        """Put some bits (at most 64)."""
        if size == 0:
            return
        spot = spot.in_one_word(size)
        if not spot.array:
            self.out(f"put1(&{spot.root}, {spot.offset}, {size}, {bits});")
        else:
            self.out(f"put_bits({spot.root}, {spot.offset}, {size}, {bits});")

    def write(self, spot: Spot, operand: str) -> None:
        """Put a value at a place."""
        if isinstance(spot.kind, Numbered):
            raise TakenWhole
        if is_wide(spot.kind):
            self.out(f"copy_bits({spot.root}, {spot.offset}, {operand}, 0, {width(spot.kind)});")
        else:
            self.write_bits(spot, width(spot.kind), to_bits(spot.kind, operand))

    def length(self, spot: Spot) -> str:
        """The length of the sequence at a place, or how many messages a numbered network there has."""
        if isinstance(spot.kind, Numbered):
            return f"network_count({spot.root})"
        return f"(unsigned){self.bits(spot.inner(spot.kind, length_at(spot.kind)), length_width(spot.kind))}"

    def set_length(self, spot: Spot, count: str) -> None:
        """Put the length of a sequence."""
        self.write_bits(spot.inner(spot.kind, length_at(spot.kind)), length_width(spot.kind), count)

    def item(self, spot: Spot, position: str) -> Spot:
        """The element of a sequence at a position (a C expression that is in range)."""
        inner = element(spot.kind)
        return spot.inner(inner, 0, f"({capacity(spot.kind) - 1}u - {position}) * {width(inner)}u")

    def entry(self, spot: Spot, code: str) -> Spot:
        """The value of a map under the key with this code."""
        assert isinstance(spot.kind, MapType)
        count, inner = spot.kind.key.cardinality, spot.kind.value
        if code.rstrip("u").isdigit():
            return spot.inner(inner, (count - 1 - int(code.rstrip("u"))) * width(inner))
        return spot.inner(inner, 0, f"({count - 1}u - (unsigned)({code})) * {width(inner)}u")

    def queue(self, spot: Spot, code: str) -> Spot:
        """The queue of a pair in channels."""
        assert isinstance(spot.kind, ChannelsType)
        count, inner = len(spot.kind.pairs), spot.kind.queue
        return spot.inner(inner, 0, f"({count - 1}u - (unsigned)({code})) * {width(inner)}u")

    def sequence(self, spot: Spot) -> str:
        """The arguments that the C functions on sequences take first."""
        return f"{spot.pointer}, {spot.offset}, {width(element(spot.kind))}, {capacity(spot.kind)}"

    def on_sequence(self, function: str, spot: Spot, *arguments: str) -> str:
        """A call of `lower_bound`, `insert_element` or `remove_element`."""
        name = self.shared.on_sequences(function, width(element(spot.kind)), capacity(spot.kind))
        return f"{name}({', '.join([spot.pointer, str(spot.offset), *arguments])})"

    # Codes

    @contextmanager
    def codes(self, kind: Type) -> Iterator[str]:
        """Loop over the numbers of all values of a type."""
        index, most = self.out.fresh("i"), kind.cardinality
        if most >= 1 << 64:
            raise Unsupported(f"a loop over {counted(most)} values of {kind}")
        counter = "unsigned" if most < 1 << 32 else "uint64_t"
        with self.out.block(f"for ({counter} {index} = 0; {index} < {literal(most)}; {index}++)"):
            yield index

    @contextmanager
    def codes_with(self, kind: Type, first: str, firsts: int) -> Iterator[str]:
        """The same of those values of a record of which the first fields together have the number `first`, of `firsts`."""
        index, each = self.out.fresh("i"), kind.cardinality // firsts
        self.out(f"const uint64_t {index}b = (uint64_t){first} * {literal(each)};")
        with self.out.block(f"for (uint64_t {index} = {index}b; {index} < {index}b + {literal(each)}; {index}++)"):
            yield index

    def dense(self, kind: Type, operand: str) -> str:
        """The number of a value among all of its type: `encode` in C."""
        if width(kind) > 64:
            raise Unsupported(f"{kind} as a key or element of a small set")
        bits = to_bits(kind, operand)
        if not self._scattered(kind):
            return bits
        if width(kind) <= DIRECT_WIDTH_MAX:
            return f"(word){self.shared.codes(kind)}[{bits}]"
        return f"rank_of({self.shared.table(kind)}, {kind.cardinality}, {bits})"

    def sparse(self, kind: Type, code: str) -> str:
        """The value with this number: `decode` in C."""
        if self._scattered(kind):
            code = f"{self.shared.table(kind)}[{code}]"
        return from_bits(kind, f"(word){code}")

    @staticmethod
    def _scattered(kind: Type) -> bool:
        simple = is_number(kind) or isinstance(kind, BoolType | IdentityType) or not kind.children()
        return not simple and kind.cardinality != 1 << width(kind)

    # Comparison

    def equal(self, kind: Type, left: str, right: str) -> str:
        """Whether two values of one type are equal."""
        if is_wide(kind):
            return f"(memcmp({left}, {right}, {8 * words(width(kind))}) == 0)"
        return f"({left} == {right})"

    def less(self, kind: Type, left: str, right: str, or_equal: bool = False) -> str:
        """Whether one value is before another."""
        sign = "<=" if or_equal else "<"
        if is_wide(kind):
            return f"(compare_words({left}, {right}, {words(width(kind))}) {sign} 0)"
        return f"({left} {sign} {right})"

    # Unions

    def tag(self, spot: Spot) -> str:
        """The tag of the union at a place."""
        assert isinstance(spot.kind, UnionType)
        return self.bits(spot.inner(spot.kind, payload_width(spot.kind)), tag_width(spot.kind))

    def united(self, kind: UnionType, position: int, operand: str) -> str:
        """A value of an alternative as a value of the union."""
        alternative = kind.kinds[position]
        if not is_wide(kind):
            return f"({literal(position << payload_width(kind))} | {to_bits(alternative, operand)})"
        name = self.declare(kind, self.out.fresh())
        whole = self.spot_named(kind, name)
        self.write_bits(whole.inner(kind, payload_width(kind)), tag_width(kind), f"{position}u")
        self.write(whole.inner(alternative, 0), operand)
        return name

    # Conversion

    def convert(self, operand: str, have: Type, want: Type, checked: bool) -> str:
        """A value of one type as a value of another. `checked`: above a bound cuts, below zero is an error."""
        if have == want or (
            width(have) == 0 == width(want)
            and not isinstance(want, UnionType)
            and not any(map(is_number, have.walk()))  # One number is not another, though neither has a bit.
        ):
            return operand
        if is_number(have) and is_number(want):
            return self._converted_number(operand, have, want, checked)
        if isinstance(have, UnionType):
            return self._converted_union(operand, have, want, checked)
        if isinstance(want, UnionType):
            position = self.alternative(have, want)
            return self.united(want, position, self.convert(operand, have, want.kinds[position], checked))
        if isinstance(have, TupleType | RecordType) and isinstance(want, TupleType | RecordType):
            return self._converted_parts(operand, have, want, checked)
        if isinstance(have, MapType) and isinstance(want, MapType):
            return self._converted_map(operand, have, want, checked)
        if isinstance(have, ListType) and isinstance(want, ListType):
            return self._converted_list(operand, have, want, checked)
        if isinstance(have, SetType) and isinstance(want, SetType):
            return self._converted_set(operand, have, want, checked)
        raise Unsupported(f"a value of type {have} where {want} is wanted")

    @staticmethod
    def alternative(have: Type, want: UnionType) -> int:
        """Which alternative of a union a type is."""
        for position, kind in enumerate(want.kinds):
            if kind == have:
                return position
        for position, kind in enumerate(want.kinds):
            if same_class(have, kind):
                return position
        raise Unsupported(f"a value of type {have} where {want} is wanted")

    def _converted_number(self, operand: str, have: Type, want: Type, checked: bool) -> str:
        if not checked:
            return operand
        value = self.let(have, operand)
        if isinstance(want, NatType):
            least, most = limits(have)
            if most > want.maximum:
                self.cut(f"{value} > {integer(want.maximum)}", want.bound)
            if least < want.minimum:
                below = f"{value} < {integer(want.minimum)}"
                self.cut(below, want.bound) if want.cuts_below else self.error(below)
        return value

    def _converted_union(self, operand: str, have: UnionType, want: Type, checked: bool) -> str:
        spot = self.spot_of(have, operand)
        tag = self.let(BoolType(), self.tag(spot))
        result = self.declare(want, self.out.fresh())
        with self.out.block(f"switch ({tag})"):
            for position, kind in enumerate(have.kinds):
                try:
                    target = self.alternative(kind, want) if isinstance(want, UnionType) else position
                except Unsupported:
                    continue
                with self.out.block(f"case {position}:", "} break;"):
                    payload = self.read(spot.inner(kind, 0))
                    if isinstance(want, UnionType):
                        inner = self.convert(payload, kind, want.kinds[target], checked)
                        self.assign(want, result, self.united(want, target, inner))
                    elif same_class(kind, want):
                        self.assign(want, result, self.convert(payload, kind, want, checked))
                    else:
                        self.error("1")
            self.out("default: *status = -1; goto leave;")
        return result

    def _converted_parts(
        self, operand: str, have: TupleType | RecordType, want: TupleType | RecordType, checked: bool
    ) -> str:
        spot = self.spot_of(have, operand)
        values = [
            self.convert(self.read(spot.part(have.kinds, i)), kind, want.kinds[i], checked)
            for i, kind in enumerate(have.kinds)
        ]
        return self.compound(want, values)

    def compound(self, kind: TupleType | RecordType, values: list[str]) -> str:
        """A record or tuple of these parts."""
        if not is_wide(kind):
            pieces = [
                f"{to_bits(part, value)} << {at}" if at else to_bits(part, value)
                for part, value, at in zip(kind.kinds, values, offsets(kind.kinds), strict=True)
                if width(part)
            ]
            return "(" + " | ".join(pieces or ["0u"]) + ")" if len(pieces) != 1 else f"({pieces[0]})"
        name = self.declare(kind, self.out.fresh())
        whole = self.spot_named(kind, name)
        for position, value in enumerate(values):
            self.write(whole.part(kind.kinds, position), value)
        return name

    def _all_checked(self, spot: Spot, have: Type, want: Type, elements: tuple[Type, Type]) -> None:
        """Find what is wrong with some element of a map or set before anything is made of it, if more than one thing may be."""
        if len(fitting(have, want)) < 2:
            return
        late, outer = _Late(self.out.fresh("late"), self.out.fresh("next")), self._late
        self.out(f"unsigned {late.flags} = 0;")
        with self.each(spot) as element:
            self._late = late
            with self.out.block(""):
                self.out(f"(void)({self.convert(element, *elements, True)});")
            self._late = outer
            if late.bounds:
                self.out(f"{late.following}:;")
        for bound in sorted(late.bounds):
            self.cut(f"{late.flags} & {late.flag(bound)}", bound)

    def _converted_map(self, operand: str, have: MapType, want: MapType, checked: bool) -> str:
        spot, result = self.spot_of(have, operand), self.declare(want, self.out.fresh())
        index = self.out.fresh("i")
        if checked:
            self._all_checked(spot, have, want, (have.value, want.value))
        with self.out.block(f"for (unsigned {index} = 0; {index} < {have.key.cardinality}; {index}++)"):
            value = self.convert(self.read(self.entry(spot, index)), have.value, want.value, checked)
            self.write(self.entry(self.spot_named(want, result), index), value)
        return result

    def _converted_list(self, operand: str, have: ListType, want: ListType, checked: bool) -> str:
        spot, result = self.spot_of(have, operand), self.declare(want, self.out.fresh())
        target, index = self.spot_named(want, result), self.out.fresh("i")
        count = self.out.fresh("n")
        self.out(f"unsigned {count} = {self.length(spot)};")
        if have.capacity > want.capacity and not checked:
            raise Unsupported(f"a longer list ({have}) where {want} is wanted")
        with self.out.block(f"for (unsigned {index} = 0; {index} < {count}; {index}++)"):
            value = self.convert(self.read(self.item(spot, index)), have.element, want.element, checked)
            self.out(f"if ({index} < {want.capacity})")
            with self.out.block(""):
                self.write(self.item(target, index), value)
        if have.capacity > want.capacity:
            self.cut(f"{count} > {want.capacity}", want.bound)
        self.set_length(target, count)
        return result

    def _converted_set(self, operand: str, have: SetType, want: SetType, checked: bool) -> str:
        raise NotImplementedError

    def each(self, spot: Spot) -> AbstractContextManager[str]:
        """Loop over the elements of a container: the values of a map."""
        raise NotImplementedError

    def constant(self, kind: Type, value: object, place: Location | None = None) -> str:
        """A constant."""
        if type(value) is int and not INT_MIN <= value <= INT_MAX:
            self.trap("1", place)
            return self.declare(kind, self.out.fresh())
        if is_number(kind):
            assert isinstance(value, int)
            return integer(value)
        bits = pack(kind, value)
        if not is_wide(kind):
            return literal(bits)
        name = self.out.fresh("c")
        pieces = ", ".join(literal(bits >> 64 * i & (1 << 64) - 1) for i in range(words(width(kind))))
        self.out(f"static const word {name}[] = {{{pieces}}};")
        return name
