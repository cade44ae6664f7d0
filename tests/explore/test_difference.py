"""What one specification does and another does not, against sets that are computed from the two state graphs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import networkx as nx
import pytest
from click.testing import CliRunner
from quorate import Nat, Scalarset, Spec, action, constraint, init, invariant, require
from quorate.cli import cli
from quorate.errors import QuorateError, UsageError
from quorate.explore.difference import Compared, Difference, Direction, difference
from quorate.explore.graph import state_graph
from quorate.explore.limits import Limits, Watch
from quorate.explore.traces.replay import replay
from quorate.kinds import DIFFERENCE
from quorate.loading import load as load_spec

from tests.costs import shares
from tests.generated import write
from tests.mutants import load, mutants


class P(Scalarset, size=2):
    """A process."""


class N(Nat, max=3):
    """A number."""


class Lock(Spec):
    """Processes take turns."""

    inside: set[P]

    @action
    def enter(self, p: P) -> None:
        require(self.free())
        self.inside.add(p)

    @action
    def leave(self, p: P) -> None:
        require(p in self.inside)
        self.inside.discard(p)

    def free(self) -> bool:
        return len(self.inside) == 0

    @invariant
    def exclusive(self) -> bool:
        return len(self.inside) <= 1


class Rude(Lock):
    def free(self) -> bool:
        return True


class Counted(Lock):
    """Has a variable of its own, and a bound."""

    entries: N

    @action
    def enter(self, p: P) -> None:
        require(self.free())
        self.inside.add(p)
        self.entries += 1


class Full(Lock):
    @init
    def begin(self, p: P) -> None:
        self.inside.add(p)


class Bounded(Rude):
    @constraint
    def few(self) -> bool:
        return len(self.inside) <= 1


class Other(Spec):
    n: N

    @action
    def up(self) -> None:
        self.n += 1


def compare(first: type[Spec], second: type[Spec], **options: Any) -> Difference:
    return difference(Compared(first, first.__name__), Compared(second, second.__name__), **options)


def told(direction: Direction) -> tuple[str, int, int, int | None]:
    return direction.known, direction.states, direction.steps, None if direction.trace is None else len(direction.trace)


def test_a_weaker_guard_allows_a_run_and_loses_none() -> None:
    found = compare(Lock, Rude)
    assert told(found.only_first) == ("none", 0, 0, None)
    assert told(found.only_second) == ("some", 1, 4, 2)
    run = found.only_second.trace
    assert run is not None and run.kind == DIFFERENCE and run.sentence == "Lock has no such last step"
    assert replay(run, Rude).reproduced


def test_variables_of_one_alone_are_not_compared_and_cuts_are_told() -> None:
    found = compare(Lock, Counted)
    assert (found.common, found.first.own, found.second.own) == (("inside",), (), ("entries",))
    assert told(found.only_first) == ("none", 0, 0, None)
    assert told(found.only_second) == ("none-within-bounds", 0, 0, None)
    assert found.hidden
    assert told(compare(Counted.bounded(N=0), Lock).only_second) == ("some-within-bounds", 2, 4, 1)


def test_what_a_constraint_leaves_out_is_beyond_the_bounds() -> None:
    assert told(compare(Rude, Bounded).only_first)[0] == "some-within-bounds"
    assert told(compare(Rude, Bounded).only_second)[0] == "none-within-bounds"


def test_another_beginning_is_a_difference() -> None:
    found = compare(Full, Lock)
    assert told(found.only_first) == ("some", 0, 0, 0)
    assert found.only_first.trace is not None and "beginning" in found.only_first.trace.sentence


def test_what_was_not_explored_to_the_end_is_not_known_to_be_missing() -> None:
    found = compare(Lock, Rude, watch=Watch(Limits(states=3)))
    assert told(found.only_first) == ("unknown", 0, 0, None)
    assert found.second.stopped is not None and found.first.stopped is None
    assert found.only_second.known == "unknown" or found.only_second.trace is not None


MEMBERS = '''\
from enum import Enum

from quorate import Channels, Ordered, Scalarset, Spec, action, invariant, record


class Color(Enum):
    {members}


class Shade(Enum):
    RED = 1


class Node(Scalarset, size=2):
    """A node."""


@record
class Paint:
    {fields}


class Painted(Spec):
    """A wall, and what is known of it."""

    wall: Color | Shade | None
    seen: set[Color]
    told: dict[tuple[Color, bool], bool]
    painted: set[Paint]
    links: Channels[Paint] = Channels(capacity=1)

    @action
    def paint(self, c: Color) -> None:
        self.wall = {painted}
        self.seen.add(c)
        self.told[(c, True)] = True

    @action
    def send(self, c: Color, source: Node, target: Node) -> None:
        self.links.send(Paint(color=c, source=source, target=target))
        self.painted = {{Paint(color=c, source=source, target=target), Paint(color=c, source=target, target=source)}}

    @invariant
    def few(self) -> bool:
        return len(self.seen) <= 2
'''
FIELDS = ["color: Color", "source: Node", "target: Node"]


@pytest.mark.parametrize(
    ("members", "fields", "painted", "known"),
    [
        ("RED, GREEN = 1, 2", FIELDS, "c", "none-within-bounds"),
        ("GREEN, RED = 2, 1", FIELDS, "c", "none-within-bounds"),
        ("RED, GREEN = 1, 2", FIELDS[::-1], "c", "none-within-bounds"),
        ("RED, GREEN = 1, 2", FIELDS, "Shade.RED if c == Color.RED else c", "some-within-bounds"),
    ],
    ids=["as it is", "in another order", "fields in another order", "of another sort"],
)
def test_the_order_of_declarations_does_not_count_and_sorts_do(
    members: str, fields: list[str], painted: str, known: str, tmp_path: Path
) -> None:
    one, other = tmp_path / "one" / "painted.py", tmp_path / "other" / "repainted.py"
    for file, declared in ((one, ("RED, GREEN = 1, 2", FIELDS, "c")), (other, (members, fields, painted))):
        file.parent.mkdir()
        names = dict(zip(("members", "fields", "painted"), declared, strict=True))
        file.write_text(MEMBERS.format(**names | {"fields": "\n    ".join(declared[1])}))
    found = compare(load_spec(str(one)).main, load_spec(str(other)).main)
    assert (found.only_first.known, found.only_second.known) == (known, known)


def test_other_sizes_and_types_are_noted() -> None:
    assert compare(Lock, Lock.bounded(P=3)).notes == ("the bound P is 2 in Lock and 3 in Lock",)
    with pytest.raises(UsageError, match="no variable in common"):
        compare(Lock, Other)
    with pytest.raises(UsageError, match="no variable in common"):
        compare(Lock, Rude, hide=["inside"])
    with pytest.raises(UsageError, match="Did you mean 'inside'"):
        compare(Lock, Rude, hide=["insid"])


def oracle(first: type[Spec], second: type[Spec]) -> tuple[int, int, int | None, bool]:
    """The states and steps that only the first has, the length of a shortest run to one, and whether any bound cuts the second."""
    graphs = [state_graph(spec, states_max=400) for spec in (first, second)]
    common = set(graphs[0].nodes[0]["label"]) & set(graphs[1].nodes[0]["label"])

    def seen(graph: Any, node: int) -> str:
        label = graph.nodes[node]["label"]
        return json.dumps({name: label[name] for name in sorted(common)}, sort_keys=True)

    states = [{seen(graph, node) for node in graph} for graph in graphs]
    steps = [
        {(seen(graph, a), seen(graph, b)) for a, b in graph.edges() if seen(graph, a) != seen(graph, b)}
        for graph in graphs
    ]
    begins = [{node for node in graph if graph.nodes[node]["initial"]} for graph in graphs]
    known = {seen(graphs[1], node) for node in begins[1]}
    lengths = [0 for node in begins[0] if seen(graphs[0], node) not in known]
    distance = nx.multi_source_dijkstra_path_length(graphs[0], begins[0])
    new = steps[0] - steps[1]
    lengths += [distance[a] + 1 for a, b in graphs[0].edges() if (seen(graphs[0], a), seen(graphs[0], b)) in new]
    cuts = any(graphs[1].nodes[node]["cuts"] for node in graphs[1])
    return len(states[0] - states[1]), len(new), min(lengths, default=None), cuts


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(120, 40, deep=0.6))
def test_drawn_specifications_and_their_mutants(begin: int) -> None:
    tally: Counter[str] = Counter()
    for seed in range(begin, begin + 40):
        source = write(seed, histories=False)
        drawn = load(source, "Drawn")
        changed = [one for one in mutants(source) if one.part in ("action", "init")]
        for mutant in Random(seed).sample(changed, min(2, len(changed))):
            try:
                other = mutant.load()
                pairs = [(drawn, other), (other, drawn)]
                expected = [oracle(*pair) for pair in pairs]
                found = compare(drawn, other)
            except (QuorateError, ArithmeticError, LookupError, TypeError, NameError):
                continue
            for direction, (states, steps, length, cuts) in zip(
                (found.only_first, found.only_second), expected, strict=True
            ):
                assert told(direction)[3] == length, mutant
                if length is not None:
                    assert (direction.states, direction.steps) == (states, steps), mutant
                    assert direction.known == ("some-within-bounds" if cuts else "some"), mutant
                    assert direction.trace is not None
                tally["none" if length is None else "some"] += 1
    assert min(tally["some"], tally["none"]) >= 7, tally


VERSION = '''
from quorate import Scalarset, Spec, action, require
{imports}

class P(Scalarset, size=2):
    """A process."""

class Lock(Spec):
    inside: set[P]

    @action
    def enter(self, p: P) -> None:
        require({guard})
        self.inside.add(p)
'''


def test_two_versions_of_a_file_are_compared_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for version, guard in (("old", "len(self.inside) == 0"), ("new", "len(self.inside) < 2")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "compared_lock.py").write_text(VERSION.format(imports="", guard=guard), encoding="utf-8")
    result = CliRunner().invoke(cli, ["diff", "old/compared_lock.py", "new/compared_lock.py", "--out", "out"])
    assert result.exit_code == 1
    assert "= Lock does nothing that Lock does not" in result.output
    assert "+ Lock has 1 state and 2 steps that Lock has not; a shortest run:" in result.output
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"trace-only-second.json", "diagram-only-second.svg"}
    assert CliRunner().invoke(cli, ["diff", "old/compared_lock.py", "old/compared_lock.py"]).exit_code == 0
    limited = ["diff", "old/compared_lock.py", "new/compared_lock.py", "--max-states", "1"]
    assert CliRunner().invoke(cli, limited).exit_code == 3


def test_helpers_of_one_name_in_two_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for version, most in (("old", 1), ("new", 2)):
        (tmp_path / version).mkdir()
        text = VERSION.format(imports="import compared_between", guard="compared_between.free(self.inside)")
        (tmp_path / version / "lock_with_helper.py").write_text(text, encoding="utf-8")
        between = "from compared_helper import MOST\n\ndef free(inside):\n    return len(inside) < MOST\n"
        (tmp_path / version / "compared_between.py").write_text(between, encoding="utf-8")
        (tmp_path / version / "compared_helper.py").write_text(f"MOST = {most}\n", encoding="utf-8")
    result = CliRunner().invoke(cli, ["diff", "old/lock_with_helper.py", "new/lock_with_helper.py"])
    assert isinstance(result.exception, UsageError) and "compared_between" in str(result.exception)
