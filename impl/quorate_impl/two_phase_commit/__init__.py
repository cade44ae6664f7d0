"""Purchases over an order service and several inventories, by two-phase commit with presumed abort."""

from collections.abc import Mapping, Sequence

from quorate_impl.core import Core, Record
from quorate_impl.protocol import Protocol
from quorate_impl.shop.client import Client
from quorate_impl.shop.messages import Answer, Facts, Place, Status
from quorate_impl.shop.resources import ORDERS, Inventory, Orders
from quorate_impl.two_phase_commit.coordinator import Coordinator
from quorate_impl.two_phase_commit.messages import LogRecord, NodeMessage
from quorate_impl.two_phase_commit.options import COORDINATOR, Options
from quorate_impl.two_phase_commit.participant import Participant

__all__ = ["COORDINATOR", "Coordinator", "Options", "Participant", "client", "protocol"]


def protocol(
    stock: Mapping[str, int],
    options: Options | None = None,
    coordinator: type[Coordinator] = Coordinator,
    participant: type[Participant] = Participant,
    inventory: type[Inventory] = Inventory,
    members: Mapping[str, str] | None = None,
) -> Protocol:
    """Two-phase commit over the nodes `coordinator`, `orders` and these inventories, each with its units at first.

    `members` are all nodes with their addresses, where there are any.
    """
    given = options or Options()

    def boot(name: str, records: Sequence[Record]) -> Core:
        core: Coordinator | Participant
        if name == COORDINATOR:
            core = coordinator(name, records, tuple(stock), given)
        elif name == ORDERS:
            core = participant(name, records, Orders(), given)
        else:
            core = participant(name, records, inventory(name, stock[name]), given)
        core.members = members or {}
        return core

    return Protocol("two_phase_commit", NodeMessage, Place | Status, Answer | Facts, LogRecord, boot)


def client(name: str, servers: Mapping[str, str] | None = None, buyer: str | None = None) -> Client:
    """One that asks the coordinator."""
    return Client(name, (COORDINATOR,), servers, buyer)
