"""Outcomes on the terminal and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from checker.outcome import Failed, Outcome, Unfinished, Violated


def shown(outcome: Outcome, form: str) -> str:
    """One outcome in a format of `--format`."""
    if form == "json":
        return json.dumps(facts(outcome), indent=1)
    return text(outcome)


def facts(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a JSON object."""
    trace = getattr(outcome, "trace", None)
    return {"spec": outcome.spec, "variant": outcome.variant, "bounds": outcome.bounds, "engine": outcome.engine,
            "symmetry": list(outcome.symmetry), "verdict": outcome.verdict, "property": getattr(outcome, "property", None),
            "states": outcome.statistics.states, "transitions": outcome.statistics.transitions, "depth": outcome.statistics.depth,
            "cuts": outcome.statistics.cuts, "actions": outcome.statistics.actions,
            "seconds": round(outcome.statistics.seconds, 3),
            "notes": list(outcome.notes), "trace": trace.to_json() if trace is not None else None}


def text(outcome: Outcome) -> str:
    """An outcome for people."""
    statistics = outcome.statistics
    lines: list[str] = []
    trace = getattr(outcome, "trace", None)
    if trace is not None:
        for step in trace.steps:
            arguments = ", ".join(f"{name}={json.dumps(value)}" for name, value in step.arguments.items())
            lines.append(f"{step.index:>3}  {step.action}({arguments})")
            lines.extend(f"       {change.variable}{list(change.key) or ''}: {json.dumps(change.old)} -> {json.dumps(change.new)}"
                         for change in step.changes)
    what = outcome.property if isinstance(outcome, Violated) else outcome.message if isinstance(outcome, Failed) else \
        outcome.reason if isinstance(outcome, Unfinished) else ""
    lines.append(f"{outcome.spec}{'' if outcome.variant is None else f' ({outcome.variant})'}: {outcome.verdict} {what}".rstrip())
    lines.append(f"{statistics.states:,} states, {statistics.transitions:,} transitions, "
                 f"depth {statistics.depth}, cuts {statistics.cuts}, "
                 f"{statistics.seconds:.1f} s, bounds {outcome.bounds}, symmetry {', '.join(outcome.symmetry) or 'off'}")
    lines.extend(f"note: {note}" for note in outcome.notes)
    return "\n".join(lines)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
