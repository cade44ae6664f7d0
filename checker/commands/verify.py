"""`quorate verify`: does every specification and variant do what it says?"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import click

from checker.commands._show import table
from checker.errors import QuorateError
from checker.outcome import Outcome, Violated


@click.command("verify")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--workers", type=click.IntRange(min=1), default=None, metavar="N",
              help="Processes; by default one for each processor.")
def command(specs: tuple[str, ...], workers: int | None) -> None:
    """Check every specification and variant of SPEC (by default of the library) against what it says it does."""
    from checker.loading import load, names

    jobs = [(name, variant) for name in specs or names() for variant in (None, *load(name).variants)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(_verify, jobs))
    rows = [("spec", "variant", "expected", "found", "states", "seconds", "")]
    for (name, variant), (expected, outcome, fine) in zip(jobs, results, strict=True):
        found = outcome if isinstance(outcome, str) else outcome.verdict
        if isinstance(outcome, Violated):
            found = f"violates {outcome.property}"
        states = f"{outcome.statistics.states:,}" if isinstance(outcome, Outcome) else ""
        seconds = f"{outcome.statistics.seconds:.1f}" if isinstance(outcome, Outcome) else ""
        rows.append((name, variant or "", expected, found, states, seconds, "" if fine else "DIFFERS"))
    click.echo(table(rows))
    sys.exit(0 if all(fine for _, _, fine in results) else 1)


def _verify(job: tuple[str, str | None]) -> tuple[str, Outcome | str, bool]:
    from checker.explore import Naming, check
    from checker.loading import load

    name, variant = job
    cls = load(name).variant(variant)
    try:
        outcome = check(cls, naming=Naming(name, variant))
    except QuorateError as error:
        return str(cls.expect), str(error), False
    violated = outcome.property if isinstance(outcome, Violated) else None
    return str(cls.expect), outcome, violated == cls.expect.violated and outcome.exit_code in (0, 1)
