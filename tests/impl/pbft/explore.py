"""`python -m tests.impl.pbft.explore --count 1000 --seed 0`: many simulated runs, judged; a failure is shrunk.

The liars take turns, and so do drawn plans and those that aim at something. What it prints of a failure is enough to repeat it:
the seed and the plan.
"""

from __future__ import annotations

from pathlib import Path

from quorate_impl.simulation import Outcome, Plan, draw_plan

from tests.impl.exploring import explore
from tests.impl.pbft.liars import (
    AnyLiar,
    FalseStates,
    Forging,
    Impersonating,
    Liar,
    MakingUp,
    Rewriting,
    Silent,
    TwoFaced,
)
from tests.impl.pbft.plans import apart, bad_weather, brownouts, calm, power_cuts
from tests.impl.pbft.running import BUSY, NODES, broken, run

LIARS: tuple[type[AnyLiar] | None, ...] = (
    Liar,
    TwoFaced,
    Rewriting,
    MakingUp,
    FalseStates,
    Forging,
    Impersonating,
    Silent,
    None,
    Liar,
)
AIMED = (calm, bad_weather, apart, power_cuts, brownouts)


def plan_of(seed: int) -> Plan:
    """Every other one is drawn from all faults."""
    return draw_plan(seed, NODES, BUSY.busy_ms, faults_max=8) if seed % 2 else AIMED[seed // 2 % len(AIMED)](seed)


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    return run(seed, plan_of(seed) if plan is None else plan, liar=LIARS[seed % len(LIARS)])


def wrong(seed: int, outcome: Outcome, folder: Path) -> str | None:
    return broken(outcome, folder)


if __name__ == "__main__":
    explore(__doc__, run_of, plan_of, wrong)
