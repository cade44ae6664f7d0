"""`quorate check`: explore, judge, show."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quorate.commands._live import watching
from quorate.commands._options import (
    Explicit,
    Ranges,
    bounds_option,
    cluster_of,
    cluster_options,
    format_option,
    limit_options,
    limits,
    output_option,
    variant_option,
)
from quorate.commands._show import Folder, rejections, show, show_results, table, write_results
from quorate.explore.engine import CLUSTER
from quorate.explore.limits import Checkpoint, Cluster, Limits, Watch
from quorate.outcome import ENDED, Exit, Outcome, Unfinished
from quorate.report.formats import TEXT

if TYPE_CHECKING:
    from quorate.language.spec import Spec


@click.command("check", cls=Explicit)
@click.argument("spec")
@variant_option
@bounds_option
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
@click.option(
    "--keep-going",
    is_flag=True,
    help="Go on after a violation: every property's own verdict and shortest counterexample.",
)
@click.option("--property", "properties", multiple=True, metavar="NAME", help="Judge this property only; repeatable.")
@click.option(
    "--witness", "goal", metavar="NAME", help="Show the shortest run to a state that satisfies this @reachable."
)
@cluster_options("Search on")
@limit_options
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a checkpoint there every minute and when the search is ended; the native engine only.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint.")
@click.option("--overwrite", is_flag=True, help="Write over the checkpoint of an earlier search.")
@click.option(
    "--store",
    default="auto",
    show_default=True,
    metavar="auto|exact|tree|fingerprint",
    help="How states are kept. `exact`: as they are. `tree`: the same states in a fraction of the memory, at some one and a half times "
    "the time. `auto`: as they are, and anew in a tree if memory does not suffice for that. "
    "`fingerprint`: 64 bits of each, and a small probability, which is told, that one is missed. The native engine only.",
)
@click.option(
    "--disk",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the states there, for a search that is larger than memory; one that was ended there goes on. "
    "With one worker, for safety properties; the native engine only.",
)
@click.option(
    "--coverage",
    is_flag=True,
    help="Count how often each line runs and each condition is true and false, and show the source with what never happens.",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Say which variables and actions make the states; also of a search that a limit ends.",
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
@output_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write trace.json and diagram.svg of a violation, or of a witness, there.",
)
def command(
    spec: str,
    variant: str | None,
    bounds: Ranges,
    engine: str,
    workers: int | None,
    symmetry: bool,
    keep_going: bool,
    properties: tuple[str, ...],
    goal: str | None,
    cluster: str | None,
    cluster_workers: int | None,
    max_states: int | None,
    max_time: float | None,
    max_memory: float | None,
    checkpoint: Path | None,
    resume: bool,
    overwrite: bool,
    store: str,
    disk: Path | None,
    coverage: bool,
    profile: bool,
    without: tuple[str, ...],
    keep_c: Path | None,
    form: str,
    outputs: tuple[Path, ...],
    out: Path | None,
) -> Exit:
    """Explore SPEC exhaustively at its bounds and check every property.

    SPEC is a name from `quorate list`, a file, or file.py:Class. Exit codes: 0 every property holds, 1 one is
    violated, 2 the usage or the specification is wrong, 3 unfinished (a limit, or Ctrl-C, which gives the partial
    result) or not judged within the bounds, 4 a mistake of Quorate.
    """
    if (resume or overwrite) and checkpoint is None:
        raise click.UsageError(f"{'--resume' if resume else '--overwrite'} needs --checkpoint FILE.")
    if resume and overwrite:
        raise click.UsageError("--resume goes on from the checkpoint and --overwrite begins anew: give one of them.")
    if sum((keep_going, bool(properties), goal is not None)) > 1:
        raise click.UsageError("--keep-going, --property and --witness exclude one another.")
    if (coverage or profile) and goal is not None:
        raise click.UsageError(f"--{'coverage' if coverage else 'profile'} is of a check, not of the way to one goal.")
    for option, place in (("--disk", disk), ("--checkpoint", checkpoint)):
        if place is not None and keep_going:
            raise click.UsageError(
                f"{option} holds one search, and --keep-going makes several: ask for one --property at a time."
            )
    there = cluster_of(cluster, cluster_workers, workers)
    if there is not None and engine not in ("auto", CLUSTER):
        raise click.UsageError(f"--cluster has an engine of its own: leave out --engine {engine}.")
    if disk is not None and there is not None:
        raise click.UsageError("--disk holds a search of one process: leave out --cluster.")
    workers = workers or (1 if disk is not None else None)
    asked = Asked(
        spec,
        variant,
        CLUSTER if there else engine,
        symmetry,
        workers,
        keep_going,
        properties,
        goal,
        there,
        store,
        frozenset(without),
    )
    each = limits(max_states, max_time, max_memory)
    if any(len(sizes) > 1 for sizes in bounds.values()):
        given = {
            "--checkpoint": checkpoint,
            "--disk": disk,
            "--coverage": coverage or None,
            "--profile": profile or None,
            "--keep-c": keep_c,
            "--out": out,
        }
        for option, value in given.items():
            if value is not None:
                raise click.UsageError(f"{option} has no meaning for a range of bounds.")
        return _sweep(asked, bounds, each, form, outputs)
    with rejections(form, spec, variant, outputs):
        cls = asked.configured({name: sizes[0] for name, sizes in bounds.items()})
        folder = Folder(out) if out is not None else None
        if keep_c is not None:
            _keep_c(cls, symmetry, keep_c)
        with watching(each) as watch:
            asked.say(watch)
            watch.coverage, watch.profile, watch.disk = coverage, profile, disk
            if checkpoint is not None:
                watch.checkpoint = Checkpoint(checkpoint, resume=resume, overwrite=overwrite)
            outcome = asked.outcome(cls, watch)
    show(outcome, form, with_trace=folder is None)
    if outputs:
        from quorate.report.machine import result_of

        write_results([result_of(outcome)], outputs, together=False)
    if folder is not None:
        _save(outcome, folder)
    return outcome.exit_code


@dataclass(frozen=True)
class Asked:
    """What is to be checked, and how."""

    spec: str
    variant: str | None
    engine: str
    symmetry: bool
    workers: int | None
    keep_going: bool
    properties: tuple[str, ...]
    goal: str | None
    cluster: Cluster | None
    store: str = "auto"
    without: frozenset[str] = frozenset()

    def say(self, watch: Watch) -> None:
        """How it is to be searched."""
        watch.store, watch.without, watch.cluster = self.store, self.without, self.cluster

    def configured(self, bounds: dict[str, int]) -> type[Spec]:
        """The class with these bounds and with the properties that are asked for."""
        from quorate.explore import only
        from quorate.loading import load

        cls = load(self.spec).variant(self.variant).bounded(**bounds)
        return only(cls, self.properties) if self.properties else cls

    def outcome(self, cls: type[Spec], watch: Watch) -> Outcome:
        """Check it. On a cluster, the searches of `--keep-going` are made by one that is started once."""
        from quorate.explore import Naming, check, check_all, witness

        options: dict[str, Any] = {
            "engine": self.engine,
            "symmetry": self.symmetry,
            "watch": watch,
            "workers": self.workers or os.cpu_count() or 1,
            "naming": Naming(self.spec, self.variant),
        }
        if self.goal is not None:
            return witness(cls, self.goal, **options)
        if not self.keep_going:
            return check(cls, **options)
        if self.cluster is None:
            return check_all(cls, **options)
        from quorate.explore.cluster.rays import connected

        with connected(self.cluster):
            return check_all(cls, **options)


def _sweep(asked: Asked, bounds: Ranges, each: Limits, form: str, outputs: Sequence[Path]) -> Exit:
    """A check for each choice of sizes, as a table; the worst of the exit codes."""
    from quorate.report.machine import result_of

    outcomes: list[Outcome] = []
    chosen = [dict(zip(bounds, sizes, strict=True)) for sizes in product(*bounds.values())]
    with rejections(form, asked.spec, asked.variant, outputs):
        classes = [asked.configured(sizes) for sizes in chosen]
        if asked.cluster is not None:
            outcomes = _on_cluster(asked, chosen, each, asked.cluster)
            classes = []
        for cls in classes:
            with watching(each) as watch:
                asked.say(watch)
                outcomes.append(asked.outcome(cls, watch))
            if watch.is_interrupted:
                break
    if form == TEXT:
        heads = (*bounds, "verdict", "states", "transitions", "depth", "s", "engine")
        click.echo(table([heads, *(_row(outcome, list(bounds)) for outcome in outcomes)]))
    else:
        show_results([result_of(outcome) for outcome in outcomes], form)
    if outputs:
        write_results([result_of(outcome) for outcome in outcomes], outputs)
    codes = {outcome.exit_code for outcome in outcomes}
    if len(outcomes) < len(chosen):  # Interrupted when one was done.
        codes.add(Exit.OPEN)
    return next(code for code in (Exit.WRONG, Exit.VIOLATED, Exit.OPEN, Exit.SUCCESS) if code in codes)


def _on_cluster(asked: Asked, chosen: Sequence[dict[str, int]], each: Limits, cluster: Cluster) -> list[Outcome]:
    """The checks, each by one process of a cluster."""
    from quorate.explore.cluster.rays import connected

    def lost(sizes: dict[str, int]) -> Outcome:
        return Unfinished(asked.spec, asked.variant, sizes, "", reason=ENDED)

    alone = replace(asked, engine="auto", workers=1, cluster=None)
    with connected(cluster) as rays:
        found = dict(rays.each(partial(_alone, alone, each), chosen, lost))
    return [found[number] for number in range(len(chosen))]


def _alone(asked: Asked, each: Limits, sizes: dict[str, int]) -> Outcome:
    watch = Watch(each)
    asked.say(watch)
    return asked.outcome(asked.configured(sizes), watch)


def _row(outcome: Outcome, names: list[str]) -> tuple[str, ...]:
    stats = outcome.statistics
    found = f"violates {', '.join(outcome.violated)}" if outcome.violated else outcome.verdict.replace("-", " ")
    sizes = (str(outcome.bounds[name]) for name in names)
    counts = (f"{stats.states:,}", f"{stats.transitions:,}", str(stats.depth), f"{stats.seconds:.1f}")
    return (*sizes, found, *counts, outcome.engine)


def _keep_c(cls: type[Spec], symmetry: bool, file: Path) -> None:
    from quorate.explore.checking import symmetric_sorts
    from quorate.explore.native.search import source_to_keep
    from quorate.language.system import System
    from quorate.report.render import write

    system = System(cls)
    with system:
        source = source_to_keep(system, symmetric_sorts(system)[0] if symmetry else (), file.name)
    write(file, source.encode())
    click.echo(f"wrote {file}", err=True)


def _save(outcome: Outcome, folder: Folder) -> None:
    from quorate.report.machine import traces_of

    traces = traces_of(outcome)
    if not traces:
        folder.discard()
        return
    for number, trace in enumerate(traces):
        for file in folder.save(trace, trace.property or "" if number else ""):
            click.echo(f"wrote {file}", err=True)
