"""Networks that share what they hold with those that they came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from quorate.language.networks import Network
from quorate.language.types import (
    NetworkType,
)

LAYER_MAX = 256
"""How many elements the small layers of a `Layered` set hold before they are merged into the large one."""


class Layered:
    """An immutable set that shares with those it was made from: a large layer, which is copied rarely, what came to it, and
    what left it."""

    __slots__ = ("_hash", "_left", "_new", "_old")

    def __init__(self, old: frozenset[Any], new: frozenset[Any], left: frozenset[Any], hashed: int) -> None:
        if len(new) + len(left) > LAYER_MAX:
            old, new, left = (old | new) - left, frozenset(), frozenset()
        self._old, self._new, self._left, self._hash = old, new, left, hashed

    @staticmethod
    def of(elements: Iterable[Any]) -> Layered:
        """The set of these elements."""
        whole = frozenset(elements)
        hashed = 0
        for element in whole:
            hashed ^= hash(element)
        return Layered(whole, frozenset(), frozenset(), hashed)

    def __contains__(self, element: object) -> bool:
        return element in self._new or (element in self._old and element not in self._left)

    def __iter__(self) -> Iterator[Any]:
        yield from self._new
        for element in self._old:
            if element not in self._left:
                yield element

    def __len__(self) -> int:
        return len(self._old) + len(self._new) - len(self._left)

    def __or__(self, others: Iterable[Any]) -> Layered:
        made = self
        for element in others:
            if element in made:
                continue
            hashed = made._hash ^ hash(element)
            if element in made._left:
                made = Layered(made._old, made._new, made._left - {element}, hashed)
            else:
                made = Layered(made._old, made._new | {element}, made._left, hashed)
        return made

    def __sub__(self, others: Iterable[Any]) -> Layered:
        made = self
        for element in others:
            if element not in made:
                continue
            hashed = made._hash ^ hash(element)
            if element in made._new:
                made = Layered(made._old, made._new - {element}, made._left, hashed)
            else:
                made = Layered(made._old, made._new, made._left | {element}, hashed)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layered):
            return NotImplemented
        if self._hash != other._hash or len(self) != len(other):
            return False
        return all(element in other for element in self)

    def __hash__(self) -> int:
        return hash(self._hash)


class WideNetworkType(NetworkType):
    """`Network[M]` without a capacity."""

    def _of_layers(self, layers: Layered) -> Any:
        network: Any = self._bound(Network())
        network.messages = layers
        return network

    def zero(self) -> Any:
        return self._of_layers(Layered.of(()))

    def freeze(self, draft: Any) -> Any:
        if draft._source is not None and draft.messages is draft._source.messages:
            return draft._source
        messages = draft.messages
        return self._of_layers(messages if isinstance(messages, Layered) else Layered.of(messages))

    def from_json(self, data: Any) -> Any:
        match data:
            case {"set": list(parts)}:
                return self._of_layers(Layered.of(self.message.from_json(part) for part in parts))
        raise ValueError(f"{data!r} is not a {self}")
