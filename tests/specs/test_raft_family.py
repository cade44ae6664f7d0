"""The rest of Raft's family: the log over several terms, ReadIndex, leases, snapshots."""

import pytest
from quorate import Disabled, Spec, check
from quorate.language.system import System
from quorate.loading import load
from quorate.outcome import HoldsWithinBounds, NotJudged
from quorate_specs.consensus import raft_leases, raft_log, raft_reads, raft_snapshots
from quorate_specs.consensus.raft import AppendEntries, Command, Entry, Index, Server, Term
from quorate_specs.consensus.raft_log import RaftLog
from quorate_specs.consensus.raft_reads import Append, Operation, RaftReads, Reader, log_object
from quorate_specs.consensus.raft_snapshots import InstallSnapshot, RaftSnapshots

from tests.specs.claims import agreed, shortest

A, B, C = Server
X = next(iter(Command))
R = next(iter(Reader))
FIRST = Entry(Term(1), X)


def led_by_a(raft: RaftLog) -> None:
    """`A` leads term 1 with the vote of `B`, and has sent two entries, of which `B` has the first."""
    raft.elect(A, Term(1), {A, B})
    raft.request(A, X)
    raft.request(A, X)
    raft.handle_append(B, AppendEntries(Term(1), A, Index(0), Term(0), FIRST, Index(0)))


def test_nobody_votes_for_a_candidate_with_a_shorter_log() -> None:
    with System(RaftLog):
        raft = RaftLog()
        led_by_a(raft)
        with pytest.raises(Disabled):
            raft.elect(C, Term(2), {B, C})
        raft.elect(B, Term(2), {B, C})
        assert raft.term[C] == 2 and raft.log[C] == []


def test_a_read_waits_for_a_commit_in_the_leader_s_term_and_for_a_majority() -> None:
    with System(RaftReads):
        raft = RaftReads()
        led_by_a(raft)
        with pytest.raises(Disabled):
            raft.read(A, R)
        raft.commit(A, Index(1))
        raft.read(A, R)
        with pytest.raises(Disabled):
            raft.answer(A, R)
        raft.confirm(C, R)
        raft.answer(A, R)
        assert raft.history[-1] == Operation(R, True, Index(1)) and raft.linearizable_reads()


def test_a_server_of_a_later_term_does_not_confirm_a_deposed_leader() -> None:
    with System(RaftReads):
        raft = RaftReads()
        led_by_a(raft)
        raft.commit(A, Index(1))
        raft.elect(B, Term(2), {B, C})
        raft.read(A, R)
        with pytest.raises(Disabled):
            raft.confirm(B, R)


def test_an_append_returns_its_position_and_a_read_the_length() -> None:
    append = Operation(Append(Term(1), Index(2)), True, Index(2))
    assert log_object(Index(1), append) == (True, Index(2))
    assert not log_object(Index(0), append)[0]
    assert log_object(Index(1), Operation(R, True, Index(1))) == (True, Index(1))
    assert not log_object(Index(1), Operation(R, True, Index(0)))[0]


def test_a_snapshot_of_a_prefix_keeps_the_rest_of_the_log_and_its_last_term() -> None:
    with System(RaftSnapshots):
        raft = RaftSnapshots()
        led_by_a(raft)
        raft.handle_append(B, AppendEntries(Term(1), A, Index(1), Term(1), FIRST, Index(0)))
        raft.commit(A, Index(1))
        raft.take_snapshot(A, Index(1))
        raft.offer_snapshot(A)
        message = InstallSnapshot(Term(1), A, Index(1), Term(1), [FIRST])
        raft.install(B, message)
        assert raft.log[B] == [FIRST, FIRST] and raft.snapshot[B] == raft.commit_index[B] == 1
        raft.install(C, message)
        assert raft.log[C] == [FIRST] and raft.last_term(C) == 1


def test_a_leader_that_has_handed_over_has_no_lease() -> None:
    with System(raft_leases.RaftLeases):
        raft, (a, b, c) = raft_leases.RaftLeases(), raft_leases.Server
        raft.elect(a, {a, b})
        raft.send_heartbeat(a)
        raft.confirm(b, a)
        assert raft.has_lease(a)
        with pytest.raises(Disabled):
            raft.elect(c, {b, c})
        raft.hand_over(a, b)
        assert not raft.has_lease(a)
        raft.elect(b, {b, c})
        assert raft.role[b] == raft_leases.Role.LEADER and raft.term[b] == 2


@pytest.mark.library
@pytest.mark.parametrize(
    ("variant", "found"),
    [
        (raft_log.CommitsOldTerms, ("leader_completeness", 8)),
        (raft_log.TruncatesAlways, ("committed_entries_are_on_a_majority", 7)),
        (raft_reads.ReadsAtDeposedLeader, ("linearizable_reads", 11)),
        (raft_reads.ReadsBeforeOwnCommit, ("linearizable_reads", 8)),
        (raft_leases.SlowClock, ("linearizable_reads", 7)),
        (raft_leases.CountsFromReply, ("linearizable_reads", 8)),
        (raft_leases.KeepsLeaseInTransfer, ("linearizable_reads", 7)),
        (raft_snapshots.InstallsOverLongerLog, ("committed_entries_are_on_a_majority", 9)),
        (raft_snapshots.ForgetsLastTerm, ("leader_completeness", 8)),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_shortest_run_of_each_mistake(variant: type[Spec], found: tuple[str, int]) -> None:
    assert shortest(variant) == found


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "numbers"),
    [
        (RaftLog.bounded(Term=2, Index=1), (334, 1_198, 9)),
        (RaftReads.bounded(Index=1), (1_938, 8_260, 13)),
        (RaftSnapshots.bounded(Index=1), (1_939, 9_734, 13)),
        (raft_leases.RaftLeases.bounded(Length=1), (3_029, 12_665, 14)),
    ],
    ids=["raft_log", "raft_reads", "raft_snapshots", "raft_leases"],
)
def test_both_engines_find_the_same_small_systems(spec: type[Spec], numbers: tuple[int, int, int]) -> None:
    assert agreed(spec)[1:] == numbers


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "bounds", "numbers"),
    [
        ("raft_election", {"Term": 2}, (31_992, 101_205, 15)),
        ("raft_log", {"Term": 2, "Index": 1}, (5_382, 37_707, 15)),
        ("raft", {"Term": 2, "Index": 1}, (1_185_572, 8_633_328, 27)),
        ("raft_reads", {"Term": 2, "Index": 1}, (107_875, 832_473, 21)),
        ("raft_leases", {"Term": 2, "Event": 5}, (102_970, 741_930, 19)),
        ("raft_snapshots", {"Term": 2, "Index": 1}, (75_861, 719_867, 20)),
        ("raft_prevote", {"Term": 1}, (55_552, 242_124, 19)),
        ("raft_membership", {"Term": 2, "Index": 1}, (15_475, 109_811, 15)),
    ],
)
def test_five_servers_break_nothing(name: str, bounds: dict[str, int], numbers: tuple[int, int, int]) -> None:
    """Up to symmetry; two servers lead one after the other, but in `raft_prevote`."""
    found = check(load(name).main.bounded(Server=5, **bounds))
    assert isinstance(found, HoldsWithinBounds | NotJudged)
    assert (found.statistics.states, found.statistics.transitions, found.statistics.depth) == numbers
