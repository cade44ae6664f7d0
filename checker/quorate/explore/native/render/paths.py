"""Where the value of an expression is: inside the state, inside a local, or in a temporary."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.explore.native.render.containers import Containers
from quorate.explore.native.render.operands import Spot, integer, to_bits
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.writer import Writer
from quorate.language.types import BoolType, ChannelsType, MapType, RecordType, TupleType, Type, UnionType
from quorate.model.nodes import Expr, Op
from quorate.model.ranges import is_number, limits

BOOL = BoolType()


class Paths(Containers):
    """Finds places. `state` and `old` are the C names of the states that STATE and OLD read."""

    def __init__(self, shared: Shared, writer: Writer, state: str, old: str) -> None:
        super().__init__(shared, writer)
        self.state, self.old = state, old

    def value(self, node: Expr) -> str:
        """The operand of an expression."""
        raise NotImplementedError

    def values_of(self, nodes: Sequence[Expr]) -> list[str]:
        """Operands of several expressions, evaluated left to right."""
        return [self.value(node) for node in nodes]

    def spot(self, node: Expr) -> Spot:
        """The place of an expression's value: inside the state if it is a path there, else of a temporary."""
        kind = node.type
        match node.op:
            case Op.STATE | Op.OLD:
                return self.shared.variable(self.state if node.op is Op.STATE else self.old, node.data)
            case Op.LOCAL:
                return self.spot_named(kind, f"v_{node.data}")
            case Op.FIELD:
                owner = node.args[0].type
                assert isinstance(owner, RecordType)
                names = [name for name, _ in owner.fields]
                return self.spot(node.args[0]).part(owner.kinds, names.index(node.data))
            case Op.COMPONENT:
                whole_type = node.args[0].type
                assert isinstance(whole_type, TupleType)
                return self.spot(node.args[0]).part(whole_type.kinds, node.data)
            case Op.LOOKUP:
                whole = self.spot(node.args[0])
                return self.entry(whole, self.key(whole.kind, node.args[1]))
            case Op.INDEX:
                whole = self.spot(node.args[0])
                return self.item(whole, self.index(whole, node.args[1]))
            case Op.QUEUE:
                return self._queue_spot(node)
            case Op.NARROW:
                return self._narrowed_spot(node)
        return self.spot_of(kind, self.value(node))

    def _queue_spot(self, node: Expr) -> Spot:
        whole = self.spot(node.args[0])
        assert isinstance(whole.kind, ChannelsType)
        source, target = (
            self.let(BOOL, self.dense(part.type, value))
            for part, value in zip(node.args[1:], self.values_of(node.args[1:]), strict=True)
        )
        return self.queue(whole, f"{source} * {whole.kind.target.cardinality}u + {target}")

    def key(self, kind: Type, node: Expr) -> str:
        """The code of a map's key; error if a computed number is none."""
        assert isinstance(kind, MapType)
        if is_number(node.type):
            value, (least, most) = self.let(node.type, self.value(node)), limits(kind.key)
            if not within(node.type, least, most):
                self.error(f"{value} < {integer(least)} || {value} > {integer(most)}")
            return to_bits(kind.key, value)
        value = self.value(node)
        self._check_numbers(self.spot_of(node.type, value), kind.key)
        return self.let(BOOL, self.dense(kind.key, self.convert(value, node.type, kind.key, False)))

    def _check_numbers(self, spot: Spot, want: Type) -> None:
        """Error if a number inside a tuple is out of the range that another tuple type has for it."""
        if isinstance(spot.kind, TupleType) and isinstance(want, TupleType):
            for position, part in enumerate(want.kinds):
                self._check_numbers(spot.part(spot.kind.kinds, position), part)
        elif is_number(want) and not within(spot.kind, *limits(want)):
            value, (least, most) = self.read(spot), limits(want)
            self.error(f"{value} < {integer(least)} || {value} > {integer(most)}")

    def index(self, whole: Spot, node: Expr) -> str:
        """The position that an index means; error if out of range."""
        value = self.let(node.type, self.value(node))
        count, at = self.out.fresh("n"), self.out.fresh("i")
        self.out(f"int64_t {count} = (int64_t)({self.length(whole)});")
        self.out(f"int64_t {at} = {value} < 0 ? {value} + {count} : {value};")
        self.error(f"{at} < 0 || {at} >= {count}")
        return f"(unsigned){at}"

    def _narrowed_spot(self, node: Expr) -> Spot:
        union = node.args[0].type
        assert isinstance(union, UnionType)
        spot = self.spot(node.args[0])
        if isinstance(node.type, UnionType):
            return self.spot_of(node.type, self.convert(self.read(spot), union, node.type, False))
        self.error(f"{self.tag(spot)} != {union.kinds.index(node.type)}")
        return spot.inner(node.type, 0)

    def converted(self, node: Expr, want: Type, checked: bool = False) -> str:
        """An expression's value as a value of another type."""
        if (
            node.op is Op.CONST
            and not checked
            and isinstance(want, UnionType)
            and any(kind == node.type for kind in want.kinds)
        ):
            return self.constant(want, node.data, node.location)
        return self.convert(self.value(node), node.type, want, checked)


def within(kind: Type, low: int, high: int) -> bool:
    """Whether all numbers of a type are in a range."""
    least, most = limits(kind)
    return low <= least and most <= high
