"""What an engine is: a function from a configured system to what it covered and found.

Engines explore and know nothing of names, files or pictures; `quorate.explore` asks one of them and turns its answer
into an `Outcome`. A new engine is one line in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from quorate.errors import Location, QuorateError, unknown
from quorate.explore.limits import Watch
from quorate.language.sorts import Scalarset
from quorate.language.system import Arguments, Method, System

Instance = tuple[Method, Arguments]
"""An action with given arguments."""


class EngineUnavailable(QuorateError):
    """This engine cannot run this specification here; the message says why. `auto` then takes the next engine."""


class Disagreement(AssertionError):
    """What an engine says of a specification is not what CPython does: a bug in the engine."""


@dataclass(frozen=True)
class Finding:
    """A violation or failure as a real run: from the initial state of `initial_arguments`, the instances in `steps`.

    `kind` is that of `Trace.kind`; `method` the property, or the method that raised. `arguments` falsify the
    property. A lasso goes back to the state after step `loop`. With `message`, the specification raised an exception:
    in the last step if `in_step`, at `place`.
    """

    kind: str
    method: Method | None
    initial_arguments: Arguments
    steps: tuple[Instance, ...]
    arguments: Arguments = ()
    loop: int | None = None
    message: str | None = None
    in_step: bool = False
    place: Location | None = None


@dataclass(frozen=True)
class Measured:
    """What makes the states that an engine found, those included that it did not expand any more.

    `new` are for each action the states that are met by it first: of the transitions that lead to a state from the level before, those of
    the action that is declared first count. `values` are for each variable the values that it has, and `others` the states that are left if
    it is disregarded. Under symmetry, variables are those of the states that stand for their orbits."""

    new: tuple[int, ...]
    values: tuple[int, ...]
    others: tuple[int, ...]


@dataclass(frozen=True)
class Covered:
    """What an engine explored; the counts are defined in `quorate.explore.reference`. `stopped` says why it ended
    early; `too_large` that it was for a number that this engine cannot hold, and another one might.

    `reached` names the `@reachable` properties that some state satisfies. `stored_bytes` is what it took to keep the states;
    `collision` the probability that a state was missed because it was taken for another; `stuck` counts the expanded states
    without a transition, cut ones included, of a specification that declares no `@terminal`; only the
    reference engine counts them. `levels` are the states first met at
    each depth; the last is incomplete if the search ended early. `counted` are the counters of `quorate.model.points`, and `measured`
    is what makes the states, if the watch asks.
    """

    states: int
    transitions: int
    depth: int
    cuts: Mapping[str, int]
    actions: Mapping[str, int]
    reached: frozenset[str]
    finding: Finding | None = None
    stopped: str | None = None
    notes: tuple[str, ...] = field(default=())
    stored_bytes: int = 0
    collision: float = 0.0
    too_large: bool = False
    stuck: int = 0
    levels: tuple[int, ...] = ()
    counted: tuple[int, ...] = ()
    measured: Measured | None = None


def by_depth(complete: Sequence[int], states: int) -> tuple[int, ...]:
    """The states of each level: those of the complete ones, and what is left of all states for one that was not finished."""
    left = states - sum(complete)
    return (*complete, left) if left else tuple(complete)


Engine = Callable[[System, Sequence[type[Scalarset]], Watch, int], Covered]
"""(system, sorts to reduce over, watch, workers) -> what was covered. Called inside the system's configuration."""

ENGINES = {"native": "quorate.explore.native:explore", "reference": "quorate.explore.reference:explore"}
"""Where each engine lives. `auto` takes the first that is available."""

CLUSTER = "cluster"
ON_REQUEST = {CLUSTER: "quorate.explore.cluster:explore"}
"""Engines that `auto` never takes."""


@dataclass(frozen=True)
class Answer:
    """What is known of a property of runs with given arguments. `finding` is a violation, or an error that it raises. Without one it
    holds if `judged`, within the bounds if there are cuts; otherwise runs have to leave the bounds before it is decided, such as the one
    of `forced`.

    `begun` counts the states in which an obligation begins (p of a pair), fulfilled or not; if there is no finding, `pending` those in
    which one is pending, and `leaving` those of them from which a run can leave the bounds while it is.
    """

    method: Method
    arguments: Arguments
    finding: Finding | None = None
    judged: bool = True
    begun: int = 0
    pending: int = 0
    leaving: int = 0
    forced: Finding | None = None


@dataclass(frozen=True)
class Lasting:
    """What a check of the liveness properties found in the full graph: a answer of each property for each choice of arguments, up to
    the first violation, or why it ended early. Of arguments that renaming makes equal, the first may stand for all. `transitions` are
    those that change the state."""

    states: int
    transitions: int
    answers: tuple[Answer, ...] = ()
    stopped: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def finding(self) -> Finding | None:
        """The first violation or error."""
        return next((answer.finding for answer in self.answers if answer.finding is not None), None)

    @property
    def unjudged(self) -> Mapping[str, str]:
        """The properties of which the bounds leave too little to say that they hold, each with the reason."""
        found = {}
        for answer in self.answers:
            if not answer.judged and answer.method.name not in found:
                found[answer.method.name] = (
                    f"not judged within the bounds: runs have to leave them before it is decided "
                    f"(decided in {answer.pending - answer.leaving:,} of {answer.pending:,} states in which it is pending)"
                )
        return found

    @property
    def forced(self) -> Mapping[str, Finding]:
        """For each property that is not judged a run that has to leave the bounds, if one was looked for."""
        return {answer.method.name: answer.forced for answer in reversed(self.answers) if answer.forced is not None}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know of properties that hold: an obligation that never begins, and how many states a run can leave the
        bounds from before it is decided. Of several arguments, those with the most such states are told of."""
        found = []
        for name in dict.fromkeys(answer.method.name for answer in self.answers):
            answers = [answer for answer in self.answers if answer.method.name == name]
            if any(answer.finding is not None or not answer.judged for answer in answers):
                continue
            if not any(answer.begun for answer in answers):
                found.append(f"nothing was asked of {name}: its left side is never true")
            leaving, pending = max((answer.leaving, answer.pending) for answer in answers)
            if leaving:
                found.append(
                    f"{name} holds in the bounded system; of {pending:,} states where it is pending, a run can leave the bounds "
                    f"from {leaving:,} before it is decided"
                )
        return tuple(found)


LivenessEngine = Callable[[System, Sequence[type[Scalarset]], Watch, int], Lasting]
"""(system, sorts that its safety was reduced over, watch, workers) -> what the liveness properties do, without reduction."""

LIVENESS = {"native": "quorate.explore.native.liveness:explore", "reference": "quorate.explore.liveness:explore"}
"""Where each engine checks liveness."""


def engine(name: str) -> Engine:
    """The engine of this name. Raises UsageError if there is none."""
    known = ENGINES | ON_REQUEST
    if name not in known:
        raise unknown("engine", name, ["auto", *known])
    found: Engine = _named(known[name])
    return found


def liveness_engine(name: str) -> LivenessEngine:
    """What checks liveness for the engine of this name."""
    found: LivenessEngine = _named(LIVENESS[name])
    return found


def _named(place: str) -> Any:
    module, function = place.split(":")
    return getattr(import_module(module), function)
