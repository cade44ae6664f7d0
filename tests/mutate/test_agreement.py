"""A mutant means the same to both engines, and the native one takes it from a program that it shares with others."""

from __future__ import annotations

import random
import re

import pytest
from quorate.explore import Naming, Watch
from quorate.explore.checking import symmetric_sorts
from quorate.explore.native.together import compiled_together, merge
from quorate.loading import load
from quorate.model.verify import verify
from quorate.mutate import Original, bare, mutants
from quorate.mutate.trial import Made, explored
from quorate.outcome import Outcome

SMALL: dict[tuple[str, str | None], dict[str, int]] = {
    ("two_phase_commit", None): {},
    ("two_phase_commit", "TwoPhaseCommitWithCrashes"): {"ResourceManager": 1, "Crashes": 1},
    ("quorum_register", None): {"Reader": 1, "Version": 1, "Replica": 2},
    ("paxos", None): {"Acceptor": 2, "Ballot": 2, "Learner": 1},
    ("raft", None): {"Server": 2, "Term": 1, "Index": 1},
}
SAMPLE = 12
SOON = {("two_phase_commit", "TwoPhaseCommitWithCrashes"), ("paxos", None)}
"""The others are deep."""


def told(outcome: Outcome) -> tuple[object, ...]:
    """What engines must agree on; they may name different identities that renaming makes equal."""
    statistics = outcome.statistics
    judged = [(one.property, one.status, one.trace and len(one.trace)) for one in outcome.judgements]
    counts = (
        statistics.states,
        statistics.transitions,
        statistics.depth,
        dict(statistics.cuts),
        dict(statistics.actions),
    )
    return outcome.verdict, counts, judged


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [pytest.param(spec, id=spec[1] or spec[0], marks=() if spec in SOON else pytest.mark.deep) for spec in SMALL],
)
def test_drawn_mutants_have_one_meaning(spec: tuple[str, str | None]) -> None:
    small = bare(load(spec[0]).variant(spec[1]).bounded(**SMALL[spec]))
    original = Original.of(small, Naming(*spec), engine="reference")
    drawn = random.Random(1).sample(mutants(small), SAMPLE)
    made = [one.model for one in map(original.made, drawn) if isinstance(one, Made)]
    with original.model.system as system:
        initial = [state for _, state in system.initial()]
        made = [model for model in made if [state for _, state in model.system.initial()] == initial]
        together = compiled_together([original.model, *made], initial, symmetric_sorts(system)[0])
    assert len(made) > SAMPLE / 2
    for number, model in reversed(list(enumerate([original.model, *made]))):
        with model.system:
            together.choose(number)
        native, reference = (explored(model, original.naming, Watch(), engine) for engine in ("native", "reference"))
        assert native.engine == "native" and told(native) == told(reference), model.system.spec


def test_models_side_by_side_have_what_is_the_same_once() -> None:
    original = Original.of(bare(load("two_phase_commit").main), Naming("two_phase_commit"), engine="reference")
    made = [one.model for one in map(original.made, mutants(original.spec)) if isinstance(one, Made)]
    merged, plans = merge([original.model, *made])
    verify(merged)
    assert plans[0] == tuple(range(7)) and merged.actions[:7] == original.model.actions
    assert len(merged.actions) < 7 + 1.2 * len(made)
    for model, plan in zip(made, plans[1:], strict=True):
        assert [merged.actions[number].name for number in plan] == [action.name for action in model.actions]
    assert {re.sub(r"_of_\d+$", "", key) for key in merged.functions} == set(original.model.functions)
