"""How values become bits: widths, offsets, and the translation of single values.

Every type has a fixed width, and its values are bit strings laid out so that their order as numbers is the canonical order of the
type (`encode`): the first field, key or element stands highest, the length of a sequence above its elements, the tag of a union
above its payload. Offsets count from the lowest bit. See `bits.h` for the same in C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from quorate.errors import Location, counted
from quorate.explore.engine import EngineUnavailable
from quorate.language.types import (
    BagType,
    ChannelsType,
    ListType,
    MapType,
    NetworkType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.ranges import is_held, is_number, limits

MASK_MAX = 1024
"""A set over at most this many possible elements is a bit mask."""

WIDTH_MAX = 64 * 64
"""Wider values are refused: they would make the program slow to compile and to run."""


LENGTH_MAX = 2**31 - 1
"""Lengths and positions are C's `unsigned`, and a length plus one must be, too."""


class Unsupported(EngineUnavailable):
    """The native engine cannot represent something in this specification."""

    def __init__(self, what: str, location: Location | None = None) -> None:
        self.what, self.location = what, location
        where = f" ({Path(location.file).name}:{location.line})" if location is not None else ""
        super().__init__(f"The native engine does not cover {what}{where}. `--engine reference` still runs this spec.")

    def at(self, location: Location | None) -> Unsupported:
        """The same, at a place in the source if none is known yet."""
        return self if self.location is not None or location is None else Unsupported(self.what, location)


@dataclass(frozen=True)
class Numbered(NetworkType):
    """A network in the state that is a bit set over at most `numbers` messages, numbered as they occur (`numbers.h`). Only a variable is
    of such a type, and its bits are the lowest of the state."""

    numbers: int

    @property
    def classes(self) -> tuple[Type, ...]:
        """The classes that its messages are told apart by."""
        return self.message.kinds if isinstance(self.message, UnionType) else (self.message,)

    def row(self, wanted: Type | None) -> int:
        """The row of masks in `numbers.h` for the messages of one class, or for all if it is none of them."""
        return 1 + self.classes.index(wanted) if wanted in self.classes else 0

    @property
    def payload(self) -> int:
        """The bits of a message below those of its class."""
        return payload_width(self.message) if isinstance(self.message, UnionType) else width(self.message)


def low(kind: Type) -> int:
    """The number that is stored as zero."""
    return limits(kind)[0] if is_number(kind) else 0


def bits_for(count: int) -> int:
    """Bits to tell `count` things apart."""
    return max(count - 1, 0).bit_length()


def element(kind: Type) -> Type:
    """The type of what a set, list or network holds."""
    if isinstance(kind, SetType | ListType):
        return kind.element
    assert isinstance(kind, NetworkType | BagType | ChannelsType)
    return kind.message


def is_mask(kind: Type) -> bool:
    """Whether a set or network is a bit mask over its possible elements."""
    if isinstance(kind, SetType | NetworkType) and kind.capacity is None:
        if element(kind).cardinality > MASK_MAX:
            raise Unsupported(f"a computed set over {counted(element(kind).cardinality)} values of {element(kind)}")
        return True
    return False


def is_sequence(kind: Type) -> bool:
    """Whether a value is a length and so many elements."""
    if isinstance(kind, Numbered):
        return False
    return isinstance(kind, ListType | BagType) or (isinstance(kind, SetType | NetworkType) and not is_mask(kind))


@cache
def width(kind: Type) -> int:
    """The bits of a value."""
    found = _width(kind)
    if found > WIDTH_MAX:
        raise Unsupported(f"a value of {found:,} bits ({kind}); lower a bound")
    return found


def _width(kind: Type) -> int:
    match kind:
        case RecordType() | TupleType():
            return sum(map(width, kind.kinds))
        case UnionType():
            return tag_width(kind) + payload_width(kind)
        case MapType():
            return kind.key.cardinality * width(kind.value)
        case ChannelsType():
            return len(kind.pairs) * width(kind.queue)
        case Numbered():
            return kind.numbers
    if isinstance(kind, SetType | NetworkType) and is_mask(kind):
        return element(kind).cardinality
    if is_sequence(kind):
        inner = width(element(kind))
        if not isinstance(kind, ListType) and inner > 64:
            raise Unsupported(f"elements of {inner} bits in a {kind}; lower a bound")
        return length_width(kind) + capacity(kind) * inner
    if is_number(kind) and not is_held(kind):
        raise Unsupported(f"numbers up to {limits(kind)[1]:,} ({kind}), which have more than 64 bits")
    return bits_for(kind.cardinality)


def capacity(kind: Type) -> int:
    """The greatest length of a sequence."""
    assert isinstance(kind, ListType | SetType | NetworkType | BagType)
    found = kind.capacity
    assert found is not None
    if found > LENGTH_MAX:
        raise Unsupported(f"up to {found:,} elements of a {kind}; lower a bound")
    return found


def length_width(kind: Type) -> int:
    """The bits of a sequence's length."""
    return bits_for(capacity(kind) + 1)


def length_at(kind: Type) -> int:
    """The offset of a sequence's length."""
    return capacity(kind) * width(element(kind))


def tag_width(kind: UnionType) -> int:
    """The bits of a union's tag."""
    return bits_for(len(kind.kinds))


def payload_width(kind: UnionType) -> int:
    """The bits of a union's payload: those of its widest alternative."""
    return max(map(width, kind.kinds))


def bits_of(kind: Type, wanted: Type | None) -> tuple[int, int]:
    """The least bits of the alternative `wanted` of a union and those after its greatest; zeros if it is none or the last."""
    if not isinstance(kind, UnionType) or wanted not in kind.kinds or width(kind) > 63:
        return 0, 0
    tag = kind.kinds.index(wanted)
    return tag << payload_width(kind), (tag + 1) << payload_width(kind) if tag + 1 < len(kind.kinds) else 0


def words(bits: int) -> int:
    """The words that so many bits need; at least one."""
    return max((bits + 63) // 64, 1)


def offsets(kinds: Iterable[Type]) -> list[int]:
    """The offsets of components laid out in order, the first highest."""
    widths = [width(kind) for kind in kinds]
    return list(accumulate(reversed(widths[1:]), initial=0))[::-1] if widths else []


def _sequence_pack(kind: Type, values: list[int]) -> int:
    inner, packed = width(element(kind)), len(values)
    for position in range(capacity(kind)):
        packed = packed << inner | (values[position] if position < len(values) else 0)
    return packed


def _sequence_unpack(kind: Type, packed: int) -> list[Any]:
    inner, most = width(element(kind)), capacity(kind)
    count = packed >> length_at(kind)
    mask = (1 << inner) - 1
    return [unpack(element(kind), packed >> (most - 1 - i) * inner & mask) for i in range(count)]


def pack(kind: Type, value: Any) -> int:
    """The bits of a frozen value."""
    match kind:
        case RecordType():
            return pack(TupleType(kind.kinds), tuple(getattr(value, name) for name, _ in kind.fields))
        case TupleType():
            return _pack_all(kind.kinds, value)
        case UnionType():
            alternative = kind.alternative(value)[1]
            return kind.kinds.index(alternative) << payload_width(kind) | pack(alternative, value)
        case MapType():
            return _pack_all([kind.value] * len(kind.keys), kind.parts(value))
        case ChannelsType():
            return _pack_all([kind.queue] * len(kind.pairs), [value.queues.get(pair, ()) for pair in kind.pairs])
        case Numbered():
            assert not value.messages  # Which number a message has is the library's to say (`Layout.bits`).
            return 0
        case BagType():
            codes = sorted(pack(kind.message, part) for part, count in value.counts.items() for _ in range(count))
            return _sequence_pack(kind, codes)
        case ListType():
            return _sequence_pack(kind, [pack(kind.element, part) for part in value])
        case SetType() | NetworkType():
            members = value.messages if isinstance(kind, NetworkType) else value
            if is_mask(kind):
                return sum(1 << element(kind).encode(part) for part in members)
            return _sequence_pack(kind, sorted(pack(element(kind), part) for part in members))
    return kind.encode(value)


def _pack_all(kinds: Iterable[Type], values: Iterable[Any]) -> int:
    packed = 0
    for kind, value in zip(kinds, values, strict=True):
        packed = packed << width(kind) | pack(kind, value)
    return packed


def unpack(kind: Type, packed: int) -> Any:
    """The frozen value of these bits: for parameters and state variables."""
    match kind:
        case RecordType() | TupleType():
            values = tuple(
                unpack(part, packed >> at & (1 << width(part)) - 1)
                for part, at in zip(kind.kinds, offsets(kind.kinds), strict=True)
            )
            return kind.sort(*values) if isinstance(kind, RecordType) else values
        case UnionType():
            alternative = kind.kinds[packed >> payload_width(kind)]
            return unpack(alternative, packed & (1 << width(alternative)) - 1)
        case MapType():
            pieces = [kind.value] * len(kind.keys)
            values = unpack(TupleType(tuple(pieces)), packed)
            return kind.check(kind.of(values))
        case ListType():
            return kind.check(_sequence_unpack(kind, packed))
        case SetType() if is_mask(kind):
            return kind.decode(packed)
        case SetType():
            return kind.check(set(_sequence_unpack(kind, packed)))
    return kind.decode(packed)


@dataclass(frozen=True)
class Layout:
    """How a state becomes bits: its variables by their positions, the highest first, and their types."""

    order: tuple[int, ...]
    kinds: TupleType

    def bits(self, state: Sequence[Any], number: Callable[[Numbered, int], int] | None = None) -> int:
        """The bits of a state. `number` is that of a message with these bits, for a state in which numbered messages are."""
        values, found = [state[position] for position in self.order], 0
        for kind, value in zip(self.kinds.kinds, values, strict=True):
            if isinstance(kind, Numbered) and number is not None:
                bits = sum(1 << number(kind, pack(kind.message, message)) for message in value.messages)
            else:
                bits = pack(kind, value)
            found = found << width(kind) | bits
        return found
