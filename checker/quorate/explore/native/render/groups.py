"""Groups of transitions: which may sleep while others are searched, and what must be checked after which (`sleep.h`).

A group is an action together with values for some of its parameters, or for some fields of a message that it takes:
`obey_abort(r3)`, or `handle_vote` of messages to `s2`. Identities come first, because maps are indexed by them.
Under symmetry identities mean nothing from one state to the next, and each action is one group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

from quorate.language.types import IdentityType, RecordType, Type
from quorate.language.types.base import Leaf
from quorate.model.abstract import Abstract, Built, Exactly, Some
from quorate.model.accesses import Footprint, changed, independent
from quorate.model.capacity import additions
from quorate.model.footprints import footprint
from quorate.model.nodes import Expr, Model, Op, Property

GROUPS_MAX = 64
"""As many as a sleep set has bits."""

VALUES_MAX = 16
"""Parameters with more values do not divide an action."""

FIRST_MAX = 64
"""A property's first parameter tells instances apart if it has no more values: they have a bit each. Of a record that has more, such as a
message, its first fields do."""
INSTANCES_MAX = 32
"""Further parameters and fields do so up to so many instances: each has a footprint to find, and is tested for anyway."""


Parameters = Sequence[tuple[str, Type]]


@dataclass(frozen=True)
class Apart:
    """What tells the instances of a property apart: its first parameters, `whole` of them, and of the next, a record, the first `fields`
    fields. The first of all is most significant."""

    whole: int = 0
    fields: int = 0

    @classmethod
    def of(cls, parameters: Parameters) -> Apart:
        """As much as there are bits for."""
        whole, instances = 0, 1
        for _, kind in parameters:
            if instances * kind.cardinality > (INSTANCES_MAX if whole else FIRST_MAX):
                break
            whole, instances = whole + 1, instances * kind.cardinality
        fields = 0
        for part in _fields(parameters[whole][1]) if whole < len(parameters) else ():
            if instances * part.cardinality > (INSTANCES_MAX if whole else FIRST_MAX):
                break
            fields, instances = fields + 1, instances * part.cardinality
        return cls(whole, fields)

    def kinds(self, parameters: Parameters) -> list[Type]:
        """The types of all parts."""
        whole = [kind for _, kind in parameters[: self.whole]]
        return whole + list(_fields(parameters[self.whole][1])[: self.fields]) if self.fields else whole

    def arguments(self, parameters: Parameters) -> Iterator[dict[str, Abstract]]:
        """What is known of the arguments of each instance."""
        for values in product(*(kind.values() for kind in self.kinds(parameters))):
            parts = list(map(Exactly, values))
            known: dict[str, Abstract] = dict(zip((name for name, _ in parameters[: self.whole]), parts, strict=False))
            if self.fields:
                name, kind = parameters[self.whole]
                assert isinstance(kind, RecordType)
                rest = [Some(part) for part in kind.kinds[self.fields :]]
                known[name] = Built(kind, (*parts[self.whole :], *rest))
            yield known

    def without_last(self) -> Apart:
        """One part less."""
        return Apart(self.whole, self.fields - 1) if self.fields else Apart(self.whole - 1)


def _fields(kind: Type) -> tuple[Type, ...]:
    return kind.kinds if isinstance(kind, RecordType) else ()


@dataclass(frozen=True)
class Split:
    """A parameter, or a field of one, whose values divide an action into groups."""

    parameter: str
    field: str | None
    kind: Type

    def expression(self, parameters: Parameters) -> Expr:
        """The value that divides."""
        whole = Expr(Op.LOCAL, dict(parameters)[self.parameter], (), self.parameter)
        return whole if self.field is None else Expr(Op.FIELD, self.kind, (whole,), self.field)


def splits_of(parameters: Parameters) -> Iterator[Split]:
    """What can tell values of these parameters apart."""
    for name, kind in parameters:
        parts = kind.fields if isinstance(kind, RecordType) else ((None, kind),)
        for field, part in parts:
            if isinstance(part, Leaf) and 1 < part.cardinality <= VALUES_MAX:
                yield Split(name, field, part)


def arguments(parameters: Parameters, splits: Sequence[Split]) -> Iterator[dict[str, Abstract]]:
    """What is known of the arguments for each combination of values that are told apart, the first most significant."""
    for values in product(*(split.kind.values() for split in splits)):
        known = dict(zip(((split.parameter, split.field) for split in splits), map(Exactly, values), strict=True))
        yield {name: _argument(name, kind, known) for name, kind in parameters}


class Groups:
    """The groups of a model, numbered from 0, those of an action together."""

    def __init__(self, model: Model, symmetric: bool, without: Collection[str] = ()) -> None:
        """`without` names what is not to be saved (`limits.SAVINGS`)."""
        self.model, self._without = model, without
        self.splits: list[list[Split]] = [[] for _ in model.actions]
        if not symmetric and len(model.actions) <= GROUPS_MAX:
            self._divide()
        sizes = [prod(split.kind.cardinality for split in splits) for splits in self.splits]
        self.first = [sum(sizes[:i]) for i in range(len(sizes))]
        self.count = sum(sizes)
        self._symmetric = symmetric

    def _divide(self) -> None:
        """Divide actions as long as there are numbers, in rounds: each action by one more parameter."""
        sizes = [1] * len(self.splits)
        wishes = [
            sorted(splits_of(action.parameters), key=lambda split: not isinstance(split.kind, IdentityType))
            for action in self.model.actions
        ]
        for identities in (True, False):
            for turn in range(max(map(len, wishes), default=0)):
                for i, wish in enumerate(wishes):
                    if turn >= len(wish) or isinstance(wish[turn].kind, IdentityType) is not identities:
                        continue
                    larger = sizes[i] * wish[turn].kind.cardinality
                    if sum(sizes) - sizes[i] + larger <= GROUPS_MAX:
                        sizes[i] = larger
                        self.splits[i].append(wish[turn])

    @cached_property
    def footprints(self) -> list[Footprint]:
        """What each group touches."""
        return [
            footprint(self.model, action.body, known)
            for action, splits in zip(self.model.actions, self.splits, strict=True)
            for known in arguments(action.parameters, splits)
        ]

    @cached_property
    def independent(self) -> list[int]:
        """For each group, the groups that commute with it, as bits; none where groups cannot sleep."""
        if self._symmetric or self.count > GROUPS_MAX or "sleep" in self._without:
            return [0] * self.count
        return independent(self.footprints)

    @property
    def sleep(self) -> bool:
        """Whether sleep sets can spare anything."""
        return any(row & ~(1 << i) for i, row in enumerate(self.independent))

    @property
    def room(self) -> dict[str, int]:
        """For each variable with a capacity, the room that any two transitions need in order not to be cut."""
        most: Counter[str] = Counter()
        for action in self.model.actions:
            most |= additions(action.body)
        return {name: 2 * count for name, count in sorted(most.items())}

    def to_check(self, prop: Property) -> tuple[list[int], Apart]:
        """For each group, the instances of a property that must be checked after a transition of the group, as bits; beside it what tells
        instances apart, no more than makes a difference. Where nothing does there is one instance."""
        if "partial" in self._without:
            return [1] * self.count, Apart()
        apart = Apart() if self._symmetric or "instances" in self._without else Apart.of(prop.parameters)
        readers = [footprint(self.model, prop.body, known) for known in apart.arguments(prop.parameters)]
        rows = changed(self.footprints, readers)
        while len(kinds := apart.kinds(prop.parameters)) > 1:
            last = kinds[-1].cardinality
            merged = [_merged(row, last) for row in rows]
            if any(row != _spread(together, last) for row, together in zip(rows, merged, strict=True)):
                break
            apart, rows = apart.without_last(), merged
        return rows, apart


def _merged(row: int, size: int) -> int:
    """One bit for each `size` bits: the lowest of them."""
    together = 0
    for position in range(0, row.bit_length(), size):
        together |= (row >> position & 1) << position // size
    return together


def _spread(row: int, size: int) -> int:
    """`size` bits for each bit."""
    apart = 0
    for position in range(row.bit_length()):
        apart |= (row >> position & 1) * ((1 << size) - 1) << position * size
    return apart


def _argument(name: str, kind: Type, known: dict[tuple[str, str | None], Exactly]) -> Abstract:
    if (name, None) in known:
        return known[name, None]
    if isinstance(kind, RecordType):
        return Built(kind, tuple(known.get((name, field), Some(part)) for field, part in kind.fields))
    return Some(kind)
