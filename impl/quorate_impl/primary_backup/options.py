"""What can be set, and the name of the node that appoints primaries."""

from __future__ import annotations

from dataclasses import dataclass

ARBITER = "arbiter"


@dataclass(frozen=True)
class Options:
    """Times in ticks, and sizes. The same for all nodes of a cluster."""

    heartbeat_ticks: int = 5
    """How often the primary speaks to its backups, and all nodes to the arbiter."""
    suspect_ticks: int = 100
    """After how long without a word from the primary the arbiter begins a new epoch."""
    grace_ticks: int = 10
    """How long the arbiter waits for more answers when a majority is fenced: a longer log may be among them."""
    entries_max: int = 512
    """How many entries one message carries."""
    characters_max: int = 2**20
    """How many characters of keys and values one message carries, if it carries more than one entry."""
    window: int = 8_192
    """How many entries may be under way to one backup."""
    snapshot_after: int = 10_000
    """After how many entries the log is replaced by the state that it has led to."""
    entries_kept: int = 2_000
    """How many of the entries in the snapshot are kept in memory for backups that are a little behind."""
    piece_bytes: int = 256 * 1024
    """How much of a snapshot one message carries."""
