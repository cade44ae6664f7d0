"""What is compared: a model, its size, and the numbers that every checker has to find."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A model at one size.

    `transitions` counts all that are taken, and the initial states; it is 0 where it is not compared: up to symmetry it depends on
    whether initial states of one orbit count once. `bound` is what the specification is explored at, if it is not the default
    that the other checkers' models are written for.
    """

    model: str
    title: str
    states: int
    transitions: int
    symmetry: bool = False
    managers: int = 0
    bound: str = ""

    @property
    def name(self) -> str:
        """The title of its table."""
        size = f", {self.managers} resource managers" if self.managers else ""
        return f"{self.title}{size}{', with symmetry' if self.symmetry else ''}"


def two_phase_commit(managers: int, states: int, transitions: int = 0, symmetry: bool = False) -> Task:
    """Two-phase commit (Gray & Lamport 2006)."""
    return Task("two_phase_commit", "Two-phase commit", states, transitions, symmetry, managers)


TASKS = [
    two_phase_commit(7, 296_448, 2_744_706),
    two_phase_commit(8, 1_745_408, 18_507_778),
    two_phase_commit(9, 10_340_352, 123_558_402),
    two_phase_commit(10, 61_515_776, 817_760_258),
    two_phase_commit(7, 920, symmetry=True),
    two_phase_commit(8, 1_461, symmetry=True),
    two_phase_commit(9, 2_232, symmetry=True),
    two_phase_commit(10, 3_300, symmetry=True),
    Task("paxos", "Paxos", 1_051_236, 4_115_128),
    Task("paxos", "Paxos", 73_965, 0, symmetry=True),
    Task("raft", "Raft", 878_196, 5_611_282, bound="Index=2"),
    Task("raft", "Raft", 146_632, 0, symmetry=True, bound="Index=2"),
]
LARGE = 5_000_000
"""From so many states on, a process's memory is that of the states: below, the C compiler needs more than they do."""
MODELS = tuple(dict.fromkeys(task.model for task in TASKS))
SIZES = tuple(dict.fromkeys(task.managers for task in TASKS if task.managers))


def chosen(models: Collection[str], sizes: Collection[int], symmetry: str) -> list[Task]:
    """The tasks of some models, two-phase commit in some sizes; `symmetry` is with, without or both."""
    wanted = {"with": [True], "without": [False], "both": [False, True]}[symmetry]
    return [
        task
        for task in TASKS
        if task.model in models and task.symmetry in wanted and (not task.managers or task.managers in sizes)
    ]
