"""Side by side with the peers: `python -m bench.peers --out FOLDER`.

The same models, written for each checker in the form that suits it best (`bench/models`), for Stateright also as people write them:
two-phase commit (Gray & Lamport 2006) with 7 to 10 resource managers, single-decree Paxos with 3 and 4 ballots, Raft with logs of 2
and 3 entries, each with and without symmetry. All must find the same number of states,
without symmetry also of transitions, or there is no table. Runs alternate, round by round, so that a change of the machine's load
touches all; a checker that takes longer than `--patience` runs once, one that takes more CPU time than `--limit` is ended there; where
its time on a smaller size, times the growth in states, says that it would be, it is not tried.

Quorate is charged for everything: Python, reading and typing the spec, rendering, the C compiler with an empty cache, the search
("compiled before" has the cache filled). The peers are charged for their run; what compiling a
model that has changed took stands beside it, and both together.

What is not on the machine is left out and named: Spin (`spin`), Stateright (`cargo`), TLC (`java`, with `$TLA2TOOLS_JAR` or
through `mvn` from Maven Central).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.contenders import PEERS, ROOT, Contender, Counts, Workshop
from bench.measuring import Run, machine, measure, summary, version
from bench.tables import Line, document, record
from bench.tasks import MODELS, SIZES, Task, chosen

ROUNDED = 1e-7
"""Spin prints large numbers with eight digits."""


def counted(task: Task, contender: Contender, run: Run) -> Counts:
    """What a run found. Ends the program unless it is what the task has."""
    counts = contender.counts(run.output)
    found = Counts(counts.states - contender.roots, counts.transitions - contender.roots)
    pairs = [(found.states, task.states)] + [(found.transitions, task.transitions)] * (task.transitions > 0)
    if any(abs(got - expected) > expected * ROUNDED for got, expected in pairs):
        raise SystemExit(f"{contender.name} finds {found} on {task.name}, where {task} is expected.")
    return found


class Race:
    """Alternating runs of everybody on one task after the other."""

    def __init__(self, repeat: int, patience_s: float, limit_s: int) -> None:
        self.repeat = repeat
        self.patience_s = patience_s
        self.limit_s = limit_s
        self.before: dict[tuple[str, bool, str], tuple[float, int]] = {}  # CPU seconds for so many states

    def lines(self, task: Task, everybody: Sequence[Contender]) -> list[Line]:
        """Medians of alternating runs."""
        here = [one for one in everybody if self.may_finish(task, one)]
        runs: dict[str, list[Run]] = {one.name: [] for one in here}
        found: dict[str, Counts] = {}
        for turn in range(self.repeat):
            for one in here:
                if turn and not self.again(runs[one.name][-1]):
                    continue
                run = self.run(one)
                runs[one.name].append(run)
                found[one.name] = counted(task, one, run) if run.finished else Counts(0, 0)
                said = f"{run.cpu_s:.2f} CPU s, {run.wall_s:.2f} s{'' if run.finished else ', not finished'}"
                print(f"{task.name}: {one.name}: {said}", file=sys.stderr, flush=True)
        for name, taken in runs.items():
            self.before[task.model.name, task.symmetry, name] = (taken[-1].cpu_s, task.states)
        return [
            Line(
                one.name, summary(runs[one.name]), found[one.name].states, found[one.name].transitions, one.build_cpu_s
            )
            for one in here
        ]

    def may_finish(self, task: Task, one: Contender) -> bool:
        """Whether the limit may be enough, going by a smaller size."""
        seconds, states = self.before.get((task.model.name, task.symmetry, one.name), (0, 1))
        return seconds * task.states / states < self.limit_s

    def again(self, run: Run) -> bool:
        """Whether what took so long is run once more."""
        return run.finished and run.wall_s <= self.patience_s

    def run(self, one: Contender) -> Run:
        """One run; the cache is empty, or filled by a run before."""
        with tempfile.TemporaryDirectory() as empty:
            if one.cold:
                return measure(one.command, one.folder, {**one.environment, "XDG_CACHE_HOME": empty}, self.limit_s)
        cache = one.environment.get("XDG_CACHE_HOME")
        if cache and not Path(cache).exists():
            measure(one.command, one.folder, one.environment, self.limit_s)
        return measure(one.command, one.folder, one.environment, self.limit_s)


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        choices=SIZES,
        default=SIZES,
        help="resource managers, ballots, entries in a log",
    )
    parser.add_argument("--symmetry", choices=("with", "without", "both"), default="both")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="for the runs with several workers")
    parser.add_argument("--repeat", type=int, default=3, metavar="ROUNDS")
    parser.add_argument("--patience", type=float, default=60, metavar="SECONDS", help="what takes longer runs once")
    parser.add_argument("--limit", type=int, default=600, metavar="SECONDS", help="CPU time after which a run is ended")
    parser.add_argument(
        "--quick", action="store_true", help="two-phase commit of 7 only, one round, a minute for each run"
    )
    parser.add_argument("--out", type=Path, help="a folder for peers.md and peers.json")
    found = parser.parse_args()
    if found.quick:
        found.sizes, found.repeat, found.limit = [7], 1, 60
    return found


def main() -> None:
    """Measure and print."""
    asked = options()
    about = machine()
    about["Quorate"] = version("git", "-C", str(ROOT), "log", "-1", "--format=%h of %cs", "--", "checker")
    about["Load at the start"] = f"{os.getloadavg()[0]:.1f}"
    race = Race(asked.repeat, asked.patience, asked.limit)
    found: dict[Task, Sequence[Line]] = {}
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        for task in chosen(asked.models, asked.sizes, asked.symmetry):
            found[task] = race.lines(task, list(workshop.contenders(task, asked.peers, asked.workers)))
            if asked.out:
                save(asked.out, {**about, **workshop.versions}, found, sorted(workshop.absent))
        print(document({**about, **workshop.versions}, found, sorted(workshop.absent)))


def save(folder: Path, about: dict[str, str], found: dict[Task, Sequence[Line]], absent: Sequence[str]) -> None:
    """Write both files, after every task: a long measurement that is ended keeps what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peers.md").write_text(document(about, found, absent))
    (folder / "peers.json").write_text(json.dumps(record(about, found, absent), indent=1) + "\n")


if __name__ == "__main__":
    main()
