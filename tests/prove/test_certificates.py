"""Certificates: cvc5 gives the answers that are written beside the queries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import cvc5
import pytest
from click.testing import CliRunner
from quorate.commands.prove import command
from quorate.outcome import Proven
from quorate.prove.proof import Task, prove
from quorate.prove.solvers.evidence import Evidence
from quorate.prove.solvers.query import Query, Status

from tests import generated


def answer(text: str) -> str:
    """What cvc5 says of a file."""
    solver = cvc5.Solver()
    solver.setOption("tlimit-per", "20000")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "certificate")
    said = ""
    while not (found := parser.nextCommand()).isNull():
        said += str(found.invoke(solver, parser.getSymbolManager()))
    return said.split()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["two_phase_commit", "--bound", "ResourceManager=2"],
        ["two_phase_commit", "--bound", "ResourceManager=2", "--method", "kinduction", "--depth", "2"],
        ["two_phase_commit", "--any-size"],
    ],
    ids=" ".join,
)
def test_cvc5_confirms_every_proven_claim(arguments: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "certificate"
    result = CliRunner().invoke(command, [*arguments, "--certificate", str(folder)])
    assert result.exit_code == 0, result.output
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["outcome"]["verdict"] == "proven"
    proven = [query for query in manifest["queries"] if query["answer"] == "unsat"]
    said = {query["file"]: answer((folder / query["file"]).read_text()) for query in proven}
    assert set(said.values()) == {"unsat"}, [file for file, verdict in said.items() if verdict != "unsat"]


def test_the_verdict_says_what_it_rests_on() -> None:
    result = CliRunner().invoke(command, ["two_phase_commit", "--bound", "ResourceManager=2"])
    assert "rests on: the bounds ResourceManager=2" in result.output and "rests on: answers of z3 " in result.output


def test_a_certificate_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    result = CliRunner().invoke(
        command, ["two_phase_commit", "--bound", "ResourceManager=2", "--certificate", str(tmp_path)]
    )
    assert result.exit_code != 0
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


THREE = """
from typing import ClassVar
from quorate import *

class Node(Scalarset, size=4):
    pass

class Drawn(Spec):
    large: ClassVar[int] = 3
    first: set[Node]
    second: set[Node]
    third: set[Node]

    @init
    def draw(self, first: set[Node], second: set[Node], third: set[Node]) -> None:
        require(is_quorum(first, self.large, Node) and is_quorum(second, self.large, Node) and is_majority(third, Node))
        self.first, self.second, self.third = first, second, third

    @action
    def swap(self) -> None:
        self.first, self.second = self.second, self.first

    @invariant
    def they_meet(self) -> bool:
        return any(n in self.first and n in self.second for n in Node)
"""


@dataclass
class Asked(Evidence):
    """Evidence that keeps the queries."""

    queries: list[Query] = field(default_factory=list)

    def query(
        self, query: Query, status: Status, solver: str, conditions: frozenset[str], lemmas: frozenset[str]
    ) -> None:
        if status == "unsat":
            self.queries.append(query)
        super().query(query, status, solver, conditions, lemmas)


def test_a_certificate_supposes_no_more_than_the_verdict_names() -> None:
    evidence = Asked()
    outcome = prove(Task(generated.load(THREE), "three", any_size=True, evidence=evidence)).outcome
    assert isinstance(outcome, Proven)
    named = {said.split(": ", 1)[1] for said in outcome.rests_on if "sizes of which" in said}
    assert named == {"any large (3) and any large (3) of Node have a member in common"}
    known = {query.name: query for query in evidence.queries}
    assert any(set(query.conditions.values()) - named for query in known.values())
    for one in evidence.answered:
        if one.status == "unsat":
            query = known[one.name]
            supposed = sum(said in named for said in query.conditions.values())
            assert one.text().count("(assert") <= len(query.labels) - len(query.conditions) + supposed
            assert answer(one.text()) == "unsat"


LOST = """
from quorate import *

class Node(Scalarset, size=2):
    pass

class Drawn(Spec):
    first: set[Node]
    second: set[Node]
    third: set[Node]

    @action
    def put(self, n: Node) -> None:
        self.first.add(n)
        self.second.add(n)

    @action
    def take(self, n: Node) -> None:
        require(CONDITION)
        self.third.add(n)

    @action
    def lose(self, n: Node) -> None:
        self.second.discard(n)

    @lemma
    def lost(self) -> bool:
        return self.first <= self.second

    @lemma
    def inside(self) -> bool:
        return self.third <= self.first

    @invariant
    def goal(self, n: Node) -> bool:
        return n in self.first or n not in self.third
"""


@pytest.mark.parametrize("condition", ["n in self.first", "n in self.first and n in self.second"])
def test_a_certificate_supposes_no_lemma_that_is_not_proven_in_it(condition: str) -> None:
    evidence = Evidence()
    spec = generated.load(LOST.replace("CONDITION", condition))
    outcome = prove(Task(spec, "lost", invariants=("goal",), any_size=True, evidence=evidence)).outcome
    assert isinstance(outcome, Proven)
    proven = [one for one in evidence.answered if one.status == "unsat"]
    assert {lemma for one in proven for lemma in one.needs} <= {one.name[1] for one in proven}
    assert not any("(|self.second[]|" in one.text() for one in proven if "take" not in one.name)
