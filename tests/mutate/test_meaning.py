"""Whatever way a property takes to a method that actions call, too: a mutant of the method leaves the property as it is."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from quorate.explore import Naming
from quorate.language.spec import Spec
from quorate.loading import load
from quorate.model import build
from quorate.model import nodes as ir
from quorate.mutate import Finding, Original, Verdict, bare, mutants, trial
from quorate.mutate.content import plain

GATE = '''\
from typing import Self

from quorate import *


class N(Nat, max=3):
    """A number."""


class {name}(Spec):
    """A gate that is closed for good; who has passed is counted while it is open."""

    n: N
    closed: bool

    def is_open(self) -> bool:
        return not self.closed

    @action{fair}
    def enter(self) -> None:
        require(self.is_open())
        require(self.n < N.bound)
        self.n += 1

    @action
    def close(self) -> None:
        require(self.n > 0)
        self.closed = True
'''
BEFORE = """
    @step
    def nobody_enters(self, old: Self) -> bool:
        return old.is_open() or old.n == self.n
"""
DEEPER = """
    def was_open(self) -> bool:
        return self.is_open()

    @step
    def nobody_enters(self, old: Self) -> bool:
        return old.was_open() or old.n == self.n
"""
CONSTRAINT = """
    @constraint
    def alone(self, old: Self) -> bool:
        return old.is_open() or self.n == old.n

    @invariant
    def few(self) -> bool:
        return self.n <= 3
"""
TERMINAL = """
    @terminal
    def over(self) -> bool:
        return not self.is_open()

    @invariant
    def few(self) -> bool:
        return self.n <= 3
"""
FAIR = """
    @eventually
    def somebody(self) -> bool:
        return self.n > 0
"""
KEPT = """
    @invariant
    def kept(self) -> bool:
        return self.is_open() or self.n > 0
"""
HEIR = """

class Heir(Gate):
    @invariant
    def kept(self) -> bool:
        return super().kept()
"""
MAPPED = """

class Mapped(Gate):
    refines = Gate
    omits = ("nobody_enters",)

    @mapping
    def refines_gate(self, abstract: Gate) -> None:
        abstract.n = self.n
        abstract.closed = not self.is_open()
"""
PLACES = {
    "the state before": (GATE.format(name="Gate", fair="") + BEFORE, "Gate"),
    "a helper of the state before": (GATE.format(name="Gate", fair="") + DEEPER, "Gate"),
    "a constraint of steps": (GATE.format(name="Gate", fair="") + CONSTRAINT, "Gate"),
    "where runs may end": (GATE.format(name="Gate", fair="") + TERMINAL, "Gate"),
    "fairness": (GATE.format(name="Gate", fair='(fair="weak", fair_if="is_open")') + FAIR, "Gate"),
    "super": (GATE.format(name="Gate", fair="") + KEPT + HEIR, "Heir"),
    "a mapping": (GATE.format(name="Gate", fair="") + BEFORE + MAPPED, "Mapped"),
}


def judged_by(model: ir.Model) -> dict[str, str]:
    """Properties, constraints and conditions of fairness, with all functions that they call, which are numbered."""
    fair = [(action.name, action.fair_if) for action in model.actions if action.fair_if is not None]
    parts = [*((one.name, one) for one in (*model.properties, *model.constraints, *model.beginnings)), *fair]
    return {name: _with_functions(model, one.body) for name, one in parts}


def _with_functions(model: ir.Model, body: tuple[ir.Stmt, ...]) -> str:
    called: dict[str, ir.Function] = {}
    pending = [body]
    while pending:
        for outer in ir.expressions(pending.pop(0)):
            for node in outer.walk():
                if node.op in ir.CALLS and node.data not in called:
                    called[node.data] = model.functions[node.data]
                    pending.append(model.functions[node.data].body)
    text = plain((body, list(called.values())))
    for number, key in enumerate(called):
        text = text.replace(repr(key), f"function {number}")
    return text


def same_meaning(spec: type[Spec]) -> int:
    """How many mutants of a specification are legal, and have the properties of the original."""
    original, legal = judged_by(build(spec)), 0
    for mutant in mutants(spec):
        made = Original.made(mutant)
        if not isinstance(made, Finding):
            kept = judged_by(made.model)
            assert {name: original[name] for name in kept} == kept, mutant
            assert kept.keys() == original.keys() or mutant.kind == "action"
            legal += 1
    return legal


@pytest.mark.parametrize("place", PLACES)
def test_a_property_keeps_its_meaning_wherever_it_reads_a_method(place: str, tmp_path: Path) -> None:
    source, name = PLACES[place]
    file = tmp_path / "gate.py"
    file.write_text(source)
    assert same_meaning(bare(load(f"{file}:{name}").main)) >= 3


def test_a_gate_that_is_always_open_breaks_the_step(tmp_path: Path) -> None:
    source, name = PLACES["the state before"]
    file = tmp_path / "gate.py"
    file.write_text(source)
    spec = load(f"{file}:{name}").main
    original = Original.of(spec, Naming("gate"), engine="reference")
    mutant = next(one for one in mutants(spec) if one.says == "True instead of not self.closed")
    found = trial(original, mutant, engine="reference").finding
    assert (found.verdict, found.properties, found.steps) == (Verdict.VIOLATED, ("nobody_enters",), 3)


def test_properties_of_another_file_keep_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gate_elsewhere.py").write_text(PLACES["the state before"][0])
    (tmp_path / "turnstile.py").write_text(
        "from gate_elsewhere import *\nfrom quorate import *\n\n\nclass Turnstile(Gate):\n"
        "    def is_open(self) -> bool:\n        return not self.closed and self.n < 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert same_meaning(bare(load(str(tmp_path / "turnstile.py")).main)) == 0, (
        "the action that calls it is left as it is"
    )
