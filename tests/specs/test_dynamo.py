"""Dynamo: siblings by hand, numbers of states, and shortest counterexamples."""

import pytest
from quorate import Spec
from quorate.language.system import System
from quorate_specs.replication.dynamo import (
    Count,
    Dynamo,
    ForgetsItsDots,
    LastWriteWins,
    NoAntiEntropy,
    Node,
    OneVector,
    PerServerVectors,
    Siblings,
    StrictQuorum,
    Update,
    Version,
    reconciled,
)

from tests.specs.claims import agreed, explored, shortest


def test_what_one_replica_has_not_seen_is_kept_and_what_it_has_seen_replaced_is_dropped() -> None:
    with System(Dynamo):
        one, other, _ = Node
        old, new = Update
        first, second = Version(old, one, Count(1)), Version(new, other, Count(1))
        nothing = {n: Count(0) for n in Node}
        a = Siblings(frozenset({first}), {**nothing, one: Count(1)})
        beside = Siblings(frozenset({second}), {**nothing, other: Count(1)})
        after = Siblings(frozenset({second}), {**nothing, one: Count(1), other: Count(1)})
        assert reconciled(a, beside).versions == {first, second}
        assert reconciled(a, after) == after == reconciled(after, a)


def test_with_one_write_there_are_no_siblings_as_both_engines_find() -> None:
    assert agreed(Dynamo.bounded(Update=1, Client=1)) == ("violated", 89, 1_386, 5)


@pytest.mark.library
@pytest.mark.slow
def test_at_the_default_bounds_there_are_so_many_states() -> None:
    assert explored(Dynamo, "native")[:3] == ("holds", 30_307, 704_410)
    assert explored(StrictQuorum, "native")[:3] == ("holds", 28_131, 335_106)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "property_broken", "steps"),
    [
        (PerServerVectors, "no_acknowledged_update_is_lost", 5),
        (OneVector, "one_sibling_per_client", 5),
        (LastWriteWins, "no_acknowledged_update_is_lost", 5),
        (ForgetsItsDots, "no_acknowledged_update_is_lost", 6),
        (NoAntiEntropy, "replicas_converge", 1),
    ],
)
def test_each_mistake_shows_after_so_many_steps(spec: type[Spec], property_broken: str, steps: int) -> None:
    assert shortest(spec) == (property_broken, steps)
