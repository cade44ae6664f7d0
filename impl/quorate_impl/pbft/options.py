"""What can be set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Times in ticks, and sizes. The same for all replicas of a cluster."""

    checkpoint_every: int = 128
    """After how many sequence numbers replicas take a checkpoint. It is the whole state, written and signed."""
    window: int = 256
    """How far sequence numbers may be ahead of the stable checkpoint: the distance of the watermarks, at least two checkpoints."""
    in_flight: int = 16
    """How many numbers the primary proposes before the first of them is executed; what comes meanwhile is batched."""
    batch_max: int = 64
    """How many requests one proposal carries."""
    batch_bytes: int = 64 * 1024
    """How many bytes of requests one proposal carries, if it carries more than one."""
    suspect_ticks: int = 100
    """How long a request may wait until its primary is suspected, and a new view to begin until the next one is tried.
    It doubles with each view change that brings nothing.
    """
    suspect_ticks_max: int = 3_200
    """Where the doubling ends."""
    progress_ticks: int = 20
    """How often a replica tells how far it is; the others send again what it lacks."""
    resend_max: int = 32
    """For how many numbers messages are sent again at a time."""
    fetch_ticks: int = 10
    """How long a replica that is behind waits, for the next piece of a state, too, until it asks another one."""
    piece_bytes: int = 256 * 1024
    """How much of a state one message carries."""
