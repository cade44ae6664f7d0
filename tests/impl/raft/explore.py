"""`python -m tests.impl.raft.explore --count 1000 --seed 0`: many simulated runs of the store, judged; a failure is shrunk.

Every other run has servers that an administrator adds and removes. What it prints of a failure is enough to repeat it:
the seed and the plan.
"""

from __future__ import annotations

from pathlib import Path

from quorate_impl.simulation import Conditions, Outcome, Plan, draw_plan

from tests.impl.exploring import explore
from tests.impl.histories import is_linearizable
from tests.impl.raft.running import MANY, NODES, run

CONDITIONS = Conditions(busy_ms=2_000, think_ms=30)


def nodes_of(seed: int) -> tuple[str, ...]:
    return MANY if seed % 2 else NODES


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    return run(seed, plan, conditions=CONDITIONS, nodes=nodes_of(seed))


def wrong(seed: int, outcome: Outcome, folder: Path) -> str | None:
    if outcome.failure is not None or is_linearizable(outcome.history, folder, "cas-register", None):
        return outcome.failure
    return "the history is not linearizable"


def plan_of(seed: int) -> Plan:
    return draw_plan(seed, nodes_of(seed), CONDITIONS.busy_ms, faults_max=12)


if __name__ == "__main__":
    explore(__doc__, run_of, plan_of, wrong)
