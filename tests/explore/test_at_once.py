"""A few transitions are left to the reference engine, whole or not at all; which engine answers is a matter of their number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from quorate import Nat, Scalarset, Spec, action, eventually, init, invariant, require
from quorate.explore import Checkpoint, Limits, Watch, check, reference
from quorate.language.system import System
from quorate.outcome import Outcome, Unfinished, Violated
from quorate.report.machine import outcome_json
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

TRANSITIONS, FORESEEN = 318, 500
"""Of two-phase commit with three resource managers, up to symmetry: those that it has, and more than ever seem to come."""


class Process(Scalarset, size=4):
    """Alike."""


class Level(Nat, max=3):
    """How far one is."""


class Climb(Spec):
    """With symmetry 35 states, without it 256."""

    at: dict[Process, Level]

    @action(fair="weak")
    def climb(self, p: Process) -> None:
        require(self.at[p] < 3)
        self.at[p] += 1

    @invariant
    def never_all_at_two(self) -> bool:
        return not all(self.at[p] == 2 for p in Process)


class Up(Climb):
    """The same with a property of runs."""

    @eventually
    def top(self) -> bool:
        return all(self.at[p] == 3 for p in Process)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", str(tmp_path / "none"))


def without_cost(outcome: Outcome) -> dict[str, object]:
    return {name: value for name, value in outcome_json(outcome).items() if name not in ("engine", "seconds")}


def asks_for_a_compiler(outcome: Outcome) -> bool:
    return any("there is no program" in note for note in outcome.notes)


@pytest.mark.usefixtures("no_compiler")
def test_the_number_of_transitions_decides() -> None:
    enough, too_few = (check(TwoPhaseCommit, watch=Watch(at_once=most)) for most in (FORESEEN, TRANSITIONS - 1))
    assert not asks_for_a_compiler(enough) and asks_for_a_compiler(too_few)
    assert enough.statistics.transitions == TRANSITIONS
    assert without_cost(enough) == without_cost(replace(too_few, notes=()))


class Count(Nat, max=2000):
    """How far it has come."""


class Clock(Spec):
    """As many transitions as states."""

    now: Count

    @action
    def tick(self) -> None:
        require(self.now < 600)
        self.now += 1

    @invariant
    def goes_on(self) -> bool:
        return self.now <= 600


def test_a_search_has_all_or_is_given_up() -> None:
    with System(Clock) as system:
        assert reference.explore(system, (), Watch(), 1, reference.Few(603)).transitions == 601
        with pytest.raises(reference.TooMany):
            reference.explore(system, (), Watch(), 1, reference.Few(600))


def test_what_will_be_too_many_is_given_up_before_it_is() -> None:
    """Climb has 256 states, and each has up to four transitions: 300 of them are not made."""
    expanded: list[int] = []
    with System(Climb) as system:
        watch = Watch()
        watch.look = lambda states, *_: expanded.append(states)  # type: ignore[method-assign, assignment, func-returns-value]
        with pytest.raises(reference.TooMany):
            reference.explore(system, (), watch, 1, reference.Few(300))
    assert len(expanded) < 60


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize(
    "asked",
    [{"coverage": True}, {"profile": True}, {"without": ["sleep"]}, {"at_once": 0}],
    ids=lambda asked: next(iter(asked)),
)
def test_what_is_asked_of_the_native_engine_is_asked_of_it(asked: dict[str, Any]) -> None:
    assert asks_for_a_compiler(check(Climb, watch=Watch(**asked)))


def test_a_checkpoint_is_written_by_the_native_engine(tmp_path: Path) -> None:
    outcome = check(TwoPhaseCommit, watch=Watch(checkpoint=Checkpoint(tmp_path / "search")))
    assert outcome.engine == "native"


@pytest.mark.usefixtures("no_compiler")
def test_a_limit_ends_it_as_it_ends_any_search() -> None:
    outcome = check(TwoPhaseCommit, watch=Watch(Limits(states=5)))
    assert (outcome.verdict, outcome.statistics.states) == ("unfinished", 5) and not asks_for_a_compiler(outcome)


@pytest.mark.usefixtures("no_compiler")
def test_a_violation_is_shown_by_a_run_of_least_length() -> None:
    outcome = check(Climb)
    assert isinstance(outcome, Violated) and outcome.trace is not None and len(outcome.trace) == 8
    assert outcome.engine == "reference" and not asks_for_a_compiler(outcome)


@pytest.mark.usefixtures("no_compiler")
def test_properties_of_runs_are_judged_without_symmetry_and_counted_so() -> None:
    """The search seems to have fewer than 500 transitions up to symmetry, and without symmetry there may be 24 times as many."""
    assert not asks_for_a_compiler(check(Up, watch=Watch(at_once=24 * 500)))
    assert asks_for_a_compiler(check(Up, watch=Watch(at_once=500)))


class Large(Nat, max=99):
    """A million of three."""


class Wide(Spec):
    """A few transitions, each one of a million that are tried."""

    at: Large

    @action
    def rise(self, a: Large, b: Large, c: Large) -> None:
        require(a == b == c == self.at and self.at < 9)
        self.at += 1

    @invariant
    def small(self) -> bool:
        return self.at < 10


class WideClaim(Wide):
    """A claim about a million."""

    def rise(self, a: Large) -> None:  # type: ignore[override]
        require(a == self.at and self.at < 9)
        self.at += 1

    @invariant
    def ordered(self, a: Large, b: Large, c: Large) -> bool:
        return not a < b < c or a < c


class Narrow(WideClaim):
    """A hundred instances in each of more states than may be tried at once, if there were not so few transitions."""

    omits = ("ordered", "small")

    def rise(self, a: Large) -> None:  # type: ignore[override]
        require(a == self.at and self.at < 99)
        self.at += 1

    @invariant
    def in_order(self, a: Large, b: Level) -> bool:
        return a + b >= b


class Slow(Wide):
    """Single instances take long."""

    def rise(self) -> None:  # type: ignore[override]
        require(self.at < 9 and sum(a * b for a in Large for b in Large for c in Level) > 0)
        self.at += 1


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("spec", [Wide, WideClaim, Narrow, Slow])
def test_what_takes_long_without_many_transitions_is_not_left_to_the_reference_engine(
    spec: type[Spec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference.Few, "SECONDS", 0.02)
    with pytest.raises(reference.TooMany), (system := System(spec)):
        reference.explore(system, (), Watch(), 1, reference.Few(500))


class SlowBeginning(Spec):
    """One initial state, which takes long to find."""

    at: Level

    @init
    def begin(self, a: Level, b: Level, c: Level, d: Level, e: Level) -> None:
        require(a + b + c + d + e == 15 + sum(x - x for x in Count))

    @action
    def climb(self) -> None:
        self.at += 1

    @invariant
    def low(self) -> bool:
        return self.at <= 3


@pytest.mark.usefixtures("no_compiler")
def test_limits_are_kept_while_initial_states_are_listed() -> None:
    outcome = check(SlowBeginning, watch=Watch(Limits(seconds=0.05)))
    assert isinstance(outcome, Unfinished) and outcome.engine == "reference"
    assert outcome.reason.endswith("is reached while the choices of @init were tried")
