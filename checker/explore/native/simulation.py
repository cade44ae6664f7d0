"""Random runs at native speed: what exhaustive search cannot finish can still be sampled, deeply.

Run number r of a seed is always the same run, so a violation is found again with the same seed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass

from checker.explore.engine import EngineUnavailable, Finding
from checker.explore.limits import Watch
from checker.explore.native.library import EVENT_DEADLOCK, NO_ERROR, Library, Plan, Step
from checker.explore.native.replay import Replay
from checker.explore.native.search import compiled
from checker.language.system import System

RUNS_AT_ONCE = 256


@dataclass(frozen=True)
class Sampled:
    """What random runs covered. `finding` is the violation that ended them, in run number `runs - 1`."""

    runs: int
    steps: int
    actions: Mapping[str, int]
    reached: frozenset[str]
    finding: Finding | None = None
    stopped: str | None = None


def simulate(system: System, *, seed: int, runs: int, length: int, watch: Watch | None = None) -> Sampled:
    """Take up to `runs` random runs of at most `length` steps, until one violates a safety property or a deadlock is met.

    Every enabled instance is equally likely at each step. Use it inside the system's configuration. Raises EngineUnavailable."""
    watch = watch or Watch()
    initial, library = compiled(system, ())
    done, steps, reached = 0, 0, 0
    fired = [0] * len(system.actions)
    while done < runs:
        stopped = watch.look(0, steps, length, 0)
        if stopped is not None:
            return _sampled(system, done, steps, fired, reached, None, stopped)
        plan = Plan(seed, done, min(RUNS_AT_ONCE, runs - done), length)
        total = library.Simulated()
        if library.c.quorate_simulate(ctypes.byref(plan), ctypes.byref(total), ctypes.byref(ctypes.c_int(0))) != 0:
            raise EngineUnavailable("the native engine ran out of memory for the successors of one state")
        done, steps, reached = done + total.runs, steps + total.steps, reached | total.reached
        fired = [before + more for before, more in zip(fired, total.fired, strict=True)]
        if total.event != NO_ERROR:
            path = _path(library, Plan(seed, total.violating_run, 1, length))
            finding = Replay(system, library.rendered, initial).finding(path, total.event == EVENT_DEADLOCK)
            return _sampled(system, done, steps, fired, reached, finding, None)
    return _sampled(system, done, steps, fired, reached, None, None)


def _path(library: Library, plan: Plan) -> list[Step]:
    record = library.c.quorate_rerun(ctypes.byref(plan))
    try:
        return library.steps(record)
    finally:
        library.c.quorate_close(record)


def _sampled(system: System, runs: int, steps: int, fired: list[int], reached: int, finding: Finding | None,
             stopped: str | None) -> Sampled:
    names = [action.name for action in system.actions]
    met = frozenset(method.name for bit, method in enumerate(system.of("reachable")) if reached >> bit & 1)
    return Sampled(runs, steps, dict(zip(names, fired, strict=True)), met, finding, stopped)
