"""A clause that explored states allow and that is not inductive gives way to weaker ones, as far as there are any."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from random import Random
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate import Nat, Spec, action, invariant, require
from quorate.language.declarations import declarations
from quorate.loading import load
from quorate.model.build import build
from quorate.outcome import Proven, Unfinished
from quorate.prove.discovery import discover as search
from quorate.prove.discovery import universe as clause_universe
from quorate.prove.discovery.clauses import Known, candidates
from quorate.prove.discovery.discover import proposed
from quorate.prove.discovery.grammar import Grammar
from quorate.prove.discovery.houdini import Houdini
from quorate.prove.discovery.own import OwnAtoms
from quorate.prove.discovery.pasting import extended, namespace
from quorate.prove.discovery.samples import Samples, arbitrary, explored, table
from quorate.prove.discovery.universe import Held, Universe, scope_of
from quorate.prove.discovery.variables import contexts
from quorate.prove.proof import Task

from tests.prove.test_discovery import Even, LockServer, Vote


class Count(Nat, max=8):
    """A number."""


class Hidden(Spec):
    """Nothing trips, since the count is even, which no clause says; so that what trips is ready says less than is so.

    `not tripped` is true in every state that is reached, and `not tripped or ready` is what is inductive.
    """

    count: Count
    ready: bool
    tripped: bool
    failed: bool

    @action
    def grow(self) -> None:
        self.count += 2

    @action
    def prepare(self) -> None:
        self.ready = True

    @action
    def trip(self) -> None:
        require(self.count == 5)
        self.tripped = True
        self.ready = True

    @action
    def look(self) -> None:
        self.failed = self.tripped and not self.ready

    @invariant
    def never_fails(self) -> bool:
        return not self.failed


def test_the_weaker_clause_that_is_inductive_is_found() -> None:
    discovery = search.discover(Task(Hidden, "Hidden"), 60.0)
    assert isinstance(discovery.proof.outcome, Proven)
    (lemma,) = discovery.lemmas
    assert "self.ready or not self.tripped" in lemma or "not self.tripped or self.ready" in lemma


def test_that_no_more_are_made_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clause_universe, "WEAKENINGS_MAX", 0)
    outcome = search.discover(Task(Hidden, "Hidden"), 60.0).proof.outcome
    assert isinstance(outcome, Unfinished) and "(as many as are made)" in outcome.reason


def without(spec: type[Spec]) -> type[Spec]:
    """A specification without its lemmas."""
    return extended(spec, (), [name for name, declaration, _ in declarations(spec) if declaration.kind == "lemma"])


def universe_of(spec: type[Spec], literals: int, states: int) -> Universe:
    """The clauses that so many states allow."""
    model, names = build(spec), namespace(spec)
    with model.system as system:
        seen = explored(system, states, 20).states
        reachable, random = Samples(system, seen, names), Samples(system, arbitrary(system, 100), names)
        scoped = contexts(model)
        grammar, own, known = Grammar(model, names), OwnAtoms(system), Known(scoped)
        tables = [table(reachable, random, one, proposed(grammar, own, one), 20_000) for one in scoped]
        clauses = [clause for one in tables for clause in candidates(one, known, literals)]
        return Universe(system, names, [scope_of(one) for one in tables], clauses, literals_max=literals)


def supersets(universe: Universe, held: Held, literals: int) -> list[Held]:
    """All clauses over the same variables that have a clause inside, with so many literals at most, itself among them."""
    scope = universe.scopes[held.scope]
    count, rest = len(scope.literals), [n for n in range(len(scope.places())) if n not in held.parts]
    found = []
    for more in range(literals + len(scope.equations) + 1):
        for added in combinations(rest, more):
            parts = tuple(sorted((*held.parts, *added)))
            if sum(number < count for number in parts) <= literals:
                found.append(Held(held.scope, parts))
    return found


@settings(max_examples=8)
@given(
    st.sampled_from([LockServer.bounded(Client=2), Vote.bounded(Client=2)]), st.integers(0, 2**32), st.integers(0, 5)
)
def test_a_state_is_excluded_if_a_clause_can(spec: type[Spec], seed: int, allowed: int) -> None:
    """Compared with all clauses that have a listed one inside."""
    universe = universe_of(spec, 2, 40)
    every = {one for held in universe.alive for one in supersets(universe, held, 2)}
    with universe.system as system:
        states = Random(seed).sample(arbitrary(system, 40), allowed + 1)
        *others, state = [universe.columns(one) for one in states]
        for other in others:
            universe.excluding(other)  # Makes weaker clauses, which the next state may refute.
            universe.allow(other)
        found = universe.excluding(state)
        left = [one for one in every if not any(other.missing(one) for other in others) and state.missing(one)]
        assert (found is None) == (not left)
        assert found is None or found in left


def houdini_keeps(spec: type[Spec], goal: str, literals: int) -> bool:
    """Whether a goal is inductive together with some of the clauses, all of which Houdini is given."""
    universe = universe_of(spec, literals, 2_000)
    every = sorted({one for held in universe.alive for one in supersets(universe, held, literals)})
    methods = [universe.clause(held).method(f"clause_{number}") for number, held in enumerate(every)]
    model = build(extended(spec, methods))
    with model.system:
        houdini = Houdini(model, monotonic() + 60)
        return goal in houdini.inductive(houdini.initially(houdini.names))


@pytest.mark.parametrize("literals", [1, 2])
@pytest.mark.parametrize(
    ("spec", "goal"),
    [
        (LockServer.bounded(Client=2), "mutual_exclusion"),
        (Vote.bounded(Client=2), "one_winner"),
        (Hidden.bounded(Count=6), "never_fails"),
        (Even.bounded(Count=6), "never_five"),
    ],
)
def test_it_is_found_if_houdini_finds_it_among_all_clauses(
    spec: type[Spec], goal: str, literals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STAGES", ((literals, False),))
    monkeypatch.setattr(search, "Universe", partial(Universe, literals_max=literals))
    found = search.discover(Task(spec, spec.__name__, invariants=(goal,)), 60.0)
    assert found.found == houdini_keeps(spec, goal, literals)


# In the library


@pytest.mark.deep
@pytest.mark.slow
def test_a_reader_finds_what_was_written_before() -> None:
    spec = without(load("quorum_register").main.bounded(Reader=1))
    outcome = search.discover(Task(spec, "", invariants=("regular",)), 600.0).proof.outcome
    assert isinstance(outcome, Proven) and outcome.properties == ("regular",)


@pytest.mark.slow
def test_one_primary_in_an_epoch_is_proven_for_any_number_of_nodes() -> None:
    spec = without(load("primary_backup").main)
    outcome = search.discover(Task(spec, "", invariants=("one_primary_per_epoch",), any_size=True), 600.0).proof.outcome
    assert isinstance(outcome, Proven) and outcome.any_size and outcome.properties == ("one_primary_per_epoch",)
