"""One step of a model at fixed bounds as a relation between cells, and solutions of it as Python states.

The state before, the state after and the arguments of every action are unknown cells; an action is the condition that
it leads from the one to the other. The relation is built once; a bounded check writes a copy of it for each step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, cast

from quorate.kinds import STEPS
from quorate.language.configured import takes_old
from quorate.language.system import UNSET, Arguments, State
from quorate.language.types import Type
from quorate.model.nodes import Action, Model, Property
from quorate.prove.encode.fixed.base import Event
from quorate.prove.encode.fixed.circuit import FALSE, TRUE
from quorate.prove.encode.fixed.cnf import Clauses, Copied
from quorate.prove.encode.fixed.execution import Fixed
from quorate.prove.encode.fixed.parts import Value
from quorate.prove.transition.reductions import ALL, Reductions
from quorate.prove.transition.symmetry_breaking import Precedence, Seen

Cells = dict[str, Value]

SEEN = "members that have occurred"
"""The name under which a state has the cells of `quorate.prove.transition.symmetry_breaking`; no variable has such a name."""


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
        self,
        model: Model,
        room: Mapping[str, int] | None = None,
        relevant: Collection[str] | None = None,
        reductions: Reductions = ALL,
        deadline: float = inf,
    ) -> None:
        """`room`: how full containers can be, by the names of their bounds (see `quorate.prove.bounded.capacities`); `relevant`: the
        variables that matter, the others are left open (default: all matter); `deadline`: that of the machine."""
        self.model, self.reductions = model, reductions
        self._relevant = [
            variable.name for variable in model.variables if relevant is None or variable.name in relevant
        ]
        self.machine = Fixed(model, room)
        self.machine.deadline = deadline
        self.legal: list[int] = []
        self.precedence = Precedence(self.machine, model.symmetric if reductions.symmetry_breaking else ())
        self.before = self._unknown_state(self.legal)
        self.width = self.machine.circuit.variables
        self.after = self._unknown_state([])
        if model.constraints:  # No state that is explored violates one.
            self.legal.append(self._within(self.before)[0])

    def _unknown_state(self, legal: list[int]) -> Cells:
        cells = {variable.name: self.machine.unknown(variable.type, legal) for variable in self.model.variables}
        return cells | {SEEN: self.precedence.unknown()}

    def same(self, first: Cells, second: Cells) -> int:
        """That two states are equal, as far as it matters."""
        return self.machine.both([self.machine.equal(first[name], second[name]) for name in self._relevant])

    def constant(self, state: State) -> Cells:
        """A concrete state as cells; without those of variables that have no value yet."""
        return {
            variable.name: self.machine.constant(value, variable.type)
            for variable, value in zip(self.model.variables, state, strict=True)
            if value is not UNSET
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
        ordered, seen = self.precedence.occurring(arguments, action.parameters, _seen(self.before))
        orderly = machine.both((ordered, self.precedence.among(_seen(self.after), seen)))
        after = transition.after | {SEEN: seen}
        return Fired(action, arguments, legal, after, ok, step, orderly, tuple(errors), tuple(cuts))

    @cached_property
    def fired(self) -> tuple[Fired, ...]:
        """All actions, in order."""
        return tuple(map(self.fire, self.model.actions))

    @cached_property
    def start_fails(self) -> int:
        """That @init raises an error or passes a bound, for its unknown arguments: no specification may."""
        return self._started[1]

    @cached_property
    def start(self) -> tuple[int, Cells, tuple[Value, ...]]:
        """An initial state as formulas over the unknown arguments of @init, which are also returned, and what these
        satisfy; members of symmetric sorts occur among them in their order."""
        return self._started[0]

    @cached_property
    def _started(self) -> tuple[tuple[int, Cells, tuple[Value, ...]], int]:
        init, machine = self.model.init, self.machine
        zero = self.constant(self.model.system.zero(before_init=init is not None))
        if init is None:
            within, raised = self._within(zero)
            return (within, zero | {SEEN: self.precedence.nobody()}, ()), raised
        arguments, legal = self._parameters(init.parameters)
        # What has no value yet is assigned before it is read, which the model has been checked for: any cells will do.
        unset = {each.name: machine.unknown(each.type, []) for each in self.model.variables if each.name not in zero}
        transition = machine.fire(init, zero | unset, arguments)
        ordered, seen = self.precedence.occurring(arguments, init.parameters, self.precedence.nobody())
        stops = [condition for kind in ("error", "cut") for condition, _ in machine.stopped(transition, kind)]
        enabled = machine.both((machine.enabled(transition), *legal))
        within, raised = self._within(transition.after)
        fails = machine.either((machine.both((*legal, machine.either(stops))), machine.both((enabled, raised))))
        return (machine.both((enabled, within, ordered)), transition.after | {SEEN: seen}, arguments), fails

    def _within(self, state: Cells) -> tuple[int, int]:
        """That the constraints of states leave one, and that one of them raises an error there."""
        machine, left, raises = self.machine, TRUE, FALSE
        for constraint in self.model.constraints:
            if not takes_old(constraint.method.declaration, constraint.method.function):
                value, raised = machine.judge(constraint, state, ())
                raises = machine.either((raises, machine.both((left, raised))))
                left = machine.both((left, raised ^ 1, machine.truth(value)))
        return left, raises

    @cached_property
    def initial(self) -> int:
        """That the state before is an initial one."""
        condition, cells, _ = self.start
        seen = self.precedence.among(_seen(self.before), _seen(cells))
        return self.machine.both((condition, self.same(cells, self.before), seen))

    def judge(self, prop: Property) -> Judged:
        """A property of the state before (of the step, for @step) for unknown arguments."""
        arguments, legal = self._parameters(prop.parameters)
        state, old = (self.after, self.before) if prop.kind in STEPS else (self.before, None)
        value, raises = self.machine.judge(prop, state, arguments, old)
        return Judged(prop, arguments, legal, self.machine.both((self.machine.truth(value) ^ 1, raises ^ 1)), raises)

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

    def reader(self, cells: Copied, true: Container[int], step: int = 0) -> Callable[[int], bool]:
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


def _seen(cells: Cells) -> Seen:
    """Which members have occurred by a state."""
    return cast(Seen, cells[SEEN])
