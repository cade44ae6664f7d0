"""Two-phase commit with fewer and fewer lemmas missing: the steps of docs/proofs.md."""

from specs.transactions.two_phase_commit import TwoPhaseCommit

ALL = ("votes_are_kept", "counted_votes_were_sent", "committing_needs_all_votes", "one_verdict", "committed_on_verdict")


class Bare(TwoPhaseCommit):
    """Atomicity alone."""

    omits = ("validity", *ALL)


class OneLemma(TwoPhaseCommit):
    """Atomicity, and that participants commit only on the verdict."""

    omits = ("validity", *(name for name in ALL if name != "committed_on_verdict"))
