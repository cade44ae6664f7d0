"""Why an action is not possible: the `require` that is false, and the values that make it so."""

from __future__ import annotations

import ast
import linecache
import traceback
from types import FrameType, TracebackType

from quorate.errors import Location
from quorate.explore.traces.refusals import condition_at, decisive, value_in
from quorate.explore.traces.witnesses import plain_json
from quorate.language.control import Disabled, require
from quorate.language.networks import Wire
from quorate.language.system import Arguments, Method, State, System
from quorate.trace import Json

SHOWN_MAX = 400
"""Longer values, as text, are not shown."""

Found = tuple[str, tuple[tuple[str, Json], ...], Location | None]


def explain_guard(system: System, state: State, action: Method, arguments: Arguments) -> Found:
    """A sentence that names the condition that is false, the values of its operands, and its place."""
    draft, _ = system.draft(state)
    try:
        action.function(draft, *arguments)
    except Disabled as error:
        frame, summary = _frame(error.__traceback__)
        return _explained(frame, summary)
    return "it is not possible here", (), None


def _frame(trace: TracebackType | None) -> tuple[FrameType, traceback.FrameSummary]:
    """Where `require` was called."""
    frames = [
        (frame, summary) for frame, summary in zip(traceback.walk_tb(trace), traceback.extract_tb(trace), strict=True)
    ]
    called = [pair for pair in frames if pair[0][0].f_code is not require.__code__]
    return called[-1][0][0], called[-1][1]


def _explained(frame: FrameType, summary: traceback.FrameSummary) -> Found:
    line, end = summary.lineno or 0, summary.end_lineno or summary.lineno or 0
    text = "\n".join(linecache.getline(summary.filename, number).rstrip("\n") for number in range(line, end + 1))
    location = Location(summary.filename, line, summary.colno or 0, 1, text.split("\n")[0])
    condition = condition_at(frame, line)
    if condition is None:
        return f"its guard is false: {text.strip()}", (), location
    part = decisive(condition, frame)
    return f"its guard is false: {ast.unparse(part)}", tuple(_operands(part, frame)), location


def _operands(condition: ast.expr, frame: FrameType) -> list[tuple[str, Json]]:
    """What the comparisons of a condition compare, and what it is asked with."""
    parts: list[ast.expr] = []
    for node in ast.walk(condition):
        if isinstance(node, ast.Compare):
            parts += [node.left, *node.comparators]
        elif isinstance(node, ast.Call):
            parts += node.args
    found: dict[str, Json] = {}
    for part in parts:
        try:
            if isinstance(part, ast.Constant | ast.GeneratorExp) or _is_member(part, frame):
                continue
            value = value_in(part, frame)
        except Exception:  # It needs a name that only a comprehension binds.
            continue
        if not isinstance(value, Wire | type) and len(repr(value)) <= SHOWN_MAX:
            found[ast.unparse(part)] = plain_json(value)
    return list(found.items())


def _is_member(node: ast.expr, frame: FrameType) -> bool:
    """Whether an expression is a member of a class, such as `Role.LEADER`: what it says is its value."""
    return isinstance(node, ast.Attribute) and isinstance(value_in(node.value, frame), type)
