"""The reference engine: exact breadth-first search, the oracle of every other engine.

What all engines must agree on, for every specification and every choice of bounds:

*Order.* First in, first out. Initial states in order of the arguments of `@init`; from each state the actions in
order of declaration, each with its arguments in canonical order (see `choices`).

*Counts.* `states` are distinct states, or orbits under symmetry. `transitions` are the enabled action instances of
all expanded states, those that lead back to known states included, plus the number of initial states generated, as
TLC counts. `depth` is the length of the longest shortest path, 0 if there are initial states only. A transition that
passes a bound is cut: counted under the bound, not under `transitions`. So is, under the name of the constraint, a transition or an
initial state of which a constraint is false: the first such constraint, once the action has ended.

*Checks.* A state is checked when it is first generated: invariants, then lemmas, each in order of declaration; of an initial
state, then whether a mapping leads to an abstract initial state. Step properties, and mappings after them, are checked on
every transition, with the successor as it was generated, before it is replaced by the representative of its orbit. With a
`@terminal`, a state that is expanded and has neither an enabled nor a cut transition must be terminal; otherwise it is a deadlock.
A `@reachable` is asked of every state, for all arguments, up to the end of the first level where it is true: so that an exception in it
is met in whatever order the states of a level are.

*Which violation.* The engine finishes the level in which it found one, so that the counts do not depend on where in
the level it was, then stops. It reports the shortest: a deadlock found while expanding level d has a trace of d
steps, any other violation one of d + 1, so the deadlock comes first. Among violations of equal length, the one
generated first: a transition's step properties come before the invariants of the state it leads to. An exception in
the specification ranks like a violation at the same place.

Cost: one dictionary entry and two numbers for each state. A path is rebuilt from its states (see `runs`).
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import prod
from typing import TYPE_CHECKING

from quorate.explore.choices import Choices, collections_of
from quorate.explore.engine import Covered, Finding, Measured, by_depth
from quorate.explore.limits import Watch
from quorate.explore.properties import Falsified, Properties
from quorate.explore.runs import Rebuilder
from quorate.explore.symmetry import Symmetry
from quorate.kinds import KINDS, ROLES, kind_of
from quorate.language.control import Cut
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, Failure, Method, State, System
from quorate.model.determinism import vouch

if TYPE_CHECKING:
    from quorate.explore.counting import Counts

NO_PARENT = -1


@dataclass(frozen=True)
class Found:
    """A violation or failure as the search meets it.

    `path` is the number of the last state of the path that leads there; with `beyond`, one more transition from that
    state is the violation. `method` is the property, or the action that raised.
    """

    kind: str
    steps: int
    path: int
    beyond: bool
    method: Method | None
    arguments: Arguments = ()
    failure: Failure | None = None


@dataclass
class Exploration:
    """What a search covered. `parents` gives for each state the number of the one it was first reached from."""

    states: list[State] = field(default_factory=list)
    parents: array[int] = field(default_factory=lambda: array("q"))
    transitions: int = 0
    depth: int = 0
    cuts: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    reached: dict[str, tuple[int, Arguments]] = field(default_factory=dict)
    found: Found | None = None
    stopped: str | None = None
    stuck: int = 0
    levels: list[int] = field(default_factory=list)

    def chain(self, number: int) -> list[State]:
        """The states of a shortest path from an initial state to the state `number`."""
        numbers = []
        while number != NO_PARENT:
            numbers.append(number)
            number = self.parents[number]
        return [self.states[number] for number in reversed(numbers)]


class _Stop(Exception):
    """The search must stop here."""


class TooMany(Exception):
    """A search that was to be done at once is not."""


class Few:
    """What a search may do that is to be done at once: so many transitions, for each of them so many instances of actions and properties
    that it tries, and so many seconds, should single instances take long. Whatever is more raises TooMany."""

    INSTANCES, SECONDS = 40, 2.0

    def __init__(self, transitions: int) -> None:
        self._most = self._transitions = transitions
        self._instances = self.INSTANCES * transitions
        self._deadline = time.process_time() + self.SECONDS

    def allow(self, methods: Iterable[Method]) -> None:
        """That the arguments which methods may be given are listed."""
        for method in methods:
            narrowed = collections_of(method) if method.declaration.kind == "action" else {}
            if prod(one.type.cardinality for one in method.parameters if one.name not in narrowed) > self._instances:
                raise TooMany

    def foresee(self, found: int, expanded: int) -> None:
        """That so many of the states that are found are expanded. It is given up early if there will be too many transitions, should the
        others have as many on average."""
        if (self._most - self._transitions) * found > self._most * expanded:
            raise TooMany

    def count(self, transitions: int = 0, instances: int = 0) -> None:
        """That something is done."""
        self._transitions -= transitions
        self._instances -= instances
        if min(self._transitions, self._instances) < 0 or time.process_time() > self._deadline:
            raise TooMany


class Search:
    """One breadth-first search. Make and run it inside the system's configuration."""

    def __init__(
        self,
        system: System,
        sorts: Sequence[type[Scalarset]] = (),
        watch: Watch | None = None,
        few: Few | None = None,
    ) -> None:
        """Raises TooMany if there is more to list than the `few` that are allowed."""
        self.system, self.watch, self.few = system, watch or Watch(), few
        if few is not None:
            few.allow(system.of(*ROLES, *KINDS))
        self.symmetry = Symmetry(system, sorts) if sorts else None
        self.properties = Properties(system)
        self.actions = [(action, Choices(system, action)) for action in system.actions]
        self.result = Exploration(actions=Counter({action.name: 0 for action in system.actions}))
        self._numbers: dict[State, int] = {}
        self._unreached = list(self.properties.reachable)
        self.counts = self._counts() if self.watch.coverage else None

    def run(self) -> Exploration:
        """Explore until everything is seen, a level has a violation, or the watch says stop.

        Raises Failure if @init fails, and TooMany once there is more than a `few`, or will be."""
        result = self.result
        try:
            result.cuts += self.system.excluded_initially()
            for _, state in self.system.initial():
                self._count(1)
                self._meet(state, NO_PARENT)
            level = range(len(result.states))
            result.levels.append(len(level))
            while level and result.found is None:
                self._unreached = [wanted for wanted in self._unreached if wanted[0].name not in result.reached]
                for number in level:
                    self._look(len(result.states) - number)
                    self._expand(number)
                    if self.few is not None:
                        self.few.foresee(len(result.states), number + 1)
                level = range(level.stop, len(result.states))
                if level:
                    result.depth += 1
                    result.levels.append(len(level))
        except _Stop as stop:
            result.stopped = str(stop)
        return result

    def _counts(self) -> Counts:
        from quorate.explore.counting import Counts  # It takes long to import, with the typed model.

        return Counts(self.system)

    def found(self) -> list[range]:
        """The numbers of the states of each level; the last may be one that was not finished."""
        ends = list(accumulate(by_depth(self.result.levels, len(self.result.states)), initial=0))
        return [range(begin, end) for begin, end in pairwise(ends)]

    def met_by(self, before: range, after: range) -> dict[int, int]:
        """For each state of a level the first action, by its number, that leads there from the level before."""
        first: dict[int, int] = {}
        for number in before:
            for position, (action, choices) in enumerate(self.actions):
                for arguments in self._choices(choices, action, self.result.states[number], number):
                    try:
                        successor = self.system.fire(self.result.states[number], action, arguments)
                    except (Cut, Failure):
                        continue
                    if successor is not None:
                        state = successor.state if self.symmetry is None else self.symmetry(successor.state)
                        target = self._numbers.get(state, NO_PARENT)
                        if target in after:
                            first[target] = min(first.get(target, position), position)
        return first

    def _look(self, frontier: int) -> None:
        result = self.result
        reason = self.watch.look(len(result.states), result.transitions, result.depth, frontier)
        if reason is not None:
            raise _Stop(reason)

    def _count(self, transitions: int) -> None:
        self.result.transitions += transitions
        if self.few is not None:
            self.few.count(transitions)

    def _expand(self, number: int) -> None:
        result, fire = self.result, self.system.fire
        state = result.states[number]
        possible = False
        if self.counts is not None:
            self.counts.expand(state)
        for action, choices in self.actions:
            count = 0
            for arguments in self._choices(choices, action, state, number):
                if self.few is not None:
                    self.few.count(instances=1)
                try:
                    successor = fire(state, action, arguments)
                except Cut as cut:
                    result.cuts[cut.bound] += 1
                    possible = True
                    continue
                except Failure as failure:
                    self._note(Found("error", result.depth + 1, number, True, action, arguments, failure))
                    possible = True
                    continue
                if successor is None:
                    continue
                count += 1
                if self.properties.steps:
                    self._check_step(number, state, successor.state)
                self._meet(successor.state, number)
            if count:
                possible = True
                self._count(count)
                result.actions[action.name] += count
        if not possible:
            if self.properties.terminal is None:
                result.stuck += 1
            else:
                self._check_end(number, state, self.properties.terminal)

    def _choices(self, choices: Choices, action: Method, state: State, number: int) -> Sequence[Arguments]:
        try:
            return choices(state)
        except Failure as failure:
            self._note(Found("error", self.result.depth + 1, number, True, action, (), failure))
            return ()

    def _meet(self, state: State, parent: int) -> None:
        """Take note of a state that was generated."""
        result = self.result
        if self.symmetry is not None:
            state = self.symmetry(state)
        if state in self._numbers:
            return
        if self.watch.full(len(result.states)):
            raise _Stop(self.watch.states_reason())
        if self.few is not None:
            self.few.count(instances=self.properties.instances)
        number = self._numbers[state] = len(result.states)
        result.states.append(state)
        result.parents.append(parent)
        steps = 0 if parent == NO_PARENT else result.depth + 1
        false = self.properties.falsified(state)
        if false is None and parent == NO_PARENT:
            false = self.properties.begins_wrongly(state)
        if false is not None:
            self._note(_falsified(false, steps, number, beyond=False))
        if self._unreached:
            self._check_reachable(state, steps, number)

    def _check_step(self, number: int, old: State, new: State) -> None:
        false = self.properties.falsified_by_step(old, new)
        if false is not None:
            self._note(_falsified(false, self.result.depth + 1, number, beyond=True))

    def _check_reachable(self, state: State, steps: int, number: int) -> None:
        view = self.system.view(state)
        for wanted in self._unreached:
            try:
                arguments = self.properties.satisfying(wanted, view)
            except Failure as failure:
                self._note(Found("error", steps, number, False, wanted[0], (), failure))
                continue
            if arguments is not None:
                self.result.reached.setdefault(wanted[0].name, (number, arguments))

    def _check_end(self, number: int, state: State, terminal: Method) -> None:
        depth = self.result.depth
        try:
            if not self.properties.holds(terminal, state, ()):
                self._note(Found("deadlock", depth, number, False, None))
        except Failure as failure:
            self._note(Found("error", depth, number, False, terminal, (), failure))

    def _note(self, found: Found) -> None:
        known = self.result.found
        if known is None or found.steps < known.steps:
            self.result.found = found


def _falsified(false: Falsified, steps: int, path: int, beyond: bool) -> Found:
    kind = "error" if false.failure else kind_of(false.method.declaration.kind).shown_as
    return Found(kind, steps, path, beyond, false.method, false.arguments, false.failure)


def explore(
    system: System, sorts: Sequence[type[Scalarset]], watch: Watch, workers: int, few: Few | None = None
) -> Covered:
    """The reference engine as `quorate.explore.engine` wants it; it has one worker. Raises TooMany as `Search.run` does."""
    vouch(system)
    search = Search(system, sorts, watch, few)
    result = search.run()
    return Covered(
        len(result.states),
        result.transitions,
        result.depth,
        dict(sorted(result.cuts.items())),
        dict(result.actions),
        frozenset(result.reached),
        _finding(search),
        result.stopped,
        stuck=result.stuck,
        levels=by_depth(result.levels, len(result.states)),
        counted=tuple(search.counts.counters) if search.counts is not None else (),
        measured=_measured(search) if watch.profile else None,
    )


def _measured(search: Search) -> Measured:
    """What made the states, from the states of each level."""
    states = search.result.states
    new = [0] * len(search.actions)
    for before, after in pairwise(search.found()):
        for number in search.met_by(before, after).values():
            new[number] += 1
    parts = range(len(search.system.variables))
    values = [len({state[part] for state in states}) for part in parts]
    others = [len({(*state[:part], *state[part + 1 :]) for state in states}) for part in parts]
    return Measured(tuple(new), tuple(values), tuple(others))


def _finding(search: Search) -> Finding | None:
    found = search.result.found
    if found is None:
        return None
    rebuild = Rebuilder(search.system, search.symmetry, search.properties)
    chain = search.result.chain(found.path)
    if found.beyond:
        return rebuild.step_violation(chain, found.kind)
    return rebuild.state_violation(chain, found.kind, found.method)
