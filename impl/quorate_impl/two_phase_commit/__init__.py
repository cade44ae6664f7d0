"""Purchases over an order service and several inventories, by two-phase commit with presumed abort."""

from collections.abc import Mapping, Sequence

from quorate_impl.core import Core, Record
from quorate_impl.protocol import Protocol
from quorate_impl.two_phase_commit.client import Client
from quorate_impl.two_phase_commit.coordinator import Coordinator
from quorate_impl.two_phase_commit.messages import Answer, Facts, LogRecord, NodeMessage, Place, Status
from quorate_impl.two_phase_commit.options import COORDINATOR, ORDERS, Options
from quorate_impl.two_phase_commit.participant import Participant
from quorate_impl.two_phase_commit.services import Inventory, Orders

__all__ = ["COORDINATOR", "ORDERS", "Client", "Coordinator", "Inventory", "Options", "Orders", "protocol"]


def protocol(
    stock: Mapping[str, int],
    options: Options | None = None,
    coordinator: type[Coordinator] = Coordinator,
    orders: type[Orders] = Orders,
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
            core = orders(name, records, given)
        else:
            core = inventory(name, records, stock[name], given)
        core.members = members or {}
        return core

    return Protocol("two_phase_commit", NodeMessage, Place | Status, Answer | Facts, LogRecord, boot)
