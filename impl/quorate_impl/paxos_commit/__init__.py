"""Purchases over an order service and several inventories, by Paxos Commit: no single crash blocks anybody."""

from collections.abc import Mapping, Sequence

from quorate_impl.core import Core, Record
from quorate_impl.paxos_commit.acceptor import Acceptor
from quorate_impl.paxos_commit.leader import Leader
from quorate_impl.paxos_commit.messages import LogRecord, NodeMessage
from quorate_impl.paxos_commit.options import Options
from quorate_impl.paxos_commit.participant import Participant
from quorate_impl.protocol import Protocol
from quorate_impl.shop.client import Client
from quorate_impl.shop.messages import Answer, Facts, Place, Status
from quorate_impl.shop.resources import ORDERS, Inventory, Orders

__all__ = ["Acceptor", "Leader", "Options", "Participant", "client", "protocol"]

USUAL = Options()


def protocol(
    stock: Mapping[str, int],
    options: Options = USUAL,
    leader: type[Leader] = Leader,
    acceptor: type[Acceptor] = Acceptor,
    participant: type[Participant] = Participant,
    inventory: type[Inventory] = Inventory,
    members: Mapping[str, str] | None = None,
) -> Protocol:
    """Paxos Commit over leaders, acceptors, `orders` and these inventories, each with its units at first.

    `members` are all nodes with their addresses, where there are any.
    """

    def boot(name: str, records: Sequence[Record]) -> Core:
        core: Leader | Acceptor | Participant
        if name in options.leaders:
            core = leader(name, records, tuple(stock), options)
        elif name in options.acceptors:
            core = acceptor(name, records, options)
        elif name == ORDERS:
            core = participant(name, records, Orders(), options)
        else:
            core = participant(name, records, inventory(name, stock[name]), options)
        core.members = members or {}
        return core

    return Protocol("paxos_commit", NodeMessage, Place | Status, Answer | Facts, LogRecord, boot)


def client(
    name: str, servers: Mapping[str, str] | None = None, buyer: str | None = None, options: Options = USUAL
) -> Client:
    """One that asks the first leader, and the next if that does not answer."""
    return Client(name, options.leaders, servers, buyer)
