"""`quorate draw`: a stored trace as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from quorate.commands._options import Explicit, seeing_options
from quorate.commands._show import known_variables
from quorate.outcome import Exit
from quorate.trace import Json

STATES, LOG, PAGE = ".itf.json", ".shiviz", ".html"
"""Ends of the names of files that are no pictures."""


@click.command("draw", cls=Explicit)
@click.argument("trace", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where to: .svg, .png, .pdf, .dot (Graphviz source), .html (a page to step through), .itf.json (the states in "
    "the Informal Trace Format of Apalache and Quint) or .shiviz (a log with vector clocks for ShiViz).",
)
@click.option(
    "--spec",
    metavar="SPEC",
    help="With --show and for .itf.json, the specification, if not the one that the trace names.",
)
@seeing_options
def command(trace: Path, output: Path, spec: str | None, show: tuple[str, ...], hide: tuple[str, ...]) -> Exit:
    """Draw a stored TRACE.json as a space-time diagram, or write it for other tools.

    With --show and for .itf.json the run is taken again, which imports its specification: of what a trace names only protocols
    of `quorate list` and files below the working directory, of what `--spec` names any file.
    """
    from quorate.commands._stored import specification
    from quorate.explore.traces.replay import states_of, with_values
    from quorate.report.diagram import spacetime
    from quorate.report.itf import itf
    from quorate.report.render import render, write
    from quorate.report.run_page import run_page
    from quorate.report.shiviz import shiviz
    from quorate.trace import Trace

    stored = Trace.load(trace)
    known_variables(stored, hide)
    states: list[dict[str, Json]] = []
    of_states = output.name.endswith(STATES)
    if show or of_states:
        cls = specification(stored, spec, stored.variant)
        states = states_of(stored, cls) if of_states else []
        stored = with_values(stored, cls, show) if show else stored
    if of_states:
        write(output, itf(stored, states, hide))
    elif output.suffix == LOG:
        write(output, shiviz(stored))
    elif output.suffix == PAGE:
        write(output, run_page(stored, hide))
    else:
        render(spacetime(stored, hide), output)
    return Exit.SUCCESS
