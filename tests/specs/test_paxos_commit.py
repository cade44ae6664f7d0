"""Paxos Commit: a leader that finds a vote, and what is recorded of explorations."""

import pytest
from quorate import Disabled
from quorate.explore import check
from quorate_specs.transactions.paxos_commit import (
    Acceptor,
    AnyAcceptorIsEnough,
    Ballot,
    PaxosCommit,
    Phase1a,
    Phase2a,
    ResourceManager,
    Vote,
)

from tests.specs.figures import broken, explored

R, *_ = ResourceManager
A, B, C = Acceptor


def with_a_promise_of(*acceptors: Acceptor, heard: Acceptor) -> PaxosCommit:
    """One resource manager has prepared, `heard` has accepted its vote, and a leader has asked these acceptors."""
    run = PaxosCommit()
    run.prepare(R)
    run.accept(heard, Phase2a(R, Ballot(0), Vote.PREPARED))
    run.begin_ballot(R, Ballot(1))
    for a in acceptors:
        run.promise(a, Phase1a(R, Ballot(1)))
    return run


def test_a_leader_proposes_the_vote_that_it_finds_and_else_an_abort() -> None:
    run = with_a_promise_of(A, B, heard=A)
    run.propose(R, Ballot(1))
    assert Phase2a(R, Ballot(1), Vote.PREPARED) in run.network
    run = with_a_promise_of(A, B, heard=C)
    run.propose(R, Ballot(1))
    assert Phase2a(R, Ballot(1), Vote.ABORTED) in run.network


def test_a_leader_waits_for_a_majority() -> None:
    with pytest.raises(Disabled):
        with_a_promise_of(A, heard=A).propose(R, Ballot(1))


def test_the_states_are_those_of_the_published_specification() -> None:
    assert check(PaxosCommit, engine="native", symmetry=False).statistics.states == 1_321_761


@pytest.mark.library
def test_both_engines_explore_the_same_states() -> None:
    small = PaxosCommit.bounded(ResourceManager=1)
    assert explored(small, "native") == explored(small, "reference") == (376, 1871, 14)


@pytest.mark.library
def test_the_shortest_counterexample_keeps_its_length() -> None:
    assert broken(AnyAcceptorIsEnough) == ("one_vote_chosen", 6)
