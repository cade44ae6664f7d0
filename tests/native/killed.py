"""Checks of liveness that are killed, again and again, while they build their graph or judge it, and are gone on with.

    python -m tests.native.killed --count 200 --seed 0 [--store tree]

Each chain draws a spec, how often it is killed and when, and how many workers each run has. In the end all answers, every step of the
lassos, and all counts must be those of a check that nothing has disturbed. It prints every difference and a tally, and exits 1 if there was
one.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from quorate import Nat, Spec, action, eventually, require
from quorate.explore.checking import symmetric_sorts
from quorate.explore.engine import Lasting
from quorate.explore.limits import Checkpoint, Limits, Watch
from quorate.explore.native import library, search
from quorate.explore.native import liveness as native
from quorate.explore.native.checkpoint import MAGIC
from quorate.explore.symmetry import affordable
from quorate.language.system import Arguments, Failure, State, System
from quorate_specs.consensus.raft_election import RaftElection
from quorate_specs.transactions.two_phase_commit import Blocking, TwoPhaseCommitWithCrashes

from tests.generated import load, write
from tests.native.agreement import QUICK_FLAGS, SMALL_TREE, WORKERS, Sorts
from tests.native.liveness_agreement import SMALL_GRAPH

KILLS_MAX = 4
LOOK_MS = 0.2
"""Between two looks: each asks for the file."""


class Half(Nat, max=65_535):
    """So many values that two of them fill half a word."""


class Stage(Nat, max=7):
    """How much has come to a stage."""


class Stages(Spec):
    """What changes stands in halves of words of its own, in all combinations: no tree pairs them."""

    first: Stage
    between: tuple[Half, Half]
    second: Stage
    behind: tuple[Half, Half]
    third: Stage

    @action(fair="weak")
    def begin(self) -> None:
        require(self.first < 7)
        self.first += 1

    @action(fair="weak")
    def go_on(self) -> None:
        require(self.first > 0 and self.second < 7)
        self.first -= 1
        self.second += 1

    @action(fair="weak")
    def end(self) -> None:
        require(self.second > 1 and self.third < 7)
        self.second = Stage(0)
        self.third += 1

    @eventually
    def all_end(self) -> bool:
        return self.third == 7


@dataclass(frozen=True)
class Case:
    """A spec, compiled, what nobody has disturbed says of it, and how long it takes with a file that is written all the time."""

    name: str
    system: System
    initial: list[tuple[Arguments, State]]
    sorts: Sorts
    compiled: library.Library
    store: str
    expected: Lasting
    seconds: float

    def check(self, file: Path | None, workers: int, states: int | None = None) -> Lasting:
        """Check it, and go on from the file if it is there."""
        checkpoint = None if file is None else Checkpoint(file, interval_s=0.0, resume=True)
        watch = Watch(Limits(states=states), store=self.store)
        return native.Check(self.system, self.compiled, self.initial, self.sorts, watch, workers, checkpoint).lasting()


def specs(random: Random, drawn: int) -> Iterator[tuple[str, type[Spec]]]:
    """Of the library some with lassos and without, and so many drawn ones."""
    for spec in (TwoPhaseCommitWithCrashes, Blocking, RaftElection.bounded(Term=1), Stages):
        yield spec.__name__, spec
    for _ in range(drawn):
        seed = random.randrange(10**6)
        yield f"seed {seed}", load(write(seed, liveness=True, constraints=seed % 2 == 0))


def cases(random: Random, drawn: int, store: str, folder: Path) -> Iterator[Case]:
    """Those of `specs` that have an initial state and no error in an action."""
    for name, spec in specs(random, drawn):
        system = System(spec)
        with system, suppress(Failure, native.Disagreement):
            sorts = affordable(system, symmetric_sorts(system)[0])[0]
            initial, compiled = search.compiled(system, sorts, store)
            case = Case(name, system, initial, sorts, compiled, store, Lasting(0, 0), 0.0)
            expected, begin = case.check(None, 1), time.monotonic()
            assert case.check(folder / name, 1).answers == expected.answers
            seconds = time.monotonic() - begin
            (folder / f"{name}.graph").unlink()
            yield replace(case, expected=expected, seconds=seconds)


def run_until(case: Case, file: Path, workers: int, seconds: float) -> bool:
    """Check in a process of its own that is killed after so long. Whether it was."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            case.check(file, workers)
            os._exit(0)
        os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, case.name
    return os.WIFSIGNALED(status)


def chain(case: Case, file: Path, random: Random) -> Counter[str]:
    """Kill it some times, and let it come to its end. What was gone on from. Raises AssertionError."""
    tally: Counter[str] = Counter(chains=1)
    with case.system:
        for _ in range(random.randint(1, KILLS_MAX)):
            tally["kills"] += run_until(case, file, random.choice(WORKERS), case.seconds * random.random() ** 2)
        if random.random() < 0.3:
            ended = case.check(file, random.choice(WORKERS), random.randint(1, case.expected.states))
            tally["ended by a limit"] += ended.stopped is not None
        found = case.check(file, random.choice(WORKERS))
    assert replace(found, notes=()) == case.expected, (case.name, found.notes)
    before = [int(note.split()[-2].replace(",", "")) for note in found.notes]
    tally["from nothing" if not before else "from a part" if before[0] < found.states else "from the whole"] += 1
    return tally


def main() -> int:
    """Make `--count` chains; 1 if one differs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--drawn", type=int, default=20, help="so many specs beside those of the library")
    options.add_argument("--store", choices=("exact", "tree"), default="exact")
    chosen = options.parse_args()
    library.FLAGS = (*QUICK_FLAGS, *SMALL_GRAPH, *(SMALL_TREE if chosen.store == "tree" else ()))
    native.POLL_MS = LOOK_MS  # type: ignore[assignment]
    random, total = Random(chosen.seed), Counter[str]()
    with TemporaryDirectory() as name:
        known = list(cases(random, chosen.drawn, chosen.store, Path(name)))
        for number in range(chosen.count):
            file = Path(name) / f"checkpoint {number}"
            file.write_bytes(MAGIC)  # Of the search; only that it is there is asked.
            try:
                total += chain(random.choice(known), file, random)
            except AssertionError as difference:
                total["DIFFER"] += 1
                print(f"chain {number}: {difference}", flush=True)
            for left in Path(name).glob(f"{file.name}*"):
                left.unlink()
    print(", ".join(f"{count:,} {what}" for what, count in total.items()))
    return int(total["DIFFER"] > 0)


if __name__ == "__main__":
    sys.exit(main())
