"""Trace validation: is a log a behaviour of a specification?

What the log leaves open is searched (Howard et al. 2025, "Smart Casual Verification of CCF's Distributed Consensus and
Consistency Protocols"; Cirstea, Kuppe, Loillier & Merz 2024, "Validating Traces of Distributed Programs Against TLA+
Specifications"): the states that the specification may be in after each event are kept, all of them, breadth first. An
event keeps the successors that have the values which it tells. If none is left, no behaviour has this log, and the event is
the first that fits nothing.

Logs without a common order are interleaved: what is kept is, for each *cut* (how many events of each log have happened),
the states after it. All cuts of one level have as many events; two orders of independent events meet in the same cut and
state. So a level is all that is remembered, however long the log is.

At most `states_max` states are kept. Once some were given up, a log that fits is still a behaviour (each kept state was
reached by a run), and one that does not is not decided.
"""

from __future__ import annotations

import gc
import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from quorate.conform.forgetting import Forgetting
from quorate.conform.logs import Count, Event, Following, LogError, events, ordered
from quorate.conform.mapping import Map
from quorate.conform.matching import Matching
from quorate.conform.picture import Past, draw
from quorate.conform.subject import wide_system
from quorate.conform.told import Instance, Misfit, Wanted
from quorate.conform.verdicts import Conforms, Coverage, Differs, NotDecided, Verdict
from quorate.conform.wide.system import Unsettled
from quorate.explore.limits import Watch
from quorate.language.declarations import SpecBase
from quorate.language.system import State
from quorate.trace import Json

STATES_MAX = 10_000
"""States that are kept after an event, if nobody says otherwise."""
PAST_MAX = 12
"""Steps before a failure that are remembered, to be drawn."""
COLLECTED_AFTER = 10_000
"""So many objects are made before the collector of cycles looks at them."""
EXPLAINED_MAX = 3
"""States from which a failure is explained."""

Cut = tuple[int, ...]


@dataclass(frozen=True)
class Kept:
    """A state that fits, and a way there: the last steps of it, and how often each action happened on all of it."""

    state: State
    past: Past = ()
    actions: Mapping[str, int] = field(default_factory=dict)

    def then(self, instance: Instance | None, event: Event | None, state: State) -> Kept:
        """The way with one step more."""
        actions = self.actions
        if instance is not None:
            name = instance[0].name
            actions = {**actions, name: actions.get(name, 0) + 1}
        return Kept(state, (*self.past[1 - PAST_MAX :], (self.state, instance, event)), actions)


class _Streams:
    """The events of the logs by their number, as far as they are needed. `clocked`: numbers say what comes before what."""

    def __init__(self, streams: Sequence[Iterator[Event]], clocked: bool) -> None:
        self._streams, self.clocked = list(streams), clocked
        self._begun: list[deque[Event]] = [deque() for _ in streams]
        self._offset = [0] * len(streams)
        self._senders: dict[str, tuple[int, int]] = {}
        self._streams_of: dict[str, set[int]] = {}
        self._nodes_in: list[set[str]] = [set() for _ in streams]

    def at(self, stream: int, number: int) -> Event | None:
        """Event `number` of a stream, from 0; None if it has ended."""
        begun = self._begun[stream]
        while number - self._offset[stream] >= len(begun):
            event = next(self._streams[stream], None)
            if event is None:
                return None
            if len(self._streams) > 1 and not self.clocked:
                self._note(stream, self._offset[stream] + len(begun), event)
            begun.append(event)
        return begun[number - self._offset[stream]]

    def _note(self, stream: int, number: int, event: Event) -> None:
        for message in event.sent:
            self._senders.setdefault(_named(message), (stream, number))
        if event.node is not None:
            node = event.node if isinstance(event.node, str) else _named(event.node)  # As a key of a clock has it.
            self._streams_of.setdefault(node, set()).add(stream)
            self._nodes_in[stream].add(node)

    def forget(self, least: Cut) -> None:
        """Drop what is before a cut that no other one is before."""
        for stream, number in enumerate(least):
            while self._offset[stream] < number:
                self._begun[stream].popleft()
                self._offset[stream] += 1

    def is_ready(self, event: Event, stream: int, cut: Cut) -> bool:
        """Whether what must come before an event of a stream has happened."""
        if len(self._streams) == 1:
            return True
        if self.clocked:
            others = (self.at(other, number) for other, number in enumerate(cut) if other != stream)
            return all(other is None or other.clock >= event.clock for other in others)
        for message in event.received:
            sender = self._senders.get(_named(message))
            if sender is None or cut[sender[0]] <= sender[1]:
                return False
        return not isinstance(event.clock, dict) or all(
            self._has_happened(event, node, count, stream, cut) for node, count in event.clock.items()
        )

    def _has_happened(self, event: Event, node: str, count: int, stream: int, cut: Cut) -> bool:
        """Whether a cut has so many events of a node. Raises LogError where a log has events of others, too, so that they cannot be
        counted."""
        others = self._streams_of.get(node, set())
        if not others:
            return count <= 0
        if len(others) > 1 or any(len(self._nodes_in[other]) > 1 for other in others - {stream}):
            raise LogError(
                f"{event.place}: the clock counts the events of {node}, and that needs a log of its own for each node."
            )
        return stream in others or cut[next(iter(others))] >= count


def _named(value: Json) -> str:
    """The name of a message: 1, true and "1" are three."""
    return json.dumps(value, sort_keys=True)


class _Search:
    def __init__(self, matching: Matching, forgetting: Forgetting, streams: _Streams, states_max: int) -> None:
        self.matching, self.forgetting, self.streams, self.states_max = matching, forgetting, streams, states_max
        self.given_up = False
        self.guessed: dict[str, None] = {}
        """The arguments before the events that are looked at now for which something else may be meant than what was tried."""
        self.events = 0
        self.most = 1
        self.actions: Mapping[str, int] = {}
        """How often each action happened on one of the ways that fit."""
        self.values: Counter[str] = Counter()
        self.begun: list[tuple[Event, Wanted]] = []
        """The events that tell how logs begin, with what they ask for."""
        self._wanted: dict[tuple[int, int], Wanted] = {}
        self._fitted: dict[tuple[int, int], Wanted] = {}
        """The events that fit in some order, as long as it is not known that they happened."""
        self._cut: Cut = ()
        """How many events of each log have happened, in one of the orders that fit."""

    def wanted(self, stream: int, number: int, event: Event) -> Wanted:
        """What an event asks for, found once. Raises LogError for a beginning that is not the first event of its log."""
        key = stream, number
        if key not in self._wanted:
            wanted = self.matching.wanted(event)
            if number and self.matching.is_beginning(event):
                raise LogError(
                    f"{event.place}: init is the beginning, and this log has begun before. Let `events` in the map say which action a "
                    "restart is, or None to pass over it."
                )
            self._wanted[key] = wanted
        return self._wanted[key]

    def initially(self, count: int) -> dict[Cut, list[Kept]]:
        """The initial states that fit, after the event that tells of the beginning if the log has one. Of several logs each may tell with
        which arguments it began; what else is told there is looked at when it is that log's turn."""
        firsts = [self.streams.at(stream, 0) for stream in range(count)]
        self.begun = [
            (event, self.wanted(stream, 0, event))
            for stream, event in enumerate(firsts)
            if event is not None and self.matching.is_beginning(event)
        ]
        told = self.begun[0][1] if self.begun and count == 1 else None
        kept = [
            Kept(state)
            for state in self.matching.initial([event for event, _ in self.begun])
            if told is None or self.matching.fits(told, None, state)
        ]
        self.guessed |= self.matching.guessed
        if told is not None and kept:
            self._count(told)
            self.events += 1
        self._cut = (int(told is not None),) if told is not None else (0,) * count
        return {self._cut: kept}

    def after(self, frontier: dict[Cut, list[Kept]]) -> dict[Cut, list[Kept]]:
        """What fits one event more than the frontier."""
        found: dict[Cut, list[Kept]] = {}
        self.matching.guessed.clear()
        for cut, kept in frontier.items():
            ready = [
                (stream, number, event)
                for stream, number in enumerate(cut)
                if (event := self.streams.at(stream, number)) is not None and self.streams.is_ready(event, stream, cut)
            ]
            if not ready:
                continue
            closed = self._closed(kept)
            for stream, number, event in ready:
                wanted = self.wanted(stream, number, event)
                fitting = [
                    one.then(instance, event, after)
                    for one in closed
                    for instance, after in self.matching.steps(one.state, wanted)
                ]
                if fitting:
                    self._fitted[stream, number] = wanted
                    found.setdefault((*cut[:stream], number + 1, *cut[stream + 1 :]), []).extend(fitting)
        if found:
            self.guessed |= self.matching.guessed
        self.events += bool(found)
        return self._lighter(self._bounded({cut: _distinct(kept) for cut, kept in found.items()}))

    def _lighter(self, found: dict[Cut, list[Kept]]) -> dict[Cut, list[Kept]]:
        """The same without messages that can never matter again, if there are many."""
        if not any(self.forgetting.is_due(one.state) for kept in found.values() for one in kept):
            return found
        states = self.forgetting.without_past([one.state for kept in found.values() for one in kept])
        lighter = iter(states)
        return {cut: [replace(one, state=next(lighter)) for one in kept] for cut, kept in found.items()}

    def _closed(self, kept: list[Kept]) -> list[Kept]:
        """The kept states, and those that silent actions lead to from them."""
        if not self.matching.silent:
            return kept
        known = {one.state: one for one in kept}
        layer = kept
        for _ in range(self.matching.mapping.silent_max):
            following = []
            for one in layer:
                for instance, after in self.matching.silent_steps(one.state):
                    if after not in known:
                        if len(known) >= self.states_max:
                            self.given_up = True
                            return list(known.values())
                        known[after] = one.then(instance, None, after)
                        following.append(known[after])
            layer = following
        self.guessed |= self.matching.guessed
        return list(known.values())

    def _bounded(self, found: dict[Cut, list[Kept]]) -> dict[Cut, list[Kept]]:
        total = sum(map(len, found.values()))
        self.most = max(self.most, total)
        if total <= self.states_max:
            return found
        self.given_up = True
        room = self.states_max
        kept: dict[Cut, list[Kept]] = {}
        for cut, states in found.items():
            if room > 0:
                kept[cut] = states[:room]
                room -= len(kept[cut])
        return kept

    def _count(self, wanted: Wanted) -> None:
        """Count what an event tells."""
        for told in wanted.told:
            self.values[told.name.partition("[")[0]] += 1

    def _count_until(self, cut: Cut) -> None:
        """Count the events before a cut."""
        for stream, number in [key for key in self._fitted if key[1] < cut[key[0]]]:
            self._count(self._fitted.pop((stream, number)))

    def settle(self) -> None:
        """Count what happened in one of the orders that fit."""
        self._count_until(self._cut)

    def forget(self, frontier: dict[Cut, list[Kept]]) -> None:
        """Drop what is not needed any more, and count what happened in every order that fits."""
        (self._cut, (one, *_)), *_ = frontier.items()
        self.actions, least = one.actions, tuple(map(min, zip(*frontier, strict=True)))
        self._count_until(least)
        self.streams.forget(least)
        if len(self._wanted) > 64:
            self._wanted = {key: one for key, one in self._wanted.items() if key[1] >= least[key[0]]}


def _distinct(kept: list[Kept]) -> list[Kept]:
    if len(kept) == 1:
        return kept
    known: dict[State, Kept] = {}
    for one in kept:
        known.setdefault(one.state, one)
    return list(known.values())


def validate(
    logs: Sequence[str],
    spec: type[SpecBase],
    mapping: Map,
    name: str,
    states_max: int = STATES_MAX,
    following: Following | None = None,
    watch: Watch | None = None,
) -> Verdict:
    """Whether the logs, taken together, are a behaviour of a specification, which the verdict calls `name`.

    Raises UsageError if the map does not fit the specification, LogError for a line that is no event, SpecError if the
    specification has no initial state."""
    watch = watch or Watch()
    system, values_of = wide_system(spec, mapping)
    count = Count()
    with system, _seldom_collected():
        values = values_of(system)
        matching = Matching(system, mapping, values)
        streams, clocked = ordered([events(log, mapping, count, following, watch) for log in logs])
        forgetting = Forgetting(system, spec, matching.asked)
        search = _Search(matching, forgetting, _Streams(streams, clocked), states_max)
        verdict = _Judge(", ".join(logs), name, matching, search, count, watch)
        if not streams:
            return verdict.nothing()
        try:
            return _followed(search, verdict, forgetting, matching, len(streams), watch)
        except Unsettled as reason:
            return verdict.stopped(str(reason))


def _followed(
    search: _Search, verdict: _Judge, forgetting: Forgetting, matching: Matching, count: int, watch: Watch
) -> Verdict:
    """The verdict on so many logs, event by event."""
    frontier = search.initially(count)
    if not any(frontier.values()):
        return verdict.no_beginning()
    while True:
        following_states = search.after(frontier)
        if watch.is_interrupted:
            return verdict.stopped("interrupted")
        if late := forgetting.forgotten & matching.asked:
            return verdict.stopped(
                f"{min(late)} is told for the first time after messages in it that can never matter again were forgotten: "
                "let the log tell it from its first event on"
            )
        if not following_states:
            return verdict.at_the_end(frontier)
        frontier = following_states
        search.forget(frontier)
        kept = sum(map(len, frontier.values()))
        if (reason := watch.look(kept, search.events, search.events, kept)) is not None:
            return verdict.stopped(reason)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """The collector of cycles looks less often: an event makes hundreds of records and tuples, which live as long as their state does."""
    least, *others = gc.get_threshold()
    gc.set_threshold(least and max(least, COLLECTED_AFTER), *others)
    try:
        yield
    finally:
        gc.set_threshold(least, *others)


class _Judge:
    """From a search to a verdict."""

    def __init__(self, log: str, spec: str, matching: Matching, search: _Search, count: Count, watch: Watch) -> None:
        self.log, self.spec, self.matching, self.search, self.count = log, spec, matching, search, count
        self.watch = watch

    def coverage(self) -> Coverage:
        """What was compared so far."""
        search = self.search
        search.settle()
        happened = dict(sorted(search.actions.items()))
        return Coverage(
            search.events,
            self.count.lines,
            self.count.passed_over,
            happened,
            dict(sorted(search.values.items())),
            tuple(action.name for action in self.matching.system.actions if action.name not in happened),
            tuple(name for name in self.matching.system.index if name not in search.values),
            search.most,
            self.watch.seconds,
        )

    def _facts(self) -> tuple[str, str, Coverage, dict[str, str]]:
        return self.log, self.spec, self.coverage(), self.matching.values.names

    def nothing(self) -> Verdict:
        """The log has no event."""
        if not self.count.lines:
            return NotDecided(*self._facts(), "the log is empty: a program that does nothing does nothing wrong")
        return NotDecided(
            *self._facts(),
            f"none of the {self.count.lines:,} lines is an event of the specification: the map passes over all of them",
        )

    def stopped(self, reason: str) -> Verdict:
        """It was ended before the log was."""
        return NotDecided(*self._facts(), f"{reason}; what was read until then is a behaviour of the specification")

    def no_beginning(self) -> Verdict:
        """No initial state has what the log tells of the beginning."""
        first, wanted = self.search.begun[0]
        if (open_still := self._guessed(first)) is not None:
            return open_still
        misfits: list[Misfit] = []
        for state in self.matching.initial():
            if len(misfits) < EXPLAINED_MAX:
                misfits += self.matching.misfits(state, wanted)
        return Differs(*self._facts(), first, tuple(misfits))

    def at_the_end(self, frontier: dict[Cut, list[Kept]]) -> Verdict:
        """Nothing comes after these states: the log is over, or does not fit."""
        left = self._left(frontier)
        if not left:
            return self._accepted()
        if self.search.given_up:
            return NotDecided(
                *self._facts(),
                f"more than {self.search.states_max:,} states fitted, and those that were kept do not fit "
                f"{left[0][0].place} ({left[0][0].name}): let the log tell more, or keep more of them with --max-states",
            )
        for event, wanted, kept in left:
            if wanted is not None and any(self.matching.may_be_of_others(one.state, wanted) for one in kept):
                return NotDecided(
                    *self._facts(),
                    f"{event.place} ({event.name}) fits nothing that had been met by then, but does not tell all of its arguments, and "
                    "with others it would fit: let the log tell them",
                )
        return self._guessed(left[0][0]) or self._refused(left)

    def _guessed(self, event: Event) -> Verdict | None:
        """The verdict on an event that does not fit where something else may be meant before it than what was tried."""
        if not self.search.guessed:
            return None
        return NotDecided(
            *self._facts(),
            f"{event.place} ({event.name}) does not fit, but until then the log does not tell {' and '.join(self.search.guessed)}, for "
            "which only what had been met by then was tried: let the log tell it",
        )

    def _accepted(self) -> Verdict:
        coverage = self.coverage()
        if not coverage.actions:
            return NotDecided(*self._facts(), "no event of the log is an action of the specification")
        if not coverage.values:
            return NotDecided(
                *self._facts(),
                "not a single value was compared: the order of the events is possible, and nothing is known of their "
                "effects. Let the log tell variables, and the map hide fewer of them",
            )
        return Conforms(*self._facts())

    def _left(self, frontier: dict[Cut, list[Kept]]) -> list[tuple[Event, Wanted | None, list[Kept]]]:
        """The next events: those that might come now, with what they ask for, then those that wait for others."""
        streams = self.search.streams
        ready: list[tuple[Event, Wanted | None, list[Kept]]] = []
        waiting: list[tuple[Event, Wanted | None, list[Kept]]] = []
        for cut, kept in frontier.items():
            for stream, number in enumerate(cut):
                event = streams.at(stream, number)
                if event is None:
                    continue
                if streams.is_ready(event, stream, cut):
                    ready.append((event, self.search.wanted(stream, number, event), kept))
                elif not streams.clocked:
                    waiting.append((event, None, kept))
        return ready + waiting

    def _refused(self, left: list[tuple[Event, Wanted | None, list[Kept]]]) -> Verdict:
        event, wanted, kept = left[0]
        waiting = tuple(dict.fromkeys(other.place for other, _, _ in left[1:] if other.place != event.place))
        others = tuple(next(one for one, _, _ in left if one.place == place) for place in waiting)
        if wanted is None:
            reason = "it waits for a message, or for events that its clock counts, which no log has before it"
            misfit = Misfit(event.name, {}, reason)
            return Differs(
                *self._facts(), event, (misfit,), (), others, draw(self.matching, kept[0].past, misfit, event)
            )
        found: list[Misfit] = []
        nearest: tuple[Misfit, Kept] | None = None
        for one in kept[:EXPLAINED_MAX]:
            misfits = self.matching.misfits(one.state, wanted)
            found += [misfit for misfit in misfits if misfit not in found]
            if misfits and (nearest is None or _nearer(misfits[0], nearest[0])):
                nearest = misfits[0], one
        alternatives = self.matching.others(kept[0].state, wanted)
        trace = draw(self.matching, nearest[1].past, nearest[0], event) if nearest is not None else None
        found.sort(key=lambda misfit: (not misfit.is_effect, len(misfit.differences)))
        return Differs(*self._facts(), event, tuple(found), tuple(alternatives), others, trace)


def _nearer(one: Misfit, other: Misfit) -> bool:
    return (not one.is_effect, len(one.differences)) < (not other.is_effect, len(other.differences))
