"""Multi-Paxos: slots, a stable leader, and gaps."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.consensus.multi_paxos import (
    Accept,
    Acceptor,
    Ballot,
    BallotAfterRestart,
    Command,
    FillsGapsAtOnce,
    LearnsFromMinority,
    MultiPaxos,
    Prepare,
    Slot,
)

from tests.specs.claims import agreed, shortest


def test_a_second_leader_fills_the_gap_below_a_command_that_it_hears_of() -> None:
    with System(MultiPaxos):
        paxos, (one, two), (a, b, c) = MultiPaxos(), tuple(Ballot), tuple(Acceptor)
        (first, second), x = tuple(Slot), next(iter(Command))
        paxos.prepare(one)
        for s in (a, b):
            paxos.promise(s, Prepare(one))
        with pytest.raises(Disabled):
            paxos.propose(one, first, {a, b}, None)
        paxos.propose(one, second, {a, b}, x)
        paxos.accept(b, Accept(one, second, x))
        paxos.prepare(two)
        for s in (b, c):
            paxos.promise(s, Prepare(two))
        paxos.propose(two, second, {b, c}, x)
        paxos.propose(two, first, {b, c}, None)
        assert Accept(two, first, None) in paxos.network


@pytest.mark.library
@pytest.mark.parametrize(
    ("variant", "found"),
    [
        (LearnsFromMinority, ("learned_is_chosen", 6)),
        (FillsGapsAtOnce, ("one_command_chosen", 13)),
        (BallotAfterRestart, ("one_command_chosen", 9)),
    ],
)
def test_the_shortest_run_of_each_mistake(variant: type[Spec], found: tuple[str, int]) -> None:
    assert shortest(variant) == found


@pytest.mark.library
def test_both_engines_find_the_same_small_system() -> None:
    assert agreed(MultiPaxos.bounded(Slot=1))[1:] == (647, 1_733, 17)
