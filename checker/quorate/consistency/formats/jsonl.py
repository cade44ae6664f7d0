"""Histories as JSON: one event on each line, or one array of events.

    {"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}
    {"process": 1, "type": "invoke", "f": "read", "key": "x"}
    {"process": 0, "type": "ok", "f": "write", "key": "x"}
    {"process": 1, "type": "ok", "f": "read", "key": "x", "value": 1}

`process` is a number or a name; `type` is `invoke`, `ok`, `fail` (certainly no effect) or `info` (outcome unknown); `f`
is the operation. `value` is its argument in an `invoke` and its result in an `ok`; `key` may be left out in an answer.
Other fields are ignored, blank lines too. A transaction has `f` "txn" and as value a list of steps, `["append", key,
value]`, `["w", key, value]` or `["r", key, value]`, with null for what a read does not know yet.

Lines with nothing but the common fields, and with whole numbers, texts and plain steps in them, are decoded by msgspec, straight
into the values of a history. All others, and all that it refuses, are decoded by Python's `json`, which says what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal, NoReturn

import msgspec

from quorate.consistency.formats.events import TYPES, Event, Malformed, is_client
from quorate.consistency.values import HistoryError, Value, freeze, numeral

_SPACE = " \t\r\n"

_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Plain = _Whole | str | None
_Step = tuple[Literal["append", "w", "r"], _Whole | str, _Plain | tuple[_Plain, ...]]


class _Common(msgspec.Struct, forbid_unknown_fields=True):
    """An event as most lines have it. What fits needs no `freeze`."""

    process: _Whole | str
    type: Literal["invoke", "ok", "fail", "info"]
    f: str
    value: _Plain | tuple[_Step, ...] | msgspec.UnsetType = msgspec.UNSET
    key: _Plain | msgspec.UnsetType = msgspec.UNSET
    time: int | msgspec.UnsetType = msgspec.UNSET
    index: int | msgspec.UnsetType = msgspec.UNSET


_decode_common = msgspec.json.Decoder(_Common).decode


class _Refused(ValueError):
    """JSON that says something which a history cannot hold."""


def _no_number(name: str) -> NoReturn:
    raise _Refused(f"{name} is no JSON, and no value of a history: values are compared, and this one is no number")


def _finite(text: str) -> Value:
    try:
        return numeral(text)
    except OverflowError:
        raise _Refused(f"The number {text} is too large to be held exactly") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Refused(f"The field {next(n for n in names if names.count(n) > 1)!r} is there twice")
    return fields


def _fraction(text: str) -> float:
    _finite(text)
    return float(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
_AS_WRITTEN = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number, parse_float=_fraction)


def decode(text: str) -> Any:
    """A JSON value of a command line. Raises `ValueError` with what is wrong."""
    return _DECODER.decode(text)


def decode_as_written(text: str) -> Any:
    """The same where 1.0 is not 1: what is written as a fraction is one."""
    return _AS_WRITTEN.decode(text)


def events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a text. Raises `Malformed`."""
    rest = iter(enumerate(lines, 1))
    for number, line in rest:
        common = _common(number, line)
        if common is not None:
            if is_client(common.process):
                yield common
            continue
        if not line.strip():
            continue
        if line.lstrip()[0] == "[":
            found = _array(number, line + "".join(text for _, text in rest))
        else:
            found = iter([(number, _decoded(number, line))])
        for where, fields in found:
            event = _event(where, fields)
            if is_client(event.process):
                yield event


def _common(number: int, line: str) -> Event | None:
    """The event of a line that has the common form. A colon too many is in a text, or a field is there twice."""
    try:
        e = _decode_common(line)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    fields, value, key = 3, e.value, e.key
    if value is msgspec.UNSET:
        value = None
    else:
        fields += 1
    if key is msgspec.UNSET:
        key = None
    else:
        fields += 1
    fields += (e.time is not msgspec.UNSET) + (e.index is not msgspec.UNSET)
    return Event(number, e.process, e.type, _name(e.f), value, key) if line.count(":") == fields else None


@lru_cache(maxsize=1_000)
def _name(function: str) -> str:
    """One text for all mentions of a function."""
    return function


def _decoded(number: int, text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except ValueError as failure:
        raise Malformed(number, _wrong(failure)) from None
    except RecursionError:
        raise Malformed(number, "The value is nested too deeply.") from None


def _wrong(failure: ValueError) -> str:
    if isinstance(failure, _Refused):
        return f"{failure}."
    if isinstance(failure, json.JSONDecodeError):
        return f"This is not JSON: {failure.msg} (column {failure.colno})."
    return "A number has more digits than can be read."  # All that Python's `int` refuses.


def _array(first: int, text: str) -> Iterator[tuple[int, Any]]:
    """The items of a JSON array with their lines."""
    at = _skip(text, text.index("[") + 1)
    line, counted = first, 0
    if text[at : at + 1] != "]":
        while True:
            line += text.count("\n", counted, at)
            counted = at
            try:
                fields, at = _DECODER.raw_decode(text, at)
            except ValueError as failure:
                raise Malformed(line, _wrong(failure)) from None
            except RecursionError:
                raise Malformed(line, "The value is nested too deeply.") from None
            yield line, fields
            at = _skip(text, at)
            if text[at : at + 1] != ",":
                break
            at = _skip(text, at + 1)
    if text[at : at + 1] != "]":
        raise Malformed(
            first + text.count("\n", 0, at), "The array of events goes on with a comma or ends with a bracket."
        )
    at = _skip(text, at + 1)
    if at < len(text):
        raise Malformed(first + text.count("\n", 0, at), "There is something after the array of events.")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


@lru_cache(maxsize=10_000)
def _checked(name: int | str) -> None:
    """A process or a function, which are few: what `freeze` refuses is refused."""
    freeze(name)


def _event(number: int, fields: Any) -> Event:
    if not isinstance(fields, dict):
        raise Malformed(number, "An event is a JSON object with process, type, f and value.")
    missing = [name for name in ("process", "type", "f") if fields.get(name) is None]
    if missing:
        names = ", ".join(map(ascii, sorted(fields))) or "nothing"
        raise Malformed(number, f"The event has no {' and no '.join(missing)}; it has {names}.")
    process, kind, function = fields["process"], fields["type"], fields["f"]
    if isinstance(process, bool) or not isinstance(process, (int, str)):
        raise Malformed(number, f"A process is a number or a name, not {process!r}.")
    if kind not in TYPES:
        raise Malformed(number, f"The type {kind!r} is not one of {', '.join(TYPES)}.")
    if not isinstance(function, str):
        raise Malformed(number, f"The operation (f) is a name, not {function!r}.")
    try:
        value, key = freeze(fields.get("value")), freeze(fields.get("key"))
        _checked(process), _checked(function)
    except HistoryError as failure:
        raise Malformed(number, str(failure)) from None
    except RecursionError:
        raise Malformed(number, "The value is nested too deeply.") from None
    return Event(number, process, kind, function, value, key)
