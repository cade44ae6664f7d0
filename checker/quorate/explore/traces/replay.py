"""Running a stored trace again: does it still happen, step by step, and does it still violate?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from quorate.errors import TraceError, UsageError
from quorate.explore import liveness
from quorate.explore.choices import Choices
from quorate.explore.engine import Finding, Instance
from quorate.explore.properties import Properties
from quorate.explore.traces.tracing import trace
from quorate.explore.traces.witnesses import plain_json
from quorate.kinds import (
    CONFORM,
    DEADLOCK,
    ENDS,
    GOALS,
    HYPOTHETICAL,
    INDUCTION,
    INVARIANTS,
    KINDS,
    LIVENESS,
    MAPPING,
    PLAIN,
    SAFETY,
    STEPS,
    UNJUDGED,
    kind_of,
)
from quorate.language.control import Cut
from quorate.language.declarations import original
from quorate.language.sorts import Identity
from quorate.language.spec import Spec
from quorate.language.system import Arguments, Failure, Method, State, System, Told
from quorate.trace import Change, Json, Step, Trace

REACHED = {kind_of(name).shown_as for name in GOALS}
"""Kinds of traces that end in a goal."""


@dataclass(frozen=True)
class Replay:
    """Whether a trace was reproduced, and the sentence that says so. `step` is the first step that differs (0: the
    initial state, None: the steps are right and the violation is not, or everything is right). `now` is the trace as
    it is today, if the run is still possible: its witnesses and marks are fresh. `judged`: it was possible to run it and to
    ask its property, so that not reproducing it says that it violates nothing any more."""

    reproduced: bool
    message: str
    step: int | None = None
    now: Trace | None = None
    judged: bool = True


class _Diverges(Exception):
    """The run is not that of the trace from `step` on; with None, it is, and violates nothing (unless not `judged`)."""

    def __init__(self, step: int | None, message: str, judged: bool = False) -> None:
        self.step, self.message, self.judged = step, message, judged
        super().__init__(message)


def replay(stored: Trace, spec: type[Spec]) -> Replay:
    """Run a trace again on the specification it is of (with its variant), at the bounds of the trace.

    Raises UsageError if those bounds no longer exist."""
    system = System(spec.bounded(**stored.bounds))
    with system:
        replayed = _Replay(system, stored)
        try:
            return replayed.result()
        except _Diverges as difference:
            return Replay(False, difference.message, difference.step, judged=difference.judged)


def states_of(stored: Trace, spec: type[Spec]) -> list[dict[str, Json]]:
    """The states of a trace, networks included, by running it again: one more than its steps, or as many if the last one raises.

    Raises TraceError if the run is not possible any more."""
    system = System(spec.bounded(**stored.bounds))
    with system:
        return [
            {
                variable.name: variable.type.to_json(value)
                for variable, value in zip(system.variables, state, strict=True)
            }
            for state in _replayed(system, stored).states
        ]


def _replayed(system: System, stored: Trace) -> _Replay:
    """The states that a trace goes through today, and its steps. Raises TraceError if it is not possible any more."""
    replayed = _Replay(system, stored)
    try:
        replayed.result()
    except _Diverges as difference:
        raise TraceError(difference.message) from None
    return replayed


def _told(system: System, run: _Replay) -> list[Told]:
    """The auxiliary variables in each state of a run."""
    found = [system.told]
    for state, (action, arguments) in zip(run.states[:-1], run.steps, strict=False):
        found.append(system.told_after(found[-1], state, action, arguments))
    return found


def with_values(stored: Trace, spec: type[Spec], expressions: Sequence[str]) -> Trace:
    """A trace that also tells, as if they were variables, what expressions are along it: Python over `self`, the variables and
    identities by their names, and the names of the specification's module.

    Raises UsageError for an expression that is none or that fails, and TraceError if the run is not possible any more.
    """
    system = System(spec.bounded(**stored.bounds))
    with system:
        run = _replayed(system, stored)
        along = list(zip(run.states, _told(system, run), strict=True))
        changes = [_values(system, expression, along) for expression in expressions]
    first = tuple(Change(name, (), None, values[0]) for name, values in zip(expressions, changes, strict=True))
    steps = []
    for position, step in enumerate(stored.steps):
        more = tuple(
            Change(name, (), values[position], values[position + 1])
            for name, values in zip(expressions, changes, strict=True)
            if position + 1 < len(values) and values[position] != values[position + 1]
        )
        steps.append(replace(step, changes=step.changes + more))
    return stored.but(steps=tuple(steps), given=stored.given + first)


def _values(system: System, expression: str, along: Sequence[tuple[State, Told]]) -> list[Json]:
    """What an expression is in each of these states."""
    try:
        code = compile(expression, "<expression>", "eval")
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{expression!r} is no expression of Python: {error}.") from None
    found: list[Json] = []
    for number, (state, told) in enumerate(along):
        names = dict(vars(sys.modules[original(system.spec).__module__]))
        names |= {
            repr(member): member for sort in system.sizes if issubclass(sort, Identity) for member in sort.members()
        }
        names |= {variable.name: state[system.index[variable.name]] for variable in system.variables} | told
        try:
            found.append(plain_json(eval(code, names | {"self": system.view(state, told)})))
        except Exception as error:
            where = f"after step {number}" if number else "in the initial state"
            raise UsageError(f"{expression!r} fails {where}: {type(error).__name__}: {error}.") from None
    return found


class _Replay:
    def __init__(self, system: System, stored: Trace) -> None:
        self.system, self.stored = system, stored
        self.states: list[State] = []
        self.steps: list[Instance] = []
        self.raised: str | None = None

    def result(self) -> Replay:
        if self.stored.kind == CONFORM:
            raise _Diverges(
                None, "The trace is of a program, not of a specification: `quorate conform trace` judges its log."
            )
        arguments = self._begin()
        for step in self.stored.steps:
            self._step(step)
        finding = self._violation(arguments)
        start = self.states[0] if self.stored.kind == INDUCTION else None
        now = trace(self.system, finding, self.stored.spec, self.stored.variant, start)
        self._compare(now)
        what = "happens again" if now.kind in PLAIN else f"still violates {now.property}"
        if now.kind in REACHED:
            what = f"still reaches {now.property}"
        if now.kind == UNJUDGED:
            what = f"still has to leave the bounds before {now.property} is decided"
        if now.kind == "error":
            what = f"still raises in {now.property}"
        if now.kind == INDUCTION:
            return Replay(True, f"The step still breaks {now.property}; it begins in {HYPOTHETICAL}.", None, now)
        early = f" after step {len(now)} already" if len(now) < len(self.stored) else ""
        return Replay(True, f"The trace of {len(self.stored)} steps {what}{early}.", None, now)

    def _begin(self) -> Arguments:
        if self.stored.kind == INDUCTION:
            self.states.append(self._hypothetical())
            return ()
        init = self.system.init
        arguments = self._decoded(0, "@init", init, self.stored.initial_arguments) if init is not None else ()
        for found, state in self.system.initial():
            if found == arguments:
                self.states.append(state)
                return arguments
        raise _Diverges(0, "The initial state of the trace is not one of the specification any more.")

    def _hypothetical(self) -> State:
        """The state before a counterexample to induction, as it is stored."""
        try:
            return tuple(
                variable.type.from_json(self.stored.initial[variable.name]) for variable in self.system.variables
            )
        except (KeyError, ValueError):
            raise _Diverges(0, "The first state of the trace is none of the specification any more.") from None

    def _decoded(self, step: int, name: str, method: Method, values: dict[str, Json]) -> Arguments:
        if set(values) != {parameter.name for parameter in method.parameters}:
            wanted = ", ".join(parameter.name for parameter in method.parameters) or "nothing"
            raise _Diverges(
                step, f"Step {step}: {name} takes {wanted}, and the trace gives {', '.join(values) or 'nothing'}."
            )
        try:
            return tuple(parameter.type.from_json(values[parameter.name]) for parameter in method.parameters)
        except ValueError as error:
            raise _Diverges(step, f"Step {step}: {name} cannot be called as in the trace: {error}.") from None

    def _step(self, step: Step) -> None:
        action = next((action for action in self.system.actions if action.name == step.action), None)
        if action is None:
            raise _Diverges(step.index, f"Step {step.index}: there is no action {step.action!r} any more.")
        instance = (action, self._decoded(step.index, step.action, action, step.arguments))
        call = f"{action.name}({', '.join(map(repr, instance[1]))})"
        try:
            successor = self.system.fire(self.states[-1], *instance)
        except Cut as cut:
            raise _Diverges(step.index, f"Step {step.index}: {call} passes the bound {cut.bound}.") from None
        except Failure as failure:
            if self.stored.kind != "error" or step.index != len(self.stored):
                raise _Diverges(step.index, f"Step {step.index}: {call} raises. {failure}") from None
            self.raised = str(failure)
            self.steps.append(instance)
            return
        if successor is None:
            raise _Diverges(step.index, f"Step {step.index}: {call} is not possible any more.")
        self.steps.append(instance)
        self.states.append(successor.state)

    # The violation

    def _violation(self, initial: Arguments) -> Finding:
        kind, name, steps = self.stored.kind, self.stored.property, tuple(self.steps)
        if kind in PLAIN:
            return Finding(kind, None, initial, steps)
        if kind == DEADLOCK:
            self._check_stuck()
            return Finding(DEADLOCK, None, initial, steps)
        if self.raised is not None:
            return Finding("error", steps[-1][0], initial, steps, message=self.raised, in_step=True)
        if kind == "error" and steps and name == steps[-1][0].name:
            raise _Diverges(None, f"The run is possible, and {name} does not raise any more.", judged=True)
        method = next((method for method in self.system.of(*KINDS) if method.name == name), None)
        if method is None:
            raise _Diverges(None, f"The run is possible, but there is no property {name!r} any more.")
        if kind == "error":
            return self._raising(initial, method)
        self._check_kind(method)
        if kind == INDUCTION:
            self._check_before(method)
        if method.declaration.kind in LIVENESS:
            shown, arguments = self._unfulfilled(method)
            return Finding(shown, method, initial, steps, arguments, self.stored.loop)
        end, arguments = self._falsifying(method)
        return Finding(kind, method, initial, steps[:end], arguments)

    def _check_kind(self, method: Method) -> None:
        """That a trace of this kind can show something of the property."""
        kind, about = self.stored.kind, method.declaration.kind
        also = (INDUCTION,) if about in SAFETY else (UNJUDGED,) if about in LIVENESS else ()
        shown = (kind_of(about).shown_as, *also)
        if kind not in shown:
            raise _Diverges(
                None,
                f"The run is possible, but is stored as one of {kind!r}, and those of {method.name} are of {shown[0]!r}.",
            )
        if not self.steps and (kind == INDUCTION or (about in STEPS and about != MAPPING)):
            raise _Diverges(None, f"The trace has no step, of which {method.name} could be false.")

    def _check_before(self, method: Method) -> None:
        """That a step which breaks an induction begins where the property is true."""
        if method.declaration.kind in INVARIANTS:
            before = len(self.states) - 2
            if any(not self._value(method, arguments, before) for arguments in self.system.choices(method.parameters)):
                raise _Diverges(None, f"The step breaks nothing: {method.name} is false before it.", judged=True)

    def _unfulfilled(self, method: Method) -> tuple[str, Arguments]:
        """The first arguments for which the run violates a property of runs; or else, if that is what the trace is stored for, leaves it
        undecided; and which of the two."""
        excuses: list[str] = []
        for shown in dict.fromkeys((kind_of(method.declaration.kind).shown_as, self.stored.kind)):
            for arguments in self.system.choices(method.parameters):
                objection = liveness.objection(
                    self.system, method, arguments, self.states, self.steps, self.stored.loop, shown == UNJUDGED
                )
                if objection is None:
                    return shown, arguments
                excuses.append(objection)
        unfair = next((excuse for excuse in excuses if not excuse.startswith(method.name)), None)
        raise self._nothing(unfair or next(iter(excuses), f"{method.name} has no choice of its parameters"))

    def _nothing(self, why: str) -> _Diverges:
        return _Diverges(None, f"The run is possible, but violates nothing: {why}.", judged=True)

    def _falsifying(self, method: Method) -> tuple[int, Arguments]:
        """After how many steps the run violates a property of states or steps, at its end or else somewhere, and the first arguments for
        which it does."""
        last, about = len(self.states) - 1, method.declaration.kind
        before = range(1 if about in STEPS and about != MAPPING else 0, 0 if self.stored.kind == INDUCTION else last)
        for end in (last, *before):
            for arguments in self.system.choices(method.parameters):
                if self._value(method, arguments, end) is (about in GOALS):
                    return end, arguments
        raise self._nothing(f"{method.name} is {'false' if about in GOALS else 'true'} of all of it")

    def _value(self, method: Method, arguments: Arguments, at: int) -> bool:
        """The value after a step of the run."""
        old = self.states[at - 1] if method.declaration.kind in STEPS and at > 0 else None
        return Properties(self.system).holds(method, self.states[at], arguments, old)

    def _raising(self, initial: Arguments, method: Method) -> Finding:
        for arguments in self.system.choices(method.parameters):
            try:
                if method.declaration.kind in LIVENESS:
                    liveness.values(self.system, method, self.states[-1], arguments)
                else:
                    self._value(method, arguments, len(self.states) - 1)
            except Failure as failure:
                return Finding(
                    "error", method, initial, tuple(self.steps), arguments, message=str(failure), place=failure.location
                )
        raise _Diverges(None, f"The run is possible, but {method.name} does not raise any more.", judged=True)

    def _check_stuck(self) -> None:
        state = self.states[-1]
        terminal = self.system.of(*ENDS)
        if not terminal or Properties(self.system).holds(terminal[0], state, ()):
            raise _Diverges(None, "The run is possible, but the protocol may stop there now.", judged=True)
        for action in self.system.actions:
            for arguments in Choices(self.system, action)(state):
                try:
                    possible = self.system.fire(state, action, arguments) is not None
                except Cut:
                    possible = True
                if possible:
                    raise _Diverges(
                        None, f"The run is possible, but ends in no deadlock: {action.name} goes on.", judged=True
                    )

    # The steps as they are written

    def _compare(self, now: Trace) -> None:
        if now.initial != self.stored.initial:
            name = next(
                (name for name in now.initial if self.stored.initial.get(name) != now.initial[name]), "the variables"
            )
            raise _Diverges(0, f"The initial state differs: {name} is {now.initial.get(name)!r} now.")
        for then, today in zip(self.stored.steps, now.steps, strict=False):  # It may end earlier now.
            for part in fields(Step):
                if part.name in ("reads", "looked_at"):  # An older trace does not tell.
                    continue
                before, after = getattr(then, part.name), getattr(today, part.name)
                if part.name == "changes":
                    before, after = _bare(before), _bare(after)
                if before != after:
                    raise _Diverges(
                        then.index,
                        f"Step {then.index} ({then.action}): {part.name} differs. "
                        f"The trace says {_short(before)}; it is {_short(after)} now.",
                    )


def _bare(changes: Sequence[Change]) -> list[tuple[str, Json, Json, Json]]:
    """Changes without their marks for pictures."""
    return [(change.variable, list(change.key), change.old, change.new) for change in changes]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
