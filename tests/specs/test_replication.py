"""Replication, by hand and by law: what `quorate verify` does not look at."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quorate import Disabled
from quorate.language.system import System
from quorate_specs.replication.lww_register import (
    Data,
    LwwRegister,
    Node,
    Time,
    Write,
    later,
    later_as_published,
    later_without_tie_break,
)
from quorate_specs.replication.primary_backup import Node as Server
from quorate_specs.replication.primary_backup import PrimaryBackup, Replicate, Tx
from quorate_specs.replication.quorum_register import AsPublished, QuorumRegister, Replica
from quorate_specs.replication.vector_clock import (
    Count,
    Process,
    Vector,
    compact,
    less,
    merged,
    no_entry_is_larger,
)


def writes() -> list[Write]:
    with System(LwwRegister.bounded(Node=3, Time=2)):
        return [Write(Time(time), node, Data(data)) for time, node, data in product(range(3), Node, range(2))]


def test_the_later_write_is_commutative_associative_and_idempotent() -> None:
    for a, b, c in product(writes(), repeat=3):
        assert later(a, b) == later(b, a)
        assert later(later(a, b), c) == later(a, later(b, c))
        assert later(a, a) == a


def test_the_published_merge_depends_on_the_order_exactly_for_equal_stamps() -> None:
    for a, b in product(writes(), repeat=2):
        differs = later_as_published(a, b) != later_as_published(b, a)
        assert differs == ((a.time, a.node) == (b.time, b.node) and a.data != b.data)


def test_without_a_tie_break_the_merge_depends_on_the_order_exactly_for_equal_times() -> None:
    for a, b in product(writes(), repeat=2):
        assert (later_without_tie_break(a, b) != later_without_tie_break(b, a)) == (a.time == b.time and a != b)


entries = st.one_of(st.none(), st.integers(0, 3).map(Count))
vectors = st.fixed_dictionaries(dict.fromkeys(Process, entries))


@given(vectors, vectors, vectors)
def test_less_is_a_strict_partial_order(a: Vector, b: Vector, c: Vector) -> None:
    assert not less(a, a)
    assert not (less(a, b) and less(b, a))
    assert not (less(a, b) and less(b, c)) or less(a, c)


@given(vectors, vectors, vectors)
def test_merging_gives_the_least_upper_bound(a: Vector, b: Vector, c: Vector) -> None:
    both = merged(a, b)
    assert no_entry_is_larger(a, both) and no_entry_is_larger(b, both)
    assert not (no_entry_is_larger(a, c) and no_entry_is_larger(b, c)) or no_entry_is_larger(both, c)


@given(vectors, vectors)
def test_the_wire_form_is_neither_before_nor_after_the_vector(a: Vector, b: Vector) -> None:
    assert not less(a, compact(a)) and not less(compact(a), a)
    assert less(a, b) == less(compact(a), compact(b))


def test_the_article_accepts_the_configuration_that_loses_writes() -> None:
    with System(AsPublished):
        run = AsPublished()
        assert run.accepted_by_the_article()
        assert run.read_quorum + run.write_quorum == 5


def test_a_write_is_complete_when_a_quorum_has_stored_it() -> None:
    run = QuorumRegister()
    first, second, third = Replica
    run.write()
    store = next(iter(run.requests))
    run.store(first, store)
    with pytest.raises(Disabled):
        run.complete_write()
    run.store(second, store)
    run.complete_write()
    assert run.written == 1 and run.stored[third] == 0


def test_a_deposed_primary_finds_no_majority() -> None:
    run = PrimaryBackup()
    old, new, other = Server
    transaction, *_ = Tx
    run.start(old)
    run.suspect()
    run.fence(new)
    run.fence(other)
    run.promote(new)
    run.submit(old, transaction)
    shipped = next(m for m in run.network if isinstance(m, Replicate) and m.epoch == 1)
    for backup in (new, other):
        with pytest.raises(Disabled):
            run.store(backup, shipped)
    with pytest.raises(Disabled):
        run.acknowledge(old, transaction)
    with pytest.raises(Disabled):
        run.read(old)
