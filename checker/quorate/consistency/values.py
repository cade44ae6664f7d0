"""Values of a history: what was written and read, in a form that can be compared and used as a key.

Values that differ in the record differ here. Python alone would not keep them apart: `True == 1`, and a map or a keyword
would have to be written as something else. So a truth value is a `Truth`, a map a `Map`, and EDN's keywords, symbols,
characters and tagged values are each of their own type. Numbers are compared as numbers, exactly: 1 and 1.0 are equal, and what a
double would round is none. Lists and vectors are tuples and equal if their items are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from quorate.errors import QuorateError

Value = Hashable
DEPTH_MAX = 100
DIGITS_MAX = 4_000  # Of a whole number. Python refuses to print longer ones.


class HistoryError(QuorateError):
    """A history cannot be read, is not well formed, or does not fit the model it is judged by."""


class Truth(Enum):
    """A truth value, which is no number."""

    FALSE = "false"
    TRUE = "true"

    def __bool__(self) -> bool:
        return self is Truth.TRUE


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword, symbol or character of EDN. `mark` is what stands before it: ":", nothing, or a backslash."""

    mark: str
    text: str

    def __str__(self) -> str:
        return self.mark + self.text


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value of EDN with a tag that has no meaning here."""

    tag: str
    value: Value


@dataclass(frozen=True, slots=True)
class Map:
    """A map from values to values."""

    items: frozenset[tuple[Value, Value]]

    def __len__(self) -> int:
        return len(self.items)


def numeral(text: str) -> Value:
    """The number of a numeral with a fraction or an exponent. One that is not whole and has more digits than a double tells apart is a
    `Word`. Raises OverflowError for what is beyond all doubles."""
    rounded, exact = float(text), Decimal(text)
    if math.isinf(rounded):
        raise OverflowError
    if exact == exact.to_integral_value():
        return int(exact)
    return rounded if Decimal(repr(rounded)) == exact else Word("", str(exact))


def freeze(value: object, depth: int = 0) -> Value:
    """`value` as a value of a history. Raises `HistoryError` for what cannot be one: NaN and infinities (NaN is not even
    equal to itself), text that is not Unicode, numbers of thousands of digits, values nested too deeply to be shown,
    objects that cannot be compared."""
    kind = type(value)
    if value is None:
        return None
    if kind is int:
        return _whole(value)  # type: ignore[arg-type]
    if kind is str:
        return _text(value)  # type: ignore[arg-type]
    if depth > DEPTH_MAX:
        raise HistoryError(f"A value is nested more than {DEPTH_MAX} deep.")
    if kind is list or kind is tuple:
        if len(value) > 8 and set(map(type, value)) == {int}:  # type: ignore[arg-type,call-overload]
            _whole(max(value, key=abs))  # type: ignore[call-overload]
            return tuple(value)  # type: ignore[arg-type]
        return tuple([freeze(item, depth + 1) for item in value])  # type: ignore[attr-defined]
    if isinstance(value, Truth | Word):
        return value
    if kind is bool:
        return Truth.TRUE if value else Truth.FALSE
    return _uncommon(value, depth + 1)


def _uncommon(value: object, depth: int) -> Value:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise HistoryError(
                f"The number {value} cannot be part of a history: values are compared, and this one is none."
            )
        return value
    if isinstance(value, Tagged):
        return Tagged(value.tag, freeze(value.value, depth))
    if isinstance(value, Map):
        return Map(frozenset((freeze(k, depth), freeze(v, depth)) for k, v in value.items))
    if isinstance(value, Mapping):
        return Map(frozenset((freeze(k, depth), freeze(v, depth)) for k, v in value.items()))
    if isinstance(value, AbstractSet):
        return frozenset(freeze(item, depth) for item in value)
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item, depth) for item in value)
    if isinstance(value, Hashable):
        return value
    raise HistoryError(f"A value of type {type(value).__name__} cannot be part of a history: {value!r}.")


def _whole(value: int) -> int:
    if value.bit_length() > 3.33 * DIGITS_MAX:
        raise HistoryError(f"A number has more than {DIGITS_MAX:,} digits.")
    return value


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as failure:
            code = ord(value[failure.start])
            raise HistoryError(f"A text has half of a surrogate pair (U+{code:04X}), which is no character.") from None
    return value


def show(value: Value) -> str:
    """`value` as a reader of histories writes it."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Truth):
        return value.value
    if isinstance(value, tuple):
        return f"[{' '.join(show(item) for item in value)}]"
    if isinstance(value, frozenset):
        return f"{{{' '.join(sorted(show(item) for item in value))}}}"
    if isinstance(value, Map):
        return f"{{{', '.join(sorted(f'{show(k)} {show(v)}' for k, v in value.items))}}}"
    if isinstance(value, Tagged):
        return f"#{value.tag} {show(value.value)}"
    return str(value)


def word(value: Value) -> Value:
    """The text of a keyword or a symbol, where a name is expected; any other value as it is."""
    return value.text if isinstance(value, Word) and value.mark != "\\" else value
