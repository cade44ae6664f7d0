"""Networks: what is on the wire, and what can be delivered of it.

As the other containers, they are frozen in a state and drafts in an action; what happens to them goes into the action's `Log`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from quorate.errors import SpecError
from quorate.language.containers import (
    FrozenList,
    Kind,
    Log,
    _contains,
    _immutable,
    frozen,
)

M = TypeVar("M")


class WireKind(Protocol):
    """What a network asks of its type."""

    @property
    def message(self) -> Kind: ...
    @property
    def capacity(self) -> int | None: ...
    @property
    def lossy(self) -> bool: ...
    @property
    def variable(self) -> str: ...
    def fits(self, length: int) -> None:
        """Raise `Cut` if this many messages are too many."""


class Wire(Generic[M]):
    """What all networks share. `m in net` says that `m` can be delivered now; `for m in net` ranges over those.

    Declare a network as a variable, `network: Network[Message]`. Options are given by a default value: `network:
    Network[Message] = Network(lossy=True, capacity=6)`. A lossy network has a further action, `lose`, that takes any
    deliverable message off the wire. `capacity` is the default of the bound named after the variable.
    """

    __slots__ = ("_hash", "_log", "_name", "_source", "_type", "capacity", "lossy")
    _type: WireKind
    _source: Any
    """The frozen network that a draft began as, which it shares its contents with until it is changed."""

    def __init__(self, *, lossy: bool = False, capacity: int | None = None) -> None:
        self.lossy, self.capacity = lossy, capacity
        self._log: Log | None = None
        self._name = ""
        self._hash: int | None = None
        self._source = None

    def _bind(self, kind: WireKind, log: Log | None) -> Self:
        self._type, self._log, self._name = kind, log, kind.variable
        self.lossy, self.capacity = kind.lossy, kind.capacity
        return self

    def _note(self, what: str, message: M) -> None:
        if self._log is None:
            _immutable()
        self._log.events.append((what, self._name, message))

    def send(self, message: M, /) -> None:
        """Put `message` on the wire. A message more than the capacity cuts the transition."""
        raise NotImplementedError

    def receive(self, message: M, /) -> None:
        """Deliver `message`, which must be `in` the network. Whether it stays on the wire depends on the network."""
        raise NotImplementedError

    def drop(self, message: M, /) -> None:
        """Lose `message`, which must be `in` the network."""
        raise NotImplementedError

    def _deliverable(self, message: M) -> None:
        if message not in self:
            raise SpecError(
                f"{message!r} cannot be taken off the wire: it is not deliverable. "
                f"Guard the action with `require(m in self.{self._name})`."
            )

    def __contains__(self, message: object) -> bool:
        raise NotImplementedError

    def __iter__(self) -> Iterator[M]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def _contents(self) -> Any:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._contents() == cast(Self, other)._contents()

    def __hash__(self) -> int:
        if self._log is not None:
            return hash(self._hashable())
        if self._hash is None:
            self._hash = hash(self._hashable())
        return self._hash

    def _hashable(self) -> Any:
        return frozenset(self._contents().items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)})"


class Network(Wire[M]):
    """A set of messages: they arrive in any order and any number of times. `receive` leaves the message there."""

    __slots__ = ("messages",)

    def __init__(self, messages: Iterable[M] = (), *, lossy: bool = False, capacity: int | None = None) -> None:
        super().__init__(lossy=lossy, capacity=capacity)
        self.messages: frozenset[M] = frozenset(messages)

    def _contents(self) -> Any:
        return self.messages

    _hashable = _contents

    def __contains__(self, message: object) -> bool:
        return _contains(self.messages.__contains__, message)

    def __iter__(self) -> Iterator[M]:
        return iter(sorted(self.messages, key=self._type.message.encode))

    def __len__(self) -> int:
        return len(self.messages)

    def send(self, message: M, /) -> None:
        message = self._type.message.check(message)
        self._note("sent", message)
        if message not in self.messages:
            self._type.fits(len(self.messages) + 1)
            self.messages = self.messages | {message}

    def receive(self, message: M, /) -> None:
        self._deliverable(message)
        self._note("received", frozen(message))

    def drop(self, message: M, /) -> None:
        self._deliverable(message)
        message = frozen(message)
        self._note("lost", message)
        self.messages = self.messages - {message}


class Bag(Wire[M]):
    """A multiset of messages: they arrive in any order, each as often as it was sent. `receive` takes one off."""

    __slots__ = ("counts",)

    def __init__(
        self, counts: Iterable[tuple[M, int]] = (), *, lossy: bool = False, capacity: int | None = None
    ) -> None:
        super().__init__(lossy=lossy, capacity=capacity)
        self.counts: dict[M, int] = dict(counts)

    def _contents(self) -> Any:
        return self.counts

    def __contains__(self, message: object) -> bool:
        return _contains(self.counts.__contains__, message)

    def __iter__(self) -> Iterator[M]:
        return iter(sorted(self.counts, key=self._type.message.encode))

    def __len__(self) -> int:
        return sum(self.counts.values())

    def send(self, message: M, /) -> None:
        message = self._type.message.check(message)
        self._note("sent", message)
        self._type.fits(len(self) + 1)
        self.counts = {**self.counts, message: self.counts.get(message, 0) + 1}

    def _take(self, what: str, message: M) -> None:
        self._deliverable(message)
        message = frozen(message)
        self._note(what, message)
        left = self.counts[message] - 1
        self.counts = {other: count for other, count in self.counts.items() if other != message}
        if left:
            self.counts[message] = left

    def receive(self, message: M, /) -> None:
        self._take("received", message)

    def drop(self, message: M, /) -> None:
        self._take("lost", message)


class Channels(Wire[M]):
    """A FIFO queue for every pair of `source` and `target`: messages of one pair arrive in order, each once.

    Every message record has the fields `source` and `target`. `m in net` is true of the first message of a queue only.
    `net.queue(a, b)` has all that is on the way from a to b. `capacity` bounds each queue.
    """

    __slots__ = ("queues",)

    def __init__(
        self,
        queues: Iterable[tuple[tuple[Any, Any], tuple[M, ...]]] = (),
        *,
        lossy: bool = False,
        capacity: int | None = None,
    ) -> None:
        super().__init__(lossy=lossy, capacity=capacity)
        self.queues: dict[tuple[Any, Any], tuple[M, ...]] = dict(queues)

    def queue(self, source: object, target: object, /) -> list[M]:
        """The messages that are on the way from `source` to `target`, the one that arrives next first. Raises SpecError for what is no end
        of these channels, such as None."""
        kind = cast(Any, self._type)
        for end, of in ((source, kind.source), (target, kind.target)):
            if not of.accepts(end):
                raise SpecError(f"There is no queue of {end!r} in self.{self._name}: a {of} is expected.")
        return FrozenList(self.queues.get((source, target), ()))

    def _contents(self) -> Any:
        return self.queues

    @staticmethod
    def _pair(message: Any) -> tuple[Any, Any]:
        return message.source, message.target

    def __contains__(self, message: object) -> bool:
        queue = self.queues.get(self._pair(message))
        return bool(queue) and cast(Any, queue)[0] == message

    def __iter__(self) -> Iterator[M]:
        return iter(sorted((queue[0] for queue in self.queues.values()), key=self._type.message.encode))

    def __len__(self) -> int:
        return sum(map(len, self.queues.values()))

    def send(self, message: M, /) -> None:
        message = self._type.message.check(message)
        self._note("sent", message)
        queue = self.queues.get(self._pair(message), ())
        self._type.fits(len(queue) + 1)
        self.queues = {**self.queues, self._pair(message): (*queue, message)}

    def _take(self, what: str, message: M) -> None:
        self._deliverable(message)
        self._note(what, message)
        pair = self._pair(message)
        rest = self.queues[pair][1:]
        self.queues = {other: queue for other, queue in self.queues.items() if other != pair}
        if rest:
            self.queues[pair] = rest

    def receive(self, message: M, /) -> None:
        self._take("received", message)

    def drop(self, message: M, /) -> None:
        self._take("lost", message)


def in_flight(wire: Wire[M]) -> Counter[M]:
    """Every message on the wire, deliverable or not, with its number of copies."""
    if isinstance(wire, Network):
        return Counter(wire.messages)
    if isinstance(wire, Bag):
        return Counter(wire.counts)
    return Counter(message for queue in cast("Channels[M]", wire).queues.values() for message in queue)
