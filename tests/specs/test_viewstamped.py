"""Viewstamped Replication: view changes, state transfer and recovery."""

from typing import ClassVar

import pytest
from quorate import Disabled
from quorate.language.system import System
from quorate_specs.consensus import viewstamped
from quorate_specs.consensus.viewstamped import (
    Commit,
    DoViewChange,
    GetState,
    NewState,
    Nonce,
    OpNumber,
    Prepare,
    PrepareOk,
    Recovery,
    RecoveryResponse,
    Replica,
    Request,
    StartView,
    StartViewChange,
    Status,
    View,
    Viewstamped,
)

from tests.specs.claims import agreed, explored, shortest

A, B, C = Replica
X = next(iter(Request))
ZERO, ONE = OpNumber(0), OpNumber(1)


def committed(vr: Viewstamped) -> None:
    """The primary of view 0, `A`, has an operation committed with `C`."""
    vr.request(A, X)
    vr.prepare(C, Prepare(View(0), ONE, X))
    vr.commit(A, ONE)


def change_view(vr: Viewstamped, other: Replica) -> None:
    """`B` begins view 1 with the logs of itself and of `other`."""
    vr.suspect(B)
    vr.follow(other, StartViewChange(View(1), B))
    for r in (B, other):
        vr.do_view_change(r)
    vr.start_view(B, {B, other}, DoViewChange(View(1), View(0), [X], vr.commit_number[other], other))


def test_the_next_primary_has_a_committed_operation_from_another_and_says_so_to_the_rest() -> None:
    with System(Viewstamped):
        vr = Viewstamped()
        committed(vr)
        change_view(vr, C)
        assert vr.log[B] == [X] and vr.commit_number[B] == 0
        vr.follow_primary(A, StartView(View(1), [X], ZERO))
        assert vr.log[A] == [X] and vr.commit_number[A] == 1 and PrepareOk(View(1), ONE, A) in vr.network
        vr.commit(B, ONE)


def test_a_new_primary_needs_logs_of_a_quorum_and_takes_no_worse_one() -> None:
    with System(Viewstamped):
        vr = Viewstamped()
        committed(vr)
        vr.suspect(B)
        with pytest.raises(Disabled):
            vr.do_view_change(B)
        vr.follow(C, StartViewChange(View(1), B))
        vr.do_view_change(B)
        empty = DoViewChange(View(1), View(0), [], ZERO, B)
        with pytest.raises(Disabled):
            vr.start_view(B, {B}, empty)
        vr.do_view_change(C)
        with pytest.raises(Disabled):
            vr.start_view(B, {B, C}, empty)


def test_a_replica_that_hears_of_a_later_view_keeps_what_it_has_until_the_state_comes() -> None:
    with System(Viewstamped):
        vr = Viewstamped()
        committed(vr)
        change_view(vr, A)
        vr.get_state(C, Commit(View(1), ONE))
        assert vr.log[C] == [X] and vr.view[C] == vr.last_normal[C] == 0
        vr.new_state(B, GetState(View(1), C))
        vr.take_state(C, NewState(View(1), [X], ONE, C))
        assert vr.view[C] == vr.last_normal[C] == vr.commit_number[C] == 1


def test_a_recovering_replica_waits_for_the_primary_and_takes_part_in_nothing() -> None:
    with System(Viewstamped):
        vr = Viewstamped()
        committed(vr)
        vr.crash(C)
        assert vr.log[C] == [] and vr.status[C] == Status.RECOVERING
        vr.suspect(B)
        with pytest.raises(Disabled):
            vr.follow(C, StartViewChange(View(1), B))
        vr.respond(A, Recovery(Nonce(1), C))
        answer = RecoveryResponse(View(0), Nonce(1), [X], ONE, A, C)
        with pytest.raises(Disabled):
            vr.recover(C, {A}, answer)
        with pytest.raises(Disabled):
            vr.respond(B, Recovery(Nonce(1), C))


def test_a_replica_recovers_with_the_log_of_the_primary() -> None:
    with System(Viewstamped):
        vr = Viewstamped()
        committed(vr)
        vr.crash(C)
        for r in (A, B):
            vr.respond(r, Recovery(Nonce(1), C))
        with pytest.raises(Disabled):
            vr.recover(C, {A, B}, RecoveryResponse(View(0), Nonce(1), [], ZERO, B, C))
        vr.recover(C, {A, B}, RecoveryResponse(View(0), Nonce(1), [X], ONE, A, C))
        assert vr.log[C] == [X] and vr.commit_number[C] == 1 and vr.status[C] == Status.NORMAL


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "length"),
    [
        ("TruncatesToCommit", 14),
        ("ClaimsViewTooEarly", 14),
        ("LongestLog", 15),
        ("NumbersWithoutLog", 8),
        ("RecoveringTakesPart", 9),
        ("StartsAfresh", 4),
        ("NoNonce", 14),
        ("ForgetsView", 16),
    ],
)
def test_the_shortest_run_of_each_mistake(variant: str, length: int) -> None:
    assert shortest(getattr(viewstamped, variant)) == ("committed_survives", length)


@pytest.mark.library
@pytest.mark.slow
def test_the_numbers_of_the_default_bounds() -> None:
    assert explored(Viewstamped) == ("holds-within-bounds", 644_953, 3_234_646, 32)


class WithoutCrashes(Viewstamped):
    """Three views, so that each replica is a primary once."""

    bounds: ClassVar[dict[str, int]] = {"View": 2, "Nonce": 0}
    omits = ("crash", "respond", "recover", "recovers")


@pytest.mark.slow
def test_three_views_hold_while_nobody_crashes() -> None:
    assert explored(WithoutCrashes)[0] == "holds-within-bounds"


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_find_the_same_small_system() -> None:
    assert agreed(Viewstamped.bounded(Replica=2))[1:] == (248, 438, 12)
