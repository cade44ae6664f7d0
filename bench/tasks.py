"""What is compared: a model, its size, and the numbers that every checker has to find."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A model that has been written for each checker. Its `size` is a bound of Quorate's specification, and what `named` says of it.
    `judged` are the properties that every checker judges; Quorate's specification has others, too: lemmas, and goals."""

    name: str
    title: str
    size: str
    named: str
    judged: tuple[str, ...]


TWO_PHASE_COMMIT = Model("two_phase_commit", "Two-phase commit", "ResourceManager", "resource managers", ("atomicity",))
PAXOS = Model("paxos", "Paxos", "Ballot", "ballots", ("one_value_chosen", "learners_agree", "only_requested_values"))
RAFT = Model(
    "raft",
    "Raft",
    "Index",
    "entries in a log",
    ("election_safety", "log_matching", "leader_completeness", "state_machine_safety"),
)


@dataclass(frozen=True)
class Task:
    """A model at one size.

    `transitions` counts all that are taken, and the initial states; it is 0 where it is not compared: up to symmetry it depends on
    whether initial states of one orbit count once.
    """

    model: Model
    size: int
    states: int
    transitions: int = 0
    symmetry: bool = False

    @property
    def name(self) -> str:
        """The title of its table."""
        return f"{self.model.title}, {self.size} {self.model.named}{', with symmetry' if self.symmetry else ''}"


TASKS = [
    Task(TWO_PHASE_COMMIT, 7, 296_448, 2_744_706),
    Task(TWO_PHASE_COMMIT, 8, 1_745_408, 18_507_778),
    Task(TWO_PHASE_COMMIT, 9, 10_340_352, 123_558_402),
    Task(TWO_PHASE_COMMIT, 10, 61_515_776, 817_760_258),
    Task(TWO_PHASE_COMMIT, 7, 920, symmetry=True),
    Task(TWO_PHASE_COMMIT, 8, 1_461, symmetry=True),
    Task(TWO_PHASE_COMMIT, 9, 2_232, symmetry=True),
    Task(TWO_PHASE_COMMIT, 10, 3_300, symmetry=True),
    Task(PAXOS, 3, 1_051_236, 4_115_128),
    Task(PAXOS, 4, 48_504_580, 221_506_802),
    Task(PAXOS, 3, 73_965, symmetry=True),
    Task(PAXOS, 4, 3_179_013, symmetry=True),
    Task(RAFT, 2, 878_196, 5_611_282),
    Task(RAFT, 3, 20_215_980, 181_625_941),
    Task(RAFT, 2, 146_632, symmetry=True),
    Task(RAFT, 3, 3_370_903, symmetry=True),
]
LARGE = 5_000_000
"""From so many states on, a process's memory is that of the states: below, the C compiler needs more than they do."""
MODELS = tuple(dict.fromkeys(task.model.name for task in TASKS))
SIZES = tuple(sorted({task.size for task in TASKS}))


def chosen(models: Collection[str], sizes: Collection[int], symmetry: str) -> list[Task]:
    """The tasks of some models in some sizes; `symmetry` is with, without or both."""
    wanted = {"with": [True], "without": [False], "both": [False, True]}[symmetry]
    return [task for task in TASKS if task.model.name in models and task.symmetry in wanted and task.size in sizes]
