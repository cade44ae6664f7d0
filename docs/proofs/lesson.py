"""Two-phase commit and Raft's election with fewer and fewer lemmas missing, and Raft's logs: the steps of docs/proofs.md."""

from quorate_specs.consensus._raft_safety import RaftSafety
from quorate_specs.consensus.raft import Raft
from quorate_specs.consensus.raft_election import RaftElection
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

ALL = ("votes_are_kept", "counted_votes_were_sent", "committing_needs_all_votes", "one_verdict", "committed_on_verdict")


class Bare(TwoPhaseCommit):
    """Atomicity alone."""

    omits = ("validity", *ALL)


class OneLemma(TwoPhaseCommit):
    """Atomicity, and that participants commit only on the verdict."""

    omits = ("validity", *(name for name in ALL if name != "committed_on_verdict"))


class BareElection(RaftElection):
    """One leader in a term, and no lemma."""

    omits = ("requests_bind", "votes_bind", "one_vote_per_term", "candidates_have_asked", "elected_by_majority")


class Majorities(RaftElection):
    """One leader in a term, whoever was elected has a majority, and nobody votes twice."""

    omits = ("requests_bind", "votes_bind", "candidates_have_asked")


class BindingVotes(RaftElection):
    """The same, and votes bind the voter."""

    omits = ("requests_bind", "candidates_have_asked")


class NothingRemembered(Raft):
    """Raft with its own lemmas, and without those of the heir that remembers the leaders' logs."""


class EntriesOfTermZero(RaftSafety):
    """Raft with all that its proof needs, but for one lemma: that nobody leads in term 0."""

    omits = (*RaftSafety.omits, "terms_begin_with_one")
