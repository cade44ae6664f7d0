"""What commands print for programs: one table of formats for everything that has a result.

A command turns what it found into `Result`s; a format turns results into text. A new format is one entry in `FORMATS`.
What only one of them needs is imported when it writes: every command knows the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from quorate.report.results import Level, Result, relative


@dataclass(frozen=True)
class Format:
    """A format: how it writes results. `together`: they were asked for as a list, even if it has one member."""

    what: str
    write: Callable[[Sequence[Result], bool], str] = field(repr=False)


def _json(results: Sequence[Result], together: bool) -> str:
    found = [dict(result.facts) for result in results]
    return json.dumps(found if together else found[0], indent=1, ensure_ascii=False) + "\n"


JUNIT: Mapping[Level, str | None] = {"success": None, "failure": "failure", "open": "error", "error": "error"}
GITHUB: Mapping[Level, str] = {"success": "notice", "failure": "error", "open": "warning", "error": "error"}


def _junit(results: Sequence[Result], together: bool) -> str:
    """JUnit's XML, a test case for each result: what is open, and what is itself wrong, are errors."""
    import xml.etree.ElementTree as ET

    suite = ET.Element("testsuite", {"name": "quorate", "tests": str(len(results))})
    for tag in ("failure", "error"):
        suite.set(f"{tag}s", str(sum(JUNIT[result.level] == tag for result in results)))
    suite.set("skipped", "0")
    suite.set("time", f"{sum(result.seconds for result in results):.3f}")
    for result in results:
        attributes = {"classname": _xml(result.spec), "name": _xml(result.name), "time": f"{result.seconds:.3f}"}
        if result.location is not None:
            attributes |= {"file": _xml(relative(result.location.file)), "line": str(result.location.line)}
        case = ET.SubElement(suite, "testcase", attributes)
        element = JUNIT[result.level]
        if element is not None:
            problem = ET.SubElement(case, element, {"type": result.word, "message": _xml(result.sentence)})
            problem.text = _xml(result.details or result.summary)
        ET.SubElement(case, "system-out").text = _xml(result.summary)
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Text without the characters that XML forbids; lines stay lines."""
    from quorate.report.scene import clean

    return "\n".join(clean(line) for line in text.split("\n"))


def _github(results: Sequence[Result], together: bool) -> str:
    """Workflow commands for GitHub. Successes among others are left out: it shows ten notices of a step."""
    shown = [result for result in results if not together or result.level != "success"]
    return "".join(_annotation(result) for result in shown)


def _annotation(result: Result) -> str:
    named = "" if result.name == result.spec else f" {result.name}"
    properties = {"title": f"Quorate {result.spec}{named}"}
    if result.location is not None:
        place = result.location
        properties = {"file": relative(place.file), "line": str(place.line), "col": str(place.column + 1)} | properties
    head = ",".join(f"{name}={_escaped(value, True)}" for name, value in properties.items())
    details = f"\n\n{result.details}".rstrip()
    return f"::{GITHUB[result.level]} {head}::{_escaped(result.sentence + details)}\n"


def _escaped(text: str, is_property: bool = False) -> str:
    """As GitHub's runner decodes it (`@actions/core`, command.ts)."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text


def _sarif(results: Sequence[Result], together: bool) -> str:
    from quorate.report.sarif import sarif

    return sarif(results, together)


def _text(results: Sequence[Result], together: bool) -> str:
    return (
        "\n".join(part.rstrip("\n") for result in results for part in (result.details, result.summary) if part) + "\n"
    )


def _html(results: Sequence[Result], together: bool) -> str:
    from quorate.report.report_page import report_page  # Which draws, and takes longer to import than the rest.

    return report_page(results)


TEXT = "text"
FORMATS: Mapping[str, Format] = {
    TEXT: Format("for people", _text),
    "json": Format("JSON", _json),
    "junit": Format("JUnit's XML", _junit),
    "sarif": Format("SARIF 2.1.0, of static analysis", _sarif),
    "github": Format("annotations of GitHub workflows", _github),
    "html": Format("one HTML page, with pictures", _html),
}
"""Every format of `--format`. As text, commands may show more than this does: colours, tables, what they do on the way."""

SUFFIXES: Mapping[str, str] = {".html": "html", ".json": "json", ".xml": "junit", ".sarif": "sarif"}
"""The format of a file that is to be written, by how its name ends."""
