"""The native engine: the typed model in C, compiled with the engine and explored on all cores.

What is found is a path of actions and arguments; CPython replays it before it counts (see `replay`).
"""

from __future__ import annotations

import ctypes
import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from quorate import cc
from quorate.cc import CompileFailed, NoCompiler
from quorate.errors import SpecError, UsageError
from quorate.explore.audit import AUDIT_SHARE, Said, audit
from quorate.explore.engine import Covered, Disagreement, EngineUnavailable, Measured, by_depth
from quorate.explore.limits import Checkpoint, Watch, machine_bytes, resident_bytes
from quorate.explore.native.better import bettered
from quorate.explore.native.checkpoint import ABOUT_BYTES, OF_ANOTHER, age, claimed, differing, remove
from quorate.explore.native.disk import used
from quorate.explore.native.library import (
    EVENT_DEADLOCK,
    EVENT_NONE,
    EVERYTHING,
    STOP_DISK,
    STOP_INTERRUPTED,
    STOP_MEMORY,
    STOP_NONE,
    STOP_STATES,
    Apart,
    Library,
    Options,
    compile_model,
    standalone,
)
from quorate.explore.native.render import Rendered, render
from quorate.explore.native.render.layout import offsets, width
from quorate.explore.native.render.numbering import FEW
from quorate.explore.native.replay import Replay
from quorate.explore.properties import Properties
from quorate.kinds import GOALS, KINDS, LIVENESS
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, State, System

POLL_MS = 50
MEMORY_SHARE = 0.75
"""The share of the machine's memory that a search may take unless a limit is given."""
DISK_MEMORY_MIN = 1 << 23
"""With less, a search on the disk does not begin; a limit on memory ends it soon."""
REACHED_ERROR = 63
Compiled = tuple[tuple[type[Scalarset], ...], str, frozenset[str], bool, bool, list[tuple[Arguments, State]], Library]


def explore(system: System, sorts: Sequence[type[Scalarset]], watch: Watch, workers: int) -> Covered:
    """The native engine as `quorate.explore.engine` wants it. Raises EngineUnavailable without a compiler, or when the
    specification is outside the typed subset."""
    if begins_wrongly(system):
        from quorate.explore import reference

        return reference.explore(system, sorts, watch, 1)
    for fewer in ((), (FEW,), ("bits",)):
        initial, found = compiled(
            system, sorts, watch.keeping, switched_off(watch).union(fewer), watch.coverage, searching=not watch.profile
        )
        with suppress(Crowded):
            return run(system, found, initial, watch, workers, sorts)
    raise AssertionError("a sequence has no numbers")


class Crowded(Exception):
    """More messages occurred than have numbers (`numbers.h`): the search is void."""


def switched_off(watch: Watch) -> frozenset[str]:
    """What a search is not to save. A checkpoint and a profile look into states, and know nothing of numbers."""
    looks = watch.checkpoint is not None or watch.disk is not None or watch.profile
    return watch.without | {"bits"} if looks else watch.without


def begins_wrongly(system: System) -> bool:
    """Whether some initial state decides the search, because a mapping leads from it to no initial state: then only initial states are
    counted, and no C is needed."""
    properties = Properties(system)
    initial = system.initial() if properties.mappings else ()
    return any(properties.begins_wrongly(state) is not None for _, state in initial)


def run(
    system: System,
    library: Library,
    initial: Sequence[tuple[Arguments, State]],
    watch: Watch,
    workers: int,
    sorts: Sequence[type[Scalarset]] = (),
) -> Covered:
    """Explore with what `compiled` gave; `sorts` are those that it was given, for a checkpoint to tell. Raises Crowded."""
    return _Run(system, library, initial, watch, workers, sorts).covered()


def compiled(
    system: System,
    sorts: Sequence[type[Scalarset]],
    store: str = "exact",
    without: frozenset[str] = frozenset(),
    counted: bool = False,
    guided: bool = False,
    searching: bool = True,
) -> tuple[list[tuple[Arguments, State]], Library]:
    """The initial states of a configured spec, with their arguments, and its model compiled: the last one of a system is kept for the
    checks that follow. For `searching`, and checks of liveness, it may be compiled quickly: whoever explores with it sees to it that it is
    bettered. Without that it has profiles and random runs, too. Raises EngineUnavailable."""
    kept: Compiled | None = system.remembered.get(compiled)
    asked = (tuple(sorts), store, without, counted, guided)
    if kept is not None and kept[:5] == asked and (searching or not kept[6].searching):
        return kept[5], kept[6]
    initial = list(system.initial())
    rendered = rendering(system, [state for _, state in initial], sorts, without, counted, guided)
    try:
        if counted or guided:
            library = Library(rendered, compile_model(system.name, rendered.source, store))
        else:
            library = _apart(rendered, Apart.of(system.name, rendered.source, store, searching), searching)
    except (NoCompiler, CompileFailed) as reason:
        raise EngineUnavailable(f"the native engine is not available: {reason}") from None
    system.remembered[compiled] = (*asked, initial, library)
    return initial, library


def _apart(rendered: Rendered, apart: Apart, searching: bool) -> Library:
    """A model compiled beside the engine: quickly for searching, unless it was compiled well before or `$CFLAGS` say how. Raises NoCompiler
    and CompileFailed."""
    if not searching or cc.is_told_how_well():
        return Library(rendered, cc.built(apart.well), searching=searching)
    well = cc.kept(apart.well)
    quick = None if well is not None else apart
    return Library(rendered, well or cc.built(apart.quickly), quick, searching)


def lend(
    system: System,
    sorts: tuple[type[Scalarset], ...],
    initial: list[tuple[Arguments, State]],
    library: Library,
    store: str = "exact",
    without: frozenset[str] = frozenset(),
) -> None:
    """Let a system be explored by a library that is compiled already."""
    system.remembered[compiled] = (sorts, store, without, False, False, initial, library)


def rendering(
    system: System,
    initial: Sequence[State],
    sorts: Sequence[type[Scalarset]],
    without: Collection[str] = (),
    counted: bool = False,
    guided: bool = False,
) -> Rendered:
    """The C of a configured spec. Raises EngineUnavailable."""
    from quorate.model import build
    from quorate.model.passes import improved
    from quorate.model.points import Points

    try:
        model = build(system)
        if counted:  # What is counted is what the author wrote.
            return render(model, initial, sorts, without, points=Points(model))
        return render(improved(model, without), initial, sorts, without, guided=guided)
    except SpecError as reason:
        raise EngineUnavailable(f"the native engine does not cover this specification: {reason}") from None


def memory_limit(watch: Watch) -> int:
    """The bytes that a search may take."""
    if watch.limits.memory_bytes is not None:
        return watch.limits.memory_bytes
    return int(machine_bytes() * MEMORY_SHARE)


def disk_memory(watch: Watch) -> int:
    """The bytes that a search on the disk may take: what the process does not have already."""
    return max(memory_limit(watch) - resident_bytes(), DISK_MEMORY_MIN)


class _Run:
    """One search."""

    def __init__(
        self,
        system: System,
        library: Library,
        initial: Sequence[tuple[Arguments, State]],
        watch: Watch,
        workers: int,
        sorts: Sequence[type[Scalarset]],
    ) -> None:
        self.system, self.library, self.initial, self.watch, self.sorts = system, library, initial, watch, sorts
        self.workers = max(workers, 1)
        self.checkpoint = watch.checkpoint
        self.notes: list[str] = []

    def covered(self) -> Covered:
        """Search to the end, or until the watch says stop."""
        if self.library.crowded():
            raise Crowded
        reason = self.watch.look(0, 0, 0, len(self.initial))
        if reason is not None:
            return Covered(
                0,
                0,
                0,
                {},
                dict.fromkeys((action.name for action in self.system.actions), 0),
                frozenset(),
                None,
                reason,
            )
        with self._claimed() as self.checkpoint, self._opened() as search:
            stopped = self._wait(search)
            report = self._report(search)
            return self._answer(search, report, stopped)

    def _claimed(self) -> AbstractContextManager[Checkpoint | None]:
        """The checkpoint, which nobody else uses meanwhile; a search on the disk has its own."""
        if self.watch.disk is None:
            return claimed(self.watch.checkpoint)
        return used(self.watch.disk, self.watch.disk_interval_s)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        c, limits, checkpoint, disk = self.library.c, self.watch.limits, self.checkpoint, self.watch.disk
        options = Options(
            self.workers,
            memory_limit(self.watch) if disk is None else disk_memory(self.watch),
            EVERYTHING if limits.states is None else limits.states,
            self.watch.again,
            None if disk is None else os.fsencode(disk),
            json.dumps(self._asked()).encode(),
        )
        resumed = os.fsencode(checkpoint.path) if checkpoint is not None and checkpoint.resume else None
        arenas = self.workers if resumed is None else max(self.workers, c.quorate_checkpoint_arenas(resumed))
        search = c.quorate_open(ctypes.byref(options), arenas)
        if not search:
            raise EngineUnavailable("the native engine could not reserve memory for the search")
        try:
            if resumed is not None:
                wrong = c.quorate_resume(search, resumed)
                if wrong is not None:
                    raise UsageError(f"The search cannot go on from {checkpoint.path}: {self._wrong(wrong, resumed)}.")  # type: ignore[union-attr]
                if disk is not None:
                    self.notes.append(f"went on from {disk}, which had {self._report(search).states:,} states")
            if checkpoint is not None and c.quorate_checkpoint_last(search, os.fsencode(checkpoint.path)) != 0:
                raise EngineUnavailable("the native engine could not reserve memory for the search")
            if c.quorate_start(search) != 0:
                raise EngineUnavailable("the native engine could not start its threads")
            yield search
        finally:
            c.quorate_stop(search, STOP_INTERRUPTED)
            c.quorate_close(search)

    def _asked(self) -> dict[str, str]:
        """What is asked of the search, and not only how it is made."""
        return {
            "bounds": ", ".join(f"{name}={size}" for name, size in self.system.bounds.items()),
            "symmetry": ", ".join(sort.__name__ for sort in self.sorts),
            "properties": ", ".join(method.name for method in self.system.of(*KINDS)),
            "savings left out": ", ".join(sorted(self.watch.without)),
        }

    def _wrong(self, wrong: bytes, resumed: bytes) -> str:
        """What is wrong with a checkpoint; of one of another search, in what that differs."""
        if wrong.decode() != OF_ANOTHER:
            return wrong.decode()
        said = ctypes.create_string_buffer(ABOUT_BYTES)
        self.library.c.quorate_checkpoint_about(resumed, said)
        return differing(self._asked(), said.value)

    def _report(self, search: int) -> ctypes.Structure:
        report = self.library.Report()
        self.library.c.quorate_report(search, ctypes.byref(report))
        return report  # type: ignore[no-any-return]

    def _wait(self, search: int) -> str | None:
        with bettered(self.library) as better:
            return self._watched(search, better)

    def _watched(self, search: int, better: Callable[[], None]) -> str | None:
        checkpoint, written, checkpoints = self.checkpoint, self.watch.seconds, 0
        while not self.library.c.quorate_wait(search, POLL_MS):
            better()
            report = self._report(search)
            reason = self.watch.look(report.states, report.transitions, report.depth, report.frontier)
            if (
                report.checkpoints > checkpoints
            ):  # The next is due some time after this one is on the disk, however long that took.
                checkpoints, written = report.checkpoints, self.watch.seconds
            due = checkpoint is not None and self.watch.seconds - written >= checkpoint.interval_s
            if checkpoint is not None and (due or reason is not None):
                self._save(search, checkpoint, wait=reason is not None)
                written = self.watch.seconds
            if reason is not None:
                if checkpoint is not None:
                    self._tell_of_checkpoint(checkpoint)
                self.library.c.quorate_stop(search, STOP_INTERRUPTED)
                self.library.c.quorate_wait(search, EVERYTHING // 2**32)
                return reason
        if checkpoint is not None:
            report = self._report(search)
            if report.stop == STOP_NONE and self._lasts(report):
                self.library.c.quorate_checkpoint_whole(search, os.fsencode(checkpoint.path))
                self._tell_of_failure(search, checkpoint)
            elif report.stop == STOP_NONE:
                remove(checkpoint.path)
            else:
                self._tell_of_failure(search, checkpoint)
                self._tell_of_checkpoint(checkpoint)
        return None

    def _lasts(self, report: ctypes.Structure) -> bool:
        """Whether liveness is checked after the search, so that its checkpoint is still needed."""
        wrong = report.event != EVENT_NONE or report.reached >> REACHED_ERROR & 1
        return not wrong and any(True for _ in self.system.of(*LIVENESS))

    def _tell_of_checkpoint(self, checkpoint: Checkpoint) -> None:
        """What a search that was ended early can go on from."""
        when = age(checkpoint.path)
        if when is None:
            self.notes.append("there is no checkpoint to go on from")
            return
        again = f"--checkpoint {checkpoint.path} --resume" if self.watch.disk is None else f"--disk {self.watch.disk}"
        self.notes.append(f"`{again}` goes on from what was written {when}")

    def _save(self, search: int, checkpoint: Checkpoint, wait: bool) -> None:
        """Ask for a checkpoint, and `wait` until it is on the disk or has failed."""
        c, before = self.library.c, self._report(search).checkpoints
        self._tell_of_failure(search, checkpoint)
        c.quorate_checkpoint(search, os.fsencode(checkpoint.path))
        while wait and not c.quorate_wait(search, POLL_MS):
            failure = c.quorate_checkpoint_error(search)
            if failure or self._report(search).checkpoints > before:
                break
        self._tell_of_failure(search, checkpoint)

    def _tell_of_failure(self, search: int, checkpoint: Checkpoint) -> None:
        """Why the last checkpoint could not be written, if it could not."""
        failure = self.library.c.quorate_checkpoint_error(search)
        if failure:
            self.notes.append(f"the checkpoint {checkpoint.path} could not be written: {failure.decode()}")

    def _answer(self, search: int, report: ctypes.Structure, stopped: str | None) -> Covered:
        rendered = self.library.rendered
        if self.library.crowded():
            raise Crowded
        mistaken = self.library.mistaken()
        if mistaken is not None:
            raise Disagreement(f"{mistaken} does something else than what was remembered of it")
        trapped = self.library.trapped()
        if trapped is not None:
            return Covered(
                report.states, report.transitions, report.depth, {}, {}, frozenset(), None, trapped, too_large=True
            )
        if report.reached >> REACHED_ERROR & 1:
            raise EngineUnavailable("a @reachable property raises an error; the reference engine says where")
        reason = stopped or self._reason(search, report.stop)
        finding = None
        if report.event != EVENT_NONE and report.trace_length and not report.trace_failed:
            replay = Replay(self.system, rendered, self.initial)
            finding = replay.finding(self.library.steps(search), report.event == EVENT_DEADLOCK)
        elif report.event != EVENT_NONE and report.stop == STOP_NONE and self.watch.keeping == "fingerprint":
            reason = "two states have the same fingerprint (`--store exact` keeps them apart)"
        elif report.event != EVENT_NONE and report.stop == STOP_NONE:
            raise Disagreement("the search found a violation and no path to it")
        counts = Counter(dict(zip(rendered.bounds, report.cuts, strict=False))) + self.system.excluded_initially()
        cuts = dict(sorted(counts.items()))
        names = [action.name for action in self.system.actions]
        reachable = self.system.of(*GOALS)
        reached = frozenset(method.name for bit, method in enumerate(reachable) if report.reached >> bit & 1)
        measured = self._measured(search, report) if self.watch.profile else None
        if reason is not None and report.event != EVENT_NONE and finding is None:
            reason = f"{reason}, after a violation was found and before the path to it was known"
        covered = Covered(
            report.states,
            report.transitions,
            report.depth,
            cuts,
            dict(zip(names, report.fired[: len(names)], strict=True)),
            reached,
            finding,
            reason,
            tuple(dict.fromkeys(self.notes)),
            report.memory_bytes,
            self._collision(report.states),
            levels=by_depth(
                [self.library.c.quorate_level(search, level) for level in range(report.depth + 1)], report.states
            ),
            counted=self.library.counted(search),
            measured=measured,
        )
        if reason is None and finding is None:
            said = Said.of(self.system, covered, lambda state: self.library.met(search, state))
            audit(self.system, self.initial, said, self.watch.seconds * AUDIT_SHARE, self.watch)
        return covered

    def _measured(self, search: int, report: ctypes.Structure) -> Measured | None:
        """What made the states. Levels and variables are independent of each other."""
        from concurrent.futures import ThreadPoolExecutor

        library, kinds = self.library, tuple(variable.type for variable in self.system.variables)
        parts = list(zip(offsets(kinds), map(width, kinds), strict=True))
        with ThreadPoolExecutor(self.workers) as pool:
            levels = pool.map(lambda level: library.new_states(search, level), range(report.depth + 1))
            values = pool.map(lambda part: library.distinct(search, part[0], part[1], False), parts)
            others = pool.map(lambda part: library.distinct(search, part[0], part[1], True), parts)
            try:
                new = tuple(map(sum, zip(*levels, strict=True)))
                return Measured(new[: len(self.system.actions)], tuple(values), tuple(others))
            except MemoryError:
                self.notes.append("there was no memory for a profile")
                return None

    def _collision(self, states: int) -> float:
        """The probability that two of so many states have the same fingerprint. Those of one word never have (`fingerprint.h`)."""
        if self.watch.keeping != "fingerprint" or self.library.rendered.state_words == 1:
            return 0.0
        return min(states * max(states - 1, 0) / 2.0**65, 1.0)

    def _reason(self, search: int, stop: int) -> str | None:
        if stop == STOP_NONE:
            return None
        if stop == STOP_STATES:
            return self.watch.states_reason()
        if stop == STOP_MEMORY:
            return self.watch.memory_reason(memory_limit(self.watch))
        if stop == STOP_DISK:
            return f"{self.watch.disk}: {self.library.c.quorate_failure(search).decode()}"
        return "interrupted"


def source_to_keep(system: System, sorts: Sequence[type[Scalarset]], name: str) -> str:
    """The rendered C of a configured spec, for a file of this name."""
    initial = [state for _, state in system.initial()]
    return standalone(rendering(system, initial, sorts).source, name)
