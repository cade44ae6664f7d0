"""Outcomes for programs: as a JSON object, and as a `Result` for every other format."""

from __future__ import annotations

from quorate.errors import Location
from quorate.outcome import (
    Failed,
    Holds,
    HoldsWithinBounds,
    Judgement,
    NotJudged,
    Outcome,
    Proven,
    Reached,
    Unfinished,
    Violated,
)
from quorate.report.results import Level, Result
from quorate.report.text import outcome_text, trace_text, verdict
from quorate.trace import Json, Trace


def outcome_json(outcome: Outcome) -> dict[str, Json]:
    """The object that `--format json` prints; every key is always there, null where it does not apply.

    `property` is the violated one, and `values` the arguments, as Python, for which a law is false; `reason` says why
    a run is unfinished; `message` what is wrong with the spec; `properties` and `any_size` belong to proofs. `store`
    is how states were kept, and `collision_probability` how likely it is that one was missed because of that. Two runs
    of the same check differ in `seconds` only, which is why the memory they took is left out.
    """
    from quorate.report.coverage import coverage_json
    from quorate.report.profile import profile_json

    stats, trace = outcome.statistics, trace_of(outcome)
    return {
        "spec": outcome.spec,
        "variant": outcome.variant,
        "bounds": dict(outcome.bounds),
        "engine": outcome.engine,
        "symmetry": list(outcome.symmetry),
        "verdict": outcome.verdict,
        "property": outcome.property if isinstance(outcome, Violated | Reached) else None,
        "states": stats.states,
        "transitions": stats.transitions,
        "depth": stats.depth,
        "cuts": dict(stats.cuts),
        "seconds": stats.seconds,
        "trace": trace.to_json() if trace else None,
        "actions": dict(stats.actions),
        "notes": list(outcome.notes),
        "reason": outcome.reason if isinstance(outcome, Unfinished | NotJudged) else None,
        "message": outcome.message if isinstance(outcome, Failed) else None,
        "properties": list(outcome.properties) if isinstance(outcome, Proven) else None,
        "any_size": outcome.any_size if isinstance(outcome, Proven) else None,
        "rests_on": list(outcome.rests_on) if isinstance(outcome, Proven) else None,
        "store": stats.store,
        "collision_probability": stats.collision,
        "class": outcome.subject or None,
        "location": location_json(outcome.place),
        "verdicts": [_judgement(one, trace) for one in outcome.judgements],
        "levels": list(stats.levels),
        "values": dict(outcome.values) if isinstance(outcome, Violated) and outcome.values else None,
        "profile": None if outcome.profile is None else profile_json(outcome.profile),
        "coverage": None if outcome.coverage is None else coverage_json(outcome.coverage),
    }


def trace_of(outcome: Outcome) -> Trace | None:
    """The run that an outcome comes with, if any."""
    return outcome.trace if isinstance(outcome, Violated | Failed | Reached) else None


def traces_of(outcome: Outcome) -> tuple[Trace, ...]:
    """All runs that an outcome comes with, the one that it is about first."""
    first = trace_of(outcome)
    others = [one.trace for one in outcome.judgements if one.trace is not None and one.trace != first]
    return tuple(found for found in (first, *others) if found is not None)


def location_json(place: Location | None) -> Json:
    """A place in a file as a JSON object: `line` and `column` count from 1; null if there is none."""
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.column + 1}


def _judgement(one: Judgement, shown: Trace | None) -> dict[str, Json]:
    return {
        "property": one.property,
        "kind": one.kind,
        "verdict": one.status,
        "reason": one.reason or None,
        "location": location_json(one.location),
        "trace": None if one.trace is None or one.trace == shown else one.trace.to_json(),
    }


LEVELS: dict[type[Outcome], Level] = {
    Holds: "success",
    HoldsWithinBounds: "success",
    Proven: "success",
    Reached: "success",
    Violated: "failure",
    Unfinished: "open",
    NotJudged: "open",
    Failed: "error",
}
"""How each type of outcome counts. One that is not listed is refused: no outcome is a success by default."""


def result_of(outcome: Outcome) -> Result:
    """An outcome as all formats write it. Raises LookupError for a type of outcome that is not listed."""
    from quorate.report.problems import problems_of, rules_of

    traces = traces_of(outcome)
    return Result(
        spec=outcome.spec,
        name=outcome.variant or outcome.spec,
        level=LEVELS[type(outcome)],
        word=outcome.verdict,
        sentence=verdict(outcome),
        facts=outcome_json(outcome),
        details="\n".join(trace_text(trace) for trace in traces),
        summary=outcome_text(outcome),
        seconds=outcome.statistics.seconds,
        location=outcome.place,
        rules=rules_of(outcome),
        problems=problems_of(outcome),
    )
