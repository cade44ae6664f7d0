"""Symmetry reduction: one representative for all states that differ by the names of interchangeable identities.

The representative of a state is the least of its renamings: all permutations of the members of each reduced
scalarset, compared by the codes of the variables in order. Two states have the same representative exactly when one
is a renaming of the other, so orbits are counted exactly. A specification cannot tell the members of a `Scalarset`
apart, therefore transitions and properties commute with renamings, and exploring representatives is sound (Ip & Dill
1996).

Cost: the least tuple is found variable by variable. After each variable only the permutations that give the least
value so far are still candidates; what a variable's value becomes under a set of candidates, and which remain, is
remembered. Most states cost one look-up for each variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from math import factorial, prod
from typing import Any

from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, Method, State, System
from quorate.language.types import Renaming, ScalarsetType

PERMUTATIONS_MAX = 40_320
"""With more permutations than this, sorts are left out of the reduction, the largest first."""


def scalarsets(system: System) -> tuple[type[Scalarset], ...]:
    """The scalarsets that occur in the state, by name."""
    found = {
        part.sort for variable in system.variables for part in variable.type.walk() if isinstance(part, ScalarsetType)
    }
    return tuple(sorted(found, key=lambda sort: sort.__name__))


def renamings(sorts: Sequence[type[Scalarset]]) -> int:
    """How many renamings of their members there are."""
    return prod(factorial(len(sort)) for sort in sorts)


def affordable(system: System, sorts: Sequence[type[Scalarset]]) -> tuple[tuple[type[Scalarset], ...], tuple[str, ...]]:
    """The sorts to reduce over, and a note for each that would need too many permutations."""
    notes: list[str] = []
    kept = sorted((sort for sort in sorts if len(sort) > 1), key=lambda sort: (len(sort), sort.__name__))
    while renamings(kept) > PERMUTATIONS_MAX:
        sort = kept.pop()
        notes.append(f"no symmetry reduction over {sort.__name__}: {len(sort)} members have too many permutations")
    return tuple(sort for sort in scalarsets(system) if sort in kept), tuple(notes)


class Symmetry:
    """Finds representatives of the states of a system, under all permutations of the members of `sorts`.

    Make and use it inside the system's configuration (`with system:`).
    """

    def __init__(self, system: System, sorts: Sequence[type[Scalarset]]) -> None:
        self.sorts = tuple(sorts)
        self._renamings: list[Renaming] = [
            Renaming(dict(zip(self.sorts, names, strict=True)))
            for names in product(*(permutations(sort.members()) for sort in self.sorts))
        ]
        reduced = frozenset(self.sorts)
        self._types = [variable.type if variable.type.scalarsets & reduced else None for variable in system.variables]
        self._numbers: dict[tuple[int, ...], int] = {}
        self._candidates: list[tuple[int, ...]] = []
        self._known: list[list[dict[Any, tuple[Any, int]] | None]] = []
        self._inverses: list[int] = []
        self._renamed: dict[tuple[int, int], dict[Any, Any]] = {}
        self._number(tuple(range(len(self._renamings))))

    @property
    def count(self) -> int:
        """How many renamings there are. Number 0 changes nothing."""
        return len(self._renamings)

    def _number(self, candidates: tuple[int, ...]) -> int:
        """The number of a set of candidate permutations."""
        number = self._numbers.get(candidates)
        if number is None:
            number = self._numbers[candidates] = len(self._candidates)
            self._candidates.append(candidates)
            self._known.append([None if kind is None else {} for kind in self._types])
        return number

    def __call__(self, state: State) -> State:
        """The representative of a state's orbit."""
        return self.representative(state)[0]

    def representative(self, state: State) -> tuple[State, int]:
        """The representative of a state's orbit, and the number of a renaming that turns the state into it."""
        candidates = 0
        known = self._known
        parts = []
        for position, value in enumerate(state):
            table = known[candidates][position]
            if table is not None:
                found = table.get(value)
                if found is None:
                    found = table[value] = self._least(position, value, candidates)
                value, candidates = found
            parts.append(value)
        return tuple(parts), self._candidates[candidates][0]

    def names(self, number: int) -> dict[str, str]:
        """The identities that the renaming `number` gives another name, with that name."""
        return {
            repr(old): repr(new)
            for sort, names in self._renamings[number].items()
            for old, new in zip(sort.members(), names, strict=True)
            if old != new
        }

    def inverse(self, number: int) -> int:
        """The number of the renaming that undoes the renaming `number`."""
        if not self._inverses:
            by_names = {tuple(renaming.values()): index for index, renaming in enumerate(self._renamings)}
            self._inverses = [by_names[tuple(map(_inverted, renaming.values()))] for renaming in self._renamings]
        return self._inverses[number]

    def renamed(self, state: State, number: int) -> State:
        """A state with its identities renamed by the renaming `number`."""
        renaming, parts = self._renamings[number], []
        for position, (kind, value) in enumerate(zip(self._types, state, strict=True)):
            if kind is not None:
                known = self._renamed.setdefault((number, position), {})
                found = known.get(value)
                if found is None:
                    found = known[value] = kind.permute(value, renaming)
                value = found
            parts.append(value)
        return tuple(parts)

    def renamed_arguments(self, method: Method, arguments: Arguments, number: int) -> Arguments:
        """Arguments with their identities renamed by the renaming `number`."""
        renaming = self._renamings[number]
        return tuple(
            parameter.type.permute(value, renaming)
            for parameter, value in zip(method.parameters, arguments, strict=True)
        )

    def _least(self, position: int, value: Any, candidates: int) -> tuple[Any, int]:
        """The least renaming of a variable's value, and the candidates that give it."""
        kind = self._types[position]
        assert kind is not None
        best: Any = None
        best_code: int | None = None
        giving: list[int] = []
        for number in self._candidates[candidates]:
            renamed = kind.permute(value, self._renamings[number])
            code = kind.encode(renamed)
            if best_code is None or code < best_code:
                best, best_code, giving = renamed, code, [number]
            elif code == best_code:
                giving.append(number)
        return best, self._number(tuple(giving))


def _inverted(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """The permutation of a sort's members that undoes another."""
    members = sorted(names, key=lambda member: int(member.index))
    return tuple(members[names.index(member)] for member in members)
