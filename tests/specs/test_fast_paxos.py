"""Fast Paxos: votes without a proposal, collisions, and how they are recovered from."""

import pytest
from quorate import Disabled
from quorate.language.system import System
from quorate_specs.consensus import fast_paxos
from quorate_specs.consensus.fast_paxos import AcceptAny, FastPaxos
from quorate_specs.consensus.paxos import Accept, Acceptor, Ballot, Prepare, Promise, Value, Vote

from tests.specs.claims import agreed, explored, shortest


def test_a_fast_ballot_begins_with_promises_and_its_acceptors_vote_once() -> None:
    with System(FastPaxos):
        paxos, (one, _), (a, b, c, _), (v, w) = FastPaxos(), tuple(Ballot), tuple(Acceptor), tuple(Value)
        paxos.plan({v, w}, {one})
        paxos.prepare(one)
        for s in (a, b, c):
            paxos.promise(s, Prepare(one))
        with pytest.raises(Disabled):
            paxos.open_ballot(one, {a, b})
        paxos.open_ballot(one, {a, b, c})
        with pytest.raises(Disabled):
            paxos.propose(one, {a, b, c}, v)
        for s in (a, b, c):
            paxos.accept_any(s, AcceptAny(one), v)
        with pytest.raises(Disabled):
            paxos.accept_any(a, AcceptAny(one), w)
        assert paxos.chosen(one, v)


def test_after_a_collision_the_value_that_may_have_won_is_proposed() -> None:
    with System(FastPaxos):
        paxos, (one, two), (a, b, c, _), (v, w) = FastPaxos(), tuple(Ballot), tuple(Acceptor), tuple(Value)
        paxos.plan({v, w}, {one})
        paxos.prepare(one)
        for s in (a, b, c):
            paxos.promise(s, Prepare(one))
        paxos.open_ballot(one, {a, b, c})
        for s, x in ((a, v), (b, v), (c, w)):
            paxos.accept_any(s, AcceptAny(one), x)
        with pytest.raises(Disabled):
            paxos.recover(two, one, {a, b, c}, w)
        paxos.recover(two, one, {a, b, c}, v)
        assert Accept(two, v) in paxos.network


def test_which_values_are_forced() -> None:
    with System(FastPaxos):
        paxos, (one, two), (a, b, c, _), (v, w) = FastPaxos(), tuple(Ballot), tuple(Acceptor), tuple(Value)
        assert paxos.forced({Promise(s, two, None) for s in (a, b, c)}) == set()
        assert paxos.forced({Promise(a, two, Vote(one, v)), Promise(b, two, None), Promise(c, two, None)}) == {v}
        votes = {Promise(a, two, Vote(one, v)), Promise(b, two, Vote(one, w))}
        assert paxos.forced(votes | {Promise(c, two, Vote(one, w))}) == {w}
        assert paxos.forced(votes | {Promise(c, two, None)}) == set()


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "steps"),
    [
        ("FastQuorumOfMajority", 10),
        ("AnyReportedValue", 13),
        ("VotesTwice", 11),
        ("OpensRegardless", 16),
        ("SkipsBallots", 12),
    ],
)
def test_the_shortest_run_of_each_mistake(variant: str, steps: int) -> None:
    assert shortest(getattr(fast_paxos, variant)) == ("one_value_chosen", steps)


@pytest.mark.library
@pytest.mark.slow
def test_the_numbers_of_the_default_bounds() -> None:
    assert explored(FastPaxos) == ("holds", 28_195, 99_296, 21)


@pytest.mark.library
def test_both_engines_find_the_same_small_system() -> None:
    assert agreed(FastPaxos.bounded(Acceptor=2, fast_size=2))[1:] == (1_091, 2_178, 13)
