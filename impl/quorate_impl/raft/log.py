"""A server's log in memory: the entries that follow the ones that it has compacted, and the configurations in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from quorate_impl.raft.messages import Cas, Command, Configuration, Delete, Entry, Put


def _characters(entry: Entry) -> int:
    """How much of a message an entry takes, about."""
    match entry.payload:
        case Command(update=Delete(key)):
            return len(key)
        case Command(update=Put(key, value) | Cas(key, _, value)):
            return len(key) + len(value)
    return 0


class Log:
    """Entries at `base + 1` to `last_index`. Of the entry at `base` the term is known, of those before it nothing.

    `configurations` are those in use, with the index of each: first the one at `base`, then those of entries.
    """

    def __init__(self, members: Mapping[str, str]) -> None:
        self.base = 0
        self.base_term = 0
        self._entries: list[Entry] = []
        self.configurations: list[tuple[int, dict[str, str]]] = [(0, dict(members))]

    @property
    def last_index(self) -> int:
        """The index of the last entry, 0 if there was never one."""
        return self.base + len(self._entries)

    @property
    def last_term(self) -> int:
        """The term of the last entry."""
        return self._entries[-1].term if self._entries else self.base_term

    def term_at(self, index: int) -> int:
        """The term of the entry at `index`, which is `base` or after it."""
        return self.base_term if index == self.base else self._entries[index - self.base - 1].term

    def has(self, index: int, term: int) -> bool:
        """Whether the log has an entry of this term at `index`."""
        return self.base <= index <= self.last_index and self.term_at(index) == term

    def entry(self, index: int) -> Entry:
        """The entry at `index`."""
        return self._entries[index - self.base - 1]

    def after(self, index: int) -> tuple[Entry, ...]:
        """The entries after `index`."""
        return tuple(self._entries[index - self.base :])

    def batch(self, index: int, entries_max: int, characters_max: int) -> tuple[Entry, ...]:
        """At least one entry after `index`, and at most so many, of so many characters in all."""
        begin = index - self.base
        end = begin + 1
        characters = _characters(self._entries[begin])
        for entry in self._entries[end : begin + entries_max]:
            characters += _characters(entry)
            if characters > characters_max:
                break
            end += 1
        return tuple(self._entries[begin:end])

    def replace(self, index: int, entries: Sequence[Entry]) -> None:
        """From `index` on the log holds these entries, whatever it held there before."""
        del self._entries[index - self.base - 1 :]
        while self.configurations[-1][0] >= index:
            self.configurations.pop()
        self._entries.extend(entries)
        for i, entry in enumerate(entries, index):
            if isinstance(entry.payload, Configuration):
                self.configurations.append((i, entry.payload.members))

    def first_of_term(self, index: int) -> int:
        """Where the entries of the term of the one at `index` begin, as far as they are here."""
        term = self.term_at(index)
        while index > self.base + 1 and self.term_at(index - 1) == term:
            index -= 1
        return index

    def compact(self, index: int) -> None:
        """Forget the entries up to `index`."""
        term, members = self.term_at(index), self.members_at(index)
        del self._entries[: index - self.base]
        self.base, self.base_term = index, term
        self.configurations = [(index, members), *(each for each in self.configurations if each[0] > index)]

    def reset(self, index: int, term: int, members: Mapping[str, str]) -> None:
        """Hold nothing but that all up to `index` has been compacted."""
        self.base, self.base_term, self._entries = index, term, []
        self.configurations = [(index, dict(members))]

    # Configurations

    @property
    def members(self) -> dict[str, str]:
        """The latest configuration, committed or not."""
        return self.configurations[-1][1]

    def members_at(self, index: int) -> dict[str, str]:
        """The configuration up to `index`."""
        return list(takewhile(lambda each: each[0] <= index, self.configurations))[-1][1]

    def in_use(self, commit: int) -> list[dict[str, str]]:
        """The configurations that are committed and the latest, or may yet be so."""
        return [self.members_at(commit), *(members for index, members in self.configurations if index > commit)]
