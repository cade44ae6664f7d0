"""What was measured, for people (Markdown) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.measuring import Summary
from bench.tasks import LARGE, Task


@dataclass(frozen=True)
class Line:
    """A checker on a task: what it needed, how many states it found, and what compiling it took, which is not part of a run."""

    name: str
    run: Summary
    states: int
    transitions: int
    build_cpu_s: float | None


def _row(task: Task, found: Line, base: Summary) -> str:
    run = found.run
    over = "" if run.finished else "over "
    ratio = f"{over}{run.cpu_s / base.cpu_s:.2f}"
    built = f"{found.build_cpu_s:.1f}" if found.build_cpu_s else ""
    verdict = "" if found.build_cpu_s is None else f"{over}{found.build_cpu_s + run.cpu_s:.2f}"
    rates = ["", "", ""]
    if run.finished:
        rates[0] = f"{task.states / run.cpu_s / 1e6:.2f}"
        if task.transitions:
            rates[1] = f"{task.transitions / run.cpu_s / 1e6:.2f}"
        if task.states >= LARGE:
            rates[2] = f"{run.memory_bytes / task.states:.1f}"
    cells = [
        found.name,
        f"{over}{run.cpu_s:.2f}",
        f"{over}{run.wall_s:.2f}",
        ratio,
        rates[0],
        rates[1],
        f"{run.memory_bytes / 1e6:.0f}",
        rates[2],
        built,
        verdict,
        str(run.runs),
    ]
    return f"| {' | '.join(cells)} |"


def table(task: Task, lines: Sequence[Line]) -> list[str]:
    """A Markdown table, the fastest first."""
    base = next(found.run for found in lines if found.name == "Quorate")
    transitions = f", {task.transitions:,} transitions" if task.transitions else ""
    orbits = "orbits" if task.symmetry else "states"
    return [
        f"### {task.name}: {task.states:,} {orbits}{transitions}",
        "",
        "| checker | CPU s | wall s | CPU ratio | M states/s | M transitions/s | MB | bytes/state | compiling, CPU s "
        "| from a change to the verdict, CPU s | runs |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_row(task, found, base) for found in sorted(lines, key=lambda found: found.run.cpu_s)),
        "",
    ]


def document(about: Mapping[str, str], found: Mapping[Task, Sequence[Line]], absent: Sequence[str]) -> str:
    """All tables, and what they were measured on."""
    parts = [f"- {key}: {value}" for key, value in about.items()]
    parts += [f"- Not taking part: {', '.join(absent)}"] if absent else []
    parts += [""]
    for task, lines in found.items():
        parts += table(task, lines)
    return "\n".join(parts)


def record(about: Mapping[str, str], found: Mapping[Task, Sequence[Line]], absent: Sequence[str]) -> dict[str, object]:
    """The same for programs."""
    results = [
        {"task": asdict(task), "name": task.name, "lines": [asdict(one) for one in lines]}
        for task, lines in found.items()
    ]
    return {"machine": dict(about), "absent": list(absent), "results": results}
