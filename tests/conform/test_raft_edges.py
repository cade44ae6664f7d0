"""The Raft store of `quorate_impl` is driven through all transitions of `raft` at small bounds, crashes too; each mistake is named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from quorate.conform import Driven, drive
from quorate.explore import check
from quorate.outcome import Exit
from quorate_impl.core import Record
from quorate_impl.raft import Raft
from quorate_specs.consensus.raft import Raft as Specification

from tests.conform.raft_edges import RaftCore
from tests.conform.test_raft_core import (
    BelievesTheLeader,
    CommitsOldTerms,
    CommitsTooFar,
    OneIsEnough,
    StaysInItsTerm,
    VotesTwice,
)
from tests.impl.raft.mistakes import TruncatesAlways, VotesForAnyone

ELECTION, TERMS, LOGS = {"Term": 1, "Index": 1}, {"Term": 2, "Index": 1}, {"Term": 2, "Index": 2}


def driven(core: type[Raft], servers: int, bounds: dict[str, int]) -> Driven:
    members = {"Server": tuple(f"n{i + 1}" for i in range(servers))}
    adapter: type[RaftCore] = type("Held", (RaftCore,), {"core": core, "members": members})
    return drive(adapter(), Specification, "raft", bounds)


@pytest.mark.parametrize(
    ("servers", "bounds", "states", "transitions"),
    [
        (2, ELECTION, 26, 46),
        pytest.param(2, TERMS, 277, 514, marks=pytest.mark.slow),
        pytest.param(3, ELECTION, 461, 1_962, marks=pytest.mark.slow),
        pytest.param(2, LOGS, 1_585, 4_778, marks=pytest.mark.deep),
    ],
)
def test_every_transition_is_covered_and_none_is_omitted(
    servers: int, bounds: dict[str, int], states: int, transitions: int
) -> None:
    found = driven(Raft, servers, bounds)
    assert found.exit_code is Exit.SUCCESS and found.misfit is None
    explored = check(Specification.bounded(**bounds, Server=servers), symmetry=False).statistics
    assert found.states == explored.states == states
    assert found.covered == found.total == transitions and not found.omitted
    assert found.refused > found.total and found.unseen == ("network", "elected", "committed")


class ForgetsVote(Raft):
    """The vote is not on the disk."""

    def _recover(self, records: Sequence[Record]) -> None:
        super()._recover(records)
        self.voted_for = None


class FollowsOldLeaders(Raft):
    """Takes entries of whoever says to lead, in whatever term."""

    def _hear_leader(self, source: str, term: int) -> bool:
        return super()._hear_leader(source, max(term, self.term))


@pytest.mark.parametrize(
    ("mistake", "bounds", "action"),
    [
        (VotesTwice, TERMS, "handle_request"),
        pytest.param(VotesForAnyone, TERMS, "handle_request", marks=pytest.mark.slow),
        pytest.param(OneIsEnough, TERMS, "time_out", marks=pytest.mark.slow),
        pytest.param(CommitsOldTerms, TERMS, "commit", marks=pytest.mark.slow),
        pytest.param(CommitsTooFar, TERMS, "request", marks=pytest.mark.slow),
        pytest.param(StaysInItsTerm, TERMS, "time_out", marks=pytest.mark.slow),
        (ForgetsVote, TERMS, "restart"),
        (FollowsOldLeaders, TERMS, "handle_append"),
        pytest.param(TruncatesAlways, LOGS, "handle_append", marks=pytest.mark.slow),
        pytest.param(BelievesTheLeader, LOGS, "handle_append", marks=pytest.mark.slow),
    ],
)
def test_every_mistake_is_named_at_its_action(mistake: type[Raft], bounds: dict[str, int], action: str) -> None:
    found = driven(mistake, 2, bounds)
    assert found.exit_code is Exit.VIOLATED and found.misfit is not None
    assert found.misfit.action == action
