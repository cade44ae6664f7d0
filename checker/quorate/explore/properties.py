"""The safety properties of a system, evaluated on states and transitions.

A property with parameters is asserted for all of them; the first choice in canonical order that makes it false is the
witness.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from quorate.explore.choices import Choices
from quorate.kinds import ENDS, GOALS, INVARIANTS, MAPPING, STEPS
from quorate.language.declarations import SpecBase
from quorate.language.system import Arguments, Failure, Method, State, System, is_of_spec


@dataclass(frozen=True)
class Falsified:
    """A property that is false, and the arguments that make it so. `failure` is set if it raised instead."""

    method: Method
    arguments: Arguments
    failure: Failure | None = None


Property = tuple[Method, Sequence[Arguments]]


class Properties:
    """Invariants, then lemmas, then all others, each in order of declaration: all, or those of some names. Raises SpecError if one has
    too many choices."""

    def __init__(self, system: System, names: Collection[str] | None = None) -> None:
        self._system, self._names = system, names
        self.invariants = self._of(*INVARIANTS)
        self.steps = self._of(*STEPS)
        self.mappings = self._of(MAPPING)
        self.reachable = self._of(*GOALS)
        terminal = [method for method in system.of(*ENDS) if names is None or method.name in names]
        self.terminal: Method | None = terminal[0] if terminal else None

    def _of(self, *kinds: str) -> list[Property]:
        return [
            (method, list(self._system.choices(method.parameters)))
            for method in self._system.of(*kinds)
            if self._names is None or method.name in self._names
            if Choices(self._system, method).fixed is not None
        ]

    @property
    def instances(self) -> int:
        """In how many ways what is asked of a state can be given arguments."""
        asked = (*self.invariants, *self.steps, *self.mappings, *self.reachable)
        return sum(len(choices) for _, choices in asked)

    def falsified(self, state: State) -> Falsified | None:
        """The first invariant or lemma that is false in `state`."""
        if not self.invariants:
            return None
        view = self._system.view(state)
        return self._first_false(self.invariants, view)

    def falsified_by_step(self, old: State, new: State) -> Falsified | None:
        """The first step property that is false of a transition."""
        if not self.steps:
            return None
        after, before = self._system.view(new), self._system.view(old)
        return self._first_false(self.steps, after, before)

    def begins_wrongly(self, state: State) -> Falsified | None:
        """The mapping that does not lead from this initial state to an abstract one."""
        if not self.mappings or not self._system.begins(state):
            return None
        view = self._system.view(state)
        return self._first_false(self.mappings, view)

    def _first_false(self, properties: list[Property], *views: SpecBase) -> Falsified | None:
        for method, choices in properties:
            for arguments in choices:
                try:
                    true = self._system.settled(method, arguments, *views)
                except BaseException as error:
                    if not is_of_spec(error):
                        raise
                    return Falsified(method, arguments, self._system.property_failure(method, arguments, error))
                if true is not True:
                    if true is not False:
                        return Falsified(method, arguments, self._system.not_a_bool(method, arguments, true))
                    return Falsified(method, arguments)
        return None

    def holds(self, method: Method, state: State, arguments: Arguments, old: State | None = None) -> bool:
        """The value of one property. Raises Failure if it raises, or is not a bool."""
        value = self._system.evaluate(method, state, arguments, old)
        if value is not True and value is not False:
            raise self._system.not_a_bool(method, arguments, value)
        return bool(value)

    def satisfying(self, property_: Property, view: SpecBase) -> Arguments | None:
        """The first arguments for which a `@reachable` is true in a state. Raises Failure if it fails for any: which are first may be a
        matter of names."""
        method, choices = property_
        found: Arguments | None = None
        for arguments in choices:
            try:
                true = self._system.settled(method, arguments, view)
            except BaseException as error:
                if not is_of_spec(error):
                    raise
                raise self._system.property_failure(method, arguments, error) from error
            if true is not True and true is not False:
                raise self._system.not_a_bool(method, arguments, true)
            if true and found is None:
                found = arguments
        return found
