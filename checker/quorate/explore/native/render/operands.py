"""Operands and places of C: how a value of a type is written in an expression, and where one lies inside something larger.

A number is an `int64_t`, any other value of at most 64 bits a `word`, a wider one an array of words. An *operand* is a C expression
without side effects: for wide values always the name of an array. A `Spot` is a place inside something larger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from quorate.explore.native.render.layout import Numbered, low, offsets, width
from quorate.language.types import Type
from quorate.model.integers import INT_MAX, INT_MIN
from quorate.model.ranges import is_number


@dataclass(frozen=True)
class Spot:
    """`width(kind)` bits at offset `at` (plus `moving`, a C expression) of a word (`array` false) or an array of words."""

    root: str
    array: bool
    kind: Type
    at: int = 0
    moving: str = ""

    @property
    def offset(self) -> str:
        """The offset as a C expression."""
        return f"{self.at}u" if not self.moving else f"({self.at}u + {self.moving})"

    @property
    def pointer(self) -> str:
        """The words as a C pointer."""
        return self.root if self.array else f"(&{self.root})"

    def inner(self, kind: Type, at: int, moving: str = "") -> Spot:
        """A place inside this one."""
        both = " + ".join(part for part in (self.moving, moving) if part)
        return replace(self, kind=kind, at=self.at + at, moving=both).in_one_word()

    def in_one_word(self, bits: int | None = None) -> Spot:
        """The same place, of one word of its array if it lies in one (or its first `bits` do): whatever is inside, wherever it is, is then
        read in one access."""
        size = width(self.kind) if bits is None else bits
        first, last = self.at // 64, (self.at + size - 1) // 64
        if not self.array or self.moving or first != last:
            return self
        return Spot(f"{self.root}[{first}]", False, self.kind, self.at % 64)

    def part(self, kinds: tuple[Type, ...], position: int) -> Spot:
        """A component of a record or tuple."""
        return self.inner(kinds[position], offsets(kinds)[position])


def ctype(kind: Type) -> str:
    """The C type of an operand that is not wide."""
    return "int64_t" if is_number(kind) else "word"


def is_wide(kind: Type) -> bool:
    """Whether operands are arrays."""
    return width(kind) > 64 or isinstance(kind, Numbered)


def to_bits(kind: Type, operand: str) -> str:
    """The bits of a value that is not wide."""
    if not is_number(kind):
        return operand
    return f"((word)({operand}) - {word(low(kind))})" if low(kind) else f"(word)({operand})"


def from_bits(kind: Type, bits: str) -> str:
    """The operand with these bits, of a value that is not wide."""
    if not is_number(kind):
        return bits
    return f"(int64_t)(({bits}) + {word(low(kind))})" if low(kind) else f"(int64_t)({bits})"


def literal(bits: int) -> str:
    """A word in C."""
    return f"{bits}u" if bits < 2**31 else f"{bits:#x}ull"


def word(number: int) -> str:
    """A number in C as a word, modulo 2^64: what is below zero is stored from the least number on, so that the sum is right."""
    return literal(number % (1 << 64))


def integer(number: int) -> str:
    """A number in C. It has 64 bits also where it would fit into fewer: what is computed from it must."""
    return f"{number}ll" if number > INT_MIN else f"(-{INT_MAX}ll - 1)"


def comment(text: str) -> str:
    """A comment in C, whatever names are in it."""
    return f"/* {text.replace('*/', '* /')} */"
