"""The primary/backup store of `quorate_impl` is driven through every transition of `primary_backup`; each mistake is named."""

from __future__ import annotations

from typing import Any

import pytest
from quorate import is_majority
from quorate.conform import Adapter, drive
from quorate.conform.edges import Driven
from quorate.explore import check
from quorate.outcome import Exit
from quorate_impl.primary_backup import PrimaryBackup
from quorate_impl.primary_backup.messages import Consistency, HardState, Office, Scheme
from quorate_specs.replication.primary_backup import (
    Asynchronous,
    Availability,
    Node,
    ReadAnyReplica,
    Synchronous,
)
from quorate_specs.replication.primary_backup import PrimaryBackup as Specification

from tests.conform.primary_backup_core import PrimaryBackupCore
from tests.impl.primary_backup.mistakes import (
    ForgetsItsPromise,
    KeepsItsTail,
    NoFencing,
    PaymentSentAsync,
    PromotesTheFirst,
    PromotesWhoIsBehind,
    ReadsAtDeposedPrimary,
)


class Heard(Specification):
    """Who confirms a read is up. The specification's primary may hold a lease from a node that is down; the program has none."""

    def may_read(self, n: Node) -> bool:
        followers = {m for m in Node if self.epoch[m] == self.epoch[n] and m not in self.down}
        return self.in_office(n) and is_majority(followers, Node) and all(self.is_safe(n, t) for t in self.log[n])


Bounds = tuple[type[Specification], int, int, int]
"""The specification, and how many nodes, transactions and epochs."""

HOW: dict[type[Specification], dict[str, Any]] = {
    Asynchronous: {"scheme": Scheme.ASYNCHRONOUS},
    Synchronous: {"scheme": Scheme.SYNCHRONOUS},
    ReadAnyReplica: {"consistency": Consistency.ANY},
}
"""How the program is asked to do what a variant is about."""


def held(bounds: Bounds, **program: Any) -> Adapter:
    """The adapter, with so many members, and a program."""
    spec, nodes, transactions, _ = bounds
    members = {"Node": [f"n{i + 1}" for i in range(nodes)], "Tx": [f"t{i + 1}" for i in range(transactions)]}
    adapter: Any = type("Held", (PrimaryBackupCore,), {"members": members, **HOW.get(spec, {}), **program})
    made: Adapter = adapter()
    return made


def driven(bounds: Bounds, **program: Any) -> Driven:
    spec, _, transactions, epochs = bounds
    sizes = {"Epoch": epochs, "Length": transactions}
    return drive(held(bounds, **program), spec, "primary_backup", sizes, states_max=10_000)


def transitions(bounds: Bounds) -> int:
    """How many there are, as the explorer counts them, which counts beginnings as well: one for each first primary."""
    spec, nodes, transactions, epochs = bounds
    sizes = {"Node": nodes, "Tx": transactions, "Epoch": epochs, "Length": transactions}
    return check(spec.bounded(**sizes), symmetry=False, engine="reference").statistics.transitions - nodes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bounds", "states"),
    [
        ((Specification, 2, 1, 2), 149),
        ((Asynchronous, 2, 1, 2), 213),
        ((ReadAnyReplica, 2, 1, 2), 165),
        ((Synchronous, 3, 1, 1), 108),
        ((Synchronous, 2, 2, 1), 178),
        ((Availability, 3, 1, 1), 204),
        pytest.param((Specification, 2, 2, 2), 2_549, marks=pytest.mark.deep),
        pytest.param((Heard, 3, 1, 2), 7_024, marks=pytest.mark.deep),
    ],
)
def test_every_transition_is_covered_and_none_is_omitted(bounds: Bounds, states: int) -> None:
    found = driven(bounds)
    assert found.exit_code is Exit.SUCCESS
    assert found.states == states and found.covered == found.total == transitions(bounds) and not found.omitted
    assert found.unseen == () and found.refused > found.total


class StaysInOffice(PrimaryBackup):
    """Whoever is fenced believes still to be in office."""

    def _handle_fence(self, source: str, epoch: int) -> None:
        office = self.office
        super()._handle_fence(source, epoch)
        self.office = office


class ForgetsItsOffice(PrimaryBackup):
    """A primary that restarts is a backup."""

    def _save_state(self) -> None:
        self.persist(HardState(self.epoch, Office.BACKUP))


class BeginsWithNothing(PrimaryBackup):
    """A new primary does not mark its epoch in the log: who has copied from it looks like the older one's backup."""

    def _handle_promote(self, epoch: int) -> None:
        super()._handle_promote(epoch)
        if epoch > 1:
            self.log.replace(self.log.last_index, ())


SMALL: Bounds = Specification, 2, 1, 2
CRASHES: Bounds = Availability, 3, 1, 1
MAJORITIES: Bounds = Heard, 3, 1, 2


@pytest.mark.parametrize(
    ("mistake", "bounds", "actions"),
    [
        (PaymentSentAsync, SMALL, {"acknowledge"}),
        (PromotesTheFirst, SMALL, {"promote"}),
        pytest.param(PromotesWhoIsBehind, SMALL, {"promote"}, marks=pytest.mark.slow),
        (StaysInOffice, SMALL, {"fence"}),
        (ReadsAtDeposedPrimary, SMALL, {"read"}),
        pytest.param(NoFencing, SMALL, {"store"}, marks=pytest.mark.slow),
        (BeginsWithNothing, SMALL, {"promote"}),
        (ForgetsItsOffice, CRASHES, {"restart"}),
        pytest.param(ForgetsItsPromise, MAJORITIES, {"restart"}, marks=pytest.mark.slow),
        pytest.param(KeepsItsTail, MAJORITIES, {"store"}, marks=pytest.mark.deep),
    ],
)
def test_every_mistake_that_can_be_seen_is_named(mistake: type, bounds: Bounds, actions: set[str]) -> None:
    found = driven(bounds, **{"core" if issubclass(mistake, PrimaryBackup) else "arbiter": mistake})
    assert found.exit_code is Exit.VIOLATED and found.misfit is not None
    assert found.misfit.action in actions
