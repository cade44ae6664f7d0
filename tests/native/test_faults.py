"""What goes wrong around a search: signals, limits, full disks, compilers. The answer is honest, and there is never a traceback."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from quorate import cc
from quorate.explore import Checkpoint, Watch, check
from quorate.explore.limits import Progress
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

COMPILED = ("two_phase_commit", "--bound", "ResourceManager=4")
"""More than the reference engine is given at once."""
LARGE = ("two_phase_commit", "--bound", "ResourceManager=10", "--no-symmetry")
CODE = "from quorate.cli import main; main()"
TELLING = """
from pathlib import Path
from quorate.cli import main
from quorate.explore import Watch
look = Watch.look
def seen(watch, states, *others):
    if states:
        Path({!r}).touch()
    return look(watch, states, *others)
Watch.look = seen
main()
"""
"""It makes a file when states have been found."""
CHECKPOINTED = """
import sys
from pathlib import Path
from quorate.explore import Checkpoint, Watch, check
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit
checkpoint = Checkpoint(Path(sys.argv[1]), interval_s=0.3)
check(TwoPhaseCommit.bounded(ResourceManager=9), engine="native", symmetry=False, workers=2, watch=Watch(checkpoint=checkpoint))
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.out)
        return found


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", CODE, "check", *arguments, "--format", "json"]


def quorate(*arguments: str, before: Callable[[], None] | None = None, **environment: str) -> Ended:
    """`quorate check`, in JSON."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        preexec_fn=before,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def script(folder: Path, text: str) -> str:
    """A compiler that does this."""
    file = folder / "cc"
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


def processes() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def status(process: int) -> tuple[str, int]:
    """Its state, X if there is none (any more), and its parent."""
    try:
        state, parent = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
    except OSError:
        return "X", 0
    return state, int(parent)


def are_gone(processes: set[int]) -> bool:
    """Whether all have ended, or do so soon."""
    until = time.monotonic() + 60
    while any(status(process)[0] not in "ZX" for process in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def arguments(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def notes(ended: Ended) -> str:
    return " ".join(map(str, ended.facts["notes"]))  # type: ignore[call-overload]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGTERM, "ended by SIGTERM"), (signal.SIGHUP, "ended by SIGHUP"), (signal.SIGINT, "interrupted")],
)
def test_a_signal_ends_the_search_with_what_was_found_and_a_checkpoint(
    tmp_path: Path, number: signal.Signals, reason: str
) -> None:
    check(
        TwoPhaseCommit.bounded(ResourceManager=10), engine="native", symmetry=False, watch=ended_at_once()
    )  # Compiled: in the cache.
    file = tmp_path / "checkpoint"
    searching, arguments = tmp_path / "searching", command(*LARGE, "--checkpoint", str(file))
    arguments[arguments.index(CODE)] = TELLING.format(str(searching))
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not searching.exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(number)
    out, err = running.communicate(timeout=120)
    found = Ended(running.returncode, out, err)
    assert found.code == 3 and "Traceback" not in err, err
    assert found.facts["verdict"] == "unfinished" and found.facts["reason"] == reason
    assert file.exists() and "--resume` goes on" in notes(found)
    states = int(str(found.facts["states"]))
    resumed = quorate(
        *LARGE, "--checkpoint", str(file), "--resume", "--max-states", str(states + 100_000), "--workers", "1"
    )
    assert resumed.code == 3 and resumed.facts["states"] == states + 100_000


def ended_at_once() -> Watch:
    watch = Watch()
    watch.interrupt()
    return watch


@pytest.mark.slow
def test_a_checkpoint_that_could_not_be_written_once_is_written_at_the_end(tmp_path: Path) -> None:
    here, away, reports = tmp_path / "here", tmp_path / "away", count()

    def report(progress: Progress) -> None:
        if not progress.states:
            return
        match next(reports):
            case 0:
                here.rename(away)
            case 4:
                away.rename(here)
                watch.interrupt()

    here.mkdir()
    watch = Watch(report=report, checkpoint=Checkpoint(here / "checkpoint", interval_s=0.1))
    spec = TwoPhaseCommit.bounded(ResourceManager=10)
    found = check(spec, engine="native", symmetry=False, workers=2, watch=watch)
    assert found.verdict == "unfinished" and any("No such file" in note for note in found.notes), found.notes
    assert (here / "checkpoint").exists() and any("goes on from what was written" in note for note in found.notes)


@pytest.mark.slow
def test_a_killed_search_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    running = subprocess.Popen([sys.executable, "-c", CHECKPOINTED, str(file)])
    until = time.monotonic() + 120
    while not file.exists() and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    running.kill()
    running.communicate()
    assert file.exists(), "the search came to its end before its first checkpoint"
    watch = Watch(checkpoint=Checkpoint(file, resume=True))
    outcome = check(TwoPhaseCommit.bounded(ResourceManager=9), engine="native", symmetry=False, workers=2, watch=watch)
    statistics = outcome.statistics
    assert (outcome.verdict, statistics.states, statistics.transitions, statistics.depth) == (
        "holds",
        10_340_352,
        123_558_402,
        28,
    )


def test_a_limit_of_memory_is_kept_and_said() -> None:
    ended = quorate(*LARGE, "--max-memory", "0.08")
    assert ended.code == 3 and ended.facts["verdict"] == "unfinished"
    assert "0.08 GB of memory" in str(ended.facts["reason"]) and 0 < int(str(ended.facts["states"])) < 61_515_776
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exit 7", "exit code 7"),
        ("kill -9 $$", "killed by SIGKILL"),
        ("exit 0", "it wrote no object"),
        ("echo 'no space left' >&2; exit 1", "no space left"),
    ],
)
def test_a_compiler_that_fails_is_replaced_by_the_reference_engine(tmp_path: Path, text: str, said: str) -> None:
    ended = quorate(*COMPILED, CC=script(tmp_path, text))
    assert ended.code == 0 and ended.facts["engine"] == "reference" and said in notes(ended)
    alone = quorate("two_phase_commit", "--engine", "native", CC=script(tmp_path, text))
    assert alone.code == 2 and said in alone.err


def test_a_compiler_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cc, "TIMEOUT_S", 1.5)
    monkeypatch.setenv(
        "CC", script(tmp_path, f"echo $$ > {tmp_path}/parent; sleep 600 & echo $! > {tmp_path}/child; wait")
    )
    outcome = check(TwoPhaseCommit, watch=Watch(at_once=0))
    assert outcome.engine == "reference" and any("had not ended after 1.5 s" in note for note in outcome.notes)
    assert are_gone({int((tmp_path / process).read_text()) for process in ("parent", "child")})


def test_a_full_disk_leaves_the_reference_engine(tmp_path: Path) -> None:
    """No file may have more than 4,000 bytes: the compiler cannot write, the cache takes nothing."""

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))

    limited = quorate(*COMPILED, XDG_CACHE_HOME=str(tmp_path), PYTHONDONTWRITEBYTECODE="1", before=full)
    assert limited.code == 0 and limited.facts["verdict"] == "holds" and limited.facts["engine"] == "reference"
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("place", ["/proc/quorate", "/dev/null/quorate"])
def test_a_home_that_cannot_be_written_costs_time_only(place: str) -> None:
    ended = quorate("two_phase_commit", "--engine", "native", XDG_CACHE_HOME=place)
    assert ended.code == 0 and ended.facts["engine"] == "native" and ended.facts["states"] == 80


def test_processes_that_fill_the_cache_at_once_all_succeed(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    running = [
        subprocess.Popen(
            command("two_phase_commit", "--engine", "native"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(3)
    ]
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0 and err == "" and json.loads(out)["engine"] == "native"
    assert not list(tmp_path.rglob(f"{cc.PARTIAL}*"))


def test_a_damaged_object_is_built_again(tmp_path: Path) -> None:
    first = quorate("two_phase_commit", "--engine", "native", XDG_CACHE_HOME=str(tmp_path))
    (entry,) = tmp_path.rglob("*.so")
    content = entry.read_bytes()
    entry.write_bytes(content[:2_000] + bytes(100) + content[2_100:])
    second = quorate("two_phase_commit", "--engine", "native", XDG_CACHE_HOME=str(tmp_path))
    assert second.facts["engine"] == "native" and second.facts["states"] == first.facts["states"]
    assert next(tmp_path.rglob("*.so")).read_bytes() == content


def test_without_memory_for_the_search_the_error_is_one_sentence() -> None:
    """Too few addresses (ulimit -v) for tables, not for Python."""
    ended = quorate(
        "two_phase_commit",
        "--engine",
        "native",
        "--workers",
        "1",
        before=lambda: resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20)),
    )
    assert ended.code in (0, 2) and (ended.code == 0 or "memory" in ended.err)


def test_processes_of_verify_end_with_it() -> None:
    command = [sys.executable, "-c", CODE, "verify", "--no-skip", "--workers", "2"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children: set[int] = set()
    until = time.monotonic() + 60
    while len(children) < 2 and time.monotonic() < until:
        time.sleep(0.2)
        children = {
            number for number in processes() if status(number)[1] == running.pid and "spawn_main" in arguments(number)
        }
    time.sleep(1.0)
    running.kill()
    running.communicate()
    assert len(children) >= 2 and are_gone(children)
