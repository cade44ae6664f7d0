"""The point of no return in words."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.explore.no_return import Escape, NoReturn
from quorate.explorer.stage import Node

SHOWN_MAX = 3
"""So many steps of a way out are told."""


def returning(nodes: Sequence[Node], found: NoReturn, last: int) -> str:
    """The point of no return of a run of `last` steps, and a way out just before it."""
    if found.step is None:
        return f"Not found in time, among {found.states:,} states."
    if found.step == 0:
        return "Every run from its first state on violates it."
    late = "with it, it is violated" if found.step == last else "from then on no continuation avoids it"
    return f"The point of no return is step {found.step}: before it, a run can still avoid it ({_way(nodes, found)}); {late}."


def returning_fairly(nodes: Sequence[Node], without: NoReturn, found: NoReturn) -> str:
    """The same among fair runs, beside what is so `without` fairness."""
    if found.step is None:
        return f"Among fair runs it was not found in time, among {found.states:,} states."
    if found.step == 0:
        return "Every fair run from its first state on violates it."
    if found.step == without.step:
        return "Among fair runs it is the same."
    return f"Among fair runs it is step {found.step}: before it, a fair run can still avoid it ({_way(nodes, found)})."


def _way(nodes: Sequence[Node], found: NoReturn) -> str:
    escape = found.escape
    assert isinstance(escape, Escape)
    lanes = nodes[0].tracer.lanes
    calls = [f"{action.name} {lanes.of_step(action, arguments)}" for action, arguments in escape.steps[:SHOWN_MAX]]
    return f"{', '.join([*calls, *(['…'] if len(escape.steps) > SHOWN_MAX else [])])}; {escape.way.value}"
