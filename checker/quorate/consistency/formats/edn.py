"""Histories as Jepsen writes them in EDN: maps with :process, :type, :f and :value, one after another or in one list or
vector.

Values of independent keys (Jepsen's `independent` workloads) are pairs `[key value]`; reading them so must be asked for
(`keyed`), since nothing in the text tells such a pair from any other. Keywords and symbols become plain text. Tags are
read past.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from quorate.consistency.formats.events import TYPES, Event, Malformed, is_client
from quorate.consistency.values import HistoryError, Tagged, Truth, Value, Word, freeze, numeral, show, word

_TOKEN = re.compile(
    r"""[\s,]*(?:
        (?P<comment>;.*)
      | (?P<open>\#\{|\{|\[|\()
      | (?P<close>[\]})])
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<broken>")
      | (?P<discard>\#_)
      | (?P<tag>\#[A-Za-z][^\s,\[\](){}";]*)
      | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[NM]?(?=[\s,\[\](){}";]|$))
      | (?P<char>\\\S[^\s,\[\](){}";\\]*)
      | (?P<word>[^\s,\[\](){}"\#;][^\s,\[\](){}";]*)
      | (?P<end>$)
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_WORDS: dict[str, Value] = {"nil": None, "true": Truth.TRUE, "false": Truth.FALSE}
_CLOSES = {"#{": "}", "{": "}", "[": "]", "(": ")"}

Token = tuple[str, str, int]  # Its kind, its text, its line.


def _tokens(lines: Iterable[str]) -> Iterator[Token]:
    unfinished = ""
    first = 0
    for number, line in enumerate(lines, 1):
        text = unfinished + line.rstrip("\n")
        first = first if unfinished else number
        unfinished, at = "", 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise Malformed(first, f"This is not EDN: {text[at : at + 40].strip()!r}.")
            kind = match.lastgroup or "end"
            if kind == "broken":  # A string that goes on in the next line.
                unfinished = text[match.start("broken") :] + "\n"
                break
            at = match.end()
            if kind not in ("comment", "end"):
                yield kind, match.group(kind), first
    if unfinished:
        raise Malformed(first, "A string has no end.")


class _Reader:
    """Reads forms from tokens, one at a time."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._tokens = _tokens(lines)
        self.line = 1

    def forms(self) -> Iterator[tuple[int, Value]]:
        """The top-level forms with their lines. One list or vector around them all is entered, so that a long file
        streams."""
        inside: str | None = None
        for kind, text, line in self._tokens:
            self.line = line
            if kind == "open" and text in "[(" and inside is None:
                inside = _CLOSES[text]
            elif kind == "close" and text == inside:
                inside = None
            elif kind == "discard":
                self._next()
            elif kind != "tag":
                yield line, self._form(kind, text)
        if inside is not None:
            raise Malformed(self.line, f"The file ends before the {inside!r} that closes its list of events.")

    def all(self) -> Iterator[Value]:
        """All forms to the end of the text."""
        for kind, text, line in self._tokens:
            self.line = line
            yield self._form(kind, text)

    def _next(self) -> Value:
        for kind, text, line in self._tokens:
            self.line = line
            if kind == "discard":
                self._next()
            elif kind == "tag":
                return Tagged(text[1:], freeze(self._next()))
            else:
                return self._form(kind, text)
        raise Malformed(self.line, "The file ends in the middle of a form.")

    def _form(self, kind: str, text: str) -> Value:
        if kind == "open":
            return self._collection(text)
        if kind == "close":
            raise Malformed(self.line, f"There is a {text!r} that closes nothing.")
        return self._atom(kind, text)

    def _collection(self, opening: str) -> Value:
        start, closing = self.line, _CLOSES[opening]
        items: list[Value] = []
        for kind, text, line in self._tokens:
            self.line = line
            if kind == "close" and text == closing:
                break
            if kind == "discard":
                self._next()
            elif kind == "tag":
                items.append(Tagged(text[1:], freeze(self._next())))
            else:
                items.append(freeze(self._form(kind, text)))
        else:
            raise Malformed(start, f"The {opening!r} here is never closed.")
        if opening == "#{":
            if len(set(items)) < len(items):
                raise Malformed(start, "A set has a member twice.")
            return frozenset(items)
        if opening == "{":
            if len(items) % 2:
                raise Malformed(start, "A map has a key without a value.")
            if len(set(items[::2])) < len(items) // 2:
                raise Malformed(start, "A map has a key twice.")
            return _Map(zip(items[::2], items[1::2], strict=True))
        return tuple(items)

    def _atom(self, kind: str, text: str) -> Value:
        try:
            return freeze(_atom(kind, text))
        except HistoryError as failure:
            raise Malformed(self.line, str(failure)) from None
        except (ValueError, OverflowError):  # Python's `int` refuses thousands of digits.
            raise Malformed(self.line, "A number has more digits than can be read.") from None


class _Map(dict[Value, Value]):
    """A map as it was read. Inside another form it is frozen at once, so that only events are still maps."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(freeze(self))

    def field(self, name: str) -> Value:
        return self.get(Word(":", name))


def _atom(kind: str, text: str) -> Value:
    if kind == "string":
        return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _unescaped, text[1:-1], flags=re.DOTALL)
    if kind == "number":
        digits = text.rstrip("NM")
        return int(digits) if digits.lstrip("+-").isdigit() else numeral(digits)
    if kind == "char":
        return Word("\\", text[1:])
    if text in _WORDS:
        return _WORDS[text]
    return Word(":", text[1:]) if text.startswith(":") else Word("", text)


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1)
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)


def values(text: str, line: int = 1) -> list[Value]:
    """All forms of a text. Raises `Malformed`, with `line` for the first line."""
    try:
        return [freeze(form) for form in _Reader([text]).all()]
    except Malformed as failure:
        raise Malformed(line, failure.message) from None


def events(lines: Iterable[str], keyed: bool = False) -> Iterator[Event]:
    """The events of a text; with `keyed`, each value is a pair of a key and the value proper. Raises `Malformed`."""
    for line, form in _Reader(lines).forms():
        if not isinstance(form, _Map):
            raise Malformed(line, f"An event is a map with :process, :type, :f and :value, not {show(form)}.")
        if not is_client(word(form.field("process"))):
            continue
        event = _event(line, form)
        yield split_key(event) if keyed and event.type in ("invoke", "ok") else event


def _event(line: int, form: _Map) -> Event:
    missing = [f":{name}" for name in ("process", "type") if form.field(name) is None]
    if missing:
        raise Malformed(line, f"The event has no {' and no '.join(missing)}.")
    process, kind, function = form.field("process"), word(form.field("type")), word(form.field("f"))
    if kind not in TYPES:
        raise Malformed(line, f"The type {show(kind)} is not one of {', '.join(TYPES)}.")
    if isinstance(process, Word):
        process = str(process)
    if not isinstance(process, (int, str)):
        raise Malformed(line, f"A process is a number or a name, not {show(process)}.")
    if function is None:
        function = "txn"  # Elle's histories leave it out.
    if not isinstance(function, str):
        raise Malformed(line, f"The operation (:f) is a name, not {show(function)}.")
    return Event(line, process, str(kind), function, freeze(form.field("value")), form.field("key"))


def split_key(event: Event) -> Event:
    """An event whose value is `[key value]`, taken apart."""
    value = event.value.value if isinstance(event.value, Tagged) else event.value
    if not isinstance(value, tuple) or len(value) != 2:
        raise Malformed(event.line, f"With keyed values each value is [key value], not {show(event.value)}.")
    return Event(event.line, event.process, event.type, event.function, value[1], value[0])
