"""Liveness on the native engine: the graph and the search for a lasso in C (`graph.h`, `components.h`, `liveness.h`).

What is found is believed only after CPython has run it and the direct check of a lasso (`quorate.explore.liveness.objection`) has
nothing to object.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from quorate import kinds
from quorate.explore import liveness
from quorate.explore.choices import Choices
from quorate.explore.engine import Answer, Disagreement, EngineUnavailable, Finding, Lasting
from quorate.explore.limits import Checkpoint, Watch
from quorate.explore.native.better import bettered
from quorate.explore.native.checkpoint import claimed, remove
from quorate.explore.native.graphfile import GraphFile
from quorate.explore.native.library import (
    EVERYTHING,
    STOP_INTERRUPTED,
    STOP_STATES,
    Library,
    LivenessReport,
    Step,
)
from quorate.explore.native.replay import Replay
from quorate.explore.native.search import POLL_MS, compiled, memory_limit, switched_off
from quorate.kinds import LIVENESS, Breaks, kind_of
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, Failure, Method, State, System
from quorate.language.types import Renaming

HOLDS, VIOLATED, ERROR, STOPPED, UNJUDGED = range(5)

CONDITION_RAISES = 2
"""The error that a `fair_if` raises."""


def explore(system: System, sorts: Sequence[type[Scalarset]], watch: Watch, workers: int = 1) -> Lasting:
    """The native engine as `quorate.explore.engine.LIVENESS` wants it. Raises EngineUnavailable if it does not cover the
    liveness properties.

    A checkpoint of the search that was before is held, with the graph beside it, and both are removed at the end."""
    with claimed(_left(watch)) as checkpoint:
        try:
            lasting = _lasting(system, sorts, watch, workers, checkpoint)
        except EngineUnavailable:
            if checkpoint is not None:
                remove(checkpoint.path)  # The reference engine has none.
            raise
        if checkpoint is not None and lasting.stopped is None:
            remove(checkpoint.path)
        return lasting


def _left(watch: Watch) -> Checkpoint | None:
    """The checkpoint that the search has left."""
    checkpoint = watch.checkpoint
    return None if checkpoint is None or not checkpoint.path.exists() else replace(checkpoint, resume=True)


def _lasting(
    system: System, sorts: Sequence[type[Scalarset]], watch: Watch, workers: int, checkpoint: Checkpoint | None
) -> Lasting:
    initial, library = compiled(system, sorts, watch.keeping, switched_off(watch))
    if library.rendered.no_liveness is not None:
        raise EngineUnavailable(library.rendered.no_liveness)
    return Check(system, library, initial, sorts, watch, workers, checkpoint).lasting()


def first_of_orbits(method: Method, sorts: Sequence[type[Scalarset]], choices: Sequence[Arguments]) -> list[int]:
    """The positions of the arguments that come first among those that renaming the members of `sorts` makes of them.

    A specification cannot tell such members apart, so a property is violated for all arguments of an orbit or for none."""
    found: list[int] = []
    seen: set[Arguments] = set()
    swaps = Renaming.swaps(sorts)
    for position, arguments in enumerate(choices):
        if arguments in seen:
            continue
        found.append(position)
        seen.add(arguments)
        waiting = [arguments]
        while waiting:
            here = waiting.pop()
            for swap in swaps:
                renamed = tuple(
                    parameter.type.permute(value, swap)
                    for parameter, value in zip(method.parameters, here, strict=True)
                )
                if renamed not in seen:
                    seen.add(renamed)
                    waiting.append(renamed)
    return found


def closing(
    system: System, initial: Sequence[tuple[Arguments, State]], sorts: Sequence[type[Scalarset]]
) -> list[type[Scalarset]]:
    """The sorts of which every renaming makes initial states of initial ones. With others a state can be reachable and its renamings not,
    and arguments that renaming makes equal are not alike: so it is where somebody looks from a given state."""
    states = {state for _, state in initial}

    def keeps(swap: Renaming) -> bool:
        return all(system.renamed(state, swap) in states for state in states)

    return [sort for sort in sorts if all(map(keeps, Renaming.swaps([sort])))]


class _Ended(Exception):
    """The check must end here; the text says why."""


class Check:
    """One check of all liveness properties."""

    def __init__(
        self,
        system: System,
        library: Library,
        initial: Sequence[tuple[Arguments, State]],
        sorts: Sequence[type[Scalarset]],
        watch: Watch,
        workers: int = 1,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.system, self.library, self.initial, self.sorts, self.watch = system, library, initial, sorts, watch
        self.workers = max(workers, 1)
        self.checkpoint = checkpoint
        self.file: GraphFile | None = None

    def lasting(self) -> Lasting:
        """Build the graph and check every property up to the first that is violated, or end when the watch says so."""
        with self.opened():
            found: tuple[Answer, ...] = ()
            stopped = None
            try:
                found = liveness.answers_up_to_a_violation(self.answers())
            except _Ended as reason:
                stopped = str(reason)
            report = self._report()
            self._believe()
            if self.file is not None and stopped is not None:
                self.file.save()
            notes = () if self.file is None else self.file.told(stopped is not None)
        return Lasting(report.states, report.transitions, found, stopped, notes)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Within it the engine holds memory, and a thread."""
        c, states_max = self.library.c, self.watch.limits.states
        self.handle = c.quorate_liveness_open(
            memory_limit(self.watch), EVERYTHING if states_max is None else states_max, self.workers
        )
        if not self.handle:
            raise EngineUnavailable("the native engine could not reserve memory for the state graph")
        try:
            if self.checkpoint is not None:
                self.file = GraphFile(c, self.handle, self.checkpoint, self.watch)
            with ThreadPoolExecutor(1) as self.pool, bettered(self.library) as self.better:
                yield
        finally:
            c.quorate_liveness_close(self.handle)

    def answers(self) -> Iterator[Answer]:
        """For each property and arguments, in order, what `quorate.explore.liveness.answers` gives; only for the first arguments of
        every orbit of those `sorts` whose renamings make initial states of initial ones."""
        if not self._call(self.library.c.quorate_liveness_build):
            raise self._ended()
        if self.file is not None:
            self.file.built()
        alike = closing(self.system, self.initial, self.sorts)
        for number, method in enumerate(self.system.of(*LIVENESS)):
            choices = Choices(self.system, method).fixed or ()
            for position in first_of_orbits(method, alike, choices):
                known = None if self.file is None else self.file.recalled(number, position)
                verdict = self._judged(method, number, position) if known is None else known
                answer = self._answer(method, choices[position], verdict)
                if self.file is not None and known is None and verdict in (HOLDS, UNJUDGED):
                    self.file.judged(number, position, verdict)
                yield answer

    def _judged(self, method: Method, number: int, position: int) -> int:
        """The verdict on a property, which has this number, for the arguments at a position."""
        verdict = self._call(self.library.c.quorate_liveness_check, number, _digits(method, position))
        self._believe()
        if verdict == STOPPED:
            raise self._ended()
        return verdict

    def _believe(self) -> None:
        """Raises EngineUnavailable if a number has left its bits."""
        trapped = self.library.trapped()
        if trapped is not None:
            raise EngineUnavailable(trapped)

    # The engine, watched

    def _call(self, function: Callable[..., int], *arguments: object) -> int:
        """Call the engine on a thread of its own, so that this one can keep the limits and answer Ctrl-C."""
        running = self.pool.submit(function, self.handle, *arguments)
        try:
            while True:
                try:
                    return running.result(POLL_MS / 1000)
                except TimeoutError:
                    self.better()
                report = self._report()
                reason = self.watch.look(report.states, report.transitions, 0, report.states - report.expanded)
                if reason is not None:
                    raise _Ended(reason)
                if self.file is not None:
                    self.file.looked(report)
        finally:
            if not running.done():
                self.library.c.quorate_liveness_stop(self.handle, STOP_INTERRUPTED)
                running.result()

    def _report(self) -> LivenessReport:
        report = LivenessReport()
        self.library.c.quorate_liveness_report(self.handle, ctypes.byref(report))
        return report

    def _ended(self) -> Exception:
        """Why the engine has not come to its end."""
        self._believe()
        report = self._report()
        if report.error == CONDITION_RAISES:
            return EngineUnavailable("a condition of fairness raises an error")
        if report.error:
            return Disagreement("an action raises in the state graph, and did not in the search")
        if report.stop == STOP_STATES:
            return _Ended(self.watch.states_reason())
        return _Ended(self.watch.memory_reason(memory_limit(self.watch)))

    # What was found

    def _answer(self, method: Method, arguments: Arguments, verdict: int) -> Answer:
        report = self._report()
        found = None if verdict == HOLDS else self._finding(method, arguments, verdict)
        finding, forced = (None, found) if verdict == UNJUDGED else (found, None)
        counts = report.begun, report.pending, report.open
        return Answer(method, arguments, finding, verdict != UNJUDGED, *counts, forced)

    def _finding(self, method: Method, arguments: Arguments, verdict: int) -> Finding | None:
        """What the run means, by running it. None if a property is not judged and no lasso says so."""
        replay = Replay(self.system, self.library.rendered, self.initial)
        report = self._report()
        if verdict == UNJUDGED and not report.forced:
            return None
        path = self._steps()
        first, state = self.initial[path[0].arguments[0]]
        states, steps = [state], [replay.instance(step) for step in path[1:]]
        for action, chosen in steps:
            successor = self.system.fire(states[-1], action, chosen)
            if successor is None:
                raise Disagreement(f"CPython refuses {action.name} of a lasso")
            states.append(successor.state)
        if verdict == ERROR:
            try:
                liveness.values(self.system, method, states[-1], arguments)
            except Failure as failure:
                return Finding(
                    "error", method, first, tuple(steps), arguments, message=str(failure), place=failure.location
                )
            raise Disagreement(f"{method.name} raises no error at the end of a run")
        once = liveness.acceptance_of(method).breaks is Breaks.ONCE_UNFULFILLED
        loop = None if once else report.stem_length
        forced = verdict == UNJUDGED
        objection = liveness.objection(self.system, method, arguments, states, steps, loop, forced)
        if objection is not None:
            raise Disagreement(f"{method.name} is not violated by a lasso: {objection}")
        shown = kinds.UNJUDGED if forced else kind_of(method.declaration.kind).shown_as
        return Finding(shown, method, first, tuple(steps), arguments, loop=loop)

    def _steps(self) -> list[Step]:
        """The run of the lasso, its initial state first."""
        arguments, action = (ctypes.c_uint64 * self.library.rendered.argument_words)(), ctypes.c_uint32()
        found = []
        for number in range(self._report().path_length + 1):
            if not self.library.c.quorate_liveness_step(self.handle, number, arguments, ctypes.byref(action)):
                raise Disagreement("a transition of the lasso is not there any more")
            found.append(Step(action.value, tuple(arguments), False))
        return found


def _digits(method: Method, position: int) -> ctypes.Array[ctypes.c_uint64]:
    """The position of each argument among the values of its type, for the arguments at a position among all."""
    digits = []
    for parameter in reversed(method.parameters):
        position, digit = divmod(position, parameter.type.cardinality)
        digits.append(digit)
    return (ctypes.c_uint64 * max(len(digits), 1))(*reversed(digits))
