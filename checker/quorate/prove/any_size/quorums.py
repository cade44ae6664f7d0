"""Quorum systems: why any two quorums meet, proven for every number of nodes, or two that do not.

The proofs for any size take for granted that two majorities have a member in common. Here that is proven, so that it
is an axiom of nothing. Groups of nodes divide the nodes into the regions of a Venn diagram, and all that matters of a
region is how many nodes it has. A claim about the sizes of quorums is then a claim of linear integer arithmetic over
those numbers, which Z3 decides for every N at once. A claim that fails has numbers for each region, and these are
concrete quorums.

Sources: Gifford 1979 (R + W > N); Malkhi & Reiter 1998, "Byzantine Quorum Systems"; Cheung, Ammar & Ahamad 1992
(grids); Howard, Malkhi & Spiegelman 2016, "Flexible Paxos"; Lamport 2006, "Fast Paxos"; Ongaro 2014, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, TypeAlias, cast

from quorate.errors import UsageError, unknown

if TYPE_CHECKING:
    from z3 import ArithRef, BoolRef, IntNumRef, ModelRef


class Venn:
    """The regions of a Venn diagram of named groups, each with its number of nodes as an integer expression."""

    def __init__(self, groups: Sequence[str]) -> None:
        from z3 import Int

        self.groups = tuple(groups)
        self.regions: dict[frozenset[str], ArithRef] = {}
        for mask in range(1 << len(groups)):
            inside = frozenset(name for bit, name in enumerate(groups) if mask >> bit & 1)
            self.regions[inside] = Int("only " + "&".join(sorted(inside)) if inside else "outside")

    def size(self, *groups: str, without: Sequence[str] = ()) -> ArithRef:
        """How many nodes are in all of `groups` and in none of `without`; without arguments, all nodes."""
        from z3 import IntVal, Sum

        return Sum(
            [
                IntVal(0),
                *(
                    count
                    for inside, count in self.regions.items()
                    if inside.issuperset(groups) and inside.isdisjoint(without)
                ),
            ]
        )

    def counts(self) -> list[BoolRef]:
        """No region has less than no nodes."""
        return [count >= 0 for count in self.regions.values()]


Parameters: TypeAlias = "dict[str, ArithRef]"
Facts: TypeAlias = "Callable[[Venn, Parameters], list[BoolRef]]"


@dataclass(frozen=True)
class QuorumSystem:
    """A way to choose quorums, and the claim that they meet.

    `legal` limits the parameters to those that make sense, `condition` is what the claim needs of them (also in
    words), `quorums` says which groups are quorums, `meets` is the claim.
    """

    name: str
    sentence: str
    parameters: tuple[str, ...]
    groups: tuple[str, ...]
    words: str
    legal: Callable[[Parameters], list[BoolRef]]
    condition: Callable[[Parameters], BoolRef]
    quorums: Facts
    meets: Callable[[Venn, Parameters], BoolRef]


@dataclass(frozen=True)
class Meeting:
    """The answer for one quorum system and some values of its parameters.

    `meets` is true when quorums meet for all values of the parameters that were left open and satisfy `condition`, and there are some;
    `exact` when they fail to meet for all other values. `groups` are concrete groups of nodes, numbered from 1, that
    do not meet, and `values` the parameters there.
    """

    system: QuorumSystem
    given: dict[str, int]
    meets: bool
    exact: bool
    condition: str
    values: dict[str, int]
    groups: dict[str, frozenset[int]]
    nodes: int

    def drawn(self) -> str:
        """The groups that do not meet, one row each, or the empty text."""
        if not self.groups:
            return ""
        width = max(len(name) for name in self.groups)
        label = [f"n{node}" for node in range(1, self.nodes + 1)]
        rows = [f"{'':<{width}}  {' '.join(label)}"]
        for name, members in self.groups.items():
            marks = [("#" if node in members else ".").ljust(len(text)) for node, text in enumerate(label, 1)]
            rows.append(f"{name:<{width}}  {' '.join(marks)}".rstrip())
        return "\n".join(rows)


def _two(sizes: Callable[[Parameters], tuple[ArithRef, ArithRef]]) -> Facts:
    """Two quorums, A and B, with at least so many members."""

    def facts(venn: Venn, p: Parameters) -> list[BoolRef]:
        first, second = sizes(p)
        return [venn.size() == p["N"], venn.size("A") >= first, venn.size("B") >= second]

    return facts


def _share_one(venn: Venn, _: Parameters) -> BoolRef:
    return venn.size("A", "B") >= 1


def _everything(_: Parameters) -> BoolRef:
    from z3 import BoolVal

    return BoolVal(True)


def _within(*names: str) -> Callable[[Parameters], list[BoolRef]]:
    return lambda p: [p["N"] >= 1, *(bound for name in names for bound in (p[name] >= 1, p[name] <= p["N"]))]


def _fast(venn: Venn, p: Parameters) -> list[BoolRef]:
    return [venn.size() == p["N"], venn.size("A") >= p["F"], venn.size("B") >= p["F"], venn.size("C") >= p["Q"]]


def _byzantine(venn: Venn, p: Parameters) -> list[BoolRef]:
    size = 2 * p["t"] + 1
    return [venn.size() == p["N"], venn.size("A") >= size, venn.size("B") >= size, venn.size("faulty") <= p["t"]]


def _masked(venn: Venn, p: Parameters) -> list[BoolRef]:
    return [
        venn.size() == p["N"],
        venn.size("A") >= p["N"] - p["t"],
        venn.size("B") >= p["N"] - p["t"],
        venn.size("faulty") <= p["t"],
    ]


def _joint(venn: Venn, _: Parameters) -> list[BoolRef]:
    return [
        2 * venn.size("A", "old") > venn.size("old"),
        2 * venn.size("A", "new") > venn.size("new"),
        2 * venn.size("B", "old") > venn.size("old"),
    ]


def _one_more(venn: Venn, p: Parameters) -> list[BoolRef]:
    """A is a majority of N nodes, B of these and one more."""
    return [
        venn.size("old") == p["N"],
        venn.size(without=("old",)) == 1,
        venn.size("A", without=("old",)) == 0,
        2 * venn.size("A") > p["N"],
        2 * venn.size("B") > p["N"] + 1,
    ]


def _grid_row(venn: Venn, p: Parameters) -> list[BoolRef]:
    """The nodes here are one row of the grid, with one cell per column: A holds all of it, B a cell of every row, so
    one of it."""
    return [venn.size() == p["columns"], venn.size("A") == p["columns"], venn.size("B") >= 1]


SYSTEMS: dict[str, QuorumSystem] = {
    system.name: system
    for system in (
        QuorumSystem(
            "majority",
            "Two majorities of N nodes have a node in common.",
            ("N",),
            ("A", "B"),
            "always",
            _within(),
            _everything,
            lambda venn, p: [venn.size() == p["N"], 2 * venn.size("A") > p["N"], 2 * venn.size("B") > p["N"]],
            _share_one,
        ),
        QuorumSystem(
            "half-plus-one",
            "Two groups of N // 2 + 1 of N nodes have a node in common.",
            ("N",),
            ("A", "B"),
            "always",
            _within(),
            _everything,
            _two(lambda p: (p["N"] / 2 + 1, p["N"] / 2 + 1)),
            _share_one,
        ),
        QuorumSystem(
            "read-write",
            "R nodes that are read and W that were written have a node in common.",
            ("N", "R", "W"),
            ("A", "B"),
            "R + W > N",
            _within("R", "W"),
            lambda p: p["R"] + p["W"] > p["N"],
            _two(lambda p: (p["R"], p["W"])),
            _share_one,
        ),
        QuorumSystem(
            "write-write",
            "Two groups of W nodes that were written have a node in common.",
            ("N", "W"),
            ("A", "B"),
            "W + W > N",
            _within("W"),
            lambda p: 2 * p["W"] > p["N"],
            _two(lambda p: (p["W"], p["W"])),
            _share_one,
        ),
        QuorumSystem(
            "flexible",
            "A quorum of phase 1 and one of phase 2 have a node in common (Flexible Paxos).",
            ("N", "Q1", "Q2"),
            ("A", "B"),
            "Q1 + Q2 > N",
            _within("Q1", "Q2"),
            lambda p: p["Q1"] + p["Q2"] > p["N"],
            _two(lambda p: (p["Q1"], p["Q2"])),
            _share_one,
        ),
        QuorumSystem(
            "fast",
            "Two fast quorums of F nodes and a classic one of Q have a node in common (Fast Paxos).",
            ("N", "F", "Q"),
            ("A", "B", "C"),
            "F + F + Q > N + N",
            _within("F", "Q"),
            lambda p: 2 * p["F"] + p["Q"] > 2 * p["N"],
            _fast,
            lambda venn, _: venn.size("A", "B", "C") >= 1,
        ),
        QuorumSystem(
            "byzantine",
            "Two groups of 2t + 1 of N = 3t + 1 nodes have a correct node in common, if t are faulty.",
            ("N", "t"),
            ("A", "B", "faulty"),
            "N <= 3t + 1",
            lambda p: [p["t"] >= 0, p["N"] >= 2 * p["t"] + 1],
            lambda p: p["N"] <= 3 * p["t"] + 1,
            _byzantine,
            lambda venn, _: venn.size("A", "B", without=("faulty",)) >= 1,
        ),
        QuorumSystem(
            "byzantine-available",
            "Two groups of N - t nodes have a correct node in common, if t are faulty.",
            ("N", "t"),
            ("A", "B", "faulty"),
            "N > 3t",
            lambda p: [p["t"] >= 0, p["N"] >= p["t"], p["N"] >= 1],
            lambda p: p["N"] > 3 * p["t"],
            _masked,
            lambda venn, _: venn.size("A", "B", without=("faulty",)) >= 1,
        ),
        QuorumSystem(
            "joint",
            "A joint quorum, a majority of the old and of the new nodes, meets every majority of the old ones.",
            (),
            ("A", "B", "old", "new"),
            "always",
            lambda _: [],
            _everything,
            _joint,
            _share_one,
        ),
        QuorumSystem(
            "single-change",
            "A majority of N nodes meets every majority after one node was added.",
            ("N",),
            ("A", "B", "old"),
            "always",
            _within(),
            _everything,
            _one_more,
            _share_one,
        ),
        QuorumSystem(
            "grid",
            "A full row of a grid meets every group with a node in each row.",
            ("columns",),
            ("A", "B"),
            "always",
            lambda p: [p["columns"] >= 1],
            _everything,
            _grid_row,
            _share_one,
        ),
    )
}


def examine(name: str, timeout_ms: int = 10_000, **given: int) -> Meeting:
    """Whether the quorums of a system meet, for the given values of its parameters and all values of the others.

    Raises UsageError for an unknown system or parameter, and for values that no legal configuration has.
    """
    import z3

    system = SYSTEMS.get(name)
    if system is None:
        raise unknown("quorum system", name, SYSTEMS)
    for parameter in given:
        if parameter not in system.parameters:
            raise unknown(f"parameter of {name!r}", parameter, system.parameters)
    p: Parameters = {
        parameter: z3.IntVal(given[parameter]) if parameter in given else z3.Int(parameter)
        for parameter in system.parameters
    }
    venn = Venn(system.groups)
    legal = system.legal(p)
    if _decided(timeout_ms, legal) is None:
        raise UsageError(f"No configuration has {_assignments(given)}: {system.sentence}")
    broken = [*legal, *venn.counts(), *system.quorums(venn, p), z3.Not(system.meets(venn, p))]
    condition = system.condition(p)
    possible = _decided(timeout_ms, [*legal, condition]) is not None
    meets = possible and _decided(timeout_ms, [*broken, condition]) is None
    counterexample = _smallest(timeout_ms, broken, venn)
    if counterexample is None:
        return Meeting(system, given, meets, True, _words(system, given), {}, {}, 0)
    regions = list(venn.regions.values())
    always_fails = z3.Not(z3.Exists(regions, z3.And(broken)))
    exact = _decided(timeout_ms, [*legal, z3.Not(condition), always_fails]) is None
    groups, nodes = _concrete(venn, counterexample)
    values = {parameter: _integer(counterexample, p[parameter]) for parameter in system.parameters}
    return Meeting(system, given, meets, exact, _words(system, given), values, groups, nodes)


def _decided(timeout_ms: int, facts: list[BoolRef]) -> ModelRef | None:
    """A model of the facts, or None if they have none. Linear integer arithmetic is decidable: an unknown is a time-
    out."""
    import z3

    solver = z3.Solver()
    solver.set("timeout", timeout_ms)
    solver.set("random_seed", 0)
    solver.add(facts)
    verdict = solver.check()
    if verdict == z3.unknown:
        raise UsageError(
            f"Z3 did not decide the arithmetic of these quorums: {solver.reason_unknown()}. Use smaller numbers."
        )
    return solver.model() if verdict == z3.sat else None


def _smallest(timeout_ms: int, facts: list[BoolRef], venn: Venn) -> ModelRef | None:
    """A model with as few nodes as there can be."""
    found = _decided(timeout_ms, facts)
    while found is not None:
        nodes = _integer(found, venn.size())
        smaller = _decided(timeout_ms, [*facts, venn.size() < nodes])
        if smaller is None:
            return found
        found = smaller
    return None


def _integer(model: ModelRef, term: ArithRef) -> int:
    """What a number is in a model."""
    return cast("IntNumRef", model.eval(term, model_completion=True)).as_long()


def _concrete(venn: Venn, model: ModelRef) -> tuple[dict[str, frozenset[int]], int]:
    """Numbered nodes for the regions of a model; members of quorums come first."""
    members: dict[str, list[int]] = {name: [] for name in venn.groups}
    node = 0
    for inside in sorted(venn.regions, key=lambda inside: [name not in inside for name in venn.groups]):
        for _ in range(_integer(model, venn.regions[inside])):
            node += 1
            for name in inside:
                members[name].append(node)
    return {name: frozenset(nodes) for name, nodes in members.items()}, node


def _words(system: QuorumSystem, given: dict[str, int]) -> str:
    """The condition with the given numbers in it."""
    words = [str(given[word]) if word in given else word for word in system.words.split()]
    return " ".join(words)


def _assignments(given: dict[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in given.items()) or "any value"


def report(given: dict[str, int]) -> tuple[str, bool]:
    """What `quorate prove quorums` prints, and whether all that was asked holds.

    Without numbers, every system; with numbers, the systems that have just these parameters (and N). With R and W, it
    also says whether two writes meet, which matters when several clients write; the verdict is that of reads and
    writes alone.
    """
    names = [
        name
        for name, system in SYSTEMS.items()
        if not given or ("N" in system.parameters and {"N", *given} == set(system.parameters))
    ]
    names = names or [name for name, system in SYSTEMS.items() if set(given) <= set(system.parameters)]
    if not names:
        known = sorted(reduce(or_, (set(system.parameters) for system in SYSTEMS.values())))
        raise UsageError(
            f"No quorum system has the parameters {', '.join(given)} together. Parameters: {', '.join(known)}."
        )
    meetings = [examine(name, **given) for name in names]
    lines = [_said(meeting) for meeting in meetings]
    if names == ["read-write"] and "W" in given:
        lines.append(_said(examine("write-write", **{name: value for name, value in given.items() if name != "R"})))
    return "\n".join(lines), all(meeting.meets for meeting in meetings)


def _said(meeting: Meeting) -> str:
    system, given = meeting.system, meeting.given
    head = f"{system.name}: {system.sentence}"
    open_ones = [name for name in system.parameters if name not in given]
    scope = (
        f"for {'every' if meeting.meets else 'any'} {', '.join(open_ones)}"
        if open_ones
        else f"for {_assignments(given)}"
        if given
        else "for every number of nodes"
    )
    if meeting.meets and not meeting.groups:
        return f"{head}\n  proven {scope}"
    exactly = "if and only if" if meeting.exact else "if"
    lines = [
        head,
        f"  proven {scope}, {exactly} {meeting.condition}; else, for example {_assignments(meeting.values)}:"
        if meeting.meets
        else f"  NOT so {scope}: it needs {meeting.condition}. These quorums have none in common:",
    ]
    lines += [f"    {row}" for row in meeting.drawn().splitlines()]
    return "\n".join(lines)
