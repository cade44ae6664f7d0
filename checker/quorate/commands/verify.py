"""`quorate verify`: does every specification and variant do what it says?"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import click

from quorate.commands._live import end_with_parent
from quorate.commands._options import Explicit, format_option, limit_options, limits
from quorate.commands._show import rejections, show, show_results, table
from quorate.errors import QuorateError
from quorate.explore.limits import Limits
from quorate.outcome import Exit, Failed, NotJudged, Outcome, Unfinished, Violated
from quorate.report.formats import TEXT
from quorate.report.results import Problem, Result, Rule


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
    error: QuorateError | None
    fine: bool

    @property
    def found(self) -> str:
        """What was found, in the words of `expected`."""
        if self.outcome is None:
            return "error"
        violated = [name for name in self.outcome.violated if name in self.expected] or self.outcome.violated
        return f"violates {', '.join(violated)}" if isinstance(self.outcome, Violated) else self.outcome.verdict

    @property
    def name(self) -> str:
        """The specification with its variant or function."""
        return " ".join(part for part in (self.job.spec, self.job.variant, self.job.function) if part is not None)


@click.command("verify", cls=Explicit)
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
) -> Exit:
    """Check that every specification, variant and function with laws does what it says: its `expect`.

    SPEC is as for `check`; without one, everything in the library. Limits hold for each check. Exit codes: 0 all do
    what they say, 1 one does not, 2 the usage is wrong, 3 none is wrong but some are
    unfinished or not judged, 4 a mistake of Quorate.
    """
    from quorate.loading import names

    each = limits(max_states, max_time, max_memory)
    jobs: list[Job] = []
    for name in specs or names():
        with rejections(form, name):
            jobs += _jobs(name, engine, each)
    verdicts = []
    for verdict in _verdicts(jobs, workers):
        verdicts.append(verdict)
        if sys.stderr.isatty():
            click.echo(f"{len(verdicts)}/{len(jobs)}  {'ok' if verdict.fine else 'DIFFERS'}  {verdict.name}", err=True)
    _show(verdicts, form)
    wrong = [verdict for verdict in verdicts if not verdict.fine]
    if not wrong:
        return Exit.SUCCESS if verdicts else Exit.OPEN
    is_open = all(isinstance(verdict.outcome, Unfinished | NotJudged) for verdict in wrong)
    return Exit.OPEN if is_open else Exit.VIOLATED


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
    from quorate.explore import Naming, Watch, as_expected, check_expected
    from quorate.loading import load

    expected = ""
    try:
        if job.function is not None:
            return _lawful(job, job.function)
        cls = load(job.spec).variant(job.variant)
        expected = str(cls.expect)
        outcome = check_expected(cls, engine=job.engine, watch=Watch(job.limits), naming=Naming(job.spec, job.variant))
    except QuorateError as error:
        return Verdict(job, expected, None, error, False)
    return Verdict(job, expected, outcome, None, as_expected(cls, outcome))


def _lawful(job: Job, function: str) -> Verdict:
    from quorate.commands._laws import outcome_of
    from quorate.loading import load
    from quorate.prove.laws.prove import Task, prove_laws

    marked = load(job.spec).marked[function]
    laws = prove_laws(Task(marked))
    return Verdict(job, str(laws.expect), outcome_of(laws, job.spec, marked), None, laws.as_expected)


def _show(verdicts: Sequence[Verdict], form: str) -> None:
    if form != TEXT:
        show_results([_result(verdict) for verdict in verdicts], form)
        return
    rows = [("", "specification", "expected", "found", "states", "transitions", "s", "engine")]
    click.echo(table([*rows, *map(_row, verdicts)]))
    for verdict in verdicts:
        if verdict.fine:
            continue
        click.echo(f"\n{verdict.name} is expected to be: {verdict.expected or 'loadable'}")
        if verdict.outcome is None:
            click.echo(verdict.error)
        else:
            show(verdict.outcome, "text")
    for note, names in _fallbacks(verdicts).items():
        click.echo(f"\n{', '.join(names)}: {note}")
    click.echo(f"\n{sum(verdict.fine for verdict in verdicts)} of {len(verdicts)} do what they say.")


def _fallbacks(verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    """Why the native engine was not used, where it was asked for or left to Quorate, and for which specifications."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        outcome = verdict.outcome
        if outcome is None or verdict.job.engine != "auto":
            continue
        if outcome.engine == "reference":
            found.setdefault("; ".join(outcome.notes) or "the reference engine", []).append(verdict.name)
        for note in outcome.notes:
            if outcome.engine != "reference" and note.startswith("liveness was checked by the reference engine"):
                found.setdefault(note, []).append(verdict.name)
    return found


def _row(verdict: Verdict) -> tuple[str, ...]:
    mark = "ok" if verdict.fine else "DIFFERS"
    if verdict.outcome is None:
        return mark, verdict.name, verdict.expected, verdict.found, "", "", "", ""
    statistics = verdict.outcome.statistics
    covered = ("", "") if verdict.job.function else (f"{statistics.states:,}", f"{statistics.transitions:,}")
    seconds = f"{statistics.seconds:.1f}"
    return mark, verdict.name, verdict.expected, verdict.found, *covered, seconds, verdict.outcome.engine


def _result(verdict: Verdict) -> Result:
    """A verdict as all formats write it: that of its outcome, and a success if it is the expected one."""
    from quorate.report.machine import result_of

    job = verdict.job
    if verdict.outcome is not None:
        found = result_of(verdict.outcome)
    else:
        assert verdict.error is not None
        found = result_of(Failed.rejected(job.spec, job.variant, verdict.error))
    differs = f"expected {verdict.expected or 'loadable'}, found {verdict.found}: {found.sentence}"
    return replace(
        found,
        name=job.function or job.variant or job.spec,
        level="success" if verdict.fine else "failure" if found.level == "success" else found.level,
        sentence=found.sentence if verdict.fine else differs,
        facts=_facts(verdict),
        problems=_problems(verdict, found, differs),
        summary=f"expected: {verdict.expected or 'loadable'}\n{found.summary}",
    )


EXPECT = Rule(
    "quorate.expect",
    "A specification, variant or function does what it says.",
    "if the check finds what `expect` announces",
)


def _problems(verdict: Verdict, found: Result, differs: str) -> tuple[Problem, ...]:
    """What is wrong if the verdict is not the expected one: what was found, or that nothing was."""
    if verdict.fine:
        return ()
    if not found.problems:
        return (Problem(EXPECT, "failure", f"{verdict.name}: {differs}", found.location),)
    return tuple(
        replace(one, sentence=f"expected {verdict.expected or 'loadable'}: {one.sentence}") for one in found.problems
    )


def _facts(verdict: Verdict) -> dict[str, object]:
    from quorate.report.machine import outcome_json

    return {
        "spec": verdict.job.spec,
        "variant": verdict.job.variant,
        "function": verdict.job.function,
        "expected": verdict.expected,
        "found": verdict.found,
        "fine": verdict.fine,
        "error": None if verdict.error is None else str(verdict.error),
        "outcome": None if verdict.outcome is None else outcome_json(verdict.outcome),
    }
