"""`quorate check`: explore, judge, show."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from checker.commands._live import watching
from checker.commands._options import bound_option, format_option, limit_options, limits, variant_option
from checker.commands._show import Folder, show
from checker.outcome import Outcome


@click.command("check")
@click.argument("spec")
@variant_option
@bound_option
@click.option("--engine", default="auto", show_default=True, metavar="auto|reference|native", help="The engine that explores.")
@click.option("--workers", type=click.IntRange(min=1), default=None, metavar="N", help="Threads of the native engine.")
@click.option("--symmetry/--no-symmetry", default=True, show_default=True,
              help="Explore orbits of interchangeable identities.")
@limit_options
@format_option
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Write trace.json and diagram.svg of a violation there.")
def command(spec: str, variant: str | None, bounds: dict[str, int], engine: str, workers: int | None, symmetry: bool,
            max_states: int | None, max_time: float | None, max_memory: float | None, form: str, out: Path | None) -> None:
    """Explore SPEC exhaustively at its bounds and check every property.

    SPEC is a name from `quorate list`, a file, or file.py:Class. Exit codes: 0 every property holds, 1 one is
    violated, 2 the usage or the specification is wrong, 3 unfinished (a limit, or Ctrl-C, which gives the partial
    result).
    """
    from checker.explore import Naming, check
    from checker.loading import load

    cls = load(spec).variant(variant).bounded(**bounds)
    folder = Folder(out) if out is not None else None
    with watching(limits(max_states, max_time, max_memory)) as watch:
        outcome = check(cls, engine=engine, symmetry=symmetry, watch=watch, workers=workers or 1, naming=Naming(spec, variant))
    show(outcome, form, with_trace=folder is None)
    if folder is not None:
        _save(outcome, folder)
    sys.exit(outcome.exit_code)


def _save(outcome: Outcome, folder: Folder) -> None:
    from checker.report.machine import trace_of

    trace = trace_of(outcome)
    if trace is None:
        folder.discard()
        return
    for file in folder.save(trace):
        click.echo(f"wrote {file}", err=True)
