"""What the command line offers of the shop."""

from __future__ import annotations

from quorate_impl.core import Message
from quorate_impl.runtime.protocols import Action, Shown
from quorate_impl.shop.messages import Answer, Facts, Order, Place, Status


def _buy(lines: str) -> Place:
    """From `n1=2,n2=1`. Raises `ValueError`."""
    found: dict[str, int] = {}
    for line in lines.split(","):
        inventory, _, units = line.partition("=")
        if not units.isdecimal() or int(units) == 0 or inventory in found:
            raise ValueError(f"A purchase is of units of inventories, such as n1=2,n2=1, not {lines!r}.")
        found[inventory] = int(units)
    return Place("", 0, found)


ACTIONS = {
    "buy": Action(("LINES",), "So many units of each inventory, or nothing: n1=2,n2=1.", _buy),
    "status": Action((), "What the coordinator knows of itself, or another node with --server.", lambda: Status()),
}

LOADS = {
    "one line": lambda key, value: Place("", 0, {"n1": 1}),
    "two lines": lambda key, value: Place("", 0, {"n1": 1, "n2": 1}),
}
"""Purchases, whatever the key and the value."""

LOAD_SETTINGS = {"stock": "1000000000"}


def show(result: Message) -> Shown:
    """An answer in words; exit code 1 if nothing was bought."""
    match result:
        case Answer(_, _, order):
            return Shown(order.value, 0 if order is Order.CONFIRMED else 1)
        case Facts(facts):
            return Shown("\n".join(f"{name:16} {'-' if value is None else value}" for name, value in facts.items()))
    raise AssertionError(result)
