"""The point of no return: before it a run can still avoid the violation, from it on none can; compared with all runs of small systems."""

from __future__ import annotations

from functools import cache

import pytest
from quorate import Nat, Spec, action, require
from quorate.explore.choices import Choices
from quorate.explore.limits import Limits, Watch
from quorate.explore.no_return import NoReturn, Way, point_of_no_return
from quorate.language.system import State, System


class Count(Nat, max=6):
    """How far it has come."""


class Slide(Spec):
    """On the hill one may rest; whoever has let go slides to the bottom."""

    count: Count
    resting: bool
    may_rest_to: Count

    @action
    def rest(self) -> None:
        require(self.count <= 1)
        self.resting = not self.resting

    @action
    def slide(self) -> None:
        require(self.count < 5)
        self.count += 1


class Cliff(Slide):
    """One may stop at three, and only there, for good."""

    @action
    def slide(self) -> None:
        require(self.count != 3)
        self.count += 1

    @action
    def jump(self) -> None:
        require(self.count == 2)
        self.count = Count(4)


def point(spec: type[Spec], counts: list[int], bad: int, watch: Watch | None = None) -> NoReturn:
    system = System(spec)
    with system:
        actions = [(one, Choices(system, one)) for one in system.actions]
        at = system.index["count"]
        start = next(system.initial())[1]
        states = [tuple(count if place == at else part for place, part in enumerate(start)) for count in counts]
        return point_of_no_return(system, actions, states, lambda old, new: new[at] == bad, watch or Watch())


def test_who_has_let_go_is_lost_and_who_rests_is_not() -> None:
    found = point(Slide, [0, 1, 2, 3, 4], 4)
    assert found.step == 2 and found.escape is not None and found.escape.way is Way.CYCLE
    assert [one.name for one, _ in found.escape.steps] == ["rest", "rest"]


def test_where_nothing_is_possible_any_more_nothing_is_violated() -> None:
    found = point(Cliff, [0, 1, 2, 4, 5], 5)
    assert found.step == 3 and found.escape is not None and found.escape.way is Way.END


def test_beyond_the_bounds_nothing_is_known() -> None:
    found = point(Cliff, [4, 5, 6], 7)
    assert found.step == 2 and found.escape is not None and found.escape.way is Way.BEYOND


def test_a_run_can_be_lost_from_its_first_state_on() -> None:
    assert point(Slide, [2, 3, 4], 4) == NoReturn(0, None, 2)


def test_a_search_that_is_ended_says_that_it_does_not_know() -> None:
    assert point(Slide, [0, 1, 2, 3, 4], 4, Watch(Limits(seconds=0))).step is None


@pytest.mark.parametrize("bad", [3, 4, 5])
def test_it_is_what_the_definition_says(bad: int) -> None:
    """A state is lost if something is possible and every step violates or leads to a lost state, the least such set."""
    system = System(Slide)
    with system:
        actions = [(one, Choices(system, one)) for one in system.actions]
        at = system.index["count"]

        @cache
        def lost_within(state: State, steps: int) -> bool:
            after = [found.state for one, _ in actions if (found := system.fire(state, one, ())) is not None]
            good = [one for one in after if one[at] != bad]
            return bool(after) and (not good or (steps > 0 and all(lost_within(one, steps - 1) for one in good)))

        start = next(system.initial())[1]
        states = [tuple(count if place == at else part for place, part in enumerate(start)) for count in range(bad + 1)]
        wanted = next(number for number, state in enumerate(states) if lost_within(state, 20))
    assert point(Slide, list(range(bad + 1)), bad).step == wanted
