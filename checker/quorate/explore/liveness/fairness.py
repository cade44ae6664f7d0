"""What fairness demands of runs: which instances of actions must be taken, and where.

`@action(fair=...)` makes *demands*. A demand is served by the instances (the action with given arguments) that belong to it: by
default one instance each, with `fair_per` all that agree in some arguments, or all of the action. With `fair_if` only those
instances belong to any demand for which the condition is true in the state where they start. A demand is *possible* in a state
where an instance of it is able to change the state, and *taken* by a transition of such an instance that does, as in TLA+:
weak fairness is WF, strong fairness SF, of the union of the instances of a demand.

A bound that cuts a transition leaves two readings. In the *specification* the instance is possible, and never taken inside the bounds;
in the *bounded system* there is no such transition, and it is not possible. The bounded system demands less of a run, so every run
that is fair in the specification is fair in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from quorate.explore.engine import Instance
from quorate.explore.graph import Graph
from quorate.language.methods import kept_positions
from quorate.language.system import Arguments, State, System

Demand = tuple[str, Arguments]
"""The name of an action, and the arguments that tell its demands apart."""


def demand_of(system: System, instance: Instance, state: State) -> Demand | None:
    """The demand that an instance belongs to where it starts in a state; None if fairness does not speak of it. Raises Failure if
    its condition raises."""
    action, arguments = instance
    if action.declaration.fair is None:
        return None
    condition = system.fair_condition(action)
    if condition is not None:
        named = dict(zip((parameter.name for parameter in action.parameters), arguments, strict=True))
        chosen = tuple(named[parameter.name] for parameter in condition.parameters)
        value = system.evaluate(condition, state, chosen)
        if value is not True and value is not False:
            raise system.not_a_bool(condition, chosen, value)
        if not value:
            return None
    return action.name, tuple(arguments[position] for position in kept_positions(action))


@dataclass(frozen=True)
class Reading:
    """For each state of a graph the demands of weak and of strong fairness that are possible there; for each of its transitions the
    demand that it takes, or None; a transition that changes nothing takes none."""

    weak: Sequence[frozenset[int]]
    strong: Sequence[frozenset[int]]
    taken: Sequence[Sequence[int | None]]

    def fair_to_stay(self, number: int) -> bool:
        """Whether a run may stay in a state for ever."""
        return not self.weak[number] and not self.strong[number]

    def unmet(self, component: Collection[int], taken: Collection[int]) -> tuple[set[int], set[int]]:
        """The weak and the strong demands that rule out a component, given those that are taken within it."""
        weak = frozenset.intersection(*(self.weak[number] for number in component)).difference(taken)
        strong = set[int]().union(*(self.strong[number] for number in component)).difference(taken)
        return set(weak), strong


class Fairness:
    """The demands on the runs of a graph: `specified`, where what a bound cuts is possible, and `bounded`, where it is not."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._numbers: dict[Demand, int] = {}
        self._kinds: list[str | None] = []
        taken = [
            [self._number(number, instance) if target != number else None for instance, target in edges]
            for number, edges in enumerate(graph.edges)
        ]
        cut = [[self._number(number, instance) for instance in cuts] for number, cuts in enumerate(graph.cuts)]
        self.bounded = self._reading(taken, taken)
        self.specified = self._reading(taken, [[*here, *more] for here, more in zip(taken, cut, strict=True)])

    def _number(self, state: int, instance: int) -> int | None:
        action, arguments = self._graph.instances[instance]
        demand = demand_of(self._graph.system, (action, arguments), self._graph.states[state])
        if demand is None:
            return None
        number = self._numbers.setdefault(demand, len(self._kinds))
        if number == len(self._kinds):
            self._kinds.append(action.declaration.fair)
        return number

    def _reading(self, taken: list[list[int | None]], possible: list[list[int | None]]) -> Reading:
        def of(kind: str) -> list[frozenset[int]]:
            return [frozenset(d for d in here if d is not None and self._kinds[d] == kind) for here in possible]

        return Reading(of("weak"), of("strong"), taken)


def objection(
    system: System,
    states: Sequence[State],
    steps: Sequence[Instance],
    possible: Sequence[Mapping[Demand, Instance]],
) -> str | None:
    """Why a run that takes these steps round and round is not fair, or None if it is. `states` has one more entry than `steps`, and
    `possible` has the demands that are possible in each state, with an instance of it."""
    taken = {
        demand_of(system, instance, before)
        for instance, before, after in zip(steps, states, states[1:], strict=False)
        if before != after
    }
    for action in system.actions:
        here = [{demand for demand in demands if demand[0] == action.name} for demands in possible]
        demanded = set.union(*here) if action.declaration.fair == "strong" else set.intersection(*here)
        for demand in sorted(demanded - taken, key=repr):
            _, arguments = next(demands[demand] for demands in possible if demand in demands)
            call = action.call(arguments)
            return f"the run is not fair: {call} stays possible and is never taken"
    return None
