"""One of the runs that differ by a renaming: the one in which members of a scalarset first occur in their order.

Any permutation of the members of a symmetric scalarset makes a run of a run. So it is enough to look at the runs in which
the second member of a sort occurs among the arguments of actions only after the first has, the third only after the
second, and so on (the precedence of values: Law & Lee 2004). No violation and no shortest length is lost. Beside the
state, cells tell which members have occurred so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from quorate.language.types import IdentityType, RecordType, TupleType, Type, UnionType
from quorate.prove.encode.fixed.circuit import FALSE, TRUE
from quorate.prove.encode.fixed.execution import Fixed
from quorate.prove.encode.fixed.parts import Leaf, Value, as_leaf
from quorate.prove.encode.values import ABSENT, alternatives_of, class_key, parts_of

Seen = tuple[tuple[int, ...], ...]
"""For each sort and each of its members, whether it has occurred."""


class Precedence:
    """The order of first occurrences of the members of some sorts."""

    def __init__(self, machine: Fixed, sorts: Iterable[type]) -> None:
        self._machine = machine
        self._members = {sort: list(cast(Iterable[Any], sort)) for sort in sorts}

    def nobody(self) -> Seen:
        """At the beginning nobody has occurred."""
        return tuple((FALSE,) * len(members) for members in self._members.values())

    def unknown(self) -> Seen:
        """New cells."""
        variable = self._machine.circuit.variable
        return tuple(tuple(variable() for _ in members) for members in self._members.values())

    def occurring(self, arguments: Sequence[Value], kinds: Sequence[tuple[str, Type]], seen: Seen) -> tuple[int, Seen]:
        """That arguments bring in members in their order, and who has occurred then."""
        machine, parts = self._machine, []
        found = dict(zip(self._members, seen, strict=True))
        for argument, (_, kind) in zip(arguments, kinds, strict=True):
            for guard, leaf, sort in self._identities(argument, kind, TRUE):
                if sort not in found:
                    continue
                known = found[sort]
                here = [machine.both((guard, leaf.get(member, FALSE))) for member in self._members[sort]]
                parts += [machine.either((now ^ 1, earlier)) for now, earlier in zip(here[1:], known, strict=False)]
                found[sort] = tuple(machine.either(pair) for pair in zip(known, here, strict=True))
        return machine.both(parts), tuple(found.values())

    def among(self, first: Seen, second: Seen) -> int:
        """That whoever has occurred by the first has by the second."""
        either = self._machine.either
        return self._machine.both(
            [
                either((one ^ 1, other))
                for ones, others in zip(first, second, strict=True)
                for one, other in zip(ones, others, strict=True)
            ]
        )

    def _identities(self, value: Value, kind: Type, guard: int) -> Iterator[tuple[int, Leaf, type]]:
        """The identities that an argument consists of, in order: each with the condition that it is there, and its sort.

        Those inside sets and lists have no fixed order: they are left out, which only keeps more runs.
        """
        match kind:
            case IdentityType():
                if value is not ABSENT:
                    yield guard, as_leaf(value), kind.sort
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                for part, inner in zip(parts_of(value), kinds, strict=True):
                    yield from self._identities(part, inner, guard)
            case UnionType(kinds=kinds):
                there = alternatives_of(value)
                for inner in kinds:
                    if class_key(inner) in there:
                        present, part = there[class_key(inner)]
                        yield from self._identities(part, inner, self._machine.both((guard, present)))
