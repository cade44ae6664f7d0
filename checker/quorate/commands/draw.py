"""`quorate draw`: a stored trace as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from quorate.commands._options import Explicit, seeing_options
from quorate.commands._show import known_variables
from quorate.outcome import Exit


@click.command("draw", cls=Explicit)
@click.argument("trace", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where to: .svg, .png, .pdf, .dot (Graphviz source) or .html (a page with picture and text).",
)
@click.option("--spec", metavar="SPEC", help="With --show, the specification, if not the one that the trace names.")
@seeing_options
def command(trace: Path, output: Path, spec: str | None, show: tuple[str, ...], hide: tuple[str, ...]) -> Exit:
    """Draw a stored TRACE.json as a space-time diagram.

    With --show the run is taken again, which imports its specification: of what a trace names only protocols of `quorate list` and
    files below the working directory, of what `--spec` names any file.
    """
    from quorate.errors import UsageError
    from quorate.explore.replay import with_values
    from quorate.loading import load, load_named
    from quorate.report.diagram import spacetime
    from quorate.report.page import trace_page
    from quorate.report.render import render
    from quorate.trace import Trace

    stored = Trace.load(trace)
    known_variables(stored, hide)
    if show:
        cls = (load(spec) if spec is not None else load_named(stored.spec)).variant(stored.variant)
        stored = with_values(stored, cls, show)
    if output.suffix != ".html":
        render(spacetime(stored, hide), output)
        return Exit.SUCCESS
    partial = output.with_name(output.name + ".partial")
    try:
        partial.write_text(trace_page(stored, hide), encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise UsageError(f"Cannot write {output}: {error.strerror}.") from None
    return Exit.SUCCESS
