"""`quorate draw`: a stored trace as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from quorate.commands._options import Explicit
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
def command(trace: Path, output: Path) -> Exit:
    """Draw a stored TRACE.json as a space-time diagram."""
    from quorate.errors import UsageError
    from quorate.report.diagram import spacetime
    from quorate.report.page import trace_page
    from quorate.report.render import render
    from quorate.trace import Trace

    stored = Trace.load(trace)
    if output.suffix != ".html":
        render(spacetime(stored), output)
        return Exit.SUCCESS
    partial = output.with_name(output.name + ".partial")
    try:
        partial.write_text(trace_page(stored), encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise UsageError(f"Cannot write {output}: {error.strerror}.") from None
    return Exit.SUCCESS
