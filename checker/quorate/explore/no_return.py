"""The point of no return of a violating run: the first step after which every continuation violates.

A continuation goes on while anything is possible. It avoids the violation if it ends where nothing is possible, comes back to a state that
it has been in and so can go round for ever, or leaves the bounds, of which nothing is known. Fairness is not asked for. Depth-first search
through the states that violate nothing finds such a continuation or shows that there is none; a state from which all lead on to a
violation is left behind for good, so that each is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from quorate.explore.choices import Choices
from quorate.explore.engine import Instance
from quorate.explore.limits import Watch
from quorate.language.control import Cut
from quorate.language.system import Failure, Method, State, System

Violates = Callable[[State, State], bool]
"""(state before, state after) -> whether the step, or the state that it leads to, violates."""


class Way(Enum):
    """How a continuation avoids the violation."""

    END = "nothing is possible any more"
    CYCLE = "it can go round for ever"
    BEYOND = "it leaves the bounds"


@dataclass(frozen=True)
class Escape:
    """A continuation that avoids the violation: its steps up to where that is seen."""

    steps: tuple[Instance, ...]
    way: Way


@dataclass(frozen=True)
class NoReturn:
    """`step` is the first step after which no continuation avoids the violation, 0 if none does from the first state on; None if the search
    was ended before it was known. `escape` is one just before that step. `states` were looked at."""

    step: int | None
    escape: Escape | None
    states: int


def point_of_no_return(
    system: System,
    actions: Sequence[tuple[Method, Choices]],
    states: Sequence[State],
    violates: Violates,
    watch: Watch,
) -> NoReturn:
    """The point of no return of a run through these states, whose last step violates. Call it inside the system's configuration."""
    search = _Search(system, actions, violates, watch)
    for step in range(len(states) - 1, 0, -1):
        escape = search.escape(states[step - 1])
        if search.stopped:
            return NoReturn(None, None, len(search.lost))
        if escape is not None:
            return NoReturn(step, escape, len(search.lost))
    return NoReturn(0, None, len(search.lost))


class _Search:
    def __init__(
        self, system: System, actions: Sequence[tuple[Method, Choices]], violates: Violates, watch: Watch
    ) -> None:
        self.system, self.actions, self.violates, self.watch = system, actions, violates, watch
        self.lost: set[State] = set()
        """States from which every continuation violates."""
        self.stopped = False

    def escape(self, start: State) -> Escape | None:
        """A continuation that violates nothing; None if there is none."""
        path: dict[State, None] = {start: None}
        steps: list[Instance] = []
        waiting = [_Following(self, start)]
        while waiting:
            if self.watch.look(len(self.lost), 0, len(path), 0) is not None:
                self.stopped = True
                return None
            following = waiting[-1]
            if following.ends:
                return Escape(tuple(steps), Way.END)
            found = next(following.steps, None)
            if found is None:
                if following.is_cut:
                    return Escape(tuple(steps), Way.BEYOND)
                waiting.pop()
                self.lost.add(path.popitem()[0])
                if steps:
                    steps.pop()
                continue
            instance, state = found
            if state in path:
                return Escape((*steps, instance), Way.CYCLE)
            if state not in self.lost:
                path[state] = None
                steps.append(instance)
                waiting.append(_Following(self, state))
        return None


class _Following:
    """The steps from a state that violate nothing. `is_cut`: another would pass a bound; `ends`: nothing is possible."""

    def __init__(self, search: _Search, state: State) -> None:
        found: list[tuple[Instance, State]] = []
        self.is_cut, possible = False, False
        for action, choices in search.actions:
            for arguments in choices(state):
                try:
                    successor = search.system.fire(state, action, arguments)
                except Cut:
                    self.is_cut = True
                    continue
                except Failure:
                    possible = True
                    continue
                if successor is not None:
                    possible = True
                    if not search.violates(state, successor.state):
                        found.append(((action, arguments), successor.state))
        self.steps = iter(found)
        self.ends = not possible and not self.is_cut
