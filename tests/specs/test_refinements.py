"""The protocols of the library that refine more abstract ones: consensus, transaction commit, an atomic register."""

import pytest
from quorate.explore import check
from quorate.language.spec import derived
from quorate.language.system import System
from quorate_specs.consensus.voting import Ballot, Consensus, PaxosVotes, VotesForAnything, VotesUnasked, Voting
from quorate_specs.replication.atomic_register import (
    AtomicRegister,
    QuorumIsAtomic,
    ReadsTooEarly,
    ReturnsBeforeItHappens,
)
from quorate_specs.transactions.paxos_commit import PaxosCommit
from quorate_specs.transactions.transaction_commit import CommitsAlone, TransactionCommit
from quorate_specs.transactions.two_phase_commit import (
    CommitByMajority,
    MajorityRefinesNothing,
    RefinesTransactionCommit,
    TwoPhaseCommit,
)

from tests.specs.figures import broken, explored


def test_the_abstract_specifications_have_so_many_states() -> None:
    assert explored(Consensus) == (2, 3, 1)
    assert explored(Voting) == (686, 4_207, 15)
    assert explored(TransactionCommit) == (13, 37, 6)
    assert explored(AtomicRegister) == (42, 92, 7)


def test_transaction_commit_has_the_published_number_of_states() -> None:
    """TLC finds 34 of TCommit with three resource managers."""
    assert check(TransactionCommit, engine="native", symmetry=False).statistics.states == 34


@pytest.mark.slow
def test_a_refinement_changes_nothing_but_what_is_asked() -> None:
    assert explored(RefinesTransactionCommit) == explored(TwoPhaseCommit) == (80, 318, 10)
    assert explored(PaxosVotes) == (1_326, 3_803, 17)
    assert explored(QuorumIsAtomic) == (18_519, 82_622, 19)


@pytest.mark.library
def test_both_engines_explore_the_same_states() -> None:
    assert explored(RefinesTransactionCommit, "reference") == (80, 318, 10)
    small = derived(PaxosVotes.bounded(Ballot=1), omits=("chosen_twice", "outbid"))  # Which take two ballots.
    assert explored(small, "reference") == explored(small)


def test_each_level_breaks_by_itself() -> None:
    assert broken(VotesUnasked) == ("refines_consensus", 4)
    assert broken(VotesForAnything) == ("refines_voting", 10)
    assert broken(CommitsAlone) == ("consistent", 3)
    assert broken(ReturnsBeforeItHappens) == ("completed_writes_count", 2)


def test_the_mistake_of_a_majority_shows_a_step_earlier_than_atomicity_is_lost() -> None:
    assert broken(CommitByMajority) == ("atomicity", 7)
    assert broken(MajorityRefinesNothing) == ("refines_transaction_commit", 6)


@pytest.mark.slow
def test_a_reader_that_does_not_write_back_reads_what_has_not_happened() -> None:
    assert broken(ReadsTooEarly) == ("refines_register", 6)


def test_the_abstract_specification_has_the_bounds_of_the_concrete_one() -> None:
    system = System(PaxosVotes.bounded(Ballot=3))
    with system:
        assert system.abstract is not None
        assert system.abstract.bounds == {"Acceptor": 3, "Ballot": 3, "Value": 2} and len(Ballot) == 3
    assert System(PaxosCommit).bounds["ResourceManager"] == 2
