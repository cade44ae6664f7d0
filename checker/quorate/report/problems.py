"""What is wrong in an outcome, property by property, with the runs that show it: for formats that point into files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from quorate.kinds import KINDS
from quorate.outcome import OPEN, Declared, Failed, NotJudged, Outcome, Unfinished, Violated
from quorate.report.causality import place_of
from quorate.report.results import Event, Problem, Rule
from quorate.report.story import beginning, read
from quorate.report.text import step_text, verdict
from quorate.report.values import show
from quorate.trace import Trace

ERROR = Rule("quorate.error", "A specification can be used.", "if nothing that it says or does raises an error")
JUDGED = Rule("quorate.judged", "What is asked is answered.", "if no limit, bound or solver leaves it open")


def rules_of(outcome: Outcome) -> tuple[Rule, ...]:
    """The properties that an outcome is about."""
    return tuple(_rule(method) for method in outcome.methods if method.kind != "action")


def problems_of(outcome: Outcome) -> tuple[Problem, ...]:
    """What is violated; if nothing is, what is wrong or left open. What a search did not come to, since it ended at a
    violation, is no problem of its own."""
    found = tuple(_violated(outcome))
    if isinstance(outcome, Violated):
        return found
    if isinstance(outcome, Failed):
        events = _events(outcome, outcome.trace)
        return (*found, Problem(ERROR, "error", _named(outcome, verdict(outcome)), outcome.place, events))
    if isinstance(outcome, NotJudged | Unfinished):
        return tuple(_left_open(outcome)) or (
            Problem(JUDGED, "open", _named(outcome, verdict(outcome)), outcome.place),
        )
    return found


def _violated(outcome: Outcome) -> Iterator[Problem]:
    judged = {one.property: one for one in outcome.judgements}
    for name in outcome.violated:
        trace = judged[name].trace if name in judged else None
        if isinstance(outcome, Violated) and name == outcome.property:
            trace = outcome.trace
        method = _method(outcome, name)
        said = verdict(_as_violated(outcome, name, trace))
        yield Problem(
            _rule(method),
            "failure",
            _named(outcome, f"{said}. {method.sentence}"),
            method.location,
            _events(outcome, trace),
        )


def _as_violated(outcome: Outcome, name: str, trace: Trace | None) -> Outcome:
    """The outcome if this property were the one that it is about."""
    if isinstance(outcome, Violated):
        values = outcome.values if name == outcome.property else ()
        return replace(outcome, property=name, trace=trace, values=values)
    common = {part.name: getattr(outcome, part.name) for part in fields(Outcome)}
    return Violated(**common, property=name, trace=trace)


def _left_open(outcome: Outcome) -> Iterator[Problem]:
    for one in outcome.judgements:
        if one.status in OPEN:
            method = _method(outcome, one.property)
            said = f"{one.property}: {one.reason}. {method.sentence}"
            yield Problem(_rule(method), "open", _named(outcome, said), method.location, _events(outcome, one.trace))


def _method(outcome: Outcome, name: str) -> Declared:
    found = [method for method in outcome.methods if method.name == name and method.kind != "action"]
    return found[-1] if found else Declared(f"{outcome.subject or outcome.spec}.{name}", name, "", "", outcome.location)


def _rule(method: Declared) -> Rule:
    meaning = KINDS[method.kind].meaning if method.kind in KINDS else "for all values"
    return Rule(method.id, method.sentence or method.name, f"True {meaning}.")


def _named(outcome: Outcome, said: str) -> str:
    return f"{outcome.variant}: {said}".strip() if outcome.variant else said.strip()


def _events(outcome: Outcome, trace: Trace | None) -> tuple[Event, ...]:
    """The steps of a run, the state that it begins in first."""
    if trace is None:
        return ()
    story = read(trace)
    given = {place_of(change): show(change.new) for change in trace.given}
    actions = {method.name: method.location for method in outcome.methods if method.kind == "action"}
    told = story.causes.past is not None
    return (
        Event(beginning(trace), outcome.location, given),
        *(
            Event(
                step_text(story, step),
                actions.get(step.action),
                {place_of(change): show(change.new) for change in step.changes},
                story.dark(step.index) if told else None,
            )
            for step in trace.steps
        ),
    )
