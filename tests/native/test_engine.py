"""The engine by itself, on a model written by hand (`models/two_phase.c`), under the compiler's sanitizers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.native.building import SANITIZERS, found, program

COUNTS = {3: (288, 1_146, 10), 5: (8_832, 58_146, 16), 6: (50_816, 402_306, 19), 7: (296_448, 2_744_706, 22)}
ORBITS = {3: 80, 5: 314, 6: 553, 7: 920, 8: 1_461, 9: 2_232, 10: 3_300}

Build = Callable[..., str]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles the model and gives the program's path: `build("address", RM=5, MODEL_WORDS=2)`."""
    folder = tmp_path_factory.mktemp("engine")

    @cache
    def made(sanitizer: str, defines: tuple[tuple[str, int], ...]) -> str:
        name = "_".join([sanitizer, *(f"{key}{value}" for key, value in defines)])
        text = '#include "two_phase.c"\n#include "run.c"\n'
        return program(folder / name, text, sanitizer, *(f"-D{key}={value}" for key, value in defines))

    return lambda sanitizer, **defines: made(sanitizer, tuple(sorted(defines.items())))


@pytest.mark.parametrize(("words", "sleep"), [(1, 0), (1, 1), (2, 1)])
@pytest.mark.parametrize("sanitizer", SANITIZERS)
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_counts_depend_neither_on_workers_nor_on_width_nor_on_sleep(
    build: Build, sanitizer: str, words: int, sleep: int, workers: int
) -> None:
    managers = 7 if sanitizer == "plain" else 6 if sanitizer == "address" else 5
    answer = found(build(sanitizer, RM=managers, MODEL_WORDS=words, MODEL_SLEEP=sleep), workers)
    states, transitions, depth = COUNTS[managers]
    assert (answer["states"], answer["transitions"], answer["depth"]) == (str(states), str(transitions), str(depth))
    assert (answer["event"], answer["stop"], answer["reached"]) == ("-1", "0", "3")


@pytest.mark.parametrize("managers", ORBITS)
def test_orbits_are_exact(build: Build, managers: int) -> None:
    assert found(build("plain", RM=managers, MODEL_SYMMETRY=1), 1)["states"] == str(ORBITS[managers])


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_the_counterexample_does_not_depend_on_workers(build: Build, sanitizer: str) -> None:
    answers = [
        found(build(sanitizer, RM=6, BROKEN=1, MODEL_WORDS=words, MODEL_SLEEP=2 - words), workers)
        for words in (1, 2)
        for workers in (1, 2, 3, 2)
    ]
    for answer in answers:
        answer.pop("bytes")
    assert answers[0]["event"] == "1" and len(answers[0]["trace"].split(",")) == 7
    assert answers[1:] == [answers[0]] * 7


@pytest.mark.slow
@pytest.mark.parametrize("sleep", [0, 1])
def test_a_state_of_two_phase_commit_takes_at_most_24_bytes(build: Build, sleep: int) -> None:
    answer = found(build("plain", RM=9, MODEL_SLEEP=sleep), 1)
    assert answer["states"] == "10340352"
    assert int(answer["bytes"]) <= 24 * int(answer["states"])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_memory_limit_ends_the_search_honestly(build: Build, workers: int) -> None:
    answer = found(build("plain", RM=8, MODEL_WORDS=2), workers, 16)
    assert answer["stop"] == "3" and 0 < int(answer["states"]) < 1_745_408
    assert int(answer["bytes"]) <= 16 << 20


@pytest.mark.parametrize("workers", [1, 2])
def test_more_states_of_a_worker_than_slots_have_positions_for_end_the_search_honestly(
    build: Build, workers: int
) -> None:
    answer = found(build("address", RM=6, MODEL_WORDS=2, POSITION_BITS=13), workers)
    assert answer["stop"] == "3" and 8_000 < int(answer["states"]) <= workers << 13


def test_a_limit_of_states_is_kept(build: Build) -> None:
    answer = found(build("address", RM=6), 1, 1000, "", 10_000)
    assert (answer["stop"], answer["states"]) == ("4", "10000")


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after", "sleep"), [(1, 2, 0), (1, 2, 1), (2, 1, 1)])
def test_a_killed_search_goes_on_from_its_checkpoint(
    build: Build, tmp_path: Path, before: int, after: int, sleep: int
) -> None:
    program, file = build("plain", RM=8, MODEL_WORDS=2, MODEL_SLEEP=sleep), tmp_path / "checkpoint"
    running = subprocess.Popen([program, str(before), "4000", str(file)], stdout=subprocess.PIPE)
    until = time.monotonic() + 30
    while not file.exists() and running.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert file.exists()
    done = subprocess.run([program, str(after), "4000", str(file)], capture_output=True, text=True, check=True)
    answer = dict(item.split("=", 1) for item in done.stdout.split())
    assert done.stderr == "resumed\n"
    assert (answer["states"], answer["transitions"], answer["depth"]) == ("1745408", "18507778", "25")
    whole = found(program, 1)
    assert answer["fired"] == whole["fired"] and answer["reached"] == whole["reached"]


@pytest.mark.slow
@pytest.mark.parametrize("tree", [0, 1])
def test_a_checkpoint_that_is_due_when_a_limit_ends_the_search_misses_nothing(
    build: Build, tmp_path: Path, tree: int
) -> None:
    """Who stops in the middle of a chunk comes where others wait for it to write the checkpoint."""
    program = build("plain", RM=5, MODEL_WORDS=2, SOLO_MAX=1, STORE_TREE=tree, CHECKPOINT_MS=0)
    gone_on = 0
    for limit in range(1_000, 8_000, 800):
        file = tmp_path / str(limit)
        assert found(program, 3, 4000, file, limit)["stop"] == "4"
        if file.exists():
            answer = found(program, 2, 4000, file)
            assert (int(answer["states"]), int(answer["transitions"]), int(answer["depth"])) == COUNTS[5]
            gone_on += 1
    assert gone_on > 5


@pytest.mark.parametrize("damage", ["truncated", "changed", "foreign"])
def test_a_damaged_or_foreign_checkpoint_is_refused(build: Build, tmp_path: Path, damage: str) -> None:
    program, file = build("plain", RM=7), tmp_path / "checkpoint"
    found(program, 1, 4000, file)
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        file.write_bytes(content[:-100])
    elif damage == "changed":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        program = build("plain", RM=6)
    done = subprocess.run([program, "1", "4000", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("refused: it belongs to another" if damage == "foreign" else "refused: it is damaged")


@pytest.mark.slow
def test_once_a_number_has_left_its_bits_no_checkpoint_is_written(build: Build, tmp_path: Path) -> None:
    """Who went on from it would take states for found that are none."""
    answer = found(build("plain", RM=8, MODEL_WORDS=2, TRAP_AT=50_000), 2, 4000, tmp_path / "checkpoint")
    assert (answer["stop"], answer["checkpoints"]) == ("5", "0")
    assert not (tmp_path / "checkpoint").exists()


def test_a_full_disk_at_the_checkpoint_does_not_end_the_search(build: Build) -> None:
    answer = found(build("plain", RM=7), 2, 4000, "/dev/full/checkpoint")
    assert (answer["states"], answer["checkpoints"]) == ("296448", "0")
