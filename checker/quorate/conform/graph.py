"""The state graph of a specification at small bounds, with what must not happen in each state: what a program is driven through."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from quorate.explore.choices import Choices
from quorate.language.control import Cut
from quorate.language.networks import Wire
from quorate.language.system import Arguments, Method, Parameter, State, System
from quorate.language.types import UnionType
from quorate.language.types.base import Leaf

Instance = tuple[Method, Arguments]
ASKED_MAX = 64
"""A program is asked for all values of an argument if they are not more."""


def asked_within(parameter: Parameter, contents: Any) -> bool:
    """Whether a program is asked only for what there is in the collection that the specification takes an argument from. It has to refuse
    members and numbers that are not in it; but messages and other values with parts are in the hands of the adapter, which has no other."""
    kinds = parameter.type.kinds if isinstance(parameter.type, UnionType) else (parameter.type,)
    is_plain = all(isinstance(kind, Leaf) for kind in kinds) and parameter.type.cardinality <= ASKED_MAX
    return isinstance(contents, Wire) or not is_plain


@dataclass(frozen=True)
class Edge:
    """A transition between numbered states."""

    source: int
    instance: Instance
    target: int


@dataclass
class Graph:
    """All states that are reached, each with the edges that leave it, and the instances that a program has to refuse there. `initial` has
    the arguments of @init. `is_whole` is false if there were more states than were asked for."""

    states: list[State] = field(default_factory=list)
    initial: list[tuple[Arguments, int]] = field(default_factory=list)
    edges: list[list[Edge]] = field(default_factory=list)
    impossible: list[list[Instance]] = field(default_factory=list)
    cut: int = 0
    is_whole: bool = True

    @property
    def transitions(self) -> Iterator[Edge]:
        """All edges, by their source."""
        for leaving in self.edges:
            yield from leaving


def graph_of(system: System, states_max: int) -> Graph:
    """The graph of a system, breadth first. Call it inside the configuration.

    Raises Failure if the specification raises."""
    graph = Graph()
    numbers: dict[State, int] = {}

    def number_of(state: State) -> int | None:
        if state not in numbers:
            if len(graph.states) >= states_max:
                graph.is_whole = False
                return None
            numbers[state] = len(graph.states)
            graph.states.append(state)
            graph.edges.append([])
            graph.impossible.append([])
        return numbers[state]

    for arguments, state in system.initial():
        number = number_of(state)
        if number is not None:
            graph.initial.append((arguments, number))
    choices = [(action, Choices(system, action, asked_within)) for action in system.actions]
    source = 0
    while source < len(graph.states):
        for action, choose in choices:
            for arguments in choose(graph.states[source]):
                try:
                    successor = system.fire(graph.states[source], action, arguments)
                except Cut:
                    graph.cut += 1
                    continue
                if successor is None:
                    graph.impossible[source].append((action, arguments))
                elif (target := number_of(successor.state)) is not None:
                    graph.edges[source].append(Edge(source, (action, arguments), target))
        source += 1
    return graph


def way(graph: Graph, start: int, wanted: Callable[[Edge], bool]) -> list[Edge] | None:
    """The shortest walk from a state that ends with an edge which is wanted; None if there is none."""
    first: dict[int, Edge | None] = {start: None}
    """The edge by which each state was met first."""
    queue = deque([start])
    while queue:
        for edge in graph.edges[queue.popleft()]:
            if wanted(edge):
                found = [edge]
                while (before := first[found[-1].source]) is not None:
                    found.append(before)
                return found[::-1]
            if edge.target not in first:
                first[edge.target] = edge
                queue.append(edge.target)
    return None


def way_to_pair(
    graph: Graph, start: int, wanted: Callable[[Edge | None, Edge], bool], last: Edge | None = None
) -> list[Edge] | None:
    """The same where an edge is wanted after the one before it, in the beginning `last`: a state is passed once by each edge."""
    begun: dict[tuple[int, int], tuple[tuple[int, int] | None, Edge]] = {}
    queue: deque[tuple[int, tuple[int, int] | None, Edge | None]] = deque([(start, None, last)])
    while queue:
        at, before, arrived = queue.popleft()
        for position, edge in enumerate(graph.edges[at]):
            key = at, position
            if wanted(arrived, edge):
                found = [edge]
                while before is not None:
                    before, passed = begun[before]
                    found.append(passed)
                return found[::-1]
            if key not in begun:
                begun[key] = before, edge
                queue.append((edge.target, key, edge))
    return None
