"""From the path of representatives that a search found to a real run with real identities.

A path under symmetry names each state by the representative of its orbit, and the identities in it change from state
to state. The run is rebuilt forward: the first initial state, and then in each state the first instance in canonical
order, whose result has the right representative. There is always one, because transitions commute with renamings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from quorate.explore.choices import Choices
from quorate.explore.engine import Finding, Instance
from quorate.explore.properties import Falsified, Properties
from quorate.explore.symmetry import Symmetry
from quorate.language.control import Cut
from quorate.language.system import Arguments, Failure, Method, State, System

Canonical = Callable[[State], State]


def transitions(
    system: System, actions: Sequence[tuple[Method, Choices]], state: State
) -> Iterator[tuple[Instance, State | Failure]]:
    """The enabled instances in `state`, in order, with their successors; a Failure stands for a successor that
    raised."""
    for action, choices in actions:
        for arguments in choices(state):
            try:
                successor = system.fire(state, action, arguments)
            except Cut:
                continue
            except Failure as failure:
                yield (action, arguments), failure
                continue
            if successor is not None:
                yield (action, arguments), successor.state


class Rebuilder:
    """Rebuilds runs of one system."""

    def __init__(self, system: System, symmetry: Symmetry | None, properties: Properties) -> None:
        self._system, self._properties = system, properties
        self._canonical: Canonical = symmetry if symmetry is not None else lambda state: state
        self._actions = [(action, Choices(system, action)) for action in system.actions]

    def along(self, chain: Sequence[State]) -> tuple[Arguments, list[Instance], State]:
        """The initial arguments, the steps and the last state of the first real run along `chain`."""
        initial_arguments, state = next(
            found for found in self._system.initial() if self._canonical(found[1]) == chain[0]
        )
        steps: list[Instance] = []
        for wanted in chain[1:]:
            instance, state = self._first(state, wanted)
            steps.append(instance)
        return initial_arguments, steps, state

    def _first(self, state: State, wanted: State) -> tuple[Instance, State]:
        for instance, successor in transitions(self._system, self._actions, state):
            if not isinstance(successor, Failure) and self._canonical(successor) == wanted:
                return instance, successor
        raise AssertionError("no transition continues the path")

    def state_violation(self, chain: Sequence[State], kind: str, method: Method | None) -> Finding:
        """The run to a state in which a property is false, raises, or where the protocol is stuck."""
        initial_arguments, steps, state = self.along(chain)
        false = self._properties.falsified(state) if kind in ("invariant", "error") else None
        if false is None and not steps:
            false = self._properties.begins_wrongly(state)
        if false is None and kind == "error" and method is not None:
            false = self._raising(state, method)
        message = str(false.failure) if false is not None and false.failure is not None else None
        return Finding(
            kind,
            false.method if false else method,
            initial_arguments,
            tuple(steps),
            false.arguments if false else (),
            message=message,
            place=false.failure.location if false is not None and false.failure is not None else None,
        )

    def _raising(self, state: State, method: Method) -> Falsified | None:
        for arguments in self._system.choices(method.parameters):
            try:
                self._properties.holds(method, state, arguments)
            except Failure as failure:
                return Falsified(method, arguments, failure)
        return None

    def step_violation(self, chain: Sequence[State], kind: str) -> Finding:
        """The run to a transition that violates a step property, or for an error to the first one that raises."""
        initial_arguments, steps, state = self.along(chain)
        for action, choices in self._actions:
            try:
                instances = choices(state)
            except Failure as failure:
                return Finding(
                    "error", action, initial_arguments, tuple(steps), message=str(failure), place=failure.location
                )
            for arguments in instances:
                try:
                    successor = self._system.fire(state, action, arguments)
                except Cut:
                    continue
                except Failure as failure:
                    if kind == "error":
                        return Finding(
                            "error",
                            action,
                            initial_arguments,
                            (*steps, (action, arguments)),
                            message=str(failure),
                            place=failure.location,
                            in_step=True,
                        )
                    continue
                false = None
                if successor is not None:
                    false = self._properties.falsified_by_step(state, successor.state)
                if false is not None and (kind == "error") == (false.failure is not None):
                    return Finding(
                        kind,
                        false.method,
                        initial_arguments,
                        (*steps, (action, arguments)),
                        false.arguments,
                        message=str(false.failure) if false.failure is not None else None,
                        place=false.failure.location if false.failure is not None else None,
                    )
        raise AssertionError("no transition violates the step property")
