"""Liveness in C against the reference engine and networkx, on random graphs, under the compiler's sanitizers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import networkx
import pytest
from quorate.explore import engine
from quorate.explore.fairness import Fairness
from quorate.explore.lasso import Pending
from quorate.explore.limits import Watch
from quorate.explore.liveness import Property
from quorate.explore.native import liveness as native
from quorate.explore.native.search import rendering
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate_specs.consensus.raft_election import RaftElection
from quorate_specs.transactions.two_phase_commit import Blocking, TwoPhaseCommitWithCrashes

from tests.native.building import found, program

HOLDS, VIOLATED, ERROR, STOPPED, UNJUDGED = range(5)
BEGINS, FULFILLED, RAISES = 1, 2, 4
KINDS = ("eventually", "leads_to", "infinitely_often", "eventually_always", "eventually_from", "always_from")
EVENTUALLY, LEADS_TO = range(2)
CUT = -1

Build = Callable[[str], str]
Instance = tuple[int, int]


@dataclass
class Listed:
    """A graph as `models/listed.c` reads it: for each state its promise and its transitions (action, argument, target)."""

    property: int
    initial: int
    promises: list[int]
    lines: list[list[tuple[int, int, int]]]

    def text(self) -> str:
        rows = [f"{self.property} {len(self.promises)} {self.initial}"]
        rows += [
            " ".join(map(str, (promise, len(lines), *(number for line in lines for number in line))))
            for promise, lines in zip(self.promises, self.lines, strict=True)
        ]
        return "\n".join(rows) + "\n"


def acting(number: int, fair: str | None, per: object = "instance", only_even: bool = False) -> SimpleNamespace:
    """An action of `models/listed.c`: its argument in two halves."""
    parameters = (SimpleNamespace(name="half"), SimpleNamespace(name="rest"))
    declaration = SimpleNamespace(fair=fair, fair_per=per, fair_if=None)
    return SimpleNamespace(name=str(number), declaration=declaration, parameters=parameters, only_even=only_even)


ACTIONS = (
    acting(0, None),
    acting(1, "weak"),
    acting(2, "strong"),
    acting(3, "weak", ("half",)),
    acting(4, "strong", "action", only_even=True),
)
EVEN = SimpleNamespace(parameters=())
SYSTEM = SimpleNamespace(
    fair_condition=lambda action: EVEN if action.only_even else None,
    evaluate=lambda condition, place, arguments: place % 2 == 0,
)


@dataclass
class Reached:
    """What the reference engine makes of it: states that are reached, by number in breadth-first order."""

    places: list[int] = field(default_factory=list)
    edges: list[list[tuple[int, int]]] = field(default_factory=list)
    cuts: list[list[int]] = field(default_factory=list)
    instances: list[tuple[SimpleNamespace, Instance]] = field(default_factory=list)
    initial: dict[int, Instance] = field(default_factory=dict)
    system: SimpleNamespace = field(default_factory=lambda: SYSTEM)

    @property
    def states(self) -> list[int]:
        return self.places

    @classmethod
    def of(cls, listed: Listed) -> Reached:
        found, numbers, instances = cls(), dict[int, int](), dict[Instance, int]()

        def number(place: int) -> int:
            if place not in numbers:
                numbers[place] = len(found.places)
                found.places.append(place)
            return numbers[place]

        for place in range(listed.initial):
            found.initial[number(place)] = (0, place)
        for place in found.places:
            edges, cuts = [], []
            for action, argument, target in listed.lines[place]:
                instance = instances.setdefault((action, argument), len(instances))
                if target == CUT:
                    cuts.append(instance)
                else:
                    edges.append((instance, number(target)))
            found.edges.append(edges)
            found.cuts.append(cuts)
        found.instances = [(ACTIONS[action], (argument // 2, argument % 2)) for action, argument in instances]
        return found


class Judged(Property):
    """A property of a listed graph, as the reference engine judges it."""

    def __init__(self, graph: Reached, listed: Listed) -> None:
        method: Any = SimpleNamespace(declaration=SimpleNamespace(kind=KINDS[listed.property]))
        super().__init__(graph, Fairness(graph), method, ())  # type: ignore[arg-type]
        self.places, self.listed = graph.places, listed

    def pending(self) -> Pending:
        never = KINDS[self.listed.property] not in ("eventually_always", "always_from")
        anywhere = KINDS[self.listed.property] in ("leads_to", "infinitely_often")
        promises = [self.listed.promises[place] for place in self.places]
        begins = [bool(p & BEGINS) and (anywhere or n in self.graph.initial) for n, p in enumerate(promises)]
        fulfilled = [bool(promise & FULFILLED) for promise in promises]
        self.begun = sum(begins)
        return Pending(
            [begin and not (never and done) for begin, done in zip(begins, fulfilled, strict=True)],
            [not (never and done) for done in fulfilled],
            [never or not done for done in fulfilled],
        )


def verdict(answer: engine.Answer) -> int:
    return VIOLATED if answer.finding is not None else HOLDS if answer.judged else UNJUDGED


def path(finding: engine.Finding | None) -> tuple[Instance | None, list[Instance], list[Instance]]:
    if finding is None:
        return None, [], []
    steps: list[Any] = [(int(action.name), 2 * half + rest) for action, (half, rest) in finding.steps]
    loop = len(steps) if finding.loop is None else finding.loop
    return cast(Instance, finding.initial_arguments), steps[:loop], steps[loop:]


def drawn(seed: int) -> Listed:
    random = Random(seed)
    states = random.choice([2, 3, 5, 8, 8, 20, 60])
    density = random.choice([0.7, 1.2, 1.8, 3.0])
    unfulfilled, cut, fair = (
        random.choice([0.5, 0.8, 0.95]),
        random.choice([0, 0.1, 0.4]),
        random.choice([0, 0.5, 0.9, 1]),
    )
    promises = [
        (BEGINS if random.random() < 0.5 else 0) | (0 if random.random() < unfulfilled else FULFILLED)
        for _ in range(states)
    ]
    lines = []
    for _ in range(states):
        wanted = {
            (random.choice([1, 1, 2, 3, 4]) if random.random() < fair else 0, random.randrange(4))
            for _ in range(int(random.expovariate(1 / density) + 0.5))
        }
        lines.append(
            [
                (action, argument, CUT if random.random() < cut else random.randrange(states))
                for action, argument in sorted(wanted)
            ]
        )
    return Listed(random.randrange(len(KINDS)), random.choice([1, 1, 2]), promises, lines)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("liveness")

    @cache
    def made(sanitizer: str) -> str:
        return program(folder / sanitizer, '#include "listed.c"\n#include "run_liveness.c"\n', sanitizer)

    return made


@dataclass
class Answer:
    verdict: int
    states: int
    transitions: int
    stop: int
    begun: int
    pending: int
    leaving: int
    first: Instance | None
    stem: list[Instance]
    loop: list[Instance]
    components: dict[int, int]


def answers(runner: str, graphs: list[Listed], *arguments: object) -> Iterator[Answer]:
    done = subprocess.run(
        [runner, *map(str, arguments)],
        input="".join(graph.text() for graph in graphs),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") == len(graphs)
    for line in done.stdout.splitlines():
        numbers, lasso, components = line.split("|")
        stem, _, loop = lasso.partition(";")
        steps = [[pair(part) for part in text.split(",") if part] for text in (stem, loop)]
        yield Answer(
            *map(int, numbers.split()),
            steps[0][0] if lasso else None,
            steps[0][1:],
            steps[1],
            dict(map(pair, components.split())),
        )


def pair(text: str) -> tuple[int, int]:
    first, second = text.split(":")
    return int(first), int(second)


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


CHECK_ALL = """
int main(void) {
    Liveness *l = quorate_liveness_open((uint64_t)1 << 30, UINT64_MAX);
    uint64_t choice[8] = {0};
    printf("built=%d verdicts=", quorate_liveness_build(l));
    for (uint64_t property = 0; property < MODEL_LIVENESS; property++)
        printf("%d", quorate_liveness_check(l, property, choice));
    printf(" states=%llu\\n", (unsigned long long)count_of(&l->graph));
    quorate_liveness_close(l);
}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "verdicts"),
    [
        (TwoPhaseCommitWithCrashes.bounded(Crashes=2), [HOLDS, HOLDS, HOLDS]),
        (Blocking, [HOLDS, VIOLATED, HOLDS]),
        (RaftElection.bounded(Term=1), [HOLDS]),
    ],
)
def test_models_of_the_library_are_clean_under_sanitizers(
    tmp_path: Path, spec: type[Spec], verdicts: list[int]
) -> None:
    """Every liveness property, with its first arguments."""
    system = System(spec)
    with system:
        source = rendering(system, [state for _, state in system.initial()], ()).source
        expected = native.explore(system, (), Watch())
    runner = program(
        tmp_path / "model", source + CHECK_ALL, "address", "-O0", "-w", "-DINLINE=static __attribute__((unused))"
    )
    answer = found(runner)
    assert answer["verdicts"] == "".join(map(str, verdicts))
    assert (answer["built"], answer["states"]) == ("1", str(expected.states))
