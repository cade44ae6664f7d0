"""Fast Paxos for any size: what its proof has to know of quorums, and that it is not known of fast quorums that are too small."""

from __future__ import annotations

import pytest
from quorate.loading import load
from quorate.prove.any_size.obligations import Prover, model_of_any_size
from quorate.prove.solvers.smt import selected

TRIPLE = "any two of fast_size ({}) and any majority of Acceptor have a member in common, all three"


def recovered(acceptors: int, fast_size: int) -> tuple[str, frozenset[str]]:
    """Whether what the proposer proposes after a collision is shown to be safe, and what that rests on."""
    spec = load("fast_paxos").main.bounded(Acceptor=acceptors, fast_size=fast_size)
    model = model_of_any_size(spec)
    with model.system:
        prover = Prover(model)
        action = next(action for action in model.actions if action.name == "recover")
        prop = next(prop for prop in prover.inductive if prop.name == "proposals_are_safe")
        query = prover.kept(action, prop, [prop.name for prop in prover.inductive])
        found = selected(query, seconds=10.0)
        return found.status, found.conditions if found.status == "unsat" else frozenset(query.conditions.values())


@pytest.mark.deep
def test_recovery_rests_on_three_quorums_that_meet() -> None:
    status, conditions = recovered(4, 3)
    assert status == "unsat" and TRIPLE.format(3) in conditions


@pytest.mark.deep
def test_recovery_is_not_proven_where_fast_quorums_are_majorities() -> None:
    """Any two of them meet, and any of them a quorum of promises: that is not enough (`FastQuorumOfMajority`)."""
    status, conditions = recovered(3, 2)
    assert status != "unsat" and TRIPLE.format(2) not in conditions
    assert "any fast_size (2) and any fast_size (2) of Acceptor have a member in common" in conditions
    assert "any fast_size (2) and any majority of Acceptor have a member in common" in conditions
