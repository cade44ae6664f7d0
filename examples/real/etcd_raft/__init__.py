"""etcd's Raft library (the Go module go.etcd.io/raft/v3), held to the specification `raft`.

    python -m examples.real.etcd_raft

Three servers of the library in one process (`cluster.go`). Driven (`drive.go`, `adapter.py`), they are made to follow runs of the
specification: counterexamples of its broken variants, which they must leave, and witnesses and all transitions at small bounds,
which they must follow. Left to themselves under faults (`run.go`), they print the library's own state trace, and that is
held to the specification (`trace_map.py`).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from quorate.conform import Conforms, Differs, Driven, follow, scenarios, validate
from quorate.explore import witness
from quorate.trace import Trace
from quorate_specs.consensus import raft
from quorate_specs.consensus.raft import Raft

from examples.real.etcd_raft.adapter import EtcdRaft
from examples.real.etcd_raft.trace_map import new_map
from examples.real.harness import Finding, Missing, program

FOLDER = Path(__file__).parent
MODULE = "go.etcd.io/raft/v3"
COUNTEREXAMPLES = FOLDER.parents[2] / "counterexamples" / "raft"
WITNESSES = ("all_commit", "two_leaders", "conflict", "commits_for_predecessor")
RUNS = 3
STEPS = 1000


class SmallRaft(Raft):
    """One term and one entry: every transition is a run or a part of one."""

    bounds: ClassVar[dict[str, int]] = {"Term": 1, "Index": 1}


@contextmanager
def driver(library: Path | None = None) -> Iterator[Path]:
    """The program, built for as long as it is needed, with the library in a folder of one's own, if there is one. Go keeps what it
    has compiled."""
    go = program("go", "https://go.dev/dl")
    with TemporaryDirectory() as folder:
        path = Path(folder, "driver")
        modules = Path(folder, "go.mod")
        replaced = "" if library is None else f"\nreplace {MODULE} => {library}\n"
        modules.write_text((FOLDER / "go.mod").read_text() + replaced)
        shutil.copy(FOLDER / "go.sum", folder)
        download = subprocess.run(
            [go, "mod", "download", f"-modfile={modules}"], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        if download.returncode:
            raise Missing(f"{MODULE} cannot be downloaded: {download.stderr.strip()[-200:]}")
        command = [go, "build", f"-modfile={modules}", "-tags", "with_tla", "-o", str(path), "."]
        build = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
        if build.returncode:
            raise ChildProcessError(build.stderr)
        yield path


def followed(path: Path, run: Trace, name: str) -> Driven:
    """How far the library follows a run of the specification."""

    class Built(EtcdRaft):
        command: ClassVar[tuple[str]] = (str(path),)

    with closing(Built()) as adapter:
        return follow(adapter, run, getattr(raft, run.variant or Raft.__name__), name)


def mistakes() -> Iterator[Finding]:
    """Does the library follow the counterexamples of `raft` to their ends?"""
    with driver() as path:
        for stored in sorted(COUNTEREXAMPLES.glob("*/trace.json")):
            run = Trace.load(stored)
            driven = followed(path, run, stored.parent.name)
            assert run.property is not None
            left = driven.misfit
            observed = f"left at step {driven.covered + 1}" if left is not None else "followed to the end"
            if left is not None:
                values = [f"{d.name} {d.observed}, not {d.expected}" for d in left.differences]
                observed += ": " + ("; ".join(values) or left.reason)
            yield Finding(
                f"mistake-{stored.parent.name}", f"the run of {run.variant}", observed, left is None, Raft, run.property
            )


def witnesses() -> Iterator[Finding]:
    """What the specification says can happen: does the library do it?"""
    with driver() as path:
        for name in WITNESSES:
            (judgement,) = witness(Raft, name).judgements
            assert judgement.trace is not None
            driven = followed(path, judgement.trace, name)
            yield Finding(
                f"witness-{name}", f"the witness of {name}", told(driven), driven.misfit is not None, Raft, name
            )


def transitions() -> Iterator[Finding]:
    """Every transition at small bounds: does the library take it? What it does not take is listed here, and counted.

    Whoever follows a leader votes for nobody else in that term, though it has not voted: the library is stricter than the paper."""
    with driver() as path:
        runs = scenarios(SmallRaft, "edges", "raft").runs
        ends = [followed(path, run, f"run {number}") for number, run in enumerate(runs)]
        left = [driven for driven in ends if driven.misfit is not None]
        stricter = [driven for driven in left if refuses_vote(driven)]
        bounds = ", ".join(f"{bound}={size}" for bound, size in SmallRaft.bounds.items())
        yield Finding(
            "transitions",
            f"all transitions with {bounds}",
            f"{len(runs) - len(left)} of {len(runs)} runs followed, {sum(driven.covered for driven in ends):,} steps; "
            f"{len(stricter)} until a server that follows a leader is asked for its vote",
            len(stricter) < len(left),
            Raft,
            "state_machine_safety",
        )


def refuses_vote(driven: Driven) -> bool:
    """Whether the program leaves a run by not giving its vote."""
    misfit = driven.misfit
    return (
        misfit is not None
        and misfit.action == "handle_request"
        and [(d.name.partition("[")[0], d.observed) for d in misfit.differences] == [("voted_for", None)]
    )


def told(driven: Driven) -> str:
    return f"{driven.covered} of {driven.total} steps followed, {sum(driven.values.values())} values compared"


def traces() -> Iterator[Finding]:
    """Are the library's state traces, under loss, repetition, reordering and crashes, behaviours of the specification?"""
    with driver() as path, TemporaryDirectory() as folder:
        for seed in range(1, RUNS + 1):
            log = Path(folder, f"run-{seed}.jsonl")
            write_trace(path, seed, log)
            verdict = validate([str(log)], Raft, new_map(), "raft")
            assert isinstance(verdict, Conforms | Differs)
            happened = verdict.coverage.actions
            observed = (
                f"{verdict.coverage.lines:,} lines: {happened['win']} elections, {happened['restart']} leaders deposed, "
                f"{happened['commit']} commits, {happened['handle_append']} appends; {verdict.word}"
            )
            yield Finding(
                f"trace-{seed}",
                f"state trace {seed}",
                observed,
                isinstance(verdict, Differs),
                Raft,
                "state_machine_safety",
            )


def write_trace(path: Path, seed: int, log: Path, steps: int = STEPS) -> None:
    with log.open("w", encoding="utf-8") as output:
        subprocess.run([path, str(seed), str(steps)], stdout=output, check=True)


PARTS = (mistakes, witnesses, transitions, traces)
