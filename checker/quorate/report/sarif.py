"""SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): what code hosts and editors show beside the lines of a file.

A property is a rule, what is wrong with it a result at its line, and the run that shows it a code flow whose locations are the
actions. What holds is no result: viewers that do not read `kind` would show it as an alert (GitHub does). The verdicts, good ones
too, are notifications of the invocation, which is unsuccessful if something was left open or could not be judged at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from quorate.errors import Location
from quorate.report.results import Event, Level, Problem, Result, Rule, relative
from quorate.trace import Json

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

SHOWN: Mapping[Level, tuple[str, str]] = {
    "success": ("pass", "none"),
    "failure": ("fail", "error"),
    "open": ("open", "none"),
    "error": ("fail", "error"),
}
"""`kind` and `level` of a result; the standard (3.27.10) asks for the level "none" of all that is no failure."""
NOTIFIED: Mapping[Level, str] = {"success": "note", "failure": "note", "open": "warning", "error": "error"}


def sarif(results: Sequence[Result], together: bool) -> str:
    """The results as one run of the tool."""
    from importlib.metadata import version

    rules: dict[str, Rule] = {}
    for rule in (rule for result in results for rule in (*result.rules, *(one.rule for one in result.problems))):
        rules.setdefault(rule.id, rule)
    numbers = {name: number for number, name in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "Quorate",
                "version": version("quorate"),
                "rules": [_rule(rule) for rule in rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": all(result.level in ("success", "failure") for result in results),
                "toolExecutionNotifications": [_notification(result) for result in results],
            }
        ],
        "results": [
            _result(result, problem, numbers[problem.rule.id]) for result in results for problem in result.problems
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.sentence},
        "fullDescription": {"text": f"{rule.sentence} {rule.meaning}"},
        "defaultConfiguration": {"level": "error"},
    }


def _notification(result: Result) -> Json:
    found: dict[str, Json] = {
        "level": NOTIFIED[result.level],
        "message": {"text": result.summary.strip() or result.sentence},
    }
    if result.location is not None:
        found["locations"] = [_location(result.location)]
    return found


def _result(result: Result, problem: Problem, number: int) -> Json:
    kind, level = SHOWN[problem.level]
    found: dict[str, Json] = {
        "ruleId": problem.rule.id,
        "ruleIndex": number,
        "kind": kind,
        "level": level,
        "message": {"text": problem.sentence},
        "locations": [_location(problem.location, result.spec)],
        "properties": {"specification": result.spec, "name": result.name, "verdict": result.word},
    }
    if problem.run:
        steps = [_step(number, event) for number, event in enumerate(problem.run)]
        found["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return found


def _step(number: int, event: Event) -> Json:
    """A step of a run; what is outside of the causal past of the violation is unimportant."""
    found: dict[str, Json] = {
        "location": _location(event.location) | {"message": {"text": event.text}},
        "executionOrder": number,
        "state": {place: {"text": value} for place, value in event.changes.items()},
    }
    if event.matters is not None:
        found["importance"] = "essential" if event.matters else "unimportant"
    return found


def _location(place: Location | None, name: str = "") -> dict[str, Json]:
    """A place in a file. For what stands in none, `name` says what it is."""
    if place is None:
        return {"logicalLocations": [{"fullyQualifiedName": name}]} if name else {}
    file = Path(relative(place.file))
    uri: dict[str, Json] = {"uri": file.as_uri()} if file.is_absolute() else {"uri": quote(file.as_posix())}
    region = {"startLine": place.line, "startColumn": place.column + 1, "endColumn": place.column + place.length + 1}
    return {"physicalLocation": {"artifactLocation": uri, "region": region}}
