"""Programs held to their specs."""
