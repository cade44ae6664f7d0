"""The store under faults, with a replica that lies: honest ones agree, every history is linearizable, every mistake is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from quorate_impl.pbft import Client, Ed25519, Pbft
from quorate_impl.simulation import Conditions, Crash, Damage, Plan

from tests.impl.pbft import mistakes
from tests.impl.pbft.liars import (
    AnyLiar,
    FalseStates,
    Forging,
    Impersonating,
    Liar,
    MakingUp,
    Rewriting,
    Silent,
    TwoFaced,
)
from tests.impl.pbft.plans import apart, bad_weather, brownouts, calm, power_cuts
from tests.impl.pbft.running import broken, run
from tests.impl.repeated import digests

AIMED = [calm, bad_weather, apart, power_cuts, brownouts]
SHORT = Conditions(busy_ms=600, think_ms=20)
LIARS: list[type[AnyLiar]] = [Liar, TwoFaced, Rewriting, MakingUp, FalseStates, Forging, Impersonating, Silent]


def test_honest_replicas_agree_and_answer_whatever_the_liar_does(tmp_path: Path) -> None:
    """And after the faults clients are answered within 1,000 ticks (`Conditions.answer_ticks`), though it goes on lying."""
    for seed in range(2):
        assert broken(run(seed), tmp_path) is None


@pytest.mark.slow
@pytest.mark.parametrize("plan", [lambda seed: None, *AIMED], ids=["drawn", *(plan.__name__ for plan in AIMED)])
def test_they_do_so_under_many_plans(plan: Callable[[int], Plan | None], tmp_path: Path) -> None:
    for seed in range(1_000, 1_014):
        assert broken(run(seed, plan(seed), liar=LIARS[seed % len(LIARS)]), tmp_path) is None


def test_without_a_liar_one_disk_may_be_damaged(tmp_path: Path) -> None:
    """The replica whose disk it is stops, and says why; the other three go on."""
    outcome = run(1, (Damage(350, 0, "n2"), Crash(360, 50, "n2")), liar=None, conditions=SHORT)
    assert broken(outcome, tmp_path) is None
    assert list(outcome.stopped) == ["n2"] and "damaged" in outcome.stopped["n2"]


@pytest.mark.slow
def test_signatures_are_those_of_ed25519(tmp_path: Path) -> None:
    """The other runs sign with something faster. The same messages go back and forth, in the same order."""
    for liar in (None, Forging):
        signed = run(2, calm(2), liar=liar, conditions=SHORT, scheme=Ed25519())
        assert broken(signed, tmp_path) is None
        assert signed.history == run(2, calm(2), liar=liar, conditions=SHORT).history


def test_a_run_repeats_itself_in_processes_that_order_sets_in_another_way() -> None:
    assert digests("pbft", 5) == [run(5).digest] * 2


@pytest.mark.parametrize(
    ("core", "liar", "plan", "seeds"),
    [
        pytest.param(mistakes.PrepareQuorumOf2f, TwoFaced, calm, 10, marks=pytest.mark.slow),
        (mistakes.AnyDigest, TwoFaced, calm, 5),
        pytest.param(mistakes.NoCommitPhase, TwoFaced, apart, 40, marks=pytest.mark.slow),
        (mistakes.NoCertificates, Rewriting, calm, 5),
        (mistakes.ClearsWhenExecuted, Rewriting, apart, 5),
        pytest.param(mistakes.OwnHistory, Rewriting, apart, 20, marks=pytest.mark.slow),
        (mistakes.UncheckedCertificates, MakingUp, apart, 5),
        pytest.param(mistakes.UnsignedStatements, Impersonating, calm, 5, marks=pytest.mark.slow),
        pytest.param(mistakes.UnsignedRequests, Forging, calm, 5, marks=pytest.mark.slow),
        pytest.param(mistakes.CheckpointOfF, FalseStates, calm, 5, marks=pytest.mark.slow),
        (mistakes.ForgetsWhatItAccepted, TwoFaced, power_cuts, 5),
        pytest.param(mistakes.ForgetsItsView, TwoFaced, brownouts, 5, marks=pytest.mark.slow),
        pytest.param(mistakes.ExecutesTwice, TwoFaced, bad_weather, 5, marks=pytest.mark.slow),
    ],
)
def test_a_mistake_of_the_honest_is_found_within_so_many_seeds(
    core: type[Pbft], liar: type[Liar], plan: Callable[[int], Plan], seeds: int, tmp_path: Path
) -> None:
    """And the program without it is right in the run that shows it."""
    seed = next(seed for seed in range(seeds) if broken(run(seed, plan(seed), core, liar=liar), tmp_path) is not None)
    assert broken(run(seed, plan(seed), liar=liar), tmp_path) is None


@pytest.mark.slow
def test_a_client_that_takes_the_first_answer_is_lied_to(tmp_path: Path) -> None:
    seed = next(s for s in range(5) if "linearizable" in (found(s, mistakes.BelievesTheFirst, tmp_path) or ""))
    assert found(seed, Client, tmp_path) is None


def found(seed: int, client: type[Client], folder: Path) -> str | None:
    return broken(run(seed, calm(seed), client=client, liar=FalseStates), folder)
