"""What runs is counted alike in C and by the interpreter of the typed model, and the interpreter counts the lines that CPython runs."""

from __future__ import annotations

import ast
import inspect
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from quorate import Spec, action, invariant
from quorate.errors import UsageError
from quorate.explore import check
from quorate.explore.choices import Choices
from quorate.explore.counting import Counts
from quorate.explore.limits import Limits, Watch
from quorate.explore.native import explore as native
from quorate.explore.native import library
from quorate.explore.native.search import rendering, run
from quorate.explore.reference import Search
from quorate.explore.reference import explore as reference
from quorate.language.control import Cut
from quorate.language.system import Failure, System
from quorate.model import build
from quorate.model.points import Points

from tests.costs import shares
from tests.native import recorded
from tests.native.agreement import QUICK_FLAGS, draw, reductions
from tests.native.batch import by_words, compile_batch
from tests.native.test_agreement import SMALLER

STATES_MAX = 250
"""The interpreter is slow: of the library those specifications are compared that have no more states at small bounds."""
SMALL = (
    "atomic_register.AtomicRegister",
    "multi_master.MultiMaster",
    "multi_paxos.MultiPaxos",
    "paxos.Paxos",
    "raft_election.RaftElection",
    "raft_leases.RaftLeases",
    "sharding.Sharding",
    "transaction_commit.TransactionCommit",
    "two_phase_commit.TwoPhaseCommit",
    "voting.Voting",
)
DRAWN = 40


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)


def comparable(counters: tuple[int, ...], points: Points, symmetric: bool) -> list[tuple[int, int]]:
    """The counters of each point; those that depend on which state stands for its orbit are left out."""
    pairs = [(counters[2 * i], counters[2 * i + 1]) for i in range(len(points))]
    return [pair for pair, point in zip(pairs, points.all, strict=True) if not (symmetric and point.in_order)]


def named(name: str) -> type[Spec]:
    """A specification of the library at small bounds."""
    found = next(spec for spec in recorded.library() if recorded.name_of(spec) == name)
    return found.bounded(**SMALLER.get(name, {}))


@pytest.mark.slow
@pytest.mark.library
@pytest.mark.parametrize("name", SMALL)
def test_the_library_is_counted_alike(name: str) -> None:
    system, compared = System(named(name)), 0
    with system:
        points = Points(build(system))
        for sorts in reductions(system):
            expected = reference(system, sorts, Watch(Limits(states=STATES_MAX), coverage=True), 1)
            if expected.stopped is None:
                found = native(system, sorts, Watch(coverage=True), 2)
                pairs = comparable(found.counted, points, bool(sorts))
                assert pairs == comparable(expected.counted, points, bool(sorts))
                compared += len(pairs)
    assert compared >= 10


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(DRAWN, DRAWN // 2, deep=0.5))
def test_drawn_specs_are_counted_alike(begin: int) -> None:
    """With one, two and four workers."""
    cases = [case for number in range(begin, begin + DRAWN // 2) for case in draw(number)]
    rendered = []
    for case in cases:
        with case.system:
            rendered.append(rendering(case.system, [state for _, state in case.initial], case.sorts, (), True))
    counted = Counter[str]()
    for group in by_words(rendered):
        batch = compile_batch([rendered[position] for position in group])
        for number, position in enumerate(group):
            case = cases[position]
            with case.system:
                points = Points(build(case.system))
                expected = reference(case.system, case.sorts, Watch(coverage=True), 1)
                for workers in (1, 2, 4):
                    found = run(case.system, batch.choose(number), case.initial, Watch(coverage=True), workers)
                    pairs = comparable(found.counted, points, bool(case.sorts))
                    assert pairs == comparable(expected.counted, points, bool(case.sorts)), case.seed
            counted["specs"] += 1
            counted["points"] += len(pairs)
            counted["never"] += pairs.count((0, 0))
    assert counted["specs"] >= DRAWN // 2 and counted["points"] > counted["never"] > 0, counted


def test_what_is_not_asked_for_is_not_in_the_c() -> None:
    system = System(
        next(spec for spec in recorded.library() if recorded.name_of(spec) == "two_phase_commit.TwoPhaseCommit")
    )
    with system:
        states = [state for _, state in system.initial()]
        plain, counted = (rendering(system, states, (), (), wanted) for wanted in (False, True))
    assert (plain.points, counted.points) == (0, len(Points(build(system))))
    assert "count" not in plain.source.replace("counted", "") and "count(0u);" in counted.source


def test_what_has_no_typed_model_has_no_coverage() -> None:
    with pytest.raises(UsageError, match=r"(?s)does not cover this specification.*This call is outside"):
        check(Outside, engine="reference", watch=Watch(coverage=True))


class Outside(Spec):
    """Python that the typed model does not cover."""

    seen: bool

    @action
    def see(self) -> None:
        self.seen = (lambda: True)()

    @invariant
    def is_a_bool(self) -> bool:
        return self.seen or not self.seen


class Lines:
    """How often CPython runs each line of a file."""

    def __init__(self, file: str) -> None:
        self.file, self.counts = file, Counter[int]()

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self.file or frame.f_code.co_name.startswith("<"):
            return None
        if event == "line":
            self.counts[frame.f_lineno] += 1
        return self


def lines_run(system: System, states: list[tuple[Any, ...]], file: str) -> Counter[int]:
    """Every action is tried in every state with every choice, by CPython."""
    lines = Lines(file)
    actions = [(action, Choices(system, action)) for action in system.actions]
    instances = [
        (state, action, chosen) for state in states for action, choices in actions for chosen in choices(state)
    ]
    before = sys.gettrace()
    sys.settrace(lines)
    try:
        for state, action, chosen in instances:
            try:
                system.fire(state, action, chosen)
            except (Cut, Failure):
                continue
    finally:
        sys.settrace(before)
    return lines.counts


@pytest.mark.parametrize("name", ["two_phase_commit.TwoPhaseCommit", "raft_election.RaftElection", "sharding.Sharding"])
@pytest.mark.slow
def test_statements_are_counted_as_cpython_runs_their_lines(name: str) -> None:
    spec = named(name)
    file = inspect.getsourcefile(spec.__mro__[1])
    assert file is not None
    simple = {
        node.lineno
        for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8")))
        if isinstance(node, ast.stmt) and node.lineno == node.end_lineno
    }
    system = System(spec)
    with system:
        search = Search(system)
        states = search.run().states
        counts = Counts(system)
        for state in states:
            counts.expand(state)
        run_by_cpython = lines_run(system, states, file)
    compared = 0
    for number, point in enumerate(counts.points.all):
        line = point.location.line
        if point.acts and not point.is_condition and line in simple and point.location.file == file:
            assert counts.counters[2 * number] == run_by_cpython[line], point.location.excerpt()
            compared += 1
    assert compared >= 15
