"""Histories in Jepsen's plain log: lines like `INFO  jepsen.util - 3 :invoke :cas [1 2]`.

Both forms of the prefix are read (`jepsen.util - ` and the newer `jepsen.util: `). Lines of other loggers and of the
fault injector are passed over. What follows the value in an answer (an error's text) is ignored, and so is the value of
an `:info`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from quorate.consistency.formats import edn
from quorate.consistency.formats.events import Event, Malformed, is_client

_LOGGED = re.compile(r"\bjepsen\.util(?: -|:)\s+(?P<rest>.*)")
_OPERATION = re.compile(r"(?P<process>\S+)\s+:(?P<type>invoke|ok|fail|info)\s+:(?P<f>\S+)(?:\s+(?P<value>.*))?$")


def events(lines: Iterable[str], keyed: bool = False) -> Iterator[Event]:
    """The events of a log; with `keyed`, each value is a pair of a key and the value proper. Raises `Malformed`."""
    for number, line in enumerate(lines, 1):
        logged = _LOGGED.search(line)
        if logged is None:
            continue
        match = _OPERATION.match(logged.group("rest").rstrip())
        if match is None:
            raise Malformed(number, f"This is not `process :type :f value`: {logged.group('rest').strip()[:60]!r}.")
        process = match.group("process").lstrip(":")
        if not is_client(process):
            continue
        if not process.isdigit():
            raise Malformed(number, f"A process is a number or :nemesis, not {process!r}.")
        known = match.group("type") in ("invoke", "ok")
        found = edn.values(match.group("value") or "nil", number) if known else [None]
        event = Event(number, int(process), match.group("type"), match.group("f"), found[0] if found else None)
        yield edn.split_key(event) if keyed and known else event
