"""What an author says of pure functions: `@merge` marks one that joins two values, `@law` a sentence about values.

Neither is about a run. `quorate prove` shows them for all values, of any size, or finds values that break them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, TypeVar, overload

from quorate.errors import SpecError
from quorate.language.declarations import (
    Expectation,
    VariableSlot,
    check_in_place,
    holds,
    mark_in_place,
    note,
    original,
)
from quorate.language.known import mark
from quorate.language.spec import Spec

F = TypeVar("F", bound=Callable[..., Any])
P = TypeVar("P", bound=Callable[..., bool])

HOLDS = holds()


@dataclass(frozen=True)
class Claim:
    """What `@merge` or `@law` says of a function."""

    kind: Literal["merge", "law"]
    order: Callable[..., bool] | None = None
    equal: Callable[..., bool] | None = None
    valid: Callable[..., bool] | None = None
    expect: Expectation = HOLDS


@overload
def merge(function: F, /) -> F: ...
@overload
def merge(
    *,
    order: Callable[..., bool] | None = None,
    equal: Callable[..., bool] | None = None,
    valid: Callable[..., bool] | None = None,
    expect: Expectation = ...,
) -> Callable[[F], F]: ...
def merge(
    function: Any = None,
    /,
    *,
    order: Callable[..., bool] | None = None,
    equal: Callable[..., bool] | None = None,
    valid: Callable[..., bool] | None = None,
    expect: Expectation = HOLDS,
) -> Any:
    """A pure function `(a: T, b: T) -> T` that joins two values, so that replicas converge whatever arrives when.

    It is claimed to be commutative, associative, idempotent, and inflationary (the result is above both arguments).
    `order(a, b)` says that a is below b or equal to it; it is then claimed to be a partial order in which the result
    is the least upper bound. Without it, a is below b if merging them gives b. `equal(a, b)` is the equality that is
    meant, if not `==`; it is claimed to be an equivalence that merging respects. `valid(a)` restricts the values;
    merging is claimed to keep it. `expect=violates("commutative")` says which law fails.

    Source: Shapiro, Preguiça, Baquero & Zawirski 2011, "Conflict-free Replicated Data Types", section 2.3.
    """
    claim = Claim("merge", order, equal, valid, expect)
    return _mark(function, claim) if function is not None else lambda given: _mark(given, claim)


@overload
def law(function: P, /) -> P: ...
@overload
def law(*, expect: Expectation) -> Callable[[P], P]: ...
def law(function: Any = None, /, *, expect: Expectation = HOLDS) -> Any:
    """A pure predicate that is true for all values of its parameters.

    `expect=violates("its_name")` says that it is not, and is there to show why.
    """
    claim = Claim("law", expect=expect)
    return _mark(function, claim) if function is not None else lambda given: _mark(given, claim)


def _mark(function: Any, claim: Claim) -> Any:
    if not callable(function) or not hasattr(function, "__name__"):
        raise SpecError(f"@{claim.kind} stands before a function, not before {function!r}.")
    function.__quorate_claim__ = claim
    note(claim, function)
    return function


@dataclass(frozen=True)
class Marked:
    """A function with a claim. `owner` is the specification whose method it is; `name` is what users call it."""

    name: str
    function: Callable[..., Any]
    claim: Claim
    owner: type[Spec] | None = None


def marked_in(module: ModuleType) -> dict[str, Marked]:
    """The marked functions that a module defines, then the methods of its specifications, in order of definition.

    A variant that overrides a marked method need not repeat the decorator.
    """
    found = []
    for name, value in vars(module).items():
        claim = mark_in_place(value, "__quorate_claim__", Claim, module, name)
        if claim is not None and getattr(value, "__module__", None) == module.__name__:
            found.append(Marked(name, value, claim))
    for cls in list(vars(module).values()):
        if issubclass(type(cls), type) and issubclass(cls, Spec) and cls.__module__ == module.__name__:
            found += marked_of(cls)
    return {one.name: one for one in found}


def marked_of(cls: type[Spec]) -> list[Marked]:
    """The marked methods that a specification defines or overrides itself."""
    claims: dict[str, Claim] = {}
    for base in reversed(cls.__mro__[:-1]):
        check_in_place(base, "__quorate_claim__", Claim)
        for name, value in base.__dict__.items():
            claim = None if type(value) is VariableSlot else mark(value, "__quorate_claim__")
            if type(claim) is Claim:
                claims[name] = claim
    own = original(cls)
    return [
        Marked(f"{own.__name__}.{name}", getattr(cls, name), claim, cls)
        for name, claim in claims.items()
        if name in own.__dict__
    ]
