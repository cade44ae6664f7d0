"""Atomic commitment and transactions."""
