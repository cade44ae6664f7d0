r"""A log for ShiViz (Beschastnikh et al. 2020, "Visualizing Distributed System Executions"): events with vector clocks.

The first line is the regular expression that reads the events, the second the one between executions, of which there is one.
Then comes an event on each line: its host, its clock, what happened. The host of what no lane does is the network.

An event's clock knows what came before it in its lane, and what has influenced it as in the pictures' causal past: who sent the
messages that it took or looked at, and who last wrote the places that it read (`quorate.report.causality`). ShiViz orders the
events of each host; of those of the network that is an order in which they happened, and no influence.
"""

from __future__ import annotations

import json

from quorate.report.causality import influences
from quorate.report.story import Story, read
from quorate.report.text import step_text
from quorate.trace import Step, Trace

EXPRESSION = r"^(?<host>[^{\n]+) (?<clock>\{[^}\n]*\}) (?<event>.*)$"
NETWORK = "network"

Clock = dict[str, int]


def shiviz(trace: Trace) -> str:
    """The log of a trace's steps."""
    story = read(trace)
    lines = [EXPRESSION, ""]
    for step, clock in zip(trace.steps, clocks(story), strict=True):
        event = " ".join(step_text(story, step).split())
        lines.append(f"{host(story, step)} {json.dumps(clock, ensure_ascii=False)} {event}")
    return "\n".join(lines) + "\n"


def host(story: Story, step: Step) -> str:
    """The lane where a step happens, or the network."""
    return story.lane_of(step) or NETWORK


def clocks(story: Story) -> list[Clock]:
    """The vector clock of each step: of each host, the number of its events that are, or may have influenced, the step."""
    before = influences(story.trace)
    found: dict[int, Clock] = {}
    last: dict[str, int] = {}
    for step in story.trace.steps:
        own = host(story, step)
        clock: Clock = {}
        for earlier in (*before[step.index], *([last[own]] if own in last else [])):
            for name, time in found[earlier].items():
                clock[name] = max(clock.get(name, 0), time)
        clock[own] = clock.get(own, 0) + 1
        found[step.index], last[own] = dict(sorted(clock.items())), step.index
    return list(found.values())
