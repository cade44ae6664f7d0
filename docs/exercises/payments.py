"""Charge the card once.

A client that hears nothing sends its payment again, and the network may deliver a payment twice. The shop charges the card for every
one that arrives. Let it recognize what it has charged for already; it must still answer, for the answer may have been lost.
"""

from quorate import Nat, Network, Scalarset, Spec, action, invariant, reachable, record, require


class Order(Scalarset, size=2):
    """What is paid for."""


class Charges(Nat, max=2):
    """How often the card was charged."""


@record
class Pay:
    order: Order


@record
class Paid:
    order: Order


class Payments(Spec):
    """Payments over a network that loses and repeats."""

    charged: dict[Order, Charges]
    confirmed: set[Order]
    network: Network[Pay | Paid] = Network(lossy=True)

    @action
    def pay(self, o: Order) -> None:
        require(o not in self.confirmed)
        self.network.send(Pay(o))

    @action(lane="shop")
    def charge(self, m: Pay) -> None:
        require(m in self.network)
        self.network.receive(m)
        self.charged[m.order] += 1
        self.network.send(Paid(m.order))

    @action
    def confirm(self, m: Paid) -> None:
        require(m in self.network)
        self.network.receive(m)
        self.confirmed.add(m.order)

    @invariant
    def charged_once(self, o: Order) -> bool:
        """No order is charged twice."""
        return self.charged[o] <= 1

    @invariant
    def confirmed_is_charged(self, o: Order) -> bool:
        """What is confirmed has been charged."""
        return o not in self.confirmed or self.charged[o] >= 1

    @reachable
    def all_confirmed(self) -> bool:
        """Every order gets through."""
        return len(self.confirmed) == len(Order)

    @reachable
    def the_answer_can_be_lost(self, o: Order) -> bool:
        """An order is charged, and its confirmation is not on the wire."""
        return self.charged[o] == 1 and o not in self.confirmed and Paid(o) not in self.network
