"""What properties and actions read: states that note every place and every message that is looked at.

A place is `(variable, key, ...)`. Reading a whole map notes all of its places, whether the map is compared, iterated
over by value or copied; everything else that is no map and no network is one place. Looking at keys alone notes nothing, since
a map's keys never change. A set or list that an action changes counts as read: what it is afterwards depends on what it was.

Of a network the messages count that are looked at, each of its own; and the network itself, `(variable,)`, where it made a
difference what is *not* on it: a message that was looked for in vain, all messages, their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quorate.language.containers import DraftMap, FrozenMap, _immutable
from quorate.language.networks import Wire
from quorate.language.spec import Spec
from quorate.language.system import Arguments, Method, State, System, is_of_spec

Place = tuple[Any, ...]


class Recorder:
    """The places, and the messages on networks, that were read, in order of the first reading. `label` tells views of several
    states apart."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, Place], None] = {}
        self.messages: dict[tuple[str, str, Any], None] = {}

    def view(self, system: System, state: State, label: str = "") -> Spec:
        """Like `System.view`; what is read through it is noted. Make one for each evaluation: a view notes a variable
        once."""
        view: Any = object.__new__(system.spec)
        notes = _Notes(self, label)
        view.__dict__["_read"] = lambda name: _read(state[system.index[name]], (name,), notes)
        view.__dict__["_write"] = _immutable
        return view  # type: ignore[no-any-return]

    def run(self, system: System, state: State, action: Method, arguments: Arguments) -> None:
        """Run an action in a state for what it reads until it ends, however that may be; the state after it is given up."""
        draft, _ = system.draft(state)
        notes = _Notes(self, "")
        plain_read, plain_write = draft.__dict__["_read"], draft.__dict__["_write"]

        def write(name: str, value: Any) -> None:
            if isinstance(value, _Reads):
                value.whole()
            plain_write(name, value)

        draft.__dict__["_read"] = lambda name: _read(plain_read(name), (name,), notes)
        draft.__dict__["_write"] = write
        try:
            action.function(draft, *arguments)
        except BaseException as ended:
            if not is_of_spec(ended):
                raise


class _Notes:
    """Where reads of one state are noted."""

    def __init__(self, recorder: Recorder, label: str) -> None:
        self._recorder, self._label = recorder, label

    def place(self, place: Place) -> None:
        self._recorder.places.setdefault((self._label, place))

    def message(self, wire: str, message: Any) -> None:
        self._recorder.messages.setdefault((self._label, wire, message))


def _read(value: Any, place: Place, notes: _Notes) -> Any:
    """What is seen of a value that was fetched from a place."""
    if isinstance(value, FrozenMap):
        return RecordingMap(value, place, notes)
    if isinstance(value, DraftMap):
        return RecordingDraft(value, place, notes)
    if isinstance(value, Wire):
        return _watched(value, place, notes)
    notes.place(place)
    return value


# Maps


class _Reads(dict[Any, Any]):
    """What reads a map."""

    _notes: _Notes
    _place: Place

    def whole(self) -> None:
        """Note all that is in it."""
        for key in self:
            _whole(dict.__getitem__(self, key), (*self._place, key), self._notes)

    def __getitem__(self, key: Any) -> Any:
        return _read(dict.__getitem__(self, key), (*self._place, key), self._notes)

    def __iter__(self) -> Iterator[Any]:  # Overridden so that `dict(m)` asks for every value.
        return dict.__iter__(self)

    def get(self, key: Any, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def values(self) -> Any:
        self.whole()
        return dict.values(self)

    def items(self) -> Any:
        self.whole()
        return dict.items(self)

    def __or__(self, other: Any) -> Any:
        self.whole()
        return dict.__or__(self, other)

    def __eq__(self, other: object) -> bool:
        self.whole()
        if isinstance(other, _Reads):
            other.whole()
        return dict.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other


class RecordingMap(_Reads, FrozenMap):
    """A map of a state that notes which of its keys are read."""

    def __init__(self, contents: FrozenMap, place: Place, notes: _Notes) -> None:
        super().__init__(contents)
        self._place, self._notes = place, notes

    def __hash__(self) -> int:  # type: ignore[override]
        self.whole()
        return FrozenMap.__hash__(self)


class RecordingDraft(_Reads, DraftMap):
    """A map that an action is changing and that notes which of its keys are read."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, draft: DraftMap, place: Place, notes: _Notes) -> None:
        DraftMap.__init__(self, draft._type, draft._source, dict.items(draft), draft._log)
        self._place, self._notes = place, notes

    def __getitem__(self, key: Any) -> Any:
        value = super().__getitem__(key)
        dict.__setitem__(self, key, value)
        return value


def _whole(value: Any, place: Place, notes: _Notes) -> None:
    if isinstance(value, dict):
        for key, part in dict.items(value):
            _whole(part, (*place, key), notes)
    else:
        notes.place(place)


# Networks


class _Watched:
    """What reads a network."""

    _notes: _Notes
    _place: Place

    def __contains__(self, message: object) -> bool:
        there = bool(super().__contains__(message))  # type: ignore[misc]
        if there:
            self._notes.message(self._place[0], message)
        else:
            self._notes.place(self._place)
        return there

    def __iter__(self) -> Iterator[Any]:
        for message in super().__iter__():  # type: ignore[misc]
            self._notes.message(self._place[0], message)
            yield message
        self._notes.place(self._place)

    def __len__(self) -> int:
        self._all()
        return int(super().__len__())  # type: ignore[misc]

    def __eq__(self, other: object) -> bool:
        self._all()
        return isinstance(other, Wire) and self._contents() == other._contents()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        self._all()
        return super().__hash__()

    def _all(self) -> None:
        for _ in self:
            pass


def _watched(source: Wire[Any], place: Place, notes: _Notes) -> Wire[Any]:
    base = type(source)
    made: Any = object.__new__(type(base.__name__, (_Watched, base), {}))
    for kind in base.__mro__:
        for name in getattr(kind, "__slots__", ()):
            if hasattr(source, name):
                setattr(made, name, getattr(source, name))
    made._place, made._notes = place, notes
    return made  # type: ignore[no-any-return]
