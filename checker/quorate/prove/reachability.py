"""What runs show about a proof: whether a counterexample to induction can happen, and that a proof is about something.

Both ask a plain search among the first states at the configured bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from time import monotonic
from typing import Any

from quorate.explore.choices import Choices
from quorate.language.control import Cut
from quorate.language.system import Failure, State, System
from quorate.model.nodes import Model
from quorate.prove.fixed_bounds import Bounded

REACHABLE_STATES = 20_000
"""So many states are explored to say whether a state or an action can happen."""
LOOK_SECONDS = 5.0
"""And for so long, or as long as a proof may take, if that is less."""


class _TimeOver(Exception):
    """The look at the first states took too long."""


class _Watch:
    """A limit to the time of one look."""

    def __init__(self, seconds: float) -> None:
        self._deadline = monotonic() + min(seconds, LOOK_SECONDS)

    def check(self) -> None:
        """Raises _TimeOver when it is."""
        if monotonic() > self._deadline:
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


def vacuous(model: Model, bounded: Callable[[], Bounded], assumed: Sequence[str], seconds: float) -> str | None:
    """Why a proof would be worthless at the configured bounds, or None: there is no initial state, or an action that
    can never happen.

    An action that happens in a run happens in a state that satisfies what was proven. Of the others the solver is
    asked, by the encoding that `bounded` gives. `seconds` limit the look at runs.
    """
    idle = _never_seen(model.system, _Watch(seconds))
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


def _never_seen(system: System, watch: _Watch) -> set[str]:
    """The actions that do not happen among the first states."""
    idle = {action.name for action in system.actions}
    choices = [(action, Choices(system, action)) for action in system.actions]
    try:
        for level, _ in _levels(system, watch):
            for state in level:
                watch.check()
                idle -= {action.name for action, _ in _successors(system, choices, state, idle)}
                if not idle:
                    return idle
    except (Failure, _TimeOver):
        pass
    return idle


def _levels(system: System, watch: _Watch) -> Iterator[tuple[list[State], set[State]]]:
    """The states of each depth, with all seen so far, until there are no more (an empty level) or there are many.
    Raises _TimeOver."""
    choices = [(action, Choices(system, action)) for action in system.actions]
    level = list(dict.fromkeys(_initial(system, watch)))
    seen = set(level)
    yield level, seen
    while level and len(seen) < REACHABLE_STATES:
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


__all__ = ["FirstStates", "vacuous"]
