"""How an action ends early: disabled by a guard, or cut by a bound or a constraint."""

from __future__ import annotations


class Disabled(Exception):
    """A `require` is false: the action is not possible with these arguments in this state."""


class Cut(Exception):
    """A value passes the bound named `bound`, or the constraint of this name is false: the transition is left out, and counted."""

    def __init__(self, bound: str) -> None:
        self.bound = bound
        super().__init__(bound)


def require(condition: bool, /) -> None:
    """The guard of an action: without `condition` the action is disabled and has no effect.

    A leading `require(m in self.network)` for a parameter `m` makes the parameter range over the collection's contents
    instead of over its whole type.
    """
    if not condition:
        raise Disabled
