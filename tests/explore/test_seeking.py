"""A search from any state finds a shortest run, and finds one whenever there is one: compared with breadth-first search by hand."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from quorate import (
    Nat,
    Ordered,
    Scalarset,
    Spec,
    action,
    constraint,
    eventually,
    init,
    invariant,
    mapping,
    reachable,
    require,
)
from quorate.errors import UsageError
from quorate.explore import witness
from quorate.explore.choices import Choices
from quorate.explore.limits import Limits, Watch
from quorate.explore.runs import transitions
from quorate.explore.seeking import Aim, seek
from quorate.explore.traces.replay import _values
from quorate.language.system import Failure, State, System
from quorate.loading import load
from quorate.outcome import Holds, HoldsWithinBounds, Reached, Violated


class Process(Scalarset, size=2):
    """Somebody."""


class Number(Nat, max=2):
    """How often."""


def distances(system: System, start: State) -> dict[State, int]:
    """Every state that can be reached, with how far away it is."""
    actions = [(action, Choices(system, action)) for action in system.actions]
    found, waiting = {start: 0}, deque([start])
    while waiting:
        state = waiting.popleft()
        for _, after in transitions(system, actions, state):
            if not isinstance(after, Failure) and after not in found:
                found[after] = found[state] + 1
                waiting.append(after)
    return found


EXPRESSIONS = [
    "rm[rm3] == RM.COMMITTED",
    "rm[rm1] == RM.ABORTED and rm[rm2] == RM.PREPARED",
    "all(rm[r] == RM.COMMITTED for r in ResourceManager)",
    "len(prepared) == 2 and rm3 not in prepared",
    "rm[rm1] == RM.COMMITTED and rm[rm2] == RM.ABORTED",
    "tm == TM.COMMITTED and len(self.prepared) < 3",
]


@pytest.mark.slow
def test_runs_are_shortest_from_the_start_and_from_the_middle_also_where_members_are_named() -> None:
    spec = load("two_phase_commit").main
    system = System(spec)
    with system:
        start = next(system.initial())[1]
        everything = distances(system, start)
        middle = [state for state, steps in everything.items() if steps == 3][::9]
        for expression in EXPRESSIONS:
            for state in [start, middle[len(expression) % len(middle)]]:
                near = everything if state is start else distances(system, state)
                true: list[Any] = _values(system, expression, [(each, {}) for each in near])
                wanted = min(
                    (steps for (_, steps), value in zip(near.items(), true, strict=True) if value), default=None
                )
                outcome = seek(
                    spec, [((), state)], Aim("expression", expression), Watch(Limits(seconds=60), at_once=0), 1
                )
                assert outcome.engine == "native" and outcome.symmetry == ("ResourceManager",)
                if wanted is None:
                    assert isinstance(outcome, Holds | HoldsWithinBounds), expression
                else:
                    assert isinstance(outcome, Violated) and outcome.trace is not None
                    assert len(outcome.trace) == wanted, expression


def test_a_variable_may_be_called_as_what_keeps_a_member() -> None:
    class Lock(Spec):
        inside: set[Process]
        the_p1: Number
        never_reached: Number

        @action
        def enter(self, p: Process) -> None:
            require(len(self.inside) == 0)
            self.inside.add(p)
            self.the_p1 += 1

    with System(Lock) as system:
        start = next(system.initial())
    for expression, steps in (("p1 in inside and the_p1 == 1", 1), ("the_p1 == 1 and p2 in inside", 1)):
        outcome = seek(Lock, [start], Aim("expression", expression), Watch(), 1)
        assert isinstance(outcome, Violated) and outcome.trace is not None and len(outcome.trace) == steps


def test_what_the_compiled_subset_lacks_is_looked_for_by_the_reference_engine() -> None:
    spec = load("two_phase_commit").main.bounded(ResourceManager=2)
    with System(spec) as system:
        starts = list(system.initial())
    outcome = seek(spec, starts, Aim("expression", "str(tm) == 'TM.ABORTED'"), Watch(), 1)
    assert isinstance(outcome, Violated) and outcome.engine == "reference" and len(outcome.trace or ()) == 1


class Count(Nat, max=9):
    """How far it has come."""


class Stops(Spec):
    """It counts to three, and says nothing of where it may stop."""

    count: Count

    @action
    def up(self) -> None:
        require(self.count < 3)
        self.count += 1


def test_a_deadlock_is_looked_for_also_where_no_terminal_is_declared() -> None:
    with System(Stops) as system:
        starts = list(system.initial())
    outcome = seek(Stops, starts, Aim("deadlock"), Watch(), 1)
    assert isinstance(outcome, Violated) and len(outcome.trace or ()) == 3


def test_an_aim_that_the_specification_does_not_have_is_refused() -> None:
    for aim in (Aim("goal", "glory"), Aim("property", "glory"), Aim("violation"), Aim("expression", "count ==")):
        with pytest.raises(UsageError):
            seek(Stops, [], aim, Watch(), 1)


class Place(Ordered, size=2):
    """Where something may be put."""


class Filled(Spec):
    """Places are filled one by one."""

    full: set[Place]

    @action
    def fill(self, p: Place) -> None:
        self.full.add(p)

    @reachable
    def filled_in(self, order: list[Place]) -> bool:
        return self.full == set(order) and len(order) > 1


def test_a_goal_is_looked_for_within_the_bounds_of_its_own_parameters() -> None:
    """What is explored for it is another method, of another name."""
    found = witness(Filled.bounded(**{"Filled.filled_in.order": 2}), "filled_in")
    assert isinstance(found, Reached) and found.trace is not None
    assert (len(found.trace.steps), found.bounds["Filled.filled_in.order"]) == (1, 2)
    assert isinstance(witness(Filled.bounded(**{"Filled.filled_in.order": 1}), "filled_in"), Violated)
    for most, kind in ((2, Violated), (1, Holds)):
        spec = Filled.bounded(**{"Filled.filled_in.order": most})
        with System(spec) as system:
            start = next(system.initial())
        assert type(seek(spec, [start], Aim("goal", "filled_in"), Watch())) is kind


class Counting(Spec):
    """It counts one by one, from nothing."""

    many: Number

    @action
    def count(self) -> None:
        require(self.many < 2)
        self.many += 1


class Stepping(Spec):
    """It counts in halves."""

    refines = Counting
    at: Number
    half: bool

    @action
    def step(self) -> None:
        require(self.at < 2)
        if self.half:
            self.at += 1
        self.half = not self.half

    @mapping
    def counts(self, abstract: Counting) -> None:
        abstract.many = self.at


class Leaping(Stepping):
    """It may leave one out."""

    @action
    def leap(self) -> None:
        require(self.at == 0 and self.half)
        self.at = Number(2)


class BeginsLate(Stepping):
    """It does not begin with nothing."""

    @init
    def late(self) -> None:
        self.at = Number(1)


@pytest.mark.parametrize(
    ("spec", "at", "steps"),
    [
        (Stepping, (1, False), None),
        (Leaping, (0, True), 1),
        (Leaping, (1, False), None),
        (BeginsLate, (1, False), 0),
        (BeginsLate, (1, True), None),
    ],
)
def test_a_refinement_is_asked_of_a_state_as_of_one_that_is_reached(
    spec: type[Spec], at: tuple[int, bool], steps: int | None
) -> None:
    """Where the more abstract one begins is said of the beginnings only."""
    found = seek(spec, [((), at)], Aim("violation"), Watch())
    assert isinstance(found, Holds if steps is None else Violated)
    assert steps is None or (found.trace is not None and len(found.trace.steps) == steps)  # type: ignore[attr-defined]


class Limited(Spec):
    """One of the states that it might begin with is left out of account."""

    at: Number

    @init
    def anywhere(self, n: Number) -> None:
        require(n != 1)
        self.at = n

    @action
    def move(self) -> None:
        require(self.at == 0)
        self.at = Number(1)

    @constraint
    def small(self) -> bool:
        return self.at < 2

    @invariant
    def claim(self) -> bool:
        return self.at < 2


def test_what_is_left_out_at_the_beginning_is_no_bound_of_what_follows_from_a_state() -> None:
    assert type(seek(Limited, [((), (1,))], Aim("violation"), Watch())) is Holds
    assert type(seek(Limited, [((0,), (0,))], Aim("violation"), Watch())) is HoldsWithinBounds


class Boss(Spec):
    """One process works, and it is asked of all whether they do."""

    boss: Process
    done: dict[Process, bool]

    @init
    def somebody(self, n: Process) -> None:
        """Any process is the boss."""
        self.boss = n

    @action(fair="weak")
    def work(self, n: Process) -> None:
        """The boss works."""
        require(n == self.boss and not self.done[n])
        self.done[n] = True

    @eventually
    def each(self, n: Process) -> bool:
        """Everybody has worked."""
        return self.done[n]


def test_what_is_so_for_one_member_is_not_for_another_where_one_begins_by_himself() -> None:
    with System(Boss) as system:
        starts = list(system.initial())[:1]
        at_once = Watch(at_once=0)
        broken = seek(Boss, starts, Aim("property", "each"), at_once)
        found = seek(Boss, starts, Aim("expression", "done[p1] and not done[p2]"), at_once)
    assert isinstance(broken, Violated) and (broken.engine, broken.symmetry) == ("native", ("Process",))
    assert isinstance(found, Violated) and (found.engine, found.symmetry) == ("native", ("Process",))
