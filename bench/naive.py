"""What naive ports cost beside tuned ones: `python -m bench.naive [--without PASS]...`.

Each pair in `models/naive` says one protocol twice. CPU seconds of the search alone, symmetry on, one worker, compiled before: the least of
some runs that alternate in one process. Both must find the same. With `--without`, passes over the model are switched off.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from quorate.explore.checking import symmetric_sorts
from quorate.explore.limits import Watch
from quorate.explore.native.search import compiled, run
from quorate.explore.symmetry import affordable
from quorate.language.system import System
from quorate.loading import load
from quorate.model.passes import PASSES

MODELS = Path(__file__).parent / "models" / "naive"


def measured(names: list[str], without: list[str], rounds: int) -> list[tuple[float, int, int]]:
    """For each model the least CPU seconds, and the states and transitions that were found."""
    systems = [System(load(str(MODELS / f"{name}.py")).variant(None)) for name in names]
    found: list[tuple[float, int, int]] = [(float("inf"), 0, 0)] * len(names)
    for _ in range(rounds):
        for position, system in enumerate(systems):
            with system:
                sorts = affordable(system, symmetric_sorts(system)[0])[0]
                initial, library = compiled(system, sorts, "exact", frozenset(without))
                begin = time.process_time()
                covered = run(system, library, initial, Watch(without=without), 1)
                seconds = time.process_time() - begin
                found[position] = (min(seconds, found[position][0]), covered.states, covered.transitions)
    return found


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--without", action="append", default=[], choices=list(PASSES), help="a pass to switch off")
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    print("| | states | transitions | tuned, CPU s | naive, CPU s | ratio |\n|---|--:|--:|--:|--:|--:|")
    for pair in sorted({path.stem.rpartition("_")[0] for path in MODELS.glob("*.py")}):
        tuned, naive = measured([f"{pair}_tuned", f"{pair}_naive"], chosen.without, chosen.rounds)
        if tuned[1:] != naive[1:]:
            raise SystemExit(f"{pair}: {tuned[1:]} and {naive[1:]}")
        row = f"| {pair} | {tuned[1]:,} | {tuned[2]:,} | {tuned[0]:.3f} | {naive[0]:.3f} | {naive[0] / tuned[0]:.2f} |"
        print(row, flush=True)


if __name__ == "__main__":
    main()
