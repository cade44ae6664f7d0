"""What is removed or weakened, and that a mutant is the specification with that one change."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from quorate.explore import Naming
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate.loading import load
from quorate.model import build
from quorate.mutate import Finding, Mutant, Original, Verdict, bare, mutants, trial
from quorate.mutate.changes import KINDS
from quorate.mutate.content import content, doing
from quorate.mutate.text import Edit, Span, Text

from tests.mutate.samples import LOCK, loaded

FOUND = """\
25 memory held: held is lost when a Node restarts
29 action grant: without the action grant
31 guard grant: without require(self.is_free() and self.epoch < 2)
31 conjunct grant: without self.is_free()
31 conjunct grant: without self.epoch < 2
31 comparison grant: self.epoch <= 2 instead of self.epoch < 2
32 assignment grant: without self.epoch += 1
33 assignment grant: without self.holder = n
34 send grant: without self.network.send( Grant( self.epoch, n ) )
36 field grant: Epoch(0) instead of self.epoch
41 action take: without the action take
42 guard take: without require(m in self.network)
43 guard take: without require(m.node == n and m.epoch == self.epoch and self.holder == n)
43 conjunct take: without m.node == n
43 conjunct take: without m.epoch == self.epoch
43 conjunct take: without self.holder == n
44 receive take: without self.network.receive(m)
45 assignment take: without self.held[n] = max(self.held[n], m.epoch)
45 extreme take: self.held[n] instead of max(self.held[n], m.epoch)
45 extreme take: m.epoch instead of max(self.held[n], m.epoch)
48 action release: without the action release
49 guard release: without require(self.holder == n and self.held[n] > 0)
49 conjunct release: without self.holder == n
49 conjunct release: without self.held[n] > 0
49 comparison release: self.held[n] >= 0 instead of self.held[n] > 0
50 assignment release: without self.held[n] = 0
51 assignment release: without self.holder = None
54 condition is_free: True instead of self.holder is None
"""


@pytest.fixture
def lock(tmp_path: Path) -> type[Spec]:
    return loaded(tmp_path)


def told(mutant: Mutant) -> str:
    return f"{mutant.span.line} {mutant.kind} {mutant.method}: {mutant.says}"


def test_every_part_of_the_protocol_and_no_part_of_a_property_is_changed(lock: type[Spec]) -> None:
    assert [told(mutant) for mutant in mutants(lock)] == FOUND.splitlines()
    assert {mutant.kind for mutant in mutants(lock)} <= KINDS.keys()


def named(spec: type[Spec], says: str) -> Mutant:
    return next(mutant for mutant in mutants(spec) if mutant.says == says)


@pytest.mark.parametrize(
    ("says", "line"),
    [
        ("without self.epoch < 2", "        require((self.is_free()))"),
        ("without self.held[n] = 0", "        pass"),
        ("without self.network.send( Grant( self.epoch, n ) )", "        pass"),
        ("Epoch(0) instead of self.epoch", "                Epoch(0), n"),
        ("m.epoch instead of max(self.held[n], m.epoch)", "        self.held[n] = (m.epoch)"),
    ],
)
def test_a_mutant_differs_in_one_line_and_lines_keep_their_numbers(lock: type[Spec], says: str, line: str) -> None:
    mutant = named(lock, says)
    made = mutant.make()
    method = inspect.getattr_static(made, mutant.method)
    lines, first = inspect.getsourcelines(method)
    _, original = inspect.getsourcelines(inspect.getattr_static(lock, mutant.method))
    assert first == original
    assert lines[mutant.span.line - first].rstrip("\n") == line
    changed = [text for text in lines if text.strip() and text not in LOCK.splitlines(keepends=True)]
    assert [text.rstrip("\n") for text in changed] in ([line], [] if line.strip() == "pass" else [line])


def test_an_edit_keeps_the_number_of_lines() -> None:
    """And the column of what follows, so that a method is indented as it was."""
    text = Text("a = (\n    b +\n    c\n)\nd = 1\n")
    for span, fresh in ((Span(1, 0, 4, 1), "pass"), (Span(2, 4, 3, 5), "(b)"), (Span(5, 0, 5, 5), "pass")):
        edited = text.edited([Edit(span, fresh)])
        compile(edited, "text", "exec")
        assert edited.count("\n") == text.contents.count("\n")
    assert text.edited([Edit(Span(2, 4, 3, 5), "(b)")]).splitlines()[1:3] == ["    (b", "    )"]
    assert text.edited([Edit(Span(5, 0, 5, 1), "e"), Edit(Span(1, 0, 1, 1), "f")]).startswith("f = (")


def test_a_property_keeps_its_meaning(lock: type[Spec]) -> None:
    """`is_free` is what actions ask and what an invariant says: the mutant asks another one."""
    made = named(lock, "True instead of self.holder is None").make()
    assert made.is_free is lock.is_free  # type: ignore[attr-defined]
    model = build(made)
    assert {"is_free", "is_free_in_mutant"} <= model.functions.keys()
    grant, original = (next(one for one in build(cls).actions if one.name == "grant") for cls in (made, lock))
    assert grant.body != original.body


def test_what_a_restart_forgets(tmp_path: Path) -> None:
    """With a restart, that one forgets, before it reads anything; without one, there is one for each variable."""
    source = LOCK.replace(
        "    def is_free",
        '    @action(mark="restart")\n    def recover(self, n: Node) -> None:\n        require(self.held[n] > 0)\n'
        "        self.held[n] = self.held[n]\n\n    def is_free",
    )
    spec = loaded(tmp_path, source)
    mutant = named(spec, "held is forgotten in recover")
    recover = "".join(inspect.getsourcelines(inspect.getattr_static(mutant.make(), "recover"))[0])
    assert recover.endswith("self.held[n] = Epoch(0); self.held[n] = self.held[n]\n")
    assert [
        action.name for action in System(named(loaded(tmp_path), "held is lost when a Node restarts").make()).actions
    ] == [
        "grant",
        "take",
        "release",
        "restart",
    ]


def test_contents_are_equal_where_models_are(lock: type[Spec]) -> None:
    twice = [content(build(lock)) for _ in range(2)]
    others = {content(build(mutant.make())) for mutant in mutants(lock)}
    assert twice[0] == twice[1] and twice[0] not in others
    assert len(others) == len(FOUND.splitlines())
    assert doing(build(lock)) == doing(build(bare(lock)))
    assert not any(doing(build(lock)) == doing(build(mutant.make())) for mutant in mutants(lock))


def test_what_is_always_true_says_nothing(tmp_path: Path) -> None:
    """A guard left out, and the method that it asks made true, are one thing to a reader: both are the variant that says so."""
    source = LOCK + "\n\nclass Always(Lock):\n    def is_free(self) -> bool:\n        return True\n"
    spec = loaded(tmp_path, source)
    always = load(str(tmp_path / "lock.py")).variants["Always"]
    wanted = [mutant.says for mutant in mutants(spec) if doing(build(mutant.make())) == doing(build(always))]
    assert wanted == ["without self.is_free()", "True instead of self.holder is None"]


EXPECTED = {
    "held is lost when a Node restarts": (Verdict.COSTS, (), None),
    "without the action grant": (Verdict.UNREACHABLE, ("held_twice",), None),
    "without self.is_free()": (Verdict.VIOLATED, ("one_holder",), 4),
    "without self.epoch < 2": (Verdict.NOTHING, (), None),
    "without self.holder == n": (Verdict.VIOLATED, ("free_is_free",), 4),
    "without self.network.receive(m)": (Verdict.DELIVERY, (), None),
    "without m.epoch == self.epoch": (Verdict.COSTS, (), None),
    "True instead of self.holder is None": (Verdict.VIOLATED, ("one_holder",), 4),
}


def test_what_lines_protect(lock: type[Spec]) -> None:
    original = Original.of(bare(lock), Naming("lock.py"), engine="reference")
    for says, (verdict, properties, steps) in EXPECTED.items():
        finding = trial(original, named(original.spec, says), engine="reference").finding
        assert (finding.verdict, finding.properties, finding.steps) == (verdict, properties, steps), says
        assert (finding.trace is None) == (steps is None)
        assert Finding.from_json(finding.to_json()) == finding


def test_errors_and_deadlocks(tmp_path: Path) -> None:
    """A mutant that takes what is not there raises; one that ends where the protocol may not is stuck."""
    source = LOCK.replace("require, step", "require, step, terminal").replace(
        "    @reachable",
        "    @terminal\n    def numbers_are_used_up(self) -> bool:\n        return self.epoch == 2 and self.is_free()\n\n    @reachable",
    )
    original = Original.of(bare(loaded(tmp_path, source)), Naming("lock.py"), engine="reference")
    stuck = trial(
        original, named(original.spec, "without self.network.send( Grant( self.epoch, n ) )"), engine="reference"
    ).finding
    assert (stuck.verdict, stuck.properties) == (Verdict.DEADLOCK, ("deadlock",))
    weaker = loaded(
        tmp_path / ".",
        LOCK.replace("require(m.node == n and m.epoch == self.epoch and self.holder == n)", "require(m.node == n)"),
    )
    original = Original.of(bare(weaker), Naming("lock.py"), engine="reference")
    raised = trial(original, named(original.spec, "without require(m in self.network)"), engine="reference").finding
    assert raised.verdict is Verdict.ERROR and "cannot be taken off" in raised.sentence


LOOKS = """
from enum import Enum
from quorate import *

class P(Scalarset, size=3):
    pass

class Kind(Enum):
    NEW = "new"
    GOOD = "good"
    BAD = "bad"

class Looks(Spec):
    kind: dict[P, Kind]
    looked: bool

    @action
    def mark(self, p: P) -> None:
        self.kind[p] = Kind.GOOD

    def is_good(self, p: P) -> bool:
        assert self.kind[p] != Kind.BAD
        return self.kind[p] == Kind.GOOD

    @action
    def look(self) -> None:
        require(any(self.is_good(p) for p in P))
        self.looked = True

    @invariant
    def fine(self) -> bool:
        return all(self.kind[p] != Kind.BAD for p in P)
"""


def test_states_are_counted_without_symmetry_where_a_mutant_has_another_one(tmp_path: Path) -> None:
    """Without the guard, whose assertion depends on the order of names, the states are fewer orbits than they were states."""
    (tmp_path / "looks.py").write_text(LOOKS)
    original = Original.of(load(str(tmp_path / "looks.py")).main, Naming("looks"), engine="reference")
    finding = trial(
        original, named(original.spec, "without require(any(self.is_good(p) for p in P))"), engine="reference"
    ).finding
    assert original.outcome.symmetry == () and original.outcome.statistics.states == 15
    assert (finding.verdict, finding.states) == (Verdict.COSTS, 16)
