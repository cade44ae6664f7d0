"""The native engine against the reference engine, on random specs.

    python -m tests.native.agreement --count 20000 --seed 2000

is a deeper run than the tests have time for: it prints every disagreement and a tally, and exits 1 if there was one. The
compiler is told not to optimize: what is compared is the meaning of the generated C. With `--odd` the specs are what nobody would
write (`tests/hazards.py`, `tests/hostile.py`): of these some are refused, some have numbers beyond 64 bits, and CPython is compared
with the typed model, too.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from quorate.errors import SpecError
from quorate.explore.checking import symmetric_sorts
from quorate.explore.engine import Covered, EngineUnavailable
from quorate.explore.limits import SAVINGS, Limits, Watch
from quorate.explore.native import explore as native
from quorate.explore.native import library
from quorate.explore.native.render import Rendered, numbering, properties, reading, recall
from quorate.explore.native.search import Crowded, rendering, run
from quorate.explore.reference import Search
from quorate.explore.reference import explore as reference
from quorate.explore.symmetry import affordable
from quorate.kinds import DEADLOCK, GOALS
from quorate.language.sorts import Scalarset
from quorate.language.spec import Spec
from quorate.language.system import Arguments, Failure, State, System
from quorate.model import build
from quorate.model.verify import verify

from tests.generated import load, write
from tests.model.test_interpreter import agree, agree_initially
from tests.native.batch import by_words, compile_batch

STATES_MAX = 12_000
DRAWN_STATES_MAX = 1_000
RICH = 8
MODEL_STATES = 6
TRIES = 4
QUICK_FLAGS = ("-O0", "-DINLINE=static __attribute__((unused))", "-pthread", "-fvisibility=hidden", "-w")
SMALL_TREE = ("-DPLAN_AT=40", "-DRECENT_MIN=1024", "-DLISTED_MIN=256", "-DLISTED_BYTES=1", "-DPACKET_KEYS=3")
"""A tree store that chooses its tree, merges and marks levels already when it has few states, and lists some in small packets."""
SMALL_DISK = (
    "-DFOUND_MIN=16",
    "-DFOUND_MAX=40",
    "-DRUNS_MAX=3",
    "-DSHORTS_MAX=2",
    "-DSHORT_RUN=6",
    "-DSPILLS_MAX=2",
    "-DPIECE_STATES=8",
    "-DBUFFER_MIN=4",
    "-DBUFFER_MAX=4",
    "-DFAR=1",
)
"""A search on the disk that writes what it has found, and merges runs, again and again, and skips in them."""
SMALL = {"tree": SMALL_TREE, "disk": SMALL_DISK}
BATCH = 125
WORKERS = (1, 2, 4)
AGAIN = {1: 0, 2: 1, 4: 2}
"""Of what is remembered so much is computed again, by workers: nothing, so that what is wrong shows in the counts; everything; half."""

TURNS: Sequence[tuple[str, Sequence[str]]] = tuple(
    turn for saving in SAVINGS for turn in (("exact", ()), ("tree", ()), ("exact", (saving,)), ("disk", ()))
)
"""What the batches of a long run are compared by, one after the other."""

Sorts = tuple[type[Scalarset], ...]


@contextmanager
def watching(store: str, again: int) -> Iterator[Watch]:
    """A watch that keeps states so; on the disk in a directory of its own, in which nothing may be left."""
    if store != "disk":
        yield Watch(store=store, again=again)
        return
    with TemporaryDirectory() as folder:
        yield Watch(disk=Path(folder), again=again)
        assert os.listdir(folder) == []


@contextmanager
def remembering_everything() -> Iterator[None]:
    """What actions and invariants do is remembered however little they cost: drawn ones cost little."""
    usual = recall.COST_MIN, properties.COST_MIN, reading.WORDS_MIN
    recall.COST_MIN = properties.COST_MIN = reading.WORDS_MIN = 0
    yield
    recall.COST_MIN, properties.COST_MIN, reading.WORDS_MIN = usual


@contextmanager
def numbering_all(most: int = numbering.NUMBERS_MAX) -> Iterator[None]:
    """Networks are bit sets however little that saves, of at most so many messages."""
    usual = numbering.WORDS_SAVED_MIN, numbering.NUMBERS_MAX
    numbering.WORDS_SAVED_MIN, numbering.NUMBERS_MAX = -numbering.NUMBERS_MAX, most
    yield
    numbering.WORDS_SAVED_MIN, numbering.NUMBERS_MAX = usual


def with_network(seed: int, source: str) -> str | None:
    """A drawn spec with a capacity of its network, by the seed; None if it sends nothing into a network."""
    given = f"capacity={2 + seed % 3}{', lossy=True' if seed % 2 else ''}"
    changed, count = re.subn(r"(wire: Network\[.*?\]).*", rf"\1 = Network({given})", source)
    return changed if count and "wire.send(" in source else None


def summary(covered: Covered, exact: bool) -> tuple[object, ...]:
    """What must agree. Without symmetry also the counterexample itself, step by step. With it each engine looks at a state of its own of
    each orbit, and of several violations at the same distance it may meet another first."""
    finding = covered.finding
    shown = None if finding is None else finding if exact else len(finding.steps)
    return (
        covered.states,
        covered.transitions,
        covered.depth,
        covered.levels,
        dict(covered.cuts),
        dict(covered.actions),
        covered.reached,
        shown,
        covered.stopped,
    )


def reductions(system: System) -> list[Sorts]:
    """The sorts to reduce over: none, and all that may be."""
    reduced = affordable(system, symmetric_sorts(system)[0])[0]
    return [(), reduced] if reduced else [()]


def compare(
    spec: type[Spec],
    workers: Sequence[int] = (1,),
    states_max: int = STATES_MAX,
    stores: Sequence[str] = ("exact",),
    savings: Sequence[str] = (),
) -> list[str]:
    """What was compared: "plain", "symmetry", "violation"; "large" if the spec has too many states. Raises AssertionError."""
    system = System(spec)
    done: list[str] = []
    with system:
        for sorts in reductions(system):
            expected = reference(system, sorts, Watch(Limits(states=states_max)), 1)
            if expected.stopped is not None:
                done.append("large")
                continue
            for count, store in product(workers, stores):
                with watching(store, AGAIN[count]) as watch:
                    found = native(system, sorts, watch, count)
                assert summary(found, not sorts) == summary(expected, not sorts), (count, store, sorts, found, expected)
            for saving in savings:
                found = native(system, sorts, Watch(without=[saving]), 1)
                assert summary(found, not sorts) == summary(expected, not sorts), (saving, sorts, found, expected)
            done += ["symmetry" if sorts else "plain", *(["violation"] if expected.finding else [])]
    return done


@dataclass(frozen=True)
class Case:
    """One exploration to compare."""

    seed: int
    system: System
    initial: list[tuple[Arguments, State]]
    sorts: Sorts
    expected: Covered
    rendered: Rendered


def draw(
    number: int,
    without: Sequence[str] = (),
    odd: bool = False,
    tally: Counter[str] | None = None,
    constraints: bool = False,
    networks: bool = False,
    naive: bool = False,
    wider: bool = False,
    ends: bool = False,
) -> list[Case]:
    """Random specs often end at their first state; of a few the first is taken that has some more, or the one that has most; with
    `constraints`, of those in which one cuts; with `networks`, of those that have one."""
    best: tuple[int, System, Covered] | None = None
    tally = Counter() if tally is None else tally
    for seed in range(TRIES * number, TRIES * (number + 1)):
        tally["drawn"] += 1
        source = write(seed, odd=odd, constraints=constraints, naive=naive, wider=wider, ends=ends)
        wired = with_network(seed, source) if networks else source
        if wired is None:
            continue
        try:
            system = System(load(wired))
            if odd or naive:
                means_the_same(system)
        except SpecError:
            if not odd:
                raise
            tally["refused"] += 1
            continue
        try:
            with system:
                covered = reference(system, (), Watch(Limits(states=DRAWN_STATES_MAX)), 1)
        except Failure:  # There is no initial state.
            continue
        if constraints:
            if not any(name.startswith("constraint") for name in covered.cuts):
                continue
            means_the_same(system)
        if covered.stopped is None and (best is None or covered.states > best[2].states):
            best = (seed, system, covered)
        if best is not None and best[2].states > RICH:
            break
    if best is None:
        return []
    if wider:
        means_the_same(best[1])
    return list(_cases(*best, without))


def means_the_same(system: System) -> None:
    """Hold CPython's run of a spec to its typed model. Raises SpecError if it has none, AssertionError if they differ."""
    model = build(system)
    with system:
        verify(model)
        agree_initially(system, model)
        try:
            agree(system, model, MODEL_STATES)
        except Failure:  # There is no initial state.
            return


def _cases(seed: int, system: System, plain: Covered, without: Sequence[str]) -> Iterator[Case]:
    with system:
        initial = list(system.initial())
        for sorts in reductions(system):
            expected = reference(system, sorts, Watch(), 1) if sorts else plain
            rendered = rendering(system, [state for _, state in initial], sorts, without)
            yield Case(seed, system, initial, sorts, expected, rendered)


def agree_on(
    numbers: Sequence[int],
    store: str = "exact",
    without: Sequence[str] = (),
    odd: bool = False,
    constraints: bool = False,
    messages: int | None = None,
    naive: bool = False,
    wider: bool = False,
    ends: bool = False,
) -> Counter[str]:
    """Compare drawn specs with these numbers, without some savings, and count what was compared. With `messages`, only those with a
    network, which may be a bit set of so many. Raises AssertionError."""
    library.FLAGS = (*QUICK_FLAGS, *SMALL.get(store, ()))
    tally: Counter[str] = Counter()
    networks = messages is not None
    with remembering_everything(), numbering_all(numbering.NUMBERS_MAX if messages is None else messages):
        drawn = [draw(number, without, odd, tally, constraints, networks, naive, wider, ends) for number in numbers]
    cases = [case for found in drawn for case in found]
    for group in by_words([case.rendered for case in cases]):
        batch = compile_batch([cases[position].rendered for position in group], store)
        for number, position in enumerate(group):
            tally[_compare_case(cases[position], batch.choose(number), store)] += 1
    tally["specs"] = sum(map(bool, drawn))
    tally["explorations"] = len(_workers(store)) * len(cases)
    tally["numbered"] = sum("#define MODEL_NUMBERS" in case.rendered.source for case in cases)
    tally["remembered"] = sum(len(case.rendered.sites) for case in cases)
    tally["with symmetry"] = len(WORKERS) * sum(bool(case.sorts) for case in cases)
    for case in cases:
        if not case.sorts:
            tally["more than 8 states"] += case.expected.states > RICH
            tally["with cuts"] += bool(case.expected.cuts)
            tally["violated" if case.expected.finding else "held"] += 1
            tally["error"] += case.expected.finding is not None and case.expected.finding.kind == "error"
            tally["deadlock"] += case.expected.finding is not None and case.expected.finding.kind == DEADLOCK
    return tally


def _workers(store: str) -> Sequence[int]:
    return WORKERS if store != "disk" else (1,)


def _compare_case(case: Case, engine: library.Library, store: str) -> str:
    """What came of it: a number that leaves 64 bits ends the native search without a verdict, and so do too many messages."""
    with case.system:
        for workers in _workers(store):
            try:
                with watching(store, AGAIN[workers]) as watch:
                    found = run(case.system, engine, case.initial, watch, workers)
            except EngineUnavailable:  # A goal raises an error, and it is for the reference engine to say where.
                assert _a_goal_raises(case)
                continue
            except Crowded:
                return "ran out of numbers"
            if found.too_large:
                return "left 64 bits"
            assert summary(found, not case.sorts) == summary(case.expected, not case.sorts), (
                f"seed {case.seed}, {workers} workers, symmetry over {case.sorts}:\n{found}\n{case.expected}"
            )
    return "compared"


def _a_goal_raises(case: Case) -> bool:
    """Whether an error in a goal is what the reference engine finds, or is there beside what it finds first, for whichever arguments."""
    finding, system = case.expected.finding, case.system
    if finding is None or (finding.kind == "error" and finding.method in system.of(*GOALS)):
        return finding is not None
    for goal, state in product(system.of(*GOALS), Search(system, case.sorts, Watch()).run().states):
        for arguments in system.choices(goal.parameters):
            try:
                system.evaluate(goal, state, arguments)
            except Failure:
                return True
    return False


def _agree_or_say(
    numbers: Sequence[int],
    without: Sequence[str] = (),
    odd: bool = False,
    messages: int | None = None,
    wider: bool = False,
    ends: bool = False,
    store: str = "exact",
    turns: bool = False,
) -> tuple[Counter[str], str]:
    """One by one what disagrees together, so that each is named. With `turns` what a batch is compared by follows from its numbers."""
    if turns:
        store, without = TURNS[numbers[0] // BATCH % len(TURNS)]
    try:
        return agree_on(numbers, store, without, odd, messages=messages, wider=wider, ends=ends), ""
    except Exception as problem:
        if len(numbers) == 1:
            return Counter({"specs": 1, "DISAGREE": 1}), f"number {numbers[0]}: {problem!r}\n"
    found = [_agree_or_say([number], without, odd, messages, wider, ends, store) for number in numbers]
    return sum((tally for tally, _ in found), Counter()), "".join(said for _, said in found)


def main() -> int:
    """Compare on `--count` specs; 1 if any disagrees."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=0, help="the number of the first spec")
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--odd", action="store_true", help="specs that nobody would write")
    options.add_argument("--wider", action="store_true", help="specs with several @init methods and partial maps")
    options.add_argument("--ends", action="store_true", help="specs with runs that end")
    options.add_argument("--without", action="append", default=[], choices=SAVINGS, help="a saving to switch off")
    options.add_argument("--store", default="exact", choices=library.STORE_FLAGS, help="how states are kept")
    options.add_argument(
        "--turns", action="store_true", help="batches take turns: each store, and each saving switched off"
    )
    options.add_argument("--messages", type=int, help="specs with a network, as a bit set of at most so many messages")
    chosen = options.parse_args()
    end = chosen.seed + chosen.count
    batches = [range(begin, min(begin + BATCH, end)) for begin in range(chosen.seed, end, BATCH)]
    total: Counter[str] = Counter()
    with get_context("spawn").Pool(chosen.processes, maxtasksperchild=8) as pool:
        for done, (tally, said) in enumerate(
            pool.imap(
                partial(
                    _agree_or_say,
                    without=chosen.without,
                    odd=chosen.odd,
                    messages=chosen.messages,
                    wider=chosen.wider,
                    ends=chosen.ends,
                    store=chosen.store,
                    turns=chosen.turns,
                ),
                batches,
            ),
            start=1,
        ):
            total.update(tally)
            print(f"{said}{done} of {len(batches)} batches", flush=True)
    print(", ".join(f"{count:,} {name}" for name, count in total.items()))
    return int(total["DISAGREE"] > 0)


if __name__ == "__main__":
    sys.exit(main())
