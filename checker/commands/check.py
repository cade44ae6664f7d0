"""`quorate check`: explore, judge, show."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from checker.commands._live import watching
from checker.commands._options import bound_option, format_option, limit_options, limits
from checker.commands._show import shown
from checker.errors import UsageError


@click.command("check")
@click.argument("spec")
@click.option("--variant", metavar="NAME", help="A variant of the specification; `quorate list` shows them.")
@bound_option
@click.option("--engine", default="auto", show_default=True, metavar="auto|reference|native", help="The engine that explores.")
@click.option("--workers", type=click.IntRange(min=1), default=None, metavar="N", help="Threads of the native engine.")
@click.option("--symmetry/--no-symmetry", default=True, show_default=True, help="Explore orbits of interchangeable identities.")
@limit_options
@format_option
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Write trace.json and diagram.svg of a violation there.")
def command(spec: str, variant: str | None, bounds: dict[str, int], engine: str, workers: int | None, symmetry: bool,
            max_states: int | None, max_time: float | None, max_memory: float | None, form: str, out: Path | None) -> None:
    """Explore SPEC exhaustively at its bounds and check every property.

    SPEC is a name from `quorate list`, a file, or file.py:Class.
    """
    from checker.explore import Naming, check
    from checker.loading import load

    cls = load(spec).variant(variant).bounded(**bounds)
    if out is not None:
        writable(out)
    with watching(limits(max_states, max_time, max_memory)) as watch:
        outcome = check(cls, engine=engine, symmetry=symmetry, watch=watch, workers=workers or 1, naming=Naming(spec, variant))
    click.echo(shown(outcome, form))
    sys.exit(outcome.exit_code)


def writable(folder: Path) -> None:
    """Make the output directory. Raises UsageError if nothing can be written there."""
    probe = folder / ".quorate-probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(f"Cannot write into {folder}: {error.strerror}. Give another directory with --out.") from None
