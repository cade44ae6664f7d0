"""`python -m tests.impl.dynamo.explore --count 1000 --seed 0`: many simulated runs of the quorum store, judged; a failure is shrunk.

Of each three runs one has stand-ins, one strict quorums without them, and in one the last write wins. What it prints of a
failure is enough to repeat it: the seed and the plan.
"""

from __future__ import annotations

from pathlib import Path

from quorate_impl.simulation import Outcome, Plan, draw_plan

from tests.impl.dynamo.running import LAST_WRITE_WINS, NODES, SHORT, SLOPPY, STRICT, run
from tests.impl.exploring import explore


def run_of(seed: int, plan: Plan | None = None) -> Outcome:
    options = (SLOPPY, STRICT, LAST_WRITE_WINS)[seed % 3]
    return run(seed, plan, options=options, levels=("quorum",) if options is STRICT else ("one", "quorum", 2, "all"))


def plan_of(seed: int) -> Plan:
    return draw_plan(seed, NODES, SHORT.busy_ms, faults_max=12)


def wrong(seed: int, outcome: Outcome, folder: Path) -> str | None:
    return outcome.failure


if __name__ == "__main__":
    explore(__doc__, run_of, plan_of, wrong)
