"""Bounded checks look at few of the runs that are alike: every state is still reached by one, and by none that is shorter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import factorial, prod
from random import Random

import pytest
from quorate.explore.symmetry import Symmetry
from quorate.language.spec import Spec
from quorate.language.system import Failure, State, System
from quorate.language.types.base import Bounded
from quorate.loading import load, names
from quorate.model.build import build
from quorate.model.nodes import Model
from quorate.prove.solvers.sat import Dialogue
from quorate.prove.transition import partial_order
from quorate.prove.transition.reductions import ALL, NONE, Reductions
from quorate.prove.transition.relation import Relation
from quorate.prove.transition.unrolling import Unrolled

from tests import generated
from tests.costs import shares
from tests.prove import drawn_cuts
from tests.prove.agreement import reference

DEPTH = 6
STATES = 150
SECONDS = 20.0


def levels(model: Model) -> list[list[State]]:
    """The states of each depth, up to so many."""
    level = list(dict.fromkeys(state for _, state in model.system.initial()))
    seen, found = set(level), [level]
    while level and len(found) <= DEPTH and len(seen) < STATES:
        after = [one for state in level for one in reference(model, state).values() if isinstance(one, tuple)]
        level = [state for state in dict.fromkeys(after) if state not in seen]
        seen.update(level)
        found.append(level)
    return [level for level in found if level]


def shortest(model: Model, target: State, most: int, reductions: Reductions) -> int | None:
    """The length of the shortest run, of those that are looked at, to a state that is the target but for names."""
    relation = Relation(model, reductions=reductions)
    symmetry = Symmetry(model.system, model.symmetric)
    renamings = prod(factorial(len(sort)) for sort in model.symmetric)
    alike = {symmetry.renamed(target, number) for number in range(renamings)}
    there = relation.machine.either([relation.same(relation.constant(one), relation.before) for one in alike])
    run, dialogue = Unrolled(relation), Dialogue(SECONDS)
    run.start()
    for length in range(most + 1):
        if length:
            run.clauses.add(*run.lengthen(length - 1))
        reached = run.clauses.literal(there, length)
        dialogue.add(run.clauses.text())
        if dialogue.possible(f"length {length}", reached):
            return length
    return None


def wrong(model: Model, reductions: Reductions = ALL) -> Iterator[tuple[int, int | None]]:
    """The lengths that differ: what exploring finds, and what bounded checks find, for some of the deepest states."""
    with model.system:
        try:
            found = levels(model)
        except Failure:
            return
        for depth, level in list(enumerate(found))[-2:]:
            for target in (level[0], level[-1]):
                length = shortest(model, target, depth, reductions)
                if length != depth:
                    yield depth, length


SWITCHES = (*[ALL] * 5, NONE, *(replace(ALL, **{name: False}) for name in vars(ALL)))


def full(spec: type[Spec], size: int | None) -> type[Spec]:
    """The specification with so little room in its containers that they are full after few steps."""
    if size is None:
        return spec
    system = System(spec)
    small = {
        part.bound: min(size, part.capacity)
        for variable in system.variables
        for part in variable.type.walk()
        if isinstance(part, Bounded) and part.capacity is not None and part.bound in system.bounds
    }
    return spec.bounded(**small)


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(160, 40))
def test_every_state_of_a_drawn_spec_is_reached_in_as_few_steps(begin: int) -> None:
    """Half of them with constraints; with and without each reduction."""
    for seed in range(begin, begin + 40):
        random = Random(seed)
        source = generated.write(seed, histories=False, constraints=random.random() < 0.5)
        model = build(full(generated.load(source), random.choice((None, 1, 2))))
        reductions = random.choice(SWITCHES)
        assert list(wrong(model, reductions)) == [], (seed, reductions)


def test_what_lies_behind_a_branch_that_is_always_cut_is_not_believed() -> None:
    """Three steps, after which elements and alternatives are there in some runs only; where they are in none, nothing is known of them."""
    assert {
        seed: found for seed in range(40) if (found := list(wrong(build(generated.load(drawn_cuts.write(seed))))))
    } == {}


def test_what_follows_from_an_action_that_cannot_happen_is_not_believed() -> None:
    # Of the actions only one makes a note, from a node other than itself: the note would be from nobody.
    assert list(wrong(build(generated.load(generated.write(3152735322, False))))) == []


TAKES_MINUTES = {"raft", "raft_membership", "viewstamped"}
"""Not asked here: a formula that says of a state of theirs that it is that one has the solver think for minutes. What an explorer
finds of them is found by a bounded check (test_broken_variants)."""


@pytest.mark.library
@pytest.mark.parametrize("name", [name for name in names() if name not in TAKES_MINUTES])
def test_every_state_of_a_protocol_is_reached_in_as_few_steps(name: str) -> None:
    assert list(wrong(build(load(name).main))) == []


def test_steps_that_do_not_commute_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial_order, "independent", lambda footprints: [~0] * len(footprints))
    assert list(wrong(build(load("two_phase_commit").main)))
