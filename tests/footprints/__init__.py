"""Footprints against what CPython really reads and writes, and against both orders of independent steps."""
