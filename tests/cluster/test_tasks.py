"""What a cluster does as tasks, random runs and mutants among them, is what one process does, whichever of them are lost."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from quorate.cli import cli
from quorate.errors import UsageError
from quorate.explore import Limits, Watch
from quorate.explore.cluster import rays, walks
from quorate.explore.limits import Cluster
from quorate.explore.simulate import simulate
from quorate.mutate import Task, Verdict, series
from quorate.mutate.crew import OfACluster
from quorate_specs.transactions.two_phase_commit import CommitByMajority, TwoPhaseCommit

from tests.mutate.samples import LOCK


@dataclass
class Here:
    """Tasks that are done at once, of those that wait in an order that is drawn."""

    workers: int = 3
    begun: int = 0

    def each(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        lost: Callable[[Any], Any],
        at_once: int,
        go_on: Callable[[], bool],
    ) -> Generator[tuple[int, Any], None, None]:
        chance, left, waiting = Random(1), enumerate(items), list[tuple[int, Any]]()
        while go_on():
            for one in left:
                waiting.append(one)
                if len(waiting) == at_once:
                    break
            if not waiting:
                return
            number, item = waiting.pop(chance.randrange(len(waiting)))
            self.begun += 1
            yield number, function(item)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    """In the place of a cluster."""
    found = Here()

    @contextmanager
    def connected(_: Cluster) -> Iterator[Here]:
        yield found

    monkeypatch.setattr(walks, "connected", connected)
    monkeypatch.setattr(walks, "TASK_STEPS", 20_000)
    return found


@pytest.mark.parametrize("swarm", [False, True])
def test_random_runs_are_those_of_one_process(here: Here, swarm: bool) -> None:
    for spec in (TwoPhaseCommit, CommitByMajority):
        one = simulate(spec, seed=7, runs=6_000, length=40, swarm=swarm, engine="native", workers=1)
        many = simulate(spec, seed=7, runs=6_000, length=40, swarm=swarm, cluster=Cluster())
        assert many == one
    assert here.begun >= 12


def test_a_limit_ends_random_runs_with_what_was_counted(here: Here) -> None:
    ended = simulate(TwoPhaseCommit, seed=7, runs=10**9, length=40, cluster=Cluster(), watch=Watch(Limits(seconds=0.3)))
    assert ended.stopped is not None and "0.3 s" in ended.stopped and ended.runs % 500 == 0
    assert ended.steps == sum(ended.actions.values()) and ended.last is not None


def test_what_does_not_go_together_is_said() -> None:
    with pytest.raises(UsageError, match="Guided runs learn from each other"):
        simulate(TwoPhaseCommit, seed=1, runs=2, guided=True, cluster=Cluster())
    run = CliRunner().invoke(cli, ["simulate", "two_phase_commit", "--engine", "reference", "--cluster"])
    assert run.exit_code == 2 and "leave out --engine reference" in run.output
    run = CliRunner().invoke(cli, ["why", "voting", "--workers", "2", "--cluster"])
    assert run.exit_code == 2 and "--cluster-workers" in run.output


@pytest.mark.parametrize("option", ["--store", "--without"])
def test_a_range_of_bounds_does_not_ignore_how_states_are_kept(option: str) -> None:
    for bound in ("ResourceManager=2", "ResourceManager=2..3"):
        run = CliRunner().invoke(cli, ["check", "two_phase_commit", "--bound", bound, option, "nonsense"])
        assert run.exit_code != 0 and "nonsense" in str(run.exception or run.output)


@pytest.fixture(scope="module")
def ray() -> Iterator[rays.Rays]:
    """A cluster of this machine that the tests share."""
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    with rays.connected(Cluster(workers=2)) as found:
        yield found


def dies_once(folder: Path, number: int) -> int:
    """The first to come to the third task is killed there."""
    mark = folder / "died"
    if number == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def dies(number: int) -> int:
    """Nobody survives the third task."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


class Dies:
    """The function above it, of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, number: int) -> int:
        return dies_once(self.folder, number)


@pytest.mark.slow
def test_ray_takes_random_runs_and_a_lost_task_is_done_again(ray: rays.Rays, tmp_path: Path) -> None:
    one = simulate(TwoPhaseCommit, seed=7, runs=6_000, length=40, engine="native")
    assert simulate(TwoPhaseCommit, seed=7, runs=6_000, length=40, cluster=Cluster(workers=2)) == one
    squares = {number: number**2 for number in range(5)}
    assert dict(ray.each(Dies(tmp_path), range(5), str, at_once=2)) == squares
    assert (tmp_path / "died").exists()
    assert dict(ray.each(dies, range(5), lambda number: -number)) == squares | {2: -2}


KILLS = """
import os, signal
from quorate import Nat, Spec, action, invariant

if os.getpid() != {here}:
    os.kill(os.getpid(), signal.SIGKILL)


class N(Nat, max=3): ...


class Kills(Spec):
    n: N

    @action
    def up(self) -> None:
        self.n += 1

    @invariant
    def low(self) -> bool:
        return self.n <= 3
"""


@pytest.mark.slow
def test_what_no_process_survives_is_unfinished_and_nothing_else_is_lost(
    ray: rays.Rays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does Ray say anything where the result is."""
    (tmp_path / "kills.py").write_text(KILLS.format(here=os.getpid()), encoding="utf-8")
    (tmp_path / "lives.py").write_text(KILLS.format(here="os.getpid()"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    reason = "the process that checked it was ended: it may have been killed for its memory"
    run = CliRunner().invoke(cli, ["verify", "kills.py", "lives.py", "--cluster", "--no-skip", "--format", "json"])
    found = {row["outcome"]["spec"]: row["outcome"]["reason"] for row in json.loads(run.stdout)}
    assert run.exit_code == 3 and found == {"kills.py": reason, "lives.py": None}, run.output
    run = CliRunner().invoke(cli, ["check", "kills.py", "--cluster", "--bound", "N=2..3", "--format", "json"])
    assert run.exit_code == 3 and [row["reason"] for row in json.loads(run.stdout)] == [reason] * 2, run.output


@pytest.mark.slow
def test_mutants_are_explored_by_a_cluster_and_a_lost_process_is_replaced(
    ray: rays.Rays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock.py").write_text(LOCK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    task, crews, killed = Task("lock.py", engine="reference"), list[OfACluster](), list[int]()
    usual = OfACluster.__init__

    def begin(crew: OfACluster, *of: Any) -> None:
        usual(crew, *of)
        crews.append(crew)

    def kill(done: int, _: int, what: str) -> None:
        if (done, what) == (3, "mutants") and not killed:
            killed.append(1)
            ray.kill(crews[0]._members[1])

    monkeypatch.setattr(OfACluster, "__init__", begin)
    found = series(task, 300.0, 1, Watch(), kill, cluster=Cluster(workers=2))
    expected = series(task, 300.0, 1, Watch())
    assert found.stopped is None and crews[0]._lost == 1 and found.processes == 2
    assert [one.finding for one in found.trials] == [one.finding for one in expected.trials]
    assert Verdict.UNDECIDED not in {one.finding.verdict for one in found.trials}
