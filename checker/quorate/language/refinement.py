"""Refinement: the states and steps of one specification, seen as those of a more abstract one.

A mapping gives each state an abstract state. The specification refines the abstract one if initial states are mapped to initial
states, and if each step either leaves the abstract state as it is or is a step of some abstract action (Abadi & Lamport 1991, "The
Existence of Refinement Mappings", section 2). An abstract step that passes a bound is none, and constraints of the abstract
specification are not asked: both belong to its exploration. What that promises of its fair runs is asked of the fair runs here, as they
are seen there, if the mapping is to be live; and that those runs are fair there, if it is to be fair: of each demand of its fairness, that
it is taken again and again where it stays possible (weak) or is possible again and again (strong), *possible* being meant of the abstract
state. An abstract step that passes a bound is possible, as it is in the specification, and taken by no step inside the bounds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from quorate.errors import SpecError
from quorate.language.control import Cut
from quorate.language.methods import Method, Parameter, Variable, kept_positions

State = tuple[Any, ...]

UNSET = object()
"""The value, before @init or a mapping gives it one, of a variable."""

REMEMBERED_MAX = 100_000
"""So many pairs of abstract states are remembered with what was found of them."""


class Abstract(Protocol):
    """What is asked of the system that is refined."""

    name: str
    variables: tuple[Variable, ...]

    @property
    def actions(self) -> tuple[Method, ...]: ...
    def blank(self) -> State: ...
    def draft(self, state: State) -> tuple[Any, Any]: ...
    def committed(self, state: State, draft: Any) -> State: ...
    def begun(self) -> Iterable[tuple[State, State]]: ...
    def choices(self, parameters: tuple[Parameter, ...]) -> Iterable[tuple[Any, ...]]: ...
    def unconstrained(self, state: State, action: Method, arguments: tuple[Any, ...]) -> Any: ...
    def fair_condition(self, action: Method) -> Method | None: ...
    def evaluate(self, method: Method, state: State, arguments: tuple[Any, ...]) -> Any: ...


class Refinement:
    """One mapping, and what it claims."""

    def __init__(self, abstract: Abstract, name: str, mapping: Callable[..., None]) -> None:
        self.abstract, self.name, self.mapping = abstract, name, mapping
        self._steps: dict[tuple[State, State], tuple[Method, tuple[Any, ...]] | None] = {}
        self._demands: dict[tuple[str, tuple[Any, ...], State], frozenset[State | None]] = {}

    def state(self, view: Any) -> State:
        """The abstract state of a state that is viewed. Raises SpecError where the mapping leaves a variable without a value, and
        Cut where it gives one a value above its bound."""
        blank = self.abstract.blank()
        draft, _ = self.abstract.draft(blank)
        if (result := self.mapping(view, draft)) is not None:
            raise SpecError(f"{self.name} returned {result!r}; a mapping assigns the variables, and returns nothing.")
        found = self.abstract.committed(blank, draft)
        for variable, value in zip(self.abstract.variables, found, strict=True):
            if value is UNSET:
                raise SpecError(f"{self.name} leaves {variable.name} of {self.abstract.name} without a value.")
        return found

    @functools.cached_property
    def initial(self) -> frozenset[State]:
        """The abstract initial states."""
        return frozenset(state for _, state in self.abstract.begun())

    def step(self, before: State, after: State) -> tuple[Method, tuple[Any, ...]] | None:
        """The first abstract action, with its arguments, that leads from one abstract state to another; None if there is none."""
        if (before, after) not in self._steps:
            if len(self._steps) >= REMEMBERED_MAX:
                self._steps.clear()
            self._steps[before, after] = self._first(before, after)
        return self._steps[before, after]

    def _first(self, before: State, after: State) -> tuple[Method, tuple[Any, ...]] | None:
        for action in self.abstract.actions:
            for arguments in self.abstract.choices(action.parameters):
                try:
                    successor = self.abstract.unconstrained(before, action, arguments)
                except Cut:
                    continue
                if successor is not None and successor.state == after:
                    return action, arguments
        return None

    def fairness(self, action: Method, view: Callable[[State], Any]) -> Method:
        """The claim that fair runs, whose states are viewed so, are fair to an abstract action, for each choice of the arguments that tell
        its demands apart."""
        known: dict[State, State] = {}

        def seen(state: State) -> State:
            if len(known) >= REMEMBERED_MAX:
                known.clear()
            return known.setdefault(state, self.state(view(state)))

        def impossible(view: Any, *demanded: Any) -> bool:
            return not self._leads(action, demanded, self.state(view))

        def taken(before: State, after: State, demanded: tuple[Any, ...]) -> bool:
            old, new = seen(before), seen(after)
            return old != new and new in self._leads(action, demanded, old)

        impossible.__doc__ = f"Fair runs are fair to {action.name} of {self.abstract.name}."
        parameters = tuple(action.parameters[position] for position in kept_positions(action))
        return Method(action.name, action.declaration, impossible, parameters, taken=taken)

    def _leads(self, action: Method, demanded: tuple[Any, ...], state: State) -> frozenset[State | None]:
        """Where the instances of a fair abstract action that serve a demand lead from an abstract state, those left out that change
        nothing: None beyond a bound. Raises Failure if one does."""
        if (action.name, demanded, state) not in self._demands:
            if len(self._demands) >= REMEMBERED_MAX:
                self._demands.clear()
            self._demands[action.name, demanded, state] = frozenset(self._served(action, demanded, state))
        return self._demands[action.name, demanded, state]

    def _served(self, action: Method, demanded: tuple[Any, ...], state: State) -> Iterator[State | None]:
        condition = self.abstract.fair_condition(action)
        names = [parameter.name for parameter in action.parameters]
        given = dict(zip(kept_positions(action), demanded, strict=True))
        free = [position for position in range(len(names)) if position not in given]
        for chosen in self.abstract.choices(tuple(action.parameters[position] for position in free)):
            whole = given | dict(zip(free, chosen, strict=True))
            arguments = tuple(whole[position] for position in range(len(names)))
            try:
                successor = self.abstract.unconstrained(state, action, arguments)
            except Cut:
                reached = None
            else:
                if successor is None or successor.state == state:
                    continue
                reached = successor.state
            if condition is not None:
                named = dict(zip(names, arguments, strict=True))
                if not self.abstract.evaluate(condition, state, tuple(named[one.name] for one in condition.parameters)):
                    continue
            yield reached

    def property(self) -> Callable[..., bool]:
        """The claim about a step; about an initial state, if nothing was before."""

        @functools.wraps(self.mapping)
        def refines(view: Any, old: Any = None) -> bool:
            after = self.state(view)
            if old is None:
                return after in self.initial
            before = self.state(old)
            return before == after or self.step(before, after) is not None

        return refines

    def seen(self, property: Callable[..., Any], abstract: Callable[[State], Any]) -> Callable[..., Any]:
        """A property of abstract states, asked of those that they are mapped from."""

        @functools.wraps(property)
        def carried(view: Any, *arguments: Any) -> Any:
            return property(abstract(self.state(view)), *arguments)

        return carried
