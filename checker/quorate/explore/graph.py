"""The state graph of a system, whole and in memory: for liveness, for drawing, and for anyone with a question of
their own.

    graph = state_graph(MySpec)                     # a networkx.MultiDiGraph
    networkx.shortest_path(graph, 0, 17)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quorate.errors import UsageError
from quorate.explore.choices import Choices
from quorate.explore.engine import Instance
from quorate.explore.limits import Limits, Watch
from quorate.explore.properties import Properties
from quorate.explore.symmetry import Symmetry
from quorate.language.control import Cut
from quorate.language.sorts import Scalarset
from quorate.language.spec import Spec
from quorate.language.system import Arguments, State, System

if TYPE_CHECKING:
    import networkx


@dataclass
class Graph:
    """Reachable states by number, in breadth-first order. `edges[n]` are the transitions of state n as (instance,
    target) and `cuts[n]` the instances that a bound suppresses there, both in canonical order; instances are numbered
    in `instances`. `initial` are the initial states with the arguments of `@init` that first give them.
    """

    system: System
    states: list[State] = field(default_factory=list)
    edges: list[list[tuple[int, int]]] = field(default_factory=list)
    cuts: list[list[int]] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    initial: dict[int, Arguments] = field(default_factory=dict)
    stopped: str | None = None

    @property
    def transitions(self) -> int:
        """Enabled instances of all states, and the initial states."""
        return sum(map(len, self.edges)) + len(self.initial)


def build(
    system: System, sorts: Sequence[type[Scalarset]] = (), watch: Watch | None = None, *, unfolded: bool = False
) -> Graph:
    """Explore a system and keep everything. Call it inside the system's configuration; raises Failure if the spec
    raises.

    With `sorts`, states stand for orbits; with `unfolded` too, the result is the same as without `sorts`, but actions
    are fired on the representatives of orbits only and their transitions renamed for the other states, which is
    faster. `stopped` of the result says why it is not whole, if a limit of the watch was reached.
    """
    return _Builder(system, sorts, watch or Watch(), unfolded and bool(sorts)).graph()


class _Builder:
    def __init__(self, system: System, sorts: Sequence[type[Scalarset]], watch: Watch, unfolded: bool) -> None:
        self._system, self._watch, self._unfolded = system, watch, unfolded
        self._symmetry = Symmetry(system, sorts) if sorts else None
        self._graph = Graph(system)
        self._numbers: dict[State, int] = {}
        self._instances: dict[tuple[str, Arguments], int] = {}
        self._fired: dict[State, list[tuple[int, Arguments, State | None]]] = {}
        self._actions = [(action, Choices(system, action)) for action in system.actions]

    def graph(self) -> Graph:
        graph = self._graph
        for arguments, state in self._system.initial():
            graph.initial.setdefault(self._number(state), arguments)
        number = transitions = 0
        while number < len(graph.states):
            graph.stopped = self._watch.look(len(graph.states), transitions, 0, len(graph.states) - number)
            if graph.stopped is None and self._watch.full(len(graph.states) - 1):
                graph.stopped = self._watch.states_reason()
            if graph.stopped is not None:
                break
            self._expand(number)
            transitions += len(graph.edges[number])
            number += 1
        return graph

    def _number(self, state: State) -> int:
        if self._symmetry is not None and not self._unfolded:
            state = self._symmetry(state)
        number = self._numbers.setdefault(state, len(self._graph.states))
        if number == len(self._graph.states):
            self._graph.states.append(state)
            self._graph.edges.append([])
            self._graph.cuts.append([])
        return number

    def _expand(self, number: int) -> None:
        state = self._graph.states[number]
        for position, arguments, successor in self._renamed(state) if self._unfolded else self._fire(state):
            instance = self._instance((self._actions[position][0], arguments))
            if successor is None:
                self._graph.cuts[number].append(instance)
            else:
                self._graph.edges[number].append((instance, self._number(successor)))

    def _fire(self, state: State) -> Iterator[tuple[int, Arguments, State | None]]:
        """The enabled instances of a state, as (number of the action, arguments, successor); a cut one has no
        successor."""
        for position, (action, choices) in enumerate(self._actions):
            for arguments in choices(state):
                try:
                    successor = self._system.fire(state, action, arguments)
                except Cut:
                    yield position, arguments, None
                    continue
                if successor is not None:
                    yield position, arguments, successor.state

    def _renamed(self, state: State) -> list[tuple[int, Arguments, State | None]]:
        """What `_fire` gives for a state, from what it gives for the representative of its orbit."""
        symmetry = self._symmetry
        assert symmetry is not None
        representative, there = symmetry.representative(state)
        if representative not in self._fired:
            self._fired[representative] = list(self._fire(representative))
        back = symmetry.inverse(there)
        found = []
        for position, arguments, successor in self._fired[representative]:
            action = self._actions[position][0]
            renamed = symmetry.renamed_arguments(action, arguments, back)
            codes = tuple(
                parameter.type.encode(value) for parameter, value in zip(action.parameters, renamed, strict=True)
            )
            found.append((position, codes, renamed, None if successor is None else symmetry.renamed(successor, back)))
        found.sort(key=lambda entry: entry[:2])
        return [(position, renamed, successor) for position, _, renamed, successor in found]

    def _instance(self, instance: Instance) -> int:
        action, arguments = instance
        number = self._instances.setdefault((action.name, arguments), len(self._graph.instances))
        if number == len(self._graph.instances):
            self._graph.instances.append(instance)
        return number


def state_graph(
    spec: type[Spec], *, symmetry: bool = False, states_max: int | None = None
) -> networkx.MultiDiGraph[int]:
    """The state graph as a networkx graph. Raises UsageError if it has more than `states_max` states.

    Nodes are numbers in breadth-first order, with the attributes `state` (variable name to value), `label` (the same
    as JSON values), `initial`, `violates` (the first invariant that is false there, or None) and `cuts` (how many
    transitions a bound suppresses there). Edges have the attributes `action`, `arguments` (by name), `label` (the same as JSON
    values) and `fair` ("weak", "strong" or None). With `symmetry`, nodes stand for orbits, and edges have the attribute `renamed`:
    which identities, by their names before, are called what in the state that stands for the orbit. The attribute `orbits` of
    the graph names the sorts.
    """
    from quorate.explore.checking import symmetric_sorts
    from quorate.explore.symmetry import affordable

    system = System(spec)
    with system:
        sorts = affordable(system, symmetric_sorts(system)[0])[0] if symmetry else ()
        graph = build(system, sorts, Watch(Limits(states=states_max)))
        if graph.stopped is not None:
            raise UsageError(
                f"{system.name} has more than {states_max:,} states at these bounds. Lower a bound, or raise the limit "
                f"(`--max-states`)."
            )
        return _networkx(graph, Symmetry(system, sorts) if sorts else None)


def _networkx(graph: Graph, symmetry: Symmetry | None) -> networkx.MultiDiGraph[int]:
    import networkx

    system, properties = graph.system, Properties(graph.system)
    orbits = tuple(sort.__name__ for sort in symmetry.sorts) if symmetry is not None else ()
    result: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(name=system.name, orbits=orbits)
    for number, state in enumerate(graph.states):
        values = dict(zip(system.index, state, strict=True))
        false = properties.falsified(state)
        result.add_node(
            number,
            state=values,
            initial=number in graph.initial,
            cuts=len(graph.cuts[number]),
            label={variable.name: variable.type.to_json(values[variable.name]) for variable in system.variables},
            violates=false.method.name if false is not None else None,
        )
    for number, edges in enumerate(graph.edges):
        for instance, target in edges:
            action, arguments = graph.instances[instance]
            named = dict(zip((parameter.name for parameter in action.parameters), arguments, strict=True))
            result.add_edge(
                number,
                target,
                action=action.name,
                arguments=named,
                label={
                    parameter.name: parameter.type.to_json(named[parameter.name]) for parameter in action.parameters
                },
                fair=action.declaration.fair,
                renamed=_renamed(system, symmetry, graph.states[number], (action, arguments)),
            )
    return result


def _renamed(system: System, symmetry: Symmetry | None, state: State, instance: Instance) -> dict[str, str]:
    """Which identities have another name in the state that stands for the orbit of a successor."""
    successor = system.fire(state, *instance) if symmetry is not None else None
    if symmetry is None or successor is None:
        return {}
    return symmetry.names(symmetry.representative(successor.state)[1])
