"""Side by side with the peers: `python bench/peers.py [--managers 7 8 9] [--rounds 3] [--out FILE]`.

One model, two-phase commit (Gray & Lamport 2006) with a message set, written for each checker in the form that suits it best
(`bench/models`). All must find the same number of states and of transitions, or there is no table. Runs alternate, round by round, so that
a change of the machine's load touches all; the least CPU time of each counts, because the machine may be shared.

Quorate is charged for everything: Python, reading and typing the spec, rendering, the C compiler with an empty cache, the search.
The peers are charged for their run only, not for compiling (Spin, Stateright).

What is not on the machine is left out and named: Spin (`spin`), Stateright (`cargo`), TLC (`$TLA2TOOLS_JAR`, a path to tla2tools.jar).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

MODELS = Path(__file__).parent / "models"
ROOT = Path(__file__).parent.parent
STATES = {7: 296_448, 8: 1_745_408, 9: 10_340_352, 10: 61_515_776}
TRANSITIONS = {7: 2_744_706, 8: 18_507_778, 9: 123_558_402}
QUORATE = """
import sys
from checker.explore import check
from specs.transactions.two_phase_commit import TwoPhaseCommit
outcome = check(TwoPhaseCommit.bounded(ResourceManager=int(sys.argv[1])), engine="native", symmetry=False, workers=int(sys.argv[2]))
assert outcome.verdict == "holds", outcome
print(f"states={outcome.statistics.states} transitions={outcome.statistics.transitions}")
"""


@dataclass(frozen=True)
class Measured:
    """One run: CPU and wall-clock seconds, and the most memory (KB) of any process in it."""

    cpu_s: float
    wall_s: float
    memory_kb: int
    output: str


@dataclass(frozen=True)
class Contender:
    """A checker on the model with one number of resource managers. `counts` gives states and transitions from the output."""

    name: str
    command: Callable[[], Sequence[str]]
    counts: Callable[[str], tuple[int, int]]
    folder: Path


def measure(command: Sequence[str], folder: Path) -> Measured:
    """Run a command to its end, with a fresh cache directory."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(ROOT)}
        begin = time.monotonic()
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert running.stdout is not None
        output = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        wall = time.monotonic() - begin
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{output}")
    return Measured(used.ru_utime + used.ru_stime, wall, used.ru_maxrss, output)


def named_counts(output: str) -> tuple[int, int]:
    """`states=N transitions=N`."""
    found = dict(re.findall(r"(states|transitions)=(\d+)", output))
    return int(found["states"]), int(found["transitions"])


def spin_counts(output: str) -> tuple[int, int]:
    """Spin's report; a search that was cut short does not count."""
    if "max search depth too small" in output or "errors: 0" not in output:
        raise SystemExit(f"Spin did not finish:\n{output}")
    states = re.search(r"(\d+) states, stored", output)
    transitions = re.search(r"([\d.e+]+) transitions", output)
    assert states and transitions
    return int(states[1]), round(float(transitions[1]))


def tlc_counts(output: str) -> tuple[int, int]:
    """TLC's report."""
    found = re.search(r"(\d+) states generated, (\d+) distinct states found, 0 states left", output)
    if not found:
        raise SystemExit(f"TLC did not finish:\n{output}")
    return int(found[2]), int(found[1])


def compiled(folder: Path, *command: str) -> None:
    """Run a build step."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def contenders(managers: int, work: Path, workers: int) -> tuple[list[Contender], list[str]]:
    """Everybody who can take part, built, and who cannot."""
    folder = work / str(managers)
    folder.mkdir()
    compiled(folder, "cc", "-O3", "-march=native", f"-DRM={managers}", f"-DSTATES={STATES[managers]}", "-o", "limit",
             str(MODELS / "two_phase_limit.c"))
    found = [Contender("Quorate, 1 worker", lambda: [sys.executable, "-c", QUORATE, str(managers), "1"], named_counts, ROOT),
             Contender("hand-written C", lambda: ["./limit"], named_counts, folder)]
    absent: list[str] = []
    if workers > 1:
        found.insert(1, Contender(f"Quorate, {workers} workers",
                                  lambda: [sys.executable, "-c", QUORATE, str(managers), str(workers)], named_counts, ROOT))
    if shutil.which("spin"):
        compiled(folder, "spin", f"-DRM={managers}", "-a", str(MODELS / "two_phase.pml"))
        compiled(folder, "cc", "-O3", "-march=native", "-w", "-DSAFETY", "-DMEMLIM=16000", "-o", "pan", "pan.c")
        size = max(20, (2 * STATES[managers]).bit_length())
        found.append(Contender("Spin 6.5 -DSAFETY", lambda: ["./pan", "-m100000", f"-w{size}"], spin_counts, folder))
    else:
        absent.append("Spin")
    peer = work / "stateright" / "target" / "release" / "two-phase-peer"
    if shutil.which("cargo"):
        if not peer.exists():
            shutil.copytree(MODELS / "stateright", work / "stateright", dirs_exist_ok=True)
            compiled(work / "stateright", "cargo", "build", "--release", "--quiet")
        for order in ("dfs", "bfs"):
            command = [str(peer), str(managers), order, "1"]
            found.append(Contender(f"Stateright 0.31 {order}", lambda command=command: command, named_counts, folder))
    else:
        absent.append("Stateright")
    jar = os.environ.get("TLA2TOOLS_JAR", "")
    if jar and shutil.which("java"):
        names = ", ".join(f"r{i}" for i in range(managers))
        (folder / "TwoPhase.tla").write_text((MODELS / "TwoPhase.tla").read_text())
        (folder / "TwoPhase.cfg").write_text(f"SPECIFICATION Spec\nCONSTANT RM = {{{names}}}\nINVARIANT Atomicity\n")
        tlc = ["java", "-XX:+UseParallelGC", "-cp", jar, "tlc2.TLC", "-deadlock", "-workers", "1", "-metadir", str(folder / "meta")]
        found.append(Contender("TLC, 1 worker", lambda: [*tlc, "TwoPhase"], tlc_counts, folder))
    else:
        absent.append("TLC")
    return found, absent


def table(managers: int, best: dict[str, Measured]) -> list[str]:
    """A Markdown table; the ratio is CPU time over Quorate's with one worker."""
    states, transitions = STATES[managers], TRANSITIONS.get(managers, 0)
    base = best["Quorate, 1 worker"].cpu_s
    lines = [f"### RM = {managers}: {states:,} states, {transitions:,} transitions", "",
             "| checker | CPU s | wall s | states/s | transitions/s | memory MB | bytes/state | CPU time ratio |",
             "|---|---|---|---|---|---|---|---|"]
    for name, run in sorted(best.items(), key=lambda item: item[1].cpu_s):
        speed = f"{states / run.cpu_s / 1e6:.2f}M | {transitions / run.cpu_s / 1e6:.1f}M"
        memory = f"{run.memory_kb / 1024:.0f} | {run.memory_kb * 1024 / states:.0f}"
        lines.append(f"| {name} | {run.cpu_s:.2f} | {run.wall_s:.2f} | {speed} | {memory} | {run.cpu_s / base:.2f} |")
    return [*lines, ""]


def processor() -> str:
    """The processor's name."""
    try:
        return next(line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                    if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--managers", type=int, nargs="+", default=[7, 8, 9], choices=sorted(STATES))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    lines = [f"Machine: {processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
             f"load {os.getloadavg()[0]:.1f} at the start; least CPU time of {chosen.rounds} alternating rounds.", ""]
    with tempfile.TemporaryDirectory() as work:
        for managers in chosen.managers:
            everybody, absent = contenders(managers, Path(work), chosen.workers)
            best: dict[str, Measured] = {}
            for _ in range(chosen.rounds):
                for contender in everybody:
                    run = measure(contender.command(), contender.folder)
                    states, transitions = contender.counts(run.output)
                    expected = (STATES[managers], TRANSITIONS.get(managers, transitions))
                    # Spin prints large numbers of transitions with eight digits.
                    if states != expected[0] or abs(transitions - expected[1]) > expected[1] * 1e-7:
                        raise SystemExit(f"{contender.name} finds {states:,} states and {transitions:,} transitions, not {expected}.")
                    if contender.name not in best or run.cpu_s < best[contender.name].cpu_s:
                        best[contender.name] = run
            lines += table(managers, best)
            if absent:
                lines += [f"Not on this machine: {', '.join(absent)}.", ""]
    text = "\n".join(lines)
    print(text)
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
