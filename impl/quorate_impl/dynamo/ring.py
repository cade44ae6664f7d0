"""Consistent hashing: which nodes are the homes of a key, and who stands in for them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Self

Token = tuple[int, str]
"""A place on the ring, and the node that stands there."""


def position(text: str) -> int:
    """The place of a text on the ring, from 0 to 2**64 - 1."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


class Ring:
    """Nodes at their places, several each (*virtual nodes*), so that what one leaves is spread over all.

    A *range* is what lies between two places, and is numbered by the second one. The specification's `ring` has one place
    for each node, and its keys are ranges.
    """

    def __init__(self, tokens: Iterable[Token], replicas: int) -> None:
        ordered = sorted(tokens)
        self._places = [place for place, _ in ordered]
        nodes = [node for _, node in ordered]
        self.walks: Sequence[tuple[str, ...]] = [tuple(dict.fromkeys(nodes[i:] + nodes[:i])) for i in range(len(nodes))]
        """For each range all nodes, in the order in which they come round the ring."""
        self.homes: Sequence[tuple[str, ...]] = [walk[:replicas] for walk in self.walks]
        """For each range its *preference list* (`is_home`)."""

    @classmethod
    def of(cls, nodes: Iterable[str], replicas: int, virtual_nodes: int) -> Self:
        """Each node at so many places, by hashing its name."""
        return cls(((position(f"{node}/{i}"), node) for node in nodes for i in range(virtual_nodes)), replicas)

    def range_of(self, key: str) -> int:
        """The range of a key."""
        return bisect_left(self._places, position(key)) % len(self._places)
