"""Liveness in C against the reference engine and networkx, on random graphs, under the compiler's sanitizers."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

import networkx
import pytest
from quorate.explore.limits import Watch
from quorate.explore.native import liveness as native
from quorate.explore.native.search import rendering
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate_specs.consensus.raft_election import RaftElection
from quorate_specs.transactions.two_phase_commit import Blocking, TwoPhaseCommitWithCrashes

from tests.native.agreement import SMALL_TREE
from tests.native.building import found, program
from tests.native.fair_systems import differences, runner_in
from tests.native.listed import (
    BEGINS,
    CUT,
    ERROR,
    EVENTUALLY,
    FULFILLED,
    HOLDS,
    LEADS_TO,
    RAISES,
    STOPPED,
    UNJUDGED,
    VIOLATED,
    Build,
    Judged,
    Listed,
    Reached,
    answers,
    drawn,
    path,
    verdict,
)
from tests.native.liveness_agreement import SMALL_GRAPH

LISTED = '#include "listed.c"\n#include "run_liveness.c"\n'
EVERY_STATE = 2**64 - 1


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("liveness")

    @cache
    def made(sanitizer: str) -> str:
        return program(folder / sanitizer, LISTED, sanitizer)

    return made


@pytest.mark.slow
@pytest.mark.parametrize(("sanitizer", "seeds"), [("plain", range(3_000)), ("address", range(3_000, 5_000))])
def test_the_lasso_is_that_of_the_reference_engine_step_by_step(build: Build, sanitizer: str, seeds: range) -> None:
    graphs = [drawn(seed) for seed in seeds]
    kinds = {"holds": 0, "unjudged": 0, "stays": 0, "loop": 0}
    for graph, answer in zip(graphs, answers(build(sanitizer), graphs), strict=True):
        reached = Reached.of(graph)
        expected = Judged(reached, graph).answer()
        changing = sum(target != number for number, edges in enumerate(reached.edges) for _, target in edges)
        assert (answer.states, answer.transitions, answer.stop) == (len(reached.places), changing, 0)
        assert (answer.verdict, answer.begun) == (verdict(expected), expected.begun), graph
        assert (answer.pending, answer.leaving) == (expected.pending, expected.leaving), graph
        finding = expected.finding or expected.forced
        if finding is not None or answer.verdict != UNJUDGED:
            assert (answer.first, answer.stem, answer.loop) == path(finding), graph
        if answer.verdict == VIOLATED:
            kinds["loop" if answer.loop else "stays"] += 1
        else:
            kinds["holds" if answer.verdict == HOLDS else "unjudged"] += 1
    assert min(kinds.values()) > len(seeds) / 50, kinds


def test_components_are_those_of_networkx(build: Build) -> None:
    """Without fairness a run can stay in every component."""
    graphs = []
    for seed in range(600):
        graph = drawn(seed)
        graph.lines = [[(0, *rest) for _, *rest in lines if rest[-1] != CUT] for lines in graph.lines]
        graph.property, graph.promises = LEADS_TO, [BEGINS for _ in graph.promises]
        graphs.append(graph)
    for graph, answer in zip(graphs, answers(build("address"), graphs), strict=True):
        whole: networkx.DiGraph[int] = networkx.DiGraph(
            (place, target) for place, lines in enumerate(graph.lines) for _, _, target in lines
        )
        whole.add_nodes_from(range(len(graph.lines)))
        reached = set(range(graph.initial)).union(
            *(networkx.descendants(whole, place) for place in range(graph.initial))
        )
        expected = {frozenset(found) for found in networkx.strongly_connected_components(whole.subgraph(reached))}
        groups: dict[int, set[int]] = {}
        for place, component in answer.components.items():
            groups.setdefault(component, set()).add(place)
        assert set(map(frozenset, groups.values())) == expected


@pytest.mark.slow
@pytest.mark.parametrize("back", [0, 150_000])
def test_a_way_through_all_states_needs_no_recursion(build: Build, back: int) -> None:
    """A line of states, at whose end only going back to the state `back` is possible."""
    states = 200_000
    lines = [[(1, 0, number + 1)] for number in range(states - 1)] + [[(1, 0, back)]]
    answer = next(answers(build("address"), [Listed(EVENTUALLY, 1, [BEGINS] * states, lines)]))
    assert (answer.verdict, len(answer.stem), len(answer.loop)) == (VIOLATED, back, states - back)


def test_an_error_in_a_property_comes_with_the_first_shortest_run(build: Build) -> None:
    lines = [[(0, 0, 1), (0, 1, 2)], [(0, 0, 3)], [(0, 0, 3), (0, 1, 4)], [(0, 0, 0)], []]
    answer = next(
        answers(build("address"), [Listed(LEADS_TO, 1, [BEGINS, BEGINS, 0, FULFILLED | RAISES, RAISES], lines)])
    )
    assert (answer.verdict, answer.stem) == (ERROR, [(0, 0), (0, 0)])


def test_limits_end_a_check_honestly(build: Build) -> None:
    """Whatever phase the memory ends in, the answer is that it ended, up to the limit from which on there is enough."""
    states = 20_000
    lines = [[(1, 0, (7 * number + step) % states) for step in (1, 2)] for number in range(states)]
    graph, runner = Listed(EVENTUALLY, 1, [BEGINS] * states, lines), build("address")
    ended = []
    for kilobytes in range(512, 4_096, 256):
        answer = next(answers(runner, [graph], kilobytes))
        assert (answer.verdict, answer.stop) in ((STOPPED, 3), (VIOLATED, 0))
        ended.append(answer.verdict == STOPPED)
    assert ended == sorted(ended, reverse=True) and ended.count(True) > 3 and not ended[-1]
    limited = next(answers(runner, [graph], 4_096, 1_000))
    assert (limited.verdict, limited.stop, limited.states) == (STOPPED, 4, 1_000)


def large(seed: int) -> Listed:
    """Levels of hundreds of states, of which each is reached from many; half of the properties hold."""
    random, states = Random(seed), 3_000
    lines = [
        sorted((random.randrange(5), argument, random.randrange(states)) for argument in range(random.randrange(2, 6)))
        for _ in range(states)
    ]
    promises = [random.choice([0, BEGINS, FULFILLED] if seed % 2 else [0, FULFILLED]) for _ in range(states)]
    return Listed(LEADS_TO if seed % 2 else EVENTUALLY, 2, [BEGINS, BEGINS, *promises[2:]], lines)


@pytest.mark.slow
def test_several_workers_build_the_same_graph_without_a_race(tmp_path: Path) -> None:
    graphs = [large(seed) for seed in range(4)]
    runner = program(tmp_path / "thread", LISTED, "thread", *SMALL_GRAPH)
    alone = list(answers(runner, graphs, 1 << 20, EVERY_STATE, 1))
    assert {answer.verdict for answer in alone} == {HOLDS, VIOLATED} and min(answer.states for answer in alone) > 2_000
    for workers in (2, 4):
        assert list(answers(runner, graphs, 1 << 20, EVERY_STATE, workers)) == alone
    for workers in (1, 3):
        limited = next(answers(runner, graphs, 1 << 20, 1_000, workers))
        assert (limited.verdict, limited.stop, limited.states) == (STOPPED, 4, 1_000)


CHECK_ALL = """
#ifndef BUILDERS
#define BUILDERS 1
#endif
int main(void) {
    Liveness *l = quorate_liveness_open((uint64_t)1 << 30, UINT64_MAX, BUILDERS);
    uint64_t choice[8] = {0};
    printf("built=%d verdicts=", quorate_liveness_build(l));
    for (uint64_t property = 0; property < MODEL_LIVENESS; property++)
        printf("%d", quorate_liveness_check(l, property, choice));
    printf(" states=%llu\\n", (unsigned long long)count_of(&l->graph));
    quorate_liveness_close(l);
}
"""


TREE = ("-DSTORE_TREE=1", *SMALL_TREE, *SMALL_GRAPH)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "verdicts", "sanitizer", "flags"),
    [
        (TwoPhaseCommitWithCrashes.bounded(Crashes=2), [HOLDS, HOLDS, HOLDS], "address", ()),
        (Blocking, [HOLDS, VIOLATED, HOLDS], "address", ("-DBUILDERS=2", *SMALL_GRAPH)),
        (RaftElection.bounded(Term=1), [HOLDS], "address", TREE),
        (RaftElection.bounded(Term=1), [HOLDS], "thread", ("-DBUILDERS=3", *TREE)),
    ],
)
def test_models_of_the_library_are_clean_under_sanitizers(
    tmp_path: Path, spec: type[Spec], verdicts: list[int], sanitizer: str, flags: tuple[str, ...]
) -> None:
    """Every liveness property, with its first arguments."""
    system = System(spec)
    with system:
        source = rendering(system, [state for _, state in system.initial()], ()).source
        expected = native.explore(system, (), Watch())
    runner = program(
        tmp_path / "model",
        source + CHECK_ALL,
        sanitizer,
        "-O0",
        "-w",
        "-DINLINE=static __attribute__((unused))",
        *flags,
    )
    answer = found(runner)
    assert answer["verdicts"] == "".join(map(str, verdicts))
    assert (answer["built"], answer["states"]) == ("1", str(expected.states))


def test_both_engines_agree_with_the_definition_of_fairness_on_random_systems_with_cuts(tmp_path: Path) -> None:
    """More of them: `python -m tests.native.fair_systems`."""
    tally: Counter[str] = Counter()
    assert differences(runner_in(tmp_path), range(400), tally) == []
    assert tally["not judged"] > 10 and tally["violated"] > 100 and tally["with cuts"] > 100, tally
