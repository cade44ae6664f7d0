"""`quorate scenarios`: a few runs that cover a specification."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from quorate.commands._options import Explicit, bound_option, variant_option
from quorate.commands._show import Folder
from quorate.errors import UsageError
from quorate.outcome import Exit


@click.command("scenarios", cls=Explicit)
@click.argument("spec")
@variant_option
@bound_option
@click.option(
    "--cover",
    type=click.Choice(["actions", "edges", "pairs"]),
    default="actions",
    show_default=True,
    help="What happens at least once: every action, every transition, or every two actions that can follow each other.",
)
@click.option(
    "--length",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    metavar="STEPS",
    help="Begin a new run when one is so long.",
)
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=5_000,
    show_default=True,
    metavar="N",
    help="Look at so many states.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Write a trace and a picture of each run there."
)
@click.option(
    "--pytest", "test", type=click.Path(path_type=Path), metavar="FILE.py", help="Write them as tests of a program."
)
@click.option(
    "--adapter",
    "adapter_file",
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="For --pytest: what drives the program.",
)
def command(
    spec: str,
    variant: str | None,
    bounds: dict[str, int],
    cover: str,
    length: int,
    max_states: int,
    out: Path | None,
    test: Path | None,
    adapter_file: Path | None,
) -> Exit:
    """Find a small set of runs that covers SPEC: tests for a program.

    Exit codes: 0 everything is covered, 2 the usage or the specification is wrong, 3 there are more states than were looked at.
    """
    from quorate.conform.adapter import load_adapter
    from quorate.conform.scenarios import Cover, pytest_file, scenarios
    from quorate.loading import load
    from quorate.report.render import write

    if (test is None) is not (adapter_file is None):
        raise UsageError("--pytest FILE.py and --adapter FILE.py go together: the tests drive a program.")
    if test is not None and variant is not None:
        raise UsageError("--pytest writes tests of the specification itself, not of a variant.")
    folder = Folder(out) if out is not None else None
    cls = load(spec).variant(variant).bounded(**bounds)
    found = scenarios(cls, cast(Cover, cover), spec, variant, length, max_states)
    for number, run in enumerate(found.runs, 1):
        steps = ", ".join(step.action for step in run.steps)
        click.echo(f"{number:4}  {len(run):3} steps  {steps}")
        if folder is not None:
            folder.save(run, f"{number:03}")
    whole = "" if found.is_whole else f", among the first {max_states:,} states"
    click.echo(f"{len(found.runs)} runs cover {found.covered:,} of {found.total:,} {cover}{whole}")
    if found.never:
        click.echo(f"    never possible: {', '.join(found.never)}")
    if test is not None and adapter_file is not None:
        name = str(
            adapter_file.name if adapter_file.resolve().parent == test.resolve().parent else adapter_file.resolve()
        )
        write(test, pytest_file(found, load_adapter(adapter_file), name, cls, spec).encode())
        click.echo(f"wrote {test}", err=True)
    return Exit.SUCCESS if found.is_whole and found.covered == found.total else Exit.OPEN
