"""What is a key, an element or a field at some bounds is not taken for one at all."""

from __future__ import annotations

import pytest

from tests.prove import drawn_keys

CHUNK = 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "first", [0, pytest.param(CHUNK, marks=pytest.mark.deep), pytest.param(2 * CHUNK, marks=pytest.mark.deep)]
)
def test_no_error_of_a_drawn_key_is_overlooked(first: int) -> None:
    judged = [drawn_keys.drawn(seed) for seed in range(first, first + CHUNK)]
    assert [one for one in judged if one.wrong] == []
    assert {one.what for one in judged} >= {"proven", "an error is possible"}
