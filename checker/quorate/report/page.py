"""Pages to read: the gallery of counterexamples in Markdown, and one trace as an HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import escape

from quorate.report.diagram import spacetime
from quorate.report.render import svg
from quorate.report.story import headline
from quorate.report.text import trace_text
from quorate.trace import Trace


@dataclass(frozen=True)
class Entry:
    """One counterexample of the gallery.

    `why` is what goes wrong, in two sentences; `command` shows it again; `picture` is the diagram's path, seen from the
    page; `steps` the length of the run, 0 if the initial state is at fault.
    """

    spec: str
    variant: str
    property: str
    why: str
    command: str
    picture: str
    steps: int


HOW_TO_READ = """\
Every picture below is a shortest run: no run of fewer steps fails. Time runs downwards. Each column is one process, each \
row one step, each arrow a message from the step that sent it to the step that received it. The words at the right are what \
the step changed, old value and new. A dashed red arrow that ends in a cross was lost; a dashed blue one is a second \
delivery. A short line with a small mark at its end is a message still on the wire: a red diamond where the broken property \
reads it there. Values that the property rests on are red, and the steps that set or sent them have a red ring; what no step of \
its causal past has read is pale. Processes in which nothing happens are left out, and named at the head.

To use one in class, hide the red box at the foot and ask at which step it was already too late."""


def gallery(entries: Iterable[Entry]) -> str:
    """The gallery as Markdown, grouped by spec in the order of first appearance."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.spec, []).append(entry)
    total = sum(map(len, groups.values()))
    lines = [
        "# What breaks, and how",
        "",
        f"{_many(total, 'broken variant')} of protocols in this library, each with the shortest run in which it fails.",
        "",
        HOW_TO_READ,
        "",
    ]
    for spec, members in groups.items():
        links = ", ".join(f"[{_inline(entry.variant)}](#{_anchor(spec, entry.variant)})" for entry in members)
        lines.append(f"- **{_inline(spec)}**: {links}")
    for spec, members in groups.items():
        lines += ["", f"## {_inline(spec)}"]
        for entry in members:
            lines += ["", *_entry(entry)]
    return "\n".join(lines) + "\n"


def _entry(entry: Entry) -> list[str]:
    length = f"after {_many(entry.steps, 'step')}" if entry.steps else "in the initial state"
    alternative = f"Space-time diagram: {entry.variant} violates {entry.property} {length}"
    return [
        f'<a id="{_anchor(entry.spec, entry.variant)}"></a>',
        "",
        f"### {_inline(entry.variant)}",
        "",
        f"**Breaks `{entry.property}` {length}.** {' '.join(entry.why.split())}",
        "",
        f"![{_inline(alternative)}](<{entry.picture}>)",
        "",
        "```sh",
        entry.command,
        "```",
    ]


def _anchor(spec: str, variant: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in f"{spec}-{variant}".lower())


def _inline(text: str) -> str:
    """Text with the characters escaped that Markdown would take for its own."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>" else character for character in text)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


STYLE = """\
body { font: 16px/1.5 Helvetica, Arial, sans-serif; color: #1f2933; margin: 2rem auto; max-width: 90rem; padding: 0 1rem }
figure { margin: 1rem 0; overflow-x: auto } figure svg { max-width: 100%; height: auto }
pre { background: #f4f6f8; padding: 1rem; overflow-x: auto; font-size: 14px }
"""


def trace_page(trace: Trace, hide: Collection[str] = ()) -> str:
    """A trace as one HTML file without references to anything else: the diagram, the text, and the trace's JSON to
    keep. Changes of the variables in `hide` are in the JSON only."""
    head = headline(trace)
    name = f"{trace.spec}, {trace.variant}" if trace.variant else trace.spec
    picture = svg(spacetime(trace, hide))
    picture = picture[picture.index("<svg") :]
    data = json.dumps(trace.to_json(), ensure_ascii=True).replace("</", "<\\/")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(f"{name}: {head.title}")}</title>
<style>
{STYLE}</style>
</head>
<body>
<h1>{escape(name)}</h1>
<p><strong>{escape(head.title)}</strong>: {escape(head.text)}</p>
<figure>
{picture}</figure>
<details><summary>The run as text</summary><pre>{escape(trace_text(trace, hide))}</pre></details>
<script type="application/json" id="trace">{data}</script>
</body>
</html>
"""
