"""`quorate simulate`: random runs."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._live import steps_line, watching
from quorate.commands._options import (
    Amount,
    Explicit,
    bound_option,
    cluster_of,
    cluster_options,
    limits,
    variant_option,
)
from quorate.commands._show import Folder, apart, show_trace
from quorate.outcome import Exit

if TYPE_CHECKING:
    from quorate.explore.limits import Watch
    from quorate.explore.simulate import Met

TELLING = 100_000
"""For fewer steps their speed is not worth saying."""


@click.command("simulate", cls=Explicit)
@click.argument("spec")
@variant_option
@bound_option
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=None,
    metavar="S",
    help="The same seed gives the same runs; without one a new seed is chosen and printed.",
)
@click.option("--runs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="How many runs.")
@click.option(
    "--length", type=click.IntRange(min=1), default=50, show_default=True, metavar="STEPS", help="Most steps of a run."
)
@click.option("--even", "way", flag_value="even", help="All that is enabled is equally likely: so it is with one run.")
@click.option(
    "--swarm",
    "way",
    flag_value="swarm",
    help="Each run likes some actions more than others and some not at all, drawn anew; no step is taken that changes nothing.",
)
@click.option(
    "--guided",
    "way",
    flag_value="guided",
    help="A swarm in which half of the runs begin where an earlier one did something new. So it is with several runs, where the native "
    "engine can run SPEC; if not, and on a cluster, they are a swarm.",
)
@click.option(
    "--engine", default="auto", show_default=True, metavar="auto|reference|native", help="The engine that walks."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Threads of the native engine; one for each core without this. The runs do not depend on it.",
)
@cluster_options("Take the runs on")
@click.option("--max-time", type=Amount(), metavar="SECONDS", help="Begin no step after this time.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Write the run's trace.json and diagram.svg there."
)
def command(
    spec: str,
    variant: str | None,
    bounds: dict[str, int],
    seed: int | None,
    runs: int,
    length: int,
    way: str | None,
    engine: str,
    workers: int | None,
    cluster: str | None,
    cluster_workers: int | None,
    max_time: float | None,
    form: str,
    out: Path | None,
) -> Exit:
    """Take random runs of SPEC and check the safety properties on the way.

    Shows the run that violates one, otherwise the last one. Exit codes: 0 no run violated anything, which proves
    nothing; 1 one did; 2 the usage or the specification is wrong; 3 stopped before all runs were done.
    """
    from quorate.explore.engine import EngineUnavailable
    from quorate.explore.simulate import Simulation, simulate
    from quorate.loading import load

    there = cluster_of(cluster, cluster_workers, workers)
    if there is not None and engine == "reference":
        raise click.UsageError("--cluster takes runs with the native engine: leave out --engine reference.")
    with apart(form):
        cls = load(spec).variant(variant).bounded(**bounds)
    folder = Folder(out) if out is not None else None
    chosen = secrets.randbelow(2**32) if seed is None else seed

    def walked(way: str, watch: Watch) -> Simulation:
        return simulate(
            cls,
            seed=chosen,
            runs=runs,
            length=length,
            swarm=way == "swarm",
            guided=way == "guided",
            watch=watch,
            name=spec,
            variant=variant,
            engine=engine,
            workers=workers or os.cpu_count() or 1,
            cluster=there,
        )

    with apart(form), watching(limits(None, max_time, None), steps_line) as watch:
        if way is not None or runs == 1:
            result = walked(way or "even", watch)
        elif there is not None:
            result = walked("swarm", watch)
        else:
            try:
                result = walked("guided", watch)
            except EngineUnavailable as reason:
                result = walked("swarm", watch)
                result = replace(result, notes=tuple(dict.fromkeys((f"not guided: {reason}", *result.notes))))
    shown = result.violation or result.last
    if form == "json":
        facts = {
            "spec": spec,
            "variant": variant,
            "seed": chosen,
            "runs": result.runs,
            "steps": result.steps,
            "states": result.states,
            "seen": dict(zip(("states", "steps"), result.seen, strict=True)),
            "met": None if result.met is None else {action: asdict(met) for action, met in result.met.items()},
            "actions": result.actions,
            "violated": result.violation is not None,
            "property": result.violation.property if result.violation is not None else None,
            "stopped": result.stopped,
            "engine": result.engine,
            "notes": list(result.notes),
            "trace": shown.to_json() if shown is not None else None,
        }
        click.echo(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        if shown is not None and folder is None:
            show_trace(shown)
        found = (
            f"run {result.runs} violates {result.violation.property}"
            if result.violation is not None
            else "no violation"
        )
        stopped = f" ({result.stopped})" if result.stopped else ""
        about = "" if result.states is not None else "some "
        states = f", {about}{result.seen[0]:,} different states and {about}{result.seen[1]:,} different steps"
        kind = "random" if result.met is None else "guided"
        rate = f" ({result.steps / result.seconds:,.0f} a second)" if result.steps >= TELLING else ""
        click.echo(
            f"seed {chosen}: {result.runs:,} {kind} run{'' if result.runs == 1 else 's'}, {result.steps:,} steps{rate}{states}, "
            f"{result.engine} engine: {found}{stopped}"
        )
        if result.met is not None:
            click.echo(_met(result.met))
        silent = [action for action, count in result.actions.items() if not count]
        if silent:
            click.echo(f"    never taken: {', '.join(silent)}")
        for note in result.notes:
            click.echo(f"    note: {note}")
    if folder is not None and shown is not None:
        for file in folder.save(shown):
            click.echo(f"wrote {file}", err=True)
    return _exit_code(result.violation.kind if result.violation is not None else None, result.stopped)


def _met(met: Mapping[str, Met]) -> str:
    """What guided runs have met."""
    rows: list[tuple[str, ...]] = [(action, f"{each.pairs:,}", f"{each.late:,}") for action, each in met.items()]
    rows.append(("together", *(f"{sum(column):,}" for column in zip(*map(astuple, met.values()), strict=True))))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head = (
        "    by action, with how many different arguments and values read it was taken, and how many of them were new in the last tenth of "
        "the runs:"
    )
    lines = (f"      {action:<{widths[0]}}  {pairs:>{widths[1]}}  {late:>{widths[2]}}" for action, pairs, late in rows)
    return "\n".join([head, *lines])


def _exit_code(kind: str | None, stopped: str | None) -> Exit:
    if kind is not None:
        return Exit.WRONG if kind == "error" else Exit.VIOLATED
    return Exit.OPEN if stopped else Exit.SUCCESS
