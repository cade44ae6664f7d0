"""What a property reads: views of a state that note every place that is looked at.

A place is `(variable, key, ...)`. Reading a whole map notes all of its places, whether the map is compared, iterated
over by value or copied; everything that is not a map is one place. Looking at keys alone notes nothing, since a map's
keys never change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from quorate.language.containers import FrozenMap, _immutable
from quorate.language.spec import Spec
from quorate.language.system import State, System

Place = tuple[Any, ...]


class Recorder:
    """The places that were read, in order of the first reading. `label` tells views of several states apart."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, Place], None] = {}

    def view(self, system: System, state: State, label: str = "") -> Spec:
        """Like `System.view`; what is read through it is noted. Make one for each evaluation: a view notes a variable
        once."""
        view: Any = object.__new__(system.spec)

        def note(place: Place) -> None:
            self.places.setdefault((label, place))

        view.__dict__["_read"] = lambda name: _read(state[system.index[name]], (name,), note)
        view.__dict__["_write"] = _immutable
        return view  # type: ignore[no-any-return]


def _read(value: Any, place: Place, note: Callable[[Place], None]) -> Any:
    if isinstance(value, FrozenMap):
        return RecordingMap(value, place, note)
    note(place)
    return value


class RecordingMap(FrozenMap):
    """A map that notes which of its keys are read."""

    __slots__ = ("_note", "_place")

    def __init__(self, contents: FrozenMap, place: Place, note: Callable[[Place], None]) -> None:
        super().__init__(contents)
        self._place, self._note = place, note

    def _whole(self) -> None:
        for key in self:
            _whole(dict.__getitem__(self, key), (*self._place, key), self._note)

    def __getitem__(self, key: Any) -> Any:
        return _read(super().__getitem__(key), (*self._place, key), self._note)

    def __iter__(self) -> Iterator[Any]:  # Overridden so that `dict(m)` asks for every value.
        return super().__iter__()

    def get(self, key: Any, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def values(self) -> Any:
        self._whole()
        return super().values()

    def items(self) -> Any:
        self._whole()
        return super().items()

    def __or__(self, other: Any) -> Any:
        self._whole()
        return super().__or__(other)

    def __eq__(self, other: object) -> bool:
        self._whole()
        if isinstance(other, RecordingMap):
            other._whole()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]
        self._whole()
        return super().__hash__()


def _whole(value: Any, place: Place, note: Callable[[Place], None]) -> None:
    if isinstance(value, FrozenMap):
        for key, part in value.items():
            _whole(part, (*place, key), note)
    else:
        note(place)
