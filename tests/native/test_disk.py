"""Searches that are larger than memory (`--disk DIR`): the same answers from files, after kills and full disks, too."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate import Nat, Spec, action, init, invariant, require
from quorate.commands.check import command
from quorate.errors import UsageError
from quorate.explore import Checkpoint, Limits, Watch, check, witness
from quorate.explore.native import library
from quorate.explore.native.disk import MAGIC
from quorate_specs.consensus.paxos import Paxos
from quorate_specs.consensus.raft_election import RaftElection
from quorate_specs.transactions.two_phase_commit import CommitByMajority, TwoPhaseCommit

from tests.native import recorded
from tests.native.agreement import BATCH, QUICK_FLAGS, SMALL_DISK, agree_on, compare
from tests.native.building import found, program
from tests.native.test_agreement import SMALLER, identified

TWO_PHASE = '#include "two_phase.c"\n#include "run.c"\n'
SMALL = ("-DSTORE_DISK=1", *SMALL_DISK)


def search(program: str, directory: Path, *, workers: int = 1, checkpoints: bool = False) -> dict[str, str]:
    """Run a program on a directory."""
    directory.mkdir(exist_ok=True)
    return found(program, workers, 64, directory / "checkpoint" if checkpoints else "", "", directory)


@pytest.fixture(scope="module", params=["right", "broken"])
def exact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, str]]:
    """How two-phase commit is compiled, and what is found of it in memory."""
    defines = ["-DRM=4", *(["-DBROKEN"] if request.param == "broken" else [])]
    return defines, found(program(tmp_path_factory.mktemp("exact") / "exact", TWO_PHASE, "plain", *defines), 1)


@pytest.mark.slow
@pytest.mark.parametrize(("sanitizer", "words"), [("address", 1), ("address", 2), ("thread", 1)])
def test_numbers_and_counterexamples_are_those_of_states_in_memory(
    tmp_path: Path, exact: tuple[list[str], dict[str, str]], sanitizer: str, words: int
) -> None:
    """A level is written out in many runs, these are merged, and so are levels; checkpoints are written at every chance."""
    defines, expected = exact
    flags = [*defines, *SMALL, f"-DMODEL_WORDS={words}", "-DCHECKPOINT_MS=1"]
    kept = program(tmp_path / "kept", TWO_PHASE, sanitizer, *flags)
    for checkpoints in (False, True):
        answer = search(kept, tmp_path / f"disk{checkpoints}", checkpoints=checkpoints)
        for item in ("states", "transitions", "depth", "event", "stop", "reached", "fired", "trace"):
            assert answer[item] == expected[item], item


@pytest.mark.slow
def test_drawn_specs_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    count = BATCH // 2
    tally = agree_on(range(count), store="disk")
    assert tally["specs"] == count and min(tally["violated"], tally["held"], tally["with cuts"]) > count / 8


@pytest.mark.deep
@pytest.mark.slow
@pytest.mark.library
@pytest.mark.parametrize("spec", list(recorded.library()), ids=identified)
def test_specs_of_the_library_agree_at_small_bounds(spec: type[Spec], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", (*QUICK_FLAGS, *SMALL_DISK))
    done = compare(spec.bounded(**SMALLER.get(identified(spec), {})), stores=("disk",))
    assert "plain" in done and "large" not in done


@pytest.mark.slow
@pytest.mark.parametrize("words", [1, 2])
def test_a_search_that_is_killed_again_and_again_comes_to_the_same_end(tmp_path: Path, words: int) -> None:
    """Wherever it is killed: while it expands, writes out, gathers, merges, or writes a checkpoint."""
    build = (f"-DMODEL_WORDS={words}", *SMALL, "-UFOUND_MAX", "-DFOUND_MAX=200", "-DCHECKPOINT_MS=1")
    killed = program(tmp_path / "killed", TWO_PHASE, "plain", "-DRM=5", *build)
    began = time.monotonic()
    whole = search(killed, tmp_path / "whole")
    takes = time.monotonic() - began
    directory, draw, kills, resumed = tmp_path / "disk", random.Random(words), 0, 0
    directory.mkdir()
    while True:
        arguments = [killed, "1", "64", str(directory / "checkpoint"), "", str(directory)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            try:
                said, how = running.communicate(timeout=takes * draw.uniform(0.1, 0.4) if kills < 20 else None)
            except subprocess.TimeoutExpired:
                os.kill(running.pid, signal.SIGKILL)
                kills += 1
                said, how = running.communicate()
                if not (directory / "checkpoint").exists():
                    for file in directory.iterdir():
                        file.unlink()
                continue
        resumed += how == "resumed\n"
        break
    assert running.returncode == 0 and " stop=0 " in said, said
    answer = dict(item.split("=", 1) for item in said.split())
    assert kills > 2 and resumed
    for item in ("states", "transitions", "depth", "fired", "reached", "event"):
        assert answer[item] == whole[item], item


SEARCH = """
import json, resource, sys
from pathlib import Path
from quorate.explore import Limits, Watch, check
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit
spec, (_, folder, interval, most) = TwoPhaseCommit.bounded(ResourceManager=8), sys.argv
check(spec, engine="native", symmetry=False, watch=Watch(Limits(states=1), disk=Path(folder + ".compiled")))
if int(most):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
outcome = check(spec, engine="native", symmetry=False, watch=Watch(disk=Path(folder), disk_interval_s=float(interval)))
found = outcome.statistics
print(json.dumps([outcome.verdict, int(outcome.exit_code), str(outcome), found.states, found.transitions, found.depth]))
"""
NUMBERS = [1_745_408, 18_507_778, 25]


def started(folder: Path, interval_s: float, most: int = 0) -> subprocess.Popen[str]:
    """A search in a process of its own, in which no file may have more bytes than `most`."""
    command = [sys.executable, "-c", SEARCH, str(folder), str(interval_s), str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(running: subprocess.Popen[str]) -> list[object]:
    said, wrong = running.communicate(timeout=300)
    assert "Traceback" not in wrong, wrong
    found: list[object] = json.loads(said)
    return found


@pytest.mark.slow
def test_a_killed_search_goes_on_from_its_directory(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with started(folder, 0.2) as running:
        until = time.monotonic() + 60
        while not (folder / "checkpoint").exists() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(running.pid, signal.SIGKILL)
    assert (folder / "checkpoint").exists() and (folder / "states-0").exists()
    verdict, code, said, *numbers = ended(started(folder, 60))
    assert (verdict, code, numbers) == ("holds", 0, NUMBERS) and f"went on from {folder}" in str(said)
    assert [file.name for file in folder.iterdir()] == []


@pytest.mark.slow
def test_a_full_disk_is_said_and_costs_nothing_that_was_written(tmp_path: Path) -> None:
    """No file may have more than 10 MB, and all states have 14: the search ends, and goes on where there is room."""
    folder = tmp_path / "disk"
    verdict, code, said, *numbers = ended(started(folder, 0.1, 10_000_000))
    assert (verdict, code) == ("unfinished", 3) and f"{folder}: states cannot be written: File too large" in str(said)
    assert 0 < int(str(numbers[0])) < 1_745_408 and (folder / "checkpoint").exists()
    verdict, code, said, *numbers = ended(started(folder, 60))
    assert (verdict, code, numbers) == ("holds", 0, NUMBERS) and f"went on from {folder}" in str(said)


@pytest.mark.slow
def test_a_full_disk_before_the_first_checkpoint_leaves_nothing(tmp_path: Path) -> None:
    verdict, _, said, *_ = ended(started(tmp_path / "disk", 60, 10_000_000))
    assert verdict == "unfinished" and "there is no checkpoint to go on from" in str(said)
    assert list((tmp_path / "disk").iterdir()) == []


# ---- Verdicts, by the way that a user takes --------------------------------------------------------------------------


@pytest.mark.slow
def test_the_counterexample_is_the_same(tmp_path: Path) -> None:
    for symmetry in (True, False):
        exact, kept = (
            check(CommitByMajority, engine="native", symmetry=symmetry, watch=Watch(disk=disk))
            for disk in (None, tmp_path)
        )
        assert getattr(kept, "trace", None) == getattr(exact, "trace", None) is not None
        assert kept.statistics.transitions == exact.statistics.transitions and kept.statistics.store == "disk"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_goal_is_reached_by_the_same_run(tmp_path: Path) -> None:
    exact, kept = (witness(Paxos.bounded(Ballot=2), "outbid", watch=Watch(disk=disk)) for disk in (None, tmp_path))
    assert kept.verdict == exact.verdict == "reached"
    assert getattr(kept, "trace", None) == getattr(exact, "trace", None)


@pytest.mark.slow
@pytest.mark.parametrize("states", [1, 100, 295, 296, 297])
def test_the_limit_of_states_is_kept_to_the_state(tmp_path: Path, states: int) -> None:
    exact, kept = (
        check(TwoPhaseCommit, engine="native", symmetry=False, watch=Watch(Limits(states=states), disk=disk))
        for disk in (None, tmp_path)
    )
    assert (kept.verdict, kept.statistics.states) == (exact.verdict, exact.statistics.states)


@pytest.mark.slow
def test_a_search_that_the_limit_of_states_ends_goes_on(tmp_path: Path) -> None:
    """Each time it may have some more: it is ended in the middle of levels."""
    spec, states = TwoPhaseCommit.bounded(ResourceManager=5), 0
    while True:
        states += 701
        outcome = check(spec, engine="native", symmetry=False, watch=Watch(Limits(states=states), disk=tmp_path))
        if outcome.verdict != "unfinished":
            break
        assert outcome.statistics.states == states and (tmp_path / "checkpoint").exists()
    found = outcome.statistics
    assert (outcome.verdict, found.states, found.transitions, found.depth) == ("holds", 8_832, 58_146, 16)


class Digit(Nat, max=15):
    """A hexadecimal digit."""


class Dials(Spec):
    """Two dials begin anywhere, and are turned together."""

    left: Digit
    right: Digit

    @init
    def anywhere(self, left: Digit, right: Digit) -> None:
        require(left < 14 or right < 14)
        self.left, self.right = left, right

    @action
    def turn(self) -> None:
        self.left += 1
        self.right += 1

    @invariant
    def not_both_at_fifteen(self) -> bool:
        return self.left < 15 or self.right < 15


@pytest.mark.slow
def test_more_initial_states_than_memory_holds_and_going_on_from_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written out before there is any level; the file of all states is there before."""
    monkeypatch.setattr(library, "FLAGS", (*QUICK_FLAGS, *SMALL_DISK))
    expected = check(Dials, engine="native")
    for limit in (253, 254):
        outcome = check(Dials, engine="native", watch=Watch(Limits(states=limit), disk=tmp_path))
        assert (outcome.verdict, outcome.statistics.states) == ("unfinished", limit)
    assert (tmp_path / "checkpoint").exists()
    outcome = check(Dials, engine="native", watch=Watch(disk=tmp_path))
    assert outcome.verdict == "violated" and any("went on from" in note for note in outcome.notes)
    assert getattr(outcome, "trace", None) == getattr(expected, "trace", None) is not None
    assert list(tmp_path.iterdir()) == []


# ---- What is not ours, and what is damaged ----------------------------------------------------------------------------


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """The directory of a search that was ended."""
    folder = tmp_path / "disk"
    watch = Watch(report=lambda _: watch.interrupt(), disk=folder)
    outcome = check(TwoPhaseCommit.bounded(ResourceManager=8), engine="native", symmetry=False, watch=watch)
    assert outcome.verdict == "unfinished" and f"`--disk {folder}` goes on" in str(outcome)
    return folder


def again(folder: Path, managers: int = 8) -> str:
    """What is wrong with going on from there."""
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(UsageError) as refused:
        check(
            TwoPhaseCommit.bounded(ResourceManager=managers), engine="native", symmetry=False, watch=Watch(disk=folder)
        )
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before, "nothing is changed or removed"
    return str(refused.value)


@pytest.mark.slow
def test_a_directory_of_another_search_is_refused(interrupted: Path) -> None:
    assert "it is of a search with other bounds ResourceManager=8 (now ResourceManager=7)" in again(interrupted, 7)


@pytest.mark.slow
def test_a_directory_of_another_version_is_refused(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are in the order of hashes, and these are the engine's."""
    monkeypatch.setattr(library, "engine_version", lambda: "before")
    assert "it belongs to another spec, other bounds or another version" in again(interrupted)


@pytest.mark.slow
def test_a_damaged_file_is_refused(interrupted: Path) -> None:
    file = interrupted / "states-0"
    whole = file.read_bytes()
    file.write_bytes(whole[:40])
    assert "its file states-0 is shorter than it was" in again(interrupted)
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert "its file states-0 is damaged" in again(interrupted)
    file.write_bytes(whole[:8] + bytes(24) + whole[32:])
    assert "its file states-0 is not one of this search" in again(interrupted)
    file.unlink()
    assert "its file states-0 is missing" in again(interrupted)


@pytest.mark.slow
def test_files_that_were_only_begun_do_not_keep_a_search_from_going_on(interrupted: Path) -> None:
    """They are empty, or have as much of their head as a full disk had room for."""
    head = (interrupted / "states-0").read_bytes()[:24]
    for number in range(1, 200):
        if not (file := interrupted / f"states-{number}").exists():
            file.write_bytes(head[: number % 3 * 12])
    watch = Watch(report=lambda _: watch.interrupt(), disk=interrupted)
    outcome = check(TwoPhaseCommit.bounded(ResourceManager=8), engine="native", symmetry=False, watch=watch)
    assert f"`--disk {interrupted}` goes on" in str(outcome) and "cannot be made" not in str(outcome)


@pytest.mark.slow
def test_a_checkpoint_in_memory_is_none_on_the_disk(tmp_path: Path) -> None:
    spec, file = TwoPhaseCommit.bounded(ResourceManager=8), tmp_path / "checkpoint"
    watch = Watch(report=lambda _: watch.interrupt(), checkpoint=Checkpoint(file))
    check(spec, engine="native", symmetry=False, watch=watch)
    assert "its states are kept as they are" in again(tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "states-1", "checkpoint", "states-x"])
def test_other_files_are_left_as_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("keep me")
    assert f"{name} is there and is not of a search" in again(tmp_path)


def test_what_a_search_without_a_checkpoint_has_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "states-0").write_bytes(MAGIC + b"a search was killed")
    assert check(TwoPhaseCommit, engine="native", watch=Watch(disk=tmp_path)).verdict == "holds"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("place", "said"), [("file", "Not a directory|exists"), ("none/disk", "No such file")])
def test_a_place_that_is_no_directory_is_said(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "file").write_text("keep me")
    with pytest.raises(UsageError, match=said):
        check(TwoPhaseCommit, engine="native", watch=Watch(disk=tmp_path / place))


@pytest.mark.parametrize(
    ("watch", "said"),
    [
        ({"store": "tree"}, "--store tree"),
        ({"coverage": True}, "--coverage"),
        ({"profile": True}, "--profile"),
        ({"checkpoint": Checkpoint(Path("file"))}, "--checkpoint"),
    ],
)
def test_what_a_search_on_the_disk_cannot_do_is_said(tmp_path: Path, watch: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check(TwoPhaseCommit, watch=Watch(disk=tmp_path, **watch))  # type: ignore[arg-type]


def test_liveness_and_other_engines_and_workers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can only be judged in memory: name the other properties with --property"):
        check(RaftElection, watch=Watch(disk=tmp_path))
    with pytest.raises(UsageError, match="Only the native engine keeps states on the disk"):
        check(TwoPhaseCommit, engine="reference", watch=Watch(disk=tmp_path))
    with pytest.raises(UsageError, match="it has one worker"):
        check(TwoPhaseCommit, workers=2, watch=Watch(disk=tmp_path))
    shown = CliRunner().invoke(command, ["two_phase_commit", "--disk", str(tmp_path), "--keep-going"])
    assert shown.exit_code == 2 and "one --property at a time" in shown.output
    assert list(tmp_path.iterdir()) == []
