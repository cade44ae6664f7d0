"""`--store fingerprint`: the numbers and counterexamples of exact storage, in less memory, and what that rests on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate.commands.check import command
from quorate.errors import UsageError
from quorate.explore import Checkpoint, Watch, check
from quorate.explore.native import library
from quorate_specs.consensus.paxos import AnyReportedVote, Paxos
from quorate_specs.transactions.two_phase_commit import CommitByMajority, TwoPhaseCommit

from tests.costs import shares
from tests.native.agreement import QUICK_FLAGS, agree_on
from tests.native.building import HERE, SANITIZERS, found, program

TWO_PHASE = '#include "two_phase.c"\n#include "run.c"\n'


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", SANITIZERS)
@pytest.mark.parametrize("words", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_numbers_and_counterexamples_are_those_of_exact_storage(tmp_path: Path, sanitizer: str, words: int) -> None:
    for broken in ([], ["-DBROKEN"]):
        exact, kept = (
            program(
                tmp_path / f"store{store}",
                TWO_PHASE,
                sanitizer,
                "-DRM=6",
                f"-DMODEL_WORDS={words}",
                *broken,
                f"-DSTORE_FINGERPRINT={store}",
            )
            for store in (0, 1)
        )
        answers = [found(exact, 1), found(kept, 1), found(kept, 3)]
        for answer in answers:
            answer.pop("bytes")
        assert answers[0]["states"] == ("5653" if broken else "50816")
        assert answers[1:] == [answers[0]] * 2


@pytest.mark.slow
def test_a_state_of_two_phase_commit_takes_12_bytes(tmp_path: Path) -> None:
    answer = found(program(tmp_path / "fingerprints", TWO_PHASE, "plain", "-DRM=9", "-DSTORE_FINGERPRINT=1"), 2)
    assert answer["states"] == "10340352" and int(answer["bytes"]) <= 12 * 10_340_352


@pytest.mark.parametrize("seed", range(3))
def test_no_fingerprint_is_lost_when_the_table_grows(tmp_path: Path, seed: int) -> None:
    text = (HERE / "fingerprints.c").read_text(encoding="utf-8")
    assert found(program(tmp_path / "grow", text, "address"), "spread", seed) == {"lost": "0"}


def test_fingerprints_collide_as_often_as_random_numbers(tmp_path: Path) -> None:
    """Of n states about n^2 / 2^(bits + 1) collide; six standard deviations are allowed."""
    collide = program(tmp_path / "collide", (HERE / "fingerprints.c").read_text(encoding="utf-8"), "plain")
    for bits in (24, 28, 32, 36):
        expected = 2.0 ** (2 * 20 - bits - 1)
        assert (
            abs(int(found(collide, "collide", bits)["collisions"]) - expected) <= 6 * expected**0.5 + 0.02 * expected
        ), bits


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, *(pytest.param(bits, marks=pytest.mark.deep) for bits in (8, 16, 20))])
@pytest.mark.parametrize("broken", [(), ("-DBROKEN",)])
def test_collisions_miss_states_and_do_no_other_harm(tmp_path: Path, bits: int, broken: tuple[str, ...]) -> None:
    """With so few bits there are many. What is found of a violation is a real run, or nothing."""
    defines = ["-DRM=6", "-DMODEL_WORDS=2", *broken]
    exact = found(program(tmp_path / "exact", TWO_PHASE, "plain", *defines), 1)
    kept = found(
        program(
            tmp_path / "kept", TWO_PHASE, "address", *defines, "-DSTORE_FINGERPRINT=1", f"-DFINGERPRINT_BITS={bits}"
        ),
        1,
    )
    assert 1 < int(kept["states"]) < int(exact["states"]) if bits < 20 else int(kept["states"]) <= int(exact["states"])
    assert not kept["trace"] or len(kept["trace"].split(",")) >= len(exact["trace"].split(","))


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(64, 16))
def test_drawn_specs_agree(begin: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    assert agree_on(range(begin, begin + 16), store="fingerprint")["specs"] == 16


def test_the_outcome_says_what_it_rests_on() -> None:
    exact, kept = (
        check(Paxos.bounded(Ballot=2), engine="native", watch=Watch(store=store)) for store in ("exact", "fingerprint")
    )
    assert kept.verdict == exact.verdict and kept.statistics.states == exact.statistics.states
    assert exact.statistics.collision == 0.0
    states = kept.statistics.states
    assert kept.statistics.collision == pytest.approx(states * (states - 1) / 2**65)
    said = CliRunner().invoke(command, ["paxos", "--bound", "Ballot=2", "--store", "fingerprint"])
    assert said.exit_code == 0 and "probability below" in said.output
    shown = CliRunner().invoke(command, ["paxos", "--bound", "Ballot=2", "--store", "fingerprint", "--format", "json"])
    facts = json.loads(shown.output)
    assert facts["store"] == "fingerprint" and 0 < facts["collision_probability"] < 1e-9


def test_fingerprints_of_one_word_cannot_collide() -> None:
    outcome = check(TwoPhaseCommit, engine="native", symmetry=False, watch=Watch(store="fingerprint"))
    assert outcome.verdict == "holds" and outcome.statistics.collision == 0.0
    said = CliRunner().invoke(command, ["two_phase_commit", "--store", "fingerprint"])
    assert "no two can be equal" in said.output


@pytest.mark.parametrize("spec", [CommitByMajority, AnyReportedVote.bounded(Ballot=2)])
def test_the_counterexample_is_the_same(spec: type) -> None:
    exact, kept = (
        check(spec, engine="native", workers=2, watch=Watch(store=store)) for store in ("exact", "fingerprint")
    )
    assert getattr(kept, "trace", None) == getattr(exact, "trace", None)
    assert kept.statistics.transitions == exact.statistics.transitions


def test_what_fingerprints_cannot_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no states to write into a checkpoint"):
        check(TwoPhaseCommit, watch=Watch(store="fingerprint", checkpoint=Checkpoint(tmp_path / "checkpoint")))
    with pytest.raises(UsageError, match="Only the native engine keeps fingerprints"):
        check(TwoPhaseCommit, engine="reference", watch=Watch(store="fingerprint"))
    with pytest.raises(UsageError, match="There is no store 'print'"):
        check(TwoPhaseCommit, watch=Watch(store="print"))
