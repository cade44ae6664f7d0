"""From a path of action numbers and argument bits to a finding, by running it on the specification itself.

Nothing that the native engine finds is believed. CPython runs the path, which yields the states, the property that is false, and
its witnesses; a path that leads to no violation there is a bug of ours and is reported as such.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorate.explore.engine import Disagreement, Finding, Instance
from quorate.explore.native.library import Step
from quorate.explore.native.render import Rendered, unpack
from quorate.explore.native.render.layout import width, words
from quorate.explore.properties import Properties
from quorate.kinds import kind_of
from quorate.language.control import Cut
from quorate.language.system import Arguments, Failure, State, System


class Replay:
    """Replays paths of one system."""

    def __init__(self, system: System, rendered: Rendered, initial: Sequence[tuple[Arguments, State]]) -> None:
        self.system, self.rendered, self.initial = system, rendered, initial
        self.properties = Properties(system)

    def instance(self, step: Step) -> Instance:
        """The action and arguments of a step."""
        action = self.system.actions[step.action]
        values, at = [], 0
        for kind in self.rendered.parameters[step.action]:
            count = words(width(kind))
            packed = sum(word << 64 * i for i, word in enumerate(step.arguments[at : at + count]))
            values.append(unpack(kind, packed))
            at += count
        return action, tuple(values)

    def run(self, steps: list[Step]) -> Finding:
        """A path that is no violation. That CPython takes the same one is seen when its trace is made."""
        arguments, _ = self.initial[steps[0].arguments[0]]
        return Finding("run", None, arguments, tuple(self.instance(step) for step in steps[1:]))

    def finding(self, steps: list[Step], deadlock: bool) -> Finding:
        """What the path means, by running it."""
        arguments, state = self.initial[steps[0].arguments[0]]
        instances = [self.instance(step) for step in steps[1:]]
        previous = state
        for position, instance in enumerate(instances):
            last = position == len(instances) - 1
            previous = state
            try:
                successor = self.system.fire(state, *instance)
            except Failure as failure:
                if last and steps[-1].failed:
                    return Finding(
                        "error",
                        instance[0],
                        arguments,
                        tuple(instances),
                        message=str(failure),
                        place=failure.location,
                        in_step=True,
                    )
                raise Disagreement(f"CPython raises in {instance}: {failure}") from failure
            except Cut as cut:
                raise Disagreement(f"CPython cuts {instance} at {cut.bound}") from None
            if successor is None or (last and steps[-1].failed):
                raise Disagreement(f"CPython {'refuses' if successor is None else 'accepts'} {instance}")
            state = successor.state
        if deadlock:
            return self._stuck(arguments, tuple(instances), state)
        return self._false(arguments, tuple(instances), previous, state)

    def _stuck(self, arguments: Arguments, instances: tuple[Instance, ...], state: State) -> Finding:
        terminal = self.properties.terminal
        assert terminal is not None
        try:
            if self.properties.holds(terminal, state, ()):
                raise Disagreement("the last state is terminal")
        except Failure as failure:
            return Finding("error", terminal, arguments, instances, message=str(failure), place=failure.location)
        return Finding("deadlock", None, arguments, instances)

    def _false(self, arguments: Arguments, instances: tuple[Instance, ...], previous: State, state: State) -> Finding:
        false = self.properties.falsified_by_step(previous, state) if instances else None
        if false is None:
            false = self.properties.falsified(state)
        if false is None:
            raise Disagreement("every property holds in the last state")
        kind = "error" if false.failure else kind_of(false.method.declaration.kind).shown_as
        return Finding(
            kind,
            false.method,
            arguments,
            instances,
            false.arguments,
            message=str(false.failure) if false.failure else None,
            place=false.failure.location if false.failure else None,
        )
