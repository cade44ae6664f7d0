"""The decorators that say what the methods of a specification are, and what a class declares: variables, methods, expectations."""

from __future__ import annotations

import functools
import inspect
import sys
from abc import ABC
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast, overload

from quorate.errors import SpecError
from quorate.kinds import LIVENESS, MAPPING, known_kinds
from quorate.language.known import behind, home, is_alone, mark, special
from quorate.language.places import definition

Act = TypeVar("Act", bound=Callable[..., None])
Predicate = TypeVar("Predicate", bound=Callable[..., bool])
Abstracting = TypeVar("Abstracting", bound=Callable[[Any, Any], None])
Implication = TypeVar("Implication", bound=Callable[..., tuple[bool, bool]])
Decorator = TypeVar("Decorator", bound=Callable[[Any], Any])
S = TypeVar("S", bound="SpecBase")

Fairness = Literal["weak", "strong"]
FairPer = Literal["instance", "action"] | tuple[str, ...]
Mark = Literal["crash", "restart", "timeout", "partition", "heal", "loss"]


@dataclass(frozen=True)
class Declaration:
    """What a decorator says of a method: `kind` is one of `ROLES` or a key of `KINDS`. Raises LookupError for any other. One `of` another
    method takes the parameters of that, and the bounds of their types are named after it."""

    kind: str
    fair: Fairness | None = None
    mark: Mark | None = None
    lane: str | None = None
    fair_per: FairPer = "instance"
    fair_if: str | None = None
    live: bool = False
    keeps_fairness: bool = False
    of: str | None = None

    def __post_init__(self) -> None:
        known_kinds(self.kind)


_ABSENT: Any = None
"""What stands for the method in `@invariant()`, which is told what to write instead."""


def _declare(function: Any, declaration: Declaration) -> Any:
    if function is _ABSENT:
        raise SpecError(f"@{declaration.kind} takes no arguments: write `@{declaration.kind}`, without parentheses.")
    if not callable(function) or not hasattr(function, "__name__"):
        raise SpecError(f"@{declaration.kind} stands before a method, not before {function!r}.")
    function.__quorate__ = declaration
    note(declaration, function)
    return function


NOTED = "__quorate_noted__"
"""What a class has the marks under that were made in its body, each with what was marked."""


def note(made: object, function: Callable[..., Any]) -> None:
    """Remember a mark in the class in whose body it is made, if it is made in one: there it has to be found again (`check_in_place`)."""
    frame = sys._getframe(1)
    while frame.f_code.co_flags & inspect.CO_OPTIMIZED and frame.f_back is not None:  # A function's.
        frame = frame.f_back
    names, again = frame.f_locals, frame.f_locals
    if names is not again:  # Since Python 3.12 a comprehension hides what it stands in, and these are copies.
        if frame.f_code.co_name == "<module>":
            return
        raise SpecError("A mark is made by a comprehension in the body of a class: write a `for` instead.")
    if {"__module__", "__qualname__"} <= names.keys():
        names.setdefault(NOTED, []).append((made, function))


def check_in_place(place: type, which: str, kind: type) -> None:
    """Raises SpecError if a mark of this kind that was made in the body of a class is on nothing that stands in the class: another
    decorator has made something else of what was marked, another mark, or another definition, has taken its place."""
    standing = [value for value in vars(place).values() if type(value) is not VariableSlot]
    found = {id(mark(value, which)) for value in standing}
    for made, function in vars(place).get(NOTED, ()):
        is_here = mark(function, which) == made and any(
            value is function for value in standing
        )  # Marked alike elsewhere, too.
        if type(made) is kind and id(made) not in found and not is_here:
            name = getattr(function, "__name__", "?")
            raise SpecError(
                f"The mark on {place.__qualname__}.{name} is hidden by another decorator or mark over it, or by another definition of the "
                f"name. Define it once, with `def`, without that.",
                definition(function) if type(function) is FunctionType else None,
            )


def _marks(decorator: Decorator) -> Decorator:
    """The decorator of the role or kind of property that it is named after. It leaves a method as it is, but for the mark."""

    @functools.wraps(decorator)
    def mark(function: Any = _ABSENT, /) -> Any:
        return decorator(_declare(function, Declaration(decorator.__name__)))

    return cast(Decorator, mark)


@overload
def action(function: Act, /) -> Act: ...
@overload
def action(
    *,
    fair: Fairness | None = None,
    fair_per: FairPer = "instance",
    fair_if: str | None = None,
    mark: Mark | None = None,
    lane: str | None = None,
) -> Callable[[Act], Act]: ...
def action(
    function: Any = None,
    /,
    *,
    fair: Fairness | None = None,
    fair_per: FairPer = "instance",
    fair_if: str | None = None,
    mark: Mark | None = None,
    lane: str | None = None,
) -> Any:
    """An atomic transition, possible for every choice of its parameters that passes its `require`s.

    `fair="weak"`: an instance (the action with given arguments) that stays possible is taken at some time.
    `fair="strong"`: so is one that is possible again and again. Liveness properties assume this and nothing more.
    `fair_per="action"` demands it of the action as a whole: some instance stays possible, whichever, and some instance is taken;
    `fair_per=("s",)` of each value of these parameters, whatever the others are. `fair_if="method"` demands it of those instances
    only for which the pure method is true where they start; it takes some of the action's parameters, by their names.
    `mark` says what kind of event it is in pictures; `lane` where it happens, when that is not one of its arguments
    (a coordinator, say).
    """
    if fair not in (None, "weak", "strong"):
        raise SpecError(f'fair={fair!r} is unknown: use "weak", "strong" or nothing.')
    if not (fair_per in ("instance", "action") or (isinstance(fair_per, tuple) and fair_per)):
        raise SpecError(
            f'fair_per={fair_per!r} is unknown: use "instance", "action", or a tuple of names of parameters, such as ("s",).'
        )
    if fair is None and (fair_per != "instance" or fair_if is not None):
        raise SpecError(
            'fair_per and fair_if say of which instances an action is fair: say how, with fair="weak" or "strong".'
        )
    if mark not in (None, "crash", "restart", "timeout", "partition", "heal", "loss"):
        raise SpecError(f'mark={mark!r} is unknown: use "crash", "restart", "timeout", "partition", "heal" or "loss".')
    declaration = Declaration("action", fair, mark, lane, fair_per, fair_if)
    if function is not None:
        return _declare(function, declaration)
    return lambda method: _declare(method, declaration)


@_marks
def init(function: Act, /) -> Act:
    """Sets the initial state, starting from the zeros of all types. With parameters: one initial state for each
    choice that passes. Several of them are one beginning: they run in order, and each assigns variables of its own.
    """
    return function


@_marks
def invariant(function: Predicate, /) -> Predicate:
    """True in every reachable state. Parameters are universally quantified, and are the witnesses when it is false."""
    return function


@_marks
def lemma(function: Predicate, /) -> Predicate:
    """An auxiliary invariant for proofs; checked like any invariant, but not inherited by variants that are expected to
    break.
    """
    return function


@_marks
def step(function: Predicate, /) -> Predicate:
    """True of every transition: `def monotone(self, old: Self) -> bool`, where `self` is the state after it."""
    return function


@overload
def mapping(function: Abstracting, /) -> Abstracting: ...
@overload
def mapping(*, live: bool = False, fair: bool = False) -> Callable[[Abstracting], Abstracting]: ...
def mapping(function: Any = None, /, *, live: bool = False, fair: bool = False) -> Any:
    """What a state is in the more abstract specification that the class `refines`: `def as_consensus(self, abstract: Consensus) -> None`
    assigns each variable of `abstract`. Every initial state must then be an initial one there, and every step a step there, or
    leave all that is assigned as it is (Abadi & Lamport 1991, "The Existence of Refinement Mappings", section 2).

    `@mapping(live=True)` also asks of the fair runs, seen as runs of that specification, what it promises of its own: its properties of
    runs, under their names. `@mapping(fair=True)` asks that the fair runs be fair there: of each fair action `act` of that specification a
    property `act_is_fair` (Lamport 1994, "The Temporal Logic of Actions", section 8).
    """
    declaration = Declaration(MAPPING, live=live, keeps_fairness=fair)
    if function is not None:
        return _declare(function, declaration)
    return lambda method: _declare(method, declaration)


@_marks
def reachable(function: Predicate, /) -> Predicate:
    """True in at least one reachable state, for some choice of its parameters: the guard against specs that do
    nothing.
    """
    return function


@_marks
def eventually(function: Predicate, /) -> Predicate:
    """True at some time in every fair run, for every choice of its parameters."""
    return function


@_marks
def leads_to(function: Implication, /) -> Implication:
    """Returns (p, q): in every fair run, whenever p is true, q is true then or later, for every choice of the
    parameters.
    """
    return function


@_marks
def infinitely_often(function: Predicate, /) -> Predicate:
    """True again and again in every fair run: after each time at which it is false it is true once more (`[]<>p`)."""
    return function


@_marks
def eventually_always(function: Predicate, /) -> Predicate:
    """True from some time on, and for ever, in every fair run (`<>[]p`)."""
    return function


@_marks
def eventually_from(function: Implication, /) -> Implication:
    """Returns (p, q): every fair run that begins in a state with p satisfies q at some time (`p => <>q`). Runs that begin
    otherwise need not.
    """
    return function


@_marks
def always_from(function: Implication, /) -> Implication:
    """Returns (p, q): every run that begins in a state with p satisfies q in all of its states (`p => []q`)."""
    return function


@_marks
def terminal(function: Predicate, /) -> Predicate:
    """States where the protocol may stop. Any other state without a transition is a deadlock, once a spec declares
    this.
    """
    return function


@_marks
def constraint(function: Predicate, /) -> Predicate:
    """A bound on what is explored, as a condition. `def few(self) -> bool`: a transition into a state where it is false, or an initial
    state where it is, is cut, and counted under its name. `def slow(self, old: Self) -> bool`: so is a transition of which it is false.
    """
    return function


@dataclass(frozen=True)
class Expectation:
    """What a spec's author says the checker will find: `violated` names a property, and `also` others; None means that all
    hold."""

    violated: str | None = None
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All properties that are said to be violated."""
        return () if self.violated is None else (self.violated, *self.also)

    def __str__(self) -> str:
        return f"violates {', '.join(self.names)}" if self.names else "holds"


def holds() -> Expectation:
    """Every property holds (at least within the bounds)."""
    return Expectation()


def violates(name: str, *others: str) -> Expectation:
    """The property `name` is violated ("deadlock" for a deadlock), and so are the `others`. Those that are not named may hold
    or not; a search may meet another one first."""
    return Expectation(name, others)


class VariableSlot:
    """Reads a state variable through an instance, building its draft on first use.

    A non-data descriptor: once the value is in the instance's `__dict__`, reads cost no more than any attribute.
    """

    def __init__(self, name: str, default: Any, is_given: bool) -> None:
        self.name, self.default, self.is_given = name, default, is_given

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return self
        value = instance.__dict__["_read"](self.name)
        instance.__dict__[self.name] = value
        return value


class SpecBase:
    """What a `System` reads of a specification's class, beside its variables and methods. `Spec` documents what authors may set."""

    expect: ClassVar[Expectation] = holds()
    bounds: ClassVar[dict[str, int]] = {}
    omits: ClassVar[tuple[str, ...]] = ()
    lanes: ClassVar[tuple[type | str, ...]] = ()
    coloured_by: ClassVar[str | None] = None
    because: ClassVar[dict[str, tuple[str, ...]]] = {}
    refines: ClassVar[type[SpecBase] | None] = None
    proven_by: ClassVar[str | None] = None
    mutant_bounds: ClassVar[dict[str, int]] = {}
    _configured_from: ClassVar[type[SpecBase] | None] = None
    _argued: ClassVar[bool] = False


KEPT_NAMES = ("_read", "_write", "_live")
"""What an instance has in its dictionary beside its variables."""
PROVIDED = ("quorate.language.declarations", "quorate.language.spec")
"""The modules of bases that no author writes, beside those of Python's of which an instance has nothing."""
EMPTY = (object, ABC, Generic)


def authored(cls: type) -> list[type]:
    """A class and its bases, the nearest first, without those that no author writes."""
    return [base for base in cls.__mro__ if not any(base is one for one in EMPTY) and home(base) not in PROVIDED]


def check_own(cls: type) -> None:
    """Raises SpecError where a class, or one that it inherits from, has what Python looks up by itself, and could say otherwise how its
    variables are read and written, or what its heirs are."""
    taken = {name for base in authored(cls) for name in (*special(base), *(vars(base).keys() & KEPT_NAMES))}
    if taken:
        raise SpecError(
            f"{cls.__name__} has a {min(taken)} of its own: how a specification begins and what its variables hold is said by "
            f"annotations, by a method marked @init and by its actions."
        )


def install(cls: type, name: str) -> None:
    """Make an annotated name of a class a variable of its state."""
    default = cls.__dict__.get(name)
    if isinstance(default, list | dict | set | bytearray):
        raise SpecError(
            f"{cls.__name__}.{name} has the mutable default {default!r}. Leave it out: every container starts empty, "
            f"every map with its zero; set other initial values in a method marked @init."
        )
    if name.startswith("_"):
        raise SpecError(f"{cls.__name__}.{name}: names of variables do not begin with an underscore.")
    setattr(cls, name, VariableSlot(name, default, name in cls.__dict__))


def original(cls: type[S]) -> type[S]:
    """The class an author wrote, behind `bounded`. What inherits from such a class is written by an author again."""
    return cast(type[S], vars(cls).get("_configured_from") or cls)


def declared(cls: type[SpecBase]) -> dict[str, VariableSlot]:
    """The state variables, base classes first, in the order of their annotations."""
    found: dict[str, VariableSlot] = {}
    for base in reversed(cls.__mro__):
        for name in [*inspect.get_annotations(base), *base.__dict__]:
            value = base.__dict__.get(name)
            if type(value) is VariableSlot:
                found[name] = value
    return found


Declared = tuple[str, Declaration, Callable[..., Any]]
"""A declared method: its name, what it is, and the function in force."""


def mapping_of(cls: type[SpecBase]) -> Declared | None:
    """The @mapping of a class, also where it is no property because the class omits it; of several the last one that the author does not
    omit."""
    found = [(name, one) for name, one in _declared_in(cls).items() if one.kind == MAPPING]
    kept = [(name, one) for name, one in found if name not in original(cls).omits] or found
    return (*kept[-1], getattr(cls, kept[-1][0])) if kept else None


def _declared_in(cls: type[SpecBase]) -> dict[str, Declaration]:
    """What the decorators in a class and its bases say, by name, base classes first."""
    return dict(_said_in(cls))


def _said_in(cls: type[SpecBase]) -> Iterator[tuple[str, Declaration]]:
    """All that the decorators in a class and its bases say, also where another one stands before it; base classes first."""
    for base in reversed(cls.__mro__[:-1]):  # Nothing is declared in `object`.
        check_in_place(base, "__quorate__", Declaration)
        for name, value in base.__dict__.items():
            declaration = None if type(value) is VariableSlot else mark(value, "__quorate__")
            if type(declaration) is Declaration:
                yield name, declaration


def declares(cls: type[SpecBase], *kinds: str) -> bool:
    """Whether a class or a base of it marks a method as one of these kinds, be it one that is omitted."""
    return any(one.kind in kinds for one in _declared_in(cls).values())


M = TypeVar("M")


def mark_in_place(value: Any, which: str, kind: type[M], module: ModuleType, name: str) -> M | None:
    """The mark of a decorator on what a module has under a name. Raises SpecError if it is on the function that was written there,
    and another decorator has made of that what stands there now, without the mark."""
    if is_alone(value):
        return None
    found = mark(value, which)
    if type(found) is kind:
        return found
    for function in behind(value):
        is_here = home(function) in ("", module.__name__) and function.__code__.co_qualname == name
        if type(mark(function, which)) is kind and is_here:
            raise SpecError(
                f"The mark on {name} is hidden by another decorator over it. Define it with `def`, without that.",
                definition(function),
            )
    return None


FAIR = "{}_is_fair"
"""The name of the claim that runs are fair to an action of the more abstract specification."""
KEPT = {"weak": "infinitely_often", "strong": "eventually_always"}
"""The kinds of these claims: again and again it is not possible, or taken; at last it is never possible, or again and again taken."""


def carried(cls: type[SpecBase]) -> dict[str, Declared]:
    """What is claimed of the runs of a class because of the specification that it refines, if its mapping is to keep that: its properties
    of runs, and its fairness. Raises SpecError where a name means two things."""
    found = mapping_of(cls)
    if found is None or not isinstance(cls.refines, type):
        return {}
    promised: dict[str, Declared] = {}
    if found[1].live:
        promised |= {one[0]: one for one in declarations(cls.refines) if one[1].kind in LIVENESS}
        if not promised:
            raise SpecError(
                f"{cls.__name__}.{found[0]} is live, and {cls.refines.__name__} promises nothing of its runs: write `@mapping`."
            )
    if found[1].keeps_fairness:
        fair = [one for one in declarations(cls.refines) if one[1].kind == "action" and one[1].fair is not None]
        if not fair:
            raise SpecError(
                f"{cls.__name__}.{found[0]} is fair, and no action of {cls.refines.__name__} is: write `@mapping`."
            )
        for name, one, function in fair:
            assert one.fair is not None
            if hasattr(cls.refines, FAIR.format(name)):
                raise SpecError(
                    f"{cls.refines.__name__} has a {FAIR.format(name)}, which is what its fairness is called: give it another name."
                )
            promised[FAIR.format(name)] = FAIR.format(name), Declaration(KEPT[one.fair]), function
    for name in promised:
        if hasattr(cls, name):
            raise SpecError(
                f"{cls.__name__} has a {name} of its own, and {found[0]} asks for the {name} of {cls.refines.__name__}: give one of "
                f"them another name."
            )
    return promised


def declarations(cls: type[SpecBase]) -> Iterator[tuple[str, Declaration, Callable[..., Any]]]:
    """Every declared method as (name, what it is, the function in force), base classes first, in order of definition.

    A variant that overrides a method need not repeat the decorator. A class that is expected to break has no lemmas of its
    bases: they are part of the argument that it breaks. (`with_lemmas` gives them back, for proofs that say where.) What one of them
    calls an @invariant it has, also if a later one calls it a @lemma.
    """
    said, others = list(_said_in(cls)), carried(cls)
    order = dict(said)
    order |= {name: declaration for name, declaration, _ in others.values()}
    for name in cls.omits:
        if name not in order:
            raise SpecError(
                f"{cls.__name__} omits {name!r}, which is no action or property of it: it has {', '.join(order)}."
            )
    claimed = {*cls.expect.names, *(name for name, one in said if one.kind == "invariant")}
    broken = cls.expect.violated is not None and not cls._argued
    for name, declaration in order.items():
        argument = broken and declaration.kind == "lemma" and name not in claimed
        if name not in cls.omits and (not argument or name in original(cls).__dict__):
            yield name, declaration, others[name][2] if name in others else getattr(cls, name)
