"""Numbers in C: arithmetic that cannot wrap, and comparisons.

A number has 64 bits. Where the ranges of the model (`quorate.model.ranges`) do not show that a result fits into them, the operation is
watched: leaving them is a trap, which ends the search.
"""

from __future__ import annotations

from quorate.errors import Location
from quorate.explore.native.render.layout import Unsupported
from quorate.explore.native.render.operands import integer
from quorate.explore.native.render.paths import Paths, within
from quorate.language.types import Type
from quorate.model.conversion import join
from quorate.model.integers import INT_MIN
from quorate.model.nodes import Expr, Op
from quorate.model.ranges import fits, is_number

INFIX = {Op.ADD: ("+", "add"), Op.SUB: ("-", "sub"), Op.MUL: ("*", "mul")}
"""The sign of an operation in C, and its name in the compiler's function that says whether it overflows."""


class Numbers(Paths):
    """Writes the C of one function: what concerns numbers and order."""

    @staticmethod
    def _fits(node: Expr) -> bool:
        return fits(node.op, *(part.type for part in node.args))

    def watched(self, name: str, left: str, right: str, place: Location | None, into: str = "") -> str:
        """The result of an operation that may leave 64 bits, in the variable `into` or a new one."""
        if not into:
            into = self.out.fresh()
            self.out(f"int64_t {into} = 0;")
        self.trap(f"__builtin_{name}_overflow({left}, {right}, &{into})", place)
        return into

    def arithmetic(self, node: Expr) -> str:
        """ADD, SUB and MUL."""
        sign, name = INFIX[node.op]
        left, right = self.values_of(node.args)
        return f"({left} {sign} {right})" if self._fits(node) else self.watched(name, left, right, node.location)

    def negation(self, node: Expr) -> str:
        """NEG."""
        value = self.value(node.args[0])
        return f"(-{value})" if self._fits(node) else self.watched("sub", integer(0), value, node.location)

    def division(self, node: Expr) -> str:
        """DIV and MOD."""
        left, right = self.values_of(node.args)
        right = self.let(node.args[1].type, right)
        self.error(f"{right} == 0")
        if not self._fits(node):
            left = self.let(node.args[0].type, left)
            self.trap(f"{left} == {integer(INT_MIN)} && {right} == -1", node.location)
        return f"{'floor_div' if node.op is Op.DIV else 'floor_mod'}({left}, {right})"

    def absolute(self, node: Expr) -> str:
        """ABS."""
        value = self.let(node.args[0].type, self.value(node.args[0]))
        if not self._fits(node):
            self.trap(f"{value} == {integer(INT_MIN)}", node.location)
        return f"({value} < 0 ? -{value} : {value})"

    def numbered(self, node: Expr) -> str:
        """MEMBER."""
        number = self.let(node.args[0].type, self.value(node.args[0]))
        count = node.type.cardinality
        if not within(node.args[0].type, 0, count - 1):
            self.error(f"{number} < 0 || {number} >= {count}")
        return f"(word)({number})"

    # Comparisons

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
