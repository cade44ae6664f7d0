"""Who leads and who accepts, and the times that they share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Names, times in ticks, and sizes. Of 2f + 1 acceptors f may be down, and all leaders but one."""

    acceptors: tuple[str, ...] = ("a1", "a2", "a3")
    leaders: tuple[str, ...] = ("l1", "l2")
    repeat_ticks: int = 20
    """After how long messages that were not answered are sent again."""
    vote_ticks: int = 100
    """How long the first leader waits for votes before it begins a ballot; the others wait longer."""
    ballot_ticks: int = 40
    """How long it waits for the end of a ballot before it begins the next."""
    doubt_ticks: int = 150
    """After how long a participant that is prepared asks another leader to end the transaction."""
    finish_ticks: int = 300
    """After how long an acceptor does so, of a transaction that nobody has called over."""
    checkpoint_after: int = 10_000
    """After how many records the log is replaced by a checkpoint."""

    @property
    def quorum(self) -> int:
        """How many acceptors are enough to choose: any two such groups have one in common."""
        return len(self.acceptors) // 2 + 1
