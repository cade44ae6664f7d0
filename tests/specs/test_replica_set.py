"""A replica set: write concern, read concern and read preference, and what each is worth."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.replication.replica_set import (
    AsPublished,
    Client,
    Entry,
    Index,
    MajorityIsOld,
    Member,
    NotJournaled,
    Operation,
    OpTime,
    Position,
    ReadsLocal,
    ReadsMajority,
    ReadsNearest,
    ReplicaSet,
    ReportsWithoutTerm,
    Role,
    Term,
    WriteConcernOne,
)

from tests.specs.claims import agreed, explored, shortest


def commit(spec: ReplicaSet, primary: Member, secondary: Member, end: Index) -> None:
    """The secondary has the next entry in its journal, and the primary knows it."""
    spec.pull(secondary, primary)
    spec.journal(secondary)
    spec.report(secondary)
    if spec.journaled[primary] < end:
        spec.journal(primary)
    spec.advance(primary, end)


def test_a_write_is_acknowledged_when_a_majority_has_it_in_its_journals() -> None:
    with System(ReplicaSet):
        spec, (p, s, _), (c, _) = ReplicaSet(), Member, Client
        spec.start(p)
        spec.write(c, p)
        spec.pull(s, p)
        spec.journal(s)
        spec.report(s)
        assert Position(s, Term(1), OpTime(Term(1), Index(1))) in spec.network
        with pytest.raises(Disabled):
            spec.advance(p, Index(1))
        spec.journal(p)
        with pytest.raises(Disabled):
            spec.acknowledge(c, p)
        spec.advance(p, Index(1))
        spec.acknowledge(c, p)
        assert spec.history == [Operation(c, False, True, c), Operation(c, True, True, c)]


def test_a_linearizable_read_returns_after_its_no_op_is_committed() -> None:
    with System(ReplicaSet):
        spec, (p, s, _), (writer, reader) = ReplicaSet(), Member, Client
        spec.start(p)
        spec.write(writer, p)
        spec.read(p, reader)
        assert spec.oplog[p] == [Entry(Term(1), writer), Entry(Term(1), reader)]
        commit(spec, p, s, Index(1))
        with pytest.raises(Disabled):
            spec.confirm(reader, p)
        commit(spec, p, s, Index(2))
        spec.confirm(reader, p)
        assert spec.history[-1] == Operation(reader, True, False, writer)


def test_a_deposed_primary_that_has_not_heard_so_cannot_confirm_a_read() -> None:
    with System(ReplicaSet):
        spec, (old, new, other), (reader, _) = ReplicaSet(), Member, Client
        spec.start(old)
        spec.elect(new, {new, other})
        assert spec.role[old] == Role.PRIMARY
        spec.read(old, reader)
        spec.pull(other, old)
        spec.journal(other)
        with pytest.raises(Disabled):
            spec.report(other)


def test_a_write_that_the_new_primary_has_never_had_is_rolled_back() -> None:
    with System(ReplicaSet):
        spec, (old, new, other), (lost, kept) = ReplicaSet(), Member, Client
        spec.start(old)
        spec.write(lost, old)
        spec.journal(old)
        spec.elect(new, {new, other})
        spec.write(kept, new)
        with pytest.raises(Disabled):
            spec.roll_back(old, new)
        spec.hear(old, new)
        spec.roll_back(old, new)
        assert spec.oplog[old] == [] and spec.journaled[old] == 0
        spec.pull(old, new)
        assert spec.oplog[old] == spec.oplog[new] == [Entry(Term(2), kept)]


def test_nobody_votes_for_an_older_oplog() -> None:
    with System(ReplicaSet):
        spec, (p, s, other), (c, _) = ReplicaSet(), Member, Client
        spec.start(p)
        spec.write(c, p)
        spec.pull(s, p)
        with pytest.raises(Disabled):
            spec.elect(other, {s, other})
        spec.elect(s, {s, other})
        assert spec.term[other] == spec.term[s] == 2


@pytest.mark.slow
def test_the_promise_holds_in_all_runs_of_two_terms() -> None:
    assert explored(ReplicaSet) == ("holds-within-bounds", 351_707, 1_788_952, 28)


@pytest.mark.slow
def test_what_was_read_with_majority_is_not_rolled_back() -> None:
    assert explored(ReadsMajority) == ("holds-within-bounds", 90_996, 460_725, 28)


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(ReplicaSet.bounded(Client=1)) == ("not-judged", 1_706, 7_574, 15)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (AsPublished, "atomic", 9),
        (ReadsLocal, "read_survives", 3),
        (MajorityIsOld, "atomic", 9),
        (ReadsNearest, "atomic", 8),
        (WriteConcernOne, "acknowledged_survives", 4),
        (NotJournaled, "acknowledged_survives", 7),
        (ReportsWithoutTerm, "acknowledged_survives", 8),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
