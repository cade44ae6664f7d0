"""`quorate diff`: what one version or variant does and the other does not."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quorate.commands._live import watching
from quorate.commands._options import Explicit, bound_option, limit_options, limits
from quorate.commands._show import Folder, apart, show_trace
from quorate.outcome import Exit

if TYPE_CHECKING:
    from quorate.explore.difference import Compared, Difference, Direction, Side


@click.command("diff", cls=Explicit)
@click.argument("first")
@click.argument("second")
@bound_option
@click.option("--hide", multiple=True, metavar="NAME", help="Do not compare this variable; repeatable.")
@limit_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write the runs and their pictures there.")
def command(
    first: str,
    second: str,
    bounds: dict[str, int],
    hide: tuple[str, ...],
    max_states: int | None,
    max_time: float | None,
    max_memory: float | None,
    form: str,
    out: Path | None,
) -> Exit:
    """Show what FIRST does and SECOND does not, and the reverse, each as a shortest run.

    Both are as SPEC for `check`, or SPEC:Class for a variant: `two_phase_commit:CommitByMajority`. States are compared by the
    variables that both have. All states of both are explored, by the reference engine; --max-states is for each, the other
    limits for both. Exit codes: 0 neither does what the other does not, 1 one does, 2 the usage or a specification is wrong, 3
    unfinished.
    """
    from quorate.explore.difference import difference

    folder = Folder(out) if out is not None else None
    each = limits(max_states, max_time, max_memory)
    with apart(form):
        one, other = _compared(first, bounds), _compared(second, bounds)
        with watching(each) as watch:
            found = difference(one, other, watch, hide)
    if form == "json":
        click.echo(json.dumps(_facts(found), indent=1, ensure_ascii=False))
    else:
        _show(found, with_runs=folder is None)
    if folder is not None:
        _save(found, folder)
    known = {found.only_first.known, found.only_second.known}
    if known & {"some", "some-within-bounds"}:
        return Exit.VIOLATED
    return Exit.OPEN if "unknown" in known else Exit.SUCCESS


def _compared(name: str, bounds: dict[str, int]) -> Compared:
    from quorate.explore.difference import Compared
    from quorate.loading import load

    return Compared(load(name).main.bounded(**bounds), name)


def _show(found: Difference, with_runs: bool) -> None:
    sides = found.first, found.second
    for side, other, direction in zip(sides, sides[::-1], (found.only_first, found.only_second), strict=True):
        click.echo(_sentence(side, other, direction))
        if direction.trace is not None and with_runs:
            click.echo()
            show_trace(direction.trace)
    click.echo(f"compared: {', '.join(found.common)}")
    for side in sides:
        own = f"; not compared: {', '.join(side.own)}" if side.own else ""
        click.echo(f"    {side.name}: {side.states:,} states, {side.transitions:,} transitions{own}")
    if found.hidden and found.only_first.trace is None and found.only_second.trace is None:
        click.echo(
            "    note: with variables that are not compared, runs may differ in the order of steps that both take"
        )
    for note in found.notes:
        click.echo(f"    note: {note}")


def _sentence(side: Side, other: Side, direction: Direction) -> str:
    """What one does and the other does not, as far as is known."""
    if direction.known == "unknown":
        why = "; ".join(f"{one.name}: {one.stopped}" for one in (side, other) if one.stopped is not None)
        return f"? it is not known what {side.name} does and {other.name} does not ({why})"
    if direction.known == "none":
        return f"= {side.name} does nothing that {other.name} does not"
    if direction.known == "none-within-bounds":
        return (
            f"= within its bounds, {side.name} does nothing that {other.name} does not ({side.cuts:,} transitions cut)"
        )
    states, steps = _many(direction.states, "state"), _many(direction.steps, "step")
    least = "at least " if side.stopped is not None else ""
    bounds = f"; beyond its bounds ({other.cuts:,} transitions cut), {other.name} may" if other.cuts else ""
    return f"+ {side.name} has {least}{states} and {steps} that {other.name} has not{bounds}; a shortest run:"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _save(found: Difference, folder: Folder) -> None:
    runs = {"first": found.only_first.trace, "second": found.only_second.trace}
    if not any(runs.values()):
        folder.discard()
    for name, run in runs.items():
        if run is not None:
            for file in folder.save(run, f"only-{name}"):
                click.echo(f"wrote {file}", err=True)


def _facts(found: Difference) -> dict[str, Any]:
    def direction(one: Direction) -> dict[str, Any]:
        return asdict(one) | {"trace": None if one.trace is None else one.trace.to_json()}

    return {
        "first": asdict(found.first),
        "second": asdict(found.second),
        "common": list(found.common),
        "only_first": direction(found.only_first),
        "only_second": direction(found.only_second),
        "notes": list(found.notes),
    }
