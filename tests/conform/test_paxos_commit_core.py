"""Paxos Commit of `quorate_impl` is driven through every transition of `paxos_commit` at small bounds; each mistake is named."""

from __future__ import annotations

from typing import Any

import pytest
from quorate.conform import drive
from quorate.conform.edges import Driven
from quorate.explore import check
from quorate.outcome import Exit
from quorate_impl.paxos_commit import Leader
from quorate_impl.paxos_commit.leader import Running
from quorate_impl.paxos_commit.messages import Vote
from quorate_specs.transactions.paxos_commit import PaxosCommit

from tests.conform.paxos_commit_core import PaxosCommitCore
from tests.impl.paxos_commit.mistakes import (
    AcceptsBelow,
    AlwaysFree,
    AnyAcceptorIsEnough,
    VotesAgain,
)


def driven(managers: int, acceptors: int, ballot: int, **program: Any) -> Driven:
    members = {
        "ResourceManager": ("orders", "east")[:managers],
        "Acceptor": tuple(f"a{i + 1}" for i in range(acceptors)),
    }
    adapter: Any = type("Held", (PaxosCommitCore,), {"members": members, **program})
    return drive(adapter(), PaxosCommit, "paxos_commit", {"Ballot": ballot})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("managers", "acceptors", "ballot", "states"),
    [
        (2, 1, 1, 1_425),
        pytest.param(1, 3, 1, 1_461, marks=pytest.mark.deep),
        pytest.param(1, 2, 2, 1_159, marks=pytest.mark.deep),
    ],
)
def test_every_transition_is_covered_and_none_is_omitted(
    managers: int, acceptors: int, ballot: int, states: int
) -> None:
    found = driven(managers, acceptors, ballot)
    bounded = PaxosCommit.bounded(ResourceManager=managers, Acceptor=acceptors, Ballot=ballot)
    explored = check(bounded, symmetry=False).statistics
    assert found.misfit is None and found.exit_code is Exit.SUCCESS and not found.unseen and not found.omitted
    assert found.states == explored.states == states
    assert found.covered == found.total == explored.transitions - 1 and found.refused > found.total


class CommitsByOne(Leader):
    """One vote is enough."""

    def _may_commit(self, running: Running) -> bool:
        return any(instance.chosen is Vote.PREPARED for instance in running.instances.values())


@pytest.mark.parametrize(
    ("program", "bounds", "actions"),
    [
        ({"acceptor": AcceptsBelow}, (1, 2, 1), {"accept"}),
        ({"leader": AlwaysFree}, (1, 2, 1), {"propose"}),
        ({"leader": AnyAcceptorIsEnough}, (1, 2, 1), {"propose", "decide_to_commit"}),
        ({"leader": CommitsByOne}, (2, 1, 1), {"decide_to_commit"}),
        ({"participant": VotesAgain}, (1, 2, 1), {"prepare", "choose_to_abort"}),
    ],
    ids=lambda each: next(iter(each.values())).__name__ if isinstance(each, dict) else "",
)
def test_every_mistake_that_can_be_seen_is_named(
    program: dict[str, Any], bounds: tuple[int, int, int], actions: set[str]
) -> None:
    found = driven(*bounds, **program)
    assert found.exit_code is Exit.VIOLATED and found.misfit is not None
    assert found.misfit.action in actions
