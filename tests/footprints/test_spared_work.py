"""What the native engine leaves out changes no answer: branches that only may be taken, for a footprint, are taken."""

from __future__ import annotations

from typing import Any

import pytest
from quorate import Nat, Ordered, Spec, action, invariant, record
from quorate.errors import UsageError
from quorate.explore import Watch, check
from quorate.explore.limits import SAVINGS
from quorate.explore.native.render import reading, recall
from quorate.explore.native.search import rendering
from quorate.language.system import System
from quorate.model.passes import PASSES
from quorate.outcome import Outcome


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


class Cell(Ordered, size=3):
    """A cell."""


class SavesEverything(Spec):
    """Steps of different cells commute, a step concerns one of two invariants, and one instance of it."""

    left: dict[Cell, bool]
    right: dict[Cell, bool]

    @action
    def turn_left(self, c: Cell) -> None:
        """One way."""
        self.left[c] = True

    @action
    def turn_right(self, c: Cell) -> None:
        """And the other."""
        self.right[c] = True

    @invariant
    def left_is_left(self, c: Cell) -> bool:
        """Of the left."""
        return self.left[c] or not self.left[c]

    @invariant
    def right_is_right(self, c: Cell) -> bool:
        """Of the right."""
        return self.right[c] or not self.right[c]


def _numbers(spec: type[Spec], engine: str) -> tuple[Any, ...]:
    return _numbers_of(check(spec, engine=engine))


def _numbers_of(outcome: Outcome) -> tuple[Any, ...]:
    found = outcome.statistics
    return outcome.verdict, getattr(outcome, "property", None), found.states, found.transitions, found.depth


@pytest.mark.parametrize("spec", [ReadsInTheOtherBranch, SleepsThroughTheOtherBranch, AsksWhetherNoted])
def test_a_branch_counts_unless_it_is_certainly_not_taken(spec: type[Spec]) -> None:
    assert _numbers(spec, "native") == _numbers(spec, "reference")
    assert check(spec, engine="native").verdict == "violated"


@pytest.mark.parametrize(
    "saving", [saving for saving in SAVINGS if saving not in ("bits", *PASSES)]
)  # Of those, tests/native/test_numbered.py and tests/model/test_passes.py.
def test_each_saving_can_be_switched_off(saving: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "COST_MIN", 0)  # Else so little is not worth remembering.
    monkeypatch.setattr(reading, "WORDS_MIN", 0)
    plain = check(SavesEverything, engine="native", symmetry=False)
    without = check(SavesEverything, engine="native", symmetry=False, watch=Watch(without=[saving]))
    assert plain.statistics.states == without.statistics.states == 64
    assert _numbers_of(plain) == _numbers_of(without)
    system = System(SavesEverything)
    with system:
        sources = [
            rendering(system, [state for _, state in system.initial()], (), off).source for off in ((), [saving])
        ]
    shown = {"sleep": "independent_of", "partial": "check_0[", "instances": "instances by", "memo": "recall_0("}[saving]
    assert [shown in source for source in sources] == [True, False]


def test_a_saving_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match="sleep"):
        check(SavesEverything, watch=Watch(without=["slep"]))
