"""What a search need not remember: messages that have passed (see `passing`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from quorate.conform.passing import Passing, passing
from quorate.conform.wide.networks import WideNetworkType
from quorate.conform.wide.system import Wide
from quorate.language.declarations import SpecBase
from quorate.language.spec import Spec
from quorate.language.system import State
from quorate.language.types import IdentityType, MapType, Type

KEPT_MIN = 1_000
"""Networks with fewer messages are left as they are."""


class Forgetting:
    """Takes messages that have passed out of the states of a search, each time that a network has twice as many as after the last
    time. `asked` are the variables that somebody asks for as a whole: of these nothing is forgotten."""

    def __init__(self, system: Wide, spec: type[SpecBase], asked: set[str]) -> None:
        self._system, self._spec, self._asked = system, spec, asked
        self._networks = [
            (position, one.name)
            for position, one in enumerate(system.variables)
            if isinstance(one.type, WideNetworkType)
        ]
        self._most = dict.fromkeys((name for _, name in self._networks), KEPT_MIN)
        self.forgotten: set[str] = set()
        """The networks from which messages were taken."""

    @cached_property
    def _passing(self) -> dict[str, list[Passing]]:
        found: dict[str, list[Passing]] = {}
        for one in passing(self._spec) if issubclass(self._spec, Spec) else ():
            if self._is_counted(self._system.variables[self._system.index[one.clock]].type):
                found.setdefault(one.network, []).append(one)
        return found

    def _is_counted(self, clock: Type) -> bool:
        """Whether all keys of a clock are known: with each member that is met it would begin anew."""
        return not isinstance(clock, MapType) or (
            isinstance(clock.key, IdentityType) and clock.key.sort in self._system.closed
        )

    def is_due(self, state: State) -> bool:
        """Whether a state has many messages more than after the last time."""
        return any(len(state[position]) > self._most[name] for position, name in self._networks)

    def without_past(self, states: Sequence[State]) -> list[State]:
        """The states without what has passed."""
        for position, name in self._networks:
            if name not in self._asked and name in self._passing:
                states = [self._swept(state, position, self._passing[name]) for state in states]
                self.forgotten.add(name)
            self._most[name] = max(KEPT_MIN, *(2 * len(state[position]) for state in states))
        return list(states)

    def _swept(self, state: State, position: int, passing: list[Passing]) -> State:
        network = state[position]
        least = {one.record: (one.field, self._least(state, one.clock)) for one in passing}
        left = []
        for message in network.messages:
            field, clock = least.get(type(message), ("", 0))
            if not field or getattr(message, field) >= clock:
                left.append(message)
        kind = self._system.variables[position].type
        assert isinstance(kind, WideNetworkType)
        return (*state[:position], kind.holding(left), *state[position + 1 :])

    def _least(self, state: State, clock: str) -> int:
        position = self._system.index[clock]
        kind, value = self._system.variables[position].type, state[position]
        return int(min(value[key] for key in kind.keys) if isinstance(kind, MapType) else value)
