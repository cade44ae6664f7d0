"""All mutants of a specification, explored side by side within a budget of time.

Each process has a share of the mutants, and makes their models once. What two mutants have in common is explored once; what
is not decided in its share of the time is tried again with what the others have left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from quorate.errors import UsageError
from quorate.explore.cluster.rays import connected
from quorate.explore.limits import Cluster, Watch
from quorate.mutate.cache import Cache
from quorate.mutate.crew import Crew, Ended, OfACluster, OfThisMachine, shares
from quorate.mutate.mutants import Mutant, mutants
from quorate.mutate.share import Looked, Task
from quorate.mutate.trial import Finding, Original, Trial, Verdict
from quorate.outcome import Holds, HoldsWithinBounds, NotJudged, Outcome

LIMIT_MIN_S = 2.0
"""No mutant gets less time than this, if there is any."""
SHARE = 3.0
"""How many times its even share of the time a mutant may take at first: most need little of it."""
POLL_S = 0.2
NOWHERE = Cache()
LATER_S = 10.0
"""So long it is looked for what a mutant breaks besides."""

Progress = Callable[[int, int, str], None]
"""Told how many are done, of how many, and of what."""


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


def series(
    task: Task,
    budget_s: float,
    processes: int,
    watch: Watch,
    progress: Progress = lambda done, total, what: None,
    cache: Cache = NOWHERE,
    cluster: Cluster | None = None,
) -> Series:
    """Explore all mutants, in so many processes or in those of a cluster. `watch` interrupts; `progress` is told how many are done, of how
    many, and what is going on; `cache` has what is known from an earlier time. Raises UsageError if the original does not hold, as there
    is nothing then that its lines protect."""
    begin = time.monotonic()
    _, spec = task.loaded()
    progress(0, 0, "the original")
    original = Original.of(spec, task.naming, watch, task.engine)
    if watch.is_interrupted:
        raise KeyboardInterrupt
    _refuse_broken(original.outcome)
    found = mutants(spec)
    with _crew(task, original.outcome, processes, cluster) as crew:
        run = _Run(found, original.content, crew, cache, watch, progress, budget_s, begin + budget_s)
        run.explore()
        run.cache.prune()
        processes = crew.size
    trials = tuple(run.trials())
    return Series(original.outcome, trials, time.monotonic() - begin, processes, run.known, run.stopped)


@contextmanager
def _crew(task: Task, outcome: Outcome, processes: int, cluster: Cluster | None) -> Iterator[Crew]:
    with connected(cluster) if cluster is not None else nullcontext() as rays:
        crew: Crew = OfThisMachine(task, outcome, processes) if rays is None else OfACluster(task, outcome, rays)
        with closing(crew):
            yield crew


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
    crew: Crew
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
        if not self.cache.is_current():  # Here, and in the processes that have loaded it now.
            self.cache = NOWHERE
        to_do = self._different()
        theirs = shares(self.crew, to_do)
        self._each(range(self.crew.size), "compile", lambda worker: (theirs[worker],), lambda *_: None, "programs")
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
        answers: dict[int, Finding | str | None] = {}
        self._each(
            kept,
            "elsewhere",
            lambda number: (self.looked[number].variants, self._left()),
            answers.__setitem__,
            "variants",
        )
        for number in kept:
            late = f"{self.looked[number].variants[0]} is left ({self._late})"
            self._learned_elsewhere(number, answers.get(number, late))

    def trials(self) -> Iterator[Trial]:
        """What was found of each mutant, in their order."""
        late = Finding(Verdict.UNDECIDED, sentence=self._late)
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

    def _learned_elsewhere(self, number: int, answer: Finding | str | None) -> None:
        """A variant breaks something, or nothing; or it is not known, and why."""
        if isinstance(answer, Finding):
            self.found[number] = answer
        elif answer is not None and not self._is_open(number):
            sentence = f"nothing breaks at these bounds, and of the variants that do the same {answer}"
            self.found[number] = replace(self.found[number], verdict=Verdict.UNDECIDED, sentence=sentence)

    @property
    def _late(self) -> str:
        """Why something was not explored."""
        return self.stopped or f"not begun within {self.budget_s:g} s"

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
        pending = shares(self.crew, numbers)
        running: dict[int, int] = {}  # by process
        done = 0
        while True:
            if self.stopped is None and self.watch.is_interrupted:
                self.stopped = "interrupted"
            try:
                for worker, share in enumerate(pending):
                    if self.stopped is None and share and worker not in running and time.monotonic() < self.end:
                        running[worker] = number = share.pop(0)
                        self.crew.ask(worker, what, number, *extra(number))
                if not running or self.stopped is not None:
                    return
                answers = self.crew.answers(POLL_S)
            except Ended:
                self.stopped = "a process that explored mutants has ended"
                return
            for worker, answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
                learn(running.pop(worker), answer)
                done += 1
            self.progress(done, len(numbers), said)
