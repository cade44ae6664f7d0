"""Order placement over two services: an order in one database, the stock that it needs in another.

A client asks the order service for some units of a product. The order service writes a pending order and asks the
inventory service to reserve the units (phase 1). If they are reserved, the order is confirmed and the inventory service
takes them off the shelf; if not, the order is rejected; if no answer comes in time, the order is cancelled and the
reservation, if there is one, released (phase 2). Each client gives its purchase an idempotency key, sends it again
until it hears an answer, and both services keep what they did under that key.

*Promise*, to the shop: never more units are reserved than are there; a confirmed order has its units, and units stay
held for no order that is closed. To the client: sending the same purchase again buys nothing more, and it gets an
answer. *Not promised*: that an order in time is not cancelled, nor that the last unit goes to the client who asked
first.

The network loses (never delivers), delays, reorders and repeats messages. Each step of a service is one transaction of
its own database, with the messages that it sends (an outbox), so that a crash between two steps loses nothing;
`DualWrite` is the service without one. There is one product: nothing here relates two of them.

Sources: Garcia-Molina & Salem 1987, "Sagas" (sections 2 and 5: compensation); Helland 2007, "Life beyond Distributed
Transactions" (tentative operations, messages that repeat). Where it went wrong: magento/inventory 3036, two buyers of
the last unit both succeed, since the reservation came after the order (`AsPublished`); woocommerce/woocommerce 44273,
stock falls to -1 with two windows open (`AsPublished`); KanishJebaMathewM/Truxify 14932, the API client makes a new
idempotency key for every retry, and the retry is a second order (`KeyPerAttempt`).
"""

from enum import Enum
from typing import ClassVar, Self

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    leads_to,
    lemma,
    reachable,
    record,
    require,
    step,
    violates,
)


class Client(Scalarset, size=3, prefix="c"):
    """Somebody who wants to buy once."""


class Key(Scalarset, size=3, prefix="k"):
    """The idempotency key of a request, and of the order and the reservation that come of it."""


class Quantity(Nat, max=2):
    """How many units a client wants."""


class Stock(Nat, max=2):
    """How many units there are, and how many of them are reserved."""


class Order(Enum):
    """The status of a row of the order service's table."""

    NONE = "none"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Hold(Enum):
    """The status of a row of the inventory service's table of reservations."""

    NONE = "none"
    HELD = "held"
    SOLD = "sold"
    REFUSED = "refused"
    RELEASED = "released"


@record
class Place:
    """A client asks for units, under a key."""

    client: Client
    key: Key
    quantity: Quantity


@record
class Reserve:
    """Phase 1: hold units for an order."""

    key: Key
    quantity: Quantity


@record
class Reserved:
    """The inventory service's answer: whether it holds the units."""

    key: Key
    granted: bool


@record
class Conclude:
    """Phase 2: sell the units, or release them."""

    key: Key
    sell: bool


@record
class Answer:
    """What the client is told: whether it has bought."""

    client: Client
    bought: bool


class OrderInventory(Spec):
    """Reservations that count what is reserved, under keys that both services keep.

    `available` is what is on the shelf, `reserved` how much of it is promised: the two columns of the stock table.
    """

    lanes = (Client, "orders", "inventory")

    available: Stock
    reserved: Stock
    stock: Stock
    order: dict[Key, Order]
    buyer: dict[Key, Client | None]
    ordered: dict[Key, Quantity]
    hold: dict[Key, Hold]
    held: dict[Key, Quantity]
    key: dict[Client, Key | None]
    wanted: dict[Client, Quantity]
    answered: set[Client]
    network: Network[Place | Reserve | Reserved | Conclude | Answer]

    @init
    def stocked(self, n: Stock) -> None:
        self.stock = n
        self.available = n

    # The clients

    @action(fair="weak", fair_per=("c",))
    def ask(self, c: Client, k: Key, q: Quantity) -> None:
        require(self.key[c] is None and q > 0 and self.is_fresh(k))
        self.key[c] = k
        self.wanted[c] = q
        self.network.send(Place(c, k, q))

    @action(mark="timeout")
    def retry(self, c: Client, k: Key) -> None:
        require(self.key[c] is not None and c not in self.answered and self.retries_under(c, k))
        self.network.send(Place(c, k, self.wanted[c]))

    def retries_under(self, c: Client, k: Key) -> bool:
        """Which key a client sends when it tries again: the one of its first attempt."""
        return self.key[c] == k

    def is_fresh(self, k: Key) -> bool:
        """Whether nobody has used a key: it is drawn at random."""
        return all(self.key[c] != k for c in Client) and all(
            Place(c, k, q) not in self.network for c in Client for q in Quantity
        )

    @action(fair="weak")
    def hear(self, c: Client, m: Answer) -> None:
        require(m in self.network)
        require(m.client == c and c not in self.answered)
        self.network.receive(m)
        self.answered.add(c)

    # Phase 1

    @action(lane="orders", fair="weak")
    def insert_order(self, m: Place) -> None:
        require(m in self.network)
        require(self.order[m.key] == Order.NONE)
        self.network.receive(m)
        self.order[m.key] = Order.PENDING
        self.buyer[m.key] = m.client
        self.ordered[m.key] = m.quantity
        self.network.send(Reserve(m.key, m.quantity))

    @action(lane="inventory", fair="weak")
    def reserve(self, m: Reserve) -> None:
        require(m in self.network)
        require(self.is_new(m.key))
        self.network.receive(m)
        if self.covers(m.quantity):
            self.hold[m.key] = Hold.HELD
            self.held[m.key] = m.quantity
            self.take(m.quantity)
            self.network.send(Reserved(m.key, True))
        else:
            self.hold[m.key] = Hold.REFUSED
            self.network.send(Reserved(m.key, self.grants_nothing()))

    def take(self, q: Quantity) -> None:
        """Hold units: they stay on the shelf, and nobody else is promised them."""
        self.reserved += q

    def is_new(self, k: Key) -> bool:
        """Whether the inventory service has done nothing under a key: a request that comes again changes nothing."""
        return self.hold[k] == Hold.NONE

    def covers(self, q: Quantity) -> bool:
        """`WHERE available - reserved >= q`: what others have been promised is not there."""
        return self.available - self.reserved >= q

    def grants_nothing(self) -> bool:
        """What is answered when no row was updated."""
        return False

    # Phase 2

    @action(lane="orders", fair="weak")
    def close_order(self, m: Reserved) -> None:
        require(m in self.network)
        require(self.order[m.key] == Order.PENDING)
        self.network.receive(m)
        self.order[m.key] = Order.CONFIRMED if m.granted else Order.REJECTED
        if m.granted:
            self.network.send(Conclude(m.key, True))
        self.reply(m.key, m.granted)

    @action(lane="orders", mark="timeout", fair="weak")
    def cancel(self, k: Key) -> None:
        require(self.order[k] == Order.PENDING)
        self.order[k] = Order.CANCELLED
        self.network.send(Conclude(k, False))
        self.reply(k, False)

    def reply(self, k: Key, bought: bool) -> None:
        """Tell the buyer."""
        for c in Client:
            if self.buyer[k] == c:
                self.network.send(Answer(c, bought))

    @action(lane="inventory", fair="weak")
    def sell(self, m: Conclude) -> None:
        require(m in self.network)
        require(m.sell and self.hold[m.key] == Hold.HELD and self.keeps_constraint(self.held[m.key]))
        self.network.receive(m)
        self.hold[m.key] = Hold.SOLD
        self.hand_over(self.held[m.key])

    def hand_over(self, q: Quantity) -> None:
        """Units that were held leave the shelf."""
        self.available -= q
        self.reserved -= q

    def keeps_constraint(self, q: Quantity) -> bool:
        """`CHECK (reserved >= 0)`: the database refuses anything else. It never has to: `confirmed_units_are_sold`."""
        return self.reserved >= q

    @action(lane="inventory", fair="weak")
    def release(self, m: Conclude) -> None:
        require(m in self.network)
        require(not m.sell and self.may_release(m.key) and self.keeps_constraint(self.held[m.key]))
        if self.hold[m.key] == Hold.NONE:
            self.find_nothing_to_release(m)
        else:
            self.network.receive(m)
            self.hold[m.key] = Hold.RELEASED
            self.give_back(self.held[m.key])

    def may_release(self, k: Key) -> bool:
        """Whether a release has something to do."""
        return self.hold[k] == Hold.HELD or self.hold[k] == Hold.NONE

    def find_nothing_to_release(self, m: Conclude) -> None:
        """A release that overtakes its reservation leaves a mark, and the reservation is not made."""
        self.network.receive(m)
        self.hold[m.key] = Hold.RELEASED

    def give_back(self, q: Quantity) -> None:
        """Units that were held are anybody's again."""
        self.reserved -= q

    # What is promised

    @invariant
    def never_oversold(self) -> bool:
        """Never more units are reserved than are there."""
        return self.reserved <= self.available

    @invariant
    def confirmed_orders_have_their_units(self, k: Key) -> bool:
        """Who has been told "bought" has the units: they are held or already sold."""
        return self.order[k] != Order.CONFIRMED or self.hold[k] == Hold.HELD or self.hold[k] == Hold.SOLD

    @invariant
    def no_units_without_an_order(self, k: Key) -> bool:
        """Units are held or sold only for an order that exists."""
        return (self.hold[k] != Hold.HELD and self.hold[k] != Hold.SOLD) or self.order[k] != Order.NONE

    @invariant
    def bought_once(self, a: Key, b: Key) -> bool:
        """However often a client sends its purchase, it has at most one order that is not closed in vain."""
        return (
            a == b
            or self.buyer[a] is None
            or self.buyer[a] != self.buyer[b]
            or not (self.is_live(a) and self.is_live(b))
        )

    def is_live(self, k: Key) -> bool:
        """Whether an order is pending or confirmed."""
        return self.order[k] == Order.PENDING or self.order[k] == Order.CONFIRMED

    @invariant
    def units_are_counted(self) -> bool:
        """The shelf holds the stock without what was sold, and as much is reserved as the reservations hold."""
        sold = sum(self.held[k] for k in Key if self.hold[k] == Hold.SOLD)
        held = sum(self.held[k] for k in Key if self.hold[k] == Hold.HELD)
        return self.columns_agree(sold, held)

    def columns_agree(self, sold: int, held: int) -> bool:
        """What the two columns are when so many units are sold, and so many held."""
        return self.available + sold == self.stock and self.reserved == held

    @step
    def answers_are_final(self, old: Self, k: Key) -> bool:
        """An order that is confirmed, rejected or cancelled stays so."""
        return old.order[k] == Order.NONE or old.order[k] == Order.PENDING or self.order[k] == old.order[k]

    @leads_to
    def purchases_are_answered(self, c: Client) -> tuple[bool, bool]:
        """Whoever asks is answered."""
        return self.key[c] is not None, Answer(c, True) in self.network or Answer(c, False) in self.network

    @leads_to
    def cancelled_units_come_back(self, k: Key) -> tuple[bool, bool]:
        """No units stay reserved for an order that was cancelled."""
        return self.order[k] == Order.CANCELLED, self.hold[k] != Hold.HELD and self.hold[k] != Hold.NONE

    @leads_to
    def confirmed_units_are_sold(self, k: Key) -> tuple[bool, bool]:
        """The units of a confirmed order leave the shelf."""
        return self.order[k] == Order.CONFIRMED, self.hold[k] == Hold.SOLD

    # Why it is so

    @lemma
    def keys_are_of_one_purchase(self, c: Client, k: Key, q: Quantity) -> bool:
        """What is sent or ordered under a key is the purchase of the client who made the key."""
        return self.key[c] == k or (Place(c, k, q) not in self.network and self.buyer[k] != c)

    @lemma
    def only_orders_are_reserved(self, m: Reserve) -> bool:
        """Units are asked for only for an order that exists."""
        return m not in self.network or self.order[m.key] != Order.NONE

    @lemma
    def granted_means_held(self, k: Key) -> bool:
        """An order whose units were granted has them, unless it has been cancelled."""
        taken = self.hold[k] == Hold.HELD or self.hold[k] == Hold.SOLD
        return Reserved(k, True) not in self.network or taken or self.order[k] == Order.CANCELLED

    @lemma
    def concluded_as_decided(self, k: Key) -> bool:
        """The inventory service is told to sell for confirmed orders, and to release for cancelled ones."""
        sells = Conclude(k, True) not in self.network or self.order[k] == Order.CONFIRMED
        return sells and (Conclude(k, False) not in self.network or self.order[k] == Order.CANCELLED)

    @reachable
    def sold_out(self, a: Key, b: Key) -> bool:
        """Two orders can share the stock, with nothing left."""
        return a != b and self.hold[a] == Hold.SOLD and self.hold[b] == Hold.SOLD and self.available == 0

    @reachable
    def cancelled_before_it_was_reserved(self, k: Key) -> bool:
        """A release can overtake the request to reserve."""
        return self.hold[k] == Hold.RELEASED and self.held[k] == 0

    @reachable
    def rejected(self, k: Key) -> bool:
        """An order that is too large for what is left can be rejected."""
        return self.order[k] == Order.REJECTED and self.stock > 0


class AsPublished(OrderInventory):
    """The article's two statements: reserve `WHERE available > 0`, and insert the order.

    The condition looks at what is on the shelf and not at what of it has been promised, so the last unit is
    reserved for everybody who asks before the first order is concluded. Nor does anybody look at how many rows the
    update has changed: the order is there in any case, which `NobodyCountsRows` shows alone.
    """

    expect = violates("never_oversold")
    omits = ("confirmed_orders_have_their_units", "confirmed_units_are_sold")
    bounds: ClassVar[dict[str, int]] = {"Client": 2, "Key": 2, "Quantity": 1, "Stock": 2}

    def covers(self, q: Quantity) -> bool:
        return self.available > 0

    def grants_nothing(self) -> bool:
        return True


class NobodyCountsRows(OrderInventory):
    """The second half of the article's mistake: an UPDATE that finds no row is no error, and counts as a reservation.

    With the right condition in its WHERE, and nothing on the shelf, the client is told that it has bought.
    """

    expect = violates("confirmed_orders_have_their_units")
    bounds: ClassVar[dict[str, int]] = {"Client": 2, "Key": 2, "Quantity": 1}

    def grants_nothing(self) -> bool:
        return True


class KeyPerAttempt(OrderInventory):
    """The library that sends requests makes the idempotency key, a new one for every attempt.

    The services do all that they should. But a retry is another purchase to them, and the client has bought twice what
    it wanted once.
    """

    expect = violates("bought_once")
    bounds: ClassVar[dict[str, int]] = {"Client": 1, "Key": 2, "Quantity": 1}

    def retries_under(self, c: Client, k: Key) -> bool:
        return self.is_fresh(k)


class IgnoresKey(OrderInventory):
    """The inventory service adds to `reserved` whenever it is asked, whatever it has done under this key.

    The network delivers one request twice. The units that the second delivery reserves belong to no order, and nothing
    will ever release them.
    """

    expect = violates("units_are_counted")
    bounds: ClassVar[dict[str, int]] = {"Client": 1, "Key": 1, "Quantity": 2}

    def is_new(self, k: Key) -> bool:
        return self.hold[k] == Hold.NONE or self.hold[k] == Hold.HELD


class NoMarkOfRelease(OrderInventory):
    """A release that finds no reservation is acknowledged and forgotten: there is no row to update.

    The request that it was meant to undo is still on its way. When it arrives, units are held for an order that has
    been cancelled before.
    """

    expect = violates("cancelled_units_come_back")
    omits = ("cancelled_before_it_was_reserved",)
    bounds: ClassVar[dict[str, int]] = {"Client": 1, "Key": 1, "Quantity": 1}

    def find_nothing_to_release(self, m: Conclude) -> None:
        self.network.drop(m)


class DualWrite(OrderInventory):
    """The order service writes its table first and sends the message afterwards, without an outbox.

    If it crashes in between, its table says "cancelled", and the inventory service never hears of it.
    """

    expect = violates("cancelled_units_come_back")
    bounds: ClassVar[dict[str, int]] = {"Client": 1, "Key": 1, "Quantity": 1}

    @action(lane="orders", mark="crash")
    def cancel_and_crash(self, k: Key) -> None:
        require(self.order[k] == Order.PENDING)
        self.order[k] = Order.CANCELLED
        self.reply(k, False)


class Saga(OrderInventory):
    """The same purchase as a saga: each service commits its step at once, and a step has a compensation that undoes it.

    Units leave the shelf when they are asked for, and come back if the order is cancelled. There is no column
    `reserved`. What others can see in between is the price: the shelf looks empty although nobody has bought.
    """

    def take(self, q: Quantity) -> None:
        self.available -= q

    def keeps_constraint(self, q: Quantity) -> bool:
        return True

    def hand_over(self, q: Quantity) -> None:
        return

    def give_back(self, q: Quantity) -> None:
        self.available += q

    def columns_agree(self, sold: int, held: int) -> bool:
        return self.available + sold + held == self.stock and self.reserved == 0


class CompensatesTwice(Saga):
    """A compensation without a key: units come back as often as the message arrives.

    The shop now sells units that do not exist.
    """

    expect = violates("units_are_counted")
    bounds: ClassVar[dict[str, int]] = {"Client": 1, "Key": 1, "Quantity": 2}

    def may_release(self, k: Key) -> bool:
        return super().may_release(k) or (self.hold[k] == Hold.RELEASED and self.held[k] > 0)
