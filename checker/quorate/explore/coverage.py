"""What ran and what decided, from the counters of an engine: the places of the source, with what a reader should look at.

A statement that never runs, and a condition of an action that is always true or always false where it is asked, is such a finding: either
no reachable state needs it at these bounds, or it does not do what its author thinks. Conditions are asked from the left, so that one
which is always true is so where all before it are. In a property that holds most conditions are always true, and that is what it claims;
what is never asked there makes it hold for want of a case.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Sequence

from quorate.errors import SpecError, UsageError
from quorate.language.system import System
from quorate.model import build
from quorate.model.points import Point, Points
from quorate.outcome import Block, Counted, Coverage, Finding


def countable(system: System) -> None:
    """Raise UsageError if there is no typed model to count in."""
    try:
        build(system)
    except SpecError as reason:
        raise UsageError(
            f"Coverage is counted in the typed model, which does not cover this specification. {reason} That is without coverage."
        ) from None


def coverage(system: System, counters: Sequence[int], reduced: bool) -> Coverage:
    """The counters that an engine gave (`quorate.model.points`), at their places; `reduced` if states stood for orbits."""
    points = Points(build(system)).all
    pairs = [(counters[2 * i], counters[2 * i + 1]) if counters else (0, 0) for i in range(len(points))]
    counted: list[Counted] = []
    runs = False  # Whether the statement around a condition does: the last before it.
    for point, pair in sorted(zip(points, pairs, strict=True), key=lambda one: _place(one[0])):
        runs = runs if point.is_condition else pair[0] > 0
        counted.append(_counted(point, pair, runs, reduced))
    return Coverage(tuple(counted), tuple(_blocks(counted)))


def _place(point: Point) -> tuple[str, int, int, bool]:
    return (point.location.file, point.location.line, point.location.column, point.is_condition)


def _counted(point: Point, counters: tuple[int, int], line_runs: bool, reduced: bool) -> Counted:
    runs, finding = sum(counters), _finding(point, *counters, line_runs)
    unsure = reduced and point.in_order and finding != ""
    if not point.is_condition:
        return Counted(point.location, "statement", runs, acts=point.acts, finding=finding, of_representatives=unsure)
    return Counted(point.location, "condition", runs, *counters, point.acts, finding, unsure)


def _finding(point: Point, false: int, true: int, line_runs: bool) -> Finding:
    """What there is to look at. Of a line that never runs, that is enough to say."""
    if not point.is_condition:
        return "" if false else "never runs"
    if not false and not true:
        return "never asked" if line_runs else ""
    if not point.acts:
        return ""
    return "always true" if not false else "always false" if not true else ""


def _blocks(points: Sequence[Counted]) -> Iterator[Block]:
    """The functions around the points, in the order of their files and lines."""
    lines: dict[str, set[int]] = {}
    for point in points:
        lines.setdefault(point.location.file, set()).add(point.location.line)
    for file, wanted in lines.items():
        source = linecache.getlines(file)
        functions = [node for node in ast.walk(ast.parse("".join(source))) if isinstance(node, ast.FunctionDef)]
        for node in sorted(functions, key=lambda node: node.lineno):
            last = node.end_lineno or node.lineno
            if any(node.lineno <= line <= last for line in wanted):
                yield Block(
                    file, node.name, node.lineno, tuple(line.rstrip("\n") for line in source[node.lineno - 1 : last])
                )
