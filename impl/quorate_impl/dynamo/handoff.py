"""Hinted handoff: who stood in for a home hands over what is the home's, until the home has it on its disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from quorate_impl.core import Record
from quorate_impl.dynamo.messages import Confirmed, HandOver, Id, Siblings
from quorate_impl.dynamo.reads import Reads
from quorate_impl.dynamo.server import Options
from quorate_impl.dynamo.siblings import NOTHING


class Handoff(Reads):
    """The part of a node that stands in for others."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._handing: dict[Id, tuple[str, str, Siblings]] = {}
        self._turns = 0

    def _hand_over(self) -> None:
        """The first half of `hand_over`: some keys at a time, others the next time if these are not confirmed."""
        self._handing.clear()
        keys = list(self.owes)
        begin = self._turns * self.options.hand_over_keys % max(len(keys), 1)
        self._turns += 1
        for key in islice(keys[begin:] + keys[:begin], self.options.hand_over_keys):
            for target in sorted(self.owes[key]):
                number, siblings = self._next_id(), self.siblings(key)
                self._handing[number] = key, target, siblings
                self._tell(target, HandOver(number, key, siblings))

    def _handle_hand_over(self, source: str, m: HandOver) -> None:
        if self.is_home(m.key):
            self._merge(m.key, m.siblings)
            self._confirm(source, m.id)

    def _handle_handed_over(self, source: str, m: Confirmed) -> None:
        """The other half of `hand_over`. What has come since it was sent is not handed over yet."""
        handed = self._handing.pop(m.id, None)
        if handed is None:
            return
        key, target, siblings = handed
        if source == target and self.siblings(key) == siblings and target in self.owes.get(key, ()):
            self.counts["handed_over"] += 1
            owes = self.owes[key] - {target}
            self._keep(key, siblings if owes else NOTHING, owes)
