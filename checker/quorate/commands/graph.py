"""`quorate graph`: a small state graph as a picture, or a larger one as data."""

from __future__ import annotations

from pathlib import Path

import click

from quorate.commands._options import Explicit, bound_option, variant_option
from quorate.outcome import Exit

PICTURE_MAX, DATA_MAX = 200, 100_000
"""States that are drawn, and that are explored for data, unless something else is asked for."""


@click.command("graph", cls=Explicit)
@click.argument("spec")
@variant_option
@bound_option
@click.option("--symmetry/--no-symmetry", default=True, show_default=True, help="Draw orbits instead of states.")
@click.option(
    "--project",
    metavar="NAMES",
    help="Look at these variables only, such as `role,term`: states that agree in them become one.",
)
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Refuse more states than this.  [default: {PICTURE_MAX} in a picture, {DATA_MAX:,} explored for data or --project]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where to: .svg, .png, .pdf or .dot (Graphviz source); as data .jsonl (JSON lines) or .graphml.",
)
def command(
    spec: str,
    variant: str | None,
    bounds: dict[str, int],
    symmetry: bool,
    project: str | None,
    max_states: int | None,
    output: Path,
) -> Exit:
    """Draw the state graph of SPEC, if it is small enough to be read, or write it as data."""
    from quorate.explore.graph import state_graph
    from quorate.loading import load
    from quorate.report import graph, graph_data
    from quorate.report.render import render, write

    cls = load(spec).variant(variant).bounded(**bounds)
    data = output.suffix in (".jsonl", ".graphml")
    explored = max_states or (DATA_MAX if data or project is not None else PICTURE_MAX)
    states = state_graph(cls, symmetry=symmetry, states_max=explored)
    if project is not None:
        states = graph_data.project(states, [name.strip() for name in project.split(",") if name.strip()])
    if output.suffix == ".jsonl":
        write(output, "".join(f"{line}\n" for line in graph_data.json_lines(states)).encode("utf-8"))
    elif data:
        write(output, graph_data.graphml(states))
    else:
        title = spec if variant is None else f"{spec} {variant}"
        render(graph.state_graph(states, title, max_states or PICTURE_MAX), output)
    return Exit.SUCCESS
