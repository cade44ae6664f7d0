"""Liveness: is there a fair run for ever on which something that must happen does not?

Runs are infinite; a run may stutter, that is, stay in a state for ever. What fairness demands of them is in `fairness.py`, the search
for a run that violates a property, a lasso, in `lasso.py`. Which runs those are is data: the `Acceptance` of each kind of property
(`quorate.kinds`) says where an obligation begins, and what a run does from there on that violates it.

**Bounds.** A run that a bound stops is unknown: neither a violation nor an excuse. So there are three answers.

- *Violated*: a lasso inside the bounds that is fair in the specification, where an instance that a bound cuts is possible. It is a real
  run, whatever lies beyond.
- *Not judged*: there is no such lasso, but one that is fair in the bounded system, where that instance is not possible. A run there has
  to leave the bounds, with the obligation pending, and nothing is known of what it does then. A property that says something of the end
  of runs is not judged, either, if in some state no fair run stays inside the bounds.
- *Holds* otherwise: also the bounded system, taken as a system of its own, satisfies the property. Of the states in which an obligation
  is pending, those are counted from which a run could leave the bounds by its own choice while it is.

The counterexample has the shortest possible stem, and a loop that does what fairness demands. Symmetry reduction would mix up
instances, so liveness is checked on the full graph.

Cost: the whole graph in memory; time linear in it for every property and choice of arguments, times the nesting of strong fairness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from quorate.explore.choices import Choices
from quorate.explore.engine import Answer, Finding, Instance, Lasting
from quorate.explore.graph import Graph, build
from quorate.explore.limits import Watch
from quorate.explore.liveness import fairness
from quorate.explore.liveness.fairness import Fairness
from quorate.explore.liveness.lasso import Lasso, Pending, Steps, path_to
from quorate.kinds import LIVENESS, UNJUDGED, Acceptance, Begins, Breaks, kind_of
from quorate.language.control import Cut
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, Failure, Method, State, System


def explore(system: System, sorts: Sequence[type[Scalarset]], watch: Watch, workers: int = 1) -> Lasting:
    """The reference engine as `quorate.explore.engine.LIVENESS` wants it: graph by networkx, one property after the other. It has one
    worker."""
    del workers
    full = build(system, sorts, watch, unfolded=True)
    found = answers_up_to_a_violation(answers(full)) if full.stopped is None else ()
    changing = sum(target != number for number, edges in enumerate(full.edges) for _, target in edges)
    return Lasting(len(full.states), changing, found, full.stopped)


def answers_up_to_a_violation(found: Iterator[Answer]) -> tuple[Answer, ...]:
    """The answers up to the first of a violation or an error."""
    judged = []
    for answer in found:
        judged.append(answer)
        if answer.finding is not None:
            break
    return tuple(judged)


def answers(graph: Graph) -> Iterator[Answer]:
    """What is known of each liveness property for each choice of its arguments, in order."""
    demands = Fairness(graph)
    for method in graph.system.of(*LIVENESS):
        for arguments in Choices(graph.system, method).fixed or ():
            yield Property(graph, demands, method, arguments).answer()


def findings(graph: Graph) -> Iterator[Finding]:
    """For each liveness property and arguments that are violated, in order: a lasso, or a run to where the property raises."""
    for answer in answers(graph):
        if answer.finding is not None:
            yield answer.finding


def acceptance_of(method: Method) -> Acceptance:
    """Which runs violate a property of runs. Raises LookupError for any other."""
    acceptance = kind_of(method.declaration.kind).acceptance
    if acceptance is None:
        raise LookupError(f"@{method.declaration.kind} is no claim about runs")
    return acceptance


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


@dataclass
class _Raised(Exception):
    number: int
    failure: Failure


class Property:
    """One property with given arguments, on a graph."""

    def __init__(self, graph: Graph, demands: Fairness, method: Method, arguments: Arguments) -> None:
        self.graph, self.demands, self.method, self.arguments = graph, demands, method, arguments
        self.acceptance = acceptance_of(method)
        self.begun = 0

    def answer(self) -> Answer:
        """What is known of it."""
        try:
            pending = self.pending()
        except _Raised as raised:
            path = path_to(self.graph, raised.number)
            error = self._finding("error", path, loop=None, message=str(raised.failure))
            return self._judged(replace(error, place=raised.failure.location))
        kind = kind_of(self.method.declaration.kind).shown_as
        lasso = Lasso(self.graph, self.demands.specified, pending)
        if self.acceptance.breaks is Breaks.ONCE_UNFULFILLED:
            stem = lasso.stem({number for number, accepting in enumerate(pending.accepting) if accepting})
            return self._judged(None if stem is None else self._finding(kind, stem, loop=None))
        found = lasso.find()
        if found is not None:
            stem, loop = found
            return self._judged(self._finding(kind, [*stem, *loop], loop=len(stem) - 1))
        return self._within_bounds(pending)

    def pending(self) -> Pending:
        """Where an obligation begins, and how runs that violate it go on."""
        begins, allowed, accepting = [], [], []
        never = self.acceptance.breaks is Breaks.NEVER_FULFILLED
        taken = self.method.taken
        initially = self.acceptance.begins is Begins.INITIALLY and taken is None
        for number, state in enumerate(self.graph.states):
            try:
                begin, fulfilled = values(self.graph.system, self.method, state, self.arguments)
            except Failure as failure:
                raise _Raised(number, failure) from None
            begin = begin and (not initially or number in self.graph.initial)
            self.begun += begin
            allowed.append(not (never and fulfilled))
            begins.append(begin and allowed[-1])
            accepting.append(never or not fulfilled)
        states = self.graph.states
        ending = frozenset(
            (number, target)
            for number, edges in enumerate(self.graph.edges)
            for target in ({target for _, target in edges} if taken is not None else ())
            if taken is not None and taken(states[number], states[target], self.arguments)
        )
        return Pending(begins, allowed, accepting, ending)

    def _within_bounds(self, pending: Pending) -> Answer:
        """What the bounds leave to be said where no fair run inside of them is a violation."""
        graph = self.graph
        region = pending.region(graph)
        cut = {number for number, cuts in enumerate(graph.cuts) if cuts}
        leaving = _reaching(graph, region, cut, pending.ending)
        if leaving:
            found = Lasso(graph, self.demands.bounded, pending).find()
            if found is not None:
                stem, loop = found
                forced = self._finding(UNJUDGED, [*stem, *loop], loop=len(stem) - 1)
                return self._judged(None, False, len(region), len(leaving), forced)
        if not cut or not self.acceptance.of_ends:
            return self._judged(None, True, len(region), len(leaving))
        everywhere = set(range(len(graph.states)))
        all_true = [True] * len(everywhere)
        whole = Lasso(
            graph, self.demands.specified, Pending([n in graph.initial for n in everywhere], all_true, all_true)
        )
        staying = _reaching(graph, everywhere, set[int]().union(*whole.fair_components()))
        return self._judged(None, staying == everywhere, len(everywhere), len(_reaching(graph, everywhere, cut)))

    def _judged(
        self,
        finding: Finding | None,
        judged: bool = True,
        pending: int = 0,
        leaving: int = 0,
        forced: Finding | None = None,
    ) -> Answer:
        return Answer(self.method, self.arguments, finding, judged, self.begun, pending, leaving, forced)

    def _finding(self, kind: str, path: Steps, *, loop: int | None, message: str | None = None) -> Finding:
        steps = tuple(self.graph.instances[instance] for instance, _ in path[1:])
        first = self.graph.initial[path[0][1]]
        return Finding(kind, self.method, first, steps, self.arguments, loop=loop, message=message)


def _reaching(
    graph: Graph, region: Collection[int], goals: Collection[int], without: Collection[tuple[int, int]] = ()
) -> set[int]:
    """The states of a region from which some of the goals in it is reached within it, without some steps."""
    before: dict[int, list[int]] = {}
    for number in region:
        for _, target in graph.edges[number]:
            if (number, target) not in without:
                before.setdefault(target, []).append(number)
    found = {number for number in region if number in goals}
    waiting = list(found)
    while waiting:
        for number in before.get(waiting.pop(), ()):
            if number not in found:
                found.add(number)
                waiting.append(number)
    return found


def objection(
    system: System,
    method: Method,
    arguments: Arguments,
    states: Sequence[State],
    steps: Sequence[Instance],
    loop: int | None,
    bounded: bool = False,
) -> str | None:
    """Why a run does not violate a property of runs, or None if it does. `states` has one more entry than `steps`; the run goes back
    to the state after step `loop` and repeats what follows for ever, or is finite. With `bounded`, it violates it in the bounded
    system.

    An independent, direct check of what is found: it looks at the run alone."""
    acceptance = acceptance_of(method)
    found = [values(system, method, state, arguments) for state in states]
    initially = acceptance.begins is Begins.INITIALLY
    begun = [begins and (position == 0 or not initially) for position, (begins, _) in enumerate(found)]
    fulfilled = [value for _, value in found]
    if acceptance.breaks is Breaks.ONCE_UNFULFILLED:
        return None if begun[0] and not all(fulfilled) else f"{method.name} is fulfilled on the run"
    if loop is None or states[-1] != states[loop]:
        return f"the loop does not close: the last state is not the one after step {loop}"
    if acceptance.breaks is Breaks.AGAIN_AND_AGAIN_UNFULFILLED:
        violated = any(begun) and not all(fulfilled[loop:])
    else:
        last = max((position for position, value in enumerate(fulfilled) if value), default=-1)
        violated = last < loop and any(begun[last + 1 :])
    if not violated:
        return f"{method.name} is fulfilled on the run"
    if method.taken is not None:
        for before, after in pairwise(states[loop:]):
            if method.taken(before, after, arguments):
                return f"{method.name} is fulfilled on the run: it is taken again and again"
    return fairness.objection(
        system, states[loop:], steps[loop:], [_possible(system, state, bounded) for state in states[loop:]]
    )


def _possible(system: System, state: State, bounded: bool) -> dict[fairness.Demand, Instance]:
    """The demands that are possible in a state, each with an instance of it. What a bound cuts is, except in the bounded system."""
    found: dict[fairness.Demand, Instance] = {}
    for action in system.actions:
        if action.declaration.fair is None:
            continue
        for arguments in Choices(system, action)(state):
            try:
                successor = system.fire(state, action, arguments)
            except Cut:
                if bounded:
                    continue
            else:
                if successor is None or successor.state == state:
                    continue
            demand = fairness.demand_of(system, (action, arguments), state)
            if demand is not None:
                found.setdefault(demand, (action, arguments))
    return found
