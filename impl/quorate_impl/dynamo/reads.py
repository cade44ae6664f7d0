"""Reads: any node coordinates them, and repairs the replicas that turn out to be behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorate_impl.core import Record
from quorate_impl.dynamo.messages import Found, Id, Query, Read, Refused, Repair, Siblings, Values
from quorate_impl.dynamo.server import Options
from quorate_impl.dynamo.writes import Writes


@dataclass
class Reading:
    """A read that this node coordinates: what was found where, and what the client was shown of it."""

    client: str
    id: int
    key: str
    needed: int
    found: dict[str, Siblings]
    begun: int
    shown: Siblings | None = None
    ticks: int = 0


class Reads(Writes):
    """The part of a node that coordinates reads, and answers those of others."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self.readings: dict[Id, Reading] = {}

    def _handle_query(self, client: str, m: Query) -> None:
        """`get`, of one node or several. All homes are asked, so that those that are behind are noticed."""
        homes, needed = self.homes(m.key), self._needed(m.level)
        if needed > len(homes):
            self._answer(client, m.id, Refused(f"{needed} replicas were asked for, and there are {len(homes)}"))
            return
        number = self._next_id()
        found = {self.name: self.siblings(m.key)} if self._has_part_in(m.key) else {}
        reading = Reading(client, m.id, m.key, needed, found, self.clock.wall)
        self.readings[number] = reading
        for home in homes:
            if home != self.name:
                self._tell(home, Read(number, m.key))
        self._look(number, reading)

    def _has_part_in(self, key: str) -> bool:
        """Whether what this node has of a key counts: it is a home, or stands in for one."""
        return self.is_home(key) or key in self.owes

    def _handle_read(self, source: str, m: Read) -> None:
        """What is told is on the disk first: it must not be gone when the next one asks."""
        if self._has_part_in(m.key):
            self._tell(source, Found(m.id, self.siblings(m.key)))

    def _handle_found(self, source: str, m: Found) -> None:
        reading = self.readings.get(m.id)
        if reading is not None:
            reading.found[source] = m.siblings
            self._look(m.id, reading)

    def _look(self, number: Id, reading: Reading) -> None:
        """Answer when enough have answered, and repair when all have."""
        if reading.shown is None and len(reading.found) >= reading.needed:
            reading.shown = self._merged(reading.found.values())
            self._show(reading.client, reading.id, Values, reading.shown)
        if reading.shown is not None and all(home in reading.found for home in self.homes(reading.key)):
            self._repair_after_read(number, reading)

    def _repair_after_read(self, number: Id, reading: Reading) -> None:
        """`repair_after_read`: whoever is behind gets what all those have who have answered."""
        del self.readings[number]
        merged = self._merged(reading.found.values())
        self.counts["stale_reads"] += self._was_stale(reading, merged)
        for name in self.homes(reading.key):
            if name in reading.found and reading.found[name] != merged:
                self.counts["repairs"] += 1
                if name == self.name:
                    self._take_repair(reading.key, merged)
                else:
                    self._tell(name, Repair(reading.key, merged))

    def _was_stale(self, reading: Reading, merged: Siblings) -> bool:
        """Whether the client was not shown a value that had been there for a while; what was being written does not count."""
        shown = reading.shown.versions if reading.shown is not None else ()
        before = reading.begun - self.options.stale_ms
        return any(version.stamp.time < before and version not in shown for version in merged.versions)

    def _handle_repair(self, m: Repair) -> None:
        if self.is_home(m.key):
            self._take_repair(m.key, m.siblings)

    def _take_repair(self, key: str, siblings: Siblings) -> None:
        """A repair may be late: what has come meanwhile stays."""
        self._merge(key, siblings)

    def _tick_readings(self) -> None:
        for number, reading in list(self.readings.items()):
            reading.ticks += 1
            if reading.ticks % self.options.patience_ticks == 0:
                missing = [home for home in self.homes(reading.key) if home not in reading.found]
                self.suspects.update(missing)
                if reading.shown is not None:
                    self._repair_after_read(number, reading)
                elif reading.ticks >= self.options.request_ticks:
                    del self.readings[number]
                else:
                    for name in (*missing, *self.stand_ins(reading.key)):
                        if name != self.name:
                            self._tell(name, Read(number, reading.key))
