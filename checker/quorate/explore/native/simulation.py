"""Random runs at native speed: what exhaustive search cannot finish can still be sampled, deeply.

Run number r of a seed is always the same run, whoever makes it. So the runs are divided among threads, and what they did is added up in
order, up to the first that is violated: the result does not depend on the number of workers. Guided runs are made in epochs whose length
is a function of their number alone, and learned from between them (`guide.h`): the same holds of them.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as StillRunning
from contextlib import closing
from dataclasses import replace
from math import log
from typing import Any, NamedTuple

from quorate.explore.engine import EngineUnavailable
from quorate.explore.limits import Watch
from quorate.explore.native.library import EVENT_DEADLOCK, NO_ERROR, REGISTERS, Library, Plan, Step
from quorate.explore.native.replay import Replay
from quorate.explore.native.search import begins_wrongly, compiled
from quorate.explore.simulate import LATE, SHOWN_MAX, Met, Walked, Walks
from quorate.explore.simulate import walk as walk_by_reference
from quorate.language.system import Arguments, State, System

STEPS_AT_ONCE = 100_000
"""About so many steps a thread makes before it says what it did: some hundredths of a second."""
EPOCH_RUNS, EPOCH_STEPS = 64, 100_000
"""Guided runs: the runs of the first epoch, of which each has twice as many as the one before, up to about so many steps."""
PART_STEPS = 12_500
"""What a thread makes of an epoch at a time, about: with more threads than an epoch has parts some have nothing to do."""
POLL_S = 0.05
NO_MEMORY = "the native engine ran out of memory for random runs"


def walk(system: System, walks: Walks, watch: Watch, workers: int) -> Walked:
    """Take random runs, as `quorate.explore.simulate` wants them. Use it inside the system's configuration. Raises EngineUnavailable."""
    if begins_wrongly(system):
        return by_reference(system, walks, watch)
    initial, library = compiled(system, (), without=frozenset({"bits"}), guided=walks.guided, searching=False)
    return _ByThreads(system, library, initial, walks, watch).walked(max(workers, 1))


def by_reference(system: System, walks: Walks, watch: Watch) -> Walked:
    """Runs of which some initial state is a violation in itself, which C does not look for: they soon end, and need no C."""
    return walk_by_reference(system, replace(walks, swarm=walks.swarm or walks.guided, guided=False), watch, 1)


class Part(NamedTuple):
    """What some runs did, one after the other: `event` is `NO_ERROR`, or what ended the last of them, number `last_run`, which began with
    the prefix `last_start` and has `last_steps` steps with it. `fired` counts steps by action, `covered` are the registers of both
    estimates."""

    runs: int
    steps: int
    event: int
    last_run: int
    last_start: int
    last_steps: int
    fired: tuple[int, ...]
    covered: tuple[bytes, bytes]


def taken(total: ctypes.Structure) -> Part:
    """What the engine says of some runs."""
    states, steps = map(bytes, total.covered)
    return Part(
        total.runs,
        total.steps,
        total.event,
        total.last_run,
        total.last_start,
        total.last_steps,
        tuple(total.fired),
        (states, steps),
    )


class Walk:
    """Random runs of one system: adds up what others take, and shows the last."""

    def __init__(
        self, system: System, library: Library, initial: Sequence[tuple[Arguments, State]], walks: Walks, watch: Watch
    ) -> None:
        self.system, self.library, self.walks, self.watch = system, library, walks, watch
        self.replay = Replay(system, library.rendered, initial)
        self.reason: str | None = None
        """Why they end before all are taken."""
        self.runs = self.steps = 0
        self._begin = watch.seconds
        self._fired = [0] * len(library.rendered.parameters)
        self._covered = (bytes(REGISTERS), bytes(REGISTERS))
        self._guide: int | None = None

    def look(self) -> bool:
        """Whether they go on."""
        self.reason = self.reason or self.watch.look(0, self.steps, 0, 0)
        return self.reason is None

    def plans(self, begin: int, end: int, steps: int) -> Iterator[Plan]:
        """These runs, about so many steps at a time."""
        at_once = max(steps // max(self.walks.length, 1), 1)
        for first in range(begin, end, at_once):
            yield self._plan(first, min(at_once, end - first), self.walks.length)

    def _plan(self, first: int, runs: int, length: int) -> Plan:
        return Plan(self.walks.seed, first, runs, length, self.walks.swarm or self.walks.guided)

    def add_up(self, parts: Iterable[Part]) -> Part:
        """Count what is taken, in the order of the runs, up to the first that is violated; return the last part."""
        part = Part(0, 0, NO_ERROR, 0, 0, 0, (), self._covered)
        for part in parts:
            self.runs, self.steps = self.runs + part.runs, self.steps + part.steps
            self._fired = [before + more for before, more in zip(self._fired, part.fired, strict=True)]
            states, steps = (bytes(map(max, *both)) for both in zip(self._covered, part.covered, strict=True))
            self._covered = states, steps
            if part.event != NO_ERROR:
                break
        return part

    def answer(self, last: Part) -> Walked:
        """All of it, with the last run."""
        seconds = self.watch.seconds - self._begin
        violated = last.event != NO_ERROR
        length = self.walks.length if violated else min(last.last_steps, SHOWN_MAX)
        path = self._path(self._plan(last.last_run, 1, length), last.last_start)
        finding = (
            self.replay.finding(path, last.event == EVENT_DEADLOCK)
            if violated
            else self.replay.run(path[: SHOWN_MAX + 1])
        )
        names = [action.name for action in self.system.actions]
        fired = dict(zip(names, self._fired, strict=False))
        states, steps = map(estimate, self._covered)
        walked = Walked(self.runs, self.steps, None, fired, finding, self.reason, seconds, (states, steps))
        return walked if self._guide is None else self._met(walked, names)

    def _met(self, walked: Walked, names: Sequence[str]) -> Walked:
        """With the pairs that guided runs have met."""
        every, late = ((ctypes.c_uint64 * len(self.library.rendered.parameters))() for _ in range(2))
        begin = self.runs - self.runs // LATE
        full = self.library.c.quorate_guide_met(self._guide, begin, every, late)
        notes = (
            "more pairs of an action and what it reads were met than there is room for: they are not counted, nor followed",
        )
        met = {name: Met(*both) for name, *both in zip(names, every, late, strict=False)}
        return replace(walked, met=met, notes=notes if full else ())

    def _path(self, plan: Plan, start: int) -> list[Step]:
        record = self._allocated(self.library.c.quorate_rerun(ctypes.byref(plan), self._guide, start))
        try:
            return self.library.steps(record)
        finally:
            self.library.c.quorate_close(record)

    @staticmethod
    def _allocated(pointer: int | None) -> int:
        if not pointer:
            raise EngineUnavailable(NO_MEMORY)
        return pointer


class _ByThreads(Walk):
    """Runs that are taken by threads of this process."""

    def __init__(self, *of: Any) -> None:
        super().__init__(*of)
        self._stop = ctypes.c_int(0)
        self._found: dict[int, int] = {}
        """What runs found that are not learned from yet, by the number of the first."""

    def walked(self, workers: int) -> Walked:
        """All runs, or those up to a violation or until the watch says stop."""
        c = self.library.c
        if self.walks.guided:
            self._guide = self._allocated(c.quorate_guide_open())
        try:
            with ThreadPoolExecutor(workers) as pool:
                try:
                    last = self._guided(pool, workers) if self.walks.guided else self._all(pool, workers)
                finally:
                    self._stop.value = 1
            trapped = self.library.trapped()
            if trapped is not None:
                raise EngineUnavailable(trapped)
            return self.answer(last)
        finally:
            if self._guide is not None:
                for found in self._found.values():
                    c.quorate_guide_ignore(found)
                c.quorate_guide_close(self._guide)

    def _all(self, pool: ThreadPoolExecutor, workers: int) -> Part:
        with closing(self._parts(pool, workers, self.plans(0, self.walks.runs, STEPS_AT_ONCE))) as parts:
            return self.add_up(parts)

    def _guided(self, pool: ThreadPoolExecutor, workers: int) -> Part:
        """Epoch after epoch."""
        runs, first = EPOCH_RUNS, 0
        while True:
            end = min(first + runs, self.walks.runs)
            with closing(self._parts(pool, workers, self.plans(first, end, PART_STEPS))) as parts:
                last = self.add_up(parts)
            self._learn()
            if end == self.walks.runs or self.reason is not None or last.event != NO_ERROR:
                return last
            first, runs = end, runs * 2 if runs * self.walks.length < EPOCH_STEPS else runs

    def _learn(self) -> None:
        """Learn from the runs that were counted, in their order."""
        c = self.library.c
        for first in sorted(self._found):
            found = self._found.pop(first)
            if first >= self.runs:
                c.quorate_guide_ignore(found)
            elif c.quorate_guide_learn(self._guide, found) != 0:
                raise EngineUnavailable(NO_MEMORY)
        if c.quorate_guide_weigh(self._guide) != 0:
            raise EngineUnavailable(NO_MEMORY)

    def _parts(self, pool: ThreadPoolExecutor, workers: int, plans: Iterator[Plan]) -> Generator[Part, None, None]:
        """What the threads do, in the order of the runs. When it is closed nobody walks any more."""
        running = deque[Future[Part]]()
        try:
            while self.reason is None:
                while len(running) < 2 * workers and (plan := next(plans, None)) is not None:
                    running.append(pool.submit(self._some, plan))
                if not running:
                    return
                yield self._wait(running.popleft())
        finally:
            if running:
                self._stop.value = 1
            wait(running)

    def _some(self, plan: Plan) -> Part:
        total: ctypes.Structure = self.library.Simulated()
        arguments = ctypes.byref(total), ctypes.byref(self._stop)
        if self._guide is None:
            good = self.library.c.quorate_simulate(ctypes.byref(plan), *arguments) == 0
        else:
            found = self.library.c.quorate_guided(ctypes.byref(plan), self._guide, *arguments)
            good = bool(found)
            if good:
                self._found[plan.first_run] = found
        if not good:
            raise EngineUnavailable(NO_MEMORY)
        return taken(total)

    def _wait(self, running: Future[Part]) -> Part:
        """The result; when the watch says stop it comes soon, and the others with it."""
        while True:
            if not self.look():
                self._stop.value = 1
            try:
                return running.result(POLL_S)
            except StillRunning:
                continue


def estimate(registers: Sequence[int]) -> int:
    """How many distinct hashes were met, from the registers of `simulate.h`: within some two percent (Flajolet et al. 2007, figure 3)."""
    size = len(registers)
    found = 0.7213 / (1 + 1.079 / size) * size**2 / sum(2.0**-zeros for zeros in registers)
    empty = registers.count(0)
    return round(size * log(size / empty) if found <= 2.5 * size and empty else found)
