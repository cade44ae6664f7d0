"""Whole processes, measured; and the machine they ran on."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a command: CPU and wall-clock seconds, its children's included, and the most memory (bytes) of any one process."""

    cpu_s: float
    wall_s: float
    memory_bytes: int
    output: str


@dataclass(frozen=True)
class Summary:
    """The medians of several runs."""

    runs: int
    cpu_s: float
    wall_s: float
    memory_bytes: int


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Run:
    """Run a command to its end. Ends the program if the command fails."""
    begin = time.monotonic()
    running = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert running.stdout is not None
    output = running.stdout.read()
    _, status, used = os.wait4(running.pid, 0)
    wall = time.monotonic() - begin
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{output}")
    return Run(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024, output)


def summary(runs: Sequence[Run]) -> Summary:
    """The medians."""
    return Summary(len(runs), statistics.median(run.cpu_s for run in runs), statistics.median(run.wall_s for run in runs),
                   round(statistics.median(run.memory_bytes for run in runs)))


def build(folder: Path, *command: str) -> str:
    """What a build step prints. Ends the program if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def version(*command: str) -> str:
    """The first line that a tool prints about itself."""
    if not shutil.which(command[0]):
        return "not installed"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def machine() -> dict[str, str]:
    """What a reader needs to know of the machine and its tools."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": processor, "cores": str(os.cpu_count()), "memory": f"{memory:.0f} GiB",
            "system": f"{platform.system()} {platform.machine()}", "python": platform.python_version(),
            "compiler": version("cc", "--version"), "spin": version("spin", "-V"), "java": version("java", "-version"),
            "rust": version("rustc", "--version")}
