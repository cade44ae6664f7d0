"""What runs, counted by the interpreter of the typed model: the oracle of the counters in C.

What both count, of every state that a search expands: each action with each choice of arguments that is tried, from its first statement to
where it ends; where that is a transition, each step property; and each invariant, lemma and @reachable. Of properties every choice of
arguments is evaluated, also beyond one that is false.
"""

from __future__ import annotations

from typing import Any

from quorate.explore.choices import Choices
from quorate.kinds import MAPPING, STEPS
from quorate.language.control import Cut
from quorate.language.system import Failure, State, System
from quorate.model import build
from quorate.model import nodes as ir
from quorate.model.interpret import Interpreter, ModelError, Run
from quorate.model.points import COUNTED, Points


class _Counted(Run):
    """An execution that counts."""

    def __init__(
        self, counts: Counts, state: dict[str, Any], old: dict[str, Any] | None, local: dict[str, Any]
    ) -> None:
        super().__init__(counts.model, state, old, local)
        self.counts = counts

    def inside(self, local: dict[str, Any]) -> Run:
        return _Counted(self.counts, self.state, self.old, local)

    def statement(self, statement: ir.Stmt) -> None:
        point = self.counts.points.statement(statement)
        if point is not None:
            self.counts.counters[2 * point] += 1
        super().statement(statement)

    def value(self, node: ir.Expr) -> Any:
        value = super().value(node)
        point = self.counts.points.condition(node)
        if point is not None:
            self.counts.counters[2 * point + bool(value)] += 1
        return value


class Counts(Interpreter):
    """Counters of the points of a system. Make and use it inside its configuration. Raises SpecError if there is no typed model."""

    def __init__(self, system: System) -> None:
        super().__init__(build(system))
        self.points = Points(self.model)
        self.counters = [0] * (2 * len(self.points))
        self._actions = [(action, Choices(system, action.method)) for action in self.model.actions]
        properties = [(prop, Choices(system, prop.method).fixed or ()) for prop in self.model.of(*COUNTED)]
        self._of_steps = [
            (prop, choices) for prop, choices in properties if prop.kind in STEPS and prop.kind != MAPPING
        ]
        self._of_states = [(prop, choices) for prop, choices in properties if prop.kind not in STEPS]

    def run(self, state: dict[str, Any], old: dict[str, Any] | None, local: dict[str, Any]) -> Run:
        return _Counted(self, state, old, local)

    def expand(self, state: State) -> None:
        """Count what runs when a state is expanded."""
        for action, choices in self._actions:
            try:
                instances = choices(state)
            except Failure:
                continue
            for arguments in instances:
                try:
                    successor = self.fire(state, action, arguments)
                except (Cut, ModelError):
                    continue
                if successor is not None:
                    self._evaluate(self._of_steps, successor, state)
        self._evaluate(self._of_states, state, None)

    def _evaluate(self, properties: Any, state: State, old: State | None) -> None:
        for prop, choices in properties:
            for arguments in choices:
                try:
                    self.evaluate(prop, state, arguments, old)
                except ModelError:
                    continue
