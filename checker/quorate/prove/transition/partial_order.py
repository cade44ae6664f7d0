"""One of the runs that differ by the order of steps that do not depend on each other.

If two neighbouring steps commute, the run in which they are exchanged ends in the same state and is as long. So it is
enough to look at runs in which no step is followed by one that commutes with it and comes before it in a fixed order:
first by action, then by the identities among the arguments, in their order. (The last step of a run may be what a @step
property forbids, so nothing is asked of it.) Which instances commute is read off their footprints
(`quorate.model.footprints`), which take containers for ones that have room: where one of the two takes something out of a
container with a capacity to which the other adds, they commute only in states in which there is room for all that
both add.

This fits together with `quorate.prove.transition.symmetry_breaking`. Of all runs that permutations of identities and exchanges make of
one another, take the one whose steps, written as action and identities, come first in the dictionary. An exchange of a
descending pair, and a renaming that lets members occur in their order, would both give an earlier one; so that run
satisfies both demands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from quorate.language.types import IdentityType, RecordType, Type
from quorate.model.abstract import Abstract, Built, Exactly, Some
from quorate.model.accesses import Footprint, Way, independent
from quorate.model.capacity import additions
from quorate.model.footprints import footprint
from quorate.model.nodes import Action, Model
from quorate.prove.encode.fixed.circuit import FALSE, TRUE
from quorate.prove.encode.fixed.parts import as_leaf
from quorate.prove.encode.values import parts_of
from quorate.prove.transition.relation import Fired, Relation

GROUPS_MAX = 120
"""Instances are told apart by their identities as long as that makes no more groups than this."""


@dataclass(frozen=True)
class Group:
    """The instances of an action with the same first identities among their arguments."""

    fired: Fired
    key: tuple[int, ...]
    condition: int


@dataclass(frozen=True)
class Exchange:
    """Two groups of which the first need not be followed by the second: in the states where it is `possible`, they commute,
    and the other order is the one that is looked at."""

    first: Group
    second: Group
    possible: int


@dataclass(frozen=True)
class _Place:
    """An identity among the arguments of an action: a parameter, or a field of one."""

    parameter: int
    field: int | None
    kind: IdentityType


def exchanges(relation: Relation) -> list[Exchange]:
    """The pairs of groups of which only one order is looked at."""
    model = relation.model
    places = _places(model)
    groups, footprints = [], []
    for number, (fired, where) in enumerate(zip(relation.fired, places, strict=True)):
        for values in product(*(place.kind.values() for place in where)):
            key = (number, *(place.kind.encode(value) for place, value in zip(where, values, strict=True)))
            condition = relation.machine.both(
                [_is(fired, place, value) for place, value in zip(where, values, strict=True)]
            )
            groups.append(Group(fired, key, condition))
            footprints.append(footprint(model, fired.action.body, _arguments(fired.action, where, values)))
    commuting, room = independent(footprints), _Room(relation)
    return [
        Exchange(first, second, room.for_both(first, footprints[one], second, footprints[other]))
        for one, first in enumerate(groups)
        for other, second in enumerate(groups)
        if commuting[one] >> other & 1 and _before(second, first)
    ]


class _Room:
    """When containers with a capacity have room for what two actions add to them, in whatever order."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation
        self._added = {fired.action.name: additions(fired.action.body) for fired in relation.fired}
        self._known: dict[tuple[str, int], int] = {}

    def for_both(self, first: Group, mine: Footprint, second: Group, other: Footprint) -> int:
        """That no bound cuts either action after the other one.

        Where nothing is taken out of a container, it is never fuller on the way than at the end, where both orders
        lead. Else it must have room for all that both can add.
        """
        added = self._added[first.fired.action.name] + self._added[second.fired.action.name]
        shrinking = {access.variable for access in mine | other if access.way is Way.WRITE}
        return self._relation.machine.both(
            [self._room(name, count) for name, count in added.items() if name in shrinking]
        )

    def _room(self, name: str, count: int) -> int:
        """That a variable of the state before has room for so many elements."""
        if (name, count) not in self._known:
            self._known[name, count] = self._relation.machine.has_room(
                self._relation.before[name], self._relation.model.system.variable(name).type, count
            )
        return self._known[name, count]


def _before(one: Group, other: Group) -> bool:
    """Whether all instances of a group come before all of another."""
    size = min(len(one.key), len(other.key))
    return one.key[:size] < other.key[:size]


def _places(model: Model) -> list[list[_Place]]:
    """For each action, its first identities, as many as there are groups for."""
    places = [list(_identities(action.parameters)) for action in model.actions]
    while sum(_count(where) for where in places) > GROUPS_MAX and any(places):
        max(places, key=_count).pop()
    return places


def _count(places: list[_Place]) -> int:
    count = 1
    for place in places:
        count *= place.kind.cardinality
    return count


def _identities(parameters: tuple[tuple[str, Type], ...]) -> Iterator[_Place]:
    """The identities among parameters, in the order of `quorate.prove.transition.symmetry_breaking`, up to the first that is not always
    there."""
    for number, (_, kind) in enumerate(parameters):
        if isinstance(kind, IdentityType):
            yield _Place(number, None, kind)
            continue
        fields = kind.fields if isinstance(kind, RecordType) else (("", kind),)
        for position, (_, part) in enumerate(fields):
            if isinstance(part, IdentityType):
                yield _Place(number, position, part)
            elif any(isinstance(inner, IdentityType) for inner in part.walk()):
                return


def _is(fired: Fired, place: _Place, value: Any) -> int:
    """That the identity at a place is this one."""
    argument = fired.arguments[place.parameter]
    leaf = argument if place.field is None else parts_of(argument)[place.field]
    return as_leaf(leaf).get(value, FALSE) if leaf else TRUE


def _arguments(action: Action, places: list[_Place], values: tuple[Any, ...]) -> dict[str, Abstract]:
    """The arguments of a group, as far as they are the same."""
    known = {(place.parameter, place.field): Exactly(value) for place, value in zip(places, values, strict=True)}
    found: dict[str, Abstract] = {}
    for number, (name, kind) in enumerate(action.parameters):
        if isinstance(kind, RecordType):
            parts = [known.get((number, position), Some(part)) for position, (_, part) in enumerate(kind.fields)]
            found[name] = Built(kind, tuple(parts))
        else:
            found[name] = known.get((number, None), Some(kind))
    return found
