"""Transactions: versions inferred from what was read, dependency graphs, and the levels defined by their cycles."""
