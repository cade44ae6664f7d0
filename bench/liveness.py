"""How fast liveness is checked, and what its graph costs.

    python -m bench.liveness [--large] [--reference] [--workers N] [--store tree]

Each line is one spec: its full graph (no symmetry) is built, by `--workers` threads, and all of its liveness properties are checked, by
one. `build` and `check` are CPU seconds, `wall` the time that passes while the graph is built, compilation excluded; the compressed
transitions, and everything at the peak, are in bytes. With `--reference` the reference engine does the same where the graph has at most
200,000 states, and both must find the same. Each spec runs in a process of its own. `--large` adds 34 million states (1.6 GB).
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from quorate.explore import liveness as reference
from quorate.explore.checking import symmetric_sorts
from quorate.explore.engine import Lasting
from quorate.explore.limits import Watch, peak_bytes
from quorate.explore.native import liveness as native
from quorate.explore.symmetry import affordable
from quorate.language.system import System
from quorate.loading import load

Case = tuple[str, str | None, dict[str, int]]

CASES: list[Case] = [
    ("raft_election", None, {}),
    ("lww_register", None, {}),
    ("primary_backup", "Availability", {}),
    ("lease_lock", None, {}),
    *(("two_phase_commit", "TwoPhaseCommitWithCrashes", {"ResourceManager": size}) for size in (3, 4, 5, 6)),
]
LARGE: Case = ("two_phase_commit", "TwoPhaseCommitWithCrashes", {"ResourceManager": 7})
REFERENCE_STATES_MAX = 200_000
HEAD = (
    "spec",
    "states",
    "transitions",
    "build s",
    "wall s",
    "check s",
    "bytes/transition",
    "bytes/state",
    "reference s",
)
WIDTHS = (60, 12, 13, 9, 9, 9, 18, 13, 13)


class Measured(native.Check):
    """A check that notes the CPU seconds of its phases and the size of its graph."""

    def lasting(self) -> Lasting:
        self.seconds: list[float] = []
        self.walls: list[float] = []
        self.record_bytes = 0
        return super().lasting()

    def _call(self, function, *arguments):  # type: ignore[no-untyped-def]
        begin, wall = time.process_time(), time.monotonic()
        result = super()._call(function, *arguments)
        self.seconds.append(time.process_time() - begin)
        self.walls.append(time.monotonic() - wall)
        self.record_bytes = self._report().record_bytes
        return result


def measure(case: Case, compare: bool, workers: int, store: str) -> tuple[str, ...]:
    """One line of the table."""
    name, variant, bounds = case
    system = System(load(name).variant(variant).bounded(**bounds))
    with system:
        sorts = symmetric_sorts(system)[0]
        initial, library = native.compiled(system, sorts, store)
        before = peak_bytes()
        check = Measured(system, library, initial, sorts, Watch(), workers)
        found = check.lasting()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
        took = ""
        if compare and found.states <= REFERENCE_STATES_MAX:
            begin = time.process_time()
            expected = reference.explore(system, affordable(system, sorts)[0], Watch())
            took = f"{time.process_time() - begin:.1f}"
            assert expected == found, name
    label = " ".join([name, variant or "", *(f"{bound}={size}" for bound, size in bounds.items())])
    return (
        label,
        f"{found.states:,}",
        f"{found.transitions:,}",
        f"{check.seconds[0]:.2f}",
        f"{check.walls[0]:.2f}",
        f"{sum(check.seconds[1:]):.2f}",
        f"{check.record_bytes / found.transitions:.2f}",
        f"{peak / found.states:.0f}" if found.states > REFERENCE_STATES_MAX else "",
        took,
    )


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", action="store_true")
    options.add_argument("--reference", action="store_true")
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--store", choices=("exact", "tree"), default="exact")
    chosen = options.parse_args()
    rows = [HEAD]
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for case in [*CASES, *([LARGE] if chosen.large else [])]:
            rows.append(pool.submit(measure, case, chosen.reference, chosen.workers, chosen.store).result())
    for first, *rest in rows:
        cells = zip(rest, WIDTHS[1:], strict=True)
        print(first.ljust(WIDTHS[0]) + "".join(cell.rjust(width) for cell, width in cells))


if __name__ == "__main__":
    main()
