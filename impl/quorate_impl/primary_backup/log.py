"""A node's log in memory: the entries after those that it has compacted, and where each epoch begins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from quorate_impl.primary_backup.messages import Cas, Command, Delete, Entry, Position, Put


def _characters(entry: Entry) -> int:
    """How much of a message an entry takes, about."""
    match entry.payload:
        case Command(update=Delete(key)):
            return len(key)
        case Command(update=Put(key, value) | Cas(key, _, value)):
            return len(key) + len(value)
    return 0


class Log:
    """Entries at `base + 1` to `last_index`; of those before, only the epochs are known.

    `epochs` has each epoch that is in the log, with the index of its first entry. So whether a position is in the log can be
    said of all that it ever held.
    """

    def __init__(self) -> None:
        self.base = 0
        self.epochs: list[tuple[int, int]] = []
        self._entries: list[Entry] = []

    @property
    def last_index(self) -> int:
        """The index of the last entry, 0 if there was never one."""
        return self.base + len(self._entries)

    @property
    def last(self) -> Position:
        """The position of the last entry. Of two logs, the one with the greater is the more complete."""
        return self.position(self.last_index)

    def epoch_at(self, index: int) -> int:
        """The epoch of the entry at an index up to `last_index`; 0 at 0."""
        i = bisect_right(self.epochs, index, key=lambda each: each[1])
        return self.epochs[i - 1][0] if i else 0

    def position(self, index: int) -> Position:
        """Of the entry at an index up to `last_index`."""
        return self.epoch_at(index), index

    def has(self, epoch: int, index: int) -> bool:
        """Whether the log has, or had before it was compacted, the entry at this position; and so all before it."""
        return index <= self.last_index and self.epoch_at(index) == epoch

    def supplanted_at(self, position: Position) -> int | None:
        """Where a later epoch begins, if the log goes on with one without this position; None if it may yet get it."""
        epoch, index = position
        later = next((each for each in self.epochs if each[0] > epoch), None)
        return later[1] if later is not None and not self.has(epoch, index) else None

    def entry(self, index: int) -> Entry:
        """The entry at `index`, which is after `base`."""
        return self._entries[index - self.base - 1]

    def after(self, index: int) -> tuple[Entry, ...]:
        """The entries after `index`, which is `base` or after it."""
        return tuple(self._entries[index - self.base :])

    def batch(self, index: int, end: int, characters_max: int) -> tuple[Entry, ...]:
        """At least the entry after `index`, and those up to `end`, as long as they have so many characters in all."""
        first, *others = self._entries[index - self.base : end - self.base]
        batch, characters = [first], _characters(first)
        for entry in others:
            characters += _characters(entry)
            if characters > characters_max:
                break
            batch.append(entry)
        return tuple(batch)

    def replace(self, index: int, entries: Sequence[Entry]) -> None:
        """From `index` on the log holds these entries, whatever it held there before."""
        del self._entries[index - self.base - 1 :]
        while self.epochs and self.epochs[-1][1] >= index:
            self.epochs.pop()
        self._entries.extend(entries)
        for i, entry in enumerate(entries, index):
            if not self.epochs or self.epochs[-1][0] != entry.epoch:
                self.epochs.append((entry.epoch, i))

    def compact(self, index: int) -> None:
        """Forget the entries up to `index`, if they are still here."""
        if index > self.base:
            del self._entries[: index - self.base]
            self.base = index

    def reset(self, index: int, epochs: Iterable[tuple[int, int]]) -> None:
        """Hold nothing but that all up to `index` has been compacted."""
        self.base, self.epochs, self._entries = index, list(epochs), []
