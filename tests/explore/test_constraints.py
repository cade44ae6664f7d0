"""A constraint bounds what is explored: what it cuts is counted under its name, as what passes a bound is, and taken by no run."""

from __future__ import annotations

from typing import Self

import pytest
from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    constraint,
    eventually,
    init,
    invariant,
    reachable,
    require,
    terminal,
)
from quorate.explore import check
from quorate.explore.traces.replay import replay
from quorate.language.control import Cut
from quorate.language.system import Failure, System
from quorate.model import build
from quorate.outcome import Holds, HoldsWithinBounds, NotJudged, Violated
from quorate.prove.fixed_bounds import Bounded

ENGINES = ("reference", "native")


class Number(Nat, max=20):
    """A number."""


class Node(Scalarset, size=2):
    """A node."""


class Counter(Spec):
    """Counts by one or by two."""

    number: Number

    @action(fair="weak")
    def count(self, twice: bool) -> None:
        self.number += 1
        if not twice:
            return
        self.number += 1

    @invariant
    def below_ten(self) -> bool:
        return self.number < 10


class Low(Counter):
    @constraint
    def low(self) -> bool:
        return self.number <= 4


class Slow(Low):
    @constraint
    def slow(self, old: Self) -> bool:
        return self.number == old.number + 1 or old.number == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_constraint_of_states_cuts_the_transitions_that_leave_it(engine: str) -> None:
    """From 0, 1 and 2 both transitions stay inside, from 3 one does, from 4 none: three are cut."""
    outcome = check(Low, engine=engine)
    assert isinstance(outcome, HoldsWithinBounds)
    stats = outcome.statistics
    assert (stats.states, stats.transitions, stats.depth, stats.cuts) == (5, 1 + 7, 4 - 2, {"low": 3})


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_constraint_that_is_false_cuts(engine: str) -> None:
    stats = check(Slow, engine=engine).statistics
    assert (stats.states, stats.transitions, stats.cuts) == (5, 1 + 2 + 3, {"low": 3, "slow": 2})


@pytest.mark.parametrize("engine", ENGINES)
def test_what_no_constraint_excludes_is_still_violated(engine: str) -> None:
    outcome = check(Counter, engine=engine)
    assert isinstance(outcome, Violated) and outcome.trace is not None and len(outcome.trace) == 5


class TooWide(Counter):
    @constraint
    def low(self) -> bool:
        return self.number <= 10


@pytest.mark.parametrize("engine", ENGINES)
def test_a_violation_inside_a_constraint_is_found_and_replayed(engine: str) -> None:
    """Its run keeps to the constraint, step by step."""
    outcome = check(TooWide, engine=engine)
    assert isinstance(outcome, Violated) and outcome.trace is not None
    assert replay(outcome.trace, TooWide).reproduced
    assert not replay(outcome.trace, Low).reproduced


class NeverCut(Counter):
    @action(fair="weak")
    def count(self, twice: bool) -> None:
        require(self.number < 2 and not twice)
        self.number += 1

    @constraint
    def low(self) -> bool:
        return self.number <= 4

    @eventually
    def two(self) -> bool:
        return self.number == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_constraint_that_cuts_nothing_leaves_the_verdict_whole(engine: str) -> None:
    assert isinstance(check(NeverCut, engine=engine), Holds)


class Forced(Low):
    @eventually
    def seven(self) -> bool:
        return self.number == 7


class Guarded(Forced):
    """A guard instead of the constraint: runs may end, and never be at seven."""

    omits = ("low",)

    @action(fair="weak")
    def count(self, twice: bool) -> None:
        require(self.number + (2 if twice else 1) <= 4)
        super().count(twice)


@pytest.mark.parametrize("engine", ENGINES)
def test_runs_that_have_to_leave_a_constraint_are_not_judged(engine: str) -> None:
    """A guard in its place changes what is possible, and so what fairness demands."""
    assert isinstance(check(Forced, engine=engine), NotJudged)
    assert isinstance(check(Guarded, engine=engine), Violated)


class Anywhere(Spec):
    number: Number
    node: Node

    @init
    def begin(self, n: Node, number: Number) -> None:
        require(number < 6)
        self.node, self.number = n, number

    @action
    def down(self) -> None:
        require(self.number > 0)
        self.number -= 1

    @constraint
    def even(self) -> bool:
        return self.number % 2 == 0

    @reachable
    def four(self) -> bool:
        return self.number == 4

    @terminal
    def zero(self) -> bool:
        return self.number == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_initial_states_are_held_to_constraints_and_a_cut_is_no_deadlock(engine: str) -> None:
    outcome = check(Anywhere, engine=engine, symmetry=False)
    stats = outcome.statistics
    assert isinstance(outcome, HoldsWithinBounds)
    assert (stats.states, stats.transitions, stats.depth, stats.cuts) == (6, 6, 0, {"even": 2 * 3 + 2 * 2})


class Nowhere(Low):
    @constraint
    def high(self) -> bool:
        return self.number > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_constraints_that_leave_no_initial_state_are_an_error(engine: str) -> None:
    outcome = check(Nowhere, engine=engine)
    assert outcome.verdict == "error"
    assert "no initial state: low and high are never all true" in outcome.message  # type: ignore[attr-defined]


class Raises(Counter):
    @constraint
    def odd(self) -> bool:
        return 4 // (3 - self.number) >= 0


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_in_a_constraint_is_one_of_the_spec(engine: str) -> None:
    outcome = check(Raises, engine=engine)
    assert outcome.verdict == "error" and "Raises.odd() raises an error: ZeroDivisionError" in outcome.message  # type: ignore[attr-defined]


@pytest.mark.parametrize("spec", [Low, Slow, TooWide, Anywhere])
def test_bounded_checks_keep_to_constraints(spec: type[Spec]) -> None:
    """Eight steps are enough for the violation, and for every state."""
    explored = check(spec, engine="reference")
    model = build(spec)
    with model.system:
        finding = Bounded(model).search(8, [prop.name for prop in model.of("invariant")])
    length = len(explored.trace) if isinstance(explored, Violated) and explored.trace is not None else None
    assert (None if finding is None else len(finding.steps)) == length


def test_a_system_raises_the_cut_where_an_action_ends() -> None:
    system = System(Low)
    with system:
        (count,) = system.actions
        assert system.fire((3,), count, (False,)) is not None
        with pytest.raises(Cut, match="low"):
            system.fire((3,), count, (True,))
        with pytest.raises(Failure):
            System(Raises).fire((2,), count, (False,))
