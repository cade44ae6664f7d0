"""What a driver has to know of a protocol to run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from quorate_impl.core import Core, Record


class Misconfigured(ValueError):
    """A node cannot run as it was told to, and starting it again would not help."""


@dataclass(frozen=True)
class Protocol:
    """A protocol by name: what goes over the wire and to the disk, and how a node begins.

    The four types are unions of `Message`s and `Record`s; what arrives, or is read, and is none of them, is refused.
    """

    name: str
    message: Any
    """What nodes send each other; None if nothing."""
    request: Any
    """What clients ask."""
    response: Any
    """What clients are told."""
    record: Any
    """What nodes write."""
    boot: Callable[[str, Sequence[Record]], Core]
    """A node by its name, from the records on its disk: none at all when it starts for the first time."""
