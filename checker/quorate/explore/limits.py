"""When an exploration stops early, and what it says on the way."""

from __future__ import annotations

import mmap
import os
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has none.
    resource = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Limits:
    """How far an engine may go: distinct states, seconds, bytes of memory. None means without limit."""

    states: int | None = None
    seconds: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Progress:
    """A look at a running engine, named if there was a choice. `frontier` counts the states found and not yet expanded, `by_worker` the
    states that each worker of a cluster owns. `in_tree`: memory was short, and they are kept anew in a tree."""

    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float
    memory_bytes: int
    engine: str = ""
    by_worker: tuple[int, ...] = ()
    in_tree: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """A file that lets a killed search go on: written every `interval_s` seconds, and when the user or a limit ends the search
    (but that of states);
    with `resume`, read at the start. A search that comes to its end removes it; where liveness is checked after it, that does, and has its
    graph beside the file, with ".graph" after its name. Only the native engine has checkpoints.

    A file that is no checkpoint is never touched; one of an earlier search only with `resume` or `overwrite`."""

    path: Path
    interval_s: float = 60.0
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Cluster:
    """Where a search on a cluster runs: the address of a Ray cluster, None to start one on this machine; and how many workers it has, None
    for one on each core, or two on this machine."""

    address: str | None = None
    workers: int | None = None


STORES = ("auto", "exact", "tree", "fingerprint")
"""How the native engine can keep the states that it has met: as they are (exact); each as a number that leads back to it, in a
fraction of the memory (tree; `compact.h`); or as 64 bits each that two states may share. "auto" is exact, and where memory does not
suffice for that, anew as a tree."""

TREE_MIN = 128 << 20
"""With less memory, the process itself included, a tree has no room for what it begins with."""

SAVINGS = ("sleep", "partial", "instances", "memo", "bits", "calls", "branches", "sets", "lookups")
"""Work that the native engine leaves out because it can change no answer: lookups of states that another order of transitions finds
(`sleep.h`); invariants that a transition cannot have changed; of other invariants, the instances that it cannot have changed; what was
computed before from the same part of a state (`memo.h`); searching and moving the messages of a network (`numbers.h`); what the passes
over the model spare (`quorate.model.passes`). Tests switch each
off and compare."""

AGAIN = 4096
"""One answer in so many that the native engine remembers is computed again all the same, and held against it."""

AT_ONCE = 500
"""With no more transitions than this, the reference engine is done before a compiler would be."""

MEMORY_INTERVAL_S = 0.2


class Watch:
    """Keeps an engine's limits and tells its progress. Engines call `look` after every state or batch of states.

    `disk` is a directory in which the states are kept, for a search that is larger than memory; a search that it holds goes on, from at
    most `disk_interval_s` seconds before it was killed. Without one, `store` is one of `STORES`. `short` is set where a limit of memory
    ends the search. `without` has those of `SAVINGS` that
    are switched off; only the native engine has a choice.
    With `coverage`, engines count what runs, at the points of the typed model, in every state that they expand; with `profile` they
    measure what makes the states.
    Of what it remembers it computes one answer in `again` anew, a power of two; none if that is 0.
    `at_once`: up to so many transitions may be left to the reference engine where there is a choice of engines. It is a number of
    transitions and not a time, so that the same engine answers on every machine, whatever is in its caches.
    `cluster` is where the engine "cluster" searches. `engine` is the one that runs now, for whoever looks."""

    def __init__(
        self,
        limits: Limits | None = None,
        report: Callable[[Progress], None] | None = None,
        checkpoint: Checkpoint | None = None,
        store: str = "auto",
        without: Collection[str] = (),
        coverage: bool = False,
        profile: bool = False,
        again: int = AGAIN,
        at_once: int = AT_ONCE,
        cluster: Cluster | None = None,
        disk: Path | None = None,
        disk_interval_s: float = 60.0,
    ) -> None:
        self.again, self.at_once = again, at_once
        self.cluster = cluster
        self.limits = limits or Limits()
        self.checkpoint = checkpoint
        self.store = store
        self.short = self._in_tree = False
        self.disk, self.disk_interval_s = disk, disk_interval_s
        self.without = frozenset(without)
        self.coverage, self.profile = coverage, profile
        self.engine = ""
        self._report = report
        self._interrupted: str | None = None
        self._begin = time.monotonic()
        self._next_measure = 0.0
        self._memory = 0

    @property
    def keeping(self) -> str:
        """How states are kept now: "disk", or one of `STORES` that is not "auto"."""
        if self.disk is not None:
            return "disk"
        return self.store if self.store != "auto" else "tree" if self._in_tree else "exact"

    def save_memory(self) -> bool:
        """Whether what the native engine could not finish is to begin anew, since memory was short and from now on states are kept in
        a tree. A checkpoint goes on with the store that it has, a profile reads states, and with very little memory a tree does not pay."""
        looked_into = self.checkpoint is not None or self.profile
        little = self.limits.memory_bytes is not None and self.limits.memory_bytes < TREE_MIN
        if not self.short or self.store != "auto" or self.keeping != "exact" or looked_into or little:
            return False
        self.short, self._in_tree = False, True
        return True

    def interrupt(self, reason: str = "interrupted") -> None:
        """Ask the engine to stop at the next state; safe to call from a signal handler."""
        self._interrupted = reason

    @property
    def is_interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._interrupted is not None

    @property
    def seconds(self) -> float:
        """Time since the watch was made."""
        return time.monotonic() - self._begin

    def full(self, states: int) -> bool:
        """Whether one state more would pass the limit of states."""
        return self.limits.states is not None and states >= self.limits.states

    def states_reason(self) -> str:
        """Why an engine stops that is `full`."""
        return f"the limit of {self.limits.states:,} states is reached"

    def memory_reason(self, limit_bytes: int) -> str:
        """Why an engine stops that would take more memory than so much; it is known from then on."""
        self.short = True
        return f"the limit of {limit_bytes / 2**30:g} GB of memory is reached"

    def look(
        self, states: int, transitions: int, depth: int, frontier: int, by_worker: tuple[int, ...] = ()
    ) -> str | None:
        """Report progress. Returns why the engine must stop, or None."""
        if self._interrupted is not None:
            return self._interrupted
        seconds = self.seconds
        if self.limits.seconds is not None and seconds > self.limits.seconds:
            return f"the limit of {self.limits.seconds:g} s is reached"
        if seconds >= self._next_measure:
            self._next_measure = seconds + MEMORY_INTERVAL_S
            self._memory = resident_bytes()
            if self._report is not None:
                counts = states, transitions, depth, frontier
                self._report(Progress(*counts, seconds, self._memory, self.engine, by_worker, self._in_tree))
            if self.limits.memory_bytes is not None and self._memory > self.limits.memory_bytes:
                return self.memory_reason(self.limits.memory_bytes)
        return None


def resident_bytes() -> int:
    """The memory this process holds now; where the system does not tell, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return peak_bytes()
    return pages * mmap.PAGESIZE


def machine_bytes() -> int:
    """The memory of this machine; 4 GiB where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def peak_bytes() -> int:
    """The most memory that this process ever held; 0 where the system does not tell."""
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
