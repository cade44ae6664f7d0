"""Locks, and requests that take effect once."""
