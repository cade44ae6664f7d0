"""`quorate check`: explore, judge, show."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._live import watching
from quorate.commands._options import bound_option, format_option, limit_options, limits, variant_option
from quorate.commands._show import Folder, show
from quorate.outcome import Outcome

if TYPE_CHECKING:
    from quorate.language.spec import Spec


@click.command("check")
@click.argument("spec")
@variant_option
@bound_option
@click.option(
    "--engine", default="auto", show_default=True, metavar="auto|reference|native", help="The engine that explores."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Threads of the native engine; one for each core without this.",
)
@click.option(
    "--symmetry/--no-symmetry", default=True, show_default=True, help="Explore orbits of interchangeable identities."
)
@limit_options
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a checkpoint there every minute and when the search is ended; the native engine only.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint.")
@click.option(
    "--store",
    default="exact",
    show_default=True,
    metavar="exact|fingerprint",
    help="Keep 64 bits of each state instead of all of it: less memory, and a small probability, which is told, that a "
    "state is missed. The native engine only.",
)
@click.option(
    "--without",
    multiple=True,
    hidden=True,
    metavar="SAVING",
    help="Switch off a saving of the native engine, to hold its answers.",
)
@click.option(
    "--keep-c", type=click.Path(path_type=Path), metavar="FILE", help="Write the C that the native engine compiles."
)
@format_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write trace.json and diagram.svg of a violation there.",
)
def command(
    spec: str,
    variant: str | None,
    bounds: dict[str, int],
    engine: str,
    workers: int | None,
    symmetry: bool,
    max_states: int | None,
    max_time: float | None,
    max_memory: float | None,
    checkpoint: Path | None,
    resume: bool,
    store: str,
    without: tuple[str, ...],
    keep_c: Path | None,
    form: str,
    out: Path | None,
) -> None:
    """Explore SPEC exhaustively at its bounds and check every property.

    SPEC is a name from `quorate list`, a file, or file.py:Class. Exit codes: 0 every property holds, 1 one is
    violated, 2 the usage or the specification is wrong, 3 unfinished (a limit, or Ctrl-C, which gives the partial
    result).
    """
    from quorate.explore import Checkpoint, Naming, check
    from quorate.loading import load

    cls = load(spec).variant(variant).bounded(**bounds)
    folder = Folder(out) if out is not None else None
    if resume and checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint FILE.")
    if keep_c is not None:
        _keep_c(cls, symmetry, keep_c)
    with watching(limits(max_states, max_time, max_memory)) as watch:
        watch.store, watch.without = store, frozenset(without)
        if checkpoint is not None:
            watch.checkpoint = Checkpoint(checkpoint, resume=resume)
        outcome = check(
            cls,
            engine=engine,
            symmetry=symmetry,
            watch=watch,
            workers=workers or os.cpu_count() or 1,
            naming=Naming(spec, variant),
        )
    show(outcome, form, with_trace=folder is None)
    if folder is not None:
        _save(outcome, folder)
    sys.exit(outcome.exit_code)


def _keep_c(cls: type[Spec], symmetry: bool, file: Path) -> None:
    from quorate.explore.checking import symmetric_sorts
    from quorate.explore.native.search import keep_source
    from quorate.language.system import System

    system = System(cls)
    with system:
        keep_source(system, symmetric_sorts(system)[0] if symmetry else (), file)
    click.echo(f"wrote {file}", err=True)


def _save(outcome: Outcome, folder: Folder) -> None:
    from quorate.report.machine import trace_of

    trace = trace_of(outcome)
    if trace is None:
        folder.discard()
        return
    for file in folder.save(trace):
        click.echo(f"wrote {file}", err=True)
