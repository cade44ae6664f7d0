"""Consensus: a group of processes agrees on one value, or on one log."""
