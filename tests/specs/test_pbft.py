"""PBFT: what honest replicas do while others lie, by hand, and what each mistake costs."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate.prove.any_size.quorums import examine
from quorate_specs.consensus.pbft import (
    AnyDigest,
    Certificate,
    ClearsWhenExecuted,
    NoCommitPhase,
    Number,
    OwnHistory,
    Pbft,
    PrepareQuorumOf2f,
    PrePrepare,
    Replica,
    Request,
    ThreeReplicas,
    UncheckedCertificates,
    UnsignedRequests,
    View,
    ViewChange,
)

from tests.specs.claims import agreed, explored, shortest


def test_an_equivocating_primary_gets_one_request_through_and_the_next_view_keeps_it() -> None:
    with System(Pbft):
        pbft, (zero, one), (a, b, c) = Pbft(), tuple(View), tuple(Replica)
        (n,), (x, y) = tuple(Number), tuple(Request)
        pbft.begin({x, y}, {zero: None, one: c})
        pbft.prepare_for_liar(a, zero, n, x)
        pbft.prepare_for_liar(b, zero, n, x)
        pbft.prepare_for_liar(c, zero, n, y)
        with pytest.raises(Disabled):
            pbft.prepare_for_liar(c, zero, n, x)
        with pytest.raises(Disabled):
            pbft.commit(c, zero, n, x)
        pbft.commit(a, zero, n, x)
        pbft.commit(b, zero, n, x)
        pbft.execute(a, zero, n, x)
        for r in (b, c):
            pbft.change_view(r, one, None)
        assert ViewChange(one, n, Certificate(zero, x), b) in pbft.network
        assert ViewChange(one, n, None, c) in pbft.network
        with pytest.raises(Disabled):
            pbft.pre_prepare(one, n, y, c)
        pbft.pre_prepare(one, n, x, c)
        pbft.prepare(b, PrePrepare(one, n, x))


def test_a_gap_below_a_certificate_is_filled_with_nothing() -> None:
    spec = Pbft.bounded(Number=2)
    with System(spec):
        pbft, (zero, one), (a, b, _) = spec(), tuple(View), tuple(Replica)
        (first, second), (x, _) = tuple(Number), tuple(Request)
        pbft.begin({x}, {zero: None, one: None})
        for r in (a, b):
            pbft.prepare_for_liar(r, zero, second, x)
        pbft.commit(a, zero, second, x)
        for r in (a, b):
            pbft.change_view(r, one, None)
        with pytest.raises(Disabled):
            pbft.prepare_for_liar(a, one, second, None)
        for r in (a, b):
            pbft.prepare_for_liar(r, one, first, None)
            pbft.prepare_for_liar(r, one, second, x)
        for n, request in ((first, None), (second, x)):
            for r in (a, b):
                pbft.commit(r, one, n, request)
            pbft.execute(a, one, n, request)


def test_a_stable_checkpoint_replaces_the_certificate_in_a_view_change() -> None:
    with System(Pbft):
        pbft, (zero, one), (a, b, c) = Pbft(), tuple(View), tuple(Replica)
        (n,), (x, y) = tuple(Number), tuple(Request)
        pbft.begin({x, y}, {zero: a, one: None})
        pbft.pre_prepare(zero, n, x, a)
        pbft.prepare(b, PrePrepare(zero, n, x))
        for r in (a, b):
            pbft.commit(r, zero, n, x)
        pbft.execute(a, zero, n, x)
        with pytest.raises(Disabled):
            pbft.change_view(a, one, n)
        pbft.execute(b, zero, n, x)
        for r in (a, b):
            pbft.change_view(r, one, n)
        pbft.change_view(c, one, None)
        with pytest.raises(Disabled):
            pbft.prepare_for_liar(c, one, n, y)
        pbft.fetch(c, n, x)
        assert pbft.executed[c] == pbft.executed[a]


def test_what_the_specification_takes_for_a_quorum_is_proven_to_have_an_honest_replica_in_common() -> None:
    assert examine("byzantine", N=4, t=1).meets and not examine("byzantine-available", N=3, t=1).meets
    honest, quorum, liars = 3, 3, 1
    assert Pbft.needed == quorum - liars and 2 * Pbft.needed > honest


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "found"),
    [
        (ThreeReplicas, ("agreement", 6)),
        (PrepareQuorumOf2f, ("agreement", 13)),
        (AnyDigest, ("agreement", 6)),
        (UncheckedCertificates, ("agreement", 12)),
        (OwnHistory, ("agreement", 12)),
        (NoCommitPhase, ("agreement", 10)),
        (ClearsWhenExecuted, ("agreement", 12)),
        (UnsignedRequests, ("validity", 5)),
    ],
)
def test_the_shortest_run_of_each_mistake(variant: type[Spec], found: tuple[str, int]) -> None:
    assert shortest(variant) == found


@pytest.mark.slow
def test_views_0_and_1_with_two_requests() -> None:
    assert explored(Pbft) == ("holds", 29_767, 79_744, 18)


@pytest.mark.library
def test_both_engines_find_the_same_small_system() -> None:
    assert agreed(Pbft.bounded(Replica=2))[1:] == (1_143, 1_952, 12)
