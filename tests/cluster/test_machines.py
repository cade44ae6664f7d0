"""A machine of a Ray cluster goes away in the middle of a level: four machines, each a raylet of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from quorate.explore import Watch, check
from quorate.explore.cluster.search import _Search
from quorate.explore.limits import Cluster
from quorate.loading import load


def raylet(node: Any) -> int:
    """The process of a machine that starts its workers."""
    found: int = node.all_processes["raylet"][0].process.pid
    return found


def parent(process: int) -> int:
    """What started a process."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.deep
def test_a_machine_that_goes_away_costs_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    from ray.cluster_utils import Cluster as Machines

    small = {"object_store_memory": 100 << 20}
    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small})
    try:
        others = [machines.add_node(num_cpus=2, **small) for _ in range(3)]
        usual, gone = _Search._expand_level, []

        def expand_level(self: _Search) -> None:
            if self.level == 9 and not gone:
                workers = {place.process: parent(place.process) for place in self.places.values()}
                gone.append(next(node for node in others if list(workers.values()).count(raylet(node)) == 1))
                lost = next(worker for worker, machine in workers.items() if machine == raylet(gone[0]))
                machines.remove_node(gone[0], allow_graceful=False)
                while Path(f"/proc/{lost}").exists():  # It sees within a second that its machine is not there any more.
                    time.sleep(0.1)
            usual(self)

        monkeypatch.setattr(_Search, "_expand_level", expand_level)
        spec = load("two_phase_commit").main.bounded(ResourceManager=5)
        found = check(spec, engine="cluster", symmetry=False, watch=Watch(cluster=Cluster(machines.address, 3)))
    finally:
        machines.shutdown()
    assert gone and any("was lost at depth" in note for note in found.notes), found.notes
    expected = check(spec, engine="native", symmetry=False).statistics
    assert (found.statistics.states, found.statistics.transitions) == (expected.states, expected.transitions)
