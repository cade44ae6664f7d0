"""The benchmark's models for the peers have the states and transitions of the specs that they are compared with."""

import shutil
from pathlib import Path

import pytest
from quorate import Spec
from quorate.explore import check
from quorate_specs.consensus.paxos import Paxos
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

from bench.contenders import MODELS, Counts, named_counts, spin_counts
from bench.measuring import build, measure


def expected(spec: type[Spec]) -> Counts:
    statistics = check(spec, symmetry=False).statistics
    return Counts(statistics.states, statistics.transitions)


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_the_hand_written_program(tmp_path: Path) -> None:
    build(tmp_path, "cc", "-DRM=3", "-DSTATES=288", "-o", "limit", str(MODELS / "two_phase_commit" / "limit.c"))
    assert named_counts(measure(["./limit"], tmp_path, {}).output) == expected(TwoPhaseCommit)


@pytest.mark.skipif(not (shutil.which("spin") and shutil.which("cc")), reason="no Spin, or no C compiler")
@pytest.mark.parametrize(
    ("model", "size", "spec", "roots"),
    [
        ("two_phase_commit/two_phase.pml", ["-DRM=3"], TwoPhaseCommit, 0),
        ("paxos/paxos.pml", ["-DBALLOTS=2", "-DLEARNERS=1"], Paxos.bounded(Ballot=2, Learner=1), 1),
    ],
)
def test_the_models_for_spin(tmp_path: Path, model: str, size: list[str], spec: type[Spec], roots: int) -> None:
    build(tmp_path, "spin", *size, "-a", str(MODELS / model))
    build(tmp_path, "cc", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c")
    found = spin_counts(measure(["./pan", "-w16"], tmp_path, {}).output)
    assert Counts(found.states - roots, found.transitions - roots) == expected(spec)
