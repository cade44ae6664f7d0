"""Every property's own verdict, one property alone, and the shortest run to a goal: checks of parts of a specification.

A search ends at the first violation, which is the shortest of all. So all violations are found by leaving the property
that was found out of the specification and exploring again, until nothing is found: each has a counterexample of minimal
length of its own. That costs a search for each violated property, as deep as its counterexample (the last one is
complete), and works in every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from quorate.errors import UsageError, unknown
from quorate.explore.checking import check
from quorate.explore.verdicts import methods_of
from quorate.kinds import CLAIMS, DEADLOCK, ENDS, GOALS, kind_of
from quorate.language.declarations import Declaration
from quorate.language.places import function_location
from quorate.language.spec import Spec, derived, without
from quorate.language.system import Method, System
from quorate.language.written import free_name, written
from quorate.outcome import (
    Failed,
    Holds,
    HoldsWithinBounds,
    Judgement,
    NotJudged,
    Outcome,
    Reached,
    Status,
    Unfinished,
    Violated,
)
from quorate.trace import Trace


def judgeable(spec: type[Spec]) -> dict[str, str]:
    """The properties that have a verdict, by name, with the method that declares them."""
    system = System(spec)
    claims = {method.name: method.name for method in system.of(*CLAIMS)}
    ends = [method.name for method in system.of(*ENDS)]
    return claims | ({DEADLOCK: ends[0]} if ends else {})


def only(spec: type[Spec], properties: Sequence[str]) -> type[Spec]:
    """A specification with these properties and no others. Raises UsageError for one that it does not have."""
    known = judgeable(spec)
    for name in properties:
        if name not in known:
            raise unknown("property", name, known)
    return without(spec, (method for name, method in known.items() if name not in properties))


def check_all(spec: type[Spec], **options: Any) -> Outcome:
    """As `check`, and on beyond the first violation: the judgements of the outcome have every property's own verdict, and
    each violated one its shortest counterexample. An error of the specification ends it, as it ends any check."""
    names = judgeable(spec)
    broken: dict[str, Judgement] = {}
    first: Violated | None = None
    while True:
        outcome = check(without(spec, (names[name] for name in broken)), **options)
        if not isinstance(outcome, Violated):
            break
        first = first or outcome
        broken |= {one.property: one for one in outcome.judgements if one.status == "violated"}
    if first is None:
        return outcome
    judged = broken | {one.property: one for one in outcome.judgements}
    judgements = tuple(judged[name] for name in names if name in judged)
    if isinstance(outcome, Failed):
        return replace(outcome, judgements=judgements, methods=first.methods)
    left = (outcome.reason,) if isinstance(outcome, Unfinished) else ()
    return replace(
        first,
        statistics=outcome.statistics,
        coverage=outcome.coverage,
        profile=outcome.profile,
        notes=(*outcome.notes, *left),
        judgements=judgements,
    )


def as_expected(spec: type[Spec], outcome: Outcome) -> bool:
    """Whether an outcome is the one that the specification's `expect` announces. Holding within bounds is holding. One that is an error
    or unfinished is none that is announced, whatever is known to be violated by then."""
    if spec.expect.names:
        return isinstance(outcome, Violated) and set(spec.expect.names) <= set(outcome.violated)
    return isinstance(outcome, Holds | HoldsWithinBounds)


def check_expected(spec: type[Spec], **options: Any) -> Outcome:
    """As `check`, for comparing with `expect`: if another property than the announced is met first, or several are announced,
    those are judged as well, each alone.

    The outcome is that of an announced property which is open, else that of the first announced if it is violated, else that
    of the property met first. Raises UsageError if an announced property does not exist."""
    outcome = check(spec, **options)
    missing = [name for name in spec.expect.names if name not in outcome.violated]
    if not isinstance(outcome, Violated) or not missing:
        return outcome
    known = judgeable(spec)
    judged = {one.property: one for one in outcome.judgements}
    shown: Outcome = outcome
    for name in missing:
        if name not in known:
            raise unknown(f"property of {spec.__name__}, which it is expected to violate,", name, known, UsageError)
        alone = check(only(spec, [name]), **options)
        judged |= {one.property: one for one in alone.judgements}
        if isinstance(alone, Unfinished | NotJudged | Failed) or (
            name == spec.expect.violated and isinstance(alone, Violated)
        ):
            shown = alone
    judgements = tuple(judged[name] for name in known if name in judged)
    return replace(shown, judgements=judgements, methods=outcome.methods)


def witness(spec: type[Spec], name: str, **options: Any) -> Outcome:
    """The shortest run to a state that satisfies a goal: `Reached`, with the run as its trace.

    `Violated` if no reachable state satisfies it, `NotJudged` if none does within the bounds. Raises UsageError if there is
    no goal of this name."""
    goal = _goal(spec, name)
    outcome = check(never(spec, name), **options)
    common = {field.name: getattr(outcome, field.name) for field in fields(Outcome)}
    common["methods"] = methods_of(System(spec), "action", *GOALS)

    def judged(status: Status, reason: str = "", trace: Trace | None = None) -> dict[str, Any]:
        place = function_location(goal.function)
        return common | {"judgements": (Judgement(name, goal.declaration.kind, status, reason, place, trace),)}

    if isinstance(outcome, Violated):
        assert outcome.trace is not None
        from quorate.explore.traces.replay import replay

        shown_as = kind_of(goal.declaration.kind).shown_as
        found = replay(outcome.trace.but(kind=shown_as, property=name), only(spec, [name]))
        assert found.now is not None, found.message
        return Reached(**judged("holds", trace=found.now), property=name, trace=found.now)
    if isinstance(outcome, Holds):
        return Violated(**judged("violated", "no reachable state satisfies it"), property=name, trace=None)
    if isinstance(outcome, HoldsWithinBounds):
        reason = "not reached within the bounds: it may be reachable beyond them"
        return NotJudged(**judged("not-reached", reason), reason=f"{name} is {reason}")
    return replace(outcome, judgements=())


def _goal(spec: type[Spec], name: str) -> Method:
    goals = {method.name: method for method in System(spec).of(*GOALS)}
    if name not in goals:
        raise unknown("goal (@reachable)", name, goals)
    return goals[name]


def never(spec: type[Spec], name: str) -> type[Spec]:
    """The specification with one property: the invariant that a goal is never satisfied, which the shortest run to it violates. Raises
    UsageError if there is no goal of this name.

    It has a source of its own, since the typed model reads sources."""
    goal = _goal(spec, name)
    heads = [parameter.name for parameter in goal.parameters]
    title = free_name(spec, f"never_{name}")
    source = f"def {title}({', '.join(['self', *heads])}):\n    return not self.{name}({', '.join(heads)})\n"
    file = f"<the goal {name} of {spec.__name__}>"
    never = written(title, source, file, dict(goal.function.__globals__))
    with System(spec) as system:
        hints = system.method_hints(goal.function)
    never.__annotations__ = {head: hints[head] for head in heads} | {"return": bool}
    never.__module__, never.__qualname__ = goal.function.__module__, f"{spec.__name__}.{title}"
    never.__quorate__ = Declaration("invariant", of=name)
    return derived(without(spec, judgeable(spec).values()), **{title: never})
