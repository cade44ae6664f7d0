"""Results as a notebook shows them: a run as its picture, an outcome as its words with the picture of its run."""

from __future__ import annotations

from html import escape

from quorate.consistency.verdict import Verdict
from quorate.consistency.verdict import Violated as Inconsistent
from quorate.errors import UsageError
from quorate.explore.simulate import Simulation
from quorate.outcome import Outcome
from quorate.report import history
from quorate.report.diagram import spacetime
from quorate.report.machine import traces_of
from quorate.report.render import svg as drawn
from quorate.report.text import outcome_text, trace_text
from quorate.trace import Trace

STYLE = "font-family: ui-monospace, monospace; white-space: pre-wrap; line-height: 1.4"


def svg(result: object) -> str | None:
    """The picture of a run, or of a history that violates its level; None for what has none, and for runs too long to be drawn."""
    if isinstance(result, Trace):
        try:
            return drawn(spacetime(result))
        except UsageError:
            return None
    if isinstance(result, Inconsistent):
        view = history.timeline_of(result)
        return drawn(history.timeline(view)) if view is not None else None
    return None


def html(result: object) -> str:
    """A result in words, with its pictures. Raises LookupError for what no notebook is shown."""
    if isinstance(result, Outcome):
        return _words(outcome_text(result)) + "".join(map(_picture, traces_of(result)))
    if isinstance(result, Simulation):
        run = result.violation or result.last
        head = f"{result.runs:,} runs, {result.steps:,} steps, seed {result.seed}, {result.engine} engine"
        return _words(head) + (_picture(run) if run is not None else "")
    if isinstance(result, Verdict):
        picture = svg(result)
        return _words(history.text(result)) + (_inline(picture) if picture is not None else "")
    raise LookupError(f"{type(result).__name__} has no form for notebooks")


def _words(text: str) -> str:
    return f'<div style="{STYLE}">{escape(text.strip())}</div>\n'


def _picture(trace: Trace) -> str:
    picture = svg(trace)
    return _inline(picture) if picture is not None else _words(trace_text(trace))


def _inline(picture: str) -> str:
    return f'<figure style="margin: 8px 0; overflow-x: auto">{picture[picture.index("<svg") :]}</figure>\n'
