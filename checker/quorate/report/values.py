"""JSON values of traces as short text for people, and the difference between two of them.

The forms are those of `quorate.trace`: records, tuples, sets, bags, maps and channels are tagged objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quorate.trace import Json, form

NONE, MORE, TIMES, MINUS = "∅", "…", "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"
ENDS = ("source", "target")
"""The fields that records of messages use for sender and addressee."""


def show(value: Json, width: int | None = None) -> str:
    """A value as a reader would write it: `Vote(term 1, s1→s2)`, `{s1, s2}`, `[a, b]`, `{s1: 0, s2: 1}`, `∅`, `yes`.

    With `width`, at most that many characters: parts that find no room are left out and marked, `{s1, s2, …+3}`.
    """
    text = "".join(_tokens(value))
    if width is None or len(text) <= width:
        return text
    return _clip(_fitted(value, max(width, 1)), max(width, 1))


def record_name(value: Json) -> str | None:
    """The name of a record, None for any other value."""
    return str(value["record"]) if isinstance(value, dict) and "record" in value else None


def field(value: Json, name: str) -> Json:
    """A record's field, None if the value has no such field."""
    return value.get("fields", {}).get(name) if isinstance(value, dict) and "record" in value else None


def without_fields(value: Json, names: Sequence[str]) -> Json:
    """A record without some of its fields: a picture that shows sender and addressee need not repeat them."""
    if record_name(value) is None or not isinstance(value.get("fields"), dict):
        return value
    return {
        "record": value["record"],
        "fields": {key: part for key, part in value["fields"].items() if key not in names},
    }


@dataclass(frozen=True)
class Difference:
    """One place inside a value: `path` from the value's root (`.term`, `[s1]`, or nothing for the root itself).

    `old` is None where something was added, `new` where something was removed.
    """

    path: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path} + {self.new}".strip()
        if self.new is None:
            return f"{self.path} {MINUS} {self.old}".strip()
        return f"{self.path} {self.old} → {self.new}".strip()


SMALL = 18
"""Values that are both this short are shown whole, old and new: two small sets say more than what was added."""


def differences(old: Json, new: Json, width: int | None = None) -> tuple[Difference, ...]:
    """What changed inside a value, as deep as it takes to be short; `width` limits each value shown.

    Equal values have no difference. Sets and lists whose old and new text is short are shown whole.
    """
    return tuple(
        Difference(path, None if a is _ABSENT else show(a, width), None if b is _ABSENT else show(b, width))
        for path, a, b in _places(old, new, "")
    )


class _Absent:
    """Where one of two values has nothing at all, which is not the same as None."""


_ABSENT = _Absent()


def _alike(old: Json, new: Json) -> bool:
    """Equal, and not as False equals 0."""
    return bool(old == new) and repr(old) == repr(new)


def _places(old: Json, new: Json, path: str) -> Iterator[tuple[str, Json, Json]]:
    if _alike(old, new):
        return
    kind = form(old)
    if kind != form(new) or kind is None:
        yield path, old, new
    elif kind == "record":
        yield from _record_places(old, new, path)
    elif kind == "map":
        yield from _map_places(_pairs(old["map"]), _pairs(new["map"]), path)
    elif kind == "channels":
        yield from _map_places(_queues(old), _queues(new), path)
    elif len(show(old)) <= SMALL and len(show(new)) <= SMALL:
        yield path, old, new
    elif kind == "list":
        yield from _list_places(old, new, path)
    elif kind == "tuple":
        yield from _tuple_places(old, new, path)
    elif kind == "set":
        yield from _gone_and_come(path, *({"set": parts} for parts in _set_difference(old["set"], new["set"])))
    else:
        yield from _map_places(_pairs(old["bag"]), _pairs(new["bag"]), path)


def _record_places(old: Json, new: Json, path: str) -> Iterator[tuple[str, Json, Json]]:
    before, after = old["fields"], new["fields"]
    if old["record"] != new["record"] or before.keys() != after.keys():
        yield path, old, new
        return
    for name in before:
        yield from _places(before[name], after[name], f"{path}.{name}")


def _map_places(before: dict[str, Json], after: dict[str, Json], path: str) -> Iterator[tuple[str, Json, Json]]:
    for key in [*before, *(key for key in after if key not in before)]:
        here = f"{path}[{key}]"
        if key in before and key in after:
            yield from _places(before[key], after[key], here)
        else:
            yield here, before.get(key, _ABSENT), after.get(key, _ABSENT)


def _list_places(old: list[Json], new: list[Json], path: str) -> Iterator[tuple[str, Json, Json]]:
    """The ends that differ: a log mostly grows, is truncated, or has its tail replaced."""
    same = 0
    while same < min(len(old), len(new)) and _alike(old[same], new[same]):
        same += 1
    if same in (len(old), len(new)):
        yield from _gone_and_come(path, old[same:], new[same:])
    elif len(old) == len(new):
        for position, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _places(before, after, f"{path}[{position}]")
    else:
        yield f"{path}[{same}:]", old[same:], new[same:]


def _set_difference(old: list[Json], new: list[Json]) -> tuple[list[Json], list[Json]]:
    before, after = ({show(part) for part in parts} for parts in (old, new))
    return [part for part in old if show(part) not in after], [part for part in new if show(part) not in before]


def _gone_and_come(path: str, gone: Json, come: Json) -> Iterator[tuple[str, Json, Json]]:
    """What left and what joined a collection; a single element stands without its brackets."""
    for parts, left in ((gone, True), (come, False)):
        elements = parts if isinstance(parts, list) else parts["set"]
        if elements:
            value = elements[0] if len(elements) == 1 else parts
            yield (path, value, _ABSENT) if left else (path, _ABSENT, value)


def _tuple_places(old: Json, new: Json, path: str) -> Iterator[tuple[str, Json, Json]]:
    if len(old["tuple"]) != len(new["tuple"]):
        yield path, old, new
        return
    for position, (before, after) in enumerate(zip(old["tuple"], new["tuple"], strict=True)):
        yield from _places(before, after, f"{path}[{position}]")


def _pairs(pairs: list[Json]) -> dict[str, Json]:
    return {show(key): part for key, part in pairs}


def _queues(value: Json) -> dict[str, Json]:
    return {f"{show(source)}→{show(target)}": queue for source, target, queue in value["channels"]}


def _atom(value: Json) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value:  # An empty one could not be seen.
        return value
    return json.dumps(value, ensure_ascii=False)


def _parts(value: Json) -> tuple[str, list[tuple[str, Json]], str] | None:
    """A container as (opening, [(text before the part, part)], closing); None for an atom."""
    kind = form(value)
    if kind is None:
        return None
    if kind == "record":
        return _record_parts(value)
    if kind == "list":
        return "[", [("", part) for part in value], "]"
    if kind == "tuple":
        return "(", [("", part) for part in value["tuple"]], ")"
    if kind == "set":
        return "{", [("", part) for part in value["set"]], "}"
    if kind == "bag":
        return "{", [("" if count == 1 else f"{show(count)}{TIMES}", part) for part, count in value["bag"]], "}"
    if kind == "map":
        return "{", [(f"{show(key)}: ", part) for key, part in value["map"]], "}"
    return (
        "{",
        [(f"{show(source)}→{show(target)}: ", queue) for source, target, queue in value["channels"] if queue],
        "}",
    )


def _record_parts(value: Json) -> tuple[str, list[tuple[str, Json]], str]:
    """Sender and addressee, where a record has both, become an arrow; it stands last, as it does in `m from a to b`."""
    fields = dict(value["fields"])
    ends: list[tuple[str, Json]] = []
    if all(isinstance(fields.get(end), str) for end in ENDS):
        ends = [("", f"{fields.pop('source')}→{fields.pop('target')}")]
    named = [(f"{name} ", part) for name, part in fields.items()] + ends
    return (f"{value['record']}(", named, ")") if named else (str(value["record"]), [], "")


def _tokens(value: Json) -> Iterator[str]:
    found = _parts(value)
    if found is None:
        yield _atom(value)
        return
    opening, parts, closing = found
    yield opening
    for number, (before, part) in enumerate(parts):
        yield (", " if number else "") + before
        yield from _tokens(part)
    yield closing


def _fitted(value: Json, width: int) -> str:
    """As many parts as fit, each as whole as fits. May pass `width` by the brackets and the count of what is
    missing."""
    found = _parts(value)
    if found is None:
        return _clip(_atom(value), width)
    opening, parts, closing = found
    text, room = opening, width - len(closing)
    for number, (before, part) in enumerate(parts):
        lead = (", " if number else "") + before
        left = len(parts) - number - 1
        tail = f", {MORE}+{left}" if left else ""
        space = room - len(text) - len(lead) - len(tail)
        whole = show(part)
        if len(whole) <= space:
            text += lead + whole
        elif space >= min(len(whole), 8):
            text += lead + _fitted(part, space)
        else:
            return text + (", " if number else "") + f"{MORE}+{left + 1}" + closing
    return text + closing


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + MORE
