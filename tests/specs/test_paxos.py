"""Paxos, by hand: what acceptors and proposers do; and the numbers of its states."""

import pytest
from quorate import Disabled
from quorate.explore import check
from quorate.outcome import Holds, Violated
from quorate_specs.consensus.paxos import (
    Accept,
    Accepted,
    Acceptor,
    Ballot,
    FlexiblePaxos,
    Learner,
    Paxos,
    Prepare,
    Promise,
    Value,
    Vote,
)

LOW, MIDDLE, HIGH = Ballot
A, B, C = Acceptor
V, W = Value


def asked() -> Paxos:
    """Clients want both values; two ballots are open."""
    paxos = Paxos()
    paxos.ask({V, W})
    paxos.prepare(LOW)
    paxos.prepare(HIGH)
    return paxos


def test_an_acceptor_ignores_what_is_below_its_promise() -> None:
    paxos = asked()
    paxos.promise(A, Prepare(LOW))
    paxos.promise(B, Prepare(LOW))
    paxos.propose(LOW, {A, B}, V)
    paxos.promise(A, Prepare(HIGH))
    with pytest.raises(Disabled):
        paxos.accept(A, Accept(LOW, V))
    with pytest.raises(Disabled):
        paxos.promise(A, Prepare(LOW))
    paxos.accept(B, Accept(LOW, V))
    assert Accepted(B, LOW, V) in paxos.network


def test_a_proposer_takes_over_the_vote_that_a_promise_reports() -> None:
    paxos = asked()
    for a in (A, B):
        paxos.promise(a, Prepare(LOW))
    paxos.propose(LOW, {A, B}, V)
    paxos.accept(B, Accept(LOW, V))
    for a in (B, C):
        paxos.promise(a, Prepare(HIGH))
    assert Promise(B, HIGH, Vote(LOW, V)) in paxos.network
    with pytest.raises(Disabled):
        paxos.propose(HIGH, {B, C}, W)
    paxos.propose(HIGH, {B, C}, V)
    assert Accept(HIGH, V) in paxos.network


def test_of_two_reported_votes_the_one_with_the_higher_ballot_counts() -> None:
    reported = {Promise(A, HIGH, Vote(LOW, V)), Promise(B, HIGH, Vote(MIDDLE, W)), Promise(C, HIGH, None)}
    assert Paxos().is_safe(W, reported) and not Paxos().is_safe(V, reported)


def test_nobody_proposes_what_no_client_asked_for() -> None:
    paxos = Paxos()
    paxos.ask({V})
    paxos.prepare(LOW)
    for a in (A, B):
        paxos.promise(a, Prepare(LOW))
    with pytest.raises(Disabled):
        paxos.propose(LOW, {A, B}, W)


def test_a_learner_needs_votes_of_a_majority_in_one_ballot() -> None:
    paxos = asked()
    for a in (A, B):
        paxos.promise(a, Prepare(LOW))
    paxos.propose(LOW, {A, B}, V)
    paxos.accept(A, Accept(LOW, V))
    learner = next(iter(Learner))
    with pytest.raises(Disabled):
        paxos.learn(learner, LOW, V)
    paxos.accept(C, Accept(LOW, V))
    paxos.learn(learner, LOW, V)
    assert paxos.learned[learner] == V


def test_two_ballots_have_this_many_states() -> None:
    outcome = check(Paxos.bounded(Ballot=2))
    assert isinstance(outcome, Holds)
    assert (outcome.statistics.states, outcome.statistics.transitions, outcome.statistics.depth) == (1_807, 5_877, 18)


@pytest.mark.parametrize(("promises", "votes"), [(3, 1), (1, 3), (2, 1), (1, 2)])
def test_quorums_of_promises_must_meet_quorums_of_votes_and_no_others(promises: int, votes: int) -> None:
    outcome = check(FlexiblePaxos.bounded(Acceptor=3, phase_one_size=promises, phase_two_size=votes))
    if promises + votes > 3:
        assert isinstance(outcome, Holds)
    else:
        assert isinstance(outcome, Violated) and outcome.property == "one_value_chosen"
