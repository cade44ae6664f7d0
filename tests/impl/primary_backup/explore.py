"""`python -m tests.impl.primary_backup.explore --count 1000 --seed 0`: many simulated runs, judged; a failure is shrunk.

Every third run has an operator who forces failovers, and every third has sessions that read at any node. What it prints of a
failure is enough to repeat it: the seed and the plan.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from quorate_impl.primary_backup.messages import Consistency
from quorate_impl.simulation import Outcome, Plan, draw_plan, shrink

from tests.impl.primary_backup.running import ALL, BUSY, Forced, Mix, Sessions, broken, of_class, run, satisfies

WORKLOADS: tuple[Callable[[], Mix], ...] = (Mix, Forced, partial(Sessions, Consistency.SESSION))
GUARANTEES = "read-your-writes", "monotonic-reads"


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    return run(seed, plan, workload=WORKLOADS[seed % 3])


def wrong(seed: int, outcome: Outcome, folder: Path) -> str | None:
    """What is promised: of the mix that payments and orders are linearizable, of the forced that payments are."""
    if seed % 3 < 2:
        return broken(outcome, folder, ("po", "p")[seed % 3])
    fallen = (level for level in GUARANTEES if not satisfies(outcome.history, level, folder, "register"))
    return outcome.failure or next(fallen, None)


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
            views = of_class(outcome.history, "v") if seed % 3 < 2 else []
            seen["runs that lost page views"] += bool(views) and not satisfies(
                views, "linearizable", folder, "register"
            )
            if wrong(seed, outcome, folder) is not None:
                seen["failures"] += 1
                drawn = draw_plan(seed, ALL, BUSY.busy_ms, faults_max=12)
                plan = shrink(drawn, lambda plan, seed=seed: bool(wrong(seed, run_of(seed, plan), folder)))  # type: ignore[misc]
                print(f"seed {seed}: {wrong(seed, run_of(seed, plan), folder)}")
                print(msgspec.json.encode(plan).decode(), flush=True)
    print(f"{given.count} runs, {', '.join(f'{count} {what}' for what, count in sorted(seen.items()))}")


if __name__ == "__main__":
    main()
