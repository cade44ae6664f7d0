"""Orders and stock: runs by hand, what is recorded of explorations, and the proof for any size."""

import pytest
from quorate import Disabled
from quorate.language.spec import Spec
from quorate_specs.transactions.order_inventory import (
    AsPublished,
    Client,
    CompensatesTwice,
    Conclude,
    DualWrite,
    Hold,
    IgnoresKey,
    Key,
    KeyPerAttempt,
    NobodyCountsRows,
    NoMarkOfRelease,
    Order,
    OrderInventory,
    Place,
    Quantity,
    Reserve,
    Reserved,
    Saga,
    Stock,
)

from tests.specs.figures import broken, explored

SMALL = {"Client": 2, "Key": 2, "Quantity": 1, "Stock": 2}
C, D, *_ = Client
K, L, *_ = Key
ONE = Quantity(1)


def ordered(spec: type[OrderInventory]) -> OrderInventory:
    """One unit on the shelf, two clients who want it, two pending orders, and the first is reserved."""
    run = spec()
    run.stocked(Stock(1))
    for client, key in ((C, K), (D, L)):
        run.ask(client, key, ONE)
        run.insert_order(Place(client, key, ONE))
    run.reserve(Reserve(K, ONE))
    return run


def test_the_last_unit_is_reserved_once() -> None:
    run = ordered(OrderInventory)
    run.reserve(Reserve(L, ONE))
    assert (run.reserved, run.hold[L]) == (1, Hold.REFUSED)
    run.close_order(Reserved(L, False))
    run.close_order(Reserved(K, True))
    run.sell(Conclude(K, True))
    assert (run.available, run.reserved) == (0, 0)
    assert (run.order[K], run.order[L]) == (Order.CONFIRMED, Order.REJECTED)


def test_the_published_statements_reserve_it_twice() -> None:
    run = ordered(AsPublished.bounded(Client=3, Key=3))
    run.reserve(Reserve(L, ONE))
    assert (run.available, run.reserved) == (1, 2)


def test_a_retry_is_the_same_message_and_the_same_order() -> None:
    run = ordered(OrderInventory)
    before = len(run.network)
    run.retry(C, K)
    assert len(run.network) == before
    with pytest.raises(Disabled):
        run.insert_order(Place(C, K, ONE))
    with pytest.raises(Disabled):
        run.reserve(Reserve(K, ONE))


def test_a_release_that_comes_first_keeps_the_reservation_from_being_made() -> None:
    run = ordered(OrderInventory)
    run.cancel(L)
    run.release(Conclude(L, False))
    with pytest.raises(Disabled):
        run.reserve(Reserve(L, ONE))


def test_a_saga_shows_an_empty_shelf_before_anybody_has_bought_and_fills_it_again() -> None:
    run = ordered(Saga)
    assert (run.available, run.order[K]) == (0, Order.PENDING)
    run.cancel(K)
    run.release(Conclude(K, False))
    assert run.available == 1
    with pytest.raises(Disabled):
        run.release(Conclude(K, False))


@pytest.mark.library
@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (AsPublished, ("never_oversold", 6)),
        (NobodyCountsRows, ("confirmed_orders_have_their_units", 4)),
        (KeyPerAttempt, ("bought_once", 4)),
        (IgnoresKey, ("units_are_counted", 4)),
        (NoMarkOfRelease, ("cancelled_units_come_back", 6)),
        (DualWrite, ("cancelled_units_come_back", 5)),
        (CompensatesTwice, ("units_are_counted", 6)),
    ],
)
def test_shortest_counterexamples_keep_their_lengths(spec: type[Spec], found: tuple[str, int]) -> None:
    assert broken(spec) == found


@pytest.mark.library
@pytest.mark.parametrize("spec", [OrderInventory, Saga])
def test_both_engines_explore_the_same_states(spec: type[Spec]) -> None:
    small = spec.bounded(**SMALL)
    assert explored(small, "native") == explored(small, "reference") == (367, 1302, 12)
