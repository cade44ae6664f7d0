"""`python -m tests.impl.two_phase_commit.explore --count 1000 --seed 0`: many simulated runs; a failure is shrunk.

What it prints of a failure is enough to repeat it: the seed and the plan.
"""

from __future__ import annotations

from pathlib import Path

from quorate_impl.simulation import Outcome, Plan, draw_plan

from tests.impl.exploring import explore
from tests.impl.two_phase_commit.running import NODES, SHORT, run


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    return run(seed, plan)


def plan_of(seed: int) -> Plan:
    return draw_plan(seed, NODES, SHORT.busy_ms, faults_max=12)


def wrong(seed: int, outcome: Outcome, folder: Path) -> str | None:
    return outcome.failure


if __name__ == "__main__":
    explore(__doc__, run_of, plan_of, wrong)
