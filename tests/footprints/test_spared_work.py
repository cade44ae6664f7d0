"""What the native engine leaves out changes no answer: branches that only may be taken, for a footprint, are taken."""

from __future__ import annotations

from typing import Any

import pytest
from quorate import Nat, Spec, action, invariant, record
from quorate.explore import check


class Level(Nat, max=1):
    """A level."""


@record
class Note:
    """What is noted."""

    level: Level


class ReadsInTheOtherBranch(Spec):
    """The invariant reads `a` only where `x` is not None, and it is called with a record that is built there."""

    a: bool
    b: bool

    def quiet(self, x: Note | None) -> bool:
        """Nothing is known where nothing is noted."""
        return True if x is None else not self.a

    @action
    def set_a(self) -> None:
        """Break the invariant."""
        self.a = True

    @action
    def set_b(self) -> None:
        """Do something else."""
        self.b = True

    @invariant
    def a_is_never_set(self) -> bool:
        """False after one step."""
        return self.quiet(Note(Level(0)))


class SleepsThroughTheOtherBranch(Spec):
    """`use` reads `a` only where `x` is not None: after `set_a` it does something else than before."""

    a: bool
    b: bool

    def value(self, x: Note | None) -> bool:
        """What `use` writes."""
        return False if x is None else self.a

    @action
    def use(self) -> None:
        """Read `a`."""
        self.b = self.value(Note(Level(1)))

    @action
    def set_a(self) -> None:
        """Write `a`."""
        self.a = True

    @invariant
    def b_is_never_set(self) -> bool:
        """False after two steps."""
        return not self.b


class AsksWhetherNoted(Spec):
    """Which branch the invariant takes depends on the state."""

    a: bool
    noted: Note | None

    @action
    def note(self) -> None:
        """Take a note."""
        self.noted = Note(Level(1))

    @action
    def set_a(self) -> None:
        """After a note this breaks the invariant."""
        self.a = True

    @invariant
    def quiet(self) -> bool:
        """False after both."""
        return True if self.noted is None else not self.a


def _numbers(spec: type[Spec], engine: str) -> tuple[Any, ...]:
    outcome = check(spec, engine=engine)
    found = outcome.statistics
    return outcome.verdict, getattr(outcome, "property", None), found.states, found.transitions, found.depth


@pytest.mark.parametrize("spec", [ReadsInTheOtherBranch, SleepsThroughTheOtherBranch, AsksWhetherNoted])
def test_a_branch_counts_unless_it_is_certainly_not_taken(spec: type[Spec]) -> None:
    assert _numbers(spec, "native") == _numbers(spec, "reference")
    assert check(spec, engine="native").verdict == "violated"
