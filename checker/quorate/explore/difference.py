"""What one specification does and another does not: two versions of it, or two variants.

States are compared by the variables that both have, under the same name, as JSON values, so that the specifications may come from
different files. A *step* is a transition that changes one of these variables; who takes it, and what it does to variables that only
one of the two has, does not count. A step of one that the other takes from no reachable state, or a beginning that the other
does not have, is a difference, and the shortest run to one is shown.

If neither has variables of its own, no difference means that they have the same runs. Otherwise a run could take known steps in
an order that the other cannot: `hidden` says so. That the other does *not* do something is known only if it was explored to the end,
and beyond bounds it is not known: `Side` and `Direction` tell.

Costs: both state graphs in memory. Symmetry saves time, not states: actions are fired once for each orbit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from quorate.errors import UsageError, unknown
from quorate.explore.checking import symmetric_sorts
from quorate.explore.engine import Finding, Instance
from quorate.explore.graph import Graph, build
from quorate.explore.limits import Watch
from quorate.explore.symmetry import affordable
from quorate.explore.traces.tracing import trace
from quorate.kinds import DIFFERENCE
from quorate.language.spec import Spec
from quorate.language.system import State, System
from quorate.model.determinism import vouch
from quorate.trace import Json, Trace

Step = tuple[int, int]
"""The numbers of the projections of two states."""
Known = Literal["none", "none-within-bounds", "some", "some-within-bounds", "unknown"]


@dataclass(frozen=True)
class Side:
    """One of the two: what it is called, its own bounds and variables, what was explored, and how many transitions its bounds cut."""

    name: str
    bounds: dict[str, int]
    own: tuple[str, ...]
    states: int
    transitions: int
    cuts: int
    stopped: str | None


@dataclass(frozen=True)
class Direction:
    """What one does and the other does not: how many of its states and steps, over the common variables, and a shortest run.

    `known` is "unknown" if that cannot be told because an exploration ended early; "within bounds" is said where the bounds of either
    cut something that could make it otherwise."""

    known: Known
    states: int
    steps: int
    trace: Trace | None


@dataclass(frozen=True)
class Difference:
    """Two specifications compared over the `common` variables: what only the first does, and what only the second does."""

    first: Side
    second: Side
    common: tuple[str, ...]
    only_first: Direction
    only_second: Direction
    notes: tuple[str, ...]

    @property
    def hidden(self) -> bool:
        """Whether there are variables that are not compared."""
        return bool(self.first.own or self.second.own)


@dataclass(frozen=True)
class Compared:
    """What is compared: a class, and what the command line and traces call it."""

    spec: type[Spec]
    name: str
    variant: str | None = None


class _Explored:
    """A specification, explored, with its states projected to numbers that both share."""

    def __init__(self, what: Compared, system: System, graph: Graph, project: Callable[[State], int]) -> None:
        self.what, self.system, self.graph = what, system, graph
        self.projected = [project(state) for state in graph.states]
        self.begins = {self.projected[number] for number in graph.initial}
        self.states = set(self.projected)
        self.steps = {step for number in range(len(graph.states)) for _, _, step in self.steps_of(number)}
        self.cuts = sum(map(len, graph.cuts)) + sum(system.excluded_initially().values())

    def steps_of(self, number: int) -> Iterator[tuple[Instance, int, Step]]:
        """The transitions of a state that change a common variable, with their targets."""
        source = self.projected[number]
        for instance, target in self.graph.edges[number]:
            if self.projected[target] != source:
                yield self.graph.instances[instance], target, (source, self.projected[target])

    def side(self, own: tuple[str, ...]) -> Side:
        graph = self.graph
        return Side(
            self.system.name, self.system.bounds, own, len(graph.states), graph.transitions, self.cuts, graph.stopped
        )


def difference(first: Compared, second: Compared, watch: Watch | None = None, hide: Collection[str] = ()) -> Difference:
    """Compare two specifications at their bounds, without the variables in `hide`. Of the limits of `watch`, states are for each.

    Raises UsageError if they have no variable in common, SpecError if one of them raises.
    """
    systems = [System(one.spec) for one in (first, second)]
    known = {name for system in systems for name in system.index}
    for name in hide:
        if name not in known:
            raise unknown("variable", name, known)
    common = tuple(name for name in systems[0].index if name in systems[1].index and name not in hide)
    if not common:
        raise UsageError(
            f"{systems[0].name} and {systems[1].name} have no variable in common, so nothing can be compared."
        )
    numbers: dict[tuple[str, ...], int] = {}
    found = [
        _explored(one, system, common, numbers, watch or Watch())
        for one, system in zip((first, second), systems, strict=True)
    ]
    own = [tuple(name for name in system.index if name not in common) for system in systems]
    return Difference(
        found[0].side(own[0]),
        found[1].side(own[1]),
        common,
        _direction(found[0], found[1]),
        _direction(found[1], found[0]),
        tuple(_notes(systems, common)),
    )


def _explored(
    what: Compared, system: System, common: tuple[str, ...], numbers: dict[tuple[str, ...], int], watch: Watch
) -> _Explored:
    with system:
        vouch(system)
        sorts = affordable(system, symmetric_sorts(system)[0])[0]
        graph = build(system, sorts, watch, unfolded=True)
        kinds = [(system.index[name], system.variable(name).type, dict[object, str]()) for name in common]

        def project(state: State) -> int:
            texts = []
            for position, kind, known in kinds:
                value = state[position]
                if value not in known:
                    known[value] = _text(_without_order(kind.to_json(value)))
                texts.append(known[value])
            return numbers.setdefault(tuple(texts), len(numbers))

        return _Explored(what, system, graph, project)


def _without_order(value: Json) -> Json:
    """A value in an order that does not depend on how a specification declares its sorts."""
    match value:
        case {"record": name, "fields": dict(fields)}:
            return {"record": name, "fields": {field: _without_order(part) for field, part in fields.items()}}
        case {"tuple": list(parts)}:
            return {"tuple": list(map(_without_order, parts))}
        case {"channels": list(rows)}:
            queues = ([source, target, list(map(_without_order, queue))] for source, target, queue in rows)
            return {"channels": sorted(queues, key=_text)}
        case dict(tagged):
            return {tag: sorted(map(_without_order, parts), key=_text) for tag, parts in tagged.items()}
        case list(parts):
            return list(map(_without_order, parts))
    return value


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


def _notes(systems: list[System], common: tuple[str, ...]) -> Iterator[str]:
    first, second = systems
    for name in dict.fromkeys((*first.bounds, *second.bounds)):
        sizes = [system.bounds.get(name) for system in systems]
        if None not in sizes and sizes[0] != sizes[1]:
            yield f"the bound {name} is {sizes[0]} in {first.name} and {sizes[1]} in {second.name}"
    for name in common:
        kinds = [str(system.variable(name).type) for system in systems]
        if kinds[0] != kinds[1]:
            yield f"{name} is of type {kinds[0]} in {first.name} and {kinds[1]} in {second.name}"


def _direction(one: _Explored, other: _Explored) -> Direction:
    """What `one` does and `other` does not."""
    if other.graph.stopped is not None:
        return Direction("unknown", 0, 0, None)
    states, steps = len(one.states - other.states), len(one.steps - other.steps)
    shown = _shortest(one, other)
    if shown is None:
        if one.graph.stopped is not None:
            return Direction("unknown", 0, 0, None)
        return Direction("none-within-bounds" if one.cuts else "none", 0, 0, None)
    return Direction("some-within-bounds" if other.cuts else "some", states, steps, shown)


def _shortest(one: _Explored, other: _Explored) -> Trace | None:
    """The first run, of the shortest, that begins as `other` does not, or ends in a step that `other` does not take."""
    graph = one.graph
    for number, arguments in graph.initial.items():
        if one.projected[number] not in other.begins:
            return _run(one, other, Finding(DIFFERENCE, None, arguments, ()))
    came: dict[int, tuple[int, Instance]] = {}
    for number in range(len(graph.states)):  # In breadth-first order.
        for instance, _, step in one.steps_of(number):
            if step not in other.steps:
                return _run(one, other, _finding(graph, came, number, instance))
        for instance_number, target in graph.edges[number]:
            if target > number and target not in graph.initial:
                came.setdefault(target, (number, graph.instances[instance_number]))
    return None


def _finding(graph: Graph, came: dict[int, tuple[int, Instance]], number: int, last: Instance) -> Finding:
    steps = [last]
    while number in came:
        number, instance = came[number]
        steps.append(instance)
    return Finding(DIFFERENCE, None, graph.initial[number], tuple(reversed(steps)))


def _run(one: _Explored, other: _Explored, finding: Finding) -> Trace:
    what = "no such last step" if finding.steps else "no such beginning"
    with one.system:
        run = trace(one.system, finding, one.what.name, one.what.variant)
    return replace(run, sentence=f"{other.system.name} has {what}")
