"""False claims are never proven at fixed bounds, and bounded checks refute them as soon as exploring does."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.prove.false_at_bounds import judgements


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "count", "protocols"),
    [
        (11, 50, ()),
        pytest.param(11, 95, (), marks=pytest.mark.deep),
        pytest.param(12, 95, (), marks=pytest.mark.deep),
        (13, 10, ("two_phase_commit",)),
    ],
)
def test_false_claims_are_not_proven_and_refuted_as_soon_as_by_exploring(
    seed: int, count: int, protocols: tuple[str, ...]
) -> None:
    verdicts = list(judgements(seed, protocols, count))
    assert [one for one in verdicts if one.wrong] == []
    assert Counter(one.explored for one in verdicts)["false"] == count


def test_a_few_false_claims_are_not_proven() -> None:
    verdicts = list(judgements(15, (), 5))
    assert [one for one in verdicts if one.wrong] == []
