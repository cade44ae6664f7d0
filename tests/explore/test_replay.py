"""Stored traces, run again on a specification that has changed since, or is another one."""

from __future__ import annotations

import pytest
from quorate import (
    Nat,
    Spec,
    action,
    always_from,
    eventually,
    eventually_from,
    init,
    invariant,
    leads_to,
    reachable,
    require,
    step,
)
from quorate.explore import check
from quorate.explore.traces.replay import replay, states_of, with_values
from quorate.kinds import INDUCTION, UNJUDGED
from quorate.language.spec import without
from quorate.outcome import Failed, NotJudged, Violated
from quorate.trace import Trace


class N(Nat, max=3):
    """A small number."""


class Counter(Spec):
    """It counts up, and begins anew."""

    x: N
    limit: N

    @init
    def begin(self) -> None:
        self.limit = N(2)

    @action
    def up(self) -> None:
        require(self.x < 3)
        self.x += 1

    @action
    def anew(self) -> None:
        require(self.x == 3)
        self.x = N(0)


class Low(Counter):
    """It never counts to its end."""

    @invariant
    def low(self) -> bool:
        return self.x != 3


class Raises(Counter):
    """A property of runs raises."""

    @leads_to
    def p_leads_to(self) -> tuple[bool, bool]:
        return 1 // (2 - self.x) > -9, True

    @eventually_from
    def p_eventually(self) -> tuple[bool, bool]:
        return 1 // (2 - self.x) > -9, True

    @always_from
    def p_always(self) -> tuple[bool, bool]:
        return True, 1 // (2 - self.x) > -9


class Mended(Counter):
    """It raises no more."""

    @leads_to
    def p_leads_to(self) -> tuple[bool, bool]:
        return self.x < 9, True

    @eventually_from
    def p_eventually(self) -> tuple[bool, bool]:
        return self.x < 9, True

    @always_from
    def p_always(self) -> tuple[bool, bool]:
        return True, self.x < 9


PAIRS = ("p_leads_to", "p_eventually", "p_always")


def found(spec: type[Spec]) -> Trace:
    """The counterexample of a check."""
    outcome = check(spec, engine="reference")
    assert isinstance(outcome, Violated | Failed) and outcome.trace is not None
    return outcome.trace


@pytest.mark.parametrize("name", PAIRS)
def test_a_property_that_returns_a_pair_raises_no_more(name: str) -> None:
    trace = found(without(Raises, [other for other in PAIRS if other != name]))
    assert (trace.kind, trace.property) == ("error", name)
    assert replay(trace, Raises).reproduced
    again = replay(trace, Mended)
    assert not again.reproduced and again.judged
    assert again.message == f"The run is possible, but {name} does not raise any more."


class RaisingAction(Counter):
    """Counting raises."""

    @action
    def up(self) -> None:
        require(self.x < 3)
        assert self.x != 2
        self.x += 1


def test_an_action_raises_no_more() -> None:
    trace = found(RaisingAction)
    again = replay(trace, Counter)
    assert not again.reproduced and again.judged
    assert again.message == "The run is possible, and up does not raise any more."


class LowEarlier(Low):
    """It may not even come near."""

    @invariant
    def low(self) -> bool:
        return self.x != 2


class SteppingLow(Counter):
    """The last step but one is wrong."""

    @step
    def low(self, old: SteppingLow) -> bool:
        return not (old.x == 1 and self.x == 2)


class SteppingLowLast(Counter):
    """The last step is wrong."""

    @step
    def low(self, old: SteppingLowLast) -> bool:
        return not (old.x == 2 and self.x == 3)


@pytest.mark.parametrize(("then", "today"), [(Low, LowEarlier), (SteppingLowLast, SteppingLow)])
def test_a_run_that_is_wrong_earlier_violates(then: type[Spec], today: type[Spec]) -> None:
    trace = found(then)
    assert len(trace) == 3
    again = replay(trace, today)
    assert again.reproduced and again.now is not None and len(again.now) == 2
    assert again.message == "The trace of 3 steps still violates low after step 2 already."
    (witness,) = {one.steps for one in again.now.witnesses if one.name == "x"}
    assert witness == (2,)


@pytest.mark.parametrize(("then", "today"), [(Low, LowEarlier), (SteppingLowLast, SteppingLow)])
def test_a_run_that_is_wrong_earlier_has_all_of_its_states(then: type[Spec], today: type[Spec]) -> None:
    trace = found(then)
    assert [state["x"] for state in states_of(trace, today)] == [0, 1, 2, 3]
    shown = with_values(trace, today, ["x * 2"])
    changes = [change for step in shown.steps for change in step.changes if change.variable == "x * 2"]
    assert [(change.old, change.new) for change in changes] == [(0, 2), (2, 4), (4, 6)]


class Reaches(Counter):
    """The same as a goal."""

    @reachable
    def low(self) -> bool:
        return self.x == 3


@pytest.mark.parametrize("kind", ["reachable", "step", "eventually", "leads_to", "refinement", UNJUDGED])
def test_a_trace_shows_what_its_property_is_decided_by(kind: str) -> None:
    trace = found(Low).but(kind=kind, loop=None if kind in ("reachable", "step", "refinement") else 3)
    again = replay(trace, Low)
    assert not again.reproduced and not again.judged
    assert f"stored as one of '{kind}', and those of low are of 'invariant'" in again.message


def test_a_property_that_has_become_a_goal_is_not_violated() -> None:
    again = replay(found(Low), Reaches)
    assert not again.reproduced and not again.judged


def test_what_is_said_to_be_violated_is_what_was_asked() -> None:
    trace = found(Low)
    assert replay(trace.but(kind="deadlock", property="low"), Low).judged
    again = replay(trace.but(loop=0), Low)
    assert again.now is not None and again.now.loop is None


def test_a_step_breaks_no_induction_where_the_property_was_false_before() -> None:
    trace = found(Low)
    start = dict(trace.initial) | {"x": 2}
    broken = trace.but(kind=INDUCTION, initial=start, steps=())
    assert not replay(broken, Low).reproduced
    (first, *_) = trace.steps
    step_to_three = first.__class__(**(vars(first) | {"changes": (first.changes[0].__class__("x", (), 2, 3),)}))
    assert replay(broken.but(steps=(step_to_three,)), Low).reproduced
    again = replay(broken.but(steps=(step_to_three,)), LowBefore)
    assert not again.reproduced and again.judged
    assert again.message == "The step breaks nothing: low is false before it."


class LowBefore(Low):
    """Also where the step begins."""

    @invariant
    def low(self) -> bool:
        return self.x < 2


def test_a_step_property_needs_a_step() -> None:
    trace = found(SteppingLow).but(steps=())
    again = replay(trace, SteppingLow)
    assert not again.reproduced and not again.judged


class Bounded(Spec):
    """Whether it ends is a matter of what is beyond the bound."""

    x: N

    @action(fair="weak")
    def up(self) -> None:
        self.x += 1

    @eventually
    def far(self) -> bool:
        return self.x == 9


class Unbounded(Bounded):
    """It ends."""

    @action(fair="weak")
    def up(self) -> None:
        require(self.x < 3)
        self.x += 1


def test_what_was_undecided_is_violated_now() -> None:
    outcome = check(Bounded, engine="reference")
    assert isinstance(outcome, NotJudged)
    (trace,) = (one.trace for one in outcome.judgements if one.trace is not None)
    assert trace.kind == UNJUDGED and replay(trace, Bounded).message.startswith(
        "The trace of 3 steps still has to leave"
    )
    again = replay(trace, Unbounded)
    assert again.reproduced and again.now is not None and again.now.kind == "eventually"
    assert again.message == "The trace of 3 steps still violates far."
