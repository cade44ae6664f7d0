"""Side by side with the peers: `python -m bench.peers [--tasks ...] [--peers ...] [--repeat N] [--out FOLDER]`.

The same models, written for each checker in the form that suits it best (`bench/models`): two-phase commit (Gray & Lamport 2006)
with 7 to 10 resource managers, with and without symmetry; single-decree Paxos; Raft. All must find the same number of states, and
without symmetry of transitions, or there is no table. Runs alternate, round by round, so that a change of the machine's load touches all;
a checker that takes longer than `--patience` seconds runs once.

Quorate is charged for everything: Python, reading and typing the spec, rendering, the C compiler with an empty cache, the search
(a second line has the library compiled before). The peers are charged for their run only, not for compiling.

What is not on the machine is left out and named: Spin (`spin`), Stateright (`cargo`), TLC (`java`, with `$TLA2TOOLS_JAR` or through `mvn`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.contenders import Contender, Task, Workshop
from bench.measuring import Run, Summary, machine, measure, summary

STATES = {7: (296_448, 2_744_706), 8: (1_745_408, 18_507_778), 9: (10_340_352, 123_558_402), 10: (61_515_776, 817_760_258)}
ORBITS = {7: 920, 8: 1_461, 9: 2_232, 10: 3_300}
TASKS = [
    *(Task(f"two-phase commit, RM = {n}", "two_phase_commit", *STATES[n], n, bounds=(f"ResourceManager={n}",)) for n in STATES),
    *(Task(f"two-phase commit, RM = {n}, symmetry", "two_phase_commit", ORBITS[n], 0, n, True, (f"ResourceManager={n}",)) for n in ORBITS),
    Task("Paxos", "paxos", 1_051_236, 4_115_128),
    Task("Raft", "raft", 878_196, 5_611_282),
]
PEERS = ("limit", "stateright", "spin", "tlc")


def agrees(task: Task, contender: Contender, run: Run) -> None:
    """End the program unless a run found what the task has."""
    counts = contender.counts(run.output)
    # A Promela model has one initial state; Paxos's four are its successors there. Spin rounds large numbers.
    roots = 1 if contender.name == "Spin" and task.model == "paxos" else 0
    wrong = abs(counts.states - roots - task.states) > task.states * 1e-7
    if task.transitions:
        wrong |= abs(counts.transitions - roots - task.transitions) > task.transitions * 1e-7
    if wrong:
        raise SystemExit(f"{contender.name} finds {counts} on {task.name}, where {task.states:,} states are expected.")


def alternate(task: Task, everybody: Sequence[Contender], repeat: int, patience: float) -> dict[str, Summary]:
    """Medians of alternating runs."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in everybody}
    for turn in range(repeat):
        for contender in everybody:
            if turn and runs[contender.name][-1].wall_s > patience:
                continue
            with tempfile.TemporaryDirectory() as cache:
                if not turn and "compiled before" in contender.name:
                    measure(contender.command, contender.folder, contender.environment)
                environment = {**contender.environment, **({"XDG_CACHE_HOME": cache} if contender.cold else {})}
                run = measure(contender.command, contender.folder, environment)
            agrees(task, contender, run)
            runs[contender.name].append(run)
            print(f"{task.name}: {contender.name}: {run.cpu_s:.2f} CPU s, {run.wall_s:.2f} s", file=sys.stderr, flush=True)
    return {name: summary(found) for name, found in runs.items()}


def table(task: Task, found: dict[str, Summary]) -> list[str]:
    """A Markdown table; the ratio is CPU time over Quorate's with one worker."""
    base = found["Quorate"].cpu_s
    counted = f", {task.transitions:,} transitions" if task.transitions else " up to symmetry"
    lines = [f"### {task.name}: {task.states:,} states{counted}", "",
             "| checker | CPU s | wall s | states/s | transitions/s | memory MB | bytes/state | CPU time ratio | runs |",
             "|---|---|---|---|---|---|---|---|---|"]
    for name, run in sorted(found.items(), key=lambda item: item[1].cpu_s):
        rate = f"{task.transitions / run.cpu_s / 1e6:.2f}M" if task.transitions else ""
        memory = f"{run.memory_bytes / 1e6:.0f} | {run.memory_bytes / task.states:.0f}"
        lines.append(f"| {name} | {run.cpu_s:.2f} | {run.wall_s:.2f} | {task.states / run.cpu_s / 1e6:.2f}M | {rate} | {memory} | "
                     f"{run.cpu_s / base:.2f} | {run.runs} |")
    return [*lines, ""]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", nargs="+", metavar="TEXT", help="only tasks whose name contains one of these")
    options.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--patience", type=float, default=60, metavar="SECONDS")
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="for the runs with several workers")
    options.add_argument("--out", type=Path, help="a folder for peers.md and peers.json")
    chosen = options.parse_args()
    tasks = [task for task in TASKS if not chosen.tasks or any(text in task.name for text in chosen.tasks)]
    about = machine()
    lines = [", ".join(f"{key} {value}" for key, value in about.items()) + f"; load {os.getloadavg()[0]:.1f} at the start.", ""]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        for task in tasks:
            found = alternate(task, list(workshop.contenders(task, set(chosen.peers), chosen.workers)), chosen.repeat, chosen.patience)
            lines += table(task, found)
            results[task.name] = {name: asdict(run) for name, run in found.items()}
    if workshop.absent:
        lines += [f"Not taking part: {', '.join(sorted(workshop.absent))}.", ""]
    print("\n".join(lines))
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "peers.md").write_text("\n".join(lines))
        (chosen.out / "peers.json").write_text(json.dumps({"machine": about, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
