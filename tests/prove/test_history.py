"""What is proven of an heir with history variables is true of the specification: heirs that are more than that are refused."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate import Spec
from quorate.commands.draw import command as draw
from quorate.commands.prove import command as prove_command
from quorate.commands.replay import command as replay
from quorate.errors import SpecError
from quorate.loading import load
from quorate.outcome import Proven, Violated
from quorate.prove.any_size.history import history_of, with_history
from quorate.prove.proof import Task, prove

SPEC = '''
from quorate import Nat, Scalarset, Spec, action, init, invariant, lemma, require


class Node(Scalarset, size=3):
    """Somebody."""


class Number(Nat, max=3):
    """A number."""


class Baton(Spec):
    """A baton is handed on, and nobody gets it twice: why, only its history says."""

    proven_by = "Told"

    holder: Node | None
    tired: set[Node]

    @action
    def take(self, n: Node) -> None:
        require(self.holder is None and self.may(n))
        self.holder = n

    @action
    def hand_on(self, n: Node, m: Node) -> None:
        require(self.holder == n and n != m and self.may(m))
        self.holder = m
        self.tired.add(n)

    def may(self, n: Node) -> bool:
        """Whether somebody can run."""
        return n not in self.tired

    @invariant
    def rested(self, n: Node) -> bool:
        """Whoever runs has not run before."""
        return self.holder != n or n not in self.tired


class Told(Baton):
    """Who has had it."""

    had: set[Node]

'''
HONEST = '''
    def hand_on(self, n: Node, m: Node) -> None:
        super().hand_on(n, m)
        self.had.add(n)

    @lemma
    def told(self, n: Node) -> bool:
        """Whoever is tired has had it."""
        return n not in self.tired or n in self.had
'''
CHEATS = {
    "does more in hand_on": """
        def hand_on(self, n: Node, m: Node) -> None:
            require(n != m)
            super().hand_on(n, m)
            self.had.add(n)
    """,
    "does more in take": """
        def take(self, n: Node) -> None:
            super().take(n)
            require(n not in self.tired)
            self.had.add(n)
    """,
    "does more in hand_on than": """
        def hand_on(self, n: Node, m: Node) -> None:
            super().hand_on(m, n)
            self.had.add(n)
    """,
    "Told remembers had. self.had is auxiliary": """
        def take(self, n: Node) -> None:
            super().take(n)
            require(n not in self.had)
            self.had.add(n)
    """,
    "changes may": """
        def may(self, n: Node) -> bool:
            return False
    """,
    "changes rested": """
        def rested(self, n: Node) -> bool:
            return True
    """,
    "leaves out rested": """
        omits = ("rested",)
    """,
    "has other variables, initial states or actions": """
        @action
        def rest(self, n: Node) -> None:
            self.had.discard(n)
    """,
    "has other variables, initial states or actions.": """
        @init
        def begin(self, n: Node) -> None:
            self.tired.add(n)
    """,
    "may fail here, or pass a bound": """
        many: Number

        def take(self, n: Node) -> None:
            super().take(n)
            self.many += 1
    """,
}


def baton(folder: Path, heir: str, spec: str = SPEC) -> type[Spec]:
    file = folder / "baton.py"
    file.write_text(spec + textwrap.indent(textwrap.dedent(heir), "    "), encoding="utf-8")
    return load(f"{file}:Baton").main


def test_an_heir_that_remembers_is_what_is_proven(tmp_path: Path) -> None:
    spec = baton(tmp_path, HONEST)
    heir = with_history(spec)
    assert heir.__name__ == "Told" and history_of(spec, heir) == ("had",)
    proof = prove(Task(spec, "baton", any_size=True, invariants=("rested", "told")))
    assert isinstance(proof.outcome, Proven) and {claim.property for claim in proof.claims} >= {"rested", "told"}
    assert "with history variables, which no step reads: had (Told)" in proof.outcome.notes


def test_a_violation_is_a_run_of_the_specification_itself(tmp_path: Path) -> None:
    spec = baton(tmp_path, HONEST, SPEC.replace("n != m and ", ""))
    found = prove(Task(spec, "baton", any_size=True)).outcome
    assert isinstance(found, Violated) and found.property == "rested" and found.trace is not None
    assert set(found.trace.initial) == {"holder", "tired"}


@pytest.mark.parametrize("why", list(CHEATS))
def test_an_heir_that_is_more_is_refused(tmp_path: Path, why: str) -> None:
    spec = baton(tmp_path, CHEATS[why])
    with pytest.raises(SpecError) as refused:
        with_history(spec)
    assert why in refused.value.message
    assert refused.value.location is not None and refused.value.location.file.endswith("baton.py")


@pytest.mark.parametrize("changed", ["@invariant\n    def rested(self, n: Node)", "def may(self, n: Node)"])
@pytest.mark.parametrize("bases", ["Changed, Baton", "Baton, Changed"])
def test_what_an_heir_has_from_elsewhere_is_not_the_specification(tmp_path: Path, changed: str, bases: str) -> None:
    elsewhere = f"class Changed:\n    {changed} -> bool:\n        return True\n\n\nclass Told({bases}):"
    with pytest.raises(SpecError, match=r"no subclass of Baton alone|Told inherits (Changed|Baton)\.(rested|may)"):
        with_history(baton(tmp_path, HONEST, SPEC.replace("class Told(Baton):", elsewhere)))


def test_the_text_of_an_action_that_calls_another_function_is_another_action(tmp_path: Path) -> None:
    heir = """
        def take(self, n: Node) -> None:
            require(self.holder is None and may(n))
            self.holder = n
    """
    other = "def may(n: Node) -> bool:\n    return False\n\n\nclass Told(Baton):"
    with pytest.raises(SpecError, match="does more in take"):
        with_history(baton(tmp_path, heir, SPEC.replace("class Told(Baton):", other)))


def test_a_step_of_an_heir_is_stored_so_that_it_is_run_and_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baton(tmp_path, HONEST.replace("n not in self.tired or n in self.had", "self.holder != n or n not in self.had"))
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(prove_command, ["baton.py:Baton", "--any-size", "--invariant", "told", "--out", "."]).exit_code == 3
    again = run(replay, ["trace.json"])
    assert again.exit_code == 3 and "The step still breaks told" in again.output and "had {n" in again.output
    assert run(draw, ["trace.json", "-o", "states.itf.json"]).exit_code == 0
    plain = SPEC[: SPEC.index("class Told(Baton)")].replace('proven_by = "Told"', "")
    (tmp_path / "plain.py").write_text(plain, encoding="utf-8")
    assert "there is no property 'told'" in run(replay, ["trace.json", "--spec", "plain.py"]).output


COUNTED = (
    SPEC[: SPEC.index("class Baton")]
    + '''
class Place(Nat, max=5):
    """A number that goes further, at these bounds."""


@record
class Seen:
    place: Place


class Baton(Spec):
    """Counts."""

    proven_by = "Told"

    count: Number

    @action
    def take(self) -> None:
        self.count += 1

    @invariant
    def few(self) -> bool:
        """As many places as there are."""
        return self.count in Place


class Told(Baton):
    """Counts with it."""

'''
)


@pytest.mark.parametrize(
    ("variable", "write"),
    [
        ("Place", "self.told = Place(self.count)"),
        ("Place", "self.told = Place(1)"),
        ("Place", "self.told = max(self.told, self.count)"),
        ("Place | None", "self.told = Place(self.count)"),
        ("set[Seen]", "self.told.add(Seen(Place(self.count)))"),
        ("set[Seen]", "self.told.add(self.seen())"),
        ("list[Place]", "self.told.append(Place(self.count))"),
        ("dict[Node, Place]", "self.told = {n: Place(self.count) for n in Node}"),
        ("Place = Place(1)", "self.told = self.told"),
    ],
)
def test_history_passes_no_bound_at_any_size(tmp_path: Path, variable: str, write: str) -> None:
    """It fits at the configured ones: where there are fewer places, remembering would take the runs away that violate the property."""
    heir = f"told: {variable}\n\ndef take(self) -> None:\n    super().take()\n    {write}\n"
    heir += "\ndef seen(self) -> Seen:\n    return Seen(Place(self.count))\n"
    spec = baton(tmp_path, heir, COUNTED.replace("import Nat", "import record, Nat"))
    with pytest.raises(SpecError, match=r"at other sizes|not at all sizes") as refused:
        with_history(spec)
    assert refused.value.location is not None


def test_history_remembers_a_number_in_its_own_sort(tmp_path: Path) -> None:
    heir = "told: Number\n\ndef take(self) -> None:\n    super().take()\n    self.told = self.count\n"
    assert with_history(baton(tmp_path, heir, COUNTED.replace("import Nat", "import record, Nat"))).__name__ == "Told"
