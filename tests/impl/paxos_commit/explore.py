"""`python -m tests.impl.paxos_commit.explore --count 1000 --seed 0`: many simulated runs; a failure is shrunk.

Drawn plans and those that aim at something take turns, and some of them with impatient
leaders. What it prints of a failure is enough to repeat it: the seed and the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from quorate_impl.simulation import Outcome, Plan, draw_plan

from tests.impl.exploring import explore
from tests.impl.paxos_commit.plans import bad_weather, leaders_come_and_go, power_cuts, quarrels
from tests.impl.paxos_commit.running import IMPATIENT, NODES, OPTIONS, SHORT, run

AIMED = (power_cuts, bad_weather, leaders_come_and_go, quarrels)


def plan_of(seed: int) -> Plan:
    """Three of four are drawn from all faults."""
    return (
        AIMED[seed // 4 % len(AIMED)](seed) if seed % 4 == 3 else draw_plan(seed, NODES, SHORT.busy_ms, faults_max=12)
    )


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    return run(seed, plan_of(seed) if plan is None else plan, options=IMPATIENT if seed % 8 == 7 else OPTIONS)


def wrong(seed: int, outcome: Outcome, folder: Path) -> str | None:
    return outcome.failure


def noticed(seed: int, outcome: Outcome, folder: Path) -> Iterator[str]:
    """How purchases ended."""
    return (event["value"][1] for event in outcome.history if event["type"] == "ok")


if __name__ == "__main__":
    explore(__doc__, run_of, plan_of, wrong, noticed)
