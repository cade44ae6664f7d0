"""`quorate explore`: step through a protocol in the browser."""

from __future__ import annotations

import os
from pathlib import Path

import click

from quorate.commands._options import Explicit, bound_option, variant_option
from quorate.outcome import Exit


@click.command("explore", cls=Explicit)
@click.argument("spec")
@variant_option
@bound_option
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Begin with the run of a stored trace, at its bounds.",
)
@click.option("--terminal", is_flag=True, help="Step through it here, as plain text.")
@click.option("--browser/--no-browser", default=True, help="Open the page, or only print its address.")
def command(
    spec: str, variant: str | None, bounds: dict[str, int], trace: Path | None, terminal: bool, browser: bool
) -> Exit:
    """Step through SPEC in the browser: what can happen, what cannot and why, and the space-time diagram as it grows.

    The page is served to this machine only, at an address that nobody can guess, until Ctrl-C.
    """
    from quorate.explorer.server import Server
    from quorate.explorer.session import Session
    from quorate.explorer.stage import Run
    from quorate.loading import load
    from quorate.trace import Trace

    stored = Trace.load(trace) if trace is not None else None
    if stored is not None:
        variant = variant if variant is not None else stored.variant
        bounds = stored.bounds | bounds
    session = Session(load(spec), bounds, os.cpu_count() or 1, variant)
    run = Run.of(stored) if stored is not None else Run({}, ())
    if terminal:
        from quorate.commands._stepper import step_through

        step_through(session, variant, run)
        return Exit.SUCCESS
    session.begin(run)
    with Server(session) as server:
        click.echo(f"{server.address}")
        if browser:
            import webbrowser

            webbrowser.open(server.address)
        click.echo("Ctrl-C ends it.", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            session.stop()
    return Exit.SUCCESS
