"""The reference engine against a plain search, on generated specs."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from quorate.errors import SpecError
from quorate.explore import check, graph
from quorate.explore.checking import symmetric_sorts
from quorate.explore.limits import Limits, Watch
from quorate.explore.reference import Search
from quorate.explore.traces.replay import replay
from quorate.language.system import System
from quorate.outcome import Failed, Violated

from tests.explore import oracle
from tests.generated import load, sources

STATES_MAX = 400
QUIET = settings(max_examples=60)


@QUIET
@given(sources())
def test_states_orbits_transitions_depth_and_cuts_are_those_of_a_plain_search(source: str) -> None:
    system = System(load(source))
    with system:
        try:
            naive = oracle.explore(system, STATES_MAX)
        except SpecError:
            assume(False)
        assume(not naive.too_large)
        plain = Search(system).run()
        assert set(plain.states) == set(naive.distance) and len(plain.states) == len(naive.distance)
        assert plain.transitions == naive.transitions
        assert plain.depth == max(naive.distance.values())
        assert dict(plain.cuts) == naive.cuts
        assert {name: count for name, count in plain.actions.items() if count} == naive.actions
        assert (None if plain.found is None else plain.found.steps) == (naive.violated[0] if naive.violated else None)
        sorts, _ = symmetric_sorts(system)
        if sorts:
            reduced = Search(system, sorts).run()
            orbits = {
                oracle.orbit(system, state, sorts): distance for state, distance in reversed(naive.distance.items())
            }
            codes = [
                tuple(variable.type.encode(value) for variable, value in zip(system.variables, state, strict=True))
                for state in reduced.states
            ]
            assert len(codes) == len(orbits) and set(codes) == set(orbits)
            assert reduced.depth == plain.depth
            assert (reduced.found is None) == (plain.found is None)
            if reduced.found is not None and plain.found is not None:
                assert reduced.found.steps == plain.found.steps


@QUIET
@given(sources())
def test_every_counterexample_is_a_real_run_that_replays(source: str) -> None:
    spec = load(source)
    outcome = check(spec, engine="reference", watch=Watch(Limits(states=STATES_MAX)))
    if isinstance(outcome, Violated | Failed) and outcome.trace is not None:
        again = replay(type(outcome.trace).from_json(json.loads(json.dumps(outcome.trace.to_json()))), spec)
        assert again.reproduced, again.message


@settings(QUIET, max_examples=25)
@given(sources())
def test_two_checks_give_the_same_outcome(source: str) -> None:
    spec = load(source)
    first, second = (check(spec, engine="reference", watch=Watch(Limits(states=STATES_MAX))) for _ in range(2))
    for outcome in (first, second):
        object.__setattr__(outcome, "statistics", None)
    assert first == second


@QUIET
@given(sources())
def test_a_graph_unfolded_from_orbits_is_the_graph(source: str) -> None:
    system = System(load(source))
    with system:
        sorts, _ = symmetric_sorts(system)
        watch = Watch(Limits(states=STATES_MAX))
        try:
            plain = graph.build(system, (), watch)
        except SpecError:
            assume(False)
        assume(sorts and plain.stopped is None)
        unfolded = graph.build(system, sorts, watch, unfolded=True)
        assert (plain.states, plain.initial) == (unfolded.states, unfolded.initial)
        names = [(action.name, arguments) for action, arguments in plain.instances]
        assert names == [(action.name, arguments) for action, arguments in unfolded.instances]
        assert (plain.edges, plain.cuts) == (unfolded.edges, unfolded.cuts)


def test_a_limit_of_states_is_kept_exactly() -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    outcome = check(TwoPhaseCommit, symmetry=False, watch=Watch(Limits(states=100)))
    assert outcome.verdict == "unfinished" and outcome.statistics.states == 100


def test_an_interruption_gives_what_was_found_so_far() -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    watch = Watch(Limits(), lambda progress: watch.interrupt() if progress.states else None)
    outcome = check(TwoPhaseCommit.bounded(ResourceManager=4), engine="reference", symmetry=False, watch=watch)
    assert outcome.verdict == "unfinished" and outcome.statistics.states > 0 and outcome.exit_code == 3


@pytest.mark.parametrize("limits", [Limits(seconds=1e-9), Limits(memory_bytes=1)])
def test_limits_of_time_and_memory_stop_cleanly(limits: Limits) -> None:
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    assert check(TwoPhaseCommit, watch=Watch(limits)).exit_code == 3
