"""Random runs: for specifications too large to explore, and to see one alive.

A seed gives the same runs on every machine. A run takes, in each state, one of the enabled instances, all equally
likely, until nothing is possible or it has its length. Safety properties are checked on the way. No violation in
random runs proves nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from checker.explore.choices import Choices
from checker.explore.engine import Finding, Instance
from checker.explore.limits import Watch
from checker.explore.properties import Falsified, Properties
from checker.explore.runs import transitions
from checker.explore.tracing import DEADLOCK, trace
from checker.language.control import Cut
from checker.language.spec import Spec
from checker.language.system import Arguments, Failure, State, System
from checker.trace import Trace


@dataclass(frozen=True)
class Simulation:
    """What random runs showed. `violation` is None if nothing was found; `last` is then the last run, whole.

    `runs` counts the runs begun, `steps` all their steps, `states` the distinct states they visited, `actions` the
    steps by action.
    """

    seed: int
    runs: int
    steps: int
    states: int
    actions: dict[str, int]
    violation: Trace | None
    last: Trace | None
    stopped: str | None


def simulate(spec: type[Spec], *, seed: int, runs: int = 1, length: int = 50, watch: Watch | None = None, name: str | None = None,
             variant: str | None = None) -> Simulation:
    """Take random runs of at most `length` steps until one violates a safety property.

    Raises Failure if the specification raises outside a run; an exception inside one is a violation of kind
    `error`."""
    system = System(spec)
    with system:
        walker = _Walker(system, random.Random(seed), watch or Watch())
        finding: Finding | None = None
        begun = 0
        while begun < runs and walker.stopped is None and (finding is None or finding.kind == "run"):
            begun += 1
            finding = walker.run(length)
        shown = trace(system, finding, name or system.name, variant) if finding is not None else None
        violated = finding is not None and finding.kind != "run"
        return Simulation(seed, begun, sum(walker.actions.values()), len(walker.visited), dict(walker.actions),
                          shown if violated else None, None if violated else shown, walker.stopped)


class _Walker:
    def __init__(self, system: System, chance: random.Random, watch: Watch) -> None:
        self._system, self._chance, self._watch = system, chance, watch
        self._properties = Properties(system)
        self._actions = [(action, Choices(system, action)) for action in system.actions]
        self._initial = list(system.initial())
        self.actions: Counter[str] = Counter({action.name: 0 for action in system.actions})
        self.visited: set[State] = set()
        self.stopped: str | None = None

    def run(self, length: int) -> Finding:
        """One run: what it violates, or a finding of kind `run`."""
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
            instance, successor = self._chance.choice(enabled)
            steps.append(instance)
            if isinstance(successor, Failure):
                return Finding("error", instance[0], arguments, tuple(steps), message=str(successor), in_step=True)
            self.actions[instance[0].name] += 1
            false = self._properties.falsified_by_step(state, successor)
            state = successor
            found = self._falsified(arguments, steps, false) or self._judged(arguments, steps, state)
        return found or Finding("run", None, arguments, tuple(steps))

    def _judged(self, arguments: Arguments, steps: list[Instance], state: State) -> Finding | None:
        self.visited.add(state)
        return self._falsified(arguments, steps, self._properties.falsified(state))

    def _falsified(self, arguments: Arguments, steps: list[Instance], false: Falsified | None) -> Finding | None:
        if false is None:
            return None
        message = None if false.failure is None else str(false.failure)
        kind = "error" if message else false.method.declaration.kind
        return Finding("invariant" if kind == "lemma" else kind, false.method, arguments, tuple(steps), false.arguments, message=message)

    def _ended(self, arguments: Arguments, steps: list[Instance], state: State) -> Finding:
        """Nothing is enabled: a deadlock, unless the protocol may stop here or a bound cut what was possible."""
        terminal = self._properties.terminal
        try:
            stuck = terminal is not None and not self._properties.holds(terminal, state, ()) and not self._cut(state)
        except Failure as failure:
            return Finding("error", terminal, arguments, tuple(steps), message=str(failure))
        return Finding(DEADLOCK if stuck else "run", None, arguments, tuple(steps))

    def _cut(self, state: State) -> bool:
        for action, choices in self._actions:
            for arguments in choices(state):
                try:
                    self._system.fire(state, action, arguments)
                except Cut:
                    return True
        return False
