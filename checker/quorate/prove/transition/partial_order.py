"""One of the runs that differ by the order of steps that do not depend on each other.

If two neighbouring steps commute, the run in which they are exchanged ends in the same state and is as long. So it is
enough to look at runs in which no step is followed by one that commutes with it and comes before it in a fixed order:
first by action, then by the identities among the arguments, in their order. (The last step of a run may be what a @step
property forbids, so nothing is asked of it.) Which instances commute is read off their footprints
(`quorate.model.footprints`).

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
from quorate.model.accesses import independent
from quorate.model.footprints import footprint
from quorate.model.nodes import Action, Model
from quorate.prove.encode.fixed.circuit import FALSE, TRUE
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
class _Place:
    """An identity among the arguments of an action: a parameter, or a field of one."""

    parameter: int
    field: int | None
    kind: IdentityType


def descending(relation: Relation) -> list[tuple[Group, Group]]:
    """The pairs of groups of which the first need not be followed by the second: they commute, and the other order is
    the one that is looked at."""
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
    commuting = independent(footprints)
    return [
        (first, second)
        for one, first in enumerate(groups)
        for other, second in enumerate(groups)
        if commuting[one] >> other & 1 and _before(second, first)
    ]


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
    leaf = argument if place.field is None else argument[place.field]
    return int(leaf.get(value, FALSE)) if leaf else TRUE


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
