"""How an action ends early: disabled by a guard, or cut by a bound or a constraint."""

from __future__ import annotations


class Disabled(Exception):
    """A `require` is false: the action is not possible with these arguments in this state."""


class Cut(Exception):
    """A value passes the bound named `bound`, or the constraint of this name is false: the transition is left out, and counted."""

    def __init__(self, bound: str) -> None:
        self.bound = bound
        super().__init__(bound)
        RUNNING.cut = self


class Running:
    """The method that runs. (An object of its own: an attribute of a class costs seven times as much to change.)"""

    __slots__ = ("cut",)

    def __init__(self) -> None:
        self.cut: Cut | None = None
        """The last one that was raised in it. It counts also where the author's code has caught it: what that does then, it would not do
        within wider bounds."""


RUNNING = Running()


def require(condition: bool, /) -> None:
    """The guard of an action: without `condition` the action is disabled and has no effect.

    A leading `require(m in self.network)` for a parameter `m` makes the parameter range over the collection's contents
    instead of over its whole type.
    """
    if not condition:
        raise Disabled
