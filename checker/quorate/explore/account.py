"""A second account of a specification: CPython alone, all arguments, no symmetry, and the definitions.

What an engine says is held against it before it counts. Of a small specification all states are seen: then states, transitions,
depth, cuts, and what is said of each property of runs, must be the same. Of a larger one, what there is time for is seen. That is
a part of all runs, so nothing in it may be wrong, and no fair run may stay in it that violates what holds. Nothing is taken over from
the engines: `System` says what methods mean, and what fairness demands is read from the declarations anew. (`audit` looks at more
states, keeps none of their steps, and asks nothing of runs that do not end.)
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from time import monotonic

from quorate.errors import SpecError
from quorate.explore.choices import Choices
from quorate.explore.engine import Covered, Disagreement, Instance, Lasting
from quorate.explore.fair_runs import Demand, Runs
from quorate.explore.limits import Watch
from quorate.kinds import ENDS, GOALS, INVARIANTS, LIVENESS, MAPPING, STEPS, kind_of
from quorate.language.control import Cut
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, Failure, Method, State, System
from quorate.language.types import Renaming

SEED = 20110301
SHARE = 0.025
"""An account takes this share of the time that the check has taken so far, and no more than `SECONDS_MAX`."""
TRIES_MIN, PATIENCE_S, SECONDS_MAX = 1_000, 0.25, 5.0
"""So many instances of actions and properties are tried even if there is less time, unless that takes `PATIENCE_S`."""
ARGUMENTS_MAX = 300
"""Of an action with more arguments those are tried that its guards leave; `choices` sees by itself that no other can happen."""

HOLDS, UNJUDGED, VIOLATED = range(3)
VERDICTS = ("holds", "is not judged", "is violated")


class _Late(Exception):
    """There is no more time."""


@dataclass(frozen=True)
class Seen:
    """All that can happen in a state: steps, with the number of the state that each leads to, and what a bound cuts."""

    steps: Sequence[tuple[Instance, int]]
    cuts: Sequence[tuple[Instance, str]]


class Account:
    """What CPython has seen of a system. Make and use it inside the system's configuration. What contradicts it is a
    Disagreement."""

    def __init__(self, system: System, watch: Watch) -> None:
        self._system, self._watch = system, watch
        self._states, self._numbers = list[State](), dict[State, int]()
        self._seen, self._waiting = dict[int, Seen](), list[int]()
        self._initial: list[int] | None = None
        self._reached, self._raised = set[str](), dict[str, Failure]()
        self._choices = dict[str, Choices]()
        self._chance = random.Random(SEED)
        self._tried, self._begin, self._seconds = 0, 0.0, 0.0

    @property
    def is_whole(self) -> bool:
        """Whether all states were seen."""
        return self._initial is not None and not self._waiting

    def look(self) -> None:
        """See states, as far as there is time. Call it when a search has found nothing wrong."""
        with self._timed():
            if self._initial is None:
                beginnings = [state for _, state in self._system.initial()]
                for beginning in filter(self._system.begins, beginnings):
                    self._judge(self._system.of(MAPPING), beginning)
                self._initial = list(map(self._number, beginnings))
            while self._waiting:
                is_last = self._chance.random() < 0.5  # It is far from the beginning.
                position = len(self._waiting) - 1 if is_last else self._chance.randrange(len(self._waiting))
                number = self._waiting[position]
                self._seen[number] = self._see(self._states[number])
                del self._waiting[position]

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Within it there is so much time; `_try` raises its end."""
        self._tried, self._begin = 0, monotonic()
        self._seconds = min(self._watch.seconds * SHARE, SECONDS_MAX)
        kept, self._system.waiting = self._system.waiting, self._try
        try:
            yield
        except _Late:
            pass
        except Failure as failure:
            raise self._other(f"an error: {failure}") from None
        finally:
            self._system.waiting = kept

    def _try(self) -> None:
        """Whatever is tried is counted. Raises _Late."""
        self._tried += 1
        passed = monotonic() - self._begin
        is_late = passed > (self._seconds if self._tried >= TRIES_MIN else max(self._seconds, PATIENCE_S))
        if is_late or self._watch.is_interrupted:
            raise _Late

    def _number(self, state: State) -> int:
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
            self._waiting.append(number)
        return number

    # What is wrong in states and steps

    def _see(self, state: State) -> Seen:
        """What can happen in a state, of which everything must be true that is claimed of states and steps."""
        system = self._system
        self._judge(system.of(*INVARIANTS), state)
        for goal in system.of(*GOALS):
            try:
                if goal.name not in self._reached and any(self._value(*one, state) for one in self._claims([goal])):
                    self._reached.add(goal.name)
            except Failure as failure:
                self._raised.setdefault(goal.name, failure)
        steps, cuts = list[tuple[Instance, int]](), list[tuple[Instance, str]]()
        for instance in self._instances(state):
            try:
                successor = system.fire(state, *instance)
            except Cut as cut:
                cuts.append((instance, cut.bound))
                continue
            if successor is not None:
                self._judge(system.of(*STEPS), successor.state, state)
                steps.append((instance, self._number(successor.state)))
        if not steps and not cuts:
            self._judge(system.of(*ENDS), state)
        return Seen(steps, cuts)

    def _instances(self, state: State) -> Iterator[Instance]:
        """What may happen in a state."""
        for action in self._system.actions:
            if prod(parameter.type.cardinality for parameter in action.parameters) <= ARGUMENTS_MAX:
                yield from self._claims([action])
                continue
            try:
                if action.name not in self._choices:
                    self._choices[action.name] = Choices(self._system, action)
            except SpecError:  # There are too many to list, and a search tries those that its guards leave.
                raise _Late from None
            for arguments in self._choices[action.name](state):
                self._try()
                yield action, arguments

    def _claims(self, methods: Iterable[Method]) -> Iterator[Instance]:
        """Methods with all of their arguments."""
        for method in methods:
            for arguments in self._system.choices(method.parameters):
                self._try()
                yield method, arguments

    def _judge(self, methods: Iterable[Method], state: State, old: State | None = None) -> None:
        """Raises Disagreement if something that is claimed of a state or step is false."""
        for method, arguments in self._claims(methods):
            if not self._value(method, arguments, state, old):
                raise self._other(f"{method.call(arguments)} is not true of {self._shown(state)}")

    def _value(self, method: Method, arguments: Arguments, state: State, old: State | None = None) -> bool:
        value = self._system.evaluate(method, state, arguments, old)
        if value is not True and value is not False:
            raise self._system.not_a_bool(method, arguments, value)
        return bool(value)

    def _shown(self, state: State) -> str:
        return ", ".join(f"{one.name} = {value!r}" for one, value in zip(self._system.variables, state, strict=True))

    def _other(self, what: str) -> Disagreement:
        return Disagreement(f"{self._system.name}: what an engine says is not what CPython finds: {what}")

    # All states

    def compare(self, covered: Covered, sorts: Sequence[type[Scalarset]]) -> None:
        """Hold a search that came to its end, and found nothing wrong, against what was seen: all states, or a part of what it met."""
        for goal, failure in self._raised.items():
            if goal not in covered.reached:  # Of a goal that is reached no more is asked.
                raise self._other(f"an error: {failure}")
        counted = [self._counted(number) for number in self._seen]
        for what, said, found in (
            ("happens", +Counter(covered.actions), [name for fired, _ in counted for name in fired]),
            ("cuts", +Counter(covered.cuts), [name for _, cuts in counted for name in cuts]),
            ("comes true", covered.reached, self._reached),
        ):
            for name in found:
                if name not in said:
                    raise self._other(f"{name} {what}")
        if self._initial is None or self._waiting:
            return
        with self._timed():
            self._compare(covered, self._orbits(sorts), len(self._initial))

    def _compare(self, covered: Covered, orbits: Sequence[Sequence[int]], beginnings: int) -> None:
        fired, cuts, levels = Counter[str](), Counter(self._system.excluded_initially()), Counter[int]()
        distances = self._distances()
        for orbit in orbits:
            first = self._counted(orbit[0])
            for number in orbit[1:]:
                if self._counted(number) != first:
                    raise self._other(f"renaming {self._shown(self._states[number])} changes what can happen")
            fired.update(first[0])
            cuts.update(first[1])
            levels[min(distances[number] for number in orbit)] += 1
        for what, said, found in (
            ("states", covered.states, len(orbits)),
            ("transitions", covered.transitions, beginnings + fired.total()),
            ("states of each level", tuple(covered.levels), tuple(levels[depth] for depth in range(len(levels)))),
            ("depth", covered.depth, max(levels)),
            ("actions that happen", +Counter(covered.actions), fired),
            ("cuts", +Counter(covered.cuts), cuts),
            ("goals", set(covered.reached), self._reached),
        ):
            if said != found:
                raise self._other(f"{what}: {found}, and not {said}")

    def _counted(self, number: int) -> tuple[Counter[str], Counter[str]]:
        """How often each action happens in a state, and each bound cuts one."""
        seen = self._seen[number]
        return Counter(action.name for (action, _), _ in seen.steps), Counter(bound for _, bound in seen.cuts)

    def _distances(self) -> dict[int, int]:
        found, waiting = dict.fromkeys(self._initial or (), 0), deque(self._initial or ())
        while waiting:
            number = waiting.popleft()
            for _, target in self._seen[number].steps:
                if target not in found:
                    found[target] = found[number] + 1
                    waiting.append(target)
        return found

    def _orbits(self, sorts: Sequence[type[Scalarset]]) -> list[list[int]]:
        """The states that were seen, together with those that renaming makes of them. Raises Disagreement if one that renaming makes was
        not seen, though all are there that it makes of initial ones."""
        swaps = Renaming.swaps(sorts)
        orbits, known, lacking = list[list[int]](), set[int](), dict[int, State]()
        for number in range(len(self._states)):
            if number in known:
                continue
            orbit, waiting = {self._states[number]}, [self._states[number]]
            while waiting:
                here = waiting.pop()
                for swap in swaps:
                    self._try()
                    there = self._system.renamed(here, swap)
                    if there not in orbit:
                        orbit.add(there)
                        waiting.append(there)
            orbits.append(sorted(self._numbers[state] for state in orbit if state in self._numbers))
            known.update(orbits[-1])
            lacking.update((number, state) for state in orbit - self._numbers.keys())
        begins_alike = not any(
            orbit[0] in lacking for orbit in orbits if not set(self._initial or ()).isdisjoint(orbit)
        )
        if lacking and begins_alike:
            raise self._other(
                f"{self._shown(next(iter(lacking.values())))} is not reachable, and is if members are renamed"
            )
        return orbits

    # Runs that go on for ever

    def compare_runs(self, lasting: Lasting) -> None:
        """Hold what is said of properties of runs against the states that were seen."""
        if self.is_whole:
            changing = sum(target != number for number, seen in self._seen.items() for _, target in seen.steps)
            said = lasting.states, lasting.transitions
            if said != (len(self._states), changing):
                raise self._other(f"{len(self._states)} states and {changing} steps that change them, and not {said}")
        with self._timed():
            specified, bounded = self._runs(bounded=False), self._runs(bounded=True)
            for method in self._system.of(*LIVENESS):
                verdict = _verdict(lasting, method)
                found = max((self._found(*one, specified, bounded) for one in self._claims([method])), default=HOLDS)
                if found > verdict or (self.is_whole and found != verdict):
                    raise self._other(
                        f"{method.name} {VERDICTS[found]}, and an engine says that it {VERDICTS[verdict]}"
                    )
                if verdict == VIOLATED:
                    return

    def _runs(self, bounded: bool) -> Runs:
        """The steps between states that were seen. What a bound cuts is possible, except in the bounded system."""
        steps, possible = dict[int, list[tuple[Demand | None, int]]](), dict[int, set[Demand]]()
        for number, seen in self._seen.items():
            changing = [(self._demand(one, number), target) for one, target in seen.steps if target != number]
            beyond = [] if bounded else [self._demand(one, number) for one, _ in seen.cuts]
            possible[number] = {what for what in (*(what for what, _ in changing), *beyond) if what is not None}
            steps[number] = [step for step in changing if step[1] in self._seen]
        strong = [action.name for action in self._system.actions if action.declaration.fair == "strong"]
        return Runs(steps, possible, strong, self._try)

    def _demand(self, instance: Instance, number: int) -> Demand | None:
        """The demand that an instance serves where it starts."""
        self._try()
        action, arguments = instance
        named = {parameter.name: value for parameter, value in zip(action.parameters, arguments, strict=True)}
        declaration, condition = action.declaration, self._system.fair_condition(action)
        if declaration.fair is None:
            return None
        if condition is not None:
            given = tuple(named[parameter.name] for parameter in condition.parameters)
            if not self._value(condition, given, self._states[number]):
                return None
        per = {"instance": tuple(named), "action": ()}.get(str(declaration.fair_per), declaration.fair_per)
        return action.name, tuple(value for name, value in named.items() if name in per)

    def _found(self, method: Method, arguments: Arguments, specified: Runs, bounded: Runs) -> int:
        """What fair runs do of what a property of runs claims, with given arguments; an error of it violates it, too."""
        try:
            return self._of_runs(method, arguments, specified, bounded)
        except Failure:
            return VIOLATED

    def _of_runs(self, method: Method, arguments: Arguments, specified: Runs, bounded: Runs) -> int:
        everywhere, p, q = set(self._seen), set[int](), set[int]()
        for number in everywhere:
            self._try()
            value = self._system.evaluate(method, self._states[number], arguments)
            match value if kind_of(method.declaration.kind).is_pair else (True, value):
                case (bool(first), bool(second)):
                    p |= {number} if first else set()
                    q |= {number} if second else set()
                case _:
                    raise self._system.not_a_bool(method, arguments, value)
        whole = specified
        specified, bounded = (self._untaken(runs, method, arguments) for runs in (specified, bounded))
        kind, initial = method.declaration.kind, everywhere.intersection(self._initial or ())
        match kind:
            case "always_from":
                return VIOLATED if specified.reached(initial & p, everywhere) - q else HOLDS
            case "eventually" | "eventually_from":
                within = visited = specified.reached((initial & p) - q, everywhere - q)
            case "leads_to" | "infinitely_often":
                within = visited = specified.reached(p - q, everywhere - q)
            case "eventually_always":
                within, visited = everywhere, everywhere - q
            case _:
                raise LookupError(kind)
        if any(home & visited for home in specified.homes(within)):
            return VIOLATED
        if any(home & visited for home in bounded.homes(within)):
            return UNJUDGED
        if kind in ("infinitely_often", "eventually_always") and any(seen.cuts for seen in self._seen.values()):
            inside = set[int]().union(*whole.homes(everywhere))  # Also where they take what is claimed to be taken.
            if self.is_whole and whole.leading(inside) != everywhere:
                return UNJUDGED  # From somewhere all fair runs leave the bounds.
        return HOLDS

    def _untaken(self, runs: Runs, method: Method, arguments: Arguments) -> Runs:
        """Without the steps that take what a method claims to be taken again and again, if it is such a claim."""
        if (taken := method.taken) is None:
            return runs
        steps = {
            number: [step for step in steps if not taken(self._states[number], self._states[step[1]], arguments)]
            for number, steps in runs.steps.items()
        }
        return replace(runs, steps=steps)


def _verdict(lasting: Lasting, method: Method) -> int:
    """What an engine says of a property of runs."""
    answers = [answer for answer in lasting.answers if answer.method.name == method.name]
    if any(answer.finding is not None for answer in answers):
        return VIOLATED
    return HOLDS if all(answer.judged for answer in answers) else UNJUDGED
