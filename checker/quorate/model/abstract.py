"""What is known of a value without running anything: abstract values, and what can be said of them.

Every question about them has three answers, `NO`, `MAYBE` and `YES`, and an `Answer` is no truth value: whoever asks says
whether he wants what is possible or what is certain. A type that is not understood gives `MAYBE`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import cache
from typing import Any, NoReturn, cast

from quorate.language.sorts import Identity
from quorate.language.types import (
    BoolType,
    EnumType,
    ListType,
    MapType,
    NoneType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.language.types.leaves import IdentityType, NatType
from quorate.model.integers import IntType


class Answer(IntEnum):
    """What can be said without running. Ask for `possible` or `certain`; an answer has no truth of its own."""

    NO = 0
    MAYBE = 1
    YES = 2

    @property
    def possible(self) -> bool:
        """Whether it may be so in some run."""
        return self is not Answer.NO

    @property
    def certain(self) -> bool:
        """Whether it is so in every run."""
        return self is Answer.YES

    def __bool__(self) -> NoReturn:
        raise TypeError("Ask whether the answer is `possible` or `certain`.")


def all_of(answers: Iterable[Answer]) -> Answer:
    """The answer to "all of these?"."""
    return min(answers, default=Answer.YES)


def any_of(answers: Iterable[Answer]) -> Answer:
    """What can be said of "any of these?" where the questions are not known to depend on each other."""
    return max(answers, default=Answer.NO)


class HashedOnce:
    """A frozen dataclass whose hash is computed once: types are deep, and what overlaps what is asked often.

    Each class says `__hash__ = HashedOnce.__hash__`, or `dataclass` would write its own."""

    def __hash__(self) -> int:
        found = self.__dict__.get("_hash")
        if found is None:
            found = self.__dict__["_hash"] = hash(tuple(self.__dict__.values()))
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}  # It is of this process alone.


@dataclass(frozen=True)
class Some(HashedOnce):
    """Any value of a type."""

    kind: Type
    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True)
class Exactly(HashedOnce):
    """One value. Its class counts: `True` is not 1."""

    value: Any
    sort: type = field(init=False, repr=False)
    __hash__ = HashedOnce.__hash__

    def __post_init__(self) -> None:
        object.__setattr__(self, "sort", type(self.value))


@dataclass(frozen=True)
class Built(HashedOnce):
    """A record or tuple of which the parts are known as far as these say."""

    kind: RecordType | TupleType
    parts: tuple[Abstract, ...]
    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True)
class Holding(HashedOnce):
    """A set or list computed on the way, with elements of which this is known."""

    kind: Type
    element: Abstract
    __hash__ = HashedOnce.__hash__


Abstract = Some | Exactly | Built | Holding


VAGUE = frozenset({IntType, TupleType, SetType, ListType, MapType})
"""The families whose members are not all told apart by their class."""


# Membership of a type


@cache
def belongs(value: Abstract, kind: Type) -> Answer:
    """Whether a value belongs to a type, by its class: what `isinstance` says of it."""
    if isinstance(kind, UnionType):
        return any_of(belongs(value, alternative) for alternative in kind.kinds)
    match value:
        case Exactly(value=exact):
            return _is_of(exact, kind)
        case Built(kind=mine) | Some(kind=mine) | Holding(kind=mine):
            return _within(mine, kind)


def _is_of(value: Any, kind: Type) -> Answer:
    if not isinstance(kind, BoolType | NoneType | EnumType | NatType | IntType | IdentityType | RecordType):
        return Answer.MAYBE
    if not kind.accepts(value):
        return Answer.NO
    return Answer.MAYBE if isinstance(kind, NatType | IntType) else Answer.YES


def _within(mine: Type, kind: Type) -> Answer:
    """Whether the values of one type belong to another, which is no union."""
    if isinstance(mine, UnionType):
        answers = {_within(alternative, kind) for alternative in mine.kinds}
        return answers.pop() if len(answers) == 1 else Answer.MAYBE
    one, other = _family(mine), _family(kind)
    if one is None or other is None:
        return Answer.MAYBE
    if one != other:
        return Answer.NO
    return Answer.MAYBE if one in VAGUE else Answer.YES


def _family(kind: Type) -> Hashable | None:
    """What tells the values of a type apart from those of all other families, by their classes; None if nothing is known to.

    A record is of its class only, and so is a member of an enum or of a sort. All numbers are of one family."""
    match kind:
        case EnumType(sort=sort):
            return None if issubclass(sort, int | str | tuple) else sort
        case RecordType(sort=sort):
            return sort
        case IdentityType():
            return cast(type, kind.sort)
        case NatType() | IntType():
            return IntType
        case BoolType() | NoneType() | TupleType() | SetType() | ListType() | MapType():
            return type(kind)
    return None


# Equality


@cache
def equal(a: Abstract, b: Abstract) -> Answer:
    """Whether two abstract values stand for the same value."""
    match a, b:
        case Exactly(value=x), Exactly(value=y):
            return _same(x, y)
        case Built(), Built() if type(a.kind) is type(b.kind):
            one, other = _family(a.kind), _family(b.kind)
            if (one is not None and one != other) or len(a.parts) != len(b.parts):
                return Answer.NO
            return _doubtful(all_of(map(equal, a.parts, b.parts)))
        case Exactly(value=x), Built(kind=kind, parts=parts):
            own = _parts(kind, x)
            if own is None or len(own) != len(parts):
                return Answer.NO
            return _doubtful(all_of(map(equal, map(Exactly, own), parts)))
        case Built(), Exactly():
            return equal(b, a)
        case Exactly(value=x), (Some(kind=kind) | Holding(kind=kind)):
            return _among(x, kind)
        case ((Some() | Holding()), Exactly()):
            return equal(b, a)
        case _:
            return _share(a.kind, b.kind)  # type: ignore[union-attr]


def _doubtful(answer: Answer) -> Answer:
    return min(answer, Answer.MAYBE)


def _parts(kind: RecordType | TupleType, value: Any) -> tuple[Any, ...] | None:
    """The parts of a value of a record or tuple type; None if it is none."""
    if isinstance(kind, TupleType):
        return tuple(value) if isinstance(value, tuple) else None
    return tuple(getattr(value, name) for name in kind.names) if type(value) is kind.sort else None


def _same(x: Any, y: Any) -> Answer:
    """Containers are equal by what they hold, whatever holds it; other values as Python says."""
    if x == y:
        return Answer.YES
    return Answer.NO if _is_plain(x) and _is_plain(y) else Answer.MAYBE


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, int | Enum | Identity)


def _among(value: Any, kind: Type) -> Answer:
    """Whether a value may be equal to some value of a type. Python's numbers and truth values equal each other."""
    if isinstance(kind, UnionType):
        return any_of(_among(value, alternative) for alternative in kind.kinds)
    if isinstance(value, int) and isinstance(kind, BoolType | NatType | IntType):
        return Answer.MAYBE
    if not _is_plain(value) and not isinstance(kind, RecordType):
        return Answer.MAYBE
    if _family(kind) is None:
        return Answer.MAYBE
    return _doubtful(_is_of(value, kind))


def _share(a: Type, b: Type) -> Answer:
    """Whether some value of one type may be equal to some value of another."""
    if isinstance(a, UnionType):
        return any_of(_share(kind, b) for kind in a.kinds)
    if isinstance(b, UnionType):
        return _share(b, a)
    one, other = _family(a), _family(b)
    numbers = (IntType, BoolType)
    apart = one is not None and other is not None and one != other and not (one in numbers and other in numbers)
    return Answer.NO if apart else Answer.MAYBE
