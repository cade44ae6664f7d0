"""The native engine: the typed model in C, compiled with the engine and explored on all cores.

What is found is a path of actions and arguments. It is not believed: it is run again by CPython on the specification itself, which
yields the states, the property that is false, and its witnesses. A path that does not lead to a violation there is a bug of ours and
is reported as such.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from checker.cc import CompileFailed, NoCompiler
from checker.errors import SpecError
from checker.explore.engine import Covered, EngineUnavailable, Finding, Instance
from checker.explore.limits import Watch
from checker.explore.native.library import (
    EVENT_DEADLOCK,
    EVENT_NONE,
    EVERYTHING,
    STOP_INTERRUPTED,
    STOP_MEMORY,
    STOP_NONE,
    STOP_STATES,
    Library,
    Options,
    Step,
)
from checker.explore.native.render import Rendered, render, unpack
from checker.explore.native.render.layout import width, words
from checker.explore.properties import Properties
from checker.language.control import Cut
from checker.language.sorts import Scalarset
from checker.language.system import Arguments, Failure, State, System

POLL_MS = 50
MEMORY_SHARE = 0.75
"""The share of the machine's memory that a search may take unless a limit is given."""
REACHED_ERROR = 63


class Disagreement(AssertionError):
    """The native engine and CPython do not agree about a specification: a bug in the native engine."""


def explore(system: System, sorts: Sequence[type[Scalarset]], watch: Watch, workers: int) -> Covered:
    """The native engine as `checker.explore.engine` wants it. Raises EngineUnavailable without a compiler, or when the
    specification is outside the typed subset."""
    initial = list(system.initial())
    rendered = rendering(system, [state for _, state in initial], sorts)
    try:
        library = Library(system.name, rendered)
    except (NoCompiler, CompileFailed) as reason:
        raise EngineUnavailable(f"the native engine is not available: {reason}") from None
    return _Run(system, library, initial, watch, workers).covered()


def rendering(system: System, initial: Sequence[State], sorts: Sequence[type[Scalarset]]) -> Rendered:
    """The C of a configured spec. Raises EngineUnavailable."""
    from checker.model import build

    try:
        return render(build(system), initial, sorts)
    except SpecError as reason:
        raise EngineUnavailable(f"the native engine does not cover this specification: {reason}") from None


def memory_limit(watch: Watch) -> int:
    """The bytes that a search may take."""
    if watch.limits.memory_bytes is not None:
        return watch.limits.memory_bytes
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)
    except (ValueError, OSError):
        return 4 << 30


class _Run:
    """One search."""

    def __init__(self, system: System, library: Library, initial: Sequence[tuple[Arguments, State]], watch: Watch,
                 workers: int) -> None:
        self.system, self.library, self.initial, self.watch = system, library, initial, watch
        self.workers = max(workers, 1)
        self.properties = Properties(system)

    def covered(self) -> Covered:
        """Search to the end, or until the watch says stop."""
        reason = self.watch.look(0, 0, 0, len(self.initial))
        if reason is not None:
            return Covered(0, 0, 0, {}, dict.fromkeys((action.name for action in self.system.actions), 0), frozenset(), None, reason)
        with self._opened() as search:
            stopped = self._wait(search)
            report = self._report(search)
            return self._answer(search, report, stopped)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        c, limits = self.library.c, self.watch.limits
        options = Options(self.workers, memory_limit(self.watch), EVERYTHING if limits.states is None else limits.states)
        search = c.quorate_open(ctypes.byref(options), self.workers)
        if not search:
            raise EngineUnavailable("the native engine could not reserve memory for the search")
        try:
            if c.quorate_start(search) != 0:
                raise EngineUnavailable("the native engine could not start its threads")
            yield search
        finally:
            c.quorate_stop(search, STOP_INTERRUPTED)
            c.quorate_close(search)

    def _report(self, search: int) -> ctypes.Structure:
        report = self.library.Report()
        self.library.c.quorate_report(search, ctypes.byref(report))
        return report  # type: ignore[no-any-return]

    def _wait(self, search: int) -> str | None:
        stopped: str | None = None
        while not self.library.c.quorate_wait(search, POLL_MS):
            report = self._report(search)
            reason = self.watch.look(report.states, report.transitions, report.depth, report.frontier)
            if reason is not None and stopped is None:
                stopped = reason
                self.library.c.quorate_stop(search, STOP_INTERRUPTED)
        return stopped

    def _answer(self, search: int, report: ctypes.Structure, stopped: str | None) -> Covered:
        rendered = self.library.rendered
        if report.reached >> REACHED_ERROR & 1:
            raise EngineUnavailable("a @reachable property raises an error; the reference engine says where")
        reason = stopped or self._reason(report.stop)
        finding = None
        if report.event != EVENT_NONE and report.trace_length and not report.trace_failed:
            finding = self._replayed(self.library.steps(search), report.event == EVENT_DEADLOCK)
        elif report.event != EVENT_NONE and report.stop == STOP_NONE:
            raise Disagreement("the search found a violation and no path to it")
        cuts = {name: count for name, count in sorted(zip(rendered.bounds, report.cuts, strict=False)) if count}
        names = [action.name for action in self.system.actions]
        reachable = self.system.of("reachable")
        reached = frozenset(method.name for bit, method in enumerate(reachable) if report.reached >> bit & 1)
        if reason is not None and report.event != EVENT_NONE and finding is None:
            reason = f"{reason}, after a violation was found and before the path to it was known"
        return Covered(report.states, report.transitions, report.depth, cuts, dict(zip(names, report.fired, strict=True)),
                       reached, finding, reason)

    def _reason(self, stop: int) -> str | None:
        if stop == STOP_NONE:
            return None
        if stop == STOP_STATES:
            return self.watch.states_reason()
        if stop == STOP_MEMORY:
            return f"the limit of {memory_limit(self.watch) / 2**30:g} GB of memory is reached"
        return "interrupted"

    # Counterexamples

    def _instance(self, step: Step) -> Instance:
        action = self.system.actions[step.action]
        values, at = [], 0
        for kind in self.library.rendered.parameters[step.action]:
            count = words(width(kind))
            packed = sum(word << 64 * i for i, word in enumerate(step.arguments[at:at + count]))
            values.append(unpack(kind, packed))
            at += count
        return action, tuple(values)

    def _replayed(self, steps: list[Step], deadlock: bool) -> Finding:
        """What the path means, by running it."""
        arguments, state = self.initial[steps[0].arguments[0]]
        instances = [self._instance(step) for step in steps[1:]]
        previous = state
        for position, instance in enumerate(instances):
            last = position == len(instances) - 1
            previous = state
            try:
                successor = self.system.fire(state, *instance)
            except Failure as failure:
                if last and steps[-1].failed:
                    return Finding("error", instance[0], arguments, tuple(instances), message=str(failure), in_step=True)
                raise Disagreement(f"CPython raises in {instance}: {failure}") from failure
            except Cut as cut:
                raise Disagreement(f"CPython cuts {instance} at {cut.bound}") from None
            if successor is None or (last and steps[-1].failed):
                raise Disagreement(f"CPython {'refuses' if successor is None else 'accepts'} {instance}")
            state = successor.state
        if deadlock:
            return self._stuck(arguments, tuple(instances), state)
        return self._false(arguments, tuple(instances), previous, state)

    def _stuck(self, arguments: Arguments, instances: tuple[Instance, ...], state: State) -> Finding:
        terminal = self.properties.terminal
        assert terminal is not None
        try:
            if self.properties.holds(terminal, state, ()):
                raise Disagreement("the last state is terminal")
        except Failure as failure:
            return Finding("error", terminal, arguments, instances, message=str(failure))
        return Finding("deadlock", None, arguments, instances)

    def _false(self, arguments: Arguments, instances: tuple[Instance, ...], previous: State, state: State) -> Finding:
        false = self.properties.falsified_by_step(previous, state) if instances else None
        if false is None:
            false = self.properties.falsified(state)
        if false is None:
            raise Disagreement("every property holds in the last state")
        kind = "error" if false.failure else false.method.declaration.kind
        return Finding("invariant" if kind == "lemma" else kind, false.method, arguments, instances, false.arguments,
                       message=str(false.failure) if false.failure else None)


def keep_source(system: System, sorts: Sequence[type[Scalarset]], path: Path) -> None:
    """Write the rendered C of a configured spec to a file."""
    initial = [state for _, state in system.initial()]
    path.write_text(rendering(system, initial, sorts).source, encoding="utf-8")
