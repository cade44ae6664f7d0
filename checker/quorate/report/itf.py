"""The Informal Trace Format: a run as states in JSON, as Apalache and Quint write and read it (Apalache, ADR 015).

Numbers are `{"#bigint": "3"}`. What the format has no form for is written as a variant, as Quint does: a record is
`{"tag": its name, "value": its fields}`, None `{"tag": "None", "value": {"#tup": []}}`. A bag is a map from messages to how
many there are, channels a map from pairs (source, target) to lists. What took a state from the one before is in its `#meta`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from quorate.report.story import headline
from quorate.trace import Json, Trace

DESCRIPTION = "https://apalache-mc.org/docs/adr/015adr-trace.html"


def itf(trace: Trace, states: Sequence[Mapping[str, Json]], hide: Collection[str] = ()) -> str:
    """A trace with its states, the initial one first; without the variables in `hide`.

    Of a step that raises an error there is no state. A lasso goes on, after the last state, at the index `loop`.
    """
    names = [name for name in states[0] if name not in hide]
    head = headline(trace)
    document: dict[str, Json] = {
        "#meta": {
            "format": "ITF",
            "format-description": DESCRIPTION,
            "source": trace.spec,
            "variant": trace.variant or "",
            "bounds": trace.bounds,
            "description": f"{head.title}: {head.text}",
        },
        "vars": names,
        "states": [
            {"#meta": _meta(trace, index)} | {name: expression(state[name]) for name in names}
            for index, state in enumerate(states)
        ],
    }
    if trace.loop is not None:
        # The last state is the one that step `loop` led to; in ITF the loop is what comes after the last state.
        document["loop"] = min(trace.loop + 1, len(trace.steps))
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _meta(trace: Trace, index: int) -> Json:
    if index == 0:
        return {"index": 0}
    step = trace.steps[index - 1]
    arguments = {name: expression(value) for name, value in step.arguments.items()}
    return {"index": index, "action": step.action, "lane": step.lane, "arguments": arguments}


def expression(value: Json) -> Json:
    """A value of a trace as an expression of ITF. Raises LookupError for what is no value of a trace."""
    match value:
        case bool() | str():
            return value
        case int():
            return {"#bigint": str(value)}
        case None:
            return {"tag": "None", "value": {"#tup": []}}
        case list(parts):
            return [expression(part) for part in parts]
        case {"record": str(name), "fields": dict(fields)}:
            return {"tag": name, "value": {field: expression(part) for field, part in fields.items()}}
        case {"tuple": list(parts)}:
            return {"#tup": [expression(part) for part in parts]}
        case {"set": list(parts)}:
            return {"#set": [expression(part) for part in parts]}
        case {"bag": list(pairs)} | {"map": list(pairs)}:
            return {"#map": [[expression(key), expression(part)] for key, part in pairs]}
        case {"channels": list(queues)}:
            return {
                "#map": [
                    [{"#tup": [expression(source), expression(target)]}, expression(queue)]
                    for source, target, queue in queues
                ]
            }
    raise LookupError(f"{value!r} is no value of a trace")
