"""Whole processes, measured; and the machine they ran on."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a command: CPU and wall-clock seconds, its children's included, and the most memory of any one process.

    A run that is not `finished` was ended when it had used as much CPU time as it was given.
    """

    cpu_s: float
    wall_s: float
    memory_bytes: int
    output: str
    finished: bool


@dataclass(frozen=True)
class Summary:
    """The medians of several runs."""

    runs: int
    cpu_s: float
    wall_s: float
    memory_bytes: int
    finished: bool


def measure(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], cpu_limit_s: int | None = None
) -> Run:
    """Run a command to its end, or for so much CPU time of any one process. Ends the program if the command fails."""

    def limit() -> None:
        if cpu_limit_s is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit_s, cpu_limit_s))

    begin = time.monotonic()
    running = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=limit,
    )
    assert running.stdout is not None
    output = running.stdout.read()
    _, status, used = os.wait4(running.pid, 0)
    wall = time.monotonic() - begin
    running.returncode = os.waitstatus_to_exitcode(status)
    cpu = used.ru_utime + used.ru_stime
    finished = running.returncode == 0
    if not finished and (cpu_limit_s is None or cpu < cpu_limit_s - 1):
        raise SystemExit(f"{' '.join(command)} failed:\n{output}")
    return Run(cpu, wall, used.ru_maxrss * 1024, output, finished)


def summary(runs: Sequence[Run]) -> Summary:
    """The medians."""
    return Summary(
        len(runs),
        statistics.median(run.cpu_s for run in runs),
        statistics.median(run.wall_s for run in runs),
        round(statistics.median(run.memory_bytes for run in runs)),
        all(run.finished for run in runs),
    )


def build(folder: Path, *command: str, environment: Mapping[str, str] | None = None) -> Run:
    """A build step, run as `measure` runs a command."""
    return measure(command, folder, environment or {})


def version(*command: str) -> str:
    """The first line that a tool prints about itself."""
    if not shutil.which(command[0]):
        return "not installed"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


def machine() -> dict[str, str]:
    """What a reader needs to know of the machine and its tools."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "Processor": processor,
        "Cores": str(os.cpu_count()),
        "Memory": f"{memory:.0f} GiB",
        "System": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "C compiler": version("cc", "--version"),
        "Rust": version("rustc", "--version"),
        "Spin": version("spin", "-V"),
        "Java": version("java", "-version"),
    }
