"""Replicated data types: what merging does, by hand; numbers of states, and shortest counterexamples."""

import pytest
from quorate import Spec
from quorate.explore import check
from quorate.language.system import System
from quorate_specs.replication.crdt import (
    Add,
    Contents,
    Count,
    Crdt,
    DuplicatedDelivery,
    Element,
    FireAndForget,
    KeptByBoth,
    LastWriteWins,
    OpCounter,
    OrSet,
    Replica,
    TwoPhaseSet,
    UnionOfCarts,
    union,
    union_as_shipped,
)

from tests.specs.claims import agreed, shortest


def test_an_add_beside_a_remove_wins() -> None:
    with System(OrSet):
        sets = OrSet()
        a, b = Replica
        (book,) = Element
        sets.add(a, book)
        sets.get_in_touch(b, a)
        sets.remove(a, book)
        sets.add(b, book)
        sets.get_in_touch(a, b)
        sets.get_in_touch(b, a)
        assert sets.has(a, book) and sets.has(b, book)
        assert sets.contents[a] == sets.contents[b]


def test_what_was_shipped_keeps_what_each_side_has_removed() -> None:
    with System(OrSet):
        a, b = Replica
        (book,) = Element
        of_a, of_b = Add(book, a, Count(1)), Add(book, b, Count(1))
        one = Contents(frozenset({of_a}), {a: Count(1), b: Count(1)})
        other = Contents(frozenset({of_b}), {a: Count(1), b: Count(1)})
        assert union(one, other).adds == frozenset()
        assert union_as_shipped(one, other).adds == {of_a, of_b}


@pytest.mark.library
@pytest.mark.parametrize(
    ("spec", "numbers"),
    [
        (Crdt.bounded(Count=1, network=1), ("holds-within-bounds", 413, 1_770, 8)),
        (OpCounter.bounded(Replica=2), ("holds-within-bounds", 55, 133, 12)),
        (OrSet.bounded(Count=1), ("holds-within-bounds", 794, 4_535, 9)),
    ],
)
def test_both_engines_find_these_numbers(spec: type[Spec], numbers: tuple[str, int, int, int]) -> None:
    assert agreed(spec) == numbers


@pytest.mark.library
@pytest.mark.parametrize(("spec", "states"), [(Crdt, 210_825), (OpCounter, 4_660), (OrSet, 37_616)])
def test_at_the_default_bounds_there_are_so_many_states(spec: type[Spec], states: int) -> None:
    outcome = check(spec, engine="native")
    assert (outcome.verdict, outcome.statistics.states) == ("holds-within-bounds", states)


@pytest.mark.library
@pytest.mark.parametrize(
    ("spec", "property_broken", "steps"),
    [
        (LastWriteWins, "counter_is_the_sum", 4),
        (FireAndForget, "everybody_hears", 1),
        (DuplicatedDelivery, "counter_is_the_sum", 3),
        (TwoPhaseSet, "an_add_wins", 3),
        (UnionOfCarts, "what_was_removed_stays_away", 5),
        (KeptByBoth, "what_was_removed_stays_away", 10),
    ],
)
def test_each_mistake_shows_after_so_many_steps(spec: type[Spec], property_broken: str, steps: int) -> None:
    assert shortest(spec) == (property_broken, steps)
