"""Reads by predicate: a step `["rp", predicate, {key: value}]` that shows every key of a kind, with what it holds.

A predicate is about keys, so that what it does not show is known, too: each key that it covers and does not show was not
there yet. `null` covers every key, `["prefix", "acct-"]` those texts, `["range", 10, 19]` the numbers or the texts from the
first to the last. Keys that are no texts are shown as pairs, `[[10, "a"], [12, "b"]]`.

In Adya's terms (1999, section 3.1) each key that is shown is read as an item, and each key that is covered and not shown is
in the version set of the predicate with its unborn version: who writes it is an anti-dependency by predicate. Predicates
about values are refused: of what they do not show, the version is not known.
"""

from __future__ import annotations

from collections.abc import Callable

from quorate.consistency.history import Operation, misfit, show
from quorate.consistency.values import Map, Value, word

FORMS = "null (every key), [prefix, text] or [range, first, last]"


def coverage(operation: Operation, predicate: Value) -> Callable[[Value], bool]:
    """Whether a predicate covers a key. Raises `HistoryError` for one that is none of `FORMS`."""
    if predicate is None:
        return lambda key: True
    if isinstance(predicate, tuple) and predicate:
        kind, *bounds = predicate
        if word(kind) == "prefix" and len(bounds) == 1 and isinstance(bounds[0], str):
            start = bounds[0]
            return lambda key: isinstance(key, str) and key.startswith(start)
        if word(kind) == "range" and len(bounds) == 2:
            first, last = bounds
            if isinstance(first, str) and isinstance(last, str):
                return lambda key: isinstance(key, str) and first <= key <= last
            if isinstance(first, (int, float)) and isinstance(last, (int, float)):
                return lambda key: isinstance(key, (int, float)) and first <= key <= last
    raise misfit(operation, f"A read by predicate has the predicate {show(predicate)}, which is not {FORMS}.")


def pairs(operation: Operation, predicate: Value, shown: Value) -> dict[Value, Value]:
    """What a read by predicate shows. Raises `HistoryError` for what is no answer to it."""
    items = tuple(shown.items) if isinstance(shown, Map) else shown
    if not isinstance(items, tuple) or not all(isinstance(item, tuple) and len(item) == 2 for item in items):
        raise misfit(operation, f"A read by predicate shows a map or a list of pairs, not {show(shown)}.")
    found: dict[Value, Value] = dict(items)
    if len(found) < len(items):
        raise misfit(operation, f"A read by predicate shows a key twice: {show(shown)}.")
    covers = coverage(operation, predicate)
    for key, value in found.items():
        if not covers(key):
            raise misfit(
                operation, f"A read by predicate {show(predicate)} shows {show(key)}, which it does not cover."
            )
        if value is None or value == ():
            raise misfit(
                operation,
                f"A read by predicate shows {show(key)} with {show(value)}; a key that holds nothing is left out.",
            )
    return found
