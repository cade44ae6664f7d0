"""`quorate replay`: does a stored trace still happen, and does it still violate?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from quorate.commands._options import Explicit, seeing_options
from quorate.commands._show import apart, known_variables, show_trace
from quorate.kinds import GOALS, PLAIN, UNJUDGED, kind_of
from quorate.outcome import Exit

NOT_VIOLATING = (*PLAIN, UNJUDGED, *(kind_of(name).shown_as for name in GOALS))
"""Kinds of traces that show no violation."""


@click.command("replay", cls=Explicit)
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--spec", metavar="SPEC", help="The specification to run it on, if not the one that the trace names.")
@click.option("--variant", metavar="NAME", help="The variant to run it on, if not the one that the trace names.")
@seeing_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    trace: Path, spec: str | None, variant: str | None, show: tuple[str, ...], hide: tuple[str, ...], form: str
) -> Exit:
    """Run a stored TRACE.json again, step by step, on its specification.

    This imports the specification, which runs its code: of what a trace names only protocols of `quorate list` and files below
    the working directory, of what `--spec` names any file.

    Exit codes: 1 it still violates its property, 0 the run is possible and violates nothing any more (or never did: a
    simulated run, a witness), 2 the trace cannot be read or its specification not be found, 3 the run is not possible
    any more, which says nothing of the property, or it is a step from a hypothetical state, and still breaks an
    induction.
    """
    from quorate.commands._stored import specification
    from quorate.explore.traces.replay import replay, with_values
    from quorate.kinds import INDUCTION
    from quorate.trace import Trace

    stored = Trace.load(trace)
    chosen = stored.variant if variant is None and spec is None else variant
    with apart(form):
        cls = specification(stored, spec, chosen)
        result = replay(stored, cls)
    if form == "json":
        click.echo(
            json.dumps(
                {
                    "trace": str(trace),
                    "spec": spec or stored.spec,
                    "variant": chosen,
                    "property": stored.property,
                    "reproduced": result.reproduced,
                    "judged": result.judged,
                    "step": result.step,
                    "message": result.message,
                },
                indent=1,
                ensure_ascii=False,
            )
        )
    else:
        if result.now is not None:
            known_variables(result.now, hide)
            show_trace(with_values(result.now, cls, show) if show else result.now, hide)
        click.echo(result.message)
    if not result.reproduced:
        return Exit.SUCCESS if result.judged else Exit.OPEN
    if stored.kind == INDUCTION:
        return Exit.OPEN
    kind = stored.kind if result.now is None else result.now.kind
    return Exit.VIOLATED if kind not in NOT_VIOLATING else Exit.SUCCESS
