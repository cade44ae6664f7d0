"""Liveness of specs on the native engine: the same findings as the reference engine, within the limits, and said honestly."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from quorate import Nat, Scalarset, Spec, action, eventually, leads_to, require
from quorate.explore import Limits, Watch, check
from quorate.explore.limits import resident_bytes
from quorate.explore.native import library
from quorate.explore.native.liveness import first_of_orbits
from quorate.explore.traces.replay import replay
from quorate.kinds import LIVENESS
from quorate.language.declarations import declarations
from quorate.language.system import System
from quorate.outcome import Holds, Outcome, Unfinished, Violated
from quorate_specs.consensus.raft_election import RaftElection
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommitWithCrashes

from tests.costs import shares
from tests.native.agreement import QUICK_FLAGS
from tests.native.liveness_agreement import agree_on, compare_spec
from tests.native.recorded import library as specs_of_the_library


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile fast: what is compared is the meaning of the generated C."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(400, 100))
def test_random_specs_agree(begin: int) -> None:
    """Kept as they are and in a tree by turns. More of them: `python -m tests.native.liveness_agreement`."""
    tally = agree_on(range(begin, begin + 100), store="tree" if begin % 200 else "exact")
    assert tally["specs"] > 80 and min(tally["holds"], tally["stays"]) > 50 and tally["loop"] > 5, tally


def with_liveness() -> list[type[Spec]]:
    return [
        RaftElection.bounded(Term=2),
        *(spec for spec in specs_of_the_library() if {found[1].kind for found in declarations(spec)} & set(LIVENESS)),
    ]


@pytest.mark.slow
@pytest.mark.library
@pytest.mark.parametrize("spec", with_liveness(), ids=lambda spec: f"{spec.__module__.split('.')[-1]}.{spec.__name__}")
def test_specs_of_the_library_agree(spec: type[Spec]) -> None:
    """Of the larger ones, that both engines say so."""
    compare_spec(spec, states_max=10_000)


class Guest(Scalarset, size=3):
    pass


class Rounds(Nat, max=2):
    pass


class Table(Spec):
    """Guests take turns at a table for one. Nobody has to be let in twice."""

    waiting: set[Guest]
    seated: Guest | None
    served: dict[Guest, Rounds]

    @action
    def come(self, g: Guest) -> None:
        require(g != self.seated)
        self.waiting.add(g)

    @action(fair="strong")
    def sit(self, g: Guest) -> None:
        require(g in self.waiting and self.seated is None)
        self.waiting.discard(g)
        self.seated = g

    @action(fair="weak")
    def go(self, g: Guest) -> None:
        require(self.seated == g)
        self.seated = None

    @leads_to
    def everybody_sits(self, g: Guest) -> tuple[bool, bool]:
        """Whoever waits gets a seat."""
        return g in self.waiting, self.seated == g


class WeakDoor(Table):
    """Only a guest who could sit down all the time is sure to: the table is taken again and again."""

    @action(fair="weak")
    def sit(self, g: Guest) -> None:
        super().sit(g)


class NoLeaving(Table):
    """Nobody has to leave."""

    @action
    def go(self, g: Guest) -> None:
        super().go(g)


def lasso(outcome: Outcome) -> tuple[str, int, int | None]:
    assert isinstance(outcome, Violated) and outcome.trace is not None
    return outcome.property, len(outcome.trace), outcome.trace.loop


def test_each_kind_of_fairness_is_needed() -> None:
    assert isinstance(check(Table, engine="native"), Holds)
    for broken, length, loop in ((WeakDoor, 4, 1), (NoLeaving, 3, 3)):
        native, reference = (check(broken, engine=engine) for engine in ("native", "reference"))
        assert native.engine == "native" and lasso(native) == lasso(reference) == ("everybody_sits", length, loop)
        assert isinstance(native, Violated) and isinstance(reference, Violated)
        assert native.trace == reference.trace
        assert native.trace is not None and replay(native.trace, broken).reproduced


def test_arguments_that_symmetry_makes_equal_are_checked_once() -> None:
    class Pairs(Table):
        @leads_to
        def one_after_the_other(self, a: Guest, b: Guest, r: Rounds) -> tuple[bool, bool]:
            return self.seated == a and self.served[b] == r, self.seated == b

    system = System(Pairs)
    with system:
        method = next(method for method in system.of("leads_to") if method.name == "one_after_the_other")
        choices = list(system.choices(method.parameters))
        firsts = [choices[position] for position in first_of_orbits(method, (Guest,), choices)]
        assert first_of_orbits(method, (), choices) == list(range(27))
    first, second = list(Guest)[:2]
    assert firsts == [(first, other, rounds) for other in (first, second) for rounds in range(3)]


class Step(Nat, max=63):
    pass


class Wide(Spec):
    """Its liveness property computes a set that C has no bit mask for."""

    at: Step

    @action(fair="weak")
    def go(self) -> None:
        require(self.at < 3)
        self.at += 1

    @eventually
    def many(self) -> bool:
        return len({(a, b) for a in Step for b in Step if a <= self.at and b <= self.at}) == 16


def test_what_c_does_not_cover_is_left_to_the_reference_engine_and_said() -> None:
    outcome = check(Wide, watch=Watch(at_once=0))
    assert isinstance(outcome, Holds) and outcome.engine == "native"
    assert any("liveness was checked by the reference engine" in note and "4,096" in note for note in outcome.notes)


LARGE = TwoPhaseCommitWithCrashes.bounded(ResourceManager=6)
"""Of 4,419,210 states, which take seconds to build without optimization, and 23,042 orbits."""


def in_liveness(act: Callable[[Watch], None]) -> Watch:
    """A watch that acts when it sees more states than there are orbits."""
    watch = Watch(report=lambda progress: act(watch) if progress.states > 100_000 else None)
    return watch


def test_a_time_limit_ends_liveness_too() -> None:
    def now(watch: Watch) -> None:
        watch.limits = Limits(seconds=watch.seconds)

    outcome = check(LARGE, engine="native", watch=in_liveness(now))
    assert isinstance(outcome, Unfinished) and outcome.reason.startswith(
        "every safety property holds; checking liveness, the limit"
    )


def test_an_interruption_ends_liveness_too() -> None:
    outcome = check(LARGE, engine="native", watch=in_liveness(Watch.interrupt))
    assert (
        isinstance(outcome, Unfinished)
        and outcome.reason == "every safety property holds; checking liveness, interrupted"
    )


@pytest.mark.slow
def test_a_memory_limit_ends_liveness_too() -> None:
    outcome = check(LARGE, engine="native", watch=Watch(Limits(memory_bytes=resident_bytes() + (64 << 20))))
    assert isinstance(outcome, Unfinished) and "checking liveness" in outcome.reason and "memory" in outcome.reason


def test_with_other_stores_liveness_stores_states_all_the_same_and_says_so() -> None:
    for spec in (Table, WeakDoor):
        exact, tree, hashed = (
            check(spec, engine="native", watch=Watch(store=store)) for store in ("exact", "tree", "fingerprint")
        )
        assert exact.verdict == tree.verdict == hashed.verdict
        assert any("every state stored exactly" in note for note in hashed.notes)


def test_a_limit_of_states_holds_for_the_full_graph() -> None:
    for engine in ("native", "reference"):
        outcome = check(TwoPhaseCommitWithCrashes, engine=engine, watch=Watch(Limits(states=5_000)))
        assert isinstance(outcome, Unfinished) and outcome.reason.endswith(
            "checking liveness, the limit of 5,000 states is reached"
        )


def test_ctrl_c_ends_liveness_and_leaves_no_thread() -> None:
    def strike(_: Watch) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        check(LARGE, engine="native", watch=in_liveness(strike))
    assert threading.active_count() == before
