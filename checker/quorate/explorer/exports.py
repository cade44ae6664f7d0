"""A run as a file to keep: the trace, a picture, a page, or a test that takes it again."""

from __future__ import annotations

import json
from collections.abc import Callable

from quorate.report.diagram import spacetime
from quorate.report.render import svg
from quorate.report.run_page import run_page
from quorate.trace import Trace

ESCAPED = "backslashreplace"
"""How lone surrogates are written, which UTF-8 has not (as `files.write_whole` does)."""


def _json(trace: Trace) -> bytes:
    return (json.dumps(trace.to_json(), indent=1, ensure_ascii=False) + "\n").encode("utf-8", ESCAPED)


def _svg(trace: Trace) -> bytes:
    return svg(spacetime(trace)).encode("utf-8", ESCAPED)


def _page(trace: Trace) -> bytes:
    return run_page(trace).encode("utf-8", ESCAPED)


def _pytest(trace: Trace) -> bytes:
    return pytest_module(trace).encode("utf-8", ESCAPED)


FILES: dict[str, tuple[str, str, Callable[[Trace], bytes]]] = {
    "json": ("application/json", ".json", _json),
    "svg": ("image/svg+xml", ".svg", _svg),
    "html": ("text/html", ".html", _page),
    "pytest": ("text/x-python", "_test.py", _pytest),
}
"""For each kind of file its media type, the end of its name, and what writes it."""


def pytest_module(trace: Trace) -> str:
    """A test that takes the run again: it fails when a step is not possible any more, does something else, or shows something else at
    its end."""
    steps = "\n".join(f"    {step.index:3} {step.action} {step.lane}" for step in trace.steps)
    shown = trace.property or "nothing is violated"
    return f'''"""A run of {trace.spec}{f", {trace.variant}" if trace.variant else ""}, step by step; at its end: {shown}.

{steps}
"""

import json

from quorate.explore.traces.replay import replay
from quorate.loading import load
from quorate.trace import Trace

TRACE = r"""
{json.dumps(trace.to_json(), ensure_ascii=True)}
"""


def test_the_run_happens_again() -> None:
    trace = Trace.from_json(json.loads(TRACE))
    found = replay(trace, load(trace.spec).variant(trace.variant))
    assert found.reproduced, found.message
'''
