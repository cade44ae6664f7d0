"""A state that notes what CPython really does with it: which variables, which keys of maps, which members of sets and networks.

The containers that a spec sees through `self` are replaced by subclasses that note what is asked of them and do the same as before.
A list, record, tuple or optional value counts as read when it is fetched. A set that is fetched and never asked for a method counts as
read as a whole: `set(s)` looks into it directly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from quorate.language.configured import takes_old
from quorate.language.containers import DraftList, DraftMap, DraftSet, FrozenMap, FrozenSet
from quorate.language.control import Cut
from quorate.language.networks import Network, Wire
from quorate.language.system import Arguments, Method, State, System
from quorate.language.types import MapType, NetworkType, SetType
from quorate.language.types.partial import DraftPartial, FrozenPartial
from quorate.model.accesses import Way

WHOLE = object()
"""All members of a set or network, their number included."""
ONE_BY_ONE = object()
"""A set or network was iterated over: which members made a difference is not known."""


@dataclass(frozen=True)
class Noted:
    """One thing that was done: to all that is at a place, to one member there, or to its members one by one."""

    way: Way
    variable: str
    keys: tuple[Any, ...]
    member: Any = WHOLE


@dataclass
class Notes:
    """What was done so far, and the sets that were fetched and not yet asked for a method."""

    system: System
    done: dict[Noted, None] = field(default_factory=dict)
    fetched: dict[tuple[str, tuple[Any, ...]], bool] = field(default_factory=dict)
    quiet: int = 0

    def note(self, way: Way, place: tuple[str, tuple[Any, ...]], member: Any = WHOLE) -> None:
        """Note an access, unless it is the containers' own doing."""
        if self.quiet:
            return
        self.asked(place)
        self.done.setdefault(Noted(way, *place, member))

    def asked(self, place: tuple[str, tuple[Any, ...]]) -> None:
        """What was fetched from a place is asked for a method that notes what it does."""
        if not self.quiet:
            self.fetched[place] = True

    def own(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call something of the containers themselves without noting what it does."""
        self.quiet += 1
        try:
            return function(*arguments)
        finally:
            self.quiet -= 1

    def keys(self, place: tuple[str, tuple[Any, ...]]) -> tuple[Any, ...]:
        """The keys that the map at a place may have."""
        kind = self.system.variable(place[0]).type
        for _ in place[1]:
            assert isinstance(kind, MapType)
            kind = kind.value
        assert isinstance(kind, MapType)
        return kind.keys

    def all(self) -> list[Noted]:
        """Everything that was done."""
        unseen = [Noted(Way.READ, *place) for place, seen in self.fetched.items() if not seen]
        return [*self.done, *unseen]


Place = tuple[str, tuple[Any, ...]]


def _fetch(value: Any, place: Place, notes: Notes) -> Any:
    """What is seen of a value that was fetched from a place."""
    if isinstance(value, _Recorded):
        return value
    if isinstance(value, DraftMap):
        return RecordedMap(value, place, notes)
    if isinstance(value, FrozenMap):
        return RecordedFrozenMap(value, place, notes)
    if isinstance(value, DraftPartial | FrozenPartial):
        return (RecordedPartial if isinstance(value, DraftPartial) else RecordedFrozenPartial)(value, place, notes)
    if isinstance(value, DraftSet | FrozenSet):
        notes.fetched.setdefault(place, False)
        return (RecordedSet if isinstance(value, DraftSet) else RecordedFrozenSet)(value, place, notes)
    if isinstance(value, Network):
        return RecordedNetwork(value, place, notes)
    notes.note(Way.READ, place)
    if isinstance(value, DraftList):
        return RecordedList(value, place, notes)
    return _wire(value, place, notes) if isinstance(value, Wire) else value


class _Recorded:
    """Knows where it is."""

    _place: Place
    _notes: Notes

    def _at(self, place: Place, notes: Notes) -> None:
        self._place, self._notes = place, notes

    def _below(self, key: Any) -> Place:
        return self._place[0], (*self._place[1], key)


class _Method:
    """A method of a container that notes an access to it and does what it did. Who asks a set for it reads the set by it, or not at
    all where an argument fails."""

    def __init__(self, way: Way, base: type, name: str, member: bool) -> None:
        self._way, self._base, self._name, self._member = way, base, name, member

    def __get__(self, container: Any, _: type) -> Callable[..., Any]:
        notes, place = container._notes, container._place
        notes.asked(place)

        def method(*arguments: Any, **options: Any) -> Any:
            notes.note(self._way, place, arguments[0] if self._member else WHOLE)
            return notes.own(lambda: getattr(self._base, self._name)(container, *arguments, **options))

        return method


def _noting(way: Way, base: type, name: str, member: bool = False) -> Any:
    return _Method(way, base, name, member)


# Maps


class _MapReads(_Recorded):
    """What reads a map."""

    def _get(self, key: Any) -> Any:
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Any:
        return self._get(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """One value."""
        return self._get(key) if key in self else default  # type: ignore[operator]

    def values(self) -> Any:
        """All values."""
        return [self._get(key) for key in self]  # type: ignore[attr-defined]

    def items(self) -> Any:
        """All keys and values."""
        return [(key, self._get(key)) for key in self]  # type: ignore[attr-defined]

    def __eq__(self, other: object) -> bool:
        _read_all(self)
        _read_all(other)
        return bool(self._notes.own(dict.__eq__, self, other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __or__(self, other: Any) -> Any:
        _read_all(self)
        return {**self, **other}  # type: ignore[dict-item]

    def __hash__(self) -> int:
        _read_all(self)
        return hash(tuple(self._notes.own(list, dict.values(self))))  # type: ignore[call-overload]


class RecordedMap(_MapReads, DraftMap):
    """A map that an action is changing."""

    def __init__(self, draft: DraftMap, place: Place, notes: Notes) -> None:
        super().__init__(draft._type, draft._source, dict.items(draft), draft._log)
        self._at(place, notes)

    def _get(self, key: Any) -> Any:
        value = _fetch(dict.__getitem__(self, key), self._below(key), self._notes)
        dict.__setitem__(self, key, value)
        return value

    def __iter__(self) -> Iterator[Any]:
        return dict.__iter__(self)

    def __setitem__(self, key: Any, value: Any) -> None:
        if dict.get(self, key, WHOLE) is not value or not isinstance(value, _Recorded):
            self._notes.note(Way.WRITE, self._below(key))
        DraftMap.__setitem__(self, key, value)


class RecordedFrozenMap(_MapReads, FrozenMap):
    """A map that a property looks at."""

    def __init__(self, frozen: FrozenMap, place: Place, notes: Notes) -> None:
        super().__init__(frozen)
        self._at(place, notes)

    def _get(self, key: Any) -> Any:
        return _fetch(dict.__getitem__(self, key), self._below(key), self._notes)

    def __iter__(self) -> Iterator[Any]:
        return dict.__iter__(self)


class _PartialReads(_MapReads):
    """What reads a map of which keys may be absent: whether one is there is read, too."""

    def _noted(self, way: Way, *keys: Any) -> None:
        for key in keys:
            self._notes.note(way, self._below(key))

    def _asked(self, key: object) -> None:
        if key in self._notes.keys(self._place):
            self._noted(Way.READ, key)

    def _all(self, way: Way = Way.READ) -> None:
        self._noted(way, *self._notes.keys(self._place))

    def __getitem__(self, key: Any) -> Any:
        self._asked(key)
        return dict.__getitem__(self, key)  # type: ignore[arg-type]

    _get = __getitem__

    def __contains__(self, key: object) -> bool:
        self._asked(key)
        return dict.__contains__(self, key)  # type: ignore[arg-type]

    def __len__(self) -> int:
        self._all()
        return dict.__len__(self)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        self._all()
        return iter([key for key in self._notes.keys(self._place) if dict.__contains__(self, key)])  # type: ignore[arg-type]

    def keys(self) -> Any:
        """Those that are there."""
        return dict.fromkeys(self).keys()

    def __eq__(self, other: object) -> bool:
        self._all()
        if isinstance(other, _PartialReads):
            other._all()
        return bool(self._notes.own(dict.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]


class RecordedPartial(_PartialReads, DraftPartial):
    """Such a map that an action is changing."""

    def __init__(self, draft: DraftPartial, place: Place, notes: Notes) -> None:
        super().__init__(draft._type, draft._source)
        self._at(place, notes)
        dict.clear(self)
        dict.update(self, dict.items(draft))
        self._changed = draft._changed

    def __setitem__(self, key: Any, value: Any) -> None:
        self._noted(Way.WRITE, key)
        DraftPartial.__setitem__(self, key, value)

    def __delitem__(self, key: Any) -> None:
        self._noted(Way.WRITE, key)
        DraftPartial.__delitem__(self, key)

    def pop(self, key: Any, *default: Any) -> Any:
        """The value of a key, which is absent then."""
        self._noted(Way.WRITE, key)
        return self._notes.own(DraftPartial.pop, self, key, *default)

    def clear(self) -> None:
        self._all(Way.WRITE)
        DraftPartial.clear(self)


class RecordedFrozenPartial(_PartialReads, FrozenPartial):
    """Such a map that a property looks at."""

    def __init__(self, frozen: FrozenPartial, place: Place, notes: Notes) -> None:
        super().__init__(frozen)
        self._at(place, notes)


# Sets

READING = [
    *("__len__", "__eq__", "__ne__", "__le__", "__lt__", "__ge__", "__gt__", "__or__", "__and__", "__sub__", "__xor__"),
    *("__ror__", "__rand__", "__rsub__", "__rxor__", "__repr__", "copy", "union", "intersection", "difference"),
    *("symmetric_difference", "issubset", "issuperset", "isdisjoint"),
]


class _SetReads(_Recorded):
    """What reads a set."""

    def __iter__(self) -> Iterator[Any]:
        self._notes.note(Way.READ, self._place, ONE_BY_ONE)
        return iter(self._notes.own(list, super().__iter__()))  # type: ignore[misc]

    def __contains__(self, member: object) -> bool:
        self._notes.note(Way.READ, self._place, member)
        return bool(super().__contains__(member))  # type: ignore[misc]


class RecordedSet(_SetReads, DraftSet):
    """A set that an action is changing."""

    def __init__(self, draft: DraftSet, place: Place, notes: Notes) -> None:
        super().__init__(draft._type, notes.own(list, draft.plain()))
        self._at(place, notes)

    __hash__ = None  # type: ignore[assignment]

    add = _noting(Way.ADD, DraftSet, "add", member=True)
    discard = _noting(Way.WRITE, DraftSet, "discard", member=True)
    remove = _noting(Way.WRITE, DraftSet, "remove", member=True)
    clear = _noting(Way.WRITE, DraftSet, "clear")
    pop = _noting(Way.WRITE, DraftSet, "pop")


class RecordedFrozenSet(_SetReads, FrozenSet):
    """A set that a property looks at."""

    def __new__(cls, frozen: FrozenSet, place: Place, notes: Notes) -> RecordedFrozenSet:
        made: RecordedFrozenSet = super().__new__(cls, notes.own(list, frozen.plain()))
        made._type = frozen._type
        made._at(place, notes)
        return made

    def __init__(self, *_: Any) -> None:
        pass

    __hash__ = _noting(Way.READ, FrozenSet, "__hash__")  # type: ignore[assignment]


for _name in READING:
    for _class, _base in ((RecordedSet, DraftSet), (RecordedFrozenSet, FrozenSet)):
        if hasattr(_base, _name):
            setattr(_class, _name, _noting(Way.READ, _base, _name))


# Lists and networks


class RecordedList(_Recorded, DraftList):
    """A list that an action is changing."""

    def __init__(self, draft: DraftList, place: Place, notes: Notes) -> None:
        super().__init__(draft._type, draft, draft._log)
        self._at(place, notes)

    __hash__ = None  # type: ignore[assignment]


for _name in ("append", "extend", "insert", "pop", "remove", "clear", "__setitem__", "__iadd__", "reverse", "sort"):
    setattr(RecordedList, _name, _noting(Way.WRITE, DraftList, _name))


def _same_as(wire: Any, source: Any) -> None:
    for base in type(source).__mro__:
        for name in getattr(base, "__slots__", ()):
            if hasattr(source, name):
                setattr(wire, name, getattr(source, name))


class RecordedNetwork(_Recorded, Network[Any]):
    """A network: a set of messages."""

    def __init__(self, source: Network[Any], place: Place, notes: Notes) -> None:
        super().__init__()
        _same_as(self, source)
        self._at(place, notes)

    send = _noting(Way.ADD, Network, "send", member=True)
    receive = _noting(Way.READ, Network, "receive", member=True)
    drop = _noting(Way.WRITE, Network, "drop", member=True)
    __contains__ = _noting(Way.READ, Network, "__contains__", member=True)
    __len__ = _noting(Way.READ, Network, "__len__")
    __hash__ = _noting(Way.READ, Network, "__hash__")  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        self._notes.note(Way.READ, self._place)
        return isinstance(other, Network) and self.messages == other.messages

    def __iter__(self) -> Iterator[Any]:
        self._notes.note(Way.READ, self._place, ONE_BY_ONE)
        return self._notes.own(lambda: Network.__iter__(self))  # type: ignore[no-any-return]


def _wire(source: Wire[Any], place: Place, notes: Notes) -> Wire[Any]:
    """A bag or channels: read when it is fetched, and changed as a whole."""
    base = type(source)
    methods = {name: _noting(Way.WRITE, base, name) for name in ("send", "receive", "drop")}
    made: Any = object.__new__(type(base.__name__, (_Recorded, base), methods))
    _same_as(made, source)
    made._at(place, notes)
    return made  # type: ignore[no-any-return]


def _read_all(value: Any) -> None:
    if isinstance(value, _PartialReads):
        value._all()
    elif isinstance(value, _MapReads):
        for part in value.values():
            _read_all(part)
    elif isinstance(value, _SetReads | RecordedNetwork):
        value._notes.note(Way.READ, value._place)


# Runs


def recorded_action(
    system: System, state: State, action: Method, arguments: Arguments
) -> tuple[list[Noted], str, State]:
    """What an action did with a state, how it ended (the class of the exception that ended it, or nothing), and the state after it."""
    notes = Notes(system)
    draft, _ = system.draft(state)
    plain_read, plain_write = draft.__dict__["_read"], draft.__dict__["_write"]

    def read(name: str) -> Any:
        return _fetch(notes.own(plain_read, name), (name, ()), notes)

    def write(name: str, value: Any) -> None:
        if draft.__dict__.get(name) is value and isinstance(value, _Recorded):
            return  # `self.seen |= ...` has changed it in place, and that was noted.
        _read_all(value)
        notes.note(Way.WRITE, (name, ()))
        notes.own(plain_write, name, value)
        if isinstance(system.variable(name).type, MapType | SetType | NetworkType):
            draft.__dict__[name] = _fetch(draft.__dict__[name], (name, ()), notes)

    draft.__dict__["_read"], draft.__dict__["_write"] = read, write
    try:
        action.function(draft, *arguments)
    except Exception as ended:
        return notes.all(), type(ended).__name__, state
    done, after = notes.all(), notes.own(system.committed, state, draft)
    for method in system.constraints:
        of_step = takes_old(method.declaration, method.function)
        notes = Notes(system)
        seen = [_view(system, one, notes) for one in ([after, state] if of_step else [after])]
        done += _read_by(method, notes, *seen)
        if not system.evaluate(method, after, (), state if of_step else None):
            return done, Cut.__name__, state
    return done, "", after


def recorded_property(system: System, state: State, method: Method, arguments: Arguments) -> list[Noted]:
    """What a property of states read."""
    notes = Notes(system)
    return _read_by(method, notes, _view(system, state, notes), *arguments)


def _view(system: System, state: State, notes: Notes) -> Any:
    """A state of which every access is noted."""
    view: Any = object.__new__(system.spec)
    view.__dict__["_read"] = lambda name: _fetch(state[system.index[name]], (name, ()), notes)
    view.__dict__["_write"] = lambda *_: None
    return view


def _read_by(method: Method, notes: Notes, *arguments: Any) -> list[Noted]:
    """What a method read, with arguments whose accesses are noted."""
    with suppress(Exception):  # What was read until then counts.
        method.function(*arguments)
    return notes.all()
