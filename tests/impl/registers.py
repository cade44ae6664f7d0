"""Clients of a key-value store, and what they do in the words of a history."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from types import ModuleType
from typing import Any, ClassVar

from quorate_impl.core import Message


class Registers:
    """Few keys, so that clients meet, and values that are written once. The client `c0` only reads.

    An heir says in which `words` its store is asked and answers, and what leaves an operation `in_doubt`."""

    words: ClassVar[ModuleType]
    in_doubt: ClassVar[tuple[type[Message], ...]]

    def __init__(self, keys: Sequence[str] = ("x", "y")) -> None:
        self._keys = keys
        self._values = 0

    def ask(self, client: str, random: Random) -> Message:
        key, draw = random.choice(self._keys), random.random()
        self._values += 1
        value = str(self._values)
        if draw < 0.4 or client == "c0":
            return self.words.Get(key)
        if draw < 0.7:
            return self.words.Put(key, value)
        return self.words.Cas(key, self.recent(random), value)

    def recent(self, random: Random) -> str:
        """One of the last values."""
        return str(random.randint(max(self._values - 6, 1), self._values))

    def invoked(self, request: Message) -> dict[str, Any] | None:
        words = self.words
        match request:
            case words.Get(key):
                return {"f": "read", "key": key}
            case words.Put(key, value):
                return {"f": "write", "key": key, "value": value}
            case words.Cas(key, expected, value):
                return {"f": "cas", "key": key, "value": [expected, value]}
        return None

    def returned(self, request: Message, response: Message) -> tuple[str, dict[str, Any]]:
        fields, words = self.invoked(request) or {}, self.words
        match response:
            case words.Value(value):
                return "ok", {**fields, "value": value}
            case words.Done():
                return "ok", fields
            case words.Mismatch():
                return "fail", fields
        if isinstance(response, self.in_doubt):
            return "info", fields
        raise AssertionError(response)
