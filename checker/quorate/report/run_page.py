"""One run as a page that needs nothing else: the picture, a slider through the steps, the states, the text and the data.

What is drawn is `Scene.to_json`, by the script of `web/` that is in the package. Without scripts a reader has the picture that
Graphviz draws, and the text.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from html import escape
from pathlib import Path

from quorate.report.diagram import BARE, scene, spacetime
from quorate.report.panel import witness_name, witness_steps
from quorate.report.render import svg
from quorate.report.states import states
from quorate.report.story import Story, headline, read
from quorate.report.text import trace_text
from quorate.report.theme import theme
from quorate.report.values import show
from quorate.trace import Json, Message, Step, Trace

BUILT = Path(__file__).with_name("web")
"""What `npm run build` makes of `web/`."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""The page loads nothing from anywhere."""


def run_page(trace: Trace, hide: Collection[str] = ()) -> str:
    """A trace as one HTML file without references to anything else. Changes of the variables in `hide` are in the JSON only."""
    head = headline(trace)
    name = f"{trace.spec}, {trace.variant}" if trace.variant else trace.spec
    picture = svg(spacetime(trace, hide))
    picture = picture[picture.index("<svg") :]
    data = run_data(trace, hide) | {"scene": scene(trace, hide, BARE).to_json()}
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(f"{name}: {head.title}")}</title>
<style>
{theme()}{built("run.css")}</style>
</head>
<body>
<main id="page">
<h1>{escape(name)}</h1>
<p><strong>{escape(head.title)}</strong>: {escape(head.text)}</p>
<figure>
{picture}</figure>
</main>
<details class="text"><summary>The run as text</summary><pre tabindex="0">{escape(trace_text(trace, hide))}</pre></details>
<script type="application/json" id="trace">{embedded(trace.to_json())}</script>
<script type="application/json" id="run">{embedded(data)}</script>
<script>{built("run.js")}</script>
</body>
</html>
"""


@cache
def built(name: str) -> str:
    """A file of the built page."""
    return (BUILT / name).read_text(encoding="utf-8")


def embedded(data: Json) -> str:
    """JSON that can stand in a `<script>`, whatever the texts in it are."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")


def run_data(trace: Trace, hide: Collection[str] = (), wires: Collection[str] | None = None) -> dict[str, Json]:
    """What a page says of a run beside its picture: the verdict with its witnesses, the states, and each step in words. `wires` are
    the variables that are networks, where the caller knows them."""
    story = read(trace, hide)
    head = story.headline
    return {
        "spec": trace.spec,
        "variant": trace.variant,
        "bounds": trace.bounds,
        "verdict": {"tone": head.tone, "title": head.title, "text": head.text},
        "witnesses": [
            {"name": witness_name(one), "value": show(one.value, 240), "steps": witness_steps(one)}
            for one in trace.witnesses
        ],
        "states": states(trace, hide, wires).to_json(),
        "steps": [_step(story, step) for step in trace.steps],
        "loop": trace.loop,
    }


def _step(story: Story, step: Step) -> Json:
    """A step in words: who does what, what changes, which messages it sends and takes."""
    return {
        "action": step.action,
        "lane": story.lane_of(step) or step.lane,
        "mark": step.mark,
        "arguments": [[name, show(value, 80)] for name, value in story.arguments(step).items()],
        "changes": [
            {
                "place": f"{change.lane}.{change.place}" if change.lane else change.place,
                "old": change.difference.old,
                "new": change.difference.new,
                "stressed": change.stressed,
            }
            for change in story.changes(step, 240)
        ],
        "remarks": list(story.remarks(step)),
        "dark": story.dark(step.index),
        "sent": _messages(step.sent),
        "received": _messages(step.received),
        "lost": _messages(step.lost),
    }


def _messages(messages: Collection[Message]) -> Json:
    return [[message.id + ("'" if message.copy else ""), show(message.payload, 160)] for message in messages]
