"""`python -m tests.impl.primary_backup.explore --count 1000 --seed 0`: many simulated runs, judged; a failure is shrunk.

Every third run has an operator who forces failovers, and every third has sessions that read at any node. What it prints of a
failure is enough to repeat it: the seed and the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from quorate_impl.primary_backup.messages import Consistency
from quorate_impl.simulation import Outcome, Plan, draw_plan

from tests.impl.exploring import explore
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


def plan_of(seed: int) -> Plan:
    return draw_plan(seed, ALL, BUSY.busy_ms, faults_max=12)


def noticed(seed: int, outcome: Outcome, folder: Path) -> Iterator[str]:
    views = of_class(outcome.history, "v") if seed % 3 < 2 else []
    if views and not satisfies(views, "linearizable", folder, "register"):
        yield "runs that lost page views"


if __name__ == "__main__":
    explore(__doc__, run_of, plan_of, wrong, noticed)
