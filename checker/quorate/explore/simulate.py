"""Random runs: for specifications too large to explore, and to see one alive.

A run takes, in each state, one of the enabled instances, all equally likely, until nothing is possible or it has its
length. In a swarm (Groce, Zhang, Eide, Chen & Regehr 2012, "Swarm testing") each run likes some actions more than others. Guided runs are a
swarm, too, and half of them begin where an earlier one did something that none had done before (`native/guide.h`). Safety
properties are checked on the way. No violation in random runs proves nothing.

The same seed gives the same runs on every machine, with any number of workers. The two engines have different generators of random
numbers, and so different runs.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from quorate.errors import unknown
from quorate.explore.choices import Choices
from quorate.explore.engine import EngineUnavailable, Finding, Instance
from quorate.explore.limits import Cluster, Watch
from quorate.explore.properties import Falsified, Properties
from quorate.explore.runs import transitions
from quorate.explore.traces.tracing import trace
from quorate.kinds import DEADLOCK, kind_of
from quorate.language.control import Cut
from quorate.language.spec import Spec
from quorate.language.system import Arguments, Failure, State, System
from quorate.model.determinism import vouch
from quorate.showing import shown
from quorate.trace import Trace

SHOWN_MAX = 2_000
"""Of a run that violates nothing so many steps are kept: more would take longer to write down than to take."""


@dataclass(frozen=True)
class Walks:
    """Which runs to take: so many of at most so many steps."""

    seed: int
    runs: int
    length: int
    swarm: bool = False
    guided: bool = False


LIKINGS = (0, 1, 4, 16)
"""How much a run of a swarm may like an action (`simulate.h`)."""


LATE = 10
"""What the last one of so many parts of all runs has met is told apart."""


@dataclass(frozen=True)
class Met:
    """How many different pairs of an action, with its arguments, and what it reads were met, and how many of them first in the last
    tenth of the runs: while there are such, more runs show more. That there are none proves nothing."""

    pairs: int
    late: int


@dataclass(frozen=True)
class Walked:
    """What an engine did. `finding` is the violation that ended the last run, or that run itself (kind `run`). `seen` are the distinct
    states and the distinct steps, by action and by what it changed: estimates, if `states` is None. `met` is of guided runs, by action."""

    runs: int
    steps: int
    states: int | None
    actions: dict[str, int]
    finding: Finding
    stopped: str | None
    seconds: float
    seen: tuple[int, int]
    met: Mapping[str, Met] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulation:
    """What random runs showed. `violation` is None if nothing was found; `last` is then the last run, up to `SHOWN_MAX` steps.

    `runs` counts the runs begun, `steps` all their steps, `states` the distinct states they visited (None if the engine did not count
    them), `seen` the distinct states and the distinct steps (told apart by their action and by what it changed: the reference engine
    looks at variables, the native engine at their bits and so sees fewer), of the native engine as estimates within some
    two percent, `met` of guided runs, by action, what it was taken with (None of others), `actions` the steps by action, `seconds`
    the time they took. `notes` say why another engine was not taken.
    """

    seed: int
    runs: int
    steps: int
    states: int | None
    actions: dict[str, int]
    violation: Trace | None
    last: Trace | None
    stopped: str | None
    engine: str
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    seen: tuple[int, int] = (0, 0)
    met: Mapping[str, Met] | None = None

    def _repr_html_(self) -> str | None:
        """The result in words, with its pictures, in a notebook."""
        return shown("html", self)


Engine = Callable[[System, Walks, Watch, int], Walked]
"""(system, runs to take, watch, workers) -> what was done. Called inside the system's configuration."""

ON_CLUSTER = "quorate.explore.cluster.walks:walk"

ENGINES = {"native": "quorate.explore.native.simulation:walk", "reference": "quorate.explore.simulate:walk"}
"""Where each engine lives. `auto` takes the first that is available."""


def simulate(
    spec: type[Spec],
    *,
    seed: int,
    runs: int = 1,
    length: int = 50,
    swarm: bool = False,
    guided: bool = False,
    watch: Watch | None = None,
    name: str | None = None,
    variant: str | None = None,
    engine: str = "auto",
    workers: int = 1,
    cluster: Cluster | None = None,
) -> Simulation:
    """Take random runs of at most `length` steps until one violates a safety property. In a `swarm` each run likes some actions more
    than others, drawn anew, and takes no step that changes nothing while there is another. If they are `guided`, half of the
    runs of a swarm begin where an earlier one was new: after a prefix of it whose last step was of an action that had not been
    taken before with these arguments and this in the places that it reads. A run has at most `length` steps with its prefix; only
    the others are counted.
    On a `cluster` the runs are those that are taken here; they cannot be guided.

    Raises Failure if the specification raises outside a run; an exception inside one is a violation of kind
    `error`. Raises EngineUnavailable if `engine` is asked for and cannot run this specification here."""
    if engine not in (*ENGINES, "auto"):
        raise unknown("engine", engine, ["auto", *ENGINES])
    watch = watch or Watch()
    system = System(spec)
    with system:
        used, walked, notes = _walked(system, Walks(seed, runs, length, swarm, guided), watch, workers, engine, cluster)
        shown = trace(system, walked.finding, name or system.name, variant)
        violated = walked.finding.kind != "run"
        return Simulation(
            seed,
            walked.runs,
            walked.steps,
            walked.states,
            walked.actions,
            shown if violated else None,
            None if violated else shown,
            walked.stopped,
            used,
            (*notes, *walked.notes),
            walked.seconds,
            walked.seen,
            walked.met,
        )


def _walked(
    system: System, walks: Walks, watch: Watch, workers: int, engine: str, cluster: Cluster | None
) -> tuple[str, Walked, tuple[str, ...]]:
    """The engine that could, what it did, and why another could not."""
    unjudged = system.unjudged_runs("random runs are finite, and say nothing")
    if cluster is not None:
        return "native", _function(ON_CLUSTER)(system, walks, watch, cluster), unjudged
    notes: list[str] = []
    able = ["native"] if walks.guided else list(ENGINES)
    candidates = able if engine == "auto" else [engine]
    for used in candidates:
        walk: Engine = _function(ENGINES[used])
        try:
            return used, walk(system, walks, watch, workers), (*notes, *unjudged)
        except EngineUnavailable as reason:
            if used == candidates[-1]:
                raise
            notes.append(str(reason))
    raise AssertionError("there is no engine")


def _function(name: str) -> Any:
    """What a name such as `package.module:function` means."""
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


def walk(system: System, walks: Walks, watch: Watch, workers: int) -> Walked:
    """Random runs by CPython, one after the other. Raises EngineUnavailable if they are to be guided."""
    if walks.guided:
        raise EngineUnavailable("only the native engine guides random runs: `--swarm` needs no compiler")
    vouch(system)
    walker = _Walker(system, random.Random(walks.seed), watch, walks.swarm)
    begin, begun = watch.seconds, 0
    while True:
        begun += 1
        finding = walker.run(walks.length)
        if begun == walks.runs or walker.stopped is not None or finding.kind != "run":
            return Walked(
                begun,
                sum(walker.actions.values()),
                len(walker.visited),
                dict(walker.actions),
                finding,
                walker.stopped,
                watch.seconds - begin,
                (len(walker.visited), len(walker.steps)),
            )


def _change(before: State, after: State) -> Hashable:
    """What a step changes."""
    return tuple((i, old, new) for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)


class _Walker:
    def __init__(self, system: System, chance: random.Random, watch: Watch, swarm: bool) -> None:
        self._system, self._chance, self._watch, self._swarm = system, chance, watch, swarm
        self._properties = Properties(system)
        self._actions = [(action, Choices(system, action)) for action in system.actions]
        self._initial = list(system.initial())
        self.actions: Counter[str] = Counter({action.name: 0 for action in system.actions})
        self.visited: set[State] = set()
        self.steps: set[Hashable] = set()
        self.stopped: str | None = None

    def run(self, length: int) -> Finding:
        """One run: what it violates, or a finding of kind `run`."""
        liking = {action.name: self._chance.choice(LIKINGS) if self._swarm else 1 for action, _ in self._actions}
        arguments, state = self._chance.choice(self._initial)
        steps: list[Instance] = []
        found = self._judged(arguments, steps, state)
        while found is None:
            self.stopped = self._watch.look(len(self.visited), sum(self.actions.values()), len(steps), 0)
            if self.stopped is not None or len(steps) == length:
                break
            enabled = list(transitions(self._system, self._actions, state))
            if not enabled:
                return self._ended(arguments, steps, state)
            instance, successor = self._chosen(enabled, state, liking)
            steps.append(instance)
            if isinstance(successor, Failure):
                return Finding("error", instance[0], arguments, tuple(steps), message=str(successor), in_step=True)
            self.actions[instance[0].name] += 1
            self.steps.add((instance[0].name, _change(state, successor)))
            false = self._properties.falsified_by_step(state, successor)
            state = successor
            found = self._falsified(arguments, steps, false) or self._judged(arguments, steps, state)
        return found or Finding("run", None, arguments, tuple(steps[:SHOWN_MAX]))

    def _chosen(
        self, enabled: Sequence[tuple[Instance, State | Failure]], state: State, liking: Mapping[str, int]
    ) -> tuple[Instance, State | Failure]:
        """Any, or in a swarm one as likely as it is liked: an error always, what changes nothing not at all. If none is liked, one that
        changes something; if none does, any."""
        errors = [isinstance(after, Failure) for _, after in enabled]
        changing = [int(error or after != state) for error, (_, after) in zip(errors, enabled, strict=True)]
        liked = [
            1 if error else change * liking[instance[0].name]
            for error, change, (instance, _) in zip(errors, changing, enabled, strict=True)
        ]
        weights = next((each for each in (liked, changing) if self._swarm and any(each)), None)
        return self._chance.choice(enabled) if weights is None else self._chance.choices(enabled, weights)[0]

    def _judged(self, arguments: Arguments, steps: list[Instance], state: State) -> Finding | None:
        self.visited.add(state)
        false = self._properties.falsified(state)
        if false is None and not steps:
            false = self._properties.begins_wrongly(state)
        return self._falsified(arguments, steps, false)

    def _falsified(self, arguments: Arguments, steps: list[Instance], false: Falsified | None) -> Finding | None:
        if false is None:
            return None
        message = None if false.failure is None else str(false.failure)
        kind = "error" if message else kind_of(false.method.declaration.kind).shown_as
        return Finding(
            kind,
            false.method,
            arguments,
            tuple(steps),
            false.arguments,
            message=message,
        )

    def _ended(self, arguments: Arguments, steps: list[Instance], state: State) -> Finding:
        """Nothing is enabled: a deadlock, unless the protocol may stop here or a bound cut what was possible."""
        terminal = self._properties.terminal
        try:
            stuck = terminal is not None and not self._properties.holds(terminal, state, ()) and not self._cut(state)
        except Failure as failure:
            return Finding("error", terminal, arguments, tuple(steps), message=str(failure), place=failure.location)
        return Finding(DEADLOCK if stuck else "run", None, arguments, tuple(steps if stuck else steps[:SHOWN_MAX]))

    def _cut(self, state: State) -> bool:
        for action, choices in self._actions:
            for arguments in choices(state):
                try:
                    self._system.fire(state, action, arguments)
                except Cut:
                    return True
        return False
