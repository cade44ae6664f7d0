"""Two-phase commit, by hand: what its coordinator does when it comes back."""

import pytest
from quorate import Disabled
from quorate_specs.transactions.two_phase_commit import (
    RM,
    TM,
    PreparedAborts,
    ResourceManager,
    TwoPhaseCommit,
    TwoPhaseCommitWithCrashes,
    Verdict,
)


def with_all_prepared() -> TwoPhaseCommitWithCrashes:
    run = TwoPhaseCommitWithCrashes()
    for r in ResourceManager:
        run.prepare(r)
    for m in list(run.network):
        run.receive_prepared(m)
    run.decide_to_commit()
    return run


def test_the_transaction_manager_waits_for_the_last_vote() -> None:
    run = TwoPhaseCommit()
    first, *others = ResourceManager
    for r in others:
        run.prepare(r)
    for m in list(run.network):
        run.receive_prepared(m)
    with pytest.raises(Disabled):
        run.commit()
    run.choose_to_abort(first)
    run.abort()
    for r in others:
        run.obey_abort(r)
    assert all(run.rm[r] is RM.ABORTED for r in ResourceManager)


def test_a_prepared_participant_may_not_abort_on_its_own() -> None:
    first = next(iter(ResourceManager))
    run = TwoPhaseCommit()
    run.prepare(first)
    with pytest.raises(Disabled):
        run.choose_to_abort(first)
    broken = PreparedAborts()
    broken.prepare(first)
    broken.choose_to_abort(first)
    assert broken.rm[first] is RM.ABORTED


def test_a_decision_is_announced_only_from_the_log() -> None:
    run = with_all_prepared()
    with pytest.raises(Disabled):
        run.announce()
    run.force_log()
    run.announce()
    assert Verdict.COMMIT in run.network


def test_a_coordinator_without_a_logged_decision_comes_back_to_abort() -> None:
    run = with_all_prepared()
    run.crash_coordinator()
    run.restart_coordinator()
    assert run.tm is TM.ABORTED


def test_a_coordinator_with_a_logged_decision_keeps_it() -> None:
    run = with_all_prepared()
    run.force_log()
    run.crash_coordinator()
    run.restart_coordinator()
    assert run.tm is TM.COMMITTED


def test_a_participant_comes_back_with_its_promise_but_not_with_unfinished_work() -> None:
    first, second, *_ = ResourceManager
    run = TwoPhaseCommitWithCrashes()
    run.prepare(first)
    for r in (first, second):
        run.crash(r)
        run.restart(r)
    assert run.rm[first] is RM.PREPARED
    assert run.rm[second] is RM.ABORTED
