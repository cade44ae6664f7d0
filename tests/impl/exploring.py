"""Many simulated runs, judged; a failure is shrunk. What is printed of it is enough to repeat it: the seed and the plan."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from quorate_impl.simulation import Outcome, Plan, shrink


def nothing(seed: int, outcome: Outcome, folder: Path) -> Iterable[str]:
    """Nothing is worth counting."""
    return ()


def explore(
    about: str | None,
    run_of: Callable[[int, Plan | None], Outcome],
    plan_of: Callable[[int], Plan],
    wrong: Callable[[int, Outcome, Path], str | None],
    noticed: Callable[[int, Outcome, Path], Iterable[str]] = nothing,
) -> None:
    """The runs that the command line asks for: `run_of` takes one with a plan, or for None with that of its seed, which `plan_of` gives; it
    fails if something is `wrong`. What is `noticed` is counted. The folder is for histories."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    seen = Counter(operations=0, failures=0)
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(given.seed, given.seed + given.count):
            outcome = run_of(seed, None)
            seen["operations"] += outcome.operations
            seen.update(noticed(seed, outcome, folder))
            if wrong(seed, outcome, folder) is not None:
                seen["failures"] += 1
                _tell(seed, plan_of(seed), lambda plan, seed=seed: wrong(seed, run_of(seed, plan), folder))  # type: ignore[misc]
    counted = ", ".join(f"{count} {what}" for what, count in seen.items())
    print(f"{given.count} runs, {counted}, {time.process_time() - begin:.0f} s of CPU time")


def _tell(seed: int, drawn: Plan, wrong_with: Callable[[Plan], str | None]) -> None:
    plan = shrink(drawn, lambda plan: wrong_with(plan) is not None)
    print(f"seed {seed}: {wrong_with(plan)}")
    print(msgspec.json.encode(plan).decode(), flush=True)
