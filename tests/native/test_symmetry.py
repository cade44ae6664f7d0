"""The representative of a state is one of its orbit, and of all states of an orbit the same: for values of every type, whether variables or
networks tell identities apart, with a memo and without.

What the native engine says of a state is held against all its renamings as `quorate.explore.symmetry` makes them. States are drawn from the
types of a specification, whether they are reachable or not; and they are those that the library's specifications reach first.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import pytest
from quorate import Spec, cc
from quorate.explore.checking import symmetric_sorts
from quorate.explore.engine import Disagreement
from quorate.explore.limits import Limits, Watch
from quorate.explore.native import explore as native
from quorate.explore.native import library
from quorate.explore.native.library import FILE, with_engine
from quorate.explore.native.render import candidates
from quorate.explore.native.render.layout import Numbered, pack, width
from quorate.explore.native.render.numbering import TakenWhole, numbered
from quorate.explore.native.render.program import Program
from quorate.explore.native.render.shared import Shared
from quorate.explore.reference import Search
from quorate.explore.symmetry import Symmetry, affordable
from quorate.language.sorts import Scalarset
from quorate.language.system import State, System
from quorate.model import build
from quorate.model.passes import improved

from tests.generated import load
from tests.native import recorded
from tests.native.agreement import QUICK_FLAGS, agree_on, compare, numbering_all

HARNESS = """
EXPORT void *remember(uint64_t again) {
    static Budget budget;
    budget.limit = 1 << 28;
    return memo_open(again, 1 << 26, &budget);
}
EXPORT void canonical(const word *from, word *to, void *memo) {
    State state;
    memcpy(state.w, from, sizeof state.w);
    state = model_canonical(state, memo);
    memcpy(to, state.w, sizeof state.w);
}
EXPORT uint32_t mistaken(void) { return atomic_load(&common->mistaken); }
EXPORT int crowded(void) { return atomic_load(&common->crowded); }
#if MODEL_NUMBERS
EXPORT uint32_t number(word message, uint32_t most, uint32_t shift) {
    uint32_t found = number_of(message);
    return found == NONE ? number_give(message, most, shift) : found;
}
#endif
"""
RENAMINGS_MAX = 120
"""Of more renamings so many are drawn."""

HEADER = """\
from enum import Enum
from typing import Annotated
from quorate import *


class Node(Scalarset, size={nodes}):
    pass


class Item(Scalarset, size={items}):
    pass


class Part(Scalarset, size={parts}):
    pass


class Rank(Ordered, size=2):
    pass


class Level(Nat, max=2):
    pass


class Size(Nat, max=3):
    pass


@record
class Note:
    node: Node
    item: Item | None
    level: Level


@record
class Mail:
    source: Node
    target: Node
    held: set[Item]


@record
class Deep:
    holder: Node | Item | None
    seen: dict[Node, Annotated[list[Item], up_to(Size)]]
    open: Annotated[dict[Item, Level], partial]


class Drawn(Spec):
    flag: bool
"""
BODY = """
    @action
    def turn(self) -> None:
        self.flag = not self.flag
"""
SIZES = ((2, 1, 1), (2, 2, 2), (3, 1, 1), (3, 2, 1), (3, 2, 2), (3, 3, 1), (4, 1, 1), (4, 2, 1), (4, 3, 1), (5, 1, 1))
"""How many identities of each sort."""
DISTINCT = (
    HEADER.format(nodes=3, items=1, parts=1)
    + """\
    level: dict[Node, Level]
    other: dict[Node, Level]

    @action
    def rise(self, n: Node) -> None:
        self.level[n] += 1

    @action
    def follow(self, n: Node) -> None:
        self.other[n] += 1
"""
)
"""What a variable becomes depends on what another has left."""
TYPES = (
    "Node | None",
    "Node | Item | Part | None",
    "set[Node]",
    "set[tuple[Node, Item]]",
    "set[Note]",
    "dict[Node, Level]",
    "dict[Node, Node | None]",
    "dict[Item, set[Node]]",
    "dict[Part, Note | Mail | None]",
    "dict[Rank, Note | None]",
    "dict[Rank, dict[Node, set[Item]]]",
    "dict[Rank, Annotated[list[Mail], up_to(Size)]]",
    "dict[tuple[Node, Item], Level]",
    "dict[Node, Annotated[list[Node], up_to(Size)]]",
    "dict[Node, Annotated[list[Mail], up_to(Size)]]",
    "dict[Node, Deep | None]",
    "dict[Part, Annotated[dict[Node, Item], partial]]",
    "Annotated[dict[Node, Note], partial]",
    "Annotated[list[Note], up_to(Size)]",
    "tuple[Note | None, set[Node]]",
    "Deep | None",
    "Annotated[set[Deep], up_to(Size)]",
)
WIRES = (
    "Network[Note]",
    "Network[Note | Mail]",
    "Network[Note | Mail] = Network(capacity=4)",
    "Network[Deep | Note] = Network(capacity=3)",
    "Bag[Note | Mail] = Bag(capacity=4)",
    "Channels[Mail] = Channels(capacity=2)",
)


def drawn_source(seed: int) -> str:
    """A specification with some of these variables, and sorts of different sizes."""
    random = Random(seed)
    nodes, items, parts = random.choice(SIZES)
    sizes = {"nodes": nodes, "items": items, "parts": parts}
    variables = [f"    v{i}: {kind}" for i, kind in enumerate(random.sample(TYPES, random.randint(1, 4)))]
    wires = [f"    wire: {random.choice(WIRES)}"] * (random.random() < 0.7)
    return HEADER.format(**sizes) + "\n".join([*variables, *wires]) + "\n" + BODY


def drawn_states(system: System, random: Random, count: int) -> Iterator[State]:
    """States of any values. In most, some variables have their least value: that leaves identities alike."""
    for _ in range(count):
        plain = random.random()
        yield tuple(
            variable.type.decode(
                random.randrange(variable.type.cardinality)
                if random.random() > plain
                else random.choice((0, 1)) % variable.type.cardinality
            )
            for variable in system.variables
        )


def met_states(system: System, count: int) -> list[State]:
    """The first states that a specification reaches."""
    return list(Search(system, (), Watch(Limits(states=count))).run().states)[:count]


@dataclass(frozen=True)
class Compiled:
    """A model's symmetry, compiled."""

    system: System
    shared: Shared
    c: ctypes.CDLL

    @staticmethod
    def of(system: System, sorts: Sequence[type[Scalarset]]) -> Compiled:
        """Compile a model without the engine."""
        model, initial = improved(build(system)), [state for _, state in system.initial()]
        try:
            program = Program(model, initial, sorts, numbered=numbered(model, initial, ()))
            rendered = program.rendered()
        except TakenWhole:
            program = Program(model, initial, sorts)
            rendered = program.rendered()
        sources = with_engine(rendered.source)
        sources[FILE] = sources[FILE].replace('#include "engine.inc"', HARNESS)
        c = cc.load("symmetry", sources, QUICK_FLAGS)
        c.remember.restype = ctypes.c_void_p
        c.remember.argtypes = [ctypes.c_uint64]
        c.canonical.argtypes = [ctypes.c_void_p] * 3
        return Compiled(system, program.shared, c)

    def words(self, state: State) -> tuple[int, ...]:
        """A state as the engine keeps it."""
        values = dict(zip((variable.name for variable in self.system.variables), state, strict=True))
        packed = 0
        for name, kind in zip(self.shared.order, self.shared.layout.kinds, strict=True):
            if isinstance(kind, Numbered):
                messages = [ctypes.c_uint64(pack(kind.message, message)) for message in values[name].messages]
                bits = sum(1 << self.c.number(message, kind.numbers, kind.payload) for message in messages)
                packed = packed << kind.numbers | bits
            else:
                packed = packed << width(kind) | pack(kind, values[name])
        return tuple(packed >> 64 * i & (1 << 64) - 1 for i in range(self.shared.state_words))

    def canonical(self, words: tuple[int, ...], memo: int | None) -> tuple[int, ...]:
        """The representative of a state."""
        given, found = ((ctypes.c_uint64 * len(words))(*words) for _ in range(2))
        self.c.canonical(given, found, memo)
        return tuple(found)


def holds_of(system: System, states: Iterable[State], random: Random) -> bool:
    """Check representatives of these states. Whether their network is numbered and has been compared."""
    with system:
        sorts = affordable(system, symmetric_sorts(system)[0])[0]
        compiled, symmetry = Compiled.of(system, sorts), Symmetry(system, sorts)
        memo = compiled.c.remember(1)
        for state in states:
            first = compiled.canonical(compiled.words(state), memo)
            numbers = random.sample(range(symmetry.count), min(symmetry.count, RENAMINGS_MAX))
            orbit = [compiled.words(symmetry.renamed(state, number)) for number in {0, *numbers}]
            if compiled.c.crowded():
                return False
            found = {compiled.canonical(words, some) for words in orbit for some in (memo, None)}
            assert found == {first}, (system.name, state)
            assert symmetry.count > RENAMINGS_MAX or first in orbit, (system.name, state)
        assert compiled.c.mistaken() == 0, system.name
        return bool(compiled.shared.numbered)


@contextmanager
def by_colours() -> Iterator[None]:
    """Renamings are never so few that all are tried."""
    usual, candidates.CANDIDATES_MAX = candidates.CANDIDATES_MAX, 0
    yield
    candidates.CANDIDATES_MAX = usual


def agrees_on(seeds: Iterable[int], states: int = 20) -> Counter[str]:
    """Check the representatives of drawn states of drawn specifications, and count those."""
    tally: Counter[str] = Counter()
    for seed in seeds:
        system = System(load(drawn_source(seed)))
        with system:
            drawn = list(drawn_states(system, Random(seed), states))
        with numbering_all():
            tally["numbered" if holds_of(system, drawn, Random(seed)) else "plain"] += 1
    return tally


@pytest.mark.slow
def test_states_of_an_orbit_have_one_representative() -> None:
    tally = agrees_on(range(24))
    assert tally["numbered"] >= 3 and tally["plain"] >= 12


@pytest.mark.slow
def test_colours_give_states_of_an_orbit_one_representative_too() -> None:
    with by_colours():
        tally = agrees_on(range(24, 40))
    assert tally["numbered"] >= 2 and tally["plain"] >= 8


@pytest.mark.deep
@pytest.mark.parametrize("spec", list(recorded.library()), ids=recorded.name_of)
def test_states_of_the_library_have_one_representative_for_each_orbit(spec: type[Spec]) -> None:
    system = System(spec)
    with system:
        if not affordable(system, symmetric_sorts(system)[0])[0]:
            return
        states = met_states(system, 60)
    holds_of(system, states, Random(0))
    with by_colours():
        holds_of(system, states[::3], Random(0))


@pytest.mark.slow
def test_drawn_specs_have_the_orbits_of_the_reference_engine_by_colours() -> None:
    with by_colours():
        assert agree_on(range(700, 740))["with symmetry"] > 60


def sorts_of(sizes: Sequence[int]) -> str:
    """A specification with so many identities of each sort, of which the first and the last meet in keys and messages."""
    last, counted = len(sizes) - 1, range(len(sizes))
    return "\n".join(
        [
            "from typing import Annotated\nfrom quorate import *\n\n\nclass Count(Nat, max=3):\n    pass\n",
            *(f"\nclass S{i}(Scalarset, size={size}):\n    pass\n" for i, size in enumerate(sizes)),
            f"\n@record\nclass Sent:\n    one: S0\n    other: S{last} | None\n    n: Count\n\n\nclass Drawn(Spec):",
            *(f"    seen{i}: set[S{i}]" for i in counted),
            f"    n: Count\n    at: dict[tuple[S0, S{last} | None], bool]",
            f"    latest: {' | '.join(f'S{i}' for i in counted)} | None\n    wire: Network[Sent] = Network(capacity=2)",
            *(
                f"\n    @action\n    def see{i}(self, x: S{i}) -> None:\n        require(x not in self.seen{i} and self.n < 3)\n"
                f"        self.n += 1\n        self.seen{i}.add(x)\n        self.latest = x"
                for i in counted
            ),
            f"\n    @action\n    def send(self, a: S0, b: S{last} | None) -> None:\n        require(self.n < 3)\n        self.n += 1",
            "        self.at[(a, b)] = not self.at[(a, b)]\n        self.wire.send(Sent(a, b, self.n))",
            "\n    @action\n    def take(self, m: Sent) -> None:\n        require(m in self.wire)\n        self.wire.receive(m)",
            f"        if m.other is not None:\n            self.seen{last}.discard(m.other)\n        self.seen0 = self.seen0 | {{m.one}}",
            "\n    @invariant\n    def claim(self, a: S0) -> bool:",
            f"        return a not in self.seen0 or self.n < 3 or len(self.wire) < 2 or len(self.seen{last}) < 2",
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(4, 2), (3, 2, 2, 2), (2,) * 5, (2,) * 6, (3, 3, 2), (5,)], ids=str)
def test_sorts_with_renamings_around_those_of_a_word_have_the_orbits_of_the_reference_engine(
    sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    assert "symmetry" in compare(load(sorts_of(sizes)), workers=(1, 2), states_max=2_000)


def test_a_form_that_is_remembered_wrongly_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a part is looked up whatever the candidates are."""
    sources = dict(library.engine_sources())
    right = "line[0] == part && line[1] == asked"
    assert right in sources["candidates.h"]
    sources["candidates.h"] = (
        sources["candidates.h"]
        .replace(right, "line[0] == part")
        .replace("memo_hash(1, part), asked", "memo_hash(1, part), 1")
    )
    monkeypatch.setattr(library, "engine_sources", lambda: sources)
    with (system := System(load(DISTINCT))), pytest.raises(Disagreement, match="symmetry of"):
        native(system, symmetric_sorts(system)[0], Watch(again=1), 1)
