"""A specification without bounds of its own: what a running program is held to.

Bounds are configuration of an exploration, not semantics: a log has as many terms, entries and clients as it has. So a
`Wide` system is the class itself, run by CPython as every `System` is, with types that know no largest number and no
capacity. What has to be finite in it follows what the log brings:

- A number is as large as it is. Where a method ranges over a whole sort (`for i in Index`), it ranges up to the largest
  number met so far: beyond it none is in use.
- The members of an *open* sort (commands, clients) are those that were met. A *closed* sort (the servers, of which there
  must be a majority) has the size that it was given. An ordered one is closed: a log does not say its order.
- What has ranged over members and numbers that were met must not depend on there being no others (`open_to_more`).
- A total map over such keys holds the entries that differ from the zero of their type, a partial one those that are there.
- Capacities of lists, sets and networks, and constraints, are gone.

States stay immutable, and cheap to make: drafts copy a container when it is asked for and no sooner, and a network
shares what it holds with the one that it came from (`Layered`). So what a step costs depends on what it touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Self, TypeVar, cast

from quorate.conform.narrowing import ENDLESS, narrowed
from quorate.conform.wide.collections import SPARE, WideSetType
from quorate.conform.wide.lists import WideListType
from quorate.conform.wide.maps import SparseMapType, WidePartialMapType
from quorate.conform.wide.networks import WideNetworkType
from quorate.conform.wide.sorts import Number, OpenScalarset, WideUnionType, inhabitants
from quorate.errors import QuorateError, UsageError, unknown
from quorate.language.beginning import joined
from quorate.language.declarations import SpecBase
from quorate.language.methods import Method, Parameter, Variable
from quorate.language.sorts import AnySort, Int, Nat, Ordered, sizes_read
from quorate.language.system import Arguments, Failure, State, System
from quorate.language.types import (
    BagType,
    ChannelsType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    PartialMapType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)

R = TypeVar("R")


class Unsettled(QuorateError):
    """What was ranged over are the members that were met, and it would matter if there were others."""

    def __init__(self, what: str, sorts: Sequence[AnySort]) -> None:
        names = " and ".join(sort.__name__ for sort in sorts)
        super().__init__(
            f"{what} ranges over all of {names}, and would do something else if there were more than what was met until then: let the map "
            "list the members, or say where the numbers end"
        )


def next_one(sort: AnySort) -> int:
    """One more: what asks whether all are some way, or how many there are, sees it."""
    del sort
    return 1


def as_many_again(sort: AnySort) -> int:
    """More than were met: for an argument that is not told there is none that would be too many."""
    return sort.bound + 2


def crowd(sort: AnySort) -> int:
    """So many more that whatever counts those that were not met, and wants a few of them, or most, finds enough."""
    return 8 if issubclass(sort, Int) else sort.bound + 8


class Wide(System):
    """A specification without bounds. `closed` gives the sizes of sorts that have one; all other sorts are open. Of those that are
    `endless`, the limits in actions are none. Use it as a context manager, as every system.

    Raises UsageError for a sort that the specification does not have, and for an ordered one that is open."""

    def __init__(self, spec: type[SpecBase], closed: Mapping[str, int], endless: frozenset[str] = frozenset()) -> None:
        super().__init__(narrowed(spec, endless))
        known = {sort.__name__: sort for sort in self._sizes}
        for name in closed:
            if name not in known:
                raise unknown("sort", name, known)
        self.closed = frozenset(known[name] for name in closed)
        for sort in self._sizes:
            if sort in self.closed:
                self._sizes[sort] = closed[sort.__name__]
            elif issubclass(sort, Int):
                self._sizes[sort] = max(1, self._sizes[sort] or 0)
            elif issubclass(sort, Ordered):
                raise UsageError(
                    f"The members of {sort.__name__} are ordered, and a log names them in any order: let the map list them in theirs, "
                    "as many as there may be."
                )
            else:
                self._sizes[sort] = 1
        with self:
            self.configuration.records.update(
                {cls: self._record(kind) for cls, kind in list(self.configuration.records.items())}
            )
            self.variables = tuple(Variable(each.name, self.wide(each.type), each.default) for each in self.variables)
            self._by_kind = {kind: [self._method_of(one) for one in found] for kind, found in self._by_kind.items()}
            self.init = joined(self.name, self.of("init"))

    def _like(self, spec: type[SpecBase]) -> Self:
        """A specification that this one refines: nothing here asks for it, and it keeps its bounds."""
        return cast(Self, System(spec))

    def open_to_more(self, what: str, run: Callable[[], R]) -> R:
        """What `run` gives. If it ranges over sorts that are open, it must give the same where there are more members of them: nobody has
        said that there are no others. Raises Unsettled, which names `what`."""
        with sizes_read() as read:
            found = run()
        ranged = [sort for sort in self.open if sort in read]
        if ranged and any(self.with_more(ranged, run, more) != found for more in (next_one, crowd)):
            raise Unsettled(what, ranged)
        return found

    @property
    def open(self) -> tuple[AnySort, ...]:
        """The sorts of which more is met."""
        return tuple(sort for sort in self._sizes if sort not in self.closed)

    def with_more(self, sorts: Sequence[AnySort], run: Callable[[], R], more: Callable[[AnySort], int]) -> R | Failure:
        """What `run` gives, or how it fails, where sorts have so many members that were not met."""
        met = {sort: sort.bound for sort in self._sizes}
        for sort in sorts:
            sort.bound += more(sort)
        try:
            return run()
        except Failure as failure:
            return failure
        finally:
            for sort, bound in met.items():
                sort.bound = bound

    def initial_state(self, zero: State, method: Method, arguments: Arguments) -> State | None:
        return self.open_to_more("@init", lambda: super(Wide, self).initial_state(zero, method, arguments))

    @property
    def constraints(self) -> tuple[Method, ...]:
        """None: they bound what is explored."""
        return ()

    def choices(self, parameters: tuple[Parameter, ...]) -> Iterator[Arguments]:
        """All arguments made of the members and numbers that were met."""
        yield from product(*(tuple(inhabitants(each.type)) for each in parameters))

    def committed(self, state: State, draft: SpecBase) -> State:
        with SPARE.opened():
            after = super().committed(state, draft)
        vars(draft).clear()  # It holds itself: its copies of long lists would wait for the collector of cycles.
        return after

    def __exit__(self, *details: object) -> None:
        for sort in self._sizes:  # What was met is known the next time, too.
            self._sizes[sort] = sort.bound
        super().__exit__(*details)

    def _method_of(self, method: Method) -> Method:
        return replace(
            method, parameters=tuple(Parameter(each.name, self.wide(each.type)) for each in method.parameters)
        )

    def _record(self, kind: RecordType) -> RecordType:
        return RecordType(kind.sort, tuple((name, self.wide(part)) for name, part in kind.fields))

    def wide(self, kind: Type) -> Type:
        """The same type without bounds."""
        match kind:
            case NatType():
                if kind.sort in self.closed:
                    return NatType(kind.sort, kind.sort.bound, kind.minimum)
                return Number(kind.sort, ENDLESS, 0 if issubclass(kind.sort, Nat) else -ENDLESS)
            case IdentityType():
                if kind.sort in self.closed:
                    return type(kind)(kind.sort, kind.sort.bound)
                return OpenScalarset(kind.sort, ENDLESS)
            case RecordType():
                return self._record(kind)
            case TupleType():
                return TupleType(tuple(map(self.wide, kind.kinds)))
            case UnionType():
                return WideUnionType(tuple(map(self.wide, kind.kinds)))
            case PartialMapType():
                value = self.wide(kind.value)
                assert isinstance(value, UnionType)
                return WidePartialMapType(self.wide(kind.key), value)
            case MapType():
                return SparseMapType(self.wide(kind.key), self.wide(kind.value))
            case ListType():
                return WideListType(self.wide(kind.element), ENDLESS, kind.bound)
            case SetType():
                return WideSetType(self.wide(kind.element), ENDLESS, kind.bound)
            case NetworkType():
                return WideNetworkType(self.wide(kind.message), ENDLESS, kind.bound, kind.lossy, kind.variable)
            case BagType():
                return BagType(self.wide(kind.message), ENDLESS, kind.bound, kind.lossy, kind.variable)
            case ChannelsType():
                return ChannelsType(
                    self.wide(kind.message),
                    ENDLESS,
                    kind.bound,
                    kind.lossy,
                    kind.variable,
                    self.wide(kind.source),
                    self.wide(kind.target),
                )
        return kind
