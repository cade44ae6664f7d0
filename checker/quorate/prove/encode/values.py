"""Symbolic values whatever they are made of: truths, records, tuples and unions, and the merging of two of them.

A truth is a condition of the heir; None is None; a record or a tuple is a Python tuple; a value of a union is a
`Union` of guarded alternatives. `ABSENT` is a value that no run has: the other side of a merge wins. What a number, a
set, a map or a list is, is said by the two heirs of `quorate.prove.encode.machine.Machine`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from quorate.errors import Location
from quorate.language.types import (
    BoolType,
    EnumType,
    IdentityType,
    NoneType,
    RecordType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.conversion import alternatives, same_class
from quorate.model.nodes import (
    Model,
)
from quorate.model.ranges import is_number

Cond = TypeVar("Cond")
"""What a condition is to an heir."""
Part = TypeVar("Part")
"""What numbers, members of sorts, sets, maps, lists and networks are to it."""


class Absent:
    """The class of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()

Value: TypeAlias = "Absent | Cond | Part | tuple[Value[Cond, Part], ...] | Union[Cond, Part] | None"
"""What an expression may be."""
Key: TypeAlias = "type | str"
"""What tells the alternatives of a union apart."""


class Union(dict[Key, tuple[Cond, "Value[Cond, Part]"]], Generic[Cond, Part]):
    """A value of a union: for each class of alternative, when the value is of it and which one it is. Guards exclude
    each other."""


def parts_of(value: Value[Cond, Part]) -> tuple[Value[Cond, Part], ...]:
    """The parts of what is a record or a tuple by its type."""
    assert isinstance(value, tuple)
    return value


def alternatives_of(value: Value[Cond, Part]) -> Union[Cond, Part]:
    """The guarded alternatives of what is a union by its type."""
    assert isinstance(value, Union)
    return value


def class_key(kind: Type) -> Key:
    """What tells the alternatives of a union apart."""
    if is_number(kind):
        return "number"
    if isinstance(kind, RecordType | EnumType | IdentityType):
        return kind.sort
    return f"tuple{len(kind.kinds)}" if isinstance(kind, TupleType) else type(kind).__name__


@dataclass(frozen=True)
class Event(Generic[Cond]):
    """A point that stops a run under a condition: `kind` is "disabled", "cut" (`what` is the bound) or "error"
    (`what` says why)."""

    kind: str
    condition: Cond
    what: str
    location: Location | None


class Values(ABC, Generic[Cond, Part]):
    """Conditions and values, and the points that stop a run. `true` and `false` are the constant conditions."""

    true: Cond
    false: Cond

    def __init__(self, model: Model) -> None:
        self.model = model
        self.events: list[Event[Cond]] = []
        self._path: list[Cond] = []

    # Conditions

    @abstractmethod
    def both(self, parts: Iterable[Cond]) -> Cond:
        """The conjunction."""

    @abstractmethod
    def either(self, parts: Iterable[Cond]) -> Cond:
        """The disjunction."""

    @abstractmethod
    def negate(self, part: Cond) -> Cond:
        """The negation."""

    @abstractmethod
    def is_true(self, part: Cond) -> bool:
        """Whether this is the constant true."""

    @abstractmethod
    def is_false(self, part: Cond) -> bool:
        """Whether this is the constant false."""

    def implies(self, left: Cond, right: Cond) -> Cond:
        """Implication."""
        return self.either((self.negate(left), right))

    @property
    def path(self) -> Cond:
        """The condition under which the point that is being executed is reached, if no event stops the run."""
        return self._path[-1] if self._path else self.true

    @contextmanager
    def under(self, condition: Cond) -> Iterator[None]:
        """Execute what is inside only where the condition is true."""
        self._path.append(self.both((self.path, condition)))
        try:
            yield
        finally:
            self._path.pop()

    def stop(self, kind: str, condition: Cond, what: str, location: Location | None) -> None:
        """Note that the run stops here under a condition."""
        condition = self.both((self.path, condition))
        if not self.is_false(condition):
            self.events.append(Event(kind, condition, what, location))

    # Values

    @abstractmethod
    def truth(self, value: Value[Cond, Part]) -> Cond:
        """A value that is true or false, as a condition."""

    @abstractmethod
    def select_plain(self, condition: Cond, first: Value[Cond, Part], second: Value[Cond, Part]) -> Value[Cond, Part]:
        """`first` where the condition is true, else `second`, for values that are no tuple and no union."""

    @abstractmethod
    def equal_plain(self, first: Value[Cond, Part], second: Value[Cond, Part]) -> Cond:
        """Equality of values that are no tuple and no union."""

    @abstractmethod
    def constant_plain(self, value: Any, kind: Type) -> Value[Cond, Part]:
        """A frozen Python value as a symbolic one; `kind` is no record, tuple, union, bool or None."""

    @abstractmethod
    def fitted(self, value: Value[Cond, Part], have: Type, want: Type, location: Location | None) -> Value[Cond, Part]:
        """`value` held against `want`, which is a number or a container."""

    @abstractmethod
    def widened(self, value: Value[Cond, Part], have: Type, want: Type) -> Value[Cond, Part]:
        """`value` in a wider number or container type."""

    def select(self, condition: Cond, first: Value[Cond, Part], second: Value[Cond, Part]) -> Value[Cond, Part]:
        """`first` where the condition is true, else `second`."""
        if first is second or second is ABSENT or self.is_true(condition):
            return first
        if first is ABSENT or self.is_false(condition):
            return second
        if isinstance(first, tuple):
            return tuple(self.select(condition, a, b) for a, b in zip(parts_of(first), parts_of(second), strict=True))
        if isinstance(first, Union):
            return self._select_union(condition, alternatives_of(first), alternatives_of(second))
        return None if first is None else self.select_plain(condition, first, second)

    def _select_union(self, condition: Cond, first: Union[Cond, Part], second: Union[Cond, Part]) -> Union[Cond, Part]:
        nothing: tuple[Cond, Value[Cond, Part]] = (self.false, ABSENT)
        merged: Union[Cond, Part] = Union()
        for key in [*first, *(key for key in second if key not in first)]:
            (guard, value), (other_guard, other) = first.get(key, nothing), second.get(key, nothing)
            guard = self.either((self.both((condition, guard)), self.both((self.negate(condition), other_guard))))
            if not self.is_false(guard):
                merged[key] = (guard, self.select(condition, value, other))
        return merged

    def equal(self, first: Value[Cond, Part], second: Value[Cond, Part]) -> Cond:
        """Equality, as Python's `==`."""
        if first is ABSENT or second is ABSENT:
            return self.false
        if isinstance(first, tuple):
            return self.both([self.equal(a, b) for a, b in zip(parts_of(first), parts_of(second), strict=True)])
        if isinstance(first, Union):
            others = alternatives_of(second)
            return self.either(
                [
                    self.both((guard, others[key][0], self.equal(value, others[key][1])))
                    for key, (guard, value) in alternatives_of(first).items()
                    if key in others
                ]
            )
        return self.true if first is None else self.equal_plain(first, second)

    def constant(self, value: Any, kind: Type) -> Value[Cond, Part]:
        """A frozen Python value as a symbolic one."""
        match kind:
            case BoolType():
                return self.true if value else self.false
            case NoneType():
                return None
            case RecordType(fields=fields):
                return tuple(self.constant(getattr(value, name), part) for name, part in fields)
            case TupleType(kinds=kinds):
                return tuple(self.constant(part, kind) for kind, part in zip(kinds, value, strict=True))
            case UnionType():
                _, chosen = kind.alternative(value)
                return Union({class_key(chosen): (self.true, self.constant(value, chosen))})
        return self.constant_plain(value, kind)

    def coerce(self, value: Value[Cond, Part], have: Type, want: Type) -> Value[Cond, Part]:
        """A value of `have` as one of the wider type `want`."""
        if have == want or value is ABSENT:
            return value
        if isinstance(want, UnionType):
            return self._into_union(value, have, want, self.coerce)
        if isinstance(have, TupleType) and isinstance(want, TupleType):
            return tuple(
                self.coerce(part, a, b) for part, a, b in zip(parts_of(value), have.kinds, want.kinds, strict=True)
            )
        return self.widened(value, have, want)

    def _into_union(
        self,
        value: Value[Cond, Part],
        have: Type,
        want: UnionType,
        convert: Callable[[Value[Cond, Part], Type, Type], Value[Cond, Part]],
    ) -> Union[Cond, Part]:
        """A value of one type or of a union, put into the alternatives of `want` of the same classes."""
        result: Union[Cond, Part] = Union()
        for kind in alternatives(have):
            guard, part = self.true, value
            if isinstance(have, UnionType):
                guard, part = alternatives_of(value).get(class_key(kind), (self.false, ABSENT))
            chosen = next((other for other in want.kinds if same_class(kind, other)), None)
            if chosen is not None and not self.is_false(guard):
                with self.under(guard):
                    result[class_key(chosen)] = (guard, convert(part, kind, chosen))
        return result

    def fit(self, value: Value[Cond, Part], have: Type, want: Type, location: Location | None) -> Value[Cond, Part]:
        """A value held against a type: a number above its maximum or a full container cuts, a number below zero is an
        error."""
        if have == want or value is ABSENT:
            return value
        if isinstance(want, UnionType):
            return self._into_union(value, have, want, lambda part, a, b: self.fit(part, a, b, location))
        if isinstance(have, TupleType) and isinstance(want, TupleType):
            return tuple(
                self.fit(part, a, b, location)
                for part, a, b in zip(parts_of(value), have.kinds, want.kinds, strict=True)
            )
        return self.fitted(value, have, want, location)

    def narrow(self, value: Value[Cond, Part], have: Type, want: Type, location: Location | None) -> Value[Cond, Part]:
        """A value of a union as one of its alternatives, or a smaller union; an error where it is another."""
        if not isinstance(have, UnionType):
            return value
        keys, there = [class_key(kind) for kind in alternatives(want)], alternatives_of(value)
        inside = self.either([there[key][0] for key in keys if key in there])
        self.stop("error", self.negate(inside), f"the value is not a {want} here", location)
        if isinstance(want, UnionType):
            return Union({key: there[key] for key in keys if key in there})
        return there[keys[0]][1] if keys[0] in there else ABSENT
