"""The simulator repeats itself to the byte, its faults bite, and the page that explains it is right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from quorate_impl.core import Core, Message, Persist, Persisted, Send, Started, Timers
from quorate_impl.protocol import Protocol
from quorate_impl.simulation import Crash, Cut, Damage, Full, Kill, Outcome, Plan, SyncFails, Weather, draw_plan, shrink
from quorate_impl.simulation.network import Network

from tests.impl.histories import is_linearizable
from tests.impl.page import page

ROOT = Path(__file__).parents[2]


def with_core(core: type[Core]) -> Protocol:
    given: Protocol = page().REGISTER
    return Protocol(given.name, given.message, given.request, given.response, given.record, core)


def run(seed: int, core: type[Core] | None = None, plan: Plan | None = None) -> Outcome:
    """A run of the register of the page, or of a broken one."""
    names = page()
    protocol = names.REGISTER if core is None else with_core(core)
    outcome: Outcome = names.simulate(seed, names.plan_of(seed) if plan is None else plan, protocol)
    return outcome


def test_the_register_of_the_page_is_linearizable_under_faults(tmp_path: Path) -> None:
    for seed in range(15):
        outcome = run(seed)
        assert outcome.failure is None and outcome.operations >= 6
        assert is_linearizable(outcome.history, tmp_path)


def broken_cores() -> dict[str, type[Core]]:
    """Mistakes in the register of the page."""
    names = page()

    class RepliesBeforeSync(names.Register):  # type: ignore[misc]
        def reply(self, client: str, response: Message) -> None:
            self.reply_at_once(client, response)

    class ForgetsRequests(names.Register):  # type: ignore[misc]
        def execute(self, write: Any) -> None:
            super().execute(write)
            self.executed.clear()

    class WritesNothing(names.Register):  # type: ignore[misc]
        def persist(self, *records: Any) -> int:
            return self.written

    return {each.__name__: each for each in (RepliesBeforeSync, ForgetsRequests, WritesNothing)}


@pytest.mark.parametrize(
    "mistake", ["RepliesBeforeSync", pytest.param("ForgetsRequests", marks=pytest.mark.slow), "WritesNothing"]
)
def test_a_mistake_is_found_within_forty_seeds(mistake: str, tmp_path: Path) -> None:
    core = broken_cores()[mistake]
    assert any(not is_linearizable(run(seed, core).history, tmp_path) for seed in range(40))


@pytest.mark.slow
def test_a_failing_plan_is_shrunk_to_one_crash(tmp_path: Path) -> None:
    core = broken_cores()["WritesNothing"]

    def fails(seed: int, plan: Plan) -> bool:
        return not is_linearizable(run(seed, core, plan).history, tmp_path)

    seed = next(seed for seed in range(40) if fails(seed, page().plan_of(seed)))
    (fault,) = shrink(page().plan_of(seed), lambda plan: fails(seed, plan))
    assert isinstance(fault, Crash | Full | Kill | SyncFails)


PRINT_LOG = """
from tests.impl.page import page
from quorate_impl.simulation import Conditions
names = page()
outcome = names.simulate(11, names.plan_of(11), conditions=Conditions(busy_ms=1000, keeps_log=True))
print("\\n".join(outcome.log), outcome.history, outcome.digest)
"""


def test_one_seed_is_one_run_to_the_byte_whatever_the_order_of_sets() -> None:
    logs = [
        subprocess.run(
            [sys.executable, "-c", PRINT_LOG],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert logs[0] == logs[1] and len(logs[0]) > 50_000


def test_other_seeds_are_other_runs() -> None:
    assert len({run(seed).digest for seed in range(5)}) == 5


def test_plans_are_drawn_from_their_seed() -> None:
    assert draw_plan(3, ["a", "b"], 1000) == draw_plan(3, ["a", "b"], 1000) != draw_plan(4, ["a", "b"], 1000)


def test_a_cluster_that_does_not_answer_after_the_faults_is_found() -> None:
    class Mute(page().Register):  # type: ignore[misc, name-defined]
        def requested(self, client: str, request: Message) -> None:
            pass

    outcome = run(1, Mute)
    assert outcome.failure is not None and "there was no answer yet for c1, c2, c3" in outcome.failure


def test_an_error_in_a_core_is_a_failure_with_its_place() -> None:
    class Raises(page().Register):  # type: ignore[misc, name-defined]
        def requested(self, client: str, request: Message) -> None:
            raise ZeroDivisionError

    outcome = run(1, Raises)
    assert outcome.failure is not None and "ZeroDivisionError" in outcome.failure


def test_damage_stops_a_node_at_its_next_start() -> None:
    outcome = run(1, plan=(Damage(500, 0, "server"), Crash(600, 100, "server")))
    assert "is damaged at byte" in outcome.stopped["server"]
    assert outcome.failure is not None and "no answer" in outcome.failure


def test_faults_of_the_network_bite() -> None:
    network = Network(Random(1))
    network.cut(["a"], ["b"], 1)
    assert network.delays("a", "b") == [] and len(network.delays("b", "a")) == 1
    network.cut(["a"], ["b"], -1)
    network.loss, network.duplication = 0.3, 0.5
    numbers = [len(network.delays("a", "b")) for _ in range(1000)]
    assert 200 < numbers.count(0) < 400 and 250 < numbers.count(2) < 450
    assert {type(fault) for seed in range(99) for fault in draw_plan(seed, ["a", "b"], 99, [Cut, Weather])} == {
        Cut,
        Weather,
    }


def test_send_waits_for_the_disk_and_send_at_once_does_not() -> None:
    stored = page().Stored("c", 1, 2)

    class Talks(Core):
        def started(self) -> None:
            self.send("a", stored)
            self.persist(stored)
            self.send("b", stored)
            self.send_at_once("c", stored)

    core = Talks("x")
    assert core.step(Started()) == [Send("a", stored), Persist(1, (stored,)), Send("c", stored)]
    assert core.step(Persisted(1)) == [Send("b", stored)]


def test_timers_run_out_in_their_order() -> None:
    timers = Timers()
    timers.set("b", 2)
    timers.set("a", 2)
    timers.set("never", 1)
    timers.cancel("never")
    assert [list(timers.tick()) for _ in range(3)] == [[], ["b", "a"], []] and not timers.runs("a")
