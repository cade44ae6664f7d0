"""Liveness: is there a fair run for ever on which something that must happen does not?

Runs are infinite; a run may stutter, that is, stay in a state for ever. `@action(fair="weak")` says of every instance
of the action (with given arguments) that a run on which it is enabled for ever from some time on takes it again and
again; `fair="strong"` says so of a run on which it is enabled again and again. As in TLA+, *enabled* means: able to
change the state, and *taken*: changing it. An instance that a bound cuts counts as enabled and is never taken, so
that no run that leans on a bound is fair: bounds give no false alarm (and may hide a true one, which is why the
verdict is then `holds within bounds`).

`@eventually p` is violated by a fair run without p; `@leads_to (p, q)` by a fair run with a p after which, and at
which, q is false for ever. In a finite graph there is such a run exactly if there is a lasso: a path from an initial
state to a set C of states that are strongly connected within the states allowed after it, where a run that visits all
of C for ever is fair. An instance of weak fairness rules C out if it is enabled in all of C and taken by no
transition within it; then it rules out every subset as well. One of strong fairness rules C out if it is enabled
somewhere and taken nowhere in C; then only subsets without the states that enable it remain (Streett's condition;
Emerson & Lei 1987). Components are found by networkx; a single state is one too, because of stuttering.

The counterexample has the shortest possible stem, and a loop that does what fairness demands. Symmetry reduction
would mix up instances, so liveness is checked on the full graph.

Cost: the whole graph in memory; time linear in it for every property and choice of arguments, times the nesting of
strong fairness.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from quorate.explore.choices import Choices
from quorate.explore.engine import Finding, Instance, Lasting
from quorate.explore.graph import Graph, build
from quorate.explore.limits import Watch
from quorate.kinds import LIVENESS, Acceptance, Begins, Breaks, kind_of
from quorate.language.control import Cut
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, Failure, Method, State, System

Layered = tuple[int, bool]
"""A state, and whether the obligation of a `leads_to` (from the start on, for `eventually`) is pending."""


def explore(system: System, sorts: Sequence[type[Scalarset]], watch: Watch) -> Lasting:
    """The reference engine as `quorate.explore.engine.LIVENESS` wants it: graph by networkx, one property after the other."""
    full = build(system, sorts, watch, unfolded=True)
    finding = check(full) if full.stopped is None else None
    changing = sum(target != number for number, edges in enumerate(full.edges) for _, target in edges)
    return Lasting(len(full.states), changing, finding, full.stopped)


def check(graph: Graph) -> Finding | None:
    """The first violated liveness property, in order of declaration and arguments: a lasso. None if all hold."""
    return next(findings(graph), None)


def findings(graph: Graph) -> Iterator[Finding]:
    """For each liveness property and arguments that are violated, in order: a lasso, or a run to where the property raises."""
    system = graph.system
    fairness = Fairness(graph)
    for method in system.of(*LIVENESS):
        for arguments in Choices(system, method).fixed or ():
            try:
                begins, allowed = _obligations(graph, method, arguments)
            except _Raised as raised:
                path = _path(graph, raised.number)
                yield _finding(graph, "error", method, arguments, path, [], str(raised.failure))
                continue
            lasso = Lasso(graph, fairness, begins, allowed).find()
            if lasso is not None:
                yield _finding(graph, kind_of(method.declaration.kind).shown_as, method, arguments, *lasso)


def acceptance_of(method: Method) -> Acceptance:
    """Which runs violate a liveness property. Raises LookupError for any other, and for a kind that is not searched for yet."""
    acceptance = kind_of(method.declaration.kind).acceptance
    if acceptance is None or acceptance.breaks is not Breaks.NEVER_FULFILLED:
        raise LookupError(f"runs that violate @{method.declaration.kind} are not searched for")
    return acceptance


@dataclass
class _Raised(Exception):
    number: int
    failure: Failure


def values(system: System, method: Method, state: State, arguments: Arguments) -> tuple[bool, bool]:
    """(begins, fulfils): whether an obligation begins in a state, and whether it is fulfilled there. Raises
    Failure."""
    value = system.evaluate(method, state, arguments)
    is_pair = kind_of(method.declaration.kind).is_pair
    if not is_pair:
        value = (True, value)
    if not isinstance(value, tuple) or len(value) != 2 or not all(isinstance(part, bool) for part in value):
        raise Failure(
            f"{system.name}.{method.name} must return "
            f"{'a pair of bools (p, q)' if is_pair else 'True or False'}, "
            f"and returned {value!r}."
        )
    return value


def _obligations(graph: Graph, method: Method, arguments: Arguments) -> tuple[list[bool], list[bool]]:
    """For each state, whether an unfulfilled obligation begins there, and whether one can remain pending there.

    The obligation of an `eventually` begins in the initial states only."""
    begins, allowed = [], []
    for number, state in enumerate(graph.states):
        try:
            begin, fulfilled = values(graph.system, method, state, arguments)
        except Failure as failure:
            raise _Raised(number, failure) from None
        initial_only = acceptance_of(method).begins is Begins.INITIALLY
        begins.append(begin and not fulfilled and (not initial_only or number in graph.initial))
        allowed.append(not fulfilled)
    return begins, allowed


class Fairness:
    """For each state of a graph: the weakly and the strongly fair instances that are enabled there."""

    def __init__(self, graph: Graph) -> None:
        demand = [action.declaration.fair for action, _ in graph.instances]
        self.weak = [self._enabled(graph, number, demand, "weak") for number in range(len(graph.states))]
        self.strong = [self._enabled(graph, number, demand, "strong") for number in range(len(graph.states))]

    @staticmethod
    def _enabled(graph: Graph, number: int, demand: Sequence[str | None], kind: str) -> frozenset[int]:
        changing = (instance for instance, target in graph.edges[number] if target != number)
        return frozenset(instance for instance in (*changing, *graph.cuts[number]) if demand[instance] == kind)

    def fair_to_stay(self, number: int) -> bool:
        """Whether a run may stutter in a state for ever."""
        return not self.weak[number] and not self.strong[number]

    def demands(self, component: Collection[int], taken: Collection[int]) -> tuple[set[int], set[int]]:
        """The weakly and the strongly fair instances that rule out a component, given the instances taken within
        it."""
        weak = frozenset.intersection(*(self.weak[number] for number in component)).difference(taken)
        strong = set[int]().union(*(self.strong[number] for number in component)).difference(taken)
        return set(weak), strong


class Lasso:
    """The search for one lasso. For each state: `begins`, whether an unfulfilled obligation begins there; `allowed`, whether one
    can remain pending there."""

    def __init__(self, graph: Graph, fairness: Fairness, begins: list[bool], allowed: list[bool]) -> None:
        self._graph, self._fairness = graph, fairness
        self._begins, self._allowed = begins, allowed

    def find(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]] | None:
        """The steps of the stem and of the loop, each as (instance, state reached), after the number of the first
        state."""
        pending = self._pending()
        component_of: dict[int, frozenset[int]] = {}
        for component in self._fair_components(pending):
            for number in component:
                component_of[number] = component
        if not component_of:
            return None
        stem = self._stem(component_of)
        end = stem[-1][1]
        if self._fairness.fair_to_stay(end):
            return stem, []
        return stem, self._loop(end, component_of[end])

    def _pending(self) -> set[int]:
        """All states in which an obligation can be pending."""
        found = {number for number, begins in enumerate(self._begins) if begins}
        waiting = deque(sorted(found))
        while waiting:
            for _, target in self._graph.edges[waiting.popleft()]:
                if self._allowed[target] and target not in found:
                    found.add(target)
                    waiting.append(target)
        return found

    def _fair_components(self, region: set[int]) -> Iterator[frozenset[int]]:
        import networkx

        waiting = [region]
        while waiting:
            within = waiting.pop()
            directed: networkx.DiGraph[int] = networkx.DiGraph()
            directed.add_nodes_from(sorted(within))
            directed.add_edges_from(
                (number, target) for number in sorted(within) for target in self._targets(number, within)
            )
            for found in networkx.strongly_connected_components(directed):
                component = frozenset(found)
                weak, strong = self._fairness.demands(component, self._taken(component))
                if strong and not weak:
                    waiting.append({number for number in component if not self._fairness.strong[number] & strong})
                elif not weak:
                    yield component

    def _targets(self, number: int, within: Collection[int]) -> list[int]:
        return [target for _, target in self._graph.edges[number] if target != number and target in within]

    def _taken(self, component: Collection[int]) -> set[int]:
        return {
            instance
            for number in component
            for instance, target in self._graph.edges[number]
            if target != number and target in component
        }

    def _stem(self, goals: Collection[int]) -> list[tuple[int, int]]:
        """The first shortest path on which an obligation begins and remains pending until a state of `goals`."""
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
            here = waiting.popleft()
            arrivals = (arrive(target, here[1], (here, instance)) for instance, target in self._graph.edges[here[0]])
            goal = next(filter(None, arrivals), None)
        return _walk(came, goal)

    def _loop(self, begin: int, component: frozenset[int]) -> list[tuple[int, int]]:
        """A round trip within a component that takes or disables what fairness demands, always the nearest first."""
        strong = set[int]().union(*(self._fairness.strong[number] for number in component))
        weak = set(self._fairness.weak[begin])
        steps: list[tuple[int, int]] = []
        here = begin
        while strong or weak:
            steps += self._towards(here, component, self._event(strong, weak))
            taken, here = steps[-1]
            strong -= {taken}
            weak = (weak - {taken}) & self._fairness.weak[here]
        if here != begin:
            steps += self._towards(here, component, lambda _, target: target == begin)
        return steps

    def _event(self, strong: Collection[int], weak: Set[int]) -> Callable[[int, int], bool]:
        """Whether a step, given its instance and the state it reaches, takes one of these instances or disables a weakly fair one."""
        return lambda step, target: step in strong or step in weak or not weak <= self._fairness.weak[target]

    def _towards(
        self, begin: int, component: frozenset[int], satisfied: Callable[[int, int], bool]
    ) -> list[tuple[int, int]]:
        """The first shortest path within a component whose last step satisfies a condition on (instance, state
        reached)."""
        came: dict[int, tuple[int, int] | None] = {begin: None}
        waiting = deque([begin])
        while waiting:
            here = waiting.popleft()
            for instance, target in self._graph.edges[here]:
                if target == here or target not in component:
                    continue
                if satisfied(instance, target):
                    return [*_back(came, here), (instance, target)]
                if target not in came:
                    came[target] = (here, instance)
                    waiting.append(target)
        raise AssertionError("a strongly connected component has a path to everything in it")


def _back(came: dict[int, tuple[int, int] | None], number: int) -> list[tuple[int, int]]:
    steps = []
    while (origin := came[number]) is not None:
        steps.append((origin[1], number))
        number = origin[0]
    return steps[::-1]


def _walk(came: dict[Layered, tuple[Layered, int] | None], goal: Layered) -> list[tuple[int, int]]:
    """The path to `goal`; its first entry is (-1, number of the initial state)."""
    steps = []
    here = goal
    while (origin := came[here]) is not None:
        steps.append((origin[1], here[0]))
        here = origin[0]
    return [(-1, here[0]), *steps[::-1]]


def _path(graph: Graph, goal: int) -> list[tuple[int, int]]:
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


def _finding(
    graph: Graph,
    kind: str,
    method: Method,
    arguments: Arguments,
    stem: Sequence[tuple[int, int]],
    loop: Sequence[tuple[int, int]],
    message: str | None = None,
) -> Finding:
    steps = tuple(graph.instances[instance] for instance, _ in [*stem[1:], *loop])
    return Finding(
        kind,
        method,
        graph.initial[stem[0][1]],
        steps,
        arguments,
        loop=None if message is not None else len(stem) - 1,
        message=message,
    )


def objection(
    system: System, method: Method, arguments: Arguments, states: Sequence[State], steps: Sequence[Instance], loop: int
) -> str | None:
    """Why a lasso does not violate a liveness property, or None if it does. `states` has one more entry than `steps`.

    An independent, direct check of what `check` finds: it looks at the lasso alone."""
    if states[-1] != states[loop]:
        return f"the loop does not close: the last state is not the one after step {loop}"
    pending = False
    for position, state in enumerate(states):
        begins, fulfilled = values(system, method, state, arguments)
        starts = begins and (position == 0 or acceptance_of(method).begins is Begins.ANYWHERE)
        pending = not fulfilled and (pending or starts)
    circle = [values(system, method, state, arguments)[1] for state in states[loop:]]
    if not pending or any(circle):
        return f"{method.name} is fulfilled on the run"
    return _unfair(system, states[loop:], steps[loop:])


def _unfair(system: System, states: Sequence[State], steps: Sequence[Instance]) -> str | None:
    taken = {
        (action.name, arguments)
        for (action, arguments), before, after in zip(steps, states, states[1:], strict=False)
        if before != after
    }
    for action in system.actions:
        if action.declaration.fair is None:
            continue
        choices = Choices(system, action)
        enabled = [set(_able(system, action, choices(state), state)) for state in states]
        demanded = set.union(*enabled) if action.declaration.fair == "strong" else set.intersection(*enabled)
        for arguments in sorted(demanded, key=repr):
            if (action.name, arguments) not in taken:
                call = f"{action.name}({', '.join(map(repr, arguments))})"
                return f"the run is not fair: {call} stays possible and is never taken"
    return None


def _able(system: System, action: Method, choices: Iterable[Arguments], state: State) -> Iterator[Arguments]:
    for arguments in choices:
        try:
            successor = system.fire(state, action, arguments)
        except Cut:
            yield arguments
            continue
        if successor is not None and successor.state != state:
            yield arguments
