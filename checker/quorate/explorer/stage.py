"""One variant of a protocol, ready to be stepped through: its runs as they grow, what can happen, what cannot and why.

Whoever asks sends the whole run, so that going back, branching and sharing need nothing from here. What was worked out for the
beginning of a run is kept, and a step more costs a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from quorate.errors import UsageError, unknown
from quorate.explore.choices import Choices
from quorate.explore.engine import Finding, Instance
from quorate.explore.properties import Properties
from quorate.explore.traces.post import Deliveries
from quorate.explore.traces.refusals import Refusal, refusal
from quorate.explore.traces.tracing import Tracer
from quorate.kinds import DEADLOCK, GOALS, INVARIANTS, LIVENESS, STEPS, kind_of
from quorate.language.control import Cut
from quorate.language.spec import Spec
from quorate.language.system import Arguments, Failure, Method, State, Successor, System
from quorate.language.types import WireType
from quorate.trace import Json, Trace

REMEMBERED_MAX = 2_000
"""So many beginnings of runs are kept; then all are given up, and what is asked for is taken anew."""
TRIED_MAX = 5_000
"""Instances of one action that are tried in a state; a reader could not look through more."""
EXPLAINED_MAX = 40
"""Instances of one action that are told why they are not possible."""


@dataclass(frozen=True)
class Run:
    """A run as a page knows it: arguments of @init, and for each step the action and its arguments, as in a trace."""

    initial: dict[str, Json]
    steps: tuple[tuple[str, dict[str, Json]], ...]

    @staticmethod
    def from_json(data: Json) -> Run:
        """The run that a page sends. Raises UsageError for anything else."""
        match data:
            case {"initial": dict(initial), "steps": list(steps)} if all(map(_is_step, steps)):
                return Run(initial, tuple((action, arguments) for action, arguments in steps))
        raise UsageError("This is no run: it wants `initial` and `steps`, each an action and its arguments.")

    @staticmethod
    def of(trace: Trace) -> Run:
        """The run of a trace."""
        return Run(trace.initial_arguments, tuple((step.action, step.arguments) for step in trace.steps))

    def to_json(self) -> Json:
        """The form that `from_json` reads."""
        return {"initial": self.initial, "steps": [[action, arguments] for action, arguments in self.steps]}


def _is_step(step: Json) -> bool:
    return isinstance(step, list) and len(step) == 2 and isinstance(step[0], str) and isinstance(step[1], dict)


@dataclass(frozen=True)
class Option:
    """Something that can happen: an instance, with what it would do. Without `successor` it raises `failure`."""

    instance: Instance
    lane: str
    successor: Successor | None
    failure: str = ""
    deliveries: Deliveries = field(default_factory=Deliveries)


@dataclass(frozen=True)
class Refused:
    """Something that cannot happen, and why; `messages` are the ids of what it would take."""

    instance: Instance
    lane: str
    why: Refusal
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """A property after a step. `holds` is None where one state does not tell: of properties of runs, and of steps at the start.
    `arguments` make it false, or a goal true."""

    method: Method | None
    name: str
    kind: str
    holds: bool | None
    arguments: Arguments = ()
    message: str = ""


@dataclass
class Node:
    """The end of a beginning of a run. `failure`: its last step raised this, and nothing follows."""

    stage: Stage
    tracer: Tracer
    initial_arguments: Arguments
    instances: tuple[Instance, ...] = ()
    failure: Failure | None = None
    following: dict[str, Node] = field(default_factory=dict)
    """What was taken from here before."""

    @property
    def state(self) -> State:
        """Where the run stands."""
        return self.tracer.states[-1]

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """What can happen next, in the order of the specification."""
        return tuple(found for found in self._tried if isinstance(found, Option))

    @cached_property
    def refused(self) -> tuple[Refused, ...]:
        """What cannot, and why."""
        return tuple(found for found in self._tried if isinstance(found, Refused))

    @cached_property
    def _tried(self) -> list[Option | Refused]:
        if self.failure is not None:
            return []
        return [found for action, choices in self.stage.actions for found in self._instances(action, choices)]

    def _instances(self, action: Method, choices: Choices) -> Iterator[Option | Refused]:
        system, explained = self.stage.system, 0
        for arguments in list(choices(self.state))[:TRIED_MAX]:
            lane = self.tracer.lanes.of_step(action, arguments)
            instance = action, arguments
            try:
                successor = system.fire(self.state, action, arguments)
            except Failure as failure:
                yield Option(instance, lane, None, str(failure))
                continue
            except Cut:
                successor = None
            if successor is not None:
                yield Option(instance, lane, successor, "", self.tracer.deliveries(instance, successor))
            elif explained < EXPLAINED_MAX:
                explained += 1
                why = refusal(system, self.state, action, arguments) or Refusal()
                taken = (number for one in self.tracer.demanded(instance) for number in self.tracer.post.flying(*one))
                yield Refused(instance, lane, why, tuple(taken))

    @cached_property
    def judged(self) -> tuple[Judged, ...]:
        """Every property here."""
        return tuple(self._judged())

    def _judged(self) -> Iterator[Judged]:
        stage = self.stage
        for kind in (*INVARIANTS, *STEPS, *GOALS):
            for method, choices in stage.choices_of(kind):
                yield self._property(method, kind, choices)
        for method in stage.system.of(*LIVENESS):
            yield Judged(method, method.name, method.declaration.kind, None)
        if stage.properties.terminal is not None:
            stuck = not self.options and self.failure is None and not any(map(self._goes_on, stage.actions))
            may = not stuck or stage.properties.holds(stage.properties.terminal, self.state, ())
            yield Judged(None, DEADLOCK, DEADLOCK, may)

    def _goes_on(self, choices: tuple[Method, Choices]) -> bool:
        """Whether an action is possible, or only a bound stops it: also where that is beyond what is tried and explained."""
        action, arguments = choices
        try:
            return any(self.stage.system.fire(self.state, action, one) is not None for one in arguments(self.state))
        except (Cut, Failure):
            return True

    def _property(self, method: Method, kind: str, choices: Sequence[Arguments]) -> Judged:
        of_step = kind in STEPS
        if of_step and len(self.tracer.states) < 2:
            return Judged(method, method.name, kind, None)
        old = self.tracer.states[-2] if of_step else None
        wanted = kind in GOALS
        for arguments in choices:
            try:
                value = self.stage.properties.holds(method, self.state, arguments, old)
            except Failure as failure:
                return Judged(method, method.name, kind, False, arguments, str(failure))
            if value is wanted:
                return Judged(method, method.name, kind, wanted, arguments)
        return Judged(method, method.name, kind, not wanted)

    def finding(self) -> Finding:
        """The run, as one that shows the first property that is false at its end."""
        steps, start = self.instances, self.initial_arguments
        if self.failure is not None:
            return Finding("error", steps[-1][0], start, steps, message=str(self.failure), in_step=True)
        false = next((one for one in self.judged if one.holds is False and one.kind not in GOALS), None)
        if false is None:
            return Finding("run", None, start, steps)
        return self.shows(false)

    def shows(self, judged: Judged) -> Finding:
        """The run, as one that shows what a property is at its end."""
        steps, start = self.instances, self.initial_arguments
        if judged.method is None:
            return Finding(DEADLOCK, None, start, steps)
        kind = "error" if judged.message else kind_of(judged.kind).shown_as
        return Finding(kind, judged.method, start, steps, judged.arguments, message=judged.message or None)

    def trace(self, finding: Finding | None = None) -> Trace:
        """The run as a trace."""
        return self.tracer.trace(finding or self.finding(), self.stage.name, self.stage.variant)


class Stage:
    """A variant under its bounds. Use it inside `system`."""

    def __init__(self, spec: type[Spec], name: str, variant: str | None) -> None:
        self.spec, self.name, self.variant = spec, name, variant
        self.system = System(spec)
        with self.system:
            self.actions = [(action, Choices(self.system, action)) for action in self.system.actions]
            self.properties = Properties(self.system)
            self.initial = list(self.system.initial())
        self.wires = [variable.name for variable in self.system.variables if isinstance(variable.type, WireType)]
        self._starts: dict[str, Node] = {}
        self._remembered = 0

    def choices_of(self, kind: str) -> list[tuple[Method, Sequence[Arguments]]]:
        """The properties of a kind that a state or step has, with what their parameters range over."""
        groups = (self.properties.invariants, self.properties.steps, self.properties.reachable)
        return [(method, choices) for group in groups for method, choices in group if method.declaration.kind == kind]

    def node(self, run: Run, length: int | None = None) -> Node:
        """The run, or its beginning, taken. Raises UsageError where it is not possible."""
        return self.path(run, length)[-1]

    def path(self, run: Run, length: int | None = None) -> list[Node]:
        """The ends of all beginnings of the run, the shortest first. Raises UsageError where it is not possible."""
        if self._remembered > REMEMBERED_MAX:
            self._starts, self._remembered = {}, 0
        start = repr(run.initial)
        if start not in self._starts:
            self._starts[start] = self._begin(run.initial)
        nodes = [self._starts[start]]
        for number, step in enumerate(run.steps[:length], 1):
            key = repr(step)
            if key not in nodes[-1].following:
                nodes[-1].following[key] = self._next(nodes[-1], number, *step)
                self._remembered += 1
            nodes.append(nodes[-1].following[key])
        return nodes

    def _begin(self, initial: dict[str, Json]) -> Node:
        init = self.system.init
        wanted = self.decoded(init, initial, "The initial state") if init is not None and initial else None
        for arguments, state in self.initial:
            if wanted is None or arguments == wanted:
                return Node(self, Tracer(self.system, state), arguments)
        raise UsageError("The initial state is none of this specification.")

    def _next(self, node: Node, number: int, name: str, values: dict[str, Json]) -> Node:
        action = next((action for action, _ in self.actions if action.name == name), None)
        if action is None:
            raise unknown(f"action of step {number}", name, [action.name for action, _ in self.actions])
        if node.failure is not None:
            raise UsageError(f"Step {number} follows a step that raised an error.")
        instance = action, self.decoded(action, values, f"Step {number}: {name}")
        tracer, failure = node.tracer.fork(), None
        try:
            if self.system.fire(node.state, *instance) is None:
                raise NotPossible(number, instance, refusal(self.system, node.state, *instance) or Refusal())
        except Cut as cut:
            raise NotPossible(number, instance, Refusal(bound=cut.bound)) from None
        except Failure as raised:
            failure = raised
        tracer.take(instance, raises=failure is not None)
        return Node(self, tracer, node.initial_arguments, (*node.instances, instance), failure)

    def decoded(self, method: Method, values: dict[str, Json], what: str) -> Arguments:
        """The arguments that JSON names. Raises UsageError."""
        if set(values) != {parameter.name for parameter in method.parameters}:
            raise UsageError(
                f"{what} takes {', '.join(parameter.name for parameter in method.parameters) or 'no arguments'}."
            )
        try:
            return tuple(parameter.type.from_json(values[parameter.name]) for parameter in method.parameters)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{what} has arguments that are none: {error}.") from None


class NotPossible(UsageError):
    """A step of a run that cannot be taken: number `step` of it."""

    def __init__(self, step: int, instance: Instance, why: Refusal) -> None:
        self.step, self.why = step, why
        action, arguments = instance
        call = action.call(arguments)
        reason = f"it would pass the bound {why.bound}" if why.bound else f"{why.guard or 'a guard'} is false"
        super().__init__(f"Step {step}: {call} is not possible here: {reason}.")


def encoded(method: Method, arguments: Arguments) -> dict[str, Any]:
    """Arguments as JSON, by name."""
    return {
        parameter.name: parameter.type.to_json(value)
        for parameter, value in zip(method.parameters, arguments, strict=True)
    }
