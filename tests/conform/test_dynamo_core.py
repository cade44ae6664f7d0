"""The quorum store of `quorate_impl` is driven through every transition of `dynamo` at small bounds; each planted mistake is named.

By hand, at bounds that take minutes: `quorate conform edges --spec dynamo --adapter tests/conform/dynamo_core.py --bound Key=0`,
and the same with more members.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from quorate.conform import Adapter, drive, follow
from quorate.conform.edges import Driven
from quorate.explore import check
from quorate.outcome import Exit, Violated
from quorate_impl.dynamo import Dynamo
from quorate_impl.dynamo.messages import Confirmed, Id, Siblings, Stamp, Vector, Write
from quorate_impl.dynamo.siblings import KeepsSiblings, Policy
from quorate_impl.dynamo.writes import Writing
from quorate_specs.replication import dynamo as variants
from quorate_specs.replication.dynamo import Dynamo as Specification
from quorate_specs.replication.dynamo import StrictQuorum

from tests.conform.dynamo_core import DynamoCore
from tests.impl.dynamo.mistakes import DropsHints, LeafForgetsDots, MergesByLastWrite, OneVector, PerServerVectors


class WithoutReads(StrictQuorum):
    """Two clients that only write: siblings in few states."""

    omits: ClassVar[tuple[str, ...]] = (*StrictQuorum.omits, "get")


Bounds = tuple[type[Specification], int, int, int, int]
"""The specification, and how many nodes, clients, writes and keys."""

STAND_INS: Bounds = Specification, 3, 1, 1, 1
REPLACED: Bounds = Specification, 2, 1, 2, 1
SIBLINGS: Bounds = WithoutReads, 2, 2, 2, 1
SMALL: Bounds = Specification, 2, 1, 1, 1


def held(core: type[Dynamo], nodes: int, clients: int, updates: int, keys: int) -> Adapter:
    """The adapter, with so many members."""
    members = {
        sort: tuple(f"{prefix}{i + 1}" for i in range(count))
        for sort, prefix, count in (("Node", "n", nodes), ("Client", "c", clients), ("Update", "u", updates))
    }
    adapter: Any = type("Held", (DynamoCore,), {"core": core, "members": members, "key_count": keys})
    made: Adapter = adapter()
    return made


def driven(core: type[Dynamo], bounds: Bounds) -> Driven:
    spec, nodes, *sizes, keys = bounds
    return drive(held(core, nodes, *sizes, keys), spec, "dynamo", {"Key": keys - 1, "Position": nodes - 1})


def transitions(bounds: Bounds) -> int:
    """How many there are, as the explorer counts them, which counts beginnings as well: one for each ring."""
    spec, nodes, clients, updates, keys = bounds
    sizes = {"Node": nodes, "Position": nodes - 1, "Client": clients, "Update": updates, "Key": keys - 1}
    found = check(spec.bounded(**sizes), symmetry=False, engine="reference").statistics
    return found.transitions - {2: 2, 3: 6}[nodes]


@pytest.mark.parametrize(
    ("bounds", "states"),
    [
        (SMALL, 30),
        pytest.param(STAND_INS, 270, marks=pytest.mark.slow),
        pytest.param(REPLACED, 170, marks=pytest.mark.slow),
        pytest.param(SIBLINGS, 570, marks=pytest.mark.slow),
        pytest.param((StrictQuorum, 3, 1, 2, 1), 366, marks=pytest.mark.deep),
        pytest.param((Specification, 3, 1, 1, 2), 534, marks=pytest.mark.deep),
    ],
)
def test_every_transition_is_covered_and_none_is_omitted(bounds: Bounds, states: int) -> None:
    found = driven(Dynamo, bounds)
    assert found.exit_code is Exit.SUCCESS
    assert found.states == states and found.covered == found.total == transitions(bounds) and not found.omitted
    assert found.unseen == ("ring",) and found.refused > found.total


class AcknowledgesEarly(Dynamo):
    """One confirmation fewer is enough."""

    def _acknowledge(self, number: Id, writing: Writing) -> None:
        writing.needed = 1
        super()._acknowledge(number, writing)


class KeepsHints(Dynamo):
    """A stand-in does not hear that the home has it."""

    def _handle_handed_over(self, source: str, m: Confirmed) -> None:
        return


class CoordinatesAnywhere(Dynamo):
    """Whoever gets a write gives it a dot."""

    def _handle_write(self, client: str, m: Write) -> None:
        home = self.homes
        self.homes = lambda key: [self.name, *home(key)[1:]]  # type: ignore[method-assign]
        super()._handle_write(client, m)
        self.homes = home  # type: ignore[method-assign]


class RepairsNobody(Dynamo):
    """A read does not repair."""

    def _take_repair(self, key: str, siblings: Siblings) -> None:
        return


class _Blind(KeepsSiblings):
    def written(self, own: Siblings, context: Vector, actor: str, value: str | None, stamp: Stamp) -> Siblings:
        return super().written(own, {}, actor, value, stamp)


class ForgetsContexts(Dynamo):
    """A coordinator does not look at what the client has seen."""

    def _policy(self) -> Policy:
        return _Blind()


@pytest.mark.parametrize(
    ("mistake", "bounds", "actions"),
    [
        (AcknowledgesEarly, SMALL, {"acknowledge"}),
        (RepairsNobody, SMALL, {"repair_after_read"}),
        pytest.param(DropsHints, STAND_INS, {"stand_in"}, marks=pytest.mark.slow),
        pytest.param(KeepsHints, STAND_INS, {"hand_over"}, marks=pytest.mark.slow),
        pytest.param(CoordinatesAnywhere, STAND_INS, {"write"}, marks=pytest.mark.slow),
        (ForgetsContexts, REPLACED, {"write"}),
        pytest.param(LeafForgetsDots, REPLACED, {"anti_entropy"}, marks=pytest.mark.slow),
        pytest.param(MergesByLastWrite, SIBLINGS, {"store"}, marks=pytest.mark.slow),
        pytest.param(PerServerVectors, SIBLINGS, {"write"}, marks=pytest.mark.slow),
    ],
)
def test_every_mistake_that_can_be_seen_is_named(mistake: type[Dynamo], bounds: Bounds, actions: set[str]) -> None:
    found = driven(mistake, bounds)
    assert found.exit_code is Exit.VIOLATED and found.misfit is not None
    assert found.misfit.action in actions


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "mistake"), [(variants.OneVector, OneVector), (variants.PerServerVectors, PerServerVectors)]
)
def test_a_counterexample_is_what_the_mistaken_program_does_and_the_right_one_does_not(
    variant: type[Specification], mistake: type[Dynamo]
) -> None:
    outcome = check(variant)
    assert isinstance(outcome, Violated)
    sizes = 3, 2, {variants.OneVector: 3}.get(variant, 2), 2
    assert follow(held(mistake, *sizes), outcome.trace, variant, "variant").exit_code is Exit.SUCCESS
    assert follow(held(Dynamo, *sizes), outcome.trace, variant, "variant").exit_code is Exit.VIOLATED
