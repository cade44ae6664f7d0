"""The search for a lasso: a path, and a loop at its end that a fair run takes round and round.

In a finite graph some fair run keeps an obligation pending for ever, and visits accepting states again and again, exactly if there is
a path on which an obligation begins to a set C of states that are strongly connected within those where it can stay pending, with
an accepting state among them, where a run that visits all of C for ever is fair. A demand of weak fairness rules C out if it is possible
in all of C and taken by no transition within it; then it rules out every subset as well. One of strong fairness rules C out if it
is possible somewhere and taken nowhere in C; then only subsets without the states where it is possible remain (Streett's
condition; Emerson & Lei 1987). Components are found by networkx; a single state is one too, because of stuttering.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from dataclasses import dataclass

from quorate.explore.graph import Graph
from quorate.explore.liveness.fairness import Reading

Layered = tuple[int, bool]
"""A state, and whether an obligation is pending."""

Steps = list[tuple[int, int]]
"""Steps of a path, each as (instance, state reached); the first entry of a whole path is (-1, number of the initial state)."""


@dataclass(frozen=True)
class Pending:
    """For each state of a graph: `begins`, whether an unfulfilled obligation begins there; `allowed`, whether one can remain pending
    there; `accepting`, whether a run must visit such states again and again to violate the property."""

    begins: Sequence[bool]
    allowed: Sequence[bool]
    accepting: Sequence[bool]
    ending: Set[tuple[int, int]] = frozenset()
    """Steps, by the states that they lead from and to, after which none is pending any more."""

    def region(self, graph: Graph) -> set[int]:
        """All states in which an obligation can be pending."""
        found = {number for number, begins in enumerate(self.begins) if begins}
        waiting = deque(sorted(found))
        while waiting:
            number = waiting.popleft()
            for _, target in graph.edges[number]:
                if self.allowed[target] and target not in found and (number, target) not in self.ending:
                    found.add(target)
                    waiting.append(target)
        return found


@dataclass
class Wanted:
    """What a loop still has to do: demands to take, of weak ones also to make impossible; an accepting state to visit."""

    strong: set[int]
    weak: Set[int]
    visit: bool


class Lasso:
    """The search for one lasso, under one reading of fairness."""

    def __init__(self, graph: Graph, fairness: Reading, pending: Pending) -> None:
        self._graph, self._fairness = graph, fairness
        self._begins, self._allowed, self._accepting = pending.begins, pending.allowed, pending.accepting
        self._ending = pending.ending
        self._region = pending.region(graph)

    def find(self) -> tuple[Steps, Steps] | None:
        """The stem and the loop."""
        component_of: dict[int, frozenset[int]] = {}
        for component in self.fair_components():
            for number in component:
                component_of[number] = component
        if not component_of:
            return None
        stem = self.stem(component_of)
        assert stem is not None
        end = stem[-1][1]
        if self._accepting[end] and self._fairness.fair_to_stay(end):
            return stem, []
        return stem, self._loop(end, component_of[end])

    def fair_components(self) -> Iterator[frozenset[int]]:
        """The sets of states that a fair run can visit for ever."""
        import networkx

        waiting = [self._region]
        while waiting:
            within = waiting.pop()
            directed: networkx.DiGraph[int] = networkx.DiGraph()
            directed.add_nodes_from(sorted(within))
            directed.add_edges_from(
                (number, target) for number in sorted(within) for target in self._targets(number, within)
            )
            for found in networkx.strongly_connected_components(directed):
                component = frozenset(found)
                if not any(self._accepting[number] for number in component):
                    continue
                weak, strong = self._fairness.unmet(component, self._taken(component))
                if strong and not weak:
                    waiting.append({number for number in component if not self._fairness.strong[number] & strong})
                elif not weak:
                    yield component

    def _targets(self, number: int, within: Collection[int]) -> list[int]:
        return [
            target
            for _, target in self._graph.edges[number]
            if target != number and target in within and (number, target) not in self._ending
        ]

    def _taken(self, component: Collection[int]) -> set[int]:
        return {
            demand
            for number in component
            for demand, (_, target) in zip(self._fairness.taken[number], self._graph.edges[number], strict=True)
            if demand is not None and target in component and (number, target) not in self._ending
        }

    def stem(self, goals: Collection[int]) -> Steps | None:
        """The first shortest path on which an obligation begins and remains pending until a state of `goals`; None if there is
        none."""
        came: dict[Layered, tuple[Layered, int] | None] = {}
        waiting: deque[Layered] = deque()

        def arrive(number: int, pending: bool, origin: tuple[Layered, int] | None) -> Layered | None:
            for layered in ((number, pending), (number, True)):
                possible = self._allowed[number] and (pending or self._begins[number]) if layered[1] else True
                if possible and layered not in came:
                    came[layered] = origin
                    waiting.append(layered)
                    if layered[1] and number in goals:
                        return layered
            return None

        goal = next(filter(None, (arrive(number, False, None) for number in self._graph.initial)), None)
        while goal is None:
            if not waiting:
                return None
            here = waiting.popleft()
            arrivals = (
                arrive(target, here[1] and (here[0], target) not in self._ending, (here, instance))
                for instance, target in self._graph.edges[here[0]]
            )
            goal = next(filter(None, arrivals), None)
        return _walk(came, goal)

    def _loop(self, begin: int, component: frozenset[int]) -> Steps:
        """A round trip within a component that does what fairness demands and visits an accepting state, always the nearest first."""
        wanted = Wanted(
            set[int]().union(*(self._fairness.strong[number] for number in component)),
            set(self._fairness.weak[begin]),
            not self._accepting[begin],
        )
        steps: Steps = []
        here = begin
        while wanted.strong or wanted.weak or wanted.visit:
            found, taken = self._towards(here, component, self._event(wanted))
            steps += found
            here = found[-1][1]
            wanted.strong -= {taken}
            wanted.weak = (wanted.weak - {taken}) & self._fairness.weak[here]
            wanted.visit = wanted.visit and not self._accepting[here]
        if here != begin:
            steps += self._towards(here, component, lambda _, target: target == begin)[0]
        return steps

    def _event(self, wanted: Wanted) -> Callable[[int | None, int], bool]:
        """Whether a step, given its demand and the state it reaches, does something that is wanted."""
        return lambda demand, target: (
            demand in wanted.strong
            or demand in wanted.weak
            or not wanted.weak <= self._fairness.weak[target]
            or (wanted.visit and self._accepting[target])
        )

    def _towards(
        self, begin: int, component: frozenset[int], satisfied: Callable[[int | None, int], bool]
    ) -> tuple[Steps, int | None]:
        """The first shortest path within a component whose last step satisfies a condition on (demand, state reached), and that
        demand."""
        came: dict[int, tuple[int, int] | None] = {begin: None}
        waiting = deque([begin])
        while waiting:
            here = waiting.popleft()
            for demand, (instance, target) in zip(self._fairness.taken[here], self._graph.edges[here], strict=True):
                if target == here or target not in component or (here, target) in self._ending:
                    continue
                if satisfied(demand, target):
                    return [*_back(came, here), (instance, target)], demand
                if target not in came:
                    came[target] = (here, instance)
                    waiting.append(target)
        raise AssertionError("a strongly connected component has a path to everything in it")


def _back(came: dict[int, tuple[int, int] | None], number: int) -> Steps:
    steps = []
    while (origin := came[number]) is not None:
        steps.append((origin[1], number))
        number = origin[0]
    return steps[::-1]


def _walk(came: dict[Layered, tuple[Layered, int] | None], goal: Layered) -> Steps:
    """The path to `goal`; its first entry is (-1, number of the initial state)."""
    steps = []
    here = goal
    while (origin := came[here]) is not None:
        steps.append((origin[1], here[0]))
        here = origin[0]
    return [(-1, here[0]), *steps[::-1]]


def path_to(graph: Graph, goal: int) -> Steps:
    """A shortest path to a state, in the form of `_walk`."""
    came: dict[Layered, tuple[Layered, int] | None] = {(number, False): None for number in graph.initial}
    waiting = deque(came)
    while (goal, False) not in came:
        here = waiting.popleft()
        for instance, target in graph.edges[here[0]]:
            if (target, False) not in came:
                came[target, False] = (here, instance)
                waiting.append((target, False))
    return _walk(came, (goal, False))
