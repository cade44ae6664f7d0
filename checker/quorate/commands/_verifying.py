"""What `quorate verify` does: one job for each specification, variant and function with laws; those that are unchanged since
a success are answered from the record, and the others checked in parallel, what failed last first."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import get_context
from typing import Any

from quorate.commands._live import end_with_parent
from quorate.errors import QuorateError
from quorate.explore.limits import Cluster, Limits
from quorate.outcome import ENDED, Outcome, Unfinished, Violated
from quorate.pipeline.lock import Finding, Name
from quorate.pipeline.project import Profile, Project
from quorate.pipeline.record import Last, Record, Success
from quorate.pipeline.sources import Sources, is_current, key, sources_of


@dataclass(frozen=True)
class Job:
    """One specification or variant to verify, or (`function`) one function with laws: by `name` in the lock and the record. `deadline`
    is a time of the clock, when the budget is used up."""

    spec: str
    variant: str | None
    engine: str
    limits: Limits
    name: Name
    function: str | None = None
    profile: Profile = field(default_factory=Profile)
    deadline: float | None = None

    @property
    def title(self) -> str:
        """What it is called: the specification with its variant or function."""
        return " ".join(part for part in (self.spec, self.variant, self.function) if part is not None)

    @property
    def sources(self) -> Sources:
        """What it is made from."""
        from quorate.loading import located

        return sources_of(*located(self.spec))

    @property
    def key(self) -> str | None:
        """What its verdict depends on; see `pipeline.sources.key`."""
        asked = (self.name[:2], self.function, self.engine, asdict(self.limits))
        sizes = (dict(self.profile.common), dict(self.profile.single.get(self.name[0], {})))
        return key(self.sources, (asked, sizes))

    @property
    def left(self) -> Limits:
        """The limits, and what is left of the budget."""
        if self.deadline is None:
            return self.limits
        seconds = max(self.deadline - time.time(), 0)
        return replace(self.limits, seconds=min(seconds, self.limits.seconds or seconds))


@dataclass(frozen=True)
class Verdict:
    """What was expected and what was found; `error` if it could not be checked. `recorded` is the success that was found before and
    stands for a check now. `key` is set if this is a success that may stand for later ones."""

    job: Job
    expected: str
    outcome: Outcome | None
    error: QuorateError | None
    fine: bool
    key: str | None = None
    recorded: Success | None = None

    @property
    def found(self) -> str:
        """What was found, in the words of `expected`."""
        if self.recorded is not None:
            return self.recorded.found
        if self.outcome is None:
            return "error"
        violated = [name for name in self.outcome.violated if name in self.expected] or self.outcome.violated
        return f"violates {', '.join(violated)}" if isinstance(self.outcome, Violated) else self.outcome.verdict

    @property
    def facts(self) -> Mapping[str, Any] | None:
        """The object of `--format json`; None if it could not be checked."""
        from quorate.report.machine import outcome_json

        if self.recorded is not None:
            return self.recorded.outcome
        return None if self.outcome is None else outcome_json(self.outcome)

    @property
    def finding(self) -> Finding | None:
        """What goes into the lock: only what is as expected."""
        facts = self.facts
        return Finding.of(self.found, facts) if self.fine and facts is not None else None


def jobs_of(spec: str, project: Project, engine: str, limits: Limits, profile: Profile) -> Iterator[Job]:
    """The jobs of one SPEC."""
    from quorate.loading import load, located

    sources_of(*located(spec))
    protocol, called = load(spec), project.named(spec)
    if not protocol.has_only_laws:
        for variant in (None,) if protocol.chosen else (None, *protocol.variants):
            name = (called, variant or protocol.main.__name__, profile.name)
            yield Job(spec, variant, engine, limits, name, profile=profile)
    for function in protocol.marked:
        yield Job(spec, None, engine, limits, (called, function, profile.name), function, profile)


def skipped(jobs: Sequence[Job], record: Record) -> dict[Name, Verdict]:
    """The jobs that need no check: nothing has changed since a recorded success."""
    found = {}
    for job in jobs:
        known = job.key
        success = None if known is None else record.success(known)
        if success is not None:
            found[job.name] = Verdict(job, success.expected, None, None, True, recorded=success)
    return found


def in_order(jobs: Sequence[Job], record: Record, is_short: bool) -> list[Job]:
    """What failed last, then what has changed or is new, then the rest; of these the longest first, which keeps all processes busy
    to the end, or, if time `is_short`, the shortest."""
    last = record.last()

    def rank(job: Job) -> tuple[int, float]:
        end = last.get(name_of(job))
        if end is None:
            return 1, 0.0
        changed = 1 if end.key is None or end.key != job.key else 2
        return (changed if end.fine else 0), end.seconds if is_short else -end.seconds

    return sorted(jobs, key=rank)


def name_of(job: Job) -> str:
    """The job in the record of last ends."""
    return ":".join(job.name)


def checked(jobs: Sequence[Job], workers: int | None, cluster: Cluster | None = None) -> Iterator[Verdict]:
    """Check jobs, in this order, in so many processes, or in those of a cluster; the verdicts as they come."""
    if cluster is not None:
        from quorate.explore.cluster.rays import connected

        with connected(cluster) as rays:
            yield from (verdict for _, verdict in rays.each(verify, jobs, _lost))
        return
    if workers == 1 or len(jobs) <= 1:
        yield from map(verify, jobs)
        return
    done = set()
    for verdict in _in_pool(jobs, workers):
        done.add(verdict.job.name)
        yield verdict
    for job in (
        jobs
    ):  # A process was lost, and nobody says which check it was that it did not survive: each is done by itself.
        if job.name not in done:
            yield next(_in_pool([job], 1), _lost(job))


def _lost(job: Job) -> Verdict:
    """Of a job that no process survives."""
    return Verdict(job, "", Unfinished(job.spec, job.variant, {}, "", reason=ENDED), None, False)


def _in_pool(jobs: Sequence[Job], workers: int | None) -> Iterator[Verdict]:
    """The verdicts of jobs as they come; not all of them, if a process is lost."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        try:
            for future in as_completed([pool.submit(verify, job) for job in jobs]):
                yield future.result()
        except BrokenProcessPool:
            return
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def verify(job: Job) -> Verdict:
    """Check one specification, or the laws of one function, against its `expect`."""
    limits = job.left
    if limits.seconds == 0:
        reason = "the budget of time was used up before it began"
        return Verdict(job, "", Unfinished(job.spec, job.variant, {}, "", reason=reason), None, False)
    sources = job.sources  # Read before it is loaded, and compared afterwards.
    with redirect_stdout(sys.stderr):  # What a specification prints is no result, and may come from several processes.
        verdict = _lawful(job, job.function) if job.function is not None else _explored(job, limits)
    return replace(verdict, key=job.key if verdict.fine and is_current(sources) else None)


def _explored(job: Job, limits: Limits) -> Verdict:
    from quorate.explore import Naming, Watch, as_expected, check_expected
    from quorate.language.system import System
    from quorate.loading import load

    expected = ""
    try:
        cls = load(job.spec).variant(job.variant)
        expected = str(cls.expect)
        sizes = job.profile.sizes(job.name[0], System(cls).bounds)
        cls = cls.bounded(**sizes) if sizes else cls
        outcome = check_expected(cls, engine=job.engine, watch=Watch(limits), naming=Naming(job.spec, job.variant))
    except QuorateError as error:
        return Verdict(job, expected, None, error, False)
    return Verdict(job, expected, outcome, None, as_expected(cls, outcome))


def _lawful(job: Job, function: str) -> Verdict:
    from quorate.commands._laws import outcome_of
    from quorate.loading import load
    from quorate.prove.laws.prove import Task, prove_laws

    try:
        marked = load(job.spec).marked[function]
        laws = prove_laws(Task(marked))
        return Verdict(job, str(laws.expect), outcome_of(laws, job.spec, marked), None, laws.as_expected)
    except QuorateError as error:
        return Verdict(job, "", None, error, False)


def note(verdicts: Sequence[Verdict], record: Record) -> None:
    """Record how checks ended, and the successes."""
    from quorate.report.machine import result_of

    ends = {}
    for verdict in verdicts:
        if verdict.recorded is not None:
            continue
        outcome = verdict.outcome
        seconds = 0.0 if outcome is None else outcome.statistics.seconds
        ends[name_of(verdict.job)] = Last(verdict.fine, seconds, verdict.key)
        if verdict.key is not None and outcome is not None:
            result = result_of(outcome)
            success = Success(verdict.expected, verdict.found, result.sentence, result.summary, result.facts)
            record.keep(verdict.key, success)
    if ends:
        record.keep_last(ends)
