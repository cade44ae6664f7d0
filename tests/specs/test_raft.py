"""Raft, by hand: what one server does in the situations that the paper describes."""

import pytest
from quorate import Disabled
from quorate.explore import check
from quorate.language.system import System
from quorate.outcome import HoldsWithinBounds
from quorate_specs.consensus import raft_election
from quorate_specs.consensus.raft import (
    AppendEntries,
    AppendReply,
    Command,
    CommitsOldTerms,
    Entry,
    Index,
    Raft,
    RequestVote,
    Role,
    Server,
    Term,
    Vote,
)

A, B, C = Server
X = next(iter(Command))
FIRST = Entry(Term(1), X)


def led_by_a() -> Raft:
    """`A` leads term 1 with the vote of `B`, and has one entry."""
    raft = Raft()
    raft.time_out(A)
    raft.handle_request(B, RequestVote(Term(1), A, Index(0), Term(0)))
    raft.win(A)
    raft.request(A, X)
    return raft


def entry(
    leader: Server, term: int, after: int, after_term: int, value: Entry | None, commit: int = 0
) -> AppendEntries:
    return AppendEntries(Term(term), leader, Index(after), Term(after_term), value, Index(commit))


def test_an_entry_is_committed_when_a_majority_has_it_and_followers_hear_of_it() -> None:
    raft = led_by_a()
    with pytest.raises(Disabled):
        raft.commit(A, Index(1))
    raft.handle_append(B, entry(A, 1, 0, 0, FIRST))
    assert AppendReply(Term(1), B, A, Index(1)) in raft.network
    raft.commit(A, Index(1))
    raft.handle_append(B, entry(A, 1, 1, 1, None, commit=1))
    assert [raft.commit_index[s] for s in Server] == [1, 1, 0]


def test_a_vote_is_given_once_in_a_term() -> None:
    raft = led_by_a()
    raft.time_out(C)
    with pytest.raises(Disabled):
        raft.handle_request(B, RequestVote(Term(1), C, Index(0), Term(0)))


def test_a_candidate_with_a_shorter_log_gets_no_vote_but_its_term_is_heard() -> None:
    raft = led_by_a()
    raft.time_out(C)
    raft.time_out(C)
    raft.handle_request(A, RequestVote(Term(2), C, Index(0), Term(0)))
    assert (raft.term[A], raft.role[A], raft.voted_for[A]) == (2, Role.FOLLOWER, None)
    assert Vote(Term(2), A, C) not in raft.network


def test_an_entry_after_a_gap_is_refused() -> None:
    raft = led_by_a()
    raft.request(A, X)
    raft.handle_append(C, entry(A, 1, 1, 1, FIRST))
    assert raft.log[C] == [] and raft.term[C] == 1


def test_a_conflicting_entry_and_all_after_it_give_way() -> None:
    raft = led_by_a()
    raft.request(A, X)
    raft.time_out(C)
    raft.time_out(C)
    raft.handle_request(B, RequestVote(Term(2), C, Index(0), Term(0)))
    raft.win(C)
    raft.request(C, X)
    raft.handle_append(A, entry(C, 2, 0, 0, Entry(Term(2), X)))
    assert raft.log[A] == [Entry(Term(2), X)] and raft.role[A] == Role.FOLLOWER


def test_a_late_heartbeat_takes_nothing_back() -> None:
    raft = led_by_a()
    raft.handle_append(B, entry(A, 1, 0, 0, FIRST))
    raft.commit(A, Index(1))
    raft.handle_append(B, entry(A, 1, 1, 1, None, commit=1))
    raft.handle_append(B, entry(A, 1, 0, 0, FIRST))
    assert raft.commit_index[B] == 1 and raft.log[B] == [FIRST]


def figure_8_c(raft: CommitsOldTerms) -> CommitsOldTerms:
    """Stage (c): `A` is elected again, and its old entry reaches a majority."""
    raft.figure_8(A, B, C, X)
    raft.handle_request(A, RequestVote(Term(2), B, Index(0), Term(0)))
    raft.time_out(A)
    raft.handle_request(C, RequestVote(Term(3), A, Index(1), Term(1)))
    raft.win(A)
    raft.handle_append(C, entry(A, 3, 0, 0, FIRST))
    return raft


def test_figure_8_begins_with_two_leaders_that_have_an_entry_each() -> None:
    with System(CommitsOldTerms):
        raft = CommitsOldTerms()
        raft.figure_8(A, B, C, X)
        assert (raft.log[A], raft.log[B], raft.log[C]) == ([FIRST], [Entry(Term(2), X)], [])
        assert (raft.term[A], raft.role[A], raft.term[B], raft.role[B]) == (1, Role.LEADER, 2, Role.LEADER)


def test_in_figure_8_the_paper_s_leader_does_not_commit_and_the_variant_s_does() -> None:
    with System(CommitsOldTerms):
        raft = figure_8_c(CommitsOldTerms())
        assert not Raft.may_commit(raft, A, Index(1))
        raft.commit(A, Index(1))
        assert raft.commit_index[A] == 1


@pytest.mark.slow
def test_with_room_for_one_entry_nothing_is_ever_committed_for_a_predecessor() -> None:
    outcome = check(Raft.bounded(Index=1))
    assert outcome.verdict == "not-judged"
    assert {j.property: j.status for j in outcome.judgements}["commits_for_predecessor"] == "not-reached"
    assert (outcome.statistics.states, outcome.statistics.transitions, outcome.statistics.depth) == (5_977, 23_434, 17)


def test_elections_of_two_terms() -> None:
    outcome = check(raft_election.RaftElection.bounded(Term=2))
    assert isinstance(outcome, HoldsWithinBounds) and set(outcome.statistics.cuts) == {"Term"}
    assert (outcome.statistics.states, outcome.statistics.transitions, outcome.statistics.depth) == (1_086, 2_348, 11)
