"""Networks that share what they hold with those that they came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from quorate.language.containers import Log
from quorate.language.networks import Network
from quorate.language.types import (
    NetworkType,
)

NEW_MAX = 64
"""How many elements a `Layered` set holds in a small layer that is copied for each one more."""
GROWTH = 4
"""A layer is merged into the one before it as soon as that one is not so many times as large."""
LEFT_MAX = 256
"""When so many elements have left, all layers are made anew without them."""

Fields = tuple[str, ...]


class Layer(frozenset[Any]):
    """Elements that stay together, and where those are that have given values in some fields, once somebody has asked."""

    __slots__ = ("_found",)
    _found: dict[tuple[type, Fields], dict[tuple[Any, ...], list[Any]]]

    def having(self, kind: type, names: Fields, values: tuple[Any, ...]) -> list[Any]:
        """The records of a class that have these values in these fields."""
        try:
            known = self._found
        except AttributeError:
            known = self._found = {}
        index = known.get((kind, names))
        if index is None:
            index = known[kind, names] = {}
            for element in self:
                if type(element) is kind:
                    index.setdefault(tuple([getattr(element, name) for name in names]), []).append(element)
        return index.get(values, [])


class Layered:
    """An immutable set that shares with those it was made from: layers, each several times as large as the next one, what came last,
    and what left. An element that comes is copied once or a few times for each layer, of which there are as many as the size has
    digits (O'Neil et al. 1996, "The Log-Structured Merge-Tree")."""

    __slots__ = ("_hash", "_layers", "_left", "_new", "_size")

    def __init__(
        self, layers: tuple[Layer, ...], new: frozenset[Any], left: frozenset[Any], size: int, hashed: int | None
    ) -> None:
        self._layers, self._new, self._left, self._size, self._hash = layers, new, left, size, hashed

    @staticmethod
    def of(elements: Iterable[Any]) -> Layered:
        """The set of these elements."""
        whole = Layer(elements)
        return Layered((whole,) if whole else (), frozenset(), frozenset(), len(whole), None)

    def __contains__(self, element: object) -> bool:
        if element in self._new:
            return True
        for layer in self._layers:
            if element in layer:
                return element not in self._left
        return False

    def __iter__(self) -> Iterator[Any]:
        yield from self._new
        for layer in self._layers:
            yield from layer - self._left if self._left else layer

    def __len__(self) -> int:
        return self._size

    def having(self, kind: type, names: Fields, values: tuple[Any, ...]) -> Iterator[Any]:
        """The records of a class that have these values in these fields."""
        for element in self._new:
            if type(element) is kind and tuple([getattr(element, name) for name in names]) == values:
                yield element
        for layer in self._layers:
            for element in layer.having(kind, names, values):
                if element not in self._left:
                    yield element

    def with_new(self, come: Set[Any]) -> Layered:
        """The set with these elements, of which it may have some."""
        come = come - self._new
        for layer in self._layers:
            come -= (layer & come) - self._left  # In C: an element in a set is not asked for its hash again.
        if not come:
            return self
        hashed = self._hash if self._hash is None else _mixed(come, self._hash)
        size = self._size + len(come)
        new: frozenset[Any] = self._new | (come - self._left)
        layers, left = list(self._layers), self._left - come
        if len(new) > NEW_MAX:
            while layers and len(layers[-1]) < GROWTH * len(new):
                new = layers.pop() | new
            layers, new = [*layers, Layer(new)], frozenset()
        return Layered(tuple(layers), new, left, size, hashed)

    def without(self, element: Any) -> Layered:
        """The set without an element."""
        if element not in self:
            return self
        hashed, size = self._hash if self._hash is None else self._hash ^ hash(element), self._size - 1
        if element in self._new:
            return Layered(self._layers, self._new - {element}, self._left, size, hashed)
        if len(self._left) < LEFT_MAX:
            return Layered(self._layers, self._new, self._left | {element}, size, hashed)
        return Layered.of(other for other in self if other != element)

    def __or__(self, others: Iterable[Any]) -> Layered:
        return self.with_new(frozenset(others))

    def __sub__(self, others: Iterable[Any]) -> Layered:
        made = self
        for element in others:
            made = made.without(element)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layered):
            return NotImplemented
        if self is other:
            return True
        return self._size == other._size and hash(self) == hash(other) and all(element in other for element in self)

    def __hash__(self) -> int:
        """It is kept from the first time on: where a log leaves nothing open nobody compares states."""
        if self._hash is None:
            self._hash = _mixed(self, 0)
        return hash(self._hash)


def _mixed(elements: Iterable[Any], hashed: int) -> int:
    """The hash of a set to which these come: of no order."""
    for element in elements:
        hashed ^= hash(element)
    return hashed


class WideNetwork(Network[Any]):
    """A network whose messages are `Layered`. What an action sends is added to them when it is over, or somebody looks."""

    __slots__ = ("_layered", "_sent")
    _layered: Layered
    _sent: set[Any]

    @property
    def messages(self) -> Any:
        if self._sent:
            self._layered, self._sent = self._layered.with_new(self._sent), set()
        return self._layered

    @messages.setter
    def messages(self, messages: Any) -> None:
        self._layered, self._sent = messages, set()

    def __contains__(self, message: object) -> bool:
        return message in self._sent or super().__contains__(message)

    def send(self, message: Any, /) -> None:
        message = self._type.message.check(message)
        self._note("sent", message)
        self._sent.add(message)

    def like(self, kind: type, known: Mapping[str, Any]) -> list[Any]:
        """The messages that are records of a class with these values in these fields, in canonical order."""
        found = self.messages.having(kind, tuple(known), tuple(known.values()))
        return sorted(found, key=self._type.message.encode)


class WideNetworkType(NetworkType):
    """`Network[M]` without a capacity."""

    def __str__(self) -> str:
        return f"Network[{self.message}]"

    def _of_layers(self, layers: Layered) -> Any:
        network: Any = self._bound(WideNetwork())
        network.messages = layers
        return network

    def holding(self, messages: Iterable[Any]) -> Any:
        """A network with these messages."""
        return self._of_layers(Layered.of(messages))

    def zero(self) -> Any:
        return self.holding(())

    def thaw(self, frozen: Any, log: Log) -> Any:
        draft: Any = self._bound(WideNetwork(), log)
        draft.messages, draft._source = frozen.messages, frozen
        return draft

    def freeze(self, draft: Any) -> Any:
        if draft._source is not None and draft.messages is draft._source.messages:
            return draft._source
        messages = draft.messages
        return self._of_layers(messages if isinstance(messages, Layered) else Layered.of(messages))

    def from_json(self, data: Any) -> Any:
        match data:
            case {"set": list(parts)}:
                return self.holding(self.message.from_json(part) for part in parts)
        raise ValueError(f"{data!r} is not a {self}")
