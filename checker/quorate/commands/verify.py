"""`quorate verify`: does every specification and variant do what it says, and what it did when it was last reviewed?"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import click

from quorate.commands._options import (
    Amount,
    Explicit,
    cluster_of,
    cluster_options,
    format_option,
    limit_options,
    limits,
    output_option,
)
from quorate.commands._show import rejections, show, show_results, table, write_results
from quorate.commands._verifying import Job, Verdict, checked, in_order, jobs_of, note, skipped
from quorate.errors import Location, UsageError, unknown
from quorate.explore.limits import AT_ONCE, Cluster
from quorate.files import parted, write_whole
from quorate.outcome import Exit, Failed, NotJudged, Unfinished
from quorate.pipeline.lock import FILE, Changed, Finding, Lock, Name, changed_pieces, explained, read
from quorate.pipeline.project import Profile, Project, find_project
from quorate.pipeline.record import Record
from quorate.pipeline.sources import Piece, pieces
from quorate.report.formats import TEXT
from quorate.report.results import Level, Problem, Result, Rule


@click.command("verify", cls=Explicit)
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option(
    "--bounds",
    "profile",
    metavar="PROFILE",
    help="Check at the sizes of this profile, a table [tool.quorate.bounds.PROFILE] in pyproject.toml.",
)
@click.option("--update", is_flag=True, help="Write what is found to quorate.lock.")
@click.option(
    "--skip/--no-skip",
    default=True,
    show_default=True,
    help="Skip what is unchanged since it was checked and did what it says.",
)
@click.option(
    "--budget",
    type=Amount(),
    metavar="SECONDS",
    help="Stop after this time; what failed last and what changed go first.",
)
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
@cluster_options("Check on")
@limit_options
@format_option
@output_option
def command(
    specs: tuple[str, ...],
    profile: str | None,
    update: bool,
    skip: bool,
    budget: float | None,
    engine: str,
    workers: int | None,
    cluster: str | None,
    cluster_workers: int | None,
    max_states: int | None,
    max_time: float | None,
    max_memory: float | None,
    form: str,
    outputs: tuple[Path, ...],
) -> Exit:
    """Check that every specification, variant and function with laws does what it says: its `expect`. If there is a quorate.lock,
    what is found is compared with it, and a difference explained.

    SPEC is as for `check`; without one, `specs` of [tool.quorate] in pyproject.toml, else everything in the library. Limits hold
    for each check. Exit codes: 0 all do what they say, 1 one does not, or differs from quorate.lock, 2 the usage is wrong, 3 none
    is wrong but some are unfinished or not judged, 4 a mistake of Quorate.
    """
    from quorate.loading import names

    there = cluster_of(cluster, cluster_workers, workers)
    project = find_project()
    sizes, each = project.profile(profile), limits(max_states, max_time, max_memory)
    jobs: list[Job] = []
    for name in specs or project.specs or names():
        with rejections(form, name, files=outputs):
            jobs += jobs_of(name, project, engine, each, sizes)
    if not specs:
        _check_profile(sizes, jobs)
    deadline = None if budget is None else time.time() + budget
    jobs = [replace(job, deadline=deadline) for job in {job.name: job for job in jobs}.values()]
    verdicts = _verdicts(jobs, Record(project.root), skip, workers, there)
    compared = _Compared.with_lock(project, verdicts, whole=[job.name[0] for job in jobs if not parted(job.spec)[1]])
    _show(verdicts, compared, form, update)
    if outputs:
        write_results([_result(verdict, compared) for verdict in verdicts], outputs)
    if update:
        compared.write()
    return _exit(verdicts, compared, update)


def _check_profile(profile: Profile, jobs: Sequence[Job]) -> None:
    """Raise UsageError if a profile speaks of a specification or a bound that nothing has."""
    from quorate.language.system import System
    from quorate.loading import load

    for name in profile.single:
        if name not in {job.name[0] for job in jobs}:
            raise unknown(f"specification in the profile {profile.name}:", name, {job.name[0] for job in jobs})
    if profile.common:
        classes = [load(job.spec).variant(job.variant) for job in jobs if job.function is None]
        known = {bound for cls in classes for bound in System(cls).bounds}
        for name in profile.common:
            if name not in known:
                raise unknown(f"bound in the profile {profile.name}:", name, known)


def _verdicts(
    jobs: Sequence[Job], record: Record, skip: bool, workers: int | None, cluster: Cluster | None
) -> list[Verdict]:
    """A verdict for each job, in this order."""
    found = skipped(jobs, record) if skip else {}
    is_short = any(job.deadline is not None for job in jobs)
    due = in_order([job for job in jobs if job.name not in found], record, is_short)
    for verdict in checked(due, workers, cluster):
        found[verdict.job.name] = verdict
        note([verdict], record)
        if sys.stderr.isatty():
            click.echo(
                f"{len(found)}/{len(jobs)}  {'ok' if verdict.fine else 'DIFFERS'}  {verdict.job.title}", err=True
            )
    return [found[job.name] for job in jobs]


def _exit(verdicts: Sequence[Verdict], compared: _Compared, update: bool) -> Exit:
    wrong = [verdict for verdict in verdicts if not verdict.fine]
    if (compared.differences or compared.gone) and not update:
        return Exit.VIOLATED
    if not wrong:
        return Exit.SUCCESS if verdicts else Exit.OPEN
    is_open = all(isinstance(verdict.outcome, Unfinished | NotJudged) for verdict in wrong)
    return Exit.OPEN if is_open else Exit.VIOLATED


@dataclass(frozen=True)
class _Difference:
    """How a finding differs from the lock, in words, and where something was changed since, if that is known."""

    words: Sequence[str]
    place: Location | None


@dataclass(frozen=True)
class _Compared:
    """What was found beside what the lock has: by job the differences, in words; the entries of the lock that nothing belongs to any
    more; how many are not in it."""

    project: Project
    lock: Lock | None
    findings: Mapping[Name, Finding]
    pieces: Mapping[str, Mapping[str, Piece]]
    differences: Mapping[Name, _Difference] = field(default_factory=dict)
    gone: Sequence[Name] = ()
    new: int = 0

    @staticmethod
    def with_lock(project: Project, verdicts: Sequence[Verdict], whole: Sequence[str]) -> _Compared:
        """Compare; of the specifications in `whole` all classes were checked."""
        lock = read(project.root / FILE)
        findings = {verdict.job.name: found for verdict in verdicts if (found := verdict.finding) is not None}
        now: dict[str, Mapping[str, Piece]] = {}
        for verdict in verdicts:
            now |= _pieces(project, verdict.job)
        if lock is None:
            return _Compared(project, None, findings, now)
        differences = {}
        for verdict in verdicts:
            old, new = lock.findings.get(verdict.job.name), findings.get(verdict.job.name)
            if old is not None and new is not None and (words := explained(old, new)):
                changed = changed_pieces(lock, _pieces(project, verdict.job))
                differences[verdict.job.name] = _Difference([*words, _cause(lock, changed)], _place(project, changed))
        names = {verdict.job.name for verdict in verdicts}
        profiles = {name[2] for name in names}
        gone = [name for name in lock.findings if name[0] in whole and name[2] in profiles and name not in names]
        new_ones = sum(name not in lock.findings for name in findings)
        return _Compared(project, lock, findings, now, differences, gone, new_ones)

    def write(self) -> None:
        """Write the lock, if it is to change."""
        file = self.project.root / FILE
        before = self.lock or Lock()
        after = replace(before.updated(self.findings, self.gone, self.pieces), quorate=version("quorate"))
        if after == self.lock:
            click.echo(f"{FILE} is up to date.", err=True)
            return
        try:
            write_whole(file, after.text())
        except OSError as error:
            raise UsageError(f"Cannot write {file}: {error.strerror}.") from None
        changed = sum(before.findings.get(name) not in (None, found) for name, found in self.findings.items())
        click.echo(f"wrote {FILE}: {self.new_in(before)} new, {changed} changed, {len(self.gone)} gone", err=True)

    def new_in(self, lock: Lock) -> int:
        """How many findings a lock does not have."""
        return sum(name not in lock.findings for name in self.findings)


def _pieces(project: Project, job: Job) -> dict[str, Mapping[str, Piece]]:
    """The pieces of the files that a job is made from, by what the project calls each file: below its root by the path, else by the
    module's name."""
    found: dict[str, Mapping[str, Piece]] = {}
    for module, (path, text) in job.sources.files.items():
        placed = project.placed(path)
        found[module if Path(placed).is_absolute() and module else placed] = pieces(text)
    return found


def _cause(lock: Lock, changed: Sequence[Changed]) -> str:
    """What may have made the difference."""
    if changed:
        return f"changed since: {'; '.join(map(str, changed))}"
    versions = f" (from {lock.quorate} to {version('quorate')})" if lock.quorate != version("quorate") else ""
    return f"its files are as in the lock: this entry was left out of an update, or Quorate{versions} or what it runs on has changed"


def _place(project: Project, changed: Sequence[Changed]) -> Location | None:
    """The first changed part that is in the project."""
    files = ((project.root / one.file, one.line) for one in changed if one.line is not None)
    return next((Location(str(file), line, 0) for file, line in files if file.is_file()), None)


def _show(verdicts: Sequence[Verdict], compared: _Compared, form: str, update: bool) -> None:
    if form != TEXT:
        show_results([_result(verdict, compared) for verdict in verdicts], form)
        return
    rows = [("", "specification", "expected", "found", "states", "transitions", "s", "engine")]
    click.echo(table([*rows, *(_row(verdict, compared) for verdict in verdicts)]))
    for verdict in verdicts:
        if verdict.fine:
            continue
        click.echo(f"\n{verdict.job.title} is expected to be: {verdict.expected or 'loadable'}")
        if verdict.outcome is None:
            click.echo(verdict.error)
        else:
            show(verdict.outcome, "text")
    for note_, names in _fallbacks(verdicts).items():
        click.echo(f"\n{', '.join(names)}: {note_}")
    for verdict in verdicts:
        differs = compared.differences.get(verdict.job.name)
        if differs is not None:
            lines = (f"    {each}" for each in differs.words)
            click.echo("\n".join([f"\n{verdict.job.title} differs from {FILE}:", *lines]))
    if compared.gone:
        old = ", ".join(f"{spec} {name}" for spec, name, _ in compared.gone)
        click.echo(f"\n{FILE} has what is gone: {old}")
    click.echo("\n" + _total(verdicts, compared, update))


def _total(verdicts: Sequence[Verdict], compared: _Compared, update: bool) -> str:
    lines = [f"{sum(verdict.fine for verdict in verdicts)} of {len(verdicts)} do what they say."]
    same = sum(verdict.recorded is not None for verdict in verdicts)
    if same:
        lines.append(f"{same} of them unchanged since they were checked, and skipped; --no-skip checks them again.")
    if (compared.differences or compared.gone) and not update:
        changed = len(compared.differences) + len(compared.gone)
        lines.append(f"{changed} not as in {FILE}; `quorate verify --update` takes what is found for right.")
    if compared.new and not update:
        lines.append(f"{compared.new} not in {FILE}; `quorate verify --update` adds them.")
    return "\n".join(lines)


def _fallbacks(verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    """Why the native engine was not used, where the choice was Quorate's and there was more than a few transitions to do, and for which
    specifications."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        facts = verdict.facts
        if facts is None or verdict.job.engine != "auto":
            continue
        if facts["engine"] == "reference" and (
            facts["transitions"] > AT_ONCE or any(each.startswith("the native engine") for each in facts["notes"])
        ):
            found.setdefault("; ".join(facts["notes"]) or "the reference engine", []).append(verdict.job.title)
        for each in facts["notes"]:
            if facts["engine"] != "reference" and each.startswith("liveness was checked by the reference engine"):
                found.setdefault(each, []).append(verdict.job.title)
    return found


def _row(verdict: Verdict, compared: _Compared) -> tuple[str, ...]:
    same = verdict.recorded is not None
    mark = (
        "DIFFERS"
        if not verdict.fine
        else "CHANGED"
        if verdict.job.name in compared.differences
        else "same"
        if same
        else "ok"
    )
    facts = verdict.facts
    if facts is None:
        return mark, verdict.job.title, verdict.expected, verdict.found, "", "", "", ""
    covered = ("", "") if verdict.job.function else (f"{facts['states']:,}", f"{facts['transitions']:,}")
    seconds = "skipped" if same else f"{facts['seconds']:.1f}"
    return mark, verdict.job.title, verdict.expected, verdict.found, *covered, seconds, facts["engine"]


EXPECT = Rule(
    "quorate.expect",
    "A specification, variant or function does what it says.",
    "if the check finds what `expect` announces",
)
LOCKED = Rule(
    "quorate.lock",
    "What is found is what quorate.lock has.",
    "if verdict and numbers are those that were reviewed",
)


def _result(verdict: Verdict, compared: _Compared) -> Result:
    """A verdict as all formats write it: that of its outcome, and a success if it is the expected one and in agreement with the
    lock."""
    found = _found(verdict)
    differs = f"expected {verdict.expected or 'loadable'}, found {verdict.found}: {found.sentence}"
    difference = compared.differences.get(verdict.job.name)
    words = difference.words if difference is not None else ()
    sentence = found.sentence if verdict.fine else differs
    if words:
        sentence = f"{sentence}; not as in {FILE}: {'; '.join(words)}"
    skipped_ = "unchanged since it was checked, and skipped\n" if verdict.recorded is not None else ""
    return replace(
        found,
        name=verdict.job.function or verdict.job.variant or verdict.job.spec,
        level="failure" if words and verdict.fine else "success" if verdict.fine else _wrong(found),
        sentence=sentence,
        facts=_facts(verdict, words),
        location=difference.place or found.location if difference is not None and verdict.fine else found.location,
        problems=(*_problems(verdict, found, differs), *_from_lock(verdict, found, difference)),
        summary="\n".join([f"expected: {verdict.expected or 'loadable'}", *words, f"{skipped_}{found.summary}"]),
    )


def _wrong(found: Result) -> Level:
    return "failure" if found.level == "success" else found.level


def _found(verdict: Verdict) -> Result:
    from quorate.report.machine import result_of

    job, known = verdict.job, verdict.recorded
    if known is not None:
        word, said = str(known.outcome["verdict"]), known.outcome["location"]
        place = None if said is None else Location(said["file"], said["line"], said["column"] - 1)
        return Result(
            job.spec, job.spec, "success", word, known.sentence, known.outcome, summary=known.summary, location=place
        )
    if verdict.outcome is not None:
        return result_of(verdict.outcome)
    assert verdict.error is not None
    return result_of(Failed.rejected(job.spec, job.variant, verdict.error))


def _problems(verdict: Verdict, found: Result, differs: str) -> tuple[Problem, ...]:
    """What is wrong if the verdict is not the expected one: what was found, or that nothing was."""
    if verdict.fine:
        return ()
    if not found.problems:
        return (Problem(EXPECT, "failure", f"{verdict.job.title}: {differs}", found.location),)
    return tuple(
        replace(one, sentence=f"expected {verdict.expected or 'loadable'}: {one.sentence}") for one in found.problems
    )


def _from_lock(verdict: Verdict, found: Result, difference: _Difference | None) -> tuple[Problem, ...]:
    if difference is None:
        return ()
    sentence = f"{verdict.job.title}, not as in {FILE}: {'; '.join(difference.words)}"
    return (Problem(LOCKED, "failure", sentence, difference.place or found.location),)


def _facts(verdict: Verdict, words: Sequence[str]) -> dict[str, object]:
    return {
        "spec": verdict.job.spec,
        "variant": verdict.job.variant,
        "function": verdict.job.function,
        "profile": verdict.job.profile.name,
        "expected": verdict.expected,
        "found": verdict.found,
        "fine": verdict.fine,
        "skipped": verdict.recorded is not None,
        "differences": list(words),
        "error": None if verdict.error is None else str(verdict.error),
        "outcome": verdict.facts,
    }
