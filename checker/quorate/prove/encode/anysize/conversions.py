"""Equality, order, constants and conversions of values of unbounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import z3

from quorate.errors import Location
from quorate.language.types import (
    EnumType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    OrderedType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.language.types.base import Bounded
from quorate.model.conversion import alternatives, comparable, same_class
from quorate.model.integers import IntType
from quorate.model.nodes import Model, Property
from quorate.model.ranges import is_number
from quorate.prove.encode.anysize.containers import (
    BagV,
    MapV,
    Part,
    SeqV,
    SetV,
    Value,
    as_formula,
    as_number,
    as_term,
    chosen,
)
from quorate.prove.encode.anysize.quantifiers import Quantifiers
from quorate.prove.encode.anysize.refusal import NoAnySize, require_natural
from quorate.prove.encode.anysize.shapes import printable
from quorate.prove.encode.anysize.terms import Formula, Number, Term
from quorate.prove.encode.values import ABSENT, Union, alternatives_of, class_key, parts_of


class Conversions(Quantifiers):
    """What a value is, and how it is held against a type."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._in_expression = 0
        self._judging = False

    def judge(
        self,
        prop: Property,
        state: dict[str, Value],
        arguments: Sequence[Value],
        old: dict[str, Value] | None = None,
    ) -> tuple[Value, Formula]:
        self._judging = True
        try:
            return super().judge(prop, state, arguments, old)
        finally:
            self._judging = False

    def again(self) -> Callable[[], AbstractContextManager[None]]:
        """What stands around what is evaluated now, and again whenever its value is asked for: be it by a property, it is the action's."""
        judging = self._judging

        @contextmanager
        def inside() -> Iterator[None]:
            asked, self._judging = self._judging, judging
            try:
                with self.muted():
                    yield
            finally:
                self._judging = asked

        return inside

    def equal_plain(self, first: Value, second: Value) -> Formula:
        if _same_object(first, second):
            return self.true
        match first, second:
            case MapV(), MapV():
                return self._everywhere(first.key, lambda key: self.equal(first.at(key), second.at(key)))
            case SetV(), SetV():
                return self._everywhere(first.element, lambda element: first.has(element) == second.has(element))
            case BagV(), BagV():
                return self._everywhere(first.element, lambda element: first.count(element) == second.count(element))
            case SeqV(), SeqV():
                index = self.number_named("i")
                inside = z3.And(index >= 0, index < first.length)
                return self.both(
                    [
                        first.length == second.length,
                        self.forall((index,), inside, self.equal(first.at(index), second.at(index))),
                    ]
                )
            case Term(), Term():
                return self.true if first.eq(second) else first == second
        raise TypeError(f"no equality of values like {first!r} and {second!r}")

    def constant_plain(self, value: Any, kind: Type) -> Value:
        if isinstance(kind, EnumType):
            return self.symbols.member(kind, value)
        if is_number(kind):
            return z3.IntVal(value)
        if isinstance(kind, OrderedType) and value.index == 0:
            return self.symbols.least(kind)
        if isinstance(kind, SetType | NetworkType):
            element = kind.element if isinstance(kind, SetType) else kind.message
            members = [self.constant(part, element) for part in value]
            return SetV(element, lambda found: self.either([self.equal(found, part) for part in members]))
        if isinstance(kind, MapType):
            parts = set(kind.parts(value))
            if len(parts) == 1:
                same = self.constant(parts.pop(), kind.value)
                return MapV(kind.key, lambda _: same)
        if not len(value) and hasattr(kind, "message"):
            return BagV(kind.message, lambda _: z3.IntVal(0))
        if isinstance(value, list):
            element = kind.children()[0]
            items = [self.constant(part, element) for part in value]
            return self._listed(items, element)
        raise NoAnySize(f"The constant {value!r} has no any-size meaning.", "Set it in @init with a parameter.")

    def _listed(self, items: list[Value], element: Type) -> SeqV:
        def at(index: Number) -> Value:
            return chosen([(index == position, item) for position, item in enumerate(items)])

        return SeqV(
            element,
            z3.IntVal(len(items)),
            at
            if items
            else lambda index: self.symbols.symbol(element, f"{printable(element)} in an empty list", [index]),
        )

    def fitted(self, value: Value, have: Type, want: Type, location: Location | None) -> Value:
        if is_number(want):
            if isinstance(want, NatType):
                self._limited(as_number(value), want, location)
            return value
        return self._converted(value, have, want, lambda part, a, b: self.fit(part, a, b, location))

    def _limited(self, value: Number, want: NatType, location: Location | None) -> None:
        """Note that a number below zero is an error, and that one above the greatest of its type cuts the run.

        The range that the model has found is of no use here: it comes from the configured bounds.
        """
        require_natural(want)
        if self.symbols.is_within(want, value):
            return
        if not self.symbols.is_natural(value):
            self.stop("error", value < 0, f"a number below zero, where {want} begins", location)
        if not self._in_expression or self._judging:
            self.stop("cut", value > self.symbols.greatest(want), want.bound, location)

    def widened(self, value: Value, have: Type, want: Type) -> Value:
        if isinstance(want, NatType):
            self._limited(as_number(value), want, None)
            return value
        return self._converted(value, have, want, self.coerce)

    def _converted(self, value: Value, have: Type, want: Type, convert: Callable[[Value, Type, Type], Value]) -> Value:
        """A container whose parts are converted one by one, where that changes what they are. What stops the run at some
        part is noted once, here."""
        self._require_room(have, want)
        if is_number(have) or printable(have) == printable(want):  # They differ in bounds alone.
            return value
        if _of_other_numbers(have, want):
            self._stopped_inside(value, have, want, convert)

        again = self.again()

        def part(found: Value, kind: Type, wanted: Type) -> Value:
            with again():
                return convert(found, kind, wanted)

        match value, have, want:
            case MapV(), MapType(value=kind), MapType(key=key, value=wanted):
                return MapV(key, lambda found: part(value.at(found), kind, wanted))
            case SeqV(), ListType(element=kind), ListType(element=wanted):
                return replace(value, element=wanted, at=lambda index: part(value.at(index), kind, wanted), term=None)
            case SetV(), SetType(), SetType(element=wanted):
                return SetV(wanted, lambda found: self._narrowed_has(value, found, wanted))
        return value

    def _require_room(self, have: Type, want: Type) -> None:
        """Refuse a property that puts a container where it may be too large: that is an error there. In an action it is a cut, without
        which there are more runs."""
        if not self._judging or not isinstance(want, Bounded) or not isinstance(have, Bounded):
            return
        if want.capacity is not None and want.bound and have.bound != want.bound and have.capacity != 0:
            raise NoAnySize(
                f"Whether a property may put this {have} where {want.bound} ends a {want} has no any-size meaning.",
                "Compare the contents instead of making a record of them.",
            )

    def _stopped_inside(
        self, value: Value, have: Type, want: Type, convert: Callable[[Value, Type, Type], Value]
    ) -> None:
        """Note that the run stops where it does so for some part of a container."""
        match value, have, want:
            case MapV(), MapType(key=key, value=kind), MapType(value=wanted):
                source = SetV(key, lambda _: self.true)
                parts = [(found, value.at(found.element)) for found in self.rounds(source, "k", None)]
            case (_, ListType(element=kind), ListType(element=wanted)) | (
                _,
                SetType(element=kind),
                SetType(element=wanted),
            ):
                parts = [(found, found.element) for found in self.rounds(value, "e", None)]
            case _:
                raise _stands_for(have, want)
        for found, part in parts:
            with self.within(found):
                convert(part, kind, wanted)

    def _narrowed_has(self, whole: SetV, found: Value, kind: Type) -> Formula:
        """Membership of an element of a wider type."""
        inside, narrowed = self._as_narrower(found, kind, whole.element)
        return self.false if narrowed is ABSENT else self.both((inside, whole.has(narrowed)))

    def _as_narrower(self, found: Value, kind: Type, want: Type) -> tuple[Formula, Value]:
        """When an element is one of a narrower type, at any depth, and which one; ABSENT where it never is."""
        if found is ABSENT or printable(kind) == printable(want):
            return self.true, found
        if is_number(kind):
            return self.symbols.within(want, as_term(found)), found
        if isinstance(kind, TupleType) and isinstance(want, TupleType):
            parts = zip(parts_of(found), kind.kinds, want.kinds, strict=True)
            made = [self._as_narrower(part, one, other) for part, one, other in parts]
            never = any(part is ABSENT for _, part in made)
            return self.both([fits for fits, _ in made]), ABSENT if never else tuple(part for _, part in made)
        if not isinstance(kind, UnionType):
            if not _alike(kind, want):
                raise _stands_for(want, kind)
            return self.true, found
        there, options = alternatives_of(found), Union[Formula, Part]()
        for one, other in ((one, other) for one in kind.kinds for other in alternatives(want)):
            if same_class(one, other) and class_key(one) in there:
                guard, part = there[class_key(one)]
                fits, inner = self._as_narrower(part, one, other)
                if inner is not ABSENT:
                    options[class_key(other)] = self.both((guard, fits)), inner
        inside = self.either([guard for guard, _ in options.values()])
        if not options or isinstance(want, UnionType):
            return inside, options or ABSENT
        return inside, options[class_key(want)][1]

    def less(self, first: Value, second: Value, kind: Type) -> Formula:
        """`first < second`; of a value that no run has, nothing is true."""
        if first is ABSENT or second is ABSENT:
            return self.false
        if isinstance(kind, TupleType):
            parts, same = list[Formula](), self.true
            for a, b, part in zip(parts_of(first), parts_of(second), kind.kinds, strict=True):
                parts.append(self.both((same, self.less(a, b, part))))
                same = self.both((same, self.equal(a, b)))
            return self.either(parts)
        if isinstance(
            kind, UnionType
        ):  # what an extreme has beside a default of another class, which is compared with nothing
            ones, others = alternatives_of(first), alternatives_of(second)
            shared = [
                (ones[key], others[key], part)
                for part in kind.kinds
                if comparable(part) and (key := class_key(part)) in ones and key in others
            ]
            return self.either([self.both((one, two, self.less(a, b, part))) for (one, a), (two, b), part in shared])
        if isinstance(kind, IdentityType):
            return as_formula(self.symbols.less(kind)(as_term(first), as_term(second)))
        return as_number(first) < as_number(second)


def _alike(have: Type, want: Type) -> bool:
    """Whether two types differ in bounds and in sorts of numbers alone."""
    return [*map(class_key, have.walk())] == [*map(class_key, want.walk())]


def _stands_for(have: Type, want: Type) -> NoAnySize:
    return NoAnySize(f"A {have} stands for a {want}.", "Make the elements of the declared type.")


def _of_other_numbers(have: Type, want: Type) -> bool:
    """Whether numbers of one sort, or computed ones, stand for those of another in a container."""
    pairs = zip(have.walk(), want.walk(), strict=False)
    return any(
        isinstance(one, IntType) or (is_number(one) and is_number(other) and one != other) for one, other in pairs
    )


def _same_object(first: Value, second: Value) -> bool:
    """Whether two values are one and the same object."""
    if not isinstance(first, MapV | SetV | SeqV) or not isinstance(second, MapV | SetV | SeqV):
        return False
    return first.term is not None and second.term is not None and first.term.eq(second.term)
