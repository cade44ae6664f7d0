"""The driver of a search on a cluster: level by level, with what is sent from worker to worker (see the head of the package)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from quorate.errors import UsageError
from quorate.explore.audit import AUDIT_SHARE, Said, audit
from quorate.explore.cluster.rays import Rays, connected
from quorate.explore.cluster.worker import (
    LEAD,
    OWNED_SHARE,
    SHOW,
    SHOW_INITIALLY,
    Look,
    Moment,
    Place,
    Tally,
    Worker,
)
from quorate.explore.engine import Covered, Disagreement, EngineUnavailable, Finding, by_depth
from quorate.explore.limits import Cluster, Watch
from quorate.explore.native.library import EVENT_DEADLOCK, EVENT_NONE, STOP_NONE, Step, with_engine
from quorate.explore.native.render import Rendered
from quorate.explore.native.replay import Replay
from quorate.explore.native.search import REACHED_ERROR, begins_wrongly, rendering
from quorate.kinds import GOALS, LIVENESS, SAFETY
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, State, System

POLL_S = 0.2
PIECE_BYTES = 8 << 20
"""What a neighbour is given to keep at a time."""
LOSSES_MAX = 8
"""So many losses within a level end the search: there may be too little memory for it."""

T = TypeVar("T")


def explore(system: System, sorts: Sequence[type[Scalarset]], watch: Watch, workers: int) -> Covered:
    """A search on the cluster of the watch, as `quorate.explore.engine` wants it; `workers` is of one process and means nothing here.
    Raises EngineUnavailable when the specification is outside the typed subset, UsageError for what a cluster cannot do."""
    _refuse(system, watch)
    if begins_wrongly(system):
        from quorate.explore import reference

        return reference.explore(system, sorts, watch, 1)
    initial = list(system.initial())
    rendered = rendering(system, [state for _, state in initial], sorts, watch.without | {"bits"}, watch.coverage)
    with connected(watch.cluster or Cluster()) as cluster:
        return search(system, rendered, initial, watch, cluster)


def search(
    system: System, rendered: Rendered, initial: Sequence[tuple[Arguments, State]], watch: Watch, cluster: Rays
) -> Covered:
    """A search by as many workers as the cluster has."""
    return _Search(system, rendered, initial, watch, cluster).covered()


def _refuse(system: System, watch: Watch) -> None:
    liveness = [method.name for method in system.of(*LIVENESS)]
    if liveness:
        others = [f"--property {method.name}" for method in system.of(*SAFETY, *GOALS)]
        instead = f" The others can be checked there: `{' '.join(others)}`." if others else ""
        raise UsageError(
            f"A cluster does not check what runs do in the end, and {system.name} declares {', '.join(liveness)}.{instead}"
        )
    for asked, what in (
        (
            watch.checkpoint is not None,
            "writes no checkpoints (it keeps what a lost worker had): leave out --checkpoint",
        ),
        (watch.store in ("tree", "fingerprint"), f"keeps every state as it is: leave out --store {watch.store}"),
        (watch.disk is not None, "keeps its states in memory: leave out --disk"),
        (watch.profile, "does not say what makes the states: leave out --profile"),
    ):
        if asked:
            raise UsageError(f"A search on a cluster {what}.")


class _Stopped(Exception):
    """The search ends here, for this reason."""


class _Search:
    """One search: workers by their part, and what is known of them."""

    def __init__(
        self,
        system: System,
        rendered: Rendered,
        initial: Sequence[tuple[Arguments, State]],
        watch: Watch,
        cluster: Rays,
    ) -> None:
        self.cluster, self.task, self.lost, count = cluster, cluster.task, cluster.lost, cluster.workers
        self.system, self.rendered, self.initial, self.watch = system, rendered, initial, watch
        self.parts = range(count)
        self.workers: list[Any] = [None] * count
        self.places: dict[int, Place] = {}
        self.level, self.attempt = -1, 0
        self.found: list[list[int]] = []  # by depth, the states that each worker has found; what is in it is kept
        self.tallies = [self._nothing()] * count  # at the end of the last level
        self.before = [self._nothing()] * count  # of workers that were lost
        self.looks = [Look(0, 0)] * count
        self.event, self.sent = EVENT_NONE, 0
        self.kept = count > 1
        self.missing: set[int] = set()
        self.notes: list[str] = []

    def _nothing(self) -> Tally:
        zeros = [
            (0,) * many for many in (len(self.rendered.bounds), len(self.rendered.parameters), 2 * self.rendered.points)
        ]
        return Tally(0, 0, 0, 0, 0, EVENT_NONE, STOP_NONE, zeros[0], zeros[1], zeros[2], None, None)

    def covered(self) -> Covered:
        """Search to the end, or until the watch says stop."""
        try:
            with self._opened():
                self._surviving(self._search_level)
                while self.event == EVENT_NONE and any(self.found[-1]):
                    self.level += 1
                    self._surviving(self._search_level)
                return self._answer(self._surviving(self._finding), None)
        except _Stopped as stopped:
            violated = self.event != EVENT_NONE
            return self._answer(
                None,
                f"{stopped}, after a violation was found and before the path to it was known"
                if violated
                else str(stopped),
            )

    # ---- Workers ----

    @contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            try:
                self._open(self.parts)
            except self.lost as reason:
                raise UsageError(
                    "The workers could not be started. Every machine of the cluster needs Quorate, in the same version, and a C "
                    f"compiler. {reason}"
                ) from None
            yield
        finally:
            for worker in self.workers:
                if worker is not None:
                    self.cluster.kill(worker)

    def _open(self, parts: Sequence[int]) -> None:
        """Start workers that have found nothing yet but, if no level was found, their initial states."""
        files = with_engine(self.rendered.source)
        for part in parts:
            self.workers[part] = self.cluster.start(Worker, self.system.name, files, self.rendered.silent)
        self.places |= zip(parts, self._all([self.task(self.workers[part], "place") for part in parts]), strict=True)
        options = (self.watch.again, self.attempt, not self.found)
        opened = [
            self.task(self.workers[part], "open", part, len(self.parts), self._memory(part), *options) for part in parts
        ]
        for part, wrong in zip(parts, self._all(opened), strict=True):
            if wrong is not None:
                raise EngineUnavailable(f"worker {part} cannot run: {wrong}")

    def _memory(self, part: int) -> int:
        """The bytes that a worker may take."""
        if self.watch.limits.memory_bytes is not None:
            return self.watch.limits.memory_bytes // len(self.parts)
        machine, _, memory = self.places[part]
        neighbours = sum(place.machine == machine for place in self.places.values())
        return int(memory * OWNED_SHARE / neighbours)

    def _neighbour(self, part: int) -> int:
        """Who keeps what a worker has found."""
        return (part + 1) % len(self.parts)

    def _surviving(self, action: Callable[[], T]) -> T:
        """Do something that can be done again, until no worker is lost on the way."""
        for _ in range(LOSSES_MAX):
            try:
                self._replace()
                return action()
            except self.lost as reason:
                self._mourn(reason)
        raise _Stopped(f"{LOSSES_MAX} workers were lost at depth {max(self.level, 0)}")

    def _mourn(self, reason: Exception) -> None:
        """Note which workers were lost; if none was, it was a message. Raises the reason again if it is an error of a worker."""
        gone = [part for part in self.parts if not self._lives(part)]
        if not gone and not self.missing and isinstance(reason, self.cluster.failed):
            raise reason
        self.missing.update(gone)
        self.attempt += 1
        for part in gone:
            self.cluster.kill(self.workers[part])  # It may live, and not be heard.
            self.before[part], self.tallies[part] = _both(self.before[part], self.tallies[part]), self._nothing()
        for part in sorted(self.missing) if self.found else ():
            if not self.kept or self._neighbour(part) in self.missing:
                raise _Stopped(f"worker {part} was lost, and nobody else had its states")
        for part in gone:
            place = f"process {self.places[part].process} on machine {self.places[part].machine}"
            self.notes.append(
                f"worker {part} ({place}) was lost at depth {max(self.level, 0)}, and another one took its place"
            )

    def _replace(self) -> None:
        """Others take the places of those that were lost. One that is lost before it has all that it should is replaced, too."""
        for part in sorted(self.missing):
            self._open([part])
            self._give_back(part)
            self.missing.remove(part)

    def _lives(self, part: int) -> bool:
        try:
            self._all([self.task(self.workers[part], "place")])
        except self.lost:
            return False
        return True

    def _give_back(self, part: int) -> None:
        """Give a new worker the states that the lost one had, and what it kept for its neighbour."""
        new, keeper, other = self.workers[part], self.workers[self._neighbour(part)], (part - 1) % len(self.parts)
        for depth, found in enumerate(self.found):
            for begin in self._pieces(found[part]):
                kept = self.task(keeper, "kept", part, depth, begin, self._piece)
                self._all([self.task(new, "load", kept)])
            if depth < len(self.found) - 1:
                self._all([self.task(new, "loaded")])
        if self.found:
            self._all([self.task(new, "resume")])
        for depth, found in enumerate(self.found):
            self._keep(other, depth, found[other])

    # ---- Levels ----

    @property
    def _moment(self) -> Moment:
        """What the tasks of this attempt belong to."""
        reached = reduce(or_, (tally.reached for tally in (*self.before, *self.tallies)))
        return Moment(self.level, self.attempt, reached)

    @property
    def _piece(self) -> int:
        return PIECE_BYTES // (8 * self.rendered.state_words)

    def _pieces(self, count: int) -> range:
        return range(0, count, self._piece)

    def _search_level(self) -> None:
        """Expand a level, and keep what is found."""
        del self.found[self.level + 1 :]
        if self.level >= 0:
            self._expand_level()
        tallies = self._all([self.task(worker, "end", self._moment) for worker in self.workers])
        self._check(tallies)
        for part in self.parts:
            self._keep(part, self.level + 1, tallies[part].found)
        self.tallies = tallies
        self.event = min((tally.event for tally in tallies if tally.event != EVENT_NONE), default=EVENT_NONE)
        self.found.append([tally.found for tally in tallies])

    def _expand_level(self) -> None:
        """All workers expand their part of it in pieces. A worker goes on when at most one message to each other one is on its way."""
        inserting: dict[Any, tuple[int, int]] = {}
        expanding: dict[Any, tuple[int, Sequence[Any]]] = {}
        waiting, flying = {part for part in self.parts if self.found[-1][part]}, Counter[int]()
        while waiting or expanding or inserting:
            for part in sorted(part for part in waiting if flying[part] < len(self.parts)):
                waiting.remove(part)
                answers = len(self.parts) + 1
                look, *boxes = self.task(self.workers[part], "expand", self._moment, answers=answers)
                expanding[look] = part, boxes
            for done in self._some([*inserting, *expanding]):
                look = self.cluster.get(done)
                if done in inserting:
                    target, source = inserting.pop(done)
                    flying[source] -= 1
                    self.looks[target] = look
                    continue
                source, boxes = expanding.pop(done)
                self.looks[source] = look
                self.sent += sum(look.lengths)
                for target in self.parts:
                    if look.lengths[target]:
                        box = boxes[target]
                        sending = self.task(self.workers[target], "insert", self._moment, box)
                        inserting[sending] = target, source
                        flying[source] += 1
                if look.stop != STOP_NONE:
                    self._check(self._all([self.task(worker, "end", self._moment) for worker in self.workers]))
                if look.left:
                    waiting.add(source)

    def _check(self, tallies: Sequence[Tally]) -> None:
        """Raise what makes the numbers void, or ends the search."""
        for part, tally in enumerate(tallies):
            if tally.mistaken is not None:
                raise Disagreement(f"{tally.mistaken} does something else than what was remembered of it")
            if tally.trapped is not None or tally.stop != STOP_NONE:
                self.tallies = list(tallies)
                limit = f"worker {part} has no memory left beyond {self._memory(part) / 2**30:.2g} GB"
                raise _Stopped(tally.trapped or limit)

    def _keep(self, part: int, depth: int, found: int) -> None:
        """What a worker has found at a depth is written down by its neighbour."""
        if not self.kept:
            return
        worker, keeper = self.workers[part], self.workers[self._neighbour(part)]
        said = [
            self.task(keeper, "keep", part, depth, begin, self.task(worker, "states", depth, begin, self._piece))
            for begin in self._pieces(found)
        ]
        wrong = next((each for each in self._all(said) if each is not None), None)
        if wrong is not None:
            self.kept = False
            self.notes.append(
                f"what workers have found could not be written ({wrong}): one that is lost ends the search"
            )

    # ---- Waiting ----

    def _some(self, tasks: Sequence[Any]) -> Sequence[Any]:
        """Those of the tasks that are done, if any is before the next look. Raises _Stopped."""
        done = self.cluster.wait(tasks, POLL_S)
        states = tuple(look.states for look in self.looks)
        transitions = sum(look.transitions for look in self.looks) + sum(tally.transitions for tally in self.before)
        frontier = sum(self.found[-1]) if self.found else 0
        reason = self.watch.look(sum(states), transitions, max(self.level, 0), frontier, states)
        if reason is None and self.watch.full(sum(states) - 1):
            reason = self.watch.states_reason()
        if reason is not None:
            raise _Stopped(reason)
        return done

    def _all(self, tasks: Sequence[Any]) -> list[Any]:
        """What the tasks answer. Raises _Stopped."""
        waiting = list(tasks)
        while waiting:
            for done in self._some(waiting):
                self.cluster.get(done)
                waiting.remove(done)
        return [self.cluster.get(task) for task in tasks]

    # ---- The answer ----

    def _finding(self) -> Finding | None:
        """The path to what was found: backward the states from which it can be reached, then forward through them."""
        if self.event == EVENT_NONE:
            return None
        level, initially = max(self.level, 0), self.level < 0
        sets: list[Any] = []
        how, first = SHOW_INITIALLY if initially else SHOW, self.workers[0]
        wanted = self.cluster.put(b"")
        for depth in range(level, -1, -1):
            members = [
                self.task(worker, "members", self._moment, depth, how, self.event, wanted) for worker in self.workers
            ]
            wanted, how = self.task(first, "joined", *members), LEAD
            sets.insert(0, wanted)
            self._all(members)
        ends = initially or self.event == EVENT_DEADLOCK
        steps: list[Step] = self._all([self.task(first, "path", None if ends else self.event, *sets)])[0]
        if not steps:
            raise Disagreement("the search found a violation and no path to it")
        return Replay(self.system, self.rendered, self.initial).finding(steps, self.event == EVENT_DEADLOCK)

    def _answer(self, finding: Finding | None, stopped: str | None) -> Covered:
        total = self._nothing()
        for tally in (*self.before, *self.tallies):
            total = _both(total, tally)
        states = max(
            sum(map(sum, self.found)), sum(tally.states for tally in self.tallies)
        )  # Of a lost one there is no tally.
        if total.reached >> REACHED_ERROR & 1:
            raise EngineUnavailable("a @reachable property raises an error; `--engine reference` says where")
        names = [action.name for action in self.system.actions]
        cuts = Counter(dict(zip(self.rendered.bounds, total.cuts, strict=False))) + self.system.excluded_initially()
        goals = self.system.of(*GOALS)
        last = len(self.found) - 1
        depth = last - 1 if last > 0 and not any(self.found[last]) else max(last, 0)
        covered = Covered(
            states,
            total.transitions,
            depth,
            dict(sorted(cuts.items())),
            dict(zip(names, total.fired[: len(names)], strict=True)),
            frozenset(method.name for bit, method in enumerate(goals) if total.reached >> bit & 1),
            finding,
            stopped,
            tuple(dict.fromkeys((*self.notes, *self._measure(states)))),
            sum(tally.memory_bytes for tally in self.tallies),
            too_large=total.trapped is not None,
            levels=by_depth([sum(found) for found in self.found[: depth + 1]], states),
            counted=total.counted,
        )
        if finding is None and stopped is None:
            audit(
                self.system, self.initial, Said.of(self.system, covered), self.watch.seconds * AUDIT_SHARE, self.watch
            )
        return covered

    def _measure(self, states: int) -> Iterator[str]:
        machines = len({place.machine for place in self.places.values()})
        if states:
            yield (
                f"{len(self.parts)} workers on {machines} machine{'s' * (machines > 1)} sent each other "
                f"{self.sent / states:.0f} bytes a state"
            )


def _both(one: Tally, other: Tally) -> Tally:
    """What two workers, or a lost one and the one in its place, have counted together."""

    def added(some: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(map(sum, zip(some, more, strict=True)))

    return Tally(
        one.states + other.states,
        one.transitions + other.transitions,
        one.found + other.found,
        one.memory_bytes + other.memory_bytes,
        one.reached | other.reached,
        EVENT_NONE,
        STOP_NONE,
        added(one.cuts, other.cuts),
        added(one.fired, other.fired),
        added(one.counted, other.counted),
        one.trapped or other.trapped,
        None,
    )
