"""The containers a state is made of, in two forms.

*Frozen* containers are what states hold: immutable, hashable, equal to the plain Python container with the same
contents. *Drafts* are what an action sees through `self`: mutable, and every value put into them is held against its
declared type at once, so that an error or a cut names the statement that caused it. Both iterate in the canonical
order of their element type, never in hash order: two runs always do the same thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NoReturn, Protocol, Self, TypeVar, cast

from quorate.errors import SpecError
from quorate.language.control import Cut

M = TypeVar("M")

Event = tuple[str, str, Any]
"""What happened to a network: ("sent" | "received" | "lost", variable, message)."""


class Kind(Protocol):
    """What a container asks of the type of what it holds."""

    def check(self, value: Any) -> Any:
        """The frozen form of a value, held against the type."""

    def thaw(self, frozen: Any, log: Log) -> Any:
        """A draft of a frozen value."""

    def encode(self, value: Any) -> int:
        """The place of a frozen value in the canonical order."""


def all_checked(kind: Kind, values: Iterable[Any]) -> list[Any]:
    """Values of a container without an order, held against the type of each. An error in one comes before what cuts another, and of
    several bounds the first by name counts: nobody can tell in which order they were looked at."""
    checked, bounds = [], set()
    for value in values:
        try:
            checked.append(kind.check(value))
        except Cut as cut:
            bounds.add(cut.bound)
    if bounds:
        raise Cut(min(bounds))
    return checked


class MapKind(Protocol):
    """What a map asks of its type."""

    @property
    def key(self) -> Kind: ...
    @property
    def value(self) -> Kind: ...


class ElementsKind(Protocol):
    """What a list or a set asks of its type."""

    @property
    def element(self) -> Kind: ...
    def fits(self, length: int) -> None:
        """Raise `Cut` if this many elements are too many."""


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


def _immutable(*_: Any, **__: Any) -> NoReturn:
    raise SpecError(
        "A state is immutable: only an action may change it, through `self`. In a property or a pure "
        "function, build a new value instead (`a | {x}`, `log[:i]`, `replace(record, field=...)`)."
    )


class FrozenMap(dict[Any, Any]):
    """A total map inside a state. Its keys stand in canonical order."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(tuple(self.values()))
            return self._hash

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _immutable
    __ior__ = _immutable


class FrozenList(list[Any]):
    """A list inside a state."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    __setitem__ = __delitem__ = append = clear = extend = insert = pop = remove = reverse = sort = _immutable
    __iadd__ = __imul__ = _immutable


def frozen(value: Any) -> Any:
    """The hashable form of a plain value, equal to it: lists, sets and maps in it are frozen, at any depth."""
    if isinstance(value, list):
        return FrozenList(map(frozen, value))
    if isinstance(value, tuple):
        return tuple(map(frozen, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(frozen, value))
    if isinstance(value, dict):
        return FrozenMap((key, frozen(part)) for key, part in value.items())
    return value


def _contains(holds: Callable[[Any], bool], value: Any) -> bool:
    """Whether a set of frozen values has one that equals `value`, which need not be frozen itself."""
    try:
        return holds(value)
    except TypeError:
        return holds(frozen(value))


class FrozenSet(frozenset[Any]):
    """A set inside a state."""

    _type: ElementsKind

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=self._type.element.encode))

    def __contains__(self, value: object) -> bool:
        return _contains(super().__contains__, value)

    def plain(self) -> Iterator[Any]:
        """The elements in no particular order."""
        return super().__iter__()

    add = discard = remove = clear = update = pop = _immutable


class DraftMap(dict[Any, Any]):
    """A map that an action is changing."""

    __slots__ = ("_changed", "_log", "_source", "_type")

    def __init__(self, kind: MapKind, source: FrozenMap, items: Iterable[tuple[Any, Any]], log: Log) -> None:
        self._type, self._source, self._log = kind, source, log
        self._changed = False
        super().__init__(items)

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self:
            raise SpecError(f"{key!r} is not a key of this map, whose keys are all of {self._type.key}.")
        kind = self._type.value
        super().__setitem__(key, kind.thaw(kind.check(value), self._log))
        self._changed = True

    def _total(self, *_: Any, **__: Any) -> NoReturn:
        raise SpecError(
            "A map is total: it has exactly one value for every key of its key type. Assign `self.m[k] = v`."
        )

    __delitem__ = clear = pop = popitem = setdefault = update = _total
    __ior__ = _total


class DraftList(list[Any]):
    """A list that an action is changing."""

    __slots__ = ("_log", "_type")

    def __init__(self, kind: ElementsKind, items: Iterable[Any], log: Log) -> None:
        self._type, self._log = kind, log
        super().__init__(items)

    def _thawed(self, value: Any) -> Any:
        kind = self._type.element
        return kind.thaw(kind.check(value), self._log)

    def append(self, value: Any) -> None:
        thawed = self._thawed(value)
        self._type.fits(len(self) + 1)
        super().append(thawed)

    def extend(self, values: Iterable[Any]) -> None:
        thawed = [self._thawed(value) for value in values]
        self._type.fits(len(self) + len(thawed))
        super().extend(thawed)

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(values)
        return self

    def insert(self, index: Any, value: Any) -> None:
        thawed = self._thawed(value)
        self._type.fits(len(self) + 1)
        super().insert(index, thawed)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            raise SpecError(
                "Assigning to a slice is not part of the language: write `self.log = self.log[:i] + [...]`."
            )
        super().__setitem__(index, self._thawed(value))


class DraftSet(set[Any]):
    """A set that an action is changing."""

    __slots__ = ("_type",)

    def __init__(self, kind: ElementsKind, items: Iterable[Any]) -> None:
        self._type = kind
        super().__init__(items)

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=self._type.element.encode))

    def plain(self) -> Iterator[Any]:
        """The elements in no particular order."""
        return super().__iter__()

    def __contains__(self, value: object) -> bool:
        return _contains(super().__contains__, value)

    def add(self, value: Any) -> None:
        checked = self._type.element.check(value)
        if checked not in self:
            self._type.fits(len(self) + 1)
            super().add(checked)

    def discard(self, value: Any) -> None:
        super().discard(frozen(value))

    def remove(self, value: Any) -> None:
        super().remove(frozen(value))

    def update(self, *others: Iterable[Any]) -> None:
        added = set(all_checked(self._type.element, (value for other in others for value in other)))
        self._type.fits(len(added.union(super().__iter__())))
        super().update(added)

    def __ior__(self, other: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.update(other)
        return self


class Log:
    """What an action did to the networks, in order."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: list[Event] = []


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
    `capacity` bounds each queue.
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
