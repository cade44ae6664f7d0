"""Anti-entropy: two homes of the same ranges compare what they have, from the roots of their Merkle trees down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.dynamo.handoff import Handoff
from quorate_impl.dynamo.merkle import DEPTH
from quorate_impl.dynamo.messages import Compare, Offer, Path, Siblings
from quorate_impl.dynamo.server import Options

Entry = tuple[str, Siblings]


class Entropy(Handoff):
    """The part of a node that finds out, without any request of a client, that it or another one is behind."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._others = [other for other in self.members if other != name]
        self._compared = 0

    def _compare(self) -> None:
        """Begin with the roots, and with another node each time."""
        if not self._others:
            return
        other = self._others[self._compared % len(self._others)]
        self._compared += 1
        roots = (((range,), self.trees.sum((range,))) for range in self._shared(other))
        self._tell(other, Compare(tuple(roots)))

    def _shared(self, other: str) -> Iterator[int]:
        """The ranges of which both are homes."""
        return (range for range, homes in enumerate(self.ring.homes) if self.name in homes and other in homes)

    def _handle_compare(self, source: str, m: Compare) -> None:
        """Where sums differ, go a level down, or send what is under the leaf."""
        below: list[tuple[Path, int]] = []
        for path, sum in m.sums:
            if self.trees.sum(path) == sum:
                continue
            if len(path) < DEPTH:
                below.extend(self.trees.below(path))
            else:
                self._offer(source, path, ((key, self.stored[key]) for key in self.trees.keys(path)), is_answer=False)
        if below:
            self._tell(source, Compare(tuple(below)))

    def _offer(self, target: str, path: Path, entries: Iterable[Entry], is_answer: bool) -> None:
        """In pieces that are not too large; one without keys asks for those of the other one."""
        piece, size = list[Entry](), 0
        for key, siblings in entries:
            characters = len(key) + self._characters(siblings)
            if piece and size + characters > self.options.offer_characters:
                self._tell(target, Offer(path, tuple(piece), is_answer))
                piece, size = [], 0
            piece.append((key, siblings))
            size += characters
        if piece or not is_answer:
            self._tell(target, Offer(path, tuple(piece), is_answer))

    def _handle_offer(self, source: str, m: Offer) -> None:
        """`anti_entropy`, and with the answer it is the other one's as well."""
        offered = dict(m.entries)
        for key, siblings in m.entries:
            if self.is_home(key):
                self.counts["exchanged"] += self.siblings(key) != siblings
                self._merge(key, siblings)
        if not m.is_answer:
            newer = ((key, self.stored[key]) for key in self.trees.keys(m.path) if offered.get(key) != self.stored[key])
            self._offer(source, m.path, newer, is_answer=True)
