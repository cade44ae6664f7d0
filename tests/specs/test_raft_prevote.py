"""Pre-votes in Raft: who cannot win does not disturb the one who leads."""

import pytest
from quorate import Disabled
from quorate.language.system import System
from quorate_specs.consensus import raft_prevote
from quorate_specs.consensus.raft_election import RequestVote, Role, Server, Term
from quorate_specs.consensus.raft_prevote import RaftPrevote

from tests.specs.claims import agreed, explored, shortest

A, B, C = Server


def led_by_a(raft: RaftPrevote) -> None:
    """`A` leads term 1 with the vote of `B`; `C` was removed."""
    raft.remove({A, B})
    raft.time_out(A)
    raft.handle_request(B, RequestVote(Term(1), A))
    raft.win(A)


def test_a_server_that_was_removed_gets_no_heartbeat_and_no_pre_vote() -> None:
    with System(RaftPrevote):
        raft = RaftPrevote()
        led_by_a(raft)
        assert raft.would_vote(B, A) and not raft.would_win(C)
        raft.learn_term(C, B)
        assert raft.would_win(C)
        raft.heartbeat(A, B)
        with pytest.raises(Disabled):
            raft.heartbeat(A, C)
        assert raft.is_heard(A) and not raft.would_win(C)
        with pytest.raises(Disabled):
            raft.time_out(C)


def test_a_late_request_of_a_later_term_is_ignored_until_the_heartbeats_cease() -> None:
    with System(RaftPrevote):
        raft = RaftPrevote()
        raft.remove({A, B, C})
        raft.time_out(C)
        raft.learn_term(B, C)
        raft.time_out(B)
        raft.handle_request(A, RequestVote(Term(1), C))
        raft.win(C)
        raft.heartbeat(C, A)
        with pytest.raises(Disabled):
            raft.handle_request(C, RequestVote(Term(2), B))
        raft.miss(A)
        raft.handle_request(C, RequestVote(Term(2), B))
        assert raft.role[C] == Role.FOLLOWER and raft.term[C] == 2


def test_when_timing_is_kind_heartbeats_are_missed_only_after_a_crash() -> None:
    with System(RaftPrevote):
        raft = RaftPrevote()
        led_by_a(raft)
        raft.heartbeat(A, B)
        raft.restart(A)
        with pytest.raises(Disabled):
            raft.settle(C)
        raft.settle(B)
        raft.miss(B)
        with pytest.raises(Disabled):
            raft.time_out(B)
        raft.handle_request(C, RequestVote(Term(1), A))
        raft.time_out(B)
        assert raft.term[B] == 2


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "found"),
    [
        ("ListensToAll", ("leader_stays", 7)),
        ("NoPreVote", ("nobody_runs_in_vain", 5)),
        ("PreVoteByLogs", ("nobody_runs_in_vain", 5)),
        ("KeepsOldTerm", ("leader_elected", 3)),
        ("RemembersLeader", ("leader_elected", 6)),
    ],
)
def test_the_shortest_run_of_each_mistake(variant: str, found: tuple[str, int]) -> None:
    assert shortest(getattr(raft_prevote, variant)) == found


@pytest.mark.library
@pytest.mark.slow
def test_the_numbers_of_the_default_bounds() -> None:
    assert explored(RaftPrevote) == ("holds-within-bounds", 174_092, 577_464, 19)


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_find_the_same_small_system() -> None:
    assert agreed(RaftPrevote.bounded(Server=2))[1:] == (3_730, 8_793, 14)
