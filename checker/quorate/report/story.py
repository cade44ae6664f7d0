"""A trace read as a story: lanes, who was what when, how each message fared, what each step changed, what is wrong at
the end.

Pictures and texts show the same facts; they are worked out here, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from quorate.kinds import CONFORM, DIFFERENCE, HYPOTHETICAL, INDUCTION, LIVENESS, UNJUDGED
from quorate.report.causality import Causes, causes, is_environment, place_of
from quorate.report.values import Difference, differences, field, record_name, show, without_fields
from quorate.trace import Change, Json, Message, Step, Trace


@dataclass(frozen=True)
class Flight:
    """One crossing of a message.

    `sent` is the step that sent it, None if it was under way in the initial state. `ended` is the step that received or
    lost it, None if it is under way at the end. `again` is true when the same lane had received this message before.
    """

    message: Message
    source: str | None
    target: str | None
    sent: int | None
    ended: int | None
    fate: Literal["received", "lost", "under way"]
    again: bool = False

    @property
    def name(self) -> str:
        """`m3`, or `m3'` for a further delivery."""
        return self.message.id + ("'" if self.again else "")

    @property
    def label(self) -> Json:
        """The payload without what the arrow itself shows."""
        shown = [
            end
            for end, lane in (("source", self.source), ("target", self.target))
            if lane is not None and field(self.message.payload, end) == lane
        ]
        return without_fields(self.message.payload, shown)


@dataclass(frozen=True)
class Spell:
    """A lane between two steps: from just after step `first` to step `last`, in one role, up or down."""

    lane: str
    first: int
    last: int
    role: str | None
    up: bool


@dataclass(frozen=True)
class Shown:
    """One change as it is written: `lane`, if it is not the step's own; the place; what it was and is."""

    lane: str | None
    place: str
    difference: Difference
    stressed: bool


@dataclass(frozen=True)
class Headline:
    """What the trace shows, in words. `tone` is bad for a violation, good for a goal reached, plain for a mere run."""

    tone: Literal["bad", "good", "plain"]
    title: str
    text: str


@dataclass(frozen=True)
class Story:
    """Everything that pictures and texts say about a trace."""

    trace: Trace
    lanes: tuple[str, ...]
    flights: tuple[Flight, ...]
    spells: tuple[Spell, ...]
    causes: Causes
    headline: Headline
    idle: tuple[str, ...] = ()
    """Lanes of the trace in which nothing happens: they are left out."""
    hidden: frozenset[str] = frozenset()
    """Variables whose changes a reader does not want to see."""
    offset: int = 0
    """Steps of the run before the first of this trace, which is a part of it: they count in what steps are called."""

    def lane_of(self, step: Step) -> str | None:
        """The lane where a step happens; None if the network or the environment takes it."""
        return None if is_environment(self.trace, step) else step.lane

    def number(self, step: Step) -> int:
        """What a step is called."""
        return step.index + self.offset

    def dark(self, index: int) -> bool:
        """Whether a step is in the causal past of the violation; every step is when nothing singles out a cause."""
        return self.causes.past is None or index in self.causes.past

    def dark_flight(self, flight: Flight) -> bool:
        """Whether a message carried influence on the violation."""
        if self.causes.past is None or self.counts(flight):
            return True
        if flight.fate == "under way":
            return self.looked_at(flight, self.causes.past)
        return (
            flight.fate == "received" and flight.ended in self.causes.past and flight.sent in (None, *self.causes.past)
        )

    def counts(self, flight: Flight) -> bool:
        """Whether the property reads this message where it is, on the wire."""
        return flight.fate == "under way" and flight.message.id in self.trace.looked_at

    def looked_at(self, flight: Flight, steps: Collection[int] | None = None) -> bool:
        """Whether a step (one of these) reads this message on the wire, without receiving it."""
        return any(
            flight.message.id in step.looked_at
            for step in self.trace.steps[flight.sent or 0 :]
            if steps is None or step.index in steps
        )

    def touched(self, step: Step) -> dict[str, bool]:
        """The lanes that a step reaches beside its own, in order, and whether it changes something there.

        A step in no lane reaches those among its arguments, too: the members of a quorum.
        """
        own = self.lane_of(step)
        changed = {change.lane for change in step.changes}
        named = set(_members(step.arguments.values())) if own is None else set()
        return {lane: lane in changed for lane in self.lanes if lane != own and lane in changed | named}

    def changes(self, step: Step, width: int | None = None, abstract: bool = False) -> tuple[Shown, ...]:
        """What a step changed, without the traffic that its messages already show; or what it changed in the more abstract
        specification."""
        return tuple(
            Shown(
                None if change.lane == step.lane or self._is_abstract(change) else change.lane,
                _place(change, difference),
                difference,
                self.strays(step) if abstract else (step.index, place_of(change)) in self.causes.stressed,
            )
            for change in step.changes
            if not _is_traffic(step, change)
            and change.variable not in self.hidden
            and self._is_abstract(change) is abstract
            for difference in differences(change.old, change.new, width)
        )

    def above(self, step: Step) -> str | None:
        """What a step is in the more abstract specification, if it changes anything there."""
        if self.trace.abstract is None or step.abstract is None or not step.abstract.changes:
            return None
        if step.abstract.action is None:
            return f"no step of {self.trace.abstract.spec}"
        given = ", ".join(f"{name} {show(value, 40)}" for name, value in step.abstract.arguments.items())
        return f"{self.trace.abstract.spec}: {step.abstract.action}" + (f"({given})" if given else "")

    def strays(self, step: Step) -> bool:
        """Whether a step changes the more abstract state in a way that no step there does."""
        return step.abstract is not None and bool(step.abstract.changes) and step.abstract.action is None

    def _is_abstract(self, change: Change) -> bool:
        return self.trace.abstract is not None and change.lane == self.trace.abstract.spec

    def remarks(self, step: Step) -> tuple[str, ...]:
        """What a step did that is neither a change nor an arrow between two lanes."""
        found = [f"network loses {', '.join(message.id for message in step.lost)}"] if step.lost else []
        if step.mark == "partition":
            rest = [lane for lane in self.lanes if lane not in step.isolated]
            found.append(f"partition: {', '.join(step.isolated)} | {', '.join(rest)}" if step.isolated else "partition")
        if step.mark == "heal":
            found.append("the partition heals")
        if not found and not step.sent and all(_is_traffic(step, change) for change in step.changes):
            found.append("no change")
        return tuple(found)

    def arguments(self, step: Step) -> dict[str, Json]:
        """The arguments of a step that neither its lane nor its messages show."""
        payloads = [message.payload for message in (*step.received, *step.lost)]
        return {
            name: value
            for name, value in step.arguments.items()
            if value not in payloads and not (isinstance(value, str) and value == step.lane)
        }


def read(trace: Trace, hide: Collection[str] = (), idle: bool = False) -> Story:
    """Work out a trace's story. The changes of the variables in `hide` are not told; they are causes all the same. With `idle`, lanes
    in which nothing happens stay."""
    trace = _with_abstract_lane(trace)
    every = lanes_of(trace)
    flights = _flights(trace, every)
    busy = set(every) if idle else _busy(trace, flights) or set(every)
    lanes = tuple(lane for lane in every if lane in busy)
    still = tuple(lane for lane in every if lane not in busy)
    return Story(trace, lanes, flights, _spells(trace, lanes), causes(trace), headline(trace), still, frozenset(hide))


def _with_abstract_lane(trace: Trace) -> Trace:
    """A trace in which the more abstract specification is one lane more, and its changes are told beside the others."""
    if trace.abstract is None:
        return trace
    lane, steps = trace.abstract.spec, []
    for step in trace.steps:
        changes = step.abstract.changes if step.abstract is not None else ()
        told = tuple(replace(change, variable=f"{lane}.{change.variable}", lane=lane) for change in changes)
        steps.append(replace(step, changes=step.changes + told))
    initial = trace.initial | {f"{lane}.{name}": value for name, value in trace.abstract.initial.items()}
    return trace.but(lanes=(*trace.lanes, lane), initial=initial, steps=tuple(steps))


def _busy(trace: Trace, flights: Sequence[Flight]) -> set[str]:
    """The lanes in which something happens: a step, an end of a message, a change, a partition, a member of a quorum, a witness."""
    lanes = [end for flight in flights for end in (flight.source, flight.target)]
    for step in trace.steps:
        lanes += [change.lane for change in step.changes] + list(step.isolated)
        if is_environment(trace, step) or step.lane not in trace.lanes:
            lanes += _members(step.arguments.values())
        if not is_environment(trace, step):
            lanes.append(step.lane)
    lanes += [witness.value for witness in trace.witnesses if isinstance(witness.value, str)]
    known = set(lanes_of(trace))
    return {lane for lane in lanes if lane is not None and lane in known}


def _members(values: Iterable[Json]) -> Iterator[str]:
    """The names in those of the values that are sets or lists: a quorum's members."""
    for value in values:
        parts = value.get("set") if isinstance(value, dict) else value
        yield from (part for part in (parts if isinstance(parts, list) else ()) if isinstance(part, str))


def lanes_of(trace: Trace) -> tuple[str, ...]:
    """The trace's lanes, and those that only its steps name, in order of appearance."""
    further = (step.lane for step in trace.steps if not is_environment(trace, step))
    return tuple(dict.fromkeys((*trace.lanes, *further)))


def _place(change: Change, difference: Difference) -> str:
    """The place as it is written beside the name of its lane: `votedFor`."""
    key = change.key[1:] if change.lane is not None and change.key and change.key[0] == change.lane else change.key
    return change.variable + "".join(f"[{show(part)}]" for part in key) + difference.path


def _is_traffic(step: Step, change: Change) -> bool:
    """Whether a change is only the network's contents moving by the step's own messages."""
    payloads = {show(message.payload) for message in (*step.sent, *step.received, *step.lost)}
    old, new = _contents(change.old), _contents(change.new)
    if change.key or old is None or new is None or not payloads:
        return False
    return all(part in payloads for part in old.keys() | new.keys() if old[part] != new[part])


def _contents(value: Json) -> Counter[str] | None:
    """How many of each message there are in a network's JSON form, as texts; None for anything else."""
    match value:
        case {"set": list(parts)}:
            return Counter(map(show, parts))
        case {"bag": list(pairs)}:
            return Counter({show(part): copies for part, copies in pairs})
        case {"channels": list(queues)}:
            return Counter(show(part) for _, _, queue in queues for part in queue)
    return None


def _flights(trace: Trace, lanes: Sequence[str]) -> tuple[Flight, ...]:
    """Every crossing, in order of its first step, then of its message's place in that step."""
    sender: dict[str, tuple[int, str, Message]] = {}
    landed: set[int | tuple[str, int]] = set()
    seen: set[tuple[str, str]] = set()
    flights: list[Flight] = []
    for step in trace.steps:
        now = {message.id: (step.index, step.lane, message) for message in step.sent}
        for message, received in [(m, True) for m in step.received] + [(m, False) for m in step.lost]:
            sent, source, _ = sender.get(message.id) or now.get(message.id) or (None, None, message)
            target = step.lane if received else _addressee(message, lanes)
            again = received and (message.id, step.lane) in seen
            flights.append(Flight(message, source, target, sent, step.index, "received" if received else "lost", again))
            landed.add((message.id, sent or 0))
            if received:
                seen.add((message.id, step.lane))
        sender |= now
    for step in trace.steps:
        flights += [
            Flight(message, step.lane, _addressee(message, lanes), step.index, None, "under way")
            for message in step.sent
            if (message.id, step.index) not in landed
        ]
    order = {(message.id, step.index): place for step in trace.steps for place, message in enumerate(step.sent)}
    return tuple(
        sorted(
            flights,
            key=lambda flight: (
                flight.sent or 0,
                order.get((flight.message.id, flight.sent or 0), 0),
                flight.ended or len(trace.steps) + 1,
            ),
        )
    )


def _addressee(message: Message, lanes: Sequence[str]) -> str | None:
    target = field(message.payload, "target")
    return target if isinstance(target, str) and target in lanes else None


def _spells(trace: Trace, lanes: Sequence[str]) -> tuple[Spell, ...]:
    roles: dict[str, str | None] = dict.fromkeys(lanes)
    table = trace.initial.get(trace.role) if trace.role else None
    for key, value in table["map"] if isinstance(table, dict) and "map" in table else []:
        if isinstance(key, str) and key in roles:
            roles[key] = show(value)
    since, up = dict.fromkeys(lanes, 0), dict.fromkeys(lanes, True)
    spells: list[Spell] = []
    for step in trace.steps:
        now_up = {step.lane: step.mark == "restart"} if step.mark in ("crash", "restart") else {}
        now_role = {
            lane: show(change.new)
            for change in step.changes
            if change.variable == trace.role and len(change.key) == 1
            for lane in [change.key[0]]
            if isinstance(lane, str) and lane in roles
        }
        for lane in [lane for lane in lanes if lane in now_up or lane in now_role]:
            spells.append(Spell(lane, since[lane], step.index, roles[lane], up[lane]))
            since[lane], up[lane] = step.index, now_up.get(lane, up[lane])
            roles[lane] = now_role.get(lane, roles[lane])
    end = len(trace.steps) + 1
    return tuple(spells + [Spell(lane, since[lane], end, roles[lane], up[lane]) for lane in lanes])


def in_full(trace: Trace) -> bool:
    """Whether the first state is shown with all its values: no step follows, or nothing else tells where a step begins."""
    return not trace.steps or trace.kind == INDUCTION


def shows_its_beginning(trace: Trace) -> bool:
    """Whether the first state has a row of its own."""
    return bool(trace.initial_arguments or trace.given) or in_full(trace)


def given(trace: Trace, hidden: Collection[str] = ()) -> dict[str, list[tuple[str, Json]]]:
    """What the first state has that is not zero, by whose it is: `s1, s2` for lanes with the same, nothing for no lane's."""
    owned: dict[str | None, list[tuple[str, Json]]] = {}
    for change in trace.given:
        if change.variable in hidden:
            continue
        place = _place(change, Difference("", None, None))
        owned.setdefault(change.lane, []).append((place, change.new))
    alike: dict[str, list[str | None]] = {}
    for lane, values in owned.items():
        alike.setdefault("; ".join(f"{place} {show(value)}" for place, value in values), []).append(lane)
    return {
        ", ".join(lane for lane in lanes if lane is not None): owned[lanes[0]]
        for lanes in sorted(alike.values(), key=lambda lanes: lanes[0] is None)
    }


def beginning(trace: Trace) -> str:
    """What the first state is."""
    return "hypothetical state" if trace.kind == INDUCTION else "initial state"


def headline(trace: Trace) -> Headline:
    """What is wrong, or what was reached, and when. Raises LookupError for a kind of trace that has no headline."""
    if trace.kind not in HEADLINES:
        raise LookupError(f"a trace of the kind {trace.kind!r} has no headline")
    last = len(trace.steps)
    when = f"after step {last}" if last else "in the initial state"
    tone, title, what = HEADLINES[trace.kind]
    sentence = trace.sentence.strip()
    if len(sentence) > SENTENCE_MAX:
        sentence = sentence[:SENTENCE_MAX].rstrip() + "…"
    text = what.format(
        when=when,
        last=last,
        by=f"by step {last}" if last else when,
        hypothetical=HYPOTHETICAL,
        steps=f"{last} step{'' if last == 1 else 's'}",
        repetition=repetition(trace) or "ends here",
    )
    named = f"{title}: {trace.property}" if trace.kind == INDUCTION else trace.property or title
    return Headline(tone, named, text + (f": {sentence}" if sentence else ""))


SENTENCE_MAX = 2000
"""Characters of a property's sentence that are shown."""

Tone = Literal["bad", "good", "plain"]

HEADLINES: dict[str, tuple[Tone, str, str]] = {
    "invariant": ("bad", "invariant", "violated {when}"),
    "step": ("bad", "step", "violated by step {last}"),
    "refinement": ("bad", "refinement", "violated {by}"),
    "reachable": ("good", "reachable", "reached {when}"),
    **{name: ("bad", name, "violated by a run that {repetition}") for name in LIVENESS},
    "deadlock": ("bad", "deadlock", "nothing can happen any more {when}"),
    "error": ("bad", "error in the spec", "{when}"),
    INDUCTION: ("plain", "counterexample to induction", "true before and false after a step from {hypothetical}"),
    UNJUDGED: (
        "plain",
        "not judged",
        "not judged: only beyond the bounds is it decided; inside of them, a run {repetition}",
    ),
    CONFORM: ("bad", "does not conform", "the program leaves its specification"),
    DIFFERENCE: ("plain", "difference", "{steps}"),
    "run": ("plain", "run", "{steps}, nothing is violated"),
}
"""For each kind of trace the tone, the title if it names no property, and what it says."""


def repetition(trace: Trace) -> str:
    """How a lasso goes on, as a predicate: `repeats steps 5 to 8 for ever`; empty if the trace is none."""
    if trace.loop is None:
        return ""
    first, last = trace.loop + 1, len(trace.steps)
    if first > last:
        return "stays in this state for ever"
    return f"repeats step {last} for ever" if first == last else f"repeats steps {first} to {last} for ever"


def message_title(payload: Json) -> str:
    """The shortest sensible name of a message's payload."""
    return record_name(payload) or show(payload, 24)
