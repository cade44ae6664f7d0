"""Shards that own keys by epoch, and routers with old tables or hashes of their own."""

from bisect import bisect
from collections.abc import Callable
from hashlib import sha256

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.sharding import sharding
from quorate_specs.sharding.sharding import (
    AsPublished,
    Copy,
    Epoch,
    Key,
    NoFencing,
    Number,
    Release,
    Router,
    SeededHash,
    Shard,
    Sharding,
    Write,
)

from tests.specs.claims import agreed, shortest

KEYS = [f"key {number}" for number in range(10_000)]
POINTS = 1_024
Placement = Callable[[list[str], int], list[int]]


def digest(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8])


def modulo(keys: list[str], shards: int) -> list[int]:
    return [digest(key) % shards for key in keys]


def consistent(keys: list[str], shards: int) -> list[int]:
    """The owner of the next point on the ring."""
    ring = sorted((digest(f"shard {s}, point {point}"), s) for s in range(shards) for point in range(POINTS))
    points = [point for point, _ in ring]
    return [ring[bisect(points, digest(key)) % len(ring)][1] for key in keys]


def rendezvous(keys: list[str], shards: int) -> list[int]:
    """The shard whose hash together with the key is the highest."""
    return [max(range(shards), key=lambda s: digest(f"{key} at shard {s}")) for key in keys]


def percent_moved(place: Placement, shards: int) -> int:
    """Of the keys, when a shard is added to so many."""
    moved = sum(a != b for a, b in zip(place(KEYS, shards), place(KEYS, shards + 1), strict=True))
    return round(100 * moved / len(KEYS))


def test_the_table_of_keys_that_move_is_what_is_counted() -> None:
    for shards in (2, 4, 8, 16):
        counted = [percent_moved(place, shards) for place in (modulo, consistent, rendezvous)]
        cells = [f"{shards} to {shards + 1}", *map(str, counted)]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in (sharding.__doc__ or "").splitlines()]
        assert cells in rows


def test_a_write_with_the_old_table_is_refused_and_none_is_lost() -> None:
    with System(Sharding):
        spec, (r, _), (old, new, _), (k,) = Sharding(), Router, Shard, Key
        spec.first_owners()
        spec.route(r, k)
        spec.serve(Write(old, k, Epoch(0), Number(1)))
        spec.begin_move(k, new)
        spec.hand_over(Release(old, new, k, Epoch(1)))
        spec.route(r, k)
        with pytest.raises(Disabled):
            spec.serve(Write(old, k, Epoch(0), Number(2)))
        spec.take_over(Copy(new, k, Epoch(1), frozenset({Number(1)})))
        spec.refresh(r, k)
        spec.route(r, k)
        spec.serve(Write(new, k, Epoch(1), Number(3)))
        assert spec.value[new][k] == {1, 3}


def test_a_copy_that_arrives_again_takes_nothing_back() -> None:
    with System(Sharding):
        spec, (r, _), (old, new, _), (k,) = Sharding(), Router, Shard, Key
        spec.first_owners()
        spec.begin_move(k, new)
        spec.hand_over(Release(old, new, k, Epoch(1)))
        spec.take_over(Copy(new, k, Epoch(1), frozenset()))
        spec.refresh(r, k)
        spec.route(r, k)
        spec.serve(Write(new, k, Epoch(1), Number(1)))
        with pytest.raises(Disabled):
            spec.take_over(Copy(new, k, Epoch(1), frozenset()))


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(Sharding.bounded(Epoch=2, Number=2)) == ("holds-within-bounds", 1_989, 5_281, 13)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (AsPublished, "no_write_is_lost", 3),
        (SeededHash, "one_owner", 4),
        (NoFencing, "no_write_is_lost", 5),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
