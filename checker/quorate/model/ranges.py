"""Which values a number can have: interval arithmetic over the operators.

Arithmetic of the language is that of the integers, without a limit. Every expression has a range all the same: that of an operation follows
from those of its operands (Moore 1966), and a local name that keeps growing is widened until nothing grows (Cousot & Cousot 1977, see
`conversion.widen`). The range is written into the type, `IntType(low, high)`, and is a promise: every value lies in it. An end at
`INT_MIN` or `INT_MAX` means that there is no limit in that direction which 64 bits could hold.

An engine whose numbers have 64 bits reads two things here: the ranges, to pack a number into as few bits as hold it, and `fits`, which
says that an operation cannot leave the 64 bits if its operands are inside. Where it does not, the engine watches the operation.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isinf

from quorate.language.types import NatType, Type
from quorate.model.integers import INT_MAX, INT_MIN, IntType
from quorate.model.nodes import Op

End = int | float
"""An integer, or an infinity."""
Range = tuple[End, End]


def is_number(kind: Type) -> bool:
    """Whether a type is a number: a Nat or a computed one."""
    return isinstance(kind, NatType | IntType)


def limits(kind: Type) -> tuple[int, int]:
    """The least and the greatest number of a number type, as far as 64 bits go."""
    if isinstance(kind, NatType):
        return kind.minimum, kind.maximum
    assert isinstance(kind, IntType)
    return kind.low, kind.high


def ends(kind: Type) -> Range:
    """The same, with an infinity where there is no limit."""
    low, high = limits(kind)
    if isinstance(kind, NatType):
        return low, high
    return (-inf if low == INT_MIN else low), (inf if high == INT_MAX else high)


def spanning(low: End, high: End) -> IntType:
    """The type of the numbers in a range; what lies beyond 64 bits is not told apart."""
    return IntType(*(int(min(max(end, INT_MIN), INT_MAX)) for end in (low, high)))


def computed(op: Op, *operands: Type) -> IntType:
    """The type of an operation on numbers of these types."""
    return spanning(*SPAN[op](*map(ends, operands)))


def summed(kind: Type, times: int) -> IntType:
    """The type of a sum of up to so many numbers of a type."""
    return spanning(*_sums(ends(kind), times))


def fits(op: Op, *operands: Type) -> bool:
    """Whether the result of an operation has 64 bits, whenever its operands have."""
    return _inside(SPAN[op](*(_held(kind) for kind in operands)))


def fits_sum(kind: Type, times: int) -> bool:
    """Whether a sum of up to so many numbers, and every part of it, has 64 bits whenever they have."""
    return _inside(_sums(_held(kind), times))


def is_held(kind: Type) -> bool:
    """Whether all declared values of a number type have 64 bits; where there is no limit it is for the engine to watch."""
    return _inside(limits(kind))


def _held(kind: Type) -> Range:
    low, high = limits(kind)
    return max(low, INT_MIN), min(high, INT_MAX)


def _inside(found: Range) -> bool:
    return found[0] >= INT_MIN and found[1] <= INT_MAX


# The operators. A low end is never plus infinity, nor a high end minus infinity.


def _sum_of(a: Range, b: Range) -> Range:
    return a[0] + b[0], a[1] + b[1]


def _negated(a: Range) -> Range:
    return -a[1], -a[0]


def _product(a: End, b: End) -> End:
    return 0 if 0 in (a, b) else a * b


def _products(a: Range, b: Range) -> Range:
    corners = [_product(x, y) for x in a for y in b]
    return min(corners), max(corners)


def _quotient(a: End, b: End) -> End:
    if isinf(b):
        return 0 if a == 0 or (a > 0) == (b > 0) else -1
    return a * b if isinf(a) else a // b


def _quotients(a: Range, b: Range) -> Range:
    """On either side of zero a quotient is monotone in both: the extremes are at corners, of which the nearest to zero is finite."""
    divisors = [d for d in (b[0], -1, 1, b[1]) if b[0] <= d <= b[1] and d != 0]
    corners = [_quotient(x, d) for x in a for d in divisors] or [0]
    return min(corners), max(corners)


def _remainders(a: Range, b: Range) -> Range:
    """Of the divisor's sign and smaller than it; of a number that is not negative, not greater than that number."""
    low, high = min(0, b[0] + 1), max(0, b[1] - 1)
    return (low, min(high, a[1])) if a[0] >= 0 and b[0] > 0 else (low, high)


def _magnitudes(a: Range) -> Range:
    least = 0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))
    return least, max(abs(a[0]), abs(a[1]))


def _sums(a: Range, times: int) -> Range:
    return min(0, _product(a[0], times)), max(0, _product(a[1], times))


SPAN: dict[Op, Callable[..., Range]] = {
    Op.ADD: _sum_of,
    Op.SUB: lambda a, b: _sum_of(a, _negated(b)),
    Op.MUL: _products,
    Op.DIV: _quotients,
    Op.MOD: _remainders,
    Op.NEG: _negated,
    Op.ABS: _magnitudes,
}
"""For each operator on numbers, the range of its result."""
