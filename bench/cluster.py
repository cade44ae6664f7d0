"""What a search on a cluster costs beside one by one process: CPU seconds of all processes.

    python bench/cluster.py [--workers 2,4,8] [--size 9] [--times 3]

Two-phase commit without symmetry. Each command is run so often, in turn, and medians are told: of one process, of the cluster, and of the
cluster with next to nothing to search, which is its start. CPU seconds are read ten times a second from /proc, of whatever has the
command's environment; so Linux is needed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

POLL_S = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
MARK = "QUORATE_BENCH_RUN"


def cpu_s(marked: bytes, known: dict[str, float]) -> None:
    """Note the CPU seconds of each process with this in its environment, by its number."""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if marked in (process / "environ").read_bytes():
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                known[process.name] = (int(fields[11]) + int(fields[12])) / TICKS
        except OSError:
            continue  # It has ended, or belongs to somebody else.


def measured(*options: str) -> float:
    """The CPU seconds of a check."""
    mark, known = uuid.uuid4().hex, dict[str, float]()
    command = [sys.executable, "-c", "from quorate.cli import main; main()", "check", "two_phase_commit", *options]
    begun = subprocess.Popen(
        [*command, "--no-symmetry"],
        env={**os.environ, MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while begun.poll() is None:
        cpu_s(mark.encode(), known)
        time.sleep(POLL_S)
    if begun.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {begun.returncode}")
    return sum(known.values())


def rows(workers: Sequence[int], size: int, times: int) -> None:
    """Print the table."""
    large, small = f"ResourceManager={size}", "ResourceManager=2"
    native = ("--engine", "native", "--workers", "1", "--bound")
    measured(*native, large)  # Compiles.
    print("| | whole | of which start | search, times one process | whole, times one process |\n|---|---|---|---|---|")
    for count in workers:
        cluster = ("--cluster", "--cluster-workers", str(count), "--bound")
        measured(*cluster, large)
        one, start, whole = (
            statistics.median(column)
            for column in zip(
                *(
                    (measured(*native, large), measured(*cluster, small), measured(*cluster, large))
                    for _ in range(times)
                ),
                strict=True,
            )
        )
        print(f"| one process | {one:.1f} | | | |")
        print(
            f"| {count} workers | {whole:.1f} | {start:.1f} | {(whole - start) / one:.2f} | {whole / one:.2f} |",
            flush=True,
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", default="2")
    parser.add_argument("--size", type=int, default=9)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    rows(list(map(int, given.workers.split(","))), given.size, given.times)


if __name__ == "__main__":
    main()
