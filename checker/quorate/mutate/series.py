"""All mutants of a specification, explored side by side within a budget of time.

Each process has a share of the mutants, and makes their models once. What two mutants have in common is explored once; what
is not decided in its share of the time is tried again with what the others have left.
"""

from __future__ import annotations

import inspect
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, cast

from quorate.errors import QuorateError, UsageError
from quorate.explore.checking import Naming, check, check_system, symmetric_sorts
from quorate.explore.limits import Limits, Watch, machine_bytes
from quorate.explore.native.together import Together, compiled_together
from quorate.kinds import SAFETY
from quorate.language.spec import Spec, without
from quorate.language.system import Failure, State, System
from quorate.loading import Protocol, load
from quorate.model import build
from quorate.model.nodes import Model
from quorate.mutate.cache import Cache
from quorate.mutate.content import doing
from quorate.mutate.mutants import Mutant, mutants
from quorate.mutate.text import text_of
from quorate.mutate.trial import Finding, Made, Original, Trial, Verdict, bare, explored
from quorate.outcome import Holds, HoldsWithinBounds, NotJudged, Outcome, Violated

LIMIT_MIN_S = 2.0
"""No mutant gets less time than this, if there is any."""
SHARE = 3.0
"""How many times its even share of the time a mutant may take at first: most need little of it."""
POLL_S = 0.2
LATER_S = 10.0
"""So long it is looked for what a mutant breaks besides."""
TOGETHER_MAX = 64
"""So many mutants make a program: what a compiler needs for them is little beside the engine, and does not grow without end."""
MEMORY_SHARE = 0.6
"""The share of the machine's memory that all of them may take."""

Progress = Callable[[int, int, str], None]
"""Told how many are done, of how many, and of what."""


@dataclass(frozen=True)
class Task:
    """Whose mutants: a specification by its name, a variant, and bounds."""

    spec: str
    variant: str | None = None
    bounds: dict[str, int] = field(default_factory=dict)
    engine: str = "auto"

    @property
    def naming(self) -> Naming:
        """What it is called."""
        return Naming(self.spec, self.variant)

    def loaded(self) -> tuple[Protocol, type[Spec]]:
        """Its file, and the class without lemmas, at the bounds of its mutants."""
        protocol = load(self.spec)
        cls = protocol.variant(self.variant)
        own = cls.__dict__.get("mutant_bounds", {})
        return protocol, bare(cls.bounded(**own | self.bounds))


@dataclass(frozen=True)
class Series:
    """What was found of all mutants, in the order of the file. `stopped` says why it ended early, if it did; `known` counts the
    findings that were kept from an earlier time."""

    original: Outcome
    trials: tuple[Trial, ...]
    seconds: float
    processes: int
    known: int = 0
    stopped: str | None = None


@dataclass(frozen=True)
class Looked:
    """A mutant's model: the digest of its content, the variants that it is, or why there is none."""

    content: str
    variants: tuple[str, ...] = ()
    illegal: Finding | None = None


def series(
    task: Task,
    budget_s: float,
    processes: int,
    watch: Watch,
    progress: Progress = lambda done, total, what: None,
    is_cached: bool = True,
) -> Series:
    """Explore all mutants. `watch` interrupts; `progress` is told how many are done, of how many, and what is going on. Raises
    UsageError if the original does not hold, as there is nothing then that its lines protect."""
    begin = time.monotonic()
    _, spec = task.loaded()
    progress(0, 0, "the original")
    original = Original.of(spec, task.naming, watch, task.engine)
    if watch.is_interrupted:
        raise KeyboardInterrupt
    _refuse_broken(original.outcome)
    found = mutants(spec)
    salt = "\0".join([original.content, text_of(inspect.getsourcefile(spec) or ""), str(task)])
    with _Crew(task, original.outcome, processes) as crew:
        cache = Cache.of_user(salt) if is_cached else Cache(None)
        run = _Run(found, original.content, crew, cache, watch, progress, budget_s, begin + budget_s)
        run.explore()
        cache.prune()
    trials = tuple(run.trials())
    return Series(original.outcome, trials, time.monotonic() - begin, processes, run.known, run.stopped)


def _refuse_broken(outcome: Outcome) -> None:
    """Mutants are compared with what holds."""
    if not isinstance(outcome, Holds | HoldsWithinBounds | NotJudged):
        found = f"violates {', '.join(outcome.violated)}" if outcome.violated else f"is {outcome.verdict}"
        raise UsageError(
            f"{outcome.subject} {found} as it is, and `why` tells what the lines of a specification protect that holds. "
            "`quorate check` shows what is wrong; with smaller bounds (--bound) it may be explored to its end."
        )


@dataclass
class _Run:
    """Gives the processes their work, and gathers what they find. `original` is the content of the original's model; of mutants that are
    the same as one before, `same_as` has the number of that one, or None for the original."""

    mutants: Sequence[Mutant]
    original: str
    crew: _Crew
    cache: Cache
    watch: Watch
    progress: Progress
    budget_s: float
    end: float
    looked: dict[int, Looked] = field(default_factory=dict)
    found: dict[int, Finding] = field(default_factory=dict)
    same_as: dict[int, int | None] = field(default_factory=dict)
    known: int = 0
    stopped: str | None = None

    def explore(self) -> None:
        """All of it."""
        self._each(range(len(self.mutants)), "look", lambda _: (), self.looked.__setitem__, "models")
        to_do = self._different()
        shares = self.crew.shares(to_do)
        self._each(range(self.crew.size), "compile", lambda worker: (shares[worker],), lambda *_: None, "programs")
        self._pass(to_do, SHARE)
        left = [number for number in to_do if self._is_open(number)]
        if left and self.stopped is None:
            self._pass(left, 1.0)
        self._look_further(to_do)

    def _look_further(self, explored: Sequence[int]) -> None:
        """What else a mutant breaks; and where it breaks nothing, what a variant that does the same breaks."""
        broken = [number for number in explored if not self._is_open(number) and self.found[number].later is None]
        broken = [number for number in broken if self.found[number].verdict is Verdict.VIOLATED]
        self._each(
            broken, "later", lambda number: (self.found[number], min(LATER_S, self._left())), self._learned, "once more"
        )
        kept = [number for number in range(len(self.mutants)) if self._is_of_a_variant(number)]
        self._each(
            kept,
            "elsewhere",
            lambda number: (self.looked[number].variants[0], self._left()),
            self._learned_elsewhere,
            "variants",
        )

    def trials(self) -> Iterator[Trial]:
        """What was found of each mutant, in their order."""
        late = Finding(Verdict.UNDECIDED, sentence=self.stopped or f"not begun within {self.budget_s:g} s")
        for number, mutant in enumerate(self.mutants):
            looked = self.looked.get(number, Looked(""))
            if number in self.same_as:
                first = self.same_as[number]
                same = Finding(Verdict.SAME)
                yield Trial(mutant, same, None if first is None else self.mutants[first], looked.variants)
            else:
                yield Trial(mutant, looked.illegal or self.found.get(number, late), None, looked.variants)

    def _different(self) -> list[int]:
        """The mutants that are to be explored: neither illegal, nor the same as one before, nor known."""
        first: dict[str, int | None] = {self.original: None}
        to_do: list[int] = []
        for number, looked in sorted(self.looked.items()):
            if looked.illegal is not None:
                continue
            if looked.content in first:
                self.same_as[number] = first[looked.content]
                continue
            first[looked.content] = number
            found = self.cache.get(looked.content)
            if found is not None:
                self.found[number], self.known = found, self.known + 1
            else:
                to_do.append(number)
        return to_do

    def _pass(self, numbers: Sequence[int], share: float) -> None:
        """Explore these, each for a share of what time is left."""
        left = self.end - time.monotonic()
        if not numbers or left <= 0:
            return
        limit = max(LIMIT_MIN_S, round(share * left * self.crew.size / len(numbers)))
        self._each(numbers, "explore", lambda _: (min(limit, self._left()),), self._learned, "mutants")

    def _learned(self, number: int, finding: Finding) -> None:
        """A mutant was explored."""
        self.found[number] = finding
        if finding.verdict is not Verdict.UNDECIDED:
            self.cache.put(self.looked[number].content, finding)

    def _is_of_a_variant(self, number: int) -> bool:
        """Whether a mutant breaks nothing here, and is a variant of the specification, which may at its own bounds."""
        finding, looked = self.found.get(number), self.looked.get(number)
        unbroken = (Verdict.COSTS, Verdict.NOTHING, Verdict.UNDECIDED)
        return finding is not None and finding.verdict in unbroken and looked is not None and bool(looked.variants)

    def _learned_elsewhere(self, number: int, finding: Finding | None) -> None:
        if finding is not None:
            self.found[number] = finding

    def _left(self) -> float:
        return max(round(self.end - time.monotonic(), 1), 0.1)

    def _is_open(self, number: int) -> bool:
        finding = self.found.get(number)
        return finding is None or finding.verdict is Verdict.UNDECIDED

    def _each(
        self,
        numbers: Sequence[int],
        what: str,
        extra: Callable[[int], tuple[Any, ...]],
        learn: Callable[[int, Any], None],
        said: str,
    ) -> None:
        """Let each process do this with the mutants of its share, one after the other, until the time is over."""
        pending = self.crew.shares(numbers)
        running: dict[Connection, int] = {}
        done = 0
        while True:
            if self.stopped is None and self.watch.is_interrupted:
                self.stopped = "interrupted"
            for worker, share in zip(self.crew.workers, pending, strict=True):
                if self.stopped is None and share and worker.pipe not in running and time.monotonic() < self.end:
                    number = share.pop(0)
                    running[worker.pipe] = number
                    self._whole(worker.pipe.send, (what, number, *extra(number)))
            if not running or self.stopped is not None:
                return
            readable = wait(list(running), POLL_S)
            for pipe in [pipe for pipe in running if pipe in readable]:
                answer = self._whole(pipe.recv)
                if isinstance(answer, BaseException):
                    raise answer
                if self.stopped is None:
                    learn(running.pop(pipe), answer)
                done += 1
            self.progress(done, len(numbers), said)

    def _whole(self, exchange: Callable[..., Any], *message: object) -> Any:
        """What is said to a process or comes back; if it has ended (it may have been killed for its memory), the series ends."""
        try:
            return exchange(*message)
        except (EOFError, OSError):
            self.stopped = "a process that explored mutants has ended"
            return None


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection


class _Crew:
    """Processes with a share of the mutants each."""

    def __init__(self, task: Task, outcome: Outcome, size: int) -> None:
        self.size = size
        context = get_context("spawn")
        self.workers: list[_Worker] = []
        for _ in range(size):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, task, outcome, size), daemon=True)
            process.start()
            theirs.close()
            self.workers.append(_Worker(process, ours))

    def shares(self, numbers: Sequence[int]) -> list[list[int]]:
        """Whose these are."""
        return [[number for number in numbers if number % self.size == worker] for worker in range(self.size)]

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.pipe.close()
            worker.process.terminate()
            worker.process.join()


def _work(pipe: Connection, task: Task, outcome: Outcome, size: int) -> None:
    """A process of the crew: it answers until the other end is closed. Ctrl-C is for the first process to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    share = _Share(task, outcome, size)
    while True:
        try:
            what, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer: Any = getattr(share, what)(*arguments)
        except Exception as error:
            error.add_note(traceback.format_exc())
            answer = error
        pipe.send(answer)


class _Share:
    """What a process of the crew does with its mutants."""

    def __init__(self, task: Task, outcome: Outcome, size: int) -> None:
        protocol, spec = task.loaded()
        self.task, self.size = task, size
        self.original = Original(spec, outcome, task.naming)
        self.mutants = mutants(spec)
        self.made: dict[int, Made] = {}
        self.places: dict[int, tuple[Together, int]] = {}
        self.protocol = protocol
        self.variants = dict(_variants(protocol, protocol.variant(task.variant), System(spec).bounds))

    def look(self, number: int) -> Looked:
        """Make the model of a mutant."""
        made = self.original.made(self.mutants[number])
        if isinstance(made, Finding):
            return Looked("", illegal=made)
        self.made[number] = made
        does = doing(made.model) if self.variants else ""
        return Looked(made.content, tuple(name for name, other in self.variants.items() if other == does))

    def compile(self, worker: int, numbers: Sequence[int]) -> None:
        """Compile these mutants as few programs: those that differ from the original in their actions alone."""
        if self.task.engine not in ("auto", "native"):
            return
        original = self.original.model
        with original.system as system:
            initial = [state for _, state in system.initial()]
            alike = [number for number in numbers if self._is_alike(self.made[number].model, initial)]
            sorts, _ = symmetric_sorts(system)
            for begin in range(0, len(alike), TOGETHER_MAX):
                batch = alike[begin : begin + TOGETHER_MAX]
                with suppress(QuorateError):  # Then each is explored on its own.
                    together = compiled_together([self.made[number].model for number in batch], initial, sorts)
                    self.places |= {number: (together, position) for position, number in enumerate(batch)}

    def _is_alike(self, model: Model, initial: Sequence[State]) -> bool:
        """Whether a mutant differs from the original in its actions alone."""

        def rest(one: Model) -> object:
            return one.variables, one.symmetric, [prop.body for prop in (*one.properties, *one.constraints)]

        with suppress(Failure):  # It has no initial state.
            begins = [state for _, state in model.system.initial()]
            return begins == list(initial) and rest(model) == rest(self.original.model)
        return False

    def explore(self, number: int, limit_s: float) -> Finding:
        """Explore a mutant."""
        watch = self._watch(limit_s, number in self.places)
        model = self.made[number].model
        if number in self.places:
            together, position = self.places[number]
            with model.system:
                together.choose(position)
        outcome = explored(model, self.task.naming, watch, self.task.engine)
        return self.original.judged(self.mutants[number], outcome)

    def _watch(self, limit_s: float, is_compiled: bool) -> Watch:
        limits = Limits(seconds=limit_s, memory_bytes=_memory(self.size))
        return Watch(limits, at_once=0) if is_compiled else Watch(limits)

    def later(self, number: int, finding: Finding, limit_s: float) -> Finding:
        """What a mutant breaks besides, each property that is violated with the length of its shortest run."""
        broken, later = list(finding.properties), list[tuple[str, int]]()
        watch = self._watch(limit_s, number in self.places)
        spec = cast(type[Spec], self.made[number].model.system.spec)
        while True:
            system = System(without(spec, broken))
            if number in self.places:
                together, position = self.places[number]
                with system:
                    together.choose(position, system)
            outcome = check_system(system, engine=self.task.engine, symmetry=True, watch=watch, workers=1, naming=None)
            if (
                not isinstance(outcome, Violated)
                or outcome.trace is None
                or self.original.kinds.get(outcome.property) not in SAFETY
            ):
                return replace(finding, later=tuple(later))
            broken.append(outcome.property)
            later.append((outcome.property, len(outcome.trace)))

    def elsewhere(self, number: int, variant: str, limit_s: float) -> Finding | None:
        """What a variant that does what a mutant does breaks at bounds of its own, and from its own beginning; None if nothing."""
        watch = self._watch(limit_s, False)
        outcome = check(
            bare(self.protocol.variants[variant]),
            engine=self.task.engine,
            watch=watch,
            naming=Naming(self.task.spec, variant),
        )
        finding = self.original.judged(self.mutants[number], outcome)
        if finding.trace is None:
            return None
        bounds = ", ".join(f"{name} {size}" for name, size in outcome.bounds.items())
        return replace(finding, where=f"as the variant {variant} begins, at {bounds}")


def _variants(protocol: Protocol, base: type[Spec], bounds: dict[str, int]) -> Iterator[tuple[str, str]]:
    """What the variants of a class do, at these bounds."""
    for name, cls in protocol.classes.items():
        if cls is not base and issubclass(cls, base):
            with suppress(QuorateError):  # It may have no such bound, or no model.
                yield name, doing(build(cls.bounded(**bounds)))


def _memory(processes: int) -> int:
    """The bytes that one of several processes may hold."""
    return int(machine_bytes() * MEMORY_SHARE / processes)
