"""A mutant means the same to both engines: verdict, property, states, transitions, depth and the length of the shortest run."""

from __future__ import annotations

import random

import pytest
from quorate.explore import Naming
from quorate.loading import load
from quorate.mutate import Original, bare, mutants, trial

SMALL: dict[str, dict[str, int]] = {
    "two_phase_commit": {},
    "quorum_register": {"Reader": 1, "Version": 1},
    "paxos": {"Ballot": 2, "Learner": 1},
    "raft": {"Term": 1, "Index": 1},
}
SAMPLE = 3


@pytest.mark.slow
@pytest.mark.parametrize("spec", SMALL)
def test_drawn_mutants_have_one_meaning(spec: str) -> None:
    small = bare(load(spec).main.bounded(**SMALL[spec]))
    naming = Naming(spec)
    native, reference = (Original.of(small, naming, engine=engine) for engine in ("auto", "reference"))
    for mutant in random.Random(1).sample(mutants(small), SAMPLE):
        found = [
            trial(original, mutant, engine=engine).finding
            for original, engine in ((native, "auto"), (reference, "reference"))
        ]
        one, other = ((f.verdict, f.properties, f.states, f.transitions, f.depth, f.steps) for f in found)
        assert one == other, mutant
