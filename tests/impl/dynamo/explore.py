"""`python -m tests.impl.dynamo.explore --count 1000 --seed 0`: many simulated runs of the quorum store, judged; a failure is shrunk.

Of each three runs one has stand-ins, one strict quorums without them, and in one the last write wins. What it prints of a
failure is enough to repeat it: the seed and the plan.
"""

from __future__ import annotations

import argparse
import time

import msgspec
from quorate_impl.simulation import Outcome, Plan, draw_plan, shrink

from tests.impl.dynamo.running import LAST_WRITE_WINS, NODES, SHORT, SLOPPY, STRICT, run


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    options = (SLOPPY, STRICT, LAST_WRITE_WINS)[seed % 3]
    return run(seed, plan, options=options, levels=("quorum",) if options is STRICT else ("one", "quorum", 2, "all"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    operations = failures = 0
    begin = time.process_time()
    for seed in range(given.seed, given.seed + given.count):
        outcome = run_of(seed)
        operations += outcome.operations
        if outcome.failure is not None:
            failures += 1
            drawn = draw_plan(seed, NODES, SHORT.busy_ms, faults_max=12)
            plan = shrink(drawn, lambda plan, seed=seed: run_of(seed, plan).failure is not None)  # type: ignore[misc]
            print(f"seed {seed}: {run_of(seed, plan).failure}")
            print(msgspec.json.encode(plan).decode(), flush=True)
    seconds = time.process_time() - begin
    print(f"{given.count} runs, {operations} operations, {failures} failures, {seconds:.0f} s of CPU time")


if __name__ == "__main__":
    main()
