"""The native engine agrees with the reference engine: counts, cuts, coverage, verdict and counterexample."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from quorate import Spec
from quorate.errors import UsageError
from quorate.explore import Checkpoint, Limits, Watch, check
from quorate.explore.limits import SAVINGS, Progress
from quorate.explore.native import explore as native
from quorate.explore.native import library
from quorate.language.system import Failure, System
from quorate.model.passes import PASSES

from tests.costs import shares
from tests.generated import load, sources
from tests.native import recorded
from tests.native.agreement import BATCH, QUICK_FLAGS, WORKERS, agree_on, compare, reductions

AGREEING = 2_000
SHARE = 50
ODD = 100
CONSTRAINED = 40
NAIVE = 24
WIDER = 40
ENDS = 30
SEARCHES = tuple(saving for saving in SAVINGS if saving not in PASSES)
"""The savings of the search itself."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile fast: what is compared is the meaning of the generated C."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)


@pytest.mark.slow
@settings(max_examples=15)
@given(sources())
def test_random_specs_agree(source: str) -> None:
    """By the way that a user's spec takes, from the class to the outcome."""
    try:
        compare(load(source), workers=(1, 2, 4))
    except Failure:
        assume(False)


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(AGREEING, SHARE, deep=0.975))
def test_two_thousand_random_specs_agree(begin: int) -> None:
    """With one, two and four workers, with and without symmetry. `tests/README.md` tells of a deeper run."""
    tally = agree_on(range(begin, begin + SHARE))
    assert tally["specs"] == SHARE and tally["explorations"] >= 2 * len(WORKERS) * SHARE * 0.95
    assert min(tally["more than 8 states"], tally["with cuts"], tally["violated"]) > SHARE / 8


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(ODD, ODD // 4, deep=0.5))
def test_specs_that_nobody_would_write_agree(begin: int) -> None:
    """Hostile names and types, operands that can fail; CPython against the typed model, too. Few are refused."""
    tally = agree_on(range(begin, begin + ODD // 4), odd=True)
    assert tally["specs"] == ODD // 4 and tally["refused"] < tally["drawn"] / 4
    assert min(tally["more than 8 states"], tally["error"], tally["held"]) >= 2


@pytest.mark.slow
def test_specs_with_constraints_agree() -> None:
    """In each of them a constraint cuts. CPython against the typed model, too."""
    tally = agree_on(range(CONSTRAINED), constraints=True)
    assert tally["specs"] >= 5


@pytest.mark.slow
def test_specs_of_newcomers_agree() -> None:
    """What the passes over the model change is drawn more often there."""
    tally = agree_on(range(NAIVE), naive=True)
    assert tally["specs"] == NAIVE and min(tally["more than 8 states"], tally["violated"], tally["held"]) >= 4, tally


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(WIDER, WIDER // 2, deep=0.5))
def test_specs_with_wider_words_agree(begin: int) -> None:
    """Several @init methods, partial maps, lists that may be None. CPython against the typed model, too."""
    tally = agree_on(range(begin, begin + WIDER // 2), wider=True)
    assert tally["specs"] == WIDER // 2
    assert min(tally["more than 8 states"], tally["violated"], tally["held"]) >= 2, tally


@pytest.mark.slow
@pytest.mark.parametrize(
    "store", ["exact", pytest.param("tree", marks=pytest.mark.deep), pytest.param("disk", marks=pytest.mark.deep)]
)
def test_specs_with_runs_that_end_agree(store: str) -> None:
    """Where nothing is possible, or nothing but what a bound cuts; some may end there, and some may not."""
    tally = agree_on(range(ENDS), store, ends=True)
    assert tally["specs"] == ENDS and min(tally["deadlock"], tally["held"], tally["with cuts"]) >= 4, tally


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(64, 8, deep=0.875))
@pytest.mark.parametrize("savings", [*((saving,) for saving in SEARCHES), tuple(PASSES)], ids="-".join)
def test_drawn_specs_agree_with_each_saving_switched_off(savings: tuple[str, ...], begin: int) -> None:
    """What is left out when it is on changes nothing (the test above), nor does it when it is off. The tests' README tells of a deeper
    run."""
    assert agree_on(range(BATCH + begin, BATCH + begin + 8), without=savings)["specs"] == 8


SMALLER = {
    "_raft_safety.RaftSafety": {"Term": 1, "Index": 2},
    "dynamo.Dynamo": {"Update": 1, "Client": 1},
    "dynamo.ForgetsItsDots": {"Update": 1, "Client": 1},
    "dynamo.LastWriteWins": {"Update": 1, "Client": 1},
    "dynamo.NoAntiEntropy": {"Update": 1, "Client": 1},
    "dynamo.OneVector": {"Update": 1, "Client": 1},
    "dynamo.PerServerVectors": {"Update": 1, "Client": 1},
    "dynamo.StrictQuorum": {"Update": 1, "Client": 1},
    "causal_store.CausalStore": {"Update": 1},
    "causal_store.ClientsStay": {"Update": 1},
    "causal_store.ConfirmsOnReceipt": {"Client": 1, "Key": 1},
    "causal_store.DropsWhatIsEarly": {"Client": 1, "Key": 1},
    "causal_store.LastMessageWins": {"Client": 1, "Key": 1},
    "causal_store.NewerWillDo": {"Client": 1, "Key": 1},
    "cache_aside.CacheAside": {"Reader": 2, "Ticket": 2},
    "fast_paxos.AnyReportedValue": {"Acceptor": 2, "fast_size": 2},
    "fast_paxos.FastPaxos": {"Acceptor": 2, "fast_size": 2},
    "fast_paxos.FastQuorumOfMajority": {"Acceptor": 2},
    "fast_paxos.OpensRegardless": {"Acceptor": 2, "fast_size": 2},
    "fast_paxos.SkipsBallots": {"Acceptor": 2, "fast_size": 2, "Ballot": 2},
    "idempotent_requests.IdempotentRequests": {"Client": 2},
    "isr_log.AcksOne": {"Broker": 2},
    "isr_log.AdvancesBelowMinimum": {"Broker": 2},
    "isr_log.AsksForEndOnly": {"Broker": 2, "min_insync_replicas": 1},
    "isr_log.IgnoresJoining": {"Broker": 2, "min_insync_replicas": 1},
    "isr_log.IsrLog": {"Broker": 2, "min_insync_replicas": 1},
    "isr_log.JoinsAfterRestart": {"Broker": 2},
    "isr_log.JoinsAtHighWatermark": {"Broker": 2, "Epoch": 2, "min_insync_replicas": 1},
    "isr_log.LastReplicaStanding": {"Broker": 2},
    "isr_log.TruncatesToHighWatermark": {"Broker": 2, "min_insync_replicas": 1},
    "isr_log.UncleanElection": {"Broker": 2},
    "isolation.CommitsInTwoSteps": {"Tx": 2},
    "isolation.ForgetsNewerVersions": {"Tx": 2},
    "isolation.Isolation": {"Tx": 2},
    "isolation.LostUpdate": {"Tx": 2},
    "isolation.NoDangerousStructureCheck": {"Tx": 2},
    "isolation.ReadCommitted": {"Tx": 2},
    "isolation.ReadOnlyAnomaly": {"Tx": 2},
    "isolation.ReadSkew": {"Tx": 2},
    "isolation.ReadUncommitted": {"Tx": 2},
    "isolation.ReleasesReadsAtCommit": {"Tx": 2},
    "isolation.ReplicaReadsAnyPrefix": {"Tx": 2},
    "isolation.ShortReadLocks": {"Tx": 2},
    "isolation.SnapshotIsolation": {"Tx": 2},
    "isolation.TwoPhaseLocking": {"Tx": 2},
    "isolation.WriteSkew": {"Tx": 2},
    "lease_lock.ClockJumps": {"Store": 2, "Time": 2},
    "lease_lock.ForgetsLoans": {"Store": 2, "Time": 2},
    "lease_lock.LateCheck": {"Store": 2, "Time": 2},
    "lease_lock.LeaseLock": {"Client": 2, "Token": 2},
    "lease_lock.Redlock": {"Store": 2, "Time": 2},
    "hybrid_clock.HybridClock": {"network": 1, "Time": 2},
    "crdt.Crdt": {"Count": 1},
    "crdt.OpCounter": {"Count": 2},
    "crdt.OrSet": {"network": 1},
    "lww_register.LwwRegister": {"Time": 2},
    "paxos.AnyReportedVote": {"Ballot": 1},
    "paxos.FlexiblePaxos": {"Acceptor": 2, "phase_one_size": 2, "phase_two_size": 1},
    "paxos.FlexibleQuorumsMiss": {"Ballot": 1},
    "paxos.ForgetsPromise": {"Ballot": 1},
    "paxos.IgnoresVotes": {"Ballot": 1},
    "paxos.Paxos": {"Ballot": 2, "Acceptor": 2},
    "pbft.AnyDigest": {"Replica": 2},
    "pbft.ClearsWhenExecuted": {"Replica": 2},
    "pbft.NoCommitPhase": {"Replica": 2},
    "pbft.OwnHistory": {"Replica": 2},
    "pbft.Pbft": {"Replica": 2},
    "pbft.PrepareQuorumOf2f": {"Replica": 2},
    "pbft.UncheckedCertificates": {"Replica": 2},
    "pbft.UnsignedRequests": {"Replica": 2},
    "primary_backup.Asynchronous": {"Node": 2},
    "primary_backup.Availability": {"Tx": 1},
    "primary_backup.NoFencing": {"Node": 2},
    "primary_backup.PaymentSentAsync": {"Node": 2},
    "primary_backup.Payments": {"Node": 2},
    "primary_backup.PrimaryBackup": {"Node": 2},
    "quorum_register.NoWriteBack": {"Reader": 1},
    "quorum_register.QuorumRegister": {"Reader": 1},
    "quorum_register.ReadOneWriteAll": {"Reader": 1},
    "quorum_register.Regular": {"Reader": 1},
    "raft.CommitsOldTerms": {"Term": 2},
    "raft.Raft": {"Term": 1, "Index": 2},
    "raft_election.RaftElection": {"Term": 1},
    "multi_paxos.FillsGapsAtOnce": {"Slot": 1, "Acceptor": 2},
    "multi_paxos.MultiPaxos": {"Slot": 1, "Acceptor": 2},
    "raft_leases.CountsFromReply": {"Length": 1, "Term": 1},
    "raft_leases.KeepsLeaseInTransfer": {"Length": 1, "Term": 1},
    "raft_leases.RaftLeases": {"Length": 1, "Term": 1},
    "raft_leases.SlowClock": {"Length": 1, "Term": 1},
    "raft_log.CommitsOldTerms": {"Term": 1},
    "raft_log.RaftLog": {"Term": 1},
    "raft_membership.ChangesAgainBeforeCommit": {"Server": 2},
    "raft_membership.ChangesBeforeOwnCommit": {"Server": 2},
    "raft_membership.ChangesManyAtOnce": {"Server": 2},
    "raft_membership.CountsUnion": {"Server": 2},
    "raft_membership.JointConsensus": {"Server": 2},
    "raft_membership.LeaderCountsItself": {"Server": 2},
    "raft_membership.LeavesUncommittedJoint": {"Server": 2, "Term": 2},
    "raft_membership.RaftMembership": {"Server": 2},
    "raft_membership.RemovedServerWaits": {"Server": 2},
    "raft_prevote.KeepsOldTerm": {"Server": 2},
    "raft_prevote.ListensToAll": {"Server": 2},
    "raft_prevote.NoPreVote": {"Server": 2},
    "raft_prevote.PreVoteByLogs": {"Server": 2},
    "raft_prevote.RaftPrevote": {"Server": 2},
    "raft_prevote.RemembersLeader": {"Server": 2},
    "raft_reads.RaftReads": {"Index": 1, "Term": 1},
    "raft_reads.ReadsAtDeposedLeader": {"Index": 1, "Term": 1},
    "raft_reads.ReadsBeforeOwnCommit": {"Term": 1, "Event": 3},
    "raft_snapshots.ForgetsLastTerm": {"Term": 1},
    "raft_snapshots.InstallsOverLongerLog": {"Index": 1},
    "raft_snapshots.RaftSnapshots": {"Index": 1, "Term": 1},
    "consistency_ladder.Causal": {"Client": 2, "Replica": 2, "Turn": 3},
    "consistency_ladder.ConsistencyLadder": {"Client": 2, "Replica": 2, "Turn": 2},
    "consistency_ladder.NoWritesFollowReads": {"Client": 2, "Replica": 2, "Turn": 2},
    "consistency_ladder.Weak": {"Client": 2, "Turn": 1},
    "cap.Cap": {"Node": 1, "Request": 1},
    "cap.GilbertLynch": {"Node": 1},
    "replication_lag.ReplicationLag": {"Time": 2, "Length": 3, "Count": 1},
    "order_inventory.OrderInventory": {"Client": 2, "Key": 2},
    "order_inventory.Saga": {"Client": 2, "Key": 2},
    "paxos_commit.PaxosCommit": {"ResourceManager": 1},
    "three_phase_commit.ThreePhaseCommit": {"ResourceManager": 2},
    "replica_set.AsPublished": {"Member": 2},
    "replica_set.MajorityIsOld": {"Member": 2},
    "replica_set.NotJournaled": {"Client": 1},
    "replica_set.ReadsLocal": {"Member": 2},
    "replica_set.ReadsMajority": {"Member": 2},
    "replica_set.ReadsNearest": {"Member": 2},
    "replica_set.ReplicaSet": {"Client": 1},
    "replica_set.ReportsWithoutTerm": {"Client": 1, "Member": 2},
    "replica_set.WriteConcernOne": {"Client": 1},
    "multi_master.MultiMaster": {"Order": 1},
    "multi_master.StopsAtDuplicates": {"Order": 1},
    "regional_feed.DropsOrphans": {"User": 1},
    "regional_feed.OutboxInMemory": {"Post": 1},
    "regional_feed.RegionalFeed": {"Post": 1},
    "regional_feed.SendsOnce": {"Post": 1},
    "regional_feed.ShowsOrphans": {"User": 1},
    "sharding.Sharding": {"Epoch": 1, "Number": 1},
    "truetime.CausalReverse": {"Tx": 1, "Time": 2},
    "truetime.IgnoresPrepared": {"Tx": 1, "Time": 2},
    "truetime.NoClockAtCommit": {"Tx": 1, "Time": 2},
    "truetime.NoCommitWait": {"Tx": 1, "Time": 2},
    "truetime.OneClockIsSlow": {"Tx": 1, "Time": 2},
    "truetime.ParticipantBelowLast": {"Tx": 1, "Time": 2},
    "truetime.ReadsTooEarly": {"Tx": 1, "Time": 2},
    "truetime.SerializableWithSlowClock": {"Tx": 1, "Time": 2},
    "truetime.StrictSerializability": {"Tx": 1, "Time": 2},
    "truetime.SuccessorForgetsPromise": {"Tx": 1, "Time": 2},
    "truetime.Truetime": {"Tx": 1, "Time": 2},
    "two_phase_commit.TwoPhaseCommitWithCrashes": {"Crashes": 2},
    "voting.PaxosVotes": {"Ballot": 1},
    "voting.VotesForAnything": {"Ballot": 1},
    "voting.Voting": {"Ballot": 2},
    "atomic_register.QuorumIsAtomic": {"Reader": 1},
    "vector_clock.VectorClock": {"Count": 2, "network": 5},
    "viewstamped.ClaimsViewTooEarly": {"View": 1},
    "viewstamped.ForgetsView": {"View": 0},
    "viewstamped.LongestLog": {"Replica": 2},
    "viewstamped.NoNonce": {"View": 0, "Nonce": 1},
    "viewstamped.TruncatesToCommit": {"View": 1},
    "viewstamped.Viewstamped": {"View": 0},
}
"""Bounds at which the reference engine takes seconds."""


def identified(spec: type[Spec]) -> str:
    return recorded.name_of(spec)


@pytest.mark.slow
@pytest.mark.library
@pytest.mark.parametrize("spec", list(recorded.library()), ids=identified)
def test_specs_of_the_library_agree_at_small_bounds(spec: type[Spec]) -> None:
    stores = ("exact", "fingerprint") if spec.__base__ is Spec else ("exact",)
    savings = SEARCHES if spec.__base__ is Spec else ()
    done = compare(spec.bounded(**SMALLER.get(identified(spec), {})), (1, 2, 4), stores=stores, savings=savings)
    assert "plain" in done and "large" not in done


def test_every_number_of_two_phase_commit_is_the_published_one() -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    plain = check(TwoPhaseCommit.bounded(ResourceManager=7), engine="native", symmetry=False, workers=2)
    assert (plain.verdict, plain.statistics.states, plain.statistics.transitions) == ("holds", 296_448, 2_744_706)
    for managers, orbits in {7: 920, 8: 1_461, 9: 2_232, 10: 3_300}.items():
        assert check(TwoPhaseCommit.bounded(ResourceManager=managers), engine="native").statistics.states == orbits


def test_without_a_compiler_the_reference_engine_takes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    monkeypatch.setenv("CC", str(tmp_path / "none"))
    outcome = check(TwoPhaseCommit, watch=Watch(at_once=0))
    assert outcome.engine == "reference" and outcome.verdict == "holds"
    assert any("none" in note for note in outcome.notes)


def test_a_memory_limit_is_honest() -> None:
    from quorate.explore.limits import resident_bytes
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    limits = Limits(memory_bytes=resident_bytes() + (16 << 20))
    watch = Watch(limits, store="exact")
    outcome = check(TwoPhaseCommit.bounded(ResourceManager=8), engine="native", symmetry=False, watch=watch)
    assert outcome.verdict == "unfinished" and "memory" in str(outcome)
    assert 0 < outcome.statistics.states < 1_745_408


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interruption_gives_what_was_found_so_far(workers: int) -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    watch = Watch(Limits())
    timer = threading.Timer(1.5, watch.interrupt)
    timer.start()
    outcome = check(
        TwoPhaseCommit.bounded(ResourceManager=10), engine="native", symmetry=False, watch=watch, workers=workers
    )
    timer.cancel()
    assert outcome.verdict == "unfinished" and "interrupted" in str(outcome)


STRUCK = """
import os, signal, threading
from quorate.explore import Watch, check
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

searching = threading.Event()

def strike():
    searching.wait()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=strike, daemon=True).start()
watch = Watch(report=lambda progress: searching.set() if progress.states else None)
check(TwoPhaseCommit.bounded(ResourceManager=10), engine="native", symmetry=False, watch=watch)
"""
COLLECTING = """
import gc, os, signal, time
from quorate.explore.native.search import compiled
from quorate.language.system import System
from quorate.model.build import build
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

system = System(TwoPhaseCommit.bounded(ResourceManager=2))
build(system)
compiled(system, ())
build(System(TwoPhaseCommit.bounded(ResourceManager=3)))  # The last one is held.
cycle = [system]
cycle.append(cycle)
many = [[] for _ in range(400_000)]  # Collecting takes longer than the timer.
gc.collect()
signal.signal(signal.SIGALRM, signal.default_int_handler)
del system, cycle
signal.setitimer(signal.ITIMER_REAL, 0.001)
gc.collect()
time.sleep(1)
"""
"""A signal that comes while garbage is collected waits for the first line of Python: no such line may be one that nobody hears, as those
are that forget what was remembered of a system."""


@pytest.mark.parametrize("code", [STRUCK, COLLECTING], ids=["searching", "collecting"])
def test_ctrl_c_ends_the_engine_too(code: str) -> None:
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == -signal.SIGINT and ended.stderr.endswith("\nKeyboardInterrupt\n"), ended.stderr


@pytest.mark.slow
def test_a_search_that_was_ended_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    spec, file = TwoPhaseCommit.bounded(ResourceManager=8), tmp_path / "checkpoint"
    watch = Watch(Limits(), lambda progress: watch.interrupt() if progress.states else None, Checkpoint(file))
    ended = check(spec, engine="native", symmetry=False, watch=watch)
    assert ended.verdict == "unfinished" and file.exists()
    finished = check(
        spec, engine="native", symmetry=False, workers=2, watch=Watch(checkpoint=Checkpoint(file, resume=True))
    )
    whole = check(spec, engine="native", symmetry=False)
    for statistics in (finished.statistics, whole.statistics):
        assert (statistics.states, statistics.transitions, statistics.depth) == (1_745_408, 18_507_778, 25)
    assert finished.statistics.actions == whole.statistics.actions
    assert not file.exists()


def test_a_checkpoint_of_another_spec_is_refused(tmp_path: Path) -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    file = tmp_path / "checkpoint"
    for content, reason in ((None, "No such file"), (b"text", "not a checkpoint")):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(UsageError, match=reason):
            check(TwoPhaseCommit, engine="native", watch=Watch(checkpoint=Checkpoint(file, resume=True)))


def test_a_checkpoint_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    file = tmp_path / "checkpoint"
    appears = [file]

    def report(progress: Progress) -> None:
        if progress.states and appears:  # While the search runs, somebody else makes a file of that name.
            appears.pop().write_text("mine")

    watch = Watch(report=report, checkpoint=Checkpoint(file, interval_s=0.0))
    outcome = check(TwoPhaseCommit.bounded(ResourceManager=8), engine="native", symmetry=False, watch=watch)
    assert outcome.verdict == "holds" and any("could not be written" in note for note in outcome.notes)
    assert file.read_text() == "mine" and list(tmp_path.iterdir()) == [file]


RECORDED = json.loads(recorded.FILE.read_text(encoding="utf-8"))
LOCKED = tomllib.loads((Path(__file__).parents[2] / "quorate.lock").read_text(encoding="utf-8"))["found"]


@pytest.mark.parametrize("name", RECORDED)
def test_the_lock_has_the_numbers_that_the_reference_engine_recorded(name: str) -> None:
    """So has `quorate verify`, which every change has to pass: it holds the native engine to the lock."""
    module, spec = name.split(".")
    expected, locked = RECORDED[name], LOCKED[module][spec]["default"]
    numbers = expected.get("symmetry", expected["plain"])
    assert {key: locked.get(key, {}) for key in numbers if key != "finding"} == {
        key: value for key, value in numbers.items() if key != "finding"
    }


def recorded_specs() -> Iterator[Any]:
    """Those that are recorded; variants, which the lock holds to their numbers, are for the night."""
    for spec in recorded.library():
        if identified(spec) in RECORDED:
            yield pytest.param(spec, marks=[] if spec.__base__ is Spec else [pytest.mark.deep], id=identified(spec))


@pytest.mark.library
@pytest.mark.parametrize("spec", list(recorded_specs()))
def test_large_specs_have_the_numbers_that_the_reference_engine_recorded(spec: type[Spec]) -> None:
    expected = RECORDED[identified(spec)]
    system = System(spec)
    with system:
        assert system.bounds == expected["bounds"]
        found = {
            "symmetry" if sorts else "plain": recorded.numbers(native(system, sorts, Watch(), 2))
            for sorts in reductions(system)
        }
    assert {"bounds": system.bounds, **json.loads(json.dumps(found))} == expected
