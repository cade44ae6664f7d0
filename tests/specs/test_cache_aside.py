"""A cache beside a database: which orders of events a lease lets through."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.caching.cache_aside import (
    AsPublished,
    CacheAside,
    Delete,
    DeletesFirst,
    Fill,
    LeaseSurvivesDeletion,
    Reader,
    StaleForEver,
    Ticket,
    UntilExpiry,
    UpdatesCache,
    Version,
    Writer,
    WriterDeletes,
)

from tests.specs.claims import agreed, shortest

OLD = Fill(Ticket(1), Version(0))


def race(cache: CacheAside) -> None:
    """A reader has loaded, a writer has written, its deletion has arrived, and the reader's value is on the way."""
    reader, writer = next(iter(Reader)), next(iter(Writer))
    cache.miss(reader)
    cache.load(reader)
    cache.fill(reader)
    cache.write(writer)
    cache.delete(Delete(Version(1)))


def test_a_deletion_voids_the_lease_of_whoever_loaded_before() -> None:
    with System(CacheAside):
        cache = CacheAside()
        race(cache)
        with pytest.raises(Disabled):
            cache.put(OLD)
        assert cache.cached is None


def test_without_leases_the_old_value_is_put_in() -> None:
    with System(AsPublished):
        cache = AsPublished()
        race(cache)
        cache.put(OLD)
        assert cache.cached == 0 < cache.database


def test_one_reader_at_a_time_goes_to_the_database() -> None:
    with System(CacheAside):
        cache, (first, second, *_) = CacheAside(), Reader
        cache.miss(first)
        with pytest.raises(Disabled):
            cache.miss(second)
        cache.lease_ends()
        cache.miss(second)
        assert cache.lease == 2


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(CacheAside.bounded(Ticket=2, Reader=2)) == ("holds-within-bounds", 634, 2_311, 10)
    assert agreed(UntilExpiry) == ("holds-within-bounds", 27, 65, 6)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (AsPublished, "no_stale_value_outlives_a_deletion", 6),
        (StaleForEver, "cache_catches_up", 7),
        (UpdatesCache, "no_stale_value_outlives_a_deletion", 4),
        (LeaseSurvivesDeletion, "no_stale_value_outlives_a_deletion", 6),
        (DeletesFirst, "cache_catches_up", 6),
        (WriterDeletes, "cache_catches_up", 6),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
