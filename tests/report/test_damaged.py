"""A stored trace that no picture could be made of is refused where it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from quorate.errors import TraceError
from quorate.report.diagram import spacetime
from quorate.report.run_page import run_page
from quorate.report.values import show
from quorate.trace import Trace

STORED = Path(__file__).parents[2] / "counterexamples" / "paxos" / "forgets_promise" / "trace.json"
VALUES: list[Any] = [
    {"set": 1},
    {"tuple": 5},
    {"map": [1]},
    {"map": [[1, 2, 3]]},
    {"bag": [1]},
    {"bag": [[1, "2"]]},
    {"channels": [[1]]},
    {"channels": [[1, 2, 3]]},
    {"record": 1, "fields": {}},
    {"record": "Vote"},
    {"record": "Vote", "fields": 1},
    {"a": 1},
    {},
    [[{"set": 1}]],
    {"record": "Vote", "fields": {"term": {"map": [[1]]}}},
]


def stored() -> Any:
    return json.loads(STORED.read_text(encoding="utf-8"))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "place", ["initial", "new", "old", "key", "payload", "arguments", "reads", "initial_arguments"]
)
def test_values_have_one_of_the_forms(value: Any, place: str) -> None:
    trace = stored()
    step = trace["steps"][-1]
    changed = next(change for one in trace["steps"] for change in one["changes"])
    message = next(message for one in trace["steps"] for message in one["sent"])
    if place in ("initial", "initial_arguments"):
        trace[place]["x"] = value
    elif place == "key":
        changed["key"] = [value]
    elif place == "reads":
        step["reads"] = [["x", value]]
    elif place == "arguments":
        step["arguments"]["x"] = value
    elif place == "payload":
        message["payload"] = value
    else:
        changed[place] = value
    with pytest.raises(TraceError, match="is damaged"):
        Trace.from_json(trace)


@pytest.mark.parametrize("value", [1, None, [1], {"set": []}, float("nan")])
@pytest.mark.parametrize("place", ["lanes", "roles", "looked_at", "isolated", "witnesses"])
def test_names_are_texts_and_steps_are_numbers(value: Any, place: str) -> None:
    trace = stored()
    if place == "isolated":
        trace["steps"][0][place] = [value]
    elif place == "witnesses":
        trace[place][0]["steps"] = ["1" if value == 1 else value]
    else:
        trace[place] = [value]
    with pytest.raises(TraceError, match="is damaged"):
        Trace.from_json(trace)


@pytest.mark.parametrize("place", [[], [1], [None], [["x"]]])
def test_what_is_read_is_of_a_variable(place: Any) -> None:
    trace = stored()
    trace["steps"][0]["reads"] = [place]
    with pytest.raises(TraceError, match="is damaged"):
        Trace.from_json(trace)


@pytest.mark.parametrize("more", [[], [{"tuple": [1]}], ["no lane"]])
def test_changes_of_one_variable_may_be_of_different_places(more: Any) -> None:
    trace = stored()
    changes = next(
        step["changes"] for step in trace["steps"] if any(one["lane"] is not None for one in step["changes"])
    )
    (changed, *_) = (one for one in changes if one["lane"] is not None)
    changes.append(changed | {"key": more, "new": trace["initial"][changed["variable"]]})
    assert "<svg" in run_page(Trace.from_json(trace), ())


def test_a_picture_of_many_copies_takes_no_time() -> None:
    trace = stored()
    step = next(step for step in trace["steps"] if step["sent"])
    changed = next(change for one in trace["steps"] for change in one["changes"])
    step["changes"].append(changed | {"key": [], "old": {"bag": [["a", 10**15]]}, "new": {"bag": [["a", 10**15 + 1]]}})
    spacetime(Trace.from_json(trace))


def test_an_empty_text_is_seen() -> None:
    trace = stored()
    changed = next(change for one in trace["steps"] for change in one["changes"])
    changed["new"] = ""
    trace["steps"][0]["action"] = trace["lanes"][0] = ""
    source = spacetime(Trace.from_json(trace))
    assert r'label="\l"' not in source and show("") == '""'


def test_what_is_no_map_has_no_places() -> None:
    trace = stored()
    changed = next(change for one in trace["steps"] for change in one["changes"] if change["key"])
    trace["initial"][changed["variable"]] = 5
    damaged = Trace.from_json(trace)
    spacetime(damaged)
    with pytest.raises(TraceError, match="in 5, which is no map"):
        run_page(damaged, ())
