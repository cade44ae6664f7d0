"""Histories as JSON lines: one event on each line.

    {"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}
    {"process": 1, "type": "invoke", "f": "read", "key": "x"}
    {"process": 0, "type": "ok", "f": "write", "key": "x"}
    {"process": 1, "type": "ok", "f": "read", "key": "x", "value": 1}

`process` is a number or a name; `type` is `invoke`, `ok`, `fail` (certainly no effect) or `info` (outcome unknown); `f`
is the operation. `value` is its argument in an `invoke` and its result in an `ok`; `key` may be left out in an answer.
Other fields are ignored, blank lines too. A transaction has `f` "txn" and as value a list of steps, `["append", key,
value]`, `["w", key, value]` or `["r", key, value]`, with null for what a read does not know yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from quorate.consistency.formats.events import TYPES, Event, Malformed, is_client
from quorate.consistency.history import Value, freeze


def events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a text. Raises `Malformed`."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            event = _event(number, line)
            if is_client(event.process):
                yield event


def _event(number: int, line: str) -> Event:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as failure:
        raise Malformed(number, f"This is not JSON: {failure.msg} (column {failure.colno}).") from None
    if not isinstance(fields, dict):
        raise Malformed(number, "An event is a JSON object with process, type, f and value.")
    missing = [name for name in ("process", "type", "f") if fields.get(name) is None]
    if missing:
        raise Malformed(
            number, f"The event has no {' and no '.join(missing)}; it has {', '.join(sorted(fields)) or 'nothing'}."
        )
    process, kind, function = fields["process"], fields["type"], fields["f"]
    if isinstance(process, bool) or not isinstance(process, (int, str)):
        raise Malformed(number, f"A process is a number or a name, not {process!r}.")
    if kind not in TYPES:
        raise Malformed(number, f"The type {kind!r} is not one of {', '.join(TYPES)}.")
    if not isinstance(function, str):
        raise Malformed(number, f"The operation (f) is a name, not {function!r}.")
    value: Value = freeze(fields.get("value"))
    return Event(number, process, kind, function, value, freeze(fields.get("key")))
