"""What checks found as one HTML page that needs nothing else: verdicts, states by depth, counts by action, and every run drawn.

All of it comes from `Result`s, whatever the command: a result without an outcome (a judged history, say) has its text only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from quorate.outcome import Holds, HoldsWithinBounds, NotJudged
from quorate.report.coverage import coverage_html
from quorate.report.diagram import spacetime
from quorate.report.profile import profile_html
from quorate.report.render import svg
from quorate.report.results import Level, Result, relative
from quorate.report.story import headline
from quorate.report.text import trace_text
from quorate.report.theme import theme
from quorate.trace import Trace

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The page loads nothing from anywhere, and runs nothing."""
WIDTH, HEIGHT, GAP, BAR_MAX = 560, 120, 1, 40
"""Of a plot, in CSS pixels; between its bars; and of a bar."""
COMPLETE = tuple(kind.verdict for kind in (Holds, HoldsWithinBounds, NotJudged))
"""Of a search that ended early it is not known that an action never fires."""
WORDS: Mapping[Level, str] = {"success": "as it should be", "failure": "wrong", "open": "open", "error": "error"}


def report_page(results: Sequence[Result]) -> str:
    """All results on one page, what is wrong first in the eye: successes are folded if there is more than one result."""
    title = "Quorate: " + (
        ", ".join(dict.fromkeys(result.spec for result in results)) if results else "nothing checked"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(title if len(title) < 120 else title[:119] + "…")}</title>
<style>
{theme()}{Path(__file__).with_name("report.css").read_text(encoding="utf-8")}</style>
</head>
<body>
<header>
<h1>Quorate</h1>
<p>{escape(_totals(results))}</p>
</header>
<main>
{"".join(_overview(results)) if len(results) > 1 else ""}{"".join(_sections(results))}</main>
</body>
</html>
"""


def _totals(results: Sequence[Result]) -> str:
    """How many results there are of each level, and the time that they took."""
    many = f"{len(results)} result{'' if len(results) == 1 else 's'}"
    counts = [(word, sum(result.level == level for result in results)) for level, word in WORDS.items()]
    told = ", ".join(f"{count} {word}" for word, count in counts if count)
    seconds = sum(result.seconds for result in results)
    return f"{many}: {told}; {seconds:.1f} s" if results else "no results"


def _overview(results: Sequence[Result]) -> Iterator[str]:
    yield '<div class="wide"><table class="overview">\n<thead><tr><th></th><th>specification</th><th>found</th>'
    yield "".join(f'<th class="n">{head}</th>' for head in ("states", "transitions", "depth", "s"))
    yield "</tr></thead>\n<tbody>\n"
    for number, result in enumerate(results):
        outcome = _outcome(result)
        counts = [f"{outcome[name]:,}" for name in ("states", "transitions", "depth")] if outcome else ["", "", ""]
        cells = "".join(f'<td class="n">{count}</td>' for count in (*counts, f"{result.seconds:.1f}"))
        yield f'<tr><td>{_badge(result)}</td><td><a href="#r{number}">{escape(_name(result))}</a></td>'
        yield f"<td>{escape(_found(result))}</td>{cells}</tr>\n"
    yield "</tbody>\n</table></div>\n"


def _sections(results: Sequence[Result]) -> Iterator[str]:
    for number, result in enumerate(results):
        is_open = len(results) == 1 or result.level != "success"
        yield f"<details{' open' if is_open else ''}>\n<summary><h2>{escape(_name(result))}</h2> {_badge(result)}</summary>\n"
        yield f'<div id="r{number}">\n<p class="sentence">{escape(result.sentence)}</p>\n'
        outcome = _outcome(result)
        if outcome is None:
            yield f"<pre>{escape(result.details)}</pre>\n<pre>{escape(result.summary)}</pre>\n"
        else:
            yield from _differences(result)
            yield from _numbers(outcome)
            yield from _properties(outcome)
            if outcome.get("profile"):
                yield from profile_html(outcome["profile"])
            if outcome.get("coverage"):
                yield from coverage_html(outcome["coverage"])
            yield from _runs(outcome)
            yield from _list("Notes", outcome["notes"])
            yield f"<details><summary>As text</summary><pre>{escape(result.summary)}</pre></details>\n"
        yield "</div>\n</details>\n"


def _outcome(result: Result) -> Mapping[str, Any] | None:
    """The outcome behind a result, if there is one."""
    found = result.facts.get("outcome", result.facts)
    return found if isinstance(found, Mapping) and "levels" in found else None


def _name(result: Result) -> str:
    spec = relative(result.spec) if "/" in result.spec else result.spec
    return spec if result.name == result.spec else f"{spec} {result.name}"


def _found(result: Result) -> str:
    return str(result.facts.get("found", result.word)).replace("-", " ")


def _badge(result: Result) -> str:
    """Where an expectation is known, whether it was met; else the verdict."""
    word = result.word.replace("-", " ")
    if "fine" in result.facts:
        met = "as expected" if result.facts["fine"] else "not as expected"
        word = "not as in quorate.lock" if result.facts["fine"] and result.level != "success" else met
        word += ", skipped" if result.facts["skipped"] else ""
    return f'<span class="badge {result.level}">{escape(word)}</span>'


def _differences(result: Result) -> Iterator[str]:
    yield from _list("Not as in quorate.lock", result.facts.get("differences", ()))


def _list(title: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield f"<h3>{title}</h3>\n<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>\n"


def _numbers(outcome: Mapping[str, Any]) -> Iterator[str]:
    """What was explored: the bounds, the states of each depth, the transitions of each action."""
    bounds = ", ".join(f"{name}={size}" for name, size in outcome["bounds"].items())
    facts = {
        "bounds": bounds,
        "engine": outcome["engine"],
        "symmetry": ", ".join(outcome["symmetry"]),
        "states": f"{outcome['states']:,}",
        "transitions": f"{outcome['transitions']:,}",
        "depth": f"{outcome['depth']:,}",
        "cut": ", ".join(f"{count:,} by {name}" for name, count in outcome["cuts"].items()),
    }
    cells = (f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items() if text)
    yield f"<dl>{''.join(cells)}</dl>\n"
    if not outcome["levels"]:
        return
    yield f'<div class="numbers">\n<figure><figcaption>New states by depth</figcaption>{_plot(outcome["levels"])}</figure>\n'
    most = max([*outcome["actions"].values(), 1])
    yield '<table class="actions"><caption>Transitions by action</caption>\n'
    for name, count in outcome["actions"].items():
        told = "never" if not count and outcome["verdict"] in COMPLETE else f"{count:,}"
        bar = f'<div style="width:{100 * count / most:.1f}%"></div>'
        yield f'<tr><th scope="row">{escape(name)}</th><td class="n">{told}</td><td class="bar">{bar}</td></tr>\n'
    yield "</table>\n</div>\n"


def _plot(levels: Sequence[int]) -> str:
    """Bars: for each depth the states that are first met there."""
    most, left, bottom = max(levels), 8 * len(f"{max(levels):,}") + 10, 22
    step = min((WIDTH - left) / len(levels), BAR_MAX)
    bars = []
    for depth, count in enumerate(levels):
        height = max(HEIGHT * count / most, 1.0 if count else 0.0) if most else 0.0
        gap = GAP if step > 3 * GAP else 0
        box = f'x="{left + depth * step:.2f}" y="{10 + HEIGHT - height:.2f}" width="{step - gap:.2f}" height="{height:.2f}"'
        states = f"{count:,} state{'' if count == 1 else 's'}"
        bars.append(f'<rect class="bar" {box}><title>depth {depth}: {states}</title></rect>')
    ticks = sorted({0, (len(levels) - 1) // 2, len(levels) - 1})
    marks = [
        f'<text x="{left + (tick + 0.5) * step:.2f}" y="{HEIGHT + bottom + 4}" text-anchor="middle">{tick}</text>'
        for tick in ticks
    ]
    grid = [
        f'<line x1="{left}" x2="{WIDTH}" y1="{y}" y2="{y}"/><text x="{left - 6}" y="{y + 4}" text-anchor="end">{text}</text>'
        for y, text in ((10, f"{most:,}"), (10 + HEIGHT, "0"))
    ]
    label = f"New states by depth, from 0 to {len(levels) - 1}; at most {most:,}, at depth {levels.index(most)}"
    inner = "".join([*grid, *bars, *marks])
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT + 30}" role="img" aria-label="{label}"><title>{label}</title>'
        f"{inner}</svg>"
    )


def _properties(outcome: Mapping[str, Any]) -> Iterator[str]:
    judged = outcome["verdicts"]
    if not judged:
        return
    heads = "".join(f"<th>{head}</th>" for head in ("property", "kind", "verdict", "where"))
    yield f'<h3>Properties</h3>\n<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
    for one in judged:
        place = one["location"]
        where = "" if place is None else f"{Path(place['file']).name}:{place['line']}"
        word, reason = one["verdict"].replace("-", " "), one["reason"] or ""
        said = reason if reason.startswith(word) else f"{word}: {reason}" if reason else word
        verdict = f'<td class="{one["verdict"]}">{escape(said)}</td>'
        yield f"<tr><td>{escape(one['property'])}</td><td>{escape(one['kind'])}</td>{verdict}<td>{escape(where)}</td></tr>\n"
    yield "</tbody>\n</table></div>\n"


def _runs(outcome: Mapping[str, Any]) -> Iterator[str]:
    """Every run that comes with the outcome, drawn and in words."""
    traces = [outcome["trace"], *(one["trace"] for one in outcome["verdicts"])]
    for trace in (Trace.from_json(found) for found in traces if found is not None):
        head = headline(trace)
        yield f'<h3>{escape(f"{head.title}: {head.text}")}</h3>\n<figure class="run">{_picture(trace)}</figure>\n'
        yield f"<details><summary>The run as text</summary><pre>{escape(trace_text(trace))}</pre></details>\n"


def _picture(trace: Trace) -> str:
    """The picture of a run, without the names that its parts have in a file of their own: several stand on the page."""
    picture = svg(spacetime(trace))
    return re.sub(r' id="[^"]*"', "", picture[picture.index("<svg") :])
