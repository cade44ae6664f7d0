"""`quorate graph`: a small state graph as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from quorate.commands._options import Explicit, bound_option, variant_option
from quorate.outcome import Exit


@click.command("graph", cls=Explicit)
@click.argument("spec")
@variant_option
@bound_option
@click.option("--symmetry/--no-symmetry", default=True, show_default=True, help="Draw orbits instead of states.")
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="Refuse to draw more states than this.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where to: .svg, .png, .pdf or .dot (Graphviz source).",
)
def command(
    spec: str, variant: str | None, bounds: dict[str, int], symmetry: bool, max_states: int, output: Path
) -> Exit:
    """Draw the state graph of SPEC, if it is small enough to be read."""
    from quorate.explore.graph import state_graph
    from quorate.loading import load
    from quorate.report import graph
    from quorate.report.render import render

    cls = load(spec).variant(variant).bounded(**bounds)
    states = state_graph(cls, symmetry=symmetry, states_max=max_states)
    title = spec if variant is None else f"{spec} {variant}"
    render(graph.state_graph(states, title, max_states), output)
    return Exit.SUCCESS
