"""One check from end to end: choose an engine and the sorts to reduce over, explore, judge."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from quorate.errors import Location, SpecError, UsageError, unknown
from quorate.explore.account import TRIES_MIN, Account
from quorate.explore.engine import ENGINES, Covered, EngineUnavailable, Finding, Lasting, engine, liveness_engine
from quorate.explore.limits import SAVINGS, STORES, Watch, peak_bytes
from quorate.explore.symmetry import affordable, renamings, scalarsets
from quorate.explore.verdicts import Verdicts, methods_of
from quorate.kinds import ENDS, KINDS, LIVENESS
from quorate.language.declarations import declares, original
from quorate.language.places import class_location
from quorate.language.sorts import Scalarset
from quorate.language.spec import Spec
from quorate.language.system import Failure, System
from quorate.outcome import (
    OPEN,
    Coverage,
    Failed,
    Holds,
    HoldsWithinBounds,
    NotJudged,
    Outcome,
    Profile,
    Statistics,
    Unfinished,
    Violated,
)
from quorate.trace import Trace

RENAMINGS_MAX = 24
"""With more of them the reference engine is slow: it tries all."""


@dataclass(frozen=True)
class Naming:
    """What a specification is called in outcomes and traces: a name that the command line can load again."""

    spec: str
    variant: str | None = None


def check(
    spec: type[Spec],
    *,
    engine: str = "auto",
    symmetry: bool = True,
    watch: Watch | None = None,
    workers: int = 1,
    naming: Naming | None = None,
) -> Outcome:
    """Explore a specification at its bounds and check every property that it declares, until the first is violated.

    (`quorate.explore.every` judges all of them, or only some.) `engine` is "auto" or a key of `ENGINES`; `symmetry=False`
    explores every state instead of every orbit; `watch` carries limits and progress. Of several kinds of violation the first
    is reported of: safety, deadlock (see `reference` for their order), an unreachable `@reachable`, liveness. Raises SpecError
    and UsageError where the specification or a bound is wrong; an exception that the specification raises in a reachable state
    is the outcome `Failed`.
    """
    return check_system(
        System(spec), engine=engine, symmetry=symmetry, watch=watch or Watch(), workers=workers, naming=naming
    )


def check_system(
    system: System, *, engine: str, symmetry: bool, watch: Watch, workers: int, naming: Naming | None
) -> Outcome:
    """As `check`, of a system that may begin in other states than its specification says."""
    if watch.store not in STORES:
        raise unknown("store", watch.store, STORES)
    for saving in watch.without:
        if saving not in SAVINGS:
            raise unknown("saving", saving, SAVINGS)
    if watch.keeping == "fingerprint" and watch.checkpoint is not None:
        raise UsageError(
            "A search that keeps fingerprints has no states to write into a checkpoint: leave out one of the two."
        )
    if watch.coverage and watch.checkpoint is not None:
        raise UsageError("A checkpoint keeps states, not what ran on the way: leave out --coverage or --checkpoint.")
    if watch.profile and watch.keeping not in ("exact", "disk"):
        raise UsageError(
            f"What makes the states is read from the states: leave out --profile or --store {watch.store}."
        )
    if watch.disk is not None:
        refuse_in_memory(system, watch, workers)
    with system:
        if watch.coverage:
            from quorate.explore.coverage import countable

            countable(system)
        judge = _Judge(system, naming or Naming(system.name), watch)
        try:
            return judge.outcome(engine, symmetry, workers)
        except Failure as failure:
            return judge.make(Failed, message=failure.message, trace=None, error_location=failure.location)


def refuse_in_memory(system: System, watch: Watch, workers: int) -> None:
    """What is asked for must not need the states in memory, as a search on the disk has none. Raises UsageError."""
    lasting = [method.name for method in system.of(*LIVENESS)]
    for asked, what in (
        (
            watch.store in ("tree", "fingerprint"),
            f"--store {watch.store} is about states in memory: leave out one of the two",
        ),
        (watch.checkpoint is not None, "it has its own checkpoints: leave out --checkpoint"),
        (watch.coverage, "its checkpoints keep states, not what ran on the way: leave out --coverage"),
        (watch.profile, "what makes the states is read from states in memory: leave out --profile"),
        (workers > 1, "it has one worker: leave out --workers"),
        (
            bool(lasting),
            f"{' and '.join(lasting)} can only be judged in memory: name the other properties with --property",
        ),
    ):
        if asked:
            raise UsageError(f"A search with --disk cannot do that: {what}.")


CHOICES_BETWEEN_LOOKS = 256


Ended = TypeVar("Ended", Covered, Lasting)


class _BeginsTooLong(Exception):
    """Listing the initial states was ended, for this reason."""


class _Judge:
    """Turns what an engine covered into an outcome."""

    def __init__(self, system: System, naming: Naming, watch: Watch) -> None:
        self.system, self.naming, self.watch = system, naming, watch
        self.engine = ""
        self.sorts: tuple[type[Scalarset], ...] = ()
        self.notes: list[str] = []
        self.statistics = Statistics()
        self.coverage: Coverage | None = None
        self.profile: Profile | None = None
        self.verdicts = Verdicts(system)
        self._choices = 0

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Meanwhile the limits count for the listing of initial states, too."""
        kept, self.system.waiting = self.system.waiting, self._wait
        try:
            yield
        finally:
            self.system.waiting = kept

    def _wait(self) -> None:
        """Keep the limits, and tell the progress, while the choices of @init are tried."""
        self._choices += 1
        if self._choices % CHOICES_BETWEEN_LOOKS == 0:
            reason = self.watch.look(0, 0, 0, 0)
            if reason is not None:
                raise _BeginsTooLong(f"{reason} while the choices of @init were tried")

    def make(self, kind: type[Outcome], **fields: Any) -> Outcome:
        """An outcome of this check."""
        statistics = replace(self.statistics, seconds=self.watch.seconds, memory_bytes=peak_bytes())
        return kind(
            spec=self.naming.spec,
            variant=self.naming.variant,
            bounds=self.system.bounds,
            engine=self.engine,
            symmetry=tuple(sort.__name__ for sort in self.sorts),
            statistics=statistics,
            notes=tuple(dict.fromkeys(self.notes)),
            subject=self.system.name,
            location=class_location(original(self.system.spec)),
            judgements=self.verdicts.judgements(),
            methods=methods_of(self.system, "action", *KINDS),
            coverage=self.coverage,
            profile=self.profile,
            **fields,
        )

    def outcome(self, wanted: str, symmetry: bool, workers: int) -> Outcome:
        """Explore and judge."""
        if symmetry:
            self.sorts, notes = symmetric_sorts(self.system)
            self.notes.extend(notes)
        covered = self._explore(wanted, workers)
        self.notes.extend(covered.notes)
        self.statistics = Statistics(
            covered.states,
            covered.transitions,
            covered.depth,
            dict(covered.cuts),
            dict(covered.actions),
            stored_bytes=covered.stored_bytes,
            store=self.watch.keeping,
            collision=covered.collision,
            levels=covered.levels,
        )
        if self.watch.coverage:
            from quorate.explore.coverage import coverage

            self.coverage = coverage(self.system, covered.counted, bool(self.sorts))
        if covered.measured is not None:
            from quorate.explore.profile import profile

            self.profile = profile(self.system, covered, bool(self.sorts))
        self.verdicts.judge_goals(covered)
        if covered.finding is not None:
            if covered.stopped is not None:
                self.notes.append(f"stopped before the level was finished: {covered.stopped}")
            return self._found(covered.finding)
        if covered.stopped is not None:
            self.verdicts.leave_open(covered.stopped)
            return self.make(Unfinished, reason=covered.stopped)
        account = Account(self.system, self.watch)
        if self.engine == "reference" or covered.states <= TRIES_MIN:  # Of others a part was audited.
            account.look()
            account.compare(covered, self.sorts)
        self.notes.extend(f"the action {name} never fired" for name, count in covered.actions.items() if count == 0)
        if covered.stuck and not declares(self.system.spec, *ENDS):
            self.notes.append(_stuck_note(covered.stuck))
        self.verdicts.judge_safety()
        if self.system.of(*LIVENESS):
            ended = self._liveness(workers, account)
            if ended is not None:
                return ended
        return self._summed_up()

    def _summed_up(self) -> Outcome:
        """The outcome after everything was explored and nothing was found on the way."""
        judgements = self.verdicts.judgements()
        unreachable = next((one for one in judgements if one.status == "violated"), None)
        if unreachable is not None:
            return self.make(Violated, property=unreachable.property, trace=None)
        if not judgements:
            return self.make(NotJudged, reason=no_property(self.system))
        left = [one for one in judgements if one.status in OPEN]
        if left:
            return self.make(NotJudged, reason="; ".join(f"{one.property} is {one.reason}" for one in left))
        return self.make(HoldsWithinBounds if self.statistics.cuts else Holds)

    def _at_once(self) -> Covered | None:
        """What the reference engine covers if it is done in a few steps: a compiler would take longer than it does. None if there are
        more, or if something is asked for that the native engine is there for.

        Without symmetry liveness has up to as many times more, and it is judged on all of them."""
        from quorate.explore.reference import Few, TooMany, explore
        from quorate.model import build

        watch, many = self.watch, renamings(self.sorts)
        asked = (
            watch.checkpoint is not None or watch.keeping != "exact" or watch.without or watch.coverage or watch.profile
        )
        if asked or many > RENAMINGS_MAX:
            return None
        try:
            build(self.system)
        except SpecError:
            return None  # The engines say what that means.
        self.engine = watch.engine = "reference"
        try:
            most = watch.at_once // many if self.system.of(*LIVENESS) else watch.at_once
            return explore(self.system, self.sorts, watch, 1, Few(most))
        except TooMany:
            return None

    def _explore(self, wanted: str, workers: int) -> Covered:
        try:
            with self._limited():
                return self._by_an_engine(wanted, workers)
        except _BeginsTooLong as reason:
            unfired = dict.fromkeys((action.name for action in self.system.actions), 0)
            return Covered(0, 0, 0, {}, unfired, frozenset(), stopped=str(reason))

    def _by_an_engine(self, wanted: str, workers: int) -> Covered:
        if wanted == "auto" and self.watch.at_once and (covered := self._at_once()) is not None:
            return covered
        candidates = list(ENGINES) if wanted == "auto" else [wanted]
        for name in candidates:
            self.engine = self.watch.engine = name
            if name == "reference":  # It tries all permutations; the native engine needs few of them.
                self.sorts, notes = affordable(self.system, self.sorts)
                self.notes.extend(notes)
                for asked, what in (
                    (self.watch.checkpoint is not None, "writes checkpoints"),
                    (self.watch.keeping == "fingerprint", "keeps fingerprints"),
                    (self.watch.store == "tree", "keeps states in a tree"),
                    (self.watch.disk is not None, "keeps states on the disk"),
                ):
                    if asked:
                        raise UsageError(
                            f"Only the native engine {what}, and it cannot be used here. {' '.join(self.notes)}".rstrip()
                        )
            try:
                covered = self._within_memory(partial(engine(name), self.system, self.sorts, self.watch, workers))
                if not covered.too_large or name == candidates[-1]:
                    return covered
                self.notes.append(f"{covered.stopped}: the next engine was taken")
            except EngineUnavailable as reason:
                if name == candidates[-1]:
                    raise
                self.notes.append(str(reason))
        raise AssertionError("there is no engine")

    def _within_memory(self, explore: Callable[[], Ended]) -> Ended:
        """What was explored; anew in a tree where memory did not suffice for states as they are."""
        self.watch.short = False
        found = explore()
        decided = found.stopped is None or found.finding is not None
        if self.engine != "native" or decided or not self.watch.save_memory():
            return found
        self.notes.append(f"states were kept in a tree, after {found.states:,} had filled the memory as they are")
        return explore()

    def _liveness(self, workers: int, account: Account) -> Outcome | None:
        """The outcome if a liveness property is violated, or the graph is too large to tell."""
        if self.sorts:
            self.notes.append("liveness was checked on the full graph, without symmetry reduction")
        if self.watch.keeping == "fingerprint":
            self.notes.append("liveness was checked with every state stored exactly")
        try:
            with self._limited():
                lasting = self._lasting(workers)
        except _BeginsTooLong as reason:
            return self._ended_early(str(reason))
        self.verdicts.judge_liveness(lasting, {name: self._trace(finding) for name, finding in lasting.forced.items()})
        self.notes.extend(lasting.notes)
        if lasting.stopped is not None:
            return self._ended_early(lasting.stopped)
        account.look()
        account.compare_runs(lasting)
        if lasting.finding is not None:
            return self._found(lasting.finding)
        self.notes.extend(lasting.remarks)
        return None

    def _ended_early(self, reason: str) -> Outcome:
        """The outcome if there was no time or room for properties of runs: a goal that no state satisfies is violated all the same."""
        self.verdicts.leave_open(reason)
        if any(one.status == "violated" for one in self.verdicts.judgements()):
            return self._summed_up()
        return self.make(Unfinished, reason=f"every safety property holds; checking liveness, {reason}")

    def _lasting(self, workers: int) -> Lasting:
        """What the engine that explored says of liveness; the reference engine where it cannot."""
        if self.engine != "reference":
            try:
                explore = liveness_engine(self.engine)
                return self._within_memory(partial(explore, self.system, self.sorts, self.watch, workers))
            except EngineUnavailable as reason:
                self.notes.append(f"liveness was checked by the reference engine: {reason}")
        sorts = affordable(self.system, self.sorts)[0]
        return liveness_engine("reference")(self.system, sorts, self.watch, workers)

    def _trace(self, finding: Finding) -> Trace:
        from quorate.explore.traces.tracing import trace

        return trace(self.system, finding, self.naming.spec, self.naming.variant)

    def _found(self, finding: Finding) -> Outcome:
        from quorate.explore.traces.ordering import few_switches

        shown = self._trace(few_switches(self.system, finding))
        if finding.kind == "error":
            self.verdicts.leave_open("exploring ended at an error of the specification")
            return self.make(Failed, message=finding.message or "", trace=shown, error_location=finding.place)
        name = finding.method.name if finding.method else finding.kind
        self.verdicts.violated(name, shown)
        self.verdicts.leave_open("exploring ended at the first violation; `--keep-going` judges every property")
        return self.make(Violated, property=name, trace=shown)


def no_property(system: System) -> str:
    """What a reader must know of a specification without properties, and the methods that look like one without its mark."""
    called = {name for method in system.of("action", "init") for name in method.function.__code__.co_names}
    forgotten = [
        name
        for name, function in vars(original(system.spec)).items()
        if inspect.isfunction(function)
        and not hasattr(function, "__quorate__")
        and function.__annotations__.get("return") in (bool, "bool")
        and name not in called
    ]
    hint = f" {' and '.join(forgotten)} may want @invariant before it." if forgotten else ""
    return f"the specification declares no property, so that nothing was checked but errors.{hint}"


def _stuck_note(stuck: int) -> str:
    many = "1 state has" if stuck == 1 else f"{stuck:,} states have"
    return (
        f"{many} no transition at all; where the protocol may stop, say so with @terminal, and any other is a deadlock"
    )


def symmetric_sorts(system: System) -> tuple[tuple[type[Scalarset], ...], tuple[str, ...]]:
    """The scalarsets of the state that may be reduced over, and what a reader must know about those that may not.

    The typed model decides: that nothing tells the members of a sort apart is what its type check has shown, and that no error, cut or
    early end of a loop depends on their order is what `model.rounds` reads from it.
    """
    occurring = scalarsets(system)
    if not occurring:
        return (), ()
    from quorate.model import build

    try:
        model = build(system)
    except SpecError as reason:
        return (), (
            f"no symmetry reduction, because the typed model does not cover this specification: "
            f"{reason.message}{_at(reason.location)}",
        )
    notes = tuple(
        f"no symmetry reduction over {sort.__name__}: an error or cut in one round of a loop and the end of the loop in another "
        f"come in the order of names{_at(model.deciding[sort])}"
        for sort in occurring
        if sort in model.deciding and len(sort) > 1
    )
    return tuple(sort for sort in occurring if sort in model.symmetric), notes


def _at(location: Location | None) -> str:
    return "" if location is None else f" ({Path(location.file).name}:{location.line})"
