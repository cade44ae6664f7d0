"""The symbolic engine and the reference engine have the same transitions: none is lost, none invented."""

from __future__ import annotations

from contextlib import suppress

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.limits import Limits, Watch
from quorate.language.spec import Spec
from quorate.language.system import Failure, State, System
from quorate.language.types.base import Bounded as Container
from quorate.loading import load, names
from quorate.model.build import build
from quorate.model.nodes import Model
from quorate.outcome import Failed, Outcome, Unfinished, Violated
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.fixed import parts
from quorate.prove.encode.fixed.cells import Cells
from quorate.prove.fixed_bounds import Bounded
from quorate.prove.proof import prove
from quorate.prove.results import Task
from quorate.prove.transition.relation import Relation

from tests import generated
from tests.costs import shares
from tests.prove.agreement import reference, symbolic

STATES = 4
DRAWN = 200
ODD = 100
CONSTRAINED = 60
WIDER = 24
REFUTED = 36
"""Of so many drawn specs, claims that runs refute are asked for."""
DEPTH = 3
GUARDED = 6


def some_states(model: Model, count: int) -> list[State]:
    """The first states of a breadth-first search."""
    found = dict.fromkeys(state for _, state in model.system.initial())
    queue = list(found)
    while queue and len(found) < count:
        for outcome in reference(model, queue.pop(0)).values():
            if isinstance(outcome, tuple) and outcome not in found:
                found[outcome] = None
                queue.append(outcome)
    return list(found)[:count]


def compare(spec: type[Spec], count: int) -> None:
    model = build(spec)
    with model.system:
        try:
            states = some_states(model, count)
        except Failure:
            return
        relation = Relation(model)
        for state in states:
            assert symbolic(relation, state) == reference(model, state)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(GUARDED))
def test_sets_of_guarded_elements_agree(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """What is for sets and bags with very many possible elements is so for those with few."""
    capacity = Cells.capacity

    def of_all(self: Cells, kind: Container) -> int | None:
        known = capacity(self, kind)
        return kind.children()[0].cardinality if known is None else known

    monkeypatch.setattr(parts, "MASK_MAX", 2)
    monkeypatch.setattr(parts, "TALLY_MAX", 2)
    monkeypatch.setattr(Cells, "capacity", of_all)
    with suppress(SpecError):
        compare(generated.load(generated.write(seed, False)), STATES)


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(DRAWN, 50))
def test_drawn_specs_step_alike_and_bounded_checks_find_what_exploring_finds(begin: int) -> None:
    compared = 0
    for seed in range(begin, begin + 50):
        spec = compare_drawn(generated.write(seed, histories=False))
        explored = check(spec, engine="reference", symmetry=False, watch=Watch(Limits(states=400)))
        if not isinstance(explored, Unfinished) and len(getattr(explored, "trace", None) or ()) <= DEPTH:
            assert bounded_verdict(spec) == explored_verdict(explored), seed
            compared += 1
    assert compared > 20


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(ODD, ODD // 4, deep=0.5))
def test_specs_that_nobody_would_write_step_alike(begin: int) -> None:
    refused = 0
    for seed in range(begin, begin + ODD // 4):
        try:
            compare_drawn(generated.write(seed, histories=False, odd=True))
        except SpecError:
            refused += 1
    assert refused < ODD / 16


@pytest.mark.slow
def test_specs_with_constraints_step_alike_and_bounded_checks_find_what_exploring_finds() -> None:
    constrained = 0
    for seed in range(CONSTRAINED):
        spec = compare_drawn(generated.write(seed, histories=False, constraints=True))
        explored = check(spec, engine="reference", symmetry=False, watch=Watch(Limits(states=400)))
        constrained += any(name.startswith("constraint") for name in explored.statistics.cuts)
        if not isinstance(explored, Unfinished) and len(getattr(explored, "trace", None) or ()) <= DEPTH:
            assert bounded_verdict(spec) == explored_verdict(explored), seed
    assert constrained


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(WIDER, WIDER // 2, deep=0.5))
def test_specs_with_wider_words_step_alike_and_bounded_checks_find_what_exploring_finds(begin: int) -> None:
    for seed in range(begin, begin + WIDER // 2):
        spec = compare_drawn(generated.write(seed, histories=False, wider=True))
        explored = check(spec, engine="reference", symmetry=False, watch=Watch(Limits(states=400)))
        if not isinstance(explored, Unfinished) and len(getattr(explored, "trace", None) or ()) <= DEPTH:
            assert bounded_verdict(spec) == explored_verdict(explored), seed


@pytest.mark.slow
def test_claims_of_specs_with_wider_words_that_runs_refute_are_proven_for_no_size() -> None:
    asked = 0
    for seed in range(REFUTED):
        spec = generated.load(generated.write(seed, histories=False, wider=True))
        claims = [one.name for one in System(spec).of("invariant", "lemma", "step")]
        try:
            explored = check(spec, engine="reference", watch=Watch(Limits(states=400)))
        except Failure:  # There is no initial state.
            continue
        for name in set(explored.violated).intersection(claims):
            for any_size in (True, False):
                asked += 1
                try:
                    outcome = prove(Task(spec, "drawn", invariants=(name,), any_size=any_size, seconds=4.0)).outcome
                except NoAnySize:
                    continue
                assert outcome.verdict != "proven", (seed, name, any_size)
    assert asked >= 10


def test_a_number_keeps_to_its_type_in_a_message() -> None:
    # The number of messages, put into a message whose field has room for no more than the bag has.
    compare_drawn(generated.write(2232, False, False))


def compare_drawn(source: str) -> type[Spec]:
    spec = generated.load(source)
    compare(spec, STATES)
    return spec


def bounded_verdict(spec: type[Spec]) -> tuple[str, int] | None:
    """The kind of what a bounded check finds within DEPTH steps, and the length of its run."""
    model = build(spec)
    with model.system:
        try:
            finding = Bounded(model).search(DEPTH, [prop.name for prop in model.of("invariant", "lemma", "step")])
        except Failure:
            return "error", 0
    return None if finding is None else ("error" if finding.kind == "error" else "violated", len(finding.steps))


def explored_verdict(outcome: Outcome) -> tuple[str, int] | None:
    match outcome:
        case Failed(trace=trace):
            return "error", 0 if trace is None else len(trace)
        case Violated(trace=trace) if trace is not None and trace.kind in ("invariant", "step"):
            return "violated", len(trace)
    return None


SMALL = {"raft": 0, "raft_election": 1, "quorum_register": 0}
"""States to compare where one takes long; 0: the specification has properties without a symbolic encoding, or is too
large here."""


@pytest.mark.slow
@pytest.mark.library
@pytest.mark.parametrize("name", names())
def test_the_library_steps_alike(name: str) -> None:
    count = SMALL.get(name, 2)
    if count:
        compare(load(name).main, count)
