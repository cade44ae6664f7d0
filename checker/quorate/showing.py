"""What results show of themselves in a notebook: `_repr_html_` and `_repr_svg_` ask here.

What they look like is decided in `quorate.report`, which stands above the results; it is found by name, when a notebook asks.
"""

from __future__ import annotations

from importlib import import_module


def shown(form: str, result: object) -> str | None:
    """A result as `html` or `svg`; None if it has no such form."""
    found: str | None = getattr(import_module("quorate.report.notebook"), form)(result)
    return found
