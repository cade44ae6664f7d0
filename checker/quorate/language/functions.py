"""Pure functions of the language that Python does not have."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol, TypeVar, cast

from quorate.errors import SpecError
from quorate.language.containers import frozen
from quorate.language.resolve import Configuration, hints, resolve
from quorate.language.sorts import Identity, SortMeta

T = TypeVar("T")
S = TypeVar("S")
_MISSING: Any = object()


def is_majority(members: AbstractSet[T], sort: type[T], /) -> bool:
    """Whether `members` are more than half of `sort`. Any two majorities have a member in common."""
    if not isinstance(sort, SortMeta) or not issubclass(sort, Identity):
        raise SpecError(f"is_majority(members, Sort) takes a Scalarset or Ordered sort, not {sort!r}.")
    return 2 * len(members) > len(sort)


def is_quorum(members: AbstractSet[T], size: int, sort: type[T], /) -> bool:
    """Whether `members` are at least `size` of `sort`. Two quorums of sizes R and W meet for certain if R + W >
    len(sort).
    """
    if not isinstance(sort, SortMeta) or not issubclass(sort, Identity):
        raise SpecError(f"is_quorum(members, size, Sort) takes a Scalarset or Ordered sort, not {sort!r}.")
    return len(members) >= size


def the(values: Iterable[T], /, default: T = _MISSING) -> T:
    """The one value that the generator yields: `the(m.value for m in promises if m.ballot == highest)`.

    It may be yielded several times. No value gives `default`, or an error in the spec without one; two different
    values are an error. Unlike `next(...)`, it does not depend on the order of iteration.
    """
    found: Any = _MISSING
    for value in values:
        if found is not _MISSING and found != value:
            raise SpecError(f"the(...) needs a single value, and there are at least two: {found!r} and {value!r}.")
        found = value
    if found is not _MISSING:
        return cast(T, found)
    if default is _MISSING:
        raise SpecError("the(...) needs a value, and there is none. Give a default: the(..., default=None).")
    return default


class HistoryEvent(Protocol):
    """One event of a history: an operation of `client` is called (`returned` false) or has returned (true).

    The record's other fields describe the operation; the event of its return has its result too.
    """

    @property
    def client(self) -> Any:
        """Who called: a client has at most one operation open."""

    @property
    def returned(self) -> bool:
        """False for the call, true for the return."""


E = TypeVar("E", bound=HistoryEvent)


def linearizable(history: Sequence[E], model: Callable[[S, E], tuple[bool, S]], initial: S, /) -> bool:
    """Whether the operations of `history` could have taken effect one at a time, each between its call and its return.

    `model(state, event)` is the sequential object: whether the operation, with the result that `event` has, is right
    in `state`, and the state after it, which is held against its declared type. An operation that has not returned is
    given by its call; it took effect at some time after, or not yet.

    Source: Herlihy & Wing 1990; the search is that of Wing & Gong 1993 with Lowe's memory of failed configurations.
    """
    held = _state_of(model)
    held(initial)
    calls, returns = _operations(history)
    closed = sum(1 << number for number, last in enumerate(returns) if last is not None)
    failed: set[tuple[int, Any]] = set()

    def possible(done: int, state: S) -> bool:
        if done & closed == closed:
            return True
        known = done, frozen(state)
        if known in failed:
            return False
        horizon = min(last for number, last in enumerate(returns) if last is not None and not done >> number & 1)
        for number, called in enumerate(calls):
            if done >> number & 1 or called > horizon:
                continue
            last = returns[number]
            right, after = model(state, history[called if last is None else last])
            held(after)
            if right and possible(done | 1 << number, after):
                return True
        failed.add(known)
        return False

    return possible(0, initial)


def _state_of(model: Callable[[S, E], tuple[bool, S]]) -> Callable[[S], Any]:
    """What holds a state of a sequential model against the type that is declared of it. Anything is right where that is no type of the
    language."""
    function = getattr(model, "__func__", model)
    try:
        name = next(iter(inspect.signature(model).parameters))
        return resolve(hints(function)[name], f"{function.__name__}.{name}", Configuration()).check
    except (SpecError, LookupError, StopIteration, ValueError):
        return lambda state: state


def _operations(history: Sequence[HistoryEvent]) -> tuple[list[int], list[int | None]]:
    """For each operation, in order of its call: the positions of its call and of its return."""
    calls: list[int] = []
    returns: list[int | None] = []
    open_by: dict[Any, int] = {}
    for position, event in enumerate(history):
        if event.returned:
            if event.client not in open_by:
                raise SpecError(f"The history has a return of {event.client!r} without a call: {event!r}.")
            returns[open_by.pop(event.client)] = position
        else:
            if event.client in open_by:
                raise SpecError(f"The history has two open operations of {event.client!r}: {event!r}.")
            open_by[event.client] = len(calls)
            calls.append(position)
            returns.append(None)
    return calls, returns
