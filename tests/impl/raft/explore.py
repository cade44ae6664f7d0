"""`python -m tests.impl.raft.explore --count 1000 --seed 0`: many simulated runs of the store, judged; a failure is shrunk.

Every other run has servers that an administrator adds and removes. What it prints of a failure is enough to repeat it:
the seed and the plan.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import msgspec
from quorate_impl.simulation import Conditions, Outcome, Plan, draw_plan, shrink

from tests.impl.histories import is_linearizable
from tests.impl.raft.running import MANY, NODES, run

CONDITIONS = Conditions(busy_ms=2_000, think_ms=30)


def nodes_of(seed: int) -> tuple[str, ...]:
    return MANY if seed % 2 else NODES


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    return run(seed, plan, conditions=CONDITIONS, nodes=nodes_of(seed))


def is_right(outcome: Outcome, folder: Path) -> bool:
    return outcome.failure is None and is_linearizable(outcome.history, folder, "cas-register", None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    operations = failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(given.seed, given.seed + given.count):
            outcome = run_of(seed)
            operations += outcome.operations
            if not is_right(outcome, folder):
                failures += 1
                drawn = draw_plan(seed, nodes_of(seed), CONDITIONS.busy_ms, faults_max=12)
                plan = shrink(drawn, lambda plan, seed=seed: not is_right(run_of(seed, plan), folder))  # type: ignore[misc]
                print(f"seed {seed}: {run_of(seed, plan).failure or 'the history is not linearizable'}")
                print(msgspec.json.encode(plan).decode(), flush=True)
    print(f"{given.count} runs, {operations} operations, {failures} failures")


if __name__ == "__main__":
    main()
