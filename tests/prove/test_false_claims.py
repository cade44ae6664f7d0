"""No claim that a run refutes is proven for any size."""

from __future__ import annotations

import pytest

from tests.prove import false_claims, wider_claims

CHUNK = 19


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 5 * CHUNK, CHUNK))
def test_a_false_claim_of_a_drawn_specification_is_not_proven(first: int) -> None:
    judged = [false_claims.drawn(seed) for seed in range(first, first + CHUNK)]
    assert [one for one in judged if one.proven] == []
    assert sum(one.false for one in judged) >= CHUNK
    assert any(one.true_proven for one in judged)


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, *(pytest.param(at * CHUNK, marks=pytest.mark.deep) for at in range(1, 5))])
def test_a_false_claim_of_a_wider_specification_is_not_proven(first: int) -> None:
    judged = [wider_claims.drawn(seed) for seed in range(first, first + CHUNK)]
    assert [one for one in judged if one.proven] == []
    assert sum(one.false for one in judged) >= CHUNK
    assert any(one.true_proven for one in judged)


def test_what_is_true_is_told_from_what_is_false() -> None:
    spec = false_claims.generated.load(
        false_claims.HEADER
        + """
    @action
    def grow(self, s: Server) -> None:
        self.up.add(s)
        self.top += 1

    @invariant
    def true(self, s: Server) -> bool:
        return s not in self.up or self.top > 0

    @invariant
    def false(self) -> bool:
        return self.top < 2
"""
    )
    assert false_claims.refuted(spec) == ({"false"}, True)
    assert false_claims.accepted(spec) == {"true"}
