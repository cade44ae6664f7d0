"""`python -m tests.impl.two_phase_commit.explore --count 1000 --seed 0`: many simulated runs; a failure is shrunk.

What it prints of a failure is enough to repeat it: the seed and the plan.
"""

from __future__ import annotations

import argparse

import msgspec
from quorate_impl.simulation import draw_plan, shrink

from tests.impl.two_phase_commit.running import NODES, SHORT, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    operations = failures = 0
    for seed in range(given.seed, given.seed + given.count):
        outcome = run(seed)
        operations += outcome.operations
        if outcome.failure is not None:
            failures += 1
            drawn = draw_plan(seed, NODES, SHORT.busy_ms, faults_max=12)
            plan = shrink(drawn, lambda plan, seed=seed: run(seed, plan).failure is not None)  # type: ignore[misc]
            print(f"seed {seed}: {run(seed, plan).failure}")
            print(msgspec.json.encode(plan).decode(), flush=True)
    print(f"{given.count} runs, {operations} operations, {failures} failures")


if __name__ == "__main__":
    main()
