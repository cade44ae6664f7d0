"""Random runs at native speed: what exhaustive search cannot finish can still be sampled, deeply.

Run number r of a seed is always the same run, whoever makes it. So the runs are divided among threads, and what they did is added up in
order, up to the first that is violated: the result does not depend on the number of workers.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from math import log

from quorate.explore.engine import EngineUnavailable
from quorate.explore.limits import Watch
from quorate.explore.native.library import EVENT_DEADLOCK, NO_ERROR, REGISTERS, Library, Plan, Step
from quorate.explore.native.replay import Replay
from quorate.explore.native.search import compiled
from quorate.explore.simulate import SHOWN_MAX, Walked, Walks
from quorate.language.system import Arguments, State, System

STEPS_AT_ONCE = 100_000
"""About so many steps a thread makes before it says what it did: some hundredths of a second."""
POLL_S = 0.05


def walk(system: System, walks: Walks, watch: Watch, workers: int) -> Walked:
    """Take random runs, as `quorate.explore.simulate` wants them. Use it inside the system's configuration. Raises EngineUnavailable."""
    initial, library = compiled(system, (), without=frozenset({"bits"}))
    return _Walk(system, library, initial, walks, watch).walked(max(workers, 1))


class _Walk:
    def __init__(
        self, system: System, library: Library, initial: Sequence[tuple[Arguments, State]], walks: Walks, watch: Watch
    ) -> None:
        self.system, self.library, self.walks, self.watch = system, library, walks, watch
        self.replay = Replay(system, library.rendered, initial)
        self._begin = watch.seconds
        self._stop = ctypes.c_int(0)
        self._reason: str | None = None
        self._runs = self._steps = 0
        self._fired = [0] * len(system.actions)
        self._covered = [[0] * REGISTERS, [0] * REGISTERS]

    def walked(self, workers: int) -> Walked:
        with ThreadPoolExecutor(workers) as pool:
            try:
                last = self._add_up(pool, workers)
            finally:
                self._stop.value = 1
        trapped = self.library.trapped()
        if trapped is not None:
            raise EngineUnavailable(trapped)
        return self._answer(last)

    def _plans(self) -> Iterator[Plan]:
        at_once = max(STEPS_AT_ONCE // max(self.walks.length, 1), 1)
        for first in range(0, self.walks.runs, at_once):
            yield self._plan(first, min(at_once, self.walks.runs - first), self.walks.length)

    def _plan(self, first: int, runs: int, length: int) -> Plan:
        return Plan(self.walks.seed, first, runs, length, self.walks.swarm)

    def _add_up(self, pool: ThreadPoolExecutor, workers: int) -> ctypes.Structure:
        """Count everything up to the last run, and return what was said of that."""
        plans, running = self._plans(), deque[Future[ctypes.Structure]]()
        total: ctypes.Structure = self.library.Simulated(event=NO_ERROR)
        while self._reason is None and total.event == NO_ERROR:
            while len(running) < 2 * workers and (plan := next(plans, None)) is not None:
                running.append(pool.submit(self._some, plan))
            if not running:
                break
            total = self._wait(running.popleft())
            self._runs, self._steps = self._runs + total.runs, self._steps + total.steps
            self._fired = [before + more for before, more in zip(self._fired, total.fired, strict=False)]
            self._covered = [
                list(map(max, known, more)) for known, more in zip(self._covered, total.covered, strict=True)
            ]
        return total

    def _some(self, plan: Plan) -> ctypes.Structure:
        total: ctypes.Structure = self.library.Simulated()
        if self.library.c.quorate_simulate(ctypes.byref(plan), ctypes.byref(total), ctypes.byref(self._stop)) != 0:
            raise EngineUnavailable("the native engine ran out of memory for the successors of one state")
        return total

    def _wait(self, running: Future[ctypes.Structure]) -> ctypes.Structure:
        """The result; when the watch says stop it comes soon, and the others with it."""
        while True:
            self._reason = self._reason or self.watch.look(0, self._steps, 0, 0)
            if self._reason is not None:
                self._stop.value = 1
            try:
                return running.result(POLL_S)
            except StillRunning:
                continue

    def _answer(self, last: ctypes.Structure) -> Walked:
        seconds = self.watch.seconds - self._begin
        violated = last.event != NO_ERROR
        length = last.last_steps + 1 if violated else min(last.last_steps, SHOWN_MAX)
        path = self._path(self._plan(last.last_run, 1, length))
        finding = self.replay.finding(path, last.event == EVENT_DEADLOCK) if violated else self.replay.run(path)
        names = [action.name for action in self.system.actions]
        fired = dict(zip(names, self._fired, strict=False))
        states, steps = map(estimate, self._covered)
        return Walked(self._runs, self._steps, None, fired, finding, self._reason, seconds, (states, steps))

    def _path(self, plan: Plan) -> list[Step]:
        record = self.library.c.quorate_rerun(ctypes.byref(plan))
        if not record:
            raise EngineUnavailable("the native engine ran out of memory for the steps of one run")
        try:
            return self.library.steps(record)
        finally:
            self.library.c.quorate_close(record)


def estimate(registers: Sequence[int]) -> int:
    """How many distinct hashes were met, from the registers of `simulate.h`: within some two percent (Flajolet et al. 2007, figure 3)."""
    size = len(registers)
    found = 0.7213 / (1 + 1.079 / size) * size**2 / sum(2.0**-zeros for zeros in registers)
    empty = registers.count(0)
    return round(size * log(size / empty) if found <= 2.5 * size and empty else found)
