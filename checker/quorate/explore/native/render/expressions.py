"""Expressions of the model in C.

`Expressions.value` writes the statements that an expression needs and returns its operand. The table `RENDER` has one entry for each
operator; what it must mean is in `quorate.model.interpret`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from quorate.explore.native.render.containers import pair_code
from quorate.explore.native.render.layout import Unsupported, element, is_mask, is_number, is_sequence, width, words
from quorate.explore.native.render.paths import BOOL, Paths, within
from quorate.explore.native.render.values import is_wide, literal, to_bits
from quorate.language.types import ChannelsType, ListType, MapType, SetType, Type, UnionType
from quorate.model.conversion import join, limits
from quorate.model.nodes import Clause, Expr, For, Op, Where, conjuncts


class Expressions(Paths):
    """Writes the C of one function: what concerns expressions."""

    def value(self, node: Expr) -> str:
        """The operand of an expression."""
        try:
            return RENDER[node.op](self, node)
        except Unsupported as problem:
            raise problem.at(node.location) from None

    def condition(self, node: Expr) -> str:
        """The operand of a truth value."""
        return self.value(node)

    def values_of(self, nodes: Sequence[Expr]) -> list[str]:
        """Operands of several expressions, evaluated left to right."""
        found = []
        for node in nodes:
            found.append(self.value(node))
        return found

    # Truth

    def _joined(self, nodes: Sequence[Expr], sign: str) -> str:
        """`and` or `or`: what comes after the deciding operand is not evaluated."""
        asides: list[tuple[str, list[str]]] = []
        for node in nodes:
            with self.out.aside() as lines:
                operand = self.value(node)
            asides.append((operand, lines))
        result = ""
        for operand, lines in asides:
            if not result:
                self.out.lines.extend(lines)
                result = f"({operand})"
            elif not lines:
                result = f"({result} {sign} ({operand}))"
            else:
                name = self.out.fresh("b")
                self.out(f"word {name} = {result};")
                with self.out.block(f"if ({name})" if sign == "&&" else f"if (!{name})"):
                    self.out.lines.extend(lines)
                    self.out(f"{name} = {operand};")
                result = name
        return result or ("1u" if sign == "&&" else "0u")

    def conjunction(self, node: Expr) -> str:
        """AND."""
        return self._joined(node.args, "&&")

    def disjunction(self, node: Expr) -> str:
        """OR."""
        return self._joined(node.args, "||")

    def choice(self, node: Expr) -> str:
        """IF."""
        test = self.value(node.args[0])
        name = self.declare(node.type, self.out.fresh())
        with self.out.block(f"if ({test})"):
            self.assign(node.type, name, self.value(node.args[1]))
        with self.out.block("else"):
            self.assign(node.type, name, self.value(node.args[2]))
        return name

    def _common(self, node: Expr) -> tuple[Type, str, str]:
        left, right = node.args
        if left.type == right.type or (is_number(left.type) and is_number(right.type)):
            return left.type, self.value(left), self.value(right)
        kind = join(left.type, right.type)
        if kind is None:
            raise Unsupported(f"a comparison of {left.type} and {right.type}")
        return kind, self.converted(left, kind), self.converted(right, kind)

    def equality(self, node: Expr) -> str:
        """EQ."""
        kind, left, right = self._common(node)
        return self.equal(kind, left, right)

    def order(self, node: Expr) -> str:
        """LT and LE."""
        kind, left, right = self._common(node)
        return self.less(kind, left, right, node.op is Op.LE)

    def extreme(self, node: Expr) -> str:
        """MIN and MAX of two."""
        left, right = (self.let(node.type, operand) for operand in self.values_of(node.args))
        before = self.less(node.type, right, left) if node.op is Op.MIN else self.less(node.type, left, right)
        name = self.declare(node.type, self.out.fresh(), left)
        self.out(f"if ({before})")
        with self.out.block(""):
            self.assign(node.type, name, right)
        return name

    # Numbers

    def division(self, node: Expr) -> str:
        """DIV and MOD."""
        left, right = self.values_of(node.args)
        right = self.let(node.args[1].type, right)
        self.error(f"{right} == 0")
        return f"{'floor_div' if node.op is Op.DIV else 'floor_mod'}({left}, {right})"

    def absolute(self, node: Expr) -> str:
        """ABS."""
        value = self.let(node.args[0].type, self.value(node.args[0]))
        return f"({value} < 0 ? -{value} : {value})"

    # Containers

    def member(self, node: Expr) -> str:
        """IN."""
        what, whole = node.args
        if whole.op is Op.DOMAIN and what.type == element(whole.type):
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
        low, high = limits(want)
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
            return str(element(whole.type).cardinality)
        spot = self.spot(whole)
        kind = spot.kind
        if isinstance(kind, ChannelsType):
            total, index = self.out.fresh("n"), self.out.fresh("i")
            self.out(f"int64_t {total} = 0;")
            with self.out.block(f"for (unsigned {index} = 0; {index} < {len(kind.pairs)}; {index}++)"):
                self.out(f"{total} += {self.length(self.queue(spot, index))};")
            return total
        if is_sequence(kind):
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

    # Loops

    @contextmanager
    def over(self, source: Expr, wanted: Type | None = None) -> Iterator[str]:
        """Loop over a collection's elements, in canonical order. Those not of the alternative `wanted` of their union may be left out."""
        out = self.out
        if source.op is Op.DOMAIN:
            inner, index = element(source.type), out.fresh("i")
            with out.block(f"for (unsigned {index} = 0; {index} < {inner.cardinality}; {index}++)"):
                yield self.sparse(inner, index)
        elif source.op is Op.RANGE:
            low, high = (self.let(part.type, self.value(part)) for part in source.args)
            index = out.fresh("i")
            with out.block(f"for (int64_t {index} = {low}; {index} < {high}; {index}++)"):
                yield index
        else:
            place = self.spot(source)
            with self.members(place, wanted) as member:
                yield member

    @contextmanager
    def clauses(self, clauses: Sequence[Clause]) -> Iterator[None]:
        """The loops and filters of a comprehension."""
        with ExitStack() as stack:
            for clause, following in zip(clauses, [*clauses[1:], None], strict=True):
                if isinstance(clause, For):
                    found = stack.enter_context(self.over(clause.source, _class_wanted(clause, following)))
                    self.declare(clause.type, f"v_{clause.name}", found)
                else:
                    self.out(f"if (!({self.value(clause.condition)})) continue;")
            yield

    def quantifier(self, node: Expr) -> str:
        """ALL and ANY."""
        name, end = self.out.fresh("q"), self.out.fresh("end")
        wanted = node.op is Op.ANY
        self.out(f"word {name} = {int(not wanted)};")
        with self.out.block(""), self.clauses(node.clauses):
            test = self.value(node.args[0])
            self.out(f"if ({test if wanted else f'!({test})'}) {{ {name} = {int(wanted)}; goto {end}; }}")
        self.out(f"{end}:;")
        return name

    def total(self, node: Expr) -> str:
        """SUM."""
        name = self.out.fresh("sum")
        self.out(f"int64_t {name} = 0;")
        with self.out.block(""), self.clauses(node.clauses):
            self.out(f"{name} += {self.value(node.args[0])};")
        return name

    def best(self, node: Expr) -> str:
        """MIN_OF, MAX_OF and THE."""
        name, found, kind = self.declare(node.type, self.out.fresh()), self.out.fresh("found"), node.type
        self.out(f"word {found} = 0;")
        with self.out.block(""), self.clauses(node.clauses):
            value = self.let(kind, self.value(node.args[0]))
            if node.op is Op.THE:
                self.error(f"{found} && !{self.equal(kind, name, value)}")
                better = f"!{found}"
            else:
                before = self.less(kind, value, name) if node.op is Op.MIN_OF else self.less(kind, name, value)
                better = f"!{found} || {before}"
            with self.out.block(f"if ({better})"):
                self.assign(kind, name, value)
                self.out(f"{found} = 1;")
        if len(node.args) == 2:
            with self.out.block(f"if (!{found})"):
                self.assign(kind, name, self.value(node.args[1]))
        else:
            self.error(f"!{found}")
        return name

    def gathered(self, node: Expr) -> str:
        """SET_OF, LIST_OF and MAP_OF."""
        kind = node.type
        name, at = self.declare(kind, self.out.fresh()), self.out.fresh("n")
        target = self.spot_named(kind, name)
        self.out(f"unsigned {at} = 0;")
        with self.out.block(""), self.clauses(node.clauses):
            value = self.value(node.args[0])
            if isinstance(kind, SetType):
                self.add(target, value)
            else:
                self.write(self.entry(target, at) if isinstance(kind, MapType) else self.item(target, at), value)
                self.out(f"{at}++;")
        if isinstance(kind, ListType):
            self.set_length(target, at)
        return name

    # Calls

    def majority(self, node: Expr) -> str:
        """MAJORITY and QUORUM."""
        count = self.size(node)
        if node.op is Op.QUORUM:
            return f"({count} >= {self.value(node.args[1])})"
        return f"(2 * {count} > {node.data.size})"

    def call(self, node: Expr) -> str:
        """CALL."""
        arguments = self.values_of(node.args)
        function = self.program.function(node.data)
        names = ["status", self.state, self.old, *arguments]
        if is_wide(node.type):
            result = self.declare(node.type, self.out.fresh())
            self.out(f"{function}({', '.join([*names, result])});")
        else:
            result = self.declare(node.type, self.out.fresh(), f"{function}({', '.join(names)})")
        self.out("if (UNLIKELY(*status)) goto leave;")
        return result

    def linearizable(self, node: Expr) -> str:
        """LINEARIZABLE."""
        history, initial = self.values_of(node.args)
        function = self.program.linearizable(node)
        result = self.out.fresh("b")
        self.out(f"word {result} = {function}(status, {self.state}, {self.old}, {history}, {initial});")
        self.out("if (UNLIKELY(*status)) goto leave;")
        return result


def _infix(sign: str) -> Callable[[Expressions, Expr], str]:
    return lambda body, node: "({0} {2} {1})".format(*body.values_of(node.args), sign)


RENDER: dict[Op, Callable[[Expressions, Expr], str]] = {
    Op.CONST: lambda body, node: body.constant(node.type, node.data),
    Op.STATE: lambda body, node: body.read(body.spot(node)),
    Op.OLD: lambda body, node: body.read(body.spot(node)),
    Op.LOCAL: lambda body, node: f"v_{node.data}",
    Op.DOMAIN: Expressions.domain,
    Op.RANGE: Expressions.whole_range,
    Op.FIELD: lambda body, node: body.read(body.spot(node)),
    Op.COMPONENT: lambda body, node: body.read(body.spot(node)),
    Op.LOOKUP: lambda body, node: body.read(body.spot(node)),
    Op.INDEX: lambda body, node: body.read(body.spot(node)),
    Op.SLICE: Expressions.slice,
    Op.RECORD: lambda body, node: body.compound(node.type, body.values_of(node.args)),  # type: ignore[arg-type]
    Op.TUPLE: lambda body, node: body.compound(node.type, body.values_of(node.args)),  # type: ignore[arg-type]
    Op.SET: Expressions.display,
    Op.LIST: Expressions.display,
    Op.ADD: _infix("+"),
    Op.SUB: _infix("-"),
    Op.MUL: _infix("*"),
    Op.DIV: Expressions.division,
    Op.MOD: Expressions.division,
    Op.NEG: lambda body, node: f"(-{body.value(node.args[0])})",
    Op.ABS: Expressions.absolute,
    Op.MIN: Expressions.extreme,
    Op.MAX: Expressions.extreme,
    Op.EQ: Expressions.equality,
    Op.LT: Expressions.order,
    Op.LE: Expressions.order,
    Op.AND: Expressions.conjunction,
    Op.OR: Expressions.disjunction,
    Op.NOT: lambda body, node: f"(!{body.value(node.args[0])})",
    Op.IF: Expressions.choice,
    Op.IN: Expressions.member,
    Op.SUBSET: Expressions.algebra,
    Op.UNION: Expressions.algebra,
    Op.INTERSECT: Expressions.algebra,
    Op.DIFFERENCE: Expressions.algebra,
    Op.LEN: Expressions.size,
    Op.CONCAT: Expressions.concatenation,
    Op.SORTED: Expressions.ordered,
    Op.COERCE: lambda body, node: body.converted(node.args[0], node.type),
    Op.FIT: lambda body, node: body.converted(node.args[0], node.type, checked=True),
    Op.NARROW: lambda body, node: body.read(body.spot(node)),
    Op.IS: Expressions.is_one_of,
    Op.ALL: Expressions.quantifier,
    Op.ANY: Expressions.quantifier,
    Op.SUM: Expressions.total,
    Op.MIN_OF: Expressions.best,
    Op.MAX_OF: Expressions.best,
    Op.THE: Expressions.best,
    Op.SET_OF: Expressions.gathered,
    Op.LIST_OF: Expressions.gathered,
    Op.MAP_OF: Expressions.gathered,
    Op.MAJORITY: Expressions.majority,
    Op.QUORUM: Expressions.majority,
    Op.CALL: Expressions.call,
    Op.LINEARIZABLE: Expressions.linearizable,
}


def _class_wanted(clause: For, following: Clause | None) -> Type | None:
    """The class that the next clause asks of the elements, before it asks anything else."""
    if isinstance(following, Where):
        match next(conjuncts(following.condition)):
            case Expr(op=Op.IS, args=(Expr(op=Op.LOCAL, data=name),), data=(Type() as kind,)) if name == clause.name:
                return kind
    return None
