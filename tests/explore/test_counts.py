"""The numbers of states and orbits that Gray & Lamport's TwoPhase is known to have."""

import pytest
from quorate.explore import check
from quorate.outcome import Holds
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit


@pytest.mark.parametrize(("size", "states", "orbits"), [(3, 288, 80), (5, 8_832, 314)])
def test_two_phase_commit_has_the_published_number_of_states_and_its_exact_orbits(
    size: int, states: int, orbits: int
) -> None:
    spec = TwoPhaseCommit.bounded(ResourceManager=size)
    plain, reduced = check(spec, symmetry=False), check(spec)
    assert isinstance(plain, Holds) and isinstance(reduced, Holds)
    assert (plain.statistics.states, reduced.statistics.states) == (states, orbits)
    assert reduced.symmetry == ("ResourceManager",)


def test_transitions_are_counted_as_tlc_counts_them() -> None:
    assert check(TwoPhaseCommit, symmetry=False).statistics.transitions == 1_146


@pytest.mark.slow
def test_two_phase_commit_with_six_resource_managers() -> None:
    spec = TwoPhaseCommit.bounded(ResourceManager=6)
    assert check(spec, symmetry=False).statistics.states == 50_816
    assert check(spec).statistics.states == 553
