"""What makes the states is measured alike by both engines, and is what plain sets say."""

from __future__ import annotations

import pytest
from quorate import Spec
from quorate.errors import UsageError
from quorate.explore import Limits, Watch, check
from quorate.explore.native import explore as native
from quorate.explore.native import library
from quorate.explore.native.search import run
from quorate.explore.reference import Search
from quorate.explore.reference import explore as reference
from quorate.language.system import System

from tests.costs import shares
from tests.native.agreement import QUICK_FLAGS, draw, reductions
from tests.native.batch import by_words, compile_batch
from tests.native.test_counting import named

DRAWN = 40
SMALL = (
    "atomic_register.AtomicRegister",
    "quorum_register.QuorumRegister",
    "raft_election.RaftElection",
    "two_phase_commit.TwoPhaseCommit",
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)


@pytest.mark.slow
@pytest.mark.library
@pytest.mark.parametrize("name", SMALL)
def test_the_library_is_measured_alike(name: str) -> None:
    """Under symmetry the variables are those of representatives, which each engine chooses for itself."""
    system = System(named(name))
    with system:
        for sorts in reductions(system):
            expected = reference(system, sorts, Watch(profile=True), 1)
            found = native(system, sorts, Watch(profile=True), 2)
            assert found.measured is not None and expected.measured is not None
            assert found.measured.new == expected.measured.new
            assert sum(found.measured.new) + found.levels[0] == found.states
            assert sorts or found.measured == expected.measured


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(DRAWN, DRAWN // 2, deep=0.5))
def test_drawn_specs_are_measured_alike(begin: int) -> None:
    """With one, two and four workers; also where a violation ends the search."""
    cases = [case for number in range(begin, begin + DRAWN // 2) for case in draw(number)]
    violated = 0
    for group in by_words([case.rendered for case in cases]):
        batch = compile_batch([cases[position].rendered for position in group])
        for number, position in enumerate(group):
            case = cases[position]
            with case.system:
                expected = reference(case.system, case.sorts, Watch(profile=True), 1).measured
                for workers in (1, 2, 4):
                    found = run(case.system, batch.choose(number), case.initial, Watch(profile=True), workers)
                    assert found.measured is not None and expected is not None
                    assert found.measured.new == expected.new, case.seed
                    assert case.sorts or found.measured == expected, case.seed
                violated += found.finding is not None
    assert violated > DRAWN / 20


def test_a_variable_is_what_sets_of_its_values_say() -> None:
    system = System(named("two_phase_commit.TwoPhaseCommit"))
    with system:
        states = Search(system).run().states
        measured = reference(system, (), Watch(profile=True), 1).measured
    assert measured is not None
    for position in range(len(system.variables)):
        assert measured.values[position] == len({state[position] for state in states})
        rest = {tuple(value for place, value in enumerate(state) if place != position) for state in states}
        assert measured.others[position] == len(rest)


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_search_that_a_limit_ends_has_a_profile(engine: str) -> None:
    watch = Watch(Limits(states=100), profile=True)
    outcome = check(two_phase_commit(), engine=engine, symmetry=False, watch=watch)
    assert outcome.verdict == "unfinished" and outcome.profile is not None
    found = outcome.profile
    assert found.states == 100 == found.initial + sum(action.new_states for action in found.actions)


def test_fingerprints_say_nothing_of_values() -> None:
    with pytest.raises(UsageError, match="leave out --profile or --store fingerprint"):
        check(two_phase_commit(), watch=Watch(store="fingerprint", profile=True))


def two_phase_commit() -> type[Spec]:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    return TwoPhaseCommit
