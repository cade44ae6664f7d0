"""Writes: a home coordinates them, the other homes keep them, and others stand in for homes that do not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quorate_impl.core import Record
from quorate_impl.dynamo.messages import (
    Confirmed,
    Done,
    Executed,
    Id,
    NotHome,
    Refused,
    Replicate,
    Siblings,
    Stamp,
    Write,
)
from quorate_impl.dynamo.server import Options, Server
from quorate_impl.dynamo.siblings import latest


@dataclass
class Writing:
    """A write that this node coordinates: who has confirmed it, and who was asked to stand in for which home."""

    client: str
    id: int
    key: str
    needed: int
    siblings: Siblings
    confirmed: set[str]
    asked: dict[str, list[str]] = field(default_factory=dict)
    is_acknowledged: bool = False
    ticks: int = 0


class Writes(Server):
    """The part of a node that coordinates writes, and takes those that others coordinate."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self.writings: dict[Id, Writing] = {}

    def _handle_write(self, client: str, m: Write) -> None:
        """`write`. One that has been executed here before gets no second dot: it is only confirmed again."""
        homes, needed = self.homes(m.key), self._needed(m.level)
        if self.name not in homes:
            self._answer(client, m.id, NotHome({name: self.members[name] for name in homes}))
            return
        if needed > len(homes):
            self._answer(client, m.id, Refused(f"{needed} replicas were asked for, and there are {len(homes)}"))
            return
        executed = self._executed.get((m.session, m.key))
        if executed is None or executed.number < m.number:
            executed = self._execute(m)
        if executed.refusal is not None:
            self._answer(client, m.id, Refused(executed.refusal))
            return
        number = self._next_id()
        writing = Writing(client, m.id, m.key, needed, self.siblings(m.key), {self.name})
        self.writings[number] = writing
        for home in homes:
            if home != self.name:
                self._replicate(number, writing, home, is_late=home in self.suspects)
        self._acknowledge(number, writing)

    def _execute(self, m: Write) -> Executed:
        """Give the write its dot and its stamp, or say why not: it would be lost, or the siblings be too large."""
        own = self.siblings(m.key)
        before = max(m.seen, latest(own))
        if self.policy.is_by_stamps and not self.clock.believes(before):
            ahead = before.time - self.clock.wall
            return self._refuse(m, f"what it replaces has a stamp {ahead} ms ahead of this node's clock")
        self.clock.observe(before)
        siblings = self.policy.written(own, m.context, self.actor, m.value, self._stamp())
        if len(siblings.versions) > 1 and self._characters(siblings) > self.options.siblings_characters:
            return self._refuse(m, "there are too many siblings: read the key, and write what they come to")
        executed = Executed(m.session, m.key, m.number, None)
        self._remember(executed)
        self._keep(m.key, siblings, frozenset(), executed)
        return executed

    def _refuse(self, m: Write, reason: str) -> Executed:
        """For good: the same request may be under way a second time, and the client is told that nothing was done."""
        refused = Executed(m.session, m.key, m.number, reason)
        self._remember(refused)
        self._save(refused)
        return refused

    @staticmethod
    def _characters(siblings: Siblings) -> int:
        return sum(len(version.value or "") for version in siblings.versions)

    def _replicate(self, number: Id, writing: Writing, home: str, is_late: bool) -> None:
        """Send the write to a home; if that does not answer, to the next on the ring that was not asked for it yet, too."""
        self._tell(home, Replicate(number, writing.key, writing.siblings, None))
        if is_late:
            asked = writing.asked.setdefault(home, [])
            others = {name for names in writing.asked.values() for name in names}
            for name in self.stand_ins(writing.key):
                if name not in others and name not in self.suspects:
                    asked.append(name)
                    self._tell(name, Replicate(number, writing.key, writing.siblings, home))
                    break

    def _handle_replicate(self, source: str, m: Replicate) -> None:
        """`store`, or `stand_in` if this node is not a home."""
        if m.target is None and self.is_home(m.key):
            self._merge(m.key, m.siblings)
        elif m.target is not None and m.target in self.homes(m.key) and not self.is_home(m.key):
            self._take_hint(m.key, m.siblings, m.target)
        else:
            return
        self._confirm(source, m.id)

    def _take_hint(self, key: str, siblings: Siblings, target: str) -> None:
        """Keep the siblings, and whose they are."""
        self.counts["hints_taken"] += 1
        self._merge(key, siblings, target)

    def _confirm(self, source: str, id: Id) -> None:
        """When it is on the disk, since the coordinator counts on it."""
        self._tell(source, Confirmed(id))

    def _handle_confirmed(self, source: str, m: Confirmed) -> None:
        writing = self.writings.get(m.id)
        if writing is not None:
            writing.confirmed.add(source)
            self._acknowledge(m.id, writing)

    def _acknowledge(self, number: Id, writing: Writing) -> None:
        """`acknowledge`, as soon as enough have confirmed. It goes on until each home has it, or somebody for it."""
        if not writing.is_acknowledged and len(writing.confirmed) >= writing.needed:
            writing.is_acknowledged = True
            self._show(writing.client, writing.id, Done, self.siblings(writing.key))
        if writing.is_acknowledged and not self._missing(writing):
            del self.writings[number]

    def _missing(self, writing: Writing) -> list[str]:
        """The homes that have not confirmed it, nor anybody for them."""
        confirmed = writing.confirmed
        return [
            home
            for home in self.homes(writing.key)
            if home not in confirmed and not any(name in confirmed for name in writing.asked.get(home, ()))
        ]

    def _stamp(self) -> Stamp:
        """Later than all that this node has stored, and than what the client has seen."""
        return self.clock.next()

    def _tick_writings(self) -> None:
        """Whoever has not answered is asked again, and is suspected; what nobody can stand in for is left to anti-entropy."""
        for number, writing in list(self.writings.items()):
            writing.ticks += 1
            if writing.ticks % self.options.patience_ticks == 0:
                missing = self._missing(writing)
                self.suspects.update(missing)
                ends = writing.is_acknowledged and not self.stand_ins(writing.key)
                if ends or writing.ticks >= self.options.request_ticks:
                    del self.writings[number]
                    continue
                for home in missing:
                    self._replicate(number, writing, home, is_late=True)
