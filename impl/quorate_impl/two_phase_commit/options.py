"""The name and the times that coordinator and participants share."""

from dataclasses import dataclass

COORDINATOR = "coordinator"


@dataclass(frozen=True)
class Options:
    """Times in ticks, and sizes."""

    repeat_ticks: int = 20
    """After how long messages that were not answered are sent again, inquiries among them."""
    vote_ticks: int = 100
    """How long the coordinator waits for votes before it aborts."""
    checkpoint_after: int = 10_000
    """After how many records the log is replaced by a checkpoint."""
