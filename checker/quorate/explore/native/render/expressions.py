"""Expressions of the model in C.

`Expressions.value` writes the statements that an expression needs and returns its operand. The table `RENDER` has one entry for each
operator; what it must mean is in `quorate.model.interpret`. The entries are methods, by what they are about: `numbers`, `collections`,
`comprehensions`, and here truth, choices and calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quorate.explore.native.render.comprehensions import Comprehensions
from quorate.explore.native.render.layout import Unsupported
from quorate.explore.native.render.operands import is_wide
from quorate.model.nodes import Expr, Op


class Expressions(Comprehensions):
    """Writes the C of one function: what concerns expressions."""

    def value(self, node: Expr) -> str:
        """The operand of an expression."""
        try:
            operand = RENDER[node.op](self, node)
        except Unsupported as problem:
            raise problem.at(node.location) from None
        point = None if self.shared.points is None else self.shared.points.condition(node)
        if point is None:
            return operand
        test = self.declare(node.type, self.out.fresh("test"), operand)
        self.out(f"count({2 * point}u + ({test} != 0));")
        return test

    def condition(self, node: Expr) -> str:
        """The operand of a truth value."""
        return self.value(node)

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
        function = self.shared.function(node.data)
        names = ["status", self.state, self.old, *arguments]
        if is_wide(node.type):
            result = self.declare(node.type, self.out.fresh())
            self.out(f"{function}({', '.join([*names, result])});")
        else:
            result = self.declare(node.type, self.out.fresh(), f"{function}({', '.join(names)})")
        self.out("if (UNLIKELY(*status)) goto leave;")
        return result

    def attempt(self, node: Expr) -> str:
        """TAKES and POSSIBLE: a bound that the function passes is an answer, and an error is one."""
        arguments = self.values_of(node.args)
        ended, result = self.out.fresh("ended"), self.out.fresh("b")
        self.out(f"int {ended} = 0;")
        names = ", ".join([f"&{ended}", self.state, self.old, *arguments])
        self.out(f"word {result} = {self.shared.function(node.data)}({names});")
        self.error(f"{ended} < 0")
        return f"({result} && !{ended})" if node.op is Op.TAKES else f"({result} || {ended})"

    def linearizable(self, node: Expr) -> str:
        """LINEARIZABLE."""
        history, initial = self.values_of(node.args)
        function = self.shared.linearizable(node)
        result = self.out.fresh("b")
        self.out(f"word {result} = {function}(status, {self.state}, {self.old}, {history}, {initial});")
        self.out("if (UNLIKELY(*status)) goto leave;")
        return result


RENDER: dict[Op, Callable[[Expressions, Expr], str]] = {
    Op.CONST: lambda body, node: body.constant(node.type, node.data, node.location),
    Op.STATE: lambda body, node: body.read(body.spot(node)),
    Op.OLD: lambda body, node: body.read(body.spot(node)),
    Op.LOCAL: lambda body, node: f"v_{node.data}",
    Op.DOMAIN: Expressions.domain,
    Op.RANGE: Expressions.whole_range,
    Op.FIELD: lambda body, node: body.read(body.spot(node)),
    Op.COMPONENT: lambda body, node: body.read(body.spot(node)),
    Op.LOOKUP: lambda body, node: body.read(body.spot(node)),
    Op.INDEX: lambda body, node: body.read(body.spot(node)),
    Op.QUEUE: lambda body, node: body.read(body.spot(node)),
    Op.SLICE: Expressions.slice,
    Op.RECORD: lambda body, node: body.compound(node.type, body.values_of(node.args)),  # type: ignore[arg-type]
    Op.TUPLE: lambda body, node: body.compound(node.type, body.values_of(node.args)),  # type: ignore[arg-type]
    Op.SET: Expressions.display,
    Op.LIST: Expressions.display,
    Op.ADD: Expressions.arithmetic,
    Op.SUB: Expressions.arithmetic,
    Op.MUL: Expressions.arithmetic,
    Op.DIV: Expressions.division,
    Op.MOD: Expressions.division,
    Op.NEG: Expressions.negation,
    Op.ABS: Expressions.absolute,
    Op.POSITION: lambda body, node: f"(int64_t)({body.value(node.args[0])})",
    Op.MEMBER: Expressions.numbered,
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
    Op.TAKES: Expressions.attempt,
    Op.POSSIBLE: Expressions.attempt,
    Op.LINEARIZABLE: Expressions.linearizable,
}
