"""One step of a model at fixed bounds as a relation between cells, and solutions of it as Python states.

The state before, the state after and the arguments of every action are unknown cells; an action is the condition that
it leads from the one to the other. The relation is built once; a bounded check writes a copy of it for each step.

Of the runs that differ by a renaming of a scalarset's members, one is enough: the one in which the members first occur
as arguments in their order (the precedence of values, Law & Lee 2004). For that, cells beside the state tell which
members have occurred in the run so far; `Fired.orderly` is what they ask of a step. Any permutation of a run is a run,
so no violation and no shortest length is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from checker.language.system import Arguments, State
from checker.language.types import IdentityType, RecordType, TupleType, Type, UnionType
from checker.model.nodes import Action, Model, Property
from checker.prove.clauses import Clauses, Copied
from checker.prove.encode.fixed.circuit import FALSE, TRUE
from checker.prove.encode.fixed.execution import Fixed
from checker.prove.encode.values import ABSENT, Event, Value, class_key

Cells = dict[str, Value]
Seen = dict[type, list[int]]
"""For each symmetric scalarset and each of its members, whether it has occurred in the run."""


@dataclass(frozen=True)
class Fired:
    """An action from the unknown state before with unknown arguments: `step` is that it leads to the state after.

    `ok` is that it finishes, `errors` when it raises an error first, `cuts` when a bound stops it first; `orderly` is
    that its arguments bring in members of symmetric scalarsets in their order.
    """

    action: Action
    arguments: tuple[Value, ...]
    legal: tuple[int, ...]
    after: Cells
    ok: int
    step: int
    orderly: int
    errors: tuple[tuple[int, Event], ...]
    cuts: tuple[tuple[int, Event], ...]


@dataclass(frozen=True)
class Judged:
    """A property with unknown arguments: when it is false, when it raises an error."""

    prop: Property
    arguments: tuple[Value, ...]
    legal: tuple[int, ...]
    false: int
    raises: int


class Relation:
    """The cells and conditions of a model. Make and use it inside `with model.system`."""

    def __init__(
        self, model: Model, room: Mapping[str, int] | None = None, relevant: Collection[str] | None = None
    ) -> None:
        """`room`: how full containers can be, by the names of their bounds (see `checker.prove.room`); `relevant`: the
        variables that matter, the others are left open (default: all matter)."""
        self.model = model
        self._relevant = [
            variable.name for variable in model.variables if relevant is None or variable.name in relevant
        ]
        self.machine = Fixed(model, room)
        self.legal: list[int] = []
        self.before = self._unknown_state(self.legal)
        self._seen = self._unknown_seen()
        self.width = self.machine.circuit.variables
        self.after = self._unknown_state([])
        self._seen_after = self._unknown_seen()

    def _unknown_state(self, legal: list[int]) -> Cells:
        return {variable.name: self.machine.unknown(variable.type, legal) for variable in self.model.variables}

    def _unknown_seen(self) -> Seen:
        return {sort: [self.machine.circuit.variable() for _ in _members(sort)] for sort in self.model.symmetric}

    def same(self, first: Cells, second: Cells) -> int:
        """That two states are equal, as far as it matters."""
        return self.machine.both([self.machine.equal(first[name], second[name]) for name in self._relevant])

    def constant(self, state: State) -> Cells:
        """A concrete state as cells."""
        return {
            variable.name: self.machine.constant(value, variable.type)
            for variable, value in zip(self.model.variables, state, strict=True)
        }

    def _parameters(self, kinds: Sequence[tuple[str, Type]]) -> tuple[tuple[Value, ...], tuple[int, ...]]:
        legal: list[int] = []
        return tuple(self.machine.unknown(kind, legal) for _, kind in kinds), tuple(legal)

    def fire(self, action: Action) -> Fired:
        """An action from the unknown state."""
        machine = self.machine
        arguments, legal = self._parameters(action.parameters)
        transition = machine.fire(action, self.before, arguments)
        ok = machine.enabled(transition)
        step = machine.both((ok, *legal, self.same(transition.after, self.after)))
        errors, cuts = machine.stopped(transition, "error"), machine.stopped(transition, "cut")
        orderly = self._orderly(arguments, action.parameters, self._seen, self._seen_after)
        return Fired(action, arguments, legal, transition.after, ok, step, orderly, tuple(errors), tuple(cuts))

    def _orderly(self, arguments: Sequence[Value], kinds: Sequence[tuple[str, Type]], before: Seen, after: Seen) -> int:
        """That arguments bring in members in their order, and that those seen after are among these and those before."""
        machine = self.machine
        seen, parts = {sort: list(members) for sort, members in before.items()}, []
        for argument, (_, kind) in zip(arguments, kinds, strict=True):
            for guard, leaf, sort in self._identities(argument, kind, TRUE):
                if sort not in seen:
                    continue
                members, known = _members(sort), seen[sort]
                here = [machine.both((guard, leaf.get(member, FALSE))) for member in members]
                parts += [machine.either((here[number] ^ 1, known[number - 1])) for number in range(1, len(members))]
                seen[sort] = [machine.either(pair) for pair in zip(known, here, strict=True)]
        for sort, members in after.items():
            parts += [machine.either((later ^ 1, now)) for later, now in zip(members, seen[sort], strict=True)]
        return machine.both(parts)

    @cached_property
    def fired(self) -> tuple[Fired, ...]:
        """All actions, in order."""
        return tuple(map(self.fire, self.model.actions))

    @cached_property
    def initial(self) -> tuple[int, tuple[Value, ...]]:
        """That the state before is an initial one, and the unknown arguments of @init; members of symmetric scalarsets
        occur among these in their order."""
        system, machine = self.model.system, self.machine
        zero = self.constant(system.zero(before_init=self.model.init is not None))
        nobody = {sort: [FALSE] * len(members) for sort, members in self._seen.items()}
        if self.model.init is None:
            return machine.both((self.same(zero, self.before), self._orderly((), (), nobody, self._seen))), ()
        kinds = self.model.init.parameters
        arguments, legal = self._parameters(kinds)
        transition = machine.fire(self.model.init, zero, arguments)
        orderly = self._orderly(arguments, kinds, nobody, self._seen)
        starts = (machine.enabled(transition), *legal, self.same(transition.after, self.before), orderly)
        return machine.both(starts), arguments

    def _identities(self, value: Value, kind: Type, guard: int) -> Iterator[tuple[int, Value, type]]:
        """The identities that an argument consists of, in order: each with the condition that it is there, and its sort.

        Those inside sets and lists have no fixed order: they are left out, which only keeps more runs.
        """
        match kind:
            case IdentityType():
                if value is not ABSENT:
                    yield guard, value, kind.sort
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                for part, inner in zip(value, kinds, strict=True):
                    yield from self._identities(part, inner, guard)
            case UnionType(kinds=kinds):
                for inner in kinds:
                    if class_key(inner) in value:
                        present, part = value[class_key(inner)]
                        yield from self._identities(part, inner, self.machine.both((guard, present)))

    def judge(self, prop: Property) -> Judged:
        """A property of the state before (of the step, for @step) for unknown arguments."""
        arguments, legal = self._parameters(prop.parameters)
        state, old = (self.after, self.before) if prop.kind == "step" else (self.before, None)
        value, raises = self.machine.judge(prop, state, arguments, old)
        return Judged(prop, arguments, legal, self.machine.both((value ^ 1, raises ^ 1)), raises)

    def bad(self, judged: Judged) -> int:
        """That a property is false, or raises an error."""
        return self.machine.both((*judged.legal, self.machine.either((judged.false, judged.raises))))

    def raising(self, fired: Fired) -> int:
        """That an action raises an error."""
        return self.machine.both((*fired.legal, self.machine.either([condition for condition, _ in fired.errors])))

    def always(self, prop: Property, state: Cells) -> int:
        """That a property of a state holds for all arguments, each written out."""
        parts = []
        for arguments in self._all_arguments([kind for _, kind in prop.parameters]):
            cells = [
                self.machine.constant(value, kind) for value, (_, kind) in zip(arguments, prop.parameters, strict=True)
            ]
            parts.append(self.machine.holds(prop, state, cells))
        return self.machine.both(parts)

    def _all_arguments(self, kinds: Sequence[Type]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = [()]
        for kind in kinds:
            found = [(*chosen, value) for chosen in found for value in kind.values()]
        return found

    # Solutions

    def clauses(self) -> Clauses:
        """Clauses for copies of this relation."""
        return Clauses(self.machine.circuit, self.width)

    def reader(self, cells: Copied, true: frozenset[int], step: int = 0) -> Callable[[int], bool]:
        """Which conditions of a copy are true in a solution, which is given as the true variables of the clauses."""
        memory: dict[int, bool] = {}
        return lambda condition: self.machine.circuit.evaluated(
            condition, lambda number: cells.get(number, step) in true, memory
        )

    def read(self, cells: Cells, true: Callable[[int], bool]) -> State:
        """Cells as a Python state."""
        return tuple(
            self.machine.cells.read(cells[variable.name], variable.type, true) for variable in self.model.variables
        )

    def arguments(
        self, values: Sequence[Value], kinds: Sequence[tuple[str, Type]], true: Callable[[int], bool]
    ) -> Arguments:
        """Unknown arguments in a solution."""
        return tuple(self.machine.cells.read(value, kind, true) for value, (_, kind) in zip(values, kinds, strict=True))


def _members(sort: type) -> list[Any]:
    """The members of a scalarset, in order."""
    return list(cast(Iterable[Any], sort))
