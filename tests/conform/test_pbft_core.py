"""The PBFT store of `quorate_impl` is driven through every transition of `pbft` within one view; each mistake is named."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from quorate.conform import drive
from quorate.conform.edges import Driven
from quorate.explore import check
from quorate.outcome import Exit
from quorate_impl.pbft import Pbft
from quorate_impl.pbft.messages import PrePrepare
from quorate_specs.consensus.pbft import Pbft as Specification

from tests.conform.pbft_core import PbftCore
from tests.impl.pbft.mistakes import AnyDigest, NoCommitPhase, PrepareQuorumOf2f, UnsignedRequests


class WithoutCheckpoints(Specification):
    """Nobody takes over a state."""

    omits: ClassVar[tuple[str, ...]] = ("fetch",)


def driven(core: type[Pbft], requests: int) -> Driven:
    members = {**PbftCore.members, "Request": tuple(f"x{i + 1}" for i in range(requests))}
    adapter: Any = type("Held", (PbftCore,), {"core": core, "members": members})
    return drive(adapter(), WithoutCheckpoints, "pbft", {})


@pytest.mark.slow
@pytest.mark.parametrize("requests", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_every_transition_is_covered_and_none_is_omitted(requests: int) -> None:
    found = driven(Pbft, requests)
    explored = check(WithoutCheckpoints.bounded(View=1, Request=requests), symmetry=False).statistics
    assert found.exit_code is Exit.SUCCESS and found.misfit is None
    beginnings = 2**requests * 4
    assert found.states == explored.states and found.unseen == ("signed", "primary") and not found.omitted
    assert found.covered == found.total == explored.transitions - beginnings and found.refused > found.total


class ProposesNothing(Pbft):
    """A backup accepts a gap from any primary."""

    def acceptable(self, proposal: PrePrepare) -> bool:
        return True


@pytest.mark.parametrize(
    ("mistake", "requests", "actions"),
    [
        (ProposesNothing, 1, {"prepare_for_liar"}),
        (UnsignedRequests, 1, {"prepare_for_liar", "pre_prepare", "prepare"}),
        (PrepareQuorumOf2f, 1, {"pre_prepare", "prepare", "prepare_for_liar", "commit"}),
        (NoCommitPhase, 1, {"commit"}),
        pytest.param(AnyDigest, 2, {"commit", "execute"}, marks=pytest.mark.slow),
    ],
)
def test_every_mistake_that_can_be_seen_is_named(mistake: type[Pbft], requests: int, actions: set[str]) -> None:
    found = driven(mistake, requests)
    assert found.exit_code is Exit.VIOLATED and found.misfit is not None
    assert found.misfit.action in actions
