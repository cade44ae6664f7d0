"""Random runs by the native engine: the same for the same seed, real, and as random as CPython's."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate import Nat, Spec, action, invariant, require, terminal
from quorate.commands.simulate import command
from quorate.errors import UsageError
from quorate.explore import Limits, Watch, check
from quorate.explore.native import library
from quorate.explore.native.simulation import estimate
from quorate.explore.simulate import simulate
from quorate.language.system import Failure
from quorate.trace import Trace
from quorate_specs.consensus.raft import CommitsOldTerms, Raft
from quorate_specs.transactions.two_phase_commit import CommitByMajority, TwoPhaseCommit

from tests.generated import load, write
from tests.native.agreement import QUICK_FLAGS
from tests.native.building import SANITIZERS, found, program

DRAWN = 12


class Level(Nat, max=3):
    """A count."""


class Falls(Spec):
    """It can climb to a place from which nothing is possible."""

    level: Level

    @action
    def climb(self) -> None:
        require(self.level < 3)
        self.level += 1

    @action
    def rest(self) -> None:
        require(self.level < 3)

    @terminal
    def never(self) -> bool:
        return False


class Breaks(Falls):
    """Climbing to the top is an error."""

    @action
    def climb(self) -> None:
        require(self.level < 3)
        self.level += 1
        assert self.level < 3


class Wrong(Falls):
    """False from the beginning."""

    @invariant
    def high(self) -> bool:
        return self.level > 0


class Far(Nat, max=30):
    """How far something has come."""


class Idles(Spec):
    """Half of what is possible changes nothing."""

    at: Far

    @action
    def idle(self) -> None:
        """Nothing."""

    @action
    def rise(self) -> None:
        require(self.at < 30)
        self.at += 1


def test_the_same_seed_gives_the_same_runs_with_any_number_of_workers() -> None:
    first, *others = (
        simulate(TwoPhaseCommit, seed=7, runs=9_000, length=40, engine="native", workers=workers)
        for workers in (1, 1, 2, 3)
    )
    for other in others:
        assert (other.runs, other.steps, other.actions, other.last) == (
            first.runs,
            first.steps,
            first.actions,
            first.last,
        )
    assert first.runs == 9_000 and first.steps == sum(first.actions.values()) and first.violation is None
    assert simulate(TwoPhaseCommit, seed=8, runs=9_000, length=40, engine="native").actions != first.actions


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_threads_that_walk_are_clean_under_sanitizers(tmp_path: Path, sanitizer: str) -> None:
    text = '#include "two_phase.c"\n#include "walk.c"\n'
    walk = program(tmp_path / "whole", text, sanitizer, "-DRM=6", "-DMODEL_WORDS=2")
    for swarm in ((), ("swarm",)):
        alone, shared = (found(walk, workers, 500, 30, 9, *swarm) for workers in (1, 3))
        assert alone == shared
    guided = program(tmp_path / "guided", text, sanitizer, "-DRM=6", "-DMODEL_WORDS=2", "-DMODEL_GUIDED=1")
    alone, shared = (found(guided, workers, 800, 30, 9) for workers in (1, 3))
    assert alone == shared and alone["last"] == alone["said"] and int(alone["steps"]) < 800 * 30
    one, three = (found(walk, workers, 2_000, 30, 9) for workers in (1, 3))
    assert (
        one == three
        and one["steps"] == str(2_000 * 30)
        and one["violated"] == "0"
        and one["last"] == one["said"] == "30"
    )
    broken = program(tmp_path / "broken", text, sanitizer, "-DRM=6", "-DBROKEN")
    answer = found(broken, 1, 100_000, 30, 9)
    assert answer["violated"] == "1" and int(answer["said"]) == int(answer["last"]) < 30


def test_a_violation_is_a_real_run_and_found_again() -> None:
    walked = [
        simulate(CommitByMajority, seed=1, runs=100_000, length=40, engine="native", workers=workers)
        for workers in (1, 2)
    ]
    first = walked[0]
    assert first.violation is not None and first.violation.property == "atomicity"
    assert [(one.violation, one.runs, one.steps) for one in walked] == [(first.violation, first.runs, first.steps)] * 2
    assert simulate(CommitByMajority, seed=1, runs=first.runs - 1, length=40, engine="native").violation is None


@pytest.mark.parametrize(("spec", "kind"), [(Falls, "deadlock"), (Breaks, "error"), (Wrong, "invariant")])
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_every_kind_of_violation_is_met(spec: type[Spec], kind: str, engine: str) -> None:
    violation = simulate(spec, seed=2, runs=50, length=40, engine=engine).violation
    assert violation is not None and violation.kind == kind
    assert len(violation.steps) == 0 if kind == "invariant" else len(violation.steps) >= 3


@pytest.mark.slow
def test_both_engines_take_each_enabled_instance_equally_often() -> None:
    """Runs are short, so that what one run does often does not weigh too much."""
    runs, length = 4_000, 3
    native, reference = (
        simulate(TwoPhaseCommit, seed=5, runs=runs, length=length, engine=engine) for engine in ("native", "reference")
    )
    assert native.steps == reference.steps == runs * length
    for name, count in reference.actions.items():
        assert abs(native.actions[name] - count) <= 6 * count**0.5 + 5, name


@pytest.mark.slow
@pytest.mark.parametrize("number", range(DRAWN))
def test_runs_of_drawn_specs_replay(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython takes every run that is shown again, and what it violates is violated."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    spec = load(write(1_000 + number))
    try:
        walked = simulate(spec, seed=number, runs=300, length=12, engine="native", workers=2)
    except Failure:
        pytest.skip("this spec has no initial state")
    shown = walked.last if walked.violation is None else walked.violation
    assert isinstance(shown, Trace) and len(shown.steps) <= 12
    assert walked.violation is None or check(spec, engine="reference").verdict in ("violated", "error")


def test_a_time_limit_ends_even_one_endless_run() -> None:
    walked = simulate(TwoPhaseCommit, seed=1, runs=1, length=2_000, engine="native", watch=Watch(Limits(seconds=60)))
    assert (
        walked.stopped is None and walked.steps == 2_000 and walked.last is not None and len(walked.last.steps) == 2_000
    )
    ended = simulate(Raft, seed=1, runs=10**9, engine="native", workers=2, watch=Watch(Limits(seconds=3)))
    assert ended.stopped is not None and "3 s" in ended.stopped and ended.violation is None and ended.last is not None


def test_the_command_shows_the_engine_and_the_last_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        command, ["two_phase_commit", "--even", "--runs", "20000", "--seed", "4", "--workers", "2"]
    )
    assert done.exit_code == 0
    assert "seed 4: 20,000 random runs, 1,000,000 steps" in done.output and "native engine: no violation" in done.output
    shown = CliRunner().invoke(command, ["two_phase_commit", "--seed", "4", "--engine", "native", "--format", "json"])
    facts = json.loads(shown.output)
    assert (
        facts["engine"] == "native" and facts["states"] is None and len(facts["trace"]["steps"]) == facts["steps"] == 50
    )


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(UsageError, match="There is no engine 'nativ'"):
        simulate(TwoPhaseCommit, seed=1, engine="nativ")


def test_without_a_compiler_the_reference_engine_walks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", str(tmp_path / "none"))
    walked = simulate(TwoPhaseCommit, seed=1)
    assert walked.engine == "reference" and any("none" in note for note in walked.notes)


@pytest.mark.slow
def test_ctrl_c_ends_the_runs_with_what_was_done() -> None:
    running = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from quorate.cli import main; main()",
            "simulate",
            "two_phase_commit",
            "--runs",
            "1000000000",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(4.0, os.kill, (running.pid, signal.SIGINT))
    timer.start()
    out, said = running.communicate(timeout=60)
    timer.cancel()
    assert running.returncode == 3, said
    assert "no violation (interrupted)" in out and "Traceback" not in said


class FromTheBeginning(CommitsOldTerms):
    """Figure 8 without its first stages."""

    omits = ("figure_8",)


@pytest.mark.slow
def test_a_swarm_finds_figure_8_from_the_very_beginning() -> None:
    """In the same run with any number of workers, and with the same estimates of what was seen until then."""
    one, two = (
        simulate(FromTheBeginning, seed=1, runs=100_000, length=60, swarm=True, engine="native", workers=workers)
        for workers in (1, 2)
    )
    assert one == two and one.violation is not None and one.violation.property == "leader_completeness"
    assert 0 < one.seen[1] < one.seen[0] < one.steps


@pytest.mark.parametrize(
    ("engine", "swarm"),
    [
        ("native", False),
        ("native", True),
        ("reference", True),
        pytest.param("reference", False, marks=pytest.mark.deep),
    ],
)
def test_what_was_seen_is_told(engine: str, swarm: bool) -> None:
    """Enough runs see everything, of which a few states are counted as good as exactly."""
    spec = TwoPhaseCommit.bounded(ResourceManager=2)
    everything = check(spec, symmetry=False, engine="reference").statistics.states
    found = simulate(spec, seed=3, runs=1_000, swarm=swarm, engine=engine)
    assert found.seen[0] == pytest.approx(everything, rel=0.03)
    assert found.states in (None, everything) and 10 < found.seen[1] < everything


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_swarm_takes_no_step_that_changes_nothing_while_there_is_another(engine: str) -> None:
    found = simulate(Idles, seed=1, runs=30, length=20, swarm=True, engine=engine)
    assert found.actions == {"idle": 0, "rise": 30 * 20}
    assert simulate(Idles, seed=1, runs=30, length=20, engine=engine).actions["idle"] > 200


def test_estimates_are_near() -> None:
    """Of numbers that are hashed as the engine hashes: by the highest bits into a register, which keeps the longest run of zeros."""
    registers, drawn = [0] * library.REGISTERS, random.Random(1)
    for count in range(1, 200_001):
        bits = drawn.getrandbits(64)
        rest = bits << 12 & 2**64 - 1
        place, zeros = bits >> 52, 64 - rest.bit_length() + 1
        registers[place] = max(registers[place], zeros)
        if count in (10, 1_000, 9_000, 20_000, 200_000):
            assert estimate(registers) == pytest.approx(count, rel=0.05)
