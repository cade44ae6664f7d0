"""What the command line offers of the shop."""

from quorate_impl.shop.actions import ACTIONS, LOAD_SETTINGS, LOADS, show

__all__ = ["ACTIONS", "LOADS", "LOAD_SETTINGS", "show"]
