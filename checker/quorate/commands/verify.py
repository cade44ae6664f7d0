"""`quorate verify`: does every specification and variant do what it says?"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import click

from quorate.commands._live import end_with_parent
from quorate.commands._options import format_option, limit_options, limits
from quorate.commands._show import show, table
from quorate.errors import QuorateError
from quorate.explore.limits import Limits
from quorate.outcome import Outcome, Unfinished, Violated


@dataclass(frozen=True)
class Job:
    """One specification or variant to verify, or (`function`) one function with laws."""

    spec: str
    variant: str | None
    engine: str
    limits: Limits
    function: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What was expected and what was found; `error` if it could not be checked."""

    job: Job
    expected: str
    outcome: Outcome | None
    error: str
    fine: bool

    @property
    def found(self) -> str:
        """What was found, in the words of `expected`."""
        if self.outcome is None:
            return "error"
        return f"violates {self.outcome.property}" if isinstance(self.outcome, Violated) else self.outcome.verdict

    @property
    def name(self) -> str:
        """The specification with its variant or function."""
        return " ".join(part for part in (self.job.spec, self.job.variant, self.job.function) if part is not None)

    def report(self) -> str:
        """Why the verdict differs from what was expected."""
        from quorate.report import text

        if self.outcome is None:
            return self.error
        return f"expected: {self.expected}\n{text.outcome_text(self.outcome)}"


@click.command("verify")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option(
    "--engine", default="auto", show_default=True, metavar="auto|reference|native", help="The engine that explores."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Processes; by default one for each processor.",
)
@limit_options
@format_option
def command(
    specs: tuple[str, ...],
    engine: str,
    workers: int | None,
    max_states: int | None,
    max_time: float | None,
    max_memory: float | None,
    form: str,
) -> None:
    """Check that every specification, variant and function with laws does what it says: its `expect`.

    SPEC is as for `check`; without one, everything in the library. Limits hold for each check. Exit codes: 0 all do
    what they say, 1 one does not, 2 the usage is wrong, 3 none is wrong but some are unfinished.
    """
    from quorate.loading import names

    each = limits(max_states, max_time, max_memory)
    jobs = [job for name in specs or names() for job in _jobs(name, engine, each)]
    verdicts = []
    for verdict in _verdicts(jobs, workers):
        verdicts.append(verdict)
        if sys.stderr.isatty():
            click.echo(f"{len(verdicts)}/{len(jobs)}  {'ok' if verdict.fine else 'DIFFERS'}  {verdict.name}", err=True)
    _show(verdicts, form)
    wrong = [verdict for verdict in verdicts if not verdict.fine]
    sys.exit(0 if not wrong else 3 if all(isinstance(verdict.outcome, Unfinished) for verdict in wrong) else 1)


def _jobs(name: str, engine: str, each: Limits) -> Iterator[Job]:
    """The jobs of one SPEC."""
    from quorate.loading import load

    protocol = load(name)
    if not protocol.has_only_laws:
        yield from (
            Job(name, variant, engine, each) for variant in ((None,) if ":" in name else (None, *protocol.variants))
        )
    yield from (Job(name, None, engine, each, function) for function in protocol.marked)


def _verdicts(jobs: Sequence[Job], workers: int | None) -> Iterator[Verdict]:
    if workers == 1 or len(jobs) == 1:
        yield from map(verify, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        try:
            yield from pool.map(verify, jobs)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def verify(job: Job) -> Verdict:
    """Check one specification, or the laws of one function, against its `expect`."""
    from quorate.explore import Naming, Watch, as_expected, check
    from quorate.loading import load

    expected = ""
    try:
        if job.function is not None:
            return _lawful(job, job.function)
        cls = load(job.spec).variant(job.variant)
        expected = str(cls.expect)
        outcome = check(cls, engine=job.engine, watch=Watch(job.limits), naming=Naming(job.spec, job.variant))
    except QuorateError as error:
        return Verdict(job, expected, None, str(error), False)
    return Verdict(job, expected, outcome, "", as_expected(cls, outcome))


def _lawful(job: Job, function: str) -> Verdict:
    from quorate.commands._laws import outcome_of
    from quorate.loading import load
    from quorate.prove.laws.prove import Task, prove_laws

    laws = prove_laws(Task(load(job.spec).marked[function]))
    return Verdict(job, str(laws.expect), outcome_of(laws, job.spec), "", laws.as_expected)


def _show(verdicts: Sequence[Verdict], form: str) -> None:
    if form == "json":
        click.echo(json.dumps([_facts(verdict) for verdict in verdicts], indent=1, ensure_ascii=False))
    elif form == "junit":
        click.echo(_junit(verdicts))
    elif form == "github":
        for verdict in verdicts:
            if not verdict.fine:
                message = verdict.report().replace("%", "%25").replace("\r", "").replace("\n", "%0A")
                click.echo(f"::error title=Quorate {verdict.name}::{message}")
    else:
        rows = [("", "specification", "expected", "found", "states", "transitions", "s")]
        click.echo(table([*rows, *map(_row, verdicts)]))
        for verdict in verdicts:
            if verdict.fine:
                continue
            click.echo(f"\n{verdict.name} is expected to be: {verdict.expected or 'loadable'}")
            if verdict.outcome is None:
                click.echo(verdict.error)
            else:
                show(verdict.outcome, "text")
        click.echo(f"\n{sum(verdict.fine for verdict in verdicts)} of {len(verdicts)} do what they say.")


def _row(verdict: Verdict) -> tuple[str, ...]:
    mark = "ok" if verdict.fine else "DIFFERS"
    if verdict.outcome is None:
        return mark, verdict.name, verdict.expected, verdict.found, "", "", ""
    statistics = verdict.outcome.statistics
    covered = ("", "") if verdict.job.function else (f"{statistics.states:,}", f"{statistics.transitions:,}")
    return mark, verdict.name, verdict.expected, verdict.found, *covered, f"{statistics.seconds:.1f}"


def _facts(verdict: Verdict) -> dict[str, object]:
    from quorate.report.machine import outcome_json

    return {
        "spec": verdict.job.spec,
        "variant": verdict.job.variant,
        "function": verdict.job.function,
        "expected": verdict.expected,
        "found": verdict.found,
        "fine": verdict.fine,
        "error": verdict.error or None,
        "outcome": None if verdict.outcome is None else outcome_json(verdict.outcome),
    }


def _junit(verdicts: Sequence[Verdict]) -> str:
    """A test case for each verdict, which fails if it is not the expected one."""
    failures = sum(not verdict.fine for verdict in verdicts)
    suite = ET.Element("testsuite", name="quorate verify", tests=str(len(verdicts)), failures=str(failures))
    for verdict in verdicts:
        seconds = verdict.outcome.statistics.seconds if verdict.outcome is not None else 0.0
        case = ET.SubElement(
            suite,
            "testcase",
            classname=verdict.job.spec,
            name=verdict.job.function or verdict.job.variant or "base",
            time=f"{seconds:.3f}",
        )
        if not verdict.fine:
            problem = ET.SubElement(case, "failure", message=f"expected {verdict.expected}, found {verdict.found}")
            problem.text = verdict.report()
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
