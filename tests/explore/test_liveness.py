"""Liveness under fairness: known protocols, and all lassos of small random graphs."""

from __future__ import annotations

from itertools import chain, combinations
from random import Random
from typing import ClassVar

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate import (
    Nat,
    Ordered,
    Scalarset,
    Spec,
    action,
    always_from,
    eventually,
    eventually_always,
    infinitely_often,
    init,
    invariant,
    leads_to,
    require,
)
from quorate.explore import check, graph, liveness
from quorate.explore.every import as_expected
from quorate.explore.traces.replay import replay
from quorate.kinds import UNJUDGED
from quorate.language.system import System
from quorate.outcome import Failed, Holds, HoldsWithinBounds, NotJudged, Outcome, Violated


class Process(Scalarset, size=2):
    pass


class Mutex(Spec):
    """Whoever waits may be let in, again and again."""

    waiting: set[Process]
    inside: Process | None

    @action
    def ask(self, p: Process) -> None:
        require(p != self.inside)
        self.waiting.add(p)

    @action(fair="weak")
    def enter(self, p: Process) -> None:
        require(p in self.waiting and self.inside is None)
        self.waiting.discard(p)
        self.inside = p

    @action(fair="weak")
    def leave(self, p: Process) -> None:
        require(self.inside == p)
        self.inside = None

    @leads_to
    def served(self, p: Process) -> tuple[bool, bool]:
        """Whoever waits gets in."""
        return p in self.waiting, self.inside == p


class StrongMutex(Mutex):
    @action(fair="strong")
    def enter(self, p: Process) -> None:
        super().enter(p)


class NobodyNeedsToAsk(Mutex):
    @eventually
    def someone_enters(self) -> bool:
        return self.inside is not None


def lasso(outcome: Outcome) -> tuple[str, int, int | None]:
    assert isinstance(outcome, Violated) and outcome.trace is not None
    return outcome.property, len(outcome.trace), outcome.trace.loop


def test_weak_fairness_lets_one_process_starve_while_the_other_goes_in_and_out() -> None:
    outcome = check(Mutex)
    name, length, loop = lasso(outcome)
    assert (name, loop) == ("served", 1) and length > 1
    assert isinstance(outcome, Violated) and outcome.trace is not None
    assert [step.arguments["p"] for step in outcome.trace.steps[1:]].count("p2") == length - 1
    assert any("without symmetry" in note for note in outcome.notes)


def test_strong_fairness_serves_everybody() -> None:
    assert isinstance(check(StrongMutex), Holds)


def test_a_run_may_stay_where_nothing_fair_is_possible() -> None:
    assert lasso(check(NobodyNeedsToAsk.bounded(Process=1))) == ("someone_enters", 0, 0)


class Count(Nat, max=3):
    pass


class Counter(Spec):
    """Counts up; the bound is where counting is cut."""

    count: Count

    @action(fair="weak")
    def up(self) -> None:
        self.count += 1

    @eventually
    def never_seven(self) -> bool:
        return False


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_run_that_has_to_leave_the_bounds_is_unknown_and_neither_a_violation_nor_an_excuse(engine: str) -> None:
    outcome = check(Counter, engine=engine)
    assert isinstance(outcome, NotJudged) and not as_expected(Counter, outcome)
    (judged,) = outcome.judgements
    assert (judged.property, judged.status) == (
        "never_seven",
        "not-judged",
    ) and "decided in 0 of 4 states" in judged.reason
    assert judged.trace is not None and (judged.trace.kind, len(judged.trace), judged.trace.loop) == (UNJUDGED, 3, 3)
    again = replay(judged.trace, Counter)
    assert again.reproduced and "has to leave the bounds" in again.message


class WayOut(Counter):
    """A way out that nobody has to take passes at every bound for those who excuse runs that leave it."""

    out: bool

    @action(fair="weak")
    def up(self) -> None:
        require(not self.out)
        super().up()

    @action
    def leave(self) -> None:
        self.out = True

    @eventually
    def never_seven(self) -> bool:
        return self.out


class Bounded(Counter):
    """The count, which is unfair, may leave the bounds; what is promised does not wait for it."""

    asked: bool

    @action
    def up(self) -> None:
        super().up()
        self.asked = True

    @action(fair="weak")
    def serve(self) -> None:
        require(self.asked)
        self.asked = False

    @eventually
    def never_seven(self) -> bool:
        return True

    @leads_to
    def served(self) -> tuple[bool, bool]:
        return self.asked, not self.asked

    @leads_to
    def idle(self) -> tuple[bool, bool]:
        return self.count > 3, self.asked


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_fair_run_elsewhere_does_not_judge_those_that_have_to_leave(engine: str) -> None:
    assert isinstance(check(WayOut, engine=engine), NotJudged)


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_what_holds_within_bounds_says_how_many_states_that_leaves_open_and_what_was_never_asked(engine: str) -> None:
    outcome = check(Bounded, engine=engine)
    assert isinstance(outcome, HoldsWithinBounds)
    assert any(
        "served holds in the bounded system; of 3 states where it is pending, a run can leave the bounds from 3" in note
        for note in outcome.notes
    )
    assert "nothing was asked of idle: its left side is never true" in outcome.notes


class Each(Counter):
    omits = ("never_seven",)

    @leads_to
    def small_each_time(self) -> tuple[bool, bool]:
        return True, self.count < 7


class Ends(Each):
    """Recurrence is a claim about the ends of runs, and no run ends inside the bounds; a leads_to is decided each time."""

    @infinitely_often
    def small(self) -> bool:
        return self.count < 7


class Settles(Each):
    @eventually_always
    def small(self) -> bool:
        return self.count < 7


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("spec", [Ends, Settles])
def test_without_a_fair_run_inside_the_bounds_nothing_is_said_of_the_ends_of_runs(
    spec: type[Spec], engine: str
) -> None:
    outcome = check(spec, engine=engine)
    assert isinstance(outcome, NotJudged)
    assert {one.property: one.status for one in outcome.judgements} == {
        "small": "not-judged",
        "small_each_time": "holds-within-bounds",
    }


class Begun(Counter):
    """Counts from 0 or 1, and only to 2."""

    omits = ("never_seven",)

    @init
    def begin(self, high: bool) -> None:
        self.count = Count(1 if high else 0)

    @action(fair="weak")
    def up(self) -> None:
        require(self.count < 2)
        super().up()

    @always_from
    def stays_up(self) -> tuple[bool, bool]:
        return self.count == 1, self.count > 0

    @always_from
    def stays_down(self) -> tuple[bool, bool]:
        return self.count == 0, self.count < 2


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_property_of_runs_that_begin_with_p_is_violated_by_the_shortest_path_of_such_a_run(engine: str) -> None:
    outcome = check(Begun, engine=engine)
    assert lasso(outcome) == ("stays_down", 2, None)
    assert isinstance(outcome, Violated) and outcome.trace is not None and replay(outcome.trace, Begun).reproduced
    assert {one.property: one.status for one in outcome.judgements}["stays_up"] == "holds"


class Unfair(Counter):
    @action
    def up(self) -> None:
        super().up()


def test_without_fairness_a_run_may_stop_at_once() -> None:
    assert lasso(check(Unfair)) == ("never_seven", 0, 0)


class Careless(Counter):
    omits = ("never_seven",)

    @eventually
    def divides(self) -> bool:
        return 1 // (2 - self.count) > 1


def test_an_exception_in_a_liveness_property_is_an_error_with_the_run_that_leads_there() -> None:
    outcome = check(Careless)
    assert isinstance(outcome, Failed) and outcome.trace is not None
    assert "ZeroDivisionError" in outcome.message and len(outcome.trace) == 2


# Random graphs: the state is a place, the transitions are a table.


class Place(Nat, max=4):
    pass


class Way(Ordered, size=2):
    pass


class Walk(Spec):
    """A walk on a table of ways: for each kind of fairness and each way, from which place to which."""

    at: Place
    table: ClassVar[dict[tuple[str, int, int], int]] = {}
    lit: ClassVar[frozenset[int]] = frozenset()
    goal: ClassVar[frozenset[int]] = frozenset()

    def go(self, kind: str, way: Way) -> None:
        require((kind, way.index, self.at) in self.table)
        self.at = Place(self.table[kind, way.index, self.at])

    @action
    def walk(self, way: Way) -> None:
        self.go("walk", way)

    @action(fair="weak")
    def weakly(self, way: Way) -> None:
        self.go("weakly", way)

    @action(fair="strong")
    def strongly(self, way: Way) -> None:
        self.go("strongly", way)

    @invariant
    def on_the_map(self) -> bool:
        return self.at <= 4


class Reaching(Walk):
    @eventually
    def reaches(self) -> bool:
        return self.at in self.goal


class Leading(Walk):
    @leads_to
    def leads(self) -> tuple[bool, bool]:
        return self.at in self.lit, self.at in self.goal


def drawn(base: type[Walk], seed: int) -> type[Walk]:
    random = Random(seed)
    table = {
        (kind, way, place): random.choice([*range(5), 9])
        for kind in ("walk", "weakly", "strongly")
        for way in range(2)
        for place in range(5)
        if random.random() < 0.4
    }
    subset = lambda chance: frozenset(place for place in range(5) if random.random() < chance)  # noqa: E731
    return type(
        base.__name__, (base,), {"table": table, "lit": subset(0.5), "goal": subset(0.3), "__module__": __name__}
    )


def some_fair_lasso(spec: type[Walk]) -> bool:
    """Whether the property is violated, by trying every set of places that a run could visit for ever."""
    reached, waiting = {0}, [0]
    edges = [(kind, way, place, target) for (kind, way, place), target in spec.table.items()]
    while waiting:
        here = waiting.pop()
        for target in {target for _, _, place, target in edges if place == here and target <= 4} - reached:
            reached.add(target)
            waiting.append(target)
    begins = ({0} if issubclass(spec, Reaching) else reached & spec.lit) - spec.goal
    pending = networkx.DiGraph(
        [
            (place, target)
            for _, _, place, target in edges
            if place not in spec.goal and target not in spec.goal and target <= 4
        ]
    )
    pending.add_nodes_from(begins)
    region = begins | {place for begin in begins for place in networkx.descendants(pending, begin)}
    subsets = chain.from_iterable(combinations(sorted(region), size) for size in range(1, len(region) + 1))
    return any(connected(edges, set(subset)) and fair(edges, set(subset)) for subset in subsets)


def connected(edges: list[tuple[str, int, int, int]], places: set[int]) -> bool:
    inside = networkx.DiGraph([(place, target) for _, _, place, target in edges if {place, target} <= places])
    inside.add_nodes_from(places)
    return networkx.is_strongly_connected(inside)


def fair(edges: list[tuple[str, int, int, int]], places: set[int]) -> bool:
    for kind, way in {(kind, way) for kind, way, _, _ in edges if kind != "walk"}:
        enabled = {place for k, w, place, target in edges if (k, w) == (kind, way) and target != place}
        taken = any(
            (k, w) == (kind, way) and {place, target} <= places and place != target for k, w, place, target in edges
        )
        demanded = places <= enabled if kind == "weakly" else bool(places & enabled)
        if demanded and not taken:
            return False
    return True


@pytest.mark.slow
@settings(max_examples=300)
@given(st.sampled_from([Reaching, Leading]), st.integers(0, 2**32))
def test_lassos_are_found_exactly_where_trying_every_set_of_states_finds_one(base: type[Walk], seed: int) -> None:
    spec = drawn(base, seed)
    outcome = check(spec, engine="reference")
    assert isinstance(outcome, Violated) == some_fair_lasso(spec)
    if isinstance(outcome, Violated) and outcome.trace is not None:
        assert replay(outcome.trace, spec).reproduced


def test_the_direct_check_of_a_lasso_rejects_unfair_and_open_ones() -> None:
    system = System(StrongMutex)
    with system:
        full = graph.build(system)
        ask = next(instance for instance in full.instances if instance[0].name == "ask")
        first = full.states[next(iter(full.initial))]
        waiting = system.fire(first, *ask)
        assert waiting is not None
        served = system.of("leads_to")[0]
        unfair = liveness.objection(system, served, ask[1], [first, waiting.state], [ask], 1)
        opened = liveness.objection(system, served, ask[1], [first, waiting.state], [ask], 0)
    assert unfair is not None and "enter(p1) stays possible" in unfair
    assert opened is not None and "does not close" in opened


@pytest.mark.parametrize("spec", [Mutex, Unfair])
def test_a_stored_lasso_replays(spec: type[Spec]) -> None:
    outcome = check(spec)
    assert isinstance(outcome, Violated) and outcome.trace is not None
    assert replay(outcome.trace, spec).reproduced
