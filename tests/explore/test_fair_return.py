"""The point of no return among fair runs, against the definition: every set of states that a run could visit for ever is tried."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

import pytest
from quorate import Nat, Spec, action, require
from quorate.explore.choices import Choices
from quorate.explore.fair_return import fair_point_of_no_return
from quorate.explore.limits import Limits, Watch
from quorate.explore.liveness.fairness import Demand, demand_of
from quorate.explore.no_return import NoReturn, Way, point_of_no_return
from quorate.explore.reference import Search
from quorate.language.control import Cut
from quorate.language.spec import Spec as AnySpec
from quorate.language.system import Failure, State, System

from tests.generated import load, write

STATES_MAX = 9
"""So many states have few enough sets to try them all."""
COMPARED = 60


class Count(Nat, max=9):
    """How far it has come."""


class Candle(Spec):
    """A candle burns down; one may turn round beside it for ever, and may put it out until it is at three."""

    count: Count
    turned: bool
    out: bool

    @action(fair="weak")
    def burn(self) -> None:
        require(self.count < 5 and not self.out)
        self.count += 1

    @action
    def turn(self) -> None:
        self.turned = not self.turned

    @action
    def put_out(self) -> None:
        require(self.count <= 2)
        self.out = True


class Careless(Candle):
    """Nothing has to burn."""

    @action
    def burn(self) -> None:
        require(self.count < 5 and not self.out)
        self.count += 1


def both(spec: type[AnySpec], last: int) -> tuple[NoReturn, NoReturn]:
    """Of the run that burns until the last count, which is the violation: without fairness, and with it."""
    system = System(spec)
    with system:
        actions = [(one, Choices(system, one)) for one in system.actions]
        at = system.index["count"]
        start = next(system.initial())[1]
        states = [
            tuple(count if place == at else part for place, part in enumerate(start)) for count in range(last + 1)
        ]
        asked = (system, actions, states, lambda old, new: new[at] == last, Watch())
        return point_of_no_return(*asked), fair_point_of_no_return(*asked)


def test_who_turns_round_for_ever_only_puts_off_what_has_to_happen() -> None:
    without, fair = both(Candle, 5)
    assert without.step == 5 and without.escape is not None and without.escape.way is Way.CYCLE
    assert fair.step == 3 and fair.escape is not None and fair.escape.way is Way.CYCLE
    assert [one.name for one, _ in fair.escape.steps][-1] == "put_out"


def test_without_fair_actions_both_are_the_same() -> None:
    without, fair = both(Careless, 5)
    assert without.step == fair.step == 5


def test_a_search_that_is_ended_says_that_it_does_not_know() -> None:
    system = System(Candle)
    with system:
        actions = [(one, Choices(system, one)) for one in system.actions]
        start = next(system.initial())[1]
        ended = Watch(Limits(seconds=0))
        found = fair_point_of_no_return(system, actions, [start, start], lambda old, new: False, ended)
    assert found.step is None


class Definition:
    """A system with few states, of which some are bad, and what is so from each of the others by the definition."""

    def __init__(self, system: System, states: list[State], bad: set[State]) -> None:
        self.bad, self.leaves = bad, set[State]()
        self.safe: dict[State, set[State]] = {state: set() for state in states}
        self.possible: dict[State, set[Demand]] = {state: set() for state in states}
        self.takes: dict[tuple[State, State], set[Demand]] = {}
        self.enabled = set[State]()
        self.strong = {one.name for one in system.actions if one.declaration.fair == "strong"}
        for state in states:
            for one in system.actions:
                for arguments in Choices(system, one)(state):
                    self._instance(system, state, (one, arguments))

    def _instance(self, system: System, state: State, instance: tuple[object, ...]) -> None:
        try:
            successor = system.fire(state, *instance)  # type: ignore[arg-type]
        except Cut:
            self.leaves.add(state)
            return
        if successor is None:
            return
        self.enabled.add(state)
        demand = demand_of(system, instance, state)  # type: ignore[arg-type]
        if successor.state not in self.bad:
            self.safe[state].add(successor.state)
        if demand is not None and successor.state != state:
            self.possible[state].add(demand)
            self.takes.setdefault((state, successor.state), set()).add(demand)

    def reachable(self, start: State, within: set[State] | None = None) -> set[State]:
        found, waiting = {start}, [start]
        while waiting:
            for following in self.safe[waiting.pop()]:
                if following not in found and (within is None or following in within):
                    found.add(following)
                    waiting.append(following)
        return found

    def is_fair(self, visited: set[State]) -> bool:
        """Whether a fair run can visit these states for ever, and no others."""
        if any(self.reachable(state, visited) != visited for state in visited):
            return False
        if len(visited) == 1 and not visited <= set().union(*(self.safe[state] for state in visited)):
            return False
        moves = [(a, b) for a in visited for b in self.safe[a] if b in visited and a != b]
        taken = set[Demand]().union(*(self.takes.get(move, set()) for move in moves))
        for demand in set[Demand]().union(*(self.possible[state] for state in visited)) - taken:
            if demand[0] in self.strong or all(demand in self.possible[state] for state in visited):
                return False
        return True

    def avoids(self, start: State) -> bool:
        """Whether a fair run from here, which goes on while anything is possible, comes by no bad state."""
        region = self.reachable(start)
        if any(state in self.leaves or state not in self.enabled for state in region):
            return True
        sizes = range(1, len(region) + 1)
        return any(self.is_fair(set(some)) for size in sizes for some in combinations(sorted(region, key=repr), size))


def drawn() -> Iterator[tuple[int, System, list[State]]]:
    """Random specs with fair actions and few states, in which nothing raises."""
    seed = 0
    while True:
        seed += 1
        system = System(load(write(seed)))
        if not any(one.declaration.fair for one in system.actions):
            continue
        try:
            with system:
                found = Search(system, (), Watch(Limits(states=STATES_MAX))).run()
        except Failure:
            continue
        if found.stopped is None and found.found is None and len(found.states) >= 3:
            yield seed, system, found.states


@pytest.mark.slow
def test_it_is_what_the_definition_says_on_drawn_specs() -> None:
    """Whatever is bad, the point with fairness comes no later than that without."""
    tally = {"avoided": 0, "lost": 0, "earlier with fairness": 0}
    for (seed, system, states), _ in zip(drawn(), range(COMPARED), strict=False):
        chance = random.Random(seed)
        with system:
            actions = [(one, Choices(system, one)) for one in system.actions]
            bad = set(chance.sample(states, chance.randint(1, max(len(states) // 2, 1))))
            definition = Definition(system, states, bad)
            for start in states:
                if start in bad:
                    continue
                asked = (system, actions, [start, start], lambda old, new, bad=bad: new in bad, Watch())
                fair, plain = fair_point_of_no_return(*asked), point_of_no_return(*asked)
                assert fair.step is not None and plain.step is not None and fair.step <= plain.step, seed
                assert (fair.step == 1) == definition.avoids(start), (seed, start)
                tally["avoided" if fair.step == 1 else "lost"] += 1
                tally["earlier with fairness"] += fair.step < plain.step
    assert min(tally.values()) > 3, tally
