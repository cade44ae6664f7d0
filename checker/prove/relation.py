"""One step of a model at fixed bounds as a relation between cells, and solutions of it as Python states.

The state before, the state after and the arguments of every action are unknown cells; an action is the condition that
it leads from the one to the other. The relation is built once; a bounded check writes a copy of it for each step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import z3

from checker.language.system import Arguments, State
from checker.language.types import Type
from checker.model.nodes import Action, Model, Property
from checker.prove.encode.fixed.circuit import TRUE
from checker.prove.encode.fixed.execution import Fixed
from checker.prove.encode.values import Event, Value

Cells = dict[str, Value]


@dataclass(frozen=True)
class Fired:
    """An action from the unknown state before with unknown arguments: `step` is that it leads to the state after.

    `ok` is that it finishes, `errors` when it raises an error first, `cuts` when a bound stops it first.
    """

    action: Action
    arguments: tuple[Value, ...]
    legal: tuple[int, ...]
    after: Cells
    ok: int
    step: int
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

    def __init__(self, model: Model) -> None:
        self.model = model
        self.machine = Fixed(model)
        self.legal: list[int] = []
        self.before = self._unknown_state(self.legal)
        self.width = self.machine.circuit.variables
        self._after_legal: list[int] = []
        self.after = self._unknown_state(self._after_legal)
        self._memories: dict[int, dict[int, Any]] = {}

    def _unknown_state(self, legal: list[int]) -> Cells:
        return {variable.name: self.machine.unknown(variable.type, legal) for variable in self.model.variables}

    def same(self, first: Cells, second: Cells) -> int:
        """That two states are equal."""
        return self.machine.both(
            [self.machine.equal(first[variable.name], second[variable.name]) for variable in self.model.variables]
        )

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
        return Fired(action, arguments, legal, transition.after, ok, step, tuple(errors), tuple(cuts))

    @cached_property
    def fired(self) -> tuple[Fired, ...]:
        """All actions, in order."""
        return tuple(map(self.fire, self.model.actions))

    @cached_property
    def initial(self) -> tuple[int, tuple[Value, ...]]:
        """That the state before is an initial one, and the unknown arguments of @init."""
        system, machine = self.model.system, self.machine
        zero = self.constant(system.zero(before_init=self.model.init is not None))
        if self.model.init is None:
            return self.same(zero, self.before), ()
        arguments, legal = self._parameters(self.model.init.parameters)
        transition = machine.fire(self.model.init, zero, arguments)
        return machine.both((machine.enabled(transition), *legal, self.same(transition.after, self.before))), arguments

    def judge(self, prop: Property, holding: bool = False) -> Judged:
        """A property of the state before (of the step, for @step) for unknown arguments."""
        arguments, legal = self._parameters(prop.parameters)
        state, old = (self.after, self.before) if prop.kind == "step" else (self.before, None)
        value, raises = self.machine.judge(prop, state, arguments, old)
        return Judged(prop, arguments, legal, self.machine.both((value ^ 1, raises ^ 1)), raises)

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

    # Formulas

    def formula(self, condition: int, step: int = 0) -> Any:
        """A condition as a Z3 formula; `step` numbers the copy of the state before (the state after is that of the
        next)."""
        memory = self._memories.setdefault(step, {})

        def name(variable: int) -> Any:
            if variable < self.width:
                return z3.Bool(f"s{variable}@{step}")
            if variable < 2 * self.width:
                return z3.Bool(f"s{variable - self.width}@{step + 1}")
            return z3.Bool(f"x{variable}@{step}")

        return self.machine.circuit.translated([condition], name, memory)[0]

    def legality(self, step: int) -> list[Any]:
        """What the cells of a state satisfy because of their types."""
        return [self.formula(condition, step) for condition in self.legal]

    # Solutions

    def reader(self, solution: Any, step: int = 0) -> Callable[[int], bool]:
        """Which conditions are true in a solution."""

        def true(condition: int) -> bool:
            return condition == TRUE or bool(
                z3.is_true(solution.eval(self.formula(condition, step), model_completion=True))
            )

        return true

    def state(self, solution: Any, step: int = 0) -> State:
        """The state at a step of a solution."""
        return self.read(self.before, self.reader(solution, step))

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

    def solver(self, seconds: float) -> Any:
        """A solver for conditions of a relation."""
        solver = z3.SolverFor("QF_FD")
        solver.set("timeout", max(1, int(seconds * 1000)))
        return solver
