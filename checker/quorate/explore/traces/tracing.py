"""From a run to a `Trace`: the run is fired again step by step, and everything a picture needs is written down.

What engines find is a list of action instances (`Finding`). Lanes, messages, changes, the places that the violated
property reads and the witnesses are computed here, once for all engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from quorate.errors import TraceError
from quorate.explore.choices import Collection, memberships
from quorate.explore.engine import Finding, Instance
from quorate.explore.traces.lanes import Lanes
from quorate.explore.traces.post import Deliveries, Post
from quorate.explore.traces.recording import Place, Recorder
from quorate.explore.traces.witnesses import Explanation, explain, plain_json
from quorate.kinds import DEADLOCK, INDUCTION, MAPPING, PLAIN, STEPS, UNJUDGED, kind_of
from quorate.language.containers import Event
from quorate.language.networks import Wire
from quorate.language.system import UNSET, Arguments, Method, State, Successor, System, Told, is_of_spec
from quorate.language.types import ChannelsType, MapType, Type, WireType
from quorate.trace import Abstraction, AbstractStep, Change, Json, Step, Trace, Witness

DEADLOCK_SENTENCE = "Nothing is possible any more, and the protocol may not stop here."
WITNESSES_MAX = 16
"""Places named in the box under a picture; all that the property reads are marked in the steps."""


def trace(system: System, finding: Finding, spec: str, variant: str | None, start: State | None = None) -> Trace:
    """The trace of a finding. Call it inside the system's configuration.

    With `start` the run begins there instead of in an initial state: a counterexample to induction.
    """
    tracer = Tracer(system, initial_state(system, finding.initial_arguments) if start is None else start)
    for number, instance in enumerate(finding.steps, 1):
        tracer.take(instance, raises=finding.in_step and number == len(finding.steps))
    return tracer.trace(finding, spec, variant)


def settled(system: System, events: Iterable[Event]) -> list[Event]:
    """What a step did to the networks, in an order that is the same in every process.

    A loop over a set that the action itself has built goes in Python's order of the set, which changes with the
    hashes of a process. Its effects do not depend on it; the numbers of its messages would. Only where a message
    stands among those sent (or received, or lost) in the step on the same wire, or on the same channel, is given up
    for this.
    """
    found = list(events)
    slots: dict[tuple[str, str], list[int]] = {}
    for position, (what, wire, _) in enumerate(found):
        slots.setdefault((what, wire), []).append(position)
    for (_, wire), positions in slots.items():
        kind = system.variable(wire).type
        assert isinstance(kind, WireType)

        def place(event: Event, kind: WireType = kind) -> Any:
            message = event[2]
            if isinstance(kind, ChannelsType):
                return kind.source.encode(message.source), kind.target.encode(message.target)
            return kind.message.encode(message)

        for position, event in zip(positions, sorted((found[slot] for slot in positions), key=place), strict=True):
            found[position] = event
    return found


class Tracer:
    """A run that grows: its states, and its steps as a trace has them. Use it inside the system's configuration."""

    def __init__(self, system: System, start: State) -> None:
        self.system = system
        self.lanes = Lanes(system)
        self.states = [start]
        self.told = [system.told]
        self.steps: list[Step] = []
        self.post = Post(system, start)
        self._memberships: dict[str, list[tuple[Collection, Collection]]] = {}

    def fork(self) -> Tracer:
        """The same run, to go on differently."""
        twin = copy(self)
        twin.states, twin.steps, twin.post = list(self.states), list(self.steps), self.post.fork()
        twin.told = list(self.told)
        return twin

    def trace(self, finding: Finding, spec: str, variant: str | None) -> Trace:
        """The run as a trace that shows a finding at its end."""
        system = self.system
        explanation = self._explanation(finding)
        refines = finding.kind == kind_of(MAPPING).shown_as
        carried = finding.method is not None and finding.method.name in self.system.carried
        seen = finding.message is None  # Where the mapping raises there is nothing beside.
        abstract = self._abstract() if seen and (refines or carried) else None
        init = system.init
        return Trace(
            spec=spec,
            variant=variant,
            bounds=system.bounds,
            kind=finding.kind,
            property=_property(finding),
            sentence=_sentence(finding),
            lanes=self.lanes.names,
            initial={
                variable.name: variable.type.to_json(value)
                for variable, value in zip(system.variables, self.states[0], strict=True)
            }
            | {name: system.auxiliary[name].type.to_json(value) for name, value in self.told[0].items()},
            steps=tuple(self._marked(explanation) if abstract is None else self._beside(self._marked(explanation))),
            witnesses=tuple(self._witnesses(explanation)),
            loop=finding.loop,
            role=self.lanes.role(),
            roles=self.lanes.roles(),
            initial_arguments=_named(init, finding.initial_arguments)
            if init is not None and finding.initial_arguments
            else {},
            given=() if finding.kind == INDUCTION else self._given,
            looked_at=self._ids((wire, message) for _, wire, message in explanation.messages),
            abstract=abstract,
        )

    def _abstract(self) -> Abstraction:
        """The specification that is refined, with its state in the beginning."""
        assert self.system.refinement is not None and self.system.abstract is not None
        first = self.system.refinement.state(self.system.view(self.states[0]))
        initial = {
            variable.name: variable.type.to_json(value)
            for variable, value in zip(self.system.abstract.variables, first, strict=True)
        }
        return Abstraction(self.system.abstract.name, initial)

    def _beside(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Steps, each with what it is in the specification that is refined."""
        refinement, abstract = self.system.refinement, self.system.abstract
        assert refinement is not None and abstract is not None
        levels = [refinement.state(self.system.view(state)) for state in self.states]
        for step, (before, after) in zip(steps, pairwise(levels), strict=True):
            taken = None if before == after else self._abstractly(before, after)
            changes = tuple(
                replace(change, lane=None)
                for variable, old, new in zip(abstract.variables, before, after, strict=True)
                for change in self._leaves(variable.name, variable.type, (), old, new)
            )
            name, given = (None, {}) if taken is None else (taken[0].name, _named(*taken))
            yield replace(step, abstract=AbstractStep(name, given, changes))

    def _abstractly(self, before: State, after: State) -> Instance | None:
        """The abstract step between two abstract states; None where there is none, and where an abstract action raises, which is nothing
        that a property of runs asks of the mapping."""
        assert self.system.refinement is not None
        try:
            return self.system.refinement.step(before, after)
        except BaseException as error:
            if not is_of_spec(error):
                raise
            return None

    # Steps

    @cached_property
    def _given(self) -> tuple[Change, ...]:
        """What the initial state has that no variable begins with unless @init says so."""
        return tuple(self._beyond_zero())

    def _beyond_zero(self) -> Iterator[Change]:
        for variable, zero, value in zip(
            self.system.variables, self.system.zero(before_init=True), self.states[0], strict=True
        ):
            if isinstance(variable.type, WireType):
                continue
            if zero is UNSET:
                yield Change(variable.name, (), None, variable.type.to_json(value))
            else:
                yield from self._leaves(variable.name, variable.type, (), zero, value)

    def _ids(self, messages: Iterable[tuple[str, Any]]) -> tuple[str, ...]:
        """The ids of messages that are on the wire now."""
        return tuple(dict.fromkeys(number for wire, message in messages for number in self.post.flying(wire, message)))

    def take(self, instance: Instance, raises: bool = False) -> None:
        """Go on by a step. One that `raises` leads nowhere. Raises TraceError if it is not possible, Cut and Failure as `fire` does."""
        action, arguments = instance
        before = self.states[-1]
        successor = Successor(before, ()) if raises else fired(self.system, before, instance)
        told = self.told[-1] if raises else self.system.told_after(self.told[-1], before, action, arguments)
        changes = (*self._changes(before, successor.state), *self._told(self.told[-1], told))
        recorder = Recorder()
        recorder.run(self.system, before, action, arguments)
        looked_at = self._ids((wire, message) for _, wire, message in recorder.messages)
        wires = self._delivered(self.post, instance, successor)
        moved = {message.id for message in (*wires.received, *wires.lost)}
        written = self._written(len(self.steps) + 1, instance, changes, wires, successor.state)
        self.steps.append(
            replace(
                written,
                reads=tuple(
                    _json_place(place) for _, place in recorder.places if place[0] not in self.system.auxiliary
                ),
                looked_at=tuple(number for number in looked_at if number not in moved),
            )
        )
        self.states.append(successor.state)
        self.told.append(told)

    def deliveries(self, instance: Instance, successor: Successor) -> Deliveries:
        """What a step that could be taken now would send, receive and lose."""
        return self._delivered(self.post.fork(), instance, successor)

    def _delivered(self, post: Post, instance: Instance, successor: Successor) -> Deliveries:
        return post.step(settled(self.system, successor.events), self.demanded(instance), successor.state)

    def _written(
        self, index: int, instance: Instance, changes: tuple[Change, ...], wires: Deliveries, after: State
    ) -> Step:
        action, arguments = instance
        mark = action.declaration.mark
        isolated: tuple[str, ...] = ()
        if mark == "partition":
            changed = dict.fromkeys(change.variable for change in changes)
            isolated = self.lanes.isolated(arguments, (after[self.system.index[name]] for name in changed))
        return Step(
            index=index,
            action=action.name,
            arguments=_named(action, arguments),
            lane=self.lanes.of_step(action, arguments),
            mark=mark,
            sent=tuple(wires.sent),
            received=tuple(wires.received),
            lost=tuple(wires.lost),
            changes=changes,
            isolated=isolated,
        )

    def demanded(self, instance: Instance) -> Iterator[tuple[str, Any]]:
        """The messages on a wire that an action's leading guards ask for, now."""
        action, arguments = instance
        view = self.system.view(self.states[-1])
        if action.name not in self._memberships:
            self._memberships[action.name] = memberships(action)
        for member, collection in self._memberships[action.name]:
            try:
                wire = collection(view, *arguments)
                message = member(view, *arguments)
            except Exception:  # A guard before this one would have been false: nothing is demanded.
                continue
            if isinstance(wire, Wire) and message in wire:
                yield wire._type.variable, message

    def _changes(self, old: State, new: State) -> Iterator[Change]:
        for variable, before, after in zip(self.system.variables, old, new, strict=True):
            if before is not after and not isinstance(variable.type, WireType):
                yield from self._leaves(variable.name, variable.type, (), before, after)

    def _told(self, old: Told, new: Told) -> Iterator[Change]:
        for name, variable in self.system.auxiliary.items():
            yield from self._leaves(name, variable.type, (), old[name], new[name])

    def _leaves(self, name: str, kind: Type, path: Place, old: Any, new: Any) -> Iterator[Change]:
        if old == new:
            return
        if isinstance(kind, MapType):
            for key in kind.keys:
                yield from self._leaves(name, kind.value, (*path, key), kind.at(old, key), kind.at(new, key))
            return
        keys = tuple(plain_json(key) for key in path)
        yield Change(name, keys, kind.to_json(old), kind.to_json(new), self.lanes.of_key(path[0]) if path else None)

    # Why

    def _explanation(self, finding: Finding) -> Explanation:
        if finding.method is None or finding.in_step or finding.kind in (DEADLOCK, UNJUDGED, *PLAIN):
            return Explanation()
        if finding.method.declaration.kind in STEPS and len(self.states) > 1:
            return explain(self.system, finding.method, self.states[-1], finding.arguments, self.states[-2])
        if finding.method.declaration.kind == "action":
            return Explanation()
        return explain(self.system, finding.method, self.states[-1], finding.arguments)

    def _marked(self, explanation: Explanation) -> Iterator[Step]:
        """The steps, with the changes marked that the property reads."""
        read = [_json_place(place) for _, place in explanation.places]
        for step in self.steps:
            changes = tuple(
                replace(change, relevant=any(_covers(place, change) for place in read)) for change in step.changes
            )
            yield replace(step, changes=changes)

    def _witnesses(self, explanation: Explanation) -> Iterator[Witness]:
        for name, value in dict(explanation.bindings).items():
            yield Witness(name, plain_json(value))
        shown = 0
        for label, place in dict.fromkeys(explanation.places):
            index = self.system.index[place[0]]
            value = self.states[-2 if label else -1][index]
            for key in place[1:]:
                value = value[key]
            if isinstance(value, Wire) or shown == WITNESSES_MAX:
                continue
            shown += 1
            name = place[0] + "".join(f"[{key.name if hasattr(key, 'name') else key!r}]" for key in place[1:])
            yield Witness(f"old.{name}" if label else name, plain_json(value), self._set_by(place, bool(label)))

    def _set_by(self, place: Place, old: bool) -> tuple[int, ...]:
        """The last step that set a place."""
        wanted = _json_place(place)
        for step in reversed(self.steps[:-1] if old else self.steps):
            if any(_covers(wanted, change) for change in step.changes):
                return (step.index,)
        return ()


def _property(finding: Finding) -> str | None:
    if finding.kind == DEADLOCK:
        return DEADLOCK
    return finding.method.name if finding.method is not None else None


def _sentence(finding: Finding) -> str:
    if finding.message is not None:
        return finding.message
    if finding.kind == DEADLOCK:
        return DEADLOCK_SENTENCE
    return finding.method.sentence if finding.method is not None else ""


def initial_state(system: System, arguments: Arguments) -> State:
    """The initial state that `@init` gives for `arguments`. Raises TraceError if there is none."""
    for found, state in system.initial():
        if found == arguments:
            return state
    raise TraceError(f"{system.name} has no initial state for {arguments!r}: the specification has changed since.")


def fired(system: System, state: State, instance: Instance) -> Successor:
    """The transition of an instance that must be enabled. Raises TraceError if it is not, Cut and Failure as `fire`
    does."""
    action, arguments = instance
    successor = system.fire(state, action, arguments)
    if successor is None:
        call = action.call(arguments)
        raise TraceError(f"{call} is not possible here: the specification has changed since.")
    return successor


def _named(method: Method, arguments: Arguments) -> dict[str, Json]:
    return {
        parameter.name: parameter.type.to_json(value)
        for parameter, value in zip(method.parameters, arguments, strict=True)
    }


def _json_place(place: Place) -> tuple[Json, ...]:
    return (place[0], *(plain_json(key) for key in place[1:]))


def _covers(place: tuple[Json, ...], change: Change) -> bool:
    """Whether a change is at a place, or inside it."""
    return (change.variable, *change.key)[: len(place)] == place
