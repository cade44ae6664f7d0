"""A verdict that nothing is wrong, held against runs of CPython.

What an engine finds wrong counts only once CPython has run it. That nothing is wrong cannot be run, but it says something of every run:
its states are among those that the search has met, every property is true of them, no action raises an error, nothing happens that
never happened. So before it counts, CPython takes steps of its own and looks for a run of which that is not so. It finds most mistakes of a
search and of what the search was made from, whoever made them and wherever (a translation, a compiler, symmetry, a state that was lost),
since what it asks of the result is not how the result came about: a check of results instead of programs (McConnell, Mehlhorn, Näher &
Schweitzer 2011, "Certifying algorithms"; Pnueli, Siegel & Singerman 1998, "Translation validation"). That it finds none proves nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import monotonic

from quorate.errors import SpecError
from quorate.explore.choices import Choices
from quorate.explore.engine import Covered, Disagreement, Instance
from quorate.explore.limits import Watch
from quorate.explore.properties import Properties, Property
from quorate.language.control import Cut
from quorate.language.system import Arguments, Failure, State, System

SEED = 20110301
AUDIT_SHARE = 0.025
"""What an engine says is audited for this share of the time that it took, that of compiling included."""
TRIES_MIN, PATIENCE_S = 100, 1.0
"""So many instances of actions are tried even if there is less time, unless that takes so long: CPython may be slow."""
SECONDS_MAX = 5.0
"""An audit takes no longer than this: its states are in memory."""
BEGINNING = 0.1
"""How often the next state is another initial one."""
DRAWN = 8
"""Of an action so many arguments are tried in a state, drawn if there are more."""
LISTED_MAX = 5_000
"""Of an action so many arguments are listed to draw from: there may be many millions."""
SHOWN_MAX = 40
"""So many steps of a run are told."""


@dataclass(frozen=True)
class Said:
    """What a search or a proof says of all runs.

    `properties` are true of them. `met` is asked whether a state was met; `fired` are the actions that happen, and `reached` the
    `@reachable` properties that come true: None where nothing is said of that. `cut`: bounds may cut transitions."""

    properties: Properties
    met: Callable[[State], bool] = lambda _: True
    fired: Collection[str] | None = None
    reached: Collection[str] | None = None
    cut: bool = True

    @staticmethod
    def of(system: System, covered: Covered, met: Callable[[State], bool] = lambda _: True) -> Said:
        """What a search says that came to its end and found nothing wrong."""
        fired = [name for name, count in covered.actions.items() if count]
        return Said(Properties(system), met, fired, covered.reached, any(covered.cuts.values()))


def audit(
    system: System,
    initial: Sequence[tuple[Arguments, State]],
    said: Said,
    seconds: float,
    watch: Watch | None = None,
) -> None:
    """Take steps of CPython for so long, but at least `TRIES_MIN`, or until the watch is interrupted. Raises Disagreement for a run of
    which what was said is not so. Call it inside the system's configuration."""
    try:
        look = _Look(system, initial, said, min(seconds, SECONDS_MAX), watch or Watch())
    except SpecError:  # An action has too many arguments to list: a search tries those that its guards leave.
        return
    look.run()


@dataclass(frozen=True)
class _Reached:
    """A state, and how it was reached: by a step from another one, or by arguments of @init."""

    state: State
    before: _Reached | None
    by: Instance | Arguments


class _Look:
    """A search that sees few of the states: none twice, the next always after an action of which the fewest were seen. So what happens
    seldom, and what comes after it, is seen soon."""

    def __init__(
        self, system: System, initial: Sequence[tuple[Arguments, State]], said: Said, seconds: float, watch: Watch
    ) -> None:
        self._system, self._said, self._watch = system, said, watch
        self._chance = random.Random(SEED)
        self._actions = [(action, Choices(system, action, most=LISTED_MAX)) for action in system.actions]
        goals = said.properties.reachable if said.reached is not None else ()
        self._unreached: list[Property] = [goal for goal in goals if goal[0].name not in (said.reached or ())]
        self._tried, self._begin, self._seconds, self._slowest = 0, monotonic(), seconds, 0.0
        self._initial = [_Reached(state, None, arguments) for arguments, state in initial]
        self._waiting: dict[str, list[_Reached]] = {action.name: [] for action in system.actions}
        self._known = {state for _, state in initial}
        self._seen: Counter[str] = Counter()

    def run(self) -> None:
        """See states until the time is over, or there are no more."""
        while self._is_time() and not self._watch.is_interrupted:
            reached, begin = self._next(), monotonic()
            if reached is None:
                return
            try:
                self._see(reached)
                self._expand(reached)
            except Failure as failure:  # Of what is asked of a state.
                raise self._other(f"there is an error: {failure}", reached) from None
            self._slowest = max(self._slowest, monotonic() - begin)

    def _is_time(self) -> bool:
        """Whether another state may be looked at, which takes as long as the slowest so far."""
        passed = monotonic() - self._begin + self._slowest
        return passed < (self._seconds if self._tried >= TRIES_MIN else max(self._seconds, PATIENCE_S))

    def _next(self) -> _Reached | None:
        """A state that was not seen yet: after the action of which the fewest were seen, half of the times the last one, which is far
        from the beginning."""
        possible = [name for name, waiting in self._waiting.items() if waiting]
        if self._initial and (not possible or self._chance.random() < BEGINNING):
            return self._initial.pop(self._chance.randrange(len(self._initial)))
        if not possible:
            return None
        name = min(possible, key=lambda name: self._seen[name])
        self._seen[name] += 1
        waiting = self._waiting[name]
        return waiting.pop(-1 if self._chance.random() < 0.5 else self._chance.randrange(len(waiting)))

    def _see(self, reached: _Reached) -> None:
        """Hold a state, and the step that led to it, against what was said."""
        properties, state, before = self._said.properties, reached.state, reached.before
        false = (
            properties.begins_wrongly(state) if before is None else properties.falsified_by_step(before.state, state)
        )
        false = false or properties.falsified(state)
        if false is not None:
            raise self._other(f"{false.method.name} is not true", reached)
        if not self._said.met(state):
            raise self._other("a state that was not met", reached)
        view = self._system.view(state)
        for goal in self._unreached:
            if properties.satisfying(goal, view) is not None:
                raise self._other(f"{goal[0].name} comes true", reached)

    def _expand(self, reached: _Reached) -> None:
        """Try the actions in a state."""
        possible = False
        for action, choices in self._actions:
            try:
                arguments = choices(reached.state)
            except Failure as failure:
                raise self._other(f"{action.name} raises an error: {failure}", reached) from None
            if len(arguments) > DRAWN:
                possible = True  # Whoever tries some only does not know.
                arguments = self._chance.sample(arguments, DRAWN)
            for some in arguments:
                possible |= self._try(reached, (action, some))
        terminal = self._said.properties.terminal
        if not possible and terminal is not None and not self._said.properties.holds(terminal, reached.state, ()):
            raise self._other("nothing can happen any more", reached)

    def _try(self, reached: _Reached, instance: Instance) -> bool:
        """Whether an instance can happen in a state, or would if no bound were in the way."""
        self._tried += 1
        action, arguments = instance
        try:
            after = self._system.fire(reached.state, action, arguments)
        except Cut as cut:
            if not self._said.cut:
                raise self._other(f"{_call(instance)} passes the bound {cut.bound}", reached) from None
            return True
        except Failure as failure:
            raise self._other(f"{_call(instance)} raises an error: {failure}", reached) from None
        if after is None:
            return False
        if self._said.fired is not None and action.name not in self._said.fired:
            raise self._other(f"{_call(instance)} happens", reached)
        if after.state not in self._known:
            self._known.add(after.state)
            self._waiting[action.name].append(_Reached(after.state, reached, instance))
        return True

    def _other(self, what: str, reached: _Reached) -> Disagreement:
        steps, at = list[str](), reached
        while at.before is not None:
            steps.append(_call(at.by))
            at = at.before
        steps.append(f"@init({', '.join(map(repr, at.by))})")
        shown = steps[::-1]
        if len(shown) > SHOWN_MAX:
            shown = [*shown[: SHOWN_MAX - 1], f"{len(shown) - SHOWN_MAX + 1} more"]
        run = " -> ".join(shown)
        return Disagreement(
            f"{self._system.name}: nothing wrong was found, and CPython finds this: {what}, after {run}"
        )


def _call(instance: Instance) -> str:
    action, arguments = instance
    return action.call(arguments)
