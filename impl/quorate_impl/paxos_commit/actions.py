"""What the command line offers of the shop."""

from quorate_impl.shop.actions import ACTIONS, show

__all__ = ["ACTIONS", "show"]
