"""A check of liveness that was killed goes on from its graph (`graphfile.h`), and from nothing that is not whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from quorate.explore import Watch
from quorate.explore.limits import Checkpoint, Limits
from quorate.explore.native import library
from quorate.explore.native.checkpoint import MAGIC
from quorate.explore.native.liveness import Check
from quorate.explore.native.search import compiled
from quorate.language.system import System

from tests.native.agreement import QUICK_FLAGS, SMALL_TREE
from tests.native.building import program
from tests.native.killed import Stages
from tests.native.listed import Listed, drawn
from tests.native.liveness_agreement import SMALL_GRAPH
from tests.native.test_liveness import EVERY_STATE, LISTED, large

KILOBYTES = 1 << 20


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> str:
    return program(tmp_path_factory.mktemp("graph") / "runner", LISTED, "address", *SMALL_GRAPH)


def run(runner: str, graph: Listed, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What it says of one graph, however it ends."""
    command = [runner, *map(str, arguments)]
    return subprocess.run(command, input=graph.text(), capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_check_that_was_killed_anywhere_goes_on(tmp_path: Path, runner: str) -> None:
    """In the middle of blocks of one worker and of several, which write the graph before each of them; limits of states end it, too."""
    random, parts = Random(5), 0
    for graph in (large(1), large(2), *map(drawn, range(8))):
        states = len(graph.promises)
        expected = run(runner, graph, KILOBYTES, EVERY_STATE, 1).stdout
        for chain in range(6 if states > 100 else 2):
            file = tmp_path / f"graph {states} {chain}"
            while True:
                most = random.choice([EVERY_STATE, EVERY_STATE, random.randint(1, states)])
                done = run(runner, graph, KILOBYTES, most, random.choice([1, 2, 4]), file, random.randint(1, states))
                assert done.returncode in (0, -9) and not done.stderr, done
                if done.returncode == 0 and most == EVERY_STATE:
                    break
                parts += file.exists()
            assert done.stdout == expected
            assert not list(tmp_path.glob("*.partial-*"))
            file.unlink(missing_ok=True)
    assert parts > 20


@pytest.mark.slow
def test_a_damaged_file_is_refused(tmp_path: Path, runner: str) -> None:
    """Cut off anywhere, longer, or with a bit that is another."""
    graph, file, random = large(3), tmp_path / "graph", Random(1)
    whole = run(runner, graph, KILOBYTES, EVERY_STATE, 1, file)
    kept = file.read_bytes()
    assert whole.returncode == 0 and run(runner, graph, KILOBYTES, EVERY_STATE, 1, file).stdout == whole.stdout
    damaged = [kept[: random.randrange(len(kept))] for _ in range(12)] + [kept + b"more", b""]
    for _ in range(40):
        place = random.choice([random.randrange(256), random.randrange(len(kept))])
        damaged.append(kept[:place] + bytes([kept[place] ^ 1 << random.randrange(8)]) + kept[place + 1 :])
    for content in damaged:
        file.write_bytes(content)
        refused = run(runner, graph, KILOBYTES, EVERY_STATE, 1, file)
        assert refused.returncode == 2 and refused.stdout.startswith("it ") and not refused.stderr
        assert file.read_bytes() == content


@pytest.mark.slow
def test_a_graph_in_a_tree_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one part and of two, from each number of states on, and when it is whole."""
    monkeypatch.setattr(library, "FLAGS", (*QUICK_FLAGS, *SMALL_GRAPH, *SMALL_TREE))
    file = tmp_path / "checkpoint"
    file.write_bytes(MAGIC)
    with System(Stages) as system:
        initial, engine = compiled(system, (), "tree")
        assert engine.rendered.state_words > 1

        def answers(states: int | None, checkpoint: Checkpoint | None) -> object:
            watch = Watch(Limits(states=states), store="tree")
            return Check(system, engine, initial, (), watch, 1, checkpoint).lasting().answers

        expected, kept = answers(None, None), Checkpoint(file, resume=True)
        for states in (30, 50, 100, 200, None, None):
            found = answers(states, kept)
        assert found == expected


@pytest.mark.slow
@pytest.mark.parametrize("store", ["exact", pytest.param("tree", marks=pytest.mark.deep)])
def test_specs_whose_check_was_killed_are_judged_the_same(store: str) -> None:
    """More of them: `python -m tests.native.killed --count 200`."""
    command = [sys.executable, "-m", "tests.native.killed", "--count", "8", "--drawn", "2", "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("8 chains"), done.stdout + done.stderr
