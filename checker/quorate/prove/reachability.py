"""What runs show about a proof: whether a counterexample to induction can happen, and that a proof is about something.

Both ask a plain search among the first states at the configured bounds; the second one draws longer runs, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice
from random import Random
from time import process_time
from typing import Any

from quorate.explore.choices import Choices
from quorate.language.control import Cut
from quorate.language.system import Arguments, Failure, State, System
from quorate.prove.fixed_bounds import Bounded

REACHABLE_STATES = 20_000
"""So many states are explored to say whether a state can happen."""
FIRST_STATES = 2_000
"""And so many to say which actions can; the others may happen in longer runs, and are looked for there."""
INITIAL_MAX = 1_000
"""Runs that are drawn begin in one of so many states."""
WALKS, WALK_STEPS = 100, 60
"""So many runs are drawn, and they are so long."""
SEED = 20140614
LOOK_SECONDS = 5.0
"""A look takes so much of the processor's time, or as much as a proof may take, if that is less."""


class _TimeOver(Exception):
    """The look at the first states took too long."""


class _Watch:
    """A limit to the time of one look. It is the processor's: what is seen does not depend on what else the machine does."""

    def __init__(self, seconds: float) -> None:
        self._deadline = process_time() + min(seconds, LOOK_SECONDS)

    def check(self) -> None:
        """Raises _TimeOver when it is."""
        if process_time() > self._deadline:
            raise _TimeOver


class FirstStates:
    """The first states of a system's runs, searched when they are first asked for, with their depths."""

    def __init__(self, system: System, seconds: float) -> None:
        self._system, self._seconds = system, seconds

    def how_reachable(self, wanted: State) -> str:
        """Whether a state can happen at the configured bounds, in words."""
        depths, ended, failed = self._found
        if wanted in depths:
            return f"can happen, in {depths[wanted]} steps"
        if failed:
            return "not known: the specification raises an error on the way"
        if ended:
            return "cannot happen at these bounds: a lemma can exclude it"
        return f"not among the first {len(depths):,} states"

    @cached_property
    def _found(self) -> tuple[dict[State, int], bool, bool]:
        """The states with their depths, whether these are all, and whether the search met an error."""
        depths: dict[State, int] = {}
        level: list[State] = []
        with self._system:
            try:
                for depth, (level, _) in enumerate(_levels(self._system, _Watch(self._seconds))):
                    depths.update((state, depth) for state in level)
            except Failure:
                return depths, False, True
            except _TimeOver:
                return depths, False, False
        return depths, not level, False


def vacuous(idle: set[str], bounded: Callable[[], Bounded], assumed: Sequence[str]) -> str | None:
    """Why a proof would be worthless at the configured bounds, or None: there is no initial state, or an action that
    can never happen.

    An action that happens in a run happens in a state that satisfies what was proven. Of the others, the `idle` ones, the
    solver is asked, by the encoding that `bounded` gives.
    """
    if not idle:
        return None
    encoding = bounded()
    if not encoding.has_initial_state():
        return "there is no initial state"
    stuck = [
        fired.action.name
        for fired in encoding.relation.fired
        if fired.action.name in idle and not encoding.can_fire(fired, assumed)
    ]
    return f"{', '.join(stuck)} can never happen in a state that satisfies the properties" if stuck else None


def never_seen(system: System, seconds: float) -> set[str]:
    """The actions that happen neither among the first states nor in drawn runs, which go on where the first states end."""
    idle = {action.name for action in system.actions}
    choices = [(action, Choices(system, action)) for action in system.actions]
    initial, level = list[State](), list[State]()
    watch = _Watch(seconds / 2)
    try:
        for level, _ in _levels(system, watch, FIRST_STATES):
            initial = initial or level
            for state in level:
                watch.check()
                idle -= {action.name for action, _ in _successors(system, choices, state, idle)}
                if not idle:
                    return idle
    except (Failure, _TimeOver):
        pass
    return _never_drawn(system, choices, initial, idle, _Watch(seconds / 2)) if level else idle


def first_initial(system: System, seconds: float) -> list[tuple[Arguments, State]]:
    """Initial states that are found in a while, with the arguments of @init; at most `INITIAL_MAX`."""
    found, kept = list[tuple[Arguments, State]](), system.waiting
    system.waiting = _Watch(seconds).check
    try:
        with suppress(_TimeOver):
            found.extend(islice(system.initial(), INITIAL_MAX))
    finally:
        system.waiting = kept
    return found


def _never_drawn(
    system: System, choices: Sequence[tuple[Any, Choices]], initial: Sequence[State], idle: set[str], watch: _Watch
) -> set[str]:
    """Those of some actions that do not happen in runs from the initial states. Half of the steps are such as were seldom
    taken."""
    random, taken = Random(SEED), Counter[str]()
    try:
        for _ in range(WALKS):
            state = random.choice(initial)
            for _ in range(WALK_STEPS):
                watch.check()
                following = [(action.name, after) for action, after in _successors(system, choices, state)]
                if not following:
                    break
                idle = idle - {name for name, _ in following}
                if not idle:
                    return idle
                if random.random() < 0.5:
                    least = min(taken[name] for name, _ in following)
                    following = [one for one in following if taken[one[0]] == least]
                name, state = random.choice(following)
                taken[name] += 1
    except (Failure, _TimeOver):
        pass
    return idle


def _levels(system: System, watch: _Watch, most: int = REACHABLE_STATES) -> Iterator[tuple[list[State], set[State]]]:
    """The states of each depth, with all seen so far, until there are no more (an empty level) or there are so many.
    Raises _TimeOver."""
    choices = [(action, Choices(system, action)) for action in system.actions]
    level = list(dict.fromkeys(_initial(system, watch)))
    seen = set(level)
    yield level, seen
    while level and len(seen) < most:
        found = dict[State, None]()
        for state in level:
            watch.check()
            found |= {after: None for _, after in _successors(system, choices, state) if after not in seen}
        level = list(found)
        seen.update(level)
        yield level, seen


def _initial(system: System, watch: _Watch) -> Iterator[State]:
    """The initial states. Most arguments of @init may be refused by it, so each is a look at the clock."""
    if system.init is None:
        yield from (state for _, state in system.initial())
        return
    zero = system.zero(before_init=True)
    for arguments in system.choices(system.init.parameters):
        watch.check()
        state = system.initial_state(zero, system.init, arguments)
        if state is not None and system.excluded_by(state) is None:
            yield state


def _successors(
    system: System, choices: Sequence[tuple[Any, Choices]], state: State, only: set[str] | None = None
) -> Iterator[tuple[Any, State]]:
    """The transitions of a state, of the actions of some names if these are given."""
    for action, options in choices:
        if only is not None and action.name not in only:
            continue
        for arguments in options(state):
            try:
                successor = system.fire(state, action, arguments)
            except Cut:
                continue
            if successor is not None:
                yield action, successor.state


__all__ = ["FirstStates", "first_initial", "never_seen", "vacuous"]
