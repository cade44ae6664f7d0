"""The PBFT store of `quorate_impl` is driven through the transitions of `pbft` in one view and in two; each mistake is named."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest
from quorate import action, init, require
from quorate.conform import drive
from quorate.conform.edges import STATES_MAX, Driven
from quorate.conform.graph import graph_of
from quorate.explore import check
from quorate.explore.choices import Choices
from quorate.language.system import System
from quorate.outcome import Exit
from quorate_impl.pbft import Pbft
from quorate_impl.pbft.messages import PrePrepare
from quorate_specs.consensus.pbft import Number, Replica, Request, View
from quorate_specs.consensus.pbft import Pbft as Specification

from tests.conform.pbft_core import PbftCore
from tests.impl.pbft.mistakes import (
    AnyDigest,
    ClearsWhenExecuted,
    NoCertificates,
    NoCommitPhase,
    OwnHistory,
    PrepareQuorumOf2f,
    UncheckedCertificates,
    UnsignedRequests,
    UnsignedStatements,
)


class WithoutCheckpoints(Specification):
    """Nobody takes over a state."""

    omits: ClassVar[tuple[str, ...]] = ("fetch",)


class AsTheProgram(WithoutCheckpoints):
    """Nor does anybody speak of a checkpoint, execute by the votes of a view that it has left, or hide its own certificate."""

    @action
    def pre_prepare(self, v: View, n: Number, x: Request | None, r: Replica) -> None:
        known = self.prepared[r][n]
        require(known is None or known.request == x)
        super().pre_prepare(v, n, x, r)

    @action
    def execute(self, r: Replica, v: View, n: Number, x: Request | None) -> None:
        require(self.view[r] == v)
        super().execute(r, v, n, x)

    @action
    def change_view(self, r: Replica, v: View, low: Number | None) -> None:
        require(low is None)
        super().change_view(r, v, low)


class LiarFirst(AsTheProgram):
    """A liar is the primary of the first view, and an honest replica that of the second."""

    @init
    def begin(self, signed: set[Request], primary: dict[View, Replica | None]) -> None:
        super().begin(signed, primary)
        require(all((primary[v] is None) == (v == View[0]) for v in View))


class LiarSecond(AsTheProgram):
    """The other way round."""

    @init
    def begin(self, signed: set[Request], primary: dict[View, Replica | None]) -> None:
        super().begin(signed, primary)
        require(all((primary[v] is None) == (v != View[0]) for v in View))


def driven(
    core: type[Pbft],
    requests: int,
    spec: type[Specification] = WithoutCheckpoints,
    views: int = 1,
    states_max: int = STATES_MAX,
) -> Driven:
    members = {
        **PbftCore.members,
        "Request": tuple(f"x{i + 1}" for i in range(requests)),
        "View": tuple(range(views)),
    }
    adapter: Any = type("Held", (PbftCore,), {"core": core, "members": members})
    return drive(adapter(), spec, "pbft", {}, states_max)


@pytest.mark.slow
@pytest.mark.parametrize("requests", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_every_transition_is_covered_and_none_is_omitted(requests: int) -> None:
    found = driven(Pbft, requests)
    explored = check(WithoutCheckpoints.bounded(View=1, Request=requests), symmetry=False).statistics
    assert found.exit_code is Exit.SUCCESS and found.misfit is None
    beginnings = 2**requests * 4
    assert found.states == explored.states and found.unseen == ("signed", "primary") and not found.omitted
    assert found.covered == found.total == explored.transitions - beginnings and found.refused > found.total


@pytest.mark.slow
@pytest.mark.parametrize("spec", [LiarFirst, LiarSecond])
def test_views_change_as_they_may(spec: type[AsTheProgram]) -> None:
    """All transitions of the states that are nearest to the beginning."""
    found = driven(Pbft, 1, spec, views=2, states_max=120)
    assert found.exit_code is Exit.OPEN and "only the first 120 states" in found.reason
    assert found.misfit is None and found.covered == found.total > 150


@pytest.mark.deep
@pytest.mark.parametrize("spec", [LiarFirst, LiarSecond])
def test_every_transition_of_two_views_is_covered(spec: type[AsTheProgram]) -> None:
    found = driven(Pbft, 1, spec, views=2, states_max=10**5)
    explored = check(spec.bounded(View=2, Request=1), symmetry=False).statistics
    assert found.exit_code is Exit.SUCCESS and found.misfit is None
    assert found.states == explored.states and not found.omitted
    assert found.covered == found.total == explored.transitions - 6 and found.refused > found.total


def left_out(spec: type[Specification]) -> Counter[str]:
    """How many transitions of each action the specification itself allows in the states of two views, and this one does not."""
    held = System(spec.bounded(View=2, Request=1))
    with held:
        graph = graph_of(held, 10**6)
    whole = System(Specification.bounded(View=2, Request=1))
    left: Counter[str] = Counter()
    with whole:
        choices = [(action, Choices(whole, action)) for action in whole.actions]
        for state, edges in zip(graph.states, graph.edges, strict=True):
            taken = {(edge.instance[0].name, edge.instance[1]) for edge in edges}
            for action, choose in choices:
                left[action.name] += sum(
                    whole.fire(state, action, chosen) is not None and (action.name, chosen) not in taken
                    for chosen in choose(state)
                )
    return +left


@pytest.mark.deep
@pytest.mark.parametrize(
    ("spec", "omitted"),
    [
        (LiarFirst, {"fetch": 1_659, "execute": 3_348, "change_view": 834}),
        (LiarSecond, {"fetch": 1_818, "execute": 4_104, "change_view": 1_008}),
    ],
)
def test_what_the_program_does_not_do_is_listed_and_counted(spec: type[AsTheProgram], omitted: dict[str, int]) -> None:
    assert left_out(spec) == omitted


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
        (UnsignedStatements, 1, {"commit"}),
    ],
)
def test_every_mistake_that_can_be_seen_is_named(mistake: type[Pbft], requests: int, actions: set[str]) -> None:
    found = driven(mistake, requests)
    assert found.exit_code is Exit.VIOLATED and found.misfit is not None
    assert found.misfit.action in actions


@pytest.mark.parametrize(
    ("mistake", "spec", "action"),
    [
        pytest.param(NoCertificates, LiarFirst, "change_view", marks=pytest.mark.slow),
        pytest.param(OwnHistory, LiarSecond, "prepare_for_liar", marks=pytest.mark.slow),
        pytest.param(UncheckedCertificates, LiarSecond, "prepare_for_liar", marks=pytest.mark.slow),
        pytest.param(ClearsWhenExecuted, LiarFirst, "change_view", marks=pytest.mark.deep),
    ],
)
def test_every_mistake_about_views_is_named(mistake: type[Pbft], spec: type[AsTheProgram], action: str) -> None:
    states = 10**5 if mistake is ClearsWhenExecuted else 400  # What was executed and left is far from the beginning.
    found = driven(mistake, 1, spec, views=2, states_max=states)
    assert found.exit_code is Exit.VIOLATED and found.misfit is not None
    assert found.misfit.action == action
