"""What a log is held to: the specification at the sizes of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quorate.conform.mapping import OPEN, Map
from quorate.conform.sizes import sized
from quorate.conform.values import Values
from quorate.conform.wide.system import Wide
from quorate.errors import UsageError, unknown
from quorate.language.declarations import SpecBase
from quorate.language.sorts import Identity, Int, Ordered
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate.model.determinism import vouch

NUMBERS_MAX = 1_000_000
"""Where numbers end, if they do: actions may look at each of them."""


def bounded_system(
    spec: type[Spec], members: Mapping[str, Any], bounds: Mapping[str, int]
) -> tuple[System, type[Spec]]:
    """The specification at small bounds, with as many members of each sort as are named. Raises UsageError for a sort that there is
    not, or a bound that says otherwise."""
    sizes = dict(bounds)
    for name, listed in members.items():
        if listed == OPEN:
            continue
        size = len(list(listed))
        if sizes.setdefault(name, size) != size:
            raise UsageError(
                f"The adapter names {size} members of {name}, and --bound {name}={sizes[name]} asks for others."
            )
    configured = spec.bounded(**sizes)
    system = System(configured)
    with system:
        vouch(system)
    return system, configured


def bounded_values(system: System, members: Mapping[str, Any]) -> Values:
    """What reads and writes values at these bounds; what is not named has the names of the specification. Call it inside the
    configuration."""
    sorts = {sort.__name__: sort for sort in system.sizes if issubclass(sort, Identity)}
    names = {
        name: tuple(map(repr, sort.members())) if members.get(name, OPEN) == OPEN else tuple(members[name])
        for name, sort in sorts.items()
    }
    return Values(names, sorts)


def identities_of(system: System) -> dict[str, type[Identity]]:
    """The sorts of identities of a specification by their names, without those of one that it refines."""
    return {sort.__name__: sort for sort in system._sizes if issubclass(sort, Identity)}


def wide_system(spec: type[SpecBase], mapping: Map) -> tuple[Wide, Callable[[Wide], Values]]:
    """The specification at the sizes that a map gives, and what makes its `Values` inside its configuration.

    Raises UsageError if the map does not say of each sort of identities what its members are."""
    system = System(spec)
    identities = identities_of(system)
    for name in mapping.members:
        if name not in identities:
            raise UsageError(f"The map's members: {unknown('sort of identities', name, identities)}")
    for name, sort in identities.items():
        if name not in mapping.members:
            or_open = "" if issubclass(sort, Ordered) else ", or OPEN if there are as many as the log names"
            raise UsageError(
                f"The map does not say what the members of {name} are called in the log: "
                f'`members={{"{name}": ("n1", "n2", "n3")}}`{or_open}.'
            )
    closed = {name: len(list(listed)) for name, listed in mapping.members.items() if listed != OPEN}
    for name, size in closed.items():
        if not size:
            raise UsageError(f"The map's members: {name} has no members. Name them, or say OPEN.")
    for name in mapping.numbers:
        found = next((sort for sort in system.sizes if sort.__name__ == name), None)
        if found is None or not issubclass(found, Int):
            raise UsageError(f"The map's numbers: there is no sort of numbers {name!r}.")
    asked = sized(spec)
    for name, one in asked.items():
        if name not in mapping.numbers:
            or_open = ', or OPEN if there is no end: `numbers={"' + name + '": OPEN}`' if one.is_limit else ""
            raise UsageError(
                f"{one.place}: {one.method} of the specification asks for the size of {name}, so that it matters where its numbers end: "
                f'let the map say so, `numbers={{"{name}": 3}}`{or_open}.'
            )
    for name, most in mapping.numbers.items():
        if most == OPEN and name in asked and not asked[name].is_limit:
            raise UsageError(
                f"{asked[name].place}: {asked[name].method} of the specification does something with the size of {name}, and does not only "
                f'compare with it in a method of its own: it has to have one, `numbers={{"{name}": 3}}`.'
            )
        if most != OPEN and (not isinstance(most, int) or isinstance(most, bool) or not 0 <= most <= NUMBERS_MAX):
            raise UsageError(
                f"The map's numbers: {name} ends at a number up to {NUMBERS_MAX:,}, not {most!r}. Of a sort without an end that is only "
                f'compared with, say `numbers={{"{name}": OPEN}}`.'
            )
    ends = {name: most for name, most in mapping.numbers.items() if most != OPEN}
    endless = frozenset(mapping.numbers.keys() - ends.keys())
    wide = Wide(spec, closed | ends, endless)
    with system:
        vouch(system, running=wide)
    return wide, lambda system: Values(
        {name: listed if listed == OPEN else tuple(listed) for name, listed in mapping.members.items()}, identities
    )
