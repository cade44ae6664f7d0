"""What is the case after a step, as the explorer's page shows it: what can happen and what cannot, the wire, the properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from quorate.explore.traces.recording import Recorder
from quorate.explore.traces.witnesses import plain_json
from quorate.explorer.stage import Judged, Node, Option, Refused, encoded
from quorate.kinds import GOALS, STEPS, kind_of
from quorate.language.types import WireType
from quorate.report.panel import witness_name, witness_steps
from quorate.report.values import field, record_name, show, without_fields
from quorate.trace import Json, Message


def now(node: Node) -> Json:
    """Everything that a page shows beside the picture, after a step."""
    options = [_option(node, number, option) for number, option in enumerate(node.options)]
    return {
        "options": options,
        "refused": list(_refused(node)),
        "wire": list(_wire(node, options)),
        "lanes": {lane: _role(node, lane) for lane in node.tracer.lanes.names},
        "properties": [_judged(node, judged) for judged in node.judged],
        "failure": str(node.failure or ""),
    }


def given(arguments: dict[str, Json]) -> str:
    return ", ".join(f"{name} {show(value, 40)}" for name, value in arguments.items())


def _beside(instance_arguments: dict[str, Json], lane: str, messages: Sequence[Message]) -> str:
    """The arguments that neither the lane nor a message shows."""
    payloads = [message.payload for message in messages]
    return given({name: value for name, value in instance_arguments.items() if value != lane and value not in payloads})


def _option(node: Node, number: int, option: Option) -> Json:
    action, arguments = option.instance
    before = {message.id for step in node.tracer.steps if step.lane == option.lane for message in step.received}
    given, done = encoded(action, arguments), option.deliveries
    return {
        "id": number,
        "action": action.name,
        "about": action.sentence,
        "arguments": given,
        "given": _beside(given, option.lane, (*done.received, *done.lost)),
        "lane": option.lane,
        "mark": action.declaration.mark,
        "received": [message.id for message in done.received],
        "lost": [message.id for message in done.lost],
        "sent": [show(message.payload, 80) for message in done.sent],
        "again": any(message.id in before for message in done.received),
        "failure": option.failure,
    }


def _why(refused: Refused) -> str:
    why = refused.why
    if why.bound:
        return f"would pass the bound {why.bound}"
    if not why.values:
        return f"not {why.guard}" if why.guard else "a guard is false"
    return ", ".join(f"{name} is {show(value, 60)}" for name, value in why.values)


def _refused(node: Node) -> Iterator[Json]:
    """By action, what is not possible and why: instances with the same reason once."""
    messages = {number: Message(number, payload) for number, _, payload in _under_way(node)}
    for action, _ in node.stage.actions:
        mine = [one for one in node.refused if one.instance[0] is action]
        shown: dict[tuple[str, str, str], str] = {}
        for one in mine:
            given = _beside(encoded(*one.instance), one.lane, [messages[number] for number in one.messages])
            shown.setdefault((one.lane, _why(one), one.why.guard), given)
        possible = any(option.instance[0] is action for option in node.options)
        if not mine and possible:
            continue
        yield {
            "action": action.name,
            "about": action.sentence,
            "possible": possible,
            "reasons": [
                {"lane": lane, "given": given, "why": why, "guard": guard}
                for (lane, why, guard), given in list(shown.items())[:12]
            ],
        }


def _wire(node: Node, options: list[Json]) -> Iterator[Json]:
    """The messages on the wires, each with the options that take it, and why others do not."""
    sender = {message.id: step.lane for step in node.tracer.steps for message in step.sent}
    for number, _, payload in _under_way(node):
        source = sender.get(number)
        shown = without_fields(payload, ["source"]) if field(payload, "source") == source else payload
        yield {
            "id": number,
            "name": record_name(payload) or show(payload, 24),
            "payload": show(shown, 120),
            "source": source,
            "options": [one["id"] for one in options if number in one["received"] or number in one["lost"]],
            "refused": [
                {"lane": one.lane, "action": one.instance[0].name, "why": _why(one), "guard": one.why.guard}
                for one in node.refused
                if number in one.messages
            ][:6],
        }


def _under_way(node: Node) -> Iterator[tuple[str, str, Json]]:
    """What is on the wires: the ids with the wire and the payload."""
    for number, wire, message in node.tracer.post.under_way():
        kind = node.stage.system.variable(wire).type
        assert isinstance(kind, WireType)
        yield number, wire, kind.message.to_json(message)


def _role(node: Node, lane: str) -> Json:
    """What colours a lane, as a word."""
    role = node.tracer.lanes.role()
    if role is None:
        return None
    values = node.state[node.stage.system.index[role]]
    if not isinstance(values, Mapping):
        return None
    return next((show(plain_json(value)) for key, value in values.items() if repr(key) == lane), None)


def _judged(node: Node, judged: Judged) -> Json:
    """A property, with the values that make it false, or a goal true."""
    known = judged.method is not None
    found: Json = {
        "name": judged.name,
        "kind": judged.kind,
        "sentence": judged.method.sentence if judged.method is not None else "The protocol may stop here, or go on.",
        "holds": judged.holds,
        "goal": judged.kind in GOALS,
        "run": known and kind_of(judged.kind).is_liveness,
        "witnesses": [],
    }
    if judged.holds is not None and judged.holds is (judged.kind in GOALS) and not node.failure:
        trace = node.trace(node.shows(judged))
        found["witnesses"] = [
            {"name": witness_name(one), "value": show(one.value, 120), "steps": witness_steps(one)}
            for one in trace.witnesses
        ]
        found["message"] = judged.message
    return found


def reads(node: Node, name: Json) -> list[Json]:
    """The places that a property reads here: the variable, and the lane whose value it is."""
    judged = next((one for one in node.judged if one.name == name), None)
    if judged is None or judged.method is None or judged.holds is None:
        return []
    recorder, system, kind = Recorder(), node.stage.system, judged.kind
    choices = next(choices for method, choices in node.stage.choices_of(kind) if method is judged.method)
    for arguments in [judged.arguments] if judged.arguments else choices:
        before = [recorder.view(system, node.tracer.states[-2])] if kind in STEPS else []
        with suppress(Exception):  # That it raises is told of the property itself.
            judged.method.function(recorder.view(system, node.state), *before, *arguments)
    lanes = node.tracer.lanes
    places = ((place[0], lanes.of_key(place[1]) if len(place) > 1 else None) for _, place in recorder.places)
    return [[variable, lane] for variable, lane in dict.fromkeys(places)]
