"""Sets, lists and networks in expressions: what is in them, how many, and new ones made of them."""

from __future__ import annotations

from quorate.explore.native.render.containers import pair_code
from quorate.explore.native.render.layout import Numbered, Unsupported, element, is_mask, is_sequence, width, words
from quorate.explore.native.render.numbers import Numbers
from quorate.explore.native.render.operands import integer, is_wide, literal, to_bits
from quorate.explore.native.render.paths import BOOL, within
from quorate.language.types import ChannelsType, ListType, Type, UnionType
from quorate.model.conversion import join
from quorate.model.nodes import Expr, Op
from quorate.model.ranges import is_number, limits, spanning


class Collections(Numbers):
    """Writes the C of one function: what concerns collections as values."""

    def member(self, node: Expr) -> str:
        """IN."""
        what, whole = node.args
        if whole.op is Op.DOMAIN and what.type == element(whole.type):
            self.value(what)
            return "1u"
        kind, inner = whole.type, element(whole.type)
        name = self.out.fresh("in")
        if what.type != inner and not is_number(what.type):
            return self._member_by_search(node)
        value = self.let(what.type, self.value(what))
        place = self.spot(whole) if whole.op is not Op.DOMAIN else None
        self.out(f"word {name} = 0;")
        with self.out.block(self._in_range(what.type, inner, value)):
            if place is None:
                self.out(f"{name} = 1;")
            elif isinstance(kind, ChannelsType):
                pair = pair_code(self, kind, value)
                queue = self.queue(place, pair)
                with self.out.block(f"if ({self.length(queue)})"):
                    self.out(f"{name} = {self.equal(inner, self.read(self.item(queue, '0')), value)};")
            elif isinstance(place.kind, Numbered):
                self.out(f"{name} = network_has({place.root}, {to_bits(inner, value)});")
            elif isinstance(kind, ListType):
                with self.members(place) as found:
                    self.out(f"{name} |= {self.equal(inner, found, value)};")
            elif is_mask(kind):
                self.out(f"{name} = {self.marked(place, self.let(BOOL, self.dense(inner, value)))};")
            else:
                bits, at = self.let(BOOL, to_bits(inner, value)), self.out.fresh("i")
                self.out(f"unsigned {at} = {self.on_sequence('lower_bound', place, self.length(place), bits)};")
                self.out(f"{name} = {at} < {self.length(place)} && element_at({self.sequence(place)}, {at}) == {bits};")
        return name

    @staticmethod
    def _in_range(have: Type, want: Type, value: str) -> str:
        if not is_number(have) or have == want or within(have, *limits(want)):
            return ""
        low, high = map(integer, limits(want))
        return f"if ({value} >= {low} && {value} <= {high})"

    def _member_by_search(self, node: Expr) -> str:
        what, whole = node.args
        inner = element(whole.type)
        kind = join(what.type, inner)
        if kind is None:
            raise Unsupported(f"a search for {what.type} in {whole.type}")
        value = self.let(kind, self.converted(what, kind))
        place, name = self.spot(whole), self.out.fresh("in")
        self.out(f"word {name} = 0;")
        with self.members(place) as found:
            self.out(f"{name} |= {self.equal(kind, self.convert(found, inner, kind, False), value)};")
        return name

    def size(self, node: Expr) -> str:
        """LEN."""
        whole = node.args[0]
        if whole.op is Op.DOMAIN:
            count = element(whole.type).cardinality
            return self.constant(spanning(count, count), count, node.location)
        spot = self.spot(whole)
        kind = spot.kind
        if isinstance(kind, ChannelsType):
            total, index = self.out.fresh("n"), self.out.fresh("i")
            self.out(f"int64_t {total} = 0;")
            with self.out.block(f"for (unsigned {index} = 0; {index} < {len(kind.pairs)}; {index}++)"):
                self.out(f"{total} += {self.length(self.queue(spot, index))};")
            return total
        if is_sequence(kind) or isinstance(kind, Numbered):
            return f"(int64_t)({self.length(spot)})"
        if width(kind) <= 64:
            return f"(int64_t)__builtin_popcountll({self.bits(spot, width(kind))})"
        return f"count_words({self.read(spot)}, {words(width(kind))})"

    def display(self, node: Expr) -> str:
        """SET and LIST."""
        name = self.declare(node.type, self.out.fresh())
        place = self.spot_named(node.type, name)
        for position, part in enumerate(node.args):
            value = self.value(part)
            if isinstance(node.type, ListType):
                self.write(self.item(place, str(position)), value)
            else:
                self.add(place, value)
        if isinstance(node.type, ListType):
            self.set_length(place, str(len(node.args)))
        return name

    def algebra(self, node: Expr) -> str:
        """UNION, INTERSECT, DIFFERENCE, SUBSET."""
        left, right = node.args
        kind = left.type if node.op is Op.SUBSET else node.type
        if not is_mask(kind):
            raise Unsupported(f"set algebra on {kind}")
        one, other = self.converted(left, kind), self.converted(right, kind)
        if not is_wide(kind):
            if node.op is Op.SUBSET:
                return f"(({one} & ~{other}) == 0)"
            return {
                Op.UNION: f"({one} | {other})",
                Op.INTERSECT: f"({one} & {other})",
                Op.DIFFERENCE: f"({one} & ~{other})",
            }[node.op]
        name, index, count = self.declare(kind, self.out.fresh()), self.out.fresh("i"), words(width(kind))
        sign = {Op.UNION: "|", Op.INTERSECT: "&"}.get(node.op, "& ~")
        self.out(f"for (unsigned {index} = 0; {index} < {count}; {index}++)")
        self.out(f"    {name}[{index}] = {one}[{index}] {sign}{other}[{index}];")
        return f"(!any_words({name}, {count}))" if node.op is Op.SUBSET else name

    def domain(self, node: Expr) -> str:
        """DOMAIN as a value."""
        size = width(node.type) if is_mask(node.type) else 0
        if not is_wide(node.type):
            return literal((1 << size) - 1)
        name, index = self.declare(node.type, self.out.fresh()), self.out.fresh("i")
        self.out(f"for (unsigned {index} = 0; {index} < {size}; {index}++) put_bit({name}, {index});")
        return name

    def slice(self, node: Expr) -> str:
        """SLICE: bounds count from the end if negative, and are clamped."""
        assert isinstance(node.type, ListType)
        place = self.spot(node.args[0])
        count = self.out.fresh("n")
        self.out(f"int64_t {count} = (int64_t)({self.length(place)});")
        ends = []
        for part in node.args[1:]:
            value, end = self.let(part.type, self.value(part)), self.out.fresh("e")
            self.out(f"int64_t {end} = {value} < 0 ? {value} + {count} : {value};")
            self.out(f"{end} = {end} < 0 ? 0 : {end} > {count} ? {count} : {end};")
            ends.append(end)
        name, index = self.declare(node.type, self.out.fresh()), self.out.fresh("i")
        target, length = self.spot_named(node.type, name), self.out.fresh("n")
        self.out(f"unsigned {length} = {ends[1]} > {ends[0]} ? (unsigned)({ends[1]} - {ends[0]}) : 0;")
        with self.out.block(f"for (unsigned {index} = 0; {index} < {length}; {index}++)"):
            self.write(self.item(target, index), self.read(self.item(place, f"({index} + (unsigned){ends[0]})")))
        self.set_length(target, length)
        return name

    def concatenation(self, node: Expr) -> str:
        """CONCAT."""
        name, at = self.declare(node.type, self.out.fresh()), self.out.fresh("n")
        target = self.spot_named(node.type, name)
        self.out(f"unsigned {at} = 0;")
        for part in node.args:
            with self.members(self.spot(part)) as member:
                self.write(self.item(target, at), member)
                self.out(f"{at}++;")
        self.set_length(target, at)
        return name

    def ordered(self, node: Expr) -> str:
        """SORTED."""
        inner = element(node.type)
        if width(inner) > 64:
            raise Unsupported(f"sorting elements of {width(inner)} bits")
        assert isinstance(node.type, ListType)
        buffer, count = self.out.fresh("a"), self.out.fresh("n")
        self.out(f"word {buffer}[{max(node.type.capacity, 1)}];")
        self.out(f"unsigned {count} = 0;")
        with self.members(self.spot(node.args[0])) as member:
            self.out(f"{buffer}[{count}++] = {to_bits(inner, member)};")
        self.out(f"sort_words({buffer}, {count});")
        name, index = self.declare(node.type, self.out.fresh()), self.out.fresh("i")
        target = self.spot_named(node.type, name)
        source = f"{count} - 1 - {index}" if node.data else index
        with self.out.block(f"for (unsigned {index} = 0; {index} < {count}; {index}++)"):
            self.write_bits(self.item(target, index), width(inner), f"{buffer}[{source}]")
        self.set_length(target, count)
        return name

    def whole_range(self, node: Expr) -> str:
        """RANGE as a value."""
        assert isinstance(node.type, ListType)
        name, count, index = self.declare(node.type, self.out.fresh()), self.out.fresh("n"), self.out.fresh("i")
        target = self.spot_named(node.type, name)
        low, high = self.values_of(node.args)
        self.out(f"unsigned {count} = 0;")
        with self.out.block(f"for (int64_t {index} = {low}; {index} < {high}; {index}++)"):
            self.write(self.item(target, count), index)
            self.out(f"{count}++;")
        self.set_length(target, count)
        return name

    def is_one_of(self, node: Expr) -> str:
        """IS."""
        union = node.args[0].type
        assert isinstance(union, UnionType)
        tag = self.let(BOOL, self.tag(self.spot(node.args[0])))
        return "(" + " || ".join(f"{tag} == {union.kinds.index(kind)}" for kind in node.data) + ")"
