"""The networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.language.containers import Log
from quorate.language.networks import Bag, Channels, Network, Wire, in_flight
from quorate.language.types.base import (
    Bounded,
    Renaming,
    Type,
    choices_cardinality,
    choices_decode,
    choices_encode,
    mixed_decode,
)
from quorate.language.types.collections import ListType, elements_cardinality, elements_decode, elements_encode
from quorate.trace import Json


@dataclass(frozen=True)
class WireType(Bounded):
    """What the three networks share. `variable` is the state variable that holds the network."""

    message: Type
    capacity: int | None
    bound: str
    lossy: bool
    variable: str

    def _bound(self, wire: Wire[Any], log: Log | None = None) -> Any:
        return wire._bind(self, log)

    def __str__(self) -> str:
        return f"{type(self).__name__.removesuffix('Type')}[{self.message}]"

    def check(self, value: Any) -> Any:
        if not self.accepts(value):
            raise self._wrong(value)
        frozen = self.freeze(value)
        for message in in_flight(frozen):
            self.message.check(message)
        queues = frozen.queues.values() if isinstance(frozen, Channels) else [frozen]
        self.fits(max(map(len, queues), default=0))
        return frozen

    def children(self) -> tuple[Type, ...]:
        return (self.message,)


@dataclass(frozen=True)
class NetworkType(WireType):
    """`Network[M]`: a set of messages."""

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Network)

    @cached_property
    def cardinality(self) -> int:
        return elements_cardinality(self.message, self.capacity)

    def zero(self) -> Any:
        return self._bound(Network())

    def thaw(self, frozen: Any, log: Log) -> Any:
        draft = self._bound(Network(), log)
        draft.messages, draft._source = frozen.messages, frozen
        return draft

    def freeze(self, draft: Any) -> Any:
        if draft._source is not None and draft.messages is draft._source.messages:
            return draft._source
        return self._bound(Network(draft.messages))

    def encode(self, value: Any) -> int:
        return elements_encode([self.message.encode(part) for part in value.messages], self.message, self.capacity)

    def decode(self, code: int) -> Any:
        return self._bound(Network(elements_decode(code, self.message, self.capacity)))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self._bound(Network([self.message.permute(part, renaming) for part in value.messages]))

    def to_json(self, value: Any) -> Json:
        return {"set": [self.message.to_json(part) for part in value]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"set": list(parts)}:
                return self._bound(Network([self.message.from_json(part) for part in parts]))
        raise ValueError(f"{data!r} is not a {self}")


@dataclass(frozen=True)
class BagType(WireType):
    """`Bag[M]`: a multiset of messages, at most `capacity` of them in all."""

    capacity: int

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Bag)

    @cached_property
    def cardinality(self) -> int:
        return choices_cardinality(self.message.cardinality, self.capacity, repeating=True)

    def zero(self) -> Any:
        return self._bound(Bag())

    def thaw(self, frozen: Any, log: Log) -> Any:
        draft = self._bound(Bag(), log)
        draft.counts, draft._source = frozen.counts, frozen
        return draft

    def freeze(self, draft: Any) -> Any:
        if draft._source is not None and draft.counts is draft._source.counts:
            return draft._source
        return self._bound(Bag(draft.counts.items()))

    def encode(self, value: Any) -> int:
        codes = [self.message.encode(part) for part, count in value.counts.items() for _ in range(count)]
        return choices_encode(sorted(codes), self.message.cardinality, repeating=True)

    def _of(self, messages: Iterable[Any]) -> Any:
        bag: Bag[Any] = Bag()
        for message in messages:
            bag.counts[message] = bag.counts.get(message, 0) + 1
        return self._bound(bag)

    def decode(self, code: int) -> Any:
        return self._of(map(self.message.decode, choices_decode(code, self.message.cardinality, repeating=True)))

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self._bound(Bag((self.message.permute(part, renaming), count) for part, count in value.counts.items()))

    def to_json(self, value: Any) -> Json:
        return {"bag": [[self.message.to_json(part), value.counts[part]] for part in value]}

    def from_json(self, data: Json) -> Any:
        match data:
            case {"bag": list(pairs)} if all(map(_is_counted, pairs)):
                bag = Bag[Any]()
                for part, count in pairs:
                    message = self.message.from_json(part)
                    bag.counts[message] = bag.counts.get(message, 0) + count
                return self._bound(bag)
        raise ValueError(f"{data!r} is not a {self}")


def _is_counted(pair: Json) -> bool:
    """Whether this is a message with how often it is there."""
    return isinstance(pair, list) and len(pair) == 2 and type(pair[1]) is int and pair[1] > 0


@dataclass(frozen=True)
class ChannelsType(WireType):
    """`Channels[M]`: a queue of at most `capacity` messages for every (source, target)."""

    capacity: int
    source: Type
    target: Type

    def accepts(self, value: Any) -> bool:
        return isinstance(value, Channels)

    @cached_property
    def queue(self) -> ListType:
        """One queue, as a list type."""
        return ListType(self.message, self.capacity, self.bound)

    @cached_property
    def pairs(self) -> tuple[tuple[Any, Any], ...]:
        """All (source, target) in canonical order."""
        return tuple((source, target) for source in self.source.values() for target in self.target.values())

    @cached_property
    def cardinality(self) -> int:
        return int(self.queue.cardinality ** len(self.pairs))

    def zero(self) -> Any:
        return self._bound(Channels())

    def thaw(self, frozen: Any, log: Log) -> Any:
        draft = self._bound(Channels(), log)
        draft.queues, draft._source = frozen.queues, frozen
        return draft

    def freeze(self, draft: Any) -> Any:
        if draft._source is not None and draft.queues is draft._source.queues:
            return draft._source
        return self._bound(Channels(draft.queues.items()))

    def encode(self, value: Any) -> int:
        code = 0
        for pair in self.pairs:
            code = code * self.queue.cardinality + self.queue.encode(value.queues.get(pair, ()))
        return code

    def decode(self, code: int) -> Any:
        queues = mixed_decode((self.queue,) * len(self.pairs), code)
        return self._bound(
            Channels((pair, tuple(queue)) for pair, queue in zip(self.pairs, queues, strict=True) if queue)
        )

    def permute(self, value: Any, renaming: Renaming) -> Any:
        return self._bound(
            Channels(
                (
                    (self.source.permute(source, renaming), self.target.permute(target, renaming)),
                    tuple(self.message.permute(part, renaming) for part in queue),
                )
                for (source, target), queue in value.queues.items()
            )
        )

    def to_json(self, value: Any) -> Json:
        return {
            "channels": [
                [self.source.to_json(pair[0]), self.target.to_json(pair[1]), self.queue.to_json(value.queues[pair])]
                for pair in self.pairs
                if pair in value.queues
            ]
        }

    def from_json(self, data: Json) -> Any:
        match data:
            case {"channels": list(rows)} if all(isinstance(row, list) and len(row) == 3 for row in rows):
                return self._bound(
                    Channels(
                        (
                            (self.source.from_json(source), self.target.from_json(target)),
                            tuple(self.queue.from_json(queue)),
                        )
                        for source, target, queue in rows
                    )
                )
        raise ValueError(f"{data!r} is not a {self}")
