"""CPU seconds of the search alone, before and after a change: `python -m bench.search --before TREE`.

TREE is another working copy (`git worktree add TREE COMMIT`). Each case is explored in processes of their own, compiled before, with
one worker, alternating between the trees; the table has medians, the ratio, and what both found, which must be the same. Without
TREE it measures this working copy with each saving that is named (`--without memo`) switched off instead.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
Case = tuple[str, str, bool, int | None]
"""A protocol, its bounds, whether over orbits, and where to end."""

CASES: dict[str, Case] = {
    "Paxos": ("paxos", "", False, None),
    "Paxos, 4 ballots, first 6M": ("paxos", "Ballot=4", False, 6_000_000),
    "Raft": ("raft", "Index=2", False, None),
    "Raft, Term=3, first 5M": ("raft", "Term=3,Index=2", False, 5_000_000),
    "primary_backup": ("primary_backup", "", False, None),
    "quorum_register": ("quorum_register", "", False, None),
    "two_phase_commit, RM=8": ("two_phase_commit", "ResourceManager=8", False, None),
    "isr_log": ("isr_log", "", False, 2_000_000),
    "dynamo": ("dynamo", "", False, 1_000_000),
    "pbft": ("pbft", "", False, 1_000_000),
    "Paxos, symmetry": ("paxos", "", True, None),
    "Raft, symmetry": ("raft", "Index=2", True, None),
}


def one(name: str, without: list[str]) -> None:
    """Explore one case and print what was found, and the CPU seconds of the search."""
    from quorate.explore.checking import symmetric_sorts
    from quorate.explore.limits import Limits, Watch
    from quorate.explore.native import search
    from quorate.explore.native.search import compiled, run
    from quorate.explore.symmetry import affordable
    from quorate.language.system import System
    from quorate.loading import load

    spec, bounds, symmetry, states = CASES[name]
    chosen = {key: int(value) for key, _, value in (part.partition("=") for part in bounds.split(",")) if key}
    system = System(load(spec).variant(None).bounded(**chosen))
    with system:
        sorts = affordable(system, symmetric_sorts(system)[0])[0] if symmetry else ()
        initial, library = compiled(system, sorts, "exact", frozenset(without))
        watch = Watch(Limits(states=states), without=without)
        begin = time.process_time()
        try:
            found = run(system, library, initial, watch, 1)
            seconds = time.process_time() - begin
        except getattr(search, "Crowded", ()):  # A tree before it has none.
            seconds = time.process_time() - begin
            initial, library = compiled(system, sorts, "exact", frozenset([*without, "bits"]))
            begin = time.process_time()
            found = run(system, library, initial, watch, 1)
            seconds += time.process_time() - begin
    print(json.dumps([seconds, found.states, found.transitions, library.rendered.state_words]))


def measured(tree: Path, name: str, without: list[str]) -> tuple[float, int, int, int]:
    """One run in one tree."""
    options = [part for saving in without for part in ("--without", saving)]
    environment = {**os.environ, "PYTHONPATH": f"{tree / 'checker'}:{tree / 'specs'}"}
    command = [sys.executable, __file__, "--one", name, *options]
    seconds, states, transitions, words = json.loads(
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    )
    return seconds, states, transitions, words


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--before", type=Path, help="the working copy to compare with")
    options.add_argument("--without", action="append", default=[], help="a saving to switch off")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", nargs="*", default=list(CASES), help="names of cases")
    options.add_argument("--one", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        return one(chosen.one, chosen.without)
    sides = [(chosen.before or ROOT, [] if chosen.before else chosen.without), (ROOT, [])]
    print("| | states | transitions | words | before, CPU s | after, CPU s | ratio |\n|---|--:|--:|--:|--:|--:|--:|")
    for name in chosen.only:
        rounds = [[measured(tree, name, without) for tree, without in sides] for _ in range(chosen.rounds)]
        before, after = (statistics.median(found[side][0] for found in rounds) for side in (0, 1))
        counts = {(found[0][1], found[1][1]) for found in rounds}
        if len(counts) != 1 or len(set(*counts)) != 1:
            raise SystemExit(f"{name}: {counts}")
        _, states, transitions, _ = rounds[0][1]
        words = f"{rounds[0][0][3]} → {rounds[0][1][3]}"
        row = f"| {name} | {states:,} | {transitions:,} | {words} | {before:.2f} | {after:.2f} | {before / after:.2f} |"
        print(row, flush=True)


if __name__ == "__main__":
    main()
