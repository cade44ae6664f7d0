"""`python -m tests.impl.pbft.explore --count 1000 --seed 0`: many simulated runs, judged; a failure is shrunk.

The liars take turns, and so do drawn plans and those that aim at something. What it prints of a failure is enough to repeat it:
the seed and the plan.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
from quorate_impl.simulation import Outcome, Plan, draw_plan, shrink

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(given.seed, given.seed + given.count):
            outcome = run_of(seed)
            seen["operations"] += outcome.operations
            if broken(outcome, folder) is not None:
                seen["failures"] += 1
                plan = shrink(plan_of(seed), lambda plan, seed=seed: broken(run_of(seed, plan), folder) is not None)  # type: ignore[misc]
                print(f"seed {seed}: {broken(run_of(seed, plan), folder)}")
                print(msgspec.json.encode(plan).decode(), flush=True)
    print(f"{given.count} runs, {', '.join(f'{count} {what}' for what, count in sorted(seen.items()))}")


if __name__ == "__main__":
    main()
