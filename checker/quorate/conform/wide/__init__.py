"""Specifications without bounds of their own: what a running program is held to."""
