"""Membership changes in Raft: one server at a time, and joint consensus."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.consensus import raft_membership
from quorate_specs.consensus.raft import AppendEntries, Command, Entry, Index, Role, Server, Term
from quorate_specs.consensus.raft_membership import JointConsensus, RaftMembership, is_majority_of

from tests.specs.claims import agreed, explored, shortest

A, B, C = Server
X = next(iter(Command))
FIRST = Entry(Term(1), X)


def led_by_a(raft: RaftMembership, members: set[Server]) -> None:
    """`A` leads term 1 with the votes of all members."""
    raft.found(members)
    raft.elect(A, Term(1), members)


def follow(raft: RaftMembership, s: Server, i: int, commit: int) -> None:
    """A server takes the entry of term 1 at `i`."""
    before = Term(1 if i > 1 else 0)
    raft.handle_append(s, AppendEntries(Term(1), A, Index(i - 1), before, FIRST, Index(commit)))


def test_only_members_count() -> None:
    assert is_majority_of({A, B}, {A, B, C}) and is_majority_of({A}, {A})
    assert not is_majority_of({A}, {A, B}) and not is_majority_of({A, B}, {C})


def test_a_configuration_is_changed_after_a_commit_in_the_leader_s_term_and_by_one_server() -> None:
    with System(RaftMembership):
        raft = RaftMembership()
        led_by_a(raft, {A})
        with pytest.raises(Disabled):
            raft.change(A, {A, B}, X)
        raft.request(A, X)
        raft.commit(A, Index(1))
        with pytest.raises(Disabled):
            raft.change(A, {A, B, C}, X)
        raft.change(A, {A, B}, X)
        assert raft.members(A) == {A, B} and raft.members_at(A, Index(1)) == {A} and raft.members(B) == {A}


def on_its_way_out(raft: RaftMembership) -> None:
    """A, who leads A and B, has appended the configuration that it is no member of."""
    led_by_a(raft, {A, B})
    raft.request(A, X)
    follow(raft, B, 1, 0)
    raft.commit(A, Index(1))
    raft.change(A, {B}, X)


def test_a_leader_commits_its_own_removal_with_the_others_and_leaves() -> None:
    with System(RaftMembership):
        raft = RaftMembership()
        on_its_way_out(raft)
        with pytest.raises(Disabled):
            raft.commit(A, Index(2))
        follow(raft, B, 2, 1)
        raft.commit(A, Index(2))
        assert raft.role[A] == Role.FOLLOWER and raft.has_left(A) and not raft.has_left(B)
        with pytest.raises(Disabled):
            raft.elect(A, Term(2), {A, B})
        raft.elect(B, Term(2), {B})


def test_a_server_runs_while_its_removal_may_fail() -> None:
    with System(RaftMembership):
        raft = RaftMembership()
        on_its_way_out(raft)
        with pytest.raises(Disabled):
            raft.elect(B, Term(2), {A, B})
        raft.elect(A, Term(2), {A, B})


def test_a_joint_configuration_needs_both_majorities_until_it_is_left() -> None:
    with System(JointConsensus):
        raft = JointConsensus()
        led_by_a(raft, {A})
        raft.change(A, {B, C}, X)
        assert raft.electorate(A) == {A, B, C} and raft.is_joint(A)
        follow(raft, B, 1, 0)
        with pytest.raises(Disabled):
            raft.commit(A, Index(1))
        with pytest.raises(Disabled):
            raft.leave_joint(A, X)
        follow(raft, C, 1, 0)
        raft.commit(A, Index(1))
        assert raft.role[A] == Role.LEADER
        raft.leave_joint(A, X)
        assert raft.electorate(A) == {B, C} and not raft.is_joint(A) and raft.is_needed(A)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "found"),
    [
        ("ChangesBeforeOwnCommit", ("election_safety", 6)),
        ("ChangesAgainBeforeCommit", ("leader_completeness", 8)),
        ("ChangesManyAtOnce", ("leader_completeness", 7)),
        ("RemovedServerWaits", ("never_stuck", 5)),
        ("LeaderCountsItself", ("never_stuck", 6)),
        ("LeavesUncommittedJoint", ("leader_completeness", 6)),
        ("CountsUnion", ("election_safety", 4)),
    ],
)
def test_the_shortest_run_of_each_mistake(variant: str, found: tuple[str, int]) -> None:
    assert shortest(getattr(raft_membership, variant)) == found


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "numbers"),
    [(RaftMembership, (18_570, 111_596, 16)), (JointConsensus, (188_629, 1_135_722, 16))],
    ids=["one_server", "joint"],
)
def test_the_numbers_of_the_default_bounds(spec: type[Spec], numbers: tuple[int, int, int]) -> None:
    assert explored(spec) == ("holds-within-bounds", *numbers)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "numbers"),
    [(RaftMembership, (679, 2_259, 11)), (JointConsensus, (2_565, 7_800, 11))],
    ids=["one_server", "joint"],
)
def test_both_engines_find_the_same_small_systems(spec: type[Spec], numbers: tuple[int, int, int]) -> None:
    assert agreed(spec.bounded(Server=2))[1:] == numbers
