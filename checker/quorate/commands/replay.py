"""`quorate replay`: does a stored trace still happen, and does it still violate?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from quorate.commands._show import show_trace


@click.command("replay")
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--spec", metavar="SPEC", help="The specification to run it on, if not the one that the trace names.")
@click.option("--variant", metavar="NAME", help="The variant to run it on, if not the one that the trace names.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(trace: Path, spec: str | None, variant: str | None, form: str) -> None:
    """Run a stored TRACE.json again, step by step, on its specification.

    Exit codes: 1 it still violates its property, 0 it violates nothing any more (or never did: a simulated run), 2
    the trace cannot be read or its specification not be found, 3 it is a step from a hypothetical state, and still
    breaks an induction.
    """
    from quorate.explore.replay import replay
    from quorate.kinds import INDUCTION
    from quorate.loading import load
    from quorate.trace import Trace

    stored = Trace.load(trace)
    chosen = stored.variant if variant is None and spec is None else variant
    cls = load(spec or stored.spec).variant(chosen)
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
                    "step": result.step,
                    "message": result.message,
                },
                indent=1,
                ensure_ascii=False,
            )
        )
    else:
        if result.now is not None:
            show_trace(result.now)
        click.echo(result.message)
    if result.reproduced and stored.kind == INDUCTION:
        sys.exit(3)
    sys.exit(1 if result.reproduced and stored.kind not in ("run", "reachable") else 0)
