"""On the command line: a proof from what contradicts itself is never called one.

A specification has no way to state an axiom. What it can do is to require of its initial state, or of an action, what
the axioms of quorums exclude: two majorities without a member in common. Every claim about it is then "proven".
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import z3
from click.testing import CliRunner
from quorate.commands.prove import command
from quorate.language.system import System
from quorate.loading import load
from quorate.model.nodes import Action
from quorate.prove import reachability
from quorate.prove.any_size.obligations import Prover
from quorate.prove.reachability import never_seen
from quorate.prove.solvers.query import Query, query

HEAD = '''
from quorate import Scalarset, Spec, action, init, invariant, is_majority, require


class Node(Scalarset, size=3):
    """Somebody."""

'''
BEGINS_WITH_TWO = '''
class BeginsWithTwo(Spec):
    """Begins with two majorities that do not meet."""

    chosen: set[Node]

    @init
    def start(self, a: set[Node], b: set[Node]) -> None:
        require(is_majority(a, Node) and is_majority(b, Node))
        require(all(n not in b for n in a))

    @action
    def choose(self, n: Node) -> None:
        self.chosen.add(n)

    @invariant
    def somebody(self) -> bool:
        """What every step keeps, and what is false at the beginning if there is one."""
        return any(n in self.chosen for n in Node)
'''
NEEDS_TWO = '''
class NeedsTwo(Spec):
    """Chooses somebody when there are two majorities that do not meet."""

    chosen: set[Node]

    @action
    def choose(self, n: Node, a: set[Node], b: set[Node]) -> None:
        require(is_majority(a, Node) and is_majority(b, Node))
        require(all(m not in b for m in a))
        self.chosen.add(n)

    @invariant
    def nobody(self, n: Node) -> bool:
        """What no step makes false, because there is none."""
        return n not in self.chosen
'''
CAN_START = BEGINS_WITH_TWO.replace("\n        require(all(n not in b for n in a))", "")
"""The same without the contradiction."""


def proven(folder: Path, text: str, *options: str) -> tuple[int, str]:
    file = folder / "spec.py"
    file.write_text(HEAD + text, encoding="utf-8")
    result = CliRunner().invoke(command, [str(file), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


MODES = pytest.mark.parametrize("options", [(), ("--any-size",), ("--any-size", "--discover")], ids=" ".join)


@MODES
def test_what_cannot_begin_is_not_proven(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, output = proven(tmp_path, BEGINS_WITH_TWO, *options)
    assert code == 3, output
    assert not re.search(r"^proven (for|at)", output, re.MULTILINE)
    assert "initial state" in output


@MODES
def test_what_cannot_happen_is_not_proven(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, output = proven(tmp_path, NEEDS_TWO, *options)
    assert code == 3, output
    assert not re.search(r"^proven (for|at)", output, re.MULTILINE)
    assert "every claim is proven, but choose can never happen" in output


@pytest.mark.parametrize("options", [(), ("--any-size",)], ids=" ".join)
def test_without_the_contradiction_it_is_refuted(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, output = proven(tmp_path, CAN_START, *options)
    assert code == 1 and "violated" in output, output


DEEP = '''
from quorate import Nat, Scalarset, Spec, action, invariant, require


class Node(Scalarset, size=3):
    """Somebody."""


class Count(Nat, max=30):
    """A number."""


class Deep(Spec):
    """What happens only at the end of long runs, behind very many states."""

    count: dict[Node, Count]

    @action
    def up(self, n: Node) -> None:
        self.count[n] += 1

    @action
    def arrive(self, n: Node, m: Node) -> None:
        require(n != m and self.count[n] > 12 and self.count[m] > 12)

    @action
    def never(self, n: Node) -> None:
        require(self.count[n] > 3 and self.count[n] < 3)

    @invariant
    def counted(self, n: Node) -> bool:
        """Something."""
        return self.count[n] >= 0
'''


def test_what_happens_late_is_seen_in_drawn_runs_and_what_never_happens_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reachability, "WALKS", 10)
    file = tmp_path / "deep.py"
    file.write_text(DEEP, encoding="utf-8")
    system = System(load(str(file)).main)
    with system:
        assert never_seen(system, 60.0) == {"never"}


def test_a_run_does_not_hide_that_the_translation_contradicts_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fires(prover: Prover, action: Action, assumed: object) -> Query:
        return query((action.name, "can happen"), [("", z3.BoolVal(False))])

    monkeypatch.setattr(Prover, "fires", fires)
    kept = NEEDS_TWO.replace("        require(all(m not in b for m in a))\n        self.chosen.add(n)", "")
    code, output = proven(tmp_path, kept, "--any-size")
    assert code == 3 and "every claim is proven, but choose can never happen" in output, output
