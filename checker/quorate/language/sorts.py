"""The sorts of a spec: bounded numbers and identities.

`Nat` is a number from 0 to a bound, `Int` one between two. `Scalarset` is a set of interchangeable identities: nothing in the language
can tell one member from another, which is what makes symmetry reduction sound (Ip & Dill 1996). `Ordered` is a set of
identities with `<`, for protocols that break ties by node id.

A size is configuration, not semantics: `bounded` changes it from outside. One that is written as a function, `max=lambda: 2 *
Server.size`, is computed from the sizes of others, as they are configured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from quorate.errors import SpecError

_T = TypeVar("_T")

IDENTITIES_MAX = 64
"""Members of a `Scalarset` or an `Ordered`."""
NUMBER_MAX = 65_535
"""The largest `max` of a `Nat`, and the largest capacity of a container."""


Size = int | Callable[[], int]
"""A size as a class declares it: a number, or a function that computes it from the sizes of other sorts."""


class SortMeta(type):
    """Makes a sort iterable: `for s in Server`, `len(Server)`."""

    _declared: Size
    _configured: int | None
    """The size in force, where it is not the declared one."""
    _range: tuple[str, int, int]
    """What the size is called in the class, its least and its greatest value."""
    _loaded: dict[tuple[str, int, bool], Reading]
    """By module, where it read the size while it was loaded, and where it named the last member that it named."""

    @property
    def bound(cls) -> int:
        """The configured size: the largest number of an `Int` or `Nat`, the number of members of the others."""
        size = cls._size
        if cls._configured is None:
            _note(cls, size)
        return size

    @bound.setter
    def bound(cls, size: int | None) -> None:
        cls._configured = size

    @property
    def _size(cls) -> int:
        """The configured size, for what is the same whatever it is."""
        if _READING:
            _READING[-1](cls)
        return cls.default if cls._configured is None else cls._configured

    @property
    def default(cls) -> int:
        """The size that the class declares. Raises SpecError if it is computed, and not a size."""
        return _evaluated(cls, cls._declared, *cls._range)

    @property
    def size(cls) -> int:
        """The number of members, for sizes that are computed: `max=lambda: 2 * Server.size`."""
        return len(cls)

    @property
    def read_while_loading(cls) -> tuple[Reading, ...]:
        """Where modules read the size before anything was configured, for what they go on to mean by it."""
        return tuple(cls._loaded.values())

    def rests_on(cls) -> tuple[SortMeta, ...]:
        """The other sorts from whose sizes this one's is computed."""
        read: dict[SortMeta, None] = {}
        with _reading(lambda sort: read.update(dict.fromkeys((sort, *sort.rests_on())))):
            _ = cls.default, lower(cls) if issubclass(cls, Int) else None
        return tuple(sort for sort in read if sort is not cls)

    def __iter__(cls: type[_T]) -> Iterator[_T]:
        return iter(cls.members())  # type: ignore[attr-defined]

    def __len__(cls) -> int:
        return len(cls.members())  # type: ignore[attr-defined]

    def __bool__(cls) -> bool:
        return True

    def __repr__(cls) -> str:
        return cls.__name__

    def __getitem__(cls: type[_T], position: int) -> _T:
        return cls.numbered(position)  # type: ignore[attr-defined, no-any-return]


_READING: list[Callable[[SortMeta], None]] = []
"""Who wants to know which sizes are read: the last one."""
_EVALUATING: list[tuple[type, str]] = []


@contextmanager
def _reading(note: Callable[[SortMeta], None]) -> Iterator[None]:
    _READING.append(note)
    try:
        yield
    finally:
        _READING.pop()


@dataclass(frozen=True)
class Reading:
    """The size of a sort as a module found it, or the least that has the member that it named, and where."""

    size: int
    is_least: bool
    module: str
    file: str
    line: int

    def allows(self, size: int) -> bool:
        """Whether what was read is the same at another size."""
        return self.size <= size if self.is_least else self.size == size


SCRIPT = "__main__"
ASKED_OF = (__name__, "quorate.language.functions")
"""What of Quorate an author may ask for a size, or for what depends on one; the rest asks for its own ends."""


def _note(sort: SortMeta, size: int, is_least: bool = False) -> None:
    """Remember the reading of a size if a module that is being loaded reads it: what `QUORUM = len(Node) // 2 + 1` is, it stays. A script
    is loaded for as long as it runs, and whether it keeps what it reads, each line says for itself."""
    frame = sys._getframe(1)
    while (after := frame.f_back) is not None:
        frame, module = after, str(after.f_globals.get("__name__"))
        if module.startswith("quorate.") and module not in ASKED_OF:
            return
        if frame.f_code.co_name == "<module>":
            if getattr(sys.modules.get(module), "__dict__", None) is frame.f_globals:
                key = module, frame.f_lineno if module == SCRIPT else 0, is_least
                known = sort._loaded.get(key)
                if known is None or known.size < size:
                    where = module, frame.f_code.co_filename, frame.f_lineno
                    sort._loaded[key] = Reading(size, is_least, *where)
            return


@contextmanager
def sizes_read() -> Iterator[set[SortMeta]]:
    """The sorts whose sizes are asked for, or whose members are ranged over, inside."""
    read: set[SortMeta] = set()
    with _reading(read.add):
        yield read


@contextmanager
def _evaluating(cls: type, what: str) -> Iterator[None]:
    if (cls, what) in _EVALUATING:
        raise SpecError(f"{cls.__name__} has a {what} that is computed from itself.")
    _EVALUATING.append((cls, what))
    try:
        yield
    finally:
        _EVALUATING.pop()


def _evaluated(cls: type, size: Size, what: str, least: int, most: int) -> int:
    """The number that a size is, computed if it has to be. Raises SpecError if there is none."""
    if not callable(size):
        return size
    with _evaluating(cls, what):
        try:
            found = size()
        except SpecError:
            raise
        except Exception as error:
            raise SpecError(f"{cls.__name__} has a {what} that raises {type(error).__name__}: {error}.") from error
    return _checked(cls, found, what, least, most)


def _checked(cls: type, size: object, what: str, least: int, most: int) -> int:
    if type(size) is not int or not least <= size <= most:
        raise SpecError(f"{cls.__name__} has {what}={size!r}; it must be a whole number from {least:,} to {most:,}.")
    return size


def _declare(cls: SortMeta, what: str, size: Size | None, least: int, most: int) -> None:
    """Give a sort the size that its class declares."""
    if size is None:
        raise SpecError(
            f"{cls.__name__} has no {what}: write `class {cls.__name__}(..., {what}=3)`. Every sort is "
            f"finite while it is explored; the bound is only a default and is changed from outside."
        )
    cls._declared = size if callable(size) else _checked(cls, size, what, least, most)
    cls._range, cls._configured, cls._loaded = (what, least, most), None, {}


class Int(int, metaclass=SortMeta):
    """An integer from `min` to `max`. Subclass it: `class Balance(Int, min=-5, max=5): ...`.

    Arithmetic is that of unbounded integers. A result is held against the bounds where it is put into a variable, a
    record or a container: a number outside cuts the transition. At run time the values are plain `int`.
    """

    _lower: ClassVar[Size | None]
    """The declared `min`; None where 0 is no bound of the exploration, but where the numbers begin."""

    if TYPE_CHECKING:
        bound: ClassVar[int]
        default: ClassVar[int]

    def __init_subclass__(cls, *, min: Size | None = None, max: Size | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if max is None and Int in cls.__bases__ and min is None and cls.__module__ == __name__:
            return  # Nat itself
        if min is None and not issubclass(cls, Nat):
            raise SpecError(
                f"{cls.__name__} has no min: write `class {cls.__name__}(Int, min=-3, max=3)`, or make it a Nat, which begins at 0."
            )
        cls._lower = min if min is None or callable(min) else _checked(cls, min, "min", -NUMBER_MAX, NUMBER_MAX)
        _declare(cls, "max", max, 0 if min is None else -NUMBER_MAX, NUMBER_MAX)
        if not callable(min) and not callable(max):
            _numbers(cls, cls._size)

    def __new__(cls, value: int = 0) -> Self:
        return int(value)  # type: ignore[return-value]

    @classmethod
    def members(cls) -> range:
        """The numbers min..max. Raises SpecError if there are none."""
        return _numbers(cls, cls.bound)

    @classmethod
    def numbered(cls, position: object) -> Self:
        """What `Term[position]` would mean: numbers are written as they are."""
        raise SpecError(
            f"{cls.__name__}[{position!r}] is nothing: a number is written as it is, and how large it may be where it is declared, "
            "`class Term(Nat, max=3): ...`."
        )

    if TYPE_CHECKING:  # Arithmetic keeps the sort, so that `self.term[s] += 1` type-checks.

        def __add__(self, other: int, /) -> Self: ...
        def __radd__(self, other: int, /) -> Self: ...
        def __sub__(self, other: int, /) -> Self: ...
        def __mul__(self, other: int, /) -> Self: ...
        def __floordiv__(self, other: int, /) -> Self: ...
        def __mod__(self, other: int, /) -> Self: ...


class Nat(Int):
    """A number from 0 to `max`. Subclass it: `class Term(Nat, max=3): ...`.

    An `Int` that begins at 0: a number above `max` cuts the transition, a number below 0 is an error in the spec.
    """


def _numbers(sort: type[Int], most: int) -> range:
    """The numbers of a sort up to its largest. Raises SpecError if there are none."""
    least = lower(sort)
    if least > most:
        raise SpecError(f"{sort.__name__} has no numbers: min={least} is above max={most}.")
    return range(least, most + 1)


def lower(sort: type[Int]) -> int:
    """The least number of a sort. Raises SpecError if it is computed, and not a number."""
    return 0 if sort._lower is None else _evaluated(sort, sort._lower, "min", -NUMBER_MAX, NUMBER_MAX)


class Identity(metaclass=SortMeta):
    """What `Scalarset` and `Ordered` share: named, interned members without content."""

    if TYPE_CHECKING:
        bound: ClassVar[int]
        default: ClassVar[int]
    prefix: ClassVar[str]
    index: int
    _interned: ClassVar[list[Any]]

    def __init_subclass__(cls, *, size: Size | None = None, prefix: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if size is None and Identity in cls.__bases__:
            return  # Scalarset and Ordered themselves
        _declare(cls, "size", size, 1, IDENTITIES_MAX)
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
        numbered = f", or `{cls.__name__}[0]`" if issubclass(cls, Ordered) else ""
        raise SpecError(
            f"A spec cannot name a single {cls.__name__} so: use a parameter of the action or of @init, or "
            f"`for x in {cls.__name__}`{numbered}."
        )

    @classmethod
    def numbered(cls, position: int) -> Self:
        """What `Server[position]` means, which only an `Ordered` sort has."""
        raise SpecError(
            f"The members of {cls.__name__} are interchangeable: none of them has a number. Make it Ordered."
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
    """Identities with `<`: `class Node(Ordered, size=3): ...`. For tie-breaking by id; never reduced by symmetry.

    They are numbered: `n.index` is the number of a member, from 0, `Node[i]` the member with a number, `n.next()` the one after it
    in a ring, in which the first member comes after the last one, and `n.previous()` the one before it.
    """

    @classmethod
    def numbered(cls, position: int) -> Self:
        """The member number `position`, from 0. Raises SpecError if there is none."""
        if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position < cls._size:
            raise SpecError(f"{cls.__name__}[{position}]: its members are numbered from 0 to {cls._size - 1}.")
        if cls._configured is None:
            _note(cls, position + 1, is_least=True)
        return cls.at(position)

    def next(self) -> Self:
        """The following member; after the last one the first."""
        return self.numbered((self.index + 1) % type(self).bound)

    def previous(self) -> Self:
        """The member before this one; before the first one the last."""
        return self.numbered((self.index - 1) % type(self).bound)

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


AnySort = type[Int] | type[Identity]
"""A sort of numbers or of identities."""


class Whole(Int, min=-NUMBER_MAX, max=NUMBER_MAX):
    """What an `int` is in an auxiliary variable, where no bound cuts it."""
