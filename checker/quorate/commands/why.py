"""`quorate why`: what each line protects."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._live import interruptible
from quorate.commands._options import Amount, Explicit, bound_option, cluster_of, cluster_options, variant_option
from quorate.commands._show import apart
from quorate.errors import UsageError
from quorate.explore.limits import Watch
from quorate.outcome import Exit

if TYPE_CHECKING:
    from quorate.mutate import Series, Task
    from quorate.mutate.series import Progress
    from quorate.report.why import Why

BUDGET_S = 600.0


@click.command("why", cls=Explicit)
@click.argument("spec")
@variant_option
@bound_option
@click.option(
    "--budget",
    type=Amount(),
    default=BUDGET_S,
    show_default=True,
    metavar="SECONDS",
    help="The time for all mutants together; what is not decided then is told.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Processes; by default one for each processor.",
)
@cluster_options("Explore on")
@click.option(
    "--engine", default="auto", show_default=True, metavar="auto|reference|native", help="The engine that explores."
)
@click.option("--cache/--no-cache", default=True, show_default=True, help="Take what is known from an earlier time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text in 80 columns for people, JSON for programs.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write a page (.html) with the pictures."
)
def command(
    spec: str,
    variant: str | None,
    bounds: dict[str, int],
    budget: float,
    workers: int | None,
    cluster: str | None,
    cluster_workers: int | None,
    engine: str,
    cache: bool,
    form: str,
    output: Path | None,
) -> Exit:
    """Remove or weaken each part of SPEC's actions, one at a time, and show what breaks.

    SPEC is as for `check`. What a line protects is the property that is violated without it, by the shortest run; or progress
    that is lost. Where nothing breaks, the line is redundant or a property is missing. Exit codes: 0 every mutant was decided, 2 the
    usage or the specification is wrong, 3 some are not decided, 4 a mistake of Quorate.
    """
    from quorate.loading import located
    from quorate.mutate import Task, series
    from quorate.mutate.cache import Cache
    from quorate.pipeline.sources import key, sources_of
    from quorate.report.render import write
    from quorate.report.why import why_json, why_text
    from quorate.report.why_page import why_page

    if output is not None and output.suffix != ".html":
        raise UsageError(f"{output} is no page: its name must end in .html.")
    there = cluster_of(cluster, cluster_workers, workers)
    task = Task(spec, variant, bounds, engine)
    with apart(form), interruptible(Watch()) as watch, _told() as progress:
        sources = sources_of(*located(spec))  # Read before it is loaded.
        known = Cache.of_user(key(sources, str(task)) if cache else None, sources.is_as_read)
        found = series(task, budget, workers or os.cpu_count() or 1, watch, progress, known, there)
    why = _why(task, found)
    click.echo(why_json(why) if form == "json" else why_text(why), nl=False)
    if output is not None:
        write(output, why_page(why).encode())
    return Exit.OPEN if "undecided" in why.totals else Exit.SUCCESS


@contextmanager
def _told() -> Iterator[Progress]:
    """What shows progress on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total, what: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as live:
        yield lambda done, total, what: live.update(Text(f"{what}: {done} of {total}" if total else what))


def _why(task: Task, series: Series) -> Why:
    """What was found, as the report wants it."""
    from quorate.language.system import System
    from quorate.mutate.protocol import Protocol
    from quorate.report.results import relative
    from quorate.report.why import Part, Why

    loaded, cls = task.loaded()
    protocol = Protocol(cls)
    numbers = {trial.mutant: number for number, trial in enumerate(series.trials)}
    statistics = series.original.statistics
    parts = [
        Part(
            span.line,
            span.column,
            span.end_line,
            span.end_column,
            mutant.kind,
            mutant.method,
            mutant.before,
            mutant.instead,
            found.verdict.value,
            found.properties,
            found.steps,
            found.states,
            found.transitions,
            found.depth,
            found.sentence,
            found.where,
            found.later or (),
            None if found.verdict.value != "same" else -1 if trial.same_as is None else numbers[trial.same_as],
            trial.variants,
            found.trace,
        )
        for trial in series.trials
        for mutant, found in [(trial.mutant, trial.finding)]
        for span in [mutant.span]
    ]
    return Why(
        task.spec,
        task.variant,
        series.original.subject,
        relative(protocol.file),
        [line.rstrip("\n") for line in protocol.text.lines],
        protocol.extent,
        [method.lines for method in protocol.methods.values()],
        series.original.bounds,
        System(loaded.variant(task.variant)).bounds,
        series.original.verdict,
        statistics.states,
        statistics.transitions,
        statistics.depth,
        series.seconds,
        series.processes,
        parts,
        series.known,
        series.stopped,
    )
