"""Topological orders in C are those in Python."""

from __future__ import annotations

import random
from array import array

import pytest
from quorate.consistency.transactions import sorting


@pytest.mark.parametrize("cyclic", [False, True])
def test_the_order_in_c_is_the_order_in_python(cyclic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if sorting._native() is None:
        pytest.skip("There is no C compiler.")
    monkeypatch.setattr(sorting, "NATIVE_FROM", 0)
    for seed in range(200):
        rng = random.Random(seed)
        points = rng.randint(1, 30)
        place = rng.sample(range(points), points)
        pairs = [sorted(rng.choices(range(points), k=2), key=place.__getitem__) for _ in range(rng.randint(0, 60))]
        if cyclic:
            pairs += [pair[::-1] for pair in pairs[:1]]
        pairs = [(a, b) for a, b in pairs if a != b or cyclic]
        edges = (array("i", [a for a, _ in pairs]), array("i", [b for _, b in pairs]))
        priority = array("q", [rng.randint(-3, 3) for _ in range(points)])
        order = sorting.sorted_points(points, *edges, priority)
        assert order == sorting._in_python(points, *edges, priority, False)
        assert (len(order) == points) == (not (cyclic and pairs))
