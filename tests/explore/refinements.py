"""Drawn refinements, and what is true of them by the explicit graph alone.

A drawn specification refines itself. If the abstract one lacks some of its actions (or has another @init), whether it does is decided here
by brute force: all states and transitions of the concrete one are listed, and of each transition that changes the state it
is asked whether some action that is left leads there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from quorate import Spec
from quorate.kinds import KINDS
from quorate.language.control import Cut
from quorate.language.declarations import declarations
from quorate.language.system import State, System

from tests import generated

STATES_MAX = 400


@dataclass(frozen=True)
class Drawn:
    """A specification with a mapping, `Refined`, to one that lacks some of its actions, `Fewer`."""

    source: str
    refined: type[Spec]
    omitted: frozenset[str]


def draw(seed: int) -> Drawn:
    """A drawn specification that is mapped to itself, with no property but the mapping. Half of the abstract ones lack an action."""
    random = Random(seed)
    source = generated.write(seed, histories=False)
    plain = generated.load(source)
    declared = {name: declaration.kind for name, declaration, _ in declarations(plain)}
    actions = [name for name, kind in declared.items() if kind == "action"]
    properties = [*plain.omits, *(name for name, kind in declared.items() if kind in KINDS)]
    omitted = random.sample(actions, 1) if len(actions) > 1 and random.random() < 0.5 else []
    lines = [
        "class Concrete(Drawn):",
        f"    omits = {(*properties,)!r}",
        "",
        "",
        "class Fewer(Drawn):",
        f"    omits = {(*properties, *omitted)!r}",
        "",
        "",
        "class Refined(Concrete):",
        "    refines = Fewer",
        "",
        "    @mapping",
        "    def refines_it(self, abstract: Fewer) -> None:",
        *(f"        abstract.{variable.name} = self.{variable.name}" for variable in System(plain).variables),
    ]
    whole = source + "\n\n" + "\n".join(lines) + "\n"
    return Drawn(whole, generated.load(whole, "Refined"), frozenset(omitted))


def transitions(system: System) -> Iterator[tuple[int, State, State, str]]:
    """All transitions of a system, with the distance of the state where they start and the action's name. Raises Failure, and
    LookupError if there are too many states."""
    level, seen, distance = list(dict.fromkeys(state for _, state in system.initial())), set[State](), 0
    while level:
        seen |= set(level)
        following: dict[State, None] = {}
        for state in level:
            for action in system.actions:
                for arguments in system.choices(action.parameters):
                    try:
                        successor = system.fire(state, action, arguments)
                    except Cut:
                        continue
                    if successor is not None:
                        yield distance, state, successor.state, action.name
                        following[successor.state] = None
        level = [state for state in following if state not in seen]
        distance += 1
        if len(seen) + len(level) > STATES_MAX:
            raise LookupError("too many states")


def distance_of_violation(drawn: Drawn) -> int | None:
    """How many steps the shortest run has that is none of the abstract specification; None if there is none."""
    system = System(drawn.refined.__mro__[1])
    with system:
        found = list(transitions(system))
    allowed = {(before, after) for _, before, after, name in found if name not in drawn.omitted}
    wrong = [far + 1 for far, before, after, _ in found if before != after and (before, after) not in allowed]
    return min(wrong, default=None)


@dataclass(frozen=True)
class Tables:
    """A refinement of two relations on numbers: initial numbers, pairs, and what each concrete number is mapped to."""

    initial: tuple[int, ...]
    pairs: frozenset[tuple[int, int]]
    level: tuple[int, ...]
    abstract_initial: tuple[int, ...]
    abstract_pairs: frozenset[tuple[int, int]]

    def distance(self) -> int | None:
        """How many steps the shortest run has that does not refine; 0 if an initial number is wrong."""
        if any(self.level[number] not in self.abstract_initial for number in self.initial):
            return 0
        seen, level, distance = set(self.initial), set(self.initial), 1
        while level:
            steps = {(before, after) for before, after in self.pairs if before in level}
            mapped = {(self.level[before], self.level[after]) for before, after in steps}
            if any(before != after and (before, after) not in self.abstract_pairs for before, after in mapped):
                return distance
            level = {after for _, after in steps} - seen
            seen |= level
            distance += 1
        return None

    def spec(self) -> type[Spec]:
        """The refinement as a specification."""
        source = f"""
from quorate import *

class Low(Nat, max=4):
    "A concrete number."

class High(Nat, max=2):
    "An abstract number."

class Above(Spec):
    n: High

    @init
    def begin(self, n: High) -> None:
        require({_among("n", self.abstract_initial)})
        self.n = n

    @action
    def go(self, to: High) -> None:
        require({_pairs("self.n", "to", self.abstract_pairs)})
        self.n = to

class Below(Spec):
    refines = Above
    n: Low

    @init
    def begin(self, n: Low) -> None:
        require({_among("n", self.initial)})
        self.n = n

    @action
    def go(self, to: Low) -> None:
        require({_pairs("self.n", "to", self.pairs)})
        self.n = to

    def seen(self) -> set[Low]:
        return {{self.n}}

    @mapping
    def refines_it(self, abstract: Above) -> None:
        found = max(self.seen())
        abstract.n = High({_chain("found", self.level)})
"""
        return generated.load(source, "Below")


def tables(seed: int) -> Tables:
    """Random relations; the abstract one has most of the steps that it needs."""
    random = Random(seed)
    pairs = frozenset((random.randrange(5), random.randrange(5)) for _ in range(random.randint(2, 8)))
    level = tuple(random.randrange(3) for _ in range(5))
    initial = tuple(sorted({random.randrange(5) for _ in range(random.randint(1, 2))}))
    abstract = {(level[before], level[after]) for before, after in pairs if random.random() < 0.85}
    begun = {level[number] for number in initial if random.random() < 0.9} or {0}
    return Tables(initial, pairs, level, tuple(sorted(begun)), frozenset(abstract) or frozenset({(0, 0)}))


def _among(name: str, numbers: tuple[int, ...]) -> str:
    return " or ".join(f"{name} == {number}" for number in numbers)


def _pairs(one: str, other: str, pairs: frozenset[tuple[int, int]]) -> str:
    return " or ".join(f"({one} == {first} and {other} == {second})" for first, second in sorted(pairs))


def _chain(name: str, values: tuple[int, ...]) -> str:
    return (
        " else ".join(f"{value} if {name} == {number}" for number, value in enumerate(values[:-1]))
        + f" else {values[-1]}"
    )
