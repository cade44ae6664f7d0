"""Outcomes for programs: JSON, JUnit's XML, and the annotations of GitHub workflows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from quorate.outcome import Failed, Outcome, Proven, Unfinished, Violated
from quorate.report.scene import clean
from quorate.report.text import outcome_text, trace_text, verdict
from quorate.trace import Json, Trace


def outcome_json(outcome: Outcome) -> dict[str, Json]:
    """The object that `--format json` prints; every key is always there, null where it does not apply.

    `property` is the violated one, and `values` the arguments, as Python, for which a law is false; `reason` says why
    a run is unfinished; `message` what is wrong with the spec; `properties` and `any_size` belong to proofs. `store`
    is how states were kept, and `collision_probability` how likely it is that one was missed because of that. Two runs
    of the same check differ in `seconds` only, which is why the memory they took is left out.
    """
    stats, trace = outcome.statistics, trace_of(outcome)
    return {
        "spec": outcome.spec,
        "variant": outcome.variant,
        "bounds": dict(outcome.bounds),
        "engine": outcome.engine,
        "symmetry": list(outcome.symmetry),
        "verdict": outcome.verdict,
        "property": outcome.property if isinstance(outcome, Violated) else None,
        "states": stats.states,
        "transitions": stats.transitions,
        "depth": stats.depth,
        "cuts": dict(stats.cuts),
        "seconds": stats.seconds,
        "trace": trace.to_json() if trace else None,
        "actions": dict(stats.actions),
        "notes": list(outcome.notes),
        "reason": outcome.reason if isinstance(outcome, Unfinished) else None,
        "message": outcome.message if isinstance(outcome, Failed) else None,
        "properties": list(outcome.properties) if isinstance(outcome, Proven) else None,
        "any_size": outcome.any_size if isinstance(outcome, Proven) else None,
        "store": stats.store,
        "collision_probability": stats.collision,
        "values": dict(outcome.values) if isinstance(outcome, Violated) and outcome.values else None,
    }


def trace_of(outcome: Outcome) -> Trace | None:
    """The run that an outcome comes with, if any."""
    return outcome.trace if isinstance(outcome, Violated | Failed) else None


def junit(outcomes: Sequence[Outcome]) -> str:
    """JUnit's XML, one test case for each outcome: a violation is a failure, an unfinished run and a wrong spec are
    errors."""
    suite = ET.Element(
        "testsuite",
        {
            "name": "quorate",
            "tests": str(len(outcomes)),
            "failures": str(sum(isinstance(o, Violated) for o in outcomes)),
            "errors": str(sum(isinstance(o, Unfinished | Failed) for o in outcomes)),
            "skipped": "0",
            "time": f"{sum(outcome.statistics.seconds for outcome in outcomes):.3f}",
        },
    )
    for outcome in outcomes:
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "classname": _xml(outcome.spec),
                "name": _xml(outcome.variant or outcome.spec),
                "time": f"{outcome.statistics.seconds:.3f}",
            },
        )
        kind = (
            "failure"
            if isinstance(outcome, Violated)
            else "error"
            if isinstance(outcome, Unfinished | Failed)
            else None
        )
        if kind:
            problem = ET.SubElement(case, kind, {"type": outcome.verdict, "message": _xml(verdict(outcome))})
            trace = trace_of(outcome)
            problem.text = _xml(trace_text(trace) if trace else outcome_text(outcome))
        ET.SubElement(case, "system-out").text = _xml(outcome_text(outcome))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Text without the characters that XML forbids; lines stay lines."""
    return "\n".join(clean(line) for line in text.split("\n"))


def github(outcomes: Sequence[Outcome]) -> str:
    """Workflow commands for GitHub: an error for a violation or a wrong spec, a warning for an unfinished run, else a
    notice."""
    return "".join(
        f"::{_level(outcome)} title={_escaped(_title(outcome), True)}::{_escaped(_message(outcome))}\n"
        for outcome in outcomes
    )


def _level(outcome: Outcome) -> str:
    return (
        "error"
        if isinstance(outcome, Violated | Failed)
        else "warning"
        if isinstance(outcome, Unfinished)
        else "notice"
    )


def _title(outcome: Outcome) -> str:
    return f"Quorate {outcome.spec}" + (f" {outcome.variant}" if outcome.variant else "")


def _message(outcome: Outcome) -> str:
    trace = trace_of(outcome)
    return verdict(outcome) + (f"\n\n{trace_text(trace)}".rstrip() if trace else "")


def _escaped(text: str, is_property: bool = False) -> str:
    """As GitHub's runner decodes it (`@actions/core`, command.ts)."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text
