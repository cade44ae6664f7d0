"""Merkle trees over what a node has of each range: two nodes find the keys at which they differ without sending the rest.

A leaf sums up the keys of a bucket, and a node above what is below it. Sums are exclusive ors of hashes of 64 bits, so
that a write changes three of them and does not need the others; whoever can choose hashes can make two trees look the
same, but keys here come from clients that are trusted anyway.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b

import msgspec

from quorate_impl.dynamo.messages import Path, Siblings
from quorate_impl.dynamo.siblings import NOTHING

WIDTH = 16
DEPTH = 3
"""Levels: the range, its sixteen children, and sixteen leaves under each."""

_encode = msgspec.msgpack.Encoder().encode


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest())


class Trees:
    """The trees of all ranges of a node."""

    def __init__(self) -> None:
        self._sums: defaultdict[Path, int] = defaultdict(int)
        self._keys: defaultdict[Path, dict[str, None]] = defaultdict(dict)

    def replace(self, range: int, key: str, old: Siblings, new: Siblings) -> None:
        """A key that had these siblings has those now."""
        leaf = self.leaf(range, key)
        change = self.digest(key, old) ^ self.digest(key, new)
        for depth in (1, 2, 3):
            self._sums[leaf[:depth]] ^= change
        if new == NOTHING:
            self._keys[leaf].pop(key, None)
        else:
            self._keys[leaf][key] = None

    def digest(self, key: str, siblings: Siblings) -> int:
        """What a key adds to its leaf. Dots and vector belong to it: replicas with the same values can differ in these."""
        if siblings == NOTHING:
            return 0
        return _hash(_encode((key, siblings.versions, sorted(siblings.covers.items()))))

    def leaf(self, range: int, key: str) -> Path:
        """Where a key belongs."""
        bucket = _hash(key.encode()) % WIDTH**2
        return range, bucket // WIDTH, bucket % WIDTH

    def sum(self, path: Path) -> int:
        """The sum at a node of a tree, 0 if there is nothing below it."""
        return self._sums.get(path, 0)

    def below(self, path: Path) -> list[tuple[Path, int]]:
        """The children of a node with their sums."""
        return [((*path, child), self.sum((*path, child))) for child in range(WIDTH)]

    def keys(self, path: Path) -> list[str]:
        """The keys of a leaf."""
        return list(self._keys.get(path, ()))
