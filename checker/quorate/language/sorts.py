"""The sorts of a spec: bounded numbers and identities.

`Nat` is a number from 0 to a bound. `Scalarset` is a set of interchangeable identities: nothing in the language
can tell one member from another, which is what makes symmetry reduction sound (Ip & Dill 1996). `Ordered` is a set of
identities with `<`, for protocols that break ties by node id.

A size is configuration, not semantics: `configured` changes it from outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from quorate.errors import SpecError

_T = TypeVar("_T")

IDENTITIES_MAX = 64
"""Members of a `Scalarset` or an `Ordered`."""
NUMBER_MAX = 65_535
"""The largest `max` of a `Nat`, and the largest capacity of a container."""


class SortMeta(type):
    """Makes a sort iterable: `for s in Server`, `len(Server)`."""

    bound: int
    """The configured size: the largest number of a `Nat`, the number of members of the others."""
    default: int
    """The size that the class declares."""

    def __iter__(cls: type[_T]) -> Iterator[_T]:
        return iter(cls.members())  # type: ignore[attr-defined]

    def __len__(cls) -> int:
        return len(cls.members())  # type: ignore[attr-defined]

    def __bool__(cls) -> bool:
        return True

    def __repr__(cls) -> str:
        return cls.__name__


def _size(cls: type, what: str, value: int | None, least: int, most: int) -> int:
    if value is None:
        raise SpecError(
            f"{cls.__name__} has no {what}: write `class {cls.__name__}(..., {what}=3)`. Every sort is "
            f"finite while it is explored; the bound is only a default and is changed from outside."
        )
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SpecError(f"{cls.__name__} has {what}={value!r}; it must be a whole number from {least} to {most:,}.")
    return value


class Nat(int, metaclass=SortMeta):
    """A number from 0 to `max`. Subclass it: `class Term(Nat, max=3): ...`.

    Arithmetic is that of unbounded integers. A result is held against the bound where it is put into a variable, a
    record or a container: a number above `max` cuts the transition, a number below 0 is an error in the spec.
    At run time the values are plain `int`.
    """

    bound: ClassVar[int]
    default: ClassVar[int]

    def __init_subclass__(cls, *, max: int | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.bound = cls.default = _size(cls, "max", max, 1, NUMBER_MAX)

    def __new__(cls, value: int = 0) -> Self:
        return int(value)  # type: ignore[return-value]

    @classmethod
    def members(cls) -> range:
        """The numbers 0..max."""
        return range(cls.bound + 1)

    if TYPE_CHECKING:  # Arithmetic keeps the sort, so that `self.term[s] += 1` type-checks.

        def __add__(self, other: int, /) -> Self: ...
        def __radd__(self, other: int, /) -> Self: ...
        def __sub__(self, other: int, /) -> Self: ...
        def __mul__(self, other: int, /) -> Self: ...
        def __floordiv__(self, other: int, /) -> Self: ...
        def __mod__(self, other: int, /) -> Self: ...


class Identity(metaclass=SortMeta):
    """What `Scalarset` and `Ordered` share: named, interned members without content."""

    bound: ClassVar[int]
    default: ClassVar[int]
    prefix: ClassVar[str]
    index: int
    _interned: ClassVar[list[Any]]

    def __init_subclass__(cls, *, size: int | None = None, prefix: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if size is None and Identity in cls.__bases__:
            return  # Scalarset and Ordered themselves
        cls.bound = cls.default = _size(cls, "size", size, 1, IDENTITIES_MAX)
        cls.prefix = prefix if prefix is not None else cls.__name__[0].lower()
        cls._interned = []

    @classmethod
    def at(cls, index: int) -> Self:
        """The member number `index`, from 0. For engines and reports; a spec never needs it."""
        while len(cls._interned) <= index:
            member = object.__new__(cls)
            member.index = len(cls._interned)
            cls._interned.append(member)
        found: Self = cls._interned[index]
        return found

    def __new__(cls, *_: Any) -> Self:
        raise SpecError(
            f"A spec cannot name a single {cls.__name__}: use a parameter of the action or of @init, or "
            f"`for x in {cls.__name__}`."
        )

    @classmethod
    def members(cls) -> tuple[Self, ...]:
        """All members under the configured size."""
        cls.at(cls.bound - 1)
        return tuple(cls._interned[: cls.bound])

    def __repr__(self) -> str:
        return f"{self.prefix}{self.index + 1}"

    def __hash__(self) -> int:
        return self.index

    def __eq__(self, other: object) -> bool:
        return self is other

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).at, (self.index,)


class Scalarset(Identity):
    """Interchangeable identities: `class Server(Scalarset, size=3): ...`. Members know `==` and `!=` only.

    They can be keys of maps, members of sets and fields of records, and `for s in Server` ranges over them. `prefix` is
    what their names in traces begin with (`s1, s2, ...`); by default the first letter of the sort.
    """


class Ordered(Identity):
    """Identities with `<`: `class Node(Ordered, size=3): ...`. For tie-breaking by id; never reduced by symmetry."""

    def _compared(self, other: object) -> int:
        if type(other) is not type(self):
            raise SpecError(f"Cannot order {self!r} and {other!r}: they are not of one Ordered sort.")
        return self.index - other.index

    def __lt__(self, other: Self, /) -> bool:
        return self._compared(other) < 0

    def __le__(self, other: Self, /) -> bool:
        return self._compared(other) <= 0

    def __gt__(self, other: Self, /) -> bool:
        return self._compared(other) > 0

    def __ge__(self, other: Self, /) -> bool:
        return self._compared(other) >= 0


AnySort = type[Nat] | type[Identity]
"""A sort of numbers or of identities."""
