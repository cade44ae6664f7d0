"""How an action ends early: disabled by a guard, or cut by a bound or a constraint."""

from __future__ import annotations

from typing import ClassVar


class Disabled(Exception):
    """A `require` is false: the action is not possible with these arguments in this state."""


class Cut(Exception):
    """A value passes the bound named `bound`, or the constraint of this name is false: the transition is left out, and counted."""

    latest: ClassVar[Cut | None] = None
    """The last one that was raised in the method that runs. It counts also where the author's code has caught it: what that does then, it
    would not do within wider bounds."""

    def __init__(self, bound: str) -> None:
        self.bound = bound
        super().__init__(bound)
        Cut.latest = self


def require(condition: bool, /) -> None:
    """The guard of an action: without `condition` the action is disabled and has no effect.

    A leading `require(m in self.network)` for a parameter `m` makes the parameter range over the collection's contents
    instead of over its whole type.
    """
    if not condition:
        raise Disabled
