"""The point of no return among fair runs: the first step after which no fair continuation avoids the violation.

A continuation goes on while anything is possible, as in `no_return`, and it is fair (`liveness.fairness`): a loop is a way out only if a
fair run can go round it. So fewer runs avoid the violation, and the point comes no later than without fairness.

From a state there is such a run exactly if, going on without a violation, one comes to a state where nothing is possible, or to a set
of states that are strongly connected by steps that violate nothing, all of which a fair run can visit for ever: the question that
liveness asks (`liveness.lasso`; Emerson & Lei 1987). A demand is possible in a state also where every step that serves it violates,
but it is taken only by a step that does not. One state is such a set if some step leaves it as it is. Where a step would pass a bound,
nothing is known of what follows, and that is a way out, as without fairness.

Cost: all states that can be reached without a violation, each expanded once: the search goes back from the end of the run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from quorate.explore.choices import Choices
from quorate.explore.engine import Instance
from quorate.explore.graph import Graph
from quorate.explore.limits import Watch
from quorate.explore.liveness.fairness import Fairness, Reading
from quorate.explore.no_return import Escape, NoReturn, Violates, Way
from quorate.language.control import Cut
from quorate.language.system import Failure, Method, State, System

NOWHERE = -1
"""Where a step leads that violates, or raises: it is possible, and no way out."""


def fair_point_of_no_return(
    system: System,
    actions: Sequence[tuple[Method, Choices]],
    states: Sequence[State],
    violates: Violates,
    watch: Watch,
) -> NoReturn:
    """As `no_return.point_of_no_return`, of fair continuations only. Call it inside the system's configuration. Raises Failure if a
    condition of fairness raises."""
    region = _Region(system, actions, violates, watch)
    for step in range(len(states) - 1, 0, -1):
        start = region.number(states[step - 1])
        if not region.explore():
            return NoReturn(None, None, len(region.graph.states))
        escape = region.escape(start)
        if escape is not None:
            return NoReturn(step, escape, len(region.graph.states))
    return NoReturn(0, None, len(region.graph.states))


class _Region:
    """The states that can be reached without a violation from those that were asked for. `rests` says of each whether a step that violates
    nothing leaves it as it is."""

    def __init__(
        self, system: System, actions: Sequence[tuple[Method, Choices]], violates: Violates, watch: Watch
    ) -> None:
        self._system, self._actions, self._violates, self._watch = system, actions, violates, watch
        self.graph = Graph(system)
        self.rests: list[bool] = []
        self._numbers: dict[State, int] = {}
        self._instances: dict[tuple[str, tuple[object, ...]], int] = {}

    def number(self, state: State) -> int:
        """The number of a state, which belongs to the region from now on."""
        number = self._numbers.setdefault(state, len(self.graph.states))
        if number == len(self.graph.states):
            self.graph.states.append(state)
        return number

    def explore(self) -> bool:
        """Expand all states that are not yet; False if the watch says stop before that."""
        graph = self.graph
        while len(graph.edges) < len(graph.states):
            here = len(graph.edges)
            if self._watch.look(here, 0, 0, len(graph.states) - here) is not None:
                return False
            self.rests.append(False)
            steps = list(self._steps(here))
            graph.edges.append([(instance, target) for instance, target in steps if target is not None])
            graph.cuts.append([instance for instance, target in steps if target is None])
        return True

    def _steps(self, here: int) -> Iterator[tuple[int, int | None]]:
        """What is possible in a state, and where it leads: None where a bound cuts it."""
        state = self.graph.states[here]
        for action, choices in self._actions:
            for arguments in choices(state):
                try:
                    successor = self._system.fire(state, action, arguments)
                except Cut:
                    yield self._instance((action, arguments)), None
                    continue
                except Failure:
                    yield self._instance((action, arguments)), NOWHERE
                    continue
                if successor is not None:
                    safe, stays = not self._violates(state, successor.state), successor.state == state
                    self.rests[here] |= safe and stays
                    target = here if stays else self.number(successor.state) if safe else NOWHERE
                    yield self._instance((action, arguments)), target

    def _instance(self, instance: Instance) -> int:
        action, arguments = instance
        number = self._instances.setdefault((action.name, arguments), len(self.graph.instances))
        if number == len(self.graph.instances):
            self.graph.instances.append(instance)
        return number

    def escape(self, start: int) -> Escape | None:
        """A way from a state of the region to where a fair run avoids the violation."""
        graph, came = self.graph, self._reachable(start)
        reading = Fairness(graph).specified
        for way, goals in (
            (Way.BEYOND, (number for number in came if graph.cuts[number])),
            (Way.END, (number for number in came if not graph.edges[number])),
            (Way.CYCLE, (min(component) for component in self._fair_components(set(came), reading))),
        ):
            goal = next(goals, None)
            if goal is not None:
                return Escape(tuple(self._way(came, goal)), way)
        return None

    def _reachable(self, start: int) -> dict[int, tuple[int, int] | None]:
        """The states that are reached from one, the nearest first, each with the state and the instance that it is reached by."""
        came: dict[int, tuple[int, int] | None] = {start: None}
        waiting = deque([start])
        while waiting:
            here = waiting.popleft()
            for instance, target in self._safe(here):
                if target not in came:
                    came[target] = here, instance
                    waiting.append(target)
        return came

    def _way(self, came: Mapping[int, tuple[int, int] | None], here: int) -> list[Instance]:
        steps: list[Instance] = []
        while (before := came[here]) is not None:
            here, instance = before
            steps.append(self.graph.instances[instance])
        return steps[::-1]

    def _safe(self, number: int) -> Iterator[tuple[int, int]]:
        """The steps from a state that violate nothing and change it."""
        return ((instance, target) for instance, target in self.graph.edges[number] if target not in (NOWHERE, number))

    def _fair_components(self, within: set[int], reading: Reading) -> Iterator[frozenset[int]]:
        """The sets of states that a fair run can visit for ever without a violation."""
        import networkx

        waiting = [within]
        while waiting:
            within = waiting.pop()
            directed: networkx.DiGraph[int] = networkx.DiGraph()
            directed.add_nodes_from(sorted(within))
            directed.add_edges_from(
                (number, target) for number in sorted(within) for _, target in self._safe(number) if target in within
            )
            for component in map(frozenset, networkx.strongly_connected_components(directed)):
                if len(component) == 1 and not self.rests[min(component)]:
                    continue
                weak, strong = reading.unmet(component, self._taken(component, reading))
                if strong and not weak:
                    waiting.append({number for number in component if not reading.strong[number] & strong})
                elif not weak:
                    yield component

    def _taken(self, component: Collection[int], reading: Reading) -> set[int]:
        return {
            demand
            for number in component
            for demand, (_, target) in zip(reading.taken[number], self.graph.edges[number], strict=True)
            if demand is not None and target != number and target in component
        }
