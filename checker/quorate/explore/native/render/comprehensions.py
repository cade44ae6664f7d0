"""Comprehensions in C: loops over collections, and what is made of the values in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from quorate.explore.native.render.collections import Collections
from quorate.explore.native.render.layout import element
from quorate.language.types import ListType, MapType, SetType, Type
from quorate.model.comprehensions import rounds
from quorate.model.nodes import Clause, Expr, For, Op, Where, conjuncts
from quorate.model.ranges import fits_sum


class Comprehensions(Collections):
    """Writes the C of one function: what concerns comprehensions."""

    @contextmanager
    def over(self, source: Expr, wanted: Type | None = None) -> Iterator[str]:
        """Loop over a collection's elements, in canonical order. Those not of the alternative `wanted` of their union may be left out."""
        out = self.out
        if source.op is Op.DOMAIN:
            inner = element(source.type)
            with self.codes(inner) as index:
                yield self.sparse(inner, index)
        elif source.op is Op.RANGE:
            low, high = (self.declare(part.type, out.fresh(), self.value(part)) for part in source.args)
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
                    wanted = _class_wanted(clause, following) if self.shared.points is None else None
                    found = stack.enter_context(self.over(clause.source, wanted))
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
            value = self.value(node.args[0])
            if fits_sum(node.args[0].type, rounds(node.clauses)):
                self.out(f"{name} += {value};")
            else:
                self.watched("add", name, value, node.location, into=name)
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


def _class_wanted(clause: For, following: Clause | None) -> Type | None:
    """The class that the next clause asks of the elements, before it asks anything else."""
    if isinstance(following, Where):
        match next(conjuncts(following.condition)):
            case Expr(op=Op.IS, args=(Expr(op=Op.LOCAL, data=name),), data=(Type() as kind,)) if name == clause.name:
                return kind
    return None
