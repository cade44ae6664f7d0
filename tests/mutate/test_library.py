"""The variants of the library that remove or weaken something are mutants: each is at its line, and breaks what the variant breaks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from quorate.explore import check, only
from quorate.language.spec import Spec
from quorate.loading import load
from quorate.mutate import Mutant, bare, mutants
from quorate.outcome import Violated


@dataclass(frozen=True)
class Row:
    """A variant, and the mutant that it is: the method where it is (or the variable), and what it does. `bounds` are those of the
    variant, unless others are given."""

    spec: str
    variant: str
    method: str
    says: str
    bounds: dict[str, int] | None = None
    engine: str = "reference"


LESS = "len(acceptors) >= len(Acceptor) // 2 instead of is_majority(acceptors, Acceptor)"
ALL = "all(r in self.prepared for r in ResourceManager)"
READ = "is_quorum({m.replica for m in answers}, self.read_quorum, Replica)"
ROWS = (
    Row(
        "two_phase_commit",
        "CommitByMajority",
        "may_commit",
        f"2 * len(self.prepared) > len(ResourceManager) instead of {ALL}",
    ),
    Row(
        "two_phase_commit",
        "MajorityRefinesNothing",
        "may_commit",
        f"2 * len(self.prepared) > len(ResourceManager) instead of {ALL}",
    ),
    Row("two_phase_commit", "PreparedAborts", "choose_to_abort", "without require(self.rm[r] == RM.WORKING)"),
    Row("two_phase_commit", "AnswersBeforeLogging", "announce", "without self.may_announce()"),
    Row("two_phase_commit", "VotesBeforeLogging", "rm", "rm is forgotten in restart"),
    Row("two_phase_commit", "Blocking", "restart_coordinator", "without the action restart_coordinator"),
    Row(
        "quorum_register",
        "NoWriteBack",
        "complete_write_back",
        "without self.has_stored(self.found[r], r)",
        None,
        "auto",
    ),
    Row("quorum_register", "OneOne", "choose", f"{READ.replace('quorum, ', 'quorum - 1, ')} instead of {READ}"),
    Row("quorum_register", "LastMessageWins", "kept", "received instead of max(own, received)"),
    # Of two acceptors, half is one less than a majority in both phases, which are two mutants; of three, one of them is enough.
    Row("paxos", "HalfIsEnough", "phase_one", LESS, {"Ballot": 2, "Learner": 1}, "auto"),
    Row(
        "paxos",
        "FlexibleQuorumsMiss",
        "phase_one",
        "is_quorum(acceptors, self.phase_one_size - 1, Acceptor) instead of is_quorum(acceptors, self.phase_one_size, Acceptor)",
        None,
        "auto",
    ),
    Row("paxos", "ForgetsPromise", "promised", "promised is lost when an Acceptor restarts", None, "auto"),
    Row("paxos", "IgnoresVotes", "propose", "without require(self.is_safe(v, promises))", None, "auto"),
    Row(
        "paxos",
        "AnyReportedVote",
        "is_safe",
        "without all(other.ballot <= vote.ballot for other in votes)",
        None,
        "auto",
    ),
    Row("paxos", "BallotUsedTwice", "propose", "without self.may_propose(b)"),
    Row("raft", "ForgetsVote", "voted_for", "voted_for is forgotten in restart"),
    Row("raft", "VotesForAnyone", "handle_request", "True instead of self.is_up_to_date(m, s)", None, "auto"),
    Row("raft", "CommitIndexRegresses", "advance", "i instead of max(self.commit_index[s], i)"),
)


def base_of(variant: type[Spec]) -> type[Spec]:
    """The class that a variant weakens: the nearest of its bases that is right."""
    return next(base for base in variant.__mro__[1:] if issubclass(base, Spec) and base.expect.violated is None)


def mutant_of(row: Row) -> Mutant:
    """The mutant of a row, at its bounds."""
    variant = load(row.spec).variants[row.variant]
    known = {name: size for cls in reversed(variant.__mro__) for name, size in cls.__dict__.get("bounds", {}).items()}
    base = base_of(variant)
    sizes = {
        name: size for name, size in (known if row.bounds is None else row.bounds).items() if not hasattr(base, name)
    }
    found = mutants(bare(base.bounded(**sizes)))
    return next(mutant for mutant in found if (mutant.method, mutant.says) == (row.method, row.says))


@pytest.mark.slow
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{row.spec}-{row.variant}", marks=pytest.mark.deep if row.engine == "auto" else ())
        for row in ROWS
    ],
)
def test_a_variant_that_weakens_something_is_a_mutant(row: Row) -> None:
    expected = load(row.spec).variants[row.variant].expect.violated
    assert expected is not None
    outcome = check(only(mutant_of(row).make(), [expected]), engine=row.engine)
    assert isinstance(outcome, Violated) and outcome.property == expected


COMBINED = {
    ("raft", "AsPublished"): "appends and checks nothing, and regresses the commit index",
    ("raft", "CommitsOldTerms"): "begins in the middle",
    ("quorum_register", "AsPublished"): "another configuration",
    ("quorum_register", "SloppyQuorum"): "has actions of its own",
}
"""Variants that are no removal of one thing, or not from the beginning, and why."""


def test_every_broken_variant_is_in_the_list_or_is_no_single_removal() -> None:
    broken = {
        (spec, name)
        for spec in ("two_phase_commit", "quorum_register", "paxos", "raft")
        for name, variant in load(spec).variants.items()
        if variant.expect.violated is not None
    }
    assert broken == {(row.spec, row.variant) for row in ROWS} | COMBINED.keys()
