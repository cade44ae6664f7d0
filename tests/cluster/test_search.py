"""A search by several workers: the same as by one process, whichever of them are lost on the way."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quorate import Nat, Spec, action, reachable
from quorate.commands.check import command as check_command
from quorate.commands.verify import command as verify_command
from quorate.errors import UsageError
from quorate.explore import Watch, check
from quorate.explore.cluster import rays
from quorate.explore.cluster.search import _Search
from quorate.explore.limits import Checkpoint, Cluster, Limits
from quorate.explore.native import explore as native
from quorate.language.system import System
from quorate.loading import load, names

from tests.cluster.agreement import agree_on, by_workers, compare, safety
from tests.cluster.in_process import Actor, Answer, InProcess, Lost
from tests.native.agreement import reductions, summary

DRAWN = 6


@pytest.mark.slow
def test_drawn_specs_are_searched_as_by_one_process() -> None:
    total = agree_on(range(DRAWN))
    assert total["searches"] >= DRAWN and total["violated"] and total["symmetry"]


@pytest.mark.deep
@pytest.mark.parametrize("part", range(4))
def test_many_drawn_specs_are_searched_as_by_one_process(part: int) -> None:
    total = agree_on(range(1000 + 60 * part, 1060 + 60 * part), losses=1)
    assert total["searches"] > 100 and total["expand"] + total["insert"] + total["end"]


@pytest.mark.slow
def test_whoever_is_lost_nothing_changes() -> None:
    """Up to three of four workers, at moments that are drawn: while they expand, while others send to them, when the level ends. Only when
    two neighbours are lost at the same time the search ends, and says so."""
    system = System(load("two_phase_commit").main.bounded(ResourceManager=5))
    with system:
        expected = native(system, (), Watch(), 1)
        died: Counter[str] = Counter()
        for seed in range(24):
            cluster = InProcess(4, seed, losses=1 + seed % 3)
            found = by_workers(system, (), cluster)
            if found.stopped is not None and len(cluster.died_in) > 1:
                assert "was lost, and nobody else had its states" in found.stopped and found.finding is None
                died["neighbours"] += 1
            else:
                assert summary(found, True) == summary(expected, True)
            died.update(cluster.died_in)
    assert died["expand"] and died["insert"] and died["end"] and 0 < died["neighbours"] < 12


@pytest.mark.slow
def test_answers_that_are_lost_cost_the_level() -> None:
    """The worker lives, and has done what it was told: it is told again, or taken for lost. What it had met is forgotten."""
    system = System(load("two_phase_commit").main)
    with system:
        again = 0
        for sorts in reductions(system):
            expected = native(system, sorts, Watch(), 1)
            for seed in range(20):
                cluster = InProcess(3, seed, mislaid=2)
                found = by_workers(system, sorts, cluster)
                assert summary(found, True) == summary(expected, True)
                again += cluster.mislaid < 2 and not any("was lost" in note for note in found.notes)
    assert again and cluster.died_in == []


@pytest.mark.slow
def test_a_worker_that_is_lost_while_the_path_is_looked_for() -> None:
    system = System(load("two_phase_commit").variant("CommitByMajority"))
    lost = 0
    with system:
        expected = native(system, (), Watch(), 1)
        for seed in range(10):
            cluster = InProcess(3, seed, losses=1)
            cluster.DEADLY = ("members",)
            assert summary(by_workers(system, (), cluster), True) == summary(expected, True)
            lost += len(cluster.died_in)
    assert expected.finding is not None and lost >= 5


class LosesThePath(InProcess):
    """Of the first path that is found, the answer does not come."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.paths: list[Answer] = []

    def task(self, worker: Actor, method: str, *arguments: Any, answers: int = 1) -> Any:
        answer = super().task(worker, method, *arguments, answers=answers)
        if method == "path":
            self.paths.append(answer)
        return answer

    def get(self, task: Answer) -> Any:
        if task in self.paths[:1]:
            raise Lost
        return super().get(task)


@pytest.mark.slow
def test_a_path_whose_answer_is_lost_is_looked_for_again_from_its_beginning() -> None:
    system = System(load("two_phase_commit").variant("CommitByMajority"))
    with system:
        cluster = LosesThePath(2)
        assert summary(by_workers(system, (), cluster), True) == summary(native(system, (), Watch(), 1), True)
    assert len(cluster.paths) == 2


@pytest.mark.slow
def test_one_worker_that_is_lost_ends_the_search() -> None:
    """Nobody else has its states. What had been found by then is told."""
    system = System(load("two_phase_commit").main)
    with system:
        found = by_workers(system, (), InProcess(1, 1, losses=1))
    assert found.stopped == "worker 0 was lost, and nobody else had its states"
    assert found.states == sum(found.levels) > 0 and found.finding is None


def test_limits_end_a_search() -> None:
    """As in one process: as many as the limit says are not too many."""
    system = System(load("two_phase_commit").main)
    with system:
        states = native(system, (), Watch(), 1).states
        for limit in (100, states - 1):
            found = by_workers(system, (), InProcess(2), Watch(Limits(states=limit)))
            assert found.stopped == f"the limit of {limit:,} states is reached"
        whole = by_workers(system, (), InProcess(2), Watch(Limits(states=states)))
    assert whole.stopped is None and whole.states == states


class Steps(Nat, max=8):
    """How far."""


class Late(Spec):
    """Its goal is reached in one state, and raises an error in others that are met later."""

    here: Steps
    there: Steps

    @action
    def go(self) -> None:
        self.here += 1

    @action
    def move(self) -> None:
        self.there += 1

    @reachable
    def met(self) -> bool:
        return (self.here == 1 and self.there == 0) or 6 // (4 - self.here) == 7


def test_a_goal_that_one_worker_has_reached_is_asked_by_none() -> None:
    system = System(Late)
    with system:
        expected = native(system, (), Watch(), 1)
        for workers in (1, 2, 3):
            found = by_workers(system, (), InProcess(workers, workers, losses=workers > 1))
            assert summary(found, True) == summary(expected, True)
    assert expected.reached == {"met"} and expected.states == 81


@pytest.mark.slow
def test_coverage_is_that_of_one_process() -> None:
    system = System(load("two_phase_commit").main)
    with system:
        found = by_workers(system, (), InProcess(3, 5), Watch(coverage=True))
        assert found.counted == native(system, (), Watch(coverage=True), 1).counted


def test_what_a_cluster_cannot_do_is_refused() -> None:
    """Before Ray is started."""
    with pytest.raises(UsageError, match=r"what runs do in the end, and RaftElection.* declares .*`--property "):
        check(load("raft_election").main, engine="cluster")
    holds = load("two_phase_commit").main
    for watch, said in (
        (Watch(checkpoint=Checkpoint(Path("file"))), "leave out --checkpoint"),
        (Watch(store="tree"), "leave out --store tree"),
        (Watch(disk=Path("states")), "leave out --disk"),
        (Watch(profile=True), "leave out --profile"),
    ):
        with pytest.raises(UsageError, match=said):
            check(holds, engine="cluster", watch=watch)


def test_ray_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"needs the package ray\. Install it with: pip install 'quorate\[cluster\]'"):
        check(load("two_phase_commit").main, engine="cluster")


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """A cluster of this machine that the tests share: starting one takes seconds."""
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    with rays.connected(Cluster(workers=4)):
        yield


@pytest.mark.slow
def test_ray_carries_what_workers_send(ray: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four workers, one of which is killed in the middle of a level; then two, and a violation."""
    spec = load("two_phase_commit").main.bounded(ResourceManager=5)
    usual, killed = _Search._some, []

    def some(self: _Search, tasks: Any) -> Any:
        if self.level == 8 and not killed:
            killed.append(self.places[2].process)
            os.kill(killed[0], signal.SIGKILL)
        return usual(self, tasks)

    monkeypatch.setattr(_Search, "_some", some)
    found = check(spec, engine="cluster", symmetry=False, watch=Watch(cluster=Cluster(workers=4)))
    expected = check(spec, engine="native", symmetry=False)
    assert killed and any("was lost at depth 8" in note for note in found.notes), found.notes
    for field in ("states", "transitions", "depth", "cuts", "actions", "levels"):
        assert getattr(found.statistics, field) == getattr(expected.statistics, field)
    broken = load("two_phase_commit").variant("CommitByMajority")
    violated = check(broken, engine="cluster", watch=Watch(cluster=Cluster(workers=2)))
    assert violated.violated and violated.trace == check(broken, engine="native").trace


@pytest.mark.slow
def test_many_checks_are_tasks(ray: None) -> None:
    """Each is made by one process; what comes of them stands in order."""
    sizes = CliRunner().invoke(check_command, ["two_phase_commit", "--cluster", "--bound", "ResourceManager=2..4"])
    assert re.findall(r"^\d +holds +(\d+)", sizes.stdout, re.MULTILINE) == ["34", "80", "166"], sizes.output
    verified = CliRunner().invoke(verify_command, ["transaction_commit", "--cluster", "--no-skip"])
    assert verified.exit_code == 0 and "do what they say" in verified.stdout, verified.output


SMALLER = {"Raft": {"Index": 2}}


@pytest.mark.deep
@pytest.mark.parametrize("name", names())
def test_the_library_is_searched_as_by_one_process(name: str) -> None:
    """Every specification and variant at its default bounds, or smaller ones, for what finite runs violate."""
    for spec in load(name).classes.values():
        compare(safety(spec.bounded(**SMALLER.get(spec.__name__, {}))), (3,), losses=1)
