"""Random graphs with fairness, cuts and obligations, and what the engines say of them: C through a model that is a list
(`models/listed.c`), the reference engine on the same graph.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from quorate.explore import engine
from quorate.explore.liveness import Property
from quorate.explore.liveness.fairness import Fairness
from quorate.explore.liveness.lasso import Pending

HOLDS, VIOLATED, ERROR, STOPPED, UNJUDGED = range(5)
BEGINS, FULFILLED, RAISES = 1, 2, 4
KINDS = (
    *("eventually", "leads_to", "infinitely_often", "eventually_always", "eventually_from", "always_from"),
    *("infinitely_often", "eventually_always"),
)
BY_STEPS = (6, 7)
"""Those that some steps fulfil, too."""
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

    @property
    def anywhere(self) -> bool:
        """Whether an obligation begins in every state that says so."""
        return KINDS[self.property] in ("leads_to", "infinitely_often") or self.property in BY_STEPS

    def ends(self, place: int, target: int) -> bool:
        """Whether a step fulfils the property."""
        unfulfilled = not self.promises[place] & FULFILLED
        return self.property in BY_STEPS and unfulfilled and abs(target - place) in (1, 3)


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
        promises = [self.listed.promises[place] for place in self.places]
        begins = [
            bool(p & BEGINS) and (self.listed.anywhere or n in self.graph.initial) for n, p in enumerate(promises)
        ]
        fulfilled = [bool(promise & FULFILLED) for promise in promises]
        self.begun = sum(begins)
        return Pending(
            [begin and not (never and done) for begin, done in zip(begins, fulfilled, strict=True)],
            [not (never and done) for done in fulfilled],
            [never or not done for done in fulfilled],
            {
                (number, target)
                for number, edges in enumerate(self.graph.edges)
                for _, target in edges
                if target != number and self.listed.ends(self.places[number], self.places[target])
            },
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
