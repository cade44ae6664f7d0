"""Sets, lists and networks in C: looping over them and changing them in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quorate.explore.native.render.layout import (
    Numbered,
    Unsupported,
    bits_of,
    capacity,
    element,
    is_mask,
    is_sequence,
    width,
)
from quorate.explore.native.render.operands import Spot, from_bits, is_wide, literal, to_bits
from quorate.explore.native.render.values import Values
from quorate.language.types import (
    BagType,
    BoolType,
    Bounded,
    ChannelsType,
    ListType,
    MapType,
    RecordType,
    SetType,
    Type,
    UnionType,
)


class Containers(Values):
    """Writes the C of one function: what concerns containers."""

    def _converted_set(self, operand: str, have: SetType, want: SetType, checked: bool) -> str:
        result = self.declare(want, self.out.fresh())
        target, spot = self.spot_named(want, result), self.spot_of(have, operand)
        if checked:
            self._all_checked(spot, have, want, (have.element, want.element))
        with self.members(spot) as member:
            self.add(target, self.convert(member, have.element, want.element, checked))
        return result

    @contextmanager
    def each(self, spot: Spot) -> Iterator[str]:
        if not isinstance(spot.kind, MapType):
            with self.members(spot) as member:
                yield member
            return
        index = self.out.fresh("i")
        with self.out.block(f"for (unsigned {index} = 0; {index} < {spot.kind.key.cardinality}; {index}++)"):
            yield self.read(self.entry(spot, index))

    @contextmanager
    def members(self, spot: Spot, wanted: Type | None = None) -> Iterator[str]:
        """Loop over the members of the set, list or network at a place, in canonical order; a Bag's messages once each. The place
        must not change meanwhile. Members that are not of the alternative `wanted` of their union may be left out."""
        kind, out = spot.kind, self.out
        if isinstance(kind, ChannelsType):
            with self._heads(spot) as member:
                yield member
            return
        index, inner = out.fresh("i"), element(kind)
        if isinstance(kind, Numbered):
            listed = out.fresh("list")
            out(f"word {listed}[{max(capacity(kind), 1)}];")
            out(f"unsigned {index}n = network_list({spot.root}, {kind.row(wanted)}, {listed});")
            with out.block(f"for (unsigned {index} = 0; {index} < {index}n; {index}++)"):
                yield self.let(inner, from_bits(inner, f"{listed}[{index}]"))
            return
        if not is_sequence(kind):
            size = width(kind)
            first, end = codes_of(inner, wanted)
            if not is_wide(kind):
                mask = out.fresh("m")
                kept = "" if (first, end) == (0, size) else f" & {literal((1 << end) - (1 << first))}"
                head = f"for (word {mask} = {self.bits(spot, size)}{kept}; {mask}; {mask} &= {mask} - 1)"
                with out.block(head):
                    out(f"unsigned {index} = (unsigned)__builtin_ctzll({mask});")
                    yield self.let(inner, self.sparse(inner, index))
                return
            mask = self.read(spot) if spot.at or spot.moving or width(kind) % 64 else spot.root
            following = f"{index} = next_bit({mask}, {index} + 1, {end})"
            head = f"for (unsigned {index} = next_bit({mask}, {first}, {end}); {index} < {end}; {following})"
            with out.block(head):
                yield self.let(inner, self.sparse(inner, index))
            return
        first, end = (0, 0) if isinstance(kind, ListType) else bits_of(inner, wanted)
        out(f"unsigned {index}n = {self.length(spot)};")
        begin = self.on_sequence("lower_bound", spot, f"{index}n", literal(first)) if first else "0"
        with out.block(f"for (unsigned {index} = {begin}; {index} < {index}n; {index}++)"):
            if end:
                out(f"if (element_at({self.sequence(spot)}, {index}) >= {literal(end)}) break;")
            value = self.let(inner, self.read(self.item(spot, index)))
            if isinstance(kind, BagType):
                before = self.bits(self.item(spot, f"({index} - 1)"), width(inner))
                out(f"if ({index} > 0 && {to_bits(inner, value)} == {before}) continue;")
            yield value

    @contextmanager
    def numbers(self, spot: Spot) -> Iterator[str]:
        """Loop over the messages of a numbered network by their numbers, in no order that means anything."""
        out, place = self.out, self.out.fresh("w")
        out(f"for (unsigned {place} = 0; {place} < NUMBER_WORDS; {place}++)")
        with out.block(f"for (word rest = network_word({spot.root}, 0, {place}); rest; rest &= rest - 1)"):
            out(f"const unsigned number = 64 * {place} + (unsigned)__builtin_ctzll(rest);")
            yield "number"

    @contextmanager
    def _heads(self, spot: Spot) -> Iterator[str]:
        """The deliverable messages of channels, in order of messages."""
        kind, out = spot.kind, self.out
        assert isinstance(kind, ChannelsType)
        if width(kind.message) > 64:
            raise Unsupported(f"messages of {width(kind.message)} bits in channels; lower a bound")
        heads, count, index = out.fresh("heads"), out.fresh("n"), out.fresh("i")
        out(f"word {heads}[{len(kind.pairs)}];")
        out(f"unsigned {count} = 0;")
        with out.block(f"for (unsigned {index} = 0; {index} < {len(kind.pairs)}; {index}++)"):
            queue = self.queue(spot, index)
            out(
                f"if ({self.length(queue)}) {heads}[{count}++] = {self.bits(self.item(queue, '0'), width(kind.message))};"
            )
        out(f"sort_words({heads}, {count});")
        with out.block(f"for (unsigned {index} = 0; {index} < {count}; {index}++)"):
            yield self.let(kind.message, from_bits(kind.message, f"{heads}[{index}]"))

    def add(self, spot: Spot, value: str) -> None:
        """Add an element to the set or Network at a place; one too many is cut."""
        kind, inner = spot.kind, element(spot.kind)
        if is_mask(kind):
            self._mark(spot, self.dense(inner, value), "put_bit")
            return
        if isinstance(kind, Numbered):
            bits, at = self.let(BoolType(), to_bits(inner, value)), self.out.fresh("i")
            self.out(f"unsigned {at} = number_of({bits});")
            with self.out.block(f"if ({at} == NONE || !get_bit({spot.root}, {at}))"):
                self.cut(f"{self.length(spot)} == {capacity(kind)}", kind.bound)
                self.out(f"if ({at} == NONE) {at} = number_give({bits}, {kind.numbers}, {kind.payload});")
                self.out(f"put_bit({spot.root}, {at});")
            return
        bits, count, at = self.let(BoolType(), to_bits(inner, value)), self.out.fresh("n"), self.out.fresh("i")
        self.out(f"unsigned {count} = {self.length(spot)};")
        self.out(f"unsigned {at} = {self.on_sequence('lower_bound', spot, count, bits)};")
        with self.out.block(f"if (!({at} < {count} && element_at({self.sequence(spot)}, {at}) == {bits}))"):
            self._insert(spot, count, at, bits)

    def _insert(self, spot: Spot, count: str, at: str, bits: str) -> None:
        kind = spot.kind
        assert isinstance(kind, Bounded)
        self.cut(f"{count} == {capacity(kind)}", kind.bound)
        self.out(self.on_sequence("insert_element", spot, count, at, bits) + ";")
        self.set_length(spot, f"{count} + 1")

    def insert(self, spot: Spot, value: str) -> None:
        """Add a message to a Bag."""
        bits, count, at = (
            self.let(BoolType(), to_bits(element(spot.kind), value)),
            self.out.fresh("n"),
            self.out.fresh("i"),
        )
        self.out(f"unsigned {count} = {self.length(spot)};")
        self.out(f"unsigned {at} = {self.on_sequence('lower_bound', spot, count, bits)};")
        self._insert(spot, count, at, bits)

    def take(self, spot: Spot, value: str, must: bool) -> None:
        """Remove an element of a set, Network or Bag; if it `must` be there and is not, that is an error."""
        kind, inner = spot.kind, element(spot.kind)
        if is_mask(kind):
            code = self.let(BoolType(), self.dense(inner, value))
            if must:
                self.error(f"!{self.marked(spot, code)}")
            self._mark(spot, code, "drop_bit")
            return
        if isinstance(kind, Numbered):
            bits = self.let(BoolType(), to_bits(inner, value))
            found = f"network_has({spot.root}, {bits})"
            if must:
                self.error(f"!{found}")
            self.out(f"{'' if must else f'if ({found}) '}drop_bit({spot.root}, number_of({bits}));")
            return
        bits, count, at = self.let(BoolType(), to_bits(inner, value)), self.out.fresh("n"), self.out.fresh("i")
        self.out(f"unsigned {count} = {self.length(spot)};")
        self.out(f"unsigned {at} = {self.on_sequence('lower_bound', spot, count, bits)};")
        found = f"({at} < {count} && element_at({self.sequence(spot)}, {at}) == {bits})"
        if must:
            self.error(f"!{found}")
        with self.out.block("" if must else f"if {found}"):
            self.out(self.on_sequence("remove_element", spot, count, at) + ";")
            self.set_length(spot, f"{count} - 1")

    def _mark(self, spot: Spot, code: str, function: str) -> None:
        if spot.array:
            self.out(f"{function}({spot.root}, {spot.offset} + (unsigned)({code}));")
        elif function == "put_bit":
            self.out(f"{spot.root} |= (word)1 << ({spot.offset} + ({code}));")
        else:
            self.out(f"{spot.root} &= ~((word)1 << ({spot.offset} + ({code})));")

    def marked(self, spot: Spot, code: str) -> str:
        """Whether a mask has a bit."""
        if spot.array:
            return f"(word)get_bit({spot.root}, {spot.offset} + (unsigned)({code}))"
        return f"({spot.root} >> ({spot.offset} + ({code})) & 1)"


def pair_code(values: Containers, kind: ChannelsType, message: str) -> str:
    """The number of the (source, target) of a message, whatever record it is."""
    out, record = values.out, kind.message
    spot = values.spot_of(record, message)
    result = out.fresh("pair")
    out(f"unsigned {result} = 0;")

    def of_record(inner: Spot) -> None:
        assert isinstance(inner.kind, RecordType)
        names = [name for name, _ in inner.kind.fields]
        source = values.read(inner.part(inner.kind.kinds, names.index("source")))
        target = values.read(inner.part(inner.kind.kinds, names.index("target")))
        first, second = values.dense(kind.source, source), values.dense(kind.target, target)
        out(f"{result} = (unsigned)({first} * {kind.target.cardinality} + {second});")

    if isinstance(record, UnionType):
        with out.block(f"switch ({values.tag(spot)})"):
            for position, alternative in enumerate(record.kinds):
                with out.block(f"case {position}:", "} break;"):
                    of_record(spot.inner(alternative, 0))
    else:
        of_record(spot)
    return result


def codes_of(kind: Type, wanted: Type | None) -> tuple[int, int]:
    """The first code of the alternative `wanted` of a union and the one after its last; all codes if it is none."""
    if not isinstance(kind, UnionType) or wanted not in kind.kinds:
        return 0, kind.cardinality
    first = sum(part.cardinality for part in kind.kinds[: kind.kinds.index(wanted)])
    return first, first + wanted.cardinality
